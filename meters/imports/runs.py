"""Imports, as people start and steer them. Each service writes the run's row; the work is a worker's (`work`).

A small file is worked on at once, in the request that asks for it: the same work, under the same lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from meters import vault
from meters.imports.mapping import check_mapping
from meters.imports.table import storable
from meters.imports.work import work_on
from meters.models import ImportRun, ImportUpload
from meters.tasks import ring_worker

Kind, State = ImportRun.Kind, ImportRun.State
SMALL_OCTETS = {Kind.CSV: 200_000, Kind.PASTE: 200_000, Kind.XLSX: 60_000}
SMALL_ROWS = 1000
UPLOADS_STAY = timedelta(days=1)
OPTIONS = ("encoding", "delimiter", "sheet", "clear")


def kind_of(name: str, octets: bytes) -> str:
    """What an uploaded file is, by what it begins with; its name only decides what it claims to be."""
    is_workbook, claims = octets.startswith(b"PK\x03\x04"), name.lower().endswith((".xlsx", ".xlsm"))
    return Kind.XLSX if is_workbook or claims else Kind.CSV


@transaction.atomic
def start_run(
    *, user: Any, kind: str, octets: bytes, name: str = "", options: Mapping[str, Any] | None = None
) -> ImportRun:
    """Take a file, or a pasted text in UTF-8. ValidationError for one that is too large or empty."""
    if len(octets) > settings.IMPORT_MAX_OCTETS:
        raise ValidationError(
            f"{len(octets) / 1e6:.1f} MB are too many: at most {settings.IMPORT_MAX_OCTETS / 1e6:g} MB."
        )
    if not octets.strip():
        raise ValidationError("There is nothing in it.")
    ImportUpload.objects.filter(run__created__lt=timezone.now() - UPLOADS_STAY).delete()
    run = ImportRun(user=user, user_name=str(user)[:150], kind=kind, options=_options(options or {}))
    run.name = storable(PurePosixPath(name.replace("\\", "/")).name)[:200]
    run.save()
    ImportUpload.objects.create(run=run, sealed=vault.seal(octets, run.seal_context))
    _go_on(run, len(octets) <= SMALL_OCTETS[Kind(kind)])
    return run


def _options(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in OPTIONS if options.get(name)}


def _go_on(run: ImportRun, small: bool) -> None:
    transaction.on_commit(partial(work_on if small else ring_worker, run.pk))


def _locked(run_id: int, user: Any, *states: str) -> ImportRun:
    """The run, if this person may steer it and it stands where that can be done."""
    run = ImportRun.objects.select_for_update().get(pk=run_id)
    if not may_steer(run, user):
        raise PermissionDenied("Only who began an import, or an administrator, goes on with it.")
    if run.state not in states:
        raise ValidationError(f"This import is “{run.get_state_display().lower()}” now: look at it again.")
    return run


def may_steer(run: ImportRun, user: Any) -> bool:
    return bool(user.is_staff or (run.user_id is not None and run.user_id == user.pk))


@transaction.atomic
def read_again(*, run_id: int, user: Any, options: Mapping[str, Any]) -> ImportRun:
    """Read the file anew: in another encoding, another sheet of it."""
    run = _locked(run_id, user, State.MAPPING, State.CHECKED, State.REFUSED)
    upload = ImportUpload.objects.filter(run=run).first()
    if upload is None:
        raise ValidationError("The file is not here any more: upload it again.")
    run.options, run.state, run.attempts, run.reason = _options(options), State.READING, 0, ""
    run.finished = None
    run.save()
    _go_on(run, len(upload.sealed) <= SMALL_OCTETS[Kind(run.kind)])
    return run


@transaction.atomic
def choose_columns(
    *, run_id: int, user: Any, mapping: Mapping[str, int], clear: bool = False, message: str = ""
) -> ImportRun:
    """Which of their columns is which of ours; the dry run follows. ValidationError where that makes no sense."""
    run = _locked(run_id, user, State.MAPPING, State.CHECKED)
    check_mapping(mapping, run.headings, [int(number) for number in run.findings.get("left_out", {})])
    run.mapping, run.options = dict(mapping), {**run.options, "clear": clear}
    run.message = message.strip()[:500] or str(run)
    run.state, run.attempts, run.reason = State.CHECKING, 0, ""
    run.save()
    _go_on(run, run.total <= SMALL_ROWS)
    return run


@transaction.atomic
def choose_columns_again(*, run_id: int, user: Any) -> ImportRun:
    """Back from the dry run to the columns."""
    run = _locked(run_id, user, State.CHECKED)
    run.state, run.reason = State.MAPPING, ""
    run.save()
    return run


@transaction.atomic
def apply_run(*, run_id: int, user: Any, good_only: bool = False) -> ImportRun:
    """Write what the dry run showed: all of it, or the good rows alone. ValidationError for faulty rows otherwise."""
    run = _locked(run_id, user, State.CHECKED)
    if run.faulty_count and not good_only:
        raise ValidationError(f"{run.faulty_count} rows are faulty: mend them, or choose to import the good rows only.")
    if not run.created_count + run.updated_count:
        raise ValidationError("There is nothing to import: no row is new or changed.")
    run.good_only, run.state, run.attempts, run.reason = good_only, State.APPLYING, 0, ""
    run.save()
    _go_on(run, run.total <= SMALL_ROWS)
    return run


@transaction.atomic
def request_undo(*, run_id: int, user: Any) -> ImportRun:
    """Undo what was imported. ValidationError if it was undone already."""
    run = _locked(run_id, user, State.APPLIED)
    run.options = {**run.options, "undo_user": user.pk}
    run.state, run.attempts, run.reason = State.UNDOING, 0, ""
    run.save()
    _go_on(run, run.created_count + run.updated_count <= SMALL_ROWS)
    return run


@transaction.atomic
def discard_run(*, run_id: int, user: Any) -> None:
    """Forget an import that wrote nothing, with all that was read."""
    _locked(run_id, user, State.READING, State.MAPPING, State.CHECKING, State.CHECKED, State.REFUSED).delete()
