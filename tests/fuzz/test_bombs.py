"""What asks for more than it holds is refused, or read, within a megabyte and a small multiple of its own size."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from sessions.dlms.axdr import decode_data
from sessions.dlms.cursor import MAX_FIELDS
from sessions.dlms.errors import DlmsError
from tests.fuzz.bombs import apdu_bombs, data_bombs, long_data, plain_inputs, stream_bombs, text_bombs
from tests.fuzz.limits import FEEDS, Inputs, decoders_of
from tests.fuzz.targets import TARGETS

BASE, FACTOR = 1 << 20, 16
OCTETS_PER_FIELD = 600
"""What a row of the inspector's tree takes. Its tree is bounded by itself, not by the octets."""
TREE = BASE + MAX_FIELDS * OCTETS_PER_FIELD

Decoder = Callable[[bytes], object]


def memory_of(decode: Decoder, octets: bytes) -> int:
    """Octets that were allocated at once, at most, while one input was handled."""
    tracemalloc.start()
    try:
        with contextlib.suppress(DlmsError):
            decode(octets)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def dear(decode: Decoder, inputs: Iterator[tuple[str, bytes]], base: int = BASE) -> dict[str, tuple[int, int]]:
    """Which inputs took too much memory, and for how many octets."""
    memory_of(decode, b"\x00")  # what is made once, is no input's
    costs = {name: (memory_of(decode, octets), len(octets)) for name, octets in inputs}
    return {name: cost for name, cost in costs.items() if cost[0] > base + FACTOR * cost[1]}


@pytest.mark.parametrize("name", [name for name in FEEDS if name != "frame"])
def test_no_input_takes_much_more_than_it_brings(name: str) -> None:
    for decode in decoders_of(name):
        assert dear(decode, FEEDS[name].inputs()) == {}


def test_a_megabyte_of_values_takes_no_more() -> None:
    assert dear(decode_data, long_data()) == {}


@pytest.mark.parametrize("bombs", [text_bombs, data_bombs, apdu_bombs, stream_bombs, plain_inputs])
def test_the_inspector_takes_what_its_tree_may_take(bombs: Callable[[], Inputs]) -> None:
    for decode in decoders_of("frame"):
        assert dear(decode, bombs(), TREE) == {}


def test_every_target_is_held_to_it() -> None:
    assert set(FEEDS) == set(TARGETS)
