"""The keys and system titles that open a ciphered conversation for the inspector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.key_files import load_any_key
from sessions.dlms.short_name_map import ShortNameMap

KEY_SIZES: Final = (16, 32)
TITLE_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class DissectionKeys:
    """Whatever is known. Keys have 16 octets (32 in security suite 2), system titles 8.

    Keys of key pairs are octets as in `elliptic`: those for signing are used to verify, so either half will do; those for key
    agreement open what is meant for their owner, or what both computed, if the private half is known. `ephemeral_key` is a
    private key that its owner kept, as published examples do. Without `gak` a ciphered APDU is still deciphered, but its
    authentication tag cannot be checked, and the inspector says so.
    """

    guek: bytes | None = field(default=None, repr=False)
    gak: bytes | None = field(default=None, repr=False)
    client_system_title: bytes | None = None
    server_system_title: bytes | None = None
    dedicated_key: bytes | None = field(default=None, repr=False)
    gbek: bytes | None = field(default=None, repr=False)
    kek: bytes | None = field(default=None, repr=False)
    client_signing_key: bytes | None = field(default=None, repr=False)
    server_signing_key: bytes | None = field(default=None, repr=False)
    client_key_agreement_key: bytes | None = field(default=None, repr=False)
    server_key_agreement_key: bytes | None = field(default=None, repr=False)
    ephemeral_key: bytes | None = field(default=None, repr=False)
    short_names: ShortNameMap | None = None
    """What the meter has by short names, where that is known before its list passes by."""


_NAMES: Final = {
    "guek": "guek",
    "gbek": "gbek",
    "gak": "gak",
    "kek": "kek",
    "dedicated_key": "dedicated_key",
    "client_system_title": "client_system_title",
    "server_system_title": "server_system_title",
    "system_title": "server_system_title",
}
_KEY_PAIRS: Final = (
    "client_signing_key",
    "server_signing_key",
    "client_key_agreement_key",
    "server_key_agreement_key",
    "ephemeral_key",
)
_TITLES: Final = ("client_system_title", "server_system_title")


def parse_keys(table: Mapping[str, object]) -> DissectionKeys:
    """The keys of a TOML table: hex text, with or without `hex:` in front; those of key pairs also as PEM, public ones in a
    certificate too. ValueError names the entry that is wrong."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name in _KEY_PAIRS:
            found[name] = _key_of_pair(name, value)
            continue
        attribute = _NAMES.get(name)
        if attribute is None:
            raise ValueError(f"{name} is not known here; known are {', '.join(sorted((*_NAMES, *_KEY_PAIRS)))}")
        found[attribute] = _octets(name, value, (TITLE_SIZE,) if attribute in _TITLES else KEY_SIZES)
    return DissectionKeys(**found)


def _key_of_pair(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text: PEM, or hex")
    try:
        return load_any_key(value, name)
    except LocalProtocolError as error:
        raise ValueError(error.message) from None


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
