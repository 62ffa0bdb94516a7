"""The console's forms that change something: typed fields by class and version, the gate, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from meters.cosem.data import (
    Data,
    array,
    boolean,
    date_time,
    enum,
    integer,
    long_unsigned,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import encode_data
from sessions.gated_forms import GatedForm, InvokeForm, WriteForm
from sessions.models import DlmsSession, Step
from tests.sessions.builders import make_read, make_session, make_user

pytestmark = pytest.mark.django_db

CLOCK = {"class_id": "8", "logical_name": "0-0:1.0.0*255", "attribute_id": "2"}
RELAY = {"class_id": "70", "logical_name": "0-0:96.3.10*255"}
DISCONNECT = {**RELAY, "method_id": "1", "value_type": "integer", "value": "0"}
SET_CLOCK = {**CLOCK, "value_type": "octet-string", "value": "2026-11-25T10:00:00+01:00"}
SCRIPT_TABLE = {"class_id": "9", "logical_name": "0-0:10.0.106*255", "attribute_id": "2"}
PUSH = {"class_id": "40", "logical_name": "0-0:25.9.0*255", "attribute_id": "2"}
SECURITY = {"class_id": "64", "logical_name": "0-0:43.0.0*255", "attribute_id": "2"}


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session()


def posted(form: type[GatedForm], dlms_session: DlmsSession, fields: dict[str, Any]) -> Any:
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return form(data, dlms_session=dlms_session)


def drawn(form: type[GatedForm], dlms_session: DlmsSession, fields: dict[str, str], **options: Any) -> Any:
    return form(initial=fields, dlms_session=dlms_session, **options)


def listed(dlms_session: DlmsSession, *objects: tuple[int, int, str]) -> None:
    """The session read an object list with these classes, versions and names."""
    rows = [
        structure(
            long_unsigned(class_id),
            unsigned(version),
            octet_string(ObisCode.parse(name).octets),
            structure(array(), array()),
        )
        for class_id, version, name in objects
    ]
    make_read(dlms_session, 15, "0-0:40.0.0*255", 2, array(*rows))


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


# -- typed fields ------------------------------------------------------------------------------------------------------


def choices_of(form: GatedForm) -> list[str]:
    return [value for value, _ in form.fields["value"].widget.choices]


class TestTypedFields:
    def test_the_form_says_what_it_is_about(self, dlms_session) -> None:
        form = drawn(WriteForm, dlms_session, {**RELAY, "attribute_id": "4"})
        assert form.about == "Disconnect control"
        assert form.class_title == "Disconnect control"
        assert form.member_name == "control_mode"
        assert form.declared_as == "enum"
        assert (2, "output_state") in form.members

    def test_an_enumeration_is_chosen_by_its_words(self, dlms_session) -> None:
        form = drawn(WriteForm, dlms_session, {**RELAY, "attribute_id": "4"})
        assert form.initial["value_type"] == "enum"
        assert choices_of(form) == ["", "0", "1", "2", "3", "4", "5", "6"]
        assert "1 disconnect remote" in form.as_p()
        asked = posted(WriteForm, dlms_session, {**RELAY, "attribute_id": "4", "value_type": "enum", "value": "4"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "1604"
        assert "write control_mode (4): disconnect remote, local" in asked.gate.what

    def test_a_number_that_has_no_word_can_be_typed(self, dlms_session) -> None:
        fields = {**RELAY, "attribute_id": "4", "plain": "1"}
        form = drawn(WriteForm, dlms_session, fields)
        assert not hasattr(form.fields["value"].widget, "choices")
        assert form.may_be_plain
        asked = posted(WriteForm, dlms_session, {**fields, "value_type": "enum", "value": "200"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "16c8"

    def test_octets_that_mean_nothing_can_be_typed_plainly(self, dlms_session) -> None:
        fields = {**CLOCK, "value_type": "octet-string", "value": "00ff"}
        refused = posted(WriteForm, dlms_session, fields)
        assert set(refused.errors) == {"value"}
        plain = posted(WriteForm, dlms_session, {**fields, "plain": "1"})
        assert plain.is_valid(), plain.errors
        assert plain.gate.octets == "090200ff"

    def test_what_was_read_stands_in_the_field(self, dlms_session) -> None:
        make_read(dlms_session, 70, "0-0:96.3.10*255", 4, enum(99))
        form = drawn(WriteForm, dlms_session, {**RELAY, "attribute_id": "4"})
        assert form.initial["value"] == "99"
        assert "99" in choices_of(form)

    def test_a_boolean(self, dlms_session) -> None:
        fields = {**CLOCK, "attribute_id": "8"}
        make_read(dlms_session, 8, "0-0:1.0.0*255", 8, boolean(False))
        assert drawn(WriteForm, dlms_session, fields).initial["value"] == "false"
        asked = posted(WriteForm, dlms_session, {**fields, "value_type": "boolean", "value": "true"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "0301"

    def test_bits_are_ticked(self, dlms_session) -> None:
        make_read(dlms_session, 64, "0-0:43.0.0*255", 2, enum(0x81))
        form = drawn(WriteForm, dlms_session, SECURITY)
        assert form.is_bits
        assert form.initial["value"] == ["0", "7"]
        assert ("0", "bit 0") in form.fields["value"].choices  # without a name, and set
        asked = posted(WriteForm, dlms_session, {**SECURITY, "value_type": "enum", "value": ["2", "3"]})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "160c"
        assert asked.gate.must_type
        wrong = posted(WriteForm, dlms_session, {**SECURITY, "value_type": "enum", "value": ["9"]})
        assert set(wrong.errors) == {"value"}

    def test_a_bit_string_keeps_its_length(self, dlms_session) -> None:
        fields = {"class_id": "112", "logical_name": "0-0:19.10.0*255", "attribute_id": "7"}
        asked = posted(WriteForm, dlms_session, {**fields, "value_type": "bit-string", "value": ["1", "4"]})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "040548"

    def test_a_time_with_fields_that_are_not_specified(self, dlms_session) -> None:
        fields = {**CLOCK, "attribute_id": "5"}
        make_read(dlms_session, 8, "0-0:1.0.0*255", 5, octet_string(bytes.fromhex("ffff03fe0702000000800000")))
        form = drawn(WriteForm, dlms_session, fields)
        assert form.is_moment
        assert form.initial["value"] == "*-03-last Sun 02:00:00"
        asked = posted(
            WriteForm, dlms_session, {**fields, "value_type": "octet-string", "value": "*-10-last Sun 03:00"}
        )
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "090cffff0afe0703000000800000"

    def test_now(self, dlms_session) -> None:
        form = drawn(WriteForm, dlms_session, CLOCK, now=True)
        assert form.initial["value"].startswith(f"{timezone.localtime():%Y-%m-%d %H:}")

    def test_an_obis_code(self, dlms_session) -> None:
        fields = {"class_id": "41", "logical_name": "0-0:25.0.0*255", "attribute_id": "3"}
        asked = posted(WriteForm, dlms_session, {**fields, "value_type": "octet-string", "value": "0-0:25.1.0*255"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "09060000190100ff"
        assert "IPv4 setup (0-0:25.1.0*255)" in asked.gate.what

    def test_characters_and_octets(self, dlms_session) -> None:
        fields = {"class_id": "45", "logical_name": "0-0:25.4.0*255", "attribute_id": "2", "value_type": "octet-string"}
        for value, octets in ((" lab apn ", "09092 06c61622061706e20"), ("hex:00ff", "090200ff")):
            asked = posted(WriteForm, dlms_session, {**fields, "value": value})
            assert asked.is_valid(), asked.errors
            assert asked.gate.octets == octets.replace(" ", "")

    def test_a_range_is_told(self, dlms_session) -> None:
        form = drawn(WriteForm, dlms_session, {"class_id": "7", "logical_name": "1-0:99.1.0*255", "attribute_id": "4"})
        assert form.fields["value"].help_text == "0 to 4294967295 s."

    @pytest.mark.parametrize(
        ("target", "kind", "value", "reason"),
        [
            ((70, "0-0:96.3.10*255", 4), "enum", "256", "256 is out of range: enum is 0 to 255."),
            ((8, "0-0:1.0.0*255", 2), "octet-string", "tomorrow", "is no date-time: write it as 2026-11-25"),
            ((8, "0-0:1.0.0*255", 3), "long", "40000", "out of range"),
            ((8, "0-0:1.0.0*255", 8), "boolean", "maybe", "neither true nor false"),
            ((8, "0-0:1.0.0*255", 8), "boolean", "", "Choose one of them."),
            ((70, "0-0:96.3.10*255", 4), "enum", "", "Choose one of them."),
            ((41, "0-0:25.0.0*255", 3), "octet-string", "modem", "is not an OBIS code"),
            ((42, "0-0:25.1.0*255", 3), "double-long-unsigned", "10.0.0.300", "10.0.0.300"),
            ((9, "0-0:10.0.106*255", 2), "array", "[1", "is written as JSON"),
            ((9, "0-0:10.0.106*255", 2), "array", '[{"script_identifier": 1}]', r"[1]: actions is missing."),
            ((9, "0-0:10.0.106*255", 2), "array", "5", "Array of script is a list."),
            ((1, "0-0:96.1.0*255", 2), "null-data", "1", "has no value"),
        ],
    )
    def test_a_bad_value_is_refused_at_its_field_with_the_reason(
        self, dlms_session, target, kind, value, reason
    ) -> None:
        fields = dict(zip(("class_id", "logical_name", "attribute_id"), map(str, target), strict=True))
        form = posted(WriteForm, dlms_session, {**fields, "value_type": kind, "value": value})
        assert set(form.errors) == {"value"}
        assert reason in form.errors["value"][0]
        assert form.gate is None


class TestStructures:
    SCRIPTS = array(
        structure(
            long_unsigned(1),
            array(
                structure(
                    enum(2),
                    long_unsigned(70),
                    octet_string(ObisCode.parse("0-0:96.3.10*255").octets),
                    integer(1),
                    integer(0),
                )
            ),
        )
    )

    def test_what_is_expected_is_told(self, dlms_session) -> None:
        form = drawn(WriteForm, dlms_session, SCRIPT_TABLE)
        assert form.outline[1] == "  script_identifier: long-unsigned"
        assert form.fields["value"].help_text.startswith("JSON")

    def test_what_was_read_can_be_written_back_as_it_stands(self, dlms_session) -> None:
        make_read(dlms_session, 9, "0-0:10.0.106*255", 2, self.SCRIPTS)
        form = drawn(WriteForm, dlms_session, SCRIPT_TABLE)
        written = form.initial["value"]
        assert '"service_id": 2' in written
        asked = posted(WriteForm, dlms_session, {**SCRIPT_TABLE, "value_type": "array", "value": written})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == encode_data(self.SCRIPTS).hex()
        assert "  actions: 1 element" in asked.gate.lines
        assert any("execute remote_disconnect of Disconnect control" in line for line in asked.gate.lines)
        step = posted(
            WriteForm, dlms_session, {**SCRIPT_TABLE, "value_type": "array", "value": written, "confirmed": "1"}
        )
        assert step.is_valid()
        assert step.ask(make_user()).parameters["octets"] == encode_data(self.SCRIPTS).hex()

    def test_typed_json_is_taken_too(self, dlms_session) -> None:
        value = '[{"type": "structure", "value": [{"type": "unsigned", "value": 1}]}]'
        asked = posted(WriteForm, dlms_session, {**SCRIPT_TABLE, "value_type": "array", "value": value})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "010102011101"


class TestVersions:
    """The object list says the version, and the version decides."""

    @pytest.mark.parametrize(("version", "fields"), [(0, 4), (1, 5), (2, 6)])
    def test_of_the_push_setup(self, dlms_session, version: int, fields: int) -> None:
        listed(dlms_session, (40, version, "0-0:25.9.0*255"))
        form = drawn(WriteForm, dlms_session, PUSH)
        assert len([line for line in form.outline if line.startswith("  ") and line[2] != " "]) == fields
        assert form.class_title == f"Push setup, version {version}"

    def test_of_the_security_setup(self, dlms_session) -> None:
        listed(dlms_session, (64, 0, "0-0:43.0.0*255"))
        assert choices_of(drawn(WriteForm, dlms_session, SECURITY)) == ["", "0", "1", "2", "3"]

    def test_without_a_list_the_value_tells_it(self, dlms_session) -> None:
        entry = structure(long_unsigned(3), octet_string(bytes(6)), integer(2), long_unsigned(0))
        make_read(dlms_session, 40, "0-0:25.9.0*255", 2, array(entry))
        assert "data_index" in drawn(WriteForm, dlms_session, PUSH).outline[-1]


class TestUnknown:
    """Classes and attributes that are not known: any type can be chosen."""

    @pytest.mark.parametrize(
        "fields",
        [
            {"class_id": "9999", "logical_name": "0-0:96.1.0*255", "attribute_id": "2"},
            {"class_id": "8", "logical_name": "0-0:1.0.0*255", "attribute_id": "77"},
            {"class_id": "1", "logical_name": "0-0:96.1.0*255", "attribute_id": "2"},
        ],
    )
    def test_any_type_can_be_written(self, dlms_session, fields) -> None:
        form = drawn(WriteForm, dlms_session, fields)
        assert form.declared_as == ""
        assert form.initial["value_type"] == ""
        asked = posted(WriteForm, dlms_session, {**fields, "value_type": "unsigned", "value": "5"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets == "1105"

    def test_what_was_read_tells_the_type(self, dlms_session) -> None:
        make_read(dlms_session, 1, "0-0:96.1.0*255", 2, octet_string(b"\x01"))
        form = drawn(WriteForm, dlms_session, {"class_id": "1", "logical_name": "0-0:96.1.0*255", "attribute_id": "2"})
        assert (form.initial["value_type"], form.initial["value"]) == ("octet-string", "01")

    def test_another_type_than_the_declared_one_can_be_chosen(self, dlms_session) -> None:
        asked = posted(WriteForm, dlms_session, {**CLOCK, "value_type": "date-time", "value": "2026-11-25 10:00:00"})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets.startswith("1907ea")

    def test_a_form_about_nothing_yet_draws(self, dlms_session) -> None:
        for form in (WriteForm(dlms_session=dlms_session), InvokeForm(dlms_session=dlms_session)):
            assert (form.about, form.class_title, form.member_name, form.outline) == ("", "", "", [])
            assert form.as_p()

    def test_a_type_that_is_none_is_refused_at_its_field(self, dlms_session) -> None:
        form = posted(WriteForm, dlms_session, {**CLOCK, "value_type": "octet", "value": "1"})
        assert set(form.errors) == {"value_type"}


class TestMethods:
    def test_the_parameter_is_declared(self, dlms_session) -> None:
        form = drawn(InvokeForm, dlms_session, {**RELAY, "method_id": "1"})
        assert (form.member_name, form.declared_as) == ("remote_disconnect", "integer (always 0)")
        assert (form.initial["value_type"], form.initial["value"]) == ("integer", "0")

    def test_a_structure_as_parameter(self, dlms_session) -> None:
        fields = {**CLOCK, "method_id": "5", "value_type": "structure"}
        value = """{"preset_time": "2026-11-25 10:00:00", "validity_interval_start": "2026-11-25 09:00:00",
            "validity_interval_end": "2026-11-25 11:00:00"}"""
        asked = posted(InvokeForm, dlms_session, {**fields, "value": value})
        assert asked.is_valid(), asked.errors
        assert asked.gate.octets.startswith("0203090c07ea0b19030a")
        wrong = posted(InvokeForm, dlms_session, {**fields, "value": "{}"})
        assert "preset_time" in wrong.errors["value"][0]

    def test_a_method_without_a_known_parameter_takes_any(self, dlms_session) -> None:
        fields = {"class_id": "104", "logical_name": "0-0:30.3.0*255", "method_id": "1"}
        form = drawn(InvokeForm, dlms_session, fields)
        assert (form.initial["value_type"], form.initial["value"]) == ("integer", "0")
        assert form.declared_as == ""


def test_an_attribute_that_the_meter_keeps_is_warned_of(dlms_session) -> None:
    kept = drawn(WriteForm, dlms_session, {**CLOCK, "attribute_id": "4"})
    assert "by itself" in kept.warning
    assert drawn(WriteForm, dlms_session, CLOCK).warning == ""


def test_what_empties_a_profile_asks_for_the_serial_number(dlms_session) -> None:
    fields = {"class_id": "7", "logical_name": "1-0:99.1.0*255", "attribute_id": "4"}
    form = posted(WriteForm, dlms_session, {**fields, "value_type": "double-long-unsigned", "value": "900"})
    assert form.is_valid(), form.errors
    assert form.gate.must_type
    assert "rows are lost" in form.gate.consequence


def test_the_meters_own_words_are_no_markup(dlms_session) -> None:
    make_read(dlms_session, 45, "0-0:25.4.0*255", 2, octet_string(b"<script>x</script>"))
    form = drawn(WriteForm, dlms_session, {"class_id": "45", "logical_name": "0-0:25.4.0*255", "attribute_id": "2"})
    assert "<script>" not in form.as_p()


def test_a_moment_that_was_read_typed_is_written_typed(dlms_session) -> None:
    typed: Data = date_time(timezone.now())
    make_read(dlms_session, 8, "0-0:1.0.0*255", 2, typed)
    form = drawn(WriteForm, dlms_session, CLOCK)
    assert form.initial["value_type"] == "octet-string"
    again = posted(WriteForm, dlms_session, {**CLOCK, "value_type": "octet-string", "value": form.initial["value"]})
    assert again.is_valid(), again.errors
    assert again.gate.octets == encode_data(typed).hex()


def test_a_meter_that_counts_the_deviation_the_other_way_gets_it_so(dlms_session) -> None:
    dlms_session.meter.reverse_deviation = True
    dlms_session.meter.save()
    form = posted(WriteForm, dlms_session, SET_CLOCK)
    assert form.is_valid(), form.errors
    assert form.gate.octets == "090c07ea0b19030a000000003c00"
    assert "2026-11-25 10:00:00+01:00" in form.gate.what
    make_read(dlms_session, 8, "0-0:1.0.0*255", 2, octet_string(bytes.fromhex("07ea0b19030a000000003c00")))
    assert drawn(WriteForm, dlms_session, CLOCK).initial["value"] == "2026-11-25 10:00:00+01:00"
    now = drawn(WriteForm, dlms_session, CLOCK, now=True).initial["value"]
    assert now[:10] == f"{timezone.localtime():%Y-%m-%d}"
    assert now.endswith("+00:00")
