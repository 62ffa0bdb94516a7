import pytest

from sessions.dlms.iec62056_21.address import medium_of, obis_of
from sessions.dlms.iec62056_21.data_set import decode_data_block


@pytest.mark.parametrize(
    ("address", "obis"),
    [
        ("1.8.0", "1-0:1.8.0*255"),
        ("1.8", "1-0:1.8.0*255"),
        ("1-0:1.8.0*255", "1-0:1.8.0*255"),
        ("1-1:1.8.0", "1-1:1.8.0*255"),
        ("1.8.0*01", "1-0:1.8.0*1"),
        ("1.6.1&12", "1-0:1.6.1*12"),
        ("C.1.0", "0-0:96.1.0*255"),
        ("0-0:C.1.6*255", "0-0:96.1.6*255"),
        ("F.F", "0-0:97.97.0*255"),
        ("1-1:F.F", "1-1:97.97.0*255"),
        ("0-0:F.F.0*255", "0-0:97.97.0*255"),
        ("P.01", "0-0:99.1.0*255"),
        ("L.1.0", "0-0:98.1.0*255"),
        ("0-1:24.2.1", "0-1:24.2.1*255"),
    ],
)
def test_reduced_codes(address, obis):
    assert str(obis_of(address)) == obis


@pytest.mark.parametrize("address", ["", "F", "abc", "1.8.0.1", "999.8.0", "0.5.1.2", "1-0"])
def test_what_is_no_code_names_nothing(address):
    assert obis_of(address) is None


def test_without_a_medium_only_what_says_it_is_named():
    assert obis_of("6.8", None) is None
    assert str(obis_of("C.1", None)) == "0-0:96.1.0*255"
    assert str(obis_of("7-0:3.0.0", None)) == "7-0:3.0.0*255"


def test_the_units_say_which_medium_may_be_taken_for_granted():
    assert medium_of(decode_data_block(b"1.8.0(5*kWh)0.0(1)").data_sets) == 1
    assert medium_of(decode_data_block(b"6.8(5*MWh)6.26(7*m3)").data_sets) is None
