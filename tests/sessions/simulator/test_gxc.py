"""Meters made from device files: their object lists, read back by our client, are those of the files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from meters.cosem.profile import decode_capture_objects
from meters.gxc import DeviceFile, read_gxc
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.gxc import READ_ONLY, gxc_lab, gxc_meter
from sessions.simulator.lab import LabError
from tests.meters.test_gxc import FILES, PROFILE, REGISTER, made
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import HandClock

NOON = datetime(2026, 11, 25, 11, 0, tzinfo=UTC)
PUBLISHED = sorted(FILES.glob("*.gxc")) if FILES.is_dir() else []
NAMES = [path.stem for path in PUBLISHED]


def pair_of(device: DeviceFile) -> Pair:
    pair = Pair(gxc_meter(device, "10000001", HandClock()))
    pair.open()
    return pair


def device_of(path: Path) -> DeviceFile:
    (device,) = read_gxc(path.read_bytes())
    return device


def listed_by_file(device: DeviceFile) -> list[Any]:
    """class, version, name, access of attributes and methods; of short names, base name instead of rights."""
    if not device.logical_names:
        return sorted((each.short_name, each.class_id, each.version, each.logical_name) for each in device.objects)
    return sorted(
        (
            each.class_id,
            each.version,
            each.logical_name,
            sorted((number, attribute.access & 3) for number, attribute in each.attributes.items()),
            sorted((number, min(1, access)) for number, access in each.methods.items()),
        )
        for each in device.objects
    )


def listed_by_meter(pair: Pair, device: DeviceFile) -> list[Any]:
    if not device.logical_names:
        rows = pair.get(12, "0-0:40.0.0*255", 2)
        return sorted(
            (base.value % 0x10000, class_id.value, version.value, ObisCode.from_octets(name.value))
            for base, class_id, version, name in rows
        )
    return sorted(
        (
            class_id.value,
            version.value,
            ObisCode.from_octets(name.value),
            sorted((attribute[0].value, attribute[1].value) for attribute in rights[0]),
            sorted((method[0].value, int(method[1].value)) for method in rights[1]),
        )
        for class_id, version, name, rights in pair.get(15, "0-0:40.0.0*255", 2)
    )


@pytest.mark.parametrize("path", PUBLISHED, ids=NAMES)
def test_the_object_list_is_the_files(path):
    device = device_of(path)
    of_file, of_meter = listed_by_file(device), listed_by_meter(pair_of(device), device)
    if device.logical_names:
        # What a file lists without attributes has those of its class, to be read. One file lists some objects twice.
        bare = {row[:3] for row in of_file if not row[3]}
        assert all({mode for _, mode in row[3]} == {READ_ONLY} for row in of_meter if row[:3] in bare)
        of_file = sorted({row[:3]: row if row[3] else row[:3] for row in of_file}.values())
        of_meter = [row[:3] if row[:3] in bare else row for row in of_meter]
    assert of_meter == of_file


@pytest.mark.parametrize("path", PUBLISHED, ids=NAMES)
def test_every_readable_attribute_answers(path):
    device = device_of(path)
    pair = pair_of(device)
    for each in device.objects:
        for number, attribute in each.attributes.items():
            if attribute.readable and each.class_id != 7:
                assert isinstance(pair.get(each.class_id, str(each.logical_name), number), Data), (each, number)


@pytest.mark.parametrize("path", PUBLISHED, ids=NAMES)
def test_profiles_have_the_files_columns(path):
    device = device_of(path)
    pair = pair_of(device)
    for each in device.objects:
        readable = not each.attributes or (3 in each.attributes and each.attributes[3].readable)
        if each.class_id == 7 and each.capture_objects and readable:
            columns = decode_capture_objects(pair.get(7, str(each.logical_name), 3))
            assert [str(column) for column in columns] == [str(column) for column in each.capture_objects]


def test_without_the_files_there_is_still_a_meter():
    (device,) = read_gxc(made("<Authentication>Low</Authentication>", objects=REGISTER))
    pair = pair_of(device)
    assert pair.get(3, "1-0:1.8.0*255", 2).value > 0
    assert listed_by_meter(pair, device) == listed_by_file(device)


@pytest.mark.parametrize(
    ("said", "exponent"), [("", 0), ("0.01", -2), ("10", 1), ("3", 0), ("NaN", 0), ("Infinity", 0), ("1E9999999", 0)]
)
def test_a_scaler_that_is_no_power_of_ten_is_one(said, exponent):
    (device,) = read_gxc(made(objects=REGISTER.replace("<Version>", f"<Scaler>{said}</Scaler><Version>")))
    assert pair_of(device).get(3, "1-0:1.8.0*255", 3)[0].value == exponent


def test_a_profile_of_known_columns_has_rows():
    clock = '<GXDLMSObject xsi:type="GXDLMSClock"><LogicalName>0.0.1.0.0.255</LogicalName></GXDLMSObject>'
    column = (
        "<GXKeyValuePair><Key xsi:type='GXDLMS{}'><LogicalName>{}</LogicalName></Key><Value>{}</Value></GXKeyValuePair>"
    )
    two = "<AttributeIndex>2</AttributeIndex>"
    columns = column.format("Clock", "0.0.1.0.0.255", two) + column.format("Register", "1.0.1.8.0.255", two)
    head, _ = PROFILE.split("<CaptureObjects>")
    profile = f"{head}<CaptureObjects>{columns}</CaptureObjects></GXDLMSObject>"
    (device,) = read_gxc(made(objects=clock + REGISTER + profile))
    rows = pair_of(device).get(7, "1-0:99.1.0*255", 2, EntryDescriptor(1, 3).to_selective_access())
    assert len(rows) == 3
    assert rows[0][1].value <= rows[2][1].value


def test_a_lab_of_a_file(tmp_path):
    path = tmp_path / "meter.gxc"
    path.write_bytes(made("<InterfaceType>1</InterfaceType>", objects=REGISTER))
    (line,) = gxc_lab(path, HandClock()).lines
    assert (line.kind, line.meters[0].serial_number) == ("wrapper", "10000001")


@pytest.mark.parametrize(
    ("octets", "words"),
    [(b"no xml", "is not XML"), (made("<InterfaceType>7</InterfaceType>"), "LPWAN cannot be simulated")],
)
def test_what_is_no_lab(tmp_path, octets, words):
    path = tmp_path / "meter.gxc"
    path.write_bytes(octets)
    with pytest.raises(LabError, match=words):
        gxc_lab(path, HandClock())
    with pytest.raises(LabError, match="cannot be read"):
        gxc_lab(tmp_path / "missing.gxc", HandClock())
