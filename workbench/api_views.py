"""What the API says of itself: the OpenAPI document, and a page made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from meters.api.problems import Refused
from workbench.api import document, refusal
from workbench.tokens import SCOPES, authenticate, unauthenticated

METHODS = ("get", "post", "patch", "delete")
JSON = "application/json"


@login_not_required
@require_safe
def openapi_document(request: HttpRequest) -> HttpResponse:
    """For whoever is signed in, and for every token that is alive."""
    if not request.user.is_authenticated:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise unauthenticated("A token is needed.")
            authenticate(request, token)
        except Refused as refused:
            return refusal(refused)
    return JsonResponse(document(), json_dumps_params={"indent": 1})


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter, or a field of a body."""

    name: str
    place: str
    type: str
    required: bool
    words: SafeString


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint, ready for the page."""

    id: str
    method: str
    path: str
    title: str
    words: SafeString
    scope: str
    rows: list[Row]
    gives: list[tuple[str, str]]
    curl: str


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Every endpoint, by what it is about."""
    groups: dict[str, list[Endpoint]] = {}
    for path, methods in document()["paths"].items():
        for method in METHODS:
            if method in methods:
                group = methods[method].get("tags", ["Others"])[0]
                groups.setdefault(group, []).append(_endpoint(method, path, methods[method], _base(request)))
    context = {"groups": groups, "scopes": SCOPES, "base": _base(request), "section": "api"}
    return render(request, "workbench/api_docs.html", context)


def _base(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _endpoint(method: str, path: str, declared: dict[str, Any], base: str) -> Endpoint:
    body = declared.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema", {})
    rows = [_parameter(each) for each in declared.get("parameters", [])]
    rows += [_row(name, "body", schema, name in required) for name, schema, required in _fields(body)]
    gives = [(status, _given(answer)) for status, answer in declared["responses"].items() if status.startswith("2")]
    verb = "" if method == "get" else f"-X {method.upper()} "
    curl = f'curl {verb}-H "Authorization: Bearer $TOKEN" {base}{path}' + (" --json '{…}'" if body else "")
    words = _marked(" ".join(declared.get("description", "").split()))
    scope = declared.get("x-scope", "")
    return Endpoint(declared["operationId"], method.upper(), path, declared["summary"], words, scope, rows, gives, curl)


def _parameter(declared: dict[str, Any]) -> Row:
    return _row(declared["name"], declared["in"], declared["schema"], declared["required"])


def _row(name: str, place: str, schema: dict[str, Any], required: bool) -> Row:
    return Row(name, place, _type(schema), required, _marked(str(schema.get("description", ""))))


def _marked(text: str) -> SafeString:
    """What stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", [(format_html("<code>{}</code>", each) if at % 2 else each,) for at, each in parts]
    )


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    (only, *others) = schema.get("allOf", [{}])
    reference = schema.get("$ref") or ("" if others else only.get("$ref", ""))
    found: dict[str, Any] = document()["components"]["schemas"][reference.rpartition("/")[2]] if reference else schema
    return found


def _fields(schema: dict[str, Any], prefix: str = "", depth: int = 0) -> Any:
    """The fields of a body, those of objects in it after them: `line.host`."""
    found = _resolved(schema)
    options = [each for each in found.get("anyOf", []) if each.get("type") != "null"]
    if len(options) == 1:
        found = _resolved(options[0])
    required = {prefix + name for name in found.get("required", [])}
    for name, inner in found.get("properties", {}).items():
        nested = list(_fields(inner, f"{prefix}{name}.", depth + 1)) if depth < 2 else []
        if nested:
            yield from nested
        else:
            yield prefix + name, inner, required


def _type(schema: dict[str, Any]) -> str:
    """`string`, `one of A, B`, `list of integer`."""
    found = _resolved(schema)
    if "enum" in found:
        return "one of " + ", ".join(str(word) or "“”" for word in found["enum"])
    if "const" in found:
        return str(found["const"])
    if "anyOf" in found:
        return " or ".join(_type(each) for each in found["anyOf"])
    if found.get("type") == "array":
        return f"list of {_type(found.get('items', {}))}"
    return str(found.get("title", "object") if "properties" in found else found.get("type", "anything"))


def _given(answer: dict[str, Any]) -> str:
    content = answer.get("content", {})
    if JSON not in content:
        return ", ".join(content) or str(answer.get("description", ""))
    return _type(content[JSON]["schema"])
