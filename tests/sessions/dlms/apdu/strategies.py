"""Arbitrary parts of APDUs, and what every APDU must do."""

from __future__ import annotations

from hypothesis import strategies as st

from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import Apdu, decode_apdu, read_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.cursor import Field, Reader, Tracer
from sessions.dlms.selective_access import SelectiveAccess
from tests.sessions.dlms.test_axdr import values

octets = st.binary(max_size=200)
u8 = st.integers(0, 0xFF)
u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
flags = st.booleans()
class_ids = u16
element_ids = st.integers(-128, 127)
logical_names = st.binary(min_size=6, max_size=6).map(ObisCode.from_octets)
moments = st.none() | st.binary(min_size=12, max_size=12).map(CosemDateTime.decode)
invocations = st.builds(InvokeIdAndPriority, st.integers(0, 15), flags, flags)
attributes = st.builds(CosemAttributeDescriptor, class_ids, logical_names, element_ids)
methods = st.builds(CosemMethodDescriptor, class_ids, logical_names, element_ids)
selections = st.none() | st.builds(SelectiveAccess, u8, values)
access_results = st.sampled_from(DataAccessResult)
action_results = st.sampled_from(ActionResult)
get_results = values | access_results
data = values


def lists(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(items, max_size=4).map(tuple)


def leaves(field: Field) -> list[Field]:
    return [field] if not field.children else [leaf for child in field.children for leaf in leaves(child)]


def goes_round(apdu: Apdu) -> None:
    """Its octets give it back, it has a line, and each of its octets belongs to exactly one field of the tree."""
    wire = apdu.encode()
    tracer = Tracer()
    reader = Reader(wire, tracer=tracer)
    assert read_apdu(reader) == apdu
    reader.finish()
    assert decode_apdu(wire) == apdu
    assert apdu.summary()
    spans = sorted((leaf.offset, leaf.length) for leaf in leaves(tracer.root) if leaf.length)
    at = 0
    for offset, length in spans:
        assert offset == at, f"octets {at} to {offset} are in no field, or in two"
        at = offset + length
    assert at == len(wire)
