"""COSEM objects of a simulated meter: what their attributes answer, what may be written, what their methods do.

An object knows values, not rights: the meter decides who may read, write and invoke (see `meter.py`). A refusal is a
`Denied` with the standard's result code. Source: Blue Book, the interface classes named in each docstring.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import IntEnum
from typing import ClassVar, Final

from meters.cosem.data import (
    Data,
    DataType,
    array,
    as_date_time,
    boolean,
    date_time,
    enum,
    integer,
    long,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import SelectiveAccess


class Denied(Exception):
    """The meter's "no" to one attribute or method; data-access-results and action-results share their numbers."""

    def __init__(self, result: DataAccessResult) -> None:
        super().__init__(result.words)
        self.result = result


@dataclass(frozen=True, slots=True)
class EncodedValue:
    """A value as encoded octets, in parts that are made when they are needed: a long buffer never stands whole in memory.

    `block_sizes` are the octets of each block where a recorded meter cut it; empty: as the client's size allows.
    """

    parts: Iterable[bytes]
    block_sizes: tuple[int, ...] = ()


Value = Data | EncodedValue
ReadAttribute = Callable[[], Value]
WriteAttribute = Callable[[Data], None]
InvokeMethod = Callable[[Data | None], Data | None]


@dataclass(slots=True)
class Attribute:
    """How an attribute is read, and how it is written where it can be."""

    read: ReadAttribute
    write: WriteAttribute | None = None
    read_selected: Callable[[SelectiveAccess], Value] | None = None
    selectors: tuple[int, ...] = ()


def constant(value: Data) -> Attribute:
    """An attribute that never changes."""
    return Attribute(lambda: value)


class CosemObject:
    """One object. Subclasses fill `attributes` and `methods` by their numbers."""

    class_id: ClassVar[int]
    version: int = 0

    def __init__(self, logical_name: ObisCode) -> None:
        self.logical_name = logical_name
        self.attributes: dict[int, Attribute] = {1: Attribute(lambda: octet_string(logical_name.octets))}
        self.methods: dict[int, InvokeMethod] = {}

    def read(self, attribute_id: int, selection: SelectiveAccess | None = None) -> Value:
        """The attribute's value, or the selected part of it."""
        attribute = self._attribute(attribute_id)
        if selection is None:
            return attribute.read()
        if attribute.read_selected is None:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return attribute.read_selected(selection)

    def write(self, attribute_id: int, value: Data) -> None:
        """Change the attribute."""
        write = self._attribute(attribute_id).write
        if write is None:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        write(value)

    def invoke(self, method_id: int, parameters: Data | None) -> Data | None:
        """Run the method; what it returns."""
        method = self.methods.get(method_id)
        if method is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        return method(parameters)

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        """What a profile recorded of this attribute at a moment: its value then, where it changes."""
        value = self.read(attribute_id)
        return value if isinstance(value, Data) else null()

    def _attribute(self, attribute_id: int) -> Attribute:
        attribute = self.attributes.get(attribute_id)
        if attribute is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        return attribute


def require(value: Data | None, *kinds: DataType) -> Data:
    """The value, if it has one of the types."""
    if value is None or value.type not in kinds:
        raise Denied(DataAccessResult.TYPE_UNMATCHED)
    return value


# -- values ------------------------------------------------------------------------------------------------------------

ValueAt = Callable[[datetime], Data]
"""A value as a function of the meter's time."""


