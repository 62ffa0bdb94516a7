"""General-ciphering and general-signing as the inspector shows them: opened, verified, or why not; wrapped keys masked."""

from dataclasses import replace

import pytest

from meters.cosem.data import octet_string
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.general_ciphering import Transaction
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.general_signing import sign_content
from sessions.dlms.inspector import DissectionKeys, dissect, mask
from sessions.dlms.inspector.outline import outline
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.security import SecurityControl
from sessions.dlms.security_setup import KeyId, key_transfer
from sessions.dlms.transactions import Shape
from tests.sessions.dlms.inspector import samples
from tests.sessions.dlms.parties import (
    CLIENT_TITLE,
    PUBLISHED,
    SERVER_TITLE,
    TRANSACTION,
    counting_random,
    keys_of,
    party,
    private_keys,
)
from tests.vectors import octets

GET = samples.GET_CLOCK
CHOICES = list(KeyChoice)


def shape(choice, suite=1, *, signed=False, bits=0x30):
    control = SecurityControl() if choice is None else SecurityControl.decode(bits | suite)
    return Shape(control=control, ciphering=choice, signed=signed)


def wire(choice, suite=1, *, side="client", settings=None, **changes):
    return party(side, suite, settings).begin(GET, shape(choice, suite, **changes))


def keys(side="server", suite=1, **changes):
    """What one side has at hand."""
    known = keys_of(side, suite)
    other = "client" if side == "server" else "server"
    values = {
        "guek": known.guek,
        "gak": known.gak,
        "kek": known.kek,
        f"{side}_signing_key": known.signing_key,
        f"{other}_signing_key": known.peer_signing_key,
        f"{side}_key_agreement_key": known.key_agreement_key,
        f"{other}_key_agreement_key": known.peer_key_agreement_key,
        "client_system_title": CLIENT_TITLE,
        "server_system_title": SERVER_TITLE,
    }
    return DissectionKeys(**{**values, **changes})


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("choice", CHOICES)
def test_every_kind_of_key_opens_and_is_verified(choice, signed, suite):
    found = dissect(wire(choice, suite, signed=signed), keys=keys(suite=suite))
    assert (found.error, found.notes) == (None, [])
    assert found.summary == "GET request 8/0-0:1.0.0*255 attribute 2, deciphered"
    assert find_field(found.fields, "authentication-tag").value.endswith("(the tag is good)")
    assert [child.name for child in found.fields.children][-1] == "get-request"
    if signed:
        assert "signature: the signature is good" in outline(found)


def test_answers_open_with_what_a_client_has():
    for choice in CHOICES:
        found = dissect(wire(choice, side="server"), keys=keys("client"))
        assert (found.error, found.plaintext) == (None, GET)


def test_a_key_agreed_for_one_apdu_does_not_open_for_its_sender():
    """The client's own request: its ephemeral key is gone, and it has not the meter's private key."""
    found = dissect(wire(KeyChoice.ONE_PASS), keys=keys("client"))
    assert found.plaintext is None
    assert "signature: the signature is good" in outline(found)
    ephemeral = private_of_party()
    found = dissect(wire(KeyChoice.ONE_PASS), keys=keys("client", ephemeral_key=ephemeral))
    assert found.plaintext == GET


def private_of_party():
    """The ephemeral key that `party` takes: its random octets come after those of the transaction-id."""
    from sessions.dlms.elliptic import Curve, private_from_random, random_octets

    random = counting_random()
    random(8)
    return private_from_random(random(random_octets(Curve.P256)), Curve.P256)


def test_the_parts_of_the_published_example():
    """Header, ephemeral key and signature of the Green Book's example; its ciphered text is not at hand."""
    key_data = octets("sig-1e1s")
    apdu = replace(
        decode_apdu(wire(KeyChoice.ONE_PASS)),
        transaction_id=TRANSACTION,
        key_ciphered_data=bytes.fromhex(
            "C323C2BD45711DE4688637D919F92E9DB8FB2DFC213A88D21C9DC8DCBA917D81"
            "70511DE1BADB360D50058F794B0960AE11FA28D392CFF907A62D13E3357B1DC0"
        )
        + key_data,
    )
    given = keys(ephemeral_key=PUBLISHED["client_ephemeral"])
    found = dissect(apdu.encode(), keys=given)
    field = find_field(found.fields, "key-ciphered-data")
    assert field.value == "an ephemeral public key, signed"
    first, second = field.children[-1].children
    assert (first.name, first.offset, first.length) == ("ephemeral-public-key", 36, 64)
    assert (second.name, second.offset, second.length) == ("signature", 100, 64)
    assert second.value == "the signature is good"


