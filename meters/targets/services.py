"""What a user may connect to: checks with their audit, the list itself, and a limit on trying.

`check_target` is asked when a line is saved or a session opened; `connect_refusal` by the worker, for what it is about to
connect to. What is refused goes into `RefusedTarget` and into the log `workbench.audit`; services are `audited`, for their own
transaction is rolled back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from functools import wraps
from ipaddress import ip_network
from typing import Any, ParamSpec, TypeVar

from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from meters.changes import current_request, difference, record
from meters.models import AllowedTarget, Change, RefusedTarget
from meters.targets.hosts import Address, HostError, judged_address, parse_host
from meters.targets.own import is_own_name, own_services
from meters.targets.policy import Policy, Reason, Rule, networks_of, never_allowed

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

audit = logging.getLogger("workbench.audit")

REFUSALS_WINDOW = timedelta(minutes=10)
REFUSALS_LIMIT = 20
"""Requests of one user in the window whose targets were refused; more are not even written down."""
CODE = "target-not-allowed"
HINT = "An administrator can allow it, on the page Lines, Allowed targets."
TOO_MANY = "Too many targets were refused for you lately: wait ten minutes, or ask an administrator what is allowed."


def refused_text(host: str, port: int) -> str:
    """What the user reads, whatever the reason, and whether anybody is there or not."""
    try:
        named = isinstance(parse_host(host), str)
    except HostError:
        named = False
    if named:
        return f"{host} port {port} is not on your list of allowed targets, or the name is not known."
    return f"{host} port {port} is not on your list of allowed targets."


# -- the rules of a user -----------------------------------------------------------------------------------------------


def rules_for(user: Any) -> QuerySet[AllowedTarget]:
    """The rules that count for a user: those for everybody, and those of his or her teams."""
    mine = Q(team=None)
    if getattr(user, "pk", None) is not None:
        mine |= Q(team__in=Group.objects.filter(user=user.pk))
    return AllowedTarget.objects.filter(mine)


def policy_for(user: Any, addresses: Iterable[Address] | None = None, *, look_up: bool = False) -> Policy:
    """The rules of a user as data; with `addresses` only those that could cover one of them, which an index finds.

    `look_up`: the names of the workbench's own services are resolved, too.
    """
    rows = rules_for(user)
    if addresses is not None:
        wanted = {str(network) for address in addresses for network in networks_of(judged_address(address))}
        rows = rows.filter(network__in=wanted)
    return Policy.of(map(rule_of, rows), own_services(look_up=look_up))


def rule_of(row: AllowedTarget) -> Rule:
    return Rule(ip_network(row.network), row.first_port, row.last_port, row.kinds)


# -- checks ------------------------------------------------------------------------------------------------------------


def target_refusal(*, user: Any, kind: str, host: str, port: int) -> Reason | None:
    """Why this target is refused before anything is looked up; None where it may be saved. Writes nothing.

    Of a name only the port can be judged: its addresses are, when the worker has looked it up.
    """
    try:
        found = parse_host(host)
    except HostError:
        return Reason.NOT_A_HOST
    if isinstance(found, str):
        if is_own_name(found, port):
            return Reason.OWN_SERVICE
        known = rules_for(user).filter(**{kind.lower(): True}, first_port__lte=port, last_port__gte=port).exists()
        return None if known else Reason.NO_RULE
    return policy_for(user, [found]).refusal(kind, found, port)


class TargetRefused(ValidationError):
    """A target that no rule allows this user. `record` writes it down, once: after the transaction that it undid (`audited`)."""

    def __init__(self, text: str, code: str, **refused: Any) -> None:
        super().__init__({"host": ValidationError(text, code=code)})
        self._refused: dict[str, Any] | None = refused

    def record(self) -> None:
        if self._refused is not None:
            record_refusal(**self._refused)
        self._refused = None


_audited: ContextVar[bool] = ContextVar("_audited", default=False)


@contextmanager
def refusals_recorded() -> Iterator[None]:
    """A target that is refused within is recorded at the end of this, outside of the transactions that were rolled back.

    Services within leave it to the outermost: what they wrote would be rolled back with what is around them.
    """
    if _audited.get():
        yield
        return
    token = _audited.set(True)
    try:
        yield
    except TargetRefused as refused:
        refused.record()
        raise
    finally:
        _audited.reset(token)


def audited(service: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A service that records the target it was refused, outside of its own transaction, which is rolled back."""

    @wraps(service)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        with refusals_recorded():
            return service(*args, **kwargs)

    return call


def check_target(*, user: Any, kind: str, host: str, port: int) -> None:
    """TargetRefused, at the field `host`, where no rule allows it or it is no host at all."""
    reason = target_refusal(user=user, kind=kind, host=host, port=port)
    if reason is None:
        return
    refused = {"user": user, "kind": kind, "host": host, "port": port, "reason": reason.value}
    where = RefusedTarget.Where.LINE
    if reason is Reason.NOT_A_HOST:
        raise TargetRefused(_not_a_host(host), "not-a-host", **refused, where=where)
    text = TOO_MANY if _too_many(user) else f"{refused_text(host, port)} {HINT}"
    raise TargetRefused(text, CODE, **refused, where=where)


def _not_a_host(host: str) -> str:
    try:
        parse_host(host)
    except HostError as error:
        return str(error)
    raise AssertionError(host)


