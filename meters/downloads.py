"""Files that leave in parts, so that a million rows need no more memory than some hundred."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(request: HttpRequest, parts: Iterator[Any], name: str, content_type: str = CSV) -> StreamingHttpResponse:
    """An answer that the browser keeps as the file `name`; `parts` are asked for one after the other."""
    # A synchronous iterator would be collected as a whole before the first octet leaves a server of ASGI.
    streamed: Any = _later(parts) if isinstance(request, ASGIRequest) else parts
    answer = StreamingHttpResponse(streamed, content_type=content_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


async def _later(parts: Iterator[Any]) -> AsyncIterator[Any]:
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
