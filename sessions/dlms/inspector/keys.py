"""The keys and system titles that open a ciphered conversation for the inspector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sessions.dlms.short_name_map import ShortNameMap

KEY_SIZES: Final = (16, 32)
TITLE_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class DissectionKeys:
    """Whatever is known. Keys have 16 octets (32 in security suite 2), system titles 8.

    Without `gak` a ciphered APDU is still deciphered, but its authentication tag cannot be checked, and the inspector says so.
    """

    guek: bytes | None = field(default=None, repr=False)
    gak: bytes | None = field(default=None, repr=False)
    client_system_title: bytes | None = None
    server_system_title: bytes | None = None
    dedicated_key: bytes | None = field(default=None, repr=False)
    gbek: bytes | None = field(default=None, repr=False)
    short_names: ShortNameMap | None = None
    """What the meter has by short names, where that is known before its list passes by."""


_NAMES: Final = {
    "guek": "guek",
    "gbek": "gbek",
    "gak": "gak",
    "dedicated_key": "dedicated_key",
    "client_system_title": "client_system_title",
    "server_system_title": "server_system_title",
    "system_title": "server_system_title",
}
_TITLES: Final = ("client_system_title", "server_system_title")


def parse_keys(table: Mapping[str, object]) -> DissectionKeys:
    """The keys of a TOML table: hex text, with or without `hex:` in front. ValueError names the entry that is wrong."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        attribute = _NAMES.get(name)
        if attribute is None:
            raise ValueError(f"{name} is not known here; known are {', '.join(sorted(_NAMES))}")
        found[attribute] = _octets(name, value, (TITLE_SIZE,) if attribute in _TITLES else KEY_SIZES)
    return DissectionKeys(**found)


def _octets(name: str, value: object, sizes: tuple[int, ...]) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text in hex")
    try:
        octets = bytes.fromhex(value.removeprefix("hex:"))
    except ValueError:
        raise ValueError(f"{name} is not hex") from None
    if len(octets) not in sizes:
        allowed = " or ".join(str(size) for size in sizes)
        raise ValueError(f"{name} must have {allowed} octets, it has {len(octets)}")
    return octets
