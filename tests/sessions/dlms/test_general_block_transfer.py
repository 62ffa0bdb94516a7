"""General block transfer: every state with every event, exchanges with loss and repetition, limits, odd peers, real pushes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError
from sessions.dlms.general_block_transfer import (
    OURS,
    TRANSITIONS,
    Arrival,
    BlockEvent,
    BlockLimits,
    BlockState,
    GeneralBlocks,
    unconfirmed_blocks,
)
from tests.vectors import octets

APDU = bytes(range(256)) * 3
ROOM = 47
"""Forty octets of data in each block."""


def block(
    number: int, data: bytes = b"", *, last: bool = False, streaming: bool = False, window: int = 1, ack: int = 0
):
    return GeneralBlockTransfer(last, streaming, window, number, ack, data)


def slices(apdu: bytes, size: int, **fields: Any) -> list[GeneralBlockTransfer]:
    parts = [apdu[at : at + size] for at in range(0, len(apdu), size)]
    return [block(number, part, last=number == len(parts), **fields) for number, part in enumerate(parts, start=1)]


# -- the table ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", BlockState)
@pytest.mark.parametrize("event", BlockEvent)
def test_every_state_with_every_event(state, event):
    blocks = GeneralBlocks()
    blocks.state = state
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError if event in OURS else RemoteProtocolError):
            blocks.fire(event)
        assert blocks.state is state
    else:
        blocks.fire(event)
        assert blocks.state is expected


def test_the_table_is_whole():
    assert set(TRANSITIONS) == set(BlockState)
    for row in TRANSITIONS.values():
        assert set(BlockEvent) - set(row) <= {BlockEvent.SEND, BlockEvent.SEND_LAST}
        assert row[BlockEvent.ABORT] is row[BlockEvent.ABORTED] is row[BlockEvent.LAST_BLOCK] is BlockState.IDLE


# -- sending -----------------------------------------------------------------------------------------------------------


def test_a_short_apdu_is_one_block():
    """protocol/05, section 11."""
    blocks = GeneralBlocks(window=1)
    (only,) = blocks.send(bytes.fromhex("C001C100030100010800FF0200"), 100)
    assert only.encode() == bytes.fromhex("E081000100000DC001C100030100010800FF0200")
    assert blocks.state is BlockState.SENT


def test_an_acknowledgement_as_published():
    """The vector `gbt-ack`: window 4, block 1 acknowledges block 1, no data. Ours says as well that nothing else follows."""
    blocks = GeneralBlocks(window=4)
    arrival = blocks.receive(block(1, b"\x01"))
    assert [each.encode() for each in arrival.blocks] == [bytes.fromhex("E0840001000100")]
    assert GeneralBlocks().receive(decode_apdu(bytes.fromhex("E0040001000100"))) == Arrival()


def test_without_a_known_window_one_block_goes_out_and_then_as_many_as_are_taken():
    blocks = GeneralBlocks()
    (first,) = blocks.send(APDU, ROOM)
    assert (first.block_number, first.streaming, first.last_block, len(first.encode())) == (1, False, False, ROOM)
    arrival = blocks.receive(block(1, window=3, ack=1))
    assert [(each.block_number, each.streaming) for each in arrival.blocks] == [(2, True), (3, True), (4, False)]
    assert blocks.state is BlockState.SENDING


def test_what_was_lost_is_sent_again_from_there():
    blocks = GeneralBlocks()
    blocks.send(APDU, ROOM)
    blocks.receive(block(1, window=4, ack=1))
    arrival = blocks.receive(block(2, window=4, ack=3))
    assert [each.block_number for each in arrival.blocks] == [4, 5, 6, 7]
    assert arrival.blocks[0].block_data == APDU[120:160]


def test_a_line_that_does_not_stream_has_one_block_at_a_time():
    blocks = GeneralBlocks(streams=False)
    blocks.send(APDU, ROOM)
    arrival = blocks.receive(block(1, window=10, ack=1))
    assert [each.block_number for each in arrival.blocks] == [2]


@pytest.mark.parametrize("room", [0, 6, 7])
def test_a_peer_that_takes_not_one_octet_of_a_block(room):
    with pytest.raises(LocalProtocolError) as raised:
        GeneralBlocks().send(APDU, room)
    assert raised.value.code == "request-too-long"
    with pytest.raises(LocalProtocolError):
        unconfirmed_blocks(APDU, room)


def test_more_blocks_than_there_are_numbers():
    with pytest.raises(LocalProtocolError, match="do not travel in blocks of 8"):
        GeneralBlocks().send(bytes(0xFFFF), 8)
    with pytest.raises(LocalProtocolError):
        unconfirmed_blocks(bytes(0x10000), 8)
    assert len(unconfirmed_blocks(bytes(0xFFFF), 8)) == 0xFFFF


def test_nothing_is_sent_while_blocks_come():
    blocks = GeneralBlocks()
    blocks.receive(block(1, b"\x01"))
    with pytest.raises(LocalProtocolError):
        blocks.send(APDU, ROOM)


def test_an_acknowledgement_of_more_than_was_sent_counts_for_what_was_sent():
    blocks = GeneralBlocks()
    blocks.send(APDU, ROOM)
    arrival = blocks.receive(block(1, window=1, ack=77))
    assert [each.block_number for each in arrival.blocks] == [2]


def test_a_late_acknowledgement_changes_nothing():
    blocks = GeneralBlocks()
    blocks.send(APDU[:10], ROOM)
    assert blocks.receive(block(1, ack=1)) == Arrival()
    assert blocks.receive(block(1, ack=1)) == Arrival()
    assert blocks.state is BlockState.SENT


# -- receiving ---------------------------------------------------------------------------------------------------------


def test_each_block_that_waits_is_acknowledged_and_the_last_brings_the_whole():
    blocks, parts = GeneralBlocks(window=5), slices(APDU, 100)
    for at, part in enumerate(parts[:-1]):
        acknowledgement = block(1, last=True, window=5, ack=part.block_number)
        assert blocks.receive(part) == Arrival((acknowledgement,), piece=(at * 100, part.block_data))
        assert blocks.awaits_blocks
    assert blocks.receive(parts[-1]) == Arrival(apdu=APDU)
    assert not blocks.awaits_answer


def test_a_stream_is_acknowledged_at_its_end():
    blocks, parts = GeneralBlocks(), slices(APDU, 100)
    for at, part in enumerate(parts[:3]):
        assert blocks.receive(replace(part, streaming=True)) == Arrival(piece=(at * 100, part.block_data))
    assert blocks.receive(parts[3]).blocks[0].block_number_ack == 4


def test_a_gap_is_told_at_the_end_of_the_stream():
    blocks, parts = GeneralBlocks(), slices(APDU, 100)
    blocks.receive(replace(parts[0], streaming=True))
    assert blocks.receive(replace(parts[2], streaming=True)) == Arrival()
    assert blocks.state is BlockState.MISSING
    assert blocks.receive(parts[3]).blocks[0].block_number_ack == 1
    for part in parts[1:-1]:
        blocks.receive(replace(part, streaming=True))
    assert blocks.receive(parts[-1]).apdu == APDU


def test_the_first_block_may_be_lost():
    blocks, parts = GeneralBlocks(), slices(APDU, 400)
    arrival = blocks.receive(parts[1])
    assert arrival.apdu is None
    assert arrival.blocks[0].block_number_ack == 0
    blocks.receive(parts[0])
    assert blocks.receive(parts[1]).apdu == APDU


def test_repeated_blocks_are_taken_once():
    blocks, parts = GeneralBlocks(), slices(APDU, 100)
    for part in parts[:3]:
        blocks.receive(part)
    arrival = blocks.receive(parts[1])
    assert arrival.blocks[0].block_number_ack == 3
    for part in parts[3:-1]:
        blocks.receive(part)
    assert blocks.receive(parts[-1]).apdu == APDU
    assert blocks.receive(parts[-1]) == Arrival((block(1, last=True, window=8, ack=8),))


def test_an_acknowledgement_that_was_not_acknowledged_keeps_its_number():
    blocks, parts = GeneralBlocks(), slices(APDU, 100)
    numbers = [blocks.receive(parts[0]).blocks[0].block_number for _ in range(3)]
    assert numbers == [1, 1, 1]
    assert blocks.receive(replace(parts[1], block_number_ack=1)).blocks[0].block_number == 2


def test_block_one_with_other_data_begins_anew():
    blocks = GeneralBlocks()
    for part in slices(APDU, 100)[:3]:
        blocks.receive(part)
    other = slices(APDU[::-1], 400)
    blocks.receive(other[0])
    assert blocks.receive(other[1]).apdu == APDU[::-1]


def test_an_empty_last_block_ends_a_transfer():
    blocks = GeneralBlocks()
    blocks.receive(block(1, APDU))
    assert blocks.receive(block(2, last=True)).apdu == APDU


# -- both directions in one exchange -----------------------------------------------------------------------------------


def test_the_answer_acknowledges_the_request():
    client, server = GeneralBlocks(), GeneralBlocks()
    (request,) = client.send(b"request", 100)
    assert server.receive(request).apdu == b"request"
    (answer,) = server.send(b"answer", 100)
    assert answer.block_number_ack == 1
    assert client.receive(answer).apdu == b"answer"


@pytest.mark.parametrize("counted", [True, False], ids=["numbered", "not numbered"])
def test_peers_number_their_acknowledgements_or_do_not(counted):
    client = GeneralBlocks()
    client.send(APDU, ROOM + 150)
    for number in range(1, 4):
        arrival = client.receive(block(number if counted else 1, window=1, ack=number))
        assert arrival.blocks[0].block_number == number + 1
    first = 4 if counted else 1
    client.receive(block(first, b"ans", ack=4))
    assert client.receive(block(first + 1, b"wer", last=True, ack=4)).apdu == b"answer"


def test_a_refusal_may_come_before_the_request_is_out():
    client = GeneralBlocks()
    client.send(APDU, ROOM)
    assert client.receive(block(1, b"\xd8\x01\x04", last=True, ack=1)).apdu == b"\xd8\x01\x04"
    assert client.state is BlockState.IDLE


def drop(blocks: Sequence[GeneralBlockTransfer], fates: Iterator[int]) -> list[GeneralBlockTransfer]:
    """What arrives of some blocks: lost (0), once (1) or twice (2)."""
    return [decode_apdu(each.encode()) for each in blocks for _ in range(next(fates, 1))]


@given(
    request=st.binary(min_size=1, max_size=600),
    answer=st.binary(min_size=1, max_size=600),
    rooms=st.tuples(st.integers(8, 120), st.integers(8, 120)),
    windows=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    fates=st.lists(st.sampled_from([0, 1, 1, 1, 2]), max_size=120),
)
@settings(max_examples=400, deadline=None)
def test_request_and_answer_arrive_whole_whatever_is_lost_or_repeated(request, answer, rooms, windows, fates):
    client, server = GeneralBlocks(window=windows[0]), GeneralBlocks(window=windows[1])
    client.begin()
    fate = iter(fates)
    received = None
    requests: list[bytes] = []
    to_server = drop(client.send(request, rooms[0]), fate)
    for _ in range(20_000):
        to_client: list[GeneralBlockTransfer] = []
        for each in to_server:
            arrival = server.receive(each)
            blocks = arrival.blocks
            if arrival.apdu is not None:
                requests.append(arrival.apdu)
                blocks = server.send(answer, rooms[1])
            to_client += drop(blocks, fate)
        to_server = []
        for each in to_client:
            arrival = client.receive(each)
            received = arrival.apdu if arrival.apdu is not None else received
            to_server += drop(arrival.blocks, fate)
        if received is not None:
            break
        if not to_server:  # silence: the client asks again
            to_server = drop(client.ask_again(), fate)
    assert received == answer
    assert requests == [request]


@given(apdu=st.binary(min_size=1, max_size=500), room=st.integers(8, 100))
@settings(max_examples=100, deadline=None)
def test_a_push_arrives_whole_or_not_at_all(apdu, room):
    blocks = unconfirmed_blocks(apdu, room)
    assert all(len(each.encode()) <= room and each.streaming and each.window == 0 for each in blocks)
    receiver = GeneralBlocks(confirmed=False)
    for _ in range(2):  # the same again is another push
        arrivals = [receiver.receive(decode_apdu(each.encode())) for each in blocks]
        assert arrivals[-1].apdu == apdu
        assert all(arrival.blocks == () for arrival in arrivals)
    if len(blocks) > 1:
        assert [receiver.receive(each).apdu for each in blocks[:-2] + blocks[-1:]][-1] in (
            None,
            *[apdu] * (len(blocks) < 3),
        )


# -- real blocks -------------------------------------------------------------------------------------------------------


def test_a_published_push_in_three_frames():
    """A Swiss meter's push (protocol/05, section 11; the vectors `ch-gbt-push` and `gbt-apdu`): the last block streams too."""
    apdu = octets("gbt-apdu")
    receiver = GeneralBlocks(confirmed=False)
    arrivals = []
    for start, head in {0: "E0400001000070", 0x70: "E0400002000075", 0xE5: "E0C00003000014"}.items():
        announced = bytes.fromhex(head)
        arrivals.append(receiver.receive(decode_apdu(announced + apdu[start : start + announced[-1]])))
    assert [arrival.apdu for arrival in arrivals] == [None, None, apdu]
    assert isinstance(decode_apdu(apdu), DataNotification)


