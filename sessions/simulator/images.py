"""Firmware images of simulated meters: what is transferred ends with what proves it, a digest or a signature.

firmware octets || SHA-256 of them                              digest, of a maker who trusts the line
firmware octets || ECDSA signature, 64 octets (96 with P-384)   signature, of a maker with a key
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sessions.dlms.errors import DlmsError
from sessions.dlms.signing import sign, verify

DIGEST_OCTETS: Final = 32


def with_digest(firmware: bytes) -> bytes:
    """An image that a meter takes whose type asks for a digest."""
    return firmware + hashlib.sha256(firmware).digest()


def with_signature(firmware: bytes, private_key: bytes) -> bytes:
    """An image that a meter takes whose type knows the public half of this key."""
    return firmware + sign(firmware, private_key)


@dataclass(frozen=True, slots=True)
class ImageProof:
    """What a meter asks of an image: a signature where it has its maker's `public_key`, else a digest."""

    public_key: bytes = b""

    @property
    def octets(self) -> int:
        return len(self.public_key) or DIGEST_OCTETS

    def of(self, image: bytes) -> bytes:
        """The proof at the end of an image, whatever it is worth."""
        return image[-self.octets :]

    def holds(self, image: bytes) -> bool:
        """Whether the image is as its maker made it. An image without firmware is none."""
        firmware, proof = image[: -self.octets], image[-self.octets :]
        if not firmware:
            return False
        if not self.public_key:
            return hashlib.sha256(firmware).digest() == proof
        try:
            verify(firmware, proof, self.public_key)
        except DlmsError:
            return False
        return True
