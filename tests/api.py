"""A program that uses the API, for tests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase
from django.test import Client

from tests.sessions.builders import make_user
from workbench.tokens import SCOPES, make_token

ROOT = "/api/v1"


class Api:
    """`Api("meters:read").get("/meters", q="x")`: the answer, which has `.json()`. Without scopes: all of them."""

    def __init__(self, *scopes: str, user: Any = None, text: str | None = None, **token: Any) -> None:
        self.user = user or make_user()
        self.token = None
        if text is None:
            self.token, text = make_token(user=self.user, name="tests", scopes=scopes or SCOPES, **token)
        self.text = text
        self.client = Client(raise_request_exception=False)

    def ask(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ) -> Any:
        sent = {"Authorization": f"Bearer {self.text}"} if self.text else {}
        address = f"{ROOT}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        answer: HttpResponseBase = getattr(self.client, method)(address, headers={**sent, **(headers or {})}, **content)
        return answer

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("get", path, **query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.ask("post", path, body)

    def patch(self, path: str, body: Any = None) -> Any:
        return self.ask("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.ask("delete", path)
