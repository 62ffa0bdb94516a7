"""Quirks of APDUs as they leave the meter: each on the wire, and as our client takes it."""

from __future__ import annotations

from sessions.dlms.acse import Aare, Rlre
from sessions.dlms.acse.reading import decode_aare, decode_aarq
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.association import Negotiated
from sessions.simulator.quirks.apdus import APDU_QUIRKS, RELEASE_REFUSED, UNASKED
from tests.sessions.simulator.quirks.cases import (
    CLOCK,
    SAME,
    SERIAL,
    Case,
    cases,
    pushes,
    reads_twice,
    releases,
    said,
    tails,
)
from tests.sessions.simulator.served import GMAC, lab_meter
from tests.sessions.simulator.timed import TimedPair

GENERAL = {**GMAC, "ciphering_form": "general"}
STRANGER = {"client_sap": 77}


def aare(pair: TimedPair) -> Aare:
    return decode_aare(tails(pair)[0])


def remarked(words: str):
    return lambda negotiated: isinstance(negotiated, Negotiated) and any(words in each for each in negotiated.remarks)


def second_counter_is_the_first(pair: TimedPair) -> bool:
    """Tag, length, security control: then the invocation counter."""
    return tails(pair)[-1][3:7] == tails(pair)[-2][3:7]


@cases(
    Case(
        name="aare-without-user-information",
        shows=lambda pair: aare(pair).user_information is None,
        opens=False,
        taken=remarked("no initiate response"),
    ),
    Case(
        name="aare-with-extras",
        shows=lambda pair: aare(pair).implementation_information is not None,
        taken=SAME,
    ),
    Case(name="aare-protocol-version", shows=lambda pair: aare(pair).protocol_version is not None, taken=SAME),
    Case(
        name="mechanism-out-of-range",
        shows=lambda pair: aare(pair).mechanism_name == 99,
        association=GMAC,
        taken="mechanism-changed",
    ),
    Case(
        name="challenge-reflected",
        shows=lambda pair: (
            aare(pair).responding_authentication_value == decode_aarq(pair.sent[0][8:]).calling_authentication_value
        ),
        association=GMAC,
        taken="reflected-challenge",
    ),
    Case(name="silent-to-strangers", shows=lambda pair: not pair.heard, changes=STRANGER, taken="no-reply"),
    Case(
        name="release-refused",
        shows=lambda pair: tails(pair)[-1] == RELEASE_REFUSED,
        step=releases,
        taken=lambda remark: "exception response" in remark,
    ),
    Case(
        name="rlre-too-short",
        shows=lambda pair: tails(pair)[-1][1] != len(tails(pair)[-1]) - 2,
        step=releases,
        association=GMAC,
        taken=lambda remark: "the length of the RLRE says" in remark,
    ),
    Case(
        name="long-lengths",
        shows=lambda pair: tails(pair)[-1][1] == 0x82,
        association=GMAC,
        taken=SAME,
    ),
    Case(
        name="clear-in-glo",
        shows=lambda pair: tails(pair)[-1][2] == 0,
        association=GMAC,
        taken="protection-too-weak",
    ),
    Case(
        name="empty-title",
        shows=lambda pair: tails(pair)[-1][:2] == b"\xdb\x00",
        association=GENERAL,
        taken=SAME,
    ),
    Case(
        name="replayed",
        shows=lambda pair: tails(pair)[-1] == tails(pair)[-2],
        step=reads_twice,
        taken="no-reply",
    ),
    Case(
        name="replayed",
        shows=second_counter_is_the_first,
        step=reads_twice,
        association=GMAC,
        taken="replayed-counter",
    ),
    Case(name="unasked", shows=lambda pair: UNASKED in pair.wire, taken=SAME),
    Case(
        name="push-time-in-09",
        shows=lambda pair: b"\x01\x09\x0c\x07\xea" in pair.wire,
        step=pushes,
        taken=lambda notifications: notifications[0].apdu.date_time is not None,
    ),
)
def test_an_apdu_that_is_odd(case):
    case.check()


def test_a_rejection_without_user_information_is_a_rejection():
    case = Case(
        name="aare-without-user-information",
        shows=lambda pair: aare(pair).user_information is None and not aare(pair).accepted,
        changes=STRANGER,
        taken="association-rejected",
    )
    _, outcome = case.session(case.name)
    assert (outcome.code, bool(outcome.hint)) == ("association-rejected", True)


def test_a_notification_that_nobody_asked_for_is_told_and_never_taken_for_an_answer():
    """In a ciphered association it is told as what it is: unprotected."""
    pair = TimedPair(lab_meter(GMAC, quirks=["unasked"]))
    pair.open()
    assert pair.get(*SERIAL).value == b"10000001"
    pair.get(*CLOCK)
    assert {type(each.apdu) for each in pair.notifications} == {DataNotification}
    assert not any(each.protected for each in pair.notifications)


def test_what_is_made_up_can_be_read():
    assert isinstance(decode_apdu(UNASKED), DataNotification)
    assert decode_apdu(RELEASE_REFUSED) is not None
    pair, _ = Case(name="", shows=lambda pair: True, taken=SAME, step=releases).session()
    assert isinstance(said(pair)[-1], Rlre)


def test_every_quirk_of_an_apdu_is_tested_here():
    tested = {case.name for case in test_an_apdu_that_is_odd.pytestmark[0].args[1]}
    assert {quirk.name for quirk in APDU_QUIRKS} == tested
