"""Which targets on the network may be connected to, and which were refused."""

from __future__ import annotations

from ipaddress import ip_network

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from meters.models.lines import Line

PORT = (MinValueValidator(1), MaxValueValidator(65535))


class AllowedTarget(models.Model):
    """One rule of the list: these ports in this network, for these kinds of line, for a team or for everybody.

    A team is a group of Django; no team is everybody.
    """

    KINDS = (Line.Kind.TCP, Line.Kind.UDP, Line.Kind.RFC2217)

    network = models.CharField(max_length=43, db_index=True, help_text="An address, or a network: 10.20.0.0/16.")
    first_port = models.PositiveIntegerField(validators=PORT, default=4059)
    last_port = models.PositiveIntegerField(validators=PORT, default=4059)
    tcp = models.BooleanField("TCP", default=True)
    udp = models.BooleanField("UDP", default=False)
    rfc2217 = models.BooleanField("RFC 2217", default=False)
    team = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="allowed_targets")
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_by_name = models.CharField(max_length=150, blank=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["network", "first_port", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_port__gte=1, last_port__gte=models.F("first_port"), last_port__lte=65535),
                name="allowed_target_ports",
            ),
            models.CheckConstraint(
                condition=models.Q(tcp=True) | models.Q(udp=True) | models.Q(rfc2217=True), name="allowed_target_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.network} {self.ports} {self.kind_words}"

    def get_absolute_url(self) -> str:
        return reverse("meters:target_edit", args=[self.pk])

    def clean(self) -> None:
        try:
            self.network = str(ip_network(self.network.strip()))
        except ValueError as error:
            raise ValidationError({"network": f"Not a network: {error}."}) from None
        if self.first_port and self.last_port and self.last_port < self.first_port:
            raise ValidationError({"last_port": "It is before the first one."})
        if not self.kinds:
            raise ValidationError({"tcp": "Choose at least one kind of line."})

    @property
    def kinds(self) -> frozenset[str]:
        """Words of `Line.Kind`."""
        return frozenset(kind.value for kind in self.KINDS if getattr(self, kind.value.lower()))

    @property
    def kind_words(self) -> str:
        return ", ".join("RFC 2217" if kind == Line.Kind.RFC2217 else kind for kind in self.KINDS if kind in self.kinds)

    @property
    def ports(self) -> str:
        return str(self.first_port) if self.first_port == self.last_port else f"{self.first_port}–{self.last_port}"


class RefusedTarget(models.Model):
    """A target that somebody asked for, and the list refused. Append-only, by triggers.

    `reason` is for administrators: the user reads one text for all reasons.
    """

    class Where(models.TextChoices):
        LINE = "LINE", "when a line was saved or tried"
        CONNECT = "CONNECT", "when a worker was to connect"

    moment = models.DateTimeField(default=timezone.now, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    where = models.CharField(max_length=8, choices=Where.choices)
    kind = models.CharField(max_length=8, choices=Line.Kind.choices)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["user", "-moment"], name="refused_target_of_user")]

    def __str__(self) -> str:
        return f"{self.kind} {self.host}:{self.port}: {self.reason}"
