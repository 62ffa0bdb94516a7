"""Protection of whole APDUs: which key when, what is believed of what comes, and how much fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import octet_string
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GeneralCipheredApdu
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.association import AssociationParameters, Protection, check_parameters
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.ciphering import TRANSITIONS, Ciphering, CipheringEvent, CipheringState
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import DecodeError, LocalProtocolError, SecurityError
from sessions.dlms.general_ciphering import GLOBAL_BROADCAST, encipher, identified_key
from sessions.dlms.general_protection import GeneralProtection, KeyChoice
from sessions.dlms.protection import CipheringForm
from sessions.dlms.security import SecurityControl, protect, unprotect
from sessions.dlms.transactions import Shape

from .parties import CLIENT_TITLE, counting_random, keys_of, party
from .parties import SERVER_TITLE as PEER_TITLE
from .scripted import DEDICATED, GAK, GUEK, SERVER_TITLE, parameters, suite_parameters

P = Protection
BOTH = SecurityControl(0, True, True)
REQUEST = bytes.fromhex("C0010000080000010000FF0200")
ANSWER = GetResponseNormal(InvokeIdAndPriority(1), octet_string(b"value")).encode()


def ciphering(protection=P.AUTHENTICATED_ENCRYPTED, *, start=0, dedicated=False, **changes) -> Ciphering:
    agreed = parameters(
        AuthenticationMechanism.NONE, protection, dedicated_key=DEDICATED if dedicated else None, **changes
    )
    one = Ciphering(agreed, InvocationCounters(range(start, start + 1000)))
    one.server_system_title = SERVER_TITLE
    one.start()
    return one


def wrap(tag: int, plain: bytes, counter: int, **changes) -> bytes:
    """An answer of the meter under tag `tag`."""
    arguments = {"control": BOTH, "key": GUEK, "gak": GAK, "system_title": SERVER_TITLE, **changes}
    payload = protect(plain, invocation_counter=counter, **arguments)
    return bytes((tag, len(payload))) + payload


@pytest.mark.parametrize("state", CipheringState)
@pytest.mark.parametrize("event", CipheringEvent)
def test_every_state_with_every_event(state, event):
    one = ciphering()
    one.state = state
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError):
            one.fire(event)
        assert one.state is state
    else:
        one.fire(event)
        assert one.state is expected


def test_without_protection_everything_goes_in_clear():
    one = ciphering(P.NONE)
    one.agree(Conformance.GENERAL_PROTECTION)
    assert one.state is CipheringState.CLEAR
    assert one.protect(REQUEST) == one.protect_initiate(REQUEST) == REQUEST
    assert one.unprotect(ANSWER) == (ANSWER, False)
    one.end()


@pytest.mark.parametrize(
    ("protection", "octets"),
    [
        (P.AUTHENTICATED, "C81E1001234567C0010000080000010000FF020006725D910F9221D263877516"),
        (P.ENCRYPTED, "C8122001234567411312FF935A47566827C467BC"),
        (P.AUTHENTICATED_ENCRYPTED, "C81E3001234567411312FF935A47566827C467BC7D825C3BE4A77C3FCC056B6B"),
    ],
)
def test_the_vectors_of_the_green_book(protection, octets):
    one = ciphering(protection, start=0x01234567, client_system_title=SERVER_TITLE)
    assert one.protect(REQUEST).hex().upper() == octets


def test_the_dedicated_key_takes_over_when_it_is_agreed():
    one = ciphering(dedicated=True)
    initiate = bytes.fromhex("01000000065F1F0400007E1F04B0")
    assert one.protect(REQUEST)[0] == 0xC8
    one.agree(Conformance.GENERAL_PROTECTION)
    first, second = one.protect(REQUEST), one.protect(REQUEST)
    assert (first[0], second[0]) == (0xD0, 0xD0)
    assert (first[3:7], second[3:7]) == (bytes(4), b"\x00\x00\x00\x01")
    assert one.protect_initiate(initiate)[0] == 0x21


def test_every_counter_goes_out_once():
    one = ciphering(start=7)
    octets = [one.protect(REQUEST)[3:7] for _ in range(3)] + [one.protect_initiate(b"\x01\x00")[3:7]]
    assert [int.from_bytes(each, "big") for each in octets] == [7, 8, 9, 10]
    assert one.take_counter() == 11


@pytest.mark.parametrize("tag", [0xCC, 0xDB])
def test_an_answer_under_the_global_key(tag):
    one = ciphering()
    octets = wrap(0xCC, ANSWER, 5)
    if tag == 0xDB:
        payload = octets[2:]
        octets = GeneralCipheredApdu(0xDB, SERVER_TITLE, BOTH, 5, payload[5:]).encode()
    assert one.unprotect(octets) == (ANSWER, True)


def test_an_answer_under_the_dedicated_key():
    one = ciphering(dedicated=True)
    octets = wrap(0xD4, ANSWER, 0, key=DEDICATED)
    with pytest.raises(SecurityError) as raised:
        one.unprotect(octets)
    assert raised.value.code == "no-dedicated-key"
    one.agree(Conformance.GENERAL_PROTECTION)
    assert one.unprotect(octets) == (ANSWER, True)


def test_the_two_keys_count_apart():
    one = ciphering(dedicated=True)
    one.agree(Conformance.GENERAL_PROTECTION)
    one.unprotect(wrap(0xCC, ANSWER, 500))
    one.unprotect(wrap(0xD4, ANSWER, 0, key=DEDICATED))
    with pytest.raises(SecurityError):
        one.unprotect(wrap(0xD4, ANSWER, 0, key=DEDICATED))


def test_counters_must_rise_and_may_leap():
    one = ciphering()
    for counter in (0, 1, 7, 0xFFFFFFFE):
        one.unprotect(wrap(0xCC, ANSWER, counter))
    for counter in (0, 7, 0xFFFFFFFE):
        with pytest.raises(SecurityError) as raised:
            one.unprotect(wrap(0xCC, ANSWER, counter))
        assert raised.value.code == "replayed-counter"
    one.unprotect(wrap(0xCC, ANSWER, 0xFFFFFFFF))


def test_a_forgery_with_a_high_counter_moves_nothing():
    one = ciphering()
    with pytest.raises(SecurityError) as raised:
        one.unprotect(wrap(0xCC, ANSWER, 0xFFFFFFFF, key=bytes(16)))
    assert raised.value.code == "bad-tag"
    one.unprotect(wrap(0xCC, ANSWER, 1))


@pytest.mark.parametrize("bit", range(96))
def test_every_bit_of_the_tag_counts(bit):
    octets = bytearray(wrap(0xCC, ANSWER, 1))
    octets[-12 + bit // 8] ^= 1 << bit % 8
    with pytest.raises(SecurityError) as raised:
        ciphering().unprotect(bytes(octets))
    assert raised.value.code == "bad-tag"


def test_the_tag_outside_says_what_stands_inside():
    with pytest.raises(SecurityError) as raised:
        ciphering().unprotect(wrap(0xCD, ANSWER, 1))
    assert raised.value.code == "wrong-contents"


def test_a_wrong_key_without_authentication_is_noticed_by_what_comes_out():
    one = ciphering(P.ENCRYPTED)
    octets = wrap(0xCC, ANSWER, 1, control=SecurityControl(0, False, True), key=bytes(16))
    with pytest.raises(SecurityError) as raised:
        one.unprotect(octets)
    assert raised.value.code == "wrong-contents"


def test_an_apdu_from_somebody_else():
    octets = GeneralCipheredApdu(0xDB, bytes(8), BOTH, 1, wrap(0xCC, ANSWER, 1)[7:]).encode()
    with pytest.raises(SecurityError) as raised:
        ciphering().unprotect(octets)
    assert raised.value.code == "wrong-system-title"


def test_a_meter_without_a_title():
    one = ciphering()
    one.server_system_title = None
    with pytest.raises(SecurityError) as raised:
        one.unprotect(wrap(0xCC, ANSWER, 1))
    assert raised.value.code == "no-server-system-title"


@pytest.mark.parametrize(
    "octets", [ANSWER, b"", b"\x08\x00", bytes.fromhex("C501C100"), bytes.fromhex("610101"), b"\xe0\x80"]
)
def test_what_may_not_come_in_clear(octets):
    with pytest.raises(SecurityError) as raised:
        ciphering().unprotect(octets)
    assert raised.value.code == "protection-too-weak"


@pytest.mark.parametrize("octets", ["D80102", "0E010600", "0F000000010000", "C200"])
def test_what_may_come_in_clear(octets):
    assert ciphering().unprotect(bytes.fromhex(octets)) == (bytes.fromhex(octets), False)


def test_ciphering_that_nobody_agreed_on():
    with pytest.raises(SecurityError) as raised:
        ciphering(P.NONE).unprotect(wrap(0xCC, ANSWER, 1))
    assert raised.value.code == "unexpected-protection"


def test_every_truncation_is_refused():
    octets = wrap(0xCC, ANSWER, 1)
    for size in range(len(octets)):
        with pytest.raises((SecurityError, DecodeError)):
            ciphering().unprotect(octets[:size])


@given(octets=st.binary(max_size=60))
@settings(max_examples=300)
def test_rubbish_is_refused_in_kind(octets):
    for tag in (0xCC, 0xD4, 0xDB, 0x28):
        with pytest.raises((SecurityError, DecodeError)):
            ciphering(dedicated=True).unprotect(bytes((tag,)) + octets)


@pytest.mark.parametrize("form", CipheringForm)
@pytest.mark.parametrize("protection", P)
@given(size=st.integers(50, 70_000))
@settings(max_examples=40, deadline=None)
def test_what_fits_goes_out_no_longer_than_allowed(protection, form, size):
    one = ciphering(protection, ciphering_form=form)
    one.agree(Conformance.GENERAL_PROTECTION)
    capacity = one.capacity(size)
    assert len(one.protect(b"\xc0" + bytes(capacity - 1))) <= size
    assert len(one.protect(b"\xc0" + bytes(capacity))) > size


def test_an_association_without_counters():
    one = Ciphering(parameters(AuthenticationMechanism.NONE, P.ENCRYPTED), None)
    one.start()
    with pytest.raises(LocalProtocolError) as raised:
        one.protect(REQUEST)
    assert raised.value.code == "counters-missing"


# -- general-ciphering and general-signing -----------------------------------------------------------------------------

GENERAL = [
    GeneralProtection(ciphering=choice, signed=signed)
    for choice in (None, *KeyChoice)
    for signed in (False, True)
    if choice or signed
]
PUSH = bytes.fromhex("0F000000010006000000FF")


def general(settings, protection=P.AUTHENTICATED_ENCRYPTED, *, suite=1, dedicated=False, **changes):
    """The client's ciphering, and a meter that opens and answers transactions with the other keys."""
    keys, size = keys_of("client", suite), 32 if suite == 2 else 16
    agreed = AssociationParameters(
        protection=protection,
        security_suite=suite,
        client_system_title=CLIENT_TITLE,
        guek=keys.guek,
        gak=keys.gak,
        kek=keys.kek,
        dedicated_key=b"\x0d" * size if dedicated else None,
        client_signing_key=keys.signing_key,
        client_key_agreement_key=keys.key_agreement_key,
        server_signing_key=keys.peer_signing_key,
        server_key_agreement_key=keys.peer_key_agreement_key,
        general=settings,
        **changes,
    )
    check_parameters(agreed)
    one = Ciphering(agreed, InvocationCounters(range(1000)), counting_random())
    one.server_system_title = PEER_TITLE
    one.start()
    one.agree(Conformance.GENERAL_PROTECTION)
    return one, party("server", suite, settings)


