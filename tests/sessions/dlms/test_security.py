import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.security import (
    TAG_OCTETS,
    SecurityControl,
    protect,
    unprotect,
)
from tests.vectors import octets, of_kind

KEY = bytes(range(16))
GAK = bytes(range(0xD0, 0xE0))
TITLE = bytes.fromhex("4D4D4D0000BC614E")
PLAIN = bytes.fromhex("C0010000080000010000FF0200")
COUNTER = 0x01234567
VECTORS = {0x10: "glo-get-10", 0x20: "glo-get-20", 0x30: "glo-get-30"}


def shield(octet: int, plaintext: bytes = PLAIN, **changes):
    values = {"key": KEY, "gak": GAK, "system_title": TITLE, "invocation_counter": COUNTER, **changes}
    return protect(plaintext, control=SecurityControl.decode(octet), **values)


@pytest.mark.parametrize("octet", VECTORS)
def test_the_green_books_vectors(octet):
    wire = octets(VECTORS[octet])[2:]  # behind tag and length
    assert shield(octet) == wire
    control, counter, plaintext = unprotect(wire, key=KEY, gak=GAK, system_title=TITLE)
    assert (control.encode(), counter, plaintext) == (octet, COUNTER, PLAIN)


@pytest.mark.parametrize("octet", [0x10, 0x30])
def test_every_single_bit_matters(octet):
    wire = shield(octet)
    for bit in range(len(wire) * 8):
        altered = bytearray(wire)
        altered[bit // 8] ^= 1 << bit % 8
        # The bits that choose suite and protection lead to other refusals, or to no tag at all: never to this text as
        # authenticated text.
        try:
            control, _, plaintext = unprotect(bytes(altered), key=KEY, gak=GAK, system_title=TITLE)
        except (SecurityError, LocalProtocolError):
            continue
        assert not control.authenticated, bit
        assert bit // 8 == 0, plaintext


@pytest.mark.parametrize("octet", [0x10, 0x30])
@pytest.mark.parametrize("change", ["key", "gak", "system_title"])
def test_another_key_or_title_is_refused(octet, change):
    values = {"key": KEY, "gak": GAK, "system_title": TITLE}
    values[change] = bytes(len(values[change]))
    with pytest.raises(SecurityError) as refused:
        unprotect(shield(octet), **values)
    assert refused.value.code == "bad-tag"


@pytest.mark.parametrize("octet", [0x10, 0x30])
def test_a_shorter_tag_is_no_tag(octet):
    wire = shield(octet)
    for cut in range(len(wire)):
        with pytest.raises(SecurityError):
            unprotect(wire[:cut], key=KEY, gak=GAK, system_title=TITLE)


def test_compression_is_refused_by_name():
    with pytest.raises(SecurityError, match="compressed"):
        unprotect(shield(0xB0), key=KEY, gak=GAK, system_title=TITLE)


@pytest.mark.parametrize(
    ("octet", "changes", "code"),
    [
        (0x30, {"key": bytes(15)}, "bad-key-length"),
        (0x30, {"gak": bytes(17)}, "bad-key-length"),
        (0x32, {}, "bad-key-length"),
        (0x33, {}, "unknown-suite"),
        (0x30, {"system_title": bytes(7)}, "bad-system-title"),
        (0x30, {"invocation_counter": 2**32}, "counters-exhausted"),
        (0x20, {"invocation_counter": -1}, "counters-exhausted"),
    ],
)
def test_wrong_material_is_our_own_mistake(octet, changes, code):
    with pytest.raises(LocalProtocolError) as refused:
        shield(octet, **changes)
    assert refused.value.code == code


@given(
    st.binary(max_size=200),
    st.sampled_from([0x10, 0x20, 0x30, 0x31]),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_what_is_protected_comes_out_again(plaintext, octet, counter):
    wire = shield(octet, plaintext, invocation_counter=counter)
    assert len(wire) == 5 + len(plaintext) + (TAG_OCTETS if octet & 0x10 else 0)
    assert unprotect(wire, key=KEY, gak=GAK, system_title=TITLE)[1:] == (counter, plaintext)


def test_suite_2_takes_long_keys():
    long_key = bytes(range(32))
    wire = shield(0x32, key=long_key, gak=long_key)
    assert unprotect(wire, key=long_key, gak=long_key, system_title=TITLE)[2] == PLAIN


def test_the_header_of_general_ciphering_is_authenticated():
    wire = shield(0x30, header=b"parties")
    assert unprotect(wire, key=KEY, gak=GAK, system_title=TITLE, header=b"parties")[2] == PLAIN
    with pytest.raises(SecurityError):
        unprotect(wire, key=KEY, gak=GAK, system_title=TITLE, header=b"others.")


def test_security_control_goes_round_and_speaks():
    for octet in range(256):
        assert SecurityControl.decode(octet).encode() == octet
    assert str(SecurityControl.decode(0x30)) == "authenticated and encrypted, suite 0"
    assert str(SecurityControl.decode(0x00)) == "unprotected, suite 0"


def test_the_smart_metering_telegram_both_ways():
    """An encrypted P1 telegram: general-glo-ciphering whose length has an octet more than it needs."""
    vector = next(vector for vector in of_kind("smarty"))
    wire, key, additional = (bytes.fromhex(vector[name]) for name in ("hex", "key", "aad"))
    apdu = decode_apdu(wire)
    control, counter, text = unprotect(apdu.payload, key=key, gak=additional[1:], system_title=apdu.system_title)
    assert text.startswith(b"/EST5\\253710000_A\r\n")
    assert text.endswith(b"!E779\r\n")
    assert additional[:1] == bytes((control.encode(),))
    again = protect(
        text, control=control, key=key, gak=additional[1:], system_title=apdu.system_title, invocation_counter=counter
    )
    assert again == apdu.payload
    assert wire.endswith(again)


def test_the_push_over_two_m_bus_frames_both_ways():
    """Encrypted only, with suite 1 in the security control; each long frame has five octets of its own before its part."""
    vector = next(vector for vector in of_kind("mbus"))
    wire, key = bytes.fromhex(vector["hex"]), bytes.fromhex(vector["key"])
    octets_, at = b"", 0
    while at < len(wire):
        octets_ += wire[at + 4 + 5 : at + 4 + wire[at + 1]]
        at += wire[at + 1] + 6
    apdu = decode_apdu(octets_)
    assert (apdu.system_title, apdu.invocation_counter) == (bytes.fromhex(vector["st"]), int(vector["ic"], 16))
    control, counter, plaintext = unprotect(apdu.payload, key=key, gak=b"", system_title=apdu.system_title)
    assert decode_apdu(plaintext).summary().startswith("data notification of 2021-07-19 15:46:35")
    again = protect(
        plaintext, control=control, key=key, gak=b"", system_title=apdu.system_title, invocation_counter=counter
    )
    assert again == apdu.payload
