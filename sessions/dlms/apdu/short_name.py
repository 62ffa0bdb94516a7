"""Short-name services: READ, WRITE, unconfirmed WRITE, InformationReport (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import DataAccessResult, read_data_access_result
from sessions.dlms.apdu.get import short_text
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import UnknownTagError

READ_REQUEST_TAG = 0x05
WRITE_REQUEST_TAG = 0x06
READ_RESPONSE_TAG = 0x0C
WRITE_RESPONSE_TAG = 0x0D
UNCONFIRMED_WRITE_TAG = 0x16
INFORMATION_REPORT_TAG = 0x18


class VariableAccess(IntEnum):
    VARIABLE_NAME = 2
    PARAMETERIZED_ACCESS = 4
    BLOCK_NUMBER_ACCESS = 5
    READ_DATA_BLOCK_ACCESS = 6
    WRITE_DATA_BLOCK_ACCESS = 7


@dataclass(frozen=True, slots=True)
class VariableAccessSpecification:
    """One address. `number` is the variable name (16 bits) or the block number, by `kind`."""

    kind: VariableAccess
    number: int
    selector: int = 0
    parameter: Data | None = None
    last_block: bool = False
    raw_data: bytes = b""

    def write(self, writer: Writer) -> None:
        writer.u8(self.kind)
        if self.kind in (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS):
            writer.flag(self.last_block)
        writer.u16(self.number)
        if self.kind is VariableAccess.PARAMETERIZED_ACCESS and self.parameter is not None:
            writer.u8(self.selector)
            write_data(writer, self.parameter)
        elif self.kind is VariableAccess.READ_DATA_BLOCK_ACCESS:
            writer.octet_string(self.raw_data)

    def __str__(self) -> str:
        named = self.kind in (VariableAccess.VARIABLE_NAME, VariableAccess.PARAMETERIZED_ACCESS)
        return f"{self.number:04X}" if named else f"block {self.number}"


def _read_specification(reader: Reader) -> VariableAccessSpecification:
    with reader.group("variable-access-specification"):
        kind = reader.enum(VariableAccess, "choice")
        blocks = kind in (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS)
        last_block = reader.flag("last-block") if blocks else False
        number = reader.u16("number")
        if kind is VariableAccess.PARAMETERIZED_ACCESS:
            return VariableAccessSpecification(kind, number, reader.u8("selector"), read_data(reader))
        raw = reader.octet_string("raw-data") if kind is VariableAccess.READ_DATA_BLOCK_ACCESS else b""
        return VariableAccessSpecification(kind, number, last_block=last_block, raw_data=raw)


def _read_specifications(reader: Reader) -> tuple[VariableAccessSpecification, ...]:
    return tuple(_read_specification(reader) for _ in range(reader.count("count", least=3)))


def _write_specifications(writer: Writer, specifications: tuple[VariableAccessSpecification, ...]) -> None:
    writer.length(len(specifications))
    for specification in specifications:
        specification.write(writer)


def _read_values(reader: Reader) -> tuple[Data, ...]:
    return tuple(read_data(reader) for _ in range(reader.count("data-count")))


def _write_values(writer: Writer, values: tuple[Data, ...]) -> None:
    writer.length(len(values))
    for value in values:
        write_data(writer, value)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    tag: ClassVar[int] = READ_REQUEST_TAG
    variables: tuple[VariableAccessSpecification, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(READ_REQUEST_TAG)
        _write_specifications(writer, self.variables)
        return writer.octets()

    def summary(self) -> str:
        return f"READ request {', '.join(str(variable) for variable in self.variables[:4])}"


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """A slice of a long answer."""

    last_block: bool
    block_number: int
    raw_data: bytes


ReadResult = Data | DataAccessResult | ReadBlock | int


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """Each result is a value, a refusal, a block, or the number of a block that has arrived."""

    tag: ClassVar[int] = READ_RESPONSE_TAG
    results: tuple[ReadResult, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(READ_RESPONSE_TAG).length(len(self.results))
        for result in self.results:
            if isinstance(result, Data):
                write_data(writer.u8(0), result)
            elif isinstance(result, DataAccessResult):
                writer.u8(1).u8(result)
            elif isinstance(result, ReadBlock):
                writer.u8(2).flag(result.last_block).u16(result.block_number).octet_string(result.raw_data)
            else:
                writer.u8(3).u16(result)
        return writer.octets()

    def summary(self) -> str:
        shown = [short_text(result) for result in self.results if isinstance(result, Data | DataAccessResult)]
        return f"READ response: {', '.join(shown[:4]) or f'{len(self.results)} blocks'}"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    tag: ClassVar[int] = WRITE_REQUEST_TAG
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        _write_specifications(writer, self.variables)
        _write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"WRITE request {', '.join(str(variable) for variable in self.variables[:4])}"


@dataclass(frozen=True, slots=True)
class UnconfirmedWriteRequest:
    tag: ClassVar[int] = UNCONFIRMED_WRITE_TAG
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        _write_specifications(writer, self.variables)
        _write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"unconfirmed WRITE request {', '.join(str(variable) for variable in self.variables[:4])}"


@dataclass(frozen=True, slots=True)
class WriteResponse:
    """Each result is success, a refusal, or the number of a block that has arrived."""

    tag: ClassVar[int] = WRITE_RESPONSE_TAG
    results: tuple[DataAccessResult | int, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(WRITE_RESPONSE_TAG).length(len(self.results))
        for result in self.results:
            if not isinstance(result, DataAccessResult):
                writer.u8(2).u16(result)
            elif result is DataAccessResult.SUCCESS:
                writer.u8(0)
            else:
                writer.u8(1).u8(result)
        return writer.octets()

    def summary(self) -> str:
        shown = [r.words if isinstance(r, DataAccessResult) else f"block {r}" for r in self.results]
        return f"WRITE response: {', '.join(shown[:4])}"


@dataclass(frozen=True, slots=True)
class InformationReport:
    """`current_time` is the text of a GeneralizedTime, empty where it is absent."""

    tag: ClassVar[int] = INFORMATION_REPORT_TAG
    current_time: bytes
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(INFORMATION_REPORT_TAG)
        if self.current_time:
            writer.u8(1).octet_string(self.current_time)
        else:
            writer.u8(0)
        _write_specifications(writer, self.variables)
        _write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"information report: {', '.join(short_text(value) for value in self.values[:4])}"


def read_read_request(reader: Reader) -> ReadRequest:
    with reader.group("readRequest"):
        reader.constant(bytes((READ_REQUEST_TAG,)), "tag")
        return ReadRequest(_read_specifications(reader))


def _read_read_result(reader: Reader) -> ReadResult:
    at = reader.position
    choice = reader.u8("choice")
    if choice == 0:
        return read_data(reader)
    if choice == 1:
        return read_data_access_result(reader)
    if choice == 2:
        return ReadBlock(reader.flag("last-block"), reader.u16("block-number"), reader.octet_string("raw-data"))
    if choice == 3:
        return reader.u16("block-number")
    raise UnknownTagError("readResponse", at, f"choice {choice} is not assigned")


def read_read_response(reader: Reader) -> ReadResponse:
    with reader.group("readResponse"):
        reader.constant(bytes((READ_RESPONSE_TAG,)), "tag")
        return ReadResponse(tuple(_read_read_result(reader) for _ in range(reader.count("count"))))


def read_write_request(reader: Reader) -> WriteRequest:
    with reader.group("writeRequest"):
        reader.constant(bytes((WRITE_REQUEST_TAG,)), "tag")
        return WriteRequest(_read_specifications(reader), _read_values(reader))


def read_unconfirmed_write_request(reader: Reader) -> UnconfirmedWriteRequest:
    with reader.group("unconfirmedWriteRequest"):
        reader.constant(bytes((UNCONFIRMED_WRITE_TAG,)), "tag")
        return UnconfirmedWriteRequest(_read_specifications(reader), _read_values(reader))


def _read_write_result(reader: Reader) -> DataAccessResult | int:
    at = reader.position
    choice = reader.u8("choice")
    if choice == 0:
        return DataAccessResult.SUCCESS
    if choice == 1:
        return read_data_access_result(reader)
    if choice == 2:
        return reader.u16("block-number")
    raise UnknownTagError("writeResponse", at, f"choice {choice} is not assigned")


def read_write_response(reader: Reader) -> WriteResponse:
    with reader.group("writeResponse"):
        reader.constant(bytes((WRITE_RESPONSE_TAG,)), "tag")
        return WriteResponse(tuple(_read_write_result(reader) for _ in range(reader.count("count"))))


def read_information_report(reader: Reader) -> InformationReport:
    with reader.group("informationReportRequest"):
        reader.constant(bytes((INFORMATION_REPORT_TAG,)), "tag")
        moment = reader.octet_string("current-time") if reader.flag("current-time-present") else b""
        return InformationReport(moment, _read_specifications(reader), _read_values(reader))
