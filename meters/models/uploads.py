"""Files that wait for somebody to look at them."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SealedUpload(models.Model):
    """Files with secrets between their preview and the confirmation: sealed by the vault, in nobody's hands but the uploader's.

    The row goes when they are imported or left, else an hour later (`meters.gxc_import.uploads`).
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    sealed = models.BinaryField()
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["created"], name="sealed_upload_by_age")]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    def __repr__(self) -> str:
        return f"<SealedUpload {self.pk}>"

    @property
    def seal_context(self) -> tuple[object, ...]:
        """Where the sealed value belongs: a copy in another row, or under another user, does not open."""
        return ("meters_sealedupload", self.pk, self.user_id, "sealed")
