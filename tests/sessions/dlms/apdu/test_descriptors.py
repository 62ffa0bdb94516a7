"""Parts that several services share: result codes, blocks, lists."""

from __future__ import annotations

import pytest

from meters.cosem.data import null, octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    Datablock,
    InvokeIdAndPriority,
    block_text,
    decode_data_list,
    encode_data_list,
    read_datablock,
    read_invoke_id,
)
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import DecodeError, LimitExceededError
from tests.fuzz.bombs import full_lists

NAME = ObisCode.parse("0-0:96.3.10*255")


def test_every_invoke_id_goes_round():
    for octet in range(256):
        invocation = read_invoke_id(Reader(bytes((octet,))))
        assert invocation.encode() == octet & 0xCF  # two bits are reserved
    assert InvokeIdAndPriority().encode() == 0xC1


def test_descriptors_print_as_people_write_them():
    assert str(CosemAttributeDescriptor(70, NAME, -1)) == "70/0-0:96.3.10*255 attribute -1"
    assert str(CosemMethodDescriptor(70, NAME, 2)) == "70/0-0:96.3.10*255 method 2 (remote reconnect)"
    assert str(CosemMethodDescriptor(70, NAME, 99)) == "70/0-0:96.3.10*255 method 99"


@pytest.mark.parametrize("results", [DataAccessResult, ActionResult])
def test_every_result_has_words_and_keeps_the_standards_name(results):
    for result in results:
        assert result.words == result.name.lower().replace("_", "-")
        assert result.words in result.summary()
    assert results(0).summary() == "success"
    assert results(4).summary() == "no such object (object-undefined)"


def test_the_numbers_that_both_results_share_mean_the_same():
    shared = {result.value for result in DataAccessResult} & {result.value for result in ActionResult}
    for number in shared - {15, 16}:  # long-get or long-action
        assert DataAccessResult(number).name == ActionResult(number).name


@pytest.mark.parametrize("block", [Datablock(False, 1, b"\1\2"), Datablock(True, 2**32 - 1, bytes(300))])
def test_blocks_go_round(block):
    writer = Writer()
    block.write(writer)
    assert read_datablock(Reader(writer.octets())) == block


def test_a_block_in_words():
    assert block_text(True, 3, bytes(120)) == "block 3, 120 octets, the last"


# -- lists -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "octets"), list(full_lists()))
def test_a_list_that_is_a_bomb_is_refused_at_its_count(what, octets):
    with pytest.raises(LimitExceededError, match="a list of 65535, 4096 are taken") as raised:
        decode_apdu(octets)
    assert raised.value.offset < 10


def test_a_list_of_values_goes_round():
    values = (unsigned(1), null(), octet_string(b"x"))
    assert decode_data_list(encode_data_list(values)) == values
    for bad in (b"", b"\x02\x00", encode_data_list(values) + b"\x00", b"\x82\xff\xff" + bytes(0xFFFF)):
        with pytest.raises(DecodeError):
            decode_data_list(bad)
