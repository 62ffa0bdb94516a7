"""A profile: its columns, and its rows while the blocks arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.services import put_objects
from meters.cosem.data import array, date_time, double_long_unsigned, null, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.models import MeterType
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal
from sessions.dlms.general_block_transfer import GeneralBlocks
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.models import ProfileEntry, Step
from tests.sessions.dlms.scripted import ScriptedMeter
from tests.sessions.engine.bench import CLOCK, PROFILE, PUBLIC, Bench, attribute, fill, on_bench, row, steps_of, until

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 1, tzinfo=UTC)
READ_ALL = {"kind": "READ_PROFILE", "logical_name": str(PROFILE)}
BUFFER = attribute(7, PROFILE, 2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


def rows(count: int, *, first: int = 0):
    return [row(START + timedelta(minutes=15 * n), double_long_unsigned(10 * n)) for n in range(first, first + count)]


def read(prepare, step=READ_ALL) -> tuple[Step, list[ProfileEntry]]:
    ended: list = []

    async def test(bench: Bench) -> None:
        prepare(bench)
        done = await bench.run(step)
        (ended_step,) = await steps_of(done)
        ended.extend([ended_step, [entry async for entry in ProfileEntry.objects.order_by("number")]])

    on_bench(PUBLIC, test)
    return ended[0], ended[1]


@pytest.mark.parametrize("block", [None, 7, 40, 100, 100_000])
def test_rows_are_the_same_whatever_the_blocks(block: int | None) -> None:
    def prepare(bench: Bench) -> None:
        bench.meter.meter.reply_block = block
        fill(bench.meter.meter, array(*rows(20)))

    step, entries = read(prepare)
    assert step.state == "DONE"
    assert (step.progress_done, step.progress_total) == (20, 20)
    assert [entry.number for entry in entries] == list(range(1, 21))
    assert [entry.time for entry in entries] == [START + timedelta(minutes=15 * n) for n in range(20)]
    assert [entry.values[1] for entry in entries] == [float(n) if n % 1 else n for n in range(20)]
    assert step.columns == [
        {"title": step.columns[0]["title"], "unit": "", "obis": "0-0:1.0.0*255", "class_id": 8, "attribute_id": 2},
        {"title": step.columns[1]["title"], "unit": "Wh", "obis": "1-0:1.8.0*255", "class_id": 3, "attribute_id": 2},
    ]
    assert step.result["entries"] == 20


@pytest.mark.parametrize("reverse", [False, True])
def test_a_meter_may_count_the_deviation_the_other_way(reverse: bool) -> None:
    ended: list = []
    zoned = datetime(2026, 11, 1, 12, 30, tzinfo=timezone(timedelta(hours=5.5)))

    async def test(bench: Bench) -> None:
        clock = date_time(zoned, reverse_deviation=reverse)
        bench.meter.meter.objects[attribute(8, CLOCK, 2)] = clock
        fill(bench.meter.meter, array(row(clock, double_long_unsigned(1))))
        read_clock = {"kind": "READ", "class_id": 8, "logical_name": str(CLOCK), "attribute_id": 2}
        done = await bench.run(READ_ALL, read_clock, meter={"reverse_deviation": reverse})
        ended.extend(await steps_of(done))
        ended.append(await ProfileEntry.objects.aget())

    on_bench(PUBLIC, test)
    _, clock, entry = ended
    assert entry.time == zoned
    assert entry.values[0] == clock.result["value"] == "2026-11-01T12:30:00+05:30"
    assert clock.result["text"] == "2026-11-01 12:30:00+05:30"


def in_own_blocks(meter: ScriptedMeter, may_go_on: Callable[[], bool]) -> None:
    """The answer in GET's own blocks; it stops before the eighth."""
    meter.reply_block = 60
    meter.script[GetRequestNext] = lambda apdu: meter.answer(apdu) if apdu.block_number < 8 or may_go_on() else None


def in_general_blocks(meter: ScriptedMeter, may_go_on: Callable[[], bool]) -> None:
    """The answer in general blocks."""
    blocks = GeneralBlocks()

    def begin(apdu: GetRequestNormal) -> Any:
        answer = meter.answer(apdu)
        if apdu.cosem_attribute_descriptor != BUFFER:
            return answer
        blocks.begin()
        return list(blocks.send(answer.encode(), 68))

    def go_on(apdu: GeneralBlockTransfer) -> Any:
        return list(blocks.receive(apdu).blocks) if apdu.block_number_ack < 8 or may_go_on() else None

    meter.script |= {GetRequestNormal: begin, GeneralBlockTransfer: go_on}


