"""Where websockets go: through the origin and sign-in checks to the consumer."""

from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.urls import Resolver404, resolve

from sessions.routing import websocket_urlpatterns
from tests.sessions.builders import make_session
from workbench.asgi import application


@pytest.mark.parametrize("path", ["ws/sessions/1/", "ws/sessions/123456789/"])
def test_a_session_has_its_socket(path: str) -> None:
    assert websocket_urlpatterns[0].resolve(path) is not None


@pytest.mark.parametrize("path", ["ws/sessions/", "ws/sessions/x/", "ws/sessions/-1/", "ws/sessions/1/frames/"])
def test_nothing_else_has(path: str) -> None:
    assert websocket_urlpatterns[0].resolve(path) is None
    with pytest.raises(Resolver404):
        resolve(f"/{path}")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("origin", "code"),
    [(None, None), (b"https://evil.example", None), (b"http://localhost", 4401)],
    ids=["no origin", "foreign", "ours, not signed in"],
)
def test_a_foreign_page_gets_no_socket(origin: bytes | None, code: int | None) -> None:
    dlms_session = make_session()
    headers = [(b"host", b"localhost"), *([(b"origin", origin)] if origin else [])]

    async def connect() -> tuple[bool, object]:
        socket = WebsocketCommunicator(application, f"/ws/sessions/{dlms_session.pk}/", headers=headers)
        return await socket.connect()

    connected, answer = async_to_sync(connect)()
    assert not connected
    assert code is None or answer == code
