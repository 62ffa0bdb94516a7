"""The server role of one client's conversation with a meter, without I/O: an APDU in, the answer out.

    octets -> AARQ / RLRQ -> association
           -> ciphered    -> ciphering -> request -> transfers -> meter

Whatever comes in, the server answers with the standard's error or stays silent; it raises nothing. Source: IEC 62056-5-3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meters.cosem.data import DataType, octet_string
from sessions.dlms.acse import AARQ_TAG, RLRQ_TAG, Aare, Aarq, Rlre, Rlrq
from sessions.dlms.apdu import Apdu, ApduTag, decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseChoice, ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.apdu.errors import ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.errors import DecodeError, NotAuthenticError, SecurityError, UnknownTagError
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.simulator.association import AssociationEvent, AssociationState, ServerAssociation
from sessions.simulator.ciphering import CIPHERED_TAGS, Envelope, ServerCiphering
from sessions.simulator.device import LogicalDevice, ServedClient
from sessions.simulator.service import UNLIMITED, Room
from sessions.simulator.transfers import ServerTransfers

NOT_ALLOWED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OPERATION_NOT_POSSIBLE)
UNKNOWN: Final = ExceptionResponse(StateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED)
MALFORMED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OTHER_REASON)
BLOCKS_FOLLOW: Final = bytes((ApduTag.ACTION_RESPONSE, ActionResponseChoice.WITH_PBLOCK))
LAST_BLOCK_AT: Final = 3
"""How an answer of ACTION in blocks begins, and where it says that there are more."""
UNDECIPHERABLE: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.DECIPHERING_ERROR)


class Server:
    """Serves one client SAP over one link. `random(n)` gives n octets for challenges."""

    def __init__(self, device: LogicalDevice, client_sap: int, random: Callable[[int], bytes]) -> None:
        self._device = device
        self._client_sap = client_sap
        self._ciphering = ServerCiphering(device.security, device.server_system_title, random)
        self._association = ServerAssociation(device, self._ciphering, random)
        self._transfers: ServerTransfers | None = None

    @property
    def state(self) -> AssociationState:
        return self._association.state

    def link_down(self) -> None:
        """The link is gone, and the association with it."""
        self._association.fire(AssociationEvent.LINK_DOWN)
        self._transfers = None

    def receive_apdu(self, octets: bytes) -> bytes | None:
        """The answer to one APDU; None is silence."""
        recorded = self._device.recorded_answer(octets)
        if recorded is not None:
            return recorded
        try:
            return self._receive(octets)
        except SecurityError as error:
            return self._security_exception(error).encode()
        except DecodeError as error:
            return (UNKNOWN if isinstance(error, UnknownTagError) and error.offset == 0 else MALFORMED).encode()

    def _receive(self, octets: bytes) -> bytes | None:
        if octets[:1] == bytes((AARQ_TAG,)):
            return self._open(octets)
        client = self._device.client(self._client_sap)
        if client is not None and client.pre_established:
            self._establish(client)
        if self.state is AssociationState.IDLE:
            return NOT_ALLOWED.encode()
        if octets[:1] == bytes((RLRQ_TAG,)) and (client is None or not client.pre_established):
            return self._release(octets)
        if octets[:1] and octets[0] in CIPHERED_TAGS:
            plaintext, envelope = self._ciphering.open(octets)
            self._ciphering.check_signed(envelope)
            return self._answer(plaintext, envelope)
        if not self._ciphering.suffices_in_clear:
            return NOT_ALLOWED.encode()
        self._ciphering.check_signed(None)
        return self._answer(octets, None)

    def _security_exception(self, error: SecurityError) -> ExceptionResponse:
        if error.code != "replayed-counter":
            return UNDECIPHERABLE
        return ExceptionResponse(
            StateError.SERVICE_NOT_ALLOWED,
            ExceptionServiceError.INVOCATION_COUNTER_ERROR,
            self._ciphering.expected_counter,
        )

    # -- the association ---------------------------------------------------------------------------------------------

    def _open(self, octets: bytes) -> bytes:
        aarq = decode_apdu(octets)
        assert isinstance(aarq, Aarq)  # the tag says so
        self._transfers = None
        aare = self._association.open(aarq, self._device.client(self._client_sap))
        if self._association.caller is not None:
            self._transfers = ServerTransfers(self._device, self._association.caller)
        return aare.encode() if isinstance(aare, Aare) else aare

    def _establish(self, client: ServedClient) -> None:
        """A pre-established association stands as soon as it is used."""
        if self.state is not AssociationState.IDLE:
            return
        self._association.establish(client)
        assert self._association.caller is not None  # it stands
        self._transfers = ServerTransfers(self._device, self._association.caller)

    def _release(self, octets: bytes) -> bytes:
        rlrq = decode_apdu(octets)
        assert isinstance(rlrq, Rlrq)  # the tag says so
        answer = self._association.release(rlrq.user_information)
        self._transfers = None
        return Rlre(user_information=answer).encode()

    # -- requests ----------------------------------------------------------------------------------------------------

    def _answer(self, plaintext: bytes, envelope: Envelope | None) -> bytes | None:
        request = decode_apdu(plaintext)
        envelope = self._ciphering.answered(envelope)
        answer = self._serve(request, envelope)
        # Exception-responses have no protected form.
        ciphered = envelope if answer is not None and answer[0] != ExceptionResponse.tag else None
        sealed = answer if answer is None or ciphered is None else self._ciphering.seal(answer, ciphered)
        if answer is None or answer[: len(BLOCKS_FOLLOW)] != BLOCKS_FOLLOW or answer[LAST_BLOCK_AT] != 0:
            self._device.security.settle()  # under the old keys the answer is whole
        return sealed

    def _serve(self, request: Apdu, envelope: Envelope | None) -> bytes | None:
        is_proof = isinstance(request, ActionRequestNormal) and request.cosem_method_descriptor == REPLY_TO_HLS
        if self.state is AssociationState.HLS_PENDING:
            if not is_proof:
                return NOT_ALLOWED.encode()
            assert isinstance(request, ActionRequestNormal)  # it is the proof
            return self._prove(request)
        if self._transfers is None:
            return NOT_ALLOWED.encode()
        return self._transfers.answer(request, Room(self._capacity(envelope)))

    def _prove(self, request: ActionRequestNormal) -> bytes:
        invocation, parameters = request.invoke_id_and_priority, request.method_invocation_parameters
        if parameters is None or parameters.type is not DataType.OCTET_STRING:
            self._association.fire(AssociationEvent.PROOF_REFUSED)
            return ActionResponseNormal(invocation, ActionResult.TYPE_UNMATCHED).encode()
        try:
            proof = self._association.prove(parameters.value)
        except NotAuthenticError:
            return ActionResponseNormal(invocation, ActionResult.READ_WRITE_DENIED).encode()
        return ActionResponseNormal(invocation, ActionResult.SUCCESS, octet_string(proof)).encode()

    def _capacity(self, envelope: Envelope | None) -> int:
        """The longest answer in clear that the client takes, and that this meter sends."""
        caller = self._association.caller
        client = caller.client_max_receive_pdu_size if caller is not None else 0
        limit = min(client or UNLIMITED, self._device.max_send_pdu_size or UNLIMITED)
        return limit - (envelope.overhead if envelope is not None else 0)
