"""General blocks around the server of one client: requests that come in blocks, answers that go out in them.

    APDU of the link ──block──> [general blocks] ──whole request──> server ──answer──> [general blocks] ──> APDUs of the link

What was asked in blocks is answered in blocks; another answer only where it is longer than the client takes. Blocks inside of a
ciphered APDU are the server's own matter. Source: IEC 62056-5-3, general block transfer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.block_exchange import is_block
from sessions.dlms.errors import DecodeError, DlmsError
from sessions.dlms.general_block_transfer import BlockLimits, GeneralBlocks, unconfirmed_blocks
from sessions.simulator.blocks import MAX_INCOMING
from sessions.simulator.device import LogicalDevice
from sessions.simulator.server import MALFORMED, Server
from sessions.simulator.service import NOT_NEGOTIATED, PDU_TOO_LONG

ASSOCIATION_CONTROL: Final = (bytes((ApduTag.AARQ,)), bytes((ApduTag.RLRQ,)))
"""What opens and ends an association never travels in blocks."""

INCOMING: Final = BlockLimits(max_octets=MAX_INCOMING, max_idle_blocks=50)


class ServerExchange:
    """Serves one client SAP over one link, as `Server` does. `random(n)` gives n octets for challenges."""

    def __init__(self, device: LogicalDevice, client_sap: int, random: Callable[[int], bytes]) -> None:
        self.server = Server(device, client_sap, random)
        self._device = device
        self._blocks = GeneralBlocks(limits=INCOMING)

    def link_down(self) -> None:
        """The link is gone, and the association with it."""
        self.server.link_down()
        self._blocks.begin()

    def receive_apdu(self, octets: bytes) -> list[bytes]:
        """What is said to one APDU, in order; nothing is silence."""
        if is_block(octets):
            return self._receive_block(octets)
        self._blocks.begin()
        answer = self.server.receive_apdu(octets)
        if answer is None:
            return []
        fits = len(answer) <= self.server.pdu_size or octets[:1] in ASSOCIATION_CONTROL
        return [answer] if fits or not self.server.cuts else self._cut(answer)

    def take_pushes(self) -> list[bytes]:
        """What the meter says unasked, where the client agreed to hear it."""
        notifications = self._device.take_notifications()
        return [octets for each in notifications if self.server.notifies for octets in self.push(each)]

    def push(self, notification: DataNotification) -> list[bytes]:
        """One notification: in unconfirmed blocks where it is long, and they were agreed to."""
        octets = self.server.protect(notification.encode())
        if len(octets) <= self.server.pdu_size or not self.server.cuts:
            return [octets]
        return _encoded(unconfirmed_blocks(octets, self.server.pdu_size))

    def _receive_block(self, octets: bytes) -> list[bytes]:
        if not self.server.cuts:
            return [NOT_NEGOTIATED.encode()]
        try:
            block = decode_apdu(octets)
        except DecodeError:
            return [MALFORMED.encode()]
        assert isinstance(block, GeneralBlockTransfer)  # the tag says so
        try:
            arrival = self._blocks.receive(block)
        except DlmsError:  # a limit: the client is told that this ends
            return _encoded(self._blocks.abort())
        if arrival.apdu is None:
            return _encoded(arrival.blocks)
        answer = MALFORMED.encode() if is_block(arrival.apdu) else self.server.receive_apdu(arrival.apdu, whole=True)
        return [] if answer is None else self._cut(answer)

    def _cut(self, answer: bytes) -> list[bytes]:
        try:
            return _encoded(self._blocks.send(answer, self.server.pdu_size))
        except DlmsError:
            return [PDU_TOO_LONG.encode()]


def _encoded(blocks: Sequence[GeneralBlockTransfer]) -> list[bytes]:
    return [block.encode() for block in blocks]
