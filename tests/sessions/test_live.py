"""What browsers are told: rows after their cursor, in messages of a limited size."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sessions import live
from sessions.live import Cursor, entry_message, frame_messages, state_message
from sessions.models import ProfileEntry, Step
from tests.sessions.builders import LOAD_PROFILE, READ_CLOCK, make_frames, make_session

pytestmark = pytest.mark.django_db


class TestCursor:
    @pytest.mark.parametrize(
        ("message", "cursor"),
        [
            ({"type": "resume"}, Cursor()),
            ({"type": "resume", "seq": 5}, Cursor(5)),
            ({"type": "resume", "seq": 5, "entries": {"7": 3}}, Cursor(5, {7: 3})),
        ],
    )
    def test_is_read(self, message: dict, cursor: Cursor) -> None:
        assert Cursor.from_json(message) == cursor

    @pytest.mark.parametrize(
        "message",
        [
            None,
            [],
            "resume",
            5,
            {},
            {"type": "frames"},
            {"type": "resume", "seq": -1},
            {"type": "resume", "seq": 1.5},
            {"type": "resume", "seq": True},
            {"type": "resume", "seq": "5"},
            {"type": "resume", "seq": 2**63},
            {"type": "resume", "entries": []},
            {"type": "resume", "entries": {"x": 1}},
            {"type": "resume", "entries": {"²": 1}},
            {"type": "resume", "entries": {"1": -1}},
            {"type": "resume", "entries": {"1": None}},
            {"type": "resume", "entries": {"9" * 30: 1}},
            {"type": "resume", "entries": {str(n): 1 for n in range(1001)}},
        ],
    )
    def test_nonsense_is_refused(self, message: object) -> None:
        with pytest.raises(ValueError):
            Cursor.from_json(message)


@pytest.mark.parametrize(
    "text", ["", "x", "[", "[" * 100_000, '{"a":' * 100_000, '{"type":"resume"' + " " * 70_000 + "}"]
)
def test_texts_that_are_no_cursor_are_refused_unparsed(text: str) -> None:
    with pytest.raises(ValueError):
        Cursor.from_text(text)


def test_frames_come_after_the_cursor_at_most_so_many_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(live, "MAX_FRAMES", 2)
    dlms_session = make_session()
    make_frames(dlms_session, 5)
    cursor, seen = Cursor(), []
    while (message := frame_messages(dlms_session.pk, cursor)) is not None:
        seen.append([frame["seq"] for frame in message["frames"]])
        cursor.seq = message["last_seq"]
    assert seen == [[1, 2], [3, 4], [5]]


@pytest.mark.parametrize("seq", [5, 6, 2**31, 2**63 - 1])
def test_a_cursor_beyond_the_end_gets_nothing(seq: int) -> None:
    dlms_session = make_session()
    make_frames(dlms_session, 5)
    assert frame_messages(dlms_session.pk, Cursor(seq)) is None


def test_a_frames_octets_are_shortened_and_its_size_is_not() -> None:
    dlms_session = make_session()
    make_frames(dlms_session, 1, octets=bytes(300))
    frame = frame_messages(dlms_session.pk, Cursor())["frames"][0]
    assert (frame["size"], len(frame["hex"])) == (300, 128)
    assert set(frame) == {"seq", "time", "direction", "size", "hex", "summary", "error"}
    assert datetime.fromisoformat(frame["time"]).tzinfo is not None


def make_entries(step: Step, count: int) -> None:
    moment = datetime(2026, 11, 25, tzinfo=UTC)
    rows = [ProfileEntry(step=step, number=n, time=moment if n % 2 else None, values=[n]) for n in range(1, count + 1)]
    ProfileEntry.objects.bulk_create(rows)
    Step.objects.filter(pk=step.pk).update(progress_done=count, columns=[{"title": "x"}])
    step.refresh_from_db()


def test_entries_come_with_their_columns_after_the_cursor() -> None:
    step = make_session(steps=[LOAD_PROFILE]).steps.get()
    make_entries(step, 3)
    message = entry_message(step, Cursor(entries={step.pk: 1}))
    assert message == {
        "type": "entries",
        "step": step.pk,
        "columns": [{"title": "x"}],
        "entries": [[2, None, [2]], [3, "2026-11-25T00:00:00+00:00", [3]]],
    }
    assert entry_message(step, Cursor(entries={step.pk: 3})) is None


def test_a_running_step_without_news_costs_no_query(django_assert_num_queries) -> None:
    step = make_session(steps=[LOAD_PROFILE]).steps.get()
    step.state = Step.State.RUNNING
    with django_assert_num_queries(0):
        assert entry_message(step, Cursor()) is None


def test_the_state_names_everything_the_page_shows() -> None:
    dlms_session = make_session(steps=[READ_CLOCK])
    message = json.loads(json.dumps(state_message(dlms_session, list(dlms_session.steps.all()))))
    session, step = message["session"], message["steps"][0]
    assert (session["id"], session["state"], session["state_label"], session["is_live"]) == (
        dlms_session.pk,
        "QUEUED",
        "Queued",
        True,
    )
    assert set(session) >= {"id", "state", "state_label", "error", "negotiated", "is_live"}
    assert set(step) >= {"id", "number", "kind", "title", "state", "progress_done", "progress_total", "result", "error"}
