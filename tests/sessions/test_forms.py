"""The console: what is asked at once, what stands behind a gate, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from sessions.forms import CONSEQUENCES, CONSOLE_FORMS, InvokeForm, ProfileForm, ReadForm, WriteForm
from sessions.models import DlmsSession, Step
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db

CLOCK = {"class_id": "8", "logical_name": "0-0:1.0.0*255", "attribute_id": "2"}
DISCONNECT = {
    "class_id": "70",
    "logical_name": "0-0:96.3.10*255",
    "method_id": "1",
    "value_type": "integer",
    "value": "0",
}
SET_CLOCK = {**CLOCK, "value_type": "octet-string", "value": "2026-11-25T10:00:00+01:00"}


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session()


def posted(form: type, dlms_session: DlmsSession, fields: dict[str, str]) -> Any:
    data = QueryDict(mutable=True)
    data.update(fields)
    return form(data, dlms_session=dlms_session)


class TestRead:
    def test_asks_for_one_attribute(self, dlms_session) -> None:
        form = posted(ReadForm, dlms_session, CLOCK)
        assert form.is_valid()
        step = form.ask(make_user())
        assert step.parameters == {"class_id": 8, "logical_name": "0-0:1.0.0*255", "attribute_id": 2}

    @pytest.mark.parametrize("preset", [preset.name for preset in ReadForm.presets])
    def test_a_preset_fills_the_form_and_asks(self, dlms_session, preset: str) -> None:
        form = posted(
            ReadForm, dlms_session, {"class_id": "", "logical_name": "", "attribute_id": "", "preset": preset}
        )
        assert form.is_valid(), form.errors
        assert form.ask(make_user()).kind == Step.Kind.READ

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"class_id": "x"}, "class_id"),
            ({"class_id": "65536"}, "class_id"),
            ({"logical_name": "1.8.256"}, "logical_name"),
            ({"logical_name": "<b>"}, "logical_name"),
            ({"attribute_id": "128"}, "attribute_id"),
        ],
    )
    def test_what_the_service_refuses_stands_at_its_field(self, dlms_session, changes, field) -> None:
        form = posted(ReadForm, dlms_session, {**CLOCK, **changes})
        assert form.is_valid()
        with pytest.raises(ValidationError) as refused:
            form.ask(make_user())
        form.take_errors(refused.value)
        assert set(form.errors) == {field}


class TestProfile:
    @pytest.mark.parametrize(
        ("fields", "parameters"),
        [
            ({"part": "all"}, {}),
            ({"part": "entries", "from_entry": "2", "to_entry": ""}, {"from_entry": 2, "to_entry": 0}),
            (
                {"part": "time", "from_time": "2026-11-24T00:00", "to_time": "2026-11-25T00:00"},
                {"from_time": "2026-11-24T00:00:00", "to_time": "2026-11-25T00:00:00"},
            ),
        ],
    )
    def test_the_parts(self, dlms_session, fields, parameters) -> None:
        form = posted(ProfileForm, dlms_session, {"logical_name": "1-0:99.1.0*255", **fields})
        assert form.is_valid(), form.errors
        assert form.ask(make_user()).parameters == {"logical_name": "1-0:99.1.0*255", **parameters}

    def test_a_time_range_has_two_ends(self, dlms_session) -> None:
        form = posted(ProfileForm, dlms_session, {"logical_name": "1-0:99.1.0*255", "part": "time"})
        assert set(form.errors) == {"from_time", "to_time"}

    def test_fields_of_another_part_do_not_matter(self, dlms_session) -> None:
        fields = {"logical_name": "1-0:99.1.0*255", "part": "all", "from_time": "nonsense", "from_entry": "x"}
        form = posted(ProfileForm, dlms_session, fields)
        assert form.is_valid()
        assert form.ask(make_user()).parameters == {"logical_name": "1-0:99.1.0*255"}


class TestWrite:
    def test_first_shows_the_meter_and_the_octets(self, dlms_session) -> None:
        form = posted(WriteForm, dlms_session, SET_CLOCK)
        assert form.is_valid(), form.errors
        assert not form.is_confirmed
        assert form.gate.meter.startswith("12345678")
        assert form.gate.octets.startswith("090c07ea0b19")
        assert "Clock" in form.gate.what
        assert not Step.objects.exists()

    def test_then_writes(self, dlms_session) -> None:
        form = posted(WriteForm, dlms_session, {**SET_CLOCK, "confirmed": "1"})
        assert form.is_valid()
        assert form.is_confirmed
        assert form.ask(make_user()).parameters["octets"] == form.gate.octets

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"value_type": ""}, "value_type"),
            ({"value_type": "unsigned", "value": "256"}, "value"),
            ({"value_type": "unsigned", "value": "x"}, "value"),
            ({"value_type": "structure", "value": "[1"}, "value"),
            ({"value_type": "structure", "value": "{}"}, "value"),
            ({"value_type": "boolean", "value": "maybe"}, "value"),
            ({"class_id": "x"}, "class_id"),
            ({"logical_name": "1"}, "logical_name"),
        ],
    )
    def test_refuses_at_the_field(self, dlms_session, changes, field) -> None:
        form = posted(WriteForm, dlms_session, {**SET_CLOCK, **changes})
        assert set(form.errors) == {field}
        assert form.gate is None

    def test_a_structure_is_written_as_json(self, dlms_session) -> None:
        value = '[{"type": "unsigned", "value": 1}, {"type": "null-data"}]'
        form = posted(WriteForm, dlms_session, {**SET_CLOCK, "value_type": "structure", "value": value})
        assert form.is_valid(), form.errors
        assert form.gate.octets == "0202110100"


class TestInvoke:
    def test_what_cannot_be_undone_asks_for_the_serial_number(self, dlms_session) -> None:
        form = posted(InvokeForm, dlms_session, DISCONNECT)
        assert form.is_valid(), form.errors
        assert form.gate.must_type
        assert "switched off" in form.gate.consequence

    @pytest.mark.parametrize("typed", ["", "1234567", "12345679"])
    def test_a_wrong_serial_number_sends_nothing(self, dlms_session, typed: str) -> None:
        form = posted(InvokeForm, dlms_session, {**DISCONNECT, "confirmed": "1", "serial_typed": typed})
        assert set(form.errors) == {"serial_typed"}

    def test_the_right_one_does(self, dlms_session) -> None:
        form = posted(InvokeForm, dlms_session, {**DISCONNECT, "confirmed": "1", "serial_typed": " 12345678 "})
        assert form.is_valid(), form.errors
        assert form.ask(make_user()).parameters["octets"] == "0f00"

    def test_what_can_be_undone_needs_no_typing(self, dlms_session) -> None:
        form = posted(InvokeForm, dlms_session, {**DISCONNECT, "method_id": "2", "confirmed": "1"})
        assert form.is_valid(), form.errors
        assert not form.gate.must_type

    def test_without_a_parameter(self, dlms_session) -> None:
        form = posted(InvokeForm, dlms_session, {**DISCONNECT, "method_id": "2", "value_type": "", "value": ""})
        assert form.is_valid(), form.errors
        assert form.gate.octets == ""

    def test_a_value_without_a_type_is_refused(self, dlms_session) -> None:
        form = posted(InvokeForm, dlms_session, {**DISCONNECT, "value_type": "", "value": "5"})
        assert set(form.errors) == {"value_type"}


def test_the_relay_the_resets_and_the_keys_are_gated() -> None:
    assert {(70, 1), (3, 1), (7, 1), (64, 2), (18, 4), (15, 2)} <= set(CONSEQUENCES)


def test_every_kind_of_step_has_a_tab() -> None:
    assert set(CONSOLE_FORMS) == set(Step.Kind)
