"""Vectors of the protocol: octets whose meaning was checked by an independent implementation or by recomputing them.

`asn1_only` marks the few that follow from the ASN.1 alone. Each has an id, a kind, a description and its octets as hex.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ALL: list[dict[str, Any]] = json.loads((Path(__file__).parent / "dlms.json").read_text())


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    """The vectors of these kinds, for `pytest.mark.parametrize("vector", ..., ids=by_id)`."""
    return [vector for vector in ALL if vector["kind"] in kinds]


def by_id(vector: dict[str, Any]) -> str:
    return str(vector["id"])


def octets(vector_id: str) -> bytes:
    """The octets of one vector."""
    return bytes.fromhex(next(vector["hex"] for vector in ALL if vector["id"] == vector_id))
