"""The OpenAPI document and the page made of it."""

from __future__ import annotations

import re

import pytest

from tests.api import Api
from tests.sessions.builders import make_user
from workbench.api import document

pytestmark = pytest.mark.django_db
DOCUMENT = "/api/v1/openapi.json"
PAGE = "/api/"


class TestDocument:
    def test_for_every_token_that_is_alive(self) -> None:
        answer = Api("log:read").get("/openapi.json")
        assert answer.status_code == 200
        assert answer.json() == document()
        assert answer.json()["openapi"] == "3.1.0"

    def test_for_whoever_is_signed_in(self, client) -> None:
        client.force_login(make_user())
        assert client.get(DOCUMENT).json() == document()

    @pytest.mark.parametrize("header", [None, "Bearer mwb_0.x", "Basic YTpi", "Bearer"])
    def test_for_nobody_else(self, client, header) -> None:
        answer = client.get(DOCUMENT, headers={"Authorization": header} if header else {})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")

    def test_it_is_only_read(self, client) -> None:
        client.force_login(make_user())
        assert client.post(DOCUMENT).status_code == 405

    def test_every_reference_leads_somewhere(self) -> None:
        text = str(document())
        for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
            assert name in document()["components"]["schemas"]


class TestPage:
    def test_nobody_without_signing_in(self, client) -> None:
        assert client.get(PAGE).url == f"/accounts/login/?next={PAGE}"

    def test_it_has_every_endpoint_with_its_scope(self, client) -> None:
        client.force_login(make_user())
        page = client.get(PAGE).content.decode()
        for path, methods in document()["paths"].items():
            for method, declared in methods.items():
                parts = (method.upper(), re.escape(path), declared["x-scope"])
                summary = rf'id="{declared["operationId"]}">\s*<summary>.*{".*".join(parts)}'
                assert re.search(summary, page), path

    def test_it_costs_one_look_at_the_person(self, client, django_assert_num_queries) -> None:
        client.force_login(make_user())
        client.get(PAGE)
        with django_assert_num_queries(2):
            client.get(PAGE)

    def test_fields_of_a_body_are_named_with_their_place(self) -> None:
        from workbench.api_views import _fields, _type

        inner = {"type": "object", "properties": {"host": {"type": "string"}}, "required": ["host"]}
        outer = {"properties": {"line": inner, "tags": {"type": "array", "items": {"type": "string"}}}}
        assert [(name, _type(schema), name in needed) for name, schema, needed in _fields(outer)] == [
            ("line.host", "string", True),
            ("tags", "list of string", False),
        ]

    def test_parts_of_a_meter_are_told_field_by_field(self, client) -> None:
        client.force_login(make_user())
        page = client.get(PAGE).content.decode()
        for name in ("line.host", "association.client_sap", "secrets.guek", "matching.batch"):
            assert f"<code>{name}</code>" in page

    @pytest.mark.parametrize(
        ("schema", "words"),
        [
            ({"enum": ["a", "b"]}, "one of a, b"),
            ({"enum": ["", "b"]}, "one of “”, b"),
            ({"const": 1}, "1"),
            ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
            ({}, "anything"),
        ],
    )
    def test_types_in_words(self, schema, words) -> None:
        from workbench.api_views import _type

        assert _type(schema) == words
