"""What asks for more than it holds is refused, or read, within a megabyte and a small multiple of its own size."""

from __future__ import annotations

import contextlib
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.axdr import decode_data
from sessions.dlms.cursor import MAX_FIELDS
from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.frame import MAX_LENGTH
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.inspector import Dissector
from sessions.links.line import MAX_READ
from tests.fuzz.bombs import apdu_bombs, data_bombs, long_data, plain_inputs, stream_bombs, text_bombs
from tests.fuzz.seeds import MAX_OCTETS
from tests.fuzz.targets import TARGETS, run

BASE, FACTOR = 1 << 20, 16
OCTETS_PER_FIELD = 600
"""What a row of the inspector's tree takes. Its tree is bounded by itself, not by the octets."""
TREE = BASE + MAX_FIELDS * OCTETS_PER_FIELD

Bombs = Callable[[], Iterator[tuple[str, bytes]]]
Case = tuple[Bombs, int, bytes]
"""What a target is fed, how many octets of it at most, and what goes before: as the product hands it over at once."""
WHOLE, REST = 1 << 20, b"\xff"
"""An APDU as long as blocks may make it; the mark of `peers.pieces` for all that is left."""

CASES: dict[str, Case] = {
    "data": (data_bombs, WHOLE, b""),
    "data_in_pieces": (data_bombs, WHOLE, b""),
    "apdu": (apdu_bombs, WHOLE, b""),
    "initiate_request": (apdu_bombs, WHOLE, b""),
    "initiate_response": (apdu_bombs, WHOLE, b""),
    "hdlc_stream": (stream_bombs, MAX_READ, b""),
    "hdlc_parameters": (data_bombs, MAX_LENGTH, b""),
    "hdlc_talk": (stream_bombs, MAX_OCTETS, b""),
    "wrapper_stream": (stream_bombs, MAX_READ, b""),
    "datagrams": (stream_bombs, WHOLE, b""),
    "iec62056_21_stream": (text_bombs, MAX_READ, b""),
    "data_lines": (text_bombs, WHOLE, b""),
    "telegram": (text_bombs, WHOLE, b""),
    "mbus_frame": (text_bombs, WHOLE, b""),
    "sign_on_client": (text_bombs, MAX_READ, b""),
    "moments": (data_bombs, MAX_OCTETS, b""),
    "obis_text": (text_bombs, WHOLE, b""),
    "ciphered": (apdu_bombs, WHOLE, b""),
    "general_protection": (apdu_bombs, WHOLE, b""),
    "certificate": (apdu_bombs, WHOLE, b""),
    "key_file": (text_bombs, WHOLE, b""),
    "security_setup": (data_bombs, WHOLE, b""),
    "client_wrapper": (apdu_bombs, WHOLE, REST),
    "client_hdlc": (stream_bombs, MAX_READ, b""),
    "server_wrapper": (apdu_bombs, WHOLE, REST),
    "server_hdlc": (stream_bombs, MAX_READ, b""),
    "client_short_names": (apdu_bombs, WHOLE, REST),
    "server_short_names": (apdu_bombs, WHOLE, REST),
}
"""The target `frame` makes trees: below."""

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


def inputs_of(case: Case) -> Iterator[tuple[str, bytes]]:
    bombs, most, before = case
    for source in (bombs, plain_inputs):
        yield from ((name, (before + octets)[:most]) for name, octets in source())


DECODERS: dict[str, Decoder] = {"data": decode_data, "apdu": decode_apdu, "data_lines": decode_data_block}
"""Where the target does more than its decoder: it encodes what it read, and reads that."""


@pytest.mark.parametrize("name", CASES)
def test_no_input_takes_much_more_than_it_brings(name: str) -> None:
    decode = DECODERS.get(name) or partial(run, name)
    assert dear(decode, inputs_of(CASES[name])) == {}


def test_a_megabyte_of_values_takes_no_more() -> None:
    assert dear(decode_data, long_data()) == {}


def dissect(octets: bytes) -> None:
    for _ in Dissector().feed_all(octets):
        pass


@pytest.mark.parametrize("bombs", [text_bombs, data_bombs, apdu_bombs, stream_bombs, plain_inputs])
def test_the_inspector_takes_what_its_tree_may_take(bombs: Bombs) -> None:
    assert dear(dissect, bombs(), TREE) == {}


def test_every_target_is_held_to_it() -> None:
    assert {*CASES, "frame"} == set(TARGETS)
