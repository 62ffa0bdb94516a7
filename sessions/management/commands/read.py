"""`manage.py read ENDPOINT --association FILE.toml OBJECT… [--json]`: one association, reads, release.

It needs no database. Where the workbench's knows the association's key, invocation counters are reserved there; else in a file
beside the association file.

Exit codes: 0 the association stood (each value says its own result), 1 an error, said as one sentence or one JSON object with
layer, code, message and hint; 2 wrong usage.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandParser

from meters.cosem import value_words
from meters.cosem.data import Data, text
from meters.cosem.deviations import reversed_deviations
from meters.cosem.interface_class import attribute_of
from sessions.association_file import load_association
from sessions.command_counters import reserved_counters
from sessions.dlms.errors import DlmsError
from sessions.management.line_command import LineCommand, dumps, endpoint, printable
from sessions.object_reference import ObjectReference, ObjectReferenceError
from sessions.reading import Profile, ProfileColumn, Reading, Report, read_objects, value_as_json

INTERRUPTED = 130


class Command(LineCommand):
    help = "Read objects of one meter: associate, read, release. Needs no database."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "endpoint",
            type=endpoint,
            help="tcp://host:port, udp://host:port, serial:///dev/ttyUSB0?baud=9600 or rfc2217://host:port?baud=9600",
        )
        parser.add_argument(
            "objects",
            nargs="+",
            type=_reference,
            metavar="OBJECT",
            help="class/obis/attribute; a profile's buffer optionally with [from..to] or [#first..last]",
        )
        parser.add_argument("--association", required=True, metavar="FILE.toml", help="association and secrets")
        parser.add_argument("--json", action="store_true", help="JSON instead of tables")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            association = load_association(options["association"])
            source = reserved_counters(options["association"], association)
            report = asyncio.run(read_objects(options["endpoint"], association, options["objects"], source))
        except DlmsError as error:
            self.refuse(error, as_json=options["json"])
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED) from None
        else:
            self.stdout.write(dumps(report.as_json()) if options["json"] else show(report))


def _reference(text: str) -> ObjectReference:
    try:
        return ObjectReference.parse(text)
    except ObjectReferenceError as error:
        raise ArgumentTypeError(str(error)) from None


# -- for people --------------------------------------------------------------------------------------------------------


def show(report: Report) -> str:
    """The report as tables: one line for each value, the rows of a profile and the parts of a structure below its line."""
    lines = []
    width = max((len(str(reading.reference)) for reading in report.readings), default=0)
    for reading in report.readings:
        lines.append(f"{reading.reference!s:<{width}}  {_outcome(reading)}")
        if isinstance(reading.outcome, Profile):
            lines += [f"  {line}" for line in _table(reading.outcome)]
        elif isinstance(reading.outcome, Data):
            parts = _shown(reading, reading.outcome).parts
            lines += [line for part in parts for line in part.lines("  ")]
    for remark in report.association["remarks"]:
        lines.append(f"Note: {remark}")
    return "\n".join(printable(line) for line in lines)


def _outcome(reading: Reading) -> str:
    outcome = reading.outcome
    match outcome:
        case Data():
            return _shown(reading, outcome).text
        case Profile():
            return f"{len(outcome.rows)} rows"
        case DlmsError():
            return f"{reading.result}: {outcome.message}"
    return reading.result


def _shown(reading: Reading, value: Data) -> value_words.Shown:
    """As the class says it: `connected (1)`; of a constructed value its parts with their names."""
    reference = reading.reference
    attribute = attribute_of(reference.class_id, reference.attribute_id, value=value)
    declared = attribute.type if attribute is not None else value_words.ANY
    if reading.reverse_deviation:
        value = reversed_deviations(value, declared, guess=True)
    return value_words.show(value, declared)


def _table(profile: Profile) -> list[str]:
    rows = [[_heading(column) for column in profile.columns]]
    for row in profile.rows:
        reverse = profile.reverse_deviation
        cells = [_cell(value, profile.columns[index], reverse) for index, value in enumerate(row)]
        rows.append(cells + [""] * (len(profile.columns) - len(cells)))
    widths = [max(len(row[index]) for row in rows) for index in range(len(profile.columns))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _heading(column: ProfileColumn) -> str:
    unit = column.scaler_unit.symbol if column.scaler_unit is not None else ""
    return f"{column.title} [{unit}]" if unit else column.title


def _cell(value: Data, column: ProfileColumn, reverse_deviation: bool) -> str:
    """Scaled where the meter told the scaler, as text otherwise."""
    if column.scaler_unit is not None and isinstance(value.value, int) and not isinstance(value.value, bool):
        return column.scaler_unit.text(value.value)
    shown = value_as_json(value, reverse_deviation=reverse_deviation)
    return shown if isinstance(shown, str) else text(value)
