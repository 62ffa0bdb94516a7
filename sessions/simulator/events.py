"""What happens on a simulated meter, as the numbers that European meters give such events, and who is told of it.

Events come from what was carried out (the journal's deeds), from the power, and from clients with wrong secrets. Event logs
(see `event_log.py`) keep those of their kind. Source of the numbers: the IDIS profile, event codes of the standard, fraud
detection and disconnector logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum
from typing import Any, Final

from sessions.simulator.journal import Deed


class Event(IntEnum):
    POWER_DOWN = 1
    POWER_UP = 2
    CLOCK_ADJUSTED = 5
    CALENDAR_ACTIVATED = 9
    FIRMWARE_ACTIVATED = 18
    COVER_REMOVED = 40
    COVER_CLOSED = 41
    AUTHENTICATION_FAILURE = 46
    KEYS_CHANGED = 48
    READY_FOR_RECONNECTION = 59
    MANUAL_DISCONNECTION = 60
    MANUAL_CONNECTION = 61
    REMOTE_DISCONNECTION = 62
    REMOTE_CONNECTION = 63
    LOCAL_DISCONNECTION = 64
    LOCAL_CONNECTION = 69
    LOG_CLEARED = 255


class LogKind(Enum):
    """Logs of events; the values are the words of a meter type."""

    STANDARD = "standard"
    FRAUD = "fraud"
    DISCONNECTOR = "disconnector"


_E, _K = Event, LogKind

KIND_OF: Final[Mapping[Event, LogKind]] = {
    **dict.fromkeys((_E.COVER_REMOVED, _E.COVER_CLOSED, _E.AUTHENTICATION_FAILURE), _K.FRAUD),
    **{event: _K.DISCONNECTOR for event in _E if _E.READY_FOR_RECONNECTION <= event <= _E.LOCAL_CONNECTION},
    **dict.fromkeys(
        (
            _E.POWER_DOWN,
            _E.POWER_UP,
            _E.CLOCK_ADJUSTED,
            _E.CALENDAR_ACTIVATED,
            _E.FIRMWARE_ACTIVATED,
            _E.KEYS_CHANGED,
        ),
        _K.STANDARD,
    ),
}
"""In which log an event stands. LOG_CLEARED stands in the one that was."""

EVENT_OF: Final[Mapping[tuple[str, int, int], Event]] = {
    ("write", 8, 2): _E.CLOCK_ADJUSTED,
    **{("invoke", 8, method): _E.CLOCK_ADJUSTED for method in (1, 2, 3, 4, 6)},
    ("invoke", 18, 4): _E.FIRMWARE_ACTIVATED,
    ("invoke", 20, 1): _E.CALENDAR_ACTIVATED,
    ("invoke", 64, 2): _E.KEYS_CHANGED,
    ("invoke", 64, 3): _E.KEYS_CHANGED,
}
"""Kind, class and number of a deed that is an event. The relay tells of itself."""


class Events:
    """Of one logical device."""

    def __init__(self) -> None:
        self.last: dict[LogKind, int] = dict.fromkeys(LogKind, 0)
        """The number of the newest event in each log, cleared ones too."""
        self._logs: dict[LogKind, list[Callable[[], None]]] = {kind: [] for kind in LogKind}

    def follow(self, kind: LogKind, capture: Callable[[], None]) -> None:
        """`capture` is called for each event of this kind, when `last` has its number."""
        self._logs[kind].append(capture)

    def record(self, event: Event, kind: LogKind | None = None) -> None:
        """It happens now. `kind`: in which log, where the event does not say it."""
        kind = KIND_OF[event] if kind is None else kind
        self.last[kind] = int(event)
        for capture in self._logs[kind]:
            capture()

    def done(self, deed: Deed) -> None:
        event = EVENT_OF.get((deed.kind, deed.class_id, deed.number))
        if event is not None:
            self.record(event)

    def keep(self) -> Any:
        return {kind.value: number for kind, number in self.last.items()}

    def restore(self, kept: Any) -> None:
        self.last = {kind: int(kept[kind.value]) for kind in LogKind}
