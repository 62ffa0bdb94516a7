"""The API, put together: the routers of the apps under `/api/v1/`, what every request passes, how errors are told.

A request passes, in this order: its size, its token and scope, the fields and parameters that the endpoint declares. What is not
declared is refused: a typing error in the name of a filter must not become the whole list.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, re_path
from ninja import NinjaAPI
from ninja.errors import HttpError
from ninja.errors import ValidationError as Unreadable
from ninja.parser import Parser

from meters.api import ROUTERS as METERS_ROUTERS
from meters.api.access import BearerToken
from meters.api.problems import Refused, invalid, not_found, of_validation
from meters.changes import current_request
from meters.vault import VaultError
from sessions.api import ROUTERS as SESSIONS_ROUTERS

log = logging.getLogger(__name__)

VERSION: Final = "1"
ROOT: Final = "/api/v1/"
MAX_DEPTH: Final = 64
MAX_BODY: Final = 2 * 1024 * 1024
"""Octets of a body."""
DESCRIPTION: Final = """Everything that the pages do. A token goes into the header `Authorization: Bearer mwb_…`; the page
“API tokens” makes them, with the scopes that the endpoints name. Refusals have one shape: code, message, hint, fields."""


class StrictParser(Parser):
    """JSON as the standard has it: no NaN, no name twice, no depth without end."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            parsed = json.loads(request.body.decode(), parse_constant=_no_number, object_pairs_hook=_once_each)
        except (ValueError, RecursionError) as error:
            raise ValueError("no JSON that can be read") from error
        if _depth(parsed) > MAX_DEPTH:
            raise ValueError(f"deeper than {MAX_DEPTH} levels")
        return parsed


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _depth(value: Any) -> int:
    """How deep lists and objects are nested; without recursion."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
        depth += 1
    return depth


api = NinjaAPI(
    title="Meter Workbench",
    version=VERSION,
    description=DESCRIPTION,
    auth=BearerToken("undeclared"),  # an endpoint that forgot its scope is closed
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
    parser=StrictParser(),
)


# -- what is refused -----------------------------------------------------------------------------------------------------


def refusal(refused: Refused) -> HttpResponse:
    """A refusal as it leaves."""
    content = refused.problem.model_dump_json()
    return HttpResponse(content, status=refused.status, content_type="application/json", headers=refused.headers)


@api.exception_handler(Refused)
def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    return refusal(refused)


@api.exception_handler(Unreadable)
def _unreadable(request: HttpRequest, error: Unreadable) -> HttpResponse:
    fields: dict[str, list[str]] = {}
    for each in error.errors:
        place = ".".join(str(part) for part in each["loc"][2:] or each["loc"][-1:])
        fields.setdefault(place, []).append(str(each["msg"]))
    return refusal(invalid(fields))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return refusal(of_validation(error))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return refusal(not_found("thing"))


@api.exception_handler(PermissionDenied)
def _denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return refusal(Refused(403, "not-allowed", str(error) or "You are not allowed to do this."))


@api.exception_handler(VaultError)
def _sealed(request: HttpRequest, error: VaultError) -> HttpResponse:
    return refusal(Refused(503, error.code, error.message, hint=error.hint))


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return refusal(too_large())


def too_large() -> Refused:
    return Refused(413, "too-large", f"A body has at most {MAX_BODY} octets.", hint="Send it in parts.")


@api.exception_handler(SuspiciousOperation)
def _suspicious(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    return refusal(Refused(400, "bad-request", "This request cannot be read."))


@api.exception_handler(IntegrityError)
def _at_the_same_time(request: HttpRequest, error: IntegrityError) -> HttpResponse:
    log.warning("The database refused %s %s", request.method, request.path, exc_info=error)
    hint = "Look at what is there now, and send it again."
    return refusal(Refused(409, "conflict", "Somebody else changed the same thing at the same time.", hint=hint))


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    from workbench.tokens import unauthenticated

    if error.status_code == 401:
        return refusal(unauthenticated("A token is needed."))
    hint = f"A body is one JSON value in UTF-8, at most {MAX_DEPTH} levels deep, without NaN and without a name twice."
    return refusal(Refused(error.status_code, "bad-request", "The body cannot be read.", hint=hint))


@api.exception_handler(Exception)
def _mistake(request: HttpRequest, error: Exception) -> HttpResponse:
    """A mistake of ours: the log has it, the answer says where to look."""
    log.error("The API failed at %s %s", request.method, request.path, exc_info=error)
    made = current_request.get()
    hint = f"The workbench's log has the details, with the request {made}. Please report it."
    return refusal(Refused(500, "internal-error", "An error in the workbench ended this.", hint=hint))


# -- what every request passes ---------------------------------------------------------------------------------------------


def only_declared(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse parameters of the address that the endpoint does not know."""

    @wraps(endpoint)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        match = request.resolver_match
        known = parameters_of(match.route if match else "", (request.method or "").lower())
        if unknown := sorted(set(request.GET) - known):
            raise invalid({name[:100]: ["There is no such parameter."] for name in unknown[:20]})
        return endpoint(request, *args, **kwargs)

    return wrapped


@lru_cache(maxsize=512)
def parameters_of(route: str, method: str) -> frozenset[str]:
    """The names that the address of an endpoint may hold behind the question mark."""
    declared = document()["paths"].get(_as_declared(route), {}).get(method, {}).get("parameters", [])
    return frozenset(each["name"] for each in declared if each["in"] == "query")


def _as_declared(route: str) -> str:
    """Django's `api/v1/meters/<path:serial>` as the document has it: `/api/v1/meters/{serial}`."""
    parts = [
        f"{{{part[1:-1].rpartition(':')[2]}}}" if part.startswith("<") else part for part in f"/{route}".split("/")
    ]
    return "/".join(parts)


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The OpenAPI document."""
    made: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=ROOT)))
    return made


def served(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of the API: by tokens, not by sign-in; sized; and what Django itself says, in our shape."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if refused := _wrong_size(request):
            return refusal(refused)
        answer = view(request, *args, **kwargs)
        if answer.status_code == 405:
            problem = Refused(405, "method-not-allowed", f"{request.method} is not possible here.")
            problem.headers["Allow"] = answer.headers["Allow"]
            return refusal(problem)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    wrapped.login_required = False  # type: ignore[attr-defined]
    wrapped.csrf_exempt = True  # type: ignore[attr-defined]
    return wrapped


def _wrong_size(request: HttpRequest) -> Refused | None:
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if not length and "Transfer-Encoding" in request.headers:
        return Refused(411, "length-required", "A body needs its length.", hint="Send Content-Length.")
    return too_large() if length.isdecimal() and int(length) > MAX_BODY else None


def unknown(request: HttpRequest) -> HttpResponse:
    """There is no such endpoint."""
    hint = "The page “API” lists all of them; mind the version, and no slash at the end."
    return refusal(Refused(404, "not-found", f"There is no endpoint {request.path[:200]}.", hint=hint))


for prefix, router in (*METERS_ROUTERS, *SESSIONS_ROUTERS):
    api.add_router(prefix, router)
api.add_decorator(only_declared)


def urls() -> list[URLPattern]:
    """All endpoints, and what answers everything else."""
    named = [each for each in api.urls[0] if isinstance(each, URLPattern) and each.name != "api-root"]
    for pattern in named:
        pattern.callback = served(pattern.callback)
    return [*named, re_path("", served(unknown))]  # whatever begins so, line ends too, which <path:…> leaves out
