"""Where meters hang."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from urllib.parse import quote

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse


class PortNotOfferedError(Exception):
    """A line names a serial port that is not on the administrator's list."""

    def __init__(self, name: str) -> None:
        self.name = name
        offered = ", ".join(sorted(settings.SERIAL_PORTS)) or "none"
        super().__init__(f"The serial port “{name}” is not offered on this workbench (offered: {offered}).")


class PortUnsafeError(PortNotOfferedError):
    """A port of the administrator's list leads to something that is no serial device."""

    def __init__(self, name: str) -> None:
        Exception.__init__(self, f"The serial port “{name}” leads to something that is no serial device.")
        self.name = name


def serial_device(name: str) -> str:
    """The device behind a name of the administrator's list, links followed; PortNotOfferedError where it may not be opened.

    Whatever the list says: only what `settings.SERIAL_DEVICES` names in the end is opened, never a file or the memory.
    """
    path = settings.SERIAL_PORTS.get(name)
    if not path:
        raise PortNotOfferedError(name)
    device = os.path.realpath(path)
    if not any(PurePosixPath(device).match(allowed) for allowed in settings.SERIAL_DEVICES):
        raise PortUnsafeError(name)
    return device


class Line(models.Model):
    """A physical way to meters: a TCP or UDP endpoint, a serial port by its name on the administrator's list, or one that another
    machine lends by RFC 2217.
    """

    class Kind(models.TextChoices):
        TCP = "TCP", "TCP"
        UDP = "UDP", "UDP"
        SERIAL = "SERIAL", "Serial port"
        RFC2217 = "RFC2217", "Serial port on the network (RFC 2217)"

    class Parity(models.TextChoices):
        NONE = "N", "none"
        EVEN = "E", "even"
        ODD = "O", "odd"

    name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.TCP)
    host = models.CharField(max_length=255, blank=True)
    port = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    serial_port = models.CharField(max_length=100, blank=True, help_text="A name from the administrator's list.")
    baud = models.PositiveIntegerField(default=9600)
    data_bits = models.PositiveSmallIntegerField(default=8, choices=[(7, "7"), (8, "8")])
    parity = models.CharField(max_length=1, choices=Parity.choices, default=Parity.NONE)
    stop_bits = models.PositiveSmallIntegerField(default=1, choices=[(1, "1"), (2, "2")])
    stays = models.BooleanField(default=False, editable=False, help_text="Kept when no meter hangs on it any more.")

    class Meta:
        ordering = ["name", "pk"]
        indexes = [
            models.Index(fields=["kind"], name="line_by_kind"),
            models.Index(fields=["name", "id"], name="line_by_name"),
            models.Index(fields=["host", "port"], name="line_by_host"),
        ]

    def __str__(self) -> str:
        return self.name or self.describe()

    def get_absolute_url(self) -> str:
        return reverse("meters:line_detail", args=[self.pk])

    @property
    def on_network(self) -> bool:
        """Whether host and port lead to it, and not a serial port."""
        return self.kind != self.Kind.SERIAL

    @property
    def is_serial(self) -> bool:
        """Whether it has a speed and the other settings of a serial line."""
        return self.kind in (self.Kind.SERIAL, self.Kind.RFC2217)

    @property
    def endpoint(self) -> str:
        """`tcp://host:port`, `udp://host:port`, `serial:///dev/…?baud=…` or `rfc2217://host:port?baud=…`; PortNotOfferedError for
        a port off the list.
        """
        form = f"?baud={self.baud}&data_bits={self.data_bits}&parity={self.parity}&stop_bits={self.stop_bits}"
        if self.on_network:
            host = f"[{self.host}]" if ":" in self.host else self.host
            return f"{self.kind.lower()}://{host}:{self.port}{form if self.is_serial else ''}"
        return f"serial://{quote(serial_device(self.serial_port))}{form}"

    @property
    def address(self) -> str:
        """What two talkers would collide on: the endpoint without its line settings."""
        if self.on_network:
            return f"{self.kind.lower()}://{self.host.lower()}:{self.port}"
        return f"serial:{self.serial_port}"

    def describe(self) -> str:
        """`127.0.0.1:4059`, `127.0.0.1:4059 (UDP)`, `bridge-1, 9600 8N1`, or `127.0.0.1:4001 (RFC 2217), 9600 8N1`."""
        line_settings = f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"
        match self.kind:
            case self.Kind.TCP:
                return f"{self.host}:{self.port}"
            case self.Kind.UDP:
                return f"{self.host}:{self.port} (UDP)"
            case self.Kind.RFC2217:
                return f"{self.host}:{self.port} (RFC 2217), {line_settings}"
        return f"{self.serial_port}, {line_settings}"


class LineHealth(models.Model):
    """What sessions learned of a line: when it worked last, how it failed last, and how often since.

    Written at the end of a session (`meters.lines.health`); a line that nobody used has none.
    """

    line = models.OneToOneField(Line, models.CASCADE, primary_key=True, related_name="health")
    last_success = models.DateTimeField(null=True)
    last_failure = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="Since the last success.")
    layer = models.CharField(max_length=32, blank=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=500, blank=True)
    hint = models.CharField(max_length=500, blank=True)
    last_octets = models.DateTimeField(null=True)
    connect_ms = models.PositiveIntegerField(null=True, help_text="How long connecting took the last time.")

    def __str__(self) -> str:
        return f"{self.line_id}: {self.failures} failures"

    @property
    def works(self) -> bool:
        """Whether the last session that said anything of the line said that it works."""
        return self.failures == 0 and self.last_success is not None
