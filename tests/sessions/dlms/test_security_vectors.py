"""The checked vectors of associations and ciphering, both ways: what the client sends is the vector, and it understands each."""

from __future__ import annotations

import pytest

from meters.cosem.data import octet_string
from sessions.dlms.acse import decode_aare, decode_aarq
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult, InvokeIdAndPriority
from sessions.dlms.association import Protection
from sessions.dlms.authentication import (
    AuthenticationMechanism,
    HlsContext,
    client_response,
    server_response,
    verify_client_response,
    verify_server_response,
)
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.handshake import Handshake
from sessions.dlms.initiate import InitiateResponse, decode_initiate_request, decode_initiate_response
from sessions.dlms.protection import CipheringForm
from tests.vectors import octets

from .scripted import CTOS, DEDICATED, GAK, GUEK, STOC, parameters

M, P = AuthenticationMechanism, Protection
COUNTER = 0x01234567
BOOK_TITLE = bytes.fromhex("4D4D4D0000BC614E")
OTHER_TITLE = bytes.fromhex("4D4D4D0000000001")
GET = octets("get-clock").replace(b"\xc0\x01\xc1", b"\xc0\x01\x00")
INITIATE = bytes.fromhex("01000000065F1F0400007E1F04B0")


def sender(protection: Protection, form: CipheringForm = CipheringForm.AUTO, **changes) -> Ciphering:
    agreed = parameters(
        M.NONE,
        protection,
        ciphering_form=form,
        client_system_title=BOOK_TITLE,
        server_system_title=OTHER_TITLE,
        **changes,
    )
    one = Ciphering(agreed, InvocationCounters(range(COUNTER, COUNTER + 9)))
    one.start()
    one.agree(Conformance.GENERAL_PROTECTION)
    return one


def receiver(protection: Protection, **changes) -> Ciphering:
    """A client that expects the book's title from the other side."""
    agreed = parameters(M.NONE, protection, client_system_title=OTHER_TITLE, server_system_title=BOOK_TITLE, **changes)
    one = Ciphering(agreed, None)
    one.start()
    return one


@pytest.mark.parametrize(
    ("vector", "protection", "form"),
    [
        ("glo-get-10", P.AUTHENTICATED, CipheringForm.AUTO),
        ("glo-get-20", P.ENCRYPTED, CipheringForm.AUTO),
        ("glo-get-30", P.AUTHENTICATED_ENCRYPTED, CipheringForm.AUTO),
        ("gen-glo", P.AUTHENTICATED_ENCRYPTED, CipheringForm.GENERAL),
    ],
)
def test_a_ciphered_get(vector, protection, form):
    assert sender(protection, form).protect(GET) == octets(vector)
    assert receiver(protection).unprotect(octets(vector)) == (GET, True)


def test_the_ciphered_initiate_request_with_its_dedicated_key():
    one = sender(P.AUTHENTICATED_ENCRYPTED, dedicated_key=DEDICATED)
    plain, _ = receiver(P.AUTHENTICATED_ENCRYPTED).unprotect(octets("glo-init-req"))
    assert decode_initiate_request(plain).dedicated_key == DEDICATED
    assert one.protect_initiate(plain) == octets("glo-init-req")


def test_the_ciphered_initiate_response():
    plain, _ = receiver(P.AUTHENTICATED_ENCRYPTED).unprotect(octets("glo-init-res"))
    assert decode_initiate_response(plain) == InitiateResponse(
        negotiated_conformance=Conformance(0x007C1F), server_max_receive_pdu_size=0x0400
    )


@pytest.mark.parametrize(
    ("vector", "changes"),
    [
        ("aarq-ln-none", {}),
        ("aarq-ln-lls", {"authentication": M.LLS}),
        ("aarq-ln-hls3", {"authentication": M.HLS_MD5}),
        ("aarq-ln-hls5", {"authentication": M.HLS_GMAC, "client_system_title": OTHER_TITLE}),
        (
            "aarq-ln-lls-ciph",
            {"authentication": M.LLS, "protection": P.AUTHENTICATED_ENCRYPTED, "dedicated_key": DEDICATED},
        ),
        ("aarq-ln-hls5-ciph", {"authentication": M.HLS_GMAC, "protection": P.AUTHENTICATED_ENCRYPTED}),
    ],
)
def test_an_aarq(vector, changes):
    agreed = parameters(
        **{
            "client_system_title": BOOK_TITLE,
            "conformance": Conformance(0x007E1F),
            "max_pdu_size": 1200,
            **changes,
        }
    )
    handshake = Handshake(agreed, CTOS)
    ciphering = Ciphering(agreed, InvocationCounters(range(COUNTER, COUNTER + 9)))
    ciphering.start()
    initiate = ciphering.protect_initiate(handshake.initiate_request().encode())
    aarq = handshake.aarq(initiate)
    assert aarq.encode() == octets(vector)
    assert decode_aarq(octets(vector)) == aarq


@pytest.mark.parametrize(
    ("vector", "accepted", "diagnostic", "hls"),
    [
        ("aare-ok", True, "null", False),
        ("aare-hls", True, "authentication-required", True),
        ("aare-authfail", False, "authentication-failure", False),
        ("aare-sn", True, "null", False),
        ("aare-cse", False, "no-reason-given", False),
    ],
)
def test_an_aare(vector, accepted, diagnostic, hls):
    aare = decode_aare(octets(vector))
    assert (aare.accepted, aare.hls_required) == (accepted, hls)
    assert aare.result_source_diagnostic.words == diagnostic
    assert aare.encode() == octets(vector)


CONTEXT = HlsContext(
    mechanism=M.HLS_GMAC,
    secret=b"12345678",
    key=GUEK,
    gak=GAK,
    client_system_title=OTHER_TITLE,
    server_system_title=BOOK_TITLE,
    client_to_server=CTOS,
    server_to_client=STOC,
)


def test_the_proofs_of_gmac_in_their_action():
    ours = client_response(CONTEXT, invocation_counter=1)
    assert ours == octets("hls5-fstoc")
    agreed = parameters(M.HLS_GMAC)
    sent = Handshake(agreed, CTOS).reply_to_hls(ours)
    assert sent == octets("reply-hls")
    assert verify_client_response(CONTEXT, decode_apdu(sent).method_invocation_parameters.value) == 1
    theirs = server_response(CONTEXT, invocation_counter=COUNTER)
    assert theirs == octets("hls5-fctos")
    answer = ActionResponseNormal(InvokeIdAndPriority(1), ActionResult.SUCCESS, octet_string(theirs))
    assert decode_apdu(octets("reply-hls-res")).return_parameters == answer.return_parameters
    assert verify_server_response(CONTEXT, decode_apdu(octets("reply-hls-res")).return_parameters.value) == COUNTER


@pytest.mark.parametrize("mechanism", [M.HLS_MD5, M.HLS_SHA1, M.HLS_SHA256])
def test_the_digests(mechanism):
    from dataclasses import replace

    context = replace(CONTEXT, mechanism=mechanism)
    assert client_response(context) == octets(f"hls{int(mechanism)}-fstoc")
    if mechanism is M.HLS_SHA256:
        assert server_response(context) == octets("hls6-fctos")
        assert verify_server_response(context, octets("hls6-fctos")) is None
