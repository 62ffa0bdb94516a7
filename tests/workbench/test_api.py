"""What every request of the API passes, and how it refuses."""

from __future__ import annotations

import json

import pytest
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.http import Http404
from django.test import RequestFactory

from meters.api import meters as endpoints
from meters.vault import VaultSealed
from tests.api import Api
from tests.meters.builders import make_meter
from workbench import api as workbench_api
from workbench.api import MAX_BODY, StrictParser, document, parameters_of

pytestmark = pytest.mark.django_db
SHAPE = {"code", "message", "hint", "fields"}


def parsed(body: str | bytes) -> object:
    content = body.encode() if isinstance(body, str) else body
    return StrictParser().parse_body(RequestFactory().post("/", content, content_type="application/json"))


class TestParser:
    @pytest.mark.parametrize("body", ['{"a": [1, 2.5, null, true, "é"]}', "[]", '"x"', "1e400" if False else "1"])
    def test_json_is_read(self, body) -> None:
        assert parsed(body) == json.loads(body)

    @pytest.mark.parametrize(
        "body",
        [
            "{",
            "",
            "NaN",
            "[Infinity]",
            "[-Infinity]",
            '{"a": 1, "a": 2}',
            "{'a': 1}",
            '{"a": 1} x',
            b"\xff\xfe",
            b'"\xed\xa0\x80"',
            "[" * 100_000,
            "[" * 65 + "]" * 65,
            '{"a":' * 70 + "1" + "}" * 70,
            "9" * 5000,
        ],
        ids=lambda body: str(body[:12]),
    )
    def test_what_is_none_or_has_no_end_is_not(self, body) -> None:
        with pytest.raises(ValueError):
            parsed(body)

    def test_the_deepest_that_is_read(self) -> None:
        assert parsed("[" * 64 + "]" * 64) == json.loads("[" * 64 + "]" * 64)


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (ValidationError({"name": "taken"}), 422, "invalid"),
            (ValidationError("no"), 422, "invalid"),
            (ValidationError({"name": ValidationError("taken", code="unique")}), 409, "conflict"),
            (Http404("x"), 404, "not-found"),
            (PermissionDenied("not you"), 403, "not-allowed"),
            (VaultSealed("sealed"), 503, "vault-sealed"),
            (RequestDataTooBig("x"), 413, "too-large"),
            (SuspiciousOperation("x"), 400, "bad-request"),
            (ZeroDivisionError("s3cret"), 500, "internal-error"),
        ],
        ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
    )
    def test_whatever_an_endpoint_raises_has_one_shape(self, monkeypatch, error, status, code) -> None:
        def fail(**wanted):
            raise error

        monkeypatch.setattr(endpoints, "found_detail", fail)
        answer = Api().get("/meters/1")
        assert (answer.status_code, answer.json()["code"], set(answer.json())) == (status, code, SHAPE)
        assert answer.headers["Content-Type"] == "application/json"

    def test_a_mistake_of_ours_tells_nothing_but_where_to_look(self, monkeypatch, caplog) -> None:
        def fail(**wanted):
            raise ZeroDivisionError("s3cret")

        monkeypatch.setattr(endpoints, "found_detail", fail)
        answer = Api().get("/meters/1")
        assert "s3cret" not in answer.content.decode()
        assert answer.headers["X-Request-ID"] in answer.json()["hint"]
        assert "s3cret" in caplog.text

    @pytest.mark.parametrize(
        "path",
        [
            "/nothing",
            "/meters/",
            "/meters/1/",
            "/",
            "/../admin",
            "/meters/by-serial/",
            "/%00",
            "/a%0Ab",
            "/meters/by-serial/a%0A",
        ],
    )
    def test_there_is_no_page_for_what_is_not_there(self, path) -> None:
        answer = Api().get(path)
        assert answer.status_code in (404, 422)
        assert set(answer.json()) == SHAPE

    @pytest.mark.parametrize("method", ["put", "delete", "head", "options", "trace"])
    def test_a_method_that_is_not_possible(self, method) -> None:
        answer = Api().ask(method, "/meters/1")
        allowed = {name.upper() for name in document()["paths"]["/api/v1/meters/{meter_id}"]}
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].replace(" ", "").split(",")) == allowed

    def test_a_page_in_the_wrong_session_is_no_answer_either(self, settings) -> None:
        """Not even where Django would show its debug page."""
        settings.DEBUG = True
        assert set(Api().get("/meters/0").json()) == SHAPE


class TestSize:
    def test_a_body_beyond_the_limit_is_not_read(self) -> None:
        answer = Api().ask("post", "/meters", "x" * (MAX_BODY + 1))
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")

    def test_django_reads_no_less_than_we_allow(self) -> None:
        assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE >= MAX_BODY

    def test_a_body_without_a_length_is_refused(self) -> None:
        answer = Api().ask("get", "/meters", headers={"Transfer-Encoding": "chunked"})
        assert (answer.status_code, answer.json()["code"]) == (411, "length-required")


class TestDeclared:
    def test_an_unknown_parameter_is_refused_by_name(self) -> None:
        answer = Api().get("/meters", sate="FAULTY")
        assert (answer.status_code, list(answer.json()["fields"])) == (422, ["sate"])
        assert Api().get("/meters/1", q="x").status_code == 422

    def test_the_token_is_judged_before(self) -> None:
        assert Api(text="").get("/meters", sate="FAULTY").status_code == 401
        assert Api("log:read").get("/meters", sate="FAULTY").status_code == 403

    def test_what_an_endpoint_knows_is_what_the_document_says(self) -> None:
        assert {"q", "state", "sort", "page", "limit", "after"} <= parameters_of("api/v1/meters", "get")
        assert parameters_of("api/v1/meters/<meter_id>", "get") == frozenset()
        assert parameters_of("api/v1/none", "get") == frozenset()

    def test_answers_are_not_kept_by_anybody(self) -> None:
        make_meter()
        assert Api().get("/meters").headers["Cache-Control"] == "no-store"


def test_no_cookie_and_no_csrf_token_is_needed_or_given() -> None:
    answer = Api().get("/meters")
    assert not answer.cookies


def test_the_document_is_made_once() -> None:
    assert workbench_api.document() is workbench_api.document()
