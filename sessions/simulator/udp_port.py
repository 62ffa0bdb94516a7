"""A UDP port of the lab: each address that sends has a station of its own, until it is silent for too long."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sessions.simulator.lab import Lab, LabError
from sessions.simulator.stations import Station

MAX_PEERS: Final = 64
"""Addresses that are served at once; the one that was silent longest makes room for another."""


@dataclass(slots=True)
class Peer:
    """An address that sends. `heard`: when its last datagram came."""

    station: Station
    heard: float
    timer: asyncio.TimerHandle | None = None


class UdpPort(asyncio.DatagramProtocol):
    """A port that takes datagrams. What a client does to its own station, the others do not notice."""

    def __init__(
        self,
        make_station: Callable[[], Station],
        lab: Lab,
        port: int,
        complain: Callable[[str], None],
        *,
        delay: float = 0.0,
    ) -> None:
        self.number = port
        self._make_station = make_station
        self._lab = lab
        self._delay = delay
        self._complain = complain
        self._peers: dict[object, Peer] = {}
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> UdpPort:
        try:
            await self._listen(self.number)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or self._lab.fixed_ports:
                reason = error.strerror
                raise LabError(f"UDP port {self.number} of {self._lab.host} cannot be used: {reason}") from None
            await self._listen(0)
        assert self._transport is not None  # it listens
        self.number = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._transport is not None:
            self._transport.close()
        now = asyncio.get_running_loop().time()
        for peer in self._peers.values():
            _forget(peer, now)
        self._peers.clear()

    async def _listen(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._lab.host, port))

    # -- what asyncio tells ------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: object) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        peer = self._peer(addr, now)
        try:
            peer.station.receive_octets(data, now)
        except Exception as error:
            self._complain(f"a datagram was dropped: {error!r}")
            _forget(self._peers.pop(addr), now)
            return
        self._answer(peer, addr)

    def _answer(self, peer: Peer, address: object) -> None:
        """Send what the station says, now and when its next timer is due."""
        loop = asyncio.get_running_loop()
        while answer := peer.station.octets_to_send():
            loop.call_later(self._delay, self._send, answer, address)
        if peer.timer is not None:
            peer.timer.cancel()
        if (due := peer.station.next_timer()) is not None:
            peer.timer = loop.call_at(due, self._timer_due, peer, address)

    def _timer_due(self, peer: Peer, address: object) -> None:
        peer.station.handle_timer(asyncio.get_running_loop().time())
        self._answer(peer, address)

    def error_received(self, exc: Exception) -> None:
        """A client went away before its answer came: nothing to do."""

    def _send(self, answer: bytes, address: object) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, address)  # type: ignore[arg-type]  # whatever asyncio named it

    def _peer(self, address: object, now: float) -> Peer:
        """The address's station: a new one for a new address, and for one that was silent for too long."""
        peer = self._peers.pop(address, None)
        if peer is not None and now - peer.heard > self._lab.inactivity_timeout:
            _forget(peer, now)
            peer = None
        if peer is None:
            peer = Peer(self._make_station(), now)
        peer.heard = now
        self._peers[address] = peer  # the last in the order of silence
        if len(self._peers) > MAX_PEERS:
            _forget(self._peers.pop(next(iter(self._peers))), now)
        return peer


def _forget(peer: Peer, now: float) -> None:
    """The address is gone, and what waited for it."""
    if peer.timer is not None:
        peer.timer.cancel()
    peer.station.connection_lost(now)
