"""What the end of a session says of its line."""

from __future__ import annotations

import pytest

from meters.models import LineHealth
from sessions.line_health import tell_line
from tests.sessions.builders import make_frames, make_session

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("layer", "frames", "said"),
    [
        (None, 2, "worked"),
        (None, 1, None),  # sent, and nobody had to answer
        (None, 0, None),
        ("line", 0, "failed"),
        ("link", 1, "failed"),
        ("line", 2, "failed"),
        ("association", 2, "worked"),
        ("security", 2, "worked"),
        ("configuration", 0, None),
        ("vault", 0, None),
        ("workbench", 0, None),
    ],
)
def test_only_the_lines_own_layers_are_its_failures(layer, frames: int, said) -> None:
    dlms_session = make_session()
    made = make_frames(dlms_session, frames)
    tell_line(dlms_session, {"layer": layer, "message": "no"} if layer else None)
    health = LineHealth.objects.first()
    assert (None if health is None else "failed" if health.failures else "worked") == said
    if health is not None and frames == 2:
        assert health.last_octets == made[1].time


def test_a_connection_that_stood(db) -> None:
    dlms_session = make_session()
    dlms_session.context = {"connect_ms": 7}
    tell_line(dlms_session, None)
    assert LineHealth.objects.get().connect_ms == 7


def test_a_line_that_is_gone() -> None:
    dlms_session = make_session()
    dlms_session.line = None
    tell_line(dlms_session, {"layer": "line"})
    assert not LineHealth.objects.exists()
