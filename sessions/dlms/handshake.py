"""What the client says to open an association, and what it believes of the answer.

The AARQ carries the application context (ciphered or not), the mechanism with password or challenge, and the InitiateRequest.
The AARE is believed only as far as it fits: a rejection becomes a typed error in the standard's words, an acceptance of less
than was asked (no proof where HLS was asked, another mechanism, a context without ciphering, our own challenge sent back) is
refused, because an attacker would answer just so. What is merely missing or odd, as deployed meters send it, is accepted with a
remark. Source: IEC 62056-5-3 ACSE services and HLS authentication; Green Book 9.2.7.4, 9.4.2.
"""

from __future__ import annotations

from typing import Final

from meters.cosem.data import Data, octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.acse import (
    AUTHENTICATION_FUNCTIONAL_UNIT,
    Aare,
    Aarq,
    ApplicationContext,
    Rlre,
    Rlrq,
    mechanism_words,
)
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult, CosemMethodDescriptor, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.errors import ConfirmedServiceError
from sessions.dlms.apdu.short_name import (
    ReadRequest,
    ReadResponse,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
    action_result,
    method_call,
    method_result,
)
from sessions.dlms.association import (
    SYSTEM_TITLE_OCTETS,
    TITLED_MECHANISMS,
    AssociationEvent,
    AssociationParameters,
    Negotiated,
    check_parameters,
)
from sessions.dlms.authentication import (
    AuthenticationMechanism,
    HlsContext,
    check_challenges,
    client_response,
    verify_server_response,
)
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    AuthenticationFailedError,
    DecodeError,
    DlmsError,
    LocalProtocolError,
    NotAuthenticError,
    RemoteProtocolError,
    SecurityError,
)
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.initiate import DLMS_VERSION, VAA_NAME_LN, VAA_NAME_SN, InitiateRequest, InitiateResponse
from sessions.dlms.protection import CipheringForm
from sessions.dlms.refusals import refusal_of, rejection_of
from sessions.dlms.short_name_map import REPLY_TO_HLS_NAME

MECHANISM_BITS: Final = 0x7F
"""Meters are known that echo a mechanism with the highest bit set (0x85 for 5)."""

REPLY_TO_HLS: Final = CosemMethodDescriptor(15, ObisCode(0, 0, 40, 0, 0, 255), 1)
"""The method of the current association (class 15, 0-0:40.0.0*255) that takes our proof and returns the meter's."""

_REPLY_TO_HLS_VARIABLE: Final = VariableAccessSpecification.variable(REPLY_TO_HLS_NAME)
"""The same by its short name."""


