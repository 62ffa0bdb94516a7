"""Import runs: what is being worked on, and where an upload is sealed to."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from meters.models import ImportRecord, ImportRow, ImportRun, ImportUpload

State = ImportRun.State


@pytest.mark.parametrize("state", State)
def test_only_work_that_is_wanted_is_work(state: str) -> None:
    assert ImportRun(state=state).is_working == (state in ("READING", "CHECKING", "APPLYING", "UNDOING"))


@pytest.mark.django_db
class TestImportRun:
    def test_its_name_is_the_files_or_its_kinds(self) -> None:
        run = ImportRun.objects.create(kind=ImportRun.Kind.PASTE)
        assert str(run) == f"import {run.pk}: Pasted"
        run.name = "meters.csv"
        assert str(run) == f"import {run.pk}: meters.csv"

    def test_an_upload_is_sealed_for_its_run(self) -> None:
        first, second = (ImportRun.objects.create(kind=ImportRun.Kind.CSV) for _ in range(2))
        assert first.seal_context != second.seal_context
        assert str(ImportUpload(run=first)) == f"upload of {first.pk}"

    @pytest.mark.parametrize(
        ("model", "values"),
        [(ImportRow, {"number": 2, "outcome": "FAULTY"}), (ImportRecord, {"number": 0, "objects_touched": []})],
    )
    def test_no_row_is_there_twice(self, model, values) -> None:
        run = ImportRun.objects.create(kind=ImportRun.Kind.CSV)
        made = model.objects.create(run=run, **values)
        assert str(run.pk) in str(made)
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.create(run=run, **values)
