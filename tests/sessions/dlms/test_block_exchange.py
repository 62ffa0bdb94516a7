"""Which stream a block belongs to, and what is asked again on a line that loses blocks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.block_exchange import MAX_PUSHED_OCTETS, MAX_RETRIES, BlockExchange, is_block
from sessions.dlms.errors import DecodeError, NoReplyError, RemoteProtocolError
from sessions.dlms.general_block_transfer import Arrival, unconfirmed_blocks

APDU = bytes(range(200))


def block(number: int, data: bytes = b"x", *, last: bool = False, streaming: bool = False, window: int = 1) -> bytes:
    return GeneralBlockTransfer(last, streaming, window, number, 0, data).encode()


def exchange(*, lossy: bool = False, **changes: Any) -> BlockExchange:
    return BlockExchange(**{"window": 4, "streams": True, "lossy": lossy, "reply_timeout": 2.0, **changes})


def test_what_is_a_block():
    assert is_block(block(1))
    assert not is_block(b"")
    assert not is_block(b"\xc4\x01")


def test_an_answer_in_blocks():
    blocks = exchange()
    blocks.begin()
    assert blocks.take(block(1), inside=False, expected=True).blocks[0].block_number_ack == 1
    assert blocks.take(block(2, last=True), inside=False, expected=True).apdu == b"xx"
    assert not blocks.asked.awaits_answer


def test_a_push_in_the_middle_of_an_answer():
    """A push has no window and streams: it is put together beside, and nobody acknowledges it."""
    blocks = exchange()
    blocks.take(block(1, b"an"), inside=False, expected=True)
    pushed = unconfirmed_blocks(APDU, 100)
    for each in pushed[:-1]:
        assert blocks.take(each.encode(), inside=False, expected=True) == Arrival()
    blocks.take(block(2, b"sw"), inside=False, expected=True)
    assert blocks.take(pushed[-1].encode(), inside=False, expected=True).apdu == APDU
    assert blocks.take(block(3, b"er", last=True), inside=False, expected=True).apdu == b"answer"


@pytest.mark.parametrize("streaming", [False, True])
def test_a_push_while_nothing_is_asked(streaming):
    blocks = exchange()
    for each in unconfirmed_blocks(APDU, 100):
        octets = replace(each, streaming=streaming).encode()
        arrival = blocks.take(octets, inside=False, expected=False)
        assert arrival.blocks == ()
    assert arrival.apdu == APDU


def test_an_answer_whose_blocks_lack_a_window_is_acknowledged_all_the_same():
    blocks = exchange()
    assert blocks.take(block(1, window=0), inside=False, expected=True).blocks[0].block_number_ack == 1
    assert blocks.take(block(2, last=True, window=0), inside=False, expected=True).apdu == b"xx"


def test_a_push_that_wants_acknowledgements_has_them():
    blocks = exchange()
    assert blocks.take(block(1), inside=False, expected=False).blocks[0].block_number_ack == 1
    assert blocks.take(block(2, last=True), inside=False, expected=False).apdu == b"xx"


def test_the_end_of_something_that_nobody_waits_for_is_nothing():
    blocks = exchange()
    assert blocks.take(block(7), inside=False, expected=False) == Arrival()
    assert blocks.take(block(1, b""), inside=False, expected=False) == Arrival()


def test_what_is_no_block_after_all():
    with pytest.raises(DecodeError):
        exchange().take(b"\xe0\x00", inside=False, expected=True)


def test_the_layer_of_the_blocks_is_kept_until_the_next_request():
    blocks = exchange()
    blocks.take(block(1), inside=True, expected=True)
    assert blocks.inside
    blocks.begin()
    assert not blocks.inside


def test_a_push_without_an_end_is_cut_off():
    blocks = exchange()
    with pytest.raises(RemoteProtocolError, match="does not end"):
        for number in range(1, 1000):
            blocks.take(block(number, bytes(60_000), streaming=True, window=0), inside=False, expected=False)
    assert number * 60_000 > MAX_PUSHED_OCTETS
    assert (number - 1) * 60_000 <= MAX_PUSHED_OCTETS


# -- silence -----------------------------------------------------------------------------------------------------------


def test_on_a_good_line_silence_is_the_links():
    blocks = exchange()
    blocks.take(block(1, streaming=True), inside=False, expected=True)
    blocks.wait(10.0, progress=True)
    assert blocks.deadline is None
    assert not blocks.is_over(1000.0)


def test_on_a_lossy_line_blocks_are_asked_for_again_and_not_for_ever():
    blocks = exchange(lossy=True)
    blocks.take(block(1, streaming=True), inside=False, expected=True)
    blocks.wait(10.0, progress=True)
    now = 10.0
    for _ in range(MAX_RETRIES):
        assert not blocks.is_over(now + 1.9)
        now += 2.0
        assert blocks.is_over(now)
        assert [each.block_number_ack for each in blocks.ask_again(now)] == [1]
    with pytest.raises(NoReplyError, match="stay away"):
        blocks.ask_again(now)
    assert blocks.deadline is None


def test_a_block_that_comes_gives_new_patience():
    blocks = exchange(lossy=True)
    blocks.take(block(1, streaming=True), inside=False, expected=True)
    blocks.wait(0.0, progress=True)
    for number in range(2, 10):
        blocks.ask_again(0.0)
        blocks.take(block(number, streaming=True), inside=False, expected=True)
        blocks.wait(0.0, progress=True)
    blocks.take(block(10, last=True), inside=False, expected=True)
    blocks.wait(0.0, progress=True)
    assert blocks.deadline is None
