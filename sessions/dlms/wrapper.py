"""The TCP-UDP/IP wrapper (IEC 62056-47): eight octets of header before each APDU.

version (1) | source wPort | destination wPort | length | APDU

Over TCP the frames are a stream, cut anywhere; what is no wrapper ends it, as nothing says where the next frame begins. Over
UDP each datagram holds one frame: a bad one is dropped, and the wait for a good one goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import (
    ConnectionLostError,
    DecodeError,
    DlmsError,
    FrameError,
    LocalProtocolError,
    NoReplyError,
    RemoteProtocolError,
)
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
    OctetsDiscarded,
    Outbox,
)

VERSION: Final = 1
HEADER_OCTETS: Final = 8
MAX_APDU: Final = 0xFFFF
ALL_STATION: Final = 0x7F
"""The wPort of every logical device: for unconfirmed services over UDP."""
HDLC_FLAG: Final = 0x7E


@dataclass(frozen=True, slots=True)
class WrapperFrame:
    """One wrapper protocol data unit. The ports are the SAPs of client and server."""

    source: int
    destination: int
    apdu: bytes

    def encode(self) -> bytes:
        if len(self.apdu) > MAX_APDU:
            raise LocalProtocolError(f"an APDU of {len(self.apdu)} octets does not fit into the wrapper", layer="link")
        header = Writer().u16(VERSION).u16(self.source).u16(self.destination).u16(len(self.apdu))
        return header.put(self.apdu).octets()


def read_wrapper_frame(reader: Reader) -> WrapperFrame:
    """One frame at the cursor; a wrong version is a `FrameError`, an incomplete one truncated."""
    with reader.group("wrapper-header"):
        at = reader.position
        version = reader.u16("version")
        if version != VERSION:
            raise FrameError("version", at, f"{VERSION} expected, {version} found", hint=_hint(version >> 8))
        source = reader.u16("source-wport")
        destination = reader.u16("destination-wport")
        length = reader.u16("length")
    return WrapperFrame(source, destination, reader.take(length, "apdu"))


def decode_wrapper_frame(octets: bytes) -> WrapperFrame:
    """The frame that fills the octets."""
    reader = Reader(octets)
    frame = read_wrapper_frame(reader)
    reader.finish("wrapper-frame")
    return frame


def _hint(first_octet: int) -> str:
    if first_octet == HDLC_FLAG:
        return "The other side talks HDLC here: choose the framing “hdlc”."
    return "This is no DLMS wrapper: check the port, and whether a bridge or another protocol listens there."


class WrapperReader:
    """Cuts a TCP stream into frames."""

    def __init__(self) -> None:
        self._octets = bytearray()

    @property
    def pending(self) -> int:
        """Octets of a frame that is not complete yet."""
        return len(self._octets)

    def feed(self, octets: bytes) -> Iterator[tuple[WrapperFrame, bytes]]:
        """Add octets; the frames that became complete, each with its octets and made when it is asked for.

        `FrameError` where the stream goes on as no wrapper. Good frames before the break are given first: the next call, be it
        without octets, raises.
        """
        self._octets += octets
        return self._frames()

    def _frames(self) -> Iterator[tuple[WrapperFrame, bytes]]:
        given = False
        while self._complete(lenient=given):
            size = HEADER_OCTETS + int.from_bytes(self._octets[6:8], "big")
            raw = bytes(self._octets[:size])
            del self._octets[:size]
            yield decode_wrapper_frame(raw), raw
            given = True

    def take_rest(self) -> bytes:
        """What is no frame, taken out."""
        rest = bytes(self._octets)
        self._octets.clear()
        return rest

    def _complete(self, *, lenient: bool) -> bool:
        head = self._octets
        size = min(len(head), 2)
        if head[:size] != VERSION.to_bytes(2, "big")[:size]:
            if lenient:
                return False
            raise FrameError("version", 0, f"0001 expected, {head[:size].hex()} found", hint=_hint(head[0]))
        return len(head) >= HEADER_OCTETS and len(head) >= HEADER_OCTETS + int.from_bytes(head[6:8], "big")


class _WrapperEnd(Outbox):
    """What both sides have: frames come in until the stream breaks. `datagrams`: each piece of octets is one of them."""

    def __init__(self, *, datagrams: bool = False) -> None:
        super().__init__()
        self.datagrams = datagrams
        self._reader = WrapperReader()
        self._up = False

    def receive_octets(self, octets: bytes, now: float) -> None:
        if self.datagrams:
            self._receive_datagram(octets, now)
            return
        try:
            # The second round finds what is broken behind good frames.
            for part in (octets, b""):
                for frame, raw in self._reader.feed(part):
                    self._handle(frame, raw, now)
        except FrameError as error:
            rest = self._reader.take_rest()
            self._tell(OctetsDiscarded(rest, f"no wrapper: {error.reason}", now))
            self._fail(_no_wrapper(rest, error))

    def _receive_datagram(self, octets: bytes, now: float) -> None:
        """One frame, and nothing behind it; what is none may be followed by the right one."""
        reader = Reader(octets)
        try:
            frame = read_wrapper_frame(reader)
        except DecodeError as error:
            self._tell(OctetsDiscarded(octets, f"no wrapper datagram: {error.field}: {error.reason}", now))
            return
        self._handle(frame, octets[: reader.offset], now)
        if reader.remaining:
            rest = octets[reader.offset :]
            self._tell(OctetsDiscarded(rest, "octets behind the announced length of the datagram", now))

    def _handle(self, frame: WrapperFrame, raw: bytes, now: float) -> None:
        raise NotImplementedError

    def _fail(self, error: DlmsError) -> None:
        """Told once; what comes later is only recorded."""
        if self._up:
            self._up = False
            self._tell(LinkFailed(error))


def _no_wrapper(octets: bytes, error: FrameError) -> RemoteProtocolError:
    if octets[0] == HDLC_FLAG:
        return RemoteProtocolError(
            "The other side speaks HDLC, not the DLMS wrapper.", layer="link", code="wrong-framing", hint=error.hint
        )
    return RemoteProtocolError(
        f"What comes is not the DLMS wrapper: it begins with {octets[:8].hex(' ')}.",
        layer="link",
        code="not-wrapper",
        hint=error.hint,
    )


class WrapperLink(_WrapperEnd):
    """The client's side. There is nothing to connect: the TCP connection is the link, and over UDP there is none.

    `response_timeout` (seconds) runs from the request, and anew from every octet of the answer. Nothing is sent twice: over
    UDP an answer may have been lost as well as the request, and what it asked for may have been done.
    """

    def __init__(
        self, *, client_sap: int, server_sap: int, response_timeout: float = 5.0, datagrams: bool = False
    ) -> None:
        super().__init__(datagrams=datagrams)
        self.client_sap = client_sap
        self.server_sap = server_sap
        self.response_timeout = response_timeout
        self._deadline: float | None = None
        self._heard = False
        self._last_sent = b""

    @property
    def longest_wait(self) -> float:
        return 0.0

    @property
    def streams(self) -> bool:
        return True

    @property
    def lossy(self) -> bool:
        return self.datagrams

    def connect(self, now: float) -> None:
        self._up = True
        self._tell(LinkConnected())

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        if not self._up:
            raise LocalProtocolError("the link is not connected", layer="link")
        self._transmit(self.server_sap, apdu, now)
        self._deadline = now + self.response_timeout if expect_reply else None

    def await_apdu(self, now: float) -> None:
        """Over UDP silence is the owner's to end: what was lost can be asked for again."""
        self._deadline = None if self.datagrams else now + self.response_timeout

    def send_unconfirmed(self, apdu: bytes, now: float, *, broadcast: bool = False) -> None:
        """An APDU that nobody answers, to the server or (over UDP only) to all logical devices."""
        if not self._up:
            raise LocalProtocolError("the link is not connected", layer="link")
        if broadcast and not self.datagrams:
            raise LocalProtocolError("a broadcast needs UDP, or HDLC", layer="link", code="no-broadcast")
        self._transmit(ALL_STATION if broadcast else self.server_sap, apdu, now)

    def _transmit(self, destination: int, apdu: bytes, now: float) -> None:
        self._last_sent = WrapperFrame(self.client_sap, destination, apdu).encode()
        self._send(self._last_sent, now)

    def disconnect(self, now: float) -> None:
        self._deadline = None
        if self._up:
            self._up = False
            self._tell(LinkDisconnected())

    def receive_octets(self, octets: bytes, now: float) -> None:
        self._heard = True
        super().receive_octets(octets, now)
        if self._deadline is not None and self._reader.pending:
            self._deadline = now + self.response_timeout

    def _handle(self, frame: WrapperFrame, raw: bytes, now: float) -> None:
        if raw == self._last_sent:
            self._tell(OctetsDiscarded(raw, "echo of our own frame", now))
            return
        # Some servers give the ports back as they came, instead of swapped: who is meant is clear all the same.
        unswapped = (frame.source, frame.destination) == (self.client_sap, self.server_sap)
        if frame.destination != self.client_sap and not unswapped:
            reason = f"for client {frame.destination}, we are {self.client_sap}"
            self._tell(OctetsDiscarded(raw, reason, now))
            return
        self._tell(FrameReceived(raw, now))
        if self._up:
            self._deadline = None
            self._tell(ApduReceived(frame.apdu))

    def connection_lost(self, now: float) -> None:
        self._fail(
            ConnectionLostError(
                "The other side closed the connection."
                if self._heard
                else "The other side closed the connection without a word.",
                hint="Meters close on an unknown client or server SAP, or after a time without traffic."
                if self._heard
                else "Check client SAP, server SAP and framing; some meters serve one connection at a time.",
            )
        )

    def next_timer(self) -> float | None:
        return self._deadline

    def handle_timer(self, now: float) -> None:
        if self._deadline is None or now < self._deadline:
            return
        if self._reader.pending:
            message = f"The answer stopped after {self._reader.pending} octets and did not go on."
        else:
            message = f"Connected, but no answer to client SAP {self.client_sap}, server SAP {self.server_sap}."
        hint = (
            "The line is slow, or broke: try a longer timeout."
            if self._reader.pending or (self._heard and not self.datagrams)
            else "UDP loses a datagram without a word: try again. If it stays so, check server SAP, client SAP and port."
            if self.datagrams
            else "Check server SAP and client SAP, and that the meter speaks the wrapper on this port (not HDLC)."
        )
        self._fail(NoReplyError(message, hint=hint))

    def _fail(self, error: DlmsError) -> None:
        self._deadline = None
        super()._fail(error)


