"""A dissection as text."""

from sessions.dlms.inspector import DissectionKeys, dissect
from sessions.dlms.inspector.outline import outline
from tests.sessions.dlms.inspector import samples


def test_a_line_for_each_field_with_offset_and_octets():
    lines = outline(dissect(samples.GET_RESPONSE)).splitlines()
    assert lines[0] == "apdu: GET response: 4822"
    assert lines[1] == "  -- frame, 9 octets"
    assert lines[-1].split() == ["5", "00", "00", "12", "d6", "value:", "4822"]


def test_the_plaintext_has_a_heading_of_its_own():
    text = outline(dissect(samples.GLO_GET_30, keys=DissectionKeys(samples.GUEK, samples.GAK, samples.TITLE)))
    assert "  -- plaintext, 13 octets" in text.splitlines()


def test_errors_and_notes_stand_at_the_end():
    text = outline(dissect(samples.GET_RESPONSE[:-1]))
    assert "encoding error (truncated): value at offset 5" in text
    assert "  <- " in text
    assert "note: not deciphered" in outline(dissect(samples.GLO_GET_30))


def test_a_value_of_many_lines_stays_on_one():
    one, two = (outline(dissect(b"LINE ONE" + end + b"LINE TWO")) for end in (b" ", b"\r\n"))
    assert len(one.splitlines()) == len(two.splitlines())


def test_data_lines_are_listed_with_what_they_mean():
    shown = outline(dissect(b"\x021.8.0(000123.4*kWh)\x03\x7f")).splitlines()
    assert any(line.startswith("  1.8.0(000123.4*kWh)  Active energy import (+A)") for line in shown)


def test_readings_are_listed_by_name():
    push = bytes.fromhex("0f00000001000203090601000107 00ff06000012d602020f00161b".replace(" ", ""))
    assert "  1-0:1.7.0*255  Active power import (+A): 4822 W" in outline(dissect(push)).splitlines()
