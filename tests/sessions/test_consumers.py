"""The websocket: who may in, what it answers, and that nothing is lost, doubled or out of order."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore

from sessions import consumers
from sessions.events import group_name, publish_changed
from sessions.models import DlmsSession, ProfileEntry, Step
from sessions.routing import websocket_urlpatterns
from tests.sessions.builders import LOAD_PROFILE, READ_CLOCK, make_frames, make_session, make_user

pytestmark = pytest.mark.django_db

application = URLRouter(websocket_urlpatterns)
in_database = sync_to_async


@pytest.fixture(autouse=True)
def _impatient(monkeypatch) -> None:
    monkeypatch.setattr(consumers, "MIN_INTERVAL", 0.01)
    monkeypatch.setattr(consumers, "POLL_LIVE", 0.05)
    monkeypatch.setattr(consumers, "POLL_OVER", 0.05)
    monkeypatch.setattr(consumers, "RECHECK", 0.0)


class Browser:
    """A page on one session: what it received, by type."""

    def __init__(self, session_id: int, user: Any, http_session: Any = None) -> None:
        self.socket = WebsocketCommunicator(application, f"/ws/sessions/{session_id}/")
        self.socket.scope["user"] = user
        if http_session is not None:
            self.socket.scope["session"] = http_session
        self.frames: list[int] = []
        self.entries: list[int] = []
        self.states: list[str] = []
        self.messages: list[dict] = []

    async def connect(self) -> tuple[bool, Any]:
        return await self.socket.connect()

    async def resume(self, **message: Any) -> None:
        await self.socket.send_json_to({"type": "resume", **message})

    async def next(self, timeout: float = 20.0) -> dict | int:
        """The next message, or the code that the socket was closed with."""
        answer = await self.socket.receive_output(timeout)
        if answer["type"] == "websocket.close":
            return answer["code"]
        message = json.loads(answer["text"])
        self.messages.append(message)
        if message["type"] == "frames":
            self.frames += [frame["seq"] for frame in message["frames"]]
        elif message["type"] == "entries":
            self.entries += [entry[0] for entry in message["entries"]]
        else:
            self.states.append(message["session"]["state"])
        return message

    async def until(self, ready: Any) -> None:
        while not ready():
            assert isinstance(await self.next(), dict), "the socket was closed"

    async def close_code(self) -> int:
        while isinstance(answer := await self.next(), dict):
            pass
        return answer


def in_browser(test: Any) -> None:
    """Run an asynchronous test whose database work stays in this thread, inside the test's transaction."""
    async_to_sync(test)()


class TestWhoMayIn:
    @pytest.mark.parametrize("user", [None, AnonymousUser()], ids=["none", "anonymous"])
    def test_nobody_without_signing_in(self, user) -> None:
        dlms_session = make_session()

        async def test() -> None:
            assert await Browser(dlms_session.pk, user).connect() == (False, 4401)

        in_browser(test)

    def test_nobody_who_was_disabled(self) -> None:
        dlms_session, user = make_session(), make_user("left", is_active=False)

        async def test() -> None:
            assert await Browser(dlms_session.pk, user).connect() == (False, 4401)

        in_browser(test)

    def test_no_session_that_does_not_exist(self) -> None:
        user = make_user()

        async def test() -> None:
            assert await Browser(12345, user).connect() == (False, 4404)

        in_browser(test)

    def test_a_stranger_does_not_learn_which_sessions_exist(self) -> None:
        async def test() -> None:
            assert await Browser(12345, AnonymousUser()).connect() == (False, 4401)

        in_browser(test)

    def test_every_technician_may_watch(self) -> None:
        dlms_session, colleague = make_session(), make_user("colleague")

        async def test() -> None:
            browser = Browser(dlms_session.pk, colleague)
            assert (await browser.connect())[0]
            await browser.until(lambda: browser.states == ["QUEUED"])
            await browser.socket.disconnect()

        in_browser(test)

    def test_who_is_disabled_meanwhile_is_put_out(self) -> None:
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            user.is_active = False
            await in_database(user.save)()
            assert await browser.close_code() == 4401

        in_browser(test)

    def test_who_signs_out_is_put_out(self) -> None:
        dlms_session, user = make_session(), make_user()
        http_session = SessionStore()
        http_session.save()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user, http_session)
            await browser.connect()
            await browser.until(lambda: browser.states)
            await in_database(http_session.delete)(http_session.session_key)
            assert await browser.close_code() == 4401

        in_browser(test)


class TestNonsense:
    @pytest.mark.parametrize(
        "text",
        [" ", "x", "[]", "null", '{"type":"frames"}', '{"type":"resume","seq":-1}', "[" * 100_000, '{"seq":NaN}'],
        ids=["empty", "text", "list", "null", "type", "negative", "deep", "nan"],
    )
    def test_is_answered_by_closing(self, text: str) -> None:
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.socket.send_to(text_data=text)
            assert await browser.close_code() == 4400

        in_browser(test)

    def test_binary_too(self) -> None:
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.socket.send_to(bytes_data=b"\xff")
            assert await browser.close_code() == 4400

        in_browser(test)


