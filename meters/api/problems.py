"""How the API refuses: always one shape, with what to do next; never a page, never a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from pydantic import BaseModel, Field


class Problem(BaseModel):
    """Why something was refused. `fields`: by the place in what was sent, the reasons."""

    code: str
    message: str
    hint: str
    fields: dict[str, list[str]] = Field(default_factory=dict)


class Refused(Exception):
    """An answer that is none: its status and its `Problem`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        fields: Mapping[str, list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.problem = Problem(code=code, message=message, hint=hint, fields=dict(fields or {}))


ANYWHERE: Final = (400, 401, 403, 413, 422, 429)
"""What every endpoint may answer."""


def answers(model: Any, *refusals: int, status: int = 200) -> dict[int, Any]:
    """The `response=` of an endpoint: what it gives, and how else it may end. `model` None: its answer is no JSON."""
    given = {} if model is None else {status: model}
    return {**given, **dict.fromkeys(sorted({*ANYWHERE, *refusals}), Problem)}


def not_found(what: str) -> Refused:
    return Refused(
        404, "not-found", f"There is no such {what}.", hint="Perhaps it was deleted, or its id is another's."
    )


def invalid(fields: Mapping[str, list[str]], message: str = "") -> Refused:
    """What was sent can be read, and cannot be used."""
    told = message or "; ".join(f"{name}: {' '.join(reasons)}" for name, reasons in fields.items())
    hint = "Mend the fields that are named, and send it again." if fields else ""
    return Refused(422, "invalid", told[:500], hint=hint, fields=fields)


def conflict(fields: Mapping[str, list[str]]) -> Refused:
    """It would be there twice."""
    told = " ".join(reason for reasons in fields.values() for reason in reasons)
    return Refused(409, "conflict", told, hint="Change the one that is there, or choose another name.", fields=fields)


def of_validation(error: ValidationError, places: Mapping[str, str] | None = None) -> Refused:
    """What a service or a form refused. `places`: field name -> where it stands in what was sent."""
    if not hasattr(error, "error_dict"):
        return invalid({}, " ".join(error.messages))
    named = dict(_reasons(error, places or {}))
    fields = {name: reasons for name, reasons in named.items() if name}
    if any(each.code == "unique" for errors in error.error_dict.values() for each in errors):
        return conflict(fields)
    return invalid(fields, " ".join(named.get("", [])))


def _reasons(error: ValidationError, places: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for name, errors in error.error_dict.items():
        place = "" if name == NON_FIELD_ERRORS else places.get(name, name)
        yield place, [message for each in errors for message in each.messages]
