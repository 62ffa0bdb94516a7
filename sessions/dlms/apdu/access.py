"""ACCESS: several reads, writes and methods in one request (IEC 62056-5-3, access-request and access-response)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from meters.cosem.data import Data
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    read_attribute_descriptor,
    read_data_access_result,
    read_list_count,
    read_method_descriptor,
)
from sessions.dlms.apdu.notification import read_optional_date_time, write_optional_date_time
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data, write_data
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.selective_access import SelectiveAccess, read_selective_access


class AccessKind(IntEnum):
    GET = 1
    SET = 2
    ACTION = 3
    GET_WITH_SELECTION = 4
    SET_WITH_SELECTION = 5


@dataclass(frozen=True, slots=True)
class AccessSpecification:
    kind: AccessKind
    descriptor: CosemAttributeDescriptor | CosemMethodDescriptor
    selection: SelectiveAccess | None = None


def read_specification(reader: Reader) -> AccessSpecification:
    """Access-Request-Specification."""
    kind = reader.enum(AccessKind, "access-request")
    if kind is AccessKind.ACTION:
        return AccessSpecification(kind, read_method_descriptor(reader))
    descriptor = read_attribute_descriptor(reader)
    selected = kind in (AccessKind.GET_WITH_SELECTION, AccessKind.SET_WITH_SELECTION)
    return AccessSpecification(kind, descriptor, read_selective_access(reader) if selected else None)


def write_specification(writer: Writer, specification: AccessSpecification) -> None:
    """Access-Request-Specification: choice, descriptor, selection."""
    writer.u8(specification.kind)
    specification.descriptor.write(writer)
    if specification.selection is not None:
        writer.u8(specification.selection.access_selector)
        write_data(writer, specification.selection.access_parameters)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    tag: ClassVar[ApduTag] = ApduTag.ACCESS_REQUEST
    long_invoke_id_and_priority: int
    date_time: CosemDateTime | None
    specifications: tuple[AccessSpecification, ...]
    data: tuple[Data, ...]

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.ACCESS_REQUEST).u32(self.long_invoke_id_and_priority)
        write_optional_date_time(writer, self.date_time)
        writer.length(len(self.specifications))
        for specification in self.specifications:
            write_specification(writer, specification)
        writer.length(len(self.data))
        for value in self.data:
            write_data(writer, value)
        return writer.octets()

    def summary(self) -> str:
        return f"ACCESS request of {len(self.specifications)}"


def begin_access_response(
    invoke_id: int, moment: CosemDateTime | None, specifications: tuple[AccessSpecification, ...] | None
) -> Writer:
    """An access-response up to its list of data."""
    writer = Writer().u8(ApduTag.ACCESS_RESPONSE).u32(invoke_id)
    write_optional_date_time(writer, moment)
    if specifications is None:
        return writer.u8(0)
    writer.u8(1).length(len(specifications))
    for specification in specifications:
        write_specification(writer, specification)
    return writer


@dataclass(frozen=True, slots=True)
class AccessResponse:
    """`results`: the kind of each access and its number of result, in order."""

    tag: ClassVar[ApduTag] = ApduTag.ACCESS_RESPONSE
    long_invoke_id_and_priority: int
    date_time: CosemDateTime | None
    specifications: tuple[AccessSpecification, ...] | None
    data: tuple[Data, ...]
    results: tuple[tuple[AccessKind, int], ...]

    def encode(self) -> bytes:
        writer = begin_access_response(self.long_invoke_id_and_priority, self.date_time, self.specifications)
        writer.length(len(self.data))
        for value in self.data:
            write_data(writer, value)
        writer.length(len(self.results))
        for kind, result in self.results:
            writer.u8(kind).u8(result)
        return writer.octets()

    def summary(self) -> str:
        good = sum(result == 0 for _, result in self.results)
        return f"ACCESS response, {good} of {len(self.results)} succeeded"


def read_access_request(reader: Reader) -> AccessRequest:
    with reader.group("access-request"):
        reader.constant(bytes((ApduTag.ACCESS_REQUEST,)), "tag")
        invoke_id = reader.u32("long-invoke-id-and-priority")
        moment = read_optional_date_time(reader)
        specifications = tuple(
            read_specification(reader) for _ in range(read_list_count(reader, "specification-count", least=10))
        )
        data = tuple(read_data(reader) for _ in range(read_list_count(reader, "data-count")))
        return AccessRequest(invoke_id, moment, specifications, data)


def read_access_response(reader: Reader) -> AccessResponse:
    with reader.group("access-response"):
        reader.constant(bytes((ApduTag.ACCESS_RESPONSE,)), "tag")
        invoke_id = reader.u32("long-invoke-id-and-priority")
        moment = read_optional_date_time(reader)
        specifications = None
        if reader.flag("specifications-present"):
            count = read_list_count(reader, "specification-count", least=10)
            specifications = tuple(read_specification(reader) for _ in range(count))
        data = tuple(read_data(reader) for _ in range(read_list_count(reader, "data-count")))
        results = []
        for _ in range(read_list_count(reader, "result-count", least=2)):
            kind = reader.enum(AccessKind, "access-response")
            results.append((kind, int(read_data_access_result(reader, "result"))))
        return AccessResponse(invoke_id, moment, specifications, data, tuple(results))
