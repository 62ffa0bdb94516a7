"""Small damage, as lines and hostile peers do it: for the quick round in `make test`, where no coverage guides."""

from __future__ import annotations

from random import Random

BOUNDARIES = (0x00, 0x01, 0x7E, 0x7F, 0x80, 0x82, 0x84, 0xFE, 0xFF)


def mutate(octets: bytes, chance: Random) -> bytes:
    """The octets with one to four changes: altered, cut, doubled, inserted, moved."""
    changed = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        _change(changed, chance)
    return bytes(changed)


def _change(octets: bytearray, chance: Random) -> None:
    at = chance.randrange(len(octets) + 1)
    end = min(len(octets), at + chance.randint(1, 8))
    match chance.randrange(6):
        case 0 if at < len(octets):
            octets[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(octets):
            octets[at] = chance.choice(BOUNDARIES)
        case 2:
            del octets[at:end]
        case 3:
            octets[at:at] = octets[at:end]
        case 4:
            octets[at:at] = chance.randbytes(chance.randint(1, 8))
        case 5:
            del octets[at:]
