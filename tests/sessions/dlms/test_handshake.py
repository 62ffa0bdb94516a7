"""Associations of every kind with a scripted meter: what the AARQ says, and which AARE and which proof is believed."""

from __future__ import annotations

import pytest

from meters.cosem.data import BitString, null, octet_string, unsigned
from sessions.dlms.acse import (
    Aarq,
    AcseDiagnostic,
    AssociationResult,
    DiagnosticSource,
    ResultSourceDiagnostic,
    Rlre,
    Rlrq,
)
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNext, GetResponseNormal
from sessions.dlms.association import PROPOSED_CONFORMANCE, AarqFields, AssociationState, Protection
from sessions.dlms.authentication import AuthenticationMechanism, server_response
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import (
    AssociationRejectedError,
    AuthenticationFailedError,
    DecodeError,
    ExceptionResponseError,
    NotAuthenticError,
    RemoteProtocolError,
    SecurityError,
    ServiceErrorError,
)
from sessions.dlms.events import (
    Associated,
    GetFinished,
    NotificationReceived,
    Released,
)
from sessions.dlms.protection import CipheringForm
from sessions.dlms.security import SecurityControl

from .scripted import (
    AUTHENTICATED_ENCRYPTED,
    CLIENT_TITLE,
    CLOCK,
    CONFORMANCE,
    DEDICATED,
    NOTIFICATION,
    SERVER_TITLE,
    ScriptedMeter,
    Wire,
    associated,
    dedicated_key,
    failure,
    get,
    parameters,
    reject,
    suite_parameters,
)

M, P = AuthenticationMechanism, Protection
SUPPORTED = [M.NONE, M.LLS, M.HLS_MANUFACTURER, M.HLS_MD5, M.HLS_SHA1, M.HLS_GMAC, M.HLS_SHA256]
"""What security suite 0 has; ECDSA needs suite 1 or 2."""


# -- the octets of the request, against the published ones --------------------------------------------------------------

VECTORS = [
    ("none", {}, "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0"),
    (
        "lls",
        {"authentication": M.LLS},
        "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738"
        "BE10040E01000000065F1F0400007E1F04B0",
    ),
    (
        "md5",
        {"authentication": M.HLS_MD5},
        "6036A1090607608574050801018A0207808B0760857405080203AC0A80084B35366956616759"
        "BE10040E01000000065F1F0400007E1F04B0",
    ),
    (
        "gmac in the plain context",
        {"authentication": M.HLS_GMAC},
        "6042A109060760857405080101A60A04084D4D4D00000000018A0207808B0760857405080205AC0A80084B35366956616759"
        "BE10040E01000000065F1F0400007E1F04B0",
    ),
    (
        "ciphered, lls, dedicated key (Green Book)",
        {
            "authentication": M.LLS,
            "protection": P.AUTHENTICATED_ENCRYPTED,
            "dedicated_key": DEDICATED,
            "client_system_title": SERVER_TITLE,
        },
        "6066A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080201AC0A80083132333435363738"
        "BE34043221303001234567801302FF8A7874133D414CED25B42534D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855",
    ),
    (
        "ciphered, gmac",
        {
            "authentication": M.HLS_GMAC,
            "protection": P.AUTHENTICATED_ENCRYPTED,
            "client_system_title": SERVER_TITLE,
        },
        "6055A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080205AC0A80084B35366956616759"
        "BE230421211F3001234567801212FF9D0558536827457AB8AE83BE3AB13B7ADE78EF2EE9BD",
    ),
]


@pytest.mark.parametrize(("changes", "octets"), [vector[1:] for vector in VECTORS], ids=[v[0] for v in VECTORS])
def test_the_request_is_the_published_one(changes, octets):
    agreed = parameters(**{"conformance": Conformance(0x007E1F), "max_pdu_size": 1200, **changes})
    wire = Wire(agreed, counters=InvocationCounters(range(0x01234567, 0x01234569)))
    wire.client.open(0.0)
    assert wire.client.octets_to_send()[8:].hex().upper() == octets


# -- associations -------------------------------------------------------------------------------------------------------


