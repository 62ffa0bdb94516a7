"""The undo of an import: what goes, what is put back, what stays and why."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction

from meters.bulk import BulkEdit, edit_meters
from meters.changes import current_request, new_request
from meters.imports.undo import Touched, remember, undo_run
from meters.inventory import add_comment
from meters.models import Association, Batch, Change, ImportRun, Line, Meter, MeterType, Tag
from meters.services import save_meter
from tests.meters.builders import make_ciphered_meter, make_meter, meter_fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return get_user_model().objects.create_user("ada")


@transaction.atomic
def imported(user, *serials: str, **changes: Any) -> ImportRun:
    """A run that made meters, as somebody who imports files does it."""
    with new_request() as request_id:
        run = ImportRun.objects.create(
            kind=ImportRun.Kind.GXC, state=ImportRun.State.APPLIED, name="two.gxc", request_id=request_id
        )
        touched = []
        for row, serial in enumerate(serials, 1):
            fields = meter_fields(meter={"serial_number": serial, **changes}, secrets={"LLS_SECRET": b""})
            meter = save_meter(**{**fields, "user": user})
            things = [meter, meter.line, *([meter.batch] if meter.batch else []), *meter.tags.all(), meter.meter_type]
            touched += [Touched(row, serial, thing._meta.label_lower, thing.pk) for thing in things]
        remember(run, touched)
    return run


def kept(run: ImportRun) -> list[list[Any]]:
    return [row for record in run.records.all() for row in record.kept]


def test_what_was_made_is_removed_with_an_entry(user) -> None:
    run = imported(user, "1", "2", batch="Lot 1", tags=["new"])
    run = undo_run(run=run, user=user)
    assert (run.state, run.undone_count, run.kept_count, run.undone_by) == ("UNDONE", 2, 0, "ada")
    for model in (Meter, Association, Line, Batch, Tag, MeterType):
        assert not model.objects.exists(), model
    gone = Change.objects.filter(request_id=run.undo_request_id, kind=Change.Kind.METER)
    assert {change.label for change in gone} == {"1 bench", "2 bench"}
    assert {change.action for change in gone} == {"DELETE"}
    assert gone[0].fields["line"] == ["127.0.0.1:4059", None]
    assert gone[0].user == user
    assert gone[0].request_id != run.request_id


def test_the_request_of_a_page_is_the_undos(user) -> None:
    run = imported(user, "1")
    with new_request() as request_id:
        assert undo_run(run=run, user=user).undo_request_id == request_id
        assert current_request.get() == request_id


def test_twice_is_refused(user) -> None:
    run = imported(user, "1")
    undo_run(run=run, user=user)
    with pytest.raises(ValidationError, match="undone"):
        undo_run(run=run, user=user)


@pytest.mark.parametrize("state", [state for state in ImportRun.State if state not in ("APPLIED", "UNDOING")])
def test_what_was_not_applied_cannot_be_undone(user, state: str) -> None:
    run = ImportRun.objects.create(kind=ImportRun.Kind.CSV, state=state)
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo_run(run=run, user=user)


def test_what_was_changed_since_stays_and_says_by_whom(user) -> None:
    run = imported(user, "1", "2")
    other = get_user_model().objects.create_user("bob")
    changed = Meter.objects.get(serial_number="1")
    with new_request():
        edit_meters(user=other, ids=[changed.pk], edit=BulkEdit(location="shelf 2"))
    run = undo_run(run=run, user=user)
    assert list(Meter.objects.values_list("serial_number", flat=True)) == ["1"]
    assert (run.undone_count, run.kept_count) == (1, 1)
    [(row, label, why)] = kept(run)
    assert (row, label) == (1, "1")
    assert why.startswith("Changed since by bob, 2")
    assert Line.objects.exists(), "its line is still needed"


def test_a_comment_is_a_change(user) -> None:
    run = imported(user, "1")
    add_comment(user=user, meter_id=Meter.objects.get().pk, text="odd display")
    assert undo_run(run=run, user=user).kept_count == 1


def test_keys_hold_a_meter(user) -> None:
    with new_request() as request_id:
        run = ImportRun.objects.create(kind="GXC", state="APPLIED", request_id=request_id)
        meter = make_ciphered_meter()
        remember(run, [Touched(1, meter.serial_number, "meters.meter", meter.pk)])
    run = undo_run(run=run, user=user)
    assert Meter.objects.get() == meter
    assert kept(run) == [[1, "12345678", "Keys hang on it: no key is ever lost."]]


def test_a_session_holds_a_meter(user) -> None:
    from sessions.models import DlmsSession, Job

    run = imported(user, "1")
    job = Job.objects.create(created_by=user)
    DlmsSession.objects.create(job=job, meter=Meter.objects.get())
    run = undo_run(run=run, user=user)
    assert "sessions hang on it" in kept(run)[0][2]


def test_a_meter_that_is_gone_is_named(user) -> None:
    run = imported(user, "1")
    Meter.objects.all().delete()
    assert kept(undo_run(run=run, user=user)) == [[1, "1", "It is not there any more."]]


class TestPutBack:
    @pytest.fixture
    def meter(self) -> Meter:
        return make_meter(meter={"location": "shelf 1", "tags": ["old"], "batch": "Lot 1"})

    @pytest.fixture
    def run(self, meter: Meter, user) -> ImportRun:
        before = {
            "location": meter.location,
            "tags": [tag.pk for tag in meter.tags.all()],
            "batch_id": meter.batch_id,
            "line_id": meter.line_id,
        }
        sap = meter.associations.get()
        with new_request() as request_id:
            run = ImportRun.objects.create(kind="CSV", state="APPLIED", request_id=request_id)
            fields = meter_fields(
                meter={"location": "cellar", "tags": ["new"], "batch": ""}, line={"kind": "TCP", "host": "10.0.0.9"}
            )
            fields |= {"association": {"client_sap": 1}, "secrets": {}, "meter_id": meter.pk, "user": user}
            Line.objects.create(kind="TCP", host="keeps", port=1)
            kept_line = meter.line
            changed = save_meter(**fields)
            kept_line.save(force_insert=True)
            second = Association.objects.create(meter=changed, name="Second")
            remember(
                run,
                [
                    Touched(2, "12345678", "meters.meter", meter.pk, before),
                    Touched(2, "12345678", "meters.association", sap.pk, {"client_sap": sap.client_sap}),
                    Touched(2, "12345678", "meters.association", second.pk),
                    Touched(2, "12345678", "meters.line", changed.line_id),
                ],
            )
        return run

    def test_what_was_changed_is_put_back(self, run, meter, user) -> None:
        run = undo_run(run=run, user=user)
        assert (run.undone_count, run.kept_count) == (1, 0)
        now = Meter.objects.get()
        assert (now.location, now.batch.name, now.line_id) == ("shelf 1", "Lot 1", meter.line_id)
        assert [tag.name for tag in now.tags.all()] == ["old"]
        assert [each.client_sap for each in now.associations.all()] == [32]
        assert now.search_text == now.words_to_search()
        assert not Line.objects.filter(host="10.0.0.9").exists()
        change = Change.objects.filter(kind="METER", object_id=meter.pk).first()
        assert change.fields["location"] == ["cellar", "shelf 1"]
        assert change.fields["tags"] == [["new"], ["old"]]
        assert change.message == f"undo of {run}"

    @pytest.mark.parametrize(("gone", "word"), [(Batch, "batch"), (Tag, "tags")])
    def test_what_it_belonged_to_may_be_gone(self, run, meter, user, gone, word) -> None:
        gone.objects.all().delete()
        run = undo_run(run=run, user=user)
        assert kept(run) == [[2, "12345678", f"Its {word} of before is not there any more."]]
        assert Meter.objects.get().location == "cellar"


def test_many_rows_in_few_queries(user, django_assert_max_num_queries) -> None:
    few = imported(user, *(f"a{n}" for n in range(3)))
    many = imported(user, *(f"b{n}" for n in range(60)))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        undo_run(run=few, user=user)
    with django_assert_max_num_queries(len(captured) + 20):
        undo_run(run=many, user=user)
