"""How far a session came, for every layer that an error can name."""

from __future__ import annotations

import pytest
from django.utils import timezone

from sessions.ladder import Evidence, Standing, evidence_of, ladder
from sessions.models import Frame, Step
from tests.sessions.builders import READ_CLOCK, make_frames, make_session

NOTHING = Evidence()
CONNECTED = Evidence(connected=True)
ANSWERED = Evidence(connected=True, answered=True)
OPEN = Evidence(connected=True, answered=True, associated=True)
READ = Evidence(connected=True, answered=True, associated=True, accessed=True)
LETTERS = {Standing.PASSED: "p", Standing.REFUSED: "r", Standing.BROKEN: "b", Standing.UNREACHED: "-"}


def drawn(error: dict | None, evidence: Evidence) -> str:
    """One letter a rung, from the line upwards; the workbench's rung before them where there is one."""
    return "".join(LETTERS[rung.standing] for rung in ladder(error, evidence))


@pytest.mark.parametrize(
    ("layer", "evidence", "rungs"),
    [
        ("line", NOTHING, "r----"),
        ("link", CONNECTED, "pr---"),
        ("association", ANSWERED, "ppr--"),
        ("authentication", ANSWERED, "pppr-"),
        ("security", ANSWERED, "pppr-"),
        ("access", OPEN, "ppppr"),
        ("security", OPEN, "ppppr"),
        ("application", OPEN, "ppppr"),
        ("application", ANSWERED, "ppr--"),
        ("encoding", ANSWERED, "ppr--"),
        ("encoding", CONNECTED, "pr---"),
        ("encoding", READ, "ppppr"),
        ("line", OPEN, "bppp-"),
        ("line", READ, "bpppp"),
        ("link", READ, "pbppp"),
        ("configuration", NOTHING, "r-----"),
        ("vault", NOTHING, "r-----"),
        ("workbench", READ, "rppppp"),
        ("never heard of", ANSWERED, "ppr--"),
        ("", NOTHING, "pr---"),
    ],
)
def test_the_rung_that_gave_way(layer: str, evidence: Evidence, rungs: str) -> None:
    assert drawn({"layer": layer}, evidence) == rungs


@pytest.mark.parametrize(
    ("evidence", "rungs"),
    [(NOTHING, "-----"), (CONNECTED, "p----"), (ANSWERED, "pp---"), (OPEN, "pppp-"), (READ, "ppppp")],
)
def test_without_an_error_it_shows_how_far_it_is(evidence: Evidence, rungs: str) -> None:
    assert drawn(None, evidence) == rungs


def test_every_rung_has_a_word_and_a_question() -> None:
    for rung in ladder({"layer": "workbench"}, NOTHING):
        assert rung.word
        assert rung.question
        assert rung.standing.word


@pytest.mark.django_db
def test_the_evidence_is_in_the_rows() -> None:
    dlms_session = make_session(steps=[READ_CLOCK])
    assert evidence_of(dlms_session) == NOTHING
    make_frames(dlms_session, 1)
    assert evidence_of(dlms_session) == CONNECTED
    make_frames(dlms_session, 1)
    assert Frame.objects.filter(direction="RECEIVED").exists()
    assert evidence_of(dlms_session) == ANSWERED
    dlms_session.negotiated = {"dlms_version": 6}
    assert evidence_of(dlms_session) == OPEN
    Step.objects.update(state=Step.State.DONE, ended=timezone.now())
    assert evidence_of(dlms_session) == READ
