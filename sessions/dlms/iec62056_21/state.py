"""The client's side of IEC 62056-21 as a table.

    IDLE         nothing was said
    PREPARING    the line gets the settings of the sign-on
    SIGNING_ON   the request is out, the identification is awaited
    LISTENING    a telegram is awaited that nobody asks for (mode D, P1)
    SWITCHING    we know each other; the line gets the settings for what follows
    READING      the readout is awaited, or its next block
    ENTERING     the operand P0 of the programming mode is awaited
    PROGRAMMING  programming mode, our turn
    COMMANDING   a command is out, its reply is awaited
    BINARY       the line carries HDLC from here on (mode E)
    CLOSED       over, as was wished
    FAILED       over, as nobody wished

What the meter says out of turn is dropped (lines echo, repeat and delay); what we ask out of turn is ours to blame.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from sessions.dlms.errors import LocalProtocolError


class State(Enum):
    IDLE = auto()
    PREPARING = auto()
    SIGNING_ON = auto()
    LISTENING = auto()
    SWITCHING = auto()
    READING = auto()
    ENTERING = auto()
    PROGRAMMING = auto()
    COMMANDING = auto()
    BINARY = auto()
    CLOSED = auto()
    FAILED = auto()


class Event(Enum):
    OPEN = auto()
    REQUEST = auto()  # the line is ready: the request goes out
    LISTEN = auto()  # the line is ready: nothing goes out
    READ = auto()  # the line is ready for the readout
    ENTER = auto()  # the line is ready for the operand
    PROGRAM = auto()  # the line is ready, and no operand comes (modes A and B)
    HAND_OVER = auto()  # the line is ready for HDLC
    COMMAND = auto()
    LEAVE = auto()
    AGAIN = auto()  # sign on once more, at the first speed
    IDENTIFIED = auto()
    BLOCK = auto()  # a block of data that others follow
    DATA = auto()  # the readout is complete
    OPERAND = auto()
    REPLIED = auto()
    GAVE_UP = auto()
    LINE_LOST = auto()


OURS: Final = frozenset({Event.OPEN, Event.COMMAND})

_LEAVING: Final = {Event.LEAVE: State.CLOSED}
_ENDING: Final = {**_LEAVING, Event.GAVE_UP: State.FAILED, Event.LINE_LOST: State.FAILED}

TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.IDLE: {Event.OPEN: State.PREPARING, Event.LINE_LOST: State.CLOSED, **_LEAVING},
    State.PREPARING: {Event.REQUEST: State.SIGNING_ON, Event.LISTEN: State.LISTENING, **_ENDING},
    State.SIGNING_ON: {Event.IDENTIFIED: State.SWITCHING, **_ENDING},
    State.LISTENING: {Event.DATA: State.CLOSED, Event.IDENTIFIED: State.LISTENING, **_ENDING},
    State.SWITCHING: {
        Event.READ: State.READING,
        Event.ENTER: State.ENTERING,
        Event.PROGRAM: State.PROGRAMMING,
        Event.HAND_OVER: State.BINARY,
        **_ENDING,
    },
    State.READING: {Event.BLOCK: State.READING, Event.DATA: State.CLOSED, Event.AGAIN: State.PREPARING, **_ENDING},
    State.ENTERING: {Event.OPERAND: State.PROGRAMMING, Event.AGAIN: State.PREPARING, **_ENDING},
    State.PROGRAMMING: {Event.COMMAND: State.COMMANDING, **_ENDING},
    State.COMMANDING: {Event.BLOCK: State.COMMANDING, Event.REPLIED: State.PROGRAMMING, **_ENDING},
    State.BINARY: {Event.LEAVE: State.CLOSED, Event.LINE_LOST: State.FAILED},
    State.CLOSED: {Event.LEAVE: State.CLOSED, Event.LINE_LOST: State.CLOSED},
    State.FAILED: {Event.LEAVE: State.FAILED, Event.LINE_LOST: State.FAILED},
}


class ClientState:
    """Where the client stands; `fire` moves it."""

    def __init__(self) -> None:
        self.now = State.IDLE

    def fire(self, event: Event) -> bool:
        """Move; False for what comes out of turn, an error for what we ask out of turn."""
        following = TRANSITIONS[self.now].get(event)
        if following is None:
            if event in OURS:
                raise LocalProtocolError(
                    f"{event.name} is not possible while the conversation is {self.now.name}", layer="link"
                )
            return False
        self.now = following
        return True