def unwrapped(wire, keys, key=None, title=CLIENT_TITLE):
    """A general-glo- or general-ded-ciphered APDU, opened; anything else as it is."""
    apdu = decode_apdu(wire)
    if not isinstance(apdu, GeneralCipheredApdu):
        return wire, None
    return unprotect(apdu.payload, key=key or keys.guek, gak=keys.gak, system_title=title)[2], apdu.tag


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("settings_", GENERAL, ids=str)
def test_general_protection_of_a_request_and_its_answer(settings_, suite):
    one, meter = general(settings_, suite=suite)
    wire, tag = unwrapped(one.protect(REQUEST), meter.keys)
    assert tag == (None if settings_.ciphering else 0xDB)  # what is only signed is ciphered as everything else is
    request = meter.open(wire)
    assert request.apdu == REQUEST
    assert (request.shape.ciphering, request.shape.signed) == (settings_.ciphering, settings_.signed)
    answer = meter.answer(ANSWER, request)
    if tag is not None:
        answer = wrap_general(answer, meter.keys, 7)
    assert one.unprotect(answer) == (ANSWER, True)
    with pytest.raises(SecurityError):
        one.unprotect(answer)


def wrap_general(plain, keys, counter):
    control = SecurityControl(keys.suite, True, True)
    payload = protect(
        plain, control=control, key=keys.guek, gak=keys.gak, system_title=PEER_TITLE, invocation_counter=counter
    )
    return Writer().u8(0xDB).octet_string(PEER_TITLE).octet_string(payload).octets()


