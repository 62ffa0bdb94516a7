import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.obis import ObisCode

ENERGY = ObisCode(1, 0, 1, 8, 0, 255)


@pytest.mark.parametrize(
    "text", ["1-0:1.8.0*255", "1-0:1.8.0", "1.0.1.8.0.255", "0100010800FF", "0x0100010800ff", " 1-0:1.8.0&255 "]
)
def test_every_notation_is_read(text):
    assert ObisCode.parse(text) == ENERGY


def test_it_prints_in_one_notation():
    assert str(ENERGY) == "1-0:1.8.0*255"


@pytest.mark.parametrize("text", ["", "1.8.0", "1-0:1.8.256", "1-0:1.8.0.0.0", "clock", "0100010800", "1.0.1.8.0.-1"])
def test_what_is_none_is_refused_with_a_way_to_write_it(text):
    with pytest.raises(ValueError, match=r"OBIS"):
        ObisCode.parse(text)


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
