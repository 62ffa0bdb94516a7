"""Segments and blocks: every step of a transfer."""

import pytest

from sessions.dlms.inspector.assembly import GENERAL, MAX_ASSEMBLED, Blocks, Segments, Shelf, Step


def begun(*numbers):
    blocks = Blocks()
    for number in numbers:
        blocks.add(number, bytes((number,)))
    return blocks


@pytest.mark.parametrize(
    ("before", "number", "octets", "step", "after"),
    [
        ((), 1, b"\x01", Step.STARTED, b"\x01"),
        ((), 2, b"\x02", Step.UNKNOWN_START, b""),
        ((), 0, b"", Step.UNKNOWN_START, b""),
        ((1,), 2, b"\x02", Step.CONTINUED, b"\x01\x02"),
        ((1,), 1, b"\x07", Step.STARTED, b"\x07"),
        ((1,), 3, b"\x03", Step.OUT_OF_ORDER, b"\x01"),
        ((1,), 0, b"", Step.REPEATED, b"\x01"),
        ((1, 2), 2, b"\x02", Step.REPEATED, b"\x01\x02"),
        ((1, 2), 2, b"\x09", Step.OUT_OF_ORDER, b"\x01\x02"),
        ((1, 2, 3), 2, b"\x02", Step.REPEATED, b"\x01\x02\x03"),
        ((1, 2), 1, b"\x01", Step.STARTED, b"\x01"),
        ((1, 2), 4, b"\x04", Step.OUT_OF_ORDER, b"\x01\x02"),
    ],
)
def test_every_block_in_every_situation(before, number, octets, step, after):
    blocks = begun(*before)
    assert blocks.add(number, octets) is step
    assert bytes(blocks.octets) == after


def test_a_transfer_has_a_limit():
    blocks = begun(1)
    assert blocks.add(2, bytes(MAX_ASSEMBLED)) is Step.TOO_LONG
    assert len(blocks.octets) == 1


def test_segments_keep_their_places():
    segments = Segments()
    assert [segments.add(0, b"abc"), segments.add(1, b"de"), segments.add(2, b"f")] == [0, 3, 5]
    assert segments.octets == b"abcdef"


def test_a_repeated_segment_has_the_same_number_and_octets():
    segments = Segments()
    segments.add(0, b"abc", b"llcabc")
    segments.add(1, b"de")
    assert segments.repeats(0, b"llcabc")
    assert segments.repeats(1, b"de")
    assert not segments.repeats(1, b"df")
    assert not segments.repeats(2, b"de")
    assert not segments.repeats(None, b"de")  # UI frames have no number


def test_numbers_come_round_after_eight():
    segments = Segments()
    for number in range(8):
        segments.add(number, b"same")
    assert not segments.repeats(0, b"same")


def test_the_shelf_is_busy_while_something_is_open():
    shelf = Shelf()
    assert not shelf.busy
    shelf.begin_segments("a").add(0, b"x")
    assert shelf.busy
    shelf.end_segments("a")
    shelf.blocks(("a", "get")).add(2, b"x")  # the beginning was not seen: there is nothing to complete
    assert not shelf.busy
    shelf.blocks(("a", "get")).add(1, b"x")
    shelf.blocks(("a", GENERAL)).add(1, b"x")
    shelf.end_services()
    assert shelf.busy
    shelf.clear()
    assert not shelf.busy
