"""What each target is fed at once, at most: as long as the product hands it over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.axdr import decode_data
from sessions.dlms.hdlc.frame import MAX_LENGTH
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.inspector import Dissector
from sessions.dlms.inspector.framing import WRAPPER_HEADER
from sessions.links.line import MAX_READ
from tests.fuzz.bombs import apdu_bombs, data_bombs, frame_bombs, plain_inputs, stream_bombs, text_bombs
from tests.fuzz.seeds import MAX_OCTETS
from tests.fuzz.targets import LISTENING, listen, run

Inputs = Iterator[tuple[str, bytes]]

WHOLE: Final = 1 << 20
"""An APDU as long as blocks may make it."""
LONGEST_FRAME: Final = WRAPPER_HEADER + 0xFFFF
"""Octets of a wrapper frame: no line has a longer one."""
LONGEST_DATAGRAM: Final = 0xFFFF
LONGEST_BLOCK: Final = 0xFFFF
"""Octets of one block: a PDU holds no more, and the next one is another input."""
REST: Final = b"\xff"
"""The mark of `peers.pieces` for all that is left."""


class Feed(NamedTuple):
    """`bombs` of the target's own kind; octets at most; what goes before."""

    bombs: Callable[[], Inputs]
    most: int
    before: bytes = b""

    def cut(self, octets: bytes) -> bytes:
        return (self.before + octets)[: self.most]

    def inputs(self) -> Inputs:
        """Hostile ones and plain ones."""
        for source in (self.bombs, plain_inputs):
            yield from ((name, self.cut(octets)) for name, octets in source())


def dissect(octets: bytes) -> None:
    """Frames as they come off a line: no more of them together than one read brings, the last of them however long."""
    taken = 0
    for dissection in Dissector().feed_all(octets):
        taken += dissection.fields.length
        if taken >= MAX_READ:
            break


def read_block(octets: bytes) -> None:
    """An array that arrives in blocks, the last octet of each held back until the next one."""
    stream = ArrayStream()
    stream.feed(octets[:-1])
    stream.feed(octets[-1:])
    stream.finish()


DECODERS: Final[Mapping[str, Sequence[Callable[[bytes], object]]]] = {
    "data": (decode_data,),
    "data_in_pieces": (read_block,),
    "apdu": (decode_apdu,),
    "data_lines": (decode_data_block,),
    "iec62056_21_stream": tuple(partial(listen, how) for how in LISTENING),
    "frame": (dissect,),
}
"""Where the target does more than what the product does with an input: it encodes what it read, and reads that; it makes JSON
of it; it hears the octets in every way. The slowest of several is measured."""


def decoders_of(name: str) -> Sequence[Callable[[bytes], object]]:
    """What is measured of a target: ends in an answer or a `DlmsError`."""
    return DECODERS.get(name) or (partial(run, name),)


FEEDS: Final[Mapping[str, Feed]] = {
    "data": Feed(data_bombs, WHOLE),
    "data_in_pieces": Feed(data_bombs, LONGEST_BLOCK),
    "apdu": Feed(apdu_bombs, WHOLE),
    "initiate_request": Feed(apdu_bombs, WHOLE),
    "initiate_response": Feed(apdu_bombs, WHOLE),
    "hdlc_stream": Feed(stream_bombs, MAX_READ),
    "hdlc_parameters": Feed(data_bombs, MAX_LENGTH),
    "hdlc_talk": Feed(stream_bombs, MAX_OCTETS),
    "wrapper_stream": Feed(stream_bombs, MAX_READ),
    "datagrams": Feed(stream_bombs, LONGEST_DATAGRAM),
    "iec62056_21_stream": Feed(text_bombs, MAX_READ),
    "data_lines": Feed(text_bombs, WHOLE),
    "telegram": Feed(text_bombs, WHOLE),
    "mbus_frame": Feed(text_bombs, WHOLE),
    "sign_on_client": Feed(text_bombs, MAX_READ),
    "moments": Feed(data_bombs, MAX_OCTETS),
    "obis_text": Feed(text_bombs, WHOLE),
    "ciphered": Feed(apdu_bombs, WHOLE),
    "general_protection": Feed(apdu_bombs, WHOLE),
    "certificate": Feed(apdu_bombs, WHOLE),
    "key_file": Feed(text_bombs, WHOLE),
    "security_setup": Feed(data_bombs, WHOLE),
    "frame": Feed(frame_bombs, LONGEST_FRAME),
    "client_wrapper": Feed(apdu_bombs, WHOLE, REST),
    "client_hdlc": Feed(stream_bombs, MAX_READ),
    "server_wrapper": Feed(apdu_bombs, WHOLE, REST),
    "server_hdlc": Feed(stream_bombs, MAX_READ),
    "client_short_names": Feed(apdu_bombs, WHOLE, REST),
    "server_short_names": Feed(apdu_bombs, WHOLE, REST),
}
