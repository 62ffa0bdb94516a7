import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.hdlc.exchange import (
    LLC_REQUEST,
    LLC_RESPONSE,
    MAX_APDU,
    Arrival,
    Receiver,
    Segment,
    Sender,
    UnnumberedReceiver,
    cut,
    strip_llc,
)
from sessions.dlms.hdlc.frame import InfoFrame, UiFrame

from .wired import CLIENT, SERVER


def frame(number, information=b"x", segmented=False):
    return InfoFrame(
        destination=CLIENT,
        source=SERVER,
        send_sequence=number,
        receive_sequence=0,
        information=information,
        segmented=segmented,
    )


def numbers(segments):
    return [segment.number for segment in segments]


def test_llc_octets_of_both_directions_and_none():
    assert strip_llc(LLC_REQUEST + b"x") == strip_llc(LLC_RESPONSE + b"x") == strip_llc(b"x") == b"x"
    assert strip_llc(b"\xe6\xe8\x00x") == b"\xe6\xe8\x00x"


def test_octets_are_cut_into_information_fields():
    assert cut(b"abcdefg", 3) == [(b"abc", True), (b"def", True), (b"g", False)]
    assert cut(b"abcdef", 3) == [(b"abc", True), (b"def", False)]
    assert cut(b"a", 2030) == [(b"a", False)]


def test_which_numbers_can_be_acknowledged():
    sender = Sender()
    sender.load(bytes(10), 1)
    assert [sender.may_acknowledge(number) for number in range(8)] == [True] + [False] * 7
    sender.turn(3)
    assert sender.next_number == 3
    assert [number for number in range(8) if sender.may_acknowledge(number)] == [0, 1, 2, 3]
    sender.acknowledge(2)
    assert [number for number in range(8) if sender.may_acknowledge(number)] == [2, 3]
    sender.turn(7)
    assert sender.next_number == 1
    assert [number for number in range(8) if not sender.may_acknowledge(number)] == []


def ui(information, segmented=False):
    return UiFrame(destination=CLIENT, source=SERVER, information=information, segmented=segmented)


def test_unnumbered_segments_build_an_apdu():
    receiver = UnnumberedReceiver()
    assert receiver.accept(ui(LLC_RESPONSE + b"a", segmented=True)) is None
    assert receiver.pending
    assert not receiver.begins_anew(ui(b"b"))
    assert receiver.accept(ui(b"b", segmented=True)) is None
    assert receiver.accept(ui(b"c")) == b"abc"
    assert not receiver.pending
    assert receiver.accept(ui(b"no llc")) == b"no llc"


def test_another_beginning_ends_the_one_before():
    receiver = UnnumberedReceiver()
    receiver.accept(ui(LLC_RESPONSE + b"a", segmented=True))
    following = ui(LLC_RESPONSE + b"b")
    assert receiver.begins_anew(following)
    assert receiver.take_rest() == LLC_RESPONSE + b"a"
    assert not receiver.begins_anew(following)
    assert receiver.accept(following) == b"b"


def test_unnumbered_segments_without_end_are_dropped():
    receiver = UnnumberedReceiver()
    for _ in range(MAX_APDU // 2000 + 1):
        assert receiver.accept(ui(bytes(2000), segmented=True)) is None
    assert not receiver.pending


def test_an_apdu_is_cut_and_numbered():
    sender = Sender()
    sender.load(b"abcdefg", 3)
    assert sender.turn(7) == [
        Segment(0, b"abc", more=True, last_of_turn=False),
        Segment(1, b"def", more=True, last_of_turn=False),
        Segment(2, b"g", more=False, last_of_turn=True),
    ]
    assert sender.turn(1) == [Segment(0, b"abc", more=True, last_of_turn=True)]


def test_what_was_not_acknowledged_goes_out_again():
    sender = Sender()
    sender.load(bytes(10), 1)
    assert numbers(sender.turn(3)) == [0, 1, 2]
    assert sender.acknowledge(2) == 2
    assert numbers(sender.turn(3)) == [2, 3, 4]
    assert sender.acknowledge(5) == 3
    assert numbers(sender.turn(7)) == [5, 6, 7, 0, 1]
    assert sender.acknowledge(2) == 5
    assert not sender.has_segments
    assert not sender.has_unacknowledged
    assert sender.turn(7) == []


@pytest.mark.parametrize("number", [3, 4, 5, 6, 7])
def test_what_was_not_sent_cannot_be_acknowledged(number):
    sender = Sender()
    sender.load(bytes(10), 1)
    sender.turn(2)
    assert sender.acknowledge(number) == 0
    assert numbers(sender.turn(2)) == [0, 1]


def test_an_answer_acknowledges_what_was_sent_and_ends_the_rest():
    sender = Sender()
    sender.load(bytes(5), 1)
    sender.turn(2)
    sender.acknowledge_all()
    assert not sender.has_segments
    sender.load(b"x", 1)
    assert numbers(sender.turn(1)) == [2]


def test_what_is_discarded_leaves_its_numbers():
    sender = Sender()
    sender.load(bytes(5), 1)
    sender.turn(3)
    sender.acknowledge(1)
    sender.discard()
    assert not sender.has_unacknowledged
    sender.load(b"x", 1)
    assert numbers(sender.turn(1)) == [1]


@pytest.mark.parametrize("window", range(1, 8))
@pytest.mark.parametrize("number", range(8))
def test_every_number_in_every_window(window, number):
    arrival = Receiver().accept(frame(number), window)
    if number == 0:
        assert arrival is Arrival.EXPECTED
    else:
        assert arrival is (Arrival.GAP if number < window else Arrival.REPEATED)


def test_a_receiver_puts_together_what_is_due_and_only_that():
    receiver = Receiver()
    assert receiver.accept(frame(0, LLC_RESPONSE + b"ab"), 1) is Arrival.EXPECTED
    assert receiver.accept(frame(0, b"again"), 1) is Arrival.REPEATED
    assert receiver.accept(frame(1, b"cd"), 1) is Arrival.EXPECTED
    assert receiver.expected == 2
    assert receiver.take_apdu() == b"abcd"
    assert receiver.take_apdu() == b""


def test_an_apdu_without_end_is_noticed():
    receiver = Receiver()
    receiver.accept(frame(0, bytes(MAX_APDU)), 1)
    assert not receiver.is_overfull
    receiver.accept(frame(1, b"x"), 1)
    assert receiver.is_overfull


@given(st.binary(min_size=1, max_size=400), st.integers(1, 100), st.integers(1, 7), st.integers(0, 1000))
@settings(max_examples=100)
def test_whatever_is_lost_arrives_once_and_in_order(octets, size, window, seed):
    chance = random.Random(seed)
    sender, receiver = Sender(), Receiver()
    sender.load(octets, size)
    for _ in range(5000):
        if not sender.has_segments:
            break
        for segment in sender.turn(window):
            if chance.random() < 0.7:
                receiver.accept(frame(segment.number, segment.information, segment.more), window)
        if chance.random() < 0.7:
            sender.acknowledge(receiver.expected)
    assert receiver.take_apdu() == strip_llc(octets)
