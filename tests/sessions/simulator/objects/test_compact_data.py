"""Compact data: what is captured, when, and that our own client's decoder reads it by the template."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import array, enum, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.compact_array import decode_compact_data
from sessions.simulator.meter import Meter
from sessions.simulator.objects.base import Denied
from tests.sessions.simulator.builders.building import CLOCK, ENERGY, meter_of

NAME = "0-0:66.0.0*255"
ENTRY = {
    "class_id": 62,
    "logical_name": NAME,
    "columns": ["0-0:1.0.0*255", "1-0:1.8.0*255"],
    "values": {"template_id": 7, "capture_method": "on invocation"},
}
PROFILE = {
    "class_id": 7,
    "logical_name": "1-0:99.1.0*255",
    "columns": ["0-0:1.0.0*255", "1-0:1.8.0*255"],
    "capture_period": 3600,
    "profile_entries": 100,
}


def made(version: int = 1, **values: Any) -> tuple[Meter, Any]:
    entry = {**ENTRY, "version": version, "values": {**ENTRY["values"], **values}}  # type: ignore[dict-item]
    meter = meter_of(CLOCK, ENERGY, PROFILE, entry)
    return meter, meter.objects[62, ObisCode.parse(NAME)].target


def read_back(target: Any) -> list[Any]:
    (row,) = decode_compact_data(target.read(5).value, target.read(2).value).elements
    return list(row)


def element(version: int, class_id: int, name: str, attribute: int, index: int = 0) -> Any:
    more = (structure(enum(0), null()), array()) if version else ()
    return structure(*CaptureObject(class_id, ObisCode.parse(name), attribute, index).to_data(), *more)


@pytest.mark.parametrize("version", [0, 1])
def test_it_captures_when_it_is_told_to(version):
    meter, target = made(version)
    assert target.read(2) == target.read(5) == octet_string(b"")
    target.invoke(2, None)
    clock: Any = meter.named(ObisCode.parse("0-0:1.0.0*255"))
    energy: Any = meter.named(ObisCode.parse("1-0:1.8.0*255"))
    captured = read_back(target)
    assert captured == [unsigned(7), clock.read(2), energy.read(2)]
    meter.clock.host.advance(days=1)  # type: ignore[attr-defined]
    assert read_back(target) == captured
    target.invoke(1, None)
    assert target.read(2) == octet_string(b"")


def test_it_captures_by_itself_whenever_it_is_read():
    meter, target = made(capture_method="implicit")
    first = read_back(target)
    meter.clock.host.advance(days=1)  # type: ignore[attr-defined]
    second = read_back(target)
    assert first[0] == second[0]
    assert second[2].value > first[2].value


def test_other_capture_objects_empty_the_buffer():
    _, target = made()
    target.invoke(2, None)
    target.write(
        3, array(element(1, 62, NAME, 4), element(1, 3, "1-0:1.8.0*255", 3, 2), element(1, 3, "1-0:1.8.0*255", 9))
    )
    assert target.read(2) == octet_string(b"")
    target.invoke(2, None)
    assert read_back(target) == [unsigned(7), enum(30), null()]


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (array(), DataAccessResult.OTHER_REASON),
        (array(element(1, 3, "1-0:1.8.0*255", 2)), DataAccessResult.OTHER_REASON),
        (array(element(1, 62, NAME, 4), element(1, 3, "1-0:9.9.9*255", 2)), DataAccessResult.OTHER_REASON),
        (array(unsigned(1)), DataAccessResult.TYPE_UNMATCHED),
        (long_unsigned(1), DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_capture_objects_that_cannot_be(value, result):
    """The first is the template's own number, the others are there."""
    _, target = made()
    before = target.read(3)
    with pytest.raises(Denied) as refused:
        target.write(3, value)
    assert refused.value.result is result
    assert target.read(3) == before


def test_rows_that_are_alike_have_a_template():
    _, target = made()
    target.write(3, array(element(1, 62, NAME, 4), element(1, 7, "1-0:99.1.0*255", 2, 0xF003)))
    target.invoke(2, None)
    assert len(read_back(target)[1]) == 3


def test_what_was_captured_survives():
    meter, target = made()
    target.invoke(2, None)
    other, again = made()
    other.memory.restore(meter.memory.keep())
    assert read_back(again) == read_back(target)
