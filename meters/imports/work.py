"""The worker's side: whoever claims a run does what its state asks for, chunk by chunk, under a lease.

    READING   upload ──▶ parts            MAPPING | REFUSED
    CHECKING  parts ──▶ rows              CHECKED
    APPLYING  rows ──▶ inventory          APPLIED; one transaction: all of it, or nothing. What was changed since the dry run
                                          ends it, and the dry run is made anew
    UNDOING   records ──▶ inventory       UNDONE; one transaction

A doubled message finds the run claimed and does nothing. Of a worker that died the lease runs out: the next one begins the
present work anew, and nothing of the old one is left but rows that are thrown away.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from meters import vault
from meters.changes import new_request
from meters.imports.mapping import guess, headings_print
from meters.imports.plan import Planned, Planner, RowReader, label_of
from meters.imports.secret_columns import without_secrets
from meters.imports.table import ImportRefusedError, Table, TableRow, storable
from meters.imports.text_table import read_text
from meters.imports.undo import undo_run
from meters.imports.workbook_table import read_workbook
from meters.imports.write import Writer
from meters.models import ImportPart, ImportRow, ImportRun, ImportUpload, RefusedTarget
from meters.models.imports import import_lease_end
from meters.targets.services import record_refusal
from meters.vault import VaultError

logger = logging.getLogger(__name__)

State, Outcome = ImportRun.State, ImportRow.Outcome
CHUNK = 500
MAX_ATTEMPTS = 3
"""Workers that may die over the same work; then something is wrong with it, and a person decides."""
BACK_TO = {
    State.READING: State.REFUSED,
    State.CHECKING: State.MAPPING,
    State.APPLYING: State.CHECKED,
    State.UNDOING: State.APPLIED,
}
"""Where a run stands when its work broke off: nothing of the work is there."""
TO_WRITE = (Outcome.CREATED, Outcome.UPDATED)


class LeaseLost(Exception):
    """Somebody else works on the run, or nobody wants it any more: nothing may be written."""


class InventoryChanged(Exception):
    """What the dry run found is not what would happen now."""

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} was changed since the dry run. This is what the import would do now.")


def waiting_runs() -> list[int]:
    """Runs that something has to be done for and that nobody works on, the oldest first."""
    return list(_unclaimed().order_by("pk").values_list("pk", flat=True))


def _unclaimed() -> Any:
    return ImportRun.objects.filter(Q(lease_until=None) | Q(lease_until__lt=Now()), state__in=ImportRun.WORKING)


def work_on(run_id: int) -> None:
    """Do what the run waits for, if nobody does."""
    run = _claim(run_id)
    if run is None:
        return
    try:
        if run.attempts > MAX_ATTEMPTS:
            raise ImportRefusedError(f"It broke off {MAX_ATTEMPTS} times, and was given up.")
        WORK[State(run.state)](run)
    except LeaseLost:
        logger.warning("%s: somebody else works on it", run)
    except (ImportRefusedError, ValidationError, VaultError) as error:
        messages = error.messages if isinstance(error, ValidationError) else [str(error)]
        _break_off(run, " ".join(messages))
    except Exception as error:
        logger.exception("%s broke off", run)
        _break_off(run, f"Something went wrong in the workbench ({type(error).__name__}); its log says more.")


def _claim(run_id: int) -> ImportRun | None:
    claimed = _unclaimed().filter(pk=run_id)
    try:
        if not claimed.update(epoch=F("epoch") + 1, attempts=F("attempts") + 1, done=0, lease_until=import_lease_end()):
            return None
    except DatabaseError as error:  # SQLite: whoever works on it holds the database
        logger.warning("import %s could not be claimed: %s", run_id, error)
        return None
    return ImportRun.objects.get(pk=run_id)


def _ours(run: ImportRun) -> Any:
    return ImportRun.objects.filter(pk=run.pk, epoch=run.epoch, state=run.state)


def _renew(run: ImportRun, done: int) -> None:
    if not _ours(run).update(lease_until=import_lease_end(), done=done):
        raise LeaseLost


def _finish(run: ImportRun, state: str, **values: Any) -> None:
    if not _ours(run).update(state=state, lease_until=None, attempts=0, **values):
        raise LeaseLost


def _break_off(run: ImportRun, reason: str) -> None:
    state = BACK_TO[State(run.state)]
    refused = {"finished": timezone.now()} if state == State.REFUSED else {}
    try:
        _finish(run, state, reason=reason[:500], **refused)
    except LeaseLost:
        return
    if state == State.REFUSED:
        ImportPart.objects.filter(run=run).delete()


# -- reading -----------------------------------------------------------------------------------------------------------


def _read(run: ImportRun) -> None:
    octets = vault.unseal(bytes(ImportUpload.objects.get(run=run).sealed), run.seal_context)
    table, left_out = without_secrets(_table(run, octets))
    _drop(run, ImportPart)
    total = 0
    rows = iter(table.rows)
    while chunk := list(islice(rows, CHUNK)):
        total += len(chunk)
        if total > settings.IMPORT_MAX_ROWS:
            raise ImportRefusedError(f"More than {settings.IMPORT_MAX_ROWS} rows: import it in parts.")
        with transaction.atomic():
            _renew(run, total)
            number = total - len(chunk)
            ImportPart.objects.create(run=run, number=number, rows=[_as_stored(row) for row in chunk])
    if not total:
        raise ImportRefusedError("There are headings, and no row below them.")
    headings = [storable(heading) for heading in table.headings]
    findings = {
        "notes": [storable(note) for note in table.notes],
        "sheets": [storable(sheet) for sheet in table.sheets],
        "sheet": storable(table.sheet),
        "encoding": table.encoding,
        "left_out": {str(number): why for number, why in left_out.items()},
    }
    found = {"headings": headings, "headings_print": headings_print(headings), "findings": findings, "total": total}
    mapping = _mapping_of_before(run, headings, left_out) or guess(headings, left_out)
    _finish(run, State.MAPPING, mapping=mapping, reason="", **found)


def _table(run: ImportRun, octets: bytes) -> Table:
    if run.kind == ImportRun.Kind.XLSX:
        return read_workbook(octets, sheet=run.options.get("sheet", ""))
    encoding = "utf-8" if run.kind == ImportRun.Kind.PASTE else run.options.get("encoding") or "auto"
    return read_text(octets, encoding=encoding, delimiter=run.options.get("delimiter", ""))


def _as_stored(row: TableRow) -> list[Any]:
    return [row.number, [storable(cell) for cell in row.cells], row.types, row.fault]


def _mapping_of_before(run: ImportRun, headings: list[str], left_out: Mapping[int, str]) -> dict[str, int]:
    """What this person chose for the same headings the last time."""
    before = ImportRun.objects.filter(user=run.user, headings_print=headings_print(headings)).exclude(pk=run.pk)
    mapping = before.exclude(mapping={}).order_by("-pk").values_list("mapping", flat=True).first() or {}
    return {key: number for key, number in mapping.items() if number not in left_out}


def _drop(run: ImportRun, model: type[ImportPart] | type[ImportRow]) -> None:
    """What an earlier worker left."""
    with transaction.atomic():
        _renew(run, 0)
        model.objects.filter(run=run).delete()


def _parts(run: ImportRun) -> Iterator[list[TableRow]]:
    for pk in ImportPart.objects.filter(run=run).order_by("number").values_list("pk", flat=True):
        yield [TableRow(*row) for row in ImportPart.objects.values_list("rows", flat=True).get(pk=pk)]


# -- the dry run -------------------------------------------------------------------------------------------------------


def _check(run: ImportRun) -> None:
    _drop(run, ImportRow)
    reader = RowReader(run.mapping, clear=bool(run.options.get("clear")))
    planner, counts, done = Planner(run.user), Counter[str](), 0
    for part in _parts(run):
        rows = _checked(run, reader, planner, part)
        counts.update(row.outcome for row in rows)
        done += len(rows)
        with transaction.atomic():
            _renew(run, done)
            ImportRow.objects.bulk_create(rows, batch_size=CHUNK)
    for (kind, host, port), reason in planner.refused_targets.items():
        record_refusal(
            user=run.user, kind=kind, host=host, port=port, reason=reason.value, where=RefusedTarget.Where.LINE
        )
    _finish(
        run,
        State.CHECKED,
        created_count=counts[Outcome.CREATED],
        updated_count=counts[Outcome.UPDATED],
        unchanged_count=counts[Outcome.UNCHANGED],
        faulty_count=counts[Outcome.FAULTY],
    )


def _checked(run: ImportRun, reader: RowReader, planner: Planner, part: list[TableRow]) -> list[ImportRow]:
    found: dict[int, ImportRow] = {}
    good = []
    for row in part:
        values, faults, warnings = reader.read(row)
        found[row.number] = ImportRow(
            run=run, number=row.number, faults=faults, warnings=warnings, outcome=Outcome.FAULTY
        )
        if not faults:
            good.append((row.number, values))
        elif "serial_number" in values:
            planner.notice(values["serial_number"], row.number)
    for planned in planner.plan(good):
        each = found[planned.number]
        each.outcome, each.values, each.fields = planned.outcome, dict(planned.values), planned.fields
        each.label = planned.label
        each.faults, each.warnings = planned.faults, [*each.warnings, *planned.warnings]
    for row in part:
        if (each := found[row.number]).outcome == Outcome.FAULTY:
            each.cells, each.values, each.label = list(row.cells), {}, label_of(row.cells, run.mapping)
    return list(found.values())


# -- writing -----------------------------------------------------------------------------------------------------------


def _apply(run: ImportRun) -> None:
    try:
        with new_request() as request_id, transaction.atomic():
            locked = ImportRun.objects.select_for_update().get(pk=run.pk)
            if (locked.epoch, locked.state) != (run.epoch, run.state):
                raise LeaseLost
            locked.request_id = request_id
            _write_all(locked)
            ImportPart.objects.filter(run=run).delete()
            ImportUpload.objects.filter(run=run).delete()
            _finish(run, State.APPLIED, request_id=request_id, finished=timezone.now(), reason="", done=run.total)
    except (InventoryChanged, IntegrityError) as error:
        reason = str(error) if isinstance(error, InventoryChanged) else str(InventoryChanged("The inventory"))
        _finish(run, State.CHECKING, reason=reason[:500])
        work_on(run.pk)


def _write_all(run: ImportRun) -> None:
    planner = Planner(run.user, lock=True)
    writer = Writer(run, planner, run.user)
    waiting = run.rows.filter(outcome__in=TO_WRITE).order_by("number")
    last = 0
    while rows := list(waiting.filter(number__gt=last)[:CHUNK]):
        planned = planner.plan([(row.number, row.values) for row in rows])
        for row, each in zip(rows, planned, strict=True):
            if each.outcome != row.outcome or _folded(each) != _folded(row):
                raise InventoryChanged(row.label)
        writer.write(planned)
        last = rows[-1].number


def _folded(row: Planned | ImportRow) -> dict[str, Any]:
    """What is compared: of a new tag it is the first row that decides how it is spelled."""
    return {
        name: [sorted(tag.lower() for tag in tags or ()) for tags in pair] if name == "tags" else list(pair)
        for name, pair in row.fields.items()
    }


# -- undo --------------------------------------------------------------------------------------------------------------


def _undo(run: ImportRun) -> None:
    users = get_user_model()._default_manager
    undo_run(run=run, user=users.filter(pk=run.options.get("undo_user")).first())


WORK: Mapping[ImportRun.State, Callable[[ImportRun], None]] = {
    State.READING: _read,
    State.CHECKING: _check,
    State.APPLYING: _apply,
    State.UNDOING: _undo,
}
