import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import (
    BitString,
    CompactArray,
    Data,
    DataType,
    TypeDescription,
    array,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
    visible_string,
)
from meters.cosem.date_time import CosemDateTime
from meters.cosem.interface_class import attribute_of, known_classes
from meters.cosem.obis import ObisCode
from meters.cosem.value_type import parse_type
from meters.cosem.value_words import Budget, show, words


def ln(code: str) -> Data:
    return octet_string(ObisCode.parse(code).octets)


def os(octets: str) -> Data:
    return octet_string(bytes.fromhex(octets))


def bits(digits: str) -> Data:
    padded = digits.ljust(-(-len(digits) // 8) * 8, "0")
    return Data(DataType.BIT_STRING, BitString(int(padded, 2).to_bytes(len(padded) // 8, "big"), len(digits)))


MOMENT = "07ea071903 0a000000 ff88 80"
SCRIPTS = array(
    structure(
        long_unsigned(1),
        array(
            structure(enum(2), long_unsigned(70), ln("0-0:96.3.10*255"), integer(1), integer(0)),
            structure(enum(1), long_unsigned(3), ln("1-0:1.8.0*255"), integer(2), unsigned(5)),
        ),
    )
)


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "data", "told"),
    [
        (3, 3, structure(integer(-1), enum(30)), "scaler -1, unit Wh (30)"),
        (7, 5, enum(1), "FIFO (1)"),
        (7, 4, double_long_unsigned(900), "900 s"),
        (7, 6, structure(long_unsigned(8), ln("0-0:1.0.0*255"), integer(2), long_unsigned(0)), "Clock (0-0:1.0.0*255), time"),
        (8, 2, os(MOMENT), "2026-07-25 10:00:00+02:00 daylight saving"),
        (8, 3, Data(DataType.LONG, -60), "-60 min"),
        (8, 4, unsigned(0x81), "invalid value, daylight saving active (129)"),
        (8, 4, unsigned(0), "none (0)"),
        (8, 4, unsigned(0xFF), "not specified (255)"),
        (8, 5, os("ffff03fe07 02000000 8000 00"), "****-03-last Sun 02:00:00"),
        (8, 9, enum(4), "GPS (4)"),
        (15, 4, os("60857405080103"), "logical names, ciphering (2.16.756.5.8.1.3)"),
        (15, 4, os("060760857405080103"), "logical names, ciphering (2.16.756.5.8.1.3)"),
        (15, 4, os("00"), "0.0"),
        (15, 4, os("80"), "80"),
        (15, 6, os("60857405080205"), "HLS-GMAC (2.16.756.5.8.2.5)"),
        (15, 8, enum(2), "associated (2)"),
        (18, 5, boolean(True), "true"),
        (18, 6, enum(3), "verification successful (3)"),
        (20, 2, octet_string(b"Winter\x00"), "“Winter”"),
        (20, 2, os("01"), "01"),
        (20, 2, os(""), "(empty)"),
        (22, 2, structure(ln("0-0:10.0.106*255"), long_unsigned(2)),
         "script 2 of Disconnect control script table (0-0:10.0.106*255)"),
        (22, 2, structure(os("000000000000"), long_unsigned(0)), "no script"),
        (40, 3, structure(enum(0), octet_string(b"10.0.0.1:4059"), enum(0)),
         "transport_service TCP (0), destination “10.0.0.1:4059”, message A-XDR encoded APDU (0)"),
        (42, 3, double_long_unsigned(0xC0A80001), "192.168.0.1"),
        (42, 4, array(double_long_unsigned(1)), "1 element"),
        (48, 7, os("fe80" + "00" * 13 + "01"), "fe80::1"),
        (64, 2, enum(0x2C), "authenticated request, encrypted request, authenticated response (44)"),
        (64, 3, enum(0), "suite 0, AES-GCM-128 (0)"),
        (70, 3, enum(0), "disconnected (0)"),
        (70, 3, enum(99), "99"),
        (71, 2, structure(long_unsigned(3), ln("1-0:1.7.0*255"), integer(2)), "Active power import (+A) (1-0:1.7.0*255), value"),
        (72, 9, unsigned(3), "gas (3)"),
        (111, 4, bits("10010000"), "in credit, next credit selectable (10010000)"),
        (111, 4, bits("00000001"), "bit 7 (00000001)"),
    ],
)  # fmt: skip
def test_a_value_in_one_line(class_id, attribute_id, data, told):
    assert words(data, attribute_of(class_id, attribute_id, value=data).type) == told


def test_a_structure_line_by_line():
    assert list(show(SCRIPTS, attribute_of(9, 2).type, "scripts").lines()) == [
        "scripts: 1 element",
        "  1: script_identifier 1, actions 2 elements",
        "    script_identifier: 1",
        "    actions: 2 elements",
        "      1: execute remote_disconnect of Disconnect control (0-0:96.3.10*255) with 0",
        "        service_id: execute method (2)",
        "        class_id: 70 Disconnect control",
        "        logical_name: Disconnect control (0-0:96.3.10*255)",
        "        index: 1 remote_disconnect",
        "        parameter: 0",
        "      2: write value of Active energy import (+A), total (1-0:1.8.0*255) with 5",
        "        service_id: write attribute (1)",
        "        class_id: 3 Register",
        "        logical_name: Active energy import (+A), total (1-0:1.8.0*255)",
        "        index: 2 value",
        "        parameter: 5",
    ]


@pytest.mark.parametrize(
    ("class_id", "attribute_id", "data", "line"),
    [
        (11, 2, array(structure(long_unsigned(1), os("ffff0c19ff"), unsigned(3))),
         "index 1, specialday_date ****-12-25, day_id 3"),
        (20, 3, array(structure(octet_string(b"Summer"), os("ffff0401ff000000008000ff"), octet_string(b"W1"))),
         "season_profile_name “Summer”, season_start ****-04-01 00:00:00, week_name “W1”"),
        (20, 4, array(structure(octet_string(b"W1"), *(unsigned(day) for day in range(1, 8)))),
         "week_profile_name “W1”, monday 1, tuesday 2, wednesday 3, thursday 4, friday 5, saturday 6, sunday 7"),
        (22, 4, array(structure(os("06000000"), os("ffffffff01"))), "time 06:00:00, date ****-**-** Mon"),
        (21, 4, array(structure(*[structure(ln("0-0:10.0.106*255"), long_unsigned(1))] * 2)),
         "action_up script 1 of Disconnect control script table (0-0:10.0.106*255), "
         "action_down script 1 of Disconnect control script table (0-0:10.0.106*255)"),
        (17, 2, array(structure(long_unsigned(1), octet_string(b"MWB0000000000001"))),
         "SAP 1, logical_device_name “MWB0000000000001”"),
        (72, 3, array(structure(os("0c"), os("13"))), "data_information_block 0c, value_information_block 13"),
        (40, 2, array(structure(long_unsigned(3), ln("1-0:1.8.0*255"), integer(0), long_unsigned(0))),
         "Active energy import (+A), total (1-0:1.8.0*255), all attributes"),
        (7, 3, array(structure(long_unsigned(3), ln("1-0:1.8.0*255"), integer(2), long_unsigned(1))),
         "Active energy import (+A), total (1-0:1.8.0*255), value, element 1"),
        (64, 6, array(structure(enum(0), enum(1), os("01"), os("02"), os("03"), os(""))),
         "certificate_entity server (0), certificate_type key agreement (1), serial_number 01, issuer 02, subject 03, "
         "subject_alt_name (empty)"),
        (15, 10, array(structure(unsigned(1), visible_string("lab"))), "user_id 1, user_name “lab”"),
    ],
)  # fmt: skip
def test_the_elements_of_a_table(class_id, attribute_id, data, line):
    assert show(data, attribute_of(class_id, attribute_id, value=data).type).parts[0].text == line


def test_a_day_profile():
    day = structure(unsigned(1), array(structure(os("06000000"), ln("0-0:10.0.100*255"), long_unsigned(2))))
    shown = show(array(day), attribute_of(20, 5).type)
    assert shown.parts[0].text == "day_id 1, day_schedule 1 element"
    schedule = shown.parts[0].parts[1]
    assert schedule.name == "day_schedule"
    assert schedule.parts[0].text == "06:00:00 script 2 of Tariffication script table (0-0:10.0.100*255)"


def test_an_object_list_with_its_access_rights():
    rights = structure(
        array(structure(integer(2), enum(3), null())),
        array(structure(integer(1), enum(1)), structure(integer(2), boolean(False))),
    )
    entry = structure(long_unsigned(70), unsigned(0), ln("0-0:96.3.10*255"), rights)
    shown = show(array(entry), attribute_of(15, 2, 1).type).parts[0]
    assert shown.text == "Disconnect control (0-0:96.3.10*255), Disconnect control version 0"
    attribute, first, second = [*shown.parts[3].parts[0].parts, *shown.parts[3].parts[1].parts]
    assert attribute.text == "attribute_id 2 output_state, access_mode read and write (3), access_selectors null-data"
    assert first.text == "method_id 1 remote_disconnect, access_mode access (1)"
    assert second.text == "method_id 2 remote_reconnect, access_mode false"


def test_access_rights_of_version_3_are_bits():
    rights = structure(array(structure(integer(2), enum(0x07), null())), array())
    entry = structure(long_unsigned(3), unsigned(0), ln("1-0:1.8.0*255"), rights)
    shown = show(array(entry), attribute_of(15, 2, 3).type)
    assert "access_mode read, write, authenticated request (7)" in "\n".join(shown.lines())


def test_a_compact_array_is_told_element_by_element():
    rows = Data(DataType.COMPACT_ARRAY, CompactArray(TypeDescription(DataType.UNSIGNED), (unsigned(1), unsigned(2))))
    shown = show(rows, attribute_of(7, 2).type)
    assert (shown.text, shown.type, [part.text for part in shown.parts]) == ("2 elements", "compact-array", ["1", "2"])


def test_another_type_than_the_declared_one_is_shown_with_a_remark():
    shown = show(unsigned(1), attribute_of(70, 3).type)
    assert (shown.text, shown.type, shown.remark) == ("1", "unsigned", "declared as enum")
    assert show(structure(unsigned(1)), attribute_of(3, 3).type).remark == "2 fields are declared, 1 came"
    assert list(shown.lines()) == ["1 (declared as enum)"]


def test_more_fields_than_declared_get_numbers():
    shown = show(structure(integer(0), enum(30), enum(1)), attribute_of(3, 3).type)
    assert [part.name for part in shown.parts] == ["scaler", "unit", "3"]


def test_what_nobody_declared_is_shown_by_what_it_is():
    shown = show(structure(unsigned(1), array()))
    assert (shown.text, [part.text for part in shown.parts]) == ("2 fields", ["1", "0 elements"])


def test_a_text_that_is_too_long_for_a_line_is_counted():
    week = structure(octet_string(b"W" * 300), *(unsigned(day) for day in range(1, 8)))
    assert show(array(week), attribute_of(20, 4).type).parts[0].text == "8 fields"


def test_only_as_many_parts_as_the_budget_allows():
    budget = Budget(10)
    shown = show(array(*[structure(unsigned(1), unsigned(2))] * 100), budget=budget)
    assert budget.used_up
    assert sum(1 for _ in shown.lines()) <= 12
    assert shown.text == "100 elements"


# -- whatever comes ----------------------------------------------------------------------------------------------------

LEAVES = st.one_of(
    st.just(null()),
    st.booleans().map(boolean),
    st.integers(0, 255).map(enum),
    st.integers(-128, 127).map(integer),
    st.integers(0, 65535).map(long_unsigned),
    st.integers(0, 2**32 - 1).map(double_long_unsigned),
    st.binary(max_size=17).map(octet_string),
    st.binary(max_size=5).map(visible_string),
    st.text("01", min_size=1, max_size=10).map(bits),
    st.binary(min_size=12, max_size=12).map(lambda octets: Data(DataType.DATE_TIME, CosemDateTime.decode(octets))),
    st.floats().map(lambda number: Data(DataType.FLOAT64, number)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Data, st.sampled_from([DataType.ARRAY, DataType.STRUCTURE]), st.lists(inner, max_size=7).map(tuple)
    ),
    max_leaves=20,
)
DECLARED = st.sampled_from([attribute.type for known in known_classes() for attribute in known.attributes.values()])


@given(VALUES, DECLARED)
def test_every_value_can_be_shown_under_every_declaration(data, declared):
    for line in show(data, declared).lines():
        assert line.strip()


@given(st.lists(VALUES, min_size=5, max_size=5).map(lambda parts: structure(*parts)))
def test_a_sentence_is_told_of_fields_that_hold_anything(data):
    assert words(data, parse_type("script_action"))
    assert words(structure(*data.value[:4]), parse_type("capture_object"))
    assert words(structure(*data.value[:3]), parse_type("day_action"))
    assert words(structure(*data.value[:2]), parse_type("scaler_unit"))
