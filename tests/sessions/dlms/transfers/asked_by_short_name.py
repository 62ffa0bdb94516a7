"""What the tests of short names share: a meter's objects, terms, READ and WRITE of bare variables."""

from __future__ import annotations

from meters.cosem.data import array
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
)
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadResponse,
    VariableAccessSpecification,
)
from sessions.dlms.association import PROPOSED_SHORT_NAME_CONFORMANCE
from sessions.dlms.conformance import Conformance
from sessions.dlms.short_name_map import ShortNameMap, ShortNameObject
from sessions.dlms.transfers.named import (
    ShortNames,
)
from sessions.dlms.transfers.short_name import ReadTransfer, WriteTransfer

from .asked import CLOCK, terms

VARIABLE = VariableAccessSpecification.variable
CLOCK_NAME = 0x2BC0
OBJECTS = (
    ShortNameObject(CLOCK_NAME, 8, 0, CLOCK.instance_id),
    ShortNameObject(0x6270, 7, 1, ObisCode(1, 0, 99, 1, 0, 255)),
    ShortNameObject(0xC000, 70, 0, ObisCode(0, 0, 96, 3, 10, 255)),
)
KNOWN = ShortNameMap(OBJECTS)
OBJECT_LIST = array(*(each.to_data() for each in OBJECTS))
BUFFER = CosemAttributeDescriptor(7, OBJECTS[1].logical_name, 2)
DISCONNECT = CosemMethodDescriptor(70, OBJECTS[2].logical_name, 1)
CHALLENGE = CosemMethodDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 7)
NO_BLOCKS = PROPOSED_SHORT_NAME_CONFORMANCE & ~(
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.GENERAL_BLOCK_TRANSFER
)


def sn_terms(capacity=1000, **changes):
    return terms(capacity, **{"conformance": PROPOSED_SHORT_NAME_CONFORMANCE, **changes})


def names(known=KNOWN):
    return ShortNames(known)


def reading(*numbers, **changes):
    """A READ whose outcome is its results."""
    return ReadTransfer(sn_terms(**changes), [VARIABLE(number) for number in numbers], tuple)


def writing(numbers, values, **changes):
    return WriteTransfer(sn_terms(**changes), [VARIABLE(number) for number in numbers], values, tuple)


def answer_in_blocks(transfer, raw, size):
    """Feed an answer block by block; the events, and the requests for further blocks."""
    outcomes, requests = [], []
    slices = [raw[at : at + size] for at in range(0, len(raw), size)]
    for number, contents in enumerate(slices, 1):
        new, octets = transfer.receive(ReadResponse((ReadBlock(number == len(slices), number, contents),)))
        outcomes += new
        if octets is not None:
            requests.append(octets)
    return outcomes, requests