class TestCatchingUp:
    def test_nothing_is_sent_before_the_browser_says_what_it_has(self) -> None:
        dlms_session, user = make_session(), make_user()
        make_frames(dlms_session, 3)

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.until(lambda: browser.states)
            assert await browser.socket.receive_nothing(0.2)
            await browser.resume(seq=0)
            await browser.until(lambda: len(browser.frames) == 3)
            await browser.socket.disconnect()
            assert browser.frames == [1, 2, 3]

        in_browser(test)

    @pytest.mark.parametrize(("has", "gets"), [(0, [1, 2, 3]), (2, [3]), (3, []), (99, [])])
    def test_it_gets_what_it_has_not(self, has: int, gets: list[int]) -> None:
        dlms_session, user = make_session(), make_user()
        make_frames(dlms_session, 3)

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=has)
            await browser.until(lambda: browser.states and len(browser.frames) >= len(gets))
            assert await browser.socket.receive_nothing(0.1)
            await browser.socket.disconnect()
            assert browser.frames == gets

        in_browser(test)

    def test_a_burst_comes_whole_in_capped_messages(self, monkeypatch) -> None:
        monkeypatch.setattr("sessions.live.MAX_FRAMES", 100)
        dlms_session, user = make_session(), make_user()
        make_frames(dlms_session, 750)

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0)
            await browser.until(lambda: len(browser.frames) == 750)
            await browser.socket.disconnect()
            assert browser.frames == list(range(1, 751))
            assert max(len(m["frames"]) for m in browser.messages if m["type"] == "frames") == 100

        in_browser(test)

    def test_entries_follow_their_own_cursor(self) -> None:
        dlms_session, user = make_session(steps=[LOAD_PROFILE]), make_user()
        step = dlms_session.steps.get()
        ProfileEntry.objects.bulk_create(ProfileEntry(step=step, number=n, values=[n]) for n in range(1, 6))
        Step.objects.update(progress_done=5)

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0, entries={str(step.pk): 2})
            await browser.until(lambda: len(browser.entries) == 3)
            await browser.socket.disconnect()
            assert browser.entries == [3, 4, 5]

        in_browser(test)

    def test_what_may_still_be_under_way_is_not_sent_twice(self, monkeypatch) -> None:
        dlms_session, user = make_session(), make_user()
        make_frames(dlms_session, 3)

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0)
            await browser.until(lambda: len(browser.frames) == 3)
            await browser.resume(seq=1)  # said before it had read our last message
            assert await browser.socket.receive_nothing(0.1)
            monkeypatch.setattr(consumers, "SETTLED", 0.0)
            await browser.resume(seq=1)  # still so: it has really missed them
            await browser.until(lambda: len(browser.frames) == 5)
            await browser.socket.disconnect()
            assert browser.frames == [1, 2, 3, 2, 3]

        in_browser(test)


class TestWhileItLives:
    def test_the_bell_brings_new_frames(self, monkeypatch) -> None:
        monkeypatch.setattr(consumers, "POLL_LIVE", 60.0)
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0)
            await browser.until(lambda: browser.states)
            for _ in range(3):
                await in_database(make_frames)(dlms_session, 4)
                await publish_changed(dlms_session.pk, dlms_session.last_seq)
            await browser.until(lambda: len(browser.frames) == 12)
            await browser.socket.disconnect()
            assert browser.frames == list(range(1, 13))

        in_browser(test)

    def test_without_any_bell_they_come_all_the_same(self) -> None:
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0)
            await in_database(make_frames)(dlms_session, 4)
            await browser.until(lambda: len(browser.frames) == 4)
            await browser.socket.disconnect()

        in_browser(test)

    def test_a_hundred_bells_are_one_message(self) -> None:
        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.resume(seq=0)
            await browser.until(lambda: browser.states)
            await in_database(make_frames)(dlms_session, 100)
            for _ in range(100):
                await publish_changed(dlms_session.pk, dlms_session.last_seq)
            await browser.until(lambda: len(browser.frames) == 100)
            assert await browser.socket.receive_nothing(0.2)
            await browser.socket.disconnect()
            assert browser.frames == list(range(1, 101))
            assert len([message for message in browser.messages if message["type"] == "frames"]) == 1

        in_browser(test)

    def test_a_state_is_sent_when_it_changes_and_only_then(self) -> None:
        dlms_session, user = make_session(steps=[READ_CLOCK]), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.until(lambda: browser.states)
            assert await browser.socket.receive_nothing(0.2)
            await DlmsSession.objects.filter(pk=dlms_session.pk).aupdate(state="OPEN")
            await browser.until(lambda: browser.states[-1] == "OPEN")
            await Step.objects.aupdate(state="DONE", result={"value": 1})
            await browser.until(lambda: browser.messages[-1]["steps"][0]["state"] == "DONE")
            await browser.socket.disconnect()

        in_browser(test)

    def test_two_tabs_see_the_same(self) -> None:
        dlms_session, user = make_session(), make_user()
        make_frames(dlms_session, 5)

        async def test() -> None:
            tabs = [Browser(dlms_session.pk, user) for _ in range(2)]
            for tab in tabs:
                await tab.connect()
                await tab.resume(seq=0)
            for tab in tabs:
                await tab.until(lambda tab=tab: len(tab.frames) == 5)
                await tab.socket.disconnect()
            assert tabs[0].frames == tabs[1].frames

        in_browser(test)

    def test_a_socket_that_closed_has_left_its_group(self) -> None:
        from channels.layers import get_channel_layer

        dlms_session, user = make_session(), make_user()

        async def test() -> None:
            browser = Browser(dlms_session.pk, user)
            await browser.connect()
            await browser.socket.disconnect()
            await asyncio.sleep(0)
            assert not get_channel_layer().groups.get(group_name(dlms_session.pk))

        in_browser(test)


def test_a_look_costs_a_handful_of_queries(django_assert_max_num_queries) -> None:
    dlms_session, user = make_session(steps=[READ_CLOCK] * 20), make_user()
    make_frames(dlms_session, 50)

    async def test() -> None:
        browser = Browser(dlms_session.pk, user)
        await browser.connect()
        await browser.resume(seq=0)
        await browser.until(lambda: len(browser.frames) == 50 and browser.states)
        await browser.socket.disconnect()

    with django_assert_max_num_queries(20):
        in_browser(test)
