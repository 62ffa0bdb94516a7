"""Parts that several services share: descriptors, invoke-id, result codes (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import read_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import UnknownTagError


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
        return self.name.lower().replace("_", "-")


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
        return self.name.lower().replace("_", "-")


def read_data_access_result(reader: Reader, name: str = "data-access-result") -> DataAccessResult:
    """A number that is not assigned counts as other-reason: meters have their own, and each of them is a refusal."""
    number = reader.u8(name)
    try:
        result = DataAccessResult(number)
    except ValueError:
        result = DataAccessResult.OTHER_REASON
        reader.label(f"{number} (not assigned)")
    else:
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


def read_invoke_id(reader: Reader) -> InvokeIdAndPriority:
    octet = reader.u8("invoke-id-and-priority")
    invocation = InvokeIdAndPriority(octet & 0x0F, bool(octet & 0x40), bool(octet & 0x80))
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
        return f"{self.class_id}/{self.instance_id} method {self.method_id}"


def _read_object(reader: Reader) -> tuple[int, ObisCode]:
    class_id = reader.u16("class-id")
    instance_id = ObisCode.from_octets(reader.take(6, "instance-id"))
    if reader.tracer is not None:
        from meters.cosem.obis_names import describe

        reader.label(f"{instance_id} ({describe(instance_id)})")
    return class_id, instance_id


def read_attribute_descriptor(reader: Reader) -> CosemAttributeDescriptor:
    reader.enter("cosem-attribute-descriptor")
    class_id, instance_id = _read_object(reader)
    descriptor = CosemAttributeDescriptor(class_id, instance_id, reader.signed(1, "attribute-id"))
    reader.leave(str(descriptor))
    return descriptor


def read_method_descriptor(reader: Reader) -> CosemMethodDescriptor:
    reader.enter("cosem-method-descriptor")
    class_id, instance_id = _read_object(reader)
    descriptor = CosemMethodDescriptor(class_id, instance_id, reader.signed(1, "method-id"))
    reader.leave(str(descriptor))
    return descriptor


def read_get_data_result(reader: Reader, name: str = "result") -> Data | DataAccessResult:
    """Get-Data-Result: a value, or why there is none."""
    with reader.group(name):
        at = reader.position
        choice = reader.u8("choice")
        reader.label(f"{choice} ({ {0: 'data', 1: 'data-access-result'}.get(choice, 'unknown') })")
        if choice == 0:
            return read_data(reader)
        if choice == 1:
            return read_data_access_result(reader)
        raise UnknownTagError(name, at, f"{choice} is neither data (0) nor data-access-result (1)")


@dataclass(frozen=True, slots=True)
class Datablock:
    """A slice of a long service: `block_number` counts from 1, `raw_data` is a part of an encoded value."""

    last_block: bool
    block_number: int
    raw_data: bytes

    def write(self, writer: Writer) -> None:
        writer.flag(self.last_block).u32(self.block_number).octet_string(self.raw_data)


def read_datablock(reader: Reader) -> Datablock:
    """DataBlock-SA."""
    with reader.group("datablock"):
        return Datablock(reader.flag("last-block"), reader.u32("block-number"), reader.octet_string("raw-data"))
