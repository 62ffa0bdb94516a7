import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.apdu import READERS, ApduTag, decode_apdu
from sessions.dlms.apdu.ciphered import (
    DED_TAGS,
    GENERAL_DED_TAG,
    GENERAL_GLO_TAG,
    GLO_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GeneralCipheredApdu,
    GeneralCiphering,
    GeneralSigning,
    KeyInfo,
    is_dedicated,
    split_envelope,
)
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import DecodeError, UnknownTagError
from sessions.dlms.security import SecurityControl, protect, unprotect
from tests.sessions.dlms.apdu import strategies as s
from tests.vectors import octets

CONTROLS = s.u8.map(SecurityControl.decode)
TITLES = st.binary(max_size=8)
PARTIES = (s.octets, TITLES, TITLES, st.binary(max_size=12), s.octets)
BODY = (CONTROLS, s.u32, s.octets)
NOTHING = st.just(b"")


def general_ciphering(info, key_id=s.u8, key_data=s.octets):
    return st.builds(GeneralCiphering, *PARTIES, st.just(info), key_id, key_data, *BODY)


APDUS = st.one_of(
    st.builds(CipheredApdu, st.sampled_from(sorted(PLAIN_TAGS)), *BODY),
    st.builds(GeneralCipheredApdu, st.sampled_from([GENERAL_GLO_TAG, GENERAL_DED_TAG]), TITLES, *BODY),
    general_ciphering(None, st.just(0), NOTHING),
    general_ciphering(KeyInfo.IDENTIFIED_KEY, key_data=NOTHING),
    general_ciphering(KeyInfo.WRAPPED_KEY),
    general_ciphering(KeyInfo.AGREED_KEY),
    st.builds(GeneralSigning, *PARTIES, s.octets, s.octets),
)


@given(APDUS)
@settings(max_examples=120)
def test_any_goes_round(apdu):
    s.goes_round(apdu)


def test_the_tags_of_ciphered_services_are_their_own():
    assert len(PLAIN_TAGS) == len(GLO_TAGS) + len(DED_TAGS)
    assert not set(PLAIN_TAGS) & {int(tag) for tag in ApduTag}
    assert set(READERS) == set(PLAIN_TAGS) | {int(tag) for tag in ApduTag}
    assert (GLO_TAGS[ApduTag.GET_REQUEST], DED_TAGS[ApduTag.GET_REQUEST]) == (0xC8, 0xD0)
    assert (GLO_TAGS[ApduTag.INITIATE_REQUEST], DED_TAGS[ApduTag.INITIATE_REQUEST]) == (0x21, 0x41)


@pytest.mark.parametrize("tag", sorted(PLAIN_TAGS))
def test_which_key_a_tag_asks_for(tag):
    apdu = decode_apdu(bytes((tag, 5, 0x30, 0, 0, 0, 1)))
    assert apdu.dedicated == (tag in DED_TAGS.values())
    assert apdu.summary().startswith("ded-" if apdu.dedicated else "glo-")


def test_a_payload_is_what_protection_made():
    key, gak, title = bytes(16), bytes(16), b"12345678"
    control = SecurityControl(authenticated=True, encrypted=True)
    payload = protect(b"text", control=control, key=key, gak=gak, system_title=title, invocation_counter=9)
    apdu = decode_apdu(bytes((0xC8, len(payload))) + payload)
    assert apdu.payload == payload
    assert unprotect(apdu.payload, key=key, gak=gak, system_title=title) == (control, 9, b"text")


def test_a_length_in_more_octets_than_needed_is_read():
    wire = octets("glo-get-30")
    longer = wire[:1] + bytes((0x82, 0, wire[1])) + wire[2:]
    assert decode_apdu(longer) == decode_apdu(wire)


@pytest.mark.parametrize("size", range(5))
def test_a_header_that_is_cut_is_refused(size):
    with pytest.raises(DecodeError):
        decode_apdu(bytes((0xC8, size)) + bytes(size))


def test_a_key_info_that_is_not_assigned_is_refused():
    with pytest.raises(UnknownTagError):
        decode_apdu(bytes.fromhex("dd0000000000" + "0103" + "0530000000" + "01"))


@pytest.mark.parametrize(
    ("wire", "summary"),
    [
        ("db0030" + "00" * 4, None),
        (
            "db000530000000ff",
            "general-glo-ciphering from no title, authenticated and encrypted, suite 0, counter 255, 0 octets",
        ),
        (
            "dc084d4d4d0000bc614e0610000000ffaa",
            "general-ded-ciphering from 4d4d4d0000bc614e, authenticated, suite 0, counter 255, 1 octets",
        ),
    ],
)
def test_one_line_says_it(wire, summary):
    if summary is None:
        with pytest.raises(DecodeError):
            decode_apdu(bytes.fromhex(wire))
    else:
        assert decode_apdu(bytes.fromhex(wire)).summary() == summary


def test_the_parties_join_the_authenticated_data_with_their_lengths():
    apdu = GeneralCiphering(
        b"\1\2", b"ORIGINAT", b"RECIPIEN", b"", b"\5", KeyInfo.IDENTIFIED_KEY, 0, b"", SecurityControl(), 0, b""
    )
    assert apdu.header() == b"\2\1\2" + b"\x08ORIGINAT" + b"\x08RECIPIEN" + b"\0" + b"\1\5"


@pytest.mark.parametrize("size", [5, 17, 126, 127, 128, 255, 256, 300, 65535, 65536])
@pytest.mark.parametrize("tag", [0xCC, 0xD4, 0x28, 0xDB, 0xDC])
def test_an_envelope_is_split_as_the_reader_would(size, tag):
    payload = bytes(range(256)) * (size // 256 + 1)
    payload = b"\x30" + payload[: size - 1]
    general = tag in (0xDB, 0xDC)
    writer = Writer().u8(tag)
    wire = (writer.octet_string(b"METER..1") if general else writer).octet_string(payload).octets()
    assert split_envelope(wire) == (b"METER..1" if general else b"", payload)
    assert is_dedicated(tag) == (tag in (0xD4, 0xDC))
    apdu = decode_apdu(wire)
    assert apdu.payload == payload
    for bad in (wire[:-1], wire + b"\x00", wire[:1], wire[:2]):
        with pytest.raises(DecodeError):
            split_envelope(bad)


@pytest.mark.parametrize("length", ["81 05", "82 00 05", "83 00 00 05", "84 00 00 00 05", "05"])
def test_an_envelope_with_a_length_of_any_form(length):
    wire = b"\xcc" + bytes.fromhex(length) + b"\x30\x00\x00\x00\x01"
    assert split_envelope(wire) == (b"", b"\x30\x00\x00\x00\x01")
