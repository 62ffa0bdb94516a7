"""What comes in is strict."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from meters.api.shapes import Id, Incoming, OneOf, Text, Word


class Body(Incoming):
    number: int = 0
    word: Word = ""
    choice: Annotated[str, OneOf(["A", "B"])] = "A"


@pytest.mark.parametrize(
    "body",
    [
        {"number": "1"},
        {"number": True},
        {"number": 1.5},
        {"word": 1},
        {"word": "x" * 201},
        {"word": "a\x00b"},
        {"word": "\ud800"},
        {"word": None},
        {"choice": "C"},
        {"choice": "a"},
        {"choice": ["A"]},
        {"nummer": 1},
        [],
        "x",
    ],
)
def test_nothing_is_turned_into_something_else(body) -> None:
    with pytest.raises(ValidationError):
        Body.model_validate(body)


def test_what_fits_is_taken() -> None:
    assert Body.model_validate({"number": 7, "word": "é\n", "choice": "B"}) == Body(number=7, word="é\n", choice="B")


@pytest.mark.parametrize("bad", [0, -1, 2**63, "x", None])
def test_an_id_is_one_that_the_databases_take(bad) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Id).validate_python(bad)
    assert TypeAdapter(Id).validate_python(2**63 - 1) == 2**63 - 1


def test_the_document_says_the_choices() -> None:
    assert Body.model_json_schema()["properties"]["choice"]["enum"] == ["A", "B"]
    assert Body.model_json_schema()["additionalProperties"] is False


def test_long_text_may_have_lines() -> None:
    assert TypeAdapter(Text).validate_python("a\n\tb\r\n") == "a\n\tb\r\n"
