"""The server's protection: what is opened, what is refused, and in which envelope the answer goes."""

from __future__ import annotations

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import DED_TAGS, GLO_TAGS, CipheredApdu, GeneralCipheredApdu
from sessions.dlms.association import Protection
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import DecodeError, SecurityError
from sessions.dlms.security import SecurityControl, protect, unprotect
from sessions.simulator.ciphering import CIPHERED_TAGS, ServerCiphering
from sessions.simulator.device import MeterSecurity

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
