from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.date_time import ClockStatus, CosemDate, CosemDateTime, CosemTime


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
