"""`manage.py fault_proxy --listen HOST:PORT --to ENDPOINT [--seed N] [--bit-errors P] …`: a bad line before a meter; no database.

Prints JSON lines: where it listens, then each connection and each fault with its time (seconds since the start) and the octet of
its direction. Serves until SIGTERM or SIGINT. Exit codes: 0, 1 the port cannot be used, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import json
import signal
from argparse import ArgumentTypeError
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions.links.endpoint import Endpoint, UdpEndpoint
from sessions.management.fault_arguments import add_fault_arguments, given_faults
from sessions.management.line_command import endpoint
from sessions.simulator.fault_proxy import FaultProxy
from sessions.simulator.faults import LineFaults

LOOPBACK: Final = "127.0.0.1"


class Command(BaseCommand):
    help = "A bad line before a meter: faults by a seed, told as JSON lines. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--listen", type=_listen, required=True, metavar="[HOST:]PORT", help=f"default host {LOOPBACK}; port 0: any"
        )
        parser.add_argument(
            "--to", type=_meter, required=True, metavar="ENDPOINT", help="HOST:PORT, tcp://…, serial://… or rfc2217://…"
        )
        add_fault_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            faults = given_faults(options) or LineFaults()
            asyncio.run(self._run(options["listen"], options["to"], faults))
        except (ArgumentTypeError, OSError) as error:
            raise CommandError(str(error), returncode=2 if isinstance(error, ArgumentTypeError) else 1) from None

    async def _run(self, listen: tuple[str, int], meter: Endpoint, faults: LineFaults) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with FaultProxy(*listen, meter, faults, self._tell) as proxy:
            self._tell({"listening": f"tcp://{proxy.host}:{proxy.number}", "to": str(meter)})
            await stop.wait()

    def _tell(self, what: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(what, ensure_ascii=False))
        self.stdout.flush()


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 0xFFFF or (colon and not host):
        raise ArgumentTypeError("write HOST:PORT, or PORT for the loopback alone")
    return host.strip("[]") or LOOPBACK, int(port)


def _meter(text: str) -> Endpoint:
    found = endpoint(text if "://" in text else f"tcp://{text}")
    if isinstance(found, UdpEndpoint):
        raise ArgumentTypeError("the proxy's connections are TCP: a meter on UDP cannot be behind it")
    return found
