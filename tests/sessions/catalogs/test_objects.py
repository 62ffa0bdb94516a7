from __future__ import annotations

from dataclasses import replace

import pytest

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.overlay import Overlay, overlay_of
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode
from sessions.catalogs.objects import browsed, client_of, expected, find_expected, from_catalog
from sessions.known_objects import KnownObject
from tests.sessions.builders import make_session

CODE = ObisCode.parse("1-0:1.8.0*255")
ENERGY = ObjectFacts(
    class_id=3,
    logical_name=CODE,
    version=0,
    title="Import",
    unit=30,
    rights={16: ClientRights({1: "r", 2: "no"}, {1: False}), 1: ClientRights({1: "r", 2: "r"}, {1: True})},
)


def one(known: KnownObject, facts: ObjectFacts | None, client_sap: int | None):
    (found,) = browsed([known], overlay_of([facts] if facts else []), client_sap)
    return found


def test_the_types_title_and_unit_stand_over_the_standards_words() -> None:
    row = one(KnownObject(3, 0, CODE), ENERGY, 1)
    assert (row.title, row.unit, row.mark, row.class_name) == ("Import", "Wh", "", "Register")
    assert row.standard.startswith("Active energy import")
    plain = one(KnownObject(3, 0, CODE), None, 1)
    assert (plain.title, plain.unit) == (plain.standard, "")


@pytest.mark.parametrize(
    ("modes", "client_sap", "mark"),
    [
        (None, 1, ""),
        (None, 16, "not readable: the catalog gives client 16 no right to read it"),
        (None, 5, "not for client 5: the catalog knows it of client 1, 16 only"),
        (None, None, ""),
        ({1: 1, 2: 1}, 16, ""),
        ({1: 1, 2: 0}, 1, "not readable: the meter's list gives no right to read it"),
        ({1: 1}, 16, ""),
    ],
)
def test_what_may_not_be_read_is_marked_and_the_meters_word_counts_first(modes, client_sap, mark) -> None:
    assert one(KnownObject(3, 0, CODE, modes), ENERGY, client_sap).mark == mark


def test_a_catalog_that_says_no_rights_marks_nothing() -> None:
    for rights in ({}, {16: ClientRights()}, {16: ClientRights({1: "r"}), 1: ClientRights()}):
        row = one(KnownObject(3, 0, CODE), replace(ENERGY, rights=rights), 16)
        assert bool(row.mark) == (rights.get(16) == ClientRights({1: "r"}))


def test_the_catalog_stands_in_for_a_list_that_was_not_read() -> None:
    clock = ObjectFacts(class_id=8, logical_name=ObisCode.parse("0-0:1.0.0*255"))
    others = ObjectFacts(class_id=1, logical_name=ObisCode.parse("0-0:42.0.0*255"), rights={5: ClientRights()})
    rows = from_catalog(overlay_of([clock, others, ENERGY]), 16)
    assert [(row.class_id, bool(row.mark), row.from_catalog) for row in rows] == [(3, True, True), (8, False, True)]
    assert len(from_catalog(overlay_of([clock, others, ENERGY]), None)) == 3
    assert from_catalog(Overlay(), 16) == []


def test_an_expected_object_says_of_this_client_what_the_catalog_says() -> None:
    known = expected(ENERGY, 16)
    assert (known.may_read(1), known.may_read(2), known.may_invoke(1)) == (True, False, False)
    assert expected(ENERGY, 1).may_invoke(1)
    assert expected(ENERGY, 5).attribute_modes is None
    assert find_expected(overlay_of([ENERGY]), 3, CODE, 16) == known
    assert find_expected(overlay_of([ENERGY]), 4, CODE, 16) is None


@pytest.mark.django_db
def test_the_client_is_that_of_the_association() -> None:
    dlms_session = make_session()
    assert client_of(dlms_session) == 32
    dlms_session.association = None
    assert client_of(dlms_session) is None