def test_a_push_that_begins_anew_and_one_with_a_gap():
    receiver = GeneralBlocks(confirmed=False)
    first, second, third = slices(APDU, 256, window=0, streaming=True)
    for each in (first, second, first, second):
        assert receiver.receive(each) == Arrival()
    assert receiver.receive(third).apdu == APDU
    for each in (first, third, third, second):
        assert receiver.receive(each) == Arrival()
    assert receiver.state is BlockState.IDLE


# -- aborts ------------------------------------------------------------------------------------------------------------

ABORT = block(0, last=True, window=0)


def test_an_abort_as_it_goes_out():
    client = GeneralBlocks()
    client.send(APDU, ROOM)
    assert [each.encode() for each in client.abort()] == [bytes.fromhex("E0800000000000")]
    assert client.state is BlockState.IDLE
    assert GeneralBlocks(confirmed=False).abort() == ()


@pytest.mark.parametrize("number", [0, 1, 5])
def test_an_abort_by_the_peer(number):
    sending, receiving = GeneralBlocks(), GeneralBlocks()
    sending.send(APDU, ROOM)
    receiving.receive(block(1, b"\x01"))
    for blocks in (sending, receiving):
        assert blocks.receive(replace(ABORT, block_number=number)) == Arrival(aborted=True)
        assert blocks.state is BlockState.IDLE


