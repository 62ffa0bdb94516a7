"""What can be asked together: attributes to read and to write, methods to invoke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu.action import NO_PARAMETER
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import RemoteProtocolError
from sessions.dlms.events import ItemResult
from sessions.dlms.selective_access import SelectiveAccess

DESCRIPTOR_OCTETS: Final = 9


@dataclass(frozen=True, slots=True)
class GetItem:
    """An attribute to read, or a part of it."""

    descriptor: CosemAttributeDescriptor
    access_selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class SetItem:
    """An attribute to write."""

    descriptor: CosemAttributeDescriptor
    value: Data
    access_selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class ActionItem:
    """A method to invoke."""

    descriptor: CosemMethodDescriptor
    parameters: Data | None = None

    @property
    def listed_parameters(self) -> Data:
        """In a list each method has its parameters; the class texts say integer(0) where it needs none."""
        return NO_PARAMETER if self.parameters is None else self.parameters


Item = GetItem | SetItem | ActionItem
SERVICES: Final[dict[type[Item], Conformance]] = {
    GetItem: Conformance.GET,
    SetItem: Conformance.SET,
    ActionItem: Conformance.ACTION,
}


def specification_octets(item: Item) -> int:
    """What an item takes of a list of descriptors, at most: descriptor, presence or choice, selection."""
    selection = None if isinstance(item, ActionItem) else item.access_selection
    selected = 0 if selection is None else 1 + len(encode_data(selection.access_parameters))
    return DESCRIPTOR_OCTETS + 1 + selected


def value_octets(item: Item) -> int:
    """What an item takes of the list of values beside, at most: for a GET the null-data of an ACCESS."""
    match item:
        case SetItem():
            return len(encode_data(item.value))
        case ActionItem():
            return len(encode_data(item.listed_parameters))
    return 1


def check_count(asked: Sequence[Item], results: Sequence[ItemResult]) -> tuple[ItemResult, ...]:
    """The results, if there is one for each item: otherwise nobody knows which belongs to what."""
    if len(results) != len(asked):
        raise RemoteProtocolError(
            f"The meter gives {len(results)} results for a list of {len(asked)}",
            code="wrong-result-count",
            hint="Ask one by one: the meter's lists are faulty.",
        )
    return tuple(results)
