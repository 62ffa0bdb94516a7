import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.parameters import (
    HdlcParameters,
    decode_hdlc_parameters,
    parameter_deviations,
    read_hdlc_parameters,
)

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


@pytest.mark.parametrize(
    ("octets", "understood", "said"),
    [
        ("818000", HdlcParameters(), ["a parameter group of length 0"]),
        ("8180", HdlcParameters(), None),
        ("81800a 0501c8 0601c8 07010208", None, None),
        ("81800c 0601c8 0502012c 07010208 0101", None, None),
        # Orders, one octet and four for lengths, one for windows.
        (
            "81800c 0601c8 0501c8 070102 080103",
            HdlcParameters(200, 200, 2, 3),
            ["window transmit in 1 octets", "window receive in 1 octets", "parameters in another order, or twice"],
        ),
        ("818006 0504000000c8", HdlcParameters(200), ["max info transmit in 4 octets"]),
        ("818006 0501c8 0501c9", HdlcParameters(201), ["parameters in another order, or twice"]),
        ("818004 0502ffff", HdlcParameters(2030), ["max info transmit of 65535, outside of 32 to 2030"]),
        ("818003 050108", HdlcParameters(8), ["max info transmit of 8, outside of 32 to 2030"]),
        ("818006 070400000000", HdlcParameters(), ["window transmit of 0, outside of 1 to 7"]),
        ("818006 080400000009", HdlcParameters(window_receive=7), ["window receive of 9, outside of 1 to 7"]),
        ("818003 630101", HdlcParameters(), ["parameter 99 is unknown"]),
        ("818014 0501c8", HdlcParameters(200), ["a parameter group of 20 octets, 3 are there"]),
        ("8280030501c8", HdlcParameters(200), ["the parameters begin with 8280 instead of 8180"]),
        ("818003 0501c8 f002abcd", HdlcParameters(200), []),
    ],
)
def test_odd_parameters_are_understood_and_flagged(octets, understood, said):
    wire = bytes.fromhex(octets)
    if understood is None or said is None:
        try:
            decode_hdlc_parameters(wire)
        except DecodeError:
            pass
        assert isinstance(parameter_deviations(wire), list)
        return
    assert decode_hdlc_parameters(wire) == understood
    assert parameter_deviations(wire) == said


@given(st.binary(max_size=40))
def test_any_octets_can_be_judged(octets):
    assert isinstance(parameter_deviations(octets), list)


def test_the_fields_explain_themselves():
    tracer = Tracer()
    read_hdlc_parameters(Reader(bytes.fromhex("81800a0502ffff630107080101"), tracer=tracer))
    told = [(field.name, field.value) for field in tracer.root.children]
    assert told[3:6] == [
        ("parameter-id", "5 (max info transmit)"),
        ("parameter-length", "2"),
        ("parameter-value", "65535 (max info transmit, understood as 2030)"),
    ]
    assert ("parameter-id", "99 (unknown)") in told
    assert sum(field.length for field in tracer.root.children) == 13
