"""The states that all requests share, and whose answer an APDU is."""

from __future__ import annotations

from itertools import count

import pytest

from meters.cosem.data import null
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.apdu.notification import DataNotificationConfirm
from sessions.dlms.errors import LocalProtocolError, NoReplyError, RemoteProtocolError
from sessions.dlms.events import RequestFailed
from sessions.dlms.transfers.get import GetTransfer
from sessions.dlms.transfers.transfer import OURS, TRANSITIONS, TransferEvent, TransferState

from .asked import CLOCK, terms


@pytest.mark.parametrize("state", TransferState)
@pytest.mark.parametrize("event", TransferEvent)
def test_every_state_with_every_event(state, event):
    transfer = GetTransfer(terms(), CLOCK)
    transfer.state = state
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError if event in OURS else RemoteProtocolError):
            transfer.fire(event)
        assert transfer.state is state
    else:
        transfer.fire(event)
        assert transfer.state is expected


def test_every_state_has_a_row_and_every_transfer_can_be_aborted():
    assert set(TRANSITIONS) == set(TransferState)
    assert all(row[TransferEvent.ABORT] is TransferState.DONE for row in TRANSITIONS.values())


def test_a_failure_ends_the_request_and_says_why():
    transfer = GetTransfer(terms(), CLOCK)
    transfer.begin()
    error = NoReplyError("silence")
    assert transfer.failed(error) == ([RequestFailed(1, error)], None)
    assert transfer.done


def test_invoke_ids_go_round():
    invocations = count(1)
    seen = [GetTransfer(terms(invocations=invocations), CLOCK).invocation.invoke_id for _ in range(33)]
    assert seen == [*range(1, 16), *range(1, 16), 1, 2, 3]


def test_whose_answer_it_is():
    transfer = GetTransfer(terms(), CLOCK)
    assert transfer.stray(GetResponseNormal(InvokeIdAndPriority(1), null())) == ""
    reason = transfer.stray(GetResponseNormal(InvokeIdAndPriority(2), null()))
    assert reason == "invoke-id 2, but 1 is asked"
    with pytest.raises(RemoteProtocolError, match="data notification confirmed"):
        transfer.stray(DataNotificationConfirm(1))
