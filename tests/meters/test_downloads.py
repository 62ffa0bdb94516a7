"""Files that leave in parts."""

from __future__ import annotations

import asyncio

from django.core.handlers.asgi import ASGIRequest
from django.test import RequestFactory

from meters.downloads import XLSX, download


def test_by_wsgi() -> None:
    answer = download(RequestFactory().get("/"), iter(["a", "b"]), "x.csv")
    assert b"".join(answer.streaming_content) == b"ab"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="x.csv"'
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"


def test_by_asgi_part_by_part() -> None:
    request = ASGIRequest({"type": "http", "method": "GET", "path": "/", "headers": []}, None)
    answer = download(request, iter([b"a", b"b"]), "x.xlsx", XLSX)
    assert answer.is_async

    async def parts():
        return [part async for part in answer]

    assert asyncio.run(parts()) == [b"a", b"b"]
