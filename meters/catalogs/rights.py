"""Who may do what with an object: by client SAP the rights of its attributes and methods. Pure.

Written as text: `1: r 1 3-9, rw 2, x 1; 16: r 1-3`. Before the numbers of attributes `r` read, `w` write, `rw` both, `no`
neither; before those of methods `x` may be invoked, `nx` may not. A client alone (`32`) is one whose association lists the
object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

NO_ACCESS: Final = "no"
MODES: Final = ("r", "w", "rw", NO_ACCESS)
WORDS: Final = {"r": "read", "w": "write", "rw": "read and write", NO_ACCESS: "no access"}
METHOD_MODES: Final = {"x": True, "nx": False}
MAX_CLIENT_SAP: Final = 0xFFFF
MAX_CLIENTS: Final = 32
MAX_NUMBERS: Final = 256
LEAST, MOST = -128, 127
"""Numbers of attributes and methods travel as one signed octet; the maker's own are negative."""

_NUMBERS: Final = re.compile(r"(-?\d{1,3})(?:-(-?\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class ClientRights:
    """What one client may do. An attribute or method that is not named is one of which nothing is known."""

    attributes: Mapping[int, str] = field(default_factory=dict)
    methods: Mapping[int, bool] = field(default_factory=dict)

    def may_read(self, attribute_id: int) -> bool | None:
        """None where it is not known."""
        mode = self.attributes.get(attribute_id)
        return None if mode is None else mode in ("r", "rw")

    def may_write(self, attribute_id: int) -> bool | None:
        """None where it is not known."""
        mode = self.attributes.get(attribute_id)
        return None if mode is None else mode in ("w", "rw")


Rights = Mapping[int, ClientRights]
"""By client SAP."""


def mode_of(*, readable: bool, writable: bool) -> str:
    """One of `MODES`."""
    return f"{'r' if readable else ''}{'w' if writable else ''}" or NO_ACCESS


# -- as JSON -----------------------------------------------------------------------------------------------------------


def rights_to_json(rights: Rights) -> dict[str, Any]:
    """As the database keeps them: keys in order, so that equal rights are equal JSON."""
    return {
        str(sap): {
            "attributes": {str(number): client.attributes[number] for number in sorted(client.attributes)},
            "methods": {str(number): client.methods[number] for number in sorted(client.methods)},
        }
        for sap, client in sorted(rights.items())
    }


def rights_from_json(value: Mapping[str, Any]) -> dict[int, ClientRights]:
    return {
        int(sap): ClientRights(
            {int(number): mode for number, mode in client["attributes"].items()},
            {int(number): bool(allowed) for number, allowed in client["methods"].items()},
        )
        for sap, client in value.items()
    }


# -- as text -----------------------------------------------------------------------------------------------------------


def rights_text(rights: Rights) -> str:
    """`1: r 1 3-9, rw 2; 16: r 1-3`; `parse_rights` reads it back."""
    return "; ".join(_client_text(sap, client) for sap, client in sorted(rights.items()))


def _client_text(sap: int, client: ClientRights) -> str:
    items = [
        *((mode, [number for number, its in client.attributes.items() if its == mode]) for mode in MODES),
        *((word, [number for number, its in client.methods.items() if its is on]) for word, on in METHOD_MODES.items()),
    ]
    said = ", ".join(f"{word} {_numbers_text(numbers)}" for word, numbers in items if numbers)
    return f"{sap}: {said}" if said else str(sap)


def _numbers_text(numbers: Iterable[int]) -> str:
    """`1 3-9`; numbers that follow each other are one range from three on."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs)


def parse_rights(text: str) -> dict[int, ClientRights]:
    """From the written form; ValueError says what is wrong with it."""
    rights: dict[int, ClientRights] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        sap, client = _client(part)
        if sap in rights:
            raise ValueError(f"Client {sap} stands twice: write all its rights behind one “{sap}:”.")
        rights[sap] = client
    check_rights(rights)
    return rights


def check_rights(rights: Rights) -> None:
    """ValueError for more than anybody means, and for numbers that there are not."""
    if len(rights) > MAX_CLIENTS:
        raise ValueError(f"{len(rights)} clients are too many: at most {MAX_CLIENTS}.")
    for sap, client in rights.items():
        if not 0 <= sap <= MAX_CLIENT_SAP:
            raise ValueError(f"Client {sap}: a client SAP is 0 to {MAX_CLIENT_SAP}.")
        for number in (*client.attributes, *client.methods):
            if not LEAST <= number <= MOST:
                raise ValueError(f"Client {sap}: attributes and methods are numbered {LEAST} to {MOST}, not {number}.")
        if unknown := {*client.attributes.values()} - {*MODES}:
            raise ValueError(f"Client {sap}: “{min(unknown)}” is none of {', '.join(MODES)}.")


def _client(part: str) -> tuple[int, ClientRights]:
    head, _, said = part.partition(":")
    if not (head.strip().isascii() and head.strip().isdecimal()) or len(head.strip()) > 5:
        raise ValueError(f"“{part[:40]}” begins with no client SAP: write it as “16: r 1-3, rw 2”.")
    attributes: dict[int, str] = {}
    methods: dict[int, bool] = {}
    for item in filter(None, (item.strip() for item in said.split(","))):
        word, _, numbers = item.partition(" ")
        target: dict[int, Any] = methods if word in METHOD_MODES else attributes
        if word not in METHOD_MODES and word not in MODES:
            raise ValueError(f"“{word[:20]}” is none of {', '.join((*MODES, *METHOD_MODES))}, as in “16: r 1-3, x 1”.")
        for number in _read_numbers(item, numbers):
            if number in target:
                raise ValueError(f"Client {head.strip()}: {number} stands twice, in “{item[:40]}”.")
            target[number] = METHOD_MODES.get(word, word)
    return int(head), ClientRights(attributes, methods)


def _read_numbers(item: str, numbers: str) -> Iterator[int]:
    words = numbers.split()
    if not words or len(words) > MAX_NUMBERS:
        raise ValueError(f"“{item[:40]}” names no attribute or method: write it as “r 1-3”.")
    for word in words:
        found = _NUMBERS.fullmatch(word)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
        if first > last:
            raise ValueError(f"“{word[:20]}” is no number of an attribute or method, nor a range such as 1-3.")
        yield from range(first, last + 1)
