"""Maker, model, and what all meters of a type have in common."""

from __future__ import annotations

from django.db import models


class MeterType(models.Model):
    """Maker, model and what it measures."""

    class Medium(models.TextChoices):
        ELECTRICITY = "ELECTRICITY", "Electricity"
        GAS = "GAS", "Gas"
        WATER = "WATER", "Water"
        HEAT = "HEAT", "Heat"
        OTHER = "OTHER", "Other"

    manufacturer = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=100)
    medium = models.CharField(max_length=12, choices=Medium.choices, default=Medium.ELECTRICITY)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["manufacturer", "model"]
        constraints = [models.UniqueConstraint(fields=["manufacturer", "model"], name="meter_type_unique")]

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.model}".strip()
