"""Who changed what, and when."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Change(models.Model):
    """One entry of the change log, written by `meters.changes` in the transaction of what it tells of. Append-only, by triggers.

    `fields` holds, by field, the value before and the value after. Of a secret it says slot, version number and fingerprint.
    `user_name` stays when the user is deleted; it is empty where the workbench itself did it.
    """

    class Action(models.TextChoices):
        CREATE = "CREATE", "created"
        UPDATE = "UPDATE", "changed"
        DELETE = "DELETE", "deleted"

    class Kind(models.TextChoices):
        METER = "METER", "Meter"
        BATCH = "BATCH", "Batch"
        TAG = "TAG", "Tag"
        FILTER = "FILTER", "Saved filter"
        CATALOG = "CATALOG", "OBIS catalog"
        TOKEN = "TOKEN", "API token"
        TYPE = "TYPE", "Meter type"
        QUIRK = "QUIRK", "Quirk"
        LINE = "LINE", "Line"
        TARGET = "TARGET", "Allowed target"

    moment = models.DateTimeField(default=timezone.now)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150, blank=True)
    request_id = models.CharField(max_length=32, blank=True, db_index=True)
    action = models.CharField(max_length=8, choices=Action.choices)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    object_id = models.BigIntegerField()
    label = models.CharField(max_length=200)
    fields = models.JSONField(default=dict)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["kind", "object_id", "-id"], name="change_of_object")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label} {self.get_action_display()}"
