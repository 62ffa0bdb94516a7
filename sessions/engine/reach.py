"""The last check before anything is connected: the list of allowed targets, against the addresses that a line really has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from meters.models import Line
from meters.targets.hosts import HostError, parse_host
from meters.targets.policy import Reason
from meters.targets.services import connect_refusal, refuse_connect, target_refusal
from sessions.dlms.errors import DlmsError
from sessions.engine.plan import Plan
from sessions.links.endpoint import Endpoint, NetworkEndpoint, Rfc2217Endpoint, SerialEndpoint, UdpEndpoint
from sessions.links.resolving import Address, addresses_of, reached_at
from sessions.models import DlmsSession
from sessions.recorder import in_database


class TargetNotAllowed(DlmsError):
    """The list of allowed targets does not let the session's user connect to this line."""

    layer = "configuration"
    code = "target-not-allowed"


async def judged(plan: Plan, session_id: int) -> Plan:
    """The plan, its line to be reached at judged addresses alone."""
    return replace(plan, endpoint=await judged_endpoint(plan.endpoint, session_id))


async def judged_endpoint(endpoint: Endpoint, session_id: int) -> Endpoint:
    """The endpoint with the addresses that it may be reached at; TargetNotAllowed where one of them is not allowed.

    The name is looked up here, once, and only if its port is allowed at all.
    """
    if isinstance(endpoint, SerialEndpoint):
        return endpoint
    await in_database(_check_before, session_id, endpoint)
    addresses = await _addresses(endpoint)
    await in_database(_check_addresses, session_id, endpoint, addresses)
    return reached_at(endpoint, addresses)


async def _addresses(endpoint: NetworkEndpoint) -> list[Address]:
    found = parse_host(endpoint.host)
    return await addresses_of(endpoint) if isinstance(found, str) else [found]


def _check_before(session_id: int, endpoint: NetworkEndpoint) -> None:
    target = _target(session_id, endpoint)
    reason = target_refusal(**target)
    if reason is not None:
        _refuse(refuse_connect(**target, reason=_told(reason, endpoint)))


def _told(reason: Reason, endpoint: NetworkEndpoint) -> str:
    try:
        found = parse_host(endpoint.host)
    except HostError:
        return reason.value
    return f"{reason.value} (before the name was looked up)" if isinstance(found, str) else reason.value


def _check_addresses(session_id: int, endpoint: NetworkEndpoint, addresses: list[Address]) -> None:
    refusal = connect_refusal(**_target(session_id, endpoint), addresses=addresses)
    if refusal is not None:
        _refuse(refusal)


def _refuse(refusal: Any) -> None:
    raise TargetNotAllowed(refusal["message"], hint=refusal["hint"])


def _target(session_id: int, endpoint: NetworkEndpoint) -> dict[str, Any]:
    """Whose rules count: those of the person who opened the session."""
    user = DlmsSession.objects.select_related("opened_by").get(pk=session_id).opened_by
    return {"user": user, "kind": _kind(endpoint), "host": endpoint.host, "port": endpoint.port}


def _kind(endpoint: NetworkEndpoint) -> str:
    if isinstance(endpoint, UdpEndpoint):
        return Line.Kind.UDP
    return Line.Kind.RFC2217 if isinstance(endpoint, Rfc2217Endpoint) else Line.Kind.TCP
