"""Pages of lines. Sign-in is required by the middleware."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import changes_of
from meters.inventory_views import PAGE_SIZE, rows_of
from meters.lines.forms import LineForm
from meters.lines.services import delete_line, save_line
from meters.list_views import related_sessions
from meters.listing import BoundedPaginator, bounded_count
from meters.models import Line, Meter
from meters.targets.services import HINT, refused_text, target_refusal

METERS_SHOWN = 20
SESSIONS_SHOWN = 20
FAILURES_SHOWN = 10
CHANGES_SHOWN = 10
HEALTH = {
    "works": Q(health__failures=0, health__last_success__isnull=False),
    "fails": Q(health__failures__gt=0),
    "unknown": Q(health=None),
}


@require_safe
def line_list(request: HttpRequest) -> HttpResponse:
    """All lines by name; `q` searches name, host and port, `kind` and `health` narrow."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    kind, health = request.GET.get("kind", ""), request.GET.get("health", "")
    kind = kind if kind in Line.Kind else ""
    health = health if health in HEALTH else ""
    found = searched_lines(asked, kind, health)
    page = BoundedPaginator(found, PAGE_SIZE, found=bounded_count(found)).page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": _rows(page.object_list),
        "q": asked,
        "kind": kind,
        "kinds": Line.Kind.choices,
        "health": health,
        "healths": list(HEALTH),
        "narrowed": bool(asked or kind or health),
        "section": "lines",
    }
    return render(request, "meters/lines/line_list.html", context)


def searched_lines(asked: str, kind: str, health: str) -> QuerySet[Line]:
    """The lines that have every word, of this kind and health; empty: of any."""
    lines = Line.objects.select_related("health")
    if kind:
        lines = lines.filter(kind=kind)
    if health:
        lines = lines.filter(HEALTH[health])
    for word in asked.split():
        wanted = Q(name__icontains=word) | Q(host__icontains=word) | Q(serial_port__icontains=word)
        host, _, port = word.rpartition(":")
        if port.isascii() and port.isdecimal() and len(port) < 6:
            wanted |= Q(port=int(port), host__icontains=host)
        lines = lines.filter(wanted)
    return lines


def _rows(shown: Any) -> list[tuple[Line, int, Any]]:
    """Each line, how many meters hang on it, and the session that runs on it: two queries, whatever is shown."""
    lines = list(shown)
    hanging = Meter.objects.filter(line__in=lines).order_by().values("line").annotate(count=Count("pk"))
    meters = {row["line"]: row["count"] for row in hanging}
    holders = holders_of(lines)
    return [(line, meters.get(line.pk, 0), holders.get(line.pk)) for line in lines]


def holders_of(lines: Sequence[Line]) -> dict[int, Any]:
    """By line the session that runs there now, the oldest where several may."""
    sessions = related_sessions()
    running = sessions.filter(line__in=lines, state__in=sessions.model.RUNNING).select_related("opened_by")
    return {session.line_id: session for session in running.defer("draft", "context").order_by("-pk")}


@require_safe
def line_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One line: its settings, who holds it, how it does, what hangs on it and what happened there."""
    line = get_object_or_404(Line.objects.select_related("health"), pk=pk)
    sessions = related_sessions().filter(line=line).select_related("meter", "opened_by").defer("draft", "context")
    failures = sessions.filter(error__layer__in=("line", "link")).order_by("-pk")
    meters = line.meters.select_related("meter_type").order_by("serial_number")
    context = {
        "line": line,
        "holder": holders_of([line]).get(line.pk),
        "refused": _refused(line, request.user),
        "hint": HINT,
        "meters": meters[:METERS_SHOWN],
        "meter_count": meters.count(),
        "sessions": sessions.order_by("-pk")[:SESSIONS_SHOWN],
        "failures": failures[:FAILURES_SHOWN],
        "changes": rows_of(changes_of(line)[:CHANGES_SHOWN]),
        "section": "lines",
    }
    return render(request, "meters/lines/line_detail.html", context)


def _refused(line: Line, user: Any) -> str:
    """What would be said to this user who opens a session here; empty where it is allowed."""
    if not line.on_network or line.port is None:
        return ""
    reason = target_refusal(user=user, kind=line.kind, host=line.host, port=line.port)
    return refused_text(line.host, line.port) if reason is not None else ""


@require_safe
def line_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """All entries of one line."""
    line = get_object_or_404(Line, pk=pk)
    page = Paginator(changes_of(line), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"line": line, "page": page, "changes": rows_of(page.object_list), "section": "lines"}
    return render(request, "meters/lines/line_changes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def line_add(request: HttpRequest) -> HttpResponse:
    return _edit(request, LineForm(request.POST or None), None)


@require_http_methods(["GET", "HEAD", "POST"])
def line_edit(request: HttpRequest, pk: int) -> HttpResponse:
    line = get_object_or_404(Line, pk=pk)
    return _edit(request, LineForm(request.POST or None, line=line), line)


def _edit(request: HttpRequest, form: LineForm, line: Line | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_line(user=request.user, line=form.line(), line_id=line.pk if line else None)
        except ValidationError as error:
            form.take_errors(error)
        else:
            messages.success(request, f"Line {saved} saved.")
            return redirect(saved)
    context = {
        "form": form,
        "line": line,
        "meter_count": line.meters.count() if line else 0,
        "section": "lines",
    }
    return render(request, "meters/lines/line_form.html", context)


@require_POST
def line_delete(request: HttpRequest, pk: int) -> HttpResponse:
    line = get_object_or_404(Line, pk=pk)
    try:
        delete_line(user=request.user, line_id=line.pk)
    except ValidationError as error:
        messages.error(request, f"{line} was not deleted. {' '.join(error.messages)}")
        return redirect(line)
    messages.success(request, f"Line {line} deleted.")
    return redirect("meters:line_list")
