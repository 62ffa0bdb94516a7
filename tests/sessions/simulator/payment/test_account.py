"""The account: which credit is used, what is told of it, and that the supply ends with the last one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import integer
from meters.cosem.interface_class import interface_class
from meters.cosem.value_faults import faults
from sessions.simulator.objects.base import Denied
from sessions.simulator.payment.credit import CreditStatus
from tests.sessions.simulator.payment.metered import ACCOUNT, DEBT, EMERGENCY, MAIN, RELAY, Prepaid

_S = CreditStatus


def state(prepaid: Prepaid) -> str:
    octet = prepaid.value(ACCOUNT, 4).octets[0]
    return f"{octet:08b}"


def test_with_credit_the_first_is_in_use():
    prepaid = Prepaid()
    assert prepaid.statuses == [_S.IN_USE, _S.ENABLED]
    assert [prepaid.value(ACCOUNT, number) for number in (3, 5, 6, 8)] == [1, 2000, 0, 3000]
    assert state(prepaid) == "10100000"
    assert prepaid.value(RELAY, 2) is True


def test_the_whole_way_down_and_back():
    """Low, an emergency credit to be chosen, chosen, used up, dark; a token pays back first, and brings the light again."""
    prepaid = Prepaid()
    prepaid.put(MAIN, 150)
    assert prepaid.statuses == [_S.IN_USE, _S.SELECTABLE]
    assert state(prepaid) == "11010000"
    prepaid.target(EMERGENCY).invoke(3, integer(0))
    assert prepaid.statuses == [_S.IN_USE, _S.SELECTED]
    assert prepaid.value(ACCOUNT, 5) == 650
    account = prepaid.target(ACCOUNT)
    account.collect(350)
    assert prepaid.statuses == [_S.EXHAUSTED, _S.IN_USE]
    assert [prepaid.value(ACCOUNT, number) for number in (3, 5, 6)] == [2, 300, -200]
    assert state(prepaid) == "11000100"
    account.collect(320)
    assert prepaid.statuses == [_S.EXHAUSTED, _S.EXHAUSTED]
    assert [prepaid.value(ACCOUNT, number) for number in (3, 5, 6)] == [0, 0, -520]
    assert state(prepaid) == "00000010"
    assert (prepaid.value(RELAY, 2), prepaid.value(RELAY, 3)) == (False, 2)
    prepaid.enter(1000)  # a tenth for the old debt
    assert prepaid.value(DEBT, 12) == 2900
    assert [prepaid.value(credit, 2) for credit in (MAIN, EMERGENCY)] == [380, 0]
    assert prepaid.statuses == [_S.IN_USE, _S.ENABLED]
    assert prepaid.value(ACCOUNT, 6) == 0
    assert prepaid.value(RELAY, 3) != 0  # the control mode says whether it closes by itself or waits for somebody


def test_what_no_credit_has_is_owed():
    prepaid = Prepaid()
    prepaid.target(ACCOUNT).collect(2500)
    assert (prepaid.value(MAIN, 2), prepaid.value(ACCOUNT, 6)) == (-500, -500)
    prepaid.enter(400)
    assert prepaid.value(RELAY, 2) is False
    prepaid.enter(999)
    assert prepaid.value(MAIN, 2) == -500 + 360 + 900
    assert prepaid.statuses[0] == _S.IN_USE


def test_a_credit_that_cannot_be_chosen_is_not_invoked():
    prepaid = Prepaid()
    with pytest.raises(Denied):
        prepaid.target(EMERGENCY).invoke(3, integer(0))
    with pytest.raises(Denied):
        prepaid.target(MAIN).invoke(3, integer(0))


def test_an_account_is_closed_reset_and_activated_in_this_order():
    prepaid = Prepaid()
    account = prepaid.target(ACCOUNT)
    for wrong in (1, 3):
        with pytest.raises(Denied):
            account.invoke(wrong, integer(0))
    account.invoke(2, integer(0))
    assert prepaid.value(ACCOUNT, 2)[1].value == 3
    before = prepaid.value(MAIN, 2)
    prepaid.pass_time(days=5)
    assert prepaid.value(MAIN, 2) == before  # nothing is charged
    account.invoke(3, integer(0))
    assert (prepaid.value(ACCOUNT, 2)[1].value, prepaid.value(MAIN, 2)) == (1, 0)
    account.invoke(1, integer(0))
    assert prepaid.value(ACCOUNT, 2)[1].value == 2
    assert prepaid.value(RELAY, 2) is False
    prepaid.enter(500)
    assert prepaid.statuses[0] == _S.IN_USE


AMOUNTS = st.lists(st.tuples(st.sampled_from(["collect", "token", "invoke", "set"]), st.integers(1, 3000)), max_size=12)


@given(AMOUNTS)
def test_whatever_happens_the_account_adds_up(deeds):
    """One credit is in use, or none and the supply is off; what is told is as its class declares it; amounts lose nothing."""
    prepaid = Prepaid()
    account = prepaid.target(ACCOUNT)
    for deed, amount in deeds:
        before = prepaid.value(MAIN, 2) + prepaid.value(EMERGENCY, 2)
        if deed == "collect":
            account.collect(amount)
            assert prepaid.value(MAIN, 2) + prepaid.value(EMERGENCY, 2) == before - amount
        elif deed == "token":
            prepaid.enter(amount)
        elif deed == "set":
            prepaid.put(MAIN, amount)
        elif prepaid.statuses[1] == _S.SELECTABLE:
            prepaid.target(EMERGENCY).invoke(3, integer(0))
        in_use = prepaid.statuses.count(_S.IN_USE)
        assert in_use == (prepaid.value(ACCOUNT, 3) > 0) == (prepaid.value(ACCOUNT, 5) > 0)
        assert prepaid.value(ACCOUNT, 6) <= 0
        if not in_use:
            assert prepaid.value(RELAY, 2) is False
    for number in account.attributes:
        known = interface_class(111, 0)
        assert known is not None
        assert list(faults(account.read(number), known.attributes[number].type)) == []
