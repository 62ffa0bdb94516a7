from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import profile
from meters.cosem.data import (
    DELTAS,
    INTEGERS,
    Data,
    DataType,
    array,
    as_date_time,
    date_time,
    double_long_unsigned,
    integer,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject, RowExpander, decode_capture_objects
from sessions.dlms.axdr import decode_data, encode_data

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


def row_by_row(columns, period, rows):
    """What the expander promises, told one value after the other."""
    before, filled = [], []
    for row in rows:
        values = list(row) if row.constructed else [row]
        for n, (value, old) in enumerate(zip(values, before, strict=False)):
            if value.type is DataType.NULL_DATA:
                values[n] = stepped(old, period) if period and n < len(columns) and columns[n].is_clock else old
            elif value.type in DELTAS and old.type in INTEGERS:
                values[n] = Data(old.type, old.value + value.value)
        filled.append(values)
        before = values
    return filled


def stepped(clock, period):
    moment = as_date_time(clock)
    try:
        later = moment.later(period) if moment is not None else None
    except ValueError:
        later = None
    if later is None:
        return clock
    return Data(clock.type, later if clock.type is DataType.DATE_TIME else later.encode())


CLOCKS = [bytes.fromhex(octets) for octets in ("07ea0b1903173b0000ffc400", "07ea0b19ff000fffff800000", "00" * 12)]
CELLS = st.one_of(
    st.just(null()),
    st.integers(0, 99).map(double_long_unsigned),
    st.integers(0, 99).map(unsigned),
    st.integers(0, 99).map(lambda number: Data(DataType.DELTA_UNSIGNED, number)),
    st.sampled_from(CLOCKS).map(octet_string),
    st.sampled_from(CLOCKS).map(lambda octets: Data(DataType.DATE_TIME, CosemDateTime.decode(octets))),
    st.just(Data(DataType.DONT_CARE)),
)


@given(
    st.lists(st.lists(CELLS, max_size=4).map(lambda cells: structure(*cells)) | CELLS, max_size=12),
    st.sampled_from([0, 900, 7200]),
    st.integers(0, 12),
)
@settings(max_examples=300)
def test_columns_are_filled_as_value_after_value_would_be(rows, period, cut):
    columns = [CLOCK, ENERGY, CLOCK]
    expander = RowExpander(columns, capture_period=period)
    filled = [list(row) for part in (rows[:cut], rows[cut:]) for row in expander.expand_all(part)]
    assert filled == row_by_row(columns, period, rows)


@given(st.lists(st.sampled_from([(None, 5), (None, None), (b"x", 7)]), min_size=1, max_size=30))
def test_rows_of_the_decoder_are_filled_like_any_others(values):
    clock = octet_string(CLOCKS[0])
    rows = [structure(clock, unsigned(1))]
    rows += [structure(clock if one else null(), null() if two is None else unsigned(two)) for one, two in values]
    made = decode_data(encode_data(array(*rows))).value
    expanded = RowExpander([CLOCK, ENERGY], capture_period=900).expand_all(made)
    assert [list(row) for row in expanded] == row_by_row([CLOCK, ENERGY], 900, rows)
    assert len(set(map(id, expanded.row_types))) == 1  # filled, they are of one type


def test_many_kinds_of_rows_are_remembered_within_limits(monkeypatch):
    monkeypatch.setattr(profile, "_MOST_ROW_TYPES", 2)
    kinds = [unsigned, double_long_unsigned, integer]
    rows = [structure(kinds[n % 3](n), null()) for n in range(20)]
    assert [list(row) for row in RowExpander([ENERGY]).expand_all(rows)] == row_by_row([ENERGY], 0, rows)


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
