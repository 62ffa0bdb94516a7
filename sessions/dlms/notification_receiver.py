"""The receiving end of what meters send unasked, without I/O: octets of one connection in, notifications out, confirmations back.

    octets -> wrapper frames | HDLC UI frames -> APDU -> general blocks -> deciphered -> notification

The framing shows in the first octet. Keys are those of associations: the one whose server system title an envelope names, or any
that names none. A notification that asks for it is confirmed, protected as its association's requests are.
Source: IEC 62056-5-3, DataNotification and EventNotification; IEC 62056-47; IEC 62056-46 for UI frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.ciphered import (
    GENERAL_DED_TAG,
    GENERAL_GLO_TAG,
    PLAIN_TAGS,
    GeneralCiphering,
    GeneralSigning,
    split_envelope,
)
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm, EventNotificationRequest
from sessions.dlms.apdu.short_name import InformationReport
from sessions.dlms.association import AssociationParameters
from sessions.dlms.block_exchange import is_block
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError, RemoteProtocolError, SecurityError
from sessions.dlms.general_block_transfer import GeneralBlocks
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.exchange import LLC_REQUEST, UnnumberedReceiver
from sessions.dlms.hdlc.frame import UiFrame
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.dlms.transactions import GENERAL_TAGS as TRANSACTION_TAGS
from sessions.dlms.wrapper import HDLC_FLAG, WrapperFrame, WrapperReader

Notification = DataNotification | EventNotificationRequest | InformationReport
NOTIFICATIONS: Final = (DataNotification, EventNotificationRequest, InformationReport)
MAX_SENDERS: Final = 64
"""Addresses whose UI frames are put together on one line."""
MAX_TITLES: Final = 1024
"""Meters that are known by system title, for each association that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What came: `notification`, or the `error` that says why there is none. SAPs are those of the frame.

    `confirmed`: a confirmation went back; where one was wanted and could not be, `unconfirmed` says why.
    """

    framing: str
    client_sap: int
    server_sap: int
    octets: bytes
    system_title: bytes = b""
    protected: bool = False
    notification: Notification | None = None
    error: DlmsError | None = None
    confirmed: bool = False
    unconfirmed: DlmsError | None = None


@dataclass(slots=True)
class Listener:
    """An association as its client hears it: `counters` are for confirmations. One floor for each meter, whoever it is."""

    parameters: AssociationParameters
    counters: InvocationCounters | None = None
    random: Callable[[int], bytes] | None = None
    _of_meters: dict[bytes, Ciphering] = field(default_factory=dict)

    def hears(self, title: bytes) -> bool:
        return self.parameters.server_system_title in (None, b"", title)

    def ciphering(self, title: bytes) -> Ciphering:
        """The keys and floors towards the meter of this title."""
        if title in self._of_meters:
            return self._of_meters[title]
        made = Ciphering(self.parameters, self.counters, self.random)
        made.server_system_title = title
        made.start()
        made.agree(Conformance.GENERAL_PROTECTION)
        return made

    def believe(self, title: bytes, ciphering: Ciphering) -> None:
        """Something of this meter was genuine: its counters are remembered from now on."""
        if len(self._of_meters) >= MAX_TITLES and title not in self._of_meters:
            raise SecurityError(
                "More meters than can be remembered sent something",
                code="too-many-meters",
                hint="Give associations with server_system_title.",
            )
        self._of_meters[title] = ciphering


class NotificationReceiver:
    """One connection, or with `datagrams` one address. `listeners` are shared by many: a replay is refused wherever it comes."""

    def __init__(self, listeners: Sequence[Listener] = (), *, datagrams: bool = False) -> None:
        self._listeners = listeners
        self._datagrams = datagrams
        self._heard: deque[Heard] = deque()
        self._outbox = bytearray()
        self._wrapper: WrapperReader | None = None
        self._hdlc: FrameReader | None = None
        self._unnumbered: dict[HdlcAddress, UnnumberedReceiver] = {}
        self._blocks = GeneralBlocks(confirmed=False)

    def receive_octets(self, octets: bytes) -> None:
        """FrameError where the stream goes on as neither framing; what came before it is heard."""
        if (self._hdlc is None and self._wrapper is None) or self._datagrams:
            self._hdlc, self._wrapper = (
                (FrameReader(), None) if octets[:1] == bytes((HDLC_FLAG,)) else (None, WrapperReader())
            )
        if self._hdlc is not None:
            self._take_frames(self._hdlc.feed(octets))
            return
        assert self._wrapper is not None  # one of the two
        for part in (octets, b""):
            for frame, _ in self._wrapper.feed(part):
                self._take(frame.apdu, ("wrapper", frame.destination, frame.source), self._wrapper_answer(frame))

    def pause(self) -> None:
        """Nothing came for a while: what looked like the beginning of an HDLC frame was none, what stands inside it counts."""
        if self._hdlc is not None:
            self._take_frames(self._hdlc.give_up())

    def next_heard(self) -> Heard | None:
        return self._heard.popleft() if self._heard else None

    def octets_to_send(self) -> bytes:
        octets = bytes(self._outbox)
        self._outbox.clear()
        return octets

    # -- frames ------------------------------------------------------------------------------------------------------

    def _take_frames(self, items: Iterable[Found | Rubbish]) -> None:
        for item in items:
            if isinstance(item, Found) and isinstance(item.frame, UiFrame):
                self._take_unnumbered(item.frame)

    def _take_unnumbered(self, frame: UiFrame) -> None:
        if frame.source not in self._unnumbered and len(self._unnumbered) >= MAX_SENDERS:
            self._unnumbered.pop(next(iter(self._unnumbered)))
        parts = self._unnumbered.setdefault(frame.source, UnnumberedReceiver())
        if parts.begins_anew(frame):
            parts.take_rest()
        apdu = parts.accept(frame)
        if apdu is not None:
            self._take(apdu, ("hdlc", frame.destination.upper, frame.source.upper), _unnumbered_answer(frame))

    @staticmethod
    def _wrapper_answer(frame: WrapperFrame) -> Callable[[bytes], bytes]:
        return lambda apdu: WrapperFrame(frame.destination, frame.source, apdu).encode()

    # -- APDUs -------------------------------------------------------------------------------------------------------

    def _take(self, octets: bytes, ends: tuple[str, int, int], frame: Callable[[bytes], bytes]) -> None:
        framing, client_sap, server_sap = ends
        where = {"framing": framing, "client_sap": client_sap, "server_sap": server_sap}
        try:
            whole = self._whole(octets)
            if whole is None:
                return
            plain, title, ciphering = self._open(whole)
            apdu = decode_apdu(plain)
            if not isinstance(apdu, NOTIFICATIONS):
                raise RemoteProtocolError(f"What came is no notification: {_name(apdu)}", code="no-notification")
        except DlmsError as error:
            self._heard.append(Heard(**where, octets=octets, error=error))  # type: ignore[arg-type]  # three of them
            return
        confirmed, unconfirmed = self._confirm(apdu, ciphering, frame)
        heard = Heard(
            framing=framing,
            client_sap=client_sap,
            server_sap=server_sap,
            octets=whole,
            system_title=title,
            protected=ciphering is not None,
            notification=apdu,
            confirmed=confirmed,
            unconfirmed=unconfirmed,
        )
        self._heard.append(heard)

    def _whole(self, octets: bytes) -> bytes | None:
        """The APDU that blocks make; None while others are due."""
        if not is_block(octets):
            return octets
        block = decode_apdu(octets)
        assert isinstance(block, GeneralBlockTransfer)  # the tag says so
        if not self._blocks.continues(block):
            self._blocks.begin()
        return self._blocks.receive(block).apdu

    def _open(self, octets: bytes) -> tuple[bytes, bytes, Ciphering | None]:
        """The APDU in clear, the system title that its envelope names, and whose keys opened it (None: it came in clear)."""
        tag = octets[0] if octets else 0
        if tag not in PLAIN_TAGS and tag not in (GENERAL_GLO_TAG, GENERAL_DED_TAG) and tag not in TRANSACTION_TAGS:
            return octets, b"", None
        title = _title(octets)
        refused: DlmsError | None = None
        for listener in (each for each in self._listeners if each.hears(title)):
            ciphering = listener.ciphering(title)
            try:
                plain, _ = ciphering.unprotect(octets)
                listener.believe(title, ciphering)
                return plain, title, ciphering
            except DlmsError as error:
                refused = error
        raise refused or SecurityError(
            f"A ciphered notification came from {title.hex().upper() or 'a meter that does not say who it is'}, and there are no "
            "keys for it",
            code="no-key",
            hint="Give an association file with the meter's keys.",
        )

    def _confirm(
        self, apdu: Notification, ciphering: Ciphering | None, frame: Callable[[bytes], bytes]
    ) -> tuple[bool, DlmsError | None]:
        if not isinstance(apdu, DataNotification) or not apdu.wants_confirmation:
            return False, None
        confirmation = DataNotificationConfirm(apdu.long_invoke_id_and_priority).encode()
        try:
            self._outbox += frame(confirmation if ciphering is None else ciphering.protect(confirmation))
        except DlmsError as error:
            return False, error
        return True, None


def _unnumbered_answer(frame: UiFrame) -> Callable[[bytes], bytes]:
    def answer(apdu: bytes) -> bytes:
        back = UiFrame(
            destination=frame.source, source=frame.destination, poll_final=False, information=LLC_REQUEST + apdu
        )
        return back.encode()

    return answer


def _title(octets: bytes) -> bytes:
    if octets[0] in TRANSACTION_TAGS:
        apdu = decode_apdu(octets)
        assert isinstance(apdu, GeneralCiphering | GeneralSigning)  # the tag says so
        return apdu.originator_system_title
    return split_envelope(octets)[0]


def _name(apdu: Apdu) -> str:
    return type(apdu).__name__
