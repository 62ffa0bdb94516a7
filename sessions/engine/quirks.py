"""What a session does otherwise for the quirks of its meter: each is a change of the association's table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from meters.quirks.in_force import QuirkInForce
from sessions.dlms.association import PROPOSED_CONFORMANCE, PROPOSED_SHORT_NAME_CONFORMANCE, Referencing

Table = dict[str, Any]


def apply_quirks(table: Table, quirks: Iterable[QuirkInForce]) -> Table:
    """The table of an association file as these quirks want it. What belongs to a sign-on changes nothing without one."""
    for quirk in quirks:
        OBEYED[quirk.name](table, quirk.value)
    return table


def _set(name: str) -> Callable[[Table, Any], None]:
    def change(table: Table, value: Any) -> None:
        table[name] = value

    return change


def _in(part: str, name: str) -> Callable[[Table, Any], None]:
    def change(table: Table, value: Any) -> None:
        if part in table:
            table[part] = {**table[part], name: value}

    return change


def _ciphered_context(table: Table, value: Any) -> None:
    """Its AARQ carries our system title: an association that has none stays as it is."""
    if table.get("client_system_title"):
        table["ciphered_context"] = True


def _protocol_version(table: Table, value: Any) -> None:
    table["aarq"] = {**table.get("aarq", {}), "protocol_version": "1"}


def _services_not_proposed(table: Table, value: Any) -> None:
    by_short_names = table.get("referencing") == Referencing.SHORT_NAMES.value
    possible = PROPOSED_SHORT_NAME_CONFORMANCE if by_short_names else PROPOSED_CONFORMANCE
    table["conformance"] = [name for name in possible.names if name not in value]


OBEYED: Final[Mapping[str, Callable[[Table, Any], None]]] = {
    "reverse_deviation": _set("reverse_deviation"),
    "disconnect_first": _in("hdlc", "disconnect_first"),
    "keep_alive": _in("hdlc", "keep_alive"),
    "parity_in_octets": _in("sign_on", "parity_in_octets"),
    "wake_up": _in("sign_on", "wake_up"),
    "reaction_time": _in("sign_on", "reaction_time"),
    "switch_pause": _in("sign_on", "switch_pause"),
    "block_check": _in("sign_on", "block_check"),
    "ciphered_context": _ciphered_context,
    "protocol_version": _protocol_version,
    "services_not_proposed": _services_not_proposed,
    "block_window": _set("block_window"),
    "counter_client": _set("counter_client_sap"),
}
"""By the names of `meters.quirks.names`."""
