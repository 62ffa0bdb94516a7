from datetime import datetime

import pytest

from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.iec62056_21.profile import Column, Moment, Profile, profiles

LOAD = b"P.01(1220823161500)(08)(15)(2)(1.5)(kW)(2.5)(kW)\r\n(0.1)(0.2)\r\n(0.3)(0.4)\r\n"
EVENTS = b"P.98(1220826235646)(00008020)()(2)(0.9.1)()(0.9.2)()(1235703)(1220826)\r\nP.98(1220901000000)(10)()(0)\r\n"


def read(octets):
    return profiles(decode_data_block(octets).data_sets)


def test_a_load_profile():
    [profile] = read(LOAD)
    assert profile == Profile(
        "P.01",
        "1220823161500",
        "08",
        15,
        (Column("1.5", "kW"), Column("2.5", "kW")),
        (("0.1", "0.2"), ("0.3", "0.4")),
    )
    assert [profile.moment_of(row) for row in (0, 1)] == [
        datetime(2022, 8, 23, 16, 15),
        datetime(2022, 8, 23, 16, 30),
    ]


def test_an_event_list():
    first, second = read(EVENTS)
    assert first.columns == (Column("0.9.1", ""), Column("0.9.2", ""))
    assert first.rows == (("1235703", "1220826"),)
    assert (second.columns, second.rows, second.interval) == ((), (), None)
    assert second.moment_of(0) == datetime(2022, 9, 1)


def test_profiles_between_other_data_sets():
    found = read(b"0.0.0(1)\r\n" + LOAD + b"1.8.0(5)\r\n" + LOAD + EVENTS)
    assert [(one.address, len(one.rows)) for one in found] == [("P.01", 2), ("P.01", 2), ("P.98", 1), ("P.98", 0)]


def test_a_row_that_was_cut_is_shown_as_far_as_it_goes():
    [profile] = read(LOAD + b"(0.5)")
    assert profile.rows[-1] == ("0.5",)


@pytest.mark.parametrize(
    "octets",
    [b"P.01(1)(2)(3)", b"P.01(1)(2)(15)(x)(1.5)(kW)", b"P.01(1)(2)(15)(2)(1.5)(kW)", b"P.01(1)(2)(15)(99999)(1)"],
)
def test_what_is_no_header_is_no_profile(octets):
    assert read(octets) == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2104070015", Moment(datetime(2021, 4, 7, 0, 15))),
        ("210407001530", Moment(datetime(2021, 4, 7, 0, 15, 30))),
        ("12104070015", Moment(datetime(2021, 4, 7, 0, 15), 1)),
        ("1220823161500", Moment(datetime(2022, 8, 23, 16, 15), 1)),
        ("0000000000", None),
        ("9220823161500", None),
        ("2021", None),
        ("", None),
    ],
)
def test_moments(text, moment):
    assert Moment.parse(text) == moment


def test_a_profile_without_a_moment_has_no_times():
    [profile] = read(b"P.01(x)(08)(15)(1)(1.5)(kW)\r\n(0.1)\r\n")
    assert profile.moment_of(0) is None
