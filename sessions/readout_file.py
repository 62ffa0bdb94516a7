"""The readout file: how to sign on to one meter by IEC 62056-21, its password included, as TOML.

    password = "text:00000000"
    timeout = 5.0

    [sign_on]
    device_address = "12345678"
    initial_baud = 300

All of it may be left out. `guek` is the customer's key of an encrypted P1 port. Whatever is wrong with it becomes an
`AssociationFileError` that names the key, and never shows a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sessions import association_values as values
from sessions.association_file import DEFAULT_TIMEOUT, load_table, parse_sign_on
from sessions.association_values import AssociationFileError
from sessions.dlms.iec62056_21.settings import SignOnSettings

LISTEN_TIMEOUT: Final = 30.0
"""Seconds that a telegram is awaited that nobody asks for."""
HINT: Final = "The README shows a readout file with every key."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadoutFile:
    """What the file says. `timeout`: seconds of silence before a message is missed."""

    sign_on: SignOnSettings = field(default_factory=SignOnSettings)
    password: bytes = field(default=b"", repr=False)
    guek: bytes | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    listen_timeout: float = LISTEN_TIMEOUT


def load_readout_file(path: str | Path) -> ReadoutFile:
    """The settings in a TOML file."""
    return parse_readout_file(load_table(path))


def parse_readout_file(table: Mapping[str, Any]) -> ReadoutFile:
    """The settings in a table of the file's keys, such as the lab announces."""
    keys = values.Keys(table, "")
    try:
        found = ReadoutFile(
            sign_on=parse_sign_on(keys.take("sign_on", values.table, {})),
            password=keys.take("password", values.secret, b""),
            guek=keys.take("guek", values.octets(16), None),
            timeout=keys.take("timeout", values.seconds, DEFAULT_TIMEOUT),
            listen_timeout=keys.take("listen_timeout", values.seconds, LISTEN_TIMEOUT),
        )
        keys.finish()
    except AssociationFileError as error:
        error.hint = error.hint if error.hint.startswith("Known") else HINT
        raise
    if any(octet < 0x20 or octet > 0x7E or octet in b"()" for octet in found.password):
        raise AssociationFileError(
            "consists of characters that can be printed, without brackets", key="password", hint=HINT
        )
    return found
