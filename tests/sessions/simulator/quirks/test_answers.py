"""Quirks of answers in clear: each on the wire, and as our client takes it."""

from __future__ import annotations

import pytest

from meters.cosem.data import octet_string
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.apdu.get import GetResponseWithDatablock
from sessions.dlms.errors import NoReplyError
from sessions.dlms.security_setup import KeyId, key_transfer
from sessions.simulator.quirks.answers import ANSWER_QUIRKS, ASCII, PADDING
from tests.sessions.simulator.quirks.cases import (
    CLOCK,
    HDLC,
    OBJECT_LIST,
    SAME,
    Case,
    cases,
    reads,
    reads_twice,
    said,
    shifts_the_clock,
    tails,
)
from tests.sessions.simulator.served import GAK, GMAC, GUEK, lab_meter
from tests.sessions.simulator.timed import TimedPair


def invoke_ids(pair: TimedPair) -> list[int]:
    return [apdu[2] for apdu in tails(pair)[1:]]


def blocks(pair: TimedPair) -> list[GetResponseWithDatablock]:
    return [apdu for apdu in said(pair) if isinstance(apdu, GetResponseWithDatablock)]


def numbers(pair: TimedPair) -> list[int]:
    return [block.block_number for block in blocks(pair)]


@cases(
    Case(
        name="invoke-id-fixed",
        shows=lambda pair: invoke_ids(pair) == [0xC1, 0xC1],
        step=reads_twice,
        taken="no-reply",
    ),
    Case(
        name="invoke-id-without-flags",
        shows=lambda pair: all(octet < 0x10 for octet in invoke_ids(pair)),
        step=reads_twice,
        taken=SAME,
    ),
    Case(
        name="wrong-invoke-id",
        shows=lambda pair: invoke_ids(pair)[0] & 0x0F != pair.sent[1][10] & 0x0F,
        taken="no-reply",
    ),
    Case(
        name="blocks-from-zero",
        shows=lambda pair: numbers(pair)[0] == 0,
        step=reads(*OBJECT_LIST),
        taken="wrong-block-number",
    ),
    Case(
        name="last-block-never",
        shows=lambda pair: not any(block.last_block for block in blocks(pair)[:-1]) and len(pair.heard[-1]) < 30,
        step=reads(*OBJECT_LIST),
        taken=DataAccessResult.NO_LONG_GET_IN_PROGRESS,
    ),
    Case(
        name="last-block-always",
        shows=lambda pair: blocks(pair)[0].last_block,
        step=reads(*OBJECT_LIST),
        taken="limit-exceeded",
    ),
    Case(
        name="wrong-block-number",
        shows=lambda pair: numbers(pair)[0] == 2,
        step=reads(*OBJECT_LIST),
        taken="wrong-block-number",
    ),
    Case(
        name="repeated-block",
        shows=lambda pair: numbers(pair)[:2] == [1, 1],
        step=reads(*OBJECT_LIST),
        taken="wrong-block-number",
    ),
    Case(
        name="over-long",
        shows=lambda pair: len(pair.wire) > PADDING,  # in general blocks, since those were agreed to
        taken="trailing-octets",
    ),
    Case(name="ascii-for-apdu", shows=lambda pair: tails(pair)[-1] == ASCII, taken="truncated"),
)
def test_an_answer_that_is_odd(case):
    case.check()


@pytest.mark.parametrize("table", [{}, HDLC], ids=["wrapper", "hdlc"])
def test_what_is_done_and_never_answered_is_done_once(table):
    """The client does not know whether it was done, says so, and does not do it again."""
    meter = lab_meter(quirks=["silence-after-change"], **table)
    pair = TimedPair(meter)
    pair.open()
    before = pair.get(*CLOCK)
    with pytest.raises(NoReplyError) as nothing:
        shifts_the_clock(pair)
    assert nothing.value.hint
    asked = sum(b"\xc3\x01" in octets for octets in pair.sent)
    assert asked == 1
    again = TimedPair(meter)
    again.open()
    assert again.get(*CLOCK) == octet_string(before.value[:6] + b"\x01" + before.value[7:])  # one minute later, not two


def test_a_key_that_is_applied_and_never_confirmed():
    """After it the old key is refused, and the new one is good: whoever wrote it down first has lost nothing."""
    kek, new_key = bytes(range(16)), bytes(range(16, 32))
    association = {**GMAC, "kek": kek.hex()}
    meter = lab_meter(association, quirks=["silence-after-key"])
    pair = TimedPair(meter)
    pair.open()
    call = key_transfer({KeyId.GUEK: new_key}, kek=kek, suite=0)
    with pytest.raises(NoReplyError) as nothing:
        pair.action(64, "0-0:43.0.0*255", 2, call.parameters)
    assert nothing.value.hint
    assert len(pair.heard) == len(pair.sent) - 1  # all was answered, but for this
    assert meter.device.security.guek == new_key != bytes.fromhex(GUEK)
    renewed = TimedPair(meter, counters=range(1, 100), guek=new_key.hex(), gak=GAK)
    renewed.open()
    assert renewed.get(1, "0-0:96.1.0*255", 2).value == b"10000001"


def test_other_methods_of_the_security_setup_are_answered():
    pair = TimedPair(lab_meter(GMAC, quirks=["silence-after-key"]))
    pair.open()
    assert shifts_the_clock(pair)[0] == 0


def test_every_quirk_of_an_answer_is_tested_here():
    tested = {mark.name for mark in test_an_answer_that_is_odd.pytestmark[0].args[1]}
    assert {quirk.name for quirk in ANSWER_QUIRKS} - tested == {"silence-after-change", "silence-after-key"}
