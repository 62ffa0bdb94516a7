import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.date_time import UNSPECIFIED_DEVIATION, CosemDate, CosemDateTime, CosemTime
from meters.cosem.date_time_text import (
    date_text,
    date_time_text,
    parse_date,
    parse_date_time,
    parse_time,
    time_text,
)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("2026-11-25 10:00:00+01:00", "07ea0b19030a000000ffc400"),
        ("2026-11-25T10:00+01:00", "07ea0b19030a000000ffc400"),
        ("2026-11-25 Wed 10:00:00+0100", "07ea0b19030a000000ffc400"),
        ("2026-11-25 10:00Z", "07ea0b19030a000000000000"),
        ("2026-11-25 10:00:00-05:30", "07ea0b19030a000000014a00"),
        ("2026-11-25 10:00", "07ea0b19030a000000800000"),
        ("2026-11-25 10:00:00.25 status 80", "07ea0b19030a000019800080"),
        ("2026-11-25 * 10:00:00.* status *", "07ea0b19ff0a0000ff8000ff"),
        ("*-03-last Sun 02:00:00", "ffff03fe0702000000800000"),
        ("*-03-last sunday 02:00", "ffff03fe0702000000800000"),
        ("****-**-** **:**:**.** status ff", "ffffffffffffffffff8000ff"),
        ("*-dst-begin-* *:*:*", "fffffeffffffffff00800000"),
        ("*-*-#e3 1:2:3", "ffffffe3ff01020300800000"),
        ("2026-02-30 0:0", "07ea021eff00000000800000"),  # no such day, and so no weekday
    ],
)
def test_moments_are_read(text, octets):
    assert parse_date_time(text).encode().hex() == octets
    assert parse_date_time(date_time_text(parse_date_time(text))).encode().hex() == octets


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("07ea0b19030a000000ffc400", "2026-11-25 10:00:00+01:00"),
        ("07ea0b19ff0a0000ff8000ff", "2026-11-25 * 10:00:00.* status *"),
        ("ffff03fe0702000000800000", "*-03-last Sun 02:00:00"),
        ("fffffdfdff02000000800000", "*-dst-end-second-last 02:00:00"),
        ("07ea0b19010a000000ff8880", "2026-11-25 Mon 10:00:00+02:00 status 80"),  # a Wednesday
        ("fffe0d200818 3c3c64 7fff 01", "#fffe-#0d-#20 #08 #18:#3c:#3c.#64-546:07 status 01"),
    ],
)
def test_moments_are_printed(moment, text):
    assert date_time_text(CosemDateTime.decode(bytes.fromhex(moment))) == text


@pytest.mark.parametrize(
    ("text", "octets"),
    [("2026-12-25", "07ea0c1905"), ("*-12-25", "ffff0c19ff"), ("*-*-* Mon", "ffffffff01"), ("*-*-* 7", "ffffffff07")],
)
def test_dates(text, octets):
    assert parse_date(text).encode().hex() == octets
    assert parse_date(date_text(CosemDate.decode(bytes.fromhex(octets)))).encode().hex() == octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [("6:30", "061e0000"), ("06:30:15", "061e0f00"), ("*:*:*.*", "ffffffff"), ("0:0:0.7", "00000007")],
)
def test_times(text, octets):
    assert parse_time(text).encode().hex() == octets
    assert parse_time(time_text(CosemTime.decode(bytes.fromhex(octets)))).encode().hex() == octets


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no date-time: write it as"),
        ("tomorrow", "is no date-time"),
        ("2026-11-25", "is no date-time"),
        ("2026-13-01 10:00", "the month is 13"),
        ("2026-00-01 10:00", "the month is 00"),
        ("2026-11-32 10:00", "the day is 32"),
        ("10000-11-25 10:00", "the year is 10000"),
        ("2026-11-25 24:00", "the hour is 24"),
        ("2026-11-25 10:60", "the minute is 60"),
        ("2026-11-25 10:00:61", "the second is 61"),
        ("2026-11-25 10:00:00.100", "the hundredths is 100"),
        ("2026-11-25 Foo 10:00", "is no weekday"),
        ("2026-11-25 10:00+01:60", "the offset"),
        ("2026-11-25 10:00+999:00", "the offset"),
        ("2026-11-#1ff 10:00", "no more than 1 octet"),
        ("#12345-11-25 10:00", "no more than 2 octets"),
        ("2026-11-25 #1ff 10:00", "no more than 1 octet"),
    ],
)
def test_what_is_wrong_is_said(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_date_time(text)


@given(st.binary(min_size=12, max_size=12))
def test_whatever_a_meter_sends_goes_round(octets):
    moment = CosemDateTime.decode(octets)
    assert parse_date_time(date_time_text(moment)).encode() == octets
    assert parse_date(date_text(moment.date)) == moment.date
    assert parse_time(time_text(moment.time)) == moment.time


@given(st.integers(UNSPECIFIED_DEVIATION, 0x7FFF))
def test_every_deviation_goes_round(deviation):
    octets = bytes.fromhex("07ea0b19030a000000") + deviation.to_bytes(2, "big", signed=True) + b"\x00"
    assert parse_date_time(date_time_text(CosemDateTime.decode(octets))).encode() == octets


@given(st.text(max_size=40))
def test_any_other_text_is_refused_with_a_sentence(text):
    for parse in (parse_date_time, parse_date, parse_time):
        try:
            parse(text)
        except ValueError as error:
            assert str(error)
