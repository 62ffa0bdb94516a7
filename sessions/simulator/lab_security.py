"""What a meter of a lab and its clients hold, of the association that the lab file says: keys, policy, key pairs, rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sessions.dlms.association import AssociationParameters
from sessions.dlms.certificates import CertificateEntity, CertificateType
from sessions.dlms.key_files import load_private_key
from sessions.dlms.protection import Policy, SecurityPolicy
from sessions.simulator.device import SERVED_CONFORMANCE, MeterSecurity, Role, ServedClient
from sessions.simulator.key_store import USES, LabKeys, lab_keys

KEY_NAMES: Final = {
    CertificateType.DIGITAL_SIGNATURE: "signing_key",
    CertificateType.KEY_AGREEMENT: "key_agreement_key",
}
"""Ends of the names of an association file."""
COUNTER_EPOCH: Final = 1_704_067_200
"""2024-01-01. A meter's own counters begin at the seconds since then: above those of its earlier runs."""


class LabError(ValueError):
    """A lab that cannot be set up; the message names the file's entry."""


def served_client(parameters: AssociationParameters, role: Role, user_ids: Iterable[int] = ()) -> ServedClient:
    """The meter's side of an association. `user_ids`: who may associate, nobody in particular where there are none."""
    return ServedClient(
        client_sap=parameters.client_sap,
        role=role,
        authentication=parameters.authentication,
        secret=parameters.secret,
        manufacturer=parameters.manufacturer,
        protection=parameters.protection,
        response_protection=parameters.demanded_protection,
        user_ids=frozenset(user_ids),
        pre_established=parameters.pre_established,
        conformance=parameters.conformance or SERVED_CONFORMANCE,
        client_system_title=parameters.client_system_title,
    )


def _first_counter(now: datetime) -> int:
    return max(1, int(now.timestamp()) - COUNTER_EPOCH)


def meter_security(
    parameters: AssociationParameters, keys: LabKeys | None, now: datetime, version: int | None
) -> MeterSecurity:
    """What the meter holds: the same keys as its client. Its policy demands what the client does."""
    if version is None:
        version = 1 if parameters.security_suite or parameters.response_protection is not None else 0
    if version not in (0, 1):
        raise LabError("security_setup_version is 0 or 1")
    return MeterSecurity(
        guek=parameters.guek or b"",
        gak=parameters.gak or b"",
        gbek=parameters.gbek or b"",
        kek=parameters.kek or b"",
        suite=parameters.security_suite,
        policy=policy_of(parameters, version),
        policy_version=version,
        key_store=None if keys is None else keys.store(parameters.security_suite),
        first_counter=_first_counter(now),
    )


def policy_of(parameters: AssociationParameters, version: int) -> int:
    """The security_policy that demands what an association uses, in both directions."""
    policy = Policy.of(parameters.protection, parameters.demanded_protection, version=version)
    signed = parameters.general is not None and parameters.general.signed
    if version == 1 and signed:
        return policy.value | SecurityPolicy.SIGNED_REQUEST | SecurityPolicy.SIGNED_RESPONSE
    return policy.value


def key_pairs(table: Mapping[str, Any], association: Mapping[str, Any], server_title: bytes) -> LabKeys | None:
    """The key pairs of the meter and its client, where the lab wants some."""
    wanted = table.get("key_pairs")
    if wanted is None:
        return None
    suite, title = association.get("security_suite", 0), association.get("client_system_title")
    if suite not in (1, 2) or title is None:
        raise LabError("key_pairs: the association needs security_suite 1 or 2, and client_system_title")
    given = {
        (entity, use): load_private_key(source[name], name, suite=suite)
        for entity, source, prefix in (
            (CertificateEntity.SERVER, wanted, ""),
            (CertificateEntity.CLIENT, association, "client_"),
        )
        for use in USES
        if (name := f"{prefix}{KEY_NAMES[use]}") in source
    }
    titles = {"client_title": bytes.fromhex(title), "server_title": server_title}
    return lab_keys(wanted.get("seed", "demo"), suite, given=given, **titles)


def announced_keys(keys: LabKeys) -> dict[str, str]:
    """The keys of an association file: the client's private ones, and the certificates of the meter's."""
    names = KEY_NAMES.items()
    private = {f"client_{name}": keys.client[use].hex().upper() for use, name in names}
    return private | {f"server_{name}": keys.server_certificates[use].pem for use, name in names}
