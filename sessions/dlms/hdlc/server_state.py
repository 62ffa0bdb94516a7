"""The server's side of an HDLC link as a table (IEC 62056-46, normal response mode; the modes are ISO/IEC 13239's).

The server is a secondary station: it speaks when it was asked, and every event has an answer in every state.

    DISCONNECTED   normal disconnected mode: only SNRM connects, DM answers everything else that asks
    CONNECTED      normal response mode
    REJECTING      a frame could not be understood: FRMR answers until SNRM or DISC

What each event leads to is an action and the state after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final


class ServerState(Enum):
    DISCONNECTED = auto()
    CONNECTED = auto()
    REJECTING = auto()

    __hash__ = object.__hash__  # the table is asked for every frame, and Enum's own goes by the name


class ServerEvent(Enum):
    SNRM = auto()
    BAD_SNRM = auto()  # its parameters cannot be read
    DISC = auto()
    INFORMATION = auto()  # I
    READY = auto()  # RR, REJ
    NOT_READY = auto()  # RNR
    UNNUMBERED = auto()  # UI
    FAULT = auto()  # a frame to be rejected: W, X, Y or Z
    OVERFULL = auto()  # a request without an end
    INACTIVE = auto()  # nothing was heard for the inactivity time-out
    LINE_LOST = auto()

    __hash__ = object.__hash__  # the table is asked for every frame, and Enum's own goes by the name


class Action(Enum):
    CONNECT = auto()  # begin anew, UA with the parameters
    REFUSE = auto()  # forget the link, DM
    LEAVE = auto()  # forget the link, UA
    FORGET = auto()  # forget the link, without a word
    SAY_DM = auto()
    TAKE_INFORMATION = auto()
    INFORM = auto()  # an answer's segments if there are some, else RR or RNR
    WAIT = auto()  # no information for now: RR or RNR
    TAKE_UNNUMBERED = auto()
    REJECT = auto()  # remember the fault, FRMR
    REJECT_AGAIN = auto()
    IGNORE = auto()


_D, _C, _R = ServerState.DISCONNECTED, ServerState.CONNECTED, ServerState.REJECTING

TRANSITIONS: Final[Mapping[ServerState, Mapping[ServerEvent, tuple[Action, ServerState]]]] = {
    _D: {
        ServerEvent.SNRM: (Action.CONNECT, _C),
        ServerEvent.BAD_SNRM: (Action.SAY_DM, _D),
        ServerEvent.DISC: (Action.SAY_DM, _D),
        ServerEvent.INFORMATION: (Action.SAY_DM, _D),
        ServerEvent.READY: (Action.SAY_DM, _D),
        ServerEvent.NOT_READY: (Action.SAY_DM, _D),
        ServerEvent.UNNUMBERED: (Action.TAKE_UNNUMBERED, _D),
        ServerEvent.FAULT: (Action.SAY_DM, _D),
        ServerEvent.OVERFULL: (Action.IGNORE, _D),
        ServerEvent.INACTIVE: (Action.IGNORE, _D),
        ServerEvent.LINE_LOST: (Action.IGNORE, _D),
    },
    _C: {
        ServerEvent.SNRM: (Action.CONNECT, _C),
        ServerEvent.BAD_SNRM: (Action.REFUSE, _D),
        ServerEvent.DISC: (Action.LEAVE, _D),
        ServerEvent.INFORMATION: (Action.TAKE_INFORMATION, _C),
        ServerEvent.READY: (Action.INFORM, _C),
        ServerEvent.NOT_READY: (Action.WAIT, _C),
        ServerEvent.UNNUMBERED: (Action.TAKE_UNNUMBERED, _C),
        ServerEvent.FAULT: (Action.REJECT, _R),
        ServerEvent.OVERFULL: (Action.REFUSE, _D),
        ServerEvent.INACTIVE: (Action.FORGET, _D),
        ServerEvent.LINE_LOST: (Action.FORGET, _D),
    },
    _R: {
        ServerEvent.SNRM: (Action.CONNECT, _C),
        ServerEvent.BAD_SNRM: (Action.REFUSE, _D),
        ServerEvent.DISC: (Action.LEAVE, _D),
        ServerEvent.INFORMATION: (Action.REJECT_AGAIN, _R),
        ServerEvent.READY: (Action.REJECT_AGAIN, _R),
        ServerEvent.NOT_READY: (Action.REJECT_AGAIN, _R),
        ServerEvent.UNNUMBERED: (Action.IGNORE, _R),
        ServerEvent.FAULT: (Action.REJECT_AGAIN, _R),
        ServerEvent.OVERFULL: (Action.IGNORE, _R),
        ServerEvent.INACTIVE: (Action.FORGET, _D),
        ServerEvent.LINE_LOST: (Action.FORGET, _D),
    },
}


class ServerMachine:
    """Where the link stands; `fire` moves it and says what to do."""

    def __init__(self) -> None:
        self.now = ServerState.DISCONNECTED

    def fire(self, event: ServerEvent) -> Action:
        """Move; every event has its action in every state."""
        action, self.now = TRANSITIONS[self.now][event]
        return action