@pytest.mark.parametrize("blocks", [in_own_blocks, in_general_blocks])
def test_rows_are_there_before_the_last_block(blocks) -> None:
    seen: list[tuple[int, int, int | None]] = []

    async def test(bench: Bench) -> None:
        fill(bench.meter.meter, array(*rows(40)))
        blocks(bench.meter.meter, lambda: bool(seen))
        dlms_session = await bench.open(READ_ALL, association={"timeout": 30.0})
        running = asyncio.ensure_future(run_session(dlms_session.pk))
        await until(lambda: ProfileEntry.objects.filter(number=12).aexists())
        step = await Step.objects.aget()
        seen.append((step.progress_done, await ProfileEntry.objects.acount(), step.progress_total))
        assert step.state == "RUNNING"
        assert step.columns
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    on_bench(PUBLIC, test)
    done, recorded, total = seen[0]
    assert 12 <= done == recorded < 40
    assert total == 40


def test_rows_that_come_in_general_blocks_are_recorded_once() -> None:
    def prepare(bench: Bench) -> None:
        fill(bench.meter.meter, array(*rows(40)))
        in_general_blocks(bench.meter.meter, lambda: True)

    step, entries = read(prepare)
    assert (step.state, step.result["entries"]) == ("DONE", 40)
    assert [entry.time for entry in entries] == [START + timedelta(minutes=15 * n) for n in range(40)]


def test_clocks_that_the_meter_leaves_out_are_filled_in() -> None:
    def prepare(bench: Bench) -> None:
        compressed = [rows(1)[0], row(null(), double_long_unsigned(10)), row(null(), null())]
        fill(bench.meter.meter, array(*compressed), period=900)

    _, entries = read(prepare)
    assert [entry.time for entry in entries] == [START + timedelta(minutes=15 * n) for n in range(3)]
    assert [entry.values[1] for entry in entries] == [0, 1, 1]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"from_time": "2026-11-01T00:00", "to_time": "2026-11-02T00:00"}, 97),
        ({"from_entry": 3, "to_entry": 12}, 10),
        ({"from_entry": 3}, 18),
        ({}, 20),
    ],
)
def test_how_many_are_expected_is_known_before_the_first_block(step: dict, expected: int) -> None:
    totals: list[int | None] = []

    async def test(bench: Bench) -> None:
        meter = bench.meter.meter
        fill(meter, array(*rows(20)))
        meter.objects[BUFFER] = DataAccessResult.TEMPORARY_FAILURE
        done = await bench.run({**READ_ALL, **step})
        (ended,) = await steps_of(done)
        totals.append(ended.progress_total)
        assert (ended.state, ended.error["code"]) == ("FAILED", "temporary-failure")

    on_bench(PUBLIC, test)
    assert totals == [expected]


def test_a_meter_that_tells_nothing_about_its_profile_gives_its_rows_all_the_same() -> None:
    def prepare(bench: Bench) -> None:
        bench.meter.meter.objects[BUFFER] = array(structure(unsigned(1), unsigned(2)), structure(unsigned(3)))

    step, entries = read(prepare)
    assert step.state == "DONE"
    assert [entry.values for entry in entries] == [[1, 2], [3]]
    assert [column["title"] for column in step.columns] == ["Column 1", "Column 2"]
    assert [entry.time for entry in entries] == [None, None]


def test_an_empty_buffer_is_done_with_its_columns() -> None:
    step, entries = read(lambda bench: fill(bench.meter.meter, array()))
    assert (step.state, step.progress_done, step.progress_total, entries) == ("DONE", 0, 0, [])
    assert len(step.columns) == 2


@pytest.mark.parametrize("buffer", [unsigned(5), structure(unsigned(1)), array(unsigned(1))])
@pytest.mark.parametrize("block", [None, 2])
def test_a_buffer_that_is_no_table_fails_with_words(buffer, block) -> None:
    def prepare(bench: Bench) -> None:
        bench.meter.meter.reply_block = block
        fill(bench.meter.meter)
        bench.meter.meter.objects[BUFFER] = buffer

    step, entries = read(prepare)
    assert (step.state, step.error["layer"]) == ("FAILED", "encoding")
    assert entries == []


def test_columns_have_the_titles_and_limits_of_the_types_catalog() -> None:
    meter_type = MeterType.objects.create(manufacturer="Maker", model="M1")
    code = ObisCode.parse("1-0:1.8.0*255")
    limited = ObjectFacts(class_id=3, logical_name=code, title="Import", unit=30, high=Decimal("1.5"))
    put_objects(user="x", meter_type=meter_type, objects=[limited], origin="x")

    def prepare(bench: Bench) -> None:
        fill(bench.meter.meter, array(*rows(3)))

    step, entries = read(prepare)
    assert step.title.startswith("Load profile")
    assert (step.columns[1]["title"], step.columns[1]["high"], "low" in step.columns[1]) == ("Import", "1.5", False)
    assert len(entries) == 3
