"""Imports: what came in, what a dry run found in it, and what an undo needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import DateTimeField, ExpressionWrapper, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

LEASE_SECONDS = 60.0


def import_lease_end() -> ExpressionWrapper[Any]:
    """When a lease that is given now runs out, by the database's clock."""
    return ExpressionWrapper(Now() + timedelta(seconds=LEASE_SECONDS), output_field=DateTimeField())


class ImportRun(models.Model):
    """One file, or one pasted text, on its way into the inventory.

        READING -> MAPPING -> CHECKING -> CHECKED -> APPLYING -> APPLIED -> UNDOING -> UNDONE
                     ^           |          |
                     +-- again --+----------+            what cannot be read ends as REFUSED, with the reason

    In `WORKING` somebody has to do something: whoever holds the lease. Kind GXC begins as APPLIED.
    """

    class Kind(models.TextChoices):
        CSV = "CSV", "CSV"
        XLSX = "XLSX", "XLSX"
        PASTE = "PASTE", "Pasted"
        GXC = "GXC", "GXDLMSDirector"

    class State(models.TextChoices):
        READING = "READING", "Being read"
        MAPPING = "MAPPING", "Columns to choose"
        CHECKING = "CHECKING", "Being checked"
        CHECKED = "CHECKED", "Checked, not imported"
        APPLYING = "APPLYING", "Being imported"
        APPLIED = "APPLIED", "Imported"
        UNDOING = "UNDOING", "Being undone"
        UNDONE = "UNDONE", "Undone"
        REFUSED = "REFUSED", "Refused"

    WORKING = (State.READING, State.CHECKING, State.APPLYING, State.UNDOING)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="imports")
    user_name = models.CharField(max_length=150, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    state = models.CharField(max_length=8, choices=State.choices, default=State.READING)
    name = models.CharField(max_length=200, blank=True, help_text="The file's name, without a path.")
    reason = models.CharField(max_length=500, blank=True, help_text="Why it was refused, or did not go on.")
    options = models.JSONField(
        default=dict, help_text="What the user chose: encoding, sheet, what an empty cell means."
    )
    findings = models.JSONField(default=dict, help_text="What was found in the file: encoding, sheets, warnings.")
    headings = models.JSONField(default=list)
    headings_print = models.CharField(max_length=64, blank=True, help_text="A hash: files with the same headings.")
    mapping = models.JSONField(default=dict, help_text="By our column the number of theirs.")
    good_only = models.BooleanField(default=False, help_text="The good rows are imported though others are faulty.")
    message = models.CharField(max_length=500, blank=True, help_text="What the change log says with each entry.")
    total = models.PositiveIntegerField(default=0, help_text="Rows that hold something.")
    done = models.PositiveIntegerField(default=0, help_text="Rows that the present work is through with.")
    created_count = models.PositiveIntegerField(default=0)
    updated_count = models.PositiveIntegerField(default=0)
    unchanged_count = models.PositiveIntegerField(default=0)
    faulty_count = models.PositiveIntegerField(default=0)
    request_id = models.CharField(max_length=32, blank=True, db_index=True)
    created = models.DateTimeField(default=timezone.now)
    finished = models.DateTimeField(null=True, blank=True, help_text="When it was imported, or refused.")
    undone = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=150, blank=True)
    undo_request_id = models.CharField(max_length=32, blank=True)
    undone_count = models.PositiveIntegerField(default=0)
    kept_count = models.PositiveIntegerField(default=0, help_text="Rows that the undo had to leave as they are.")
    epoch = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Workers that took up the present work.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["lease_until"],
                name="import_to_work_on",
                condition=Q(state__in=["READING", "CHECKING", "APPLYING", "UNDOING"]),
            )
        ]

    def __str__(self) -> str:
        return f"import {self.pk}: {self.name or self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("meters:import_detail", args=[self.pk])

    @property
    def shape(self) -> str:
        """The state of a session that looks the same on a page: one set of shapes and colours for all."""
        if self.is_working:
            return "RUNNING"
        return {"APPLIED": "DONE", "UNDONE": "CANCELLED", "REFUSED": "FAILED"}.get(self.state, "QUEUED")

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    @property
    def seal_context(self) -> tuple[Any, ...]:
        """Where the sealed upload belongs."""
        return ("meters_importupload", self.pk, "sealed")


class ImportUpload(models.Model):
    """The octets that came, sealed until a worker read them: a column with keys may be among them."""

    run = models.OneToOneField(ImportRun, models.CASCADE, related_name="upload")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"upload of {self.run_id}"


class ImportPart(models.Model):
    """Some hundred rows as they were read, without columns that hold keys: `[[number, [cell, …]], …]`."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    rows = models.JSONField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_part_unique")]

    def __str__(self) -> str:
        return f"part {self.number} of {self.run_id}"


class ImportRow(models.Model):
    """What the dry run found in one row, and what would become of its meter."""

    class Outcome(models.TextChoices):
        CREATED = "CREATED", "New"
        UPDATED = "UPDATED", "Changed"
        UNCHANGED = "SAME", "Unchanged"
        FAULTY = "FAULTY", "Faulty"

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(help_text="The row's number in the file, its headings counted.")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    label = models.CharField(max_length=64, blank=True, help_text="The serial number.")
    values = models.JSONField(default=dict, help_text="By our column what the row says; faulty rows: none.")
    cells = models.JSONField(default=list, help_text="Faulty rows: as they were.")
    faults = models.JSONField(default=list, help_text="[[column, value, why], …]")
    warnings = models.JSONField(default=list, help_text="[[column, value, why], …]")
    fields = models.JSONField(default=dict, help_text="By field before and after, as in the change log.")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_row_unique")]
        indexes = [models.Index(fields=["run", "outcome", "number"], name="import_row_by_outcome")]

    def __str__(self) -> str:
        return f"row {self.number} of {self.run_id}"


class ImportRecord(models.Model):
    """What an undo needs of some hundred rows: `[[row, label, model, id, before], …]`; `before` is null for what was made.

    `kept` is what an undo left as it is: `[[row, label, why], …]`.
    """

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="records")
    number = models.PositiveIntegerField()
    objects_touched = models.JSONField()
    kept = models.JSONField(default=list)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="import_record_unique")]

    def __str__(self) -> str:
        return f"records {self.number} of {self.run_id}"