KINDS = [
    (suite, mechanism, protection, dedicated, form)
    for suite in (0, 1, 2)
    for mechanism in M
    for protection in P
    for dedicated in (False, True)
    for form in CipheringForm
    if not dedicated or protection.encrypted  # a dedicated key must not be seen on its way
    if suite or mechanism is not M.HLS_ECDSA
    if protection is not P.NONE or form is CipheringForm.AUTO
]


@pytest.mark.parametrize(("suite", "mechanism", "protection", "dedicated", "form"), KINDS)
def test_every_mechanism_with_every_protection(suite, mechanism, protection, dedicated, form):
    key = dedicated_key(suite) if dedicated else None
    wire = associated(suite_parameters(suite, mechanism, protection, dedicated_key=key, ciphering_form=form))
    assert get(wire) == [GetFinished(1, wire.meter.objects[CLOCK])]
    assert wire.meter.general == (form is CipheringForm.GENERAL)
    wire.client.release(wire.now)
    wire.pump()
    assert wire.events[1:] == [Released()]
    assert wire.client.state is AssociationState.CLOSED
    assert len(set(wire.meter.client_counters)) == len(wire.meter.client_counters)
    if protection is not P.NONE:
        control = SecurityControl(suite, protection.authenticated, protection.encrypted)
        assert wire.meter.ciphered_with == control
        under_dedicated = [counter for own, counter in wire.meter.client_counters if own]
        assert under_dedicated == (list(range(len(under_dedicated))) if dedicated else [])
        assert bool(under_dedicated) == dedicated


@pytest.mark.parametrize("asked", [CipheringForm.AUTO, CipheringForm.GENERAL])
@pytest.mark.parametrize("dedicated", [False, True])
def test_a_meter_that_answers_in_the_other_form_is_understood(asked, dedicated):
    key = dedicated_key(0) if dedicated else None
    wire = associated(
        suite_parameters(0, M.HLS_GMAC, P.AUTHENTICATED_ENCRYPTED, dedicated_key=key, ciphering_form=asked)
    )
    wire.meter.answer_in_general = asked is not CipheringForm.GENERAL
    assert get(wire)[-1] == GetFinished(1, wire.meter.objects[CLOCK])


@pytest.mark.parametrize("form", CipheringForm)
@pytest.mark.parametrize("protection", [P.NONE, P.AUTHENTICATED_ENCRYPTED])
def test_general_protection_is_proposed_where_it_may_be_used(form, protection):
    wire = Wire(parameters(M.NONE, protection, ciphering_form=form))
    asked = []
    wire.meter.script[Aarq] = lambda aarq: asked.append(wire.meter._open(aarq.user_information))
    wire.open()
    proposed = Conformance.GENERAL_PROTECTION in asked[0].proposed_conformance
    assert proposed == (protection is not P.NONE and form is not CipheringForm.SERVICE_SPECIFIC)


def test_the_general_form_needs_the_meters_consent():
    agreed = parameters(M.NONE, P.AUTHENTICATED_ENCRYPTED, ciphering_form=CipheringForm.GENERAL)
    wire = Wire(agreed)
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq, user_information=wire.meter.initiate_response(aarq, negotiated_conformance=Conformance(0x00001C1D))
    )
    wire.meter.objects[CLOCK] = null()
    wire.open()
    assert get(wire)[-1] == GetFinished(1, null())
    assert not wire.meter.general
    assert any("general-protection" in remark for remark in wire.client.negotiated.remarks)


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_over_both_links(hdlc):
    wire = associated(AUTHENTICATED_ENCRYPTED, hdlc=hdlc)
    negotiated = wire.client.negotiated
    assert negotiated.server_system_title == SERVER_TITLE
    assert negotiated.conformance == CONFORMANCE & PROPOSED_CONFORMANCE
    assert Conformance.GENERAL_PROTECTION in negotiated.conformance
    assert (negotiated.hdlc is not None) == hdlc
    assert isinstance(get(wire)[-1], GetFinished)
    assert len(wire.frames) >= 6


