"""Data lines of IEC 62056-21, 6.5: what a readout, an answer or a command says.

    data block  data line CR LF … ! CR LF
    data line   data set …
    data set    address ( value [ * unit ] ) …

Several values may follow one address. A group without an address goes on with the data set before it (the rows of a profile).
Strict in what is written; what is read may hold any printable character but brackets: meters put `*`, `/` and `!` into values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, InvalidValueError, LimitExceededError, LocalProtocolError, TruncatedError
from sessions.dlms.iec62056_21.characters import CRLF, END_MARK

MAX_ADDRESS: Final = 64
MAX_VALUE: Final = 8192
FREE_VALUES: Final = 8192
OCTETS_A_VALUE: Final = 8
VALUES_A_DATA_SET: Final = 3
"""More values than `FREE_VALUES` need at least so many octets each, and an address weighs as much as some values: a bomb of
empty brackets is none of a meter's readouts."""

_OPEN, _CLOSE, _STAR = 0x28, 0x29, 0x2A
_GROUP: Final = re.compile(rb"([^()\x00-\x1f\x7f-\xff]*)\(([^()\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\xff]*)\)")
"""Long values run over line ends in some telegrams."""
_GAP: Final = re.compile(rb"[\r\n]+")
_LINE_END: Final = re.compile(rb"[\r\n]")
_BROKEN: Final = re.compile(rb"[()\x00-\x1f\x7f-\xff]")
_RESERVED: Final = re.compile(r"[()/!\x00-\x1f\x7f-\xff]")


@dataclass(frozen=True, slots=True)
class DataValue:
    """What stands between two brackets. A text with more than one `*` (lists joined by `&`) has no unit of its own."""

    value: str
    unit: str = ""

    @classmethod
    def of(cls, text: str) -> DataValue:
        value, _, unit = text.partition("*")
        return cls(value, unit) if unit and "*" not in unit else cls(text)

    def __str__(self) -> str:
        return f"{self.value}*{self.unit}" if self.unit else self.value


@dataclass(frozen=True, slots=True)
class DataSet:
    """One address and its values; the address may be empty."""

    address: str
    values: tuple[DataValue, ...]

    def __str__(self) -> str:
        return self.address + "".join(f"({value})" for value in self.values)

    def encode(self) -> bytes:
        texts = [self.address, *(str(value) for value in self.values)]
        if any(_RESERVED.search(text) for text in texts) or not self.values:
            raise LocalProtocolError("brackets, / and ! have no place in an address or a value", layer="link")
        return str(self).encode("ascii")


@dataclass(frozen=True, slots=True)
class DataBlock:
    """Lines of data sets. `ended`: an exclamation mark says that nothing follows; `unread`: lines that are no data lines."""

    lines: tuple[tuple[DataSet, ...], ...]
    ended: bool = True
    unread: tuple[str, ...] = ()

    @property
    def oddity(self) -> str:
        """What is odd about the block, in words."""
        if not self.unread:
            return ""
        count = len(self.unread)
        return f"{count} line{'s are' if count > 1 else ' is'} no data line{'s' if count > 1 else ''}"

    @property
    def data_sets(self) -> tuple[DataSet, ...]:
        return tuple(data_set for line in self.lines for data_set in line)

    def encode(self) -> bytes:
        """With CR LF behind every line, but for a bare answer, which is one line and no more."""
        lines = [b"".join(data_set.encode() for data_set in line) for line in self.lines]
        if not self.ended and len(lines) == 1:
            return lines[0]
        return b"".join(line + CRLF for line in lines) + (bytes((END_MARK,)) + CRLF if self.ended else b"")

    def find(self, address: str) -> DataSet | None:
        """The first data set with this address."""
        return next((one for one in self.data_sets if one.address == address), None)


def read_data_block(reader: Reader, *, lenient: bool = False) -> DataBlock:
    """Everything up to the reader's end: data lines, and the exclamation marks between and behind them.

    `lenient`: a line that is no data line is kept in `unread` and costs only itself; where nothing can be read, it is an error.
    """
    lines = _Lines(lenient)
    allowance = FREE_VALUES + reader.remaining // OCTETS_A_VALUE
    while reader.remaining:
        if (gap := _GAP.match(reader.octets, reader.offset)) is not None:
            reader.offset = gap.end()
            lines.close()
        elif reader.peek() == END_MARK:
            reader.take(1, "end-mark", "!")
            lines.close()
            lines.ended = True
        else:
            allowance -= lines.read(reader, allowance) + VALUES_A_DATA_SET
            if allowance < 0:
                raise LimitExceededError("data-set", reader.position, "more data sets than a readout can have")
    return lines.block()


