"""AES key wrap: how a key travels under the master key (Green Book 9.2.3.4.8; RFC 3394, NIST SP 800-38F).

A wrapped key is eight octets longer than the key: 24 octets for one of 128 bits, 40 for one of 256. Wrapping has no nonce and no
counter, and proves itself: a wrong master key, or one altered bit, is seen.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.security import KEY_OCTETS, check_key

OVERHEAD: Final = 8
"""Octets that wrapping adds."""


def wrap_key(kek: bytes, key: bytes) -> bytes:
    """The wrapped key. Both have a length that a security suite knows: 16 or 32 octets."""
    for name, octets in (("master key", kek), ("key", key)):
        if len(octets) not in KEY_OCTETS.values():
            raise LocalProtocolError(
                f"the {name} has {len(octets)} octets, 16 or 32 are due", layer="security", code="bad-key-length"
            )
    return aes_key_wrap(kek, key)


def unwrap_key(kek: bytes, wrapped: bytes, *, suite: int | None = None) -> bytes:
    """The key, or a SecurityError where the master key is another or an octet was altered.

    With `suite`, master key and wrapped key must have its lengths.
    """
    if suite is not None:
        check_key(kek, suite, "master key")
        if len(wrapped) != KEY_OCTETS[suite] + OVERHEAD:
            raise SecurityError(
                f"a wrapped key has {KEY_OCTETS[suite] + OVERHEAD} octets in security suite {suite}, this one {len(wrapped)}",
                code="bad-wrapped-key",
            )
    try:
        return aes_key_unwrap(kek, wrapped)
    except (InvalidUnwrap, ValueError):
        raise SecurityError(
            "the wrapped key does not fit this master key",
            code="bad-wrapped-key",
            hint="Another master key (KEK) wrapped it, or octets were altered.",
        ) from None
