"""Meters, the batches they came in, the words on them and what was written about them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse

from meters.models.associations import Association
from meters.models.framing import Framing as FramingChoices
from meters.models.lines import Line
from meters.models.meter_types import MeterType
from meters.models.validators import DEVICE_ADDRESS, NAME, SYSTEM_TITLE, TAG_NAME


class Batch(models.Model):
    """Meters that came together and are judged together; of one type, where it names one."""

    name = models.CharField(max_length=100, unique=True, validators=[NAME])
    meter_type = models.ForeignKey(MeterType, models.SET_NULL, null=True, blank=True, related_name="batches")
    notes = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("meters:batch_detail", args=[self.pk])


class Tag(models.Model):
    """A word that people put on meters. Two words that differ in case only are one."""

    name = models.CharField(max_length=50, validators=[TAG_NAME])

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tag_name_unique")]

    def __str__(self) -> str:
        return self.name


class Meter(models.Model):
    """One meter of the inventory and its place on a line."""

    class State(models.TextChoices):
        RECEIVED = "RECEIVED", "Received"
        IN_TEST = "IN_TEST", "In test"
        COMMISSIONED = "COMMISSIONED", "Commissioned"
        IN_FIELD = "IN_FIELD", "In the field"
        FAULTY = "FAULTY", "Faulty"
        RETIRED = "RETIRED", "Retired"

    Framing = FramingChoices

    serial_number = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True)
    meter_type = models.ForeignKey(MeterType, models.SET_NULL, null=True, blank=True, related_name="meters")
    line = models.ForeignKey(Line, models.PROTECT, related_name="meters")
    framing = models.CharField(max_length=8, choices=Framing.choices, default=Framing.WRAPPER)
    physical_address = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(0x3FFF)], help_text="HDLC: the lower address."
    )
    address_octets = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=[(1, "1"), (2, "2"), (4, "4")], help_text="HDLC; empty: what the addresses need."
    )
    max_info = models.PositiveIntegerField(default=128, validators=[MinValueValidator(32), MaxValueValidator(2030)])
    window = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(7)])
    disconnect_first = models.BooleanField(
        default=False, help_text="HDLC: a DISC before the SNRM, for meters that keep an old link."
    )
    reverse_deviation = models.BooleanField(
        default=False, help_text="Its date-times count the deviation from UTC to local time, against the standard."
    )
    sign_on_address = models.CharField(
        max_length=32,
        blank=True,
        validators=[DEVICE_ADDRESS],
        help_text="Mode E: the device address; empty: whoever is there.",
    )
    initial_baud = models.PositiveIntegerField(default=300, help_text="Mode E: the speed of the sign-on.")
    max_baud = models.PositiveIntegerField(default=19200, help_text="Mode E: no higher speed is proposed.")
    parity_in_octets = models.BooleanField(default=False, help_text="Mode E: the line is fixed at 8 data bits.")
    server_system_title = models.CharField(max_length=16, blank=True, validators=[SYSTEM_TITLE])
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="meters")
    tags = models.ManyToManyField(Tag, blank=True, related_name="meters")
    location = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)
    search_text = models.TextField(blank=True, default="", editable=False)
    """What the search looks at, in small letters, a blank before each word: one column, for an index to serve all words."""

    class Meta:
        ordering = ["serial_number"]
        indexes = [
            models.Index(fields=[name, "serial_number"], name=f"meter_by_{name}")
            for name in ("state", "batch", "meter_type", "framing", "name", "location", "last_seen")
        ]

    def __str__(self) -> str:
        return f"{self.serial_number} {self.name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.words_to_search()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("meters:meter_detail", args=[self.pk])

    def words_to_search(self) -> str:
        """Serial number, name, location, type and line as `search_text` has them."""
        line = self.line
        parts = (self.serial_number, self.name, self.location, self.meter_type, line.name, line.host, line.serial_port)
        return f" {' '.join(str(part) for part in parts if part)}".lower()

    def clean(self) -> None:
        if not self.speaks_hdlc or self.physical_address is None:
            return
        if self.address_octets == 1:
            raise ValidationError({"address_octets": "One octet has no room for a physical address: choose 2 or 4."})
        if self.address_octets == 2 and self.physical_address > 0x7F:
            raise ValidationError({"address_octets": "Two octets hold a physical address up to 127: choose 4."})

    @property
    def speaks_hdlc(self) -> bool:
        """Whether APDUs travel in HDLC frames, with a sign-on before them or without."""
        return self.framing in (self.Framing.HDLC, self.Framing.MODE_E)

    @property
    def line_address(self) -> str:
        """The line's address where only one may talk at a time (serial, HDLC); empty on a wrapper endpoint."""
        exclusive = self.line.is_serial or self.speaks_hdlc
        return self.line.address if exclusive else ""

    @property
    def default_association(self) -> Association | None:
        """The association that is meant to be opened, else the first."""
        found = sorted(self.associations.all(), key=lambda association: (not association.is_default, association.pk))
        return found[0] if found else None


class CommentFields(models.Model):
    """What somebody wrote. It is never changed, only answered."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150, blank=True)
    text = models.TextField(max_length=5000, validators=[MaxLengthValidator(5000)])
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.user_name}: {self.text[:60]}"


class Comment(CommentFields):
    """A comment on a meter."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="comments")

    class Meta:
        ordering = ["-pk"]