def test_the_negotiated_values_as_json():
    wire = associated(AUTHENTICATED_ENCRYPTED, hdlc=True, meter=ScriptedMeter(AUTHENTICATED_ENCRYPTED, max_pdu=500))
    said = wire.client.negotiated.as_json()
    assert said["server_system_title"] == "4D4D4D0000BC614E"
    assert said["server_max_receive_pdu_size"] == 500
    assert "get" in said["conformance"]
    assert "general-block-transfer" not in said["conformance"]
    assert said["hdlc"]["max_info_transmit"] == 128
    assert said["remarks"] == []


def test_the_conformance_is_what_both_sides_want():
    agreed = parameters()
    wire = Wire(agreed)
    everything = Conformance(0xFFFFFF)
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq, user_information=wire.meter.initiate_response(aarq, negotiated_conformance=everything)
    )
    wire.open()
    assert wire.client.negotiated.conformance == agreed.proposed_conformance
    assert "not proposed" in wire.client.negotiated.remarks[0]


# -- an AARE that refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("result", [AssociationResult.REJECTED_PERMANENT, AssociationResult.REJECTED_TRANSIENT, 7])
@pytest.mark.parametrize("diagnostic", [*AcseDiagnostic, 99])
def test_every_rejection_says_the_standards_words(diagnostic, result):
    wire = Wire(parameters(M.LLS))
    error = reject(
        wire,
        result=result,
        result_source_diagnostic=ResultSourceDiagnostic(diagnostic=diagnostic),
        user_information=None,
    )
    word = diagnostic.name.lower().replace("_", "-") if isinstance(diagnostic, AcseDiagnostic) else "diagnostic 99"
    assert word in error.message
    if diagnostic is AcseDiagnostic.AUTHENTICATION_FAILURE:
        assert type(error) is AuthenticationFailedError
        assert error.layer == "authentication"
        assert "exact octets" in error.hint
    else:
        assert type(error) is AssociationRejectedError
        assert (error.layer, error.result, error.source, error.diagnostic) == ("association", result, 1, diagnostic)
    assert ("for now" in error.message) == (result == AssociationResult.REJECTED_TRANSIENT)
    assert not error.retryable


@pytest.mark.parametrize("diagnostic", range(4))
def test_a_rejection_by_the_provider(diagnostic):
    source = ResultSourceDiagnostic(DiagnosticSource.ACSE_SERVICE_PROVIDER, diagnostic)
    error = reject(Wire(parameters()), result=1, result_source_diagnostic=source)
    assert type(error) is AssociationRejectedError
    assert (error.source, error.diagnostic) == (2, diagnostic)


def test_authentication_failure_of_the_provider_is_something_else():
    source = ResultSourceDiagnostic(DiagnosticSource.ACSE_SERVICE_PROVIDER, 13)
    assert type(reject(Wire(parameters()), result=1, result_source_diagnostic=source)) is AssociationRejectedError


@pytest.mark.parametrize(
    ("service_error", "words"),
    [
        (ConfirmedServiceError(1, 6, 1), "initiate: initiate dlms-version-too-low"),
        (ConfirmedServiceError(1, 6, 2), "incompatible-conformance"),
        (ConfirmedServiceError(1, 0, 6), "deciphering-error"),
    ],
)
def test_a_rejection_with_a_confirmed_service_error(service_error, words):
    error = reject(
        Wire(AUTHENTICATED_ENCRYPTED),
        result=1,
        result_source_diagnostic=ResultSourceDiagnostic(diagnostic=AcseDiagnostic.NO_REASON_GIVEN),
        user_information=service_error.encode(),
    )
    assert words in error.message
    assert ("keys" in error.hint) == ("deciphering" in words)


def test_a_rejection_with_rubbish_inside():
    error = reject(
        Wire(parameters()),
        result=1,
        result_source_diagnostic=ResultSourceDiagnostic(diagnostic=1),
        user_information=b"\xff\x00",
    )
    assert type(error) is AssociationRejectedError


# -- an AARE that accepts less than was asked -----------------------------------------------------------------------------


def test_our_own_challenge_sent_back():
    error = reject(Wire(parameters(M.HLS_MD5)), responding_authentication_value=b"K56iVagY")
    assert (type(error), error.code) == (NotAuthenticError, "reflected-challenge")
    assert "own challenge" in error.message


