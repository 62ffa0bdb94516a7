"""The connections on which pushes go out, in asyncio: TCP and UDP, to this machine only unless the lab says otherwise.

A try is a success when the octets are out and nobody refused them, or when the confirmation came where one is awaited. UDP and
TCP confirm nothing by themselves: push_operation_method 0 and 1 are the same here. Source: Blue Book, class 40; IEC 62056-47.
"""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
from collections.abc import Callable
from typing import Final

from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.wrapper import WrapperServerLink
from sessions.links.endpoint import TcpEndpoint, UdpEndpoint
from sessions.links.line import Line, LineError
from sessions.links.tcp import open_tcp
from sessions.links.udp import open_udp
from sessions.simulator.lab import LabMeter
from sessions.simulator.meter import Meter
from sessions.simulator.push.delivery import Delivery
from sessions.simulator.push.rules import Destination, Push, Transport
from sessions.simulator.push.session import PushSession
from sessions.simulator.quirks.manners import push_hooks

CONNECTIONS: Final = 64
"""Tries that are under way at once; others wait for their turn."""
CONFIRMATION_TIMEOUT: Final = 10.0
"""Seconds that the meter waits for the client's confirmation."""
REFUSAL_TIME: Final = 0.1
"""Seconds within which a host says that nobody takes a datagram."""


class PushRefused(Exception):
    """The lab does not send there."""


class PushSender:
    """`anywhere`: also beyond the loopback. `ended` hears of each meter with a try that is over."""

    def __init__(self, *, anywhere: bool, ended: Callable[[Meter], None], complain: Callable[[str], None]) -> None:
        self._anywhere = anywhere
        self._ended = ended
        self._complain = complain
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(CONNECTIONS)

    def begin(self, lab_meter: LabMeter, meter: Meter, delivery: Delivery) -> None:
        task = asyncio.create_task(self._try(lab_meter, meter, delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _try(self, lab_meter: LabMeter, meter: Meter, delivery: Delivery) -> None:
        push, boots = delivery.push, meter.boots
        reason, for_good = "", False
        try:
            async with self._turns:
                self._check(push.rules.destination)
                await self._send(session_for(lab_meter, meter, push), push)
        except LineError as error:
            reason = error.message
        except (PushRefused, DlmsError) as error:
            reason, for_good = str(error), True
        if meter.boots != boots:
            return  # the power failed meanwhile: the meter knows nothing of it
        if reason:
            delivery.failed(reason, meter.clock.host(), for_good=for_good)
            if for_good:
                self._complain(f"meter {lab_meter.serial_number} does not push to {push.rules.destination}: {reason}")
        else:
            delivery.succeeded()
            if push.rules.confirmed:
                push.rules.was_confirmed(meter.clock.now())
        meter.outbox.settle()
        self._ended(meter)

    def _check(self, destination: Destination) -> None:
        if not self._anywhere and not is_loopback(destination.host):
            raise PushRefused("it is not the loopback of this machine; simulate --push-anywhere allows it")

    async def _send(self, session: PushSession, push: Push) -> None:
        """`LineError` where nobody took it, or confirmed it in time."""
        loop = asyncio.get_running_loop()
        line = await _open(push.rules.destination)
        try:
            await line.write(session.octets(loop.time()))
            if push.rules.confirmed:
                await self._await_confirmation(session, line)
            elif push.rules.destination.transport is Transport.UDP:
                await _await_refusal(line)
        finally:
            await line.close()

    @staticmethod
    async def _await_confirmation(session: PushSession, line: Line) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONFIRMATION_TIMEOUT):
                while not session.confirmed:
                    octets = await line.read()
                    if not octets:
                        raise LineError("The other side closed the connection without a confirmation.")
                    session.receive(octets, loop.time())
        except TimeoutError:
            raise LineError(f"No confirmation came within {CONFIRMATION_TIMEOUT:g} s.") from None


async def _open(destination: Destination) -> Line:
    if destination.transport is Transport.UDP:
        return await open_udp(UdpEndpoint(destination.host, destination.port))
    return await open_tcp(TcpEndpoint(destination.host, destination.port))


async def _await_refusal(line: Line) -> None:
    """A host on which nobody listens says so soon; one that is silent may have taken it."""
    try:
        async with asyncio.timeout(REFUSAL_TIME):
            await line.read()
    except TimeoutError:
        pass


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine and never leaves it. Names but “localhost” could be anybody's."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def session_for(lab_meter: LabMeter, meter: Meter, push: Push) -> PushSession:
    """A try of this meter, framed as its destination wants it."""
    hooks, sap = push_hooks(lab_meter.manners), push.rules.client_sap
    if push.rules.destination.transport is Transport.HDLC:
        hdlc = HdlcServerLink(
            server_sap=meter.server_sap,
            physical_address=lab_meter.physical_address,
            address_octets=lab_meter.address_octets,
            parameters=lab_meter.parameters,
        )
        return PushSession(
            meter, push, hdlc, lambda apdu, now: hdlc.push(apdu, now, client_sap=sap), secrets.token_bytes, hooks
        )
    datagrams = push.rules.destination.transport is Transport.UDP
    wrapper = WrapperServerLink(server_sap=meter.server_sap, datagrams=datagrams)
    wrapper.client_sap = sap
    return PushSession(meter, push, wrapper, wrapper.send_apdu, secrets.token_bytes, hooks)
