"""Objects of any class of the tables, made of the values that a meter type gives to their attributes.

They keep what is written to them, if it is as the class declares it in every part. Of the methods those exist whose effect
follows from the tables (`reset`) or from a row of `LIST_METHODS`; others would only pretend. Source: Blue Book, the class tables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from meters.cosem.data import Data, DataType, array, long_unsigned
from meters.cosem.interface_class import Access, InterfaceClass, Method
from meters.cosem.obis import ObisCode
from meters.cosem.value_faults import faults
from meters.cosem.value_type import Form, ValueType
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, InvokeMethod, require
from sessions.simulator.plain import least_value

ListEffect = Callable[[Data, Data], Data]
"""Of a list and the parameter: the new list."""


def _with(listed: Data, element: Data) -> Data:
    return listed if element in list(listed) else array(*listed, element)


def _without(listed: Data, element: Data) -> Data:
    if element not in list(listed):
        raise Denied(DataAccessResult.OTHER_REASON)
    return array(*(each for each in listed if each != element))


LIST_METHODS: Final[Mapping[tuple[int, str], tuple[int, ListEffect]]] = {
    (42, "add_mc_IP_address"): (4, _with),
    (42, "delete_mc_IP_address"): (4, _without),
}
"""By class and method: the attribute that is a list, and what becomes of it."""
COUNT_METHODS: Final[Mapping[tuple[int, str], int]] = {(42, "get_nbof_mc_IP_addresses"): 4}
"""By class and method: the attribute whose elements are counted."""


class DeclaredObject(CosemObject):
    """`values` by attribute; those that are not given have the least value of their type."""

    def __init__(self, known: InterfaceClass, logical_name: ObisCode, values: Mapping[int, Data]) -> None:
        super().__init__(logical_name)
        self.class_id = known.class_id  # type: ignore[misc]  # the class of an instance, not of all
        self.version = known.version
        self._known = known
        self._values: dict[int, Data] = {}
        for number, each in known.attributes.items():
            if number != 1:
                self._values[number] = values.get(number) or least_value(each.type)
                self.attributes[number] = Attribute(
                    partial(self._values.__getitem__, number), partial(self._store, number)
                )
        self._first = dict(self._values)
        self.methods = {
            number: effect for number, method in known.methods.items() if (effect := self._effect(method)) is not None
        }

    def keep(self) -> Any:
        """The values that are no more what the meter was made with."""
        changed = {number: value for number, value in self._values.items() if value != self._first[number]}
        return {str(number): encode_data(value).hex() for number, value in changed.items()} or None

    def restore(self, kept: Any) -> None:
        values = {int(number): decode_data(bytes.fromhex(octets)) for number, octets in (kept or {}).items()}
        for number in values:
            if number not in self._values:
                raise KeyError(number)
        self._values.update(values)

    def _store(self, number: int, value: Data) -> None:
        check(value, self._known.attributes[number].type, self._values[number])
        self._values[number] = value

    def _effect(self, method: Method) -> InvokeMethod | None:
        key = (self.class_id, method.name)
        if method.name == "reset" and method.parameter is not None and method.parameter.form is Form.ZERO:
            return self._reset
        if key in LIST_METHODS:
            assert method.parameter is not None  # the tables have it
            return partial(self._change_list, *LIST_METHODS[key], method.parameter)
        if key in COUNT_METHODS:
            return partial(self._count, COUNT_METHODS[key])
        return None

    def _reset(self, parameters: Data | None) -> None:
        """What the meter counts by itself begins again."""
        for number, each in self._known.attributes.items():
            if each.access is Access.KEPT_BY_METER and number in self._values and not each.type.constructed:
                self._values[number] = least_value(each.type)

    def _change_list(self, number: int, effect: ListEffect, declared: ValueType, parameters: Data | None) -> None:
        if parameters is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        check(parameters, declared, parameters)
        self._values[number] = effect(self._values[number], parameters)

    def _count(self, number: int, parameters: Data | None) -> Data:
        return long_unsigned(len(self._values[number]))


def check(value: Data, declared: ValueType, before: Data) -> None:
    """Refuse a value that is not as declared. Where every type is, it has to have the one of the value before it."""
    if declared.is_any:
        require(value, before.type)
    elif not declared.fits(value):
        raise Denied(DataAccessResult.TYPE_UNMATCHED)
    elif any(faults(value, declared)) or value.type is DataType.DONT_CARE:
        raise Denied(DataAccessResult.OTHER_REASON)