def test_an_acknowledgement_without_a_window_is_no_abort():
    client = GeneralBlocks()
    client.send(APDU, ROOM)
    arrival = client.receive(replace(ABORT, block_number=1, block_number_ack=1))
    assert not arrival.aborted
    assert arrival.blocks[0].block_number == 2


# -- after silence -----------------------------------------------------------------------------------------------------


def test_what_is_said_after_silence():
    blocks = GeneralBlocks()
    assert blocks.ask_again() == ()
    sent = blocks.send(APDU, 400)
    assert blocks.ask_again() == sent
    blocks.receive(block(1, window=2, ack=1))
    blocks.receive(block(2, window=2, ack=3))
    (poke,) = blocks.ask_again()
    assert (poke.block_data, poke.block_number_ack) == (b"", 2)
    blocks.receive(block(3, b"\x01", streaming=True))
    (stand,) = blocks.ask_again()
    assert (stand.block_data, stand.block_number_ack) == (b"", 3)


# -- bombs -------------------------------------------------------------------------------------------------------------


def test_an_apdu_without_an_end_is_cut_off_before_it_takes_memory():
    blocks = GeneralBlocks(limits=BlockLimits(max_octets=1000))
    with pytest.raises(RemoteProtocolError, match="does not end") as raised:
        for number in range(1, 100):
            blocks.receive(block(number, bytes(100), streaming=True))
    assert raised.value.code == "transfer-too-long"
    assert number == 11
    assert blocks.state is BlockState.IDLE


