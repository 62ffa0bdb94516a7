"""How a meter is let in to."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from meters.models.validators import SYSTEM_TITLE


class AssociationFields(models.Model):
    """Who we are, who the meter's side is, and how both prove it; no secret."""

    class Authentication(models.TextChoices):
        NONE = "none", "None (public)"
        LLS = "lls", "Low level (password)"
        HLS_MANUFACTURER = "hls-manufacturer", "High level, manufacturer's own"
        HLS_MD5 = "hls-md5", "High level, MD5"
        HLS_SHA1 = "hls-sha1", "High level, SHA-1"
        HLS_GMAC = "hls-gmac", "High level, GMAC"
        HLS_SHA256 = "hls-sha256", "High level, SHA-256"
        HLS_ECDSA = "hls-ecdsa", "High level, ECDSA"

    class Protection(models.TextChoices):
        NONE = "none", "None"
        AUTHENTICATED = "authenticated", "Authenticated"
        ENCRYPTED = "encrypted", "Encrypted"
        AUTHENTICATED_ENCRYPTED = "authenticated-encrypted", "Authenticated and encrypted"

    class CipheringForm(models.TextChoices):
        AUTO = "auto", "Tags of the service's own; general where it has none"
        SERVICE_SPECIFIC = "service-specific", "Tags of the service's own only (glo-, ded-)"
        GENERAL = "general", "General envelopes (general-glo, general-ded)"

    class Referencing(models.TextChoices):
        LOGICAL_NAMES = "logical-names", "Logical names"
        SHORT_NAMES = "short-names", "Short names"

    name = models.CharField(max_length=100, default="Management")
    referencing = models.CharField(max_length=16, choices=Referencing.choices, default=Referencing.LOGICAL_NAMES)
    client_sap = models.PositiveIntegerField(default=16, validators=[MinValueValidator(1), MaxValueValidator(0xFFFF)])
    server_sap = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(0xFFFF)])
    authentication = models.CharField(max_length=20, choices=Authentication.choices, default=Authentication.NONE)
    protection = models.CharField(max_length=24, choices=Protection.choices, default=Protection.NONE)
    response_protection = models.CharField(
        max_length=24,
        choices=Protection.choices,
        blank=True,
        default="",
        help_text="The least that answers need. Empty: as much as the requests have.",
    )
    ciphering_form = models.CharField(max_length=20, choices=CipheringForm.choices, default=CipheringForm.AUTO)
    fresh_dedicated_key = models.BooleanField(
        default=False, help_text="A new dedicated key with each association, instead of the stored one."
    )
    security_suite = models.PositiveSmallIntegerField(default=0, choices=[(0, "0"), (1, "1"), (2, "2")])
    client_system_title = models.CharField(max_length=16, blank=True, validators=[SYSTEM_TITLE])
    user_id = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(0xFF)])
    pre_established = models.BooleanField(
        default=False, help_text="Stands without an AARQ, as the meter is configured."
    )
    max_pdu_size = models.PositiveIntegerField(default=0xFFFF, validators=[MaxValueValidator(0xFFFF)])
    server_max_pdu_size = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(0xFFFF)], help_text="Pre-established: what the meter can receive."
    )
    timeout = models.FloatField(
        default=5.0, validators=[MinValueValidator(0.1), MaxValueValidator(120)], help_text="Seconds to wait."
    )
    counter_object = models.CharField(
        max_length=24, default="0-0:43.1.0*255", help_text="Where the public client reads the invocation counter."
    )
    is_default = models.BooleanField(default=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @property
    def ciphered(self) -> bool:
        """Whether anything is protected, in either direction."""
        return self.protection != self.Protection.NONE or self.response_protection not in ("", self.Protection.NONE)

    @property
    def needs_counters(self) -> bool:
        """Whether invocation counters are used up: by ciphering, and by the GMAC of HLS."""
        return self.protection != self.Protection.NONE or self.authentication == self.Authentication.HLS_GMAC


class Association(AssociationFields):
    """One way to be let in to a meter."""

    meter = models.ForeignKey("meters.Meter", models.CASCADE, related_name="associations")

    class Meta:
        ordering = ["meter", "pk"]
        indexes = [models.Index(fields=["authentication", "meter"], name="association_by_authentication")]
        constraints = [models.UniqueConstraint(fields=["meter", "name"], name="association_name_unique")]


class AssociationTemplate(AssociationFields):
    """One way that all meters of a type let somebody in by: what a new one of them begins with."""

    meter_type = models.ForeignKey("meters.MeterType", models.CASCADE, related_name="association_templates")

    class Meta:
        ordering = ["meter_type", "pk"]
        constraints = [models.UniqueConstraint(fields=["meter_type", "name"], name="association_template_name_unique")]
