"""Blocks in and out: sizes. How blocks make a value is tested with each service."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.transfers.blocks import Ahead, largest_contents, length_octets


@given(room=st.integers(-3, 70_000))
@settings(max_examples=200)
def test_the_largest_contents_fit_and_one_more_octet_would_not(room):
    contents = largest_contents(room)
    if contents < 0:
        assert room < 1
        return
    assert contents + length_octets(contents) <= room
    assert contents + 1 + length_octets(contents + 1) > room


@pytest.mark.parametrize(("number", "octets"), [(0, 1), (127, 1), (128, 2), (255, 2), (256, 3), (65_536, 4)])
def test_length_octets(number, octets):
    assert length_octets(number) == octets


def test_what_is_handed_on_ahead_stands_behind_the_head_and_is_counted():
    ahead = Ahead()
    assert [ahead.take(0, b"headva", 4), ahead.take(6, b"", 0), ahead.take(6, b"lue", 0)] == [b"va", b"", b"lue"]
    assert (ahead.blocks, ahead.octets, ahead.began_anew) == (2, 5, False)
    assert ahead.take(0, b"headva", 4) == ahead.take(6, b"lue", 0) == b""
    assert ahead.began_anew
