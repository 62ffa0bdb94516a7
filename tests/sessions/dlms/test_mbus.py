import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, FrameError, LocalProtocolError, UnknownTagError
from sessions.dlms.mbus import (
    LONG_HEADERS,
    SHORT_HEADERS,
    Acknowledgement,
    LongFrame,
    ShortFrame,
    TransportHeader,
    decode_mbus_frame,
    encode_segments,
    frame_size,
    looks_like_mbus,
    manufacturer_letters,
    read_mbus_frame,
    read_saps,
    read_transport_header,
)
from tests.vectors import of_kind

[VECTOR] = of_kind("mbus")
WIRE = bytes.fromhex(VECTOR["hex"])
FIRST, SECOND = WIRE[:256], WIRE[256:]
REQUEST = bytes.fromhex("105b01 5c16".replace(" ", ""))
FRAMES = {
    FIRST: LongFrame(0x53, 0xFF, 0x00, FIRST[7:-2]),
    SECOND: LongFrame(0x53, 0xFF, 0x11, SECOND[7:-2]),
    REQUEST: ShortFrame(0x5B, 0x01),
    b"\xe5": Acknowledgement(),
}


@pytest.mark.parametrize("wire", FRAMES)
def test_frames_both_ways(wire):
    assert decode_mbus_frame(wire) == FRAMES[wire]
    assert FRAMES[wire].encode() == wire
    assert looks_like_mbus(wire)
    assert frame_size(wire + b"\x00") == len(wire)


@pytest.mark.parametrize("wire", FRAMES)
def test_every_truncation_and_any_extra_octet_is_refused(wire):
    for bad in [*(wire[:cut] for cut in range(len(wire))), wire + b"\x00"]:
        with pytest.raises(DecodeError):
            decode_mbus_frame(bad)


def test_every_single_bit_matters():
    for bit in range(len(SECOND) * 8):
        altered = bytearray(SECOND)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode_mbus_frame(bytes(altered))


def test_segments_and_their_addresses():
    first, second = decode_mbus_frame(FIRST), decode_mbus_frame(SECOND)
    assert [(one.is_segment, one.sequence, one.final) for one in (first, second)] == [(True, 0, False), (True, 1, True)]
    assert read_saps(Reader(first.data)) == (0x01, 0x67)
    apdu = first.data[2:] + second.data[2:]
    assert encode_segments(apdu, stsap=0x01, dtsap=0x67) == [FIRST, SECOND]
    [single] = encode_segments(b"\x0f", stsap=1, dtsap=2)
    assert decode_mbus_frame(single) == LongFrame(0x53, 0xFF, 0x10, b"\x01\x02\x0f")


def test_a_length_that_wraps_is_read_by_checksum_and_stop():
    frame = LongFrame(0x53, 0xFF, 0x00, bytes(range(254)), wrapped=True)
    wire = frame.encode()
    assert wire[:4] == bytes.fromhex("68010168")
    assert decode_mbus_frame(wire) == frame
    assert frame_size(wire + SECOND) == len(wire)


def test_what_does_not_fit_is_not_sent():
    with pytest.raises(LocalProtocolError):
        LongFrame(0x53, 0xFF, 0x00, bytes(254)).encode()
    with pytest.raises(LocalProtocolError):
        encode_segments(bytes(17 * 0xF5), stsap=1, dtsap=2)


@pytest.mark.parametrize(
    ("wire", "field", "offset"),
    [
        (b"\x7e\x00", "start", 0),
        (bytes.fromhex("68030468"), "length-repeated", 2),
        (bytes.fromhex("680303 69".replace(" ", "")), "start-repeated", 3),
        (bytes.fromhex("68020268530100"), "length", 1),
        (SECOND[:-2] + b"\x00\x16", "checksum", 42),
        (SECOND[:-1] + b"\x17", "stop", 43),
        (bytes.fromhex("105b015d16"), "checksum", 3),
    ],
)
def test_what_is_wrong_is_named_with_its_place(wire, field, offset):
    with pytest.raises(DecodeError) as refused:
        decode_mbus_frame(wire)
    assert (refused.value.field, refused.value.offset) == (field, offset)


def test_a_bad_checksum_is_a_frame_error_and_stays_visible():
    tracer = Tracer()
    with pytest.raises(FrameError):
        read_mbus_frame(Reader(SECOND[:-2] + b"\x00\x16", tracer=tracer))
    assert "bad" in tracer.root.children[-1].value


def test_spans():
    tracer = Tracer()
    read_mbus_frame(Reader(SECOND, tracer=tracer))
    assert [(one.name, one.offset, one.length) for one in tracer.root.children] == [
        ("start", 0, 1),
        ("length", 1, 1),
        ("length-repeated", 2, 1),
        ("start-repeated", 3, 1),
        ("control", 4, 1),
        ("address", 5, 1),
        ("control-information", 6, 1),
        ("data", 7, 35),
        ("checksum", 42, 1),
        ("stop", 43, 1),
    ]
    assert tracer.root.children[6].value == "11 (segment 1, the last)"


def test_transport_headers():
    long = bytes.fromhex("57686632 2d2c 30 02 e4 00 0005".replace(" ", ""))
    assert read_transport_header(Reader(long), 0x7C) == TransportHeader(
        0xE4, 0x00, 0x0500, "32666857", "KAM", 0x30, 0x02
    )
    short = read_transport_header(Reader(b"\x01\x02\x00\x00"), 0x7D)
    assert (short.access_number, short.status, short.security_mode, short.manufacturer) == (1, 2, 0, "")
    assert read_transport_header(Reader(long), 0x72).security_mode == 5
    with pytest.raises(UnknownTagError):
        read_transport_header(Reader(long), 0x78)
    for ci in LONG_HEADERS | SHORT_HEADERS:
        with pytest.raises(DecodeError):
            read_transport_header(Reader(b"\x01\x02\x03"), ci)


def test_letters_of_a_manufacturer():
    assert manufacturer_letters(0x2C2D) == "KAM"
    assert manufacturer_letters((12 << 10) | (21 << 5) | 7) == "LUG"


@pytest.mark.parametrize(
    "octets", [b"", b"\x68", b"\x68\x01\x02\x68", b"\x10\x01\x02\x03\x17", b"\xe5\xe5", b"\x7e\xa0"]
)
def test_what_is_no_frame_does_not_look_like_one(octets):
    assert not looks_like_mbus(octets)


@pytest.mark.parametrize("octets", [b"", b"\x68", FIRST[:-1], SECOND[:-1], b"\x00", b"\x10\x01"])
def test_what_is_not_whole_has_no_size(octets):
    assert frame_size(octets) == 0


def test_summaries():
    assert decode_mbus_frame(SECOND).summary() == "M-Bus SND-UD, segment 1, the last, 35 octets"
    assert ShortFrame(0x5B, 1).summary() == "M-Bus REQ-UD2"
    assert ShortFrame(0x01, 1).summary() == "M-Bus control 01"
    assert Acknowledgement().summary() == "M-Bus acknowledgement"


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.binary(max_size=0xFC))
def test_long_frames_go_round(control, address, ci, data):
    frame = LongFrame(control, address, ci, data)
    assert decode_mbus_frame(frame.encode()) == frame


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(lambda rest: b"\x68\x05\x05\x68" + rest)))
def test_garbage_is_a_frame_or_a_typed_error(octets):
    frame_size(octets)
    try:
        decode_mbus_frame(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)
