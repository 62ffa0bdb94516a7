"""Between the services and the link: APDUs are protected as agreed, and travel in general blocks where they are too long for one.

    services  --  APDU in clear  --  [Channel: ciphering, general blocks]  --  APDUs of the link

What comes is put together and deciphered the other way round; blocks may be inside of the ciphering, or around it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.association import Negotiated
from sessions.dlms.block_exchange import BlockExchange, is_block
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError, LocalProtocolError, RemoteProtocolError
from sessions.dlms.link import Link

MAX_TO_SAY: Final = 16
"""Confirmations that wait for their turn; the oldest make room."""

UNLIMITED_PDU: Final = 0xFFFF
"""What "no limit" comes to: the wrapper's length field has two octets."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A whole APDU in clear, and whether it came protected."""

    octets: bytes
    protected: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets of an APDU in clear whose end is still to come, and where they stand in it: believed as far as a whole one is."""

    at: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """A block transfer that came to nothing."""

    error: DlmsError


class Channel:
    """The way of one association's APDUs. `negotiated` is None until the AARE is judged."""

    def __init__(self, link: Link, ciphering: Ciphering, *, window: int, reply_timeout: float) -> None:
        self.negotiated: Negotiated | None = None
        self._link = link
        self._ciphering = ciphering
        self._blocks = BlockExchange(window=window, streams=link.streams, lossy=link.lossy, reply_timeout=reply_timeout)
        self._to_say: deque[bytes] = deque(maxlen=MAX_TO_SAY)
        self._passed_over = False
        self._expected = False

    # -- out ---------------------------------------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """The longest APDU in clear that the server takes at once."""
        return self._ciphering.capacity(self._pdu_size)

    @property
    def _pdu_size(self) -> int:
        size = self.negotiated.server_max_receive_pdu_size if self.negotiated is not None else 0
        return size or UNLIMITED_PDU

    @property
    def _cuts(self) -> bool:
        return self.negotiated is not None and Conformance.GENERAL_BLOCK_TRANSFER in self.negotiated.conformance

    def send(self, octets: bytes, now: float) -> None:
        """A request; whatever blocks were under way are over."""
        octets = self._ciphering.protect(octets)
        self._blocks.begin()
        self._expected = True
        if self._cuts and len(octets) > self._pdu_size:
            self._send_blocks(self._blocks.asked.send(octets, self._pdu_size), now)
        else:
            self._link.send_apdu(octets, now)

    def _send_blocks(self, blocks: Sequence[GeneralBlockTransfer], now: float, *, progress: bool = True) -> None:
        awaited = self._expected and self._blocks.asked.awaits_answer
        for block in blocks:
            octets = self._ciphering.protect(block.encode()) if self._blocks.inside else block.encode()
            self._link.send_apdu(octets, now, expect_reply=awaited and not self._blocks.lossy)
        if self._expected:  # a push that stays away half-way is nobody's loss
            self._blocks.wait(now, progress=progress)

    def say(self, octets: bytes) -> None:
        """Something that nobody answers: it goes out as soon as it may."""
        self._to_say.append(octets)

    def flush(self, now: float, *, idle: bool) -> None:
        """Say what waits. `idle`: no answer is awaited; a line that does not stream has to be."""
        while self._to_say and (idle or self._link.streams):
            try:
                self._link.send_unconfirmed(self._ciphering.protect(self._to_say.popleft()), now)
            except LocalProtocolError:  # no ciphered form was agreed to, or the line is busy: it is not worth more
                continue

    # -- in ----------------------------------------------------------------------------------------------------------

    def receive(self, octets: bytes, now: float, *, expected: bool) -> Plain | Piece | Broken | None:
        """What an APDU of the link brings; a `Piece` or None while others of the same whole are due.

        `expected`: an answer is due. SecurityError is raised.
        """
        self._expected = expected
        if is_block(octets):
            return self._take(octets, now, inside=False, expected=expected)
        plain = Plain(*self._ciphering.unprotect(octets))
        if is_block(plain.octets):
            return self._take(plain.octets, now, inside=True, expected=expected)
        return plain

    def _take(self, octets: bytes, now: float, *, inside: bool, expected: bool) -> Plain | Piece | Broken | None:
        try:
            arrival = self._blocks.take(octets, inside=inside, expected=expected)
        except DlmsError as error:
            return Broken(error)
        self._send_blocks(arrival.blocks, now)
        if arrival.aborted:
            hint = "Try again; if it comes back, ask for less at once."
            return Broken(RemoteProtocolError("The meter broke the block transfer off", code="aborted", hint=hint))
        if arrival.apdu is None:
            # What was ciphered before it was cut says nothing, and proves nothing, until all of it is here.
            readable = expected and (inside or not self._ciphering.demands_protection)
            return Piece(*arrival.piece) if readable and arrival.piece is not None else None
        plain = Plain(arrival.apdu, True) if inside else Plain(*self._ciphering.unprotect(arrival.apdu))
        if is_block(plain.octets):
            return Broken(RemoteProtocolError("General blocks carry general blocks", code="nested-blocks"))
        return plain

    def pass_over(self) -> None:
        """What came was not the answer, which is still due."""
        self._passed_over = True

    def listen(self, now: float) -> None:
        """All that came is taken. Where something is to follow by itself, the link gives the server its turn."""
        passed_over, self._passed_over = self._passed_over and not self._link.streams, False
        if self._blocks.asked.awaits_blocks or passed_over:
            self._link.await_apdu(now)

    # -- silence -----------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When blocks are to be asked for again, on a line that loses them."""
        return self._blocks.deadline

    def is_over(self, now: float) -> bool:
        return self._blocks.is_over(now)

    def ask_again(self, now: float) -> None:
        """Blocks stayed away. NoReplyError when they were asked for often enough."""
        self._send_blocks(self._blocks.ask_again(now), now, progress=False)

    def end(self) -> None:
        """No answer is awaited any more."""
        self._blocks.end()
