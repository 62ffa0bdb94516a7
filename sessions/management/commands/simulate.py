"""`manage.py simulate [--lab FILE | --replay FILE#ID | --gxc FILE | --snapshot FILE | --count N] [--port P]`: simulated meters,
without a database.

One line of JSON on stdout once everything listens, with every meter's endpoint and association as `read` takes it, and with
`--truth PORT` the address that tells what really happens in the lab (`sessions/simulator/truth_port.py`); then it serves
until SIGTERM or SIGINT and ends with 0. With `--state DIR` the meters remember.
Exit codes: 1 the lab, the trace or a state cannot be used, 2 wrong usage.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sessions.management.fault_arguments import add_fault_arguments, given_faults
from sessions.simulator.lab import DEFAULT_PORT, LABS, Lab, LabError, load_lab, plain_lab, with_ports
from sessions.simulator.listeners import TruthOptions, run_lab
from sessions.simulator.quirks import QUIRKS
from sessions.simulator.quirks.manners import Manners
from sessions.simulator.state_file import StateError

MAX_COUNT = 10_000
LAB_NAMES = ", ".join(sorted(path.stem for path in LABS.glob("*.toml")))
WRONG_USAGE = 2


class Command(BaseCommand):
    help = (
        "Simulate meters: a lab, a recorded meter, the meters of a device file, that of a snapshot, or a number of plain "
        "meters on TCP ports. Needs no database."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        self._add_sources(parser)
        parser.add_argument(
            "--port", type=_port, metavar="P", help=f"first TCP port (0: any free one; default {DEFAULT_PORT})"
        )
        parser.add_argument("--serial-dir", type=Path, metavar="DIR", help="where pseudo-terminals get their names")
        parser.add_argument(
            "--state", type=Path, metavar="DIR", help="where the meters' keys, counters and states survive the program"
        )
        parser.add_argument(
            "--push-anywhere", action="store_true", help="meters also push beyond the loopback of this machine"
        )
        self._add_truth(parser)
        add_fault_arguments(parser)
        parser.add_argument(
            "--quirk",
            action="append",
            choices=sorted(QUIRKS),
            metavar="NAME",
            help="what all the meters do otherwise than the standard; several may be given, --quirks lists them",
        )
        parser.add_argument("--quirks", action="store_true", help="list the quirks, and end")

    def _add_sources(self, parser: CommandParser) -> None:
        """Which meters."""
        source = parser.add_mutually_exclusive_group()
        source.add_argument(
            "--lab", type=Path, metavar="FILE.toml", help=f"a lab of meters and lines, or one of: {LAB_NAMES}"
        )
        source.add_argument("--replay", type=_trace, metavar="FILE#ID", help="a recorded meter from a file of traces")
        source.add_argument("--gxc", type=Path, metavar="FILE.gxc", help="the meters of a GXDLMSDirector device file")
        source.add_argument("--snapshot", type=Path, metavar="FILE.json", help="the meter of a snapshot")
        source.add_argument("--count", type=_count, metavar="N", help="N wrapper meters, on the ports from --port on")
        parser.add_argument(
            "--association", type=Path, metavar="FILE.toml", help="of a snapshot's meter: address, keys and secrets"
        )

    def _add_truth(self, parser: CommandParser) -> None:
        """Who is told what really happens."""
        parser.add_argument(
            "--truth",
            type=_port,
            metavar="PORT",
            help="tell what really happens in the lab, by HTTP on the loopback (0: any)",
        )
        parser.add_argument("--truth-keys", action="store_true", help="tell the simulated meters' keys there, too")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["quirks"]:
            width = max(map(len, QUIRKS))
            self.stdout.write("\n".join(f"{quirk.name:<{width}}  {quirk.words}" for quirk in QUIRKS.values()))
            return
        if options["truth_keys"] and options["truth"] is None:
            raise CommandError("--truth-keys belongs to --truth PORT", returncode=WRONG_USAGE)
        if options["state"] is not None and (options["replay"] or options["gxc"] or options["snapshot"]):
            raise CommandError("--state belongs to --lab or --count", returncode=WRONG_USAGE)
        if options["association"] is not None and options["snapshot"] is None:
            raise CommandError("--association belongs to --snapshot FILE.json", returncode=WRONG_USAGE)
        truth = None if options["truth"] is None else TruthOptions(options["truth"], options["truth_keys"])
        try:
            with tempfile.TemporaryDirectory(prefix="lab-") as directory:
                run_lab(
                    replace(_with_faults(_lab(options), options), push_anywhere=options["push_anywhere"]),
                    options["serial_dir"] or Path(directory),
                    self._announce,
                    truth,
                )
        except (LabError, StateError) as error:
            raise CommandError(str(error)) from None

    def _announce(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _lab(options: dict[str, Any]) -> Lab:
    port: int | None = options["port"]
    if options["lab"] is not None:
        lab = load_lab(_lab_file(options["lab"]), _now, options["state"])
        return lab if port is None else with_ports(lab, port)
    first = DEFAULT_PORT if port is None else port
    if options["replay"] is not None:
        from sessions.simulator.replay import replay_lab

        lab = replay_lab(*options["replay"], port=first)
    elif options["gxc"] is not None:
        from sessions.simulator.gxc import gxc_lab

        lab = gxc_lab(options["gxc"], _now, port=first)
    elif options["snapshot"] is not None:
        from sessions.simulator.snapshot import snapshot_lab

        lab = snapshot_lab(options["snapshot"], _now, port=first, association=options["association"])
    else:
        lab = plain_lab(options["count"] or 1, first, _now, state=options["state"])
    # Who named a port means that one; the usual one may be taken, the announcement says which it is.
    return replace(lab, fixed_ports=port is not None)


def _with_faults(lab: Lab, options: dict[str, Any]) -> Lab:
    """All its lines bad ones, and all its meters odd ones, where the command says so."""
    try:
        faults = given_faults(options)
    except ArgumentTypeError as error:
        raise CommandError(str(error), returncode=WRONG_USAGE) from None
    lines = lab.lines if faults is None else tuple(replace(line, faults=faults) for line in lab.lines)
    if options["quirk"]:
        manners = Manners(quirks=tuple(options["quirk"]))
        lines = tuple(
            replace(line, meters=tuple(replace(meter, manners=manners) for meter in line.meters)) for line in lines
        )
    return replace(lab, lines=lines)


def _lab_file(path: Path) -> Path:
    """A file, or by its name alone one of the labs that come along."""
    shipped = LABS / f"{path}.toml"
    return shipped if not path.exists() and shipped.is_file() else path


def _now() -> datetime:
    return datetime.now(UTC)


def _trace(text: str) -> tuple[Path, str]:
    file, sharp, identifier = text.rpartition("#")
    if not sharp or not file or not identifier:
        raise ArgumentTypeError("write FILE#ID: a file of traces, and the id of one of them")
    return Path(file), identifier


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 0xFFFF:
        raise ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_COUNT:
        raise ArgumentTypeError(f"a number from 1 to {MAX_COUNT}")
    return int(text)
