"""What the tests of all transfers share: terms, descriptors, values."""

from __future__ import annotations

from itertools import count
from typing import Any

from meters.cosem.data import array, double_long_unsigned, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.association import PROPOSED_CONFORMANCE
from sessions.dlms.conformance import Conformance
from sessions.dlms.transfers.transfer import Terms

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
EXECUTE = CosemMethodDescriptor(9, ObisCode(0, 0, 10, 0, 100, 255), 1)
INVOCATION = InvokeIdAndPriority(1)
LONG = array(*(structure(octet_string(bytes(12)), double_long_unsigned(n)) for n in range(9)))
OK = DataAccessResult.SUCCESS
DENIED = DataAccessResult.READ_WRITE_DENIED
NO_BLOCKS = PROPOSED_CONFORMANCE & ~(
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.GENERAL_BLOCK_TRANSFER
)


def terms(capacity: int = 1000, *, conformance: Conformance = PROPOSED_CONFORMANCE, **changes: Any) -> Terms:
    """The terms of the first request."""
    values: dict[str, Any] = {"request": 1, "invocations": count(1), "capacity": capacity, "conformance": conformance}
    return Terms(**{**values, **changes})
