"""Attributes and methods by class and logical name, asked for by short names; the meter's list before, or given."""

from __future__ import annotations

import pytest

from meters.cosem.data import array, integer, long_unsigned, null, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.short_name import (
    ReadResponse,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.errors import LocalProtocolError, RefusedError, RemoteProtocolError
from sessions.dlms.events import ActionFinished, GetFinished, ListFinished, SetFinished
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.short_name_map import OBJECT_LIST_NAME, ShortNameMap
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem
from sessions.dlms.transfers.named import (
    NamedTransfer,
    action_transfer,
    by_short_names,
    get_transfer,
    set_transfer,
)

from .asked import CLOCK, DENIED, OK
from .asked_by_short_name import (
    BUFFER,
    CHALLENGE,
    DISCONNECT,
    KNOWN,
    OBJECT_LIST,
    OBJECTS,
    VARIABLE,
    answer_in_blocks,
    names,
    reading,
    sn_terms,
)

# -- attributes and methods --------------------------------------------------------------------------------------------


def test_an_attribute_is_read_under_its_short_name():
    transfer = get_transfer(sn_terms(), names(), CLOCK)
    assert transfer.begin().hex() == "0501022bc8"
    assert transfer.receive(decode_apdu(bytes.fromhex("0c01001105"))) == ([GetFinished(1, unsigned(5))], None)
    assert transfer.done


def test_a_refusal_of_one_attribute_is_a_value():
    transfer = get_transfer(sn_terms(), names(), CLOCK)
    transfer.begin()
    assert transfer.receive(ReadResponse((DENIED,))) == ([GetFinished(1, DENIED)], None)


def test_a_part_of_an_attribute_is_read_with_parameterised_access():
    transfer = get_transfer(sn_terms(), names(), BUFFER, EntryDescriptor(1, 10).to_selective_access())
    assert transfer.begin().hex() == "050104627802020406000000010600" + "00000a120001120000"


def test_an_attribute_is_written_under_its_short_name():
    transfer = set_transfer(sn_terms(), names(), CLOCK, octet_string(b"now"))
    assert transfer.begin().hex() == "0601022bc80109036e6f77"
    assert transfer.receive(WriteResponse((OK,))) == ([SetFinished(1, OK)], None)
    assert transfer.done


def test_a_part_of_an_attribute_is_written_with_parameterised_access():
    selection = EntryDescriptor(1, 10).to_selective_access()
    transfer = set_transfer(sn_terms(), names(), BUFFER, null(), selection)
    request = decode_apdu(transfer.begin())
    assert request.variables == (VARIABLE(0x6278, 2, selection.access_parameters),)


@pytest.mark.parametrize(
    ("parameters", "written"), [(None, integer(0)), (integer(0), integer(0)), (long_unsigned(7), long_unsigned(7))]
)
def test_a_method_that_returns_nothing_is_called_by_write(parameters, written):
    transfer = action_transfer(sn_terms(), names(), DISCONNECT, parameters)
    assert decode_apdu(transfer.begin()) == WriteRequest((VARIABLE(0xC020),), (written,))
    assert transfer.receive(WriteResponse((OK,))) == ([ActionFinished(1, ActionResult.SUCCESS, None)], None)


@pytest.mark.parametrize("result", [result for result in DataAccessResult if result is not OK])
def test_a_method_that_is_refused(result):
    transfer = action_transfer(sn_terms(), names(), DISCONNECT)
    transfer.begin()
    ([finished], octets) = transfer.receive(WriteResponse((result,)))
    known = ActionResult.__members__.get(result.name)
    numbered = ActionResult(result) if result.value in set(ActionResult) else ActionResult.OTHER_REASON
    assert finished == ActionFinished(1, known or numbered, None)
    assert octets is None


def test_a_method_that_returns_something_is_called_by_read():
    transfer = action_transfer(sn_terms(), names(), CHALLENGE)
    assert transfer.begin().hex() == "050104fa50000f00"
    finished = ActionFinished(1, ActionResult.SUCCESS, octet_string(b"challenge"))
    assert transfer.receive(ReadResponse((octet_string(b"challenge"),))) == ([finished], None)


def test_a_method_that_should_return_something_is_refused():
    transfer = action_transfer(sn_terms(), names(), CHALLENGE)
    transfer.begin()
    finished = ActionFinished(1, ActionResult.READ_WRITE_DENIED, None)
    assert transfer.receive(ReadResponse((DENIED,))) == ([finished], None)


# -- the list of short names -------------------------------------------------------------------------------------------


def test_the_list_is_read_before_the_first_request_and_then_kept():
    kept = names(None)
    transfer = get_transfer(sn_terms(), kept, CLOCK)
    assert transfer.begin().hex() == f"050102{OBJECT_LIST_NAME:04x}"
    outcomes, octets = transfer.receive(ReadResponse((OBJECT_LIST,)))
    assert (outcomes, octets.hex()) == ([], "0501022bc8")
    assert not transfer.done
    assert transfer.receive(ReadResponse((unsigned(5),))) == ([GetFinished(1, unsigned(5))], None)
    assert kept.known == KNOWN
    assert get_transfer(sn_terms(), kept, CLOCK).begin().hex() == "0501022bc8"


@pytest.mark.parametrize("size", [1, 9, 60])
def test_the_blocks_of_the_list_are_not_those_of_the_attribute(size):
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    outcomes, requests = answer_in_blocks(transfer, ReadResponse((OBJECT_LIST,)).encode()[1:], size)
    assert outcomes == []
    assert requests[-1].hex() == "0501022bc8"


def test_a_write_and_a_method_read_the_list_too():
    for transfer in (
        set_transfer(sn_terms(), names(None), CLOCK, null()),
        action_transfer(sn_terms(), names(None), DISCONNECT),
    ):
        assert transfer.begin().hex() == "050102fa08"
        _, octets = transfer.receive(ReadResponse((OBJECT_LIST,)))
        assert isinstance(decode_apdu(octets), WriteRequest)
        assert transfer.stray(WriteResponse((OK,))) == ""
        assert transfer.receive(WriteResponse((OK,)))[1] is None
        assert transfer.done


def test_who_asks_for_the_list_gets_it_and_it_is_kept():
    kept = names(None)
    descriptor = CosemAttributeDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 2)
    transfer = get_transfer(sn_terms(), kept, descriptor)
    assert transfer.begin().hex() == "050102fa08"
    assert transfer.receive(ReadResponse((OBJECT_LIST,))) == ([GetFinished(1, OBJECT_LIST)], None)
    assert kept.known == KNOWN


