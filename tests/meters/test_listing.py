"""A page of the list: what is counted, paged, sorted, said."""

from __future__ import annotations

import pytest
from django.db import connection
from django.http import QueryDict

from meters import listing as module
from meters.list_state import SORTS, ListState
from meters.listing import BoundedPaginator, Count, bounded_count, last_sessions, listing
from meters.models import Meter
from meters.tables import CHOICES
from sessions.models import DlmsSession
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session

pytestmark = pytest.mark.django_db


def of(address: str):
    return listing(ListState.parse(QueryDict(address)))


@pytest.fixture
def three(monkeypatch) -> None:
    monkeypatch.setattr(module, "COUNT_LIMIT", 2)
    for n in range(3):
        make_meter(
            meter={"serial_number": str(n), "name": f"name {n}", "state": "FAULTY" if n else "RECEIVED"},
            line={"port": n + 1},
        )


def test_counting_ends_at_the_limit(three) -> None:
    assert bounded_count(Meter.objects.filter(state="FAULTY")) == Count(2)
    assert bounded_count(Meter.objects.all()) == Count(2, more=True)


def test_an_estimate_is_only_of_the_whole_and_only_where_statistics_know_it(three) -> None:
    assert of("q=name").count == Count(2, more=True)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE meters_meter")
        assert of("").count == Count(2, more=True, estimate=3)
    else:
        assert of("").count == Count(2, more=True)


@pytest.mark.parametrize("sort", SORTS)
def test_too_many_are_sorted_only_by_what_has_an_index(three, sort: str) -> None:
    assert of(f"sort=-{sort}").sort in (f"-{sort}", "")
    assert (of(f"sort={sort}").sort == sort) is (sort in module.SORTED_AT_ANY_SIZE)
    assert of(f"sort={sort}&state=RECEIVED").sort == sort


def test_what_is_sorted_at_any_size_has_its_index() -> None:
    indexed = {tuple(index.fields) for index in Meter._meta.indexes}
    for name in module.SORTED_AT_ANY_SIZE - {"serial_number"}:
        assert (name, "serial_number") in indexed


def test_every_order_is_a_column_that_can_be_chosen() -> None:
    assert {*SORTS} - {"serial_number"} <= {*CHOICES}


def test_chips_say_what_is_on_in_words_and_where_it_goes_without(three) -> None:
    make_meter(meter={"serial_number": "x", "batch": "Lot 7"}, line={"port": 9})
    kind = Meter.objects.get(serial_number="x").meter_type
    chips = of(f"state=FAULTY&batch=Lot+7&type={kind.pk}&seen=ever&q=x&sort=name").chips
    assert [(chip.title, chip.words, chip.problem) for chip in chips] == [
        ("Type", "Maker M1", ""),
        ("Batch", "Lot 7", ""),
        ("State", "Faulty", ""),
        ("Seen", "at least once", ""),
    ]
    assert chips[2].rest == f"q=x&type={kind.pk}&batch=Lot+7&seen=ever&sort=name"


def test_a_value_that_is_none_is_blamed_alone(three) -> None:
    found = of("state=FAULTY&state=NOPE&batch=Nowhere&seen_since=yesterday")
    assert found.refused
    assert found.count == Count(0)
    assert {(chip.value, bool(chip.problem)) for chip in found.chips} == {
        ("FAULTY", False),
        ("NOPE", True),
        ("Nowhere", True),
        ("yesterday", True),
    }


@pytest.mark.parametrize(
    ("asked", "page"), [("2", 2), (1, 1), ("0", 1), ("-1", 1), ("x", 1), ("", 1), ("9" * 30, 1), ("99", 3), ("²", 1)]
)
def test_a_number_of_a_page_that_is_none_is_the_nearest_page(asked: object, page: int) -> None:
    assert BoundedPaginator(list(range(9)), 2, found=Count(5)).page(asked).number == page


def test_no_page_shows_what_was_not_counted() -> None:
    assert list(BoundedPaginator(list(range(9)), 2, found=Count(5)).page(3)) == [4]


def test_the_last_session_of_each(django_assert_num_queries) -> None:
    one, two = make_meter(), make_meter(meter={"serial_number": "2"}, line={"port": 2})
    make_session(one)
    newest = make_session(one)
    with django_assert_num_queries(2):
        last_sessions([one, two], DlmsSession.objects.all())
    assert (one.last_session, two.last_session) == (newest, None)
