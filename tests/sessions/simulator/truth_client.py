"""Asks a lab for the truth, past whatever proxy this machine has."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any


def ask(address: str, path: str) -> tuple[int, Any]:
    """The status and the JSON of one answer. `address`: as the lab announces it."""
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.headers["Content-Type"] == "application/json"
        return answer.status, json.load(answer)
    finally:
        connection.close()