@pytest.mark.parametrize("choice", [KeyChoice.WRAPPED, KeyChoice.STATIC_UNIFIED, KeyChoice.ONE_PASS])
def test_without_the_keys_it_stays_closed_and_says_so(choice):
    found = dissect(wire(choice), keys=DissectionKeys(guek=bytes(16), gak=bytes(16)))
    assert found.plaintext is None
    assert found.error is None
    assert "not deciphered: no key is given" in found.notes
    assert "general-ciphering from 4d4d4d0000bc614e" in found.summary


def test_a_wrong_master_key_opens_nothing():
    found = dissect(wire(KeyChoice.WRAPPED), keys=keys(kek=bytes(16)))
    assert found.plaintext is None


@pytest.mark.parametrize(
    "given", [{"client_signing_key": private_keys(1)["client_signing"]}, {}], ids=["private", "public"]
)
def test_either_half_of_a_key_pair_verifies(given):
    found = dissect(wire(None, signed=True), keys=keys(**given))
    assert found.error is None
    assert "signature: the signature is good" in outline(found)


def test_a_false_signature_is_an_error_beside_the_text():
    octets_ = wire(None, signed=True)
    altered = octets_[:-1] + bytes((octets_[-1] ^ 1,))
    found = dissect(altered, keys=keys())
    assert (found.error.layer, found.error.code) == ("security", "bad-signature")
    assert "signature: the signature does not fit" in outline(found)
    assert found.apdu == decode_apdu(GET)


def test_another_signer_is_an_error():
    found = dissect(wire(None, signed=True), keys=keys(client_signing_key=private_keys(1)["server_signing"]))
    assert found.error.code == "bad-signature"


def test_an_unknown_originator_is_tried_with_both_keys():
    given = keys(client_system_title=None, server_system_title=None)
    assert dissect(wire(None, signed=True), keys=given).error is None
    assert dissect(wire(None, signed=True, side="server"), keys=given).error is None


def test_a_signature_that_nobody_can_verify_says_so():
    found = dissect(wire(None, signed=True), keys=keys(client_signing_key=None))
    assert found.error is None
    assert "signature: not verified: no public key of the originator is given" in outline(found)


def test_signed_lengths_and_unauthenticated_headers_are_remarked():
    settings = GeneralProtection(signed=True, content_length_signed=True)
    found = dissect(wire(None, signed=True, settings=settings), keys=keys())
    assert found.error is None
    assert any("content_length_signed" in note for note in found.notes)


def test_an_ephemeral_key_of_an_impossible_length_is_an_error():
    apdu = replace(decode_apdu(wire(KeyChoice.ONE_PASS)), key_ciphered_data=bytes(9))
    found = dissect(apdu.encode(), keys=keys())
    assert found.error.code == "bad-key-data"


def test_a_wrapped_key_is_masked_where_it_is_shown_and_kept_where_it_is_stored():
    octets_ = wire(KeyChoice.WRAPPED)
    wrapped = decode_apdu(octets_).key_ciphered_data.hex()
    found = dissect(octets_, keys=keys())
    assert wrapped not in str(found.as_json())
    assert wrapped in str(found.as_json(reveal=True))
    assert mask(octets_, found) == octets_  # else nobody could open it later


def test_the_wrapped_keys_of_a_transfer_are_masked():
    call = key_transfer({KeyId.GUEK: bytes(range(16)), KeyId.GAK: bytes(16)}, kek=bytes(range(16)), suite=0)
    apdu = ActionRequestNormal(InvokeIdAndPriority(1), call.descriptor, call.parameters).encode()
    found = dissect(apdu)
    shown = str(found.as_json())
    for element in call.parameters:
        assert element[1].value.hex() not in shown
        assert element[1].value.hex() in str(found.as_json(reveal=True))
    assert mask(apdu, found) == apdu
    assert found.summary == "action-request of wrapped keys (key transfer)"
    other = ActionRequestNormal(
        InvokeIdAndPriority(1), replace(call.descriptor, method_id=6), octet_string(b"a certificate")
    ).encode()
    assert b"a certificate".hex() in str(dissect(other).as_json())


def test_a_date_is_said_in_words():
    transaction = Transaction(
        transaction_id=TRANSACTION,
        originator=CLIENT_TITLE,
        recipient=SERVER_TITLE,
        date_time=bytes.fromhex("07EA0B190314000000FFC400"),
    )
    apdu = sign_content(GET, transaction, private_keys(1)["client_signing"])
    field = find_field(dissect(apdu.encode(), keys=keys()).fields, "date-time")
    assert "2026-11-25" in field.value
