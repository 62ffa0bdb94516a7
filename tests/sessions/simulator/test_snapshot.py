"""A snapshot of a meter, served again, is the same meter: a second snapshot of it says the same.

Apart from the clock, which goes on from what it said by the host's time, and from the invocation counter, which counts its own
associations. The hand clock of these tests stands still, so that the clock is the same to the octet, too.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from meters.cosem.data import Data, array, as_date_time, date_time, double_long_unsigned, enum, integer, long_unsigned
from meters.cosem.obis import ObisCode
from meters.gxc import read_gxc
from sessions.association_file import COUNTER_OBJECT, parse_association
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.errors import DlmsError
from sessions.dlms.security_setup import KeyId, key_transfer, security_activate
from sessions.dlms.selective_access import (
    EntryDescriptor,
    ObjectListSelection,
    ObjectListSelector,
    RangeDescriptor,
)
from sessions.links.endpoint import parse_endpoint
from sessions.reading import prepare_conversation
from sessions.simulator.gxc import gxc_meter
from sessions.simulator.lab import LABS, Lab, LabError, LabLine, LabMeter, load_lab
from sessions.simulator.listeners import RunningLab
from sessions.simulator.meter_type import METER_TYPES
from sessions.simulator.snapshot import snapshot_lab, snapshot_meter
from sessions.snapshot import SnapshotTaker, without_secrets
from sessions.snapshot_file import Snapshot, load_snapshot, parse_snapshot, save_snapshot
from tests.meters.test_gxc import FILES
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, NOON, PUBLIC, HandClock, lab_meter

ROWS = 20
PUBLISHED = sorted(FILES.glob("*.gxc")) if FILES.is_dir() else []
PROFILE, RELAY, SCRIPTS, CLOCK = "1-0:99.1.0*255", "0-0:96.3.10*255", "0-0:10.0.106*255", "0-0:1.0.0*255"


async def taken(announced: dict[str, Any], clock: HandClock, *, rows: int | None = ROWS) -> Snapshot:
    """A snapshot over the wire, by the announced association."""
    table = announced["association"]
    association = parse_association(table)
    snapshot = Snapshot(
        taken=clock(), endpoint=announced["endpoint"], association=without_secrets(table), negotiated={}
    )
    conversation = await prepare_conversation(parse_endpoint(announced["endpoint"]), association)
    try:
        negotiated = await conversation.open()
        await SnapshotTaker(snapshot, rows=rows, now=clock).take(conversation, association, negotiated)
        await conversation.release()
    finally:
        await conversation.close()
    return snapshot


def lab_for(meter: LabMeter) -> Lab:
    wrapped = meter.association["framing"] == "wrapper"
    return Lab(lines=(LabLine(kind="wrapper" if wrapped else "hdlc", meters=(meter,)),))


def snapshot_of(meter: LabMeter, tmp_path: Path, clock: HandClock, **options: Any) -> Snapshot:
    """A snapshot of one meter, through a file and back."""

    async def over_the_wire() -> Snapshot:
        async with RunningLab(lab_for(meter), tmp_path) as running:
            return await taken(running.announcements[0], clock, **options)

    path = tmp_path / "snapshot.json"
    save_snapshot(asyncio.run(over_the_wire()), path)
    return load_snapshot(path)


def objects_of(snapshot: Snapshot) -> list[Any]:
    """All that it says of its objects, but for the invocation counter."""
    for each in snapshot.objects:
        if each.logical_name == COUNTER_OBJECT:
            each.attributes[2].value = None
    return [*snapshot.objects, snapshot.object_list, snapshot.access_rights]


BY_CHANCE = "60000007"
"""A meter that loses the thread now and then: its association breaks, and it is not the same twice."""


def meters_of_labs() -> list[Any]:
    labs = [(path.stem, load_lab(path, HandClock())) for path in sorted(LABS.glob("*.toml"))]
    return [
        pytest.param(meter, id=f"{stem}-{meter.serial_number}")
        for stem, lab in labs
        for line in lab.lines
        for meter in line.meters
        if line.sign_on is None and line.kind in ("wrapper", "hdlc") and meter.serial_number != BY_CHANCE
    ]


@pytest.mark.parametrize("meter", meters_of_labs())
def test_a_meter_that_is_served_again_is_the_same(meter, tmp_path):
    clock = HandClock()
    first = snapshot_of(meter, tmp_path, clock)
    again = snapshot_of(snapshot_meter(first, "10000001", clock, meter.association), tmp_path, clock)
    assert first.finished
    assert again.finished
    assert again.secrets == first.secrets
    assert objects_of(again) == objects_of(first)


@pytest.mark.parametrize("name", sorted(path.stem for path in METER_TYPES.glob("*.toml")))
def test_so_is_one_of_every_type(name, tmp_path):
    clock = HandClock()
    meter = lab_meter(type=name, clock=clock)
    first = snapshot_of(meter, tmp_path, clock)
    again = snapshot_of(snapshot_meter(first, "10000001", clock, meter.association), tmp_path, clock)
    assert objects_of(again) == objects_of(first)


@pytest.mark.parametrize("path", PUBLISHED, ids=[path.stem for path in PUBLISHED])
def test_so_is_one_with_the_object_model_of_a_real_meter(path, tmp_path):
    """By logical names and by short ones, with the rights, versions and makers' attributes of the field."""
    clock = HandClock()
    (device,) = read_gxc(path.read_bytes())
    meter = gxc_meter(device, "10000001", clock)
    if device.protection != "none":  # not every file has the counter that the public client reads
        meter = replace(meter, association={**meter.association, "invocation_counter": 1})
    first = snapshot_of(meter, tmp_path, clock)
    again = snapshot_of(snapshot_meter(first, "10000001", clock, meter.association), tmp_path, clock)
    assert objects_of(again) == objects_of(first)


