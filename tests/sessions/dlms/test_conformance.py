"""The conformance block, both ways."""

import pytest

from sessions.dlms.conformance import Conformance, read_conformance, write_conformance
from sessions.dlms.cursor import Reader, Tracer, Writer
from sessions.dlms.errors import DecodeError, InvalidValueError

# protocol/04, section 7: the masks of the standard's table.
MASKS = {
    "400000": Conformance.GENERAL_PROTECTION,
    "200000": Conformance.GENERAL_BLOCK_TRANSFER,
    "100000": Conformance.READ,
    "001000": Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ,
    "000010": Conformance.GET,
    "000004": Conformance.SELECTIVE_ACCESS,
    "000001": Conformance.ACTION,
}


@pytest.mark.parametrize(("bits", "flag"), MASKS.items())
def test_each_service_has_the_bit_of_the_standard(bits, flag):
    assert read_conformance(Reader(bytes.fromhex("5f1f0400" + bits)), "conformance") == flag


def test_names_are_the_standards_and_in_its_order():
    agreed = read_conformance(Reader(bytes.fromhex("5f1f040000501f")), "negotiated-conformance")
    assert agreed.names == (
        "priority-mgmt-supported",
        "block-transfer-with-get-or-read",
        "get",
        "set",
        "selective-access",
        "event-notification",
        "action",
    )


def test_every_combination_of_octets_survives_a_round_trip():
    for number in (0, 1, 0x00501F, 0x1C1B20, 0xFFFFFF):
        writer = Writer()
        write_conformance(writer, Conformance(number))
        assert int(read_conformance(Reader(writer.octets()), "conformance")) == number


def test_old_meters_leave_the_second_tag_octet_out():
    assert read_conformance(Reader(bytes.fromhex("5f0400001e1d")), "conformance") == 0x1E1D


def test_truncations_and_a_wrong_length_are_refused():
    wire = bytes.fromhex("5f1f040000501f")
    for size in range(len(wire)):
        with pytest.raises(DecodeError):
            read_conformance(Reader(wire[:size]), "conformance")
    with pytest.raises(InvalidValueError) as caught:
        read_conformance(Reader(bytes.fromhex("5f1f030000501f")), "conformance")
    assert caught.value.offset == 2


def test_the_tree_says_the_services_in_words():
    tracer = Tracer()
    read_conformance(Reader(bytes.fromhex("5f1f0400000018"), tracer=tracer), "proposed-conformance")
    assert tracer.root.children[0].value == "get, set"


def test_names_make_a_block():
    assert Conformance.from_names(["get", "general-block-transfer"]) == (
        Conformance.GET | Conformance.GENERAL_BLOCK_TRANSFER
    )
    everything = ~Conformance(0)
    assert Conformance.from_names(everything.names) == everything
    assert Conformance.from_names([]) == 0
    with pytest.raises(ValueError, match="“Get” is no service"):
        Conformance.from_names(["get", "Get"])
