"""The client's side of an HDLC link as a table (IEC 62056-46, normal response mode).

The client is the primary station: it speaks, hands over the turn with the poll bit, and waits until the server hands it back
with the final bit. So there is one question at each moment: whose turn is it?

    DISCONNECTED   no link
    CLEARING       DISC is out, to end a link of which we know nothing; whatever comes, the SNRM follows
    CONNECTING     SNRM is out, UA or DM is awaited
    IDLE           connected, our turn
    PROBING        connected, the server's turn though nothing is asked: a poll is out to hear whether it is still there
    AWAITING       connected, the server's turn (an acknowledgement, a segment, the answer)
    HOLDING        the same, but we take no more for now: RNR instead of RR
    DISCONNECTING  DISC is out, UA or DM is awaited
    FAILED         given up; only a DISC is left

An event that has no place in the table is ours to blame when we caused it, and a stray frame, to be dropped, when the server
did: lines echo, repeat and delay, and a late UA is no reason to end a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from sessions.dlms.errors import LocalProtocolError


class State(Enum):
    DISCONNECTED = auto()
    CLEARING = auto()
    CONNECTING = auto()
    IDLE = auto()
    PROBING = auto()
    AWAITING = auto()
    HOLDING = auto()
    DISCONNECTING = auto()
    FAILED = auto()

    __hash__ = object.__hash__  # the table is asked for every frame, and Enum's own goes by the name


class Event(Enum):
    CLEAR = auto()  # DISC before SNRM
    CONNECT = auto()
    SEND = auto()
    SEND_UNNUMBERED = auto()
    PROBE = auto()
    HOLD = auto()
    RESUME = auto()
    DISCONNECT = auto()
    UA = auto()
    DM = auto()
    FRMR = auto()
    MORE = auto()  # an I, RR, RNR or REJ frame
    UNASKED = auto()  # a new I frame, and nothing was asked
    DONE = auto()  # the exchange is complete
    GAVE_UP = auto()  # retries are used up
    INACTIVE = auto()  # nothing was heard for longer than a server keeps a link
    LINE_LOST = auto()

    __hash__ = object.__hash__  # the table is asked for every frame, and Enum's own goes by the name


OURS: Final = frozenset(
    {
        Event.CLEAR,
        Event.CONNECT,
        Event.SEND,
        Event.SEND_UNNUMBERED,
        Event.PROBE,
        Event.HOLD,
        Event.RESUME,
        Event.DISCONNECT,
    }
)

_BROKEN: Final = {Event.DM: State.FAILED, Event.FRMR: State.FAILED, Event.LINE_LOST: State.FAILED}

TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.DISCONNECTED: {
        Event.CLEAR: State.CLEARING,
        Event.CONNECT: State.CONNECTING,
        Event.SEND_UNNUMBERED: State.DISCONNECTED,
        Event.LINE_LOST: State.DISCONNECTED,
    },
    State.CLEARING: {
        # UA: there was a link. DM, FRMR, silence: there was none, or nobody knows of it.
        Event.UA: State.CONNECTING,
        Event.DM: State.CONNECTING,
        Event.FRMR: State.CONNECTING,
        Event.GAVE_UP: State.CONNECTING,
        Event.DISCONNECT: State.DISCONNECTING,
        Event.LINE_LOST: State.FAILED,
    },
    State.CONNECTING: {
        Event.UA: State.IDLE,
        Event.GAVE_UP: State.FAILED,
        Event.DISCONNECT: State.DISCONNECTING,
        **_BROKEN,
    },
    State.IDLE: {
        Event.SEND: State.AWAITING,
        Event.SEND_UNNUMBERED: State.IDLE,
        Event.PROBE: State.PROBING,
        Event.UNASKED: State.PROBING,
        Event.INACTIVE: State.FAILED,
        Event.DISCONNECT: State.DISCONNECTING,
        **_BROKEN,
    },
    State.PROBING: {
        Event.MORE: State.PROBING,
        Event.DONE: State.IDLE,
        # The turn is the server's: what is to be sent goes out when it has answered.
        Event.SEND: State.AWAITING,
        Event.GAVE_UP: State.FAILED,
        Event.DISCONNECT: State.DISCONNECTING,
        **_BROKEN,
    },
    State.AWAITING: {
        Event.MORE: State.AWAITING,
        Event.HOLD: State.HOLDING,
        Event.DONE: State.IDLE,
        Event.GAVE_UP: State.FAILED,
        Event.DISCONNECT: State.DISCONNECTING,
        **_BROKEN,
    },
    State.HOLDING: {
        Event.MORE: State.HOLDING,
        Event.RESUME: State.AWAITING,
        Event.DONE: State.IDLE,
        Event.GAVE_UP: State.FAILED,
        Event.INACTIVE: State.FAILED,
        Event.DISCONNECT: State.DISCONNECTING,
        **_BROKEN,
    },
    State.DISCONNECTING: {
        # Whatever comes, the link is down: nobody waits longer for a meter that is being left.
        Event.UA: State.DISCONNECTED,
        Event.DM: State.DISCONNECTED,
        Event.FRMR: State.DISCONNECTED,
        Event.GAVE_UP: State.DISCONNECTED,
        Event.LINE_LOST: State.DISCONNECTED,
    },
    State.FAILED: {Event.DISCONNECT: State.DISCONNECTING, Event.LINE_LOST: State.FAILED},
}


class LinkState:
    """Where the link stands; `fire` moves it."""

    def __init__(self) -> None:
        self.now = State.DISCONNECTED

    def fire(self, event: Event) -> bool:
        """Move; False for a stray event of the server, an error for one of ours."""
        following = TRANSITIONS[self.now].get(event)
        if following is None:
            if event in OURS:
                raise LocalProtocolError(
                    f"{event.name} is not possible while the link is {self.now.name}", layer="link"
                )
            return False
        self.now = following
        return True
