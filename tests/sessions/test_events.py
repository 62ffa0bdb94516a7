"""The doorbell: told to the group, silent about its own troubles."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from sessions import events


@pytest.fixture(autouse=True)
def _heard(monkeypatch) -> None:
    monkeypatch.setattr(events, "_silent", False)


def test_the_group_hears_the_last_number() -> None:
    async def listen() -> dict:
        layer = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(events.group_name(7), channel)
        await events.publish_changed(7, 42)
        return await layer.receive(channel)

    assert async_to_sync(listen)() == {"type": "session.changed", "last_seq": 42}


def test_from_synchronous_code_too() -> None:
    events.ring_browsers(7, 1)


def test_a_broker_that_is_away_is_logged_once_until_it_is_back(monkeypatch, caplog) -> None:
    layers = [ConnectionError, ConnectionError, None, ConnectionError]

    class Layer:
        async def group_send(self, group: str, message: dict) -> None:
            error = layers.pop(0)
            if error is not None:
                raise error("secret host name")

    monkeypatch.setattr(events, "get_channel_layer", Layer)
    for _ in range(4):
        events.ring_browsers(7, 1)
    assert len(caplog.records) == 2
    assert "secret host name" not in caplog.text


def test_a_broker_that_hangs_does_not_hold_up_the_session(monkeypatch) -> None:
    class Layer:
        async def group_send(self, group: str, message: dict) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(events, "get_channel_layer", Layer)
    monkeypatch.setattr(events, "RING_TIMEOUT", 0.01)
    events.ring_browsers(7, 1)
