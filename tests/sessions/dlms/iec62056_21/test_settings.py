import pytest

from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage


@pytest.mark.parametrize(
    ("offered", "most", "z"),
    [("5", 19200, "5"), ("6", 9600, "5"), ("9", 19200, "6"), ("0", 19200, "0"), ("5", 100, "0")],
)
def test_the_highest_speed_that_both_take(offered, most, z):
    assert SignOnSettings(max_baud=most).proposal(IdentificationMessage("ABC", offered)) == z


def test_the_line_of_characters_or_of_octets_that_hold_the_parity():
    assert str(SignOnSettings().text_line(300)) == "300 7E1"
    assert str(SignOnSettings(parity_in_octets=True).text_line(300)) == "300 8N1"
