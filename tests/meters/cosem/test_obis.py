import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.obis import ObisCode

ENERGY = ObisCode(1, 0, 1, 8, 0, 255)


FULL = [
    ("1-0:1.8.0*255", ENERGY),
    ("1-0:1.8.0", ENERGY),
    ("1-0:1.8.0&255", ENERGY),
    ("1-0:1.8.0.255", ENERGY),
    (" 1 - 0 : 1.8.0 & 255 ", ENERGY),
    ("1.0.1.8.0.255", ENERGY),
    ("1,0,1,8,0,255", ENERGY),
    ("0100010800FF", ENERGY),
    ("0x0100010800ff", ENERGY),
    ("01 00 01 08 00 FF", ENERGY),
    ("01-00-01-08-00-ff", ENERGY),
    ("1-0:1.8.0*01", ObisCode(1, 0, 1, 8, 0, 1)),
    ("1-0:1.8.0&12", ObisCode(1, 0, 1, 8, 0, 12)),
    ("0-1:24.2.1", ObisCode(0, 1, 24, 2, 1, 255)),
    ("0-0:C.1.0*255", ObisCode(0, 0, 96, 1, 0, 255)),
    ("0-0:F.F.0", ObisCode(0, 0, 97, 97, 0, 255)),
    ("1-0:P.1.0", ObisCode(1, 0, 99, 1, 0, 255)),
    ("1-0:l.1.0", ObisCode(1, 0, 98, 1, 0, 255)),
]
REDUCED = [
    ("1.8.0", ENERGY),
    ("1.8.0*255", ENERGY),
    ("1.8.0*01", ObisCode(1, 0, 1, 8, 0, 1)),
    ("1.8.0&01", ObisCode(1, 0, 1, 8, 0, 1)),
    ("1.8.0.01", ObisCode(1, 0, 1, 8, 0, 1)),
    ("1.8", ENERGY),
    ("1.6*12", ObisCode(1, 0, 1, 6, 0, 12)),
    ("1-0:1.8", ENERGY),
    ("2:1.8.0", ObisCode(1, 2, 1, 8, 0, 255)),
    ("32.7.0", ObisCode(1, 0, 32, 7, 0, 255)),
    ("0.0.0", ObisCode(1, 0, 0, 0, 0, 255)),
    ("0.9.1", ObisCode(1, 0, 0, 9, 1, 255)),
    ("F.F", ObisCode(0, 0, 97, 97, 0, 255)),
    ("F.F(", None),
    ("C.1.0", ObisCode(0, 0, 96, 1, 0, 255)),
    ("C.7.1", ObisCode(0, 0, 96, 7, 1, 255)),
    ("L.1.0*126", ObisCode(1, 0, 98, 1, 0, 126)),
    ("P.01", ObisCode(1, 0, 99, 1, 0, 255)),
    ("p.98", ObisCode(1, 0, 99, 98, 0, 255)),
]
NONE = [
    "",
    "1",
    "1-0:1.8.256",
    "1-0:1.8.0.0.0",
    "clock",
    "0100010800",
    "1.0.1.8.0.-1",
    "G.1.0",
    "1-0-1.8.0",
    "1.8.0*",
    "١.٨.٠",
]


@pytest.mark.parametrize(("text", "code"), FULL)
def test_every_full_notation_is_read(text, code):
    assert ObisCode.parse(text) == code
    assert ObisCode.parse_reduced(text) == code


@pytest.mark.parametrize(("text", "code"), REDUCED)
def test_every_reduced_notation_is_read_where_a_medium_is_assumed(text, code):
    if code is not None:
        assert ObisCode.parse_reduced(text) == code
    with pytest.raises(ValueError, match="is not an OBIS code"):
        ObisCode.parse(text)


def test_medium_and_channel_are_what_the_caller_knows():
    assert ObisCode.parse_reduced("1.0.0", medium=8, channel=2) == ObisCode(8, 2, 1, 0, 0, 255)
    assert ObisCode.parse_reduced("C.1.0", medium=8) == ObisCode(0, 0, 96, 1, 0, 255)
    assert ObisCode.parse_reduced("P.1.0", medium=7) == ObisCode(7, 0, 99, 1, 0, 255)
    assert ObisCode.parse_reduced("1-0:1.8.0", medium=8) == ENERGY


def test_it_prints_in_every_notation():
    assert str(ENERGY) == "1-0:1.8.0*255"
    assert ENERGY.dotted == "1.0.1.8.0.255"
    assert ENERGY.reduced == "1.8.0"
    assert ObisCode(1, 0, 1, 8, 0, 3).reduced == "1.8.0*3"
    assert ENERGY.octets.hex() == "0100010800ff"


@pytest.mark.parametrize("text", NONE)
def test_what_is_none_is_refused_with_a_way_to_write_it(text):
    for parse in (ObisCode.parse, ObisCode.parse_reduced):
        with pytest.raises(ValueError, match=r"OBIS"):
            parse(text)


def test_six_octets_and_no_other_number():
    assert ObisCode.from_octets(bytes.fromhex("0100010800ff")) == ENERGY
    for wrong in (b"", bytes(5), bytes(7)):
        with pytest.raises(ValueError, match="6 octets"):
            ObisCode.from_octets(wrong)


@given(st.binary(min_size=6, max_size=6))
def test_octets_and_text_go_round(octets):
    obis = ObisCode.from_octets(octets)
    assert obis.octets == octets
    assert ObisCode.parse(str(obis)) == obis
    assert ObisCode.parse(obis.dotted) == obis
    assert ObisCode.parse(octets.hex()) == obis
    assert ObisCode.parse_reduced(obis.reduced, medium=obis.a, channel=obis.b) == obis


@given(st.text(max_size=20))
def test_any_text_is_a_code_or_refused(text):
    for parse in (ObisCode.parse, ObisCode.parse_reduced):
        try:
            assert parse(parse(text).dotted) == parse(text)
        except ValueError as error:
            assert "OBIS" in str(error)
