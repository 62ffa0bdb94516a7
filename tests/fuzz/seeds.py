"""Where the mutations begin: our own vectors, and the published captures where they are at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from sessions.dlms.errors import DlmsError
from sessions.dlms.inspector import Dissector

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors" / "dlms.json"
CAPTURES = ROOT.parent / "shared" / "captures"
MAX_OCTETS = 2048


def _hex_in(node: object) -> Iterator[bytes]:
    """Every string of a JSON tree that is octets in hexadecimal."""
    if isinstance(node, dict):
        for each in node.values():
            yield from _hex_in(each)
    elif isinstance(node, list):
        for each in node:
            yield from _hex_in(each)
    elif isinstance(node, str) and len(node) >= 4:
        try:
            yield bytes.fromhex(node)
        except ValueError:
            return


def _texts(path: Path) -> Iterator[bytes]:
    for item in json.loads(path.read_text("utf-8")):
        if isinstance(item, dict) and isinstance(item.get("ascii"), str):
            yield item["ascii"].encode("latin-1", "replace")


def _apdus(octets: bytes) -> Iterator[bytes]:
    """What stands inside a frame: the APDU, and the plaintext where the keys are known."""
    try:
        dissection = Dissector().feed(octets)
    except DlmsError:
        return
    yield from (source for source in dissection.sources.values() if source != octets)


@lru_cache(maxsize=1)
def seeds() -> tuple[bytes, ...]:
    """Frames, APDUs, data and texts, each once, none longer than `MAX_OCTETS`."""
    found = dict.fromkeys(_hex_in(json.loads(VECTORS.read_text("utf-8"))))
    for path in sorted(CAPTURES.glob("*.json")) if CAPTURES.is_dir() else ():
        found |= dict.fromkeys(_hex_in(json.loads(path.read_text("utf-8"))))
        found |= dict.fromkeys(_texts(path))
    for octets in list(found):
        found |= dict.fromkeys(_apdus(octets))
    return tuple(octets for octets in found if 0 < len(octets) <= MAX_OCTETS)
