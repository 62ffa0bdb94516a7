import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.iec62056_21.characters import (
    CHECKED,
    BlockCheck,
    block_check,
    carries_parity,
    kind_of_check,
    parity_is_even,
    seven_even,
    with_even_parity,
    without_parity,
)
from tests.sessions.dlms.iec62056_21 import samples

CHECKED_MESSAGES = (samples.OPERAND, samples.PASSWORD, samples.READ, samples.DATA, samples.BREAK)


@pytest.mark.parametrize("wire", CHECKED_MESSAGES)
def test_the_block_check_leaves_the_first_start_out(wire):
    assert block_check(wire[:-1]) == wire[-1]
    assert kind_of_check(wire[:-1], wire[-1]) is BlockCheck.XOR


@pytest.mark.parametrize("kind", CHECKED)
def test_each_kind_is_told_from_the_others(kind):
    characters = samples.DATA[:-1]
    assert kind_of_check(characters, block_check(characters, kind)) is kind
    assert len({block_check(characters, one) for one in CHECKED}) == len(CHECKED)


def test_a_check_that_fits_no_way_is_none():
    characters = samples.DATA[:-1]
    fitting = {block_check(characters, kind) for kind in CHECKED}
    assert all((kind_of_check(characters, octet) is None) == (octet not in fitting) for octet in range(0x80))


def test_the_sum_is_the_sum_of_what_follows_the_start():
    assert block_check(b"\x02ab\x03", BlockCheck.SUM) == (0x61 + 0x62 + 0x03) % 128


def test_parity_goes_on_and_off():
    assert with_even_parity(b"/?!\r\n") == bytes.fromhex("AF3F218D0A")
    assert without_parity(bytes.fromhex("AF3F218D0A")) == b"/?!\r\n"


@given(st.binary())
def test_characters_with_parity_have_an_even_number_of_ones(octets):
    characters = without_parity(octets)
    wire = with_even_parity(octets)
    assert all(octet.bit_count() % 2 == 0 for octet in wire)
    assert without_parity(wire) == characters
    assert parity_is_even(wire)
    assert not carries_parity(characters)
    assert carries_parity(wire) == (wire != characters)


def test_the_line_of_characters():
    assert str(seven_even(300)) == "300 7E1"
