"""Many things at once: the form that is chosen, lists that are refused, results in the order of the items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, null, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessResponse
from sessions.dlms.apdu.action import (
    ActionRequestNormal,
    ActionRequestWithList,
    ActionResponseNormal,
    ActionResponseWithList,
)
from sessions.dlms.apdu.contract import Apdu
from sessions.dlms.apdu.descriptors import ActionResult, CosemAttributeDescriptor
from sessions.dlms.apdu.get import GetRequestNormal, GetRequestWithList, GetResponseNormal, GetResponseWithList
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablockWithList,
    SetResponseNormal,
    SetResponseWithList,
)
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    DlmsError,
    ExceptionResponseError,
    ListRefusedError,
    LocalProtocolError,
    RemoteProtocolError,
    ServiceErrorError,
)
from sessions.dlms.events import ActionOutcome, ItemResult, ManyFinished
from sessions.dlms.transfers.items import ActionItem, GetItem, Item, SetItem
from sessions.dlms.transfers.many import ACCESS_OCTETS, BY_LOGICAL_NAMES, LONGEST_LIST, Forms, ManyTransfer

from .asked import CLOCK, EXECUTE, LONG, OK, terms

SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION
LISTS = SERVICES | Conformance.MULTIPLE_REFERENCES
ACCESS = LISTS | Conformance.ACCESS
MIXED = ACCESS | Conformance.GENERAL_BLOCK_TRANSFER
NAMES = [CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, number, 255), 2) for number in range(70)]
GETS = [GetItem(name) for name in NAMES]
SET_ITEM = SetItem(CLOCK, unsigned(1))
ACTION_ITEM = ActionItem(EXECUTE, unsigned(2))
ANYBODY = ExceptionResponseError("no", state_error=1, service_error=2)
ANYBODY.proven = False
NOT_SUPPORTED = ExceptionResponseError("no", state_error=1, service_error=2)
UNKNOWN = ExceptionResponseError("no", state_error=2, service_error=3)
OTHER = ExceptionResponseError("no", state_error=1, service_error=3)
TOO_LONG = ExceptionResponseError("no", state_error=1, service_error=4)
SECURITY = ExceptionResponseError("no", state_error=1, service_error=5)
SECURITY.layer = "security"
UNSUPPORTED = ServiceErrorError("no", service=5, choice=3, value=2)


class Meter:
    """Answers what a transfer asks; keeps the shapes of the requests: `normal`, a number of items, `access 3`."""

    def __init__(
        self, transfer: ManyTransfer, refuse: Callable[[Any], DlmsError | Apdu | None] = lambda _: None
    ) -> None:
        self.transfer = transfer
        self.refuse = refuse
        self.shapes: list[Any] = []
        self.sizes: list[int] = []

    def run(self) -> tuple[ItemResult, ...]:
        outcomes: list[Any] = []
        octets: bytes | None = self.transfer.begin()
        while octets is not None:
            assert not self.transfer.done
            self.sizes.append(len(octets))
            request = decode_apdu(octets)
            self.shapes.append(shape(request))
            answer = self.refuse(request) or self.answer(request)
            if isinstance(answer, DlmsError):
                some, octets = self.transfer.failed(answer)
            else:
                assert self.transfer.stray(answer) == ""
                try:
                    some, octets = self.transfer.receive(answer)
                except DlmsError as error:
                    some, octets = self.transfer.failed(error)
            outcomes += some
        assert self.transfer.done
        *_, finished = outcomes
        assert isinstance(finished, ManyFinished)
        return finished.results

    def answer(self, request: Any) -> Any:
        match request:
            case GetRequestNormal():
                return GetResponseNormal(request.invoke_id_and_priority, value(request.cosem_attribute_descriptor))
            case GetRequestWithList():
                values = tuple(value(descriptor) for descriptor, _ in request.attribute_descriptor_list)
                return GetResponseWithList(request.invoke_id_and_priority, values)
            case SetRequestNormal():
                return SetResponseNormal(request.invoke_id_and_priority, OK)
            case SetRequestWithList():
                return SetResponseWithList(request.invoke_id_and_priority, (OK,) * len(request.value_list))
            case SetRequestWithListAndFirstDatablock() | SetRequestWithDatablock():
                if not request.last_block:
                    return SetResponseDatablock(request.invoke_id_and_priority, request.block_number)
                return SetResponseLastDatablockWithList(request.invoke_id_and_priority, (OK, OK), request.block_number)
            case ActionRequestNormal():
                return ActionResponseNormal(request.invoke_id_and_priority, ActionResult.SUCCESS, null())
            case ActionRequestWithList():
                count = len(request.cosem_method_descriptor_list)
                return ActionResponseWithList(request.invoke_id_and_priority, ((ActionResult.SUCCESS, null()),) * count)
            case AccessRequest():
                return access_response(request)
        raise AssertionError(request)


def access_response(request: AccessRequest) -> AccessResponse:
    data = tuple(
        value(specification.descriptor) if specification.kind is AccessKind.GET else null()
        for specification in request.specifications
    )
    results = tuple((specification.kind, 0) for specification in request.specifications)
    return AccessResponse(request.long_invoke_id_and_priority, None, None, data, results)


def value(descriptor: Any) -> Data:
    return unsigned(descriptor.instance_id.e)


def shape(request: Any) -> Any:
    match request:
        case GetRequestWithList() | SetRequestWithListAndFirstDatablock():
            return len(request.attribute_descriptor_list)
        case SetRequestWithList():
            return len(request.value_list)
        case ActionRequestWithList():
            return len(request.cosem_method_descriptor_list)
        case AccessRequest():
            return f"access {len(request.specifications)}"
        case SetRequestWithDatablock():
            return "block"
    return "normal"


def many(items: Sequence[Item], conformance: Conformance, *, capacity: int = 1000, **changes: Any) -> ManyTransfer:
    forms = changes.pop("forms", None) or Forms(conformance)
    return ManyTransfer(terms(capacity, conformance=conformance, **changes), items, forms, BY_LOGICAL_NAMES)


def values(count: int) -> tuple[Data, ...]:
    return tuple(unsigned(number) for number in range(count))


# -- the form that is chosen -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("conformance", "count", "shapes"),
    [
        (SERVICES, 3, ["normal"] * 3),
        (LISTS, 1, ["normal"]),
        (LISTS, 3, [3]),
        (LISTS, LONGEST_LIST, [LONGEST_LIST]),
        (LISTS, LONGEST_LIST + 1, [LONGEST_LIST, "normal"]),
        (LISTS, 70, [32, 32, 6]),
        (ACCESS, 1, ["normal"]),
        (ACCESS, 20, ["access 20"]),
        (ACCESS, 34, ["access 32", "access 2"]),
        (SERVICES | Conformance.ACCESS, 2, ["access 2"]),
    ],
)
def test_reads_take_the_best_form(conformance, count, shapes):
    meter = Meter(many(GETS[:count], conformance))
    assert meter.run() == values(count)
    assert meter.shapes == shapes


@pytest.mark.parametrize(
    ("conformance", "shapes"),
    [
        (SERVICES, ["normal"] * 6),
        (LISTS, [2, "normal", 2, "normal"]),
        (MIXED, ["access 6"]),
    ],
)
def test_mixed_items_keep_their_order(conformance, shapes):
    items = [GETS[0], GETS[1], SET_ITEM, ACTION_ITEM, ACTION_ITEM, GETS[2]]
    meter = Meter(many(items, conformance))
    invoked = ActionOutcome(ActionResult.SUCCESS, None if conformance == MIXED else null())
    assert meter.run() == (unsigned(0), unsigned(1), OK, invoked, invoked, unsigned(2))
    assert meter.shapes == shapes


@given(capacity=st.integers(13, 300), count=st.integers(1, 40))
@settings(max_examples=100, deadline=None)
def test_every_request_fits_the_meters_pdu(capacity, count):
    for conformance in (LISTS, ACCESS):
        meter = Meter(many(GETS[:count], conformance, capacity=capacity))
        assert meter.run() == values(count)
        assert max(meter.sizes) <= capacity
        assert len(meter.sizes) <= -(-count // max(1, (capacity - ACCESS_OCTETS) // 11))


def test_a_list_of_writes_goes_out_in_blocks_where_they_were_agreed():
    items = [SetItem(CLOCK, LONG), SetItem(CLOCK, LONG)]
    blocks = Meter(many(items, LISTS | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE, capacity=200))
    assert blocks.run() == (OK, OK)
    assert blocks.shapes == [2, "block", "block"]
    assert max(blocks.sizes) <= 200
    alone = Meter(many(items, LISTS, capacity=240))
    assert alone.run() == (OK, OK)
    assert alone.shapes == ["normal", "normal"]


@pytest.mark.parametrize(
    ("conformance", "ciphered", "access"),
    [
        (ACCESS, False, True),
        (ACCESS, True, False),
        (ACCESS | Conformance.GENERAL_PROTECTION, True, True),
        (LISTS, False, False),
    ],
)
def test_access_is_ciphered_in_a_general_envelope_or_not_used(conformance, ciphered, access):
    assert Forms(conformance, ciphered=ciphered).access is access


# -- what the meter refuses --------------------------------------------------------------------------------------------


def lists(error: Any) -> Callable[[Any], Any]:
    """Refuses what is no single request."""
    return lambda request: None if shape(request) == "normal" else error


@pytest.mark.parametrize("error", [NOT_SUPPORTED, UNKNOWN, OTHER, UNSUPPORTED, RemoteProtocolError("nonsense")])
@pytest.mark.parametrize(("conformance", "first"), [(LISTS, 3), (SERVICES | Conformance.ACCESS, "access 3")])
def test_reads_that_are_refused_in_a_list_are_asked_one_by_one(error, conformance, first):
    forms = Forms(conformance)
    meter = Meter(many(GETS[:3], conformance, forms=forms), lists(error))
    assert meter.run() == values(3)
    assert meter.shapes == [first, "normal", "normal", "normal"]
    again = Meter(many(GETS[:3], conformance, forms=forms), lists(error))
    assert again.run() == values(3)
    assert again.shapes == ["normal"] * 3


def test_a_refused_access_leaves_the_list():
    meter = Meter(many(GETS[:3], ACCESS), lambda request: NOT_SUPPORTED if isinstance(request, AccessRequest) else None)
    assert meter.run() == values(3)
    assert meter.shapes == ["access 3", 3]


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_list_with_another_number_of_results_is_asked_one_by_one(count):
    def short(request: Any) -> Any:
        if isinstance(request, GetRequestWithList):
            return GetResponseWithList(request.invoke_id_and_priority, (unsigned(99),) * count)
        return None

    meter = Meter(many(GETS[:3], LISTS), short)
    assert meter.run() == values(3)
    assert meter.shapes == [3, "normal", "normal", "normal"]


def test_lists_that_are_too_long_become_shorter():
    def small(request: Any) -> Any:
        return TOO_LONG if isinstance(request, GetRequestWithList) and shape(request) > 3 else None

    forms = Forms(LISTS)
    meter = Meter(many(GETS[:12], LISTS, forms=forms), small)
    assert meter.run() == values(12)
    assert meter.shapes == [12, 6, 3, 3, 3, 3]
    assert forms.longest == 3
    never = Meter(many(GETS[:4], LISTS), lists(TOO_LONG))
    assert never.run() == values(4)
    assert never.shapes == [4, 2, "normal", "normal", "normal", "normal"]


def test_an_access_whose_answer_must_be_one_apdu_binds_no_write_to_values_of_unknown_length():
    items = [*GETS[:2], SET_ITEM, SET_ITEM, ACTION_ITEM, ACTION_ITEM, GETS[2], GETS[3]]
    meter = Meter(many(items, SERVICES | Conformance.ACCESS))
    meter.run()
    assert meter.shapes == ["access 2", "access 2", "normal", "normal", "access 2"]
    mixed = Meter(many(items, SERVICES | Conformance.ACCESS | Conformance.GENERAL_BLOCK_TRANSFER))
    mixed.run()
    assert mixed.shapes == ["access 8"]


@pytest.mark.parametrize("error", [NOT_SUPPORTED, UNKNOWN, UNSUPPORTED])
@pytest.mark.parametrize("item", [SET_ITEM, ACTION_ITEM])
def test_writes_and_methods_are_asked_again_only_if_the_meter_did_not_begin(error, item):
    meter = Meter(many([item, item], LISTS), lists(error))
    assert DlmsError not in {type(result) for result in meter.run()}
    assert meter.shapes == [2, "normal", "normal"]


@pytest.mark.parametrize(
    "error", [ANYBODY, OTHER, TOO_LONG, RemoteProtocolError("nonsense"), ListRefusedError("no", result=15)]
)
@pytest.mark.parametrize("items", [[SET_ITEM] * 2, [ACTION_ITEM] * 2, [GETS[0], SET_ITEM]])
def test_writes_and_methods_are_never_repeated_on_a_doubt(error, items):
    conformance = MIXED if isinstance(items[0], GetItem) else LISTS
    meter = Meter(many([*items, GETS[3]], conformance), lists(error))
    *first, last = meter.run()
    if conformance == MIXED:  # all three stood in one request
        assert [*first, last] == [error] * 3
        assert len(meter.shapes) == 1
    else:
        assert first == [error, error]
        assert last == unsigned(3)
        assert meter.shapes == [2, "normal"]


def test_a_refused_single_item_has_its_error_as_result_and_the_others_go_on():
    def second(request: Any) -> Any:
        return OTHER if request.cosem_attribute_descriptor == NAMES[1] else None

    meter = Meter(many(GETS[:3], SERVICES), second)
    assert meter.run() == (unsigned(0), OTHER, unsigned(2))


def test_an_error_of_security_ends_all_of_it():
    meter = Meter(many(GETS[:3], SERVICES), lambda request: SECURITY)
    assert meter.run() == (SECURITY,) * 3
    assert meter.shapes == ["normal"]


# -- what cannot be sent -----------------------------------------------------------------------------------------------


def test_an_item_that_does_not_fit_has_its_error_as_result():
    long = SetItem(CLOCK, LONG)
    meter = Meter(many([SET_ITEM, long, SET_ITEM], LISTS, capacity=60))
    first, second, third = meter.run()
    assert (first, third) == (OK, OK)
    assert isinstance(second, LocalProtocolError)
    assert second.code == "request-too-long"
    assert meter.shapes == ["normal", "normal"]


def test_nothing_that_can_be_sent_is_an_error():
    with pytest.raises(LocalProtocolError, match="Nothing is asked"):
        many([], LISTS).begin()
    with pytest.raises(LocalProtocolError, match="agreed to no blocks"):
        many([SetItem(CLOCK, LONG)], LISTS, capacity=60).begin()
