"""What the address of the list says: words to search, filters, order. One address for one state, and back.

Pure: strings in, strings out. Nothing of it reaches the database unchecked: the order is one of `SORTS`, the values are judged by
`meters.filters`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Protocol
from urllib.parse import urlencode

FILTERS: Final[Mapping[str, str]] = {
    "type": "Type",
    "medium": "Medium",
    "batch": "Batch",
    "state": "State",
    "tag": "Tag",
    "line": "Line",
    "framing": "Framing",
    "authentication": "Authentication",
    "seen": "Seen",
    "seen_since": "Seen since",
}
"""Name in the address -> word on the page, in the order of the chips."""
SINGLE: Final = frozenset({"seen", "seen_since"})
"""Of these only one value makes sense: the last."""
SORTS: Final = (
    "serial_number",
    "name",
    "state",
    "meter_type",
    "batch",
    "location",
    "line",
    "framing",
    "last_seen",
    "last_session",
)
MAX_TEXT: Final = 200
MAX_VALUES: Final = 50


class Parameters(Protocol):
    """What Django's QueryDict offers of itself."""

    def getlist(self, key: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class ListState:
    """`filters` are pairs of name and value, in the order of `FILTERS`, none twice."""

    q: str = ""
    filters: tuple[tuple[str, str], ...] = ()
    sort: str = ""

    @classmethod
    def parse(cls, parameters: Parameters) -> ListState:
        """The state that an address says. What it does not know, and what is empty, is left out."""
        pairs = [(name, _clean(value)) for name in FILTERS for value in _values(parameters, name)]
        sort = _last(parameters, "sort")
        return cls(
            q=" ".join(_clean(_last(parameters, "q")).split()),
            filters=tuple(dict.fromkeys(pair for pair in pairs if pair[1]))[:MAX_VALUES],
            sort=sort if sort.removeprefix("-") in SORTS else "",
        )

    def query(self) -> str:
        """The address' part behind the question mark; empty for the whole list."""
        pairs = [("q", self.q), *self.filters, ("sort", self.sort)]
        return urlencode([pair for pair in pairs if pair[1]])

    def without(self, name: str, value: str) -> ListState:
        """The state when one filter is taken off."""
        return replace(self, filters=tuple(pair for pair in self.filters if pair != (name, value)))

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.q or self.filters)

    def words(self) -> Iterator[str]:
        yield from self.q.lower().split()


def _values(parameters: Parameters, name: str) -> list[str]:
    values = [value for value in parameters.getlist(name) if _clean(value)]
    return values[-1:] if name in SINGLE else values


def _last(parameters: Parameters, name: str) -> str:
    values = parameters.getlist(name)
    return values[-1] if values else ""


def _clean(text: str) -> str:
    """Without what no database takes, and no longer than anybody types."""
    return "".join(letter for letter in text if letter >= " " and not "\ud800" <= letter <= "\udfff")[:MAX_TEXT].strip()
