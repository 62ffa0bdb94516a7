"""The server's side of an application association: AARQ to AARE, the HLS proof, RLRQ.

    IDLE ──AARQ accepted──> ASSOCIATED          no authentication, LLS
    IDLE ──AARQ challenged──> HLS_PENDING ──proof accepted──> ASSOCIATED
    IDLE ──pre-established──> ASSOCIATED        no AARQ, and nothing but the link's end releases it

An AARQ in any state starts anew: the association before it is gone. In HLS_PENDING nothing is served but the method
reply_to_HLS_authentication of the current association. Source: IEC 62056-5-3 (ACSE), Green Book 9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from enum import Enum, IntEnum, auto
from typing import Final

from sessions.dlms.acse import (
    AUTHENTICATION_FUNCTIONAL_UNIT,
    Aare,
    Aarq,
    AcseDiagnostic,
    ApplicationContext,
    AssociationResult,
    DiagnosticSource,
    ProviderDiagnostic,
    ResultSourceDiagnostic,
)
from sessions.dlms.apdu.errors import ConfirmedServiceError
from sessions.dlms.association import TITLED_MECHANISMS
from sessions.dlms.authentication import (
    AuthenticationMechanism,
    HlsContext,
    constant_time_equal,
    server_response,
    verify_client_response,
)
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import ReceiveFloor
from sessions.dlms.errors import DlmsError, SecurityError
from sessions.dlms.initiate import (
    DLMS_VERSION,
    INITIATE_REQUEST_TAG,
    VAA_NAME_LN,
    VAA_NAME_SN,
    InitiateRequest,
    InitiateResponse,
    decode_initiate_request,
)
from sessions.dlms.protection import Protection
from sessions.dlms.security import KEY_OCTETS, TITLE_OCTETS
from sessions.simulator.ciphering import CIPHERED_TAGS, Envelope, ServerCiphering
from sessions.simulator.device import Caller, LogicalDevice, Role, ServedClient

CHALLENGE_SIZE: Final = 16
MIN_PDU_SIZE: Final = 12
INITIATE_SERVICE: Final = 1
INITIATE_ERROR: Final = 6
"""service and choice of a confirmed-service-error that refuses an InitiateRequest."""


class InitiateRefusal(IntEnum):
    """Values of the initiate error."""

    OTHER = 0
    DLMS_VERSION_TOO_LOW = 1
    INCOMPATIBLE_CONFORMANCE = 2
    PDU_SIZE_TOO_SHORT = 3


class AssociationState(Enum):
    IDLE = auto()
    HLS_PENDING = auto()
    ASSOCIATED = auto()


class AssociationEvent(Enum):
    PRE_ESTABLISHED = auto()
    AARQ_ACCEPTED = auto()
    AARQ_CHALLENGED = auto()
    AARQ_REJECTED = auto()
    PROOF_ACCEPTED = auto()
    PROOF_REFUSED = auto()
    RELEASED = auto()
    LINK_DOWN = auto()


_S, _E = AssociationState, AssociationEvent

_ALWAYS: Final = {
    _E.AARQ_ACCEPTED: _S.ASSOCIATED,
    _E.AARQ_CHALLENGED: _S.HLS_PENDING,
    _E.AARQ_REJECTED: _S.IDLE,
    _E.RELEASED: _S.IDLE,
    _E.LINK_DOWN: _S.IDLE,
}

TRANSITIONS: Final[Mapping[AssociationState, Mapping[AssociationEvent, AssociationState]]] = {
    _S.IDLE: {**_ALWAYS, _E.PRE_ESTABLISHED: _S.ASSOCIATED},
    _S.HLS_PENDING: {**_ALWAYS, _E.PROOF_ACCEPTED: _S.ASSOCIATED, _E.PROOF_REFUSED: _S.IDLE},
    _S.ASSOCIATED: _ALWAYS,
}


class Rejection(Exception):
    """Why an AARQ is refused, in the words of the AARE."""

    def __init__(
        self,
        diagnostic: ResultSourceDiagnostic,
        service_error: ConfirmedServiceError | None = None,
        *,
        transient: bool = False,
    ) -> None:
        super().__init__(diagnostic.words)
        self.transient = transient
        self.diagnostic = diagnostic
        self.service_error = service_error


_AUTHENTICATION_FAILURE: Final = ResultSourceDiagnostic(
    DiagnosticSource.ACSE_SERVICE_USER, AcseDiagnostic.AUTHENTICATION_FAILURE
)


def _user(diagnostic: AcseDiagnostic) -> Rejection:
    return Rejection(ResultSourceDiagnostic(DiagnosticSource.ACSE_SERVICE_USER, diagnostic))


def _initiate(value: InitiateRefusal) -> Rejection:
    diagnostic = ResultSourceDiagnostic(DiagnosticSource.ACSE_SERVICE_USER, AcseDiagnostic.NO_REASON_GIVEN)
    return Rejection(diagnostic, ConfirmedServiceError(INITIATE_SERVICE, INITIATE_ERROR, value))


class ServerAssociation:
    """One association of one client. `random(n)` gives n octets for challenges."""

    def __init__(self, device: LogicalDevice, ciphering: ServerCiphering, random: Callable[[int], bytes]) -> None:
        self.state = AssociationState.IDLE
        self.caller: Caller | None = None
        self._device = device
        self._ciphering = ciphering
        self._random = random
        self._hls = HlsContext(mechanism=AuthenticationMechanism.NONE)
        self._proof_floor = ReceiveFloor()

    def fire(self, event: AssociationEvent) -> None:
        """Move to the next state. An illegal event is a fault of this program."""
        was_open, self.state = self.state is AssociationState.ASSOCIATED, TRANSITIONS[self.state][event]
        if was_open and self.state is not AssociationState.ASSOCIATED and self.caller is not None:
            self._device.dissociated(self.caller)
        if self.state is AssociationState.IDLE:
            self.caller = None

    def establish(self, client: ServedClient) -> None:
        """A pre-established association stands without an AARQ."""
        self.fire(AssociationEvent.PRE_ESTABLISHED)
        self._protect_as(client)
        self._ciphering.client_system_title = client.client_system_title
        self._ciphering.agree(None)
        self.caller = Caller(
            client=client,
            conformance=client.conformance & self._device.conformance,
            client_max_receive_pdu_size=0,
            ciphered=(self._ciphering.demanded | self._ciphering.promised) is not Protection.NONE,
        )
        self._device.associated(self.caller)

    # -- AARQ --------------------------------------------------------------------------------------------------------

    def open(self, aarq: Aarq, client: ServedClient | None) -> Aare | bytes:
        """Judge an AARQ; the AARE, or the octets of a recorded one. A counter that is not new leaves as `SecurityError`."""
        self.fire(AssociationEvent.AARQ_REJECTED)
        try:
            if client is None or client.pre_established:
                raise _user(AcseDiagnostic.NO_REASON_GIVEN)
            self._check_names(aarq, client)
            initiate, envelope = self._open_initiate(aarq)
            self._check_initiate(initiate)
        except Rejection as rejection:
            known = self._serves(aarq.application_context_name)
            return _rejecting(rejection, aarq.application_context_name if known else self._context(ciphered=False))
        ciphered = aarq.application_context_name == self._context(ciphered=True)
        possible = self._device.conformance if ciphered else self._device.conformance & ~Conformance.GENERAL_PROTECTION
        self.caller = Caller(
            client=client,
            conformance=initiate.proposed_conformance & possible,
            client_max_receive_pdu_size=initiate.client_max_receive_pdu_size,
            ciphered=ciphered,
        )
        self._ciphering.agree(initiate.dedicated_key)
        return self._accept(aarq, self.caller, envelope)

    def _check_names(self, aarq: Aarq, client: ServedClient) -> None:
        """Context, titles, mechanism and password; challenges are checked for their length only."""
        if aarq.protocol_version is not None and not str(aarq.protocol_version).startswith("1"):
            raise Rejection(
                ResultSourceDiagnostic(
                    DiagnosticSource.ACSE_SERVICE_PROVIDER, ProviderDiagnostic.NO_COMMON_ACSE_VERSION
                )
            )
        ciphered = aarq.application_context_name == self._context(ciphered=True)
        self._protect_as(client)
        required = (self._ciphering.demanded | self._ciphering.promised) is not Protection.NONE
        if (required and not ciphered) or not self._serves(aarq.application_context_name):
            raise _user(AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        if ciphered and not self._device.security.guek:
            raise _user(AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED)
        titled = ciphered or client.authentication in TITLED_MECHANISMS
        title = self._device.server_system_title
        if titled and (len(aarq.calling_ap_title or b"") != TITLE_OCTETS or aarq.calling_ap_title == title):
            raise _user(AcseDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED)
        if aarq.called_ap_title is not None and aarq.called_ap_title != title:
            raise _user(AcseDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED)
        user = aarq.calling_ae_invocation_id
        # Numbers above 127 come with and without the octet that keeps them positive.
        if client.user_ids and (user is None or user & 0xFF not in client.user_ids):
            raise _user(AcseDiagnostic.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED)
        self._check_authentication(aarq, client)

    def _context(self, *, ciphered: bool) -> ApplicationContext:
        """The context that this meter knows: it refers to its objects in one way only."""
        return ApplicationContext.of(short_names=self._device.short_names is not None, ciphered=ciphered)

    def _serves(self, context: int) -> bool:
        return context in (self._context(ciphered=False), self._context(ciphered=True))

    def _check_authentication(self, aarq: Aarq, client: ServedClient) -> None:
        if client.any_secret:
            return
        if self._device.is_locked_out(client):
            raise Rejection(_AUTHENTICATION_FAILURE, transient=True)
        used = aarq.sender_acse_requirements is None or str(aarq.sender_acse_requirements).startswith("1")
        mechanism = (aarq.mechanism_name or 0) if used else 0
        if mechanism != client.authentication:
            raise _user(
                AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED
                if mechanism
                else AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED
            )
        offered = aarq.calling_authentication_value or b""
        if client.authentication is AuthenticationMechanism.LLS and not constant_time_equal(offered, client.secret):
            self._device.wrong_secret(client)
            raise _user(AcseDiagnostic.AUTHENTICATION_FAILURE)
        if client.authentication.is_hls and len(offered) not in client.authentication.challenge_sizes:
            raise _user(AcseDiagnostic.AUTHENTICATION_FAILURE)
        if client.authentication is AuthenticationMechanism.HLS_ECDSA:
            self._check_signing_keys(aarq.calling_ap_title or b"")

    def _check_signing_keys(self, client_title: bytes) -> None:
        """ECDSA needs our own key, and the client's certificate."""
        keys = self._device.security.party_keys(client_title)
        if keys.signing_key is None:
            raise _user(AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED)
        if keys.peer_signing_key is None:
            raise _user(AcseDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED)

    def _protect_as(self, client: ServedClient) -> None:
        """From now on what this client, and the security policy, demand."""
        self._ciphering.protection = client.protection
        self._ciphering.response_protection = client.response_protection
        self._ciphering.policed = client.role is not Role.PUBLIC

    def _open_initiate(self, aarq: Aarq) -> tuple[InitiateRequest, Envelope | None]:
        """The InitiateRequest, deciphered where it is ciphered. Only a stale counter is told apart from other errors."""
        octets = aarq.user_information or b""
        self._ciphering.client_system_title = aarq.calling_ap_title or b""
        envelope = None
        try:
            if octets[:1] and octets[0] in CIPHERED_TAGS:
                octets, envelope = self._ciphering.open(octets)
            initiate = decode_initiate_request(octets)
        except SecurityError as error:
            if error.code == "replayed-counter":
                raise
            raise _initiate(InitiateRefusal.OTHER) from None
        except DlmsError:
            raise _initiate(InitiateRefusal.OTHER) from None
        if envelope is None and (not self._ciphering.suffices_in_clear or initiate.dedicated_key is not None):
            raise _user(AcseDiagnostic.NO_REASON_GIVEN)
        if envelope is not None:
            self._device.security.client_system_title = self._ciphering.client_system_title
        return initiate, envelope

    def _check_initiate(self, initiate: InitiateRequest) -> None:
        if initiate.proposed_dlms_version_number < DLMS_VERSION:
            raise _initiate(InitiateRefusal.DLMS_VERSION_TOO_LOW)
        if not initiate.proposed_conformance & self._device.conformance:
            raise _initiate(InitiateRefusal.INCOMPATIBLE_CONFORMANCE)
        if 0 < initiate.client_max_receive_pdu_size < MIN_PDU_SIZE:
            raise _initiate(InitiateRefusal.PDU_SIZE_TOO_SHORT)
        key = initiate.dedicated_key
        if key is not None and len(key) != KEY_OCTETS[self._device.security.suite]:
            raise _initiate(InitiateRefusal.OTHER)

    def _accept(self, aarq: Aarq, caller: Caller, envelope: Envelope | None) -> Aare | bytes:
        mechanism = caller.client.authentication
        challenged = mechanism.is_hls and not caller.client.any_secret
        aare = Aare(
            application_context_name=aarq.application_context_name,
            responding_ap_title=self._device.server_system_title
            if caller.ciphered or mechanism in TITLED_MECHANISMS
            else None,
            user_information=self._initiate_response(caller, envelope),
        )
        if challenged:
            aare = self._challenge(aarq, caller, aare)
        self.fire(AssociationEvent.AARQ_CHALLENGED if challenged else AssociationEvent.AARQ_ACCEPTED)
        if not challenged:
            self._device.associated(caller)
        return self._device.recorded_aare(caller.client) or aare

    def _challenge(self, aarq: Aarq, caller: Caller, aare: Aare) -> Aare:
        """HLS pass 2."""
        size = max(CHALLENGE_SIZE, caller.client.authentication.challenge_sizes.start)
        challenge = self._device.recorded_challenge(caller.client) or self._random(size)
        security = self._device.security
        keys = security.party_keys(aarq.calling_ap_title or b"")
        self._proof_floor = copy(security.floor)
        self._hls = HlsContext(
            mechanism=caller.client.authentication,
            secret=caller.client.secret,
            key=security.guek,
            gak=security.gak,
            suite=security.suite,
            client_system_title=aarq.calling_ap_title or b"",
            server_system_title=self._device.server_system_title,
            client_to_server=aarq.calling_authentication_value or b"",
            server_to_client=challenge,
            signing_key=keys.signing_key,
            peer_signing_key=keys.peer_signing_key,
            manufacturer=caller.client.manufacturer,
        )
        return replace(
            aare,
            result_source_diagnostic=ResultSourceDiagnostic(
                DiagnosticSource.ACSE_SERVICE_USER, AcseDiagnostic.AUTHENTICATION_REQUIRED
            ),
            responder_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
            mechanism_name=int(caller.client.authentication),
            responding_authentication_value=challenge,
        )

    def _initiate_response(self, caller: Caller, envelope: Envelope | None) -> bytes:
        response = InitiateResponse(
            negotiated_conformance=caller.conformance,
            server_max_receive_pdu_size=self._device.max_receive_pdu_size,
            vaa_name=VAA_NAME_LN if self._device.short_names is None else VAA_NAME_SN,
        ).encode()
        envelope = self._ciphering.answered(envelope, dedicated=False)
        return response if envelope is None else self._ciphering.seal(response, envelope)

    # -- HLS passes 3 and 4 ------------------------------------------------------------------------------------------

    def prove(self, response: bytes) -> bytes:
        """Check f(StoC) and give f(CtoS). `NotAuthenticError` ends the association; so does a stale counter."""
        security = self._device.security
        try:
            counter = verify_client_response(self._hls, response)
            if counter is not None:
                self._check_proof_counter(counter)
        except SecurityError as error:
            if self.caller is not None and error.code != "replayed-counter":
                self._device.wrong_secret(self.caller.client)
            self.fire(AssociationEvent.PROOF_REFUSED)
            raise
        uses_counter = self._hls.mechanism is AuthenticationMechanism.HLS_GMAC
        proof = server_response(self._hls, invocation_counter=security.counters.take() if uses_counter else None)
        self.fire(AssociationEvent.PROOF_ACCEPTED)
        if self.caller is not None:
            self._device.associated(self.caller)
        return proof

    def _check_proof_counter(self, counter: int) -> None:
        """GMAC uses a counter of the global key up. It was taken before that of the APDU around it, but after the AARQ's."""
        self._proof_floor.check(counter)
        floor = self._device.security.floor
        if counter >= floor.lowest:
            floor.move(counter)

    # -- RLRQ --------------------------------------------------------------------------------------------------------

    def release(self, user_information: bytes | None) -> bytes | None:
        """End the association. A ciphered InitiateRequest is verified and answered in kind; what comes in clear is not."""
        answer = None
        if user_information and user_information[0] in CIPHERED_TAGS and self.caller is not None:
            opened, envelope = self._ciphering.open(user_information)
            if opened[:1] == bytes((INITIATE_REQUEST_TAG,)):
                answer = self._initiate_response(self.caller, envelope)
        self.fire(AssociationEvent.RELEASED)
        return answer


def _rejecting(rejection: Rejection, context: int) -> Aare:
    error = rejection.service_error
    return Aare(
        application_context_name=context,
        result=AssociationResult.REJECTED_TRANSIENT if rejection.transient else AssociationResult.REJECTED_PERMANENT,
        result_source_diagnostic=rejection.diagnostic,
        user_information=None if error is None else error.encode(),
    )
