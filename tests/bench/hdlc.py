"""HDLC: frames found in the octets of a line."""

from __future__ import annotations

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import InfoFrame
from sessions.dlms.hdlc.stream import FrameReader
from tests.bench.measure import Figure, rate

FRAMES = 1000


def line() -> bytes:
    frame = InfoFrame(
        destination=client_address(16),
        source=server_address(1, 17, 2),
        send_sequence=0,
        receive_sequence=0,
        information=bytes(range(120)),
    )
    return frame.encode() * FRAMES


def figures() -> dict[str, Figure]:
    octets = line()
    return {"frames of 120 octets found in a stream": rate("frames/s", FRAMES, lambda: FrameReader().feed(octets))}
