import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, LocalProtocolError
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.fcs import fcs16
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RejFrame,
    RnrFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
    decode_hdlc_frame,
    read_hdlc_frame,
)
from tests.fuzz.mutation import mutate
from tests.vectors import by_id, octets, of_kind

KINDS = {
    "hdlc-snrm": SnrmFrame,
    "hdlc-snrm-1-17": SnrmFrame,
    "hdlc-snrm-4b": SnrmFrame,
    "hdlc-snrm-4b-1234": SnrmFrame,
    "hdlc-snrm-nego": SnrmFrame,
    "hdlc-ua-nego": UaFrame,
    "hdlc-ua": UaFrame,
    "hdlc-disc": DiscFrame,
    "hdlc-dm": DmFrame,
    "hdlc-frmr": FrmrFrame,
    "hdlc-rr": RrFrame,
    "hdlc-aarq": InfoFrame,
    "hdlc-aare": InfoFrame,
    "hdlc-get": InfoFrame,
    "hdlc-getres": InfoFrame,
    "hdlc-push": UiFrame,
    "hdlc-bcast": UiFrame,
}
GET = octets("hdlc-get")
CLIENT, SERVER = client_address(16), server_address(1, 17, 2)


@pytest.mark.parametrize("vector", of_kind("hdlc"), ids=by_id)
def test_vectors_both_ways(vector):
    wire = bytes.fromhex(vector["hex"])
    frame = decode_hdlc_frame(wire)
    assert isinstance(frame, KINDS[vector["id"]])
    assert frame.encode() == wire


@pytest.mark.parametrize("vector", of_kind("hdlc"), ids=by_id)
def test_every_truncation_and_any_extra_octet_is_refused(vector):
    wire = bytes.fromhex(vector["hex"])
    for bad in [*(wire[:cut] for cut in range(len(wire))), wire + b"\x00"]:
        with pytest.raises(DecodeError):
            decode_hdlc_frame(bad)


@pytest.mark.parametrize("vector", of_kind("hdlc"), ids=by_id)
def test_every_single_bit_matters(vector):
    wire = bytes.fromhex(vector["hex"])
    for bit in range(len(wire) * 8):
        altered = bytearray(wire)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode_hdlc_frame(bytes(altered))


@given(st.binary(max_size=200), st.integers(0, 7), st.integers(0, 7), st.booleans(), st.booleans())
@settings(max_examples=100)
def test_information_frames_go_round(information, sent, received, segmented, poll):
    frame = InfoFrame(
        destination=SERVER,
        source=CLIENT,
        poll_final=poll,
        send_sequence=sent,
        receive_sequence=received,
        information=information,
        segmented=segmented,
    )
    assert decode_hdlc_frame(frame.encode()) == frame


WITHOUT_NUMBERS = [SnrmFrame, UaFrame, DiscFrame, DmFrame, FrmrFrame, UiFrame]


@pytest.mark.parametrize("kind", WITHOUT_NUMBERS)
@pytest.mark.parametrize("poll", [True, False])
@pytest.mark.parametrize("information", [b"", b"\x7e", bytes(100)])
def test_frames_without_numbers_go_round(kind, poll, information):
    frame = kind(
        destination=CLIENT, source=SERVER, poll_final=poll, information=information, segmented=bool(information)
    )
    assert decode_hdlc_frame(frame.encode()) == frame
    assert kind.name in frame.summary()


KNOWN = (
    {
        kind(destination=CLIENT, source=SERVER, poll_final=poll).control
        for kind in WITHOUT_NUMBERS
        for poll in (True, False)
    }
    | set(range(0, 256, 2))
    | {code | number << 4 for code in (1, 5, 9) for number in range(16)}
)


@pytest.mark.parametrize("control", range(256))
def test_every_control_field(control):
    """256 of them: those that DLMS uses have a class, the others are kept as they are."""
    head = bytes.fromhex("a007") + CLIENT.encode() + CLIENT.encode() + bytes((control,))
    frame = decode_hdlc_frame(b"\x7e" + head + fcs16(head) + b"\x7e")
    assert frame.control == control
    assert isinstance(frame, UnknownFrame) is (control not in KNOWN)
    assert frame.poll_final is bool(control & 0x10)
    if isinstance(frame, UnknownFrame):
        assert f"{control:02x}" in frame.summary()


def test_what_no_station_should_say_is_read_all_the_same():
    ready = RrFrame(destination=SERVER, source=CLIENT, receive_sequence=3, information=b"x", segmented=True)
    assert decode_hdlc_frame(ready.encode()) == ready
    strange = UnknownFrame(destination=SERVER, source=CLIENT, octet=0x7F, information=b"xid")
    assert decode_hdlc_frame(strange.encode()) == strange


@pytest.mark.parametrize("kind", [RrFrame, RnrFrame, RejFrame])
@pytest.mark.parametrize("number", range(8))
def test_supervisory_frames_go_round(kind, number):
    frame = kind(destination=SERVER, source=CLIENT, receive_sequence=number, poll_final=number % 2 == 0)
    assert decode_hdlc_frame(frame.encode()) == frame
    assert kind.name in frame.summary()


def test_a_frame_that_is_too_long_is_our_own_mistake():
    frame = UiFrame(destination=SERVER, source=CLIENT, information=bytes(2040))
    with pytest.raises(LocalProtocolError, match="longer"):
        frame.encode()


def test_frmr_says_why():
    assert decode_hdlc_frame(octets("hdlc-frmr")).reason() == "invalid sequence number; rejected control field 12"
    assert FrmrFrame(destination=CLIENT, source=SERVER).reason() == "no reason given"
    cut = FrmrFrame(destination=CLIENT, source=SERVER, information=b"\x12")
    assert "no reason that can be read" in cut.reason()


def test_the_tracer_sees_the_layers():
    tracer = Tracer()
    read_hdlc_frame(Reader(GET, tracer=tracer))
    names = [field.name for field in tracer.root.children]
    assert names[:5] == ["opening-flag", "format", "destination-address", "source-address", "control"]
    assert [field.value for field in tracer.root.children if field.name == "fcs"] == ["3268 (good)"]
    assert sum(field.length for field in tracer.root.children) == len(GET)


def outcome(decode, octets):
    try:
        return decode(octets)
    except DecodeError as error:
        return type(error), error.field, error.offset, error.reason


def field_by_field(octets):
    reader = Reader(octets)
    frame = read_hdlc_frame(reader)
    reader.finish("hdlc-frame")
    return frame


def with_good_checks(octets, header):
    """The octets as a frame whose length is right and whose checks are good, the first one behind `header` octets."""
    framed = bytearray(octets)
    framed[0] = framed[-1] = 0x7E
    framed[1:3] = (0xA000 | framed[1] << 8 & 0x0800 | len(framed) - 2).to_bytes(2, "big")
    if header + 5 < len(framed):
        framed[header + 1 : header + 3] = fcs16(bytes(framed[1 : header + 1]))
    framed[-3:-1] = fcs16(bytes(framed[1:-3]))
    return bytes(framed)


@given(
    st.sampled_from(of_kind("hdlc")),
    st.randoms(use_true_random=False),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(3, 12)),
)
@settings(max_examples=500)
def test_a_frame_is_read_at_once_as_field_by_field(vector, chance, times, header):
    """Damaged, and damaged with good checks."""
    wire = bytes.fromhex(vector["hex"])
    for _ in range(times):
        wire = mutate(wire, chance)
    if header is not None and 9 <= len(wire) < 0x7FF:
        wire = with_good_checks(wire, header)
    assert outcome(decode_hdlc_frame, wire) == outcome(field_by_field, wire)