class Handshake:
    """The contents of one association's opening and closing. `challenge`: CtoS, random octets of a length that HLS allows."""

    def __init__(self, parameters: AssociationParameters, challenge: bytes) -> None:
        check_parameters(parameters)
        self.parameters = parameters
        self.challenge = challenge
        self.server_challenge = b""
        self.server_system_title = parameters.server_system_title
        self._remarks: list[str] = []
        self._proof_is_written = False
        sizes = parameters.authentication.challenge_sizes
        if self.challenges and len(challenge) not in sizes:
            raise LocalProtocolError(
                f"challenge: {sizes[0]} to {sizes[-1]} octets are needed", layer="configuration", code="bad-parameters"
            )

    @property
    def challenges(self) -> bool:
        """Whether the mechanism proves the secret by challenge and response (HLS)."""
        return self.parameters.authentication.is_hls

    @property
    def ciphered(self) -> bool:
        """Whether the context with ciphering is asked for."""
        return self.parameters.ciphered_context

    # -- what we say -------------------------------------------------------------------------------------------------

    def initiate_request(self, *, with_dedicated_key: bool = True) -> InitiateRequest:
        """What we propose."""
        return InitiateRequest(
            dedicated_key=self.parameters.dedicated_key if with_dedicated_key else None,
            proposed_conformance=self.parameters.proposed_conformance,
            client_max_receive_pdu_size=self.parameters.max_pdu_size,
        )

    def aarq(self, user_information: bytes) -> Aarq:
        """The request; `user_information` is the InitiateRequest, ciphered where that is agreed."""
        parameters, more = self.parameters, self.parameters.aarq_fields
        mechanism = parameters.authentication
        authenticated = mechanism is not AuthenticationMechanism.NONE
        return Aarq(
            protocol_version=more.protocol_version,
            application_context_name=self._context(),
            called_ap_title=more.called_ap_title,
            called_ae_qualifier=more.called_ae_qualifier,
            called_ap_invocation_id=more.called_ap_invocation_id,
            called_ae_invocation_id=more.called_ae_invocation_id,
            calling_ap_title=parameters.client_system_title if parameters.titled else None,
            calling_ae_qualifier=more.calling_ae_qualifier,
            calling_ap_invocation_id=more.calling_ap_invocation_id,
            calling_ae_invocation_id=parameters.user_id,
            sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT if authenticated else None,
            mechanism_name=int(mechanism) if authenticated else None,
            calling_authentication_value=self._authentication_value() if authenticated else None,
            implementation_information=more.implementation_information,
            user_information=user_information,
        )

    def _context(self) -> ApplicationContext:
        return ApplicationContext.of(short_names=self.parameters.by_short_names, ciphered=self.ciphered)

    def _authentication_value(self) -> bytes:
        return self.challenge if self.challenges else self.parameters.secret

    def rlrq(self, user_information: bytes) -> Rlrq:
        """The release request. Only a ciphered one proves who asks; in clear it stays as short as meters know it."""
        return Rlrq(user_information=user_information if self.parameters.ciphered else None)

    # -- what we believe ---------------------------------------------------------------------------------------------

    def judge(self, aare: Aare, service_error: ConfirmedServiceError | None) -> AssociationEvent:
        """Accepted, accepted so far, or an error: a refusal of theirs (RefusedError) or of ours (SecurityError)."""
        if not aare.accepted:
            raise rejection_of(aare, service_error, ciphered=self.ciphered)
        if aare.application_context_name != self._context():
            raise SecurityError(
                f"The meter accepted another application context ({_context_words(aare.application_context_name)}) than the "
                f"one that was asked for ({self._context().words})",
                code="context-changed",
            )
        for words in aare.deviations:
            self.remark(f"AARE: {words}")
        self._learn_title(aare.responding_ap_title)
        if not self.challenges:
            return self._judge_unchallenged(aare)
        self._judge_challenge(aare)
        return AssociationEvent.AARE_HLS_REQUIRED

    def _judge_unchallenged(self, aare: Aare) -> AssociationEvent:
        if aare.hls_required:
            asked = mechanism_words(self.parameters.authentication)
            raise AuthenticationFailedError(
                f"The meter wants {mechanism_words(aare.mechanism_name)} as proof, {asked} was offered",
                code="authentication-required",
                hint="Set the authentication of this client SAP to what the meter wants.",
            )
        return AssociationEvent.AARE_ACCEPTED

    def _judge_challenge(self, aare: Aare) -> None:
        """The conditions of HLS pass 2."""
        asked = self.parameters.authentication
        offered = aare.mechanism_name
        if offered is not None and offered & MECHANISM_BITS != asked:
            raise NotAuthenticError(
                f"The meter answered with {mechanism_words(offered)}, {mechanism_words(asked)} was asked",
                code="mechanism-changed",
                hint="Nothing weaker is accepted by itself: if the meter knows no other mechanism, set it in the association.",
            )
        challenge = aare.responding_authentication_value or b""
        if not challenge:
            raise NotAuthenticError(
                f"The meter accepted the association without a challenge, so without the proof of {mechanism_words(asked)}",
                code="no-server-challenge",
                hint="This would be no mutual authentication. Check the client SAP and its authentication.",
            )
        check_challenges(self.challenge, challenge)
        sizes = asked.challenge_sizes
        if len(challenge) not in sizes:
            raise NotAuthenticError(
                f"The meter's challenge has {len(challenge)} octets, {sizes[0]} to {sizes[-1]} are allowed",
                code="bad-server-challenge",
                hint="A challenge of another length weakens the proof. Check that the device is the meter, and its firmware.",
            )
        self.server_challenge = challenge

    def _learn_title(self, title: bytes | None) -> None:
        """The meter's system title, from the AARE; SecurityError when another one was expected, or when it is ours."""
        if not title:
            return
        expected = self.parameters.server_system_title
        if expected is not None and title != expected:
            raise SecurityError(
                f"The meter says system title {title.hex().upper()}, {expected.hex().upper()} was expected",
                code="unexpected-system-title",
                hint="Another meter answers on this line or address.",
            )
        if title == self.parameters.client_system_title and len(title) == SYSTEM_TITLE_OCTETS and any(title):
            raise SecurityError("The meter says our own system title", code="system-title-reflected")
        if len(title) != SYSTEM_TITLE_OCTETS:
            if self.parameters.titled:
                raise SecurityError(f"The meter's system title has {len(title)} octets, not 8", code="bad-system-title")
            self.remark(f"The meter's system title has {len(title)} octets, not 8")
        self.server_system_title = title

    def remark(self, words: str) -> None:
        """Note an oddity that was accepted."""
        self._remarks.append(words)

    def negotiate(self, response: InitiateResponse | None, hdlc: HdlcParameters | None) -> Negotiated:
        """What holds from now on. A meter that states no conformance is taken at our word."""
        proposed = self.parameters.proposed_conformance
        if response is None:
            self.remark("The AARE carries no initiate response: what was proposed is assumed")
            vaa_name = VAA_NAME_SN if self.parameters.by_short_names else VAA_NAME_LN
            response = InitiateResponse(negotiated_conformance=proposed, vaa_name=vaa_name)
        if response.negotiated_dlms_version_number != DLMS_VERSION:
            self.remark(f"The meter speaks DLMS version {response.negotiated_dlms_version_number}, not {DLMS_VERSION}")
        if response.negotiated_conformance & ~proposed:
            self.remark(
                f"The meter agrees to what was not proposed: {_names(response.negotiated_conformance & ~proposed)}"
            )
        agreed = response.negotiated_conformance & proposed
        wished = self.parameters.ciphering_form is CipheringForm.GENERAL and Conformance.GENERAL_PROTECTION in proposed
        if wished and Conformance.GENERAL_PROTECTION not in (agreed or proposed):
            self.remark("The meter does not agree to general-protection: services are ciphered under their own tags")
        if not agreed:
            self.remark("The AARE agrees to no service that was proposed: what was proposed is assumed")
        return Negotiated(
            conformance=agreed or proposed,
            server_max_receive_pdu_size=response.server_max_receive_pdu_size,
            vaa_name=response.vaa_name,
            dlms_version=response.negotiated_dlms_version_number,
            server_system_title=self.server_system_title,
            hdlc=hdlc,
            remarks=tuple(self._remarks),
        )

    # -- user-information --------------------------------------------------------------------------------------------

    def initiate_response(self, aare: Aare, ciphering: Ciphering) -> InitiateResponse | None:
        """What an accepting AARE's user-information says, deciphered; None where the meter sends none that can be read."""
        if not aare.user_information:
            return None
        plain, _ = ciphering.unprotect(aare.user_information)
        self.server_system_title = ciphering.server_system_title
        try:
            apdu = decode_apdu(plain)
        except DecodeError as error:
            self.remark(f"The AARE's initiate response cannot be read ({error.message})")
            return None
        if isinstance(apdu, InitiateResponse):
            return apdu
        raise refusal_of(apdu) or RemoteProtocolError(
            f"The AARE should carry an initiate response, it carries: {apdu.summary()}", layer="association"
        )

    def service_error_in(self, aare: Aare, ciphering: Ciphering) -> ConfirmedServiceError | None:
        """The reason that a rejecting AARE may carry, in clear or ciphered."""
        if aare.accepted or not aare.user_information:
            return None
        ciphering.server_system_title = self.server_system_title or aare.responding_ap_title
        try:
            apdu = decode_apdu(ciphering.unprotect(aare.user_information)[0])
        except DlmsError:
            return None
        return apdu if isinstance(apdu, ConfirmedServiceError) else None

    @staticmethod
    def odd_about(rlre: Rlre, ciphering: Ciphering) -> str:
        """What is odd about an RLRE: it ends the association all the same, whoever sent it."""
        odd = list(rlre.deviations)
        if rlre.user_information:
            try:
                ciphering.unprotect(rlre.user_information)
            except DlmsError as error:
                odd.append(f"an RLRE that proves nothing ({error.message})")
        return "; ".join(odd)

    # -- HLS passes 3 and 4 ------------------------------------------------------------------------------------------

    def proof(self, ciphering: Ciphering) -> bytes:
        """f(StoC): shows that we know the secret. GMAC uses one invocation counter of the global key."""
        gmac = self.parameters.authentication is AuthenticationMechanism.HLS_GMAC
        counter = ciphering.take_counter() if gmac else None
        return client_response(self._context_of_hls, invocation_counter=counter)

    def reply_to_hls(self, proof: bytes, *, parameterized: bool = True) -> bytes:
        """The request that delivers f(StoC): a method of the current association.

        By short names it is a READ with parameterised access, because it returns something (Blue Book, class 12). Where that was
        not agreed to, the proof is written, and `fetch_proof` reads the meter's own.
        """
        if not self.parameters.by_short_names:
            return ActionRequestNormal(InvokeIdAndPriority(1), REPLY_TO_HLS, octet_string(proof)).encode()
        self._proof_is_written = not parameterized
        if parameterized:
            return ReadRequest((method_call(REPLY_TO_HLS_NAME, octet_string(proof)),)).encode()
        return WriteRequest((_REPLY_TO_HLS_VARIABLE,), (octet_string(proof),)).encode()

    def answer_of_hls(self, apdu: Apdu) -> tuple[ActionResult, Data | DataAccessResult | None] | None:
        """What the answer to `reply_to_hls` says; None where the APDU is none."""
        match apdu:
            case ActionResponseNormal() if not self.parameters.by_short_names:
                return apdu.result, apdu.return_parameters
            case WriteResponse(results=(DataAccessResult() as result,)) if self._proof_is_written:
                return action_result(result), None
            case ReadResponse(results=(single,)) if self.parameters.by_short_names and not self._proof_is_written:
                return method_result(single)
        return None

    def fetch_proof(self) -> bytes | None:
        """The request for f(CtoS), where ours was written; None where the answer brought it."""
        if not self._proof_is_written:
            return None
        self._proof_is_written = False
        return ReadRequest((_REPLY_TO_HLS_VARIABLE,)).encode()

    def verify(self, returned: Data | DataAccessResult | None, ciphering: Ciphering) -> None:
        """f(CtoS): the meter's own proof, from what reply_to_HLS returned; NotAuthenticError without it."""
        if not isinstance(returned, Data) or not isinstance(returned.value, bytes):
            raise NotAuthenticError(
                "The meter accepted our proof, but gave none of its own",
                code="no-server-proof",
                hint="Without it nobody knows who answers: the association is not trusted.",
            )
        counter = verify_server_response(self._context_of_hls, returned.value)
        if counter is not None:
            ciphering.check_proof_counter(counter)

    @property
    def _context_of_hls(self) -> HlsContext:
        parameters = self.parameters
        title = self.server_system_title or b""
        if parameters.authentication in TITLED_MECHANISMS and len(title) != SYSTEM_TITLE_OCTETS:
            raise NotAuthenticError(
                f"{mechanism_words(parameters.authentication)} needs the meter's system title, and its AARE says none",
                code="no-server-system-title",
                hint="Give server_system_title in the association.",
            )
        return HlsContext(
            mechanism=parameters.authentication,
            secret=parameters.secret,
            key=parameters.guek or b"",
            gak=parameters.gak or b"",
            suite=parameters.security_suite,
            client_system_title=parameters.client_system_title,
            server_system_title=title,
            client_to_server=self.challenge,
            server_to_client=self.server_challenge,
            signing_key=parameters.client_signing_key,
            peer_signing_key=parameters.server_signing_key,
            manufacturer=parameters.manufacturer,
        )


def _names(conformance: Conformance) -> str:
    return ", ".join(conformance.names) or "unassigned bits"


def _context_words(number: int) -> str:
    try:
        return ApplicationContext(number).words
    except ValueError:
        return f"number {number}"
