"""Short-name services: READ, WRITE, unconfirmed WRITE, InformationReport (IEC 62056-5-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import zip_longest
from typing import ClassVar, Final

from meters.cosem.data import Data, integer
from meters.cosem.short_names import BROADCAST_SCRIPT_TABLE, CURRENT_ASSOCIATION
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult, block_text, read_data_access_result
from sessions.dlms.apdu.get import short_text
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer

OF_CURRENT_ASSOCIATION: Final = range(CURRENT_ASSOCIATION, BROADCAST_SCRIPT_TABLE)
"""Reserved names of the association in use: what is written there may be its secret."""

METHOD_SELECTOR: Final = 0
"""The selector that a method call carries: it selects nothing, and meters do not look at it."""


class ReadResultChoice(IntEnum):
    DATA = 0
    DATA_ACCESS_ERROR = 1
    DATA_BLOCK_RESULT = 2
    BLOCK_NUMBER = 3


class WriteResultChoice(IntEnum):
    SUCCESS = 0
    DATA_ACCESS_ERROR = 1
    BLOCK_NUMBER = 2


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

    @classmethod
    def variable(
        cls, variable_name: int, selector: int | None = None, parameter: Data | None = None
    ) -> VariableAccessSpecification:
        """A variable by its name, or with a selector the part of it that `parameter` describes."""
        if selector is None or parameter is None:
            return cls(VariableAccess.VARIABLE_NAME, variable_name)
        return cls(VariableAccess.PARAMETERIZED_ACCESS, variable_name, selector, parameter)

    @classmethod
    def block_number_access(cls, block_number: int) -> VariableAccessSpecification:
        """The request for the block after `block_number`."""
        return cls(VariableAccess.BLOCK_NUMBER_ACCESS, block_number)

    @property
    def named(self) -> bool:
        """Whether `number` is a variable name, and not that of a block."""
        return self.kind in (VariableAccess.VARIABLE_NAME, VariableAccess.PARAMETERIZED_ACCESS)

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
        if not self.named:
            return f"block {self.number}"
        return f"{self.number:04X}" + (f", selector {self.selector}" if self.parameter is not None else "")


def method_call(variable_name: int, parameters: Data | None) -> VariableAccessSpecification:
    """How a READ calls a method that returns something; integer(0) stands for no parameters, as the classes' tables say."""
    given = integer(0) if parameters is None else parameters
    return VariableAccessSpecification.variable(variable_name, METHOD_SELECTOR, given)


def action_result(result: DataAccessResult) -> ActionResult:
    """The result of a method, which short-name services say as a data-access-result: most numbers are the same."""
    try:
        return ActionResult(result)
    except ValueError:
        return ActionResult.OTHER_REASON


def _first(shown: Iterable[str], limit: int = 4) -> str:
    """The first few of a list, for a line."""
    items = list(shown)
    return ", ".join(items[:limit]) + (f" and {len(items) - limit} more" if len(items) > limit else "")


def _written(variables: tuple[VariableAccessSpecification, ...], values: tuple[Data, ...]) -> str:
    """`0208 := 5, 0210 := 7`. The counts may differ: what is left over is shown without a partner."""
    hidden = any(variable.named and variable.number in OF_CURRENT_ASSOCIATION for variable in variables)
    shown = ["(not shown)" if hidden else short_text(value) for value in values]
    pairs = zip_longest(map(str, variables), shown, fillvalue="nothing")
    return _first(f"{variable} := {value}" for variable, value in pairs)


def read_specification(reader: Reader) -> VariableAccessSpecification:
    with reader.group("variable-access-specification"):
        kind = reader.enum(VariableAccess, "choice")
        blocks = kind in (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS)
        last_block = reader.flag("last-block") if blocks else False
        if blocks or kind is VariableAccess.BLOCK_NUMBER_ACCESS:
            number = reader.u16("block-number")
        else:
            number = reader.u16("variable-name")
            reader.label(f"{number:04X}")
        if kind is VariableAccess.PARAMETERIZED_ACCESS:
            return VariableAccessSpecification(kind, number, reader.u8("selector"), read_data(reader))
        raw = reader.octet_string("raw-data") if kind is VariableAccess.READ_DATA_BLOCK_ACCESS else b""
        return VariableAccessSpecification(kind, number, last_block=last_block, raw_data=raw)


