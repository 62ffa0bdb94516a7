"""Jobs, sessions, their steps, and what was recorded: frames and profile entries.

The rows own the work: a worker that holds a session's lease carries the session's `epoch`, and everything it writes is fenced by
it. A message to a worker or to a browser is only a doorbell.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from meters.models import Association, Line, Meter


class Job(models.Model):
    """What somebody asked for: here one session, or a test of a draft."""

    class Kind(models.TextChoices):
        SESSION = "SESSION", "Session"
        TEST = "TEST", "Connection test"
        LINE = "LINE", "Line test"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.SESSION)
    label = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.label or f"job {self.pk}"


class DlmsSession(models.Model):
    """One association with one meter: an actor with a mailbox of steps and a trace of frames."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", "Queued"
        OPENING = "OPENING", "Opening"
        OPEN = "OPEN", "Open"
        CLOSING = "CLOSING", "Closing"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"
        ERRORED = "ERRORED", "Error in the workbench"
        CANCELLED = "CANCELLED", "Cancelled"
        LOST = "LOST", "Lost"

    class Purpose(models.TextChoices):
        INTERACTIVE = "INTERACTIVE", "Interactive"
        TEST = "TEST", "Connection test"
        LINE = "LINE", "Line test"

    TESTS = (Purpose.TEST, Purpose.LINE)
    LIVE = (State.QUEUED, State.OPENING, State.OPEN, State.CLOSING)
    RUNNING = (State.OPENING, State.OPEN, State.CLOSING)

    job = models.ForeignKey(Job, models.CASCADE, related_name="sessions")
    meter = models.ForeignKey(Meter, models.SET_NULL, null=True, blank=True, related_name="sessions")
    association = models.ForeignKey(Association, models.SET_NULL, null=True, blank=True, related_name="sessions")
    line = models.ForeignKey(Line, models.SET_NULL, null=True, blank=True, related_name="sessions")
    tested_meter = models.ForeignKey(
        Meter,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="tests",
        help_text="A test: the meter whose draft it tries.",
    )
    label = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED, db_index=True)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.INTERACTIVE)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="dlms_sessions")
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)
    waiting_reason = models.CharField(max_length=200, blank=True, help_text="Why a queued session does not start.")
    error = models.JSONField(null=True, blank=True, help_text="{layer, code, message, hint}")
    negotiated = models.JSONField(null=True, blank=True)
    quirks = models.JSONField(default=list, blank=True, help_text="Quirks in force: {name, value, origin, quirk}")
    context = models.JSONField(default=dict, blank=True, help_text="System titles and key versions, for the inspector.")
    line_address = models.CharField(
        max_length=300, blank=True, db_index=True, help_text="Of a line where only one may talk; else empty."
    )
    cancel_requested = models.BooleanField(default=False)
    close_requested = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True, db_index=True)
    epoch = models.PositiveIntegerField(default=0, help_text="Fencing token: one higher for each claim.")
    last_seq = models.PositiveIntegerField(default=0)
    draft = models.BinaryField(null=True, blank=True, help_text="Sealed: a meter that is not saved yet.")

    class Meta:
        ordering = ["-created", "-pk"]
        verbose_name = "DLMS session"
        indexes = [models.Index(fields=["opened_by", "-created"], name="session_of_user")]

    def __str__(self) -> str:
        return self.label or f"session {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("sessions:session_detail", args=[self.pk])

    @property
    def is_live(self) -> bool:
        """Whether it still can change: queued, opening, open or closing."""
        return self.state in self.LIVE

    @property
    def draft_context(self) -> tuple[object, ...]:
        """Where the sealed draft belongs."""
        return ("dlms_sessions_dlmssession", self.pk, "draft")


class LineLease(models.Model):
    """Who talks on a line where only one may: a serial port, an HDLC line. `address` is `meters.Line.address`."""

    address = models.CharField(max_length=300, unique=True)
    session = models.ForeignKey(DlmsSession, models.SET_NULL, null=True, related_name="line_leases")
    epoch = models.PositiveIntegerField(default=0, help_text="The holder's epoch.")
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.address


class Step(models.Model):
    """One thing to do in a session."""

    class Kind(models.TextChoices):
        READ = "READ", "Read"
        READ_PROFILE = "READ_PROFILE", "Read profile"
        WRITE = "WRITE", "Write"
        INVOKE = "INVOKE", "Invoke"

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        RUNNING = "RUNNING", "Running"
        DONE = "DONE", "Done"
        FAILED = "FAILED", "Failed"
        ERRORED = "ERRORED", "Error in the workbench"
        CANCELLED = "CANCELLED", "Cancelled"
        UNCERTAIN = "UNCERTAIN", "Uncertain"

    SIDE_EFFECTS = (Kind.WRITE, Kind.INVOKE)
    UNFINISHED = (State.WAITING, State.RUNNING)

    session = models.ForeignKey(DlmsSession, models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    title = models.CharField(max_length=200, blank=True)
    parameters = models.JSONField(default=dict)
    sealed = models.BinaryField(
        null=True, blank=True, help_text="Sealed: the secret that is to be sent, until the step has ended."
    )
    state = models.CharField(max_length=12, choices=State.choices, default=State.WAITING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    result = models.JSONField(null=True, blank=True)
    error = models.JSONField(null=True, blank=True, help_text="{layer, code, message, hint}")
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(null=True, blank=True)
    columns = models.JSONField(default=list, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True)
    ended = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["session", "number"]
        constraints = [models.UniqueConstraint(fields=["session", "number"], name="step_number_unique")]

    def __str__(self) -> str:
        return f"{self.number}. {self.title or self.get_kind_display()}"

    @property
    def seal_context(self) -> tuple[object, ...]:
        """Where the sealed value belongs."""
        return ("dlms_sessions_step", self.pk, "sealed")


class Frame(models.Model):
    """Octets that passed the line, secrets masked, in the order in which they passed."""

    class Direction(models.TextChoices):
        SENT = "SENT", "sent"
        RECEIVED = "RECEIVED", "received"
        DISCARDED = "DISCARDED", "discarded"

    session = models.ForeignKey(DlmsSession, models.CASCADE, related_name="frames")
    seq = models.PositiveIntegerField()
    time = models.DateTimeField()
    direction = models.CharField(max_length=10, choices=Direction.choices)
    octets = models.BinaryField()
    summary = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=300, blank=True)
    apdu_first_seq = models.PositiveIntegerField(
        null=True, blank=True, help_text="The frame to begin with when this one is opened."
    )

    class Meta:
        ordering = ["session", "seq"]
        constraints = [models.UniqueConstraint(fields=["session", "seq"], name="frame_seq_unique")]

    def __str__(self) -> str:
        return f"#{self.seq} {self.direction} {self.summary}"


class ProfileEntry(models.Model):
    """One row of a profile, as it came out of the meter's buffer."""

    step = models.ForeignKey(Step, models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField()
    time = models.DateTimeField(null=True, blank=True)
    values = models.JSONField(help_text="One value a column: a number, a text or null.")

    class Meta:
        ordering = ["step", "number"]
        verbose_name_plural = "profile entries"
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="profile_entry_unique")]

    def __str__(self) -> str:
        return f"entry {self.number}"