def test_signed_only_in_an_association_without_ciphering():
    one, meter = general(GeneralProtection(signed=True), P.NONE)
    assert one.state is CipheringState.CLEAR
    assert one.protect_initiate(REQUEST) == REQUEST
    request = meter.open(one.protect(REQUEST))
    assert one.unprotect(meter.answer(ANSWER, request)) == (ANSWER, True)


def test_signed_only_under_the_dedicated_key():
    one, meter = general(GeneralProtection(signed=True), dedicated=True)
    wire, tag = unwrapped(one.protect(REQUEST), meter.keys, b"\x0d" * 16)
    assert tag == 0xDC
    assert meter.open(wire).apdu == REQUEST


@pytest.mark.parametrize("settings_", GENERAL, ids=str)
def test_an_answer_that_is_protected_less_is_refused(settings_):
    one, meter = general(settings_)
    wire, tag = unwrapped(one.protect(REQUEST), meter.keys)
    request = meter.open(wire)
    weaker = [ANSWER, wrap_general(ANSWER, meter.keys, 50)]
    if settings_.signed:
        weaker.append(meter.answer(ANSWER, replace(request, shape=replace(request.shape, signed=False))))
    if settings_.ciphering is not None:
        control = SecurityControl(1, authenticated=True)
        weaker.append(meter.answer(ANSWER, replace(request, shape=replace(request.shape, control=control))))
    elif tag is not None:
        weaker.append(meter.answer(ANSWER, request))  # signed, and not ciphered
    if settings_.ciphering is KeyChoice.STATIC_UNIFIED:
        other = replace(request.shape, ciphering=KeyChoice.WRAPPED)
        weaker.append(meter.answer(ANSWER, replace(request, shape=other)))
    for wire in weaker:
        with pytest.raises(SecurityError) as refused:
            one.unprotect(wire)
        assert refused.value.code in ("protection-too-weak", "unexpected-protection")
    # None of them used the transaction up.
    answer = meter.answer(ANSWER, request)
    answer = answer if tag is None else wrap_general(answer, meter.keys, 60)
    assert one.unprotect(answer) == (ANSWER, True)


