"""InitiateRequest and InitiateResponse, both ways."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError
from sessions.dlms.initiate import (
    InitiateRequest,
    InitiateResponse,
    decode_initiate_request,
    decode_initiate_response,
    encode_initiate_response,
    read_initiate_request,
)

KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
# protocol/04 sections 5 and 10, protocol/06 section 5 (Green Book Annex C vectors).
REQUESTS = {
    "01000000065f1f0400007e1f04b0": InitiateRequest(
        proposed_conformance=Conformance(0x7E1F), client_max_receive_pdu_size=1200
    ),
    "01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0": InitiateRequest(
        dedicated_key=KEY, proposed_conformance=Conformance(0x7E1F), client_max_receive_pdu_size=1200
    ),
    "01000100010a065f1f04000000100000": InitiateRequest(
        response_allowed=False,
        proposed_quality_of_service=10,
        proposed_conformance=Conformance.GET,
    ),
}
RESPONSES = {
    "0800065f1f0400007c1f04000007": InitiateResponse(
        negotiated_conformance=Conformance(0x7C1F), server_max_receive_pdu_size=1024
    ),
    "0800065f1f04001c032001f4fa00": InitiateResponse(
        negotiated_conformance=Conformance(0x1C0320), server_max_receive_pdu_size=500, vaa_name=0xFA00
    ),
}


@pytest.mark.parametrize(("wire", "value"), REQUESTS.items())
def test_request_both_ways(wire, value):
    assert decode_initiate_request(bytes.fromhex(wire)) == value
    assert value.encode().hex() == wire


@pytest.mark.parametrize(("wire", "value"), RESPONSES.items())
def test_response_both_ways(wire, value):
    assert decode_initiate_response(bytes.fromhex(wire)) == value
    assert encode_initiate_response(value).hex() == wire


@pytest.mark.parametrize(
    ("wire", "decode"),
    [*((wire, decode_initiate_request) for wire in REQUESTS), *((w, decode_initiate_response) for w in RESPONSES)],
)
def test_every_truncation_and_any_extra_octet_is_refused(wire, decode):
    octets = bytes.fromhex(wire)
    for bad in [*(octets[:size] for size in range(len(octets))), octets + b"\x00"]:
        with pytest.raises(DecodeError):
            decode(bad)


def test_response_allowed_may_be_written_out():
    assert decode_initiate_request(bytes.fromhex("0100010100065f1f0400007e1f04b0")).response_allowed is True


def test_the_dedicated_key_is_secret_in_repr_and_tree():
    wire = bytes.fromhex("01011000112233445566778899aabbccddeeff0000065f1f0400007e1f04b0")
    tracer = Tracer()
    request = read_initiate_request(Reader(wire, tracer=tracer))
    assert "0011" not in repr(request)
    marked = [field for field in tracer.root.children[0].children if field.secret]
    assert [(field.name, field.offset, field.length) for field in marked] == [("dedicated-key", 3, 16)]


def test_summaries():
    assert decode_initiate_request(bytes.fromhex("01000000065f1f0400007e1f04b0")).summary() == (
        "Initiate request, max PDU 1200"
    )
    assert "dedicated key" in InitiateRequest(dedicated_key=KEY).summary()
    assert InitiateResponse(server_max_receive_pdu_size=500).summary() == "Initiate response, max PDU 500"


@settings(max_examples=60)
@given(
    st.builds(
        InitiateRequest,
        dedicated_key=st.none() | st.binary(max_size=40),
        response_allowed=st.booleans(),
        proposed_quality_of_service=st.none() | st.integers(-128, 127),
        proposed_dlms_version_number=st.integers(0, 255),
        proposed_conformance=st.integers(0, 0xFFFFFF).map(Conformance),
        client_max_receive_pdu_size=st.integers(0, 0xFFFF),
    )
)
def test_requests_survive_a_round_trip(request_):
    assert decode_initiate_request(request_.encode()) == request_


@settings(max_examples=100)
@given(st.binary(max_size=40))
def test_garbage_is_refused_or_decoded_never_else(octets):
    for prefix, decode in ((b"\x01", decode_initiate_request), (b"\x08", decode_initiate_response)):
        try:
            value = decode(prefix + octets)
        except DecodeError:
            continue
        assert decode(value.encode()) == value
