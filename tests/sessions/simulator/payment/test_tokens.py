"""Tokens: what each is refused for, and that none is taken twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import octet_string, unsigned
from sessions.simulator.objects.base import Denied
from sessions.simulator.payment import tokens
from sessions.simulator.payment.tokens import TokenStatus, make_token
from tests.sessions.simulator.payment.metered import MAIN, SERIAL, TOKENS, Prepaid


def status(prepaid: Prepaid) -> int:
    return int(prepaid.value(TOKENS, 6)[0].value)


def test_a_token_is_taken_once():
    prepaid = Prepaid()
    prepaid.enter(1000, number=5)
    assert status(prepaid) == TokenStatus.EXECUTION_OK
    assert prepaid.value(MAIN, 2) == 2900
    assert [each.value for each in prepaid.value(TOKENS, 4)] == [b"credit 1000"]
    assert prepaid.value(TOKENS, 2) == make_token(SERIAL, 1000, 5).encode()
    with pytest.raises(Denied):
        prepaid.enter(1000, number=5)
    assert (status(prepaid), prepaid.value(MAIN, 2)) == (TokenStatus.VALIDATION_FAILURE, 2900)
    assert list(prepaid.value(TOKENS, 4)) == []


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (b"", TokenStatus.FORMAT_FAILURE),
        (b"1234", TokenStatus.FORMAT_FAILURE),
        (b"x" * 20, TokenStatus.FORMAT_FAILURE),
        (b"0" * 20, TokenStatus.AUTHENTICATION_FAILURE),
        (make_token("60000013", 100, 1).encode(), TokenStatus.AUTHENTICATION_FAILURE),
    ],
)
def test_what_is_no_token_of_this_meter(token, expected):
    prepaid = Prepaid()
    with pytest.raises(Denied):
        prepaid.target(TOKENS).invoke(1, octet_string(token))
    assert (status(prepaid), prepaid.value(MAIN, 2)) == (expected, 2000)


def test_a_parameter_of_another_type_is_no_token_at_all():
    prepaid = Prepaid()
    for parameters in (None, unsigned(1)):
        with pytest.raises(Denied):
            prepaid.target(TOKENS).invoke(1, parameters)


def test_a_token_that_cannot_be_credited_stays_good():
    prepaid = Prepaid()
    prepaid.put(MAIN, 0x7FFF_FFFF)
    with pytest.raises(Denied):
        prepaid.enter(1000, number=9)
    assert status(prepaid) == TokenStatus.EXECUTION_FAILURE
    prepaid.put(MAIN, 0)
    prepaid.enter(1000, number=9)
    assert status(prepaid) == TokenStatus.EXECUTION_OK


@given(st.integers(1, 999_999), st.integers(0, 999_999), st.integers(0, 19), st.integers(1, 9))
def test_no_digit_may_be_another(amount, number, place, more):
    token = make_token(SERIAL, amount, number)
    altered = token[:place] + str((int(token[place]) + more) % 10) + token[place + 1 :]
    prepaid = Prepaid()
    with pytest.raises(Denied):
        prepaid.target(TOKENS).invoke(1, octet_string(altered.encode()))
    assert prepaid.value(MAIN, 2) == 2000


@pytest.mark.parametrize(("amount", "number"), [(0, 1), (10**6, 1), (1, 10**6), (1, -1)])
def test_tokens_that_there_are_not(amount, number):
    with pytest.raises(ValueError):
        make_token(SERIAL, amount, number)


def test_so_many_numbers_are_remembered_and_older_ones_stay_used(monkeypatch):
    monkeypatch.setattr(tokens, "MAX_USED", 3)
    prepaid = Prepaid()
    for number in (10, 20, 30, 40):
        prepaid.enter(1, number=number)
    for number in (10, 15, 20, 30, 40):
        with pytest.raises(Denied):
            prepaid.enter(1, number=number)
    prepaid.enter(1, number=25)
