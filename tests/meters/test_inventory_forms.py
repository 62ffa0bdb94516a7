"""The inventory's fields in the forms."""

from __future__ import annotations

import pytest

from meters.forms import MeterForm
from meters.inventory_forms import BatchForm, CommentForm, TagsField
from tests.meters.builders import make_meter
from tests.meters.test_forms import WRAPPER

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("typed", "tags"), [("", []), (" a , b c,,a ", ["a", "b c"]), (",,", [])])
def test_tags_stand_between_commas(typed: str, tags: list[str]) -> None:
    assert TagsField(required=False).clean(typed) == tags


def test_the_form_shows_what_the_meter_has() -> None:
    meter = make_meter(meter={"batch": "Lot 7", "tags": ["b", "a"], "state": "IN_TEST"})
    form = MeterForm(meter=meter, association=meter.default_association)
    assert {name: form[name].value() for name in ("batch", "tags", "state")} == {
        "batch": "Lot 7",
        "tags": "a, b",
        "state": "IN_TEST",
    }


def test_a_new_state_without_a_reason_is_refused_at_the_reason() -> None:
    meter = make_meter()
    data = {**WRAPPER, "serial_number": "12345678", "state": "FAULTY"}
    form = MeterForm(data, meter=meter, association=meter.default_association)
    assert not form.is_valid()
    assert form.errors == {"reason": ["Why is it faulty now? The history keeps it."]}
    form = MeterForm({**data, "reason": "display dead"}, meter=meter, association=meter.default_association)
    assert form.is_valid(), form.errors
    assert form.draft()["meter"] | {"state": "FAULTY", "reason": "display dead"} == form.draft()["meter"]


def test_a_state_that_nobody_says_stays() -> None:
    meter = make_meter(meter={"state": "IN_FIELD"})
    form = MeterForm({**WRAPPER, "serial_number": "12345678"}, meter=meter, association=meter.default_association)
    assert form.is_valid(), form.errors
    assert form.draft()["meter"]["state"] == "IN_FIELD"


def test_a_new_meter_may_begin_in_any_state_but_in_no_other_word() -> None:
    assert MeterForm({**WRAPPER, "state": "IN_FIELD"}).is_valid()
    assert "state" in MeterForm({**WRAPPER, "state": "LOST"}).errors


def test_a_batch_needs_a_name_and_a_comment_a_text() -> None:
    assert "name" in BatchForm({"name": " "}).errors
    assert "text" in CommentForm({"text": " "}).errors
