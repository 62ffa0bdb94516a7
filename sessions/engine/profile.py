"""Reading a profile: its columns first, then the buffer, whose rows are recorded while its blocks arrive."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import repeat, takewhile
from typing import Any

from meters.catalogs.overlay import Overlay
from meters.cosem.data import Data, DataType
from meters.cosem.profile import RowExpander
from meters.cosem.rows import Rows
from sessions.catalogs.overlay import limits_of, session_overlay, titled
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.array_stream import ArrayStream
from sessions.dlms.errors import DlmsError, RemoteProtocolError
from sessions.dlms.events import BlockReceived
from sessions.engine.values import cells, moments
from sessions.links.driver import Conversation
from sessions.models import Step
from sessions.object_reference import BUFFER, PROFILE_GENERIC, EntryRange, ObjectReference, TimeRange
from sessions.parameters import logical_name_of, part_of
from sessions.reading import (
    CAPTURE_OBJECTS,
    CAPTURE_PERIOD,
    ProfileColumn,
    capture_objects_in,
    describe_columns,
    get_if_possible,
    selection,
)
from sessions.recorder import Recorder, in_database

NO_CATALOG = Overlay()
logger = logging.getLogger(__name__)

ENTRIES_IN_USE = 7
TABLES = (bytes((DataType.ARRAY,)), bytes((DataType.COMPACT_ARRAY,)))


class RowRecorder:
    """Turns the buffer's octets into recorded rows, block by block; rows are numbered from 1 as they come."""

    def __init__(
        self,
        recorder: Recorder,
        step_id: int,
        columns: list[ProfileColumn],
        capture_period: int,
        *,
        reverse_deviation: bool = False,
        overlay: Overlay = NO_CATALOG,
    ) -> None:
        self.recorder = recorder
        self.step_id = step_id
        self.columns = columns
        self.reverse_deviation = reverse_deviation
        self.overlay = overlay
        self.rows = 0
        captured = [column.capture_object for column in columns if column.capture_object is not None]
        self._expander = RowExpander(captured, capture_period=capture_period)
        self._clock = next((index for index, column in enumerate(captured) if column.is_clock), None)
        self._stream: ArrayStream | None = ArrayStream()

    def take_block(self, block: BlockReceived) -> None:
        """One block more. A buffer that is no array is left for the end, when all of it is here."""
        if block.block_number == 1 and block.octets[:1] not in TABLES:
            self._stream = None
        if self._stream is None:
            return
        try:
            rows = self._stream.feed(block.octets)
        except DlmsError as error:
            logger.info("step %s: rows cannot be read block by block: %s", self.step_id, error)
            self._stream = None
            return
        self._record(rows)
        self._say_progress(self._stream.total)

    def take_rest(self, buffer: Data) -> None:
        """The whole answer: whatever the blocks did not give already."""
        self._record(buffer.elements[self.rows :])
        self._say_progress(len(buffer))

    def _record(self, rows: Sequence[Data]) -> None:
        good = len(rows) if isinstance(rows, Rows) else _rows_in_front(rows)
        for row_type, values in self._expander.expand_all(rows[:good]).runs():
            self._record_run(row_type.types, values)
        if good < len(rows):
            name = rows[good].type.asn1_name
            raise RemoteProtocolError(f"a row of the profile is {name}, not a structure", layer="encoding")

    def _record_run(self, types: tuple[DataType, ...], values: list[tuple[Any, ...]]) -> None:
        """Rows of one type."""
        while len(self.columns) < len(types):
            self.columns.append(ProfileColumn(None, f"Column {len(self.columns) + 1}"))
        columns = list(zip(*values, strict=True))
        times: list[datetime | None] = [None] * len(values)
        if self._clock is not None and self._clock < len(types):
            times = moments(types[self._clock], columns[self._clock], reverse_deviation=self.reverse_deviation)
        shown = [
            cells(kind, column, self.columns[n].scaler_unit, reverse_deviation=self.reverse_deviation)
            for n, (kind, column) in enumerate(zip(types, columns, strict=True))
        ]
        rows = zip(*shown, strict=True) if shown else repeat((), len(values))
        for time, row in zip(times, rows, strict=True):
            self.rows += 1
            self.recorder.record_entry(self.step_id, self.rows, time, row)

    def _say_progress(self, total: int | None) -> None:
        fields: dict[str, Any] = {"progress_done": self.rows, "columns": columns_as_json(self.columns, self.overlay)}
        if total is not None:
            fields["progress_total"] = total
        self.recorder.record_progress(self.step_id, **fields)


