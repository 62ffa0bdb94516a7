"""All devices of the uploaded files: planned, refused, and with proposals for their serial numbers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.catalogs.facts import faults
from meters.gxc_import import preview as module
from meters.gxc_import.uploads import UploadedFile
from tests.meters.gxc_import.builders import CIPHERED, COM8, PUBLIC, device_file, previewed
from tests.meters.test_gxc import PROFILE, REGISTER


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


WHOLE = (
    CIPHERED
    + COM8
    + "<Password>x</Password><WaitTime>5</WaitTime><MaxInfoTX>128</MaxInfoTX><WindowSizeRX>1</WindowSizeRX>"
    "<UserId>1</UserId><PduSize>1024</PduSize><ServerAddressSize>4</ServerAddressSize><HDLCAddressing>1</HDLCAddressing>"
    "<FrameCounter>0.0.43.1.0.255</FrameCounter><PhysicalAddress>17</PhysicalAddress><LogicalAddress>1</LogicalAddress>"
)
OBJECTS = REGISTER.replace("<Version>", "<Scaler>0.1</Scaler><Unit>30</Unit><Version>") + PROFILE
TEXTS = re.compile(r"(?<=>)[^<>]+(?=</)")
VALUES = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(
        ["", "0", "-1", "true", "None", "NaN", "1E9999999", "Suite2", "HighECDSA", "0.0.1.0.0.255", "9" * 5000]
    ),
    st.text(st.characters(exclude_characters="<>&", min_codepoint=32, max_codepoint=0x2FFF), max_size=300),
    st.binary(max_size=40).map(bytes.hex),
)


def whole_file(data: st.DataObject) -> UploadedFile:
    """A file in which some texts are others."""
    text = device_file(WHOLE, objects=OBJECTS).octets.decode()
    spots = list(TEXTS.finditer(text))
    for spot in sorted(data.draw(st.sets(st.sampled_from(range(len(spots))), max_size=4)), reverse=True):
        text = text[: spots[spot].start()] + data.draw(VALUES) + text[spots[spot].end() :]
    return UploadedFile("any.gxc", text.encode())


@settings(max_examples=200)
@given(st.data())
def test_whatever_a_file_says_it_is_planned_or_refused(data: st.DataObject) -> None:
    preview = previewed(whole_file(data))
    assert len(preview.devices) + len(preview.refusals) == 1
    for plan in preview.devices:
        assert plan.facts
        assert not any(faults(each) for each in plan.objects)
        assert {len(key) for key in plan.secrets.values()} <= {16, 32}


@settings(max_examples=100)
@given(st.data())
def test_whatever_octets_are_changed_the_file_is_planned_or_refused(data: st.DataObject) -> None:
    octets = bytearray(device_file(WHOLE, objects=OBJECTS).octets)
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    preview = previewed(UploadedFile("any.gxc", bytes(octets)))
    assert len(preview.devices) + len(preview.refusals) == 1


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_elements_in_elements_without_end_are_borne(depth: int) -> None:
    nested = b"<a>" * depth + b"</a>" * depth
    assert "no device file" in previewed(UploadedFile("deep.gxc", nested)).refusals[0].why
    inside = device_file(f"{PUBLIC}{'<Novelty>' * depth}{'</Novelty>' * depth}")
    assert len(previewed(inside).devices) == 1