@pytest.mark.parametrize("challenge", [None, b""])
def test_hls_accepted_without_a_challenge(challenge):
    error = reject(
        Wire(parameters(M.HLS_MD5)),
        responding_authentication_value=challenge,
        result_source_diagnostic=ResultSourceDiagnostic(),
    )
    assert (type(error), error.code) == (NotAuthenticError, "no-server-challenge")


@pytest.mark.parametrize("mechanism", [0, 1, 3, 6, 0x83])
def test_another_mechanism_than_was_asked(mechanism):
    error = reject(Wire(parameters(M.HLS_GMAC)), mechanism_name=mechanism)
    assert (type(error), error.code) == (NotAuthenticError, "mechanism-changed")


@pytest.mark.parametrize("mechanism", [None, 0x85, 5])
def test_a_mechanism_that_is_missing_or_marked_is_borne(mechanism):
    wire = Wire(parameters(M.HLS_GMAC))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, mechanism_name=mechanism)
    assert isinstance(wire.open(), Associated)


def test_a_challenge_without_the_diagnostic_that_asks_for_the_proof():
    wire = Wire(parameters(M.HLS_SHA1))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, result_source_diagnostic=ResultSourceDiagnostic())
    assert isinstance(wire.open(), Associated)


@pytest.mark.parametrize("mechanism", SUPPORTED[2:])
@pytest.mark.parametrize("size", [1, 7, 65, 128, 129])
def test_a_challenge_of_another_length_is_refused(mechanism, size):
    error = reject(Wire(parameters(mechanism)), responding_authentication_value=bytes(size))
    assert (type(error), error.code) == (NotAuthenticError, "bad-server-challenge")
    assert f"{size} octets" in error.message


@pytest.mark.parametrize("size", [8, 9, 63, 64])
def test_challenges_of_every_allowed_length(size):
    wire = Wire(parameters(M.HLS_MD5))
    wire.meter.hls_context = lambda: _context_with(wire.meter, bytes(size))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, responding_authentication_value=bytes(size))
    wire.open()
    assert wire.client.negotiated.remarks == ()


def _context_with(meter: ScriptedMeter, challenge: bytes):
    from dataclasses import replace

    return replace(ScriptedMeter.hls_context(meter), server_to_client=challenge)


@pytest.mark.parametrize("mechanism", [M.NONE, M.LLS])
def test_a_meter_that_wants_more_proof_than_was_offered(mechanism):
    error = reject(
        Wire(parameters(mechanism)),
        result_source_diagnostic=ResultSourceDiagnostic(diagnostic=AcseDiagnostic.AUTHENTICATION_REQUIRED),
        mechanism_name=5,
        responding_authentication_value=b"P6wRJ21F",
    )
    assert (type(error), error.code) == (AuthenticationFailedError, "authentication-required")
    assert "HLS GMAC" in error.message


@pytest.mark.parametrize(
    ("protection", "context"), [(P.AUTHENTICATED_ENCRYPTED, 1), (P.NONE, 3), (P.NONE, 2), (P.NONE, 9)]
)
def test_another_context_than_was_asked(protection, context):
    error = reject(Wire(parameters(M.HLS_GMAC, protection)), application_context_name=context)
    assert (type(error), error.code) == (SecurityError, "context-changed")


def test_an_initiate_response_in_clear_where_ciphering_was_agreed():
    plain = bytes.fromhex("0800065F1F040000501F01F40007")
    error = reject(Wire(AUTHENTICATED_ENCRYPTED), user_information=plain)
    assert (type(error), error.code) == (SecurityError, "protection-too-weak")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"control": SecurityControl(0, False, True)}, "protection-too-weak"),
        ({"control": SecurityControl(0, True, False)}, "protection-too-weak"),
        ({"control": SecurityControl(0, False, False)}, "protection-too-weak"),
        ({"control": SecurityControl(1, True, True)}, "wrong-suite"),
        ({"control": SecurityControl(0, True, True, broadcast=True)}, "broadcast-key"),
        ({"key": bytes(16)}, "bad-tag"),
        ({"gak": bytes(16)}, "bad-tag"),
        ({"system_title": CLIENT_TITLE}, "bad-tag"),
    ],
)
def test_an_initiate_response_that_is_protected_wrongly(changes, code):
    wire = Wire(AUTHENTICATED_ENCRYPTED)

    def answer(aarq):
        wire.meter.initiate_response(aarq)
        octets = wire.meter.cipher(bytes.fromhex("0800065F1F040000501F01F40007"), **changes)
        return wire.meter.aare(aarq, user_information=octets)

    wire.meter.script[Aarq] = answer
    wire.open()
    assert failure(wire, SecurityError).code == code


