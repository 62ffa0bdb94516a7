"""A meter in JSON: as a row, and whole. Of a key its slot, version and fingerprint."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from meters.api.shapes import Named, Outgoing
from meters.models import Association, KeyVersion, Line, Meter, MeterKey, MeterType


class TypeRef(Outgoing):
    """A meter type."""

    id: int
    manufacturer: str
    flag_code: str
    model: str
    firmware: str
    medium: str


class LineOut(Outgoing):
    """A line. `address` is how the pages write it."""

    id: int
    name: str
    kind: str
    host: str
    port: int | None
    serial_port: str
    baud: int
    data_bits: int
    parity: str
    stop_bits: int
    address: str


class AssociationRef(Outgoing):
    """The association that a session opens by itself."""

    id: int
    name: str
    authentication: str
    client_sap: int
    server_sap: int


class SessionRef(Outgoing):
    """The newest session."""

    id: int
    state: str


class MeterRow(Outgoing):
    """One meter of the list."""

    id: int
    serial_number: str
    name: str
    state: str
    meter_type: TypeRef | None
    batch: Named | None
    tags: list[str]
    location: str
    line: LineOut
    framing: str
    physical_address: int | None
    server_system_title: str
    association: AssociationRef | None
    created: datetime
    last_seen: datetime | None
    last_session: SessionRef | None


class KeyOut(Outgoing):
    """A slot of the vault: never what is in it."""

    slot: str
    version: int | None
    fingerprint: str
    state: str


class AssociationOut(Outgoing):
    """One way into the meter, with the keys of its own."""

    id: int
    name: str
    is_default: bool
    referencing: str
    client_sap: int
    server_sap: int
    authentication: str
    protection: str
    response_protection: str
    ciphering_form: str
    fresh_dedicated_key: bool
    security_suite: int
    client_system_title: str
    user_id: int | None
    pre_established: bool
    max_pdu_size: int
    server_max_pdu_size: int
    timeout: float
    counter_object: str
    keys: list[KeyOut]


class MeterDetail(Outgoing):
    """A meter, whole. `url` is its page."""

    id: int
    serial_number: str
    name: str
    state: str
    meter_type: TypeRef | None
    batch: Named | None
    tags: list[str]
    location: str
    notes: str
    line: LineOut
    framing: str
    physical_address: int | None
    address_octets: int | None
    max_info: int
    window: int
    disconnect_first: bool
    reverse_deviation: bool
    sign_on_address: str
    initial_baud: int
    max_baud: int
    parity_in_octets: bool
    server_system_title: str
    associations: list[AssociationOut]
    keys: list[KeyOut]
    created: datetime
    last_seen: datetime | None
    url: str
    warnings: list[str] = []


def row_of(meter: Meter) -> MeterRow:
    """A meter with what `with_all` and `last_sessions` brought."""
    found, session = meter.default_association, getattr(meter, "last_session", None)
    return MeterRow(
        **_common(meter),
        association=AssociationRef.model_validate(found) if found else None,
        last_session=SessionRef(id=session.pk, state=session.state) if session else None,
    )


def detail_of(meter: Meter, warnings: list[str] | None = None) -> MeterDetail:
    """A meter of `detailed_meters`."""
    keys = list(meter.keys.all())
    plain = (
        "notes",
        "address_octets",
        "max_info",
        "window",
        "disconnect_first",
        "reverse_deviation",
        "sign_on_address",
        "initial_baud",
        "max_baud",
        "parity_in_octets",
    )
    return MeterDetail(
        **_common(meter),
        **{name: getattr(meter, name) for name in plain},
        associations=[_association(each, keys) for each in meter.associations.all()],
        keys=[_key(key) for key in keys if key.association_id is None],
        url=meter.get_absolute_url(),
        warnings=warnings or [],
    )


def _common(meter: Meter) -> dict[str, Any]:
    return {
        "id": meter.pk,
        "serial_number": meter.serial_number,
        "name": meter.name,
        "state": meter.state,
        "meter_type": type_of(meter.meter_type) if meter.meter_type else None,
        "batch": Named.model_validate(meter.batch) if meter.batch else None,
        "tags": sorted(tag.name for tag in meter.tags.all()),
        "location": meter.location,
        "line": line_of(meter.line),
        "framing": meter.framing,
        "physical_address": meter.physical_address,
        "server_system_title": meter.server_system_title,
        "created": meter.created,
        "last_seen": meter.last_seen,
    }


def type_of(kind: MeterType) -> TypeRef:
    return TypeRef.model_validate(kind)


def line_of(line: Line) -> LineOut:
    plain = {name: getattr(line, name) for name in LineOut.model_fields if name != "address"}
    return LineOut(**plain, address=line.describe())


def _association(association: Association, keys: list[MeterKey]) -> AssociationOut:
    plain = {name: getattr(association, name) for name in AssociationOut.model_fields if name != "keys"}
    return AssociationOut(**plain, keys=[_key(key) for key in keys if key.association_id == association.pk])


def _key(key: MeterKey) -> KeyOut:
    version = key.current
    if version is None:
        return KeyOut(slot=key.slot, version=None, fingerprint="", state="")
    return KeyOut(slot=key.slot, version=version.number, fingerprint=version.short_fingerprint, state=version.state)


def detailed_meters() -> QuerySet[Meter]:
    """Meters with all that their detail shows, and no sealed value."""
    versions = Prefetch("versions", KeyVersion.objects.defer("sealed"))
    keys = MeterKey.objects.order_by("association_id", "slot").prefetch_related(versions)
    return Meter.objects.select_related("line", "meter_type", "batch").prefetch_related(
        "associations", "tags", Prefetch("keys", keys)
    )