def test_refusals_and_notifications_may_still_come_in_clear():
    one, _ = general(GENERAL[-1])
    for octets in ("D80102", "0E010600", "0F000000010000"):
        assert one.unprotect(bytes.fromhex(octets)) == (bytes.fromhex(octets), False)


@pytest.mark.parametrize("settings_", [None, *GENERAL], ids=str)
@pytest.mark.parametrize("choice", KeyChoice)
@pytest.mark.parametrize("signed", [False, True])
def test_notifications_under_any_general_protection_are_read_once(settings_, choice, signed):
    """Whatever the association itself uses: the keys decide."""
    one, meter = general(settings_)
    control = SecurityControl(1, True, True)
    wire = meter.begin(PUSH, Shape(control=control, ciphering=choice, signed=signed))
    assert one.unprotect(wire) == (PUSH, True)
    with pytest.raises(SecurityError) as refused:
        one.unprotect(wire)
    assert refused.value.code in ("replayed-transaction", "replayed-counter")


def test_a_notification_that_is_ciphered_less_than_agreed_is_refused():
    one, meter = general(None)
    weak = Shape(control=SecurityControl(1, encrypted=True), ciphering=KeyChoice.WRAPPED)
    with pytest.raises(SecurityError) as refused:
        one.unprotect(meter.begin(PUSH, weak))
    assert refused.value.code == "protection-too-weak"


