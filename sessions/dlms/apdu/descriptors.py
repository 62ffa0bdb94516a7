"""Parts that several services share: descriptors, invoke-id, result codes (IEC 62056-5-3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meters.cosem.data import Data
from meters.cosem.interface_class import method_name
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import LimitExceededError


class DataAccessResult(IntEnum):
    """What a meter says of one attribute. It is a value, not an exception."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_GET_ABORTED = 15
    NO_LONG_GET_IN_PROGRESS = 16
    LONG_SET_ABORTED = 17
    NO_LONG_SET_IN_PROGRESS = 18
    DATA_BLOCK_NUMBER_INVALID = 19
    OTHER_REASON = 250

    @property
    def words(self) -> str:
        """The standard's name: `read-write-denied`."""
        return self.name.lower().replace("_", "-")

    def summary(self) -> str:
        """`access denied (read-write-denied)`."""
        return _outcome(self)


class ActionResult(IntEnum):
    """What a meter says of one method."""

    SUCCESS = 0
    HARDWARE_FAULT = 1
    TEMPORARY_FAILURE = 2
    READ_WRITE_DENIED = 3
    OBJECT_UNDEFINED = 4
    OBJECT_CLASS_INCONSISTENT = 9
    OBJECT_UNAVAILABLE = 11
    TYPE_UNMATCHED = 12
    SCOPE_OF_ACCESS_VIOLATED = 13
    DATA_BLOCK_UNAVAILABLE = 14
    LONG_ACTION_ABORTED = 15
    NO_LONG_ACTION_IN_PROGRESS = 16
    OTHER_REASON = 250

    @property
    def words(self) -> str:
        """The standard's name: `read-write-denied`."""
        return self.name.lower().replace("_", "-")

    def summary(self) -> str:
        """`access denied (read-write-denied)`."""
        return _outcome(self)


# Both enumerations share the numbers of what is said here.
_PLAIN_WORDS: Final[dict[int, str]] = {
    DataAccessResult.TEMPORARY_FAILURE: "not possible just now",
    DataAccessResult.READ_WRITE_DENIED: "access denied",
    DataAccessResult.OBJECT_UNDEFINED: "no such object",
    DataAccessResult.OBJECT_CLASS_INCONSISTENT: "the object is of another class",
    DataAccessResult.TYPE_UNMATCHED: "wrong type of data",
    DataAccessResult.SCOPE_OF_ACCESS_VIOLATED: "outside of what may be accessed",
}


def _outcome(result: DataAccessResult | ActionResult) -> str:
    if result == DataAccessResult.SUCCESS:
        return result.words
    return f"{_PLAIN_WORDS.get(result, 'refused')} ({result.words})"


def read_data_access_result(reader: Reader, name: str = "data-access-result") -> DataAccessResult:
    """A number that is not assigned counts as other-reason: meters have their own, and each of them is a refusal."""
    number = reader.u8(name)
    try:
        result = DataAccessResult(number)
    except ValueError:
        result = DataAccessResult.OTHER_REASON
        reader.label(f"{number} (not assigned)")
    else:
        if reader.tracer is not None:
            reader.label(f"{number} ({result.words})")
    return result


def read_action_result(reader: Reader) -> ActionResult:
    """As for a data-access-result: an unknown number is a refusal for another reason."""
    number = reader.u8("action-result")
    try:
        result = ActionResult(number)
    except ValueError:
        result = ActionResult.OTHER_REASON
        reader.label(f"{number} (not assigned)")
    else:
        if reader.tracer is not None:
            reader.label(f"{number} ({result.words})")
    return result


@dataclass(frozen=True, slots=True)
class InvokeIdAndPriority:
    """`invoke_id` 0 to 15. The answer repeats the octet."""

    invoke_id: int = 1
    confirmed: bool = True
    high_priority: bool = True

    def encode(self) -> int:
        return (0x80 if self.high_priority else 0) | (0x40 if self.confirmed else 0) | self.invoke_id & 0x0F


_INVOCATIONS: Final = tuple(InvokeIdAndPriority(n & 0x0F, bool(n & 0x40), bool(n & 0x80)) for n in range(256))


def read_invoke_id(reader: Reader) -> InvokeIdAndPriority:
    octet = reader.u8("invoke-id-and-priority")
    invocation = _INVOCATIONS[octet]
    if reader.tracer is not None:
        confirmed = "confirmed" if invocation.confirmed else "unconfirmed"
        priority = "high" if invocation.high_priority else "normal"
        reader.label(f"{octet:02x} (invoke-id {invocation.invoke_id}, {confirmed}, {priority} priority)")
    return invocation


