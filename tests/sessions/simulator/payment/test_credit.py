"""A credit: its amounts, its configuration, and what it refuses."""

from __future__ import annotations

import pytest

from meters.cosem.data import double_long, unsigned
from sessions.simulator.objects.base import Denied
from sessions.simulator.payment.credit import CreditConfiguration, CreditStatus
from tests.sessions.simulator.payment.metered import EMERGENCY, MAIN, Prepaid


def test_amounts_are_added_and_set():
    prepaid = Prepaid()
    credit = prepaid.target(MAIN)
    credit.invoke(1, double_long(-500))
    assert prepaid.value(MAIN, 2) == 1500
    credit.invoke(2, double_long(70))
    assert prepaid.value(MAIN, 2) == 70
    for parameters in (unsigned(1), None):
        with pytest.raises(Denied):
            credit.invoke(1, parameters)
    credit.invoke(2, double_long(0x7FFF_FFFF))
    with pytest.raises(Denied):
        credit.invoke(1, double_long(1))
    assert prepaid.value(MAIN, 2) == 0x7FFF_FFFF


def test_the_bits_of_the_configuration_are_read_from_the_first():
    prepaid = Prepaid()
    main, emergency = prepaid.target(MAIN), prepaid.target(EMERGENCY)
    told = [[each for each in CreditConfiguration if credit.has(each)] for credit in (main, emergency)]
    _C = CreditConfiguration
    assert told == [[_C.VISUAL, _C.BY_TOKENS], [_C.VISUAL, _C.CONFIRMATION_REQUIRED, _C.TO_BE_PAID_BACK]]


def test_what_was_used_of_it_is_owed_until_it_is_paid_back():
    prepaid = Prepaid()
    emergency = prepaid.target(EMERGENCY)
    emergency.status = CreditStatus.SELECTED
    emergency.put(180)
    assert emergency.owed == 320
    emergency.pay_back(300)
    assert (emergency.amount, emergency.owed) == (480, 20)
    emergency.pay_back(20)
    assert (emergency.amount, emergency.owed, emergency.is_invoked) == (0, 0, False)


def test_a_limit_that_is_written_counts_at_once():
    prepaid = Prepaid()
    prepaid.target(MAIN).write(6, double_long(2000))
    assert prepaid.statuses[0] == CreditStatus.EXHAUSTED