def test_another_meter_than_was_expected():
    agreed = parameters(M.HLS_GMAC, server_system_title=bytes(8))
    error = reject(Wire(agreed))
    assert (type(error), error.code) == (SecurityError, "unexpected-system-title")
    assert "4D4D4D0000BC614E" in error.message


def test_a_meter_with_our_own_system_title():
    error = reject(Wire(parameters(M.HLS_GMAC)), responding_ap_title=CLIENT_TITLE)
    assert error.code == "system-title-reflected"


@pytest.mark.parametrize("mechanism", [M.HLS_GMAC, M.HLS_SHA256])
def test_a_meter_without_a_system_title_where_one_is_needed(mechanism):
    error = reject(Wire(parameters(mechanism)), responding_ap_title=None)
    assert error.code == "no-server-system-title"
    assert "server_system_title" in error.hint


def test_a_system_title_that_is_known_beforehand_need_not_be_said():
    wire = Wire(parameters(M.HLS_GMAC, P.AUTHENTICATED_ENCRYPTED, server_system_title=SERVER_TITLE))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, responding_ap_title=None)
    assert isinstance(wire.open(), Associated)
    assert wire.client.negotiated.server_system_title == SERVER_TITLE


# -- an AARE that is odd and yet good --------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", [parameters(M.LLS), AUTHENTICATED_ENCRYPTED], ids=["lls", "ciphered"])
def test_an_aare_without_user_information(agreed):
    wire = Wire(agreed)

    def answer(aarq):
        wire.meter.initiate_response(aarq)  # so that the meter knows how the client ciphers
        return wire.meter.aare(aarq, user_information=None)

    wire.meter.script[Aarq] = answer
    wire.meter.objects[CLOCK] = null()
    assert isinstance(wire.open(), Associated)
    negotiated = wire.client.negotiated
    assert negotiated.conformance == agreed.proposed_conformance
    assert "no initiate response" in negotiated.remarks[0]
    assert get(wire)[-1] == GetFinished(1, null())


def test_an_aare_without_conformance():
    wire = Wire(parameters())
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq, user_information=wire.meter.initiate_response(aarq, negotiated_conformance=Conformance(0))
    )
    wire.open()
    assert wire.client.negotiated.conformance == PROPOSED_CONFORMANCE & ~Conformance.GENERAL_PROTECTION
    assert "no service" in wire.client.negotiated.remarks[0]


def test_another_version_of_dlms_is_remarked():
    wire = Wire(parameters())
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq, user_information=wire.meter.initiate_response(aarq, negotiated_dlms_version_number=5)
    )
    wire.open()
    assert wire.client.negotiated.dlms_version == 5
    assert "version 5" in wire.client.negotiated.remarks[0]


@pytest.mark.parametrize("octets", ["080006", "0800065F1F", "08", "0800065F1F040000501F01F4"])
def test_an_initiate_response_that_is_cut(octets):
    wire = Wire(parameters())
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, user_information=bytes.fromhex(octets))
    assert isinstance(wire.open(), Associated)
    assert "cannot be read" in wire.client.negotiated.remarks[0]


def test_an_aare_whose_fields_stand_in_another_order():
    fields = ["A203020100", "A305A103020100", "A109060760857405080101", "BE10040E0800065F1F040000501F01F40007"]
    for order in (fields, fields[::-1], fields[2:] + fields[:2]):
        body = bytes.fromhex("".join(order))
        wire = Wire(parameters())
        wire.meter.script[Aarq] = lambda aarq, body=body: bytes((0x61, len(body))) + body
        assert isinstance(wire.open(), Associated)
        assert wire.client.negotiated.server_max_receive_pdu_size == 500


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (ExceptionResponse(1, 1), ExceptionResponseError),
        (ExceptionResponse(1, 6, 5000), ExceptionResponseError),
        (ConfirmedServiceError(1, 6, 0), ServiceErrorError),
        (GetResponseNormal(InvokeIdAndPriority(1), null()), RemoteProtocolError),
        (Rlre(), RemoteProtocolError),
        (b"", DecodeError),
        (b"\x61\x05\x01", DecodeError),
        (b"\xff\xff\xff", DecodeError),
    ],
)
def test_another_answer_to_the_aarq(answer, error_type):
    wire = Wire(parameters())
    wire.meter.script[Aarq] = lambda aarq: answer
    wire.open()
    assert isinstance(failure(wire), error_type)


