"""Open ciphered APDUs with whatever keys and titles are known, and say how sure the result is.

The stack itself (`sessions.dlms.ciphering`) believes nothing that is not proven. The inspector shows more: with the encryption
key alone the text can be read, though not trusted; a tag that does not fit is an error, beside a text that makes sense.
Source: IEC 62056-5-3 / Green Book 9.2.7; AES-GCM as in NIST SP 800-38D, whose counter mode starts at 2 behind a 96-bit nonce.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG_OCTETS: Final = 12
AUTHENTICATED: Final = 0x10
ENCRYPTED: Final = 0x20
BROADCAST: Final = 0x40
COMPRESSED: Final = 0x80


class Trust(Enum):
    """How far a plaintext can be believed."""

    VERIFIED = "the tag is good"
    VERIFIED_WITHOUT_DATA = "the tag is good, but made without additional authenticated data"
    UNCHECKED = "the tag was not checked: no authentication key"
    NO_TAG = "not authenticated"
    BAD_TAG = "the tag does not fit"
    MASKED = "a secret in it is masked, so its tag cannot be checked again"
    IN_CLEAR = "not ciphered, although the header says so"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The protected part of a ciphered APDU: security control octet, invocation counter, and what follows them.

    `header` is what general-ciphering adds to the authenticated data.
    """

    security_control: int
    invocation_counter: int
    payload: bytes
    header: bytes = b""

    @property
    def authenticated(self) -> bool:
        return bool(self.security_control & AUTHENTICATED)

    @property
    def encrypted(self) -> bool:
        return bool(self.security_control & ENCRYPTED)

    @property
    def body(self) -> bytes:
        """Ciphertext, or plaintext where nothing is encrypted, without the tag."""
        return self.payload[:-TAG_OCTETS] if self.authenticated else self.payload

    @property
    def tag(self) -> bytes:
        return self.payload[-TAG_OCTETS:] if self.authenticated else b""


@dataclass(frozen=True, slots=True)
class Opened:
    """A plaintext, how far to believe it, and the system title that opened it."""

    plaintext: bytes
    trust: Trust
    system_title: bytes


def open_sealed(
    sealed: Sealed,
    *,
    keys: Iterable[bytes],
    authentication_key: bytes | None,
    titles: Iterable[bytes],
    makes_sense: Callable[[bytes], bool],
) -> Opened | None:
    """The best reading under these keys and titles; None where there is none that makes sense, or no key.

    A verified tag wins at once. Without one, the first plaintext that makes sense does.
    """
    candidates = [(key, title) for key in keys for title in titles]
    if sealed.authenticated:
        for key, title in candidates:
            trust = _verify(sealed, key, authentication_key, title)
            if trust is not None:
                return Opened(_plaintext(sealed, key, title), trust, title)
    unproven = _unproven(sealed, authentication_key)
    for key, title in candidates:
        plaintext = _plaintext(sealed, key, title)
        if makes_sense(plaintext):
            return Opened(plaintext, unproven, title)
    return None if sealed.encrypted else Opened(sealed.body, unproven, b"")


def _unproven(sealed: Sealed, authentication_key: bytes | None) -> Trust:
    if not sealed.authenticated:
        return Trust.NO_TAG
    return Trust.UNCHECKED if authentication_key is None else Trust.BAD_TAG


def _nonce(sealed: Sealed, title: bytes) -> bytes:
    return title + sealed.invocation_counter.to_bytes(4, "big")


def _plaintext(sealed: Sealed, key: bytes, title: bytes) -> bytes:
    """The text, unproven: GCM without its tag is counter mode."""
    if not sealed.encrypted:
        return sealed.body
    counter = _nonce(sealed, title) + (2).to_bytes(4, "big")
    cipher = Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor()
    return cipher.update(sealed.body) + cipher.finalize()


def _verify(sealed: Sealed, key: bytes, authentication_key: bytes | None, title: bytes) -> Trust | None:
    """Whether the tag proves this key and title; None where it does not."""
    control = bytes((sealed.security_control,))
    if authentication_key is not None:
        if _tag_fits(sealed, key, title, control + authentication_key + sealed.header):
            return Trust.VERIFIED
        # Some stacks leave the header of general-ciphering out.
        if sealed.header and _tag_fits(sealed, key, title, control + authentication_key):
            return Trust.VERIFIED
    if sealed.encrypted and _tag_fits(sealed, key, title, b""):
        return Trust.VERIFIED_WITHOUT_DATA
    return None


def _tag_fits(sealed: Sealed, key: bytes, title: bytes, additional: bytes) -> bool:
    if len(sealed.tag) != TAG_OCTETS:
        return False
    gcm = modes.GCM(_nonce(sealed, title), sealed.tag, min_tag_length=TAG_OCTETS)
    decryptor = Cipher(algorithms.AES(key), gcm).decryptor()
    decryptor.authenticate_additional_data(additional if sealed.encrypted else additional + sealed.body)
    try:
        if sealed.encrypted:
            decryptor.update(sealed.body)
        decryptor.finalize()
    except InvalidTag:
        return False
    return True