def test_a_signed_notification_in_an_association_without_ciphering():
    one, meter = general(None, P.NONE)
    wire = meter.begin(PUSH, Shape(signed=True))
    assert one.unprotect(wire) == (PUSH, True)


def test_an_answer_that_nobody_asked_for():
    one, meter = general(GeneralProtection(ciphering=KeyChoice.GUEK))
    wire = meter.begin(ANSWER, Shape(control=SecurityControl(1, True, True), ciphering=KeyChoice.GUEK))
    with pytest.raises(SecurityError) as refused:
        one.unprotect(wire)
    assert refused.value.code == "wrong-transaction"


def test_an_answer_under_the_broadcast_key():
    one, meter = general(GeneralProtection(ciphering=KeyChoice.GUEK), gbek=keys_of("server", 1).gbek)
    transaction = meter.open(one.protect(REQUEST)).transactions[0].answer()
    key = identified_key(meter.keys, GLOBAL_BROADCAST)
    control = SecurityControl(1, True, True)
    wire = encipher(ANSWER, transaction, key, control=control, gak=meter.keys.gak, invocation_counter=1).encode()
    with pytest.raises(SecurityError) as refused:
        one.unprotect(wire)
    assert refused.value.code == "broadcast-key"


def test_without_the_meters_title_nothing_goes_out():
    one, _ = general(GENERAL[-1])
    one.server_system_title = None
    with pytest.raises(LocalProtocolError, match="system title"):
        one.protect(REQUEST)


@pytest.mark.parametrize("settings_", GENERAL, ids=str)
@given(size=st.integers(700, 65_000))
@settings(max_examples=20, deadline=None)
def test_what_fits_under_general_protection_goes_out_no_longer_than_allowed(settings_, size):
    one, _ = general(settings_)
    longest = one.capacity(size)
    assert size - 420 < longest < size
    assert len(one.protect(b"\xc0" + bytes(longest - 1))) <= size


# -- forms, and protection by direction -----------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", [False, True])
@pytest.mark.parametrize("form", CipheringForm)
@pytest.mark.parametrize("dedicated", [False, True])
def test_which_form_a_request_takes(agreed, form, dedicated):
    one = ciphering(dedicated=dedicated, ciphering_form=form)
    one.agree(Conformance.GENERAL_PROTECTION if agreed else Conformance.GET)
    general, own = (0xDC, 0xD0) if dedicated else (0xDB, 0xC8)
    assert one.protect(REQUEST)[0] == (general if agreed and form is CipheringForm.GENERAL else own)
    if agreed:
        assert one.protect(b"\xd9" + REQUEST)[0] == general  # ACCESS has no tag of its own
    else:
        with pytest.raises(LocalProtocolError) as refused:
            one.protect(b"\xd9" + REQUEST)
        assert refused.value.code == "no-ciphered-form"


