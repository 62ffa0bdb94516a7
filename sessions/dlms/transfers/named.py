"""Objects named by class and logical name, asked for by their short names: the meter lists them, where nobody knows them yet.

An attribute is read and written under its own short name. A method that returns something is called by READ with parameterised
access, any other by WRITE. The blocks of the meter's list are nobody's who waits for those of an attribute. Source: Green Book,
short-name referencing; Blue Book, class 12.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from meters.cosem.data import Data, integer
from meters.cosem.short_names import returns_something
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
from sessions.dlms.apdu.short_name import (
    UnconfirmedWriteRequest,
    VariableAccessSpecification,
    action_result,
    method_call,
    method_result,
)
from sessions.dlms.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, GetFinished, ItemResult, ListFinished, SetFinished
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import CURRENT, OBJECT_LIST, OBJECT_LIST_NAME, ShortNameMap
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem
from sessions.dlms.transfers.many import Asking
from sessions.dlms.transfers.short_name import ReadTransfer, WriteTransfer
from sessions.dlms.transfers.transfer import Outcome, Terms, Transfer, Turn, too_long


class ShortNames:
    """The short names of one association: given beforehand, and then not learned from the meter. `known` None: not yet."""

    def __init__(self, known: ShortNameMap | None = None) -> None:
        self.known = known
        self.given = known is not None

    def learn(self, object_list: Data | DataAccessResult) -> ShortNameMap:
        """Take the meter's list; RefusedError or RemoteProtocolError where there is none to be had."""
        if isinstance(object_list, DataAccessResult):
            raise RefusedError(
                f"The meter does not tell its short names: {object_list.summary()}",
                layer="access",
                code="no-object-list",
                hint="Give them in the association file ([[short_names]]), or use an association that may read the list.",
            )
        try:
            self.known = ShortNameMap.from_object_list(object_list)
        except ValueError as error:
            message = f"The list of short names cannot be used: {error}"
            raise RemoteProtocolError(message, layer="access", code="bad-object-list") from None
        return self.known


class NamedTransfer(Transfer):
    """A request for an object that is named by class and logical name.

    `make` builds it from the map, as soon as there is one; its LocalProtocolError says what has no short name.
    """

    def __init__(self, terms: Terms, names: ShortNames, make: Callable[[ShortNameMap], Transfer]) -> None:
        super().__init__(terms)
        self.names = names
        self.make = make
        self._inner: Transfer | None = None
        self._list: Data | DataAccessResult | None = None

    @property
    def done(self) -> bool:
        return self._inner is not None and self._inner.done

    def begin(self) -> bytes:
        if self.names.known is not None:
            return self._begin_named(self.names.known)
        self._inner = ReadTransfer(
            self.terms, (VariableAccessSpecification.variable(OBJECT_LIST_NAME),), self._take_list
        )
        return self._inner.begin()

    def _begin_named(self, known: ShortNameMap) -> bytes:
        self._inner = self.make(known)
        return self._inner.begin()

    def _take_list(self, results: Sequence[Data | DataAccessResult]) -> Outcome:
        self._list = results[0]
        return GetFinished(self.request, results[0])

    def stray(self, apdu: Apdu) -> str:
        return self._running.stray(apdu)

    def receive(self, apdu: Apdu) -> Turn:
        outcomes, octets = self._running.receive(apdu)
        if self._list is None:
            # Blocks of the list are nobody's who waits for those of an attribute.
            return (outcomes, octets) if self.names.known is not None else ([], octets)
        known, self._list = self.names.learn(self._list), None
        return [], self._begin_named(known)

    def look_ahead(self, at: int, octets: bytes) -> list[Outcome]:
        return self._running.look_ahead(at, octets) if self.names.known is not None else []

    def abort(self) -> None:
        super().abort()
        if self._inner is not None:
            self._inner.abort()

    @property
    def _running(self) -> Transfer:
        assert self._inner is not None  # nobody answers before the request has begun
        return self._inner


def get_transfer(
    terms: Terms, names: ShortNames, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None = None
) -> Transfer:
    """Read one attribute: `BlockReceived`… and `GetFinished`."""
    whole_list = selection is None and descriptor == CosemAttributeDescriptor(
        CURRENT.class_id, CURRENT.logical_name, OBJECT_LIST
    )

    def finish(results: Sequence[Data | DataAccessResult]) -> Outcome:
        if whole_list and isinstance(results[0], Data) and not names.given:
            with suppress(ValueError):  # who asked sees what it is
                names.known = ShortNameMap.from_object_list(results[0])
        return GetFinished(terms.request, results[0])

    def make(known: ShortNameMap) -> Transfer:
        return ReadTransfer(terms, (_variable(known.attribute(descriptor), selection),), finish)

    return make(ShortNameMap()) if whole_list else NamedTransfer(terms, names, make)


def _variable(variable_name: int, selection: SelectiveAccess | None) -> VariableAccessSpecification:
    if selection is None:
        return VariableAccessSpecification.variable(variable_name)
    return VariableAccessSpecification.variable(variable_name, selection.access_selector, selection.access_parameters)


