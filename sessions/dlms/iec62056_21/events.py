"""What a client of IEC 62056-21 tells, beside the frames and the link's own events. Outcomes, not messages."""

from __future__ import annotations

from dataclasses import dataclass

from sessions.dlms.errors import DlmsError
from sessions.dlms.iec62056_21.data_set import DataBlock
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.dlms.link import (
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
)


@dataclass(frozen=True, slots=True)
class Identified:
    """The meter has said who it is."""

    identification: IdentificationMessage


@dataclass(frozen=True, slots=True)
class ReadoutReceived:
    """The whole readout. `telegram`: it came unasked (mode D, P1)."""

    block: DataBlock
    telegram: Telegram | None = None


@dataclass(frozen=True, slots=True)
class ProgrammingEntered:
    """Commands may follow. `operand`: what the meter gives for the secure algorithm, without its brackets."""

    operand: str


@dataclass(frozen=True, slots=True)
class CommandDone:
    """The reply to a command: its data, or None for a plain acknowledgement."""

    command: str
    block: DataBlock | None


@dataclass(frozen=True, slots=True)
class CommandRefused:
    """The meter said no to one command, or something that cannot be read; the next one may follow."""

    command: str
    error: DlmsError


@dataclass(frozen=True, slots=True)
class BinaryReady:
    """The line carries HDLC from here on."""


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something that is odd, and was taken all the same."""

    text: str


Iec21Event = (
    Identified
    | ReadoutReceived
    | ProgrammingEntered
    | CommandDone
    | CommandRefused
    | BinaryReady
    | Remarked
    | FrameSent
    | FrameReceived
    | OctetsDiscarded
    | LineChangeNeeded
    | LinkDisconnected
    | LinkFailed
)
