"""What asks for more than it holds is refused, or read, within a megabyte and a small multiple of its own size."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.axdr import decode_data
from sessions.dlms.cursor import MAX_FIELDS
from sessions.dlms.errors import DlmsError
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.iec62056_21.telegram import decode_telegram
from sessions.dlms.initiate import decode_initiate_request, decode_initiate_response
from sessions.dlms.inspector import Dissector
from sessions.dlms.mbus import decode_mbus_frame
from tests.fuzz.bombs import apdu_bombs, data_bombs, stream_bombs, text_bombs
from tests.fuzz.targets import data_in_pieces, hdlc_stream, iec62056_21_stream, wrapper_stream

BASE, FACTOR = 1 << 20, 16
FACTOR_OF_STREAMS = 48
"""Each damaged frame of a line is told by itself, with its reason: the shortest has eight octets."""
OCTETS_PER_FIELD = 600
"""What a row of the inspector's tree takes. Its tree is bounded by itself, not by the octets."""

Decoder = Callable[[bytes], object]


def dissect(octets: bytes) -> None:
    Dissector().feed(octets)


TREE = BASE + MAX_FIELDS * OCTETS_PER_FIELD
PAIRS: list[tuple[Decoder, Callable[[], Iterator[tuple[str, bytes]]], int, int]] = [
    (decode_data, data_bombs, BASE, FACTOR),
    (data_in_pieces, data_bombs, BASE, FACTOR),
    (decode_apdu, apdu_bombs, BASE, FACTOR),
    (decode_initiate_request, apdu_bombs, BASE, FACTOR),
    (decode_initiate_response, apdu_bombs, BASE, FACTOR),
    (hdlc_stream, stream_bombs, BASE, FACTOR_OF_STREAMS),
    (wrapper_stream, stream_bombs, BASE, FACTOR_OF_STREAMS),
    (decode_data_block, text_bombs, BASE, FACTOR),
    (decode_telegram, text_bombs, BASE, FACTOR),
    (decode_mbus_frame, text_bombs, BASE, FACTOR),
    (iec62056_21_stream, text_bombs, BASE, FACTOR_OF_STREAMS),
    (dissect, text_bombs, TREE, FACTOR),
    (dissect, data_bombs, TREE, FACTOR),
    (dissect, apdu_bombs, TREE, FACTOR),
]


def memory_of(decode: Decoder, octets: bytes) -> int:
    """Octets that were allocated at once, at most, while one input was handled."""
    tracemalloc.start()
    try:
        with contextlib.suppress(DlmsError):
            decode(octets)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("decode", "bombs", "base", "factor"), PAIRS)
def test_no_input_takes_much_more_than_it_brings(decode, bombs, base, factor) -> None:
    memory_of(decode, b"\x00")  # what is made once, is no input's
    costs = {name: (memory_of(decode, octets), len(octets)) for name, octets in bombs()}
    assert {name: cost for name, cost in costs.items() if cost[0] > base + factor * cost[1]} == {}