class DataObject(CosemObject):
    """Data (1, version 0). `stored` values can be written, others are computed."""

    class_id = 1

    def __init__(self, logical_name: ObisCode, value: ValueAt, now: Callable[[], datetime], *, stored: bool) -> None:
        super().__init__(logical_name)
        self._value = value
        self.attributes[2] = Attribute(lambda: self._value(now()), self._store if stored else None)
        self._now = now

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._value(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _store(self, value: Data) -> None:
        require(value, self._value(self._now()).type)
        self._value = lambda moment: value


class Register(CosemObject):
    """Register (3, version 0): a computed value with its scaler and unit."""

    class_id = 3

    def __init__(
        self, logical_name: ObisCode, value: ValueAt, scaler_unit: ScalerUnit, now: Callable[[], datetime]
    ) -> None:
        super().__init__(logical_name)
        self._value = value
        self.attributes[2] = Attribute(lambda: value(now()))
        self.attributes[3] = Attribute(scaler_unit.to_data)

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._value(moment) if attribute_id == 2 else super().captured(attribute_id, moment)


class ExtendedRegister(Register):
    """Extended register (4, version 0): a register that also says when its value arose."""

    class_id = 4

    def __init__(
        self,
        logical_name: ObisCode,
        value: ValueAt,
        scaler_unit: ScalerUnit,
        now: Callable[[], datetime],
        *,
        captured_at: Callable[[datetime], datetime],
    ) -> None:
        super().__init__(logical_name, value, scaler_unit, now)
        self.attributes[4] = Attribute(lambda: unsigned(0))
        self.attributes[5] = Attribute(lambda: date_time(captured_at(now())))


# -- time --------------------------------------------------------------------------------------------------------------

FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2099
MAX_SHIFT: Final = 900
"""Seconds that `shift_time` moves the clock at most."""


@dataclass(slots=True)
class MeterClock:
    """The meter's own time: the host's, in the meter's zone, moved by what clients have set.

    `host` gives an aware time; `zone_minutes` counts east of UTC.
    """

    host: Callable[[], datetime]
    zone_minutes: int = 0
    offset: timedelta = field(default_factory=timedelta)

    @property
    def zone(self) -> timezone:
        return timezone(timedelta(minutes=self.zone_minutes))

    def now(self) -> datetime:
        return (self.host() + self.offset).astimezone(self.zone)

    def set(self, moment: datetime) -> None:
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.offset = moment - self.host()

    def local(self, moment: CosemDateTime) -> datetime:
        """A client's date-time as the meter's local time; ValueError where it is no moment.

        Without a deviation it is local time. With one, the sign is the standard's: UTC = local + deviation.
        """
        naive_or_aware = moment.to_datetime()
        if naive_or_aware.tzinfo is None:
            return naive_or_aware.replace(tzinfo=self.zone)
        return naive_or_aware.astimezone(self.zone)


class ClockBase(IntEnum):
    """`clock_base`: what drives the clock."""

    NOT_DEFINED = 0
    CRYSTAL = 1


class Clock(CosemObject):
    """Clock (8, version 0): `time` can be written; the adjusting methods 1 to 3 and `shift_time` work."""

    class_id = 8

    def __init__(self, logical_name: ObisCode, clock: MeterClock) -> None:
        super().__init__(logical_name)
        self.clock = clock
        never = CosemDateTime(CosemDate(month=0xFF), CosemTime(), None, 0xFF)
        self.attributes |= {
            2: Attribute(lambda: date_time(clock.now()), self._set_time),
            # Minutes from local time to UTC, as in the deviation of a date-time.
            3: Attribute(lambda: long(-clock.zone_minutes)),
            4: Attribute(lambda: unsigned(0)),
            5: Attribute(lambda: date_time(never)),
            6: Attribute(lambda: date_time(never)),
            7: Attribute(lambda: integer(0)),
            8: Attribute(lambda: boolean(False)),
            9: Attribute(lambda: enum(ClockBase.CRYSTAL)),
        }
        self.methods = {
            1: lambda parameters: self._round(timedelta(minutes=15)),
            2: lambda parameters: self._round(timedelta(minutes=15)),
            3: lambda parameters: self._round(timedelta(minutes=1)),
            6: self._shift,
        }

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return date_time(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _set_time(self, value: Data) -> None:
        moment = as_date_time(require(value, DataType.OCTET_STRING, DataType.DATE_TIME))
        if moment is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        try:
            self.clock.set(self.clock.local(moment))
        except (ValueError, OverflowError):
            raise Denied(DataAccessResult.OTHER_REASON) from None

    def _round(self, step: timedelta) -> None:
        """To the nearest multiple of `step` within the day."""
        now = self.clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        self.clock.set(midnight + round((now - midnight) / step) * step)

    def _shift(self, parameters: Data | None) -> None:
        seconds = require(parameters, DataType.LONG).value
        if abs(seconds) > MAX_SHIFT:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))


# -- control -----------------------------------------------------------------------------------------------------------


class ControlState(IntEnum):
    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


class ControlMode(IntEnum):
    """Which transitions the disconnect control knows (Blue Book, class 70: letters of its state chart)."""

    NONE = 0
    REMOTE_MANUAL_LOCAL_OFF_READY_ON = 1
    REMOTE_MANUAL_LOCAL_OFF_DIRECT_ON = 2
    REMOTE_LOCAL_OFF_READY_ON = 3
    REMOTE_LOCAL_OFF_DIRECT_ON = 4
    ALL_OFF_READY_OR_LOCAL_ON = 5
    REMOTE_LOCAL_OFF_READY_OR_LOCAL_ON = 6


DIRECT_RECONNECTION: Final = frozenset(
    {ControlMode.REMOTE_MANUAL_LOCAL_OFF_DIRECT_ON, ControlMode.REMOTE_LOCAL_OFF_DIRECT_ON}
)
"""Modes with transition (a): a remote reconnection closes the switch. In the others (d) it waits for somebody at the meter."""

