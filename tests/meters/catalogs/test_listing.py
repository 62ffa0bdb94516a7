import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.listing import NO_GROUP, CatalogState, find_objects, offers, page_of
from meters.catalogs.rights import ClientRights
from meters.catalogs.services import put_objects
from meters.cosem.obis import ObisCode
from meters.models import MeterType


def parse(query: str) -> CatalogState:
    return CatalogState.parse(QueryDict(query))


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 99999))
def test_an_address_says_the_same_when_it_is_read_again(q, group, client):
    params = QueryDict(mutable=True)
    params.update({"q": q, "group": group, "client": str(client)})
    state = CatalogState.parse(params)
    assert parse(state.query()) == state


def test_what_an_address_does_not_know_is_left_out():
    assert parse("q=+a++b+&class=x&client=1&colour=red&group=") == CatalogState("a b", (("client", "1"),))
    assert parse("class=3&class=4").filters == (("class", "4"),)
    assert parse("client=%C2%B3").filters == ()


def test_chips_tell_and_take_off():
    chips = list(parse("q=x&group=-&class=3").chips())
    assert [(chip["title"], chip["words"]) for chip in chips] == [("Group", "none"), ("Class", "Register (3)")]
    assert chips[0]["rest"] == "q=x&class=3"


@pytest.fixture
def meter_type(db):
    meter_type = MeterType.objects.create(model="X")
    objects = [
        ObjectFacts(
            class_id=3, logical_name=ObisCode(1, 0, c, 8, 0), group="Energy", rights={16: ClientRights({2: "r"})}
        )
        for c in range(1, 61)
    ]
    clock = ObjectFacts(class_id=8, logical_name=ObisCode(0, 0, 1, 0, 0), note="with DST")
    put_objects(user="x", meter_type=meter_type, objects=[*objects, clock], origin="x")
    return meter_type


def test_pages_and_their_ends(meter_type):
    rows = find_objects(meter_type, CatalogState())
    assert [len(page_of(rows, number).object_list) for number in (None, "2", "9", "x", "-1")] == [50, 11, 11, 50, 50]
    assert len(page_of(list(range(60)), "2").object_list) == 10


@pytest.mark.parametrize(
    ("state", "number"),
    [
        (CatalogState(q="dst"), 1),
        (CatalogState(q="clock"), 1),
        (CatalogState(q="clock energy"), 0),
        (CatalogState(q="reactive import"), 3),
        (CatalogState(filters=(("client", "16"),)), 60),
        (CatalogState(filters=(("client", "1"),)), 0),
        (CatalogState(filters=(("group", NO_GROUP),)), 1),
        (CatalogState(q="1-0:2.8.0", filters=(("group", "Energy"),)), 1),
    ],
)
def test_words_codes_and_filters(meter_type, state, number):
    assert find_objects(meter_type, state).count() == number


def test_what_the_filters_offer(meter_type, django_assert_num_queries):
    with django_assert_num_queries(3):
        found = offers(meter_type)
    assert found["group"] == [("Energy", "Energy (60)"), (NO_GROUP, "none (1)")]
    assert found["class"] == [("3", "Register (3): 60"), ("8", "Clock (8): 1")]
    assert found["client"] == [("16", "16 (60)")]
