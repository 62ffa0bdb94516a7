"""How long an answer may be, and what a transfer leaves behind."""

from __future__ import annotations

from sessions.simulator.blocks import Incoming, OutgoingOctets
from sessions.simulator.service import Progress, Room, TransferState


def test_what_fits_into_one_apdu_or_into_general_blocks():
    assert Room(10).holds(10)
    assert not Room(10).holds(11)
    assert Room(10, 100).holds(100)
    assert not Room(10, 100).holds(101)


def test_a_transfer_that_is_given_up_is_idle():
    progress = Progress()
    progress.send(TransferState.GET_SENDING, OutgoingOctets((b"abc",)))
    assert progress.state is TransferState.GET_SENDING
    assert progress.outgoing.next_block(2) == (1, b"ab", False)
    progress.receive(TransferState.SET_RECEIVING, Incoming())
    assert progress.state is TransferState.SET_RECEIVING
    progress.give_up()
    assert progress.state is TransferState.IDLE
