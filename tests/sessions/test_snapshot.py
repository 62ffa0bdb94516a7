"""Taking a snapshot: everything that may be read, refusals as refusals, no secret, and a part that can be finished."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from meters.cosem.data import double_long_unsigned, enum
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError
from sessions.links.endpoint import parse_endpoint
from sessions.reading import prepare_conversation
from sessions.simulator.lab import LABS, LabMeter, load_lab
from sessions.simulator.listeners import RunningLab
from sessions.simulator.meter import Meter
from sessions.simulator.objects.base import Denied, constant
from sessions.snapshot import SnapshotTaker, without_secrets
from sessions.snapshot_file import Snapshot, SnapshotObject, save_snapshot
from tests.sessions.simulator.served import GAK, GMAC, GUEK, LLS, NOON, HandClock, lab_meter
from tests.sessions.simulator.test_snapshot import lab_for

PROFILE = ObisCode.parse("1-0:99.1.0*255")
REGISTER = ObisCode.parse("1-0:1.8.0*255")


def begun(meter: LabMeter) -> Snapshot:
    return Snapshot(NOON, "tcp://127.0.0.1:1", without_secrets(meter.association), {})


def take(meter: LabMeter, tmp_path, snapshot: Snapshot | None = None, **options: Any) -> Snapshot:
    """A snapshot of the meter, or what a part becomes."""
    made = snapshot or begun(meter)

    async def over_the_wire() -> None:
        async with RunningLab(lab_for(meter), tmp_path) as running:
            association = parse_association(running.announcements[0]["association"] | options.pop("association", {}))
            conversation = await prepare_conversation(parse_endpoint(running.announcements[0]["endpoint"]), association)
            try:
                negotiated = await conversation.open()
                taker = SnapshotTaker(made, **{"rows": 5, "now": HandClock(), **options})
                await taker.take(conversation, association, negotiated)
            finally:
                await conversation.close()

    asyncio.run(over_the_wire())
    return made


def found(snapshot: Snapshot, class_id: int, name: ObisCode | str) -> SnapshotObject:
    wanted = (class_id, ObisCode.parse(name) if isinstance(name, str) else name)
    return next(each for each in snapshot.objects if (each.class_id, each.logical_name) == wanted)


def device_of(meter: LabMeter) -> Meter:
    assert isinstance(meter.device, Meter)
    return meter.device


def spoil(meter: LabMeter, monkeypatch, change: Callable[[Any], None]) -> None:
    """`change` is called with every descriptor that is asked for, and may raise."""
    device = device_of(meter)
    get = device.get

    def spoilt(caller, descriptor, selection):
        change(descriptor)
        return get(caller, descriptor, selection)

    monkeypatch.setattr(device, "get", spoilt)


def test_everything_is_read_once_and_told(tmp_path):
    told: list[tuple[int, int]] = []
    snapshot = take(lab_meter(), tmp_path, progress=lambda done, of: told.append((done, of)))
    assert snapshot.finished
    assert all(each.known for one in snapshot.objects for each in one.attributes.values())
    assert told[-1][0] == told[-1][1] == sum(len(each.attributes) for each in snapshot.objects)
    assert told == sorted(told)
    assert found(snapshot, 8, "0-0:1.0.0*255").attributes[2].at == NOON


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["lls", "ciphered"])
def test_no_secret_is_asked_for_or_kept(association, tmp_path, monkeypatch):
    meter = lab_meter(association)
    asked: list[Any] = []
    spoil(meter, monkeypatch, asked.append)
    snapshot = take(meter, tmp_path)
    assert snapshot.secrets == ["15/0-0:40.0.0*255/7"]
    assert not [each for each in asked if (each.class_id, each.attribute_id) == (15, 7)]
    save_snapshot(snapshot, tmp_path / "snapshot.json")
    text = (tmp_path / "snapshot.json").read_text("utf-8").upper()
    for secret in ("12345678", b"12345678".hex(), GUEK, GAK):
        assert secret.upper() not in text


def test_only_keys_that_are_no_secrets_are_kept():
    kept = without_secrets({**GMAC, "secret": "text:x", "kek": "00", "dedicated_key": "00" * 16, "unheard-of": "x"})
    assert set(kept) == {"client_sap", "authentication", "protection", "client_system_title", "dedicated_key"}
    assert kept["dedicated_key"] == "fresh"


def test_single_refusals_are_kept_as_such(tmp_path, monkeypatch):
    meter = lab_meter()

    def refuse(descriptor):
        if (descriptor.instance_id, descriptor.attribute_id) == (REGISTER, 2):
            raise Denied(DataAccessResult.HARDWARE_FAULT)

    spoil(meter, monkeypatch, refuse)
    snapshot = take(meter, tmp_path)
    register = found(snapshot, 3, REGISTER)
    assert (register.attributes[2].refused, register.attributes[2].value) == ("hardware-fault", None)
    assert register.attributes[3].value is not None
    assert snapshot.finished


def test_what_fails_as_a_whole_fails_alone(tmp_path):
    """Without blocks, what is too long for one answer is an error of its request: the others go on."""
    meter = lab_meter()
    device_of(meter).conformance &= ~(
        Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.GENERAL_BLOCK_TRANSFER | Conformance.ACCESS
    )
    snapshot = take(meter, tmp_path, rows=None, association={"max_pdu_size": 4000})
    assert snapshot.finished
    assert found(snapshot, 7, PROFILE).attributes[2].refused not in ("", "success")
    assert found(snapshot, 7, PROFILE).attributes[3].value is not None


def test_a_part_is_finished_later(tmp_path, monkeypatch, capfd):
    whole = take(lab_meter(), tmp_path)
    meter = lab_meter()
    left = 60

    def break_off(descriptor):
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("the meter is gone")

    part = begun(meter)
    with monkeypatch.context() as patched:
        spoil(meter, patched, break_off)
        with pytest.raises(DlmsError):
            take(meter, tmp_path, part)
    assert "the meter is gone" in capfd.readouterr().err
    assert not part.finished
    known = sum(each.known for one in part.objects for each in one.attributes.values())
    assert 10 < known < sum(len(each.attributes) for each in part.objects)

    asked: list[Any] = []
    spoil(meter, monkeypatch, asked.append)
    again = take(meter, tmp_path, part)
    assert again.finished
    assert again.objects == whole.objects
    assert len(asked) < sum(len(each.attributes) for each in whole.objects) - 10


def test_errors_are_tried_again_and_refusals_are_not(tmp_path, monkeypatch):
    meter = lab_meter()
    snapshot = take(meter, tmp_path)
    register = found(snapshot, 3, REGISTER)
    register.attributes[2].value, register.attributes[2].refused = None, "no-reply"
    register.attributes[3].value, register.attributes[3].refused = None, "hardware-fault"
    again = found(take(meter, tmp_path, snapshot), 3, REGISTER)
    assert again.attributes[2].value is not None
    assert again.attributes[3].refused == "hardware-fault"


def test_another_meter_does_not_finish_it(tmp_path):
    snapshot = take(lab_meter(), tmp_path)
    other = lab_meter()
    del device_of(other).objects[3, REGISTER]
    with pytest.raises(DlmsError) as refused:
        take(other, tmp_path, snapshot)
    assert refused.value.code == "another-meter"


def test_without_an_object_list_there_is_none(tmp_path, monkeypatch):
    meter = lab_meter()

    def refuse(descriptor):
        raise Denied(DataAccessResult.READ_WRITE_DENIED)

    spoil(meter, monkeypatch, refuse)
    with pytest.raises(DlmsError) as refused:
        take(meter, tmp_path)
    assert refused.value.code == "no-object-list"


# -- profiles ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "expected"), [(1, 1), (5, 5), (100_000, 100)])
def test_the_last_rows_of_a_profile(rows, expected, tmp_path):
    meter = lab_meter()
    profile = device_of(meter).objects[7, PROFILE].target
    profile.profile_entries = 100  # type: ignore[attr-defined]  # a load profile
    recorded = found(take(meter, tmp_path, rows=rows), 7, PROFILE).attributes
    assert recorded[2].value is not None
    assert len(recorded[2].value) == expected
    assert recorded[7].value is not None
    assert recorded[2].first_entry == recorded[7].value.value - expected + 1


def test_all_rows(tmp_path):
    meter = lab_meter()
    device_of(meter).objects[7, PROFILE].target.profile_entries = 50  # type: ignore[attr-defined]  # a load profile
    recorded = found(take(meter, tmp_path, rows=None), 7, PROFILE).attributes[2]
    assert recorded.value is not None
    assert (len(recorded.value), recorded.first_entry) == (50, 1)


def test_a_profile_whose_newest_row_is_the_first(tmp_path):
    meter = lab_meter()
    target = device_of(meter).objects[7, PROFILE].target
    target.attributes[5] = constant(enum(2))
    recorded = found(take(meter, tmp_path, rows=3), 7, PROFILE).attributes[2]
    assert recorded.value is not None
    assert (len(recorded.value), recorded.first_entry) == (3, 1)


def test_a_profile_that_cannot_be_asked_for_a_part_is_read_whole(tmp_path):
    meter = lab_meter()
    device = device_of(meter)
    target = device.objects[7, PROFILE].target
    target.profile_entries = 40  # type: ignore[attr-defined]  # a load profile
    device.conformance &= ~Conformance.SELECTIVE_ACCESS
    recorded = found(take(meter, tmp_path, rows=3), 7, PROFILE).attributes[2]
    assert recorded.value is not None
    assert (len(recorded.value), recorded.first_entry) == (40, 1)
    device.conformance |= Conformance.SELECTIVE_ACCESS
    target.attributes[2].read_selected = None
    target.attributes[7] = constant(double_long_unsigned(40))
    recorded = found(take(meter, tmp_path, rows=3), 7, PROFILE).attributes[2]
    assert recorded.value is not None
    assert (len(recorded.value), recorded.first_entry) == (40, 1)


def test_by_short_names(tmp_path):
    lab = load_lab(LABS / "short_names.toml", HandClock())
    meter = next(meter for line in lab.lines for meter in line.meters)
    snapshot = take(meter, tmp_path)
    assert snapshot.finished
    assert all(each.base_name is not None for each in snapshot.objects)
    own = found(snapshot, 12, "0-0:40.0.0*255")
    assert own.attributes[2].is_list
    assert own.attributes[3].is_list
    registers = [each for each in snapshot.objects if each.class_id == 3]
    assert registers
    assert all(each.attributes[2].value is not None for each in registers)