def read_specifications(reader: Reader) -> tuple[VariableAccessSpecification, ...]:
    """The list of a request: all of a readRequest but its tag."""
    return tuple(read_specification(reader) for _ in range(reader.count("count", least=3)))


def write_specifications(writer: Writer, specifications: tuple[VariableAccessSpecification, ...]) -> None:
    writer.length(len(specifications))
    for specification in specifications:
        specification.write(writer)


def read_values(reader: Reader) -> tuple[Data, ...]:
    return tuple(read_data(reader) for _ in range(reader.count("data-count")))


def write_values(writer: Writer, values: tuple[Data, ...]) -> None:
    writer.length(len(values))
    for value in values:
        write_data(writer, value)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    tag: ClassVar[ApduTag] = ApduTag.READ_REQUEST
    variables: tuple[VariableAccessSpecification, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.READ_REQUEST)
        write_specifications(writer, self.variables)
        return writer.octets()

    def summary(self) -> str:
        return f"READ request {_first(map(str, self.variables))}"


@dataclass(frozen=True, slots=True)
class ReadBlock:
    """A slice of a long answer."""

    last_block: bool
    block_number: int
    raw_data: bytes


ReadResult = Data | DataAccessResult | ReadBlock | int


def method_result(result: ReadResult) -> tuple[ActionResult, Data | None] | None:
    """What a READ that called a method says; None where the result is no whole one."""
    if isinstance(result, DataAccessResult):
        return action_result(result), None
    return (ActionResult.SUCCESS, result) if isinstance(result, Data) else None


def _read_result_text(result: ReadResult) -> str:
    if isinstance(result, Data | DataAccessResult):
        return short_text(result)
    if isinstance(result, ReadBlock):
        return block_text(result.last_block, result.block_number, result.raw_data)
    return f"block {result} received"


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """Each result is a value, a refusal, a block, or the number of a block that has arrived."""

    tag: ClassVar[ApduTag] = ApduTag.READ_RESPONSE
    results: tuple[ReadResult, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.READ_RESPONSE).length(len(self.results))
        for result in self.results:
            if isinstance(result, Data):
                write_data(writer.u8(ReadResultChoice.DATA), result)
            elif isinstance(result, DataAccessResult):
                writer.u8(ReadResultChoice.DATA_ACCESS_ERROR).u8(result)
            elif isinstance(result, ReadBlock):
                writer.u8(ReadResultChoice.DATA_BLOCK_RESULT).flag(result.last_block).u16(result.block_number)
                writer.octet_string(result.raw_data)
            else:
                writer.u8(ReadResultChoice.BLOCK_NUMBER).u16(result)
        return writer.octets()

    def summary(self) -> str:
        return f"READ response: {_first(_read_result_text(result) for result in self.results)}"


@dataclass(frozen=True, slots=True)
class WriteRequest:
    tag: ClassVar[ApduTag] = ApduTag.WRITE_REQUEST
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        write_specifications(writer, self.variables)
        write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"WRITE request {_written(self.variables, self.values)}"


@dataclass(frozen=True, slots=True)
class UnconfirmedWriteRequest:
    tag: ClassVar[ApduTag] = ApduTag.UNCONFIRMED_WRITE_REQUEST
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(self.tag)
        write_specifications(writer, self.variables)
        write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"unconfirmed WRITE request {_written(self.variables, self.values)}"


