"""`manage.py listen ENDPOINT… [--association FILE.toml]… [--count N]`: what meters send by themselves, as JSON lines.

Endpoints are tcp://host:port or udp://host:port of this machine (port 0: any free one). The framing, wrapper or HDLC, shows by
itself. Ciphered notifications are opened with the keys of the association files, and confirmed where they ask for it.
Confirmations of ciphered ones use invocation counters, which are reserved as `read` does; give `invocation_counter` in the file
where the meter has seen higher ones already. The first line says where it listens; then a line for each notification or error,
until SIGTERM, SIGINT or --count. It needs no database.

Exit codes: 0, 1 a port or an association cannot be used, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.management.base import CommandParser

from meters.cosem.data import as_json
from sessions.association_file import load_association
from sessions.command_counters import reserved_counters
from sessions.dlms.apdu.notification import DataNotification, EventNotificationRequest
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError
from sessions.dlms.notification_receiver import Heard, Listener
from sessions.links.endpoint import TcpEndpoint, UdpEndpoint
from sessions.links.listening import ListeningPort
from sessions.management.line_command import LineCommand, dumps
from sessions.reading import CounterSource

COUNTER_BLOCK: Final = 128
COUNTERS_LOW: Final = 16


@dataclass(slots=True)
class Counted:
    """A listener whose counters are reserved before they are used."""

    listener: Listener
    source: CounterSource | None
    numbers: InvocationCounters = field(default_factory=InvocationCounters)

    async def top_up(self) -> None:
        if self.source is not None and self.numbers.remaining < COUNTERS_LOW:
            self.numbers.extend(await self.source.reserve(COUNTER_BLOCK))


class Command(LineCommand):
    help = "Listen for what meters send by themselves, and print it as JSON lines. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "endpoints", nargs="+", type=_port, metavar="ENDPOINT", help="tcp://host:port or udp://host:port"
        )
        parser.add_argument(
            "--association",
            action="append",
            default=[],
            metavar="FILE.toml",
            help="keys of a meter; several may be given",
        )
        parser.add_argument("--count", type=int, metavar="N", help="end after so many notifications")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(self._listen(options["endpoints"], options["association"], options["count"]))
        except DlmsError as error:
            self.refuse(error, as_json=True)

    async def _listen(
        self, endpoints: Sequence[TcpEndpoint | UdpEndpoint], files: Sequence[str], count: int | None
    ) -> None:
        stop, left = asyncio.Event(), [count]
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        counted = [await _listener(path) for path in files]
        listeners = [each.listener for each in counted]

        async def prepare() -> None:
            for each in counted:
                await each.top_up()

        async with contextlib.AsyncExitStack() as listening:
            ports: list[ListeningPort] = []

            def tell(sender: str, what: Heard | DlmsError) -> None:
                self._say(told(sender, what))
                if left[0] is not None and isinstance(what, Heard) and what.notification is not None:
                    left[0] -= 1
                    if left[0] <= 0:
                        stop.set()

            for each in endpoints:
                ports.append(await listening.enter_async_context(ListeningPort(each, listeners, tell, prepare)))
            self._say({"listening": [str(port.endpoint) for port in ports]})
            await stop.wait()

    def _say(self, what: dict[str, Any]) -> None:
        self.stdout.write(dumps(what))
        self.stdout.flush()


def _port(text: str) -> TcpEndpoint | UdpEndpoint:
    kinds: dict[str, type[TcpEndpoint] | type[UdpEndpoint]] = {"tcp": TcpEndpoint, "udp": UdpEndpoint}
    try:
        parts = urlsplit(text)
        kind, host, port = kinds.get(parts.scheme), parts.hostname, parts.port
    except ValueError:
        kind = None
    if kind is None or not host or port is None:
        raise ArgumentTypeError(f"“{text}” is no place to listen: tcp://host:port or udp://host:port, port 0 for any")
    return kind(host, port)


async def _listener(path: str) -> Counted:
    association = load_association(path)
    source = reserved_counters(path, association)
    if source is not None and association.invocation_counter is not None:
        await source.learn(association.invocation_counter, trusted=True)
    numbers = InvocationCounters()
    listener = Listener(association.parameters, numbers, secrets.token_bytes)
    made = Counted(listener, source, numbers)
    await made.top_up()
    return made


# -- as JSON -----------------------------------------------------------------------------------------------------------


def told(sender: str, what: Heard | DlmsError) -> dict[str, Any]:
    """What came, or what was wrong with it, with this machine's time."""
    line: dict[str, Any] = {"time": datetime.now(UTC).isoformat(), "from": sender}
    if isinstance(what, DlmsError):
        return line | {"error": what.as_dict()}
    line |= {"framing": what.framing, "client_sap": what.client_sap, "server_sap": what.server_sap}
    if what.error is not None:
        return line | {"error": what.error.as_dict(), "octets": what.octets.hex().upper()}
    return line | {"system_title": what.system_title.hex().upper(), "protected": what.protected, **_notification(what)}


def _notification(heard: Heard) -> dict[str, Any]:
    match heard.notification:
        case DataNotification() as push:
            return {
                "kind": "data-notification",
                "long_invoke_id": push.long_invoke_id_and_priority & 0xFFFFFF,
                "confirmation": _confirmation(heard, push),
                "date_time": None if push.date_time is None else str(push.date_time),
                "body": as_json(push.notification_body),
            }
        case EventNotificationRequest() as event:
            return {
                "kind": "event-notification",
                "date_time": None if event.time is None else str(event.time),
                "attribute": str(event.cosem_attribute_descriptor),
                "body": as_json(event.attribute_value),
            }
    assert heard.notification is not None  # there was no error
    return {"kind": "information-report", "summary": heard.notification.summary()}


def _confirmation(heard: Heard, push: DataNotification) -> str:
    if not push.wants_confirmation:
        return "not asked for"
    return "sent" if heard.confirmed else f"not possible: {heard.unconfirmed.message if heard.unconfirmed else ''}"