class WrapperServerLink(_WrapperEnd):
    """The server's side for one logical device, or several: `others`. Frames for other server SAPs are ignored, as meters do.

    `client_sap` is the client that asked last, and `server_sap` the device that it asked; answers go from there to it. A
    broadcast, which comes in datagrams only, is unsolicited.
    """

    def __init__(self, *, server_sap: int, datagrams: bool = False, others: Iterable[int] = ()) -> None:
        super().__init__(datagrams=datagrams)
        self.server_sap = self._first_sap = server_sap
        self._server_saps = frozenset((server_sap, *others))
        self.client_sap = 0
        self._up = True

    def send_apdu(self, apdu: bytes, now: float) -> None:
        self._send(WrapperFrame(self.server_sap, self.client_sap, apdu).encode(), now)

    def _handle(self, frame: WrapperFrame, raw: bytes, now: float) -> None:
        broadcast = self.datagrams and frame.destination == ALL_STATION
        if frame.destination not in self._server_saps and not broadcast:
            self._tell(OctetsDiscarded(raw, f"for server SAP {frame.destination}", now))
            return
        self.client_sap = frame.source
        self.server_sap = self._first_sap if broadcast else frame.destination
        self._tell(FrameReceived(raw, now))
        self._tell(ApduReceived(frame.apdu, unsolicited=broadcast))

    def connection_lost(self, now: float) -> None:
        if self._up:
            self._up = False
            self._tell(LinkDisconnected())

    def next_timer(self) -> float | None:
        return None

    def handle_timer(self, now: float) -> None:
        """Nothing waits here."""