@dataclass(frozen=True, slots=True)
class WriteResponse:
    """Each result is success, a refusal, or the number of a block that has arrived."""

    tag: ClassVar[ApduTag] = ApduTag.WRITE_RESPONSE
    results: tuple[DataAccessResult | int, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.WRITE_RESPONSE).length(len(self.results))
        for result in self.results:
            if not isinstance(result, DataAccessResult):
                writer.u8(WriteResultChoice.BLOCK_NUMBER).u16(result)
            elif result is DataAccessResult.SUCCESS:
                writer.u8(WriteResultChoice.SUCCESS)
            else:
                writer.u8(WriteResultChoice.DATA_ACCESS_ERROR).u8(result)
        return writer.octets()

    def summary(self) -> str:
        shown = (r.summary() if isinstance(r, DataAccessResult) else f"block {r} received" for r in self.results)
        return f"WRITE response: {_first(shown)}"


@dataclass(frozen=True, slots=True)
class InformationReport:
    """`current_time` is the text of a GeneralizedTime, empty where it is absent."""

    tag: ClassVar[ApduTag] = ApduTag.INFORMATION_REPORT_REQUEST
    current_time: bytes
    variables: tuple[VariableAccessSpecification, ...]
    values: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.INFORMATION_REPORT_REQUEST)
        if self.current_time:
            writer.u8(1).octet_string(self.current_time)
        else:
            writer.u8(0)
        write_specifications(writer, self.variables)
        write_values(writer, self.values)
        return writer.octets()

    def summary(self) -> str:
        return f"information report: {_written(self.variables, self.values)}"


def read_read_request(reader: Reader) -> ReadRequest:
    with reader.group("readRequest"):
        reader.constant(bytes((ApduTag.READ_REQUEST,)), "tag")
        return ReadRequest(read_specifications(reader))


def read_read_result(reader: Reader) -> ReadResult:
    match reader.enum(ReadResultChoice, "choice"):
        case ReadResultChoice.DATA:
            return read_data(reader)
        case ReadResultChoice.DATA_ACCESS_ERROR:
            return read_data_access_result(reader)
        case ReadResultChoice.DATA_BLOCK_RESULT:
            return ReadBlock(reader.flag("last-block"), reader.u16("block-number"), reader.octet_string("raw-data"))
        case ReadResultChoice.BLOCK_NUMBER:
            return reader.u16("block-number")


def read_read_results(reader: Reader) -> tuple[ReadResult, ...]:
    """A readResponse without its tag, as the blocks of a long one carry it."""
    return tuple(read_read_result(reader) for _ in range(reader.count("count")))


def read_read_response(reader: Reader) -> ReadResponse:
    with reader.group("readResponse"):
        reader.constant(bytes((ApduTag.READ_RESPONSE,)), "tag")
        return ReadResponse(read_read_results(reader))


def read_write_request(reader: Reader) -> WriteRequest:
    with reader.group("writeRequest"):
        reader.constant(bytes((ApduTag.WRITE_REQUEST,)), "tag")
        return WriteRequest(read_specifications(reader), read_values(reader))


def read_unconfirmed_write_request(reader: Reader) -> UnconfirmedWriteRequest:
    with reader.group("unconfirmedWriteRequest"):
        reader.constant(bytes((ApduTag.UNCONFIRMED_WRITE_REQUEST,)), "tag")
        return UnconfirmedWriteRequest(read_specifications(reader), read_values(reader))


def _read_write_result(reader: Reader) -> DataAccessResult | int:
    match reader.enum(WriteResultChoice, "choice"):
        case WriteResultChoice.SUCCESS:
            return DataAccessResult.SUCCESS
        case WriteResultChoice.DATA_ACCESS_ERROR:
            return read_data_access_result(reader)
        case WriteResultChoice.BLOCK_NUMBER:
            return reader.u16("block-number")


def read_write_response(reader: Reader) -> WriteResponse:
    with reader.group("writeResponse"):
        reader.constant(bytes((ApduTag.WRITE_RESPONSE,)), "tag")
        return WriteResponse(tuple(_read_write_result(reader) for _ in range(reader.count("count"))))


def read_information_report(reader: Reader) -> InformationReport:
    with reader.group("informationReportRequest"):
        reader.constant(bytes((ApduTag.INFORMATION_REPORT_REQUEST,)), "tag")
        moment = reader.octet_string("current-time") if reader.flag("current-time-present") else b""
        return InformationReport(moment, read_specifications(reader), read_values(reader))
