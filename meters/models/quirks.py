"""What meters of a type do otherwise than the standard, as data that one person proposes and another accepts."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from meters.models.inventory import CommentFields, Meter
from meters.models.meter_types import MeterType


class Quirk(models.Model):
    """One quirk of a meter type: `name` and `value` are those of `meters.quirks.names`, `proof_session` is the number of the
    session that proved it. Names of people stay when the people are deleted.
    """

    class State(models.TextChoices):
        PROPOSED = "PROPOSED", "Proposed"
        ACCEPTED = "ACCEPTED", "Accepted"
        REFUSED = "REFUSED", "Refused"
        WITHDRAWN = "WITHDRAWN", "Withdrawn"

    meter_type = models.ForeignKey(MeterType, models.CASCADE, related_name="quirks")
    name = models.CharField(max_length=40)
    value = models.JSONField()
    reason = models.TextField(max_length=2000)
    proof_session = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PROPOSED)
    proposed = models.DateTimeField(auto_now_add=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    proposed_by_name = models.CharField(max_length=150)
    reviewed = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reviewed_by_name = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["meter_type", "name"], condition=Q(state="ACCEPTED"), name="quirk_accepted_once"
            ),
            models.UniqueConstraint(
                fields=["meter_type", "name"], condition=Q(state="PROPOSED"), name="quirk_proposed_once"
            ),
            models.CheckConstraint(
                condition=Q(reviewed_by=None) | Q(proposed_by=None) | ~Q(reviewed_by=F("proposed_by")),
                name="quirk_reviewed_by_another",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["ACCEPTED", "REFUSED"]) | ~Q(reviewed_by_name=""), name="quirk_has_a_reviewer"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.meter_type}"

    def get_absolute_url(self) -> str:
        return reverse("meters:quirk_detail", args=[self.pk])


class QuirkComment(CommentFields):
    """A comment on a quirk."""

    quirk = models.ForeignKey(Quirk, models.CASCADE, related_name="comments")

    class Meta:
        ordering = ["pk"]


class QuirkException(models.Model):
    """What one meter does otherwise than its type's quirk says; `value` null: it has not that quirk at all."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="quirk_exceptions")
    name = models.CharField(max_length=40)
    value = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["meter", "name"]
        constraints = [models.UniqueConstraint(fields=["meter", "name"], name="quirk_exception_unique")]

    def __str__(self) -> str:
        return f"{self.name} of {self.meter}"
