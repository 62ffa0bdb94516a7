import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters

LARGE = HdlcParameters(1024, 1024, 1, 1)


def test_the_standards_samples():
    octets = bytes.fromhex("818014050204000602040007040000000108040000 0001".replace(" ", ""))
    assert LARGE.encode() == octets
    assert decode_hdlc_parameters(octets) == LARGE
    one_octet = bytes.fromhex("81801205018006018007040000000108040000 0001".replace(" ", ""))
    assert decode_hdlc_parameters(one_octet) == HdlcParameters()


def test_nothing_means_defaults():
    assert HdlcParameters().encode() == b""
    assert decode_hdlc_parameters(b"") == HdlcParameters(128, 128, 1, 1)
    assert decode_hdlc_parameters(bytes.fromhex("818000")) == HdlcParameters()


def test_a_missing_parameter_has_its_default_and_an_unknown_one_is_skipped():
    assert decode_hdlc_parameters(bytes.fromhex("8180080502040 0630201ff".replace(" ", ""))) == HdlcParameters(1024)
    # A user-data group after the parameters.
    assert decode_hdlc_parameters(bytes.fromhex("81800405020400f002abcd")) == HdlcParameters(1024)


def test_values_out_of_range_are_clamped():
    octets = bytes.fromhex("81800d0502ffff0601000701090801 00".replace(" ", ""))
    assert decode_hdlc_parameters(octets) == HdlcParameters(2030, 128, 7, 1)


def test_each_side_sends_what_the_other_takes():
    client = HdlcParameters(512, 256, 1, 3)
    server = HdlcParameters(128, 1024, 2, 1)
    agreed = client.negotiated_with(server)
    assert agreed == HdlcParameters(512, 128, 1, 2)
    assert server.negotiated_with(client) == HdlcParameters(128, 512, 2, 1)


@given(st.binary(max_size=40))
def test_garbage_gives_parameters_or_a_typed_error(octets):
    try:
        found = decode_hdlc_parameters(octets)
    except DecodeError:
        return
    assert 1 <= found.max_info_transmit <= 2030
    assert 1 <= found.window_receive <= 7


@pytest.mark.parametrize("size", [32, 128, 255, 256, 2030])
def test_lengths_go_round(size):
    parameters = HdlcParameters(size, size, 7, 7)
    assert decode_hdlc_parameters(parameters.encode()) == parameters
