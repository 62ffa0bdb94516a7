import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, InvalidValueError, LocalProtocolError, TruncatedError
from sessions.dlms.iec62056_21.sign_on import (
    AcknowledgementMessage,
    IdentificationMessage,
    Mode,
    RequestMessage,
    decode_acknowledgement_message,
    decode_identification_message,
    decode_request_message,
    read_identification_message,
)
from tests.sessions.dlms.iec62056_21 import samples

DECODERS = {
    samples.REQUEST: (decode_request_message, RequestMessage()),
    b"/?00012345!\r\n": (decode_request_message, RequestMessage("00012345")),
    samples.IDENTIFICATION: (
        decode_identification_message,
        IdentificationMessage("LGZ", "5", "ZMD3104407", "2"),
    ),
    b"/ISk5MT174-0001\r\n": (decode_identification_message, IdentificationMessage("ISk", "5", "MT174-0001")),
    b"/SIEC2WR5\r\n": (decode_identification_message, IdentificationMessage("SIE", "C", "2WR5")),
    samples.READOUT_AT_9600: (decode_acknowledgement_message, AcknowledgementMessage("0", "5", "0")),
    samples.PROGRAMMING_AT_9600: (decode_acknowledgement_message, AcknowledgementMessage("0", "5", "1")),
    samples.HDLC_AT_9600: (decode_acknowledgement_message, AcknowledgementMessage("2", "5", "2")),
}


@pytest.mark.parametrize("wire", DECODERS)
def test_messages_both_ways(wire):
    decode, message = DECODERS[wire]
    assert decode(wire) == message
    assert message.encode() == wire


@pytest.mark.parametrize("wire", DECODERS)
def test_every_truncation_and_any_extra_octet_is_refused(wire):
    decode, _ = DECODERS[wire]
    for bad in [*(wire[:cut] for cut in range(len(wire))), wire + b"\x00"]:
        with pytest.raises(DecodeError):
            decode(bad)


@given(st.binary(max_size=60), st.sampled_from([decode for decode, _ in DECODERS.values()]))
def test_garbage_is_a_message_or_a_typed_error(octets, decode):
    try:
        decode(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)


@pytest.mark.parametrize(
    ("text", "mode", "baud", "reaction"),
    [
        (b"/ABCXMETER\r\n", Mode.A, 300, 0.2),
        (b"/ABcXMETER\r\n", Mode.A, 300, 0.02),
        (b"/ABCAMETER\r\n", Mode.B, 600, 0.2),
        (b"/ABCFMETER\r\n", Mode.B, 19200, 0.2),
        (b"/ABCGMETER\r\n", Mode.A, 300, 0.2),
        (b"/ABC0METER\r\n", Mode.C, 300, 0.2),
        (b"/ABC6METER\r\n", Mode.C, 19200, 0.2),
        (b"/ABC9METER\r\n", Mode.C, 19200, 0.2),
        (b"/ABC5\\2METER\r\n", Mode.E, 9600, 0.2),
        (b"/ABC5\\1METER\r\n", Mode.C, 9600, 0.2),
        (b"/ABC5\\@\\2METER\r\n", Mode.E, 9600, 0.2),
    ],
)
def test_what_an_identification_offers(text, mode, baud, reaction):
    message = decode_identification_message(text)
    assert (message.mode, message.baud, message.reaction_time) == (mode, baud, reaction)
    assert message.encode() == text
    assert str(message) == text.decode().strip()


def test_line_ends_that_lost_a_character_are_read():
    assert decode_identification_message(b"/ABC5M\n") == IdentificationMessage("ABC", "5", "M")
    assert decode_identification_message(b"/ABC5M\r\r\n") == IdentificationMessage("ABC", "5", "M")


def test_characters_that_cannot_be_printed_stay_in_and_are_shown_escaped():
    message = decode_identification_message(b"/ISk5\x02MIE5T-200\r\n")
    assert message.identification == "\x02MIE5T-200"
    assert str(message) == "/ISk5\\x02MIE5T-200"


