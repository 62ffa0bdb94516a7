"""Association LN of a meter type, for one client each: the one with its `role`, or nobody yet under `client_sap`.

The association in use has its object without an entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from meters.cosem.obis import ObisCode
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.protection import Protection
from sessions.simulator.association_object import AssociationObject, Partners
from sessions.simulator.builders.context import Builder, Context, Entry
from sessions.simulator.device import PUBLIC, Caller, Role, ServedClient
from sessions.simulator.objects.base import CosemObject

CIPHERED: Final = (AuthenticationMechanism.HLS_GMAC, AuthenticationMechanism.HLS_ECDSA)
"""Mechanisms that need a ciphered context."""


def association(name: ObisCode, entry: Entry, context: Context) -> CosemObject:
    meter, role = context.meter, Role(entry["role"])
    served = (PUBLIC, *context.settings.clients)
    client = next((one for one in served if one.role is role), None) or ServedClient(
        client_sap=entry["client_sap"], role=role
    )
    conformance = client.conformance & meter.conformance
    ciphered = client.protection is not Protection.NONE or client.authentication in CIPHERED
    caller = Caller(client=client, conformance=conformance, client_max_receive_pdu_size=0, ciphered=ciphered)
    partners = Partners(
        client=client,
        server_sap=meter.server_sap,
        conformance=conformance,
        ciphered=ciphered,
        max_receive_pdu_size=meter.max_receive_pdu_size,
        is_associated=partial(meter.is_associated, client.client_sap),
    )
    return AssociationObject(
        name, partners, partial(meter.listed_for, caller), partial(meter.change_secret, client.client_sap)
    )


BUILDERS: Final[Mapping[int, Builder]] = {15: association}
