"""Peers that were talked to politely until the association stands, and that then meet octets of any kind."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from sessions.dlms.events import Failed, GetFinished, Released, RequestFailed
from sessions.dlms.wrapper import MAX_APDU
from sessions.simulator.lab import LabMeter
from sessions.simulator.stations import Station
from tests.sessions.dlms.scripted import CLOCK, Wire, associated
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import lab_meter

ENDS = (GetFinished, RequestFailed, Failed)
OPENING = {"client_sap": 32, "authentication": "none"}


def pieces(octets: bytes) -> Iterator[bytes]:
    """The input as several APDUs: an octet says how long the next one is, 255 takes the rest."""
    at = 0
    while at < len(octets):
        size = octets[at] if octets[at] < 255 else len(octets)
        yield octets[at + 1 : at + 1 + min(size, MAX_APDU)]
        at += 1 + size


def client_of(framing: str, octets: bytes) -> None:
    """A client with a request under way gets the octets: as the line's octets on HDLC, as APDUs on the wrapper.

    When the line ends after them, the request has ended too, in exactly one event.
    """
    wire = associated(hdlc=framing == "hdlc")
    wire.client.get(CLOCK, now=wire.now)
    wire.client.octets_to_send()
    if framing == "hdlc":
        wire.client.receive_octets(octets, wire.now)
        _take(wire)
    else:
        for piece in pieces(octets):
            if wire.client.state.name != "ASSOCIATED":
                break
            wire.server.send_apdu(piece, wire.now)
            wire._deliver()
            _take(wire)
    wire.client.handle_timer(wire.now + 1000)
    wire.client.connection_lost(wire.now + 1000)
    _take(wire)
    ends = [event for event in wire.events if isinstance(event, ENDS)]
    assert ends, wire.events
    assert sum(isinstance(event, GetFinished | RequestFailed) for event in ends) <= 1, ends
    assert sum(isinstance(event, Failed | Released) for event in wire.events) <= 1, wire.events


def _take(wire: Wire) -> None:
    """What the client's owner does at once: take octets and events. Only ends are kept."""
    wire.client.octets_to_send()
    wire._take()
    wire.events = [event for event in wire.events if isinstance(event, (*ENDS, Released))]
    wire.frames.clear()


@functools.lru_cache(maxsize=3)
def _meter(framing: str, meter_type: str) -> LabMeter:
    place: dict[str, Any] = {"physical_address": 17} if framing == "hdlc" else {}
    return lab_meter(OPENING, type=meter_type, **place)


def short_name_client_of(octets: bytes) -> None:
    """A client by short names, while it reads the meter's list for the first attribute that it is asked for.

    Each APDU answers whatever it asks then. Its request ends in exactly one event.
    """
    pair = Pair(_meter("wrapper", "short_names"))
    pair.open()
    pair.client.get(CLOCK, now=pair.now)
    ends: list[object] = []

    def take() -> None:
        pair.client.octets_to_send()
        while (event := pair.client.next_event()) is not None:
            if isinstance(event, ENDS):
                ends.append(event)

    for piece in pieces(octets):
        header = bytes((0, 1, 0, 1, 0, 32)) + len(piece).to_bytes(2, "big")
        pair.client.receive_octets(header + piece, pair.now)
        take()
    pair.client.handle_timer(pair.now + 1000)
    pair.client.connection_lost(pair.now + 1000)
    take()
    assert ends
    assert sum(isinstance(event, GetFinished | RequestFailed) for event in ends) <= 1, ends
    assert sum(isinstance(event, Failed) for event in ends) <= 1, ends


def server_of(framing: str, octets: bytes, meter_type: str = "three_phase") -> None:
    """A meter with an open association gets the octets; the next honest client is served all the same."""
    meter = _meter(framing, meter_type)
    pair = Pair(meter)
    pair.open()
    station: Station = pair.station
    if framing == "hdlc":
        station.receive_octets(octets, pair.now)
    else:
        for piece in pieces(octets):
            header = bytes((0, 1, 0, 32, 0, 1)) + len(piece).to_bytes(2, "big")
            station.receive_octets(header + piece, pair.now)
            station.octets_to_send()
    station.octets_to_send()
    station.connection_lost(pair.now)