def test_a_counter_error_says_the_counter():
    wire = Wire(AUTHENTICATED_ENCRYPTED)
    wire.meter.script[Aarq] = lambda aarq: ExceptionResponse(1, 6, 5000)
    wire.open()
    error = failure(wire, ExceptionResponseError)
    assert (error.layer, error.invocation_counter) == ("security", 5000)
    assert "5000" in error.message


def test_an_initiate_response_that_is_an_error():
    error = reject(Wire(parameters()), user_information=ConfirmedServiceError(1, 6, 1).encode())
    assert type(error) is ServiceErrorError


def test_an_initiate_response_that_is_something_else():
    error = reject(Wire(parameters()), user_information=GetRequestNext(InvokeIdAndPriority(1), 1).encode())
    assert type(error) is RemoteProtocolError


# -- the proofs of HLS ------------------------------------------------------------------------------------------------------


def pass_four(mechanism, answer, protection=P.NONE) -> Wire:
    wire = Wire(parameters(mechanism, protection))
    wire.meter.script[ActionRequestNormal] = answer
    wire.open()
    return wire


@pytest.mark.parametrize("mechanism", SUPPORTED[2:])
@pytest.mark.parametrize("proof", [b"", b"\x00", bytes(16), bytes(17), bytes(32)])
def test_a_wrong_proof_of_the_meter(mechanism, proof):
    success = ActionResponseNormal(InvokeIdAndPriority(1), ActionResult.SUCCESS, octet_string(proof))
    wire = pass_four(mechanism, lambda apdu: success)
    assert failure(wire, NotAuthenticError).layer == "authentication"


@pytest.mark.parametrize("returned", [None, null(), unsigned(1), DataAccessResult.READ_WRITE_DENIED])
def test_no_proof_of_the_meter(returned):
    success = ActionResponseNormal(InvokeIdAndPriority(1), ActionResult.SUCCESS, returned)
    error = failure(pass_four(M.HLS_MD5, lambda apdu: success), NotAuthenticError)
    assert error.code == "no-server-proof"


@pytest.mark.parametrize("mechanism", SUPPORTED[2:])
def test_the_meters_proof_is_not_ours_sent_back(mechanism):
    wire = pass_four(
        mechanism,
        lambda apdu: ActionResponseNormal(
            apdu.invoke_id_and_priority, ActionResult.SUCCESS, apdu.method_invocation_parameters
        ),
    )
    failure(wire, NotAuthenticError)


@pytest.mark.parametrize("result", [ActionResult.READ_WRITE_DENIED, ActionResult.OTHER_REASON])
def test_a_proof_that_the_meter_refuses(result):
    refusal = ActionResponseNormal(InvokeIdAndPriority(1), result)
    error = failure(pass_four(M.HLS_SHA256, lambda apdu: refusal), AuthenticationFailedError)
    assert error.code == "proof-refused"
    assert result.words in error.message


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (ExceptionResponse(1, 1), ExceptionResponseError),
        (ConfirmedServiceError(1, 0, 0), ServiceErrorError),
        (GetResponseNormal(InvokeIdAndPriority(1), null()), RemoteProtocolError),
        (b"\xc7\x01", DecodeError),
    ],
)
def test_another_answer_to_the_proof(answer, error_type):
    assert isinstance(failure(pass_four(M.HLS_MD5, lambda apdu: answer)), error_type)


def test_a_proof_in_clear_where_ciphering_was_agreed():
    success = ActionResponseNormal(InvokeIdAndPriority(1), ActionResult.SUCCESS, octet_string(bytes(17)))
    wire = pass_four(M.HLS_GMAC, lambda apdu: success.encode(), P.AUTHENTICATED_ENCRYPTED)
    assert failure(wire, SecurityError).code == "protection-too-weak"


