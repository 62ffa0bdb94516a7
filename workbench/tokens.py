"""Tokens of the API: made, shown once, judged with each request, revoked.

A token is `mwb_<prefix>.<secret>`: the prefix finds the row, the secret is 256 random bits of which the row holds the SHA-256. It
comes in the header `Authorization` and nowhere else. All that is wrong with one gets the same answer, but for what its owner
has to know: expired, revoked, not from this address.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from meters.api.access import SCOPES as METERS_SCOPES
from meters.api.problems import Refused
from meters.changes import current_means, record_by_key
from meters.models import Change
from sessions.api.scopes import SCOPES as SESSIONS_SCOPES
from workbench.models import ApiToken

SCOPES: Final[Mapping[str, str]] = {**METERS_SCOPES, **SESSIONS_SCOPES}
"""All scopes that there are, with their words, in the order of the page."""

MARK: Final = "mwb_"
PREFIX_OCTETS: Final = 6
SECRET_OCTETS: Final = 32
TOKEN: Final = re.compile(rf"{MARK}(?P<prefix>[0-9a-f]{{{2 * PREFIX_OCTETS}}})\.(?P<secret>[0-9A-Za-z_-]{{20,100}})")
"""What may be looked for at all: no database is asked for what it cannot hold."""
MAX_NETWORKS: Final = 20
MAX_TOKENS: Final = 100
"""Alive at once, of one person."""
USED_AGAIN: Final = timedelta(minutes=1)
"""So often at most the row says when it was used: a request does not cost a write."""

FAILURES: Final = 20
WINDOW: Final = 60
"""So many bad tokens an address may show in so many seconds; then it is told to wait. Who shows a good one does not wait for a
neighbour behind the same address: 256 bits are not guessed, the limit spares the log and the database."""

NOBODY: Final = "0" * 64
"""The digest of no secret: what a token that is not known is compared with."""


# -- making and revoking -----------------------------------------------------------------------------------------------


@transaction.atomic
def make_token(
    *,
    user: Any,
    name: str,
    scopes: Iterable[str],
    expires: datetime | None = None,
    networks: Sequence[str] = (),
) -> tuple[ApiToken, str]:
    """A new token, and its text: the only time that anybody sees it. The change log tells of it."""
    text, prefix, digest = _new_text()
    token = ApiToken(user=user, name=" ".join(name.split()), prefix=prefix, digest=digest, expires=expires)
    token.scopes = _known_scopes(scopes)
    token.networks = read_networks(networks)
    if expires is not None and expires <= timezone.now():
        raise ValidationError({"expires": "That is over already."})
    if alive_tokens(user).count() >= MAX_TOKENS:
        raise ValidationError(f"You have {MAX_TOKENS} tokens already: revoke what nobody uses.")
    token.full_clean()
    token.save()
    told = {"scopes": token.scopes, "networks": token.networks, "expires": expires.isoformat() if expires else None}
    _log(user, token, {name: [None, value] for name, value in told.items() if value}, Change.Action.CREATE)
    return token, text


def _new_text() -> tuple[str, str, str]:
    """The token's text, its prefix and the digest of its secret."""
    prefix, secret = secrets.token_hex(PREFIX_OCTETS), secrets.token_urlsafe(SECRET_OCTETS)
    return f"{MARK}{prefix}.{secret}", prefix, _digest(secret)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _known_scopes(scopes: Iterable[str]) -> list[str]:
    wanted = set(scopes)
    if not wanted:
        raise ValidationError({"scopes": "A token without a scope opens nothing: choose some."})
    if unknown := sorted(wanted - SCOPES.keys()):
        raise ValidationError({"scopes": f"There is no scope {', '.join(unknown)}."})
    return [scope for scope in SCOPES if scope in wanted]


def read_networks(texts: Iterable[str]) -> list[str]:
    """Addresses and networks in their usual form; ValidationError names the one that is none."""
    found = []
    for text in filter(None, (text.strip() for text in texts)):
        try:
            found.append(str(ipaddress.ip_network(text)))
        except ValueError:
            raise ValidationError(
                {"networks": f"“{text[:60]}” is no address and no network, such as 10.1.0.0/16."}
            ) from None
    if len(found) > MAX_NETWORKS:
        raise ValidationError({"networks": f"At most {MAX_NETWORKS} addresses and networks."})
    return list(dict.fromkeys(found))


