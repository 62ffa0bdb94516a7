from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.overlay import Overlay, beyond_limits, overlay_of, type_overlay
from meters.catalogs.services import put_objects
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe
from meters.cosem.obis_usage import usual_classes, usual_unit
from meters.models import MeterType
from tests.meters.catalogs.strategies import codes, facts_of, limits

CODE = ObisCode.parse("1-0:32.7.0*255")
VOLTAGE = ObjectFacts(class_id=3, logical_name=CODE, unit=35, low=Decimal(207), high=Decimal(253))


def test_the_type_stands_over_the_standard():
    overlay = overlay_of([replace(VOLTAGE, title="U1")])
    assert overlay.title(CODE) == "U1"
    assert overlay.title(ObisCode.parse("1-0:52.7.0*255")) == "Voltage L2"
    assert Overlay().title(CODE) == "Voltage L1"
    assert overlay_of([VOLTAGE]).title(CODE) == "Voltage L1"


def test_of_two_classes_the_asked_one_counts_first():
    data = ObjectFacts(class_id=1, logical_name=CODE, title="raw", unit=255)
    overlay = overlay_of([data, replace(VOLTAGE, title="U1")])
    assert overlay.title(CODE, 3) == "U1"
    assert overlay.title(CODE, 1) == overlay.title(CODE) == "raw"
    assert (overlay.unit(CODE, 3), overlay.unit(CODE, 1)) == (35, 255)
    assert overlay.classes(CODE) == (1, 3)
    assert overlay.find(1, CODE) is data
    assert overlay.find(4, CODE) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("206.9", "below the low limit of 207 V"),
        ("207", ""),
        ("253.0", ""),
        ("253.1", "above the high limit of 253 V"),
    ],
)
def test_values_beyond_the_limits_are_told(value, words):
    assert overlay_of([VOLTAGE]).beyond(3, CODE, Decimal(value)) == words
    assert overlay_of([VOLTAGE]).beyond(4, CODE, Decimal(value)) == ""
    assert Overlay().beyond(3, CODE, Decimal(value)) == ""


@given(st.lists(facts_of(), max_size=6), codes)
def test_the_overlay_says_what_the_type_says_else_what_the_standard_says(objects, other):
    overlay = overlay_of(objects)
    for code in (*(facts.logical_name for facts in objects), other):
        its = [facts for facts in objects if facts.logical_name == code]
        titles = {facts.title for facts in its if facts.title}
        units = {facts.unit for facts in its if facts.unit is not None}
        assert overlay.title(code) in (titles or {describe(code)})
        usual = usual_unit(code)
        assert overlay.unit(code) in (units or {None if usual is None else int(usual)})
        assert overlay.classes(code) == (tuple(facts.class_id for facts in its) or usual_classes(code))
    for facts in objects:
        titles = {each.title for each in objects if each.key == facts.key and each.title}
        if titles:
            assert overlay.title(facts.logical_name, facts.class_id) in titles


@given(facts_of(), limits)
def test_a_value_is_beyond_exactly_one_limit_or_none(facts, value):
    words = beyond_limits(facts, value)
    assert words.startswith("below") == (facts.low is not None and value < facts.low)
    assert words.startswith("above") == (facts.high is not None and value > facts.high)


def test_a_type_is_asked_once_and_no_type_never(db, django_assert_num_queries):
    meter_type = MeterType.objects.create(model="X")
    many = [replace(VOLTAGE, logical_name=ObisCode(1, b, c, 7, 0)) for b in range(4) for c in range(1, 101)]
    put_objects(user="x", meter_type=meter_type, objects=many, origin="x")
    with django_assert_num_queries(0):
        assert type_overlay(None) == type_overlay(meter_type.pk, []) == Overlay()
    with django_assert_num_queries(1):
        assert type_overlay(meter_type.pk, [CODE]).entries.keys() == {ObisCode(1, 0, 32, 7, 0)}
    with django_assert_num_queries(1):
        assert len(type_overlay(meter_type.pk).entries) == 400
    with django_assert_num_queries(1):
        assert len(type_overlay(meter_type.pk, [facts.logical_name for facts in many]).entries) == 400
