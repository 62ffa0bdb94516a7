"""Charges: by consumption, by time, and of each token; prices that change; and what survives."""

from __future__ import annotations

from datetime import timedelta

import pytest

from meters.cosem.data import array, date_time, double_long, integer, long, octet_string, structure, unsigned
from meters.cosem.date_time import CosemDateTime
from sessions.simulator.objects.base import Denied
from tests.sessions.simulator.payment.metered import ACCOUNT, DEBT, ENERGY, FEE, MAIN, Prepaid
from tests.sessions.simulator.served import NOON

REGISTER = (3, "1-0:1.8.0*255")


def price(index: bytes, per_unit: int):
    return array(structure(octet_string(index), long(per_unit)))


def test_energy_is_charged_by_the_kilowatt_hour_and_nothing_is_lost_in_between():
    prepaid = Prepaid()
    begin = prepaid.value(REGISTER, 2)
    for _ in range(200):
        prepaid.pass_time(hours=1)
    used = prepaid.value(REGISTER, 2) - begin
    fees = 15 * 8
    assert prepaid.value(ENERGY, 2) == used * 21 // 1000
    assert prepaid.value(MAIN, 2) == 2000 - used * 21 // 1000 - fees
    assert prepaid.value(FEE, 2) == fees


def test_long_silence_is_charged_as_many_looks_are():
    looks, silence = Prepaid(), Prepaid()
    for _ in range(48):
        looks.pass_time(hours=1)
    silence.pass_time(hours=48)
    assert [looks.value(each, 2) for each in (ENERGY, FEE, MAIN)] == [
        silence.value(each, 2) for each in (ENERGY, FEE, MAIN)
    ]


def test_it_says_when_it_is_due():
    prepaid = Prepaid()
    assert prepaid.target(ENERGY).next_due() == NOON + timedelta(hours=1)
    assert prepaid.meter.next_due() == NOON + timedelta(hours=1)
    prepaid.target(ACCOUNT).invoke(2, integer(0))
    assert prepaid.meter.next_due() is None


def test_it_is_collected_when_somebody_wants_it():
    prepaid = Prepaid()
    prepaid.clock.advance(minutes=59)
    before = prepaid.value(MAIN, 2)
    prepaid.target(ENERGY).invoke(3, integer(0))
    assert prepaid.value(MAIN, 2) == before - prepaid.value(ENERGY, 11)
    for other in (FEE, DEBT):
        with pytest.raises(Denied):
            prepaid.target(other).invoke(3, integer(0))


def test_another_price_is_prepared_and_takes_effect_from_then_on():
    prepaid = Prepaid()
    energy = prepaid.target(ENERGY)
    energy.invoke(1, price(b"\x01", 42))
    energy.invoke(1, price(b"\x02", 7))
    assert [row[1].value for row in prepaid.value(ENERGY, 6)[2]] == [42, 7]
    prepaid.pass_time(hours=24)
    old = prepaid.value(ENERGY, 2)
    energy.invoke(2, integer(0))
    begin = prepaid.value(REGISTER, 2)
    prepaid.pass_time(hours=240)
    used = prepaid.value(REGISTER, 2) - begin
    assert abs(prepaid.value(ENERGY, 2) - old - used * 42 / 1000) <= 1
    with pytest.raises(Denied):
        energy.invoke(1, unsigned(1))


def test_another_price_takes_effect_at_its_time():
    prepaid = Prepaid()
    prepaid.target(ENERGY).write(7, date_time(CosemDateTime.from_datetime(NOON + timedelta(hours=30))))
    prepaid.pass_time(hours=29)
    assert prepaid.value(ENERGY, 5)[2][0][1].value == 21
    prepaid.pass_time(hours=2)
    assert prepaid.value(ENERGY, 5)[2][0][1].value == 24
    prepaid.target(ENERGY).invoke(1, price(b"\x01", 30))
    prepaid.pass_time(hours=2)
    assert prepaid.value(ENERGY, 5)[2][0][1].value == 24  # once


def test_a_debt_is_paid_by_tokens_until_it_is_gone():
    prepaid = Prepaid()
    debt = prepaid.target(DEBT)
    debt.invoke(5, double_long(150))
    prepaid.enter(1000)
    assert (prepaid.value(DEBT, 12), prepaid.value(DEBT, 2), prepaid.value(MAIN, 2)) == (50, 100, 2900)
    prepaid.enter(1000)
    assert (prepaid.value(DEBT, 12), prepaid.value(DEBT, 2), prepaid.value(MAIN, 2)) == (0, 150, 3850)
    prepaid.enter(1000)
    assert prepaid.value(MAIN, 2) == 4850
    debt.invoke(4, double_long(80))
    debt.invoke(4, double_long(-30))
    assert prepaid.value(ACCOUNT, 8) == 50
    with pytest.raises(Denied):
        for _ in range(2):
            debt.invoke(4, double_long(0x7FFF_FFFF))


def test_everything_survives():
    prepaid, again = Prepaid(), Prepaid()
    prepaid.pass_time(hours=30, minutes=20)
    prepaid.enter(700)
    again.meter.memory.restore(prepaid.meter.memory.keep())
    again.clock.moment = prepaid.clock.moment
    for one in (prepaid, again):
        one.pass_time(hours=100)
    assert [prepaid.value(each, 2) for each in (ENERGY, FEE, DEBT, MAIN)] == [
        again.value(each, 2) for each in (ENERGY, FEE, DEBT, MAIN)
    ]
    with pytest.raises(Denied):
        again.enter(700, number=1)