def test_names_that_were_given_stay_when_somebody_looks_at_the_list():
    kept = names(ShortNameMap(OBJECTS[:1]))
    transfer = get_transfer(sn_terms(), kept, CosemAttributeDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 2))
    transfer.begin()
    transfer.receive(ReadResponse((OBJECT_LIST,)))
    assert kept.known == ShortNameMap(OBJECTS[:1])


@pytest.mark.parametrize("value", [null(), array(structure()), DENIED])
def test_a_list_that_is_none_is_shown_to_who_asked_for_it(value):
    kept = names(None)
    transfer = get_transfer(sn_terms(), kept, CosemAttributeDescriptor(12, ObisCode(0, 0, 40, 0, 0, 255), 2))
    transfer.begin()
    assert transfer.receive(ReadResponse((value,))) == ([GetFinished(1, value)], None)
    assert kept.known is None


def test_a_meter_that_does_not_tell_its_list():
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    with pytest.raises(RefusedError, match="does not tell its short names") as caught:
        transfer.receive(ReadResponse((DENIED,)))
    assert (caught.value.layer, caught.value.code) == ("access", "no-object-list")
    transfer.abort()
    assert transfer.done


@pytest.mark.parametrize("value", [null(), array(structure())])
def test_a_list_that_cannot_be_used(value):
    transfer = get_transfer(sn_terms(), names(None), CLOCK)
    transfer.begin()
    with pytest.raises(RemoteProtocolError, match="cannot be used") as caught:
        transfer.receive(ReadResponse((value,)))
    assert caught.value.layer == "access"  # nothing but a list was asked for


