"""Protection of octets: AES-GCM with a 96-bit tag (Green Book 9.2.7; NIST SP 800-38D).

    security header = security control (1) | invocation counter (4)
    initialization vector = system title of the sender (8) | invocation counter (4)

What is authenticated beside the text: security control and authentication key, and for "authentication only" the text itself.

The library's one-shot AESGCM is seven times as fast as its Cipher objects, and knows tags of 128 bits only. So a tag is cut when
it is made; and it is checked by making it anew from the deciphered text (GCM's text is counter mode: enciphering the ciphertext
gives the plaintext) and comparing in constant time. No text leaves before its tag was found to fit.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessions.dlms.counters import LAST_COUNTER
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import LocalProtocolError, SecurityError

TAG_OCTETS: Final = 12
FULL_TAG_OCTETS: Final = 16
TITLE_OCTETS: Final = 8
HEADER_OCTETS: Final = 5
KEY_OCTETS: Final = {0: 16, 1: 16, 2: 32}
"""Octets of encryption and authentication keys by security suite."""

_AUTHENTICATED: Final = 0x10
_ENCRYPTED: Final = 0x20
_BROADCAST: Final = 0x40
_COMPRESSED: Final = 0x80


@dataclass(frozen=True, slots=True)
class SecurityControl:
    """The first octet of the security header."""

    suite: int = 0
    authenticated: bool = False
    encrypted: bool = False
    broadcast: bool = False
    compressed: bool = False

    def encode(self) -> int:
        return (
            self.suite & 0x0F
            | (_AUTHENTICATED if self.authenticated else 0)
            | (_ENCRYPTED if self.encrypted else 0)
            | (_BROADCAST if self.broadcast else 0)
            | (_COMPRESSED if self.compressed else 0)
        )

    @staticmethod
    def decode(octet: int) -> SecurityControl:
        return _CONTROLS[octet]

    def __str__(self) -> str:
        kinds = [
            word
            for flag, word in (
                (self.authenticated, "authenticated"),
                (self.encrypted, "encrypted"),
                (self.broadcast, "broadcast key"),
                (self.compressed, "compressed"),
            )
            if flag
        ]
        return f"{' and '.join(kinds) or 'unprotected'}, suite {self.suite}"


_CONTROLS: Final = tuple(
    SecurityControl(
        octet & 0x0F,
        bool(octet & _AUTHENTICATED),
        bool(octet & _ENCRYPTED),
        bool(octet & _BROADCAST),
        bool(octet & _COMPRESSED),
    )
    for octet in range(256)
)


def read_security_control(reader: Reader) -> SecurityControl:
    octet = reader.u8("security-control")
    control = SecurityControl.decode(octet)
    if reader.tracer is not None:
        reader.label(f"{octet:02x} ({control})")
    return control


def check_key(key: bytes, suite: int, name: str) -> None:
    """Refuse a key whose length is not the suite's."""
    wanted = KEY_OCTETS.get(suite)
    if wanted is None:
        raise LocalProtocolError(f"security suite {suite} is not known", layer="security", code="unknown-suite")
    if len(key) != wanted:
        raise LocalProtocolError(
            f"the {name} has {len(key)} octets, security suite {suite} takes {wanted}",
            layer="security",
            code="bad-key-length",
            hint="Keys are given as hex, two digits an octet.",
        )


def _vector(system_title: bytes, invocation_counter: int) -> bytes:
    if len(system_title) != TITLE_OCTETS:
        raise LocalProtocolError(
            f"a system title has {TITLE_OCTETS} octets, this one {len(system_title)}",
            layer="security",
            code="bad-system-title",
        )
    if not 0 <= invocation_counter <= LAST_COUNTER:
        raise LocalProtocolError(
            f"an invocation counter has 32 bits, {invocation_counter} does not fit",
            layer="security",
            code="counters-exhausted",
            hint="A key whose counter reached its end must be replaced.",
        )
    return system_title + invocation_counter.to_bytes(4, "big")


