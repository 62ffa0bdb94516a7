"""Ciphered APDUs, as the inspector shows them."""

import pytest

from sessions.dlms.inspector import DissectionKeys, Dissector, dissect, mask
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.security import SecurityControl, protect
from tests.sessions.dlms.inspector import samples

KEYS = DissectionKeys(guek=samples.GUEK, gak=samples.GAK, client_system_title=samples.TITLE)


@pytest.mark.parametrize("wire", [samples.GLO_GET_10, samples.GLO_GET_20, samples.GLO_GET_30, samples.GENERAL_GLO])
def test_the_plaintext_is_a_layer_of_its_own(wire):
    found = dissect(wire, keys=KEYS)
    assert found.error is None
    assert found.plaintext == samples.GET_CLOCK == found.sources["plaintext"]
    assert found.summary == "GET request 8/0-0:1.0.0*255 attribute 2, deciphered"
    outer, inner = found.fields.children
    assert (outer.source, inner.source, inner.offset, inner.length) == ("frame", "plaintext", 0, 13)


def test_the_tag_is_a_field_that_says_whether_it_fits():
    tag = find_field(dissect(samples.GLO_GET_30, keys=KEYS).fields, "authentication-tag")
    assert (tag.offset, tag.length) == (20, 12)
    assert tag.value == "7d825c3be4a77c3fcc056b6b (the tag is good)"


def test_a_bad_tag_is_an_error_beside_the_text():
    found = dissect(samples.GLO_GET_30[:-1] + b"\x00", keys=KEYS)
    assert (found.error.layer, found.error.code) == ("security", "bad-tag")
    assert found.plaintext == samples.GET_CLOCK


def test_without_the_authentication_key_the_text_is_shown_with_a_note():
    found = dissect(samples.GLO_GET_30, keys=DissectionKeys(guek=samples.GUEK, client_system_title=samples.TITLE))
    assert found.error is None
    assert found.notes == ["the tag was not checked: no authentication key"]


def test_without_a_key_the_header_is_all():
    found = dissect(samples.GLO_GET_30)
    assert (found.error, found.plaintext) == (None, None)
    assert found.notes == ["not deciphered: no key is given"]
    assert find_field(found.fields, "invocation-counter").value == str(0x01234567)


def test_without_a_title():
    found = dissect(samples.GLO_GET_30, keys=DissectionKeys(guek=samples.GUEK, gak=samples.GAK))
    assert found.notes == ["not deciphered: the sender's system title is not known"]


def test_a_wrong_key_is_an_error_and_shows_no_text():
    found = dissect(
        samples.GLO_GET_30, keys=DissectionKeys(guek=bytes(16), gak=samples.GAK, server_system_title=samples.TITLE)
    )
    assert found.error.code == "bad-tag"
    assert found.plaintext is None


def test_authenticated_only_needs_no_key_to_be_read():
    found = dissect(samples.GLO_GET_10)
    assert found.plaintext == samples.GET_CLOCK
    assert found.notes == ["the tag was not checked: no authentication key"]


def test_a_text_in_clear_under_a_ciphered_header_is_said():
    wire = samples.GENERAL_GLO[:16] + samples.GET_CLOCK + samples.GLO_GET_30[-12:]
    found = dissect(wire, keys=None)
    assert found.plaintext == samples.GET_CLOCK
    assert "not ciphered, although the header says so" in found.notes[0]
    assert "deciphered" not in found.summary


def test_compressed_is_not_opened():
    wire = bytearray(samples.GENERAL_GLO)
    wire[11] |= 0x80
    assert dissect(bytes(wire), keys=KEYS).notes == ["compressed (V.44): not opened"]


def ciphered(tag, plaintext, *, key, title, counter=1):
    control = SecurityControl(authenticated=True, encrypted=True)
    payload = protect(
        plaintext, control=control, key=key, gak=samples.GAK, system_title=title, invocation_counter=counter
    )
    return bytes((tag, len(payload))) + payload


