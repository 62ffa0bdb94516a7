"""Quirks of HDLC frames: each on the wire, and as our client takes it."""

from __future__ import annotations

from dataclasses import replace

from sessions.dlms.hdlc.exchange import LLC_RESPONSE
from sessions.dlms.hdlc.frame import FrmrFrame, InfoFrame, UaFrame, UiFrame
from sessions.simulator.lab import HdlcOptions
from sessions.simulator.quirks.frames import FRAME_QUIRKS, LLC_REQUEST, PADDING
from tests.sessions.simulator.quirks.cases import (
    HDLC,
    OBJECT_LIST,
    SAME,
    SERIAL,
    Case,
    cases,
    frames,
    reads,
    rubbish,
    sometimes,
)
from tests.sessions.simulator.served import LLS, lab_meter
from tests.sessions.simulator.timed import TimedPair

LONG = {**HDLC, "max_pdu_size": 1024}


def informations(pair: TimedPair) -> list[bytes]:
    return [frame.information for frame in frames(pair) if isinstance(frame, InfoFrame)]


def sources(pair: TimedPair) -> set[int | None]:
    return {frame.source.lower for frame in frames(pair)}


def case(**given) -> Case:
    return Case(table=HDLC, **given)


@cases(
    case(
        name="ua-without-parameters",
        shows=lambda pair: isinstance(frames(pair)[0], UaFrame) and not frames(pair)[0].information,
        step=reads(*OBJECT_LIST),
        hdlc=HdlcOptions(max_info=512, window=2),
        taken=SAME,
    ),
    case(name="llc-missing", shows=lambda pair: not informations(pair)[0].startswith(b"\xe6"), taken=SAME),
    case(name="llc-doubled", shows=lambda pair: informations(pair)[0].startswith(LLC_RESPONSE * 2), taken=SAME),
    case(name="llc-of-requests", shows=lambda pair: informations(pair)[0].startswith(LLC_REQUEST), taken=SAME),
    case(
        name="aare-acknowledges-nothing",
        shows=lambda pair: next(each for each in frames(pair) if isinstance(each, InfoFrame)).receive_sequence == 0,
        taken=SAME,
    ),
    case(
        name="frmr-to-aarq",
        shows=lambda pair: any(isinstance(each, FrmrFrame) for each in frames(pair)),
        taken="frame-rejected",
    ),
    case(name="wrong-fcs", shows=lambda pair: bool(rubbish(pair)), taken="only-noise"),
    case(name="from-another", shows=lambda pair: sources(pair) == {19}, taken="other-station"),
    case(name="after-another", shows=lambda pair: sources(pair) == {17, 19}, taken=SAME),
    case(
        name="after-unasked",
        shows=lambda pair: any(isinstance(each, UiFrame) for each in frames(pair)),
        taken=SAME,
    ),
    case(
        name="over-long-frame",
        shows=lambda pair: any(len(each) > 128 and each.endswith(bytes(PADDING)) for each in informations(pair)),
        taken="trailing-octets",
    ),
)
def test_a_frame_that_is_odd(case):
    case.check()


def test_one_wrong_frame_in_a_few_costs_a_repetition_and_no_value():
    """What a wrong check sequence costs is the time until the client asks again."""
    meter = replace(lab_meter(LLS, **LONG), manners=sometimes("wrong-fcs", 0.2, seed=4))
    pair = TimedPair(meter)
    pair.open()
    begun = pair.now
    for _ in range(10):
        assert pair.get(*SERIAL).value == b"10000001"
    assert rubbish(pair)
    assert pair.now > begun


def test_every_quirk_of_a_frame_is_tested_here():
    tested = {case.name for case in test_a_frame_that_is_odd.pytestmark[0].args[1]}
    assert {quirk.name for quirk in FRAME_QUIRKS} == tested
