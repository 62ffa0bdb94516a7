"""What a session needs to begin: where to, how, and with which secrets, from its rows and the vault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from meters import vault
from meters.models import Association, Meter
from meters.quirks.in_force import QuirkInForce, quirks_in_force
from meters.services import Access, OpenedSecret, Slot, draft_access, saved_access
from sessions.association_file import MODE_E_WORD, AssociationFile, parse_association
from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.inspector import DissectionKeys
from sessions.engine.quirks import apply_quirks
from sessions.links.endpoint import Endpoint, parse_endpoint
from sessions.lockout import check_lockout
from sessions.models import DlmsSession

Authentication, Protection = Association.Authentication, Association.Protection

KEY_SLOTS = {
    Slot.GUEK: "guek",
    Slot.GAK: "gak",
    Slot.GBEK: "gbek",
    Slot.SIGNING_KEY: "client_signing_key",
    Slot.PEER_SIGNING_KEY: "server_signing_key",
}
ENCRYPTED = (Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the engine takes from the database before it talks."""

    endpoint: Endpoint
    association: AssociationFile
    meter_id: int | None
    quirks: tuple[QuirkInForce, ...] = ()
    counter_key: str = ""
    """The fingerprint of the key whose invocation counters are used up; empty where none are."""
    key_version_ids: tuple[int, ...] = ()
    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    keys: DissectionKeys | None = field(default=None, repr=False)

    @property
    def client_system_title(self) -> str:
        return self.association.parameters.client_system_title.hex()


def make_plan(session_id: int) -> Plan:
    """Raises what the vault, the list of ports, the association's check or the type's lock-out rule say is wrong."""
    dlms_session = DlmsSession.objects.get(pk=session_id)
    access = _access(dlms_session)
    known_meter = dlms_session.meter_id or dlms_session.tested_meter_id
    if known_meter is not None:
        check_lockout(meter_id=known_meter, meter_type=access.meter.meter_type, association=access.association)
    used = _used_secrets(access)
    quirks = quirks_in_force(access.meter, saved_meter_id=dlms_session.tested_meter_id)
    association = _checked(apply_quirks(association_table(access, used), quirks))
    parameters = association.parameters
    return Plan(
        endpoint=parse_endpoint(access.line.endpoint),
        association=association,
        meter_id=dlms_session.meter_id,
        quirks=tuple(quirks),
        counter_key=used[Slot.GUEK].fingerprint if parameters.needs_counters and Slot.GUEK in used else "",
        key_version_ids=tuple(
            secret.key_version_id
            for slot, secret in used.items()
            if secret.key_version_id and slot != Slot.GBEK  # an association proves nothing about the broadcast key
        ),
        secrets=tuple(secret.octets for slot, secret in used.items() if slot != Slot.PEER_SIGNING_KEY),
        keys=DissectionKeys(
            guek=parameters.guek,
            gak=parameters.gak,
            dedicated_key=parameters.dedicated_key,
            gbek=parameters.gbek,
            kek=parameters.kek,
            client_signing_key=parameters.client_signing_key,
            server_signing_key=parameters.server_signing_key,
            client_key_agreement_key=parameters.client_key_agreement_key,
            server_key_agreement_key=parameters.server_key_agreement_key,
            client_system_title=parameters.client_system_title or None,
            server_system_title=parameters.server_system_title,
            short_names=parameters.short_names,
        ),
    )


def _checked(table: dict[str, Any]) -> AssociationFile:
    """The association, or what is wrong with it and where to mend it."""
    try:
        return parse_association(table)
    except DlmsError as error:
        error.hint = "Edit the meter, and enter or correct this."
        raise


def _access(dlms_session: DlmsSession) -> Access:
    if dlms_session.draft is not None:
        draft = json.loads(vault.unseal(bytes(dlms_session.draft), dlms_session.draft_context))
        draft["secrets"] = {slot: bytes.fromhex(secret) for slot, secret in draft["secrets"].items()}
        return draft_access(**draft)
    if dlms_session.meter_id is None or dlms_session.association_id is None:
        raise LocalProtocolError(
            "The meter or the association of this session was deleted.",
            layer="configuration",
            code="meter-deleted",
            hint="Open a new session from the list of meters.",
        )
    return saved_access(meter_id=dlms_session.meter_id, association_id=dlms_session.association_id)


def _used_secrets(access: Access) -> dict[str, OpenedSecret]:
    """The secrets that this association really uses."""
    association = access.association
    slots: list[str] = []
    if association.authentication == Authentication.LLS:
        slots.append(Slot.LLS_SECRET)
    elif association.authentication == Authentication.HLS_ECDSA:
        slots += [Slot.SIGNING_KEY, Slot.PEER_SIGNING_KEY]
    elif association.authentication not in (Authentication.NONE, Authentication.HLS_GMAC):
        slots.append(Slot.HLS_SECRET)
    if association.needs_counters or association.ciphered:
        slots += [Slot.GUEK, Slot.GAK, Slot.GBEK]
    return {slot: access.secrets[slot] for slot in slots if slot in access.secrets}


def association_table(access: Access, used: Mapping[str, OpenedSecret]) -> dict[str, Any]:
    """As an association file says it."""
    meter, association = access.meter, access.association
    secret = used.get(Slot.LLS_SECRET) or used.get(Slot.HLS_SECRET)
    table: dict[str, Any] = {
        "reverse_deviation": meter.reverse_deviation,
        "framing": MODE_E_WORD if meter.framing == meter.Framing.MODE_E else meter.framing.lower(),
        "referencing": association.referencing,
        "client_sap": association.client_sap,
        "server_sap": association.server_sap,
        "authentication": association.authentication,
        "secret": f"hex:{secret.octets.hex()}" if secret else None,
        "protection": association.protection,
        "response_protection": association.response_protection or None,
        "ciphering_form": association.ciphering_form,
        "dedicated_key": "fresh" if _wants_dedicated_key(access) else None,
        "user_id": association.user_id,
        "pre_established": association.pre_established,
        "server_max_receive_pdu_size": association.server_max_pdu_size,
        "security_suite": association.security_suite,
        "client_system_title": association.client_system_title or None,
        "server_system_title": meter.server_system_title or None,
        "max_pdu_size": association.max_pdu_size,
        "timeout": association.timeout,
        "counter_object": association.counter_object,
        "hdlc": _hdlc(meter),
        "sign_on": _sign_on(meter) if meter.framing == meter.Framing.MODE_E else None,
    }
    table |= {name: used[slot].octets.hex() for slot, name in KEY_SLOTS.items() if slot in used}
    return {name: value for name, value in table.items() if value is not None}


def _hdlc(meter: Meter) -> dict[str, Any]:
    hdlc = {
        "physical_address": meter.physical_address,
        "address_octets": meter.address_octets,
        "max_info": meter.max_info,
        "window": meter.window,
        "disconnect_first": meter.disconnect_first,
    }
    return {name: value for name, value in hdlc.items() if value is not None}


def _wants_dedicated_key(access: Access) -> bool:
    """Whether services go under a dedicated key. A stored one only says so: see `AssociationFile.prepared`."""
    association = access.association
    possible = association.protection in ENCRYPTED and not association.pre_established
    return association.fresh_dedicated_key or (possible and Slot.DEDICATED_KEY in access.secrets)


def _sign_on(meter: Meter) -> dict[str, Any]:
    return {
        "device_address": meter.sign_on_address,
        "initial_baud": meter.initial_baud,
        "max_baud": meter.max_baud,
        "parity_in_octets": meter.parity_in_octets,
    }
