"""All devices of the uploaded files: planned, refused, and with proposals for their serial numbers."""

from __future__ import annotations

import pytest

from meters.gxc_import import preview as module
from meters.gxc_import.uploads import UploadedFile
from tests.meters.gxc_import.builders import CIPHERED, PUBLIC, device_file, previewed


def test_devices_and_refusals_of_several_files() -> None:
    preview = previewed(device_file(CIPHERED, "<ClientAddress>x</ClientAddress>"), UploadedFile("b.gxc", b"<a/>"))
    assert preview.files == ["acme.gxc", "b.gxc"]
    assert [plan.number for plan in preview.devices] == [1]
    assert [each.file for each in preview.refusals] == ["acme.gxc", "b.gxc"]
    assert "device 2: ClientAddress" in preview.refusals[0].why


def test_ways_into_one_meter_get_one_serial_number_and_others_do_not() -> None:
    preview = previewed(device_file(CIPHERED, PUBLIC), device_file(CIPHERED))
    assert preview.proposals() == ["acme"] * 3
    elsewhere = PUBLIC.replace("4059", "4060")
    assert previewed(device_file(PUBLIC), device_file(elsewhere)).proposals() == ["acme", "acme-2"]


def test_more_devices_than_are_imported_at_once_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEVICES", 2)
    preview = previewed(device_file(*[PUBLIC] * 3))
    assert len(preview.devices) == 2
    assert "2 devices are imported at once" in preview.refusals[0].why
