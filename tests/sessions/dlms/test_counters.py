import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.counters import LAST_COUNTER, InvocationCounters, ReceiveFloor
from sessions.dlms.errors import LocalProtocolError, SecurityError


def test_each_number_comes_once_and_then_none():
    counters = InvocationCounters(range(5, 8))
    assert (counters.remaining, counters.next) == (3, 5)
    assert [counters.take() for _ in range(3)] == [5, 6, 7]
    assert counters.next is None
    with pytest.raises(LocalProtocolError) as refused:
        counters.take()
    assert refused.value.code == "counters-exhausted"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=8))
def test_numbers_only_grow(steps):
    counters, at, expected = InvocationCounters(), 0, []
    for gap, count in steps:
        block = range(at + gap, at + gap + count)
        counters.extend(block)
        expected += block
        at = max(at, block.stop)
    assert counters.remaining == len(expected)
    assert [counters.take() for _ in expected] == expected


@pytest.mark.parametrize("block", [range(3, 6), range(6, 8), range(20, 30, 2), range(LAST_COUNTER, LAST_COUNTER + 2)])
def test_a_block_that_is_not_above_all_before_is_refused(block):
    counters = InvocationCounters(range(5, 8))
    with pytest.raises(LocalProtocolError):
        counters.extend(block)


def test_the_floor_moves_only_when_told():
    floor = ReceiveFloor()
    floor.check(10)
    floor.check(0)
    floor.move(10)
    floor.check(11)
    for old in (0, 10):
        with pytest.raises(SecurityError) as refused:
            floor.check(old)
        assert refused.value.code == "replayed-counter"
    with pytest.raises(SecurityError):
        floor.move(10)
    assert floor.lowest == 11