def test_an_object_that_is_not_in_the_list_of_the_meter():
    unknown = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)
    with pytest.raises(LocalProtocolError, match="not in the list"):
        get_transfer(sn_terms(), names(), unknown).begin()
    transfer = get_transfer(sn_terms(), names(None), unknown)
    transfer.begin()
    with pytest.raises(LocalProtocolError, match="not in the list"):
        transfer.receive(ReadResponse((OBJECT_LIST,)))
    transfer.abort()
    assert transfer.done


def test_a_request_that_was_not_begun_can_be_forgotten():
    transfer = NamedTransfer(sn_terms(), names(None), lambda known: reading(0x108))
    transfer.abort()
    assert not transfer.done


# -- several at once ---------------------------------------------------------------------------------------------------

UNKNOWN = CosemAttributeDescriptor(3, ObisCode(1, 0, 1, 8, 0, 255), 2)


def asking():
    return by_short_names(names())


def test_several_attributes_are_read_in_one_read():
    transfer = asking().lists[GetItem](sn_terms(), [GetItem(CLOCK), GetItem(UNKNOWN), GetItem(BUFFER)])
    assert transfer.begin().hex() == "0502022bc8026278"
    (finished,), octets = transfer.receive(ReadResponse((unsigned(1), DENIED)))
    assert octets is None
    assert isinstance(finished, ListFinished)
    assert (finished.results[0], finished.results[2]) == (unsigned(1), DENIED)
    assert finished.results[1].code == "object-undefined"


def test_several_attributes_are_written_in_one_write():
    items = [SetItem(UNKNOWN, null()), SetItem(CLOCK, unsigned(1)), SetItem(BUFFER, unsigned(2))]
    transfer = asking().lists[SetItem](sn_terms(), items)
    assert transfer.begin().hex() == "0602022bc8026278" + "0211011102"
    (finished,), octets = transfer.receive(WriteResponse((OK, DENIED)))
    assert octets is None
    assert finished.results[0].code == "object-undefined"
    assert finished.results[1:] == (OK, DENIED)


@pytest.mark.parametrize("kind", [GetItem, lambda descriptor: SetItem(descriptor, null())])
def test_a_list_of_which_nothing_has_a_short_name(kind):
    item = kind(UNKNOWN)
    with pytest.raises(LocalProtocolError, match="not in the list"):
        asking().lists[type(item)](sn_terms(), [item, item]).begin()


def test_one_item_of_each_kind():
    items = [GetItem(CLOCK), SetItem(CLOCK, unsigned(1)), ActionItem(DISCONNECT)]
    begun = [asking().single(sn_terms(), item).begin().hex() for item in items]
    assert begun == ["0501022bc8", "0601022bc8011101", "060102c020010f00"]


def test_methods_stand_in_no_list():
    assert ActionItem not in asking().lists


# -- without an answer -------------------------------------------------------------------------------------------------


def test_an_unconfirmed_write():
    assert asking().unconfirmed(sn_terms(), SetItem(CLOCK, unsigned(5))).hex() == "1601022bc8011105"


def test_an_unconfirmed_write_needs_the_names_beforehand():
    with pytest.raises(LocalProtocolError) as caught:
        by_short_names(names(None)).unconfirmed(sn_terms(), SetItem(CLOCK, unsigned(5)))
    assert caught.value.code == "no-object-list"


def test_an_unconfirmed_write_has_to_fit():
    with pytest.raises(LocalProtocolError, match="octets long"):
        asking().unconfirmed(sn_terms(20), SetItem(CLOCK, octet_string(bytes(20))))