def test_spans_name_the_fields_as_the_standard_does():
    tracer = Tracer()
    read_identification_message(Reader(samples.IDENTIFICATION, tracer=tracer, origin=100))
    assert [(one.name, one.offset, one.length) for one in tracer.root.children] == [
        ("start", 100, 1),
        ("manufacturer", 101, 3),
        ("baud-identification", 104, 1),
        ("enhanced-identification", 105, 2),
        ("identification", 107, 10),
        ("line-end", 117, 2),
    ]
    assert tracer.root.children[2].value == "5 (9600 Bd)"


@pytest.mark.parametrize(
    ("decode", "wire", "field", "offset", "kind"),
    [
        (decode_request_message, b"/!\r\n", "start", 0, InvalidValueError),
        (decode_request_message, b"/?12*!\r\n", "device-address", 2, InvalidValueError),
        (decode_request_message, b"/?" + b"1" * 33 + b"!\r\n", "device-address", 2, InvalidValueError),
        (decode_request_message, b"/?1!x\n", "line-end", 4, InvalidValueError),
        (decode_identification_message, b"/A1C5\r\n", "manufacturer", 1, InvalidValueError),
        (decode_identification_message, b"/ABC\r\n", "baud-identification", 4, InvalidValueError),
        (decode_identification_message, b"/ABC5" + b"x" * 300, "identification", 5, InvalidValueError),
        (decode_identification_message, b"/ABC5xyz", "line-end", 8, TruncatedError),
        (decode_acknowledgement_message, b"\x06\r\n\x00\r\n", "option-select", 1, InvalidValueError),
    ],
)
def test_what_is_wrong_is_named_with_its_place(decode, wire, field, offset, kind):
    with pytest.raises(kind) as refused:
        decode(wire)
    assert (refused.value.field, refused.value.offset) == (field, offset)


@pytest.mark.parametrize("address", ["1" * 33, "12!", "ä", "1/2"])
def test_an_address_that_cannot_be_sent_is_refused(address):
    with pytest.raises(LocalProtocolError, match="device address"):
        RequestMessage(address).encode()


@pytest.mark.parametrize("message", [IdentificationMessage("AB", "5"), IdentificationMessage("ABC", "55")])
def test_an_identification_that_is_none_is_not_sent(message):
    with pytest.raises(LocalProtocolError):
        message.encode()


def test_an_option_select_has_three_characters():
    with pytest.raises(LocalProtocolError):
        AcknowledgementMessage("0", "", "1").encode()


def test_whom_a_request_means():
    assert RequestMessage("").means("123")
    assert RequestMessage("000123").means("123")
    assert RequestMessage("123").means("000123")
    assert not RequestMessage("124").means("123")
    assert not RequestMessage("0").means("123")


def test_summaries():
    assert RequestMessage("77").summary() == "sign-on request for device 77"
    assert RequestMessage().summary() == "sign-on request"
    assert decode_identification_message(samples.IDENTIFICATION).summary() == (
        "identification /LGZ5\\2ZMD3104407: mode E, up to 9600 Bd"
    )
    assert IdentificationMessage("ABC", "X").summary() == "identification /ABCX: mode A"
    assert decode_acknowledgement_message(samples.HDLC_AT_9600).summary() == (
        "acknowledgement: binary mode, HDLC protocol, 9600 Bd"
    )
    assert AcknowledgementMessage("7", "9", "6").summary() == (
        "acknowledgement: manufacturer's mode 6, 7 protocol, an unknown speed"
    )


@given(
    st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=3, max_size=3),
    st.sampled_from("0123456789ABCDEFGHIXYZ "),
    st.text("0123456789ABCDEF.- ", max_size=16),
    st.text("0123456789@", max_size=3),
)
def test_identifications_go_round(manufacturer, z, identification, enhanced):
    message = IdentificationMessage(manufacturer, z, identification, enhanced)
    assert decode_identification_message(message.encode()) == message
