from datetime import datetime

import pytest

from meters.cosem.data import Data, DataType, array, date_time, double_long_unsigned, null, structure, unsigned
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
