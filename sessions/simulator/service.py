"""What the services of the server share: the caller, the device, and the one long transfer that may be under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.errors import ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.selective_access import SelectiveAccess
from sessions.simulator.blocks import Incoming, Outgoing, OutgoingOctets
from sessions.simulator.device import Caller, LogicalDevice
from sessions.simulator.objects.base import Denied, EncodedValue

UNLIMITED: Final = 0xFFFF
MAX_LIST: Final = 64
"""Items in one list."""

PDU_TOO_LONG: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.PDU_TOO_LONG)
NOT_NEGOTIATED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.SERVICE_NOT_SUPPORTED)
NOT_SUPPORTED: Final = ExceptionResponse(StateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED)
ACTION_RESULTS: Final = frozenset(int(result) for result in ActionResult)
"""Numbers that data-access-results and action-results share."""


class TransferState(Enum):
    """What is on its way."""

    IDLE = auto()
    GET_SENDING = auto()
    SET_RECEIVING = auto()
    ACTION_RECEIVING = auto()
    ACTION_SENDING = auto()


@dataclass(slots=True)
class Progress:
    """The long transfer of an association; a new request silently takes its place."""

    state: TransferState = TransferState.IDLE
    outgoing: Outgoing = field(default_factory=lambda: Outgoing(OutgoingOctets(())))
    incoming: Incoming = field(default_factory=Incoming)

    def give_up(self) -> None:
        self.state = TransferState.IDLE

    def send(self, state: TransferState, octets: OutgoingOctets, block_sizes: tuple[int, ...] = ()) -> None:
        self.state, self.outgoing = state, Outgoing(octets, block_sizes)

    def receive(self, state: TransferState, incoming: Incoming) -> None:
        self.state, self.incoming = state, incoming


@dataclass(frozen=True, slots=True)
class Room:
    """How long an answer may be, in octets in clear: in one APDU, and (`whole`) where general blocks may carry it."""

    capacity: int
    whole: int = 0

    def holds(self, size: int) -> bool:
        return size <= max(self.capacity, self.whole)


class Service:
    """One of the services, for one caller."""

    def __init__(self, device: LogicalDevice, caller: Caller, progress: Progress) -> None:
        self._device = device
        self._caller = caller
        self._progress = progress

    def _agreed(self, service: Conformance) -> bool:
        return service in self._caller.conformance

    def _read(self, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> EncodedValue:
        if selection is not None and not self._agreed(Conformance.SELECTIVE_ACCESS):
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        value = self._device.get(self._caller, descriptor, selection)
        return EncodedValue((encode_data(value),)) if isinstance(value, Data) else value

    def _write(
        self, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None, value: Data
    ) -> DataAccessResult:
        if selection is not None and not self._agreed(Conformance.SELECTIVE_ACCESS):
            return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
        try:
            self._device.set(self._caller, descriptor, selection, value)
        except Denied as denied:
            return denied.result
        return DataAccessResult.SUCCESS

    def _invoke(self, descriptor: CosemMethodDescriptor, parameters: Data | None) -> tuple[ActionResult, Data | None]:
        try:
            return ActionResult.SUCCESS, self._device.action(self._caller, descriptor, parameters)
        except Denied as denied:
            number = int(denied.result)
            return ActionResult(number) if number in ACTION_RESULTS else ActionResult.OTHER_REASON, None
