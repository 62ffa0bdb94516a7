"""Slots of secrets with their sealed versions, and the counters that go with keys.

A secret is never a column: a `MeterKey` is a slot, its `KeyVersion`s are sealed by the vault and append-only (triggers in the
database refuse to change or delete one).
"""

from __future__ import annotations

from typing import Any

from django.db import models

from meters.models.associations import Association
from meters.models.inventory import Meter


class DataKey(models.Model):
    """The vault's data key, wrapped by the master key (RFC 3394). Rotating the master key wraps it anew."""

    wrapped = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"data key {self.pk}"


class MeterKey(models.Model):
    """A slot for a secret of a meter, or of one of its associations. `proven` is the version the meter accepted last."""

    class Slot(models.TextChoices):
        GUEK = "GUEK", "Global unicast encryption key"
        GAK = "GAK", "Global authentication key"
        GBEK = "GBEK", "Global broadcast encryption key"
        LLS_SECRET = "LLS_SECRET", "Password"
        HLS_SECRET = "HLS_SECRET", "High-level secret"
        DEDICATED_KEY = "DEDICATED_KEY", "Dedicated key"
        SIGNING_KEY = "SIGNING_KEY", "Client's private signing key"
        PEER_SIGNING_KEY = "PEER_SIGNING_KEY", "Meter's public signing key"

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="keys")
    association = models.ForeignKey(Association, models.PROTECT, null=True, blank=True, related_name="keys")
    slot = models.CharField(max_length=16, choices=Slot.choices)
    proven = models.ForeignKey("KeyVersion", models.PROTECT, null=True, blank=True, related_name="+", editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter", "association", "slot"], name="meter_key_of_association"),
            models.UniqueConstraint(
                fields=["meter", "slot"], condition=models.Q(association=None), name="meter_key_of_meter"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_slot_display()} of {self.meter.serial_number}"

    @property
    def current(self) -> KeyVersion | None:
        """The version to use: the newest that is not retired."""
        found = [version for version in self.versions.all() if version.state != KeyVersion.State.RETIRED]
        return max(found, key=lambda version: version.number, default=None)


class KeyVersion(models.Model):
    """One value that a slot has had: sealed, append-only. `state` is the only column that may change."""

    class State(models.TextChoices):
        CANDIDATE = "CANDIDATE", "Not proven yet"
        PROVEN = "PROVEN", "Proven"
        RETIRED = "RETIRED", "Retired"

    key = models.ForeignKey(MeterKey, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    fingerprint = models.CharField(max_length=64, db_index=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CANDIDATE)
    origin = models.CharField(max_length=200, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["key", "number"]
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="key_version_unique")]

    def __str__(self) -> str:
        return f"version {self.number}, {self.short_fingerprint}"

    def __repr__(self) -> str:
        return f"<KeyVersion {self.pk}: {self.short_fingerprint}>"

    @property
    def short_fingerprint(self) -> str:
        """Enough to tell two keys apart on a page; it does not lead back to the key."""
        return self.fingerprint[:8]

    @property
    def seal_context(self) -> tuple[Any, ...]:
        """Where the sealed value belongs: a copy in another row does not open."""
        return ("meters_keyversion", self.key_id, self.number, "sealed")


class InvocationCounter(models.Model):
    """The next invocation counter of one key under one system title. It only ever grows.

    The key is named by its fingerprint, not by a row: a nonce must not repeat under the same octets, whichever meters,
    versions and drafts hold them.
    """

    fingerprint = models.CharField(max_length=64)
    system_title = models.CharField(max_length=16)
    next_value = models.BigIntegerField()
    doubtful = models.BooleanField(default=False, help_text="Ask the meter before the next association.")
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["fingerprint", "system_title"], name="invocation_counter_unique"),
            models.CheckConstraint(condition=models.Q(next_value__gte=0), name="invocation_counter_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.system_title}: {self.next_value}"
