"""What each filter leaves, and what the search finds."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import timezone

from meters.filters import filtered
from meters.list_state import FILTERS, ListState
from meters.models import Meter, MeterType
from meters.services import save_meter
from tests.meters.builders import make_meter, meter_fields

pytestmark = pytest.mark.django_db


def found(**asked: object) -> set[str]:
    state = ListState.parse(QueryDict(urlencode(asked, doseq=True)))
    form, meters = filtered(state, Meter.objects.all())
    assert form.is_valid(), form.errors
    serials = list(meters.values_list("serial_number", flat=True))
    assert len(serials) == len(set(serials))  # no row twice, whatever is joined
    return set(serials)


@pytest.fixture
def lab() -> dict[str, Meter]:
    a = make_meter(
        meter={"serial_number": "a", "model": "E1", "batch": "Lot 1", "tags": ["x", "y"], "state": "FAULTY"},
        line={"port": 1},
    )
    b = make_meter(
        meter={"serial_number": "b", "model": "G1", "batch": "Lot 2", "tags": ["y"], "framing": "HDLC"},
        line={"port": 2},
        association={"authentication": "none"},
        secrets={"LLS_SECRET": b""},
    )
    c = make_meter(meter={"serial_number": "c", "model": "", "manufacturer": ""}, line={"kind": "UDP", "port": 3})
    MeterType.objects.filter(model="G1").update(medium="GAS")
    Meter.objects.filter(pk=a.pk).update(last_seen=timezone.now())
    Meter.objects.filter(pk=b.pk).update(last_seen=timezone.now() - timedelta(days=30))
    return {"a": a, "b": b, "c": c}


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({}, "abc"),
        ({"medium": "GAS"}, "b"),
        ({"medium": ["GAS", "ELECTRICITY"]}, "ab"),
        ({"batch": "Lot 1"}, "a"),
        ({"batch": ["Lot 1", "Lot 2"]}, "ab"),
        ({"state": "FAULTY"}, "a"),
        ({"state": ["FAULTY", "RECEIVED"]}, "abc"),
        ({"tag": "y"}, "ab"),
        ({"tag": ["x", "y"]}, "ab"),
        ({"line": "UDP"}, "c"),
        ({"line": "SERIAL"}, ""),
        ({"framing": "HDLC"}, "b"),
        ({"authentication": "none"}, "b"),
        ({"authentication": ["lls", "none"]}, "abc"),
        ({"seen": "never"}, "c"),
        ({"seen": "ever"}, "ab"),
        ({"tag": "y", "state": "FAULTY"}, "a"),
        ({"q": "Lot"}, ""),
    ],
    ids=str,
)
def test_each_filter(lab, asked, left) -> None:
    assert found(**asked) == set(left)


def test_by_type_and_by_day(lab) -> None:
    assert found(type=lab["b"].meter_type_id) == {"b"}
    today = timezone.localdate()
    assert found(seen_since=today - timedelta(days=1)) == {"a"}
    assert found(seen_since=today - timedelta(days=31)) == {"a", "b"}


def test_a_day_begins_at_midnight(lab) -> None:
    midnight = timezone.make_aware(datetime(2026, 3, 1))
    Meter.objects.filter(serial_number="a").update(last_seen=midnight)
    Meter.objects.filter(serial_number="b").update(last_seen=midnight - timedelta(microseconds=1))
    assert found(seen_since="2026-03-01") == {"a"}


@pytest.mark.parametrize("name", FILTERS)
def test_a_value_that_is_none_leaves_nothing_and_is_said(lab, name: str) -> None:
    state = ListState.parse(QueryDict(urlencode({name: "' OR 1=1 --"})))
    form, meters = filtered(state, Meter.objects.all())
    assert name in form.form.errors
    assert not meters.exists()


@pytest.mark.parametrize("word", ["%", "_", "\\", "'", "a%", "%a", "100%"])
def test_the_search_takes_letters_as_they_are(lab, word: str) -> None:
    assert found(q=word) == set()


def test_the_search_follows_every_change() -> None:
    meter = make_meter(meter={"serial_number": "s1", "location": "Cellar"}, line={"host": "Meter-Host", "name": "rack"})
    for word in ("s1", "BENCH", "cellar", "meter-host", "rack", "maker", "M1", "ell", "be"):
        assert found(q=word) == {"s1"}, word
    for word in ("el", "1", "nowhere", "s1 nowhere"):
        assert found(q=word) == set(), word
    changed = {"serial_number": "s2", "location": "attic", "model": "M2"}
    save_meter(**meter_fields(meter=changed, line={"host": "other", "name": "shelf"}), meter_id=meter.pk)
    assert found(q="cellar") == found(q="meter-host") == found(q="M1") == set()
    assert found(q="s2 attic other shelf m2") == {"s2"}


def test_a_line_that_is_renamed_is_found_by_its_new_name() -> None:
    make_meter(meter={"serial_number": "s1"}, line={"name": "old rack"})
    make_meter(meter={"serial_number": "s2"}, line={"name": "new rack"})
    assert found(q="new") == {"s1", "s2"}
    assert found(q="old") == set()
