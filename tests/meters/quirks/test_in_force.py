"""Which quirks hold for a meter: the accepted ones of its type, unless it says otherwise of itself."""

from __future__ import annotations

import pytest

from meters.models import Meter
from meters.quirks.in_force import quirks_in_force
from meters.quirks.services import make_exception, withdraw_quirk
from tests.meters.builders import make_meter
from tests.meters.quirks.builders import accept, propose
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


def held(meter: Meter, **options: int) -> dict[str, tuple[object, str]]:
    return {each.name: (each.value, each.origin) for each in quirks_in_force(meter, **options)}


@pytest.fixture
def meter():
    return make_meter()


def test_a_meter_without_a_type_and_without_quirks_has_none(meter) -> None:
    assert held(meter) == {}
    meter.meter_type = None
    assert held(meter) == {}


def test_only_what_was_accepted_of_its_own_type_holds(meter) -> None:
    propose(meter, "keep_alive", 20)
    quirk = accept(meter)
    other = make_meter(meter={"serial_number": "other", "model": "M2"})
    assert held(meter) == {"disconnect_first": (True, "type")}
    assert held(other) == {}
    (one,) = quirks_in_force(meter)
    assert one.as_json() == {"name": "disconnect_first", "value": True, "origin": "type", "quirk": quirk.pk}
    withdraw_quirk(user=make_user("carla"), quirk_id=quirk.pk, message="x")
    assert held(meter) == {}


def test_a_meter_overrides_a_value_or_has_not_the_quirk_at_all(meter) -> None:
    accept(meter)
    accept(meter, "keep_alive", 20)
    make_exception(user=make_user("anna"), meter_id=meter.pk, name="keep_alive", value=5, reason="x")
    make_exception(user=make_user("anna"), meter_id=meter.pk, name="disconnect_first", value=None, reason="x")
    assert held(meter) == {"keep_alive": (5.0, "meter")}
    other = make_meter(meter={"serial_number": "other"})
    assert held(other) == {"disconnect_first": (True, "type"), "keep_alive": (20.0, "type")}


def test_the_meters_own_field_says_the_same_of_it_alone(meter) -> None:
    meter.reverse_deviation = True
    assert held(meter) == {"reverse_deviation": (True, "meter")}
    make_exception(user=make_user("anna"), meter_id=meter.pk, name="reverse_deviation", value=None, reason="x")
    assert held(meter) == {"reverse_deviation": (True, "meter")}, "the field is the truth of the meter"


def test_a_draft_has_the_exceptions_of_the_meter_that_it_would_change(meter) -> None:
    accept(meter)
    make_exception(user=make_user("anna"), meter_id=meter.pk, name="disconnect_first", value=None, reason="x")
    draft = Meter(meter_type=meter.meter_type)
    assert held(draft) == {"disconnect_first": (True, "type")}
    assert held(draft, saved_meter_id=meter.pk) == {}


def test_it_costs_two_queries(meter, django_assert_num_queries) -> None:
    accept(meter)
    with django_assert_num_queries(2):
        quirks_in_force(meter)
