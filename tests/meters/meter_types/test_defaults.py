"""What a type gives, and to whom."""

from __future__ import annotations

import pytest

from meters.meter_types.defaults import (
    LINE_FIELDS,
    TEMPLATE_FIELDS,
    add_other_associations,
    fill,
    line_defaults,
    meter_defaults,
    prefilled,
    template_for,
    template_values,
)
from meters.models import Association, Line, Meter
from tests.meters.builders import make_meter
from tests.meters.meter_types.builders import PUBLIC, READER, make_type

pytestmark = pytest.mark.django_db


def test_a_type_speaks_of_fields_that_meters_and_lines_have() -> None:
    columns = {field.name for model in (Meter, Line) for field in model._meta.concrete_fields}
    assert set(LINE_FIELDS) <= columns
    assert {"meter", "id", *TEMPLATE_FIELDS} == {field.name for field in Association._meta.concrete_fields}


def test_only_what_the_type_says_is_given() -> None:
    made = make_type(physical_address=0, baud=2400, framing="HDLC")
    assert meter_defaults(made) == {"framing": "HDLC", "physical_address": 0}
    assert line_defaults(made) == {"baud": 2400}


def test_a_line_without_a_speed_gets_none() -> None:
    made = make_type(baud=2400)
    assert fill(made, {}, {"kind": "TCP"}, {})[1] == {"kind": "TCP"}
    assert fill(made, {}, {"kind": "SERIAL"}, {})[1] == {"kind": "SERIAL", "baud": 2400}
    assert fill(made, {}, {"kind": "RFC2217", "baud": 9600}, {})[1]["baud"] == 9600


def test_nothing_said_is_filled_and_what_was_said_stays() -> None:
    made = make_type(window=3, max_info=512)
    meter, _, _ = fill(made, {"window": None, "max_info": 64, "name": None}, {}, {})
    assert meter == {"window": 3, "max_info": 64, "name": None}


def test_the_association_begins_as_the_template_of_its_name_else_as_the_default() -> None:
    made = make_type(PUBLIC, READER)
    assert template_for(made, "Reader").client_sap == 32
    assert template_for(made, "Other").name == "Public"
    assert template_for(make_type(model="M2"), "Reader") is None
    assert fill(made, {}, {}, {"name": "Reader", "client_sap": 33})[2]["timeout"] == 3.0
    assert fill(made, {}, {}, {})[2]["name"] == "Public"


def test_a_meter_gets_the_associations_that_it_lacks_once() -> None:
    meter = make_meter()
    made = make_type(PUBLIC, {**READER, "name": "Management"}, model="M2")
    meter.meter_type = made
    assert [each.name for each in add_other_associations(meter)] == ["Public"]
    assert add_other_associations(meter) == []
    assert meter.default_association.name == "Management"
    meter.meter_type = None
    assert add_other_associations(meter) == []


def test_a_template_tells_all_that_an_association_is_but_whose_it_is_and_which_is_first() -> None:
    template = make_type(READER).association_templates.get()
    assert {*template_values(template), "is_default"} == set(TEMPLATE_FIELDS)


def test_a_form_is_filled_with_the_types_defaults_over_what_was_typed() -> None:
    made = make_type(PUBLIC, READER, framing="HDLC", window=3, baud=2400)
    filled = prefilled(made, {"serial_number": "4711", "window": "1", "model": "old", "timeout": "9"})
    assert (filled["serial_number"], filled["window"], filled["baud"], filled["framing"]) == ("4711", 3, 2400, "HDLC")
    assert (filled["association_name"], filled["client_sap"], filled["timeout"]) == ("Public", 16, 5.0)
    assert (filled["meter_type"], filled["model"], filled["manufacturer"]) == (made.pk, "", "")
    bare = prefilled(make_type(model="M2"), {"timeout": "9"})
    assert bare["timeout"] == "9"
