"""What all COSEM objects of a simulated meter have in common: attributes that are read and written, methods that are invoked.

An object knows values, not rights: the meter decides who may read, write and invoke (see `meter.py`). A refusal is a
`Denied` with the standard's result code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from meters.cosem.data import Data, DataType, null, octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.selective_access import SelectiveAccess
from sessions.simulator.journal import Journal


class Denied(Exception):
    """The meter's "no" to one attribute or method; data-access-results and action-results share their numbers."""

    def __init__(self, result: DataAccessResult) -> None:
        super().__init__(result.words)
        self.result = result


@dataclass(frozen=True, slots=True)
class EncodedValue:
    """A value as encoded octets, in parts that are made when they are needed: a long buffer never stands whole in memory.

    `block_sizes` are the octets of each block where a recorded meter cut it; empty: as the client's size allows.
    """

    parts: Iterable[bytes]
    block_sizes: tuple[int, ...] = ()


Value = Data | EncodedValue
ReadAttribute = Callable[[], Value]
WriteAttribute = Callable[[Data], None]
InvokeMethod = Callable[[Data | None], Data | None]


@dataclass(slots=True)
class Attribute:
    """How an attribute is read, and how it is written where it can be."""

    read: ReadAttribute
    write: WriteAttribute | None = None
    read_selected: Callable[[SelectiveAccess], Value] | None = None
    selectors: tuple[int, ...] = ()


def constant(value: Data) -> Attribute:
    """An attribute that never changes."""
    return Attribute(lambda: value)


class CosemObject:
    """One object. Subclasses fill `attributes` and `methods` by their numbers. `journal`: where its meter keeps what was done."""

    class_id: ClassVar[int]
    version: int = 0
    journal: Journal | None = None

    def __init__(self, logical_name: ObisCode) -> None:
        self.logical_name = logical_name
        self.attributes: dict[int, Attribute] = {1: Attribute(lambda: octet_string(logical_name.octets))}
        self.methods: dict[int, InvokeMethod] = {}

    def read(self, attribute_id: int, selection: SelectiveAccess | None = None) -> Value:
        """The attribute's value, or the selected part of it."""
        attribute = self._attribute(attribute_id)
        if selection is None:
            return attribute.read()
        if attribute.read_selected is None:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        return attribute.read_selected(selection)

    def write(self, attribute_id: int, value: Data) -> None:
        """Change the attribute."""
        write = self._attribute(attribute_id).write
        if write is None:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        write(value)
        if self.journal is not None:
            self.journal.done("write", self.class_id, self.logical_name, attribute_id)

    def is_writable(self, attribute_id: int) -> bool:
        """Whether any client could be let write it."""
        attribute = self.attributes.get(attribute_id)
        return attribute is not None and attribute.write is not None

    def invoke(self, method_id: int, parameters: Data | None) -> Data | None:
        """Run the method; what it returns."""
        method = self.methods.get(method_id)
        if method is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        returned = method(parameters)
        if self.journal is not None:
            self.journal.done("invoke", self.class_id, self.logical_name, method_id)
        return returned

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        """What a profile recorded of this attribute at a moment: its value then, where it changes; null-data for no value."""
        try:
            value = self.read(attribute_id)
        except Denied:
            return null()
        return value if isinstance(value, Data) else null()

    def keep(self) -> Any:
        """What a power cycle must not take from the object, as JSON; None: nothing (see `memory.py`)."""
        return None

    def restore(self, kept: Any) -> None:
        """Take back what `keep` gave. KeyError, TypeError or ValueError where it is something else."""

    def catch_up(self) -> None:
        """Do what the object does by itself as time goes by, as far as it is due; asked before requests, and at `next_due`."""

    def next_due(self) -> datetime | None:
        """When there is something for `catch_up` to do, by the meter's time; None: nothing that could not wait for a request."""
        return None

    def _attribute(self, attribute_id: int) -> Attribute:
        attribute = self.attributes.get(attribute_id)
        if attribute is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        return attribute


def require(value: Data | None, *kinds: DataType) -> Data:
    """The value, if it has one of the types."""
    if value is None or value.type not in kinds:
        raise Denied(DataAccessResult.TYPE_UNMATCHED)
    return value


ValueAt = Callable[[datetime], Data]
"""A value as a function of the meter's time."""
