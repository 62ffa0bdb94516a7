"""OBIS catalogs: what is known of the objects of a meter type's meters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models

from meters.catalogs.facts import (
    ObjectFacts,
    capture_objects_text,
    limit_text,
    parse_capture_objects,
)
from meters.catalogs.rights import rights_from_json, rights_to_json
from meters.cosem.interface_class import class_name
from meters.cosem.obis import ObisCode
from meters.models.inventory import Meter
from meters.models.meter_types import MeterType


class CatalogObject(models.Model):
    """What a type's catalog says of one object: the columns of `ObjectFacts`, which is what everybody works with.

    Limits are text, for they are exact; `octets` is the logical name in hex, which sorts as codes do.
    """

    meter_type = models.ForeignKey(MeterType, models.CASCADE, related_name="catalog")
    class_id = models.PositiveIntegerField()
    octets = models.CharField(max_length=12)
    logical_name = models.CharField(max_length=23)
    version = models.PositiveSmallIntegerField(null=True, blank=True)
    title = models.CharField(max_length=200, blank=True)
    scaler = models.SmallIntegerField(null=True, blank=True)
    unit = models.PositiveSmallIntegerField(null=True, blank=True)
    low = models.CharField(max_length=40, blank=True)
    high = models.CharField(max_length=40, blank=True)
    group = models.CharField(max_length=60, blank=True)
    rights = models.JSONField(default=dict, blank=True)
    base_name = models.PositiveIntegerField(null=True, blank=True)
    capture_objects = models.TextField(blank=True)
    note = models.CharField(max_length=500, blank=True)
    origin = models.CharField(max_length=200, blank=True, help_text="Who or what said this last.")
    learned_from = models.ForeignKey(Meter, models.SET_NULL, null=True, blank=True, related_name="+")
    """The meter whose object list said it last; None where a person or a file did."""
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["octets", "class_id"]
        constraints = [
            models.UniqueConstraint(fields=["meter_type", "octets", "class_id"], name="catalog_object_unique")
        ]
        indexes = [models.Index(fields=["octets"], name="catalog_object_by_code")]

    def __str__(self) -> str:
        return f"{self.reference} of {self.meter_type}"

    @property
    def logged_as(self) -> int:
        """The change log keeps a catalog's entries under its type."""
        return self.meter_type_id

    @property
    def reference(self) -> str:
        """`3/1-0:1.8.0*255`."""
        return f"{self.class_id}/{self.logical_name}"

    @property
    def class_name(self) -> str:
        return class_name(self.class_id)

    @property
    def code(self) -> ObisCode:
        return ObisCode.from_octets(bytes.fromhex(self.octets))

    @property
    def facts(self) -> ObjectFacts:
        """All of it, as it was given."""
        return ObjectFacts(
            class_id=self.class_id,
            logical_name=self.code,
            version=self.version,
            title=self.title,
            scaler=self.scaler,
            unit=self.unit,
            low=Decimal(self.low) if self.low else None,
            high=Decimal(self.high) if self.high else None,
            group=self.group,
            rights=rights_from_json(self.rights),
            base_name=self.base_name,
            capture_objects=parse_capture_objects(self.capture_objects),
            note=self.note,
        )

    @facts.setter
    def facts(self, facts: ObjectFacts) -> None:
        for name, value in columns_of(facts).items():
            setattr(self, name, value)


def columns_of(facts: ObjectFacts) -> dict[str, Any]:
    """The values of the columns that hold facts, by name."""
    return {
        "class_id": facts.class_id,
        "octets": facts.logical_name.octets.hex(),
        "logical_name": str(facts.logical_name),
        "version": facts.version,
        "title": facts.title,
        "scaler": facts.scaler,
        "unit": facts.unit,
        "low": limit_text(facts.low),
        "high": limit_text(facts.high),
        "group": facts.group,
        "rights": rights_to_json(facts.rights),
        "base_name": facts.base_name,
        "capture_objects": capture_objects_text(facts.capture_objects),
        "note": facts.note,
    }
