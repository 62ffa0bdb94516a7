"""Meters for tests."""

from __future__ import annotations

from typing import Any

from meters.models import Meter
from meters.services import save_meter

GUEK = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))


def meter_fields(**changes: Any) -> dict[str, Any]:
    """The keywords of `save_meter` for a wrapper meter with a password; `changes` by part: `line={…}`."""
    fields: dict[str, Any] = {
        "user": "tests",
        "meter": {"serial_number": "12345678", "name": "bench", "manufacturer": "Maker", "model": "M1"},
        "line": {"kind": "TCP", "host": "127.0.0.1", "port": 4059},
        "association": {"name": "Management", "client_sap": 32, "authentication": "lls", "timeout": 2.0},
        "secrets": {"LLS_SECRET": b"secret-1"},
    }
    for part, values in changes.items():
        fields[part] = {**fields[part], **values} if isinstance(values, dict) and part in fields else values
    return fields


def make_meter(**changes: Any) -> Meter:
    return save_meter(**meter_fields(**changes))


def make_ciphered_meter(**changes: Any) -> Meter:
    """HLS-GMAC, authenticated and encrypted."""
    ciphered = {
        "association": {
            "authentication": "hls-gmac",
            "protection": "authenticated-encrypted",
            "client_system_title": "4d57424d57422d31",
        },
        "secrets": {"LLS_SECRET": b"", "GUEK": GUEK, "GAK": GAK},
    }
    return make_meter(**{**ciphered, **changes})
