import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.apdu import ApduTag, decode_apdu
from sessions.dlms.apdu.gateway import PREFIXES, GatewayApdu
from sessions.dlms.errors import DecodeError, InvalidValueError
from tests.sessions.dlms.apdu import strategies as s
from tests.vectors import octets

CLOCK = decode_apdu(octets("get-clock"))
WIRE = bytes.fromhex("E600053132333435C001C100030100010800FF0200")


@given(st.sampled_from(sorted(PREFIXES)), s.u8, st.binary(min_size=1, max_size=20))
def test_any_goes_round(tag, network_id, address):
    s.goes_round(GatewayApdu(tag, network_id, address, CLOCK))


def test_the_published_sample():
    apdu = decode_apdu(WIRE)
    assert (apdu.network_id, apdu.physical_device_address) == (0, b"12345")
    assert apdu.encode() == WIRE
    assert apdu.summary() == "to 12345 behind the gateway: GET request 3/1-0:1.8.0*255 attribute 2"


def test_every_truncation_and_any_extra_octet_is_refused():
    for bad in [*(WIRE[:cut] for cut in range(len(WIRE))), WIRE + b"\x00"]:
        with pytest.raises(DecodeError):
            decode_apdu(bad)


def test_an_answer_comes_from_behind_the_gateway():
    apdu = GatewayApdu(ApduTag.GATEWAY_RESPONSE, 0, b"\x00\x01", decode_apdu(octets("get-res")))
    assert apdu.summary() == "from 0001 behind the gateway: GET response: 4822"


@pytest.mark.parametrize("header", ["e6e600", "e6e700"])
def test_the_header_of_hdlc_is_no_prefix(header):
    with pytest.raises(InvalidValueError, match="address"):
        decode_apdu(bytes.fromhex(header) + octets("get-clock"))


def test_prefixes_do_not_nest():
    with pytest.raises(InvalidValueError, match="inside of another"):
        decode_apdu(bytes.fromhex("e6000131") * 1000 + octets("get-clock"))
