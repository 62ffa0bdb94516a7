"""The id of a request."""

from __future__ import annotations

import asyncio
import re

import pytest
from django.http import HttpRequest, HttpResponse

from meters.changes import current_request
from workbench.middleware import HEADER, request_id


def said(request: HttpRequest) -> HttpResponse:
    return HttpResponse(current_request.get())


async def said_later(request: HttpRequest) -> HttpResponse:
    return said(request)


def serve(request: HttpRequest) -> HttpResponse:
    return request_id(said)(request)


def serve_later(request: HttpRequest) -> HttpResponse:
    return asyncio.run(request_id(said_later)(request))


@pytest.mark.parametrize("answer", [serve, serve_later])
def test_each_request_has_an_id_of_its_own_that_the_answer_names(answer) -> None:
    first, second = answer(HttpRequest()), answer(HttpRequest())
    assert re.fullmatch("[0-9a-f]{32}", first.headers[HEADER])
    assert first.content.decode() == first.headers[HEADER] != second.headers[HEADER]
    assert current_request.get() == ""


@pytest.mark.django_db
def test_what_a_client_calls_itself_is_not_believed(client) -> None:
    answer = client.get("/health/", headers={"X-Request-ID": "evil"})
    assert answer.headers[HEADER] != "evil"


def test_an_error_ends_the_request_too() -> None:
    def fail(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        request_id(fail)(HttpRequest())
    assert current_request.get() == ""
