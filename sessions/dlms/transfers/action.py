"""ACTION: one method. Long parameters go out in blocks, long return parameters come back in blocks."""

from __future__ import annotations

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemMethodDescriptor,
    DataAccessResult,
    read_get_data_result,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError
from sessions.dlms.events import ActionFinished
from sessions.dlms.transfers.transfer import LnTransfer, Terms, TransferEvent, Turn


class ActionTransfer(LnTransfer):
    """`BlockSent`…, `BlockReceived`… and `ActionFinished`."""

    def __init__(self, terms: Terms, descriptor: CosemMethodDescriptor, parameters: Data | None = None) -> None:
        super().__init__(terms)
        self.descriptor = descriptor
        self.parameters = parameters

    def begin(self) -> bytes:
        octets = ActionRequestNormal(self.invocation, self.descriptor, self.parameters).encode()
        blocks = Conformance.BLOCK_TRANSFER_WITH_ACTION in self.terms.conformance
        if len(octets) <= self.terms.capacity or not blocks or self.parameters is None:
            return self._begin_short(octets)
        return self._begin_long(encode_data(self.parameters), self._first)

    def _first(self, last: bool, number: int, contents: bytes) -> bytes:
        return ActionRequestWithFirstPblock(self.invocation, self.descriptor, last, number, contents).encode()

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        return ActionRequestWithPblock(self.invocation, last, number, contents).encode()

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case ActionResponseNormal():
                done = apdu.result is ActionResult.SUCCESS
                self.fire(TransferEvent.RESULT if done else TransferEvent.REFUSAL)
                return [ActionFinished(self.request, apdu.result, apdu.return_parameters)], None
            case ActionResponseNextPblock():
                return self._acknowledged(apdu.block_number)
            case ActionResponseWithPblock():
                return self._block(apdu)
        raise self._unrelated(apdu)

    def _block(self, apdu: ActionResponseWithPblock) -> Turn:
        block = self._take_block(apdu.block_number, apdu.raw_data, apdu.last_block)
        if not apdu.last_block:
            return [block], ActionRequestNextPblock(self.invocation, apdu.block_number).encode()
        result, returned = decode_action_result(bytes(self._incoming.octets))
        return [block, ActionFinished(self.request, result, returned)], None


def decode_action_result(raw: bytes) -> tuple[ActionResult, Data | DataAccessResult | None]:
    """What the blocks of an ACTION's answer hold.

    By the standard the result and the optional return parameters; older meters send the bare Data. The standard's form is
    tried first: only Data of two octets could be mistaken for it, and nobody sends two octets in blocks.
    """
    try:
        return _decode_result_and_parameters(raw)
    except DecodeError:
        return ActionResult.SUCCESS, decode_data(raw)


def _decode_result_and_parameters(raw: bytes) -> tuple[ActionResult, Data | DataAccessResult | None]:
    reader = Reader(raw)
    result = reader.enum(ActionResult, "result")
    returned: Data | DataAccessResult | None = None
    if reader.flag("return-parameters presence"):
        returned = read_get_data_result(reader, "return-parameters")
    reader.finish()
    return result, returned
