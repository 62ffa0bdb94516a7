"""The same change for many meters."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters import bulk
from meters.bulk import BulkEdit, edit_meters
from meters.changes import changes_of, new_request
from meters.inventory import MAX_TAGS, save_batch
from meters.models import Batch, Change, Meter, MeterType, Tag
from tests.meters.builders import make_meter
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def meters() -> list[Meter]:
    return [
        make_meter(
            meter={"serial_number": f"m{n}", "tags": ["old", "kept"], "model": f"M{n % 2}"}, line={"port": n + 1}
        )
        for n in range(4)
    ]


def ids(meters: list[Meter]) -> list[int]:
    return [meter.pk for meter in meters]


def test_everything_at_once_is_one_request_with_an_entry_for_each(meters) -> None:
    kind = MeterType.objects.create(model="New")
    edit = BulkEdit("FAULTY", "Lot 9", "shelf 1", kind, ["New Tag"], ["OLD"], reason="hail")
    with new_request() as made:
        result = edit_meters(user=make_user("anna"), ids=ids(meters), edit=edit)
    assert (result.changed, result.unchanged, result.refused, result.request_id) == (4, 0, [], made)
    for meter in meters:
        meter.refresh_from_db()
        assert (meter.state, meter.batch.name, meter.location, meter.meter_type) == ("FAULTY", "Lot 9", "shelf 1", kind)
        assert {tag.name for tag in meter.tags.all()} == {"kept", "New Tag"}
        assert meter.search_text == meter.words_to_search()
        change = changes_of(meter).first()
        assert (change.request_id, change.user_name, change.message) == (made, "anna", "hail")
        assert change.fields == {
            "state": ["RECEIVED", "FAULTY"],
            "location": ["", "shelf 1"],
            "meter_type": [f"Maker M{int(meter.serial_number[1]) % 2}", "New"],
            "batch": [None, "Lot 9"],
            "tags": [["kept", "old"], ["New Tag", "kept"]],
        }


def test_what_is_so_already_is_counted_and_not_logged(meters) -> None:
    edit_meters(user=None, ids=ids(meters[:1]), edit=BulkEdit(location="here"))
    before = Change.objects.count()
    result = edit_meters(user=None, ids=ids(meters), edit=BulkEdit(location="here"))
    assert (result.changed, result.unchanged) == (3, 1)
    assert Change.objects.count() == before + 3


def test_an_empty_batch_and_location_take_off(meters) -> None:
    edit_meters(user=None, ids=ids(meters), edit=BulkEdit(batch="Lot 9", location="here"))
    edit_meters(user=None, ids=ids(meters), edit=BulkEdit(batch="", location=""))
    assert set(Meter.objects.values_list("batch", "location")) == {(None, "")}


def test_a_meter_that_does_not_fit_is_named_and_the_others_are_changed(meters) -> None:
    save_batch(user=None, name="only M0", meter_type=MeterType.objects.get(model="M0"))
    edit = BulkEdit(batch="only M0", location="together or not at all")
    result = edit_meters(user=None, ids=[*ids(meters), 999_999], edit=edit)
    assert result.changed == 2
    assert [serial for serial, _ in result.refused] == ["meter 999999", "m1", "m3"]
    assert {why for _, why in result.refused[1:]} == {
        "The batch only M0 is of type Maker M0: this meter is of another, or of none."
    }
    assert set(Meter.objects.filter(location="").values_list("serial_number", flat=True)) == {"m1", "m3"}


def test_too_many_tags_are_refused_meter_by_meter(meters) -> None:
    result = edit_meters(user=None, ids=ids(meters), edit=BulkEdit(add_tags=[f"t{n}" for n in range(MAX_TAGS - 1)]))
    assert (result.changed, len(result.refused)) == (0, 4)
    assert "at most" in result.refused[0][1]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (BulkEdit(), "Nothing to change"),
        (BulkEdit(state="FAULTY"), "Why are they in a new state"),
        (BulkEdit(add_tags=["x" * 51]), "at most 50 characters"),
        (BulkEdit(batch="x" * 101), "at most 100 characters"),
    ],
)
def test_what_cannot_be_changes_nothing(meters, edit: BulkEdit, why: str) -> None:
    before = Change.objects.count()
    with pytest.raises(ValidationError, match=why):
        edit_meters(user=None, ids=ids(meters), edit=edit)
    assert Change.objects.count() == before
    assert not Batch.objects.exists()
    assert Tag.objects.count() == 2


def test_there_is_a_limit(meters, monkeypatch) -> None:
    monkeypatch.setattr(bulk, "BULK_LIMIT", 3)
    with pytest.raises(ValidationError, match="too many at once"):
        edit_meters(user=None, ids=ids(meters), edit=BulkEdit(location="x"))


def test_an_error_in_a_later_part_leaves_nothing_of_the_earlier(meters, monkeypatch) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    written = []

    def fail_at_last(*arguments) -> None:
        written.append(arguments)
        if len(written) == 2:
            raise ZeroDivisionError
        keep(*arguments)

    keep = bulk._write
    monkeypatch.setattr(bulk, "_write", fail_at_last)
    with pytest.raises(ZeroDivisionError):
        edit_meters(user=None, ids=ids(meters), edit=BulkEdit(location="half"))
    assert not Meter.objects.filter(location="half").exists()
    assert not Change.objects.filter(action="UPDATE").exists()


def test_the_queries_do_not_grow_with_the_meters(meters, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(14):
        edit_meters(user=None, ids=ids(meters), edit=BulkEdit("FAULTY", location="x", add_tags=["t"], reason="r"))
