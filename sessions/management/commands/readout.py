"""`manage.py readout ENDPOINT [--read ADDRESS…] [--write ADDRESS=VALUE]… [--sign-on FILE.toml] [--listen] [--trace] [--json]`.

IEC 62056-21 without DLMS: the readout of modes A, B and C; addresses and writes in programming mode; with --listen the next
telegram that comes by itself (mode D, P1). No database.

Exit codes: 0 the meter answered (each address says its own result), 1 an error, said as one sentence or one JSON object with
layer, code, message and hint; 2 wrong usage.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from sessions.dlms.errors import DlmsError
from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.iec62056_21.naming import NamedDataSet, named_data_sets
from sessions.dlms.iec62056_21.profile import Profile
from sessions.dlms.link import FrameReceived, FrameSent
from sessions.links.readout import LineFrame
from sessions.management.line_command import LineCommand, dumps, endpoint, printable
from sessions.readout import Answer, Question, ReadoutReport, Wish, read_meter
from sessions.readout_file import ReadoutFile, load_readout_file
from sessions.trace import Trace

INTERRUPTED: Final = 130
USAGE: Final = 2


class Command(LineCommand):
    help = "Read a meter out by IEC 62056-21 (modes A to D, P1, programming mode). Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "endpoint", type=endpoint, help="serial:///dev/ttyUSB0, rfc2217://host:port or tcp://host:port"
        )
        parser.add_argument(
            "--read",
            action="extend",
            nargs="+",
            default=[],
            type=_usage(Question.parse),
            metavar="ADDRESS",
            help="read these in programming mode (R1; R5:P.01(from;to) for another command) instead of the readout",
        )
        parser.add_argument(
            "--write",
            action="append",
            default=[],
            type=_usage(Question.parse_write),
            metavar="ADDRESS=VALUE",
            help="write in programming mode (W1), after the password and before what is read",
        )
        parser.add_argument("--sign-on", metavar="FILE.toml", help="sign-on, password, time-outs")
        parser.add_argument("--listen", action="store_true", help="say nothing: wait for a telegram (mode D, P1)")
        parser.add_argument("--trace", action="store_true", help="each frame in a line, on the standard error")
        parser.add_argument("--json", action="store_true", help="JSON instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        questions = (*options["write"], *options["read"])
        if options["listen"] and questions:
            raise CommandError("--listen says nothing to the meter: it asks for no address", returncode=USAGE)
        try:
            file = load_readout_file(options["sign_on"]) if options["sign_on"] else ReadoutFile()
            on_frame = self._tracer(file) if options["trace"] else None
            wish = Wish(questions, options["listen"])
            report = asyncio.run(read_meter(options["endpoint"], file, wish, on_frame=on_frame))
        except DlmsError as error:
            self.refuse(error, as_json=options["json"])
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        else:
            self.stdout.write(dumps(report.as_json()) if options["json"] else show(report))

    def _tracer(self, file: ReadoutFile) -> Callable[[LineFrame], None]:
        """Prints frames with their secrets masked, the password's parity bits included."""
        trace = Trace(secrets=(file.password, with_even_parity(file.password)))

        def write(frame: LineFrame) -> None:
            if isinstance(frame, FrameSent | FrameReceived):
                sent = isinstance(frame, FrameSent)
                traced = trace.read(frame.octets, "sent" if sent else "received")
            else:
                sent, traced = False, trace.read_discarded(frame.octets, frame.reason)
            error = f" ({traced.error})" if traced.error else ""
            arrow = "->" if sent else "<-"
            self.stderr.write(printable(f"{arrow} {traced.octets.hex(' ')}  {traced.summary}{error}"))

        return write


def _usage(parse: Callable[[str], Question]) -> Callable[[str], Question]:
    def question(text: str) -> Question:
        try:
            return parse(text)
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return question


# -- for people --------------------------------------------------------------------------------------------------------


def show(report: ReadoutReport) -> str:
    """One line for each data set, with what its address means; profiles as tables; one line for each answer."""
    lines = [] if report.identification is None else [report.identification.summary()]
    lines += _data_lines([one for one in named_data_sets(report.data_sets) if one.data_set.address])
    for answer in report.answers:
        lines += _answer_lines(answer)
    for profile in report.profiles:
        lines += [f"  {line}" for line in _table(profile)]
    lines += [f"Note: {remark}" for remark in report.remarks]
    return "\n".join(printable(line) for line in lines)


def _data_lines(named: list[NamedDataSet]) -> list[str]:
    width = max((len(one.data_set.address) for one in named), default=0)
    texts = [" ".join(f"{value.value} {value.unit}".strip() for value in one.data_set.values) for one in named]
    wide = min(40, max(map(len, texts), default=0))
    return [
        f"{one.data_set.address:<{width}}  {text:<{wide}}  {one.words}".rstrip()
        for one, text in zip(named, texts, strict=True)
    ]


def _answer_lines(answer: Answer) -> list[str]:
    if isinstance(answer.outcome, DlmsError):
        return [f"{answer.question}: {answer.outcome.message}"]
    if answer.outcome is None:
        return [f"{answer.question}: done"]
    return _data_lines([one for one in answer.data_sets if one.data_set.address and not _is_profile(one)])


def _is_profile(one: NamedDataSet) -> bool:
    return one.data_set.address.startswith("P.")


def _table(profile: Profile) -> list[str]:
    head = ["time", *(f"{column.address} [{column.unit}]" for column in profile.columns)]
    rows = [head]
    for number, row in enumerate(profile.rows):
        moment = profile.moment_of(number)
        cells = [profile.begin if moment is None else str(moment), *row]
        rows.append(cells + [""] * (len(head) - len(cells)))
    widths = [max(len(row[index]) for row in rows) for index in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
