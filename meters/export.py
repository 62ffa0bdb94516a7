"""The list of meters as CSV or XLSX: short queries one after the other, so that a million rows need little memory.

In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection). In a workbook every
text is written as text, so that it needs none.
"""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import xlsxwriter
from django.db.models import QuerySet

from meters.models import Meter

CHUNK = 1000
PART = 1 << 16
XLSX_ROWS = 200_000
"""A sheet would hold a million; but it is written as a whole before the first octet leaves, and a browser waits so long."""
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a formula begins with, in full width too."""


def _time(value: Any) -> str:
    return value.isoformat(timespec="seconds") if value else ""


def _association(meter: Meter, name: str) -> str:
    found = meter.default_association
    return str(getattr(found, name)) if found else ""


COLUMNS: Mapping[str, Callable[[Meter], object]] = {
    "serial_number": lambda meter: meter.serial_number,
    "name": lambda meter: meter.name,
    "manufacturer": lambda meter: meter.meter_type.manufacturer if meter.meter_type else "",
    "model": lambda meter: meter.meter_type.model if meter.meter_type else "",
    "medium": lambda meter: meter.meter_type.get_medium_display() if meter.meter_type else "",
    "state": lambda meter: meter.get_state_display(),
    "batch": lambda meter: meter.batch.name if meter.batch else "",
    "tags": lambda meter: ", ".join(sorted(tag.name for tag in meter.tags.all())),
    "location": lambda meter: meter.location,
    "line": lambda meter: meter.line.describe(),
    "framing": lambda meter: meter.get_framing_display(),
    "physical_address": lambda meter: "" if meter.physical_address is None else meter.physical_address,
    "system_title": lambda meter: meter.server_system_title.upper(),
    "association": lambda meter: _association(meter, "name"),
    "authentication": lambda meter: _association(meter, "authentication"),
    "client_sap": lambda meter: _association(meter, "client_sap"),
    "server_sap": lambda meter: _association(meter, "server_sap"),
    "last_seen": lambda meter: _time(meter.last_seen),
    "added": lambda meter: _time(meter.created),
    "notes": lambda meter: meter.notes,
}


def neutral(value: object) -> object:
    """The value, so that no spreadsheet calculates with it; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_parts(meters: Iterable[Sequence[Meter]], columns: Sequence[str]) -> Iterator[str]:
    """The file in parts: the head, then one part for each chunk."""
    write = csv.writer(_Echo()).writerow
    yield write(columns)
    for chunk in meters:
        yield "".join(write([neutral(COLUMNS[name](meter)) for name in columns]) for meter in chunk)


def xlsx_parts(meters: Iterable[Sequence[Meter]], columns: Sequence[str]) -> Iterator[bytes]:
    """The workbook in parts. It is written to a file first: the archive's directory stands at its end."""
    with tempfile.TemporaryFile() as file:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        book = xlsxwriter.Workbook(file, options)
        sheet = book.add_worksheet("Meters")
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        number = 0
        for chunk in meters:
            for meter in chunk:
                number += 1
                for column, name in enumerate(columns):
                    value = COLUMNS[name](meter)
                    if isinstance(value, str) and value:
                        sheet.write_string(number, column, CONTROL.sub("", value))  # XML has no place for them
                    elif value != "":
                        sheet.write(number, column, value)
        book.close()
        file.seek(0)
        while part := file.read(PART):
            yield part


def with_all(meters: QuerySet[Meter]) -> QuerySet[Meter]:
    """With what the columns need."""
    return meters.select_related("line", "meter_type", "batch").prefetch_related("tags", "associations")


def in_chunks(meters: QuerySet[Meter]) -> Iterator[list[Meter]]:
    """All of them by serial number, each chunk from where the last one ended."""
    last = ""
    while chunk := list(with_all(meters.filter(serial_number__gt=last)).order_by("serial_number")[:CHUNK]):
        yield chunk
        last = chunk[-1].serial_number