REMOTE_TRANSITIONS: Final[Mapping[str, Mapping[ControlState, ControlState]]] = {
    "disconnect": {
        ControlState.CONNECTED: ControlState.DISCONNECTED,  # b
        ControlState.READY_FOR_RECONNECTION: ControlState.DISCONNECTED,  # c
        ControlState.DISCONNECTED: ControlState.DISCONNECTED,
    },
    "reconnect-directly": {
        ControlState.DISCONNECTED: ControlState.CONNECTED,  # a
        ControlState.READY_FOR_RECONNECTION: ControlState.CONNECTED,
        ControlState.CONNECTED: ControlState.CONNECTED,
    },
    "reconnect-ready": {
        ControlState.DISCONNECTED: ControlState.READY_FOR_RECONNECTION,  # d
        ControlState.READY_FOR_RECONNECTION: ControlState.READY_FOR_RECONNECTION,
        ControlState.CONNECTED: ControlState.CONNECTED,
    },
}


class DisconnectControl(CosemObject):
    """Disconnect control (70, version 0). `switch` is told when the output opens (False) and closes (True)."""

    class_id = 70

    def __init__(
        self,
        logical_name: ObisCode,
        switch: Callable[[bool], None],
        mode: ControlMode = ControlMode.REMOTE_LOCAL_OFF_DIRECT_ON,
    ) -> None:
        super().__init__(logical_name)
        self.state = ControlState.CONNECTED
        self.mode = mode
        self._switch = switch
        self.attributes |= {
            2: Attribute(lambda: boolean(self.state is ControlState.CONNECTED)),
            3: Attribute(lambda: enum(self.state)),
            4: Attribute(lambda: enum(self.mode), self._set_mode),
        }
        self.methods = {1: lambda parameters: self._move("disconnect"), 2: lambda parameters: self._reconnect()}

    def _set_mode(self, value: Data) -> None:
        number = require(value, DataType.ENUM).value
        if number not in ControlMode._value2member_map_:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.mode = ControlMode(number)

    def _reconnect(self) -> None:
        self._move("reconnect-directly" if self.mode in DIRECT_RECONNECTION else "reconnect-ready")

    def _move(self, wish: str) -> None:
        if self.mode is ControlMode.NONE:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.state = REMOTE_TRANSITIONS[wish][self.state]
        self._switch(self.state is ControlState.CONNECTED)


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """What a script does: here always the execution of a method with integer(0)."""

    target: CosemObject
    method_id: int


EXECUTE: Final = 2
"""service_id of a script's action: execute a method."""


class ScriptTable(CosemObject):
    """Script table (9, version 0): script n runs its action."""

    class_id = 9

    def __init__(self, logical_name: ObisCode, scripts: Mapping[int, ScriptAction]) -> None:
        super().__init__(logical_name)
        self.scripts = dict(scripts)
        self.attributes[2] = Attribute(self._describe)
        self.methods = {1: self._execute}

    def _describe(self) -> Data:
        return array(
            *(
                structure(
                    long_unsigned(identifier),
                    array(
                        structure(
                            enum(EXECUTE),
                            long_unsigned(action.target.class_id),
                            octet_string(action.target.logical_name.octets),
                            integer(action.method_id),
                            integer(0),
                        )
                    ),
                )
                for identifier, action in self.scripts.items()
            )
        )

    def _execute(self, parameters: Data | None) -> Data | None:
        action = self.scripts.get(require(parameters, DataType.LONG_UNSIGNED).value)
        if action is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        return action.target.invoke(action.method_id, integer(0))


# -- addressing -------------------------------------------------------------------------------------------------------


class SapAssignment(CosemObject):
    """SAP assignment (17, version 0): the logical devices of the meter."""

    class_id = 17

    def __init__(self, logical_name: ObisCode, logical_devices: Mapping[int, bytes]) -> None:
        super().__init__(logical_name)
        devices = array(
            *(structure(long_unsigned(sap), octet_string(name)) for sap, name in sorted(logical_devices.items()))
        )
        self.attributes[2] = Attribute(lambda: devices)


class HdlcSetup(CosemObject):
    """IEC HDLC setup (23, version 1), to be read only."""

    class_id = 23
    version = 1

    def __init__(self, logical_name: ObisCode, *, max_info: int, inactivity_timeout: int, device_address: int) -> None:
        super().__init__(logical_name)
        baud_9600 = 5
        values = {
            2: enum(baud_9600),
            3: unsigned(1),
            4: unsigned(1),
            5: long_unsigned(max_info),
            6: long_unsigned(max_info),
            7: long_unsigned(25),
            8: long_unsigned(inactivity_timeout),
            9: long_unsigned(device_address),
        }
        self.attributes |= {number: constant(value) for number, value in values.items()}
