from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import (
    DELTAS,
    Data,
    DataType,
    array,
    date_time,
    double_long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject, RowExpander, decode_capture_objects

CLOCK = CaptureObject(8, ObisCode.parse("0-0:1.0.0*255"), 2)
ENERGY = CaptureObject(3, ObisCode.parse("1-0:1.8.0*255"), 2)


def test_capture_objects_go_round():
    assert decode_capture_objects(array(CLOCK.to_data(), ENERGY.to_data())) == [CLOCK, ENERGY]
    assert CLOCK.is_clock
    assert not ENERGY.is_clock
    assert str(ENERGY) == "3/1-0:1.8.0*255/2"


@pytest.mark.parametrize(
    "wrong",
    [
        unsigned(1),
        array(unsigned(1)),
        array(structure(unsigned(1), unsigned(2), unsigned(3), unsigned(4))),
        array(structure(date_time(datetime(2026, 1, 1)), null(), null())),
    ],
)
def test_what_is_no_list_of_capture_objects_is_refused(wrong):
    with pytest.raises(ValueError):
        decode_capture_objects(wrong)


def test_null_data_is_the_row_before_and_for_the_clock_one_period_later():
    expander = RowExpander([CLOCK, ENERGY], capture_period=900)
    first = structure(date_time(datetime(2026, 11, 1)), double_long_unsigned(100))
    assert expander.expand(first) == list(first)
    moment, energy = expander.expand(structure(null(), null()))
    assert CosemDateTime.decode(moment.value).to_datetime() == datetime(2026, 11, 1, 0, 15)
    assert energy == double_long_unsigned(100)
    moment, energy = expander.expand(structure(null(), double_long_unsigned(7)))
    assert CosemDateTime.decode(moment.value).to_datetime() == datetime(2026, 11, 1, 0, 30)
    assert energy.value == 7


def test_nothing_is_invented_for_the_first_row():
    expander = RowExpander([CLOCK, ENERGY], capture_period=900)
    assert expander.expand(structure(null(), null())) == [null(), null()]


def test_without_a_period_the_clock_repeats():
    expander = RowExpander([CLOCK], capture_period=0)
    first = structure(date_time(datetime(2026, 11, 1)))
    expander.expand(first)
    assert expander.expand(structure(null())) == list(first)


def test_delta_values_add_to_the_row_before():
    expander = RowExpander([ENERGY])
    expander.expand(structure(double_long_unsigned(100)))
    assert expander.expand(structure(Data(DataType.DELTA_UNSIGNED, 5))) == [double_long_unsigned(105)]
    assert expander.expand(structure(Data(DataType.DELTA_INTEGER, -1))) == [double_long_unsigned(104)]


def test_a_row_may_gain_a_column():
    expander = RowExpander([CLOCK, ENERGY])
    expander.expand(structure(null()))
    assert expander.expand(structure(null(), unsigned(3), null()))[1:] == [unsigned(3), null()]


def test_a_predicted_clock_keeps_its_deviation_status_and_type():
    typed = Data(DataType.DATE_TIME, CosemDateTime.decode(bytes.fromhex("07ea0a190702000000ff8880")))
    plain = octet_string(bytes.fromhex("07ea0a19ff0200ffffff8880"))
    for first, second in ((typed, "07ea0a190702 0f0000ff8880"), (plain, "07ea0a19ff020fffffff8880")):
        expander = RowExpander([CLOCK], capture_period=900)
        expander.expand(structure(first))
        [clock] = expander.expand(structure(null()))
        assert clock.type is first.type
        octets = clock.value.encode() if clock.type is DataType.DATE_TIME else clock.value
        assert octets.hex() == second.replace(" ", "")


@pytest.mark.parametrize("clock", ["ffffffffffffffffff8000ff", "270f0c1f05173b3b00800000", "000000000000000000000000"])
def test_a_clock_that_is_no_moment_is_not_stepped(clock):
    expander = RowExpander([CLOCK], capture_period=900)
    first = octet_string(bytes.fromhex(clock))
    expander.expand(structure(first))
    assert expander.expand(structure(null())) == [first]


@pytest.mark.parametrize("kind", sorted(DELTAS))
def test_every_delta_takes_the_type_of_its_column(kind):
    expander = RowExpander([ENERGY])
    expander.expand(structure(double_long_unsigned(100)))
    assert expander.expand(structure(Data(kind, 3))) == [double_long_unsigned(103)]


def test_a_delta_without_a_number_before_it_stays_what_it_is():
    delta = Data(DataType.DELTA_UNSIGNED, 3)
    expander = RowExpander([ENERGY])
    assert expander.expand(structure(delta)) == [delta]
    expander = RowExpander([ENERGY])
    expander.expand(structure(null()))
    assert expander.expand(structure(delta)) == [delta]


@given(st.binary(min_size=6, max_size=6), st.integers(0, 65535), st.integers(-128, 127), st.integers(0, 65535))
def test_any_capture_object_goes_round(name, class_id, attribute_id, data_index):
    column = CaptureObject(class_id, ObisCode.from_octets(name), attribute_id, data_index)
    assert CaptureObject.from_data(column.to_data()) == column
