"""The page “API tokens”: one's own tokens. Sign-in is required by the middleware."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from workbench.models import ApiToken
from workbench.token_forms import TokenForm
from workbench.tokens import SCOPES, make_token, revoke_token

SHOWN = 200


@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """The tokens of this person, those that ended too."""
    person: Any = request.user
    tokens = ApiToken.objects.filter(user=person)[:SHOWN]
    return render(request, "workbench/token_list.html", {"tokens": tokens, "section": "api"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def token_add(request: HttpRequest) -> HttpResponse:
    """A new token. The answer to the form shows it, once: no address leads there again."""
    form = TokenForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            token, text = make_token(user=request.user, **form.draft())
        except ValidationError as error:
            form.take_errors(error)
        else:
            return render(request, "workbench/token_made.html", {"token": token, "text": text, "section": "api"})
    return render(request, "workbench/token_form.html", {"form": form, "scopes": SCOPES, "section": "api"})


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own tokens, at once and for good."""
    try:
        token = revoke_token(user=request.user, token_id=pk)
    except ApiToken.DoesNotExist:
        raise Http404("There is no such token of yours.") from None
    messages.success(request, f"Token {token.name} is revoked: nothing can use it any more.")
    return redirect("token_list")
