from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.facts import FIELDS, ObjectFacts, says
from meters.catalogs.plan import Known, State, plan
from meters.catalogs.rights import ClientRights
from meters.cosem.obis import ObisCode
from tests.meters.catalogs.strategies import facts_of

CODE = ObisCode.parse("1-0:1.8.0*255")
BARE = ObjectFacts(class_id=3, logical_name=CODE)
READ = ClientRights({2: "r"})
WRITE = ClientRights({2: "rw"})


def planned(before, said, same_source=False):
    (found,) = plan({before.key: Known(before, same_source)} if before else {}, [said])
    return found


def test_what_the_catalog_does_not_have_is_new():
    found = planned(None, replace(BARE, unit=30))
    assert found.state is State.NEW
    assert found.outcome(overwrite=False) == found.outcome(overwrite=True) == replace(BARE, unit=30)
    assert found.fields == []


@pytest.mark.parametrize(
    ("before", "said", "same_source", "state", "kept"),
    [
        ({}, {"unit": 30}, False, State.CHANGED, {"unit": 30}),
        ({"unit": 30}, {"unit": 30}, False, State.UNCHANGED, {"unit": 30}),
        ({"unit": 30, "title": "A"}, {}, False, State.UNCHANGED, {"unit": 30, "title": "A"}),
        ({"scaler": 0}, {"scaler": 3}, False, State.CONFLICT, {"scaler": 0}),
        ({"scaler": 0}, {"scaler": 3}, True, State.CHANGED, {"scaler": 3}),
        ({"low": Decimal(0)}, {"low": Decimal(1)}, False, State.CONFLICT, {"low": Decimal(0)}),
        ({"rights": {16: READ}}, {"rights": {1: WRITE}}, False, State.CHANGED, {"rights": {16: READ, 1: WRITE}}),
        ({"rights": {16: READ}}, {"rights": {16: WRITE}}, False, State.CONFLICT, {"rights": {16: READ}}),
        ({"rights": {16: READ}}, {"rights": {16: WRITE}}, True, State.CHANGED, {"rights": {16: WRITE}}),
        ({"rights": {16: READ}}, {"rights": {16: ClientRights()}}, False, State.UNCHANGED, {"rights": {16: READ}}),
        ({"rights": {16: ClientRights()}}, {"rights": {16: READ}}, False, State.CHANGED, {"rights": {16: READ}}),
    ],
)
def test_what_is_said_fills_renews_or_contradicts(before, said, same_source, state, kept):
    found = planned(replace(BARE, **before), replace(BARE, **said), same_source)
    assert found.state is state
    assert found.outcome(overwrite=False) == replace(BARE, **kept)
    assert bool(found.conflicting) == (state is State.CONFLICT)


def test_a_contradiction_is_taken_where_a_person_says_so():
    found = planned(replace(BARE, scaler=0, title="A"), replace(BARE, scaler=3, unit=30))
    assert found.conflicting == ["scaler"]
    assert found.fields == ["scaler", "unit"]
    assert found.outcome(overwrite=True) == replace(BARE, scaler=3, unit=30, title="A")
    assert found.outcome(overwrite=False) == replace(BARE, scaler=0, unit=30, title="A")


def test_of_what_is_said_twice_the_first_word_counts():
    (found,) = plan({}, [replace(BARE, unit=30), replace(BARE, unit=35)])
    assert found.said.unit == 30


one_object = facts_of(code=st.just(CODE), class_id=st.just(3))


@given(one_object, one_object, st.booleans())
def test_the_word_that_is_taken_holds_afterwards_and_nothing_else_changes(before, said, same_source):
    found = planned(before, said, same_source)
    taken, kept = found.outcome(overwrite=True), found.outcome(overwrite=False)
    again = planned(taken, said)
    assert again.state is State.UNCHANGED
    assert planned(kept, said, same_source).outcome(overwrite=False) == kept
    for name in FIELDS:
        if name != "rights":
            assert getattr(taken, name) == getattr(said if says(said, name) else before, name)
            if says(before, name) and not same_source:
                assert getattr(kept, name) == getattr(before, name)
    assert taken.rights.keys() == before.rights.keys() | said.rights.keys()
    assert (found.state is State.CONFLICT) == (kept != taken)
