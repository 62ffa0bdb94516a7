"""M-Bus frames in the inspector."""

import pytest

from sessions.dlms.errors import FrameError
from sessions.dlms.inspector import DissectionKeys, Dissector, Framing, dissect, split_frames
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.mbus import LongFrame, ShortFrame, encode_segments
from tests.vectors import of_kind

[VECTOR] = of_kind("mbus")
WIRE = bytes.fromhex(VECTOR["hex"])
KEYS = DissectionKeys(guek=bytes.fromhex(VECTOR["key"]))
NOTIFICATION = bytes.fromhex("0f0000000100020309060100010700ff06000012d602020f00161b")
LONG_HEADER = bytes.fromhex("576866322d2c3002e4000000")


def feed(*wires, keys=None):
    dissector = Dissector(keys)
    return [dissector.feed(wire) for wire in wires]


def test_an_encrypted_push_over_two_frames():
    first, second = Dissector(KEYS).feed_all(WIRE)
    assert (first.framing, first.error, second.error) == (Framing.MBUS, None, None)
    assert first.summary == "segment 1 of general-glo-ciphering…"
    assert (first.starts_apdu, second.starts_apdu) == (True, False)
    assert second.summary.endswith("deciphered (segment 2 of 2)")
    assert second.data is not None
    assert find_field(first.fields, "system-title").value == VECTOR["st"].lower()
    assert [find_field(first.fields, name).value for name in ("stsap", "dtsap")] == ["1", "103"]


def test_an_apdu_in_one_segment():
    [found] = feed(*encode_segments(NOTIFICATION, stsap=1, dtsap=16))
    assert found.summary.startswith("data notification")
    assert found.apdu_octets == NOTIFICATION
    assert find_field(found.fields, "notification-body").offset == 9 + 6


def test_three_segments_one_of_them_repeated():
    one, two, three = encode_segments(NOTIFICATION, stsap=1, dtsap=16, most=10)
    found = feed(one, two, two, three)
    assert found[2].summary.endswith("a repeated segment")
    assert found[3].apdu_octets == NOTIFICATION
    assert all(each.error is None for each in found)


def test_segments_without_their_beginning_are_refused():
    one, two, three = encode_segments(NOTIFICATION, stsap=1, dtsap=16, most=10)
    for wires in ([two], [one, three], [three]):
        last = feed(*wires)[-1]
        assert isinstance(last.error, FrameError)
        assert "without the ones before it" in last.error.message
    # A new beginning forgets the old one.
    assert feed(one, one, two, three)[-1].apdu_octets == NOTIFICATION


def test_a_wrapped_length_is_a_deviation():
    wire = LongFrame(0x53, 0xFF, 0x00, b"\x01\x67" + bytes(252), wrapped=True).encode()
    [found] = feed(wire)
    assert found.error is None
    assert found.deviations == ["the length field counts modulo 256: the body is longer"]


@pytest.mark.parametrize("saps", [b"", b"\x01\x10"])
@pytest.mark.parametrize(("ci", "header"), [(0x7C, LONG_HEADER), (0x7D, LONG_HEADER[8:])])
def test_an_apdu_behind_a_transport_header_with_addresses_or_without(ci, header, saps):
    [found] = feed(LongFrame(0x08, 0x01, ci, header + saps + NOTIFICATION).encode())
    assert found.error is None
    assert found.apdu_octets == NOTIFICATION
    assert (find_field(found.fields, "stsap") is not None) == bool(saps)
    if ci == 0x7C:
        assert find_field(found.fields, "manufacturer").value == "KAM"
        assert find_field(found.fields, "identification").value == "32666857"


@pytest.mark.parametrize(
    ("ci", "data", "note"),
    [
        (0x72, LONG_HEADER + b"\x04\x03\x01\x00\x00\x00", "M-Bus records, which are no DLMS: not opened"),
        (0x7C, LONG_HEADER[:-2] + b"\x00\x05" + NOTIFICATION, "encrypted by M-Bus security mode 5: not opened"),
    ],
)
def test_what_is_not_opened_is_noted(ci, data, note):
    [found] = feed(LongFrame(0x08, 0x01, ci, data).encode())
    assert (found.error, found.notes, found.apdu) == (None, [note], None)


def test_frames_without_data():
    [request, answer] = feed(ShortFrame(0x5B, 1).encode(), b"\xe5")
    assert (request.summary, answer.summary) == ("M-Bus REQ-UD2", "M-Bus acknowledgement")


@pytest.mark.parametrize(
    "wire",
    [
        WIRE[:100],
        WIRE[:255] + b"\x17",
        LongFrame(0x53, 0xFF, 0x00, b"\x01").encode(),
        LongFrame(0x53, 0xFF, 0x7C, b"\x01").encode(),
        LongFrame(0x53, 0xFF, 0x10, b"\x01\x02\xff").encode(),
    ],
)
def test_what_is_damaged_is_a_typed_error(wire):
    found = dissect(wire)
    assert found.framing is Framing.MBUS
    assert found.error is not None
    assert found.error.code != "inspector-fault"


def test_octets_that_hold_several_frames():
    assert split_frames(WIRE) == [WIRE[:256], WIRE[256:]]
    assert split_frames(WIRE + b"\xe5" + ShortFrame(0x5B, 1).encode()) == [
        WIRE[:256],
        WIRE[256:],
        b"\xe5",
        ShortFrame(0x5B, 1).encode(),
    ]
    assert split_frames(WIRE + b"rest") == [WIRE[:256], WIRE[256:], b"rest"]
