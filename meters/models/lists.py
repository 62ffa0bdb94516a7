"""How somebody wants to see the list of meters."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse

from meters.models.validators import NAME


class SavedFilter(models.Model):
    """A filter of the list of meters under a name: `query` as `meters.list_state` writes it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=100, validators=[NAME])
    query = models.CharField(max_length=2000, blank=True)
    shared = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_filter_unique")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("meters:filter_open", args=[self.pk])


class ListChoice(models.Model):
    """Which columns of the list of meters somebody wants to see."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="list_choice")
    columns = models.JSONField(default=list)

    def __str__(self) -> str:
        return ", ".join(self.columns)
