"""Everything that passes becomes a row: in order, once, and only while the session is ours."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions import recorder as module
from sessions.leases import LeaseLost
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.recorder import Batch, Recorder, write_batch
from tests.sessions.builders import LOAD_PROFILE, claim, make_session, traced

pytestmark = pytest.mark.django_db

SENT, RECEIVED = Frame.Direction.SENT, Frame.Direction.RECEIVED


@pytest.fixture(autouse=True)
def bells(monkeypatch) -> list[int]:
    rung: list[int] = []

    async def publish(session_id: int, last_seq: int) -> None:
        rung.append(last_seq)

    monkeypatch.setattr(module, "publish_changed", publish)
    return rung


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session(steps=[LOAD_PROFILE])


def recorded(dlms_session: DlmsSession) -> list[int]:
    return list(Frame.objects.filter(session=dlms_session).order_by("pk").values_list("seq", flat=True))


@async_to_sync
async def flush(recorder: Recorder) -> None:
    await recorder.flush()


def make_recorder(dlms_session: DlmsSession) -> Recorder:
    return Recorder(claim(dlms_session))


def test_a_flush_writes_everything_and_rings_once(dlms_session, bells) -> None:
    recorder = make_recorder(dlms_session)
    step = dlms_session.steps.get()
    for number in range(1, 4):
        recorder.record_frame(traced(), SENT if number % 2 else RECEIVED)
        recorder.record_entry(step.pk, number, None, [number, None, "x"])
    recorder.record_progress(step.pk, progress_done=3, progress_total=9)
    assert recorded(dlms_session) == []
    flush(recorder)
    dlms_session.refresh_from_db()
    step.refresh_from_db()
    assert recorded(dlms_session) == [1, 2, 3]
    assert dlms_session.last_seq == 3
    assert (step.progress_done, step.progress_total) == (3, 9)
    assert [entry.values for entry in ProfileEntry.objects.all()] == [[1, None, "x"], [2, None, "x"], [3, None, "x"]]
    assert bells == [3]


def test_nothing_to_write_is_no_query_and_no_bell(dlms_session, bells, django_assert_num_queries) -> None:
    recorder = make_recorder(dlms_session)
    with django_assert_num_queries(0):
        flush(recorder)
    assert bells == []


def test_a_thousand_frames_are_a_handful_of_queries(dlms_session, django_assert_max_num_queries) -> None:
    recorder = make_recorder(dlms_session)
    for _ in range(1000):
        recorder.record_frame(traced(), SENT)
    with django_assert_max_num_queries(14):
        flush(recorder)
    assert recorded(dlms_session) == list(range(1, 1001))


def test_numbers_go_on_where_an_earlier_worker_stopped(dlms_session) -> None:
    DlmsSession.objects.filter(pk=dlms_session.pk).update(last_seq=7)
    recorder = make_recorder(dlms_session)
    recorder.record_frame(traced(), SENT)
    flush(recorder)
    assert recorded(dlms_session) == [8]


def test_a_frame_names_the_request_that_its_exchange_began_with(dlms_session) -> None:
    recorder = make_recorder(dlms_session)
    passed = [
        (RECEIVED, True),  # unasked, before anything was sent
        (SENT, True),  # a request
        (RECEIVED, True),  # the first block of its answer
        (SENT, False),  # the next block, please
        (RECEIVED, True),  # a segment, which could be the first of anything
        (RECEIVED, False),
        (SENT, True),  # another request
        (RECEIVED, True),
    ]
    for direction, starts in passed:
        recorder.record_frame(traced(starts_apdu=starts), direction)
    flush(recorder)
    assert list(Frame.objects.values_list("apdu_first_seq", flat=True)) == [1, 2, 2, 2, 2, 2, 7, 7]


@pytest.mark.parametrize("change", [{"epoch": 5}, {"state": "LOST"}])
def test_who_lost_the_session_writes_nothing(dlms_session, change: dict, bells) -> None:
    recorder = make_recorder(dlms_session)
    DlmsSession.objects.filter(pk=dlms_session.pk).update(**change)
    recorder.record_frame(traced(), SENT)
    with pytest.raises(LeaseLost):
        flush(recorder)
    assert recorded(dlms_session) == []
    assert bells == []


def test_a_change_is_committed_with_what_came_before_it(dlms_session) -> None:
    recorder = make_recorder(dlms_session)
    recorder.record_frame(traced(), SENT)
    steps = Step.objects.filter(session=dlms_session)
    async_to_sync(recorder.commit)(lambda: seen.append((recorded(dlms_session), steps.update(state="RUNNING"))))
    assert seen.pop() == ([1], 1)
    assert steps.get().state == "RUNNING"


seen: list[object] = []


def test_a_change_that_fails_takes_its_frames_back(dlms_session) -> None:
    recorder = make_recorder(dlms_session)
    recorder.record_frame(traced(), SENT)

    def fail() -> None:
        raise OperationalError("locked")

    with pytest.raises(OperationalError):
        async_to_sync(recorder.commit)(fail)
    assert recorded(dlms_session) == []
    flush(recorder)
    assert recorded(dlms_session) == [1]


@settings(max_examples=25, deadline=None)
@given(plan=st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["good", "failed", "unknown"])), max_size=8))
def test_whatever_the_database_does_every_frame_is_there_once_and_in_order(plan) -> None:
    """failed: nothing was written. unknown: it was written, and the answer got lost."""
    dlms_session = make_session()
    recorder = make_recorder(dlms_session)
    real, total = write_batch, 0

    def write(claim, batch: Batch, change, *, outcome: str) -> None:
        if outcome != "failed":
            real(claim, batch, change)
        if outcome != "good":
            raise OperationalError("server closed the connection unexpectedly")

    with pytest.MonkeyPatch.context() as patch:
        for count, outcome in [*plan, (1, "good")]:
            for _ in range(count):
                recorder.record_frame(traced(), SENT)
            total += count
            patch.setattr(module, "write_batch", lambda *a, outcome=outcome: write(*a, outcome=outcome))
            flush(recorder)
    assert recorded(dlms_session) == list(range(1, total + 1))


def test_entries_of_unknown_outcome_are_not_doubled(dlms_session) -> None:
    recorder = make_recorder(dlms_session)
    step = dlms_session.steps.get()
    for _ in range(2):
        for number in (1, 2):
            recorder.record_entry(step.pk, number, None, [number])
        flush(recorder)
    assert list(ProfileEntry.objects.values_list("number", flat=True)) == [1, 2]


def test_a_cancelled_task_leaves_no_batch_half_known(dlms_session) -> None:
    recorder = make_recorder(dlms_session)

    async def cancel_while_it_writes() -> None:
        recorder.record_frame(traced(), SENT)
        task = asyncio.ensure_future(recorder.flush())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        recorder.record_frame(traced(), SENT)
        await recorder.flush()

    async_to_sync(cancel_while_it_writes)()
    assert recorded(dlms_session) == [1, 2]
