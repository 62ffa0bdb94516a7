"""An entry of a catalog as the pages show it."""

from __future__ import annotations

from dataclasses import dataclass

from meters.catalogs.facts import limit_text, unit_text
from meters.catalogs.rights import WORDS, ClientRights
from meters.cosem.obis_names import describe
from meters.cosem.units import unit_symbol
from meters.models import CatalogObject


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One entry in words."""

    row: CatalogObject

    @property
    def meaning(self) -> str:
        """The standard's words."""
        return describe(self.row.code)

    @property
    def title(self) -> str:
        return self.row.title or self.meaning

    @property
    def quantity(self) -> str:
        return quantity_text(self.row.scaler, self.row.unit)

    @property
    def limits(self) -> str:
        """`207 – 253`, `≥ 207`, `≤ 253`."""
        facts = self.row.facts
        low, high = limit_text(facts.low).replace("-", "−"), limit_text(facts.high).replace("-", "−")
        if low and high:
            return f"{low} – {high}"
        return f"≥ {low}" if low else f"≤ {high}" if high else ""

    @property
    def clients(self) -> list[tuple[int, str, str]]:
        """By client SAP what it may do in a word, and whole."""
        return [(sap, _short(client), _long(client)) for sap, client in sorted(self.row.facts.rights.items())]

    @property
    def columns(self) -> int:
        return len(self.row.facts.capture_objects)

    @property
    def short_name(self) -> str:
        return "" if self.row.base_name is None else f"{self.row.base_name:04X}"


def quantity_text(scaler: int | None, unit: int | None) -> str:
    """`Wh`, `10^−3 Wh`, `10^2` where there is a scaler alone; empty where nothing is said."""
    symbol = "" if unit is None else unit_symbol(unit) or unit_text(unit)
    if not scaler:
        return symbol
    factor = f"10^{scaler}".replace("-", "−")
    return f"{factor} {symbol}" if symbol else factor


def _short(client: ClientRights) -> str:
    """`r` where something may be read, `rw` where something may be written too; `listed` where nothing more is known."""
    modes = {mode for number, mode in client.attributes.items() if number != 1}
    modes = modes or set(client.attributes.values())
    if not modes:
        return "listed"
    reads, writes = modes & {"r", "rw"}, modes & {"w", "rw"}
    return f"{'r' if reads else ''}{'w' if writes else ''}" or "no"


def _long(client: ClientRights) -> str:
    """`attribute 1: read; attribute 2: read and write; method 1: may be invoked`."""
    parts = [f"attribute {number}: {WORDS[mode]}" for number, mode in sorted(client.attributes.items())]
    parts += [
        f"method {number}: {'may be invoked' if allowed else 'may not be invoked'}"
        for number, allowed in sorted(client.methods.items())
    ]
    return "; ".join(parts) or "the association lists it; what it may do is not known"
