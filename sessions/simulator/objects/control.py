"""The switch of a simulated meter: Disconnect control (Blue Book, class 70)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any, Final

from meters.cosem.data import Data, DataType, boolean, enum
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
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

REMOTE_TRANSITIONS: Final[Mapping[str, Mapping[ControlState, ControlState]]] = {
    "disconnect": {
        ControlState.CONNECTED: ControlState.DISCONNECTED,  # b
        ControlState.READY_FOR_RECONNECTION: ControlState.DISCONNECTED,  # c
        ControlState.DISCONNECTED: ControlState.DISCONNECTED,
    },
    "reconnect-directly": {
        ControlState.DISCONNECTED: ControlState.CONNECTED,  # a
        ControlState.READY_FOR_RECONNECTION: ControlState.CONNECTED,
        ControlState.CONNECTED: ControlState.CONNECTED,
    },
    "reconnect-ready": {
        ControlState.DISCONNECTED: ControlState.READY_FOR_RECONNECTION,  # d
        ControlState.READY_FOR_RECONNECTION: ControlState.READY_FOR_RECONNECTION,
        ControlState.CONNECTED: ControlState.CONNECTED,
    },
}


class DisconnectControl(CosemObject):
    """Disconnect control (70, version 0). `switch` is told when the output opens (False) and closes (True)."""

    class_id = 70

    def __init__(
        self,
        logical_name: ObisCode,
        switch: Callable[[bool], None],
        mode: ControlMode = ControlMode.REMOTE_LOCAL_OFF_DIRECT_ON,
    ) -> None:
        super().__init__(logical_name)
        self.state = ControlState.CONNECTED
        self.mode = mode
        self._switch = switch
        self.attributes |= {
            2: Attribute(lambda: boolean(self.state is ControlState.CONNECTED)),
            3: Attribute(lambda: enum(self.state)),
            4: Attribute(lambda: enum(self.mode), self._set_mode),
        }
        self.methods = {1: lambda parameters: self._move("disconnect"), 2: lambda parameters: self._reconnect()}

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
        self._move("reconnect-directly" if self.mode in DIRECT_RECONNECTION else "reconnect-ready")

    def _move(self, wish: str) -> None:
        if self.mode is ControlMode.NONE:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.state = REMOTE_TRANSITIONS[wish][self.state]
        self._switch(self.state is ControlState.CONNECTED)