def test_a_wrong_secret_is_noticed_by_both_sides():
    wire = Wire(parameters(M.HLS_MD5, secret=b"87654321"), meter=ScriptedMeter(parameters(M.HLS_MD5)))

    def answer(apdu):
        try:
            return wire.meter.answer(apdu)
        except NotAuthenticError:
            return ActionResponseNormal(apdu.invoke_id_and_priority, ActionResult.READ_WRITE_DENIED)

    wire.meter.script[ActionRequestNormal] = answer
    wire.open()
    assert failure(wire, AuthenticationFailedError).code == "proof-refused"


def test_notifications_during_the_association_are_delivered():
    wire = Wire(parameters(M.HLS_MD5))
    wire.meter.script[Aarq] = lambda apdu: [NOTIFICATION, wire.meter.answer(apdu)]
    wire.meter.script[ActionRequestNormal] = lambda apdu: [NOTIFICATION, wire.meter.answer(apdu)]
    wire.open()
    assert wire.events[:2] == [NotificationReceived(NOTIFICATION)] * 2
    assert isinstance(wire.events[2], Associated)


# -- fields, remarks, the release -----------------------------------------------------------------------------------------


def test_every_field_of_the_parameters_goes_into_the_aarq():
    fields = AarqFields(
        protocol_version=BitString(b"\x80", 1),
        called_ap_title=b"METER",
        called_ae_qualifier=b"\x01",
        called_ap_invocation_id=2,
        called_ae_invocation_id=3,
        calling_ae_qualifier=b"\x04",
        calling_ap_invocation_id=5,
        implementation_information=b"\x06",
    )
    wire = Wire(parameters(M.LLS, user_id=200, aarq_fields=fields))
    wire.open()
    aarq = wire.meter.requests[0]
    for name in AarqFields.__dataclass_fields__:
        assert getattr(aarq, name) == getattr(fields, name)
    assert aarq.calling_ae_invocation_id == 200
    assert aarq.deviations == ()


@pytest.mark.parametrize("always", [False, True])
def test_the_context_with_ciphering_may_be_asked_for_without_any_protection(always):
    wire = Wire(parameters(M.LLS, always_ciphered_context=always))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq, user_information=bytes.fromhex("0800065F1F040000501F01F40007")
    )
    wire.open()
    aarq = wire.meter.requests[0]
    assert (aarq.application_context_name, aarq.calling_ap_title) == ((3, CLIENT_TITLE) if always else (1, None))


def test_what_deviates_in_an_aare_is_remarked():
    wire = Wire(parameters())
    body = bytes.fromhex("80020284A109060760857405080101A203020100A305A103020100BE10040E0800065F1F040000501F01F40007")
    wire.meter.script[Aarq] = lambda aarq: bytes((0x61, len(body) - 3)) + body
    wire.open()
    remarks = wire.client.negotiated.remarks
    assert remarks[0].startswith("AARE: the length of the AARE says")
    assert "AARE: protocol-version is written as 100001" in remarks[1]


@pytest.mark.parametrize("size", [0, 4, 9])
def test_a_system_title_of_another_length(size):
    title = bytes(range(1, size + 1))
    wire = Wire(parameters(M.LLS))
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, responding_ap_title=title)
    wire.open()
    assert len(wire.client.negotiated.remarks) == (1 if size else 0)
    error = reject(Wire(parameters(M.HLS_GMAC)), responding_ap_title=title)
    assert error.code == ("bad-system-title" if size else "no-server-system-title")


@pytest.mark.parametrize("ciphered", [False, True])
def test_the_reason_in_a_rejecting_aare_is_read_ciphered_too(ciphered):
    wire = Wire(AUTHENTICATED_ENCRYPTED)
    reason = ConfirmedServiceError(1, 6, 3).encode()

    def answer(aarq):
        wire.meter._open(aarq.user_information)
        information = wire.meter.cipher(reason) if ciphered else reason
        return wire.meter.aare(aarq, result=1, user_information=information)

    wire.meter.script[Aarq] = answer
    wire.open()
    assert "pdu-size-too-short" in failure(wire, AssociationRejectedError).message


