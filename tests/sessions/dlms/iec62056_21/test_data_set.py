import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import DecodeError, InvalidValueError, LimitExceededError, LocalProtocolError, TruncatedError
from sessions.dlms.iec62056_21.data_set import (
    FREE_VALUES,
    MAX_ADDRESS,
    MAX_VALUE,
    DataBlock,
    DataSet,
    DataValue,
    decode_data_block,
    read_data_block,
)

PLAIN = st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="()*/!")
VALUES = st.builds(DataValue, st.text(PLAIN, max_size=32), st.text(PLAIN, max_size=16))
DATA_SETS = st.builds(
    DataSet, st.text(PLAIN, min_size=1, max_size=16), st.lists(VALUES, min_size=1, max_size=5).map(tuple)
)
LINES = st.lists(st.lists(DATA_SETS, min_size=1, max_size=4).map(tuple), max_size=6).map(tuple)


def texts(octets):
    return [(one.address, [str(value) for value in one.values]) for one in decode_data_block(octets).data_sets]


def test_lines_addresses_values_and_units():
    block = decode_data_block(b"0.0.0(12345678)\r\n1.6.0(02.468*kW)(1703100930)6.8()\r\n!\r\n")
    assert block == DataBlock(
        (
            (DataSet("0.0.0", (DataValue("12345678"),)),),
            (
                DataSet("1.6.0", (DataValue("02.468", "kW"), DataValue("1703100930"))),
                DataSet("6.8", (DataValue(""),)),
            ),
        ),
        ended=True,
    )
    assert block.encode() == b"0.0.0(12345678)\r\n1.6.0(02.468*kW)(1703100930)6.8()\r\n!\r\n"
    assert block.find("6.8") == DataSet("6.8", (DataValue(""),))
    assert block.find("9.9") is None


def test_a_bare_answer_is_one_line_without_an_end():
    block = decode_data_block(b"(000123.4*kWh)")
    assert block == DataBlock(((DataSet("", (DataValue("000123.4", "kWh"),)),),), ended=False)
    assert block.encode() == b"(000123.4*kWh)"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        # What meters in the field write: lists joined by &, blanks and signs, an end without a line end, two blocks in a row.
        (b"9.4(088*C&082*C)\r\n", [("9.4", ["088*C&082*C"])]),
        (b"1.7( 001.67*kW)\r\n2.7(-000.81*kW)\r\n", [("1.7", [" 001.67*kW"]), ("2.7", ["-000.81*kW"])]),
        (b"0.0(1)!\r\n", [("0.0", ["1"])]),
        (b"0.0(1)\r\n!\r\n1.8(2)\r\n!\r\n", [("0.0", ["1"]), ("1.8", ["2"])]),
        (b"P.01(1)(2)\r\n(3)(4)\r\n(5)(6)\r\n", [("P.01", ["1", "2"]), ("", ["3", "4"]), ("", ["5", "6"])]),
        (b"1.8.0*01(5)\r\n1.8.0*02(6)", [("1.8.0*01", ["5"]), ("1.8.0*02", ["6"])]),
        (b"1.8.0(5)\n2.8.0(6)\n!\n", [("1.8.0", ["5"]), ("2.8.0", ["6"])]),
        (b"0.2.0(V01.69#EEA3546C!)\r\n", [("0.2.0", ["V01.69#EEA3546C!"])]),
        (b"96.13.0(30313233\r\n34353637)\r\n", [("96.13.0", ["3031323334353637"])]),
        (b"1.8.0(5*)\r\n", [("1.8.0", ["5*"])]),
        (b"", []),
        (b"!\r\n", []),
    ],
)
def test_what_the_field_sends_is_read(octets, expected):
    assert texts(octets) == expected


def test_only_a_lone_star_parts_value_and_unit():
    assert DataValue.of("1.5*kWh") == DataValue("1.5", "kWh")
    assert DataValue.of("088*C&082*C") == DataValue("088*C&082*C")
    assert DataValue.of("5*") == DataValue("5*")
    assert str(DataValue("5", "V")) == "5*V"