def set_transfer(
    terms: Terms,
    names: ShortNames,
    descriptor: CosemAttributeDescriptor,
    value: Data,
    selection: SelectiveAccess | None = None,
) -> Transfer:
    """Write one attribute: `BlockSent`… and `SetFinished`."""

    def make(known: ShortNameMap) -> Transfer:
        variable = _variable(known.attribute(descriptor), selection)
        return WriteTransfer(terms, (variable,), (value,), lambda results: SetFinished(terms.request, results[0]))

    return NamedTransfer(terms, names, make)


def action_transfer(
    terms: Terms, names: ShortNames, descriptor: CosemMethodDescriptor, parameters: Data | None = None
) -> Transfer:
    """Invoke one method: `BlockSent`…, `BlockReceived`… and `ActionFinished`."""

    def returned(results: Sequence[Data | DataAccessResult]) -> Outcome:
        answer = method_result(results[0])
        assert answer is not None  # whole results only
        return ActionFinished(terms.request, *answer)

    def done(results: Sequence[DataAccessResult]) -> Outcome:
        return ActionFinished(terms.request, action_result(results[0]), None)

    def make(known: ShortNameMap) -> Transfer:
        variable_name = known.method(descriptor)
        if returns_something(descriptor.class_id, descriptor.method_id):
            return ReadTransfer(terms, (method_call(variable_name, parameters),), returned)
        variable = VariableAccessSpecification.variable(variable_name)
        return WriteTransfer(terms, (variable,), (integer(0) if parameters is None else parameters,), done)

    return NamedTransfer(terms, names, make)


def item_transfer(terms: Terms, names: ShortNames, item: Item) -> Transfer:
    """One item, asked for by its short name."""
    match item:
        case GetItem():
            return get_transfer(terms, names, item.descriptor, item.access_selection)
        case SetItem():
            return set_transfer(terms, names, item.descriptor, item.value, item.access_selection)
        case ActionItem():
            return action_transfer(terms, names, item.descriptor, item.parameters)


class _Named:
    """The variables of several items. One that has no short name has its error as result; LocalProtocolError where none has."""

    def __init__(self, known: ShortNameMap, items: Sequence[GetItem | SetItem]) -> None:
        self.variables: dict[int, VariableAccessSpecification] = {}
        self._unknown: dict[int, LocalProtocolError] = {}
        for place, item in enumerate(items):
            try:
                self.variables[place] = _variable(known.attribute(item.descriptor), item.access_selection)
            except LocalProtocolError as error:
                self._unknown[place] = error
        if not self.variables:
            raise self._unknown[0]

    def finish(self, request: int, results: Sequence[Data | DataAccessResult]) -> ListFinished:
        """The results of the variables, and the errors in between."""
        merged: dict[int, ItemResult] = {**self._unknown, **dict(zip(self.variables, results, strict=True))}
        return ListFinished(request, tuple(merged[place] for place in sorted(merged)))


def get_list_transfer(terms: Terms, names: ShortNames, items: Sequence[GetItem]) -> Transfer:
    """Read several attributes in one READ: ends in `ListFinished`."""

    def make(known: ShortNameMap) -> Transfer:
        named = _Named(known, items)
        return ReadTransfer(terms, list(named.variables.values()), lambda got: named.finish(terms.request, got))

    return NamedTransfer(terms, names, make)


def set_list_transfer(terms: Terms, names: ShortNames, items: Sequence[SetItem]) -> Transfer:
    """Write several attributes in one WRITE: ends in `ListFinished`."""

    def make(known: ShortNameMap) -> Transfer:
        named = _Named(known, items)
        values = [items[place].value for place in named.variables]
        variables = list(named.variables.values())
        return WriteTransfer(terms, variables, values, lambda got: named.finish(terms.request, got))

    return NamedTransfer(terms, names, make)


def unconfirmed_write(terms: Terms, names: ShortNames, item: SetItem) -> bytes:
    """The APDU that writes one attribute and has no answer; LocalProtocolError while the short names are not known."""
    if names.known is None:
        raise LocalProtocolError(
            "The short names of this association are not known yet",
            code="no-object-list",
            hint="Read something first: the meter's list is read with it.",
        )
    variable = _variable(names.known.attribute(item.descriptor), item.access_selection)
    octets = UnconfirmedWriteRequest((variable,), (item.value,)).encode()
    if len(octets) > terms.capacity:
        raise too_long(len(octets), terms.capacity)
    return octets


def by_short_names(names: ShortNames) -> Asking:
    """How an association asks that refers to objects by short names. A method always goes alone."""
    return Asking(
        lambda terms, item: item_transfer(terms, names, item),
        {
            GetItem: lambda terms, items: get_list_transfer(terms, names, items),
            SetItem: lambda terms, items: set_list_transfer(terms, names, items),
        },
        lambda terms, item: unconfirmed_write(terms, names, item),
    )
