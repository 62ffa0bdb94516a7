"""Batches, tags, states with a reason, comments: what is kept and what is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters import inventory
from meters.changes import changes_of
from meters.inventory import (
    MAX_TAGS,
    add_comment,
    counts_by_state,
    delete_tag,
    find_batch,
    find_tags,
    rename_filter,
    rename_tag,
    save_batch,
    save_filter,
)
from meters.models import Batch, Change, Meter, MeterType, Tag
from meters.services import save_meter
from tests.meters.builders import make_meter, meter_fields
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


def test_a_batch_is_made_once_by_its_name() -> None:
    first = find_batch(name="  Lot   7 ", user=None)
    assert first is not None
    assert find_batch(name="Lot 7", user=None) == first
    assert find_batch(name=" ", user=None) is None
    assert changes_of(first).get().fields["name"] == [None, "Lot 7"]


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b"])
def test_a_name_that_is_none_is_refused_at_its_field(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        find_batch(name=name, user=None)
    assert [*refused.value.message_dict] == ["batch"]
    assert not Batch.objects.exists()


def test_tags_are_one_whatever_their_case() -> None:
    tags = find_tags(names=["Urgent", "urgent", " URGENT ", "shelf  2"], user=None)
    assert [tag.name for tag in tags] == ["Urgent", "shelf 2"]
    assert find_tags(names=["uRGENT"], user=None) == tags[:1]
    assert Change.objects.filter(kind="TAG", action="CREATE").count() == 2


@pytest.mark.parametrize("names", [["x" * 51], ["a,b"], [f"t{n}" for n in range(MAX_TAGS + 1)]])
def test_too_long_too_many_or_with_a_comma_is_no_tag(names) -> None:
    with pytest.raises(ValidationError) as refused:
        find_tags(names=names, user=None)
    assert [*refused.value.message_dict] == ["tags"]


def test_a_meter_has_batch_and_tags_by_name_and_the_log_says_so() -> None:
    meter = make_meter()
    save_meter(**meter_fields(meter={"batch": "Lot 7", "tags": ["b", "a"]}), meter_id=meter.pk)
    meter.refresh_from_db()
    assert meter.batch.name == "Lot 7"
    assert {tag.name for tag in meter.tags.all()} == {"a", "b"}
    assert changes_of(meter).first().fields == {"batch": [None, "Lot 7"], "tags": [[], ["a", "b"]]}
    save_meter(**meter_fields(meter={"name": "kept"}), meter_id=meter.pk)  # who says nothing changes nothing
    assert meter.tags.count() == 2
    save_meter(**meter_fields(meter={"batch": "", "tags": []}), meter_id=meter.pk)
    meter.refresh_from_db()
    assert meter.batch is None
    assert not meter.tags.exists()


def test_a_new_state_needs_a_reason_and_nothing_is_saved_without() -> None:
    meter = make_meter()
    with pytest.raises(ValidationError, match="Why is it faulty now"):
        save_meter(**meter_fields(meter={"state": "FAULTY", "name": "x"}), meter_id=meter.pk)
    meter.refresh_from_db()
    assert (meter.state, meter.name) == ("RECEIVED", "bench")


def test_a_batch_of_one_type_takes_no_other() -> None:
    other = MeterType.objects.create(manufacturer="Other", model="O1")
    save_batch(user=None, name="others", meter_type=other)
    with pytest.raises(ValidationError, match="of type Other O1"):
        make_meter(meter={"batch": "others"})
    assert not Meter.objects.exists()


def test_a_batch_cannot_become_of_a_type_that_its_meters_are_not() -> None:
    meter = make_meter(meter={"batch": "mixed"})
    other = MeterType.objects.create(model="O1")
    with pytest.raises(ValidationError, match="1 of its meters"):
        save_batch(user=None, batch_id=meter.batch_id, name="mixed", meter_type=other)
    save_batch(user=None, batch_id=meter.batch_id, name="renamed", meter_type=meter.meter_type)
    change = changes_of(meter.batch).first()
    assert change.fields == {"name": ["mixed", "renamed"], "meter_type": ["", "Maker M1"]}


def test_counts_by_state_leave_out_what_is_not_there() -> None:
    for number in range(3):
        state = "FAULTY" if number else "RECEIVED"
        make_meter(meter={"serial_number": str(number), "batch": "Lot 7", "state": state}, line={"port": 1 + number})
    assert counts_by_state(Batch.objects.get()) == {"RECEIVED": 1, "FAULTY": 2}


def test_a_comment_is_kept_with_its_author_and_the_log_does_not_repeat_it() -> None:
    meter, user = make_meter(), make_user("anna")
    comment = add_comment(user=user, meter_id=meter.pk, text="  display flickers ")
    assert (comment.text, comment.user_name) == ("display flickers", "anna")
    assert changes_of(meter).first().fields == {"comment": [None, f"#{comment.pk}"]}
    for text in (" ", "x" * 5001):
        with pytest.raises(ValidationError):
            add_comment(user=user, meter_id=meter.pk, text=text)


def test_nothing_of_a_refused_meter_stays() -> None:
    with pytest.raises(ValidationError):
        make_meter(meter={"batch": "new", "tags": ["new"], "framing": "nonsense"})
    assert not Batch.objects.exists()
    assert not Tag.objects.exists()
    assert not Change.objects.exists()


def test_a_tag_that_goes_is_written_into_each_meters_log(monkeypatch) -> None:
    meters = [
        make_meter(meter={"serial_number": str(n), "tags": ["old", "kept"]}, line={"port": n + 1}) for n in range(2)
    ]
    tag = Tag.objects.get(name="old")
    monkeypatch.setattr(inventory, "MAX_TAGGED", 1)
    with pytest.raises(ValidationError, match="More than 1 meters"):
        delete_tag(user=None, tag_id=tag.pk)
    monkeypatch.undo()
    assert delete_tag(user=None, tag_id=tag.pk) == 2
    for meter in meters:
        assert changes_of(meter).first().fields == {"tags": [["kept", "old"], ["kept"]]}
    assert Change.objects.get(kind="TAG", action="DELETE").fields == {"name": ["old", None]}


def test_a_tag_is_renamed_but_not_into_another() -> None:
    make_meter(meter={"tags": ["old", "Kept"]})
    tag = Tag.objects.get(name="old")
    with pytest.raises(ValidationError, match="already"):
        rename_tag(user=None, tag_id=tag.pk, name="kept")
    rename_tag(user=None, tag_id=tag.pk, name="OLD")
    assert Change.objects.filter(kind="TAG").first().fields == {"name": ["old", "OLD"]}


def test_a_filter_is_renamed_but_not_onto_another_of_the_same_person() -> None:
    user = make_user("anna")
    first, second = (save_filter(user=user, name=name, query="") for name in ("first", "second"))
    with pytest.raises(ValidationError, match="already"):
        rename_filter(kept=first, user=user, name=" second ")
    for wrong in ("", "a\x00b", "x" * 101):
        with pytest.raises(ValidationError):
            rename_filter(kept=second, user=user, name=wrong)
    second.refresh_from_db()
    rename_filter(kept=second, user=user, name="third")
    assert Change.objects.filter(kind="FILTER").first().fields == {"name": ["second", "third"]}
