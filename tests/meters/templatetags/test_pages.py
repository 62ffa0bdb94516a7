"""The small pieces of every page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from meters.models import KeyVersion
from meters.templatetags.pages import STATE_ICONS, duration, icon, iso_time, obis_meaning, seconds, sprite_url, state
from sessions.ladder import Standing
from sessions.models import DlmsSession, Step
from static.vendor import VENDOR

BEGIN = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def test_times_are_iso_with_their_zone(settings) -> None:
    assert "2026-11-25 09:00:00" in iso_time(BEGIN)
    assert ">Z</span>" in iso_time(BEGIN)
    with timezone.override("Europe/Berlin"):
        assert "2026-11-25 10:00:00" in iso_time(BEGIN)
        assert "+01:00" in iso_time(BEGIN)
    assert "never" in iso_time(None, "never")


@pytest.mark.parametrize(
    ("lasted", "shown"), [(0, "0:00"), (7, "0:07"), (750, "12:30"), (3723, "1:02:03"), (-5, "0:00")]
)
def test_durations(lasted: int, shown: str) -> None:
    assert duration(BEGIN, BEGIN + timedelta(seconds=lasted)) == shown


def test_what_did_not_begin_has_no_duration() -> None:
    assert duration(None, BEGIN) == "–"
    assert seconds(BEGIN, None) == "–"
    assert seconds(BEGIN, BEGIN + timedelta(milliseconds=67)) == "0.067 s"


@pytest.mark.parametrize(
    ("code", "meaning"), [("1-0:1.8.0*255", "Active energy import (+A), total"), ("nonsense", ""), ("", "")]
)
def test_obis_codes_in_words(code: str, meaning: str) -> None:
    assert obis_meaning(code) == meaning


@pytest.mark.parametrize(
    "value", [*DlmsSession.State.values, *Step.State.values, *KeyVersion.State.values, *(one.value for one in Standing)]
)
def test_every_state_has_a_shape_and_a_word(value: str) -> None:
    assert value in STATE_ICONS
    html = state(value, "the word")
    assert "the word" in html
    assert f"#{STATE_ICONS[value]}" in html


def test_every_icon_of_a_state_is_in_the_sprite() -> None:
    sprite = (VENDOR.parent / sprite_url().removeprefix("/static/")).read_text()
    for name in STATE_ICONS.values():
        assert f'id="{name}"' in sprite


def test_a_word_is_escaped() -> None:
    assert "<b>" not in state("DONE", "<b>")
    assert "<b>" not in icon("<b>")