def test_titles_and_the_dedicated_key_are_learned_from_the_association():
    dissector = Dissector(DissectionKeys(guek=samples.GUEK, gak=samples.GAK))
    server = bytes.fromhex("4d4d4d0000000001")
    aare = bytes.fromhex("6123a109060760857405080103a203020100a305a103020100a40a0408") + server
    dissector.feed(samples.AARQ_CIPHERED, "sent")
    dissector.feed(aare, "received")
    request = dissector.feed(ciphered(0xD0, samples.GET_CLOCK, key=samples.DEDICATED, title=samples.TITLE), "sent")
    answer = dissector.feed(ciphered(0xD4, samples.GET_RESPONSE, key=samples.DEDICATED, title=server), "received")
    assert (request.plaintext, request.error) == (samples.GET_CLOCK, None)
    assert answer.summary == "GET response: 4822, deciphered"


def test_blocks_that_are_ciphered_each_are_put_together():
    dissector = Dissector(DissectionKeys(guek=samples.GUEK, gak=samples.GAK, server_system_title=samples.TITLE))
    for number, block in enumerate((samples.BLOCK_1, samples.BLOCK_2)):
        wire = ciphered(0xCC, block, key=samples.GUEK, title=samples.TITLE, counter=number)
        found = dissector.feed(wire, "received")
        assert found.error is None
    assert found.data.value == bytes.fromhex("0102aabbccdd")
    assert found.sources["data"].hex() == "09060102aabbccdd"


def test_general_ciphering_with_an_identified_key():
    parties = bytes.fromhex("080102030405060708") + b"\x08" + samples.TITLE + b"\x08" + bytes(8) + b"\x00\x00"
    control = SecurityControl(authenticated=True, encrypted=True)
    payload = protect(
        samples.GET_CLOCK,
        control=control,
        key=samples.GUEK,
        gak=samples.GAK,
        system_title=samples.TITLE,
        invocation_counter=5,
        header=parties,
    )
    wire = b"\xdd" + parties + b"\x01\x00\x00" + bytes((len(payload),)) + payload
    found = dissect(wire, keys=DissectionKeys(guek=samples.GUEK, gak=samples.GAK))
    assert (found.error, found.notes, found.plaintext) == (None, [], samples.GET_CLOCK)


def sealed_set(plain: bytes, *, encrypted: bool = False) -> bytes:
    payload = protect(
        plain,
        control=SecurityControl(authenticated=True, encrypted=encrypted),
        key=samples.GUEK,
        gak=samples.GAK,
        system_title=samples.TITLE,
        invocation_counter=7,
    )
    return bytes((0xC9, len(payload))) + payload


SECRET_WRITTEN = bytes.fromhex("C101C1000F0000280000FF0700 0908") + b"s3cr3tly"


def test_of_a_stored_frame_with_a_masked_secret_the_tag_is_not_judged():
    """What was authenticated only went into the trace with its secret overwritten."""
    wire = sealed_set(SECRET_WRITTEN)
    assert dissect(wire, keys=KEYS).error is None
    masked = mask(wire, dissect(wire, keys=KEYS))
    assert masked != wire
    found = Dissector(KEYS, stored=True).feed(masked)
    assert found.error is None
    assert found.notes == ["a secret in it is masked, so its tag cannot be checked again"]
    assert Dissector(KEYS).feed(masked).error.code == "bad-tag"  # on the line it is what it looks like


def test_of_a_stored_frame_without_masked_octets_the_tag_is_judged():
    plain, ciphered = sealed_set(SECRET_WRITTEN[:-8] + b"**** no "), sealed_set(b"********" * 2, encrypted=True)
    for wire in (plain.replace(b"****", b"**+*"), ciphered[:-1] + b"\x00"):
        assert Dissector(KEYS, stored=True).feed(wire).error.code == "bad-tag"
