"""The computed load: energies never fall, agree with each other, and stand still behind an open switch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.simulator.load_curve import (
    ENERGIES,
    FLOWING,
    MAX_OUTAGES,
    QUANTITIES,
    LoadCurve,
    LoadParameters,
    Supply,
)

CURVE = LoadCurve(LoadParameters(), seed=7)
NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(lambda moment: moment.replace(tzinfo=UTC))


@pytest.mark.parametrize("name", ENERGIES)
@given(one=MOMENTS, other=MOMENTS)
@settings(max_examples=50, deadline=None)
def test_energies_never_fall(name, one, other):
    energy = ENERGIES[name]
    assert energy(CURVE, min(one, other)) <= energy(CURVE, max(one, other))


def test_a_year_is_about_what_the_parameters_say():
    year = CURVE.energy_import(datetime(2026, 1, 1, tzinfo=UTC)) - CURVE.energy_import(datetime(2025, 1, 1, tzinfo=UTC))
    assert 365 * 9600 * 0.4 < year < 365 * 9600 * 2.2


def test_before_the_first_day_there_is_nothing():
    before = datetime(2000, 5, 1, 9, tzinfo=UTC)
    assert all(energy(CURVE, before) == 0 for energy in ENERGIES.values())


def test_power_is_the_slope_of_the_energy():
    hour = CURVE.energy_import(NOON + timedelta(minutes=10)) - CURVE.energy_import(NOON + timedelta(minutes=5))
    assert CURVE.power_import(NOON) == pytest.approx(hour * 12, rel=0.1)


def test_the_sun_does_not_shine_at_night():
    assert CURVE.power_export(NOON) > 0
    assert CURVE.power_export(NOON.replace(hour=1)) == 0


def test_instantaneous_values_are_plausible():
    for hour in range(24):
        moment = NOON.replace(hour=hour)
        for phase in range(3):
            assert 215 < CURVE.voltage(phase, moment) < 240
            assert 0 <= CURVE.current(phase, moment) < 63
        assert 49.9 < CURVE.frequency(moment) < 50.1


def test_meters_differ_by_their_seed_and_repeat_themselves():
    again, another = LoadCurve(LoadParameters(), seed=7), LoadCurve(LoadParameters(), seed=8)
    assert again.energy_import(NOON) == CURVE.energy_import(NOON)
    assert another.energy_import(NOON) != CURVE.energy_import(NOON)


def test_the_maximum_demand_is_the_highest_quarter_of_the_month_so_far():
    start = NOON.replace(day=1, hour=0)
    highest, at = 0.0, start
    quarter = timedelta(minutes=15)
    moment = start
    while moment + quarter <= NOON:
        power = (CURVE.energy_import(moment + quarter) - CURVE.energy_import(moment)) * 4
        if power > highest + 1e-9:
            highest, at = power, moment + quarter
        moment += quarter
    demand, when = CURVE.max_demand(NOON)
    assert demand == pytest.approx(highest)
    assert when == at


def test_no_quarter_has_passed_no_demand_was():
    midnight = NOON.replace(day=1, hour=0)
    assert CURVE.max_demand(midnight) == (0.0, midnight)


def test_an_open_switch_stops_the_energies():
    supply = Supply(CURVE)
    before = supply.energy("energy_import", NOON)
    assert before == CURVE.energy_import(NOON)
    supply.disconnect(NOON)
    supply.disconnect(NOON + timedelta(hours=1))  # open is open
    later = NOON + timedelta(hours=3)
    assert supply.energy("energy_import", later) == pytest.approx(before)
    assert {supply.quantity(name, later) for name in FLOWING} == {0.0}
    assert {name for name in QUANTITIES if name.startswith("current")} < FLOWING
    assert supply.quantity("voltage_l1", later) > 200
    supply.reconnect(later)
    assert supply.is_connected
    resumed = supply.energy("energy_import", later + timedelta(hours=1))
    assert resumed == pytest.approx(
        before + CURVE.energy_import(later + timedelta(hours=1)) - CURVE.energy_import(later)
    )
    # What was before the outage stays as it was.
    assert supply.energy("energy_import", NOON - timedelta(days=1)) == CURVE.energy_import(NOON - timedelta(days=1))


def test_a_switch_that_is_worked_for_ever_costs_nothing():
    supply = Supply(CURVE)
    for second in range(2 * MAX_OUTAGES):
        supply.disconnect(NOON + timedelta(seconds=2 * second))
        supply.reconnect(NOON + timedelta(seconds=2 * second + 1))
    assert len(supply._outages) == MAX_OUTAGES


def test_heat_and_water_agree_with_each_other():
    """The volume is what carries the energy at the spread of its temperatures."""
    spread = QUANTITIES["flow_temperature"](CURVE, NOON) - QUANTITIES["return_temperature"](CURVE, NOON)
    assert spread == pytest.approx(QUANTITIES["temperature_difference"](CURVE, NOON))
    volume, energy = ENERGIES["heat_volume"](CURVE, NOON), ENERGIES["energy_import"](CURVE, NOON)
    assert volume * 1163 * spread == pytest.approx(energy)
    assert 0 < QUANTITIES["return_temperature"](CURVE, NOON) < 60


@pytest.mark.parametrize("season", [-0.15, 0.22, 0.85])
def test_a_season_makes_winters_differ_from_summers(season):
    curve = LoadCurve(LoadParameters(daily_import=6.0, season=season), 7)

    def month(number: int) -> float:
        first, last = (datetime(2026, number, day, tzinfo=UTC) for day in (1, 28))
        return curve.energy_import(last) - curve.energy_import(first)

    assert (month(1) > month(7)) is (season > 0)
