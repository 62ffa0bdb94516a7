"""Whether octets make sense."""

from sessions.dlms.inspector.sense import is_apdu, looks_like_text, makes_sense
from tests.sessions.dlms.inspector import samples


def test_text_is_four_printable_octets_at_least():
    assert looks_like_text(b"/Lux5\\253694471_M\r\n")
    assert not looks_like_text(b"abc")
    assert not looks_like_text(b"abcd\x00")


def test_an_apdu_is_whole():
    assert is_apdu(samples.GET_CLOCK)
    assert not is_apdu(samples.GET_CLOCK[:-1])
    assert not is_apdu(samples.GET_CLOCK + b"\x00")
    assert not is_apdu(b"")


def test_either_makes_sense():
    assert makes_sense(b"NEXERRORNO-1")
    assert makes_sense(samples.GET_CLOCK)
    assert not makes_sense(b"\xff\x01\x0a")
