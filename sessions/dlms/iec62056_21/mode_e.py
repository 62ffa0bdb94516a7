"""Mode E as a data link: sign-on in characters, then HDLC on the same line (IEC 62056-21, annex B; IEC 62056-42)."""

from __future__ import annotations

from dataclasses import replace

from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.iec62056_21.client import Iec21Client, Purpose
from sessions.dlms.iec62056_21.events import BinaryReady, Iec21Event, Remarked
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.state import State
from sessions.dlms.link import (
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    LinkConnected,
    LinkDisconnected,
    LinkEvent,
    LinkFailed,
    OctetsDiscarded,
    Outbox,
)


class ModeELink(Outbox):
    """An HDLC link whose meter wants a sign-on first."""

    def __init__(
        self, hdlc: HdlcClientLink, settings: SignOnSettings | None = None, *, response_timeout: float = 5.0
    ) -> None:
        super().__init__()
        self._remarks: list[str] = []
        self._hdlc = hdlc
        self._sign_on = Iec21Client(settings, response_timeout=response_timeout)
        self._response_timeout = response_timeout

    @property
    def longest_wait(self) -> float:
        """The sign-on asks as often as its retries say, then HDLC has its own patience."""
        return (self._sign_on.max_retries + 1) * 2 * self._response_timeout + self._hdlc.longest_wait

    @property
    def streams(self) -> bool:
        return self._hdlc.streams

    @property
    def lossy(self) -> bool:
        return self._hdlc.lossy

    @property
    def _in_hdlc(self) -> bool:
        return self._sign_on.state is State.BINARY

    def connect(self, now: float) -> None:
        self._sign_on.open(Purpose.BINARY, now)
        self._drain(now)

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        self._needs_hdlc()
        self._hdlc.send_apdu(apdu, now, expect_reply=expect_reply)
        self._drain(now)

    def await_apdu(self, now: float) -> None:
        self._needs_hdlc()
        self._hdlc.await_apdu(now)
        self._drain(now)

    def send_unconfirmed(self, apdu: bytes, now: float, *, broadcast: bool = False) -> None:
        self._needs_hdlc()
        self._hdlc.send_unconfirmed(apdu, now, broadcast=broadcast)
        self._drain(now)

    def _needs_hdlc(self) -> None:
        if not self._in_hdlc:
            raise LocalProtocolError("the meter has not signed on", layer="link")

    def disconnect(self, now: float) -> None:
        if self._in_hdlc:
            self._hdlc.disconnect(now)
        else:
            self._sign_on.leave(now)
        self._drain(now)

    def receive_octets(self, octets: bytes, now: float) -> None:
        if self._in_hdlc:
            self._hdlc.receive_octets(octets, now)
        else:
            self._sign_on.receive_octets(octets, now)
        self._drain(now)

    def line_changed(self, now: float) -> None:
        self._sign_on.line_changed(now)
        self._drain(now)

    def connection_lost(self, now: float) -> None:
        if self._in_hdlc:
            self._hdlc.connection_lost(now)
        else:
            self._sign_on.connection_lost(now)
        self._drain(now)

    def next_timer(self) -> float | None:
        return self._hdlc.next_timer() if self._in_hdlc else self._sign_on.next_timer()

    def handle_timer(self, now: float) -> None:
        if self._in_hdlc:
            self._hdlc.handle_timer(now)
        else:
            self._sign_on.handle_timer(now)
        self._drain(now)

    def _drain(self, now: float) -> None:
        """Pass on what both say, in the order in which it happened."""
        while (event := self._sign_on.next_event()) is not None:
            self._pass_on(event, now)
        while (heard := self._hdlc.next_event()) is not None:
            self._tell(self._explained(heard))
        self._octets += self._sign_on.octets_to_send() + self._hdlc.octets_to_send()

    def _pass_on(self, event: Iec21Event, now: float) -> None:
        match event:
            case BinaryReady():
                self._hdlc.connect(now)
            case Remarked(text):
                self._remarks.append(text)
            case LineChangeNeeded():
                self._hdlc.octet_time = event.settings.octet_time
                self._tell(event)
            case FrameSent() | FrameReceived() | OctetsDiscarded():
                self._tell(event)
            case LinkDisconnected() | LinkFailed():
                self._tell(event)

    def _explained(self, event: LinkEvent) -> LinkEvent:
        """With the sign-on's remarks; a failure behind a sign-on that went well says that it did."""
        if isinstance(event, LinkConnected):
            return replace(event, remarks=tuple(self._remarks))
        if isinstance(event, LinkFailed) and event.error.code in ("no-reply", "only-noise"):
            event.error.hint = _hint(event.error, str(self._sign_on.identification))
        return event


def _hint(error: DlmsError, identification: str) -> str:
    return (
        f"The meter signed on as {identification} and was asked for HDLC; if it does not speak it now, the change of speed "
        f"may have failed (try a lower highest speed). {error.hint}"
    )