class _Lines:
    """The lines of a block while they are read."""

    def __init__(self, lenient: bool) -> None:
        self.ended = False
        self._lenient = lenient
        self._lines: list[tuple[DataSet, ...]] = []
        self._line: list[DataSet] = []
        self._unread: list[str] = []
        self._error: DecodeError | None = None

    def read(self, reader: Reader, allowance: int) -> int:
        """One data set at the cursor, or what stands in its place; how many values it has."""
        self.ended = False
        start = reader.offset
        try:
            data_set = _read_data_set(reader, allowance)
        except (InvalidValueError, TruncatedError) as error:
            if not self._lenient:
                raise
            reader.leave()
            reader.offset = start
            self._skip(reader, error)
            return 0
        self._line.append(data_set)
        return len(data_set.values)

    def _skip(self, reader: Reader, error: DecodeError) -> None:
        """The rest of the line is no data line."""
        end = _LINE_END.search(reader.octets, reader.offset)
        octets = reader.take((end.start() if end else reader.end) - reader.offset, "unread-line")
        reader.label("no data line")
        self._unread.append(octets.decode("latin-1"))
        self._error = self._error or error

    def close(self) -> None:
        """The line ends here."""
        if self._line:
            self._lines.append(tuple(self._line))
            self._line.clear()

    def block(self) -> DataBlock:
        self.close()
        if self._error is not None and not self._lines:
            raise self._error
        return DataBlock(tuple(self._lines), self.ended, tuple(self._unread))


def _read_data_set(reader: Reader, allowance: int) -> DataSet:
    with reader.group("data-set"):
        values = list(_read_values(reader, allowance))
    address = values.pop(0)
    return DataSet(address, tuple(DataValue.of(text) for text in values))


def _read_values(reader: Reader, allowance: int) -> Iterator[str]:
    """The address, then each value as text."""
    group = _GROUP.match(reader.octets, reader.offset)
    if group is None:
        raise _no_group(reader)
    _check_size(reader, group)
    address = reader.take(len(group[1]), "address").decode("ascii")
    reader.label(address)
    yield address
    while group is not None:
        allowance -= 1
        if allowance < 0:
            raise LimitExceededError("value", reader.position, "more values than a readout can have")
        _check_size(reader, group)
        yield _read_value(reader, group[2])
        group = _GROUP.match(reader.octets, reader.offset)
        if group is not None and group[1]:
            return


def _check_size(reader: Reader, group: re.Match[bytes]) -> None:
    for name, text, most in (("address", group[1], MAX_ADDRESS), ("value", group[2], MAX_VALUE)):
        if len(text) > most:
            raise LimitExceededError(name, reader.position, f"{len(text)} characters, at most {most} are read")


def _read_value(reader: Reader, octets: bytes) -> str:
    """One group in brackets, the cursor at its opening one."""
    text = octets.translate(None, b"\r\n").decode("ascii")
    value = DataValue.of(text)
    broken = len(text) != len(octets)
    reader.offset += 1
    reader.take(len(octets) if broken else len(value.value), "value", text if broken else value.value)
    if value.unit and not broken:
        reader.offset += 1
        reader.take(len(value.unit), "unit", value.unit)
    reader.offset += 1
    return text


def _no_group(reader: Reader) -> InvalidValueError | TruncatedError:
    """Why no data set begins at the cursor."""
    at = reader.offset
    broken = _BROKEN.search(reader.octets, at)
    if broken is not None and broken[0] == b"(":
        broken = _BROKEN.search(reader.octets, broken.end())
    if broken is None:
        return TruncatedError("data-set", reader.position, "it has no closing bracket")
    found = broken[0]
    shown = repr(found.decode("ascii")) if b" " <= found <= b"~" else found.hex()
    return InvalidValueError("data-set", reader.origin + broken.start(), f"address(value) expected, {shown} found")


def decode_data_block(octets: bytes, *, lenient: bool = False) -> DataBlock:
    """The data block that fills the octets (characters without parity)."""
    return read_data_block(Reader(octets), lenient=lenient)
