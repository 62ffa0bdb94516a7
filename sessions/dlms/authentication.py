"""Authentication of client and server: passwords and challenge-response (Green Book 9.2.7.4, table of f(challenge)).

    mechanism        f(StoC), by the client                          f(CtoS), by the server
    2 manufacturer   a function of the caller's; AES by default      the same function
    3 MD5            MD5(StoC | secret)                              MD5(CtoS | secret)
    4 SHA-1          SHA-1(StoC | secret)                            SHA-1(CtoS | secret)
    5 GMAC           SC | IC | GMAC(SC | AK | StoC)                  SC | IC | GMAC(SC | AK | CtoS)
    6 SHA-256        SHA-256(secret | STc | STs | StoC | CtoS)       SHA-256(secret | STs | STc | CtoS | StoC)
    7 ECDSA          signature over STc | STs | StoC | CtoS          signature over STs | STc | CtoS | StoC

Both sides prove themselves, and each proof is checked by the other: an association whose server proved nothing is none.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sessions.dlms.errors import LocalProtocolError, NotAuthenticError, SecurityError
from sessions.dlms.security import HEADER_OCTETS, TAG_OCTETS, SecurityControl, gmac
from sessions.dlms.signing import sign, verify

GMAC_RESPONSE_OCTETS: Final = HEADER_OCTETS + TAG_OCTETS
AES_OCTETS: Final = 16
"""Key and block of AES-128."""


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

    @property
    def challenge_sizes(self) -> range:
        """How many octets a challenge may have: 8 to 64, for ECDSA 32 to 64 (Green Book 9.2.7.4)."""
        return range(32, 65) if self is AuthenticationMechanism.HLS_ECDSA else range(8, 65)


def aes_response(secret: bytes, challenge: bytes) -> bytes:
    """AES-128 of the challenge, block by block, under the secret; both filled up with zeros. What most makers mean by HLS 2."""
    if len(secret) > AES_OCTETS:
        raise LocalProtocolError(
            f"secret: HLS manufacturer by AES-128 takes at most {AES_OCTETS} octets, these are {len(secret)}",
            layer="configuration",
            code="bad-parameters",
        )
    encryptor = Cipher(algorithms.AES(secret.ljust(AES_OCTETS, b"\x00")), modes.ECB()).encryptor()
    padded = challenge + bytes(-len(challenge) % AES_OCTETS)
    return encryptor.update(padded) + encryptor.finalize()


ManufacturerResponse = Callable[[bytes, bytes], bytes]
"""HLS 2: what the owner of a secret (first) makes of a challenge (second)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsContext:
    """What one side knows when it proves itself or checks the other. Titles are eight octets.

    `signing_key` is the private key of the side that uses this context, `peer_signing_key` the other side's public one; ECDSA
    needs the first to prove and the second to check.
    """

    mechanism: AuthenticationMechanism
    secret: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)  # the global unicast encryption key
    gak: bytes = field(default=b"", repr=False)
    suite: int = 0
    client_system_title: bytes = b""
    server_system_title: bytes = b""
    client_to_server: bytes = b""
    server_to_client: bytes = b""
    signing_key: bytes | None = field(default=None, repr=False)
    peer_signing_key: bytes | None = None
    manufacturer: ManufacturerResponse = aes_response


def check_challenges(client_to_server: bytes, server_to_client: bytes) -> None:
    """A server that sends our own challenge back would let us prove ourselves to a mirror."""
    if hmac.compare_digest(client_to_server, server_to_client):
        raise NotAuthenticError(
            "the meter sent our own challenge back",
            code="reflected-challenge",
            hint="Something between you and the meter reflects messages, or the device is no genuine meter.",
        )


def constant_time_equal(one: bytes, other: bytes) -> bool:
    """Whether two secrets are the same, in a time that says nothing about where they differ."""
    return hmac.compare_digest(one, other)


def client_response(context: HlsContext, *, invocation_counter: int | None = None) -> bytes:
    """f(StoC), with which the client proves itself. GMAC uses one invocation counter of the global key up."""
    return _respond(context, from_client=True, counter=invocation_counter)


def server_response(context: HlsContext, *, invocation_counter: int | None = None) -> bytes:
    """f(CtoS), with which the server proves itself."""
    return _respond(context, from_client=False, counter=invocation_counter)


def verify_server_response(context: HlsContext, response: bytes) -> int | None:
    """Check f(CtoS); the server's invocation counter for GMAC, else None. NotAuthenticError where it proves nothing."""
    return _verify(context, response, from_client=False, who="the meter")


