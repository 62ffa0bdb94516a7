"""What a bad line does: the same for the same seed, in whatever pieces the octets come; and each fault by itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.simulator.faults import (
    CHANCES,
    TURN_PAUSE,
    Chance,
    Direction,
    FaultyLine,
    LineFaults,
    read_faults,
)

TO, FROM = Direction.TO_METER, Direction.FROM_METER
OCTETS = bytes(range(256)) * 2


def through(faults: LineFaults, octets: bytes = OCTETS, direction: Direction = FROM, **line: int) -> bytes:
    leaves = FaultyLine(faults, **line).carry(direction, octets, 10.0)
    return b"".join(each.octets for each in leaves)


def test_a_line_without_faults_changes_nothing():
    line = FaultyLine(LineFaults())
    (leaves,) = line.carry(TO, OCTETS, 5.0)
    assert (leaves.direction, leaves.octets, leaves.at) == (TO, OCTETS, 5.0)
    assert line.take_happened() == []
    assert line.carry(TO, b"", 5.0) == []


def test_bit_errors_turn_bits_and_say_which():
    line = FaultyLine(LineFaults(seed=1, bit_errors=0.01))
    (leaves,) = line.carry(FROM, OCTETS, 10.0)
    assert len(leaves.octets) == len(OCTETS)
    wrong = [at for at in range(len(OCTETS)) if leaves.octets[at] != OCTETS[at]]
    assert 20 < len(wrong) < 70  # 512 octets of 8 bits, one in a hundred
    told = line.take_happened()
    assert [fault.offset for fault in told] == wrong
    first = told[0]
    assert first.detail == f"{OCTETS[wrong[0]]:02x} became {leaves.octets[wrong[0]]:02x}"
    assert first.as_json() == {
        "time": 10.0,
        "connection": 0,
        "direction": "from-meter",
        "offset": wrong[0],
        "fault": "bit-error",
        "detail": first.detail,
    }


def test_every_bit_where_every_bit_is_turned():
    assert through(LineFaults(bit_errors=1.0)) == bytes(octet ^ 0xFF for octet in OCTETS)


@pytest.mark.parametrize(("kind", "length"), [("lost", 0), ("doubled", 2 * len(OCTETS))])
def test_octets_that_are_all_lost_or_all_doubled(kind, length):
    assert len(through(LineFaults(**{kind: 1.0}))) == length


def test_lost_and_doubled_octets():
    lost = through(LineFaults(seed=3, lost=0.05))
    assert len(OCTETS) - 60 < len(lost) < len(OCTETS)
    doubled = through(LineFaults(seed=3, doubled=0.05))
    assert len(OCTETS) < len(doubled) < len(OCTETS) + 60


def test_delayed_octets_keep_their_order_and_hold_up_the_rest():
    line = FaultyLine(LineFaults(seed=2, delayed=0.01, delay=0.5))
    leaves = line.carry(FROM, OCTETS, 10.0)
    assert b"".join(each.octets for each in leaves) == OCTETS
    assert len(leaves) > 2
    assert all(later.at == earlier.at + 0.5 for earlier, later in pairwise(leaves))
    assert [fault.kind for fault in line.take_happened()] == ["delayed"] * (len(leaves) - 1)


def test_silence_takes_whole_turns():
    line = FaultyLine(LineFaults(seed=4, silence=0.5))
    passed = []
    for turn in range(40):
        line.carry(TO, b"?", float(turn))
        pieces = [line.carry(FROM, bytes((part,)), float(turn)) for part in range(3)]
        assert len({bool(piece) for piece in pieces}) == 1  # all of the turn, or nothing
        passed.append(bool(pieces[0]))
    assert 5 < sum(passed) < 35


def test_a_repetition_after_a_pause_is_another_turn():
    line = FaultyLine(LineFaults(seed=0, silence=1.0))
    line.carry(TO, b"a", 0.0)
    line.carry(TO, b"b", TURN_PAUSE / 2)
    line.carry(TO, b"c", 10.0)
    assert [fault.offset for fault in line.take_happened()] == [0, 2]


def test_garbage_goes_before_a_turn():
    line = FaultyLine(LineFaults(seed=5, garbage=1.0))
    noise, said = line.carry(FROM, b"answer", 1.0)
    assert said.octets == b"answer"
    assert 1 <= len(noise.octets) <= 12
    (fault,) = line.take_happened()
    assert (fault.kind, fault.detail) == ("garbage", noise.octets.hex())


def test_slow_answers():
    line = FaultyLine(LineFaults(slow=2.0))
    assert line.carry(TO, b"?", 1.0)[0].at == 1.0
    assert line.carry(FROM, b"!", 1.5)[0].at == 3.5
    assert line.carry(FROM, b"!", 1.6)[0].at == 3.5  # the same answer


def test_echo_gives_back_what_was_sent():
    line = FaultyLine(LineFaults(echo=True))
    leaves = line.carry(TO, b"hello", 1.0)
    assert [(each.direction, each.octets) for each in leaves] == [(FROM, b"hello"), (TO, b"hello")]
    assert [each.direction for each in line.carry(FROM, b"answer", 1.0)] == [FROM]


@pytest.mark.parametrize("pieces", [[10], [5, 5], [7, 3], [1] * 10])
def test_the_line_ends_behind_octet_k(pieces):
    line = FaultyLine(LineFaults(cut_after=7))
    got, at = b"", 0
    for size in pieces:
        got += b"".join(each.octets for each in line.carry(FROM, OCTETS[at : at + size], 1.0))
        at += size
    assert (got, line.cut) == (OCTETS[:7], True)
    assert line.carry(TO, b"x", 2.0) == []
    assert [fault.kind for fault in line.take_happened()] == ["cut"]


def test_one_direction_only():
    faults = LineFaults(seed=1, direction=FROM, lost=1.0)
    assert through(faults, direction=TO) == OCTETS
    assert through(faults, direction=FROM) == b""


def test_the_seed_the_connection_and_the_direction_decide():
    faults = {"bit_errors": 0.01, "lost": 0.01, "doubled": 0.01}
    outcomes = [
        through(LineFaults(seed=1, **faults)),
        through(LineFaults(seed=2, **faults)),
        through(LineFaults(seed=1, **faults), connection=1),
        through(LineFaults(seed=1, **faults), direction=TO),
    ]
    assert len(set(outcomes)) == 4
    assert through(LineFaults(seed=1, **faults)) == outcomes[0]


def test_another_kind_of_fault_moves_no_bit_error():
    alone = FaultyLine(LineFaults(seed=7, bit_errors=0.01))
    mixed = FaultyLine(LineFaults(seed=7, bit_errors=0.01, doubled=0.02, delayed=0.02))
    told = []
    for line in (alone, mixed):
        line.carry(FROM, OCTETS, 1.0)
        told.append([fault for fault in line.take_happened() if fault.kind == "bit-error"])
    assert told[0] == told[1] != []


CHANCE = st.sampled_from([0.0, 0.01, 0.2, 1.0])


@given(
    seed=st.integers(0, 1000),
    chances=st.fixed_dictionaries(dict.fromkeys(CHANCES, CHANCE)),
    cut=st.none() | st.integers(0, 60),
    octets=st.binary(min_size=1, max_size=80),
    cuts=st.lists(st.integers(1, 79)),
)
def test_in_whatever_pieces_octets_come(seed, chances, cut, octets, cuts):
    """What leaves, and what is told, depends on the octets and not on the segments that they came in."""
    faults = LineFaults(seed=seed, cut_after=cut, **chances)
    marks = sorted({0, len(octets), *(at for at in cuts if at < len(octets))})
    results: list[Any] = []
    for pieces in ([octets], [octets[begin:end] for begin, end in pairwise(marks)]):
        line = FaultyLine(faults)
        leaves = [each for piece in pieces for each in line.carry(FROM, piece, 1.0)]
        told = [(fault.offset, fault.kind, fault.detail) for fault in line.take_happened()]
        timed = [(octet, each.at) for each in leaves for octet in each.octets]
        results.append((timed, sorted(told), line.cut))
    assert results[0] == results[1]


@given(chance=st.sampled_from([0.0, 1e-9, 0.001, 0.3, 0.999, 1.0]), trials=st.lists(st.integers(0, 50), max_size=20))
def test_trials_may_be_asked_for_in_any_portion(chance, trials):
    whole = Chance(chance, "seed").strokes(sum(trials))
    parts, at = [], 0
    portions = Chance(chance, "seed")
    for portion in trials:
        parts += [at + stroke for stroke in portions.strokes(portion)]
        at += portion
    assert parts == whole
    assert all(0 <= stroke < max(1, sum(trials)) for stroke in whole)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"bit_errors": 1.5}, "bit_errors is a chance from 0 to 1, not 1.5"),
        ({"lost": -0.1}, "lost is a chance"),
        ({"lost": True}, "lost is a chance"),
        ({"lost": "often"}, "lost is a chance"),
        ({"delay": 1e9}, "delay is seconds"),
        ({"seed": 1.5}, "seed is a whole number"),
        ({"cut_after": -1}, "cut_after is a whole number"),
        ({"echo": 1}, "echo is true or false"),
        ({"direction": "up"}, "direction is both, to-meter, from-meter, not 'up'"),
        ({"biterrors": 0.1}, "there is no biterrors; there are bit_errors, cut_after"),
    ],
)
def test_what_is_no_fault_is_refused(table, words):
    with pytest.raises(ValueError, match=words):
        read_faults(table)


def test_faults_from_a_table():
    assert read_faults({"seed": 3, "direction": "to-meter", "lost": 0.5}) == LineFaults(seed=3, direction=TO, lost=0.5)
    assert read_faults({"direction": "both"}) == LineFaults()


DATAGRAM = b"a datagram"


def datagrams(count: int = 40, **faults: Any) -> tuple[FaultyLine, list[list[Any]]]:
    line = FaultyLine(LineFaults(seed=2, **faults), datagrams=True)
    return line, [line.carry(FROM, DATAGRAM, float(number)) for number in range(count)]


@pytest.mark.parametrize(("kind", "copies"), [("lost", 0), ("doubled", 2)])
def test_datagrams_are_lost_and_doubled_as_a_whole(kind, copies):
    line, leaves = datagrams(**{kind: 0.3})
    assert {len(each) for each in leaves} == {1, copies}
    assert all(each.octets == DATAGRAM for departures in leaves for each in departures)
    told = line.take_happened()
    assert [(fault.kind, fault.offset % len(DATAGRAM)) for fault in told] == [(kind, 0)] * len(told)
    assert len(told) == sum(len(each) == copies for each in leaves)


def test_a_late_datagram_is_overtaken():
    line, leaves = datagrams(delayed=0.3, delay=5.0)
    late = [departures[0].at - number for number, departures in enumerate(leaves)]
    assert set(late) == {0.0, 5.0}
    assert [fault.kind for fault in line.take_happened()] == ["delayed"] * late.count(5.0)


def test_a_datagram_with_wrong_bits():
    line, leaves = datagrams(bit_errors=0.01)
    wrong = [departures[0].octets for departures in leaves if departures[0].octets != DATAGRAM]
    assert wrong
    assert {len(octets) for octets in wrong} == {len(DATAGRAM)}
    assert {fault.kind for fault in line.take_happened()} == {"bit-error"}


def test_datagrams_of_a_silent_turn():
    line, leaves = datagrams(silence=1.0)
    assert leaves == [[]] * 40
    assert {fault.kind for fault in line.take_happened()} == {"silence"}
