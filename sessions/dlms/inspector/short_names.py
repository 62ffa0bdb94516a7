"""Short names in the inspector: what a variable name stands for, and what the services that use them mean for later frames.

The object list of the meter passes by when a client reads FA08; from then on every variable name is shown with its object and
attribute. The reserved names of the current association are known before.
"""

from __future__ import annotations

from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu.short_name import (
    InformationReport,
    ReadRequest,
    ReadResponse,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
)
from sessions.dlms.cursor import Field
from sessions.dlms.short_name_map import OBJECT_LIST_NAME, REPLY_TO_HLS_NAME, ShortNameMap

VARIABLE_NAME: Final = "variable-name"
ShortNameRequest = ReadRequest | WriteRequest | UnconfirmedWriteRequest
SHORT_NAME_APDUS: Final = (ReadRequest, WriteRequest, UnconfirmedWriteRequest, InformationReport)
"""Those that name variables."""
FURTHER_BLOCKS: Final = (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS)


def begins_request(apdu: object) -> bool:
    """Whether this is a request by short names that begins something, and no further block of one."""
    return isinstance(apdu, ShortNameRequest) and not continues_request(apdu)


def continues_request(apdu: object) -> bool:
    """Whether this asks for, or sends, a further block."""
    if not isinstance(apdu, ShortNameRequest) or len(apdu.variables) != 1:
        return False
    variable = apdu.variables[0]
    return variable.kind is VariableAccess.BLOCK_NUMBER_ACCESS or (
        variable.kind in FURTHER_BLOCKS and variable.number > 1
    )


def request_block(apdu: object) -> tuple[VariableAccessSpecification, bytes] | None:
    """A block of a long request, and its part of it; None for any other APDU."""
    if not isinstance(apdu, ShortNameRequest) or len(apdu.variables) != 1:
        return None
    block = apdu.variables[0]
    if block.kind is VariableAccess.READ_DATA_BLOCK_ACCESS:
        return block, block.raw_data
    if block.kind is VariableAccess.WRITE_DATA_BLOCK_ACCESS and not isinstance(apdu, ReadRequest):
        value = apdu.values[0].value if len(apdu.values) == 1 else b""
        return (block, value) if isinstance(value, bytes) else None
    return None


def asks_for_object_list(apdu: object) -> bool:
    """Whether the answer will be the meter's list of short names."""
    return isinstance(apdu, ReadRequest) and [(variable.kind, variable.number) for variable in apdu.variables] == [
        (VariableAccess.VARIABLE_NAME, OBJECT_LIST_NAME)
    ]


def writes_proof(apdu: object) -> bool:
    """Whether this is HLS pass 3 in a WRITE, as some clients send it."""
    return isinstance(apdu, WriteRequest) and any(
        variable.named and variable.number == REPLY_TO_HLS_NAME for variable in apdu.variables
    )


def object_list(value: Data) -> ShortNameMap | None:
    """The list in a value; None where it is none, and what was known stays."""
    try:
        return ShortNameMap.from_object_list(value)
    except ValueError:
        return None


def single_value(apdu: object) -> Data | None:
    """The value of an APDU that carries just one."""
    values: tuple[object, ...] = ()
    if isinstance(apdu, ReadResponse):
        values = apdu.results
    elif isinstance(apdu, WriteRequest | UnconfirmedWriteRequest | InformationReport) and request_block(apdu) is None:
        values = apdu.values
    return values[0] if len(values) == 1 and isinstance(values[0], Data) else None


def name_variables(root: Field, names: ShortNameMap) -> None:
    """Say at each variable name what stands there, where that is known."""
    for child in root.children:
        if child.name == VARIABLE_NAME:
            meaning = names.meaning(int(child.value[:4], 16))
            if meaning is not None:
                child.value = f"{child.value} ({meaning})"
        name_variables(child, names)


def words_for(apdu: object, names: ShortNameMap) -> str:
    """The object and attribute of a request for one variable, for the line about it; empty where they are not known."""
    if not isinstance(apdu, ShortNameRequest | InformationReport) or len(apdu.variables) != 1:
        return ""
    variable = apdu.variables[0]
    meaning = names.meaning(variable.number) if variable.named else None
    return "" if meaning is None else str(meaning).partition(": ")[2]
