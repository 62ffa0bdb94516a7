"""Objects made from a snapshot: they answer with what was read, keep what is written, and do what a method is known to do.

    clock (8)                 goes on from what it said; setting, adjusting and shifting work
    profile (7)               its recorded rows, whole, by entry and by a range of any column; reset empties it
    disconnect control (70)   switches as its control mode says
    script table (9)          runs what its scripts name
    registers (3, 4, 5)       reset makes the value 0
    security setup (64)       keys, policy and certificates are the simulated meter's: its methods work, or refuse

Other methods take their parameters and do nothing. Source: Blue Book, the classes named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from meters.cosem.data import INTEGERS, Data, DataType, array, as_date_time, octet_string, structure
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject, RowExpander, decode_capture_objects
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import AccessSelector, EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, Value, require
from sessions.simulator.objects.clock import Clock, MeterClock
from sessions.simulator.objects.control import ControlMode, ControlState, DisconnectControl
from sessions.simulator.objects.scripts import ScriptAction, ScriptService
from sessions.simulator.plain import PlainObject
from sessions.simulator.security_setup import SecuritySetup

UNSPECIFIED: Final = 0xFF
BUFFER, CAPTURE_OBJECTS, CAPTURE_PERIOD, ENTRIES_IN_USE = 2, 3, 4, 7


def refusing(result: DataAccessResult) -> Attribute:
    """An attribute that the meter refused to tell, with its own result."""

    def read() -> Value:
        raise Denied(result)

    return Attribute(read)


def zero(value: Data) -> Data:
    """The same type with the value 0, where it is a number."""
    if value.type in INTEGERS or value.type in (DataType.FLOAT32, DataType.FLOAT64):
        return Data(value.type, 0)
    return value


class RecordedRegister(PlainObject):
    """Register, extended register, demand register: method 1 resets what they count."""

    def __init__(self, class_id: int, version: int, logical_name: ObisCode, values: Mapping[int, Data]) -> None:
        super().__init__(class_id, version, logical_name, values)
        self._counted = (2, 3) if class_id == 5 else (2,)
        self.methods[1] = self._reset

    def _reset(self, parameters: Data | None) -> None:
        for number in self._counted:
            self._values[number] = zero(self._values[number])


# -- time --------------------------------------------------------------------------------------------------------------


class RecordedClock(PlainObject):
    """A clock that goes on from `recorded`, which it said `at` a moment of the host: with the same deviation and status, and
    what it left unspecified stays so. ValueError where it said no moment.
    """

    def __init__(
        self,
        version: int,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        recorded: CosemDateTime,
        at: datetime,
        host_clock: Callable[[], datetime],
    ) -> None:
        super().__init__(8, version, logical_name, values)
        said = recorded.to_datetime()
        said = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
        minutes = (said.utcoffset() or timedelta()) // timedelta(minutes=1)
        self.clock = MeterClock(host_clock, minutes, said - at)
        self._recorded = recorded
        ordinary = Clock(logical_name, self.clock)
        self._typed = values[2].type
        self.attributes[2] = Attribute(self._time, ordinary.attributes[2].write)
        self.methods |= {number: method for number, method in ordinary.methods.items() if number in self.methods}

    def _time(self) -> Data:
        moment, form = self.clock.now(), self._recorded
        date = CosemDate(moment.year, moment.month, moment.day, moment.isoweekday())
        if form.date.day_of_week == UNSPECIFIED:
            date = CosemDate(moment.year, moment.month, moment.day, UNSPECIFIED)
        hundredths = UNSPECIFIED if form.time.hundredths == UNSPECIFIED else moment.microsecond // 10_000
        time = CosemTime(moment.hour, moment.minute, moment.second, hundredths)
        now = CosemDateTime(date, time, form.deviation, form.clock_status)
        return Data(self._typed, now) if self._typed is DataType.DATE_TIME else octet_string(now.encode())


# -- security ----------------------------------------------------------------------------------------------------------


class RecordedSecuritySetup(PlainObject):
    """Security setup that works: `setup` is that of the simulated meter. What was recorded is told until it is changed.

    Methods that `setup` has not are refused: a key that is taken without a word would be lost.
    """

    def __init__(self, version: int, logical_name: ObisCode, values: Mapping[int, Data], setup: SecuritySetup) -> None:
        super().__init__(setup.class_id, version, logical_name, values)
        self.methods = dict.fromkeys(self.methods, refuse) | setup.methods
        for number, live in setup.attributes.items():
            if number != 1 and number in self.attributes:
                self.attributes[number] = _unless_changed(self.attributes[number], live)


def _unless_changed(recorded: Attribute, live: Attribute) -> Attribute:
    first = live.read()
    return Attribute(lambda: recorded.read() if live.read() == first else live.read())


def refuse(parameters: Data | None) -> Data | None:
    """A method of which the simulated meter could only pretend that it works."""
    raise Denied(DataAccessResult.OTHER_REASON)


# -- profiles ----------------------------------------------------------------------------------------------------------


class RecordedProfile(PlainObject):
    """A profile with the rows that were read of it. `first_entry` is the number that the meter gave the first of them."""

    def __init__(self, version: int, logical_name: ObisCode, values: Mapping[int, Data], first_entry: int) -> None:
        super().__init__(7, version, logical_name, values)
        self._first = first_entry
        try:
            self._columns = tuple(decode_capture_objects(self._values[CAPTURE_OBJECTS]))
        except (KeyError, ValueError):
            self._columns = ()
        self._filled: tuple[Data, Sequence[Data]] | None = None
        self._ordered: dict[int, list[Any]] = {}
        self.attributes[BUFFER] = Attribute(lambda: self._values[BUFFER], read_selected=self._selected)
        self.methods[1] = self._reset

    def _reset(self, parameters: Data | None) -> None:
        self._values[BUFFER] = array()
        if ENTRIES_IN_USE in self._values:
            self._values[ENTRIES_IN_USE] = zero(self._values[ENTRIES_IN_USE])

    @property
    def _rows(self) -> Sequence[Data]:
        """Whole rows, also where the meter leaves out what did not change. Made once for a buffer, which may hold years."""
        buffer = self._values[BUFFER]
        if self._filled is None or self._filled[0] is not buffer:
            self._filled = (buffer, self._fill(buffer))
            self._ordered.clear()
        return self._filled[1]

    def _fill(self, buffer: Data) -> Sequence[Data]:
        if not buffer.constructed or not all(row.constructed for row in buffer):
            return ()
        period = self._values.get(CAPTURE_PERIOD)
        seconds = period.value if period is not None and isinstance(period.value, int) else 0
        filled = RowExpander(self._columns, capture_period=seconds).expand_all(buffer.elements)
        return [structure(*row) for row in filled]

    def _column_values(self, place: int) -> list[Any]:
        """What a range compares of each row; None where it is nothing that has an order."""
        rows = self._rows
        if place not in self._ordered:
            self._ordered[place] = [_comparable_or_none(row[place]) if len(row) > place else None for row in rows]
        return self._ordered[place]

    def _selected(self, selection: SelectiveAccess) -> Value:
        try:
            if selection.access_selector == AccessSelector.RANGE:
                return self._range(RangeDescriptor.from_selective_access(selection))
            if selection.access_selector == AccessSelector.ENTRY:
                return self._entries(EntryDescriptor.from_selective_access(selection))
        except (ValueError, TypeError, OverflowError):
            raise Denied(DataAccessResult.TYPE_UNMATCHED) from None
        raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)

    def _entries(self, wanted: EntryDescriptor) -> Data:
        """Rows and columns by number from 1; a last number 0 is the highest there is. Rows that were not read are not there."""
        rows = self._rows
        start = max(0, wanted.from_entry - self._first)
        stop = max(0, wanted.to_entry - self._first + 1) if wanted.to_entry else len(rows)
        columns = slice(max(1, wanted.from_selected_value) - 1, wanted.to_selected_value or None)
        if columns == slice(0, None):
            return self._some(range(*slice(start, stop).indices(len(rows))), rows)
        return array(*(structure(*row.elements[columns]) for row in rows[start:stop]))

    def _range(self, wanted: RangeDescriptor) -> Data:
        """Rows whose restricting column lies between the two values, both included."""
        place = self._column(wanted.restricting_object)
        chosen = [self._column(column) for column in wanted.selected_values]
        low, high = _comparable(wanted.from_value), _comparable(wanted.to_value)
        rows = self._rows
        found = [number for number, value in enumerate(self._column_values(place)) if _lies(value, low, high)]
        if not chosen:
            return self._some(found, rows)
        return array(*(structure(*(rows[number][n] for n in chosen if n < len(rows[number]))) for number in found))

    def _some(self, numbers: Sequence[int], rows: Sequence[Data]) -> Data:
        """Whole rows. Behind its own predecessor each is as the meter wrote it, with what it left out."""
        written = self._values[BUFFER].elements if rows else ()
        before = (None, *numbers)
        return array(
            *(
                written[number] if last is not None and number == last + 1 else rows[number]
                for last, number in zip(before, numbers, strict=False)
            )
        )

    def _column(self, wanted: CaptureObject) -> int:
        try:
            return self._columns.index(wanted)
        except ValueError:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED) from None


def _comparable(value: Data) -> Any:
    """A time or a number; ValueError for what has no order."""
    moment = as_date_time(value)
    if moment is not None:
        return moment.to_datetime()
    if value.type in INTEGERS:
        return value.value
    raise ValueError("a range is of times or numbers")


def _comparable_or_none(value: Data) -> Any:
    try:
        return _comparable(value)
    except (ValueError, OverflowError):
        return None


def _lies(value: Any, low: Any, high: Any) -> bool:
    """Whether a value lies between two of its kind. A wall clock is compared with a wall clock."""
    if value is None:
        return False
    if not isinstance(value, datetime):
        return bool(low <= value <= high)
    return _not_later(low, value) and _not_later(value, high)


def _not_later(one: Any, other: Any) -> bool:
    if _aware(one) and _aware(other):
        return bool(one <= other)
    return bool(_wall(one) <= _wall(other))


def _aware(moment: Any) -> bool:
    return isinstance(moment, datetime) and moment.tzinfo is not None


def _wall(moment: Any) -> Any:
    return moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment


# -- control -----------------------------------------------------------------------------------------------------------


class RecordedControl(PlainObject):
    """Disconnect control in the state that it was in; ValueError where that is none."""

    def __init__(self, version: int, logical_name: ObisCode, values: Mapping[int, Data]) -> None:
        super().__init__(70, version, logical_name, values)
        control = DisconnectControl(logical_name, lambda closed: None, ControlMode(self._values[4].value))
        control.state = ControlState(self._values[3].value)
        for number in (2, 3, 4):
            self.attributes[number] = control.attributes[number]
        self.methods |= control.methods


class RecordedScripts(PlainObject):
    """Script table whose scripts run: `find` gives the objects that they name."""

    def __init__(
        self,
        version: int,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        find: Callable[[int, ObisCode], CosemObject | None],
    ) -> None:
        super().__init__(9, version, logical_name, values)
        self._find = find
        self.methods[1] = self._execute

    def _execute(self, parameters: Data | None) -> None:
        wanted = require(parameters, DataType.LONG_UNSIGNED).value
        try:
            actions = next(script[1] for script in self._values[2] if script[0].value == wanted)
        except (StopIteration, TypeError, IndexError):
            raise Denied(DataAccessResult.OTHER_REASON) from None
        for action in actions:
            self._run(action)

    def _run(self, action: Data) -> None:
        try:
            service, class_id, name, index, parameter = action
            target = self._find(class_id.value, ObisCode.from_octets(name.value))
            kind = ScriptService(service.value)
        except (ValueError, TypeError):
            raise Denied(DataAccessResult.OTHER_REASON) from None
        if target is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        ScriptAction(target, index.value, kind, parameter).run()
