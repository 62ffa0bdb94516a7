"""Short names of attributes and methods: the base name of their object and an offset (Blue Book, clause 4, each class' table).

Attribute n stands 8 · (n - 1) above the base name. The methods of a class begin at an offset of the class, in steps of 8, above
its attributes: the rows of `class_tables` say where. A base name is 16 bits, printed as four hexadecimal digits; some are
reserved (Blue Book, 4.1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from meters.cosem.interface_class import SHORT_NAME_STEP, interface_class

CURRENT_ASSOCIATION: Final = 0xFA00
BROADCAST_SCRIPT_TABLE: Final = 0xFB00
SAP_ASSIGNMENT: Final = 0xFC00
LOGICAL_DEVICE_NAME: Final = 0xFD00

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


def attribute_offset(class_id: int, version: int, attribute_id: int) -> int | None:
    """The offset of an attribute; None where a method stands there, and for a number below 1.

    Of an attribute that is not known the regular place is given, as far as the methods leave room.
    """
    known = interface_class(class_id, version)
    attribute = known.attributes.get(attribute_id) if known else None
    if attribute is not None:
        return attribute.offset
    offset = SHORT_NAME_STEP * (attribute_id - 1)
    methods = known.first_method_offset if known else None
    return offset if attribute_id >= 1 and (methods is None or offset < methods) else None


def method_offset(class_id: int, version: int, method_id: int) -> int | None:
    """The offset of a method; None where it is not known."""
    known = interface_class(class_id, version)
    methods = known.first_method_offset if known else None
    return methods + SHORT_NAME_STEP * (method_id - 1) if methods is not None and method_id >= 1 else None


def element_at(class_id: int, version: int, offset: int) -> Element | None:
    """What stands at an offset; None between two of them, and beyond the last one that the class is known to have."""
    known = interface_class(class_id, version)
    if known is None:
        regular = offset >= 0 and offset % SHORT_NAME_STEP == 0
        return Element(offset // SHORT_NAME_STEP + 1) if regular else None
    for method in known.methods.values():
        if method.offset == offset:
            return Element(method.method_id, is_method=True)
    for attribute in known.attributes.values():
        if attribute.offset == offset:
            return Element(attribute.attribute_id)
    return None
