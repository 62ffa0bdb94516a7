"""What a simulated meter carried out, and who is associated with it: for tests and people to compare with (see `truth.py`).

Every write and method passes `CosemObject.write` and `CosemObject.invoke`, whoever asked for it: a client, a script, a schedule.
What was refused was not carried out and does not count. The proof of HLS is the server's matter and no method here.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from meters.cosem.obis import ObisCode

if TYPE_CHECKING:
    from sessions.simulator.device import Caller

MAX_EXECUTIONS: Final = 1000
"""Executions that are kept one by one. The counts know all of them."""

Kind = Literal["write", "invoke"]


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be done: an attribute to write, or a method to invoke. `client_sap` None: the meter did it by itself."""

    kind: Kind
    class_id: int
    logical_name: ObisCode
    number: int
    client_sap: int | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """One time that it was done; `time` is the host's."""

    time: datetime
    deed: Deed


@dataclass(frozen=True, slots=True)
class OpenAssociation:
    """Who is associated, and since when by the host's clock."""

    since: datetime
    caller: Caller


def _now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """Of one meter, since it was built. `now` is the host's clock."""

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self.counts: Counter[Deed] = Counter()
        self.executions: deque[Execution] = deque(maxlen=MAX_EXECUTIONS)
        self.listeners: list[Callable[[Deed], None]] = []
        """Who is told of each deed when it was done."""
        self.associations_opened = 0
        self._open: dict[int, OpenAssociation] = {}
        self._now = now
        self._client_sap: int | None = None

    # -- executions --------------------------------------------------------------------------------------------------

    @contextmanager
    def on_behalf_of(self, caller: Caller) -> Iterator[None]:
        """What is done in this context is this client's wish, also where a script does it."""
        self._client_sap = caller.client.client_sap
        try:
            yield
        finally:
            self._client_sap = None

    def done(self, kind: Kind, class_id: int, logical_name: ObisCode, number: int) -> None:
        """An attribute was written, or a method invoked."""
        deed = Deed(kind, class_id, logical_name, number, self._client_sap)
        self.counts[deed] += 1
        for listener in self.listeners:
            listener(deed)
        self.executions.append(Execution(self._now(), deed))

    def count(self, kind: Kind, class_id: int, logical_name: ObisCode, number: int) -> int:
        """How often it was done, whoever wished it."""
        wanted = (kind, class_id, logical_name, number)
        return sum(
            count
            for deed, count in self.counts.items()
            if (deed.kind, deed.class_id, deed.logical_name, deed.number) == wanted
        )

    # -- associations ------------------------------------------------------------------------------------------------

    @property
    def associations(self) -> tuple[OpenAssociation, ...]:
        """Those that are open, in the order in which they were opened."""
        return tuple(self._open.values())

    def associated(self, caller: Caller) -> None:
        self.associations_opened += 1
        self._open[id(caller)] = OpenAssociation(self._now(), caller)

    def dissociated(self, caller: Caller) -> None:
        self._open.pop(id(caller), None)
