"""The address of the list: one address for one state, and back."""

from __future__ import annotations

from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from meters.list_state import FILTERS, MAX_VALUES, SINGLE, SORTS, ListState

NAMES = st.sampled_from([*FILTERS, "q", "sort", "page", "next", "csrf"])
ADDRESSES = st.lists(st.tuples(NAMES, st.text(st.characters(codec="utf-8"), max_size=12)), max_size=12)
ANYTHING = st.text(st.characters(codec="utf-8"), max_size=80)


def parse(address: str) -> ListState:
    return ListState.parse(QueryDict(address))


def written(pairs: list[tuple[str, str]]) -> str:
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    return query.urlencode()


@given(ADDRESSES.map(written) | ANYTHING)
def test_what_is_read_from_an_address_is_written_and_read_again_the_same(address: str) -> None:
    state = parse(address)
    assert parse(state.query()) == state
    assert parse(state.query()).query() == state.query()


@given(ADDRESSES.map(written))
def test_each_chip_takes_off_itself_and_nothing_else(address: str) -> None:
    state = parse(address)
    for pair in state.filters:
        rest = parse(state.without(*pair).query())
        assert rest.filters == tuple(other for other in state.filters if other != pair)
        assert (rest.q, rest.sort) == (state.q, state.sort)


@given(ADDRESSES.map(written))
def test_without_all_its_chips_only_words_and_order_are_left(address: str) -> None:
    state = parse(address)
    for pair in state.filters:
        state = parse(state.without(*pair).query())
    assert state.filters == ()
    assert state == ListState(q=state.q, sort=state.sort)


@given(ANYTHING | ADDRESSES.map(written))
def test_nothing_strange_gets_through(address: str) -> None:
    state = parse(address)
    assert state.sort == "" or state.sort.removeprefix("-") in SORTS
    assert len(state.filters) <= MAX_VALUES
    assert {name for name, _ in state.filters} <= {*FILTERS}
    assert len({*state.filters}) == len(state.filters)
    for text in (state.q, *(value for _, value in state.filters)):
        assert "\x00" not in text
        assert text == text.strip()
        assert len(text) <= 200
    for name in SINGLE:
        assert sum(known == name for known, _ in state.filters) <= 1


def test_an_address_of_somebody_who_thinks_of_sql() -> None:
    state = parse("sort=pk);DROP TABLE x--&state='+OR+1=1&order_by=password&next=//evil.example")
    assert state == ListState(filters=(("state", "' OR 1=1"),))


def test_of_two_dates_the_last_one_counts() -> None:
    assert parse("seen_since=2026-01-01&seen_since=2026-02-02&seen_since=").filters == (("seen_since", "2026-02-02"),)


def test_the_whole_list_has_the_plain_address() -> None:
    assert parse("q=&state=&sort=nonsense&page=7").query() == ""
    assert not parse("sort=name").narrows
    assert parse("q=x").narrows
