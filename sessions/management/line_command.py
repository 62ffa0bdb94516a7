"""What the commands that talk over a line have in common: their endpoint, their JSON, their refusals, their text."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from sessions.dlms.errors import DlmsError
from sessions.links.endpoint import Endpoint, parse_endpoint
from sessions.links.line import LineError


class LineCommand(BaseCommand):
    """A command that ends with exit code 1 and the refusing layer's sentence where something refuses."""

    def refuse(self, error: DlmsError, *, as_json: bool) -> None:
        """Say what refused and what to try, and end."""
        if as_json:
            self.stdout.write(dumps({"error": error.as_dict()}))
        else:
            hint = f"\n{error.hint}" if error.hint else ""
            self.stderr.write(printable(f"{error.layer}: {error.message}") + hint)
        raise SystemExit(1)


def dumps(value: Any) -> str:
    """Strict JSON, with its letters as they are."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def endpoint(text: str) -> Endpoint:
    """The argument of a command as an endpoint."""
    try:
        return parse_endpoint(text)
    except LineError as error:
        raise ArgumentTypeError(f"{error.message} {error.hint}") from None


def printable(line: str) -> str:
    """Without control characters: what a meter puts into a string must not steer the terminal."""
    return "".join(character if character.isprintable() else f"\\x{ord(character):02x}" for character in line)
