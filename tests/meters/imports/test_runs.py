"""Imports as people steer them: who may, when, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from meters.imports import runs
from meters.models import ImportRun, ImportUpload
from tests.meters.imports.conftest import row, table

pytestmark = pytest.mark.django_db
STEPS = {
    "read_again": (("MAPPING", "CHECKED", "REFUSED"), {"options": {}}),
    "choose_columns": (("MAPPING", "CHECKED"), {"mapping": {"serial_number": 0}}),
    "choose_columns_again": (("CHECKED",), {}),
    "apply_run": (("CHECKED",), {}),
    "request_undo": (("APPLIED",), {}),
    "discard_run": (("READING", "MAPPING", "CHECKING", "CHECKED", "REFUSED"), {}),
}


@pytest.fixture
def rung(monkeypatch) -> list[tuple[str, int]]:
    """Who was asked to work, and on what."""
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(runs.transaction, "on_commit", lambda work: work())
    monkeypatch.setattr(runs, "work_on", lambda pk: asked.append(("here", pk)))
    monkeypatch.setattr(runs, "ring_worker", lambda pk: asked.append(("worker", pk)))
    return asked


def made(user, state: str) -> ImportRun:
    run = ImportRun.objects.create(user=user, kind="CSV", state=state, headings=["Serial"], created_count=1, total=1)
    ImportUpload.objects.create(run=run, sealed=b"x")
    return run


@pytest.mark.parametrize("state", ImportRun.State)
@pytest.mark.parametrize("step", STEPS)
def test_every_step_in_every_state(user, rung, step, state) -> None:
    allowed, arguments = STEPS[step]
    run = made(user, state)
    if state in allowed:
        getattr(runs, step)(run_id=run.pk, user=user, **arguments)
    else:
        with pytest.raises(ValidationError, match="look at it again"):
            getattr(runs, step)(run_id=run.pk, user=user, **arguments)
        run.refresh_from_db()
        assert (run.state, rung) == (state, [])


@pytest.mark.parametrize("step", STEPS)
def test_only_who_began_it_or_an_administrator(user, rung, step) -> None:
    states, arguments = STEPS[step]
    others = get_user_model().objects
    with pytest.raises(PermissionDenied):
        getattr(runs, step)(run_id=made(user, states[0]).pk, user=others.create_user("bob"), **arguments)
    getattr(runs, step)(run_id=made(user, states[0]).pk, user=others.create_user("root", is_staff=True), **arguments)


class TestStart:
    def test_small_ones_at_once_and_large_ones_by_a_worker(self, user, rung) -> None:
        small = runs.start_run(user=user, kind="CSV", octets=b"Serial\n1", name="C:\\lab\\..\\new\0.csv")
        large = runs.start_run(user=user, kind="CSV", octets=b"Serial\n" + b"x\n" * 200_000)
        assert rung == [("here", small.pk), ("worker", large.pk)]
        assert small.name == "new\ufffd.csv"
        assert small.user_name == "ada"

    @pytest.mark.parametrize(
        ("octets", "words"), [(b"x" * 11, "too many: at most"), (b"  \n", "nothing in it"), (b"", "nothing in it")]
    )
    def test_too_large_or_empty(self, user, rung, settings, octets, words) -> None:
        settings.IMPORT_MAX_OCTETS = 10
        with pytest.raises(ValidationError, match=words):
            runs.start_run(user=user, kind="CSV", octets=octets)
        assert not ImportRun.objects.exists()

    def test_old_uploads_are_forgotten(self, user, rung) -> None:
        old, young = made(user, "MAPPING"), made(user, "MAPPING")
        ImportRun.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(days=2))
        runs.start_run(user=user, kind="CSV", octets=b"Serial\n1")
        assert not ImportUpload.objects.filter(run=old).exists()
        assert ImportUpload.objects.filter(run=young).exists()
        with pytest.raises(ValidationError, match="upload it again"):
            runs.read_again(run_id=old.pk, user=user, options={})

    @pytest.mark.parametrize(
        ("name", "octets", "kind"),
        [("a.csv", b"x", "CSV"), ("a.xlsx", b"x", "XLSX"), ("a.csv", b"PK\x03\x04", "XLSX"), ("", b"", "CSV")],
    )
    def test_what_a_file_is(self, name, octets, kind) -> None:
        assert runs.kind_of(name, octets) == kind


class TestApply:
    def test_all_or_nothing_is_refused_with_faulty_rows(self, check, user) -> None:
        run = check(table([row("1"), row("2", port="x")]))
        with pytest.raises(ValidationError, match="1 rows are faulty"):
            runs.apply_run(run_id=run.pk, user=user)

    def test_nothing_to_import(self, load, check, user) -> None:
        load(table([row("1")]))
        run = check(table([row("1")]))
        assert run.unchanged_count == 1
        with pytest.raises(ValidationError, match="no row is new or changed"):
            runs.apply_run(run_id=run.pk, user=user)

    def test_twice_is_refused(self, load, user) -> None:
        run = load(table([row("1")]))
        with pytest.raises(ValidationError):
            runs.apply_run(run_id=run.pk, user=user)
        runs.request_undo(run_id=run.pk, user=user)
        with pytest.raises(ValidationError):
            runs.request_undo(run_id=run.pk, user=user)


def test_a_mapping_that_makes_no_sense_is_refused(user, rung) -> None:
    with pytest.raises(ValidationError, match="Serial number"):
        runs.choose_columns(run_id=made(user, "MAPPING").pk, user=user, mapping={})


def test_discarded_is_gone(user, rung) -> None:
    runs.discard_run(run_id=made(user, "CHECKED").pk, user=user)
    assert not ImportRun.objects.exists()
    assert not ImportUpload.objects.exists()
