from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.comparison import Found, compare, counts, seen_by
from meters.catalogs.facts import FIELDS, ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode
from tests.meters.catalogs.strategies import facts_of

A, B, C = (ObjectFacts(class_id=3, logical_name=ObisCode(1, 0, c, 8, 0), unit=30) for c in (1, 2, 3))
READ, BOTH = ClientRights({2: "r"}), ClientRights({2: "rw"})


def test_both_sides_and_what_differs_field_by_field():
    rows = compare([C, A], [replace(A, unit=31, low=Decimal(1)), B, C])
    assert [(row.facts.logical_name.c, row.found) for row in rows] == [
        (1, Found.DIFFERENT),
        (2, Found.RIGHT),
        (3, Found.SAME),
    ]
    assert rows[0].differences() == [("unit", "Wh", "VAh"), ("low", "", "1")]
    assert rows[1].differences() == []
    assert counts(rows) == {Found.LEFT: 0, Found.RIGHT: 1, Found.DIFFERENT: 1, Found.SAME: 1}


def test_one_code_with_two_classes_is_two_objects():
    rows = compare([A], [replace(A, class_id=4)])
    assert [row.found for row in rows] == [Found.LEFT, Found.RIGHT]


def test_a_meter_does_not_contradict_what_it_does_not_say():
    catalog = replace(A, title="Import", high=Decimal(9), scaler=0, rights={1: BOTH, 16: READ})
    says = replace(A, unit=None, rights={16: READ})
    assert compare([catalog], [says], only_said=True)[0].found is Found.SAME
    assert compare([catalog], [says])[0].fields == ("title", "scaler", "unit", "high", "rights")
    other = compare([catalog], [replace(says, scaler=3, rights={16: BOTH})], only_said=True)[0]
    assert other.differences() == [("scaler", "0", "3"), ("access", "16: r 2", "16: rw 2")]
    listed = replace(says, rights={16: ClientRights()})
    assert compare([catalog], [listed], only_said=True)[0].found is Found.SAME
    unknown = replace(says, rights={5: READ})
    assert compare([catalog], [unknown], only_said=True)[0].differences() == [("access", "", "5: r 2")]


def test_an_association_should_list_what_is_not_known_to_be_others():
    objects = [A, replace(B, rights={1: BOTH}), replace(C, rights={16: READ})]
    assert seen_by(objects, 16) == [objects[0], objects[2]]


sides = st.lists(facts_of(), max_size=5, unique_by=lambda facts: facts.key)


@given(sides, sides)
def test_every_object_is_found_once_and_both_ways_alike(left, right):
    rows, back = compare(left, right), compare(right, left)
    assert {row.facts.key for row in rows} == {facts.key for facts in (*left, *right)}
    assert len(rows) == len({row.facts.key for row in rows}) == sum(counts(rows).values())
    assert [row.fields for row in rows] == [row.fields for row in back]
    mirrored = {Found.LEFT: Found.RIGHT, Found.RIGHT: Found.LEFT}
    assert [mirrored.get(row.found, row.found) for row in rows] == [row.found for row in back]
    for row in rows:
        if row.left and row.right:
            assert (row.left == row.right) == (row.found is Found.SAME)
            assert {*row.fields} == {name for name in FIELDS if getattr(row.left, name) != getattr(row.right, name)}


@given(sides)
def test_a_side_is_the_same_as_itself(side):
    for only_said in (False, True):
        assert {row.found for row in compare(side, side, only_said=only_said)} <= {Found.SAME}
