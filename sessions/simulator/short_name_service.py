"""READ and WRITE on the server's side: variables by their short names, whole and in blocks.

    IDLE ── an answer that does not fit ──> READ_SENDING ── last block, or a wrong number ──> IDLE
    IDLE ── the first block of a request ──> READ_RECEIVING / WRITE_RECEIVING ── last block ──> IDLE

The blocks of an APDU carry all of it but its tag. A variable name is an attribute or a method of an object: attributes are read
and written, methods are called by WRITE, or by READ with parameterised access where they return something. Source:
IEC 62056-5-3, Read, Write and UnconfirmedWrite services.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from meters.cosem.data import Data, DataType, null
from meters.cosem.short_names import returns_something
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.apdu.short_name import (
    ReadBlock,
    ReadRequest,
    ReadResponse,
    ReadResultChoice,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import DecodeError
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import ShortNameMap, VariableMeaning
from sessions.simulator.blocks import Incoming, Outgoing, OutgoingOctets, room
from sessions.simulator.device import Caller, LogicalDevice
from sessions.simulator.objects.base import Denied, EncodedValue
from sessions.simulator.service import MAX_LIST, Progress, Room, Service

READ_SERVICE: Final = 5
WRITE_SERVICE: Final = 6
NO_DLMS_CONTEXT: Final = (2, 1)
SERVICE_UNSUPPORTED: Final = (3, 2)
PDU_SIZE: Final = (3, 1)
OTHER: Final = (10, 0)
DECIPHERING_ERROR: Final = (0, 6)
"""Service, and choice and value, of a confirmed-service-error."""

WRITING_TAGS: Final = frozenset(
    tag + added
    for tag in (ApduTag.WRITE_REQUEST, ApduTag.UNCONFIRMED_WRITE_REQUEST)
    for added in (0, 0x20, 0x40)  # in clear, under the global key, under the dedicated key
)


def service_error(exception: ExceptionResponse, tag: int) -> ConfirmedServiceError:
    """What a server of short names says where one of logical names answers with an exception-response."""
    if exception.state_error == StateError.SERVICE_UNKNOWN:
        said = SERVICE_UNSUPPORTED
    else:
        said = {
            ExceptionServiceError.OPERATION_NOT_POSSIBLE: NO_DLMS_CONTEXT,
            ExceptionServiceError.SERVICE_NOT_SUPPORTED: SERVICE_UNSUPPORTED,
            ExceptionServiceError.PDU_TOO_LONG: PDU_SIZE,
            ExceptionServiceError.DECIPHERING_ERROR: DECIPHERING_ERROR,
            ExceptionServiceError.INVOCATION_COUNTER_ERROR: DECIPHERING_ERROR,
        }.get(ExceptionServiceError(exception.service_error), OTHER)
    return ConfirmedServiceError(WRITE_SERVICE if tag in WRITING_TAGS else READ_SERVICE, *said)


class State(Enum):
    """What is on its way."""

    IDLE = auto()
    READ_SENDING = auto()
    READ_RECEIVING = auto()
    WRITE_RECEIVING = auto()


class ShortNameService(Service):
    """Answers the requests of one caller. `names` are those of the meter."""

    def __init__(self, device: LogicalDevice, caller: Caller, names: ShortNameMap) -> None:
        super().__init__(device, caller, Progress())
        self.state = State.IDLE
        self._names = names
        self._outgoing = Outgoing(OutgoingOctets(()))
        self._incoming = Incoming()

    def answer(self, request: Apdu, within: Room) -> bytes | None:
        """The answer's octets in clear; None where the client wants none."""
        match request:
            case ReadRequest():
                if not self._agreed(Conformance.READ):
                    return _refused(READ_SERVICE, SERVICE_UNSUPPORTED)
                return self._read_request(request, within)
            case WriteRequest():
                if not self._agreed(Conformance.WRITE):
                    return _refused(WRITE_SERVICE, SERVICE_UNSUPPORTED)
                return self._write_request(request)
            case UnconfirmedWriteRequest():
                self.state = State.IDLE
                if self._agreed(Conformance.UNCONFIRMED_WRITE) and len(request.variables) <= MAX_LIST:
                    self._store(request.variables, request.values)
                return None
        return _refused(READ_SERVICE, SERVICE_UNSUPPORTED)

    def _agreed(self, service: Conformance) -> bool:
        """By short names a part of an attribute is asked for by parameterised access."""
        return super()._agreed(Conformance.PARAMETERIZED_ACCESS if service is Conformance.SELECTIVE_ACCESS else service)

    def _too_many(self, count: int) -> bool:
        return count > MAX_LIST or (count > 1 and not self._agreed(Conformance.MULTIPLE_REFERENCES))

    # -- READ --------------------------------------------------------------------------------------------------------

    def _read_request(self, request: ReadRequest, within: Room) -> bytes:
        if len(request.variables) == 1:
            only = request.variables[0]
            if only.kind is VariableAccess.BLOCK_NUMBER_ACCESS:
                return self._next_block(only.number, within.capacity)
            if only.kind is VariableAccess.READ_DATA_BLOCK_ACCESS:
                return self._request_block(only, within)
        self.state = State.IDLE  # what was on its way is given up for the new request
        return self._read_variables(request.variables, within)

    def _read_variables(self, variables: tuple[VariableAccessSpecification, ...], within: Room) -> bytes:
        if self._too_many(len(variables)):
            return _refused(READ_SERVICE, SERVICE_UNSUPPORTED)
        octets = OutgoingOctets(self._results(variables))
        if octets.fits(within.capacity - 1):
            return bytes((ApduTag.READ_RESPONSE,)) + octets.take(within.capacity)[0]
        if self._agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
            self.state, self._outgoing = State.READ_SENDING, Outgoing(octets)
            return self._block(within.capacity)
        if octets.fits(within.whole - 1):
            return bytes((ApduTag.READ_RESPONSE,)) + octets.take(within.whole)[0]
        return _refused(READ_SERVICE, PDU_SIZE)

    def _results(self, variables: tuple[VariableAccessSpecification, ...]) -> Iterator[bytes]:
        """A readResponse without its tag, part by part."""
        yield Writer().length(len(variables)).octets()
        for variable in variables:
            try:
                value = self._value(variable)
            except Denied as denied:
                yield bytes((ReadResultChoice.DATA_ACCESS_ERROR, denied.result))
                continue
            yield bytes((ReadResultChoice.DATA,))
            yield from value.parts

    def _value(self, variable: VariableAccessSpecification) -> EncodedValue:
        meaning = self._meaning(variable)
        if (attribute := meaning.attribute) is not None:
            selection = None if variable.parameter is None else SelectiveAccess(variable.selector, variable.parameter)
            return self._read(attribute, selection)
        method = meaning.method
        assert method is not None  # what is no attribute is a method
        if variable.parameter is None and not returns_something(method.class_id, method.method_id):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        returned = self._device.action(self._caller, method, variable.parameter)
        return EncodedValue((encode_data(null() if returned is None else returned),))

    def _meaning(self, variable: VariableAccessSpecification) -> VariableMeaning:
        meaning = self._names.meaning(variable.number) if variable.named else None
        if meaning is None:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        return meaning

    def _block(self, capacity: int) -> bytes:
        size = room(ReadResponse((ReadBlock(False, 1, b""),)).encode(), capacity)
        if size < 1:
            self.state = State.IDLE
            return _refused(READ_SERVICE, PDU_SIZE)
        number, octets, last = self._outgoing.next_block(size)
        if last:
            self.state = State.IDLE
        return ReadResponse((ReadBlock(last, number, octets),)).encode()

    def _next_block(self, number: int, capacity: int) -> bytes:
        if self.state is not State.READ_SENDING:
            result = DataAccessResult.NO_LONG_GET_IN_PROGRESS
        elif number != self._outgoing.block_number:
            result = DataAccessResult.DATA_BLOCK_NUMBER_INVALID
        else:
            return self._block(capacity)
        self.state = State.IDLE
        return ReadResponse((result,)).encode()

    def _request_block(self, block: VariableAccessSpecification, within: Room) -> bytes:
        """A part of a long READ: acknowledged, and the last one answered."""
        if not self._agreed(Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ):
            return _refused(READ_SERVICE, SERVICE_UNSUPPORTED)
        refusal = self._take(State.READ_RECEIVING, block, block.raw_data)
        if refusal is not None:
            return ReadResponse((refusal,)).encode()
        if not block.last_block:
            return ReadResponse((block.number,)).encode()
        whole = self._whole(ApduTag.READ_REQUEST)
        if not isinstance(whole, ReadRequest):
            return ReadResponse((DataAccessResult.LONG_GET_ABORTED,)).encode()
        return self._read_variables(whole.variables, within)

    # -- WRITE -------------------------------------------------------------------------------------------------------

    def _write_request(self, request: WriteRequest) -> bytes:
        if len(request.variables) == 1 and request.variables[0].kind is VariableAccess.WRITE_DATA_BLOCK_ACCESS:
            return self._write_block(request.variables[0], request.values)
        self.state = State.IDLE
        return self._write_variables(request)

    def _write_variables(self, request: WriteRequest) -> bytes:
        if self._too_many(len(request.variables)):
            return _refused(WRITE_SERVICE, SERVICE_UNSUPPORTED)
        if len(request.variables) != len(request.values):
            return _refused(WRITE_SERVICE, OTHER)
        return WriteResponse(self._store(request.variables, request.values)).encode()

    def _store(
        self, variables: tuple[VariableAccessSpecification, ...], values: tuple[Data, ...]
    ) -> tuple[DataAccessResult, ...]:
        return tuple(self._store_one(variable, value) for variable, value in zip(variables, values, strict=False))

    def _store_one(self, variable: VariableAccessSpecification, value: Data) -> DataAccessResult:
        try:
            meaning = self._meaning(variable)
            if (attribute := meaning.attribute) is not None:
                parameter = variable.parameter
                return self._write(
                    attribute, None if parameter is None else SelectiveAccess(variable.selector, parameter), value
                )
            method = meaning.method
            assert method is not None  # what is no attribute is a method
            self._device.action(self._caller, method, value)
        except Denied as denied:
            return denied.result
        return DataAccessResult.SUCCESS

    def _write_block(self, block: VariableAccessSpecification, values: tuple[Data, ...]) -> bytes:
        """A part of a long WRITE: acknowledged, and the last one answered with the results."""
        if not self._agreed(Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE):
            return _refused(WRITE_SERVICE, SERVICE_UNSUPPORTED)
        if len(values) != 1 or values[0].type is not DataType.OCTET_STRING:
            self.state = State.IDLE
            return WriteResponse((DataAccessResult.TYPE_UNMATCHED,)).encode()
        refusal = self._take(State.WRITE_RECEIVING, block, values[0].value)
        if refusal is not None:
            return WriteResponse((refusal,)).encode()
        if not block.last_block:
            return WriteResponse((block.number,)).encode()
        whole = self._whole(ApduTag.WRITE_REQUEST)
        if not isinstance(whole, WriteRequest):
            return WriteResponse((DataAccessResult.LONG_SET_ABORTED,)).encode()
        return self._write_variables(whole)

    # -- long requests -----------------------------------------------------------------------------------------------

    def _take(self, state: State, block: VariableAccessSpecification, octets: bytes) -> DataAccessResult | None:
        """Take a part of a long request in; the result to refuse it with where it has no place."""
        reading = state is State.READ_RECEIVING
        if block.number == 1:
            self.state, self._incoming = state, Incoming()
        elif self.state is not state:
            self.state = State.IDLE
            return DataAccessResult.NO_LONG_GET_IN_PROGRESS if reading else DataAccessResult.NO_LONG_SET_IN_PROGRESS
        if not self._incoming.add(block.number, octets):
            self.state = State.IDLE
            return DataAccessResult.LONG_GET_ABORTED if reading else DataAccessResult.LONG_SET_ABORTED
        if block.last_block:
            self.state = State.IDLE
        return None

    def _whole(self, tag: ApduTag) -> Apdu | None:
        """The request that came in blocks; None where they are no request."""
        try:
            return decode_apdu(bytes((tag,)) + bytes(self._incoming.octets))
        except DecodeError:
            return None


def _refused(service: int, said: tuple[int, int]) -> bytes:
    return ConfirmedServiceError(service, *said).encode()