def verify_client_response(context: HlsContext, response: bytes) -> int | None:
    """Check f(StoC), on the server's side."""
    return _verify(context, response, from_client=True, who="the client")


# -- proofs ------------------------------------------------------------------------------------------------------------


def _respond(context: HlsContext, *, from_client: bool, counter: int | None) -> bytes:
    challenge = context.server_to_client if from_client else context.client_to_server
    match context.mechanism:
        case AuthenticationMechanism.HLS_MANUFACTURER:
            return context.manufacturer(context.secret, challenge)
        case AuthenticationMechanism.HLS_MD5:
            return hashlib.md5(challenge + context.secret, usedforsecurity=False).digest()
        case AuthenticationMechanism.HLS_SHA1:
            return hashlib.sha1(challenge + context.secret, usedforsecurity=False).digest()
        case AuthenticationMechanism.HLS_GMAC:
            return _gmac(context, challenge, from_client, counter, context.suite)
        case AuthenticationMechanism.HLS_SHA256:
            return hashlib.sha256(context.secret + _parties(context, from_client)).digest()
        case AuthenticationMechanism.HLS_ECDSA:
            return sign(_parties(context, from_client), _needed(context.signing_key, "our private signing key"))
    raise LocalProtocolError(
        f"{context.mechanism.name} has no challenges to answer", layer="authentication", code="mechanism-not-supported"
    )


def _parties(context: HlsContext, from_client: bool) -> bytes:
    """Both titles and both challenges, the prover's title and the challenge that it answers first."""
    titles = (context.client_system_title, context.server_system_title)
    challenges = (context.server_to_client, context.client_to_server)
    if not from_client:
        titles, challenges = titles[::-1], challenges[::-1]
    return b"".join(titles + challenges)


def _gmac(context: HlsContext, challenge: bytes, from_client: bool, counter: int | None, suite: int) -> bytes:
    """`suite` is what stands in the security control octet; the keys are those of the context's."""
    if counter is None:
        raise LocalProtocolError("HLS-GMAC needs an invocation counter", layer="authentication")
    control = SecurityControl(suite=suite, authenticated=True)
    title = context.client_system_title if from_client else context.server_system_title
    tag = gmac(
        control=control,
        key=context.key,
        gak=context.gak,
        system_title=title,
        counter=counter,
        text=challenge,
        key_suite=context.suite,
    )
    return bytes((control.encode(),)) + counter.to_bytes(4, "big") + tag


def _needed(key: bytes | None, name: str) -> bytes:
    if key is None:
        raise LocalProtocolError(
            f"HLS ECDSA needs {name}, and it is not given", layer="authentication", code="key-missing"
        )
    return key


# -- checks ------------------------------------------------------------------------------------------------------------


def _verify(context: HlsContext, response: bytes, *, from_client: bool, who: str) -> int | None:
    match context.mechanism:
        case AuthenticationMechanism.HLS_ECDSA:
            _verify_signature(context, response, from_client, who)
            return None
        case AuthenticationMechanism.HLS_GMAC:
            return _verify_gmac(context, response, from_client, who)
    if not hmac.compare_digest(_respond(context, from_client=from_client, counter=None), response):
        raise _proves_nothing(who, "the secret")
    return None


def _verify_gmac(context: HlsContext, response: bytes, from_client: bool, who: str) -> int:
    """Some stacks write suite 0 into the security control of the proof, whatever suite the keys belong to."""
    if len(response) != GMAC_RESPONSE_OCTETS:
        raise NotAuthenticError(
            f"{who} answered the challenge with {len(response)} octets, {GMAC_RESPONSE_OCTETS} are due",
            code="bad-proof-length",
        )
    counter = int.from_bytes(response[1:HEADER_OCTETS], "big")
    suite = 0 if SecurityControl.decode(response[0]).suite == 0 else context.suite
    challenge = context.server_to_client if from_client else context.client_to_server
    if not hmac.compare_digest(_gmac(context, challenge, from_client, counter, suite), response):
        raise _proves_nothing(who, "the keys")
    return counter


def _verify_signature(context: HlsContext, response: bytes, from_client: bool, who: str) -> None:
    peer = _needed(context.peer_signing_key, "the other side's public signing key")
    try:
        verify(_parties(context, from_client), response, peer)
    except SecurityError as error:
        raise NotAuthenticError(
            f"{who} could not prove that it owns its signing key: {error.message}",
            code="wrong-proof",
            hint="Check the other side's public key or certificate for signing, the suite, and both system titles.",
        ) from None


def _proves_nothing(who: str, of_what: str) -> NotAuthenticError:
    return NotAuthenticError(f"{who} could not prove that it knows {of_what}", code="wrong-proof")