@pytest.mark.parametrize(
    ("octets", "remark"),
    [
        ("6303800100", ""),
        ("6300", ""),
        ("6311800100BE10040E0800065F1F040000501F01F40007", "says 17, it has 21"),
        ("D80102", "exception"),
        ("6315800100BE10040E0800065F1F040000501F01F40007", "proves nothing"),
    ],
)
def test_how_a_meter_releases_is_remarked(octets, remark):
    agreed = AUTHENTICATED_ENCRYPTED if remark == "proves nothing" else parameters(M.LLS)
    wire = associated(agreed)
    wire.meter.script[Rlrq] = lambda rlrq: bytes.fromhex(octets)
    wire.client.release(wire.now)
    wire.pump()
    released = wire.events[-1]
    assert isinstance(released, Released)
    assert (released.remark == "") == (remark == "")
    assert remark in released.remark


def test_an_rlre_with_the_wrong_lengths_of_deployed_stacks_is_opened_and_verified():
    wire = associated(AUTHENTICATED_ENCRYPTED)

    def answer(rlrq):
        sealed = wire.meter.cipher(bytes.fromhex("0800065F1F040000501F01F40007"))
        information = b"\x04" + bytes((len(sealed),)) + sealed
        body = bytes.fromhex("800100") + b"\xbe" + bytes((len(information) - 1,)) + information
        return b"\x63" + bytes((len(body) - 4,)) + body

    wire.meter.script[Rlrq] = answer
    wire.client.release(wire.now)
    wire.pump()
    released = wire.events[-1]
    assert "it has" in released.remark
    assert "proves nothing" not in released.remark


# -- counters of the proof ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proof_counter", "believed"),
    [(999, False), (1000, False), (1001, True), (1002, True), (5000, True)],
)
def test_the_meters_proof_needs_a_counter_above_that_of_its_aare(proof_counter, believed):
    """The AARE uses 1000. The APDU around the proof may have a lower or a higher counter than the proof itself."""
    wire = Wire(parameters(M.HLS_GMAC, P.AUTHENTICATED_ENCRYPTED))

    def answer(apdu):
        proof = server_response(wire.meter.hls_context(), invocation_counter=proof_counter)
        return ActionResponseNormal(apdu.invoke_id_and_priority, ActionResult.SUCCESS, octet_string(proof))

    wire.meter.script[ActionRequestNormal] = answer
    event = wire.open()
    if believed:
        assert isinstance(event, Associated)
    else:
        assert failure(wire, SecurityError).code == "replayed-counter"


# -- pre-established ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", P)
@pytest.mark.parametrize("hdlc", [False, True])
def test_a_pre_established_association_stands_with_the_link(protection, hdlc):
    agreed = parameters(
        M.NONE,
        protection,
        pre_established=True,
        server_system_title=SERVER_TITLE,
        conformance=Conformance.GET | Conformance.GENERAL_PROTECTION,
        server_max_receive_pdu_size=321,
    )
    wire = Wire(agreed, hdlc=hdlc)
    wire.meter.objects[CLOCK] = null()
    event = wire.open()
    assert isinstance(event, Associated)
    assert event.negotiated.server_max_receive_pdu_size == 321
    assert event.negotiated.server_system_title == SERVER_TITLE
    assert get(wire)[-1] == GetFinished(1, null())
    wire.client.release(wire.now)
    wire.pump()
    assert wire.events[-1] == Released()
    assert not [apdu for apdu in wire.meter.requests if isinstance(apdu, Aarq | Rlrq)]


def test_a_meter_that_says_its_title_in_a_general_envelope_only():
    wire = Wire(AUTHENTICATED_ENCRYPTED)
    wire.meter.objects[CLOCK] = null()

    def answer(aarq):
        wire.meter.answer_in_general = True
        aare = wire.meter.aare(aarq, responding_ap_title=None)
        wire.meter.answer_in_general = None
        return aare

    wire.meter.script[Aarq] = answer
    assert isinstance(wire.open(), Associated)
    assert wire.client.negotiated.server_system_title == SERVER_TITLE
    assert get(wire)[-1] == GetFinished(1, null())
