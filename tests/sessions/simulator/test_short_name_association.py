"""Association SN as a client meets it: its lists, and its methods through READ and WRITE."""

from __future__ import annotations

import pytest

from meters.cosem.data import (
    DataType,
    array,
    enum,
    integer,
    long,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.errors import AuthenticationFailedError
from sessions.dlms.short_name_map import ShortNameMap
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import LLS, PUBLIC, lab_meter

ASSOCIATION = "0-0:40.0.0*255"
CLOCK = ObisCode(0, 0, 1, 0, 0, 255)
CLOCK_ROW = structure(long(0x2BC0), long_unsigned(8), unsigned(0), octet_string(CLOCK.octets))
HLS = {"client_sap": 2, "authentication": "hls-md5", "secret": "text:a secret of HLS"}
READER = {**LLS, "client_sap": 33}


def opened(association=LLS, **table) -> Pair:
    pair = Pair(lab_meter(association, type="short_names", **table))
    pair.open()
    return pair


def call(pair, method_id, parameters):
    return pair.action(12, ASSOCIATION, method_id, parameters)


def test_the_object_list_is_the_map_of_the_meter():
    pair = opened()
    listed = ShortNameMap.from_object_list(pair.get(12, ASSOCIATION, 2))
    assert listed == pair.client.short_names
    rows = {str(row.logical_name): row for row in listed}
    assert rows["0-0:1.0.0*255"].base_name == 0x2BC0
    assert (rows[ASSOCIATION].base_name, rows[ASSOCIATION].version) == (0xFA00, 1)
    assert {rows["0-0:41.0.0*255"].base_name, rows["0-0:42.0.0*255"].base_name} == {0xFC00, 0xFD00}


def test_the_public_client_sees_less():
    pair = Pair(lab_meter(LLS, type="short_names"), **PUBLIC, secret=None)
    pair.open()
    names = {str(row.logical_name) for row in ShortNameMap.from_object_list(pair.get(12, ASSOCIATION, 2))}
    assert names == {ASSOCIATION, "0-0:41.0.0*255", "0-0:42.0.0*255", "0-0:1.0.0*255", "0-0:43.1.0*255"}


def test_the_access_rights_of_the_caller():
    rights = {row[0].value % 0x10000: row for row in opened().get(12, ASSOCIATION, 3)}
    clock = rights[0x2BC0]
    assert clock[1][1] == structure(integer(2), enum(3), null())
    assert structure(integer(6), enum(1)) in list(clock[2])
    profile = rights[0x6270]
    assert profile[1][1][2] == array(integer(1), integer(2))
    reader = {row[0].value % 0x10000: row for row in opened(READER, role="reader").get(12, ASSOCIATION, 3)}
    assert reader[0x2BC0][1][1] == structure(integer(2), enum(1), null())


@pytest.mark.parametrize(
    "asked", [array(long_unsigned(8)), long_unsigned(8), array(long_unsigned(8), long_unsigned(99))]
)
def test_the_list_by_class(asked):
    assert call(opened(), 1, asked) == (ActionResult.SUCCESS, array(CLOCK_ROW))


@pytest.mark.parametrize("asked", [octet_string(CLOCK.octets), structure(long_unsigned(8), octet_string(CLOCK.octets))])
def test_an_object_by_its_logical_name(asked):
    assert call(opened(), 2, asked) == (ActionResult.SUCCESS, CLOCK_ROW)


@pytest.mark.parametrize("asked", [octet_string(bytes(6)), structure(long_unsigned(3), octet_string(CLOCK.octets))])
def test_an_object_that_is_not_there(asked):
    assert call(opened(), 2, asked) == (ActionResult.OBJECT_UNDEFINED, None)


def test_attributes_by_logical_name():
    pair = opened()
    asked = array(
        structure(long_unsigned(8), octet_string(CLOCK.octets), integer(2)),
        structure(long_unsigned(3), octet_string(CLOCK.octets), integer(2)),
        structure(long_unsigned(7), octet_string(ObisCode(1, 0, 99, 1, 0, 255).octets), integer(3)),
    )
    result, returned = call(pair, 3, asked)
    assert result is ActionResult.SUCCESS
    time, nothing, columns = returned
    assert time == pair.get(8, "0-0:1.0.0*255", 2)
    assert nothing == null()
    assert len(columns) == 4


@pytest.mark.parametrize(
    ("method_id", "parameters"),
    [
        (1, null()),
        (2, unsigned(1)),
        (2, octet_string(bytes(5))),
        (2, structure()),
        (3, null()),
        (3, array(unsigned(1))),
        (3, array(structure(long_unsigned(8), octet_string(CLOCK.octets)))),
        (3, array(structure(null(), octet_string(CLOCK.octets), integer(2)))),
        (3, array(structure(long_unsigned(8), octet_string(b""), integer(2)))),
        (5, null()),
    ],
)
def test_parameters_of_the_wrong_type(method_id, parameters):
    assert call(opened(), method_id, parameters) == (ActionResult.TYPE_UNMATCHED, None)


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("association", "method_id"), [(LLS, 5), (HLS, 6)])
def test_a_new_secret_holds_from_the_next_association_on(association, method_id):
    meter = lab_meter(association, type="short_names")
    pair = Pair(meter)
    pair.open()
    assert call(pair, method_id, octet_string(b"the new secret")) == (ActionResult.SUCCESS, None)
    assert pair.get(8, "0-0:1.0.0*255", 2).type is DataType.OCTET_STRING
    pair.release()
    with pytest.raises(AuthenticationFailedError):
        Pair(meter).open()
    Pair(meter, secret="text:the new secret").open()


@pytest.mark.parametrize(
    ("association", "method_id", "secret", "result"),
    [
        (LLS, 6, b"new", ActionResult.SCOPE_OF_ACCESS_VIOLATED),
        (HLS, 5, b"new", ActionResult.SCOPE_OF_ACCESS_VIOLATED),
        (LLS, 5, b"", ActionResult.OTHER_REASON),
    ],
)
def test_a_secret_that_is_none_of_the_association(association, method_id, secret, result):
    assert call(opened(association), method_id, octet_string(secret)) == (result, None)


def test_a_reader_changes_no_secret():
    pair = opened(READER, role="reader")
    assert call(pair, 5, octet_string(b"new")) == (ActionResult.READ_WRITE_DENIED, None)


def test_who_is_associated_has_proven_enough():
    assert call(opened(), 8, octet_string(b"proof"))[0] is ActionResult.OTHER_REASON
