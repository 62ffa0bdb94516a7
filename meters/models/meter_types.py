"""Maker, model, and what all meters of a type have in common."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse

from meters.models.framing import Framing
from meters.models.lines import Line
from meters.models.validators import FLAG_CODE, NAME

DAYS = 24 * 60
"""Minutes."""


class LineDefaults(models.Model):
    """Where and how meters of a type are reached, by the names that the fields have in `Meter` and `Line`; empty: it varies."""

    framing = models.CharField(max_length=8, choices=Framing.choices, blank=True)
    physical_address = models.PositiveIntegerField(null=True, blank=True, validators=[MaxValueValidator(0x3FFF)])
    address_octets = models.PositiveSmallIntegerField(null=True, blank=True, choices=[(1, "1"), (2, "2"), (4, "4")])
    max_info = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(32), MaxValueValidator(2030)]
    )
    window = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(7)]
    )
    initial_baud = models.PositiveIntegerField(null=True, blank=True)
    max_baud = models.PositiveIntegerField(null=True, blank=True)
    baud = models.PositiveIntegerField(null=True, blank=True)
    data_bits = models.PositiveSmallIntegerField(null=True, blank=True, choices=[(7, "7"), (8, "8")])
    parity = models.CharField(max_length=1, choices=Line.Parity.choices, blank=True)
    stop_bits = models.PositiveSmallIntegerField(null=True, blank=True, choices=[(1, "1"), (2, "2")])

    class Meta:
        abstract = True


class MeterType(LineDefaults):
    """Maker, model and what it measures; how such meters are reached and let in to; what they do not bear.

    The fields of a `Meter` and of its associations stay the truth of that meter: a type is what a new one begins with. What a
    type says of lock-outs, writes and quirks holds for all of its meters at once.
    """

    class Medium(models.TextChoices):
        ELECTRICITY = "ELECTRICITY", "Electricity"
        GAS = "GAS", "Gas"
        WATER = "WATER", "Water"
        HEAT = "HEAT", "Heat"
        COOLING = "COOLING", "Cooling"
        ALLOCATOR = "ALLOCATOR", "Heat cost allocator"
        OTHER = "OTHER", "Other"

    manufacturer = models.CharField(max_length=100, blank=True)
    flag_code = models.CharField(max_length=3, blank=True, validators=[FLAG_CODE])
    model = models.CharField(max_length=100, validators=[NAME])
    firmware = models.CharField(max_length=100, blank=True)
    medium = models.CharField(max_length=12, choices=Medium.choices, default=Medium.ELECTRICITY)
    notes = models.TextField(blank=True)

    lockout_attempts = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    lockout_window = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(366 * DAYS)]
    )
    lockout_minutes = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(366 * DAYS)]
    )
    """Wrong secrets that it bears within so many minutes; for how many minutes it lets nobody in after one more."""
    writes_a_day = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    writes_in_total = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    """Writes that one attribute of one meter bears."""

    class Meta:
        ordering = ["manufacturer", "model", "firmware"]
        constraints = [
            models.UniqueConstraint(fields=["manufacturer", "model", "firmware"], name="meter_type_unique"),
        ]

    def __str__(self) -> str:
        firmware = f" ({self.firmware})" if self.firmware else ""
        return f"{self.manufacturer} {self.model}{firmware}".strip()

    def get_absolute_url(self) -> str:
        return reverse("meters:type_detail", args=[self.pk])

    def clean(self) -> None:
        rule = ("lockout_attempts", "lockout_window", "lockout_minutes")
        missing = [name for name in rule if getattr(self, name) is None]
        if missing and len(missing) < len(rule):
            raise ValidationError(dict.fromkeys(missing, "A lock-out rule needs all three numbers."))
        if self.address_octets == 1 and self.physical_address is not None:
            raise ValidationError({"address_octets": "One octet has no room for a physical address: choose 2 or 4."})
        if self.address_octets == 2 and (self.physical_address or 0) > 0x7F:
            raise ValidationError({"address_octets": "Two octets hold a physical address up to 127: choose 4."})

    @property
    def locks_out(self) -> bool:
        """Whether a rule says when it locks out."""
        return self.lockout_attempts is not None