@pytest.mark.parametrize("asked", P)
@pytest.mark.parametrize("demanded", P)
@pytest.mark.parametrize("came", P)
def test_requests_and_answers_are_judged_apart(asked, demanded, came):
    one = ciphering(asked, response_protection=demanded)
    assert (one.protect(REQUEST) == REQUEST) == (asked is P.NONE)
    control = SecurityControl(0, came.authenticated, came.encrypted)
    octets = ANSWER if came is P.NONE else wrap(0xCC, ANSWER, 1, control=control)
    if came is not P.NONE and asked is P.NONE and demanded is P.NONE:
        code = "unexpected-protection"
    else:
        code = None if came.covers(demanded) else "protection-too-weak"
    if code is None:
        assert one.unprotect(octets) == (ANSWER, came is not P.NONE)
    else:
        with pytest.raises(SecurityError) as refused:
            one.unprotect(octets)
        assert refused.value.code == code


def test_an_envelope_that_protects_nothing_is_no_protection():
    one = ciphering(P.ENCRYPTED, response_protection=P.NONE)
    with pytest.raises(SecurityError) as refused:
        one.unprotect(b"\xcc" + bytes((5 + len(ANSWER),)) + b"\x00\x00\x00\x00\x01" + ANSWER)
    assert refused.value.code == "protection-too-weak"


@pytest.mark.parametrize("inside", ["", "ff00", "cc05", "2a"])
def test_what_no_tag_outside_names_must_be_an_apdu_all_the_same(inside):
    """Under encryption alone nothing but the contents tells a forgery."""
    one = ciphering(P.ENCRYPTED)
    control = SecurityControl(0, False, True)
    payload = wrap(0xCC, bytes.fromhex(inside), 9, control=control)[2:]
    with pytest.raises(SecurityError) as refused:
        one.unprotect(GeneralCipheredApdu(0xDB, SERVER_TITLE, control, 9, payload[5:]).encode())
    assert refused.value.code == "wrong-contents"
    assert one.unprotect(wrap(0xCC, ANSWER, 1, control=control)) == (ANSWER, True)


def test_our_own_apdus_sent_back_are_not_the_meters():
    one = ciphering()
    one.server_system_title = None
    sent = one.protect(REQUEST)
    mirrored = GeneralCipheredApdu(0xDB, one.parameters.client_system_title, BOTH, 0, sent[7:]).encode()
    with pytest.raises(SecurityError) as refused:
        one.unprotect(mirrored)
    assert refused.value.code == "system-title-reflected"


@pytest.mark.parametrize("bit", range(96))
@pytest.mark.parametrize("protection", [P.AUTHENTICATED, P.AUTHENTICATED_ENCRYPTED])
@pytest.mark.parametrize("suite", [1, 2])
def test_every_bit_of_the_tag_counts_in_every_suite(bit, protection, suite):
    agreed = suite_parameters(suite, AuthenticationMechanism.NONE, protection, server_system_title=SERVER_TITLE)
    one = Ciphering(agreed, None)
    one.start()
    payload = bytearray(
        protect(
            ANSWER,
            control=SecurityControl(suite, protection.authenticated, protection.encrypted),
            key=agreed.guek or b"",
            gak=agreed.gak or b"",
            system_title=SERVER_TITLE,
            invocation_counter=1,
        )
    )
    wire = b"\xcc" + bytes((len(payload),))
    good = wire + bytes(payload)
    payload[-12 + bit // 8] ^= 1 << bit % 8
    with pytest.raises(SecurityError) as refused:
        one.unprotect(wire + bytes(payload))
    assert refused.value.code == "bad-tag"
    assert one.unprotect(good) == (ANSWER, True)
