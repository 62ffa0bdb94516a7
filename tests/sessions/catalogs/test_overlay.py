from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.overlay import Overlay, overlay_of
from meters.catalogs.services import put_objects
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from meters.cosem.units import ScalerUnit
from sessions.catalogs.overlay import is_value, judged, limits_of, names_of, scaler_unit_of, session_overlay, titled
from sessions.engine.values import number
from sessions.reading import ProfileColumn
from tests.meters.builders import make_meter
from tests.sessions.builders import make_session

CODE = ObisCode.parse("1-0:32.7.0*255")
VOLTAGE = ObjectFacts(
    class_id=3, logical_name=CODE, title="U1", unit=35, low=Decimal("207.5"), high=Decimal("252.5"), scaler=-1
)
DATA = replace(VOLTAGE, class_id=1)
READ = {"class_id": 3, "logical_name": str(CODE), "attribute_id": 2}


@pytest.mark.django_db
class TestOfASession:
    def test_it_is_that_of_the_meters_type(self, django_assert_num_queries) -> None:
        meter = make_meter()
        put_objects(user="x", meter_type=meter.meter_type, objects=[VOLTAGE], origin="x")
        dlms_session = make_session(meter)
        with django_assert_num_queries(1):
            assert session_overlay(dlms_session, [CODE]).title(CODE) == "U1"
        with django_assert_num_queries(1):
            assert session_overlay(dlms_session).entries == {CODE: (VOLTAGE,)}

    def test_without_a_type_or_a_meter_it_is_the_standard(self, django_assert_num_queries) -> None:
        dlms_session = make_session(make_meter(meter={"manufacturer": "", "model": ""}))
        assert session_overlay(dlms_session, [CODE]) == Overlay()
        dlms_session.meter = None
        with django_assert_num_queries(0):
            assert session_overlay(dlms_session) == Overlay()


@pytest.mark.parametrize(
    ("reference", "value"), [((3, 2), True), ((3, 3), False), ((5, 3), True), ((1, 2), True), ((8, 2), False)]
)
def test_what_is_a_value(reference, value) -> None:
    assert is_value(*reference) is value


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"raw": 2300, "scaler_unit": [-1, 35], "value": 230.0}, ""),
        ({"raw": 2525, "scaler_unit": [-1, 35], "value": 252.5}, ""),
        ({"raw": 2526, "scaler_unit": [-1, 35], "value": 252.6}, "above the high limit of 252.5 V"),
        ({"raw": 2074, "scaler_unit": [-1, 35], "value": 207.4}, "below the low limit of 207.5 V"),
        ({"raw": "99999999999999999999", "scaler_unit": [-1, 35], "value": "x"}, "above the high limit of 252.5 V"),
        ({"raw": 1, "scaler_unit": [0, 30], "value": 1}, "the catalog has another unit: V"),
        ({"value": 230.5, "unit": "V"}, ""),
        ({"value": 253, "unit": "V"}, "above the high limit of 252.5 V"),
        ({"value": "0700"}, "above the high limit of 252.5 V"),
        ({"value": "text"}, ""),
        ({"value": None}, ""),
        ({"value": True}, ""),
        ({"value": [300]}, ""),
        ({"value": "NaN"}, ""),
        ({}, ""),
    ],
)
def test_values_are_judged(result, words) -> None:
    assert judged(overlay_of([VOLTAGE]), READ, result) == words


def test_only_values_of_this_object_are_judged() -> None:
    far = {"raw": 9999, "scaler_unit": [0, 35], "value": 9999}
    overlay = overlay_of([VOLTAGE])
    assert judged(overlay, {**READ, "attribute_id": 3}, far) == ""
    assert judged(overlay, {**READ, "class_id": 4}, far) == ""
    assert judged(Overlay(), READ, far) == ""


def test_a_data_object_is_judged_by_the_catalogs_own_scaler() -> None:
    overlay = overlay_of([DATA])
    assert judged(overlay, {**READ, "class_id": 1}, {"value": 2300}) == ""
    assert judged(overlay, {**READ, "class_id": 1}, {"value": 2526}) == "above the high limit of 252.5 V"
    assert scaler_unit_of(DATA) == ScalerUnit(-1, 35)
    assert scaler_unit_of(VOLTAGE) is None
    assert scaler_unit_of(replace(DATA, unit=None)) is None


@given(st.integers(-(2**63), 2**63), st.integers(-5, 5))
def test_every_value_is_judged_exactly(raw, scaler) -> None:
    scaled = ScalerUnit(scaler, 35).apply(raw)
    words = judged(overlay_of([VOLTAGE]), READ, {"raw": number(raw), "scaler_unit": [scaler, 35]})
    assert words.startswith("below") == (scaled < VOLTAGE.low)
    assert words.startswith("above") == (scaled > VOLTAGE.high)


def column(class_id: int, attribute_id: int = 2, unit: ScalerUnit | None = None) -> ProfileColumn:
    return ProfileColumn(CaptureObject(class_id, CODE, attribute_id), "standard", unit)


def test_columns_have_the_types_titles_limits_and_what_units_the_meter_lacks() -> None:
    overlay = overlay_of([VOLTAGE, DATA])
    columns = [column(3, unit=ScalerUnit(0, 35)), column(3), column(1), column(3, 5), ProfileColumn(None, "Column 5")]
    shown = titled(columns, overlay)
    assert [each.title for each in shown] == ["U1", "U1", "U1", "standard", "Column 5"]
    assert [each.scaler_unit for each in shown] == [ScalerUnit(0, 35), None, ScalerUnit(-1, 35), None, None]
    limits = {"low": "207.5", "high": "252.5"}
    assert [limits_of(each, overlay) for each in shown] == [limits, limits, limits, {}, {}]
    assert limits_of(column(3, unit=ScalerUnit(0, 30)), overlay) == {}
    assert titled(columns, Overlay()) == columns
    assert names_of(columns) == [CODE] * 4
