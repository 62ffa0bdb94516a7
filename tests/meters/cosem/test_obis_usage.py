"""Usual classes and units: whole tables are in `obis_codes.csv` (test_obis_catalog); here what they must not say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.interface_class import known_classes
from meters.cosem.obis import ObisCode
from meters.cosem.obis_usage import CLASSES, usual_classes, usual_unit
from meters.cosem.units import Unit


def test_every_class_of_the_table_is_one_of_the_blue_book():
    known = {each.class_id for each in known_classes()}
    assert {number for ids in CLASSES.values() for number in ids} <= known


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("1-0:91.8.0*255", Unit.AMPERE_HOUR),
        ("1-0:12.8.0*255", None),
        ("1-0:81.8.4*255", None),
        ("1-0:88.8.0*255", Unit.AMPERE_SQUARED_HOUR),
        ("1-0:83.7.1*255", Unit.WATT),
        ("1-0:83.8.19*255", None),
        ("1-0:31.7.127*255", Unit.PERCENT),
        ("1-0:96.9.0*255", Unit.DEGREE_CELSIUS),
        ("7-0:96.6.3*255", Unit.VOLT),
        ("8-0:1.77.0*255", None),
        ("2-0:1.8.0*255", None),
    ],
)
def test_the_unit_follows_what_is_done_with_the_quantity(code, unit):
    assert usual_unit(ObisCode.parse(code)) == unit


@given(st.binary(min_size=6, max_size=6))
def test_any_code_has_an_answer(octets):
    code = ObisCode.from_octets(octets)
    assert isinstance(usual_classes(code), tuple)
    assert usual_unit(code) is None or isinstance(usual_unit(code), Unit)
