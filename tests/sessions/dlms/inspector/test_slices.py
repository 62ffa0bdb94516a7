"""Transfers in blocks."""

from __future__ import annotations

import pytest

from meters.cosem.data import unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.action import (
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseWithList,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
    encode_data_list,
)
from sessions.dlms.apdu.get import GetResponseWithDatablock, GetResponseWithList
from sessions.dlms.apdu.set import SetRequestWithDatablock, SetRequestWithListAndFirstDatablock
from sessions.dlms.inspector import Dissector
from sessions.dlms.inspector.dissection import mask
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.inspector.slices import MAX_TRACED
from tests.sessions.dlms.inspector import samples
from tests.vectors import octets as vector_octets
from tests.vectors import of_kind


def feed(*wires):
    dissector = Dissector()
    return [dissector.feed(wire, "received") for wire in wires]


def get_block(number, octets, *, last=False):
    return bytes.fromhex(f"c402c1{int(last):02x}{number:08x}00") + length(octets)


def length(octets):
    size = len(octets)
    head = bytes((size,)) if size < 0x80 else b"\x83" + size.to_bytes(3, "big")
    return head + octets


def general(number, octets, *, last=False, window=0):
    control = (0x80 if last else 0) | 0x40 | window
    return bytes((0xE0, control)) + number.to_bytes(2, "big") + b"\x00\x00" + length(octets)


I = InvokeIdAndPriority()
CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
SWITCH = CosemMethodDescriptor(70, ObisCode(0, 0, 96, 3, 10, 255), 1)
VALUES = encode_data_list([unsigned(1), unsigned(2)])
RESULTS = GetResponseWithList(I, (unsigned(1), DataAccessResult.OBJECT_UNDEFINED)).encode()[3:]
OUTCOMES = ActionResponseWithList(I, ((ActionResult.SUCCESS, unsigned(7)), (ActionResult.OTHER_REASON, None))).encode()[
    3:
]
BLOCKS_OF_LISTS = {
    "get": [GetResponseWithDatablock(I, False, 1, RESULTS[:3]), GetResponseWithDatablock(I, True, 2, RESULTS[3:])],
    "set": [
        SetRequestWithListAndFirstDatablock(I, ((CLOCK, None), (CLOCK, None)), False, 1, VALUES[:2]),
        SetRequestWithDatablock(I, True, 2, VALUES[2:]),
    ],
    "action": [
        ActionRequestWithListAndFirstPblock(I, (SWITCH, SWITCH), False, 1, VALUES[:2]),
        ActionRequestWithPblock(I, True, 2, VALUES[2:]),
    ],
    "answer to action": [
        ActionResponseWithPblock(I, False, 1, OUTCOMES[:3]),
        ActionResponseWithPblock(I, True, 2, OUTCOMES[3:]),
    ],
}


@pytest.mark.parametrize("name", BLOCKS_OF_LISTS)
def test_lists_in_blocks_are_put_together(name):
    *_, last = feed(*(apdu.encode() for apdu in BLOCKS_OF_LISTS[name]))
    assert last.error is None
    assert last.fields.children[-1].name == "assembled value"
    assert last.summary.endswith(": complete")


