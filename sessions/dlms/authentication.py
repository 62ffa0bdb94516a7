"""Authentication of client and server: passwords and challenge-response (Green Book 9.2.7.4, table of f(challenge))."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import IntEnum

from sessions.dlms.errors import AuthenticationFailedError, LocalProtocolError
from sessions.dlms.security import HEADER_OCTETS, TAG_OCTETS, SecurityControl, gmac

GMAC_RESPONSE_OCTETS = HEADER_OCTETS + TAG_OCTETS


class AuthenticationMechanism(IntEnum):
    """The last number of the mechanism-name."""

    NONE = 0
    LLS = 1
    HLS_MANUFACTURER = 2
    HLS_MD5 = 3
    HLS_SHA1 = 4
    HLS_GMAC = 5
    HLS_SHA256 = 6
    HLS_ECDSA = 7

    @property
    def is_hls(self) -> bool:
        return self >= AuthenticationMechanism.HLS_MANUFACTURER


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsContext:
    """What one side knows when it proves itself or checks the other. Titles are eight octets."""

    mechanism: AuthenticationMechanism
    secret: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)  # the global unicast encryption key
    gak: bytes = field(default=b"", repr=False)
    suite: int = 0
    client_system_title: bytes = b""
    server_system_title: bytes = b""
    client_to_server: bytes = b""
    server_to_client: bytes = b""


def check_challenges(client_to_server: bytes, server_to_client: bytes) -> None:
    """A server that sends our own challenge back would let us prove ourselves to a mirror."""
    if hmac.compare_digest(client_to_server, server_to_client):
        raise AuthenticationFailedError(
            "the meter sent our own challenge back",
            code="reflected-challenge",
            hint="Something between you and the meter reflects messages, or the device is no genuine meter.",
        )


def constant_time_equal(one: bytes, other: bytes) -> bool:
    """Whether two secrets are the same, in a time that says nothing about where they differ."""
    return hmac.compare_digest(one, other)


def client_response(context: HlsContext, *, invocation_counter: int | None = None) -> bytes:
    """f(StoC), with which the client proves itself. GMAC uses one invocation counter of the global key up."""
    return _response(context, from_client=True, counter=invocation_counter)


def server_response(context: HlsContext, *, invocation_counter: int | None = None) -> bytes:
    """f(CtoS), with which the server proves itself."""
    return _response(context, from_client=False, counter=invocation_counter)


def verify_server_response(context: HlsContext, response: bytes) -> int | None:
    """Check f(CtoS); the server's invocation counter for GMAC, else None. A wrong one is an error."""
    return _verify(context, response, from_client=False, who="the meter")


def verify_client_response(context: HlsContext, response: bytes) -> int | None:
    """Check f(StoC), on the server's side."""
    return _verify(context, response, from_client=True, who="the client")


def _verify(context: HlsContext, response: bytes, *, from_client: bool, who: str) -> int | None:
    counter = None
    if context.mechanism is AuthenticationMechanism.HLS_GMAC:
        if len(response) != GMAC_RESPONSE_OCTETS:
            raise AuthenticationFailedError(
                f"{who} answered the challenge with {len(response)} octets, {GMAC_RESPONSE_OCTETS} are due"
            )
        counter = int.from_bytes(response[1:HEADER_OCTETS], "big")
    if not hmac.compare_digest(_response(context, from_client=from_client, counter=counter), response):
        raise AuthenticationFailedError(
            f"{who} could not prove that it knows the secret",
            hint="Check secret, keys and system titles. If they are right, this is not the device it claims to be.",
        )
    return counter


def _response(context: HlsContext, *, from_client: bool, counter: int | None) -> bytes:
    ours, theirs = context.client_to_server, context.server_to_client
    challenge = theirs if from_client else ours
    match context.mechanism:
        case AuthenticationMechanism.HLS_MD5:
            return hashlib.md5(challenge + context.secret, usedforsecurity=False).digest()
        case AuthenticationMechanism.HLS_SHA1:
            return hashlib.sha1(challenge + context.secret, usedforsecurity=False).digest()
        case AuthenticationMechanism.HLS_SHA256:
            return _sha256(context, from_client)
        case AuthenticationMechanism.HLS_GMAC:
            return _gmac(context, challenge, from_client, counter)
    raise LocalProtocolError(
        f"{context.mechanism.name} is not supported",
        layer="authentication",
        code="mechanism-not-supported",
        hint="Supported: LLS, HLS-MD5, HLS-SHA1, HLS-GMAC, HLS-SHA256.",
    )


def _sha256(context: HlsContext, from_client: bool) -> bytes:
    titles = (context.client_system_title, context.server_system_title)
    challenges = (context.server_to_client, context.client_to_server)
    if not from_client:
        titles, challenges = titles[::-1], challenges[::-1]
    return hashlib.sha256(context.secret + b"".join(titles) + b"".join(challenges)).digest()


def _gmac(context: HlsContext, challenge: bytes, from_client: bool, counter: int | None) -> bytes:
    if counter is None:
        raise LocalProtocolError("HLS-GMAC needs an invocation counter", layer="authentication")
    control = SecurityControl(suite=context.suite, authenticated=True)
    title = context.client_system_title if from_client else context.server_system_title
    tag = gmac(control=control, key=context.key, gak=context.gak, system_title=title, counter=counter, text=challenge)
    return bytes((control.encode(),)) + counter.to_bytes(4, "big") + tag
