"""A small device behind the services of the server, and requests to it."""

from __future__ import annotations

from typing import Any

from meters.cosem.data import Data, array, octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.descriptors import (
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.simulator.device import SERVED_CONFORMANCE, Caller, ServedClient
from sessions.simulator.objects.base import Denied, EncodedValue
from sessions.simulator.service import Room, TransferState
from sessions.simulator.transfers import ServerTransfers

NAME = ObisCode(0, 0, 96, 1, 0, 255)
SHORT, LONG, CUT, REFUSED = (CosemAttributeDescriptor(1, NAME, number) for number in (2, 3, 4, 5))
ECHO = CosemMethodDescriptor(1, NAME, 1)
FORBIDDEN = CosemMethodDescriptor(1, NAME, 2)
LONG_VALUE = array(*(octet_string(bytes([number]) * 20) for number in range(30)))
I = InvokeIdAndPriority(3)
SIZE = 200


class Device:
    """Attributes 2 (short), 3 (long), 4 (recorded in blocks of 7) and 5 (refused); method 1 gives back what it gets."""

    def __init__(self) -> None:
        self.written: list[tuple[int, Data]] = []

    def get(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any) -> Any:
        if descriptor == REFUSED:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        if descriptor == LONG:
            octets = encode_data(LONG_VALUE)
            return EncodedValue(octets[at : at + 11] for at in range(0, len(octets), 11))
        if descriptor == CUT:
            return EncodedValue((encode_data(octet_string(bytes(18))),), (7, 7, 6))
        return unsigned(7)

    def set(self, caller: Any, descriptor: CosemAttributeDescriptor, selection: Any, value: Data) -> None:
        if descriptor == REFUSED:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        self.written.append((descriptor.attribute_id, value))

    def action(self, caller: Any, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        if descriptor == FORBIDDEN:
            raise Denied(DataAccessResult.DATA_BLOCK_NUMBER_INVALID)
        return parameters


class Talk:
    """Requests to a device, and the answers decoded."""

    def __init__(self, conformance: Conformance = SERVED_CONFORMANCE) -> None:
        self.device = Device()
        caller = Caller(client=ServedClient(client_sap=1), conformance=conformance, client_max_receive_pdu_size=0)
        self.transfers = ServerTransfers(self.device, caller)  # type: ignore[arg-type]

    def octets(self, request: Apdu, capacity: int = SIZE, whole: int = 0) -> bytes | None:
        return self.transfers.answer(request, Room(capacity, whole))

    def ask(self, request: Apdu, capacity: int = SIZE, whole: int = 0) -> Any:
        octets = self.octets(request, capacity, whole)
        assert octets is not None
        assert len(octets) <= max(capacity, whole, 12)
        return decode_apdu(octets)

    @property
    def state(self) -> TransferState:
        return self.transfers.progress.state
