"""Open ciphered octets, and say how sure the result is."""

import pytest

from sessions.dlms.inspector.deciphering import Sealed, Trust, open_sealed
from sessions.dlms.inspector.sense import makes_sense
from sessions.dlms.security import SecurityControl, protect
from tests.sessions.dlms.inspector import samples


def opened(sealed, *, keys=(samples.GUEK,), gak=samples.GAK, titles=(samples.TITLE,)):
    return open_sealed(sealed, keys=keys, authentication_key=gak, titles=titles, makes_sense=makes_sense)


def sealed(octets, header=b""):
    return Sealed(octets[0], int.from_bytes(octets[1:5], "big"), octets[5:], header)


VECTORS = {
    "10": samples.GLO_GET_10[2:],
    "20": samples.GLO_GET_20[2:],
    "30": samples.GLO_GET_30[2:],
}


@pytest.mark.parametrize(("control", "trust"), [("10", Trust.VERIFIED), ("20", Trust.NO_TAG), ("30", Trust.VERIFIED)])
def test_the_vectors_of_the_green_book(control, trust):
    result = opened(sealed(VECTORS[control]))
    assert result is not None
    assert (result.plaintext, result.trust, result.system_title) == (samples.GET_CLOCK, trust, samples.TITLE)


@pytest.mark.parametrize("control", ["10", "30"])
def test_without_the_authentication_key_nothing_is_verified(control):
    result = opened(sealed(VECTORS[control]), gak=None)
    assert result is not None
    assert (result.plaintext, result.trust) == (samples.GET_CLOCK, Trust.UNCHECKED)


@pytest.mark.parametrize("control", ["10", "30"])
def test_another_authentication_key_is_a_bad_tag_beside_the_text(control):
    result = opened(sealed(VECTORS[control]), gak=bytes(16))
    assert result is not None
    assert (result.plaintext, result.trust) == (samples.GET_CLOCK, Trust.BAD_TAG)


def test_the_right_pair_is_found_among_several():
    result = opened(sealed(VECTORS["30"]), keys=(bytes(16), samples.GUEK), titles=(bytes(8), samples.TITLE))
    assert result is not None
    assert result.trust is Trust.VERIFIED


@pytest.mark.parametrize("wrong", [{"keys": (bytes(16),)}, {"titles": (bytes(8),)}, {"keys": ()}, {"titles": ()}])
def test_what_makes_no_sense_is_not_shown(wrong):
    assert opened(sealed(VECTORS["30"]), **wrong) is None


def test_a_tag_made_without_additional_data_is_said():
    control = SecurityControl(encrypted=True)
    text = protect(
        samples.GET_CLOCK, control=control, key=samples.GUEK, gak=b"", system_title=samples.TITLE, invocation_counter=7
    )[5:]
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    tagged = AESGCM(samples.GUEK).encrypt(samples.TITLE + (7).to_bytes(4, "big"), samples.GET_CLOCK, None)
    assert tagged.startswith(text)
    result = opened(Sealed(0x30, 7, tagged[: len(text) + 12]), gak=samples.GAK)
    assert result is not None
    assert result.trust is Trust.VERIFIED_WITHOUT_DATA


def test_general_ciphering_authenticates_its_header_or_not():
    control = SecurityControl(authenticated=True, encrypted=True)
    for header in (b"\x00\x08header..", b""):
        octets = protect(
            samples.GET_CLOCK,
            control=control,
            key=samples.GUEK,
            gak=samples.GAK,
            system_title=samples.TITLE,
            invocation_counter=1,
            header=header,
        )
        result = opened(sealed(octets, b"\x00\x08header.."))
        assert result is not None
        assert result.trust is Trust.VERIFIED


@pytest.mark.parametrize("control", [0x10, 0x30])
def test_less_than_a_tag(control):
    assert opened(Sealed(control, 1, b"short")) is None or control == 0x10
    assert opened(Sealed(control, 1, b""), titles=(samples.TITLE,)) is None or control == 0x10


def test_suite_2_keys():
    key, gak = bytes(range(32)), bytes(range(32, 64))
    control = SecurityControl(suite=2, authenticated=True, encrypted=True)
    octets = protect(
        samples.GET_CLOCK, control=control, key=key, gak=gak, system_title=samples.TITLE, invocation_counter=9
    )
    result = opened(sealed(octets), keys=(key,), gak=gak)
    assert result is not None
    assert result.trust is Trust.VERIFIED