def _rows_in_front(elements: Sequence[Data]) -> int:
    """How many elements can be rows, before the first one that cannot."""
    return sum(1 for _ in takewhile(lambda element: element.constructed, elements))


async def read_profile(conversation: Conversation, recorder: Recorder, step: Step) -> dict[str, Any] | DataAccessResult:
    """Read the part that the step asks for; what is returned is the step's result, or the meter's refusal."""
    reference = ObjectReference(PROFILE_GENERIC, logical_name_of(step.parameters), BUFFER)
    part = part_of(step.parameters)
    facts = [CAPTURE_OBJECTS, CAPTURE_PERIOD] + ([ENTRIES_IN_USE] if _depends_on_entries(part) else [])
    listed, *numbers = await get_if_possible(conversation, [reference.sibling(number) for number in facts])
    captured = capture_objects_in(listed)
    names = [column.logical_name for column in captured]
    overlay = await in_database(lambda: session_overlay(step.session, names))
    columns = titled(await describe_columns(conversation, captured, len(captured)), overlay)
    period, in_use = _number(numbers[0]) or 0, _number(numbers[1]) if len(numbers) > 1 else None
    total = _expected_rows(part, period, in_use)
    recorder.record_progress(step.pk, progress_done=0, progress_total=total, columns=columns_as_json(columns, overlay))
    reverse = conversation.reverse_deviation
    rows = RowRecorder(recorder, step.pk, columns, period, reverse_deviation=reverse, overlay=overlay)
    access = selection(part, captured, reverse_deviation=reverse)
    buffer = await conversation.get(reference.attribute, access, on_block=rows.take_block)
    if isinstance(buffer, DataAccessResult):
        return buffer
    if not buffer.constructed or buffer.type is DataType.STRUCTURE:
        raise RemoteProtocolError(f"the profile's buffer is {buffer.type.asn1_name}, not an array", layer="encoding")
    rows.take_rest(buffer)
    return {"entries": rows.rows, "columns": len(columns), "text": f"{rows.rows} rows"}


def columns_as_json(columns: list[ProfileColumn], overlay: Overlay) -> list[dict[str, Any]]:
    """As the page wants them: title, unit, obis, class_id, attribute_id; low and high where the type's catalog has limits."""
    shown = []
    for column in columns:
        captured = column.capture_object
        shown.append(
            {
                "title": column.title,
                "unit": column.scaler_unit.symbol if column.scaler_unit else "",
                "obis": str(captured.logical_name) if captured else "",
                "class_id": captured.class_id if captured else None,
                "attribute_id": captured.attribute_id if captured else None,
                **limits_of(column, overlay),
            }
        )
    return shown


def _depends_on_entries(part: TimeRange | EntryRange | None) -> bool:
    """Whether only the meter knows how many rows this will be."""
    return part is None or (isinstance(part, EntryRange) and not part.to_entry)


def _expected_rows(part: TimeRange | EntryRange | None, period: int, in_use: int | None) -> int | None:
    """How many rows to expect until the meter says it: an estimate, None where nothing is known."""
    if isinstance(part, TimeRange):
        return int((part.to_time - part.from_time).total_seconds() // period) + 1 if period > 0 else None
    if part is not None and part.to_entry:
        return part.to_entry - part.from_entry + 1
    return None if in_use is None else max(0, in_use - (part.from_entry - 1 if part else 0))


def _number(data: Data | None) -> int | None:
    """A whole number, None where the meter does not tell one."""
    value = None if data is None else data.value
    return value if isinstance(value, int) and not isinstance(value, bool) else None
