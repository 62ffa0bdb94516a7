"""The client's patience: every wait ends, whatever the peer does meanwhile."""

from __future__ import annotations

import pytest

from sessions.dlms.errors import RemoteProtocolError
from sessions.dlms.patience import BARE_FRAME_OCTETS, EXCHANGE_FACTOR, MAX_IGNORED, Patience

LONG_FRAME = bytes(BARE_FRAME_OCTETS + 1)
WHOLE = 2.0 * EXCHANGE_FACTOR


@pytest.fixture
def patience() -> Patience:
    one = Patience(2.0)
    one.begin(100.0)
    return one


def test_nothing_is_awaited_at_first():
    one = Patience(2.0)
    one.extend(5.0, LONG_FRAME)
    one.pass_over(5.0)
    assert one.deadline is None
    assert not one.is_over(1e9)


def test_a_wait_ends(patience):
    assert not patience.is_over(100.0 + WHOLE - 0.1)
    assert patience.is_over(100.0 + WHOLE)
    patience.end()
    assert not patience.is_over(100.0 + WHOLE)


def test_parts_of_an_answer_give_the_rest_more_time(patience):
    patience.extend(110.0, LONG_FRAME)
    assert patience.deadline == 110.0 + WHOLE


def test_bare_frames_give_none(patience):
    patience.extend(110.0, bytes(BARE_FRAME_OCTETS))
    assert patience.deadline == 100.0 + WHOLE


def test_the_first_stray_apdu_starts_the_last_reply_timeout(patience):
    patience.pass_over(101.0)
    assert patience.deadline == 103.0
    patience.pass_over(102.0)
    patience.extend(102.0, LONG_FRAME)
    assert patience.deadline == 103.0


def test_a_limited_wait_is_neither_extended_nor_shortened(patience):
    patience.begin(200.0, at_most=3.0)
    patience.extend(201.0, LONG_FRAME)
    patience.pass_over(201.0)
    assert patience.deadline == 203.0


def test_a_babbler_is_an_error(patience):
    for _ in range(MAX_IGNORED):
        patience.pass_over(101.0)
    with pytest.raises(RemoteProtocolError) as raised:
        patience.pass_over(101.0)
    assert raised.value.code == "babbling"


def test_a_link_with_more_patience_is_not_cut_short():
    one = Patience(2.0, WHOLE + 50.0)
    one.begin(100.0)
    assert one.deadline == 100.0 + WHOLE + 50.0
    one.extend(110.0, LONG_FRAME)
    assert one.deadline == 110.0 + WHOLE + 50.0
    one = Patience(2.0, 1.0)
    one.begin(100.0)
    assert one.deadline == 100.0 + WHOLE


def test_the_next_request_begins_anew(patience):
    for _ in range(MAX_IGNORED):
        patience.pass_over(101.0)
    patience.begin(200.0)
    patience.pass_over(201.0)
    assert patience.deadline == 203.0
