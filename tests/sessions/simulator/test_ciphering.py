"""The server's protection: what is opened, what is refused, and in which envelope the answer goes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meters.cosem.data import octet_string
from sessions.association_file import parse_association
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import DED_TAGS, GLO_TAGS, CipheredApdu, GeneralCipheredApdu
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.association import Protection
from sessions.dlms.certificates import CertificateEntity, CertificateType
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.elliptic import curve_of_suite, private_from_random, random_octets
from sessions.dlms.errors import DecodeError, DlmsError, ExceptionResponseError, SecurityError
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.security import SecurityControl, protect, unprotect
from sessions.dlms.security_setup import (
    ByEntity,
    KeyId,
    agreed_keys,
    certificate_of,
    certificate_request_of,
    export_certificate,
    generate_certificate_request,
    generate_key_pair,
    import_certificate,
    key_agreement,
    key_transfer,
    security_activate,
)
from sessions.dlms.selective_access import EntryDescriptor
from sessions.simulator.ciphering import CIPHERED_TAGS, ServerCiphering
from sessions.simulator.device import MeterSecurity
from sessions.simulator.key_store import issue_for
from tests.sessions.simulator.pair import Pair, counting_random
from tests.sessions.simulator.served import lab_meter

KEY, GAK, DEDICATED = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))
CLIENT, SERVER = b"CLIENT01", b"SERVER01"
GET = bytes.fromhex("c001c100080000010000ff0200")
ANSWER = bytes.fromhex("c401c10003")
CONTROLS = {
    Protection.AUTHENTICATED: SecurityControl(authenticated=True),
    Protection.ENCRYPTED: SecurityControl(encrypted=True),
    Protection.AUTHENTICATED_ENCRYPTED: SecurityControl(authenticated=True, encrypted=True),
}
BOTH = CONTROLS[Protection.AUTHENTICATED_ENCRYPTED]
GENERAL = {False: 0xDB, True: 0xDC}


def ciphering(
    protection: Protection = Protection.AUTHENTICATED_ENCRYPTED, *, dedicated: bool = False
) -> ServerCiphering:
    made = ServerCiphering(MeterSecurity(guek=KEY, gak=GAK, first_counter=70), SERVER)
    made.client_system_title = CLIENT
    made.protection = protection
    made.agree(DEDICATED if dedicated else None)
    return made


def sealed(
    plaintext: bytes = GET,
    *,
    control: SecurityControl = BOTH,
    counter: int = 1,
    key: bytes = KEY,
    tag: int | None = None,
    dedicated: bool = False,
    general: bool = False,
    title: bytes = CLIENT,
) -> bytes:
    payload = protect(plaintext, control=control, key=key, gak=GAK, system_title=CLIENT, invocation_counter=counter)
    if general:
        return Writer().u8(GENERAL[dedicated]).octet_string(title).octet_string(payload).octets()
    tags = DED_TAGS if dedicated else GLO_TAGS
    return Writer().u8(tag or tags[plaintext[0]]).octet_string(payload).octets()


@pytest.mark.parametrize("protection", CONTROLS)
@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("general", [False, True])
def test_the_answer_mirrors_the_request(protection, dedicated, general):
    ours = ciphering(protection, dedicated=dedicated)
    key = DEDICATED if dedicated else KEY
    plaintext, envelope = ours.open(sealed(control=CONTROLS[protection], key=key, dedicated=dedicated, general=general))
    assert plaintext == GET
    octets = ours.seal(ANSWER, envelope)
    assert len(octets) <= len(ANSWER) + envelope.overhead
    answer = decode_apdu(octets)
    assert isinstance(answer, GeneralCipheredApdu if general else CipheredApdu)
    assert answer.dedicated is dedicated
    assert answer.invocation_counter == (0 if dedicated else 70)
    control, _, opened = unprotect(answer.payload, key=key, gak=GAK, system_title=SERVER)
    assert (control, opened) == (CONTROLS[protection], ANSWER)


def test_its_own_counter_is_used_once():
    ours = ciphering()
    _, envelope = ours.open(sealed())
    counters = [decode_apdu(ours.seal(ANSWER, envelope)).invocation_counter for _ in range(3)]
    assert counters == [70, 71, 72]


@pytest.mark.parametrize("counter", [0, 4, 5])
def test_a_counter_that_was_seen_is_refused(counter):
    ours = ciphering()
    ours.open(sealed(counter=5))
    with pytest.raises(SecurityError, match="at least 6") as refused:
        ours.open(sealed(counter=counter))
    assert refused.value.code == "replayed-counter"
    assert ours.expected_counter == 6
    ours.open(sealed(counter=6))


def test_each_key_has_a_floor_of_its_own():
    ours = ciphering(dedicated=True)
    ours.open(sealed(counter=50))
    ours.open(sealed(counter=3, key=DEDICATED, dedicated=True))
    assert ours.expected_counter == 4


def test_a_forged_message_moves_no_counter():
    ours = ciphering()
    with pytest.raises(SecurityError, match="tag"):
        ours.open(sealed(counter=1000, key=bytes(16)))
    ours.open(sealed(counter=1))


@pytest.mark.parametrize("demanded", CONTROLS)
@pytest.mark.parametrize("used", CONTROLS)
def test_less_protection_than_agreed_is_refused(demanded, used):
    weaker = (demanded.authenticated and not used.authenticated) or (demanded.encrypted and not used.encrypted)
    ours = ciphering(demanded)
    if weaker:
        with pytest.raises(SecurityError, match="less than"):
            ours.open(sealed(control=CONTROLS[used]))
    else:
        assert ours.open(sealed(control=CONTROLS[used]))[0] == GET


REFUSED = {
    "no protection under a ciphered tag": (sealed(control=SecurityControl()), "protection-too-weak"),
    "another suite": (bytes([0xC8, 30, 0x31]) + sealed()[3:], "wrong-suite"),
    "the broadcast key": (bytes([0xC8, 30, 0x70]) + sealed()[3:], "wrong-suite"),
    "another tag outside": (sealed(tag=GLO_TAGS[0xC1]), "wrong-tag"),
    "another title": (sealed(general=True, title=b"SOMEBODY"), "wrong-title"),
    "a dedicated key that was not agreed": (sealed(dedicated=True), "no-dedicated-key"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case):
    octets, code = REFUSED[case]
    with pytest.raises(SecurityError) as refused:
        ciphering().open(octets)
    assert refused.value.code == code


def test_an_empty_title_is_the_associations():
    assert ciphering().open(sealed(general=True, title=b""))[0] == GET


@pytest.mark.parametrize(("title", "key"), [(b"", KEY), (CLIENT, b"")])
def test_without_title_or_key_nothing_is_opened(title, key):
    ours = ServerCiphering(MeterSecurity(guek=key, gak=GAK), SERVER)
    ours.client_system_title = title
    with pytest.raises(SecurityError) as refused:
        ours.open(sealed())
    assert refused.value.code == "no-key"


def test_a_new_association_begins_the_dedicated_counters_again():
    ours = ciphering(dedicated=True)
    ours.open(sealed(key=DEDICATED, dedicated=True, counter=9))
    ours.agree(DEDICATED)
    ours.open(sealed(key=DEDICATED, dedicated=True, counter=0))


@pytest.mark.parametrize("general", [False, True])
def test_every_truncation_and_any_extra_octet_is_refused(general):
    whole = sealed(general=general)
    for bad in [*(whole[:size] for size in range(1, len(whole))), whole + b"\x00"]:
        with pytest.raises((DecodeError, SecurityError)):
            ciphering().open(bad)


def test_the_ciphered_tags_are_known():
    assert {0x21, 0xC8, 0xD0, 0xDB, 0xDC} <= CIPHERED_TAGS
    assert not {0xC0, 0x60, 0x62, 0xD8} & CIPHERED_TAGS


# -- general-ciphering and general-signing, over the whole way ---------------------------------------------------------


FORMS = [
    pytest.param(suite, ciphering, signed, protection, id=f"suite {suite}, {ciphering}{' signed' if signed else ''}")
    for suite in (1, 2)
    for ciphering in (None, "guek", "wrapped", "one-pass", "static-unified")
    for signed in (False, True)
    if ciphering or signed
    for protection in ("authenticated-encrypted",)
] + [
    pytest.param(1, None, True, "none", id="suite 1, signed in clear"),
    pytest.param(0, "guek", False, "authenticated", id="suite 0, guek authenticated"),
    pytest.param(0, "wrapped", False, "encrypted", id="suite 0, wrapped encrypted"),
]
SERIAL = "0-0:96.1.0*255"
SETUP = "0-0:43.0.0*255"


def suite_meter(suite, ciphering=None, signed=False, protection="authenticated-encrypted", **changes):
    size = 32 if suite == 2 else 16
    association = {
        "client_sap": 1,
        "authentication": "none" if protection == "none" else "hls-gmac",
        "protection": protection,
        "security_suite": suite,
        "client_system_title": "4D57424D57422D33",
        "guek": bytes(range(size)).hex(),
        "gak": bytes(range(100, 100 + size)).hex(),
        "kek": bytes(range(200, 200 + size)).hex(),
        "gbek": bytes(range(150, 150 + size)).hex(),
    }
    if ciphering or signed:
        association["general"] = {"signed": signed, **({"ciphering": ciphering} if ciphering else {})}
    keys = {"key_pairs": {"seed": "test"}} if suite else {}
    return lab_meter(association, **keys, **changes)


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize(("suite", "general_form", "signed", "protection"), FORMS)
def test_our_client_and_a_meter_under_every_general_protection(suite, general_form, signed, protection, hdlc):
    meter = suite_meter(suite, general_form, signed, protection, **({"physical_address": 17} if hdlc else {}))
    pair = Pair(meter)
    pair.open()
    assert pair.get(1, SERIAL, 2).value == meter.serial_number.encode()
    assert pair.set(1, "0-0:96.1.10*255", 2, octet_string(b"here")) is DataAccessResult.SUCCESS
    assert pair.get(1, "0-0:96.1.10*255", 2).value == b"here"
    assert pair.release() == ""


def test_blocks_stay_within_what_the_client_takes():
    pair = Pair(suite_meter(1, "one-pass", True, max_pdu_size=1024))
    pair.open()
    pair.get(7, "1-0:99.1.0*255", 2, EntryDescriptor(1, 150).to_selective_access())
    assert len(pair.blocks) > 2
    assert max(pair.sizes) <= 1024 + 8  # the wrapper's header


def test_a_meter_whose_policy_asks_for_signatures_takes_nothing_less():
    meter = suite_meter(1, "guek", True)
    assert meter.device.security.policy == 0xFC
    pair = Pair(meter, general={"ciphering": "guek"})
    with pytest.raises(ExceptionResponseError):
        pair.open()
    signed = Pair(meter, counters=range(20_000, 21_000))
    signed.open()
    assert signed.get(1, SERIAL, 2)


def test_a_policy_holds_from_the_next_request_on():
    meter = suite_meter(1, "guek", True)
    security = meter.device.security
    security.policy = 0
    pair = Pair(meter, general={"ciphering": "guek"})
    pair.open()
    assert pair.action(64, SETUP, 1, security_activate(0x6C).parameters) == (ActionResult.SUCCESS, None)
    assert pair.get(64, SETUP, 2).value == 0x6C
    assert pair.action(64, SETUP, 1, security_activate(0x7C).parameters) == (ActionResult.SUCCESS, None)
    with pytest.raises(ExceptionResponseError):
        pair.get(64, SETUP, 2)


def test_answers_are_signed_where_the_policy_says_so_even_if_the_request_is_not():
    meter = suite_meter(1, "guek", True)
    meter.device.security.policy = 0x80
    server = ServerCiphering(meter.device.security, meter.device.server_system_title, counting_random())
    server.client_system_title, server.policed = bytes.fromhex("4D57424D57422D33"), True
    client = Ciphering(
        replace(parse_association(meter.association).parameters, general=GeneralProtection(ciphering=KeyChoice.GUEK)),
        InvocationCounters(range(100)),
        counting_random(),
    )
    client.start()
    _, envelope = server.open(client.protect(GET))
    server.check_signed(envelope)
    answer = server.seal(ANSWER, envelope)
    assert len(answer) > 64 + 64
    assert client.unprotect(answer) == (ANSWER, True)
    plain = Pair(meter, counters=range(20_000, 21_000), general=None)
    with pytest.raises(ExceptionResponseError):  # nothing to sign the answer to
        plain.open()


def test_the_public_client_is_not_policed():
    meter = suite_meter(1)
    pair = Pair(meter, client_sap=16, authentication="none", protection="none")
    pair.open()
    assert pair.get(1, "0-0:43.1.0*255", 2)


def test_a_replayed_request_is_not_served_again():
    meter = suite_meter(1, None, True, "none")
    pair = Pair(meter)
    pair.open()
    sent = []
    station = pair.station
    receive = station.receive_octets
    station.receive_octets = lambda octets, now: (sent.append(octets), receive(octets, now))[1]
    pair.get(1, SERIAL, 2)
    receive(sent[-1], pair.now)
    answer = station.octets_to_send()
    assert answer[8:] == bytes((0xD8, 1, 5)), answer.hex()


@pytest.mark.parametrize(
    ("suite", "general_form", "signed"), [(0, None, False), (1, "one-pass", True), (2, None, False)]
)
@pytest.mark.parametrize("key_id", [KeyId.GUEK, KeyId.GAK])
def test_a_key_transfer_is_answered_under_the_old_keys_and_the_new_ones_hold_from_then_on(
    suite, general_form, signed, key_id
):
    meter = suite_meter(suite, general_form, signed)
    pair = Pair(meter)
    pair.open()
    security, size = meter.device.security, 32 if suite == 2 else 16
    new = bytes(range(1, size + 1))
    call = key_transfer({key_id: new}, kek=security.kek, suite=suite)
    assert pair.action(64, SETUP, 2, call.parameters) == (ActionResult.SUCCESS, None)
    assert getattr(security, key_id.name.lower()) == new
    if key_id is KeyId.GAK or general_form is None:  # an agreed key does not depend on the global one
        with pytest.raises(DlmsError):  # this association still has the old key
            pair.get(1, SERIAL, 2)
    first = 50 if key_id is KeyId.GUEK else 20_000  # the counters of a new encryption key begin anew
    again = Pair(meter, counters=range(first, first + 1000), **{key_id.name.lower(): new.hex()})
    again.open()
    assert again.get(1, SERIAL, 2).value == meter.serial_number.encode()


@pytest.mark.parametrize("suite", [1, 2])
def test_a_key_agreement_over_the_line(suite):
    meter = suite_meter(suite)
    pair = Pair(meter)
    pair.open()
    parameters = pair.association.parameters
    curve = curve_of_suite(suite)
    ours = {KeyId.GUEK: private_from_random(bytes(range(random_octets(curve))), curve)}
    call = key_agreement(ours, signing_key=parameters.client_signing_key)
    result, answer = pair.action(64, SETUP, 3, call.parameters)
    assert result is ActionResult.SUCCESS
    agreed = agreed_keys(
        answer,
        ours,
        server_signing_key=parameters.server_signing_key,
        suite=suite,
        client=parameters.client_system_title,
        server=meter.device.server_system_title,
    )
    again = Pair(meter, guek=agreed[KeyId.GUEK].hex())
    again.open()
    assert again.get(1, SERIAL, 2).value == meter.serial_number.encode()


def test_a_new_key_pair_over_the_line():
    """Generate, request, import, export: and the meter signs with the new key from then on."""
    meter = suite_meter(1, None, True)
    pair = Pair(meter)
    pair.open()
    use = CertificateType.DIGITAL_SIGNATURE
    assert pair.action(64, SETUP, 4, generate_key_pair(use).parameters) == (ActionResult.SUCCESS, None)
    _, answer = pair.action(64, SETUP, 5, generate_certificate_request(use).parameters)
    der, _ = certificate_request_of(answer)
    certificate = issue_for("test", 1, der, serial_number=4711)
    call = import_certificate(certificate)
    assert pair.action(64, SETUP, 6, call.parameters) == (ActionResult.SUCCESS, None)  # signed by the old key
    with pytest.raises(SecurityError) as refused:
        pair.get(1, SERIAL, 2)
    assert refused.value.code == "bad-signature"
    again = Pair(meter, counters=range(20_000, 21_000), server_signing_key=certificate.pem)
    again.open()
    which = ByEntity(entity=CertificateEntity.SERVER, type=use, system_title=meter.device.server_system_title)
    _, answer = again.action(64, SETUP, 7, export_certificate(which).parameters)
    assert certificate_of(answer) == certificate


def test_a_wrong_certificate_of_the_meter_is_noticed():
    meter = suite_meter(1, "guek", True)
    other = lab_meter(
        {**suite_association(meter), "client_sap": 1}, serial_number="10000009", key_pairs={"seed": "another"}
    )
    pair = Pair(meter, server_signing_key=other.association["server_signing_key"])
    with pytest.raises(SecurityError) as refused:
        pair.open()
    assert refused.value.code == "bad-signature"


def suite_association(meter):
    left_out = ("server_", "client_signing", "client_key", "general", "framing")
    return {name: value for name, value in meter.association.items() if not name.startswith(left_out)}


# -- what answers are promised to have ------------------------------------------------------------------------------------

P = Protection


def promising(request: Protection, response: Protection, **more) -> ServerCiphering:
    made = ciphering(request, **more)
    made.response_protection = response
    return made


@pytest.mark.parametrize("asked", [P.AUTHENTICATED, P.ENCRYPTED, P.AUTHENTICATED_ENCRYPTED])
@pytest.mark.parametrize("promised", P)
@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("dedicated", [False, True])
def test_an_answer_is_in_kind_and_at_least_as_promised(asked, promised, general, dedicated):
    server = promising(P.NONE, promised, dedicated=dedicated)
    key = DEDICATED if dedicated else KEY
    _, envelope = server.open(sealed(control=CONTROLS[asked], key=key, general=general, dedicated=dedicated))
    answer = server.seal(ANSWER, server.answered(envelope))
    apdu = decode_apdu(answer)
    assert (isinstance(apdu, GeneralCipheredApdu), apdu.dedicated) == (general, dedicated)
    protection = P.of(apdu.security_control.authenticated, apdu.security_control.encrypted)
    assert protection is asked | promised
    assert unprotect(apdu.payload, key=key, gak=GAK, system_title=SERVER)[2] == ANSWER


@pytest.mark.parametrize("promised", [P.AUTHENTICATED, P.ENCRYPTED, P.AUTHENTICATED_ENCRYPTED])
@pytest.mark.parametrize("dedicated", [False, True])
@pytest.mark.parametrize("initiate", [False, True])
def test_a_request_in_clear_is_answered_as_promised(promised, dedicated, initiate):
    server = promising(P.NONE, promised, dedicated=dedicated)
    assert server.suffices_in_clear
    envelope = server.answered(None, dedicated=not initiate)
    assert envelope is not None
    apdu = decode_apdu(server.seal(ANSWER, envelope))
    assert apdu.tag == (DED_TAGS if dedicated and not initiate else GLO_TAGS)[ANSWER[0]]
    assert P.of(apdu.security_control.authenticated, apdu.security_control.encrypted) is promised
    assert envelope.overhead >= len(server.seal(ANSWER, envelope)) - len(ANSWER)


def test_without_a_promise_answers_stay_as_the_request_was():
    server = promising(P.NONE, P.NONE)
    assert server.answered(None) is None
    _, envelope = server.open(sealed())
    assert server.answered(envelope) is envelope


def test_an_answer_without_a_ciphered_form_of_its_own_goes_in_a_general_envelope():
    server = promising(P.NONE, P.AUTHENTICATED_ENCRYPTED)
    apdu = decode_apdu(server.seal(b"\xda\x00\x00\x00\x01\x00\x00\x00", server.answered(None)))
    assert isinstance(apdu, GeneralCipheredApdu)


def test_the_policy_adds_to_what_the_association_demands_and_promises():
    server = promising(P.AUTHENTICATED, P.NONE)
    server._security.policy, server._security.policy_version = 0x48, 1
    assert (server.demanded, server.promised) == (P.AUTHENTICATED, P.NONE)
    server.policed = True
    assert (server.demanded, server.promised) == (P.AUTHENTICATED_ENCRYPTED, P.ENCRYPTED)


def test_an_encrypted_forgery_with_another_key_moves_no_counter():
    server = ciphering(P.ENCRYPTED)
    forged = sealed(control=CONTROLS[P.ENCRYPTED], counter=0xFFFFFFF0, key=bytes(16))
    with pytest.raises(SecurityError):
        server.open(forged)
    assert server.expected_counter == 0


@pytest.mark.parametrize("bit", range(96))
def test_every_bit_of_the_clients_tag_counts(bit):
    octets = bytearray(sealed())
    octets[-12 + bit // 8] ^= 1 << bit % 8
    server = ciphering()
    with pytest.raises(SecurityError) as refused:
        server.open(bytes(octets))
    assert refused.value.code == "bad-tag"
    assert server.expected_counter == 0
