"""The one shape of a refusal."""

from __future__ import annotations

from django.core.exceptions import ValidationError

from meters.api.problems import Problem, answers, conflict, invalid, not_found, of_validation


def test_what_every_endpoint_may_answer_is_declared() -> None:
    declared = answers(int, 404, status=201)
    assert declared[201] is int
    assert set(declared) == {201, 400, 401, 403, 404, 413, 422, 429}
    assert {declared[code] for code in declared if code >= 400} == {Problem}
    assert 200 not in answers(None)


def test_fields_stand_where_they_stood_in_what_was_sent() -> None:
    error = ValidationError({"host": ["Where?"], "name": ["Which?"], "__all__": ["Nothing fits."]})
    problem = of_validation(error, {"host": "line.host"}).problem
    assert problem.fields == {"line.host": ["Where?"], "name": ["Which?"]}
    assert problem.message == "Nothing fits."
    assert problem.hint


def test_without_fields_the_message_says_it_all() -> None:
    problem = of_validation(ValidationError(["One.", "Two."])).problem
    assert (problem.message, problem.fields, problem.hint) == ("One. Two.", {}, "")


def test_what_would_be_there_twice_is_a_conflict() -> None:
    refused = of_validation(ValidationError({"name": ValidationError("There is one.", code="unique")}))
    assert (refused.status, refused.problem.code, refused.problem.fields) == (
        409,
        "conflict",
        {"name": ["There is one."]},
    )
    assert conflict({"a": ["x"]}).problem.hint


def test_a_long_story_is_cut() -> None:
    assert len(invalid({str(n): ["x" * 100] for n in range(100)}).problem.message) == 500


def test_what_is_missing_is_named() -> None:
    assert (not_found("meter").status, str(not_found("meter"))) == (404, "There is no such meter.")
