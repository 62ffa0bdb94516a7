"""What a meter is, where it hangs, and how one is let in: lines, meters, associations, keys, invocation counters.

A secret is never a column of these models: a `MeterKey` is a slot, its `KeyVersion`s are sealed by the vault and append-only
(triggers in the database refuse to change or delete one).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

DEVICE_ADDRESS = RegexValidator(r"^[0-9A-Za-z ]{0,32}$", "At most 32 digits, letters and blanks.")
SYSTEM_TITLE = RegexValidator(r"^([0-9A-Fa-f]{16})?$", "A system title is 8 octets: 16 hex digits.")
TAG_NAME = RegexValidator(r"^[^,\x00-\x1f]+$", "A tag has no comma and no control character.")
NAME = RegexValidator(r"^[^\x00-\x1f]+$", "A name has no control characters.")


class PortNotOfferedError(Exception):
    """A line names a serial port that is not on the administrator's list."""

    def __init__(self, name: str) -> None:
        self.name = name
        offered = ", ".join(sorted(settings.SERIAL_PORTS)) or "none"
        super().__init__(f"The serial port “{name}” is not offered on this workbench (offered: {offered}).")


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

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["kind"], name="line_by_kind")]

    def __str__(self) -> str:
        return self.name or self.describe()

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
        path = settings.SERIAL_PORTS.get(self.serial_port)
        if not path:
            raise PortNotOfferedError(self.serial_port)
        return f"serial://{path}{form}"

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


class MeterType(models.Model):
    """Maker, model and what it measures."""

    class Medium(models.TextChoices):
        ELECTRICITY = "ELECTRICITY", "Electricity"
        GAS = "GAS", "Gas"
        WATER = "WATER", "Water"
        HEAT = "HEAT", "Heat"
        OTHER = "OTHER", "Other"

    manufacturer = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=100)
    medium = models.CharField(max_length=12, choices=Medium.choices, default=Medium.ELECTRICITY)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["manufacturer", "model"]
        constraints = [models.UniqueConstraint(fields=["manufacturer", "model"], name="meter_type_unique")]

    def __str__(self) -> str:
        return f"{self.manufacturer} {self.model}".strip()


class Batch(models.Model):
    """Meters that came together and are judged together; of one type, where it names one."""

    name = models.CharField(max_length=100, unique=True, validators=[NAME])
    meter_type = models.ForeignKey(MeterType, models.SET_NULL, null=True, blank=True, related_name="batches")
    notes = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "batches"

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("meters:batch_detail", args=[self.pk])


class Tag(models.Model):
    """A word that people put on meters. Two words that differ in case only are one."""

    name = models.CharField(max_length=50, validators=[TAG_NAME])

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="tag_name_unique")]

    def __str__(self) -> str:
        return self.name