@dataclass(frozen=True, slots=True)
class CosemAttributeDescriptor:
    """`class/OBIS` and an attribute of it; attribute 0 is all public ones."""

    class_id: int
    instance_id: ObisCode
    attribute_id: int

    def write(self, writer: Writer) -> None:
        writer.u16(self.class_id).put(self.instance_id.octets).signed(1, self.attribute_id)

    def __str__(self) -> str:
        return f"{self.class_id}/{self.instance_id} attribute {self.attribute_id}"


@dataclass(frozen=True, slots=True)
class CosemMethodDescriptor:
    """`class/OBIS` and a method of it."""

    class_id: int
    instance_id: ObisCode
    method_id: int

    def write(self, writer: Writer) -> None:
        writer.u16(self.class_id).put(self.instance_id.octets).signed(1, self.method_id)

    def __str__(self) -> str:
        """`70/0-0:96.3.10*255 method 1 (remote disconnect)`; without a name where the class is not known."""
        numbered = f"method {self.method_id}"
        name = method_name(self.class_id, self.method_id).replace("_", " ")
        return f"{self.class_id}/{self.instance_id} {numbered}{'' if name == numbered else f' ({name})'}"


def _read_object(reader: Reader) -> tuple[int, ObisCode]:
    class_id = reader.u16("class-id")
    instance_id = ObisCode.from_octets(reader.take(6, "instance-id"))
    if reader.tracer is not None:
        reader.label(f"{instance_id} ({describe(instance_id)})")
    return class_id, instance_id


def read_attribute_descriptor(reader: Reader) -> CosemAttributeDescriptor:
    reader.enter("cosem-attribute-descriptor")
    class_id, instance_id = _read_object(reader)
    descriptor = CosemAttributeDescriptor(class_id, instance_id, reader.signed(1, "attribute-id"))
    if reader.tracer is not None:
        reader.leave(str(descriptor))
    return descriptor


def read_method_descriptor(reader: Reader) -> CosemMethodDescriptor:
    reader.enter("cosem-method-descriptor")
    class_id, instance_id = _read_object(reader)
    descriptor = CosemMethodDescriptor(class_id, instance_id, reader.signed(1, "method-id"))
    if reader.tracer is not None:
        reader.leave(str(descriptor))
    return descriptor


class ResultChoice(IntEnum):
    """Get-Data-Result, and the result of a block, which holds raw data instead."""

    DATA = 0
    DATA_ACCESS_RESULT = 1


def read_get_data_result(reader: Reader, name: str = "result") -> Data | DataAccessResult:
    """Get-Data-Result: a value, or why there is none."""
    with reader.group(name):
        if reader.enum(ResultChoice, "choice") is ResultChoice.DATA:
            return read_data(reader)
        return read_data_access_result(reader)


def write_get_data_result(writer: Writer, result: Data | DataAccessResult) -> None:
    if isinstance(result, DataAccessResult):
        writer.u8(ResultChoice.DATA_ACCESS_RESULT).u8(result)
    else:
        write_data(writer.u8(ResultChoice.DATA), result)


MAX_LISTED: Final = 4096
"""Items of one list that are taken: no APDU of the usual size holds more descriptors, and no meter serves as many."""


def read_list_count(reader: Reader, name: str = "count", *, least: int = 1) -> int:
    """The count of a list of at least `least` octets an item; LimitExceededError where it is a bomb."""
    at = reader.position
    count = reader.count(name, least=least)
    if count > MAX_LISTED:
        raise LimitExceededError(name, at, f"a list of {count}, {MAX_LISTED} are taken")
    return count


def decode_data_list(octets: bytes) -> tuple[Data, ...]:
    """SEQUENCE OF Data, as the blocks of a long list carry it."""
    reader = Reader(octets)
    count = read_list_count(reader)
    values = tuple(read_data(reader) for _ in range(count))
    reader.finish()
    return values


def encode_data_list(values: Sequence[Data]) -> bytes:
    """The count and the values."""
    writer = Writer().length(len(values))
    for value in values:
        write_data(writer, value)
    return writer.octets()


@dataclass(frozen=True, slots=True)
class Datablock:
    """A slice of a long service: `block_number` counts from 1, `raw_data` is a part of an encoded value."""

    last_block: bool
    block_number: int
    raw_data: bytes

    def write(self, writer: Writer) -> None:
        writer.flag(self.last_block).u32(self.block_number).octet_string(self.raw_data)


def counted(number: int, noun: str) -> str:
    """`1 attribute`, `2 attributes`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def block_text(last_block: bool, block_number: int, octets: bytes) -> str:
    """One block in words, for the summary of the APDU that carries it."""
    return f"block {block_number}, {len(octets)} octets, {'the last' if last_block else 'more follow'}"


def read_datablock(reader: Reader) -> Datablock:
    """DataBlock-SA."""
    with reader.group("datablock"):
        return Datablock(reader.flag("last-block"), reader.u32("block-number"), reader.octet_string("raw-data"))
