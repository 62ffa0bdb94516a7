"""ACTION: one method, or several in a list. Long parameters go out in blocks, long return parameters come back in blocks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from meters.cosem.data import Data
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    read_response_with_optional_data,
)
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemMethodDescriptor,
    DataAccessResult,
    encode_data_list,
    read_get_data_result,
    read_list_count,
)
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError, ListRefusedError
from sessions.dlms.events import ActionFinished, ActionOutcome, ListFinished
from sessions.dlms.transfers.items import ActionItem, check_count
from sessions.dlms.transfers.transfer import LnTransfer, Outcome, Terms, TransferEvent, Turn


class _Action(LnTransfer):
    """What both forms have: the blocks after the first, in both directions."""

    def _continuation(self, last: bool, number: int, contents: bytes) -> bytes:
        return ActionRequestWithPblock(self.invocation, last, number, contents).encode()

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case ActionResponseNextPblock():
                return self._acknowledged(apdu.block_number)
            case ActionResponseWithPblock():
                return self._block(apdu)
        self._unrelated(apdu)

    def _block(self, apdu: ActionResponseWithPblock) -> Turn:
        block = self._take_block(apdu.block_number, apdu.raw_data, apdu.last_block)
        if not apdu.last_block:
            return [block], ActionRequestNextPblock(self.invocation, apdu.block_number).encode()
        return [block, self._assembled(bytes(self._incoming.octets))], None

    @abstractmethod
    def _assembled(self, octets: bytes) -> Outcome:
        """What all blocks together say."""


class ActionTransfer(_Action):
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

    def receive(self, apdu: Apdu) -> Turn:
        if isinstance(apdu, ActionResponseNormal):
            done = apdu.result is ActionResult.SUCCESS
            self.fire(TransferEvent.RESULT if done else TransferEvent.REFUSAL)
            return [ActionFinished(self.request, apdu.result, apdu.return_parameters)], None
        return super().receive(apdu)

    def _assembled(self, octets: bytes) -> ActionFinished:
        return ActionFinished(self.request, *decode_action_result(octets))


class ActionListTransfer(_Action):
    """`BlockSent`…, `BlockReceived`… and `ListFinished`."""

    def __init__(self, terms: Terms, items: Sequence[ActionItem]) -> None:
        super().__init__(terms)
        self.items = items
        self._methods = tuple(item.descriptor for item in items)

    def begin(self) -> bytes:
        parameters = tuple(item.listed_parameters for item in self.items)
        octets = ActionRequestWithList(self.invocation, self._methods, parameters).encode()
        blocks = Conformance.BLOCK_TRANSFER_WITH_ACTION in self.terms.conformance
        if len(octets) <= self.terms.capacity or not blocks:
            return self._begin_short(octets)
        return self._begin_long(encode_data_list(parameters), self._first)

    def _first(self, last: bool, number: int, contents: bytes) -> bytes:
        return ActionRequestWithListAndFirstPblock(self.invocation, self._methods, last, number, contents).encode()

    def receive(self, apdu: Apdu) -> Turn:
        match apdu:
            case ActionResponseWithList():
                self.fire(TransferEvent.RESULT)
                return [self._finished(apdu.list_of_responses)], None
            case ActionResponseNormal():
                self.fire(TransferEvent.REFUSAL)
                raise ListRefusedError(f"The meter answers the list with: {apdu.result.words}", result=apdu.result)
        return super().receive(apdu)

    def _finished(self, responses: Sequence[tuple[ActionResult, Data | DataAccessResult | None]]) -> ListFinished:
        outcomes = [ActionOutcome(*response) for response in responses]
        return ListFinished(self.request, check_count(self.items, outcomes))

    def _assembled(self, octets: bytes) -> ListFinished:
        reader = Reader(octets)
        count = read_list_count(reader)
        responses = [read_response_with_optional_data(reader) for _ in range(count)]
        reader.finish()
        return self._finished(responses)


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
