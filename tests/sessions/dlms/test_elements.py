"""Very many simple values: the same as one by one, whatever they are and however they are damaged."""

import copy
from unittest import mock
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem import data as d
from sessions.dlms import axdr
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.elements import MANY, Elements, Joined
from sessions.dlms.errors import DecodeError, TruncatedError
from tests.fuzz.mutation import mutate
from tests.sessions.dlms.test_axdr import scalars

constructed = st.builds(lambda *inside: d.structure(*inside), scalars)
sequences = st.builds(
    lambda kind, values: kind(*values),
    st.sampled_from([d.array, d.structure]),
    st.lists(st.one_of(scalars, scalars, scalars, constructed), min_size=1, max_size=12),
)


def outcome(octets, many):
    """What is decoded, or why not, where so many values are many."""
    with mock.patch.object(axdr, "MANY", many):
        try:
            data = decode_data(octets)
        except DecodeError as error:
            return type(error), error.field, error.offset, error.reason
    return encode_data(data), repr(data)  # repr: a NaN is not equal to itself


@given(sequences)
@settings(max_examples=100)
def test_both_lanes_read_the_same(sequence):
    octets = encode_data(sequence)
    assert outcome(octets, 1) == outcome(octets, 1 << 62)


@given(sequences, st.randoms(use_true_random=False))
@settings(max_examples=400)
def test_both_lanes_refuse_the_same_for_the_same_reason(sequence, chance):
    octets = mutate(encode_data(sequence), chance)
    assert outcome(octets, 1) == outcome(octets, 1 << 62)


def test_many_values_are_made_when_somebody_looks():
    values = [d.long_unsigned(number) for number in range(MANY)]
    octets = encode_data(d.array(*values))
    read = decode_data(octets)
    assert isinstance(read.value, Elements)
    assert len(read.value) == MANY
    assert read.value[7] == d.long_unsigned(7)
    assert read.value[-1] == values[-1]
    assert isinstance(read.value[2:4], Elements)
    assert list(read.value[2:4]) == values[2:4]
    assert read == d.array(*values)
    assert hash(read) == hash(d.array(*values))
    assert encode_data(read) == octets
    assert not isinstance(decode_data(encode_data(d.array(*values[1:]))).value, Elements)


def test_tables_of_other_shapes_are_made_at_once():
    """Somebody will look at them again and again."""
    rows = [d.structure(d.array(d.unsigned(number % 7))) for number in range(MANY)]
    assert isinstance(decode_data(encode_data(d.array(*rows))).value, tuple)


def test_elements_can_be_copied():
    read = decode_data(encode_data(d.array(*[d.long_unsigned(7)] * MANY, d.structure(d.unsigned(1)))))
    assert copy.deepcopy(read) == read


def test_the_last_of_many_is_cut():
    """It is not made to find that out, and the error is the same."""
    octets = encode_data(d.array(*[d.long_unsigned(7)] * MANY))[:-1]
    assert outcome(octets, 1) == outcome(octets, 1 << 62) == (TruncatedError, "value", len(octets) - 1, ANY)


def test_elements_may_follow_those_that_were_made():
    values = [d.unsigned(number) for number in range(5)]
    both = Joined(values[:2], tuple(values[2:]))
    assert list(both) == [both[at] for at in range(5)] == values
    assert both[-1] == values[-1]
    assert both[-5] == values[0]
    assert both[1:4] == tuple(values[1:4])
    assert both == tuple(values)
    for at in (5, -6):
        with pytest.raises(IndexError):
            both[at]
