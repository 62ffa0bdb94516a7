"""The non-volatile memory of a simulated meter: what it still knows after a power cycle.

    parts (keys, clock, relay, …) ──keep──> one JSON object ──save──> store (a file, see `state_file.py`)

Before an answer leaves, `settle` saves what it depends on, if anything changed. Invocation counters are saved in blocks, as real
meters do: what is saved is above all that was used, so that no number is used or believed twice, however the meter ends; only
every 256th message costs a write. Where it ends in order (`close`), nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from typing import Any, Final, Protocol

from sessions.dlms.counters import LAST_COUNTER, InvocationCounters
from sessions.dlms.errors import DlmsError
from sessions.simulator.device import MeterSecurity, ServedClient

FORMAT: Final = 1
COUNTER_BLOCK: Final = 256
"""Counters that are reserved at once, in both directions."""
KEYS: Final = ("guek", "gak", "gbek", "kek", "client_system_title")


class DamagedMemory(ValueError):
    """A memory that is not this meter's, or damaged; the message says what is wrong."""


class Kept(Protocol):
    """A part of a meter that keeps something. None: nothing at the moment."""

    def keep(self) -> Any: ...

    def restore(self, kept: Any) -> None:
        """KeyError, TypeError, ValueError or DlmsError where this is not what `keep` gave."""


class Store(Protocol):
    """Where the memory of one meter survives."""

    def damaged(self, reason: str) -> Exception:
        """What to raise where that which was saved cannot be."""

    def load(self) -> Mapping[str, Any] | None:
        """None: nothing was ever saved."""

    def save(self, kept: Mapping[str, Any]) -> None:
        """It survives from now on."""


class Memory:
    """Of one meter, with all its logical devices."""

    def __init__(self, serial_number: str, store: Store | None = None) -> None:
        self._serial_number = serial_number
        self._store = store
        self._parts: dict[str, Kept] = {}
        self._saved: dict[str, Any] | None = None

    def add(self, name: str, part: Kept) -> None:
        self._parts[name] = part

    def keep(self) -> dict[str, Any]:
        """Everything that is kept now."""
        kept = ((name, part.keep()) for name, part in self._parts.items())
        parts = {name: value for name, value in kept if value is not None}
        return {"format": FORMAT, "serial_number": self._serial_number, "parts": parts}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take back what `keep` gave; `DamagedMemory` where it is something else. Parts without a word stay as they are."""
        if kept.get("format") != FORMAT or kept.get("serial_number") != self._serial_number:
            raise DamagedMemory(f"this is not the memory of meter {self._serial_number}")
        parts = kept.get("parts")
        if not isinstance(parts, dict):
            raise DamagedMemory("the memory has no parts")
        for name, value in parts.items():
            if name not in self._parts:
                raise DamagedMemory(f"this meter has no “{name}” to restore")
            try:
                self._parts[name].restore(value)
            except (KeyError, TypeError, ValueError, AttributeError, DlmsError) as error:
                raise DamagedMemory(f"“{name}” is damaged: {error!r}") from None

    def begin(self) -> bool:
        """The meter gets power: it remembers what its store has. Whether there was anything."""
        if self._store is None:
            return False
        kept = self._store.load()
        if kept is not None:
            try:
                self.restore(kept)
            except DamagedMemory as error:
                raise self._store.damaged(str(error)) from None
        self.settle()
        return kept is not None

    def settle(self) -> None:
        """What is said from now on may depend on everything that happened so far."""
        if self._store is None:
            return
        kept = self.keep()
        if kept != self._saved:
            self._store.save(kept)
            self._saved = kept

    def close(self) -> None:
        """The meter ends in order: no counter is skipped."""
        for part in self._parts.values():
            if isinstance(part, SecurityMemory):
                part.release()
        self.settle()


class SecurityMemory:
    """Keys, policy and counters of a meter. Counters are kept as limits that lie above everything used so far."""

    def __init__(self, security: MeterSecurity) -> None:
        self._security = security
        self._key: bytes | None = None
        self._own_limit = 0
        self._floor_limit = 0

    def keep(self) -> dict[str, Any]:
        security = self._security
        self._reserve()
        store = security.key_store
        return {
            **{name: getattr(security, name).hex() for name in KEYS},
            "policy": security.policy,
            "own_counters": self._own_limit,
            "client_counters": self._floor_limit,
            "key_store": None if store is None else store.keep(),
        }

    def _reserve(self) -> None:
        """Limits for the key in use: new ones where a key is new, or the old ones were reached."""
        security = self._security
        upcoming = security.counters.next
        own = LAST_COUNTER + 1 if upcoming is None else upcoming
        renewed = self._key != security.guek
        self._key = security.guek
        if renewed or own > self._own_limit:
            self._own_limit = min(own + COUNTER_BLOCK, LAST_COUNTER + 1)
        if renewed or security.floor.lowest > self._floor_limit:
            self._floor_limit = min(security.floor.lowest + COUNTER_BLOCK, LAST_COUNTER + 1)

    def release(self) -> None:
        """Give back what was reserved and not used."""
        security = self._security
        upcoming = security.counters.next
        self._key = security.guek
        self._own_limit = LAST_COUNTER + 1 if upcoming is None else upcoming
        self._floor_limit = security.floor.lowest

    def restore(self, kept: Any) -> None:
        security = self._security
        keys = {name: bytes.fromhex(kept[name]) for name in KEYS}
        own, floor, policy = (int(kept[name]) for name in ("own_counters", "client_counters", "policy"))
        if not (0 <= own <= LAST_COUNTER + 1 and 0 <= floor <= LAST_COUNTER + 1):
            raise ValueError("counters out of range")
        if (security.key_store is None) != (kept["key_store"] is None):
            raise ValueError("key pairs, where the meter has none, or the other way round")
        if security.key_store is not None:
            security.key_store.restore(kept["key_store"])
        for name, octets in keys.items():
            setattr(security, name, octets)
        security.policy = policy
        security.counters = InvocationCounters(range(own, LAST_COUNTER + 1))
        security.floor.lowest = floor
        # What is left of the reserved block is lost, as whoever reserved it is.
        self._key, self._own_limit, self._floor_limit = security.guek, 0, 0


class SecretsMemory:
    """Secrets that clients changed, by SAP."""

    def __init__(self, clients: MutableMapping[int, ServedClient]) -> None:
        self._clients = clients
        self._given = {sap: client.secret for sap, client in clients.items()}

    def keep(self) -> dict[str, str] | None:
        changed = {
            str(sap): client.secret.hex() for sap, client in self._clients.items() if client.secret != self._given[sap]
        }
        return changed or None

    def restore(self, kept: Any) -> None:
        for sap, secret in kept.items():
            self._clients[int(sap)] = replace(self._clients[int(sap)], secret=bytes.fromhex(secret))