class Meter(models.Model):
    """One meter of the inventory and its place on a line."""

    class State(models.TextChoices):
        RECEIVED = "RECEIVED", "Received"
        IN_TEST = "IN_TEST", "In test"
        COMMISSIONED = "COMMISSIONED", "Commissioned"
        IN_FIELD = "IN_FIELD", "In the field"
        FAULTY = "FAULTY", "Faulty"
        RETIRED = "RETIRED", "Retired"

    class Framing(models.TextChoices):
        WRAPPER = "WRAPPER", "Wrapper"
        HDLC = "HDLC", "HDLC"
        MODE_E = "MODE_E", "HDLC with mode E sign-on"

    serial_number = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100, blank=True)
    meter_type = models.ForeignKey(MeterType, models.SET_NULL, null=True, blank=True, related_name="meters")
    line = models.ForeignKey(Line, models.PROTECT, related_name="meters")
    framing = models.CharField(max_length=8, choices=Framing.choices, default=Framing.WRAPPER)
    physical_address = models.PositiveIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(0x3FFF)], help_text="HDLC: the lower address."
    )
    address_octets = models.PositiveSmallIntegerField(
        null=True, blank=True, choices=[(1, "1"), (2, "2"), (4, "4")], help_text="HDLC; empty: what the addresses need."
    )
    max_info = models.PositiveIntegerField(default=128, validators=[MinValueValidator(32), MaxValueValidator(2030)])
    window = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1), MaxValueValidator(7)])
    disconnect_first = models.BooleanField(
        default=False, help_text="HDLC: a DISC before the SNRM, for meters that keep an old link."
    )
    reverse_deviation = models.BooleanField(
        default=False, help_text="Its date-times count the deviation from UTC to local time, against the standard."
    )
    sign_on_address = models.CharField(
        max_length=32,
        blank=True,
        validators=[DEVICE_ADDRESS],
        help_text="Mode E: the device address; empty: whoever is there.",
    )
    initial_baud = models.PositiveIntegerField(default=300, help_text="Mode E: the speed of the sign-on.")
    max_baud = models.PositiveIntegerField(default=19200, help_text="Mode E: no higher speed is proposed.")
    parity_in_octets = models.BooleanField(default=False, help_text="Mode E: the line is fixed at 8 data bits.")
    server_system_title = models.CharField(max_length=16, blank=True, validators=[SYSTEM_TITLE])
    state = models.CharField(max_length=12, choices=State.choices, default=State.RECEIVED)
    batch = models.ForeignKey(Batch, models.PROTECT, null=True, blank=True, related_name="meters")
    tags = models.ManyToManyField(Tag, blank=True, related_name="meters")
    location = models.CharField(max_length=200, blank=True)
    notes = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(null=True, blank=True, editable=False)
    search_text = models.TextField(blank=True, default="", editable=False)
    """What the search looks at, in small letters, a blank before each word: one column, for an index to serve all words."""

    class Meta:
        ordering = ["serial_number"]
        indexes = [
            models.Index(fields=[name, "serial_number"], name=f"meter_by_{name}")
            for name in ("state", "batch", "meter_type", "framing", "name", "location", "last_seen")
        ]

    def __str__(self) -> str:
        return f"{self.serial_number} {self.name}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.words_to_search()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "search_text"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("meters:meter_detail", args=[self.pk])

    def words_to_search(self) -> str:
        """Serial number, name, location, type and line as `search_text` has them."""
        line = self.line
        parts = (self.serial_number, self.name, self.location, self.meter_type, line.name, line.host, line.serial_port)
        return f" {' '.join(str(part) for part in parts if part)}".lower()

    def clean(self) -> None:
        if not self.speaks_hdlc or self.physical_address is None:
            return
        if self.address_octets == 1:
            raise ValidationError({"address_octets": "One octet has no room for a physical address: choose 2 or 4."})
        if self.address_octets == 2 and self.physical_address > 0x7F:
            raise ValidationError({"address_octets": "Two octets hold a physical address up to 127: choose 4."})

    @property
    def speaks_hdlc(self) -> bool:
        """Whether APDUs travel in HDLC frames, with a sign-on before them or without."""
        return self.framing in (self.Framing.HDLC, self.Framing.MODE_E)

    @property
    def line_address(self) -> str:
        """The line's address where only one may talk at a time (serial, HDLC); empty on a wrapper endpoint."""
        exclusive = self.line.is_serial or self.speaks_hdlc
        return self.line.address if exclusive else ""

    @property
    def default_association(self) -> Association | None:
        """The association that is meant to be opened, else the first."""
        found = sorted(self.associations.all(), key=lambda association: (not association.is_default, association.pk))
        return found[0] if found else None


class Comment(models.Model):
    """What somebody wrote about a meter. It is never changed, only answered."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="comments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    user_name = models.CharField(max_length=150, blank=True)
    text = models.TextField(max_length=5000, validators=[MaxLengthValidator(5000)])
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.text[:60]}"


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


class Association(models.Model):
    """One way to be let in: who we are, who the meter's side is, and how both prove it."""

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

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="associations")
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
        ordering = ["meter", "pk"]
        indexes = [models.Index(fields=["authentication", "meter"], name="association_by_authentication")]
        constraints = [models.UniqueConstraint(fields=["meter", "name"], name="association_name_unique")]

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
