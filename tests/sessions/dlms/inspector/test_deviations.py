"""What the inspector says of answers that are other than they were asked."""

from __future__ import annotations

import pytest

from sessions.dlms.acse import Aare, Aarq, AcseDiagnostic, AssociationResult, ResultSourceDiagnostic, Rlre
from sessions.dlms.apdu.ciphered import CipheredApdu, GeneralCipheredApdu
from sessions.dlms.conformance import Conformance
from sessions.dlms.initiate import InitiateRequest, InitiateResponse
from sessions.dlms.inspector import Dissector
from sessions.dlms.inspector.deviations import Form, Manners
from sessions.dlms.security import SecurityControl

BOTH, WEAK, OTHER = SecurityControl(0, True, True), SecurityControl(0, False, True), SecurityControl(1, True, True)
OWN_GLO = "a glo- tag of the service's own"
TITLE = b"ABCDEFGH"
AARQ = Aarq(mechanism_name=5, calling_authentication_value=b"12345678")
PENDING = ResultSourceDiagnostic(diagnostic=AcseDiagnostic.AUTHENTICATION_REQUIRED)


def aare(**changes):
    values = {
        "result_source_diagnostic": PENDING,
        "mechanism_name": 5,
        "responding_authentication_value": b"87654321",
        **changes,
    }
    return Aare(**values)


def about(answer: Aare, request: Aarq = AARQ) -> list[str]:
    manners = Manners()
    manners.ask(request)
    return manners.of_aare(answer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, None),
        ({"mechanism_name": None}, None),
        ({"mechanism_name": 1}, "LLS came, HLS GMAC was asked"),
        ({"application_context_name": 3}, "another application context"),
        ({"responding_authentication_value": b"12345678"}, "the client's, sent back"),
        ({"responding_authentication_value": None}, "without a challenge"),
        ({"responding_authentication_value": bytes(7)}, "7 octets, 8 to 64"),
    ],
)
def test_an_aare_against_its_aarq(changes, words):
    found = about(aare(**changes))
    assert (found == []) if words is None else (len(found) == 1 and words in found[0])


def test_ecdsa_wants_longer_challenges():
    request = Aarq(mechanism_name=7, calling_authentication_value=bytes(32))
    assert "32 to 64" in about(aare(mechanism_name=7, responding_authentication_value=b"7" * 31), request)[0]


@pytest.mark.parametrize("mechanism", [None, 0, 1, 133])
def test_without_challenges_there_is_nothing_to_say(mechanism):
    assert about(Aare(), Aarq(mechanism_name=mechanism)) == []


def test_a_rejection_is_no_deviation():
    assert about(Aare(result=AssociationResult.REJECTED_PERMANENT, application_context_name=2)) == []
    assert Manners().of_aare(aare()) == []


def glo(tag, control=BOTH):
    return CipheredApdu(tag, control, 1, b"")


def general(tag=0xDB, control=BOTH):
    return GeneralCipheredApdu(tag, TITLE, control, 1, b"")


@pytest.mark.parametrize(
    ("request_", "answer", "inside", "words"),
    [
        (glo(0xC8), glo(0xCC), None, []),
        (general(), general(), 0xC4, []),
        (glo(0xC8), general(), 0xC4, [f"answered with general-glo-ciphering, asked with {OWN_GLO}"]),
        (glo(0xD0), glo(0xCC), None, [f"answered with {OWN_GLO}, asked with a ded- tag of the service's own"]),
        (glo(0xC8), glo(0xCC, WEAK), None, [f"answered encrypted, suite 0, asked {BOTH}"]),
        (glo(0xC8), glo(0xCC, OTHER), None, [f"answered {OTHER}, asked {BOTH}"]),
        (glo(0xC8, WEAK), glo(0xCC), None, []),
        (glo(0xC8), general(), None, []),
        (glo(0xC8), general(), 0x0F, []),
    ],
)  # fmt: skip
def test_a_ciphered_answer_against_its_request(request_, answer, inside, words):
    manners = Manners()
    asked = 0xC0 if isinstance(request_, GeneralCipheredApdu) else None
    assert manners.of_ciphered(request_, asked) == []
    assert manners.of_ciphered(answer, inside) == words


def test_an_answer_in_clear_to_a_ciphered_request():
    manners = Manners()
    manners.of_ciphered(glo(0xC8), None)
    assert manners.of_clear(0xD8) == []
    assert manners.of_clear(0xC4) == ["answered in clear, the request was ciphered"]
    manners.of_clear(0xC0)
    assert manners.of_clear(0xC4) == []


def test_forms_have_words():
    assert Form(True, True, BOTH).words == "general-ded-ciphering"
    assert Form(False, True, BOTH).words == "a ded- tag of the service's own"


def test_the_dissector_notes_them_all():
    dissector = Dissector()
    dissector.feed(AARQ.encode(), "sent")
    wire = bytearray(aare(responding_authentication_value=b"12345678").encode())
    odd = dissector.feed(bytes(wire), "received").deviations
    assert odd == ["the meter's challenge is the client's, sent back"]
    rlre = bytes.fromhex("6311800100BE10040E0800065F1F040000501F01F40007")
    assert dissector.feed(rlre, "received").deviations == ["the length of the RLRE says 17, it has 21 octets"]
    assert dissector.feed(Rlre().encode(), "received").deviations == []
    dissector.feed(glo(0xC8).encode(), "sent")
    odd = dissector.feed(bytes.fromhex("C401C10000"), "received").deviations
    assert odd == ["answered in clear, the request was ciphered"]


def test_services_that_were_not_proposed():
    dissector = Dissector()
    initiate = InitiateRequest(proposed_conformance=Conformance.GET).encode()
    response = InitiateResponse(
        negotiated_conformance=Conformance.GET | Conformance.SET, negotiated_dlms_version_number=5
    ).encode()
    dissector.feed(Aarq(user_information=initiate).encode(), "sent")
    assert dissector.feed(Aare(user_information=response).encode(), "received").deviations == [
        "DLMS version 5 is answered, there is only 6",
        "agrees to what was not proposed: set",
    ]
    assert Manners().of_initiate(InitiateResponse(negotiated_conformance=Conformance.SET)) == []
