"""What a simulated meter says by IEC 62056-21: a TOML file names the lines, the meter's objects give the values.

    [[lines]]    address, and value | object with form, unit, digits, decimals, with_moment; writable, listed
    [profile]    address, minutes; [[profile.columns]] address, object, unit, digits, decimals

Commands: R1 to R6 read one address (a profile by `P.01(from;to)`), W1 and W2 write one behind the password.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from meters.cosem.data import Data, as_date_time
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.iec62056_21.data_set import DataBlock, DataSet, DataValue
from sessions.dlms.iec62056_21.profile import Moment
from sessions.dlms.iec62056_21.server import Refusal
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.simulator.objects.base import CosemObject, Denied

READOUTS: Final = Path(__file__).parent / "readouts"
FORMS: Final = {"": "", "time": "%H%M%S", "date": "%y%m%d", "p1-moment": "%y%m%d%H%M%SW", "hex": ""}
"""How a value is written; moments in the form of strftime. `hex`: a text as the digits of its characters."""
MOMENT_FORM: Final = "0%y%m%d%H%M%S"
SHORT_MOMENT: Final = "%y%m%d%H%M"
KILO: Final = "k"
MAX_ROWS: Final = 3000
READS: Final = frozenset({"R1", "R2", "R3", "R4", "R5", "R6"})
WRITES: Final = frozenset({"W1", "W2"})
UNKNOWN_ADDRESS: Final = "ER05"
NOT_ADMITTED: Final = "ER02"
NOT_WRITABLE: Final = "ER06"
UNKNOWN_COMMAND: Final = "ER04"


class ReadoutError(ValueError):
    """A readout file that cannot be used; the message names the file and the entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadoutLine:
    """One line of the file."""

    address: str
    value: str = ""
    object: ObisCode | None = None
    form: str = ""
    unit: str = ""
    digits: int = 1
    decimals: int = 0
    with_moment: bool = False
    writable: bool = False
    listed: bool = True


@dataclass(frozen=True, slots=True)
class ReadoutProfile:
    """A profile whose rows follow from the time, every `minutes` minutes."""

    address: str
    minutes: int
    columns: tuple[ReadoutLine, ...]


@dataclass(frozen=True, slots=True)
class Readout:
    """What a file says."""

    lines: tuple[ReadoutLine, ...]
    profile: ReadoutProfile | None = None