@transaction.atomic
def revoke_token(*, user: Any, token_id: int) -> ApiToken:
    """End a token of this person for good; one that is revoked already stays as it is. DoesNotExist for another's."""
    token = ApiToken.objects.select_for_update().get(pk=token_id, user=user)
    if token.revoked is None:
        token.revoked = timezone.now()
        token.save(update_fields=["revoked"])
        _log(user, token, {"revoked": [None, token.revoked.isoformat()]}, Change.Action.DELETE)
    return token


def alive_tokens(user: Any) -> Any:
    """The tokens of a person that can be used."""
    alive = Q(expires=None) | Q(expires__gt=timezone.now())
    return ApiToken.objects.filter(alive, user=user, revoked=None)


def _log(user: Any, token: ApiToken, fields: dict[str, list[Any]], action: str) -> None:
    label = f"{token.name} ({token.prefix})"
    record_by_key(user=user, kind=Change.Kind.TOKEN, object_id=token.pk, label=label, fields=fields, action=action)


# -- judging -----------------------------------------------------------------------------------------------------------


def authenticate(request: HttpRequest, text: str) -> ApiToken:
    """The token of a request; Refused when it is none that may be used here and now. Its owner becomes `request.user`."""
    address = client_address(request)
    try:
        token = _judged(text, address)
    except Refused as refused:
        _count_failure(address, refused)
        raise
    _note_use(token, address)
    request.user = token.user
    current_means.set(f"token {token.name}")
    return token


def _judged(text: str, address: str) -> ApiToken:
    known = TOKEN.fullmatch(text)
    token = ApiToken.objects.select_related("user").filter(prefix=known["prefix"]).first() if known else None
    right = secrets.compare_digest(_digest(known["secret"]) if known else "", token.digest if token else NOBODY)
    if token is None or not right or not token.user.is_active:
        raise unauthenticated("This token is not known.")
    if token.revoked is not None:
        raise unauthenticated("This token was revoked.")
    if token.is_expired:
        raise unauthenticated("This token has expired.")
    if token.networks and not _within(address, token.networks):
        raise Refused(
            403,
            "address-not-allowed",
            "This token may not be used from this address.",
            hint="Its owner names the addresses and networks that it may be used from.",
        )
    return token


def unauthenticated(message: str) -> Refused:
    """Nobody is known."""
    return Refused(
        401,
        "unauthenticated",
        message,
        hint="Send a token in the header “Authorization: Bearer mwb_…”. The page “API tokens” makes them.",
        headers={"WWW-Authenticate": 'Bearer realm="Meter Workbench"'},
    )


def _within(address: str, networks: Iterable[str]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in ipaddress.ip_network(network) for network in networks)


def client_address(request: HttpRequest) -> str:
    """Who asks: the other end of the connection, or what the last of our own proxies (`WORKBENCH_PROXIES`) says of it."""
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    proxies: int = settings.PROXIES
    if proxies and len(passed) >= proxies:
        return passed[-proxies]
    return str(request.META.get("REMOTE_ADDR") or "")


def _count_failure(address: str, refused: Refused) -> None:
    """Count a bad token; beyond the limit the answer is to wait."""
    key = f"api-failures:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    cache.add(key, 0, WINDOW)
    try:
        failures = cache.incr(key)
    except ValueError:  # it ran out just now
        return
    if failures > FAILURES:
        raise Refused(
            429,
            "too-many-failures",
            "Too many requests with bad tokens came from this address.",
            hint=f"Wait {WINDOW} seconds, and mend the token first.",
            headers={"Retry-After": str(WINDOW)},
        ) from refused


def _note_use(token: ApiToken, address: str) -> None:
    now = timezone.now()
    if token.last_used is None or now - token.last_used > USED_AGAIN or token.last_address != address[:45]:
        ApiToken.objects.filter(pk=token.pk).update(last_used=now, last_address=address[:45])
