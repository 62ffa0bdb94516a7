from datetime import UTC, datetime, timedelta, timezone
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.date_time import (
    ClockStatus,
    CosemDate,
    CosemDateTime,
    CosemTime,
    decode_moment,
    decode_moments,
    looks_like_date_time,
    steps_of_moment,
)


def test_the_deviation_counts_from_local_time_to_utc():
    moment = CosemDateTime.decode(bytes.fromhex("07e50713010f2e2300ff8880"))
    assert moment.deviation == -120
    assert moment.daylight_saving
    assert moment.to_datetime() == datetime(2021, 7, 19, 13, 46, 35, tzinfo=UTC)
    assert str(moment) == "2021-07-19 15:46:35+02:00"
    # The sign that many deployed meters send.
    assert moment.to_datetime(reverse_deviation=True) == datetime(2021, 7, 19, 17, 46, 35, tzinfo=UTC)


def test_what_is_not_specified_stays_so():
    octets = bytes.fromhex("ffffffffffffffffff8000ff")
    moment = CosemDateTime.decode(octets)
    assert moment.deviation is None
    assert moment.encode() == octets
    assert str(moment) == "****-**-** **:**:**"
    assert not moment.daylight_saving
    assert moment.iso() is None
    with pytest.raises(ValueError):
        moment.to_datetime()


def test_the_last_sunday_of_march():
    moment = CosemDateTime.decode(bytes.fromhex("ffff03fe0702000000800000"))
    assert str(moment) == "****-03-last Sun 02:00:00"


def test_a_moment_without_zone_is_naive_and_seconds_may_miss():
    moment = CosemDateTime.decode(bytes.fromhex("07e80101ff0a1effff800000"))
    assert moment.to_datetime() == datetime(2024, 1, 1, 10, 30)
    assert moment.iso() == "2024-01-01T10:30:00"


@pytest.mark.parametrize("octets", ["07e80d01ff000000008000ff", "000000000000000000000000", "07e8011fff18000000800000"])
def test_garbage_is_kept_and_is_no_moment(octets):
    moment = CosemDateTime.decode(bytes.fromhex(octets))
    assert moment.encode() == bytes.fromhex(octets)
    assert moment.iso() is None


@pytest.mark.parametrize(("kind", "size"), [(CosemDate, 5), (CosemTime, 4), (CosemDateTime, 12)])
def test_only_the_right_length_is_decoded(kind, size):
    for wrong in (0, size - 1, size + 1):
        with pytest.raises(ValueError, match=f"{size} octets"):
            kind.decode(bytes(wrong))


@given(st.binary(min_size=12, max_size=12))
def test_any_octets_go_round_and_have_a_text(octets):
    moment = CosemDateTime.decode(octets)
    assert moment.encode() == octets
    assert str(moment)


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2099, 12, 31)).map(
        lambda moment: moment.replace(microsecond=moment.microsecond // 10_000 * 10_000)
    ),
    st.one_of(st.none(), st.integers(-720, 840).map(lambda minutes: timezone(timedelta(minutes=minutes)))),
)
def test_python_times_go_round(moment, zone):
    moment = moment.replace(tzinfo=zone)
    cosem = CosemDateTime.from_datetime(moment)
    assert CosemDateTime.decode(cosem.encode()).to_datetime() == moment
    assert cosem.date.day_of_week == moment.isoweekday()


def test_status_bits_have_the_standards_values():
    assert [int(bit) for bit in ClockStatus] == [1, 2, 4, 8, 0x80]


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        ("07ea0b19030a0000008000ff", "2026-11-25 10:00:00"),
        ("07ea0b19030a000000800080", "2026-11-25 10:00:00"),
        ("07ea0b19030a000000800001", "2026-11-25 10:00:00 (clock invalid)"),
        ("07ea0b19030a000000ffc403", "2026-11-25 10:00:00+01:00 (clock invalid, clock doubtful)"),
        ("07ea0b19030a0000ff014a00", "2026-11-25 10:00:00-05:30"),
        ("fffffd01ff020000008000ff", "****-dst-end-01 02:00:00"),
        ("07eafefe01020304058000ff", "2026-dst-begin-last Mon 02:03:04.05"),
    ],
)
def test_what_a_technician_reads(octets, shown):
    assert str(CosemDateTime.decode(bytes.fromhex(octets))) == shown


def test_the_status_is_bits_or_not_specified():
    assert CosemDateTime.decode(bytes.fromhex("07ea0b19030a000000800081")).status == (
        ClockStatus.INVALID_VALUE | ClockStatus.DAYLIGHT_SAVING_ACTIVE
    )
    assert CosemDateTime.decode(bytes.fromhex("07ea0b19030a0000008000ff")).status is None


@pytest.mark.parametrize(
    ("octets", "seconds", "later"),
    [
        ("07ea0b1f022d0000008000ff", 900, None),  # hour 45
        ("07ea0b1e01173b0000ffc400", 900, "07ea0c0102000e0000ffc400"),  # into the next month, deviation kept
        ("07ea0b1eff173bffff800000", 900, "07ea0c01ff000effff800000"),  # what was unspecified stays so
        ("07ea0b1eff1730ffff800000", 61, "07ea0b1eff173101ff800000"),  # but a second that is needed is told
        ("ffff0b1e01173b000080 00ff".replace(" ", ""), 900, None),
        ("270f0c1f05173b3b00800000", 900, None),  # behind the last year
    ],
)
def test_a_period_later(octets, seconds, later):
    moment = CosemDateTime.decode(bytes.fromhex(octets))
    if later is None:
        with pytest.raises(ValueError):
            moment.later(seconds)
    else:
        assert moment.later(seconds).encode().hex() == later


