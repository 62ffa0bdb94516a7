"""What a data link looks like from above: whole APDUs in and out, and no I/O.

The owner feeds octets and the time, and takes octets and events. Time is any clock that only grows, in seconds. The link
owns the reply timer: whoever sends an APDU that wants an answer gets the answer, or a `LinkFailed` that says why not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from sessions.dlms.errors import DlmsError


@dataclass(frozen=True, slots=True)
class LinkConnected:
    """The link is up. `parameters`: what HDLC negotiated, None on the wrapper. `remarks`: what was odd on the way."""

    parameters: object | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ApduReceived:
    """One whole APDU, without LLC octets or header. `unsolicited`: it came in a UI frame, outside of request and answer."""

    apdu: bytes
    unsolicited: bool = False


@dataclass(frozen=True, slots=True)
class FrameSent:
    """Octets of one frame that go out now."""

    octets: bytes
    time: float


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """Octets of one frame that came in whole."""

    octets: bytes
    time: float


@dataclass(frozen=True, slots=True)
class OctetsDiscarded:
    """Octets that are no frame for us: noise, a damaged frame, an echo, somebody else's talk."""

    octets: bytes
    reason: str
    time: float


@dataclass(frozen=True, slots=True)
class LinkDisconnected:
    """The link is down, as one of the sides wished."""


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """The link is down and nobody wished it."""

    error: DlmsError


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a serial line carries characters. `parity`: N, E, O, M or S."""

    baud: int
    data_bits: int = 8
    parity: str = "N"
    stop_bits: int = 1

    @property
    def octet_time(self) -> float:
        """Seconds that an octet takes, with its start, parity and stop bits."""
        return (1 + self.data_bits + (self.parity != "N") + self.stop_bits) / self.baud

    def __str__(self) -> str:
        return f"{self.baud} {self.data_bits}{self.parity}{self.stop_bits}"


@dataclass(frozen=True, slots=True)
class LineChangeNeeded:
    """What was sent must leave, then the line must get these settings; the link waits until `line_changed` says so.

    Where the line has no settings (TCP) the instruction is passed over, and `line_changed` called all the same.
    """

    settings: LineSettings


LinkEvent = (
    LinkConnected
    | ApduReceived
    | FrameSent
    | FrameReceived
    | OctetsDiscarded
    | LineChangeNeeded
    | LinkDisconnected
    | LinkFailed
)


class Link(Protocol):
    """The client's side of a data link."""

    @property
    def longest_wait(self) -> float:
        """Seconds that the link may ask on for one answer, before it ends that by itself; 0 where it only times silence."""

    @property
    def streams(self) -> bool:
        """Whether APDUs may go out one after the other, without an answer between them."""

    @property
    def lossy(self) -> bool:
        """Whether an APDU may get lost without a word."""

    def connect(self, now: float) -> None: ...

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None: ...

    def await_apdu(self, now: float) -> None:
        """Another APDU is due although nothing was sent: give the server its turn, and time its silence."""

    def send_unconfirmed(self, apdu: bytes, now: float, *, broadcast: bool = False) -> None:
        """Outside of request and answer (HDLC: in UI frames): nobody acknowledges it. `broadcast`: to every station."""

    def disconnect(self, now: float) -> None: ...

    def receive_octets(self, octets: bytes, now: float) -> None: ...

    def line_changed(self, now: float) -> None:
        """The line has the settings of the last `LineChangeNeeded`."""

    def connection_lost(self, now: float) -> None: ...

    def octets_to_send(self) -> bytes: ...

    def next_event(self) -> LinkEvent | None: ...

    def next_timer(self) -> float | None: ...

    def handle_timer(self, now: float) -> None: ...


class ServerLink(Protocol):
    """The server's side: it is connected to, and answers."""

    client_sap: int

    def send_apdu(self, apdu: bytes, now: float) -> None: ...

    def receive_octets(self, octets: bytes, now: float) -> None: ...

    def connection_lost(self, now: float) -> None: ...

    def octets_to_send(self) -> bytes: ...

    def next_event(self) -> LinkEvent | None: ...

    def next_timer(self) -> float | None: ...

    def handle_timer(self, now: float) -> None: ...


class Outbox:
    """Octets and events that wait for the owner: the part that every link has."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._events: deque[LinkEvent] = deque()

    def octets_to_send(self) -> bytes:
        """What is to be written to the line now; it is handed out once."""
        octets = bytes(self._octets)
        self._octets.clear()
        return octets

    def next_event(self) -> LinkEvent | None:
        """The oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def line_changed(self, now: float) -> None:
        """Most links never ask for another line."""

    def _send(self, octets: bytes, now: float) -> None:
        self._octets += octets
        self._events.append(FrameSent(octets, now))

    def _tell(self, event: LinkEvent) -> None:
        self._events.append(event)