def test_numbers_that_run_out():
    blocks = GeneralBlocks()
    with pytest.raises(RemoteProtocolError, match="numbers are used up"):
        for number in range(1, 0x10000):
            blocks.receive(block(number, b"\x00", streaming=True))
    assert number == 0xFFFF


@pytest.mark.parametrize(
    "storm", [block(5, b"\x00"), block(1, ack=0), block(1, b"\x01")], ids=["gap", "empty", "repeated"]
)
def test_a_storm_of_blocks_that_bring_nothing(storm):
    blocks = GeneralBlocks(limits=BlockLimits(max_idle_blocks=20))
    blocks.receive(block(1, b"\x01"))
    with pytest.raises(RemoteProtocolError, match="bring nothing new") as raised:
        for _ in range(100):
            blocks.receive(storm)
    assert raised.value.code == "block-storm"


@given(
    events=st.lists(
        st.builds(
            GeneralBlockTransfer,
            st.booleans(),
            st.booleans(),
            st.integers(0, 63),
            st.integers(0, 12),
            st.integers(0, 12),
            st.binary(max_size=3),
        ),
        max_size=60,
    ),
    sends=st.booleans(),
    confirmed=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_whatever_comes_is_taken_or_refused_by_a_typed_error(events, sends, confirmed):
    blocks = GeneralBlocks(confirmed=confirmed, limits=BlockLimits(max_octets=20, max_idle_blocks=10))
    if sends and confirmed:
        blocks.send(APDU, ROOM)
    for event in events:
        try:
            arrival = blocks.receive(event)
        except RemoteProtocolError:
            return
        assert len(arrival.blocks) <= 63
        assert len(arrival.apdu or b"") <= 20
        assert confirmed or not arrival.blocks