@pytest.mark.parametrize(
    ("octets", "offset", "kind"),
    [
        (b"1.8.0", 0, TruncatedError),
        (b"1.8.0(5", 0, TruncatedError),
        (b"0.0(1)\r\n1.8.0(5", 8, TruncatedError),
        (b"1.8.0)5(", 5, InvalidValueError),
        (b"1.8.0(5(6))", 7, InvalidValueError),
        (b"1.8.0\r\n(5)", 5, InvalidValueError),
        (b"1.8\x00.0(5)", 3, InvalidValueError),
        (b"1.8.0(\xb5)", 6, InvalidValueError),
    ],
)
def test_what_is_no_data_set_is_refused_where_it_breaks(octets, offset, kind):
    with pytest.raises(kind) as refused:
        decode_data_block(octets)
    assert refused.value.offset == offset


def test_bombs_are_refused():
    with pytest.raises(LimitExceededError):
        decode_data_block(b"()" * (2 * FREE_VALUES))
    with pytest.raises(LimitExceededError):
        decode_data_block(b"1()\r\n" * FREE_VALUES)
    with pytest.raises(LimitExceededError):
        decode_data_block(b"1" * (MAX_ADDRESS + 1) + b"()")
    with pytest.raises(LimitExceededError):
        decode_data_block(b"1(" + b"1" * (MAX_VALUE + 1) + b")")
    # As many values as a long load profile has are none.
    assert len(decode_data_block(b"(0.12345)" * 20_000).data_sets[0].values) == 20_000


def test_spans():
    tracer = Tracer()
    read_data_block(Reader(b"1.6.0(02.4*kW)(17)!", tracer=tracer, origin=10))
    data_set, end = tracer.root.children
    assert (data_set.name, data_set.offset, data_set.length) == ("data-set", 10, 18)
    assert [(one.name, one.offset, one.length, one.value) for one in data_set.children] == [
        ("address", 10, 5, "1.6.0"),
        ("value", 16, 4, "02.4"),
        ("unit", 21, 2, "kW"),
        ("value", 25, 2, "17"),
    ]
    assert (end.name, end.offset) == ("end-mark", 28)


@given(LINES, st.booleans())
def test_blocks_go_round(lines, ended):
    block = DataBlock(lines, ended)
    assert decode_data_block(block.encode()) == block


@given(st.one_of(st.binary(max_size=120), st.text("1.8*()!\r\n/", max_size=60).map(str.encode)))
def test_garbage_is_a_block_or_a_typed_error(octets):
    try:
        decode_data_block(octets)
    except DecodeError as error:
        assert 0 <= error.offset <= len(octets)


@pytest.mark.parametrize(
    "data_set",
    [
        DataSet("1.8(", (DataValue("5"),)),
        DataSet("1.8", (DataValue("5)"),)),
        DataSet("1.8", (DataValue("5", "m3/h"),)),
        DataSet("1.8", (DataValue("µ"),)),
        DataSet("1.8", ()),
    ],
)
def test_what_the_grammar_has_no_place_for_is_not_written(data_set):
    with pytest.raises(LocalProtocolError):
        data_set.encode()


def test_a_line_that_is_none_costs_only_itself_where_that_is_wished():
    octets = b"0.0(1)\r\n0-0:96.13.0\r\n1.8(2)x)\r\n2.8(3)\r\n!\r\n"
    with pytest.raises(InvalidValueError):
        decode_data_block(octets)
    block = decode_data_block(octets, lenient=True)
    assert [str(one) for one in block.data_sets] == ["0.0(1)", "1.8(2)", "2.8(3)"]
    assert block.unread == ("0-0:96.13.0", "x)")
    assert block.oddity == "2 lines are no data lines"
    assert decode_data_block(octets[:21], lenient=True).oddity == "1 line is no data line"
    assert decode_data_block(b"0.0(1)").oddity == ""


def test_where_nothing_can_be_read_leniency_ends():
    with pytest.raises(InvalidValueError) as refused:
        decode_data_block(b"nothing)\r\nat all\r\n", lenient=True)
    assert refused.value.offset == 7


def test_the_tree_of_what_was_skipped():
    tracer = Tracer()
    read_data_block(Reader(b"x)\r\n1.8(2)\r\n", tracer=tracer), lenient=True)
    unread = [one for one in tracer.root.children if one.name == "unread-line"]
    assert [(one.offset, one.length) for one in unread] == [(0, 2)]
    assert tracer.root.children[-1].name == "data-set"
    assert len(tracer.stack) == 1
