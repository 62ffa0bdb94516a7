"""The console: what is asked at once, and what is refused where."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict

from sessions.forms import ProfileForm, ReadForm
from sessions.models import DlmsSession, Step
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db

CLOCK = {"class_id": "8", "logical_name": "0-0:1.0.0*255", "attribute_id": "2"}


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
