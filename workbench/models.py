"""What the project itself keeps: the tokens of the API."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from meters.models import NAME


class ApiToken(models.Model):
    """What a program shows instead of a password. Of its secret only the SHA-256 is kept: it is 256 random bits.

    `prefix` finds the row. Rows are never deleted: a revoked token stays, with who used it last.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, validators=[NAME])
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list)
    networks = models.JSONField(default=list, blank=True, help_text="Where it may be used from; empty: anywhere.")
    created = models.DateTimeField(auto_now_add=True)
    expires = models.DateTimeField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)
    last_used = models.DateTimeField(null=True, blank=True)
    last_address = models.CharField(max_length=45, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<ApiToken {self.pk}: {self.prefix}>"

    @property
    def is_expired(self) -> bool:
        return self.expires is not None and self.expires <= timezone.now()

    @property
    def is_alive(self) -> bool:
        """Whether it can be used, as far as the token alone tells."""
        return self.revoked is None and not self.is_expired

    def allows(self, scope: str) -> bool:
        """Whether the token has this scope."""
        return scope in self.scopes
