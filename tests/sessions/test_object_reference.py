"""References as people write them: read, shown again, and refused with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.obis import ObisCode
from sessions.object_reference import EntryRange, ObjectReference, ObjectReferenceError, TimeRange

PROFILE = "7/1-0:99.1.0*255/2"


@pytest.mark.parametrize(
    "text", ["8/0-0:1.0.0*255/2", "3/1-0:1.8.0*255/-1", "7/1-0:99.1.0*255/3", "65535/255-255:255.255.255*255/127"]
)
def test_a_plain_reference_reads_and_shows_the_same(text):
    reference = ObjectReference.parse(text)
    assert str(reference) == text
    assert reference.part is None


def test_the_parts_of_a_reference():
    reference = ObjectReference.parse("8/0-0:1.0.0*255/2")
    assert (reference.class_id, reference.logical_name, reference.attribute_id) == (8, ObisCode(0, 0, 1, 0, 0, 255), 2)


def test_a_range_of_times_without_offset_is_in_the_meters_own_time():
    reference = ObjectReference.parse(f"{PROFILE}[2026-11-01T00:00..2026-11-02T00:00]")
    assert reference.part == TimeRange(datetime(2026, 11, 1), datetime(2026, 11, 2))
    assert str(reference) == f"{PROFILE}[2026-11-01T00:00..2026-11-02T00:00]"


def test_a_range_of_times_with_offsets():
    part = ObjectReference.parse(f"{PROFILE}[2026-11-01T00:00+01:00..2026-11-02T00:00:30Z]").part
    assert part == TimeRange(
        datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 11, 2, 0, 0, 30, tzinfo=UTC)
    )


def test_a_date_alone_is_its_midnight():
    part = ObjectReference.parse(f"{PROFILE}[2026-11-01..2026-11-02]").part
    assert part == TimeRange(datetime(2026, 11, 1), datetime(2026, 11, 2))


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("[#1..10]", EntryRange(1, 10)),
        ("[#5..5]", EntryRange(5, 5)),
        ("[#7..]", EntryRange(7, 0)),
        ("[#7..0]", EntryRange(7, 0)),
        ("[#1..#10]", EntryRange(1, 10)),
    ],
)
def test_a_range_of_entries(written, part):
    assert ObjectReference.parse(PROFILE + written).part == part


@given(first=st.integers(1, 0xFFFFFFFF), count=st.integers(0, 1000))
@settings(max_examples=30)
def test_entries_come_back_from_their_text(first, count):
    reference = ObjectReference.parse(f"{PROFILE}[#{first}..{min(first + count, 0xFFFFFFFF)}]")
    assert ObjectReference.parse(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not class/obis/attribute"),
        ("8", "is not class/obis/attribute"),
        ("8/0-0:1.0.0*255", "is not class/obis/attribute"),
        ("clock/0-0:1.0.0*255/2", "is not class/obis/attribute"),
        ("8/0-0:1.0.0*255/2/3", "is not class/obis/attribute"),
        ("8/0-0:1.0.0*255/2]", "is not class/obis/attribute"),
        ("8/nonsense/2", "nonsense"),
        ("8/0-0:1.0.0*999/2", "999"),
        ("65536/0-0:1.0.0*255/2", "class 65536"),
        ("8/0-0:1.0.0*255/128", "attribute 128"),
        (f"{PROFILE}[]", "a part is"),
        (f"{PROFILE}[2026-11-01]", "a part is"),
        (f"{PROFILE}[yesterday..today]", "'yesterday' is not an ISO 8601 time"),
        (f"{PROFILE}[2026-11-02..2026-11-01]", "ends before it begins"),
        (f"{PROFILE}[2026-11-01T00:00Z..2026-11-02T00:00]", "both times an offset"),
        (f"{PROFILE}[#0..3]", "count from 1"),
        (f"{PROFILE}[#3..2]", "ends before it begins"),
        (f"{PROFILE}[#a..b]", "whole numbers"),
        (f"{PROFILE}[#-1..3]", "whole numbers"),
        (f"{PROFILE}[#1..4294967296]", "count from 1"),
        ("3/1-0:1.8.0*255/2[#1..2]", "only a profile's buffer"),
        ("7/1-0:99.1.0*255/3[#1..2]", "only a profile's buffer"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, reason):
    with pytest.raises(ObjectReferenceError, match=reason.replace("[", r"\[")):
        ObjectReference.parse(text)


@given(st.text(max_size=60))
@settings(max_examples=200)
def test_any_text_is_read_or_refused(text):
    try:
        reference = ObjectReference.parse(text)
    except ObjectReferenceError:
        return
    assert ObjectReference.parse(str(reference)) == reference


def test_only_the_buffer_of_a_profile_is_a_buffer():
    assert ObjectReference.parse(PROFILE).is_buffer
    assert not ObjectReference.parse("7/1-0:99.1.0*255/3").is_buffer
    assert str(ObjectReference.parse(f"{PROFILE}[#1..2]").sibling(3)) == "7/1-0:99.1.0*255/3"
