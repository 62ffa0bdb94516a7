"""Quirks of values: each on the wire, and as our client takes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from meters.cosem import value_words
from meters.cosem.data import Data, null, text
from meters.cosem.interface_class import attribute_of
from sessions.association_file import parse_association
from sessions.dlms.errors import DlmsError
from sessions.dlms.selective_access import EntryDescriptor
from sessions.links.endpoint import parse_endpoint
from sessions.object_reference import ObjectReference
from sessions.reading import Profile, read_objects
from sessions.simulator.lab import LabLine, LabMeter
from sessions.simulator.listeners import RunningLab
from sessions.simulator.quirks.manners import Manners
from sessions.simulator.quirks.values import LIE, VALUE_QUIRKS
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.quirks.cases import CLOCK, PROFILE, Case, cases, reads
from tests.sessions.simulator.served import GMAC, LLS, lab_meter, lab_of
from tests.sessions.simulator.timed import TimedPair

NOON = "07ea0b19030c000000ffc400"
ROWS = "7/1-0:99.1.0*255/2[#1..4]"


def shown(value: Data) -> value_words.Shown:
    attribute = attribute_of(8, 2, value=value)
    assert attribute is not None
    return value_words.show(value, attribute.type)


def clock(name: str, octets: str, words: str) -> Case:
    """The clock's octets on the wire, and how they are shown."""
    length = len(octets) // 2
    encoded = bytes((9, length)) + bytes.fromhex(octets) if octets else b"\x00"
    return Case(
        name=name,
        shows=lambda pair: pair.heard[-1][11:] == b"\x00" + encoded,  # behind wrapper, tag, choice and invoke-id
        step=reads(*CLOCK),
        taken=lambda value: shown(value).text == words,
    )


@cases(
    clock("deviation-reversed", "07ea0b19030c000000003c00", "2026-11-25 12:00:00-01:00"),
    clock("deviation-unspecified", "07ea0b19030c000000800000", "2026-11-25 12:00:00"),
    clock("day-of-week-unspecified", "07ea0b19ff0c000000ffc400", "2026-11-25 12:00:00+01:00"),
    clock("hundredths-unspecified", "07ea0b19030c0000ffffc400", "2026-11-25 12:00:00+01:00"),
    clock("garbage-year", "00000000030c000000ffc400", "0000-00-00 12:00:00+01:00"),
    clock("date-time-of-8-octets", "07ea0b19030c0000", "07ea0b19030c0000"),
    clock("date-time-of-13-octets", NOON + "00", NOON + "00"),
    clock("null-clock", "", "null-data"),
)
def test_a_clock_that_is_odd(case):
    case.check()


def test_a_null_clock_is_flagged():
    assert "declared as octet-string" in shown(null()).remark


def test_a_reversed_deviation_is_undone_where_the_association_says_so(tmp_path):
    meter = lab_meter(LLS, quirks=["deviation-reversed"])
    told = {**meter.association, "reverse_deviation": True}
    (reading,) = read(replace(meter, association=told), tmp_path, "8/0-0:1.0.0*255/2")
    assert reading.as_json()["value"] == "2026-11-25T12:00:00+01:00"


def read(meter: LabMeter, tmp_path: Path, *objects: str) -> Any:
    """As the command `read` does, over a socket."""

    async def run() -> Any:
        async with RunningLab(lab_of(LabLine(kind="wrapper", meters=(meter,))), tmp_path) as running:
            (announced,) = running.announcements
            association = parse_association(announced["association"])
            references = [ObjectReference.parse(each) for each in objects]
            return await read_objects(parse_endpoint(announced["endpoint"]), association, references)

    return asyncio.run(run()).readings


def rows(tmp_path: Path, *quirks: str) -> list[list[str]]:
    (reading,) = read(lab_meter(LLS, quirks=list(quirks)), tmp_path, ROWS)
    assert isinstance(reading.outcome, Profile), reading.outcome
    return [[text(cell) for cell in row] for row in reading.outcome.rows]


def buffer(*quirks: str) -> list[Data]:
    """The rows as they stand on the wire."""
    pair = TimedPair(lab_meter(LLS, quirks=list(quirks)))
    pair.open()
    return list(pair.get(*PROFILE, EntryDescriptor(1, 4, 1, 0).to_selective_access()))


def test_rows_without_their_clock(tmp_path):
    plain = rows(tmp_path)
    assert [row[0].type for row in buffer("null-clock-in-rows")] != [row[0].type for row in buffer()]
    assert [row[0].type.name for row in buffer("null-clock-in-rows")][1:] == ["NULL_DATA"] * 3
    # Each row is one capture period later than the one before it.
    assert rows(tmp_path, "null-clock-in-rows") == plain


def test_rows_with_a_column_more(tmp_path):
    plain = rows(tmp_path)
    width = len(plain[0])
    assert [len(row) for row in buffer("rows-gain-a-column")] == [width, width, width + 1, width + 1]
    read_back = rows(tmp_path, "rows-gain-a-column")
    assert [row[:width] for row in read_back] == plain
    assert [row[width:] for row in read_back] == [[], [], ["0"], ["0"]]


def test_rows_that_come_backwards(tmp_path):
    assert buffer("rows-out-of-order") == buffer()[::-1]
    assert rows(tmp_path, "rows-out-of-order") == rows(tmp_path)[::-1]


COUNTER = (1, "0-0:43.1.0*255", 2)
USED = range(5000, 6000)


@pytest.mark.parametrize(("name", "offset"), [("counter-too-low", -LIE), ("counter-too-high", LIE)])
def test_a_counter_object_that_lies(tmp_path, name, offset):
    """Too low a counter was used before: the meter refuses it. Too high a one is wasteful, and good."""
    meter = lab_meter(GMAC)
    Pair(meter, counters=USED).open()
    liar = replace(meter, manners=Manners(quirks=(name,)))
    public = {"client_sap": 16, "authentication": "none", "protection": None, "client_system_title": None}
    told = TimedPair(liar, **public, guek=None, gak=None, server_system_title=None)
    told.open()
    truth = meter.device.security.last_client_counter
    assert told.get(*COUNTER).value == truth + offset
    assert told.wire.endswith((truth + offset).to_bytes(4, "big"))
    if offset > 0:
        (reading,) = read(liar, tmp_path, "1/0-0:96.1.0*255/2")
        assert reading.outcome.value == b"10000001"
        assert meter.device.security.last_client_counter > truth + offset
        return
    with pytest.raises(DlmsError) as refused:
        read(liar, tmp_path, "1/0-0:96.1.0*255/2")
    assert refused.value.hint
    assert meter.device.security.last_client_counter == truth


def test_every_quirk_of_a_value_is_tested_here():
    source = Path(__file__).read_text("utf-8")
    assert [quirk.name for quirk in VALUE_QUIRKS if f'"{quirk.name}"' not in source] == []