@pytest.mark.parametrize("association", [LLS, GMAC, PUBLIC], ids=["lls", "ciphered", "public"])
@pytest.mark.parametrize("place", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
def test_a_meter_is_served_by_its_file_alone(association, place, tmp_path):
    """With the lab's secrets, on the framing and the address that stand in the file."""
    clock = HandClock()
    first = snapshot_of(lab_meter(association, **place), tmp_path, clock)
    (line,) = snapshot_lab(tmp_path / "snapshot.json", clock).lines
    (meter,) = line.meters
    assert line.kind == ("hdlc" if place else "wrapper")
    assert meter.physical_address == place.get("physical_address")
    assert objects_of(snapshot_of(meter, tmp_path, clock)) == objects_of(first)


def test_the_clock_goes_on(tmp_path):
    clock = HandClock()
    first = snapshot_of(lab_meter(), tmp_path, clock)
    clock.advance(days=400, seconds=90)
    again = snapshot_of(snapshot_meter(first, "10000001", clock, first.association), tmp_path, clock)
    said, later = (
        next(each for each in one.objects if each.class_id == 8).attributes[2].value for one in (first, again)
    )
    assert said is not None
    assert later is not None
    before, after = as_date_time(said), as_date_time(later)
    assert before is not None
    assert after is not None
    assert after.to_datetime() - before.to_datetime() == timedelta(days=400, seconds=90)
    for one in (first, again):
        recorded = next(each for each in one.objects if each.class_id == 8).attributes[2]
        recorded.value, recorded.at = None, None
    assert objects_of(again) == objects_of(first)


# -- what the meter does then ------------------------------------------------------------------------------------------


@pytest.fixture
def pair(tmp_path) -> Pair:
    clock = HandClock()
    snapshot = snapshot_of(lab_meter(), tmp_path, clock)
    made = Pair(snapshot_meter(snapshot, "10000001", clock, snapshot.association))
    made.open()
    return made


def test_profiles_answer_by_entry_and_by_range(pair):
    """Entries keep the numbers that they had in the real meter."""
    rows = pair.get(7, PROFILE, 2).elements
    assert len(rows) == ROWS
    count = pair.get(7, PROFILE, 7).value
    assert count > ROWS
    entries = pair.get(7, PROFILE, 2, EntryDescriptor(count - 2, 0).to_selective_access())
    assert entries.elements == rows[-3:]
    assert len(pair.get(7, PROFILE, 2, EntryDescriptor(1, 5).to_selective_access())) == 0
    two = pair.get(7, PROFILE, 2, EntryDescriptor(count, count, 1, 2).to_selective_access())
    assert two[0].elements == rows[-1].elements[:2]
    columns = pair.get(7, PROFILE, 3)
    from_value, to_value = rows[4][0], rows[6][0]
    clock, energy = (_column(column) for column in list(columns)[:2])
    ranged = RangeDescriptor(clock, from_value, to_value)
    assert pair.get(7, PROFILE, 2, ranged.to_selective_access()).elements == rows[4:7]
    chosen = RangeDescriptor(clock, from_value, to_value, (energy,))
    assert [row[0] for row in pair.get(7, PROFILE, 2, chosen.to_selective_access())] == [row[1] for row in rows[4:7]]
    unknown = RangeDescriptor(_column(columns[0], name="0-0:2.0.0*255"), from_value, to_value)
    refused = pair.get(7, PROFILE, 2, unknown.to_selective_access())
    assert refused is DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    wrong = RangeDescriptor(clock, array(), array())
    assert pair.get(7, PROFILE, 2, wrong.to_selective_access()) is DataAccessResult.TYPE_UNMATCHED


def _column(data: Data, *, name: str = "") -> Any:
    from meters.cosem.profile import CaptureObject

    column = CaptureObject.from_data(data)
    return CaptureObject(8, ObisCode.parse(name), 2) if name else column


def test_writes_are_kept_where_the_rights_allow(pair):
    name = "0-0:96.1.10*255"
    before = pair.get(1, name, 2)
    assert pair.set(1, name, 2, Data(before.type, b"elsewhere")) is DataAccessResult.SUCCESS
    assert pair.get(1, name, 2).value == b"elsewhere"
    assert pair.set(1, name, 2, enum(1)) is DataAccessResult.TYPE_UNMATCHED
    assert pair.set(3, "1-0:1.8.0*255", 2, double_long_unsigned(1)) is DataAccessResult.READ_WRITE_DENIED


def test_methods_whose_effect_is_known_work(pair):
    assert pair.action(70, RELAY, 1, integer(0))[0] is ActionResult.SUCCESS
    assert (pair.get(70, RELAY, 2).value, pair.get(70, RELAY, 3).value) == (False, 0)
    assert pair.action(9, SCRIPTS, 1, long_unsigned(2))[0] is ActionResult.SUCCESS
    assert pair.get(70, RELAY, 2).value is True
    assert pair.action(9, SCRIPTS, 1, long_unsigned(99))[0] is ActionResult.OTHER_REASON
    assert pair.set(8, CLOCK, 2, date_time(NOON + timedelta(hours=1))) is DataAccessResult.SUCCESS
    assert as_date_time(pair.get(8, CLOCK, 2)).to_datetime() == NOON + timedelta(hours=1)


def test_the_object_list_is_selected_from(pair):
    by_class = ObjectListSelection(ObjectListSelector.CLASS_LIST, class_ids=(70,))
    (row,) = pair.get(15, "0-0:40.0.0*255", 2, by_class.to_selective_access())
    assert (row[0].value, row[2].value) == (70, ObisCode.parse(RELAY).octets)
    without = ObjectListSelection(ObjectListSelector.ALL).to_selective_access()
    assert {len(row) for row in pair.get(15, "0-0:40.0.0*255", 2, without)} == {3}


def test_the_public_client_reads_the_counter_and_nothing_else(tmp_path):
    clock = HandClock()
    snapshot = snapshot_of(lab_meter(GMAC), tmp_path, clock)
    made = snapshot_meter(snapshot, "10000001", clock, lab_meter(GMAC).association)
    public = Pair(made, **{name: None for name in made.association if name not in ("framing", "server_sap")})
    public.open()
    assert public.get(1, str(COUNTER_OBJECT), 2).value == 0
    assert public.get(3, "1-0:1.8.0*255", 2) is DataAccessResult.READ_WRITE_DENIED


def test_what_the_meter_refused_it_refuses_again(tmp_path):
    clock = HandClock()
    snapshot = snapshot_of(lab_meter(), tmp_path, clock)
    register = next(each for each in snapshot.objects if str(each.logical_name) == "1-0:1.8.0*255")
    register.attributes[2].value, register.attributes[2].refused = None, "temporary-failure"
    register.attributes[3].value, register.attributes[3].refused = None, "no-reply"  # an error, no result
    made = Pair(snapshot_meter(snapshot, "10000001", clock, snapshot.association))
    made.open()
    assert made.get(3, "1-0:1.8.0*255", 2) is DataAccessResult.TEMPORARY_FAILURE
    assert made.get(3, "1-0:1.8.0*255", 3) is DataAccessResult.OTHER_REASON


# -- files that cannot be served ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"objects": []}, "no object"),
        ({"association": {"framing": "wrapper", "client_sap": "x"}}, "client_sap"),
        ({"association": {"framing": "hdlc", "hdlc": []}}, "hdlc"),
        ({"association": {"framing": "hdlc", "hdlc": {"max_info": "x"}}}, "snapshot.json"),
        ({"association": {"framing": "wrapper", "key": "x"}}, "key"),
        ({"negotiated": {"conformance": [1]}}, "snapshot.json"),
        ({"negotiated": {"server_system_title": "xyz"}}, "snapshot.json"),
    ],
)
def test_a_file_that_describes_no_meter(change, words, tmp_path):
    clock = HandClock()
    snapshot_of(lab_meter(), tmp_path, clock)
    path = tmp_path / "snapshot.json"
    table = json.loads(path.read_text("utf-8")) | change
    path.write_text(json.dumps(table), "utf-8")
    parse_snapshot(path.read_bytes())  # the file itself is one
    with pytest.raises(LabError, match=words):
        snapshot_lab(path, clock)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(LabError, match="cannot be read"):
        snapshot_lab(tmp_path / "missing.json", HandClock())


