"""Short names of attributes and methods: the base name of their object and an offset (Blue Book, clause 4, each class' table).

Attribute n stands 8 · (n - 1) above the base name. The methods of a class begin at an offset of the class, in steps of 8, above
its attributes. A base name is 16 bits, printed as four hexadecimal digits; some are reserved (Blue Book, 4.1.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from meters.cosem.interface_class import interface_class

STEP: Final = 8
"""What two neighbouring attributes, or methods, are apart."""

CURRENT_ASSOCIATION: Final = 0xFA00
BROADCAST_SCRIPT_TABLE: Final = 0xFB00
SAP_ASSIGNMENT: Final = 0xFC00
LOGICAL_DEVICE_NAME: Final = 0xFD00

_FIRST_METHODS: Final[Mapping[int, int]] = {
    3: 0x28,
    4: 0x38,
    5: 0x48,
    6: 0x30,
    7: 0x58,
    8: 0x60,
    9: 0x20,
    10: 0x20,
    11: 0x10,
    12: 0x20,
    15: 0x60,
    17: 0x20,
    18: 0x40,
    20: 0x50,
    40: 0x38,
    42: 0x60,
    61: 0x28,
    62: 0x30,
    64: 0x30,
    66: 0x48,
    67: 0x80,
    70: 0x20,
    97: 0x48,
    98: 0x70,
    104: 0x20,
    132: 0x70,
    133: 0x60,
}
"""By class. A class that is missing has no methods, or none whose place is known."""

_OF_ONE_VERSION: Final[Mapping[tuple[int, int], int]] = {(64, 0): 0x28}


_RETURNING: Final = frozenset(
    {
        (7, 3),  # version 0: get_buffer_by_range
        (7, 4),  # version 0: get_buffer_by_index
        (12, 1),  # getlist_by_classid
        (12, 2),  # getobj_by_logicalname
        (12, 3),  # read_by_logicalname
        (12, 4),  # get_attributes&methods
        (12, 7),  # get_HLS_challenge
        (12, 8),  # reply_to_HLS_authentication
        (15, 1),  # reply_to_HLS_authentication
        (30, 1),  # get_protected_attributes
        (30, 3),  # invoke_protected_method
        (42, 3),  # get_nbof_mc_IP_addresses
        (64, 3),  # key_agreement
        (64, 5),  # generate_certificate_request
        (64, 7),  # export_certificate
        (91, 1),  # MAC_get_neighbour_table_entry
        (91, 2),  # MAC_get_POS_table_entry
        (123, 1),  # retrieve_number_of_entries
        (123, 2),  # retrieve_entries
    }
)
"""Class and method: those whose return parameters are what they are called for."""


@dataclass(frozen=True, slots=True)
class Element:
    """What stands at an offset of an object: an attribute, or a method."""

    number: int
    is_method: bool = False


def returns_something(class_id: int, method_id: int) -> bool:
    """Whether a method is called for what it returns: by short names it is then read, not written."""
    return (class_id, method_id) in _RETURNING


def first_method_offset(class_id: int, version: int = 0) -> int | None:
    """The offset of method 1; None where the class has none, or where it is not known."""
    return _OF_ONE_VERSION.get((class_id, version), _FIRST_METHODS.get(class_id))


def attribute_offset(class_id: int, version: int, attribute_id: int) -> int | None:
    """The offset of an attribute; None for a number below 1, and where the methods of the class stand instead.

    Attributes that a later version added behind those of the first have no place before the methods: where they are is not
    known here.
    """
    offset = STEP * (attribute_id - 1)
    methods = first_method_offset(class_id, version)
    return offset if attribute_id >= 1 and (methods is None or offset < methods) else None


def method_offset(class_id: int, version: int, method_id: int) -> int | None:
    """The offset of a method; None where it is not known."""
    methods = first_method_offset(class_id, version)
    return methods + STEP * (method_id - 1) if methods is not None and method_id >= 1 else None


def element_at(class_id: int, version: int, offset: int) -> Element | None:
    """What stands at an offset; None between two of them, and beyond the last one that the class is known to have."""
    if offset < 0 or offset % STEP:
        return None
    known = interface_class(class_id, version)
    methods = first_method_offset(class_id, version)
    if methods is not None and offset >= methods:
        number = (offset - methods) // STEP + 1
        return Element(number, is_method=True) if known is None or number in known.methods else None
    number = offset // STEP + 1
    return Element(number) if known is None or number in known.attributes else None
