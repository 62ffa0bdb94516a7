"""The server role of one client's conversation with a meter, without I/O: an APDU in, the answer out.

    octets -> AARQ / RLRQ -> association
           -> ciphered    -> ciphering -> request -> transfers -> meter

Whatever comes in, the server answers with the standard's error or stays silent; it raises nothing. Source: IEC 62056-5-3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from meters.cosem.data import octet_string
from sessions.dlms.acse import AARQ_TAG, RLRQ_TAG, Aare, Aarq, Rlre, Rlrq
from sessions.dlms.apdu import Apdu, ApduTag, decode_apdu
from sessions.dlms.apdu.action import ActionResponseChoice
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import ActionResult
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.apdu.short_name import ReadResponse
from sessions.dlms.block_exchange import is_block
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    DecodeError,
    LocalProtocolError,
    NotAuthenticError,
    RemoteProtocolError,
    SecurityError,
    UnknownTagError,
)
from sessions.dlms.general_block_transfer import BlockLimits, GeneralBlocks
from sessions.simulator.association import AssociationEvent, AssociationState, ServerAssociation
from sessions.simulator.blocks import MAX_INCOMING, MAX_WHOLE
from sessions.simulator.ciphering import CIPHERED_TAGS, Envelope, ServerCiphering
from sessions.simulator.device import Caller, LogicalDevice, ServedClient
from sessions.simulator.hls_proof import HlsProof, asks_for_server_proof, hls_proof
from sessions.simulator.service import NOT_NEGOTIATED, PDU_TOO_LONG, UNLIMITED, Room
from sessions.simulator.short_name_service import ShortNameService, service_error
from sessions.simulator.transfers import ServerTransfers

NOT_ALLOWED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OPERATION_NOT_POSSIBLE)
UNKNOWN: Final = ExceptionResponse(StateError.SERVICE_UNKNOWN, ExceptionServiceError.SERVICE_NOT_SUPPORTED)
MALFORMED: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.OTHER_REASON)
BLOCKS_FOLLOW: Final = bytes((ApduTag.ACTION_RESPONSE, ActionResponseChoice.WITH_PBLOCK))
LAST_BLOCK_AT: Final = 3
"""How an answer of ACTION in blocks begins, and where it says that there are more."""
REFUSALS: Final = (ExceptionResponse.tag, ConfirmedServiceError.tag)
UNDECIPHERABLE: Final = ExceptionResponse(StateError.SERVICE_NOT_ALLOWED, ExceptionServiceError.DECIPHERING_ERROR)


class Server:
    """Serves one client SAP over one link. `random(n)` gives n octets for challenges."""

    def __init__(self, device: LogicalDevice, client_sap: int, random: Callable[[int], bytes]) -> None:
        self._device = device
        self._client_sap = client_sap
        self._ciphering = ServerCiphering(device.security, device.server_system_title, random)
        self._association = ServerAssociation(device, self._ciphering, random)
        self._transfers: ServerTransfers | ShortNameService | None = None
        self._server_proof = b""
        self._whole = False
        self._boots = device.boots
        self._inner = GeneralBlocks(streams=False, limits=BlockLimits(max_octets=MAX_INCOMING))
        """Blocks inside of ciphered APDUs: one at a time, since each is an answer."""

    @property
    def state(self) -> AssociationState:
        return self._association.state

    def link_down(self) -> None:
        """The link is gone, and the association with it."""
        self._association.fire(AssociationEvent.LINK_DOWN)
        self._transfers = None

    def receive_apdu(self, octets: bytes, *, whole: bool = False) -> bytes | None:
        """The answer to one APDU; None is silence. `whole`: it came in general blocks, and its answer will go out in them."""
        self._whole = whole
        self._device.catch_up()
        if self._boots != self._device.boots:
            self.link_down()
            self._boots = self._device.boots
        try:
            return self._judge(octets)
        finally:
            self._device.settle()

    def _judge(self, octets: bytes) -> bytes | None:
        recorded = self._device.recorded_answer(octets)
        if recorded is not None:
            return recorded
        try:
            answer = self._receive(octets)
        except SecurityError as error:
            answer = self._security_exception(error)
        except DecodeError as error:
            answer = UNKNOWN if isinstance(error, UnknownTagError) and error.offset == 0 else MALFORMED
        return self._octets_of(answer, octets)

    def _octets_of(self, answer: bytes | ExceptionResponse | None, request: bytes) -> bytes | None:
        """The answer; where a whole service is refused, in the words of the meter's way to refer to objects."""
        if not isinstance(answer, ExceptionResponse):
            return answer
        if self._device.short_names is None:
            return answer.encode()
        return service_error(answer, request[0] if request else 0).encode()

    def _receive(self, octets: bytes) -> bytes | ExceptionResponse | None:
        if octets[:1] == bytes((AARQ_TAG,)):
            return self._open(octets)
        client = self._device.client(self._client_sap)
        if client is not None and client.pre_established:
            self._establish(client)
        if self.state is AssociationState.IDLE:
            return NOT_ALLOWED
        if octets[:1] == bytes((RLRQ_TAG,)) and (client is None or not client.pre_established):
            return self._release(octets)
        if octets[:1] and octets[0] in CIPHERED_TAGS:
            plaintext, envelope = self._ciphering.open(octets)
            self._ciphering.check_signed(envelope)
            return self._answer(plaintext, envelope)
        if not self._ciphering.suffices_in_clear:
            return NOT_ALLOWED
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
        self._transfers, self._server_proof = None, b""
        aare = self._association.open(aarq, self._device.client(self._client_sap))
        if self._association.caller is not None:
            self._transfers = self._make_transfers(self._association.caller)
        return aare.encode() if isinstance(aare, Aare) else aare

    def _establish(self, client: ServedClient) -> None:
        """A pre-established association stands as soon as it is used."""
        if self.state is not AssociationState.IDLE:
            return
        self._association.establish(client)
        assert self._association.caller is not None  # it stands
        self._transfers = self._make_transfers(self._association.caller)

    def _make_transfers(self, caller: Caller) -> ServerTransfers | ShortNameService:
        names = self._device.short_names
        if names is None:
            return ServerTransfers(self._device, caller)
        return ShortNameService(self._device, caller, names)

    def _release(self, octets: bytes) -> bytes:
        rlrq = decode_apdu(octets)
        assert isinstance(rlrq, Rlrq)  # the tag says so
        answer = self._association.release(rlrq.user_information)
        self._transfers = None
        return Rlre(user_information=answer).encode()

    # -- requests ----------------------------------------------------------------------------------------------------

    def _answer(self, plaintext: bytes, envelope: Envelope | None) -> bytes | ExceptionResponse | None:
        answered = self._ciphering.answered(envelope)
        if is_block(plaintext):
            answer = self._answer_block(plaintext, answered)
        else:
            answer = self._serve(decode_apdu(plaintext), self._room(answered))
        # What refuses a whole service goes out in clear: an exception-response has no protected form.
        sealed = answer
        if isinstance(answer, bytes) and answered is not None and answer[0] not in REFUSALS:
            sealed = self._ciphering.seal(answer, answered)
        if not isinstance(answer, bytes) or answer[: len(BLOCKS_FOLLOW)] != BLOCKS_FOLLOW or answer[LAST_BLOCK_AT] != 0:
            self._device.security.settle()  # under the old keys the answer is whole
        return sealed

    def _serve(self, request: Apdu, room: Room) -> bytes | ExceptionResponse | None:
        if self.state is AssociationState.HLS_PENDING:
            proof = hls_proof(request, by_short_names=self._device.short_names is not None)
            return NOT_ALLOWED if proof is None else self._prove(proof)
        if self._transfers is None:
            return NOT_ALLOWED
        if self._server_proof and asks_for_server_proof(request):
            return ReadResponse((octet_string(self._server_proof),)).encode()
        return self._transfers.answer(request, room)

    def _prove(self, proof: HlsProof) -> bytes:
        if proof.octets is None:
            self._association.fire(AssociationEvent.PROOF_REFUSED)
            return proof.refused(ActionResult.TYPE_UNMATCHED)
        try:
            self._server_proof = self._association.prove(proof.octets)
        except NotAuthenticError:
            return proof.refused(ActionResult.READ_WRITE_DENIED)
        return proof.accepted(self._server_proof)

    # -- how long an answer may be -----------------------------------------------------------------------------------

    @property
    def cuts(self) -> bool:
        """Whether general blocks were agreed to."""
        return self._agreed(Conformance.GENERAL_BLOCK_TRANSFER)

    @property
    def notifies(self) -> bool:
        """Whether the client agreed to be told something unasked."""
        return self.state is AssociationState.ASSOCIATED and self._agreed(Conformance.DATA_NOTIFICATION)

    def _agreed(self, service: Conformance) -> bool:
        caller = self._association.caller
        return caller is not None and service in caller.conformance

    @property
    def pdu_size(self) -> int:
        """The longest APDU that the client takes, and that this meter sends."""
        caller = self._association.caller
        client = caller.client_max_receive_pdu_size if caller is not None else 0
        return min(client or UNLIMITED, self._device.max_send_pdu_size or UNLIMITED)

    def _room(self, envelope: Envelope | None) -> Room:
        capacity = self._capacity(envelope)
        whole = MAX_WHOLE if self.cuts else 0
        return Room(max(capacity, whole) if self._whole else capacity, whole)

    def _capacity(self, envelope: Envelope | None) -> int:
        """The longest answer in clear that travels in one APDU."""
        return self.pdu_size - (envelope.overhead if envelope is not None else 0)

    # -- general blocks inside of ciphered APDUs ---------------------------------------------------------------------

    def _answer_block(self, octets: bytes, envelope: Envelope | None) -> bytes | ExceptionResponse | None:
        """The block that answers one."""
        block = decode_apdu(octets)
        if envelope is None or not self.cuts or not isinstance(block, GeneralBlockTransfer):
            return NOT_NEGOTIATED
        try:
            arrival = self._inner.receive(block)
            if arrival.apdu is None:
                return arrival.blocks[0].encode() if arrival.blocks else None
        except RemoteProtocolError:  # a limit
            return self._inner.abort()[0].encode()
        whole = self._octets_of(self._serve(decode_apdu(arrival.apdu), Room(MAX_WHOLE)), arrival.apdu)
        if whole is None:
            return None
        try:
            return self._inner.send(whole, self._capacity(envelope))[0].encode()
        except LocalProtocolError:  # more blocks than there are numbers
            return PDU_TOO_LONG

    # -- what the meter says by itself -------------------------------------------------------------------------------

    def protect(self, octets: bytes) -> bytes:
        """A notification as this association protects it."""
        sealed = self._ciphering.seal_notification(octets)
        self._device.settle()
        return sealed