def connect_refusal(
    *, user: Any, kind: str, host: str, port: int, addresses: Iterable[Address]
) -> Mapping[str, str] | None:
    """Judge every address that a worker would connect to; the error to show, or None where all of them are allowed.

    A name without an address is refused in the same words as one whose address is not allowed.
    """
    found = list(addresses)
    policy = policy_for(user, found, look_up=True)
    reasons = [(reason, address) for address in found if (reason := policy.refusal(kind, address, port)) is not None]
    if found and not reasons:
        return None
    told = f"{reasons[0][0].value} ({reasons[0][1]})" if reasons else Reason.NAME_UNKNOWN.value
    return refuse_connect(user=user, kind=kind, host=host, port=port, reason=told)


def refuse_connect(*, user: Any, kind: str, host: str, port: int, reason: str) -> Mapping[str, str]:
    """Record that a worker was not allowed to connect; the error to show."""
    record_refusal(user=user, kind=kind, host=host, port=port, reason=reason, where=RefusedTarget.Where.CONNECT)
    return {"layer": "configuration", "code": CODE, "message": refused_text(host, port), "hint": HINT}


def record_refusal(*, user: Any, kind: str, host: str, port: int, reason: str, where: str) -> None:
    """Write it down; once the user has reached the limit, into the log of the process alone."""
    known = getattr(user, "pk", None) is not None
    audit.warning("refused target: user=%s kind=%s host=%r port=%s: %s (%s)", user, kind, host, port, reason, where)
    if _too_many(user):
        return
    RefusedTarget.objects.create(
        user=user if known else None,
        user_name=str(user or "")[:150],
        request_id=current_request.get(),
        where=where,
        kind=kind,
        host=_storable(host),
        port=max(0, min(int(port), 2**31 - 1)),
        reason=reason[:200],
    )


def _too_many(user: Any) -> bool:
    return getattr(user, "pk", None) is not None and refusals_of(user) >= REFUSALS_LIMIT


def refusals_of(user: Any) -> int:
    """How many requests of the user were refused in the window; what a worker refused counts each for itself."""
    recent = RefusedTarget.objects.filter(user=user.pk, moment__gte=timezone.now() - REFUSALS_WINDOW)
    requests = recent.exclude(request_id="").exclude(request_id=current_request.get())
    return requests.values("request_id").distinct().count() + recent.filter(request_id="").count()


def _storable(host: str) -> str:
    """What was typed, without what no database or page should hold."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in host)[:255]


# -- the list ----------------------------------------------------------------------------------------------------------


def may_edit_targets(user: Any) -> bool:
    """Administrators are Django's staff."""
    return bool(getattr(user, "is_active", False) and getattr(user, "is_staff", False))


@transaction.atomic
def save_target(*, user: Any, target: Mapping[str, Any], target_id: int | None = None) -> AllowedTarget:
    """Add a rule, or change one; only administrators may. The change log has an entry."""
    _require_administrator(user)
    row = AllowedTarget.objects.select_for_update().get(pk=target_id) if target_id else AllowedTarget()
    before = target_snapshot(row) if target_id else {}
    for name, value in target.items():
        setattr(row, name, value)
    row.full_clean()
    network = ip_network(row.network)
    if why := never_allowed(network.network_address):
        raise ValidationError({"network": f"{network} is refused whatever the list says: {why}."})
    if not target_id:
        row.created_by, row.created_by_name = user, str(user)[:150]
    row.save()
    action = Change.Action.UPDATE if target_id else Change.Action.CREATE
    record(user=user, thing=row, fields=difference(before, target_snapshot(row)), action=action)
    return row


@transaction.atomic
def delete_target(*, user: Any, target_id: int) -> None:
    """Take a rule away: what only it covered is refused from now on. Sessions that run go on."""
    _require_administrator(user)
    row = AllowedTarget.objects.select_for_update().get(pk=target_id)
    fields = difference(target_snapshot(row), {})
    record(user=user, thing=row, fields=fields, action=Change.Action.DELETE)
    row.delete()


@transaction.atomic
def allow_demo_targets(*, targets: Iterable[tuple[str, str, int]], note: str) -> None:
    """Rules for everybody with this note become exactly these: kind, address and port."""
    wanted = {(str(ip_network(host)), port, kind) for kind, host, port in targets}
    for row in AllowedTarget.objects.filter(note=note, created_by=None, team=None):
        key = (row.network, row.first_port, next(iter(row.kinds)))
        if key in wanted and row.first_port == row.last_port and len(row.kinds) == 1:
            wanted.discard(key)
        else:
            record(user=None, thing=row, fields=difference(target_snapshot(row), {}), action=Change.Action.DELETE)
            row.delete()
    for network, port, kind in sorted(wanted):
        kinds = {each.value.lower(): each == kind for each in AllowedTarget.KINDS}
        row = AllowedTarget.objects.create(network=network, first_port=port, last_port=port, note=note, **kinds)
        record(user=None, thing=row, fields=difference({}, target_snapshot(row)), action=Change.Action.CREATE)


def target_snapshot(row: AllowedTarget) -> dict[str, Any]:
    """What the change log tells of a rule."""
    return {
        "network": row.network,
        "ports": row.ports,
        "kinds": row.kind_words,
        "team": row.team.name if row.team else "everybody",
        "note": row.note,
    }


def _require_administrator(user: Any) -> None:
    if not may_edit_targets(user):
        raise PermissionDenied("Only administrators change the list of allowed targets.")
