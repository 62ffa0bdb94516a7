import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import CompactArray, Data, DataType, TypeDescription, array, octet_string, structure, unsigned
from meters.cosem.date_time import CosemDateTime
from meters.cosem.deviations import reversed_deviations
from meters.cosem.value_type import parse_type

EAST, WEST = (bytes.fromhex(f"07ea0b19030a000000{deviation}00") for deviation in ("ffc4", "003c"))


def typed(octets: bytes) -> Data:
    return Data(DataType.DATE_TIME, CosemDateTime.decode(octets))


@pytest.mark.parametrize(
    ("notation", "data", "expected"),
    [
        ("dt", octet_string(EAST), octet_string(WEST)),
        ("any", typed(EAST), typed(WEST)),
        ("null/dt", octet_string(WEST), octet_string(EAST)),
        (
            "[window]",
            array(structure(octet_string(EAST), octet_string(WEST))),
            array(structure(octet_string(WEST), octet_string(EAST))),
        ),
        ("window", structure(octet_string(EAST)), structure(octet_string(EAST))),  # not as declared: left as it is
        ("any", octet_string(EAST), octet_string(EAST)),
        ("os", octet_string(EAST), octet_string(EAST)),
        ("dt", octet_string(b""), octet_string(b"")),
        ("u8", unsigned(1), unsigned(1)),
    ],
)
def test_declared_date_times_are_turned(notation, data, expected):
    assert reversed_deviations(data, parse_type(notation)) == expected


def test_guessing_turns_what_looks_like_one():
    assert reversed_deviations(octet_string(EAST), guess=True) == octet_string(WEST)
    assert reversed_deviations(structure(octet_string(EAST)), guess=True) == structure(octet_string(WEST))
    assert reversed_deviations(octet_string(b"MWB000000001"), guess=True) == octet_string(b"MWB000000001")


def test_a_deviation_without_an_opposite_stays():
    for deviation in ("8000", "8001"):
        octets = EAST[:9] + bytes.fromhex(deviation) + b"\x00"
        turned = reversed_deviations(octet_string(octets), parse_type("dt"))
        assert reversed_deviations(turned, parse_type("dt")) == octet_string(octets)


def test_compact_arrays_keep_their_description():
    rows = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.DATE_TIME), (typed(EAST),)))
    turned = reversed_deviations(rows)
    assert turned.value.description == rows.value.description
    assert list(turned) == [typed(WEST)]


@given(st.binary(min_size=12, max_size=12))
def test_twice_is_the_value_itself(octets):
    data, declared = array(octet_string(octets)), parse_type("[dt]")
    assert reversed_deviations(reversed_deviations(data, declared), declared) == data
