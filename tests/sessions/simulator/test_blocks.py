"""Octets that are made part by part and taken in slices."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.simulator.blocks import OutgoingOctets


@given(parts=st.lists(st.binary(max_size=9), max_size=9), size=st.integers(1, 12))
@settings(max_examples=60)
def test_octets_are_taken_in_slices(parts, size):
    whole, outgoing = b"".join(parts), OutgoingOctets(parts)
    assert OutgoingOctets(parts).fits(len(whole))
    assert not whole or not OutgoingOctets(parts).fits(len(whole) - 1)
    taken, last = [], False
    while not last:
        octets, last = outgoing.take(size)
        taken.append(octets)
    assert b"".join(taken) == whole
    assert all(len(octets) == size for octets in taken[:-1])
