"""Images end with what proves them."""

from __future__ import annotations

import pytest

from sessions.dlms.elliptic import Curve, private_from_random, public_of, random_octets
from sessions.simulator.images import ImageProof, with_digest, with_signature

FIRMWARE = b"firmware of a meter"
KEYS = [private_from_random(bytes(range(1, random_octets(curve) + 1)), curve) for curve in Curve]


@pytest.mark.parametrize("firmware", [b"\0", FIRMWARE, bytes(10_000)])
def test_a_digest(firmware):
    image = with_digest(firmware)
    assert ImageProof().holds(image)
    assert ImageProof().of(image) == image[len(firmware) :]
    for at in {0, len(firmware) // 2, len(firmware), len(image) - 1}:
        assert not ImageProof().holds(image[:at] + bytes((image[at] ^ 1,)) + image[at + 1 :])


@pytest.mark.parametrize("key", KEYS)
def test_a_signature(key):
    image, proof = with_signature(FIRMWARE, key), ImageProof(public_of(key))
    assert proof.holds(image)
    assert image == FIRMWARE + proof.of(image)
    for at in (0, len(FIRMWARE), len(image) - 1):
        assert not proof.holds(image[:at] + bytes((image[at] ^ 1,)) + image[at + 1 :])
    assert not ImageProof().holds(image)
    assert not proof.holds(with_digest(FIRMWARE))


@pytest.mark.parametrize("proof", [ImageProof(), *(ImageProof(public_of(key)) for key in KEYS)])
def test_what_is_too_short_is_no_image(proof):
    for size in range(proof.octets + 1):
        assert not proof.holds(bytes(size))
    assert not ImageProof().holds(with_digest(b""))
