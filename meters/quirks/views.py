"""Pages of quirks: those of a type, one with its review, a proposal, what a meter does otherwise. Sign-in is required by the
middleware.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import changes_of
from meters.inventory_views import PAGE_SIZE, rows_of
from meters.list_views import related_sessions
from meters.meter_types.views import type_context
from meters.models import Meter, MeterType, Quirk
from meters.quirks.forms import ExceptionForm, QuirkCommentForm, QuirkForm
from meters.quirks.in_force import quirks_in_force
from meters.quirks.names import QUIRKS
from meters.quirks.review import TRANSITIONS, ReviewError, ReviewEvent, ReviewState
from meters.quirks.services import (
    accept_quirk,
    comment_quirk,
    end_exception,
    make_exception,
    propose_quirk,
    refuse_quirk,
    withdraw_quirk,
)

REVIEWS = {"accept": accept_quirk, "refuse": refuse_quirk, "withdraw": withdraw_quirk}
SAID = {
    "accept": "accepted: every session of the type obeys it from now on",
    "refuse": "refused",
    "withdraw": "withdrawn",
}


@require_safe
def type_quirks(request: HttpRequest, pk: int) -> HttpResponse:
    """The quirks of a type, whatever their state, the newest first."""
    meter_type = get_object_or_404(MeterType, pk=pk)
    page = Paginator(meter_type.quirks.all(), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(quirk, QUIRKS.get(quirk.name)) for quirk in page.object_list]
    context = {**type_context(meter_type, "type_quirks"), "page": page, "rows": rows}
    return render(request, "meters/quirks/type_quirks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def quirk_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose a quirk; `session` in the address is the one that proved it."""
    meter_type = get_object_or_404(MeterType, pk=pk)
    proof = request.GET.get("session", "")
    initial = {"session": int(proof)} if proof.isascii() and proof.isdecimal() and len(proof) < 16 else {}
    form = QuirkForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        proof_session = values.pop("session")
        try:
            quirk = propose_quirk(user=request.user, meter_type=meter_type, session_id=proof_session, **values)
        except ValidationError as error:
            form.take_errors(error)
        else:
            messages.success(request, "Proposed. It holds when another person has accepted it.")
            return redirect(quirk)
    context = {**type_context(meter_type, "type_quirks"), "form": form}
    return render(request, "meters/quirks/quirk_form.html", context)


@require_safe
def quirk_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One quirk: what it is, who said what about it, and what may be done with it now."""
    quirk = _quirk(pk)
    return render(request, "meters/quirks/quirk_detail.html", _context(request, quirk, QuirkCommentForm()))


def _quirk(pk: int) -> Quirk:
    return get_object_or_404(Quirk.objects.select_related("meter_type"), pk=pk)


def _context(request: HttpRequest, quirk: Quirk, form: QuirkCommentForm) -> dict[str, Any]:
    possible = {event.value for event in TRANSITIONS[ReviewState(quirk.state)]}
    if quirk.state == Quirk.State.PROPOSED:
        mine = quirk.proposed_by_id == request.user.pk
        possible -= {"accept", "refuse"} if mine else {ReviewEvent.WITHDRAW.value}
    return {
        **type_context(quirk.meter_type, "type_quirks"),
        "quirk": quirk,
        "known": QUIRKS.get(quirk.name),
        "proof": related_sessions().filter(pk=quirk.proof_session).select_related("meter").defer("draft").first(),
        "possible": possible,
        "mine": quirk.proposed_by_id == request.user.pk,
        "comments": quirk.comments.all(),
        "comment_form": form,
        "changes": rows_of(changes_of(quirk)[:PAGE_SIZE]),
    }


@require_POST
def quirk_review(request: HttpRequest, pk: int, event: str) -> HttpResponse:
    """Accept, refuse or withdraw it."""
    quirk = _quirk(pk)
    try:
        REVIEWS[event](user=request.user, quirk_id=quirk.pk, message=request.POST.get("message", "")[:500])
    except ReviewError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The quirk is {SAID[event]}.")
    return redirect(quirk)


@require_POST
def quirk_comment(request: HttpRequest, pk: int) -> HttpResponse:
    quirk = _quirk(pk)
    form = QuirkCommentForm(request.POST)
    if form.is_valid():
        comment_quirk(user=request.user, quirk_id=quirk.pk, text=form.cleaned_data["text"])
        messages.success(request, "Comment added.")
    else:
        messages.error(request, f"The comment was not added: {form.errors['text'][0]}")
    return redirect(f"{quirk.get_absolute_url()}#comments")


@require_http_methods(["GET", "HEAD", "POST"])
def meter_quirks(request: HttpRequest, pk: int) -> HttpResponse:
    """Which quirks hold for a meter, and what it does otherwise than its type."""
    meter = get_object_or_404(Meter.objects.select_related("meter_type"), pk=pk)
    form = ExceptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            make_exception(user=request.user, meter_id=pk, **form.cleaned_data)
        except ValidationError as error:
            form.take_errors(error)
        else:
            messages.success(request, "Taken down: sessions that begin now do so.")
            return redirect("meters:meter_quirks", pk)
    context = {
        "meter": meter,
        "form": form,
        "in_force": [(each, QUIRKS[each.name]) for each in quirks_in_force(meter)],
        "exceptions": [(each, QUIRKS.get(each.name)) for each in meter.quirk_exceptions.all()],
        "section": "meters",
    }
    return render(request, "meters/quirks/meter_quirks.html", context)


@require_POST
def exception_end(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """The meter is as its type again."""
    meter = get_object_or_404(Meter, pk=pk)
    exception = get_object_or_404(meter.quirk_exceptions, name=name)
    end_exception(user=request.user, meter_id=pk, name=exception.name)
    messages.success(request, "The meter is as its type again.")
    return redirect("meters:meter_quirks", pk)
