"""The server's association: every AARQ is judged by the standard's table, every proof is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meters.cosem.data import BitString
from sessions.dlms.acse import (
    AUTHENTICATION_FUNCTIONAL_UNIT,
    Aare,
    Aarq,
    AcseDiagnostic,
    ApplicationContext,
    DiagnosticSource,
    ProviderDiagnostic,
)
from sessions.dlms.apdu.errors import ConfirmedServiceError
from sessions.dlms.authentication import AuthenticationMechanism, HlsContext, client_response, verify_server_response
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import NotAuthenticError, SecurityError
from sessions.dlms.initiate import InitiateRequest, InitiateResponse, decode_initiate_response
from sessions.simulator.association import (
    TRANSITIONS,
    AssociationEvent,
    AssociationState,
    InitiateRefusal,
    ServerAssociation,
)
from sessions.simulator.ciphering import ServerCiphering
from tests.sessions.simulator.pair import CHALLENGE, same_octets
from tests.sessions.simulator.served import CLIENT_TITLE, GAK, GMAC, GUEK, LLS, lab_meter

TITLE = bytes.fromhex(CLIENT_TITLE)
PROPOSAL = InitiateRequest(proposed_conformance=Conformance(0x00FFFFFF), client_max_receive_pdu_size=500)
LLS_AARQ = Aarq(
    sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
    mechanism_name=1,
    calling_authentication_value=b"12345678",
    user_information=PROPOSAL.encode(),
)
PUBLIC_AARQ = Aarq(user_information=PROPOSAL.encode())
GMAC_AARQ = Aarq(
    calling_ap_title=TITLE,
    sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
    mechanism_name=5,
    calling_authentication_value=CHALLENGE,
    user_information=PROPOSAL.encode(),
)
PLAIN_GMAC = {**GMAC, "protection": "none"}


class Meeting:
    """One meter and one association with it."""

    def __init__(self, association: dict[str, Any] = LLS) -> None:
        self.device = lab_meter(association).device
        ciphering = ServerCiphering(self.device.security, self.device.server_system_title)
        self.association = ServerAssociation(self.device, ciphering, same_octets)
        self.client_sap = association["client_sap"]

    def open(self, aarq: Aarq, client_sap: int | None = None) -> Aare:
        aare = self.association.open(aarq, self.device.client(client_sap or self.client_sap))
        assert isinstance(aare, Aare)
        return aare


@pytest.mark.parametrize("state", AssociationState)
@pytest.mark.parametrize("event", AssociationEvent)
def test_every_state_and_event(state, event):
    association = Meeting().association
    association.state = state
    following = TRANSITIONS[state].get(event)
    if following is None:
        with pytest.raises(KeyError):
            association.fire(event)
        assert association.state is state
    else:
        association.fire(event)
        assert association.state is following


def test_only_a_pending_proof_can_be_judged():
    for state in AssociationState:
        proofs = {AssociationEvent.PROOF_ACCEPTED, AssociationEvent.PROOF_REFUSED} & set(TRANSITIONS[state])
        assert bool(proofs) is (state is AssociationState.HLS_PENDING)


# -- accepted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aarq", "client_sap"), [(LLS_AARQ, 32), (PUBLIC_AARQ, 16), (replace(PUBLIC_AARQ, mechanism_name=0), 16)]
)
def test_who_is_known_is_let_in(aarq, client_sap):
    meeting = Meeting()
    aare = meeting.open(aarq, client_sap)
    assert aare.accepted
    assert not aare.hls_required
    assert meeting.association.state is AssociationState.ASSOCIATED
    response = decode_initiate_response(aare.user_information or b"")
    assert response.negotiated_conformance == meeting.device.conformance & ~Conformance.GENERAL_PROTECTION
    assert response.server_max_receive_pdu_size == 1024
    assert meeting.association.caller is not None
    assert meeting.association.caller.client_max_receive_pdu_size == 500


def test_only_services_of_both_sides_are_agreed_on():
    meeting = Meeting()
    proposal = replace(PROPOSAL, proposed_conformance=Conformance.GET | Conformance.DELTA_VALUE_ENCODING)
    aare = meeting.open(replace(LLS_AARQ, user_information=proposal.encode()))
    assert decode_initiate_response(aare.user_information or b"").negotiated_conformance == Conformance.GET


def test_a_second_aarq_starts_anew():
    meeting = Meeting()
    meeting.open(LLS_AARQ)
    assert not meeting.open(replace(LLS_AARQ, calling_authentication_value=b"wrong")).accepted
    assert meeting.association.state is AssociationState.IDLE
    assert meeting.association.caller is None


# -- rejected ----------------------------------------------------------------------------------------------------------

REJECTIONS: dict[str, tuple[dict[str, Any], Aarq, int, AcseDiagnostic]] = {
    "an unknown client": (LLS, LLS_AARQ, 33, AcseDiagnostic.NO_REASON_GIVEN),
    "a wrong password": (
        LLS,
        replace(LLS_AARQ, calling_authentication_value=b"12345679"),
        32,
        AcseDiagnostic.AUTHENTICATION_FAILURE,
    ),
    "no password": (
        LLS,
        replace(LLS_AARQ, calling_authentication_value=None),
        32,
        AcseDiagnostic.AUTHENTICATION_FAILURE,
    ),
    "no mechanism where one is due": (LLS, PUBLIC_AARQ, 32, AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED),
    "authentication not used": (
        LLS,
        replace(LLS_AARQ, sender_acse_requirements=BitString(b"\x00", 1)),
        32,
        AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED,
    ),
    "another mechanism": (
        LLS,
        replace(LLS_AARQ, mechanism_name=3),
        32,
        AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    ),
    "a password for the public client": (
        LLS,
        LLS_AARQ,
        16,
        AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED,
    ),
    "short names": (
        LLS,
        replace(LLS_AARQ, application_context_name=ApplicationContext.SN),
        32,
        AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    ),
    "ciphering without keys": (
        LLS,
        replace(LLS_AARQ, application_context_name=ApplicationContext.LN_CIPHERED, calling_ap_title=TITLE),
        32,
        AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED,
    ),
    "no ciphering where it is due": (GMAC, GMAC_AARQ, 1, AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED),
    "no title where it is due": (
        PLAIN_GMAC,
        replace(GMAC_AARQ, calling_ap_title=None),
        1,
        AcseDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED,
    ),
    "a title that is too short": (
        PLAIN_GMAC,
        replace(GMAC_AARQ, calling_ap_title=b"short"),
        1,
        AcseDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED,
    ),
    "a challenge that is too short": (
        PLAIN_GMAC,
        replace(GMAC_AARQ, calling_authentication_value=b"1234567"),
        1,
        AcseDiagnostic.AUTHENTICATION_FAILURE,
    ),
    "an initiate request in clear in a ciphered context": (
        GMAC,
        replace(GMAC_AARQ, application_context_name=ApplicationContext.LN_CIPHERED),
        1,
        AcseDiagnostic.NO_REASON_GIVEN,
    ),
    "a dedicated key in clear": (
        LLS,
        replace(LLS_AARQ, user_information=replace(PROPOSAL, dedicated_key=bytes(16)).encode()),
        32,
        AcseDiagnostic.NO_REASON_GIVEN,
    ),
}


@pytest.mark.parametrize("case", REJECTIONS)
def test_who_is_rejected_and_why(case):
    association, aarq, client_sap, diagnostic = REJECTIONS[case]
    meeting = Meeting(association)
    aare = meeting.open(aarq, client_sap)
    assert not aare.accepted
    assert aare.result_source_diagnostic.source is DiagnosticSource.ACSE_SERVICE_USER
    assert aare.result_source_diagnostic.diagnostic == diagnostic
    assert aare.user_information is None
    assert meeting.association.state is AssociationState.IDLE


def test_a_foreign_protocol_version():
    aare = Meeting().open(replace(LLS_AARQ, protocol_version=BitString(b"\x00", 1)))
    assert aare.result_source_diagnostic.source is DiagnosticSource.ACSE_SERVICE_PROVIDER
    assert aare.result_source_diagnostic.diagnostic == ProviderDiagnostic.NO_COMMON_ACSE_VERSION


@pytest.mark.parametrize(
    ("initiate", "refusal"),
    [
        (replace(PROPOSAL, proposed_dlms_version_number=5).encode(), InitiateRefusal.DLMS_VERSION_TOO_LOW),
        (replace(PROPOSAL, proposed_conformance=Conformance.READ).encode(), InitiateRefusal.INCOMPATIBLE_CONFORMANCE),
        (replace(PROPOSAL, client_max_receive_pdu_size=11).encode(), InitiateRefusal.PDU_SIZE_TOO_SHORT),
        (InitiateResponse().encode(), InitiateRefusal.OTHER),
        (b"", InitiateRefusal.OTHER),
        (None, InitiateRefusal.OTHER),
    ],
)
def test_an_initiate_request_that_does_not_do(initiate, refusal):
    aare = Meeting().open(replace(LLS_AARQ, user_information=initiate))
    assert not aare.accepted
    assert aare.user_information == ConfirmedServiceError(1, 6, refusal).encode()


# -- the proof ---------------------------------------------------------------------------------------------------------


def context(device: Any, mechanism: AuthenticationMechanism, aare: Aare) -> HlsContext:
    return HlsContext(
        mechanism=mechanism,
        secret=b"a secret",
        key=bytes.fromhex(GUEK),
        gak=bytes.fromhex(GAK),
        client_system_title=TITLE,
        server_system_title=device.server_system_title,
        client_to_server=CHALLENGE,
        server_to_client=aare.responding_authentication_value or b"",
    )


HLS = [
    AuthenticationMechanism.HLS_MD5,
    AuthenticationMechanism.HLS_SHA1,
    AuthenticationMechanism.HLS_GMAC,
    AuthenticationMechanism.HLS_SHA256,
]


def challenged(mechanism: AuthenticationMechanism) -> tuple[Meeting, HlsContext]:
    word = {3: "hls-md5", 4: "hls-sha1", 5: "hls-gmac", 6: "hls-sha256"}[mechanism]
    meeting = Meeting({**PLAIN_GMAC, "authentication": word, "secret": "text:a secret"})
    aare = meeting.open(replace(GMAC_AARQ, mechanism_name=int(mechanism)))
    assert aare.hls_required
    assert aare.mechanism_name == mechanism
    assert meeting.association.state is AssociationState.HLS_PENDING
    return meeting, context(meeting.device, mechanism, aare)


@pytest.mark.parametrize("mechanism", HLS)
def test_both_sides_prove_themselves(mechanism):
    meeting, hls = challenged(mechanism)
    proof = meeting.association.prove(client_response(hls, invocation_counter=5))
    assert meeting.association.state is AssociationState.ASSOCIATED
    verify_server_response(hls, proof)


@pytest.mark.parametrize("mechanism", HLS)
def test_a_wrong_proof_ends_the_association(mechanism):
    meeting, hls = challenged(mechanism)
    wrong = replace(hls, secret=b"another", key=bytes(16))
    with pytest.raises(NotAuthenticError):
        meeting.association.prove(client_response(wrong, invocation_counter=5))
    assert meeting.association.state is AssociationState.IDLE


def test_a_gmac_counter_is_taken_once():
    meeting, hls = challenged(AuthenticationMechanism.HLS_GMAC)
    meeting.association.prove(client_response(hls, invocation_counter=5))
    assert meeting.device.security.last_client_counter == 5
    again = meeting.open(GMAC_AARQ)
    with pytest.raises(SecurityError, match="at least 6"):
        meeting.association.prove(
            client_response(
                replace(hls, server_to_client=again.responding_authentication_value or b""), invocation_counter=5
            )
        )
    assert meeting.association.state is AssociationState.IDLE


def test_the_release_of_nobody_changes_nothing():
    meeting = Meeting()
    assert meeting.association.release(None) is None
    meeting.open(LLS_AARQ)
    assert meeting.association.release(PROPOSAL.encode()) is None
    assert meeting.association.state is AssociationState.IDLE


@pytest.mark.parametrize(
    ("user", "known"), [(200, True), (-56, True), (7, True), (8, False), (-57, False), (None, False)]
)
def test_a_user_id_is_known_in_either_spelling(user, known):
    meeting = Meeting()
    client = replace(meeting.device.client(32), user_ids=frozenset({7, 200}))
    meeting.device._clients[32] = client
    assert meeting.open(replace(LLS_AARQ, calling_ae_invocation_id=user), 32).accepted == known