def protect(
    plaintext: bytes,
    *,
    control: SecurityControl,
    key: bytes,
    gak: bytes,
    system_title: bytes,
    invocation_counter: int,
    header: bytes = b"",
) -> bytes:
    """Security header and protected text. `system_title` is ours; `header` joins the authenticated data of
    general-ciphering. The caller takes care that the counter was never used with this key."""
    check_key(key, control.suite, "encryption key")
    if control.authenticated:
        check_key(gak, control.suite, "authentication key")
    vector = _vector(system_title, invocation_counter)
    head = bytes((control.encode(),)) + vector[TITLE_OCTETS:]
    if not (control.authenticated or control.encrypted):
        return head + plaintext
    additional = head[:1] + gak + header
    if not control.encrypted:
        return head + plaintext + AESGCM(key).encrypt(vector, b"", additional + plaintext)[:TAG_OCTETS]
    if control.authenticated:
        return head + AESGCM(key).encrypt(vector, plaintext, additional)[: TAG_OCTETS - FULL_TAG_OCTETS]
    return head + _counter_mode(AESGCM(key), vector, plaintext)


def unprotect(
    protected: bytes, *, key: bytes, gak: bytes, system_title: bytes, header: bytes = b""
) -> tuple[SecurityControl, int, bytes]:
    """Control, counter and text of what `protect` made. `system_title` is the sender's.

    A tag that does not fit is a `SecurityError`; nothing of the text leaves then. Whether the protection is strong enough,
    and the counter new, is for the caller to say.
    """
    if len(protected) < HEADER_OCTETS:
        raise SecurityError("the security header is cut", code="truncated-header")
    control = SecurityControl.decode(protected[0])
    counter = int.from_bytes(protected[1:HEADER_OCTETS], "big")
    body = protected[HEADER_OCTETS:]
    if control.compressed:
        raise SecurityError("the APDU is compressed (V.44), which is not supported", code="compressed")
    check_key(key, control.suite, "encryption key")
    vector = _vector(system_title, counter)
    if control.authenticated:
        check_key(gak, control.suite, "authentication key")
        return control, counter, _verified(body, control, key, vector, protected[:1] + gak + header)
    return control, counter, _counter_mode(AESGCM(key), vector, body) if control.encrypted else body


def _verified(body: bytes, control: SecurityControl, key: bytes, vector: bytes, additional: bytes) -> bytes:
    """The text before the tag, once the tag was found to fit."""
    if len(body) < TAG_OCTETS:
        raise SecurityError("the authentication tag is cut", code="truncated-tag")
    text, tag = body[:-TAG_OCTETS], body[-TAG_OCTETS:]
    cipher = AESGCM(key)
    if control.encrypted:
        text = _counter_mode(cipher, vector, text)
        whole = cipher.encrypt(vector, text, additional)
    else:
        whole = cipher.encrypt(vector, b"", additional + text)
    if not hmac.compare_digest(whole[-FULL_TAG_OCTETS : TAG_OCTETS - FULL_TAG_OCTETS], tag):
        raise SecurityError(
            "the authentication tag does not fit: a wrong key, a wrong system title, or altered octets",
            code="bad-tag",
        )
    return text


def _counter_mode(cipher: AESGCM, vector: bytes, text: bytes) -> bytes:
    """GCM without its tag: plaintext to ciphertext, and back."""
    return cipher.encrypt(vector, text, None)[:-FULL_TAG_OCTETS]


def gmac(
    *,
    control: SecurityControl,
    key: bytes,
    gak: bytes,
    system_title: bytes,
    counter: int,
    text: bytes,
    key_suite: int | None = None,
) -> bytes:
    """The tag over `text`, as HLS-GMAC uses it. The keys are those of `key_suite`, if `control` does not say theirs."""
    suite = control.suite if key_suite is None else key_suite
    check_key(key, suite, "encryption key")
    check_key(gak, suite, "authentication key")
    additional = bytes((control.encode(),)) + gak + text
    return AESGCM(key).encrypt(_vector(system_title, counter), b"", additional)[:TAG_OCTETS]