# -- its security setup ------------------------------------------------------------------------------------------------

KEK, NEW_KEY = bytes(range(0x40, 0x50)), bytes(range(0x60, 0x70))
CIPHERED = {**GMAC, "kek": KEK.hex()}
SETUP = "0-0:43.0.0*255"


def ciphered_pair(tmp_path: Path, association: dict[str, Any], *, first: int = 1_000) -> tuple[LabMeter, Pair]:
    clock = HandClock()
    snapshot = snapshot_of(lab_meter(CIPHERED, clock=clock), tmp_path, clock)
    meter = snapshot_meter(snapshot, "10000001", clock, association)
    made = Pair(meter, counters=range(first, first + 10_000))
    made.open()
    return meter, made


def test_a_key_that_is_transferred_counts_from_then_on(tmp_path):
    """The answer goes out under the old key; afterwards only the new one opens an association."""
    meter, made = ciphered_pair(tmp_path, CIPHERED)
    call = key_transfer({KeyId.GUEK: NEW_KEY}, kek=KEK, suite=0)
    assert made.action(64, SETUP, call.descriptor.method_id, call.parameters) == (ActionResult.SUCCESS, None)
    with pytest.raises(DlmsError):
        Pair(meter, counters=range(20_000, 30_000)).open()
    Pair(meter, counters=range(1, 100), guek=NEW_KEY.hex()).open()


def test_without_a_master_key_a_transfer_is_refused_and_the_keys_stay(tmp_path):
    meter, made = ciphered_pair(tmp_path, GMAC)
    call = key_transfer({KeyId.GUEK: NEW_KEY}, kek=KEK, suite=0)
    assert made.action(64, SETUP, call.descriptor.method_id, call.parameters)[0] is ActionResult.OTHER_REASON
    Pair(meter, counters=range(20_000, 30_000)).open()


def test_the_policy_is_the_recorded_one_until_it_is_strengthened(tmp_path):
    _, made = ciphered_pair(tmp_path, CIPHERED)
    recorded = made.get(64, SETUP, 2)
    assert recorded.value == 3
    call = security_activate(0)
    assert made.action(64, SETUP, call.descriptor.method_id, call.parameters)[0] is ActionResult.OTHER_REASON
    assert made.get(64, SETUP, 2) == recorded