@lru_cache
def load_readout(name: str) -> Readout:
    """The readout `readouts/<name>.toml`."""
    path = READOUTS / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in READOUTS.glob("*.toml")))
        raise ReadoutError(f"there is no readout “{name}”; there are: {known}")
    try:
        return parse_readout(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ReadoutError(f"{path.name}: {error}") from None


def parse_readout(table: Mapping[str, Any]) -> Readout:
    lines = tuple(_line(entry) for entry in table.get("lines", ()))
    given = table.get("profile")
    if given is None:
        return Readout(lines)
    columns = tuple(_line(entry) for entry in given["columns"])
    if any(column.object is None for column in columns) or not columns:
        raise ValueError("the columns of a profile are objects")
    return Readout(lines, ReadoutProfile(given["address"], given["minutes"], columns))


def _line(entry: Mapping[str, Any]) -> ReadoutLine:
    values = dict(entry)
    if ("value" in values) == ("object" in values):
        raise ValueError(f"{values.get('address', 'a line')} needs a value or an object")
    if "object" in values:
        values["object"] = ObisCode.parse(values["object"])
    line = ReadoutLine(**values)
    if line.form not in FORMS:
        raise ValueError(f"{line.address}: “{line.form}” is no form; there are: {', '.join(filter(None, FORMS))}")
    if line.object is None:
        DataSet(line.address, (DataValue(line.value, line.unit),)).encode()
    return line


class Objects(Protocol):
    """The part of a meter that a readout needs."""

    serial_number: str

    def named(self, logical_name: ObisCode) -> CosemObject:
        """The object of this name; KeyError without one."""


class ReadoutDevice:
    """A meter that can be signed on to. `password` empty: whatever is offered is right."""

    def __init__(
        self,
        meter: Objects,
        readout: Readout,
        *,
        device_address: str,
        identification: IdentificationMessage,
        password: str = "",
        operand: str = "",
        max_block: int = 0,
        offers_hdlc: bool = True,
    ) -> None:
        self.meter = meter
        self.device_address = device_address
        self.identification = identification
        self.operand = operand
        self.max_block = max_block
        self.offers_hdlc = offers_hdlc
        self._password = password
        self._profile = readout.profile
        self._lines = {line.address: line for line in readout.lines}

    # -- what the sign-on server asks --------------------------------------------------------------------------------

    def readout(self) -> DataBlock:
        return DataBlock(
            tuple((DataSet(line.address, self._values(line)),) for line in self._lines.values() if line.listed)
        )

    def telegram(self, *, with_crc: bool) -> bytes:
        """What the meter pushes where nobody asks it (mode D, P1)."""
        return Telegram(self.identification, self.readout()).encode(with_crc=with_crc)

    def admits(self, command: str, offered: str) -> bool:
        return command == "P1" and offered == (self._password or offered)

    def carry_out(self, command: str, data_set: DataSet, *, admitted: bool) -> DataBlock | None:
        if command in READS:
            return self._read(data_set)
        if command in WRITES:
            self._write(data_set, admitted=admitted)
            return None
        raise Refusal(UNKNOWN_COMMAND)

    # -- values ------------------------------------------------------------------------------------------------------

    def _read(self, data_set: DataSet) -> DataBlock:
        if self._profile is not None and data_set.address == self._profile.address:
            return self._rows(self._profile, data_set.values[0].value)
        line = self._lines.get(data_set.address)
        if line is None:
            raise Refusal(UNKNOWN_ADDRESS)
        return DataBlock(((DataSet("", self._values(line)),),), ended=False)

    def _write(self, data_set: DataSet, *, admitted: bool) -> None:
        line = self._lines.get(data_set.address)
        if line is None:
            raise Refusal(UNKNOWN_ADDRESS)
        if not admitted:
            raise Refusal(NOT_ADMITTED)
        if not line.writable:
            raise Refusal(NOT_WRITABLE)
        try:
            data_set.encode()
        except LocalProtocolError:
            raise Refusal(NOT_WRITABLE) from None
        self._lines[line.address] = replace(line, value=data_set.values[0].value)

    def _values(self, line: ReadoutLine) -> tuple[DataValue, ...]:
        if line.object is None:
            return (DataValue(line.value, line.unit),)
        target = self._target(line.object)
        value = target.read(2)
        shown = DataValue(self._text(line, target, value), line.unit)
        if not line.with_moment:
            return (shown,)
        moment = _moment(target.read(5))
        return (shown, DataValue(moment.strftime(SHORT_MOMENT) if moment else "0000000000"))

    def _target(self, obis: ObisCode) -> CosemObject:
        try:
            return self.meter.named(obis)
        except KeyError:
            raise Refusal(UNKNOWN_ADDRESS) from None

    def _text(self, line: ReadoutLine, target: CosemObject, value: object) -> str:
        if FORMS[line.form]:
            moment = _moment(value)
            return moment.strftime(FORMS[line.form]) if moment else ""
        if not isinstance(value, Data):
            raise Refusal(UNKNOWN_ADDRESS)
        if isinstance(value.value, bytes) and line.form == "hex":
            return value.value.hex().upper()
        if isinstance(value.value, bytes):
            return "".join(
                chr(octet) if 0x20 <= octet < 0x7F and chr(octet) not in "()/!*" else "." for octet in value.value
            )
        return _fixed(line, _scaled(target, value.value))

    # -- profile -----------------------------------------------------------------------------------------------------

    def _rows(self, profile: ReadoutProfile, wanted: str) -> DataBlock:
        """`from;to` as the profile's own moments; without one, the last day."""
        begin, end = self._range(profile, wanted)
        step = timedelta(minutes=profile.minutes)
        count = min(max(0, (end - begin) // step + 1), MAX_ROWS)
        columns = [(column, self._target(column.object)) for column in profile.columns if column.object is not None]
        head = [begin.strftime(MOMENT_FORM), "00", str(profile.minutes), str(len(columns))]
        for column, _ in columns:
            head += [column.address, column.unit]
        lines = [(DataSet(profile.address, tuple(DataValue(text) for text in head)),)]
        for number in range(count):
            moment = begin + number * step
            cells = tuple(DataValue(_cell(column, target, moment)) for column, target in columns)
            lines.append((DataSet("", cells),))
        return DataBlock(tuple(lines), ended=False)

    def _range(self, profile: ReadoutProfile, wanted: str) -> tuple[datetime, datetime]:
        now = _moment(self._target(ObisCode.parse("0-0:1.0.0*255")).read(2))
        if now is None:
            raise Refusal(UNKNOWN_ADDRESS)
        newest = now.replace(minute=now.minute // profile.minutes * profile.minutes, second=0, microsecond=0)
        first, _, last = wanted.partition(";")
        begin, end = Moment.parse(first), Moment.parse(last)
        oldest = newest - timedelta(days=1) if begin is None else begin.moment.replace(tzinfo=now.tzinfo)
        latest = newest if end is None else min(newest, end.moment.replace(tzinfo=now.tzinfo))
        minute = oldest.minute // profile.minutes * profile.minutes
        return oldest.replace(minute=minute, second=0, microsecond=0), latest


def _cell(column: ReadoutLine, target: CosemObject, moment: datetime) -> str:
    value = target.captured(2, moment).value
    return _fixed(column, _scaled(target, value))


def _moment(value: object) -> datetime | None:
    moment = as_date_time(value) if isinstance(value, Data) else None
    return None if moment is None else moment.to_datetime()


def _scaled(target: CosemObject, number: Any) -> Decimal:
    """The register's value in its own unit."""
    try:
        scaler_unit = target.read(3)
        assert isinstance(scaler_unit, Data)
        return ScalerUnit.from_data(scaler_unit).apply(number)
    except Denied:  # Data has no scaler
        return Decimal(number)


def _fixed(line: ReadoutLine, number: Decimal) -> str:
    """With so many digits before and behind the point as the line has; in thousands where its unit begins with k."""
    value = number / 1000 if line.unit.startswith(KILO) else number
    width = line.digits + (line.decimals + 1 if line.decimals else 0)
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value):0{width}.{line.decimals}f}"
