"""Who may call an endpoint: whoever has a token with its scope.

An endpoint says its scope where it is declared: `@router.get("", **needs("meters:read"), response=answers(...))`. What a token
is, the rooms below do not know: `settings.API_AUTHENTICATION` names the function that judges one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from ninja.security import HttpBearer

from meters.api.problems import Refused

SCOPES: Final[Mapping[str, str]] = {
    "meters:read": "See meters, batches, tags, comments and saved filters; export the list.",
    "meters:write": "Add and change meters, also many at once; batches, comments, saved filters.",
    "keys:write": "Put secrets into the vault. None ever comes out.",
    "types:read": "See meter types, their association templates and quirks.",
    "types:write": "Add, change and delete meter types and templates; propose and review quirks.",
    "lines:read": "See lines, how they do, and what may be connected to.",
    "lines:write": "Add, change and delete lines.",
    "targets:write": "Change what may be connected to. Only of an administrator.",
    "log:read": "Read the change log.",
    "obis:read": "Look up OBIS codes.",
}
"""What this app's endpoints ask for, in words for the page of tokens."""


class Grant(Protocol):
    """What stands behind a token, in `request.auth` of an endpoint."""

    def allows(self, scope: str) -> bool: ...


class BearerToken(HttpBearer):
    """`Authorization: Bearer …`, with the scope that the endpoint needs. Never in the address: addresses are logged."""

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> Grant:
        grant: Grant = import_string(settings.API_AUTHENTICATION)(request, token)
        require(grant, self.scope)
        return grant


def require(grant: Any, scope: str) -> None:
    """Refuse what the token does not allow, and say what is missing."""
    if not grant.allows(scope):
        raise Refused(
            403,
            "scope-missing",
            f"This token lacks the scope {scope}.",
            hint=f"Make a token with the scope {scope} on the page “API tokens”.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )


def needs(scope: str) -> dict[str, Any]:
    """The keywords of an endpoint that only tokens with this scope may call."""
    return {"auth": BearerToken(scope), "openapi_extra": {"x-scope": scope}}