class TestGet:
    def test_the_value_is_put_together(self):
        request, first, following, last = feed(samples.GET_CLOCK, samples.BLOCK_1, samples.NEXT_1, samples.BLOCK_2)
        assert last.error is None
        assert last.data.value == bytes.fromhex("0102aabbccdd")
        assert last.sources["data"].hex() == "09060102aabbccdd"
        assert last.fields.children[-1].name == "assembled value"
        assert [one.starts_apdu for one in (request, first, following, last)] == [True, True, False, False]

    def test_the_first_block_shows_what_is_there_already(self):
        [first] = feed(get_block(1, bytes.fromhex("0102020209060100")))
        contents = find_field(find_field(first.fields, "raw-data"), "contents")
        assert first.error is None
        assert find_field(first.fields, "array").offset == 10
        assert contents is not None
        assert not any(field.error for field in first.fields.children)

    def test_a_repeated_block_is_taken_once(self):
        found = feed(samples.BLOCK_1, samples.BLOCK_1, samples.BLOCK_2)
        assert found[-1].data.value == bytes.fromhex("0102aabbccdd")
        found = feed(
            get_block(1, b"\x09"), get_block(2, b"\x03ab"), get_block(2, b"\x03ab"), get_block(3, b"c", last=True)
        )
        assert found[2].notes == ["a repeated block"]
        assert found[-1].data.value == b"abc"

    def test_a_missing_block_is_an_error_at_its_number(self):
        _, third = feed(get_block(1, b"\x09\x04"), get_block(3, b"cd", last=True))
        assert (third.error.field, third.error.offset) == ("block-number", 4)
        assert "block 2 expected, 3 came" in third.error.message
        assert third.data is None

    def test_a_transfer_that_was_not_seen_from_the_start_is_a_note(self):
        [last] = feed(samples.BLOCK_2)
        assert (last.error, last.notes) == (None, ["the beginning of this transfer was not seen"])

    def test_a_new_request_ends_it(self):
        *_, late = feed(samples.BLOCK_1, samples.GET_CLOCK, samples.BLOCK_2)
        assert late.notes == ["the beginning of this transfer was not seen"]

    def test_a_refusal_ends_it(self):
        refusal = bytes.fromhex("c402c101000000020113")
        *_, late = feed(samples.BLOCK_1, refusal, samples.BLOCK_2)
        assert late.data is None

    def test_a_value_that_is_none_is_an_error(self):
        _, last = feed(get_block(1, b"\xfe"), get_block(2, b"\x00", last=True))
        assert last.error.code == "unknown-tag"
        assert last.data is None

    def test_a_list_of_results(self):
        octets = bytes.fromhex("020006000012d60104")
        _, last = feed(get_block(1, octets[:3]), get_block(2, octets[3:], last=True))
        assert last.error is None
        assert last.summary.endswith("complete")

    def test_a_long_value_is_decoded_but_not_shown_field_by_field(self):
        octets = bytes.fromhex("0182") + (MAX_TRACED // 2).to_bytes(2, "big") + b"\x11\x07" * (MAX_TRACED // 2)
        half = len(octets) // 2
        _, last = feed(get_block(1, octets[:half]), get_block(2, octets[half:], last=True))
        assert last.error is None
        assert len(last.data) == MAX_TRACED // 2
        assert last.fields.children[-1].children == []


class TestSetAndAction:
    def test_a_written_value(self):
        first = bytes.fromhex("c102c100080000010000ff0200000000000102090c")
        last = bytes.fromhex("c103c101000000020c07e80101ff00000000800000")
        _, found = feed(first, last)
        assert found.error is None
        assert found.data.value == bytes.fromhex("07e80101ff00000000800000")

    @pytest.mark.parametrize("octets", ["00010011 07", "1107"])
    def test_a_returned_value_with_and_without_its_result(self, octets):
        raw = bytes.fromhex(octets.replace(" ", ""))
        _, found = feed(
            bytes.fromhex("c702c1000000000101") + raw[:1],
            bytes.fromhex("c702c10100000002") + length(raw[1:]),
        )
        assert found.error is None
        assert found.data.value == 7


class TestGeneral:
    NOTIFICATION = bytes.fromhex("0f0000000100020109060100010800ff")

    def test_an_apdu_in_blocks(self):
        one, two = feed(general(1, self.NOTIFICATION[:7]), general(2, self.NOTIFICATION[7:], last=True))
        assert two.error is None
        assert two.summary.startswith("general block 2, the last: data notification")
        assert two.sources["block-transfer"] == self.NOTIFICATION
        assert two.fields.children[-1].source == "block-transfer"
        assert (one.starts_apdu, two.starts_apdu) == (True, False)

    def test_the_first_block_shows_what_is_there_already(self):
        [one] = feed(general(1, self.NOTIFICATION[:9]))
        assert one.error is None
        assert find_field(one.fields, "data-notification") is not None

    def test_block_one_starts_anew(self):
        found = feed(
            general(1, b"\x0f\x00"),
            general(2, b"\x00"),
            general(1, self.NOTIFICATION[:5]),
            general(2, self.NOTIFICATION[5:], last=True),
        )
        assert [one.error for one in found] == [None] * 4
        assert found[2].starts_apdu
        assert found[-1].data is not None

    def test_disorder_without_acknowledgement_ends_the_transfer(self):
        first, third, second = feed(
            general(1, self.NOTIFICATION[:5]), general(3, b"x", last=True), general(2, self.NOTIFICATION[5:])
        )
        assert third.error is not None
        assert second.notes == ["the beginning of this transfer was not seen"]
        assert first.error is None

    def test_disorder_with_a_window_waits_for_the_missing_block(self):
        found = feed(
            general(1, self.NOTIFICATION[:5], window=3),
            general(3, self.NOTIFICATION[9:], last=True, window=3),
            general(2, self.NOTIFICATION[5:9], window=3),
            general(3, self.NOTIFICATION[9:], last=True, window=3),
        )
        assert [one.error is None for one in found] == [True, False, True, True]
        assert found[-1].data is not None

    def test_an_acknowledgement_is_no_block(self):
        [found] = feed(bytes.fromhex("e0040001000100"))
        assert (found.error, found.notes) == (None, [])

    @pytest.mark.parametrize("octets", ["e0840002000300", "e0800000000000", "e0800005000500"])
    def test_an_acknowledgement_that_says_the_last_block_is_none_either(self, octets):
        [found] = feed(bytes.fromhex(octets))
        assert (found.error, found.notes) == (None, [])

    def test_acknowledgements_have_numbers_too(self):
        """An answer whose first block is number 3: the two before it acknowledged the request."""
        acks = [bytes.fromhex(octets) for octets in ("e0840001000100", "e0840002000200")]
        found = feed(
            *acks, general(3, self.NOTIFICATION[:5], window=3), general(4, self.NOTIFICATION[5:], last=True, window=3)
        )
        assert [one.error for one in found] == [None] * 4
        assert found[-1].data is not None

    def test_an_empty_block_may_be_the_last(self):
        found = feed(general(1, self.NOTIFICATION, window=3), general(2, b"", last=True, window=3))
        assert found[-1].data is not None

    @pytest.mark.parametrize("size", [3, 5, 14, 40])
    def test_a_secret_in_blocks_is_hidden_in_each(self, size):
        """SET of the secret of an association, in clear."""
        write = bytes.fromhex("c101c1000f0000280000ff0700" + "0908") + b"password"
        slices = [write[at : at + size] for at in range(0, len(write), size)]
        wires = [general(number, part, last=number == len(slices)) for number, part in enumerate(slices, start=1)]
        shown = b"".join(mask(wire, one) for wire, one in zip(wires, feed(*wires), strict=True))
        assert not any(bytes((octet,)) in shown for octet in b"pasword")

    def test_an_answer_with_a_secret_in_blocks_is_hidden_in_each(self):
        answer = bytes.fromhex("c401c1000908") + b"password"
        dissector = Dissector()
        dissector.feed(bytes.fromhex("c001c1000f0000280000ff0700"), "sent")
        wires = [general(1, answer[:8]), general(2, answer[8:], last=True)]
        shown = b"".join(mask(wire, dissector.feed(wire, "received")) for wire in wires)
        assert not any(bytes((octet,)) in shown for octet in b"pasword")

    def test_one_block(self):
        [found] = feed(general(1, samples.GET_RESPONSE, last=True))
        assert found.summary == "general block 1, the last: GET response: 4822"


def test_a_push_in_general_blocks_over_ui_frames():
    """Three frames to all stations, blocks that nobody acknowledges (the push of Switzerland)."""
    [vector] = of_kind("hdlc-gbt")
    found = list(Dissector().feed_all(bytes.fromhex(vector["hex"])))
    assert [one.error for one in found] == [None] * 3
    assert found[-1].sources["block-transfer"] == vector_octets("gbt-apdu")
    assert len(found[-1].data) == 10
