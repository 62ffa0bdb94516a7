"""What each request passes before the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from meters.changes import new_request

HEADER = "X-Request-ID"


@sync_and_async_middleware
def request_id(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Each request has an id of our own making (none that a client sends), which the change log and the answer carry."""
    if iscoroutinefunction(get_response):
        get_later: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def serve_later(request: HttpRequest) -> HttpResponseBase:
            with new_request() as made:
                answer = await get_later(request)
            answer.headers[HEADER] = made
            return answer

        return serve_later

    def serve(request: HttpRequest) -> HttpResponseBase:
        with new_request() as made:
            answer: HttpResponseBase = get_response(request)
        answer.headers[HEADER] = made
        return answer

    return serve