def likely_octets():
    """Date-times of which some are moments: random octets hardly ever are."""
    year = st.sampled_from([b"\x07\xea", b"\x27\x0f", b"\xff\xff", b"\x00\x00"])
    fields = [(1, 13), (1, 32), (0, 8), (0, 24), (0, 60), (0, 60), (0, 100)]
    octets = st.tuples(*[st.integers(low, high) | st.just(0xFF) for low, high in fields]).map(bytes)
    deviation = st.sampled_from([b"\x80\x00", b"\xff\xc4", b"\x01\x4a", b"\x7f\xff"])
    return st.tuples(year, octets, deviation, st.binary(min_size=1, max_size=1)).map(b"".join)


def told_field_by_field(octets, *, reverse=False):
    moment = CosemDateTime.decode(octets)
    date, time = moment.date, moment.time
    hundredths = 0 if time.hundredths == 0xFF else time.hundredths
    second = 0 if time.second == 0xFF else time.second
    zone = None
    if moment.deviation is not None:
        zone = timezone(timedelta(minutes=moment.deviation if reverse else -moment.deviation))
    return datetime(date.year, date.month, date.day, time.hour, time.minute, second, hundredths * 10_000, zone)


def outcome(function, *arguments, **options):
    try:
        return function(*arguments, **options)
    except ValueError:
        return None


@given(st.lists(likely_octets(), max_size=6), st.booleans())
def test_a_column_of_moments_is_one_moment_after_the_other(column, reverse):
    expected = [outcome(told_field_by_field, octets, reverse=reverse) for octets in column]
    assert decode_moments(column, reverse_deviation=reverse) == expected
    assert [outcome(decode_moment, octets, reverse_deviation=reverse) for octets in column] == expected
    assert [outcome(CosemDateTime.decode(o).to_datetime, reverse_deviation=reverse) for o in column] == expected


def test_what_has_not_twelve_octets_is_no_moment():
    good = bytes.fromhex("07ea0b19030a000000800000")
    assert decode_moments([good, good[:-1], good + b"\x00", b""]) == [datetime(2026, 11, 25, 10), None, None, None]
    with pytest.raises(ValueError, match="12 octets"):
        decode_moment(good * 2)


def test_fields_that_no_octets_hold_are_no_moment():
    with pytest.raises(ValueError, match="no octets"):
        CosemDateTime(CosemDate(70000, 1, 1, 1), CosemTime(0, 0, 0, 0)).to_datetime()


@given(likely_octets(), st.sampled_from([-900, 0, 1, 7, 900, 3600, 86_399, 86_400, 100_000]))
def test_steps_are_later_and_later(octets, seconds):
    moment, expected = CosemDateTime.decode(octets), []
    for _ in range(100):
        moment = outcome(moment.later, seconds)
        if moment is None:
            break
        expected.append(moment.encode())
    found = []
    try:
        for step in islice(steps_of_moment(octets, seconds), 100):
            found.append(step)
    except ValueError:
        assert len(expected) < 100
    assert found == expected


def test_both_signs_of_the_deviation():
    moment = datetime(2026, 11, 25, 10, tzinfo=timezone(timedelta(minutes=330)))
    assert CosemDateTime.from_datetime(moment).deviation == -330
    reverse = CosemDateTime.from_datetime(moment, reverse_deviation=True)
    assert reverse.encode()[9:11].hex() == "014a"
    assert reverse.to_datetime(reverse_deviation=True) == moment
    assert reverse.iso(reverse_deviation=True) == "2026-11-25T10:00:00+05:30"
    assert reverse.text(reverse_deviation=True) == "2026-11-25 10:00:00+05:30"
    assert reverse.text() == str(reverse) == "2026-11-25 10:00:00-05:30"


@given(st.binary(min_size=12, max_size=12), st.integers(-(10**6), 10**6))
def test_any_octets_step_or_are_refused(octets, seconds):
    try:
        later = CosemDateTime.decode(octets).later(seconds)
    except ValueError:
        return
    assert (later.to_datetime() - CosemDateTime.decode(octets).to_datetime()).total_seconds() == seconds


@pytest.mark.parametrize(
    ("octets", "likely"),
    [
        (CosemDateTime.from_datetime(datetime(2026, 11, 25, 10)).encode(), True),
        (bytes.fromhex("07ea0b1903000000008000ff"), True),
        (bytes.fromhex("ffffffffffffffffff8000ff"), True),  # nothing specified
        (bytes.fromhex("ffff03fe0702000000800000"), True),  # the last Sunday of March
        (bytes.fromhex("07e50713010f2e2300ff8880"), True),
        (b"MTR123456789", False),  # twelve letters of a serial number
        (b"", False),
        (b"\xff" * 12, False),
        (bytes(12), False),
        (bytes.fromhex("07ea0d1903000000008000ff"), False),  # month 13
        (bytes.fromhex("07ea0b20030000000080 00ff".replace(" ", "")), False),  # day 32
        (bytes.fromhex("07ea0b1908000000008000ff"), False),  # an eighth weekday
        (bytes.fromhex("07ea0b1903fe0000008000ff"), False),  # hour 254
        (bytes.fromhex("07ea0b19030000000000 07ff".replace(" ", "")), False),  # seven minutes off
    ],
)
def test_twelve_letters_are_no_date(octets, likely):
    assert looks_like_date_time(octets) is likely


@given(st.binary(min_size=12, max_size=12) | likely_octets())
def test_what_looks_like_a_date_time_has_its_fields_in_range(octets):
    moment = CosemDateTime.decode(octets)
    zone = moment.deviation
    year = moment.date.year
    assert looks_like_date_time(octets) == (
        moment.in_range
        and (1990 <= year <= 2100 or year == 0xFFFF)
        and (zone is None or (-840 <= zone <= 840 and zone % 15 == 0))
    )
