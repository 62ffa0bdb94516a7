"""The switch of a simulated meter: Disconnect control (Blue Book, class 70)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum, auto
from typing import Any, Final

from meters.cosem.data import Data, DataType, boolean, enum
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.events import Event
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require


class ControlState(IntEnum):
    DISCONNECTED = 0
    CONNECTED = 1
    READY_FOR_RECONNECTION = 2


class ControlMode(IntEnum):
    """Which transitions the disconnect control knows (Blue Book, class 70: letters of its state chart)."""

    NONE = 0
    REMOTE_MANUAL_LOCAL_OFF_READY_ON = 1
    REMOTE_MANUAL_LOCAL_OFF_DIRECT_ON = 2
    REMOTE_LOCAL_OFF_READY_ON = 3
    REMOTE_LOCAL_OFF_DIRECT_ON = 4
    ALL_OFF_READY_OR_LOCAL_ON = 5
    REMOTE_LOCAL_OFF_READY_OR_LOCAL_ON = 6


DIRECT_RECONNECTION: Final = frozenset(
    {ControlMode.REMOTE_MANUAL_LOCAL_OFF_DIRECT_ON, ControlMode.REMOTE_LOCAL_OFF_DIRECT_ON}
)
"""Modes with transition (a): a remote reconnection closes the switch. In the others (d) it waits for somebody at the meter."""


class ControlEvent(Enum):
    """Who wants what: a client or a script from afar, a person at the meter, or the meter itself."""

    REMOTE_DISCONNECT = auto()
    REMOTE_RECONNECT_DIRECTLY = auto()
    REMOTE_RECONNECT_READY = auto()
    MANUAL_DISCONNECT = auto()
    MANUAL_RECONNECT = auto()
    LOCAL_DISCONNECT = auto()
    LOCAL_RECONNECT = auto()


_S, _E, _M = ControlState, ControlEvent, ControlMode

TRANSITIONS: Final[Mapping[ControlState, Mapping[ControlEvent, ControlState]]] = {
    _S.DISCONNECTED: {
        _E.REMOTE_DISCONNECT: _S.DISCONNECTED,
        _E.REMOTE_RECONNECT_DIRECTLY: _S.CONNECTED,  # a
        _E.REMOTE_RECONNECT_READY: _S.READY_FOR_RECONNECTION,  # d
    },
    _S.CONNECTED: {
        _E.REMOTE_DISCONNECT: _S.DISCONNECTED,  # b
        _E.REMOTE_RECONNECT_DIRECTLY: _S.CONNECTED,
        _E.REMOTE_RECONNECT_READY: _S.CONNECTED,
        _E.MANUAL_DISCONNECT: _S.READY_FOR_RECONNECTION,  # f
        _E.LOCAL_DISCONNECT: _S.READY_FOR_RECONNECTION,  # g
    },
    _S.READY_FOR_RECONNECTION: {
        _E.REMOTE_DISCONNECT: _S.DISCONNECTED,  # c
        _E.REMOTE_RECONNECT_DIRECTLY: _S.CONNECTED,
        _E.REMOTE_RECONNECT_READY: _S.READY_FOR_RECONNECTION,
        _E.MANUAL_RECONNECT: _S.CONNECTED,  # e
        _E.LOCAL_RECONNECT: _S.CONNECTED,  # h
    },
}

ALLOWED: Final[Mapping[ControlEvent, frozenset[ControlMode]]] = {
    _E.REMOTE_DISCONNECT: frozenset(_M) - {_M.NONE},
    _E.REMOTE_RECONNECT_DIRECTLY: DIRECT_RECONNECTION,
    _E.REMOTE_RECONNECT_READY: frozenset(_M) - {_M.NONE} - DIRECT_RECONNECTION,
    _E.MANUAL_DISCONNECT: frozenset(
        {_M.REMOTE_MANUAL_LOCAL_OFF_READY_ON, _M.REMOTE_MANUAL_LOCAL_OFF_DIRECT_ON, _M.ALL_OFF_READY_OR_LOCAL_ON}
    ),
    _E.MANUAL_RECONNECT: frozenset(_M) - {_M.NONE},
    _E.LOCAL_DISCONNECT: frozenset(_M) - {_M.NONE},
    _E.LOCAL_RECONNECT: frozenset({_M.ALL_OFF_READY_OR_LOCAL_ON, _M.REMOTE_LOCAL_OFF_READY_OR_LOCAL_ON}),
}
"""The control modes that know each transition."""

TOLD: Final[Mapping[tuple[ControlEvent, ControlState], Event]] = {
    (_E.REMOTE_DISCONNECT, _S.DISCONNECTED): Event.REMOTE_DISCONNECTION,
    (_E.REMOTE_RECONNECT_DIRECTLY, _S.CONNECTED): Event.REMOTE_CONNECTION,
    (_E.REMOTE_RECONNECT_READY, _S.READY_FOR_RECONNECTION): Event.READY_FOR_RECONNECTION,
    (_E.MANUAL_DISCONNECT, _S.READY_FOR_RECONNECTION): Event.MANUAL_DISCONNECTION,
    (_E.MANUAL_RECONNECT, _S.CONNECTED): Event.MANUAL_CONNECTION,
    (_E.LOCAL_DISCONNECT, _S.READY_FOR_RECONNECTION): Event.LOCAL_DISCONNECTION,
    (_E.LOCAL_RECONNECT, _S.CONNECTED): Event.LOCAL_CONNECTION,
}
"""What a change of the state is called in the log."""


def _nobody(event: Event) -> None:
    """Nobody keeps a log."""


class DisconnectControl(CosemObject):
    """Disconnect control (70, version 0). `switch` is told when the output opens (False) and closes (True), `tell` why."""

    class_id = 70

    def __init__(
        self,
        logical_name: ObisCode,
        switch: Callable[[bool], None],
        mode: ControlMode = ControlMode.REMOTE_LOCAL_OFF_DIRECT_ON,
        *,
        tell: Callable[[Event], None] = _nobody,
    ) -> None:
        super().__init__(logical_name)
        self.state = ControlState.CONNECTED
        self.mode = mode
        self._switch = switch
        self._tell = tell
        self.attributes |= {
            2: Attribute(lambda: boolean(self.state is ControlState.CONNECTED)),
            3: Attribute(lambda: enum(self.state)),
            4: Attribute(lambda: enum(self.mode), self._set_mode),
        }
        self.methods = {
            1: lambda parameters: self._demand(ControlEvent.REMOTE_DISCONNECT),
            2: lambda parameters: self._reconnect(),
        }

    def keep(self) -> Any:
        return {"state": self.state, "mode": self.mode}

    def restore(self, kept: Any) -> None:
        self.state, self.mode = ControlState(kept["state"]), ControlMode(kept["mode"])

    def _set_mode(self, value: Data) -> None:
        number = require(value, DataType.ENUM).value
        if number not in ControlMode._value2member_map_:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.mode = ControlMode(number)

    def _reconnect(self) -> None:
        direct = self.mode in DIRECT_RECONNECTION
        self._demand(ControlEvent.REMOTE_RECONNECT_DIRECTLY if direct else ControlEvent.REMOTE_RECONNECT_READY)

    def _demand(self, event: ControlEvent) -> None:
        if not self.fire(event):
            raise Denied(DataAccessResult.OTHER_REASON)

    def fire(self, event: ControlEvent) -> bool:
        """Somebody wants the switch to move. Whether mode and state know such a transition: nothing happens otherwise."""
        row = TRANSITIONS[self.state]
        if self.mode not in ALLOWED[event] or event not in row:
            return False
        before, self.state = self.state, row[event]
        self._switch(self.state is ControlState.CONNECTED)
        if self.state is not before:
            self._tell(TOLD[event, self.state])
        return True
