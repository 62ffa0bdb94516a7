"""The list of allowed targets: everybody reads what counts for him or her, administrators read and change all of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.inventory_views import PAGE_SIZE, rows_of
from meters.models import AllowedTarget, Change, RefusedTarget
from meters.targets.forms import TargetForm
from meters.targets.services import delete_target, may_edit_targets, rules_for, save_target

REFUSED_SHOWN = 20
CHANGES_SHOWN = 10


@require_safe
def target_list(request: HttpRequest) -> HttpResponse:
    """The rules; `q` searches network, note and team. Administrators also see what was refused, and the log."""
    may_edit = may_edit_targets(request.user)
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    rules = AllowedTarget.objects.all() if may_edit else rules_for(request.user)
    for word in asked.split():
        rules = rules.filter(Q(network__icontains=word) | Q(note__icontains=word) | Q(team__name__icontains=word))
    page = Paginator(rules.select_related("team"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "q": asked, "may_edit": may_edit, "section": "lines"}
    if may_edit:
        context |= {
            "refused": RefusedTarget.objects.all()[:REFUSED_SHOWN],
            "changes": rows_of(Change.objects.filter(kind=Change.Kind.TARGET)[:CHANGES_SHOWN]),
        }
    return render(request, "meters/targets/target_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def target_add(request: HttpRequest) -> HttpResponse:
    """A new rule; the address may say what it begins with, as the list of refused targets does."""
    _require_administrator(request)
    return _edit(request, TargetForm(request.POST or None, initial=_asked(request.GET)), None)


def _asked(query: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {"network": query.get("host", "")[:43]}
    port, kind = query.get("port", ""), query.get("kind", "")
    if port.isascii() and port.isdecimal() and len(port) < 6:
        found |= {"first_port": int(port), "last_port": int(port)}
    if kind in AllowedTarget.KINDS:
        found |= {each.value.lower(): each == kind for each in AllowedTarget.KINDS}
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def target_edit(request: HttpRequest, pk: int) -> HttpResponse:
    _require_administrator(request)
    row = get_object_or_404(AllowedTarget, pk=pk)
    return _edit(request, TargetForm(request.POST or None, instance=row), row)


def _edit(request: HttpRequest, form: TargetForm, row: AllowedTarget | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_target(user=request.user, target=form.cleaned_data, target_id=row.pk if row else None)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Allowed: {saved}.")
            return redirect("meters:target_list")
    return render(request, "meters/targets/target_form.html", {"form": form, "target": row, "section": "lines"})


@require_POST
def target_delete(request: HttpRequest, pk: int) -> HttpResponse:
    _require_administrator(request)
    row = get_object_or_404(AllowedTarget, pk=pk)
    delete_target(user=request.user, target_id=row.pk)
    messages.success(request, f"Not allowed any more: {row}.")
    return redirect("meters:target_list")


def _require_administrator(request: HttpRequest) -> None:
    if not may_edit_targets(request.user):
        raise PermissionDenied("Only administrators change the list of allowed targets.")
