"""Pages of the sessions. Sign-in is required by the middleware; what changes something is asked with POST.

A page shows rows; the live parts (`static/js/live.js`) ask for the rows after their own cursor, by websocket or, when that is
down, through `frame_list`. So a reload, a second viewer or a lost message changes nothing.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe
from django_htmx.http import trigger_client_event

from meters.forms import MeterForm
from meters.models import Line, Meter
from meters.vault import VaultError
from sessions.console import CONSOLE_FORMS
from sessions.forms import ConsoleForm
from sessions.gated_forms import GatedForm
from sessions.ladder import evidence_of, ladder
from sessions.live import frame_json, state_message
from sessions.models import DlmsSession, Frame, ProfileEntry, Step
from sessions.results import result_view
from sessions.services import (
    SessionOver,
    cancel_session,
    close_session,
    dissect_frame,
    open_line_test,
    open_session,
    open_test_session,
)

PAGE_SIZE = 100
FRAMES_AT_FIRST = 300
MAX_FRAMES = 2000
MAX_ENTRIES = 5000
STATES = {
    "live": DlmsSession.LIVE,
    "done": (DlmsSession.State.DONE,),
    "failed": (DlmsSession.State.FAILED, DlmsSession.State.ERRORED, DlmsSession.State.LOST),
    "cancelled": (DlmsSession.State.CANCELLED,),
}


# -- lists and opening -------------------------------------------------------------------------------------------------


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """All sessions, the newest first; `state` and `q` narrow. With htmx only the table."""
    state, asked = request.GET.get("state", ""), request.GET.get("q", "").strip()
    page = Paginator(searched_sessions(state, asked), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "state": state if state in STATES else "",
        "states": list(STATES),
        "q": asked,
        "section": "sessions",
    }
    partial = request.htmx and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    answer = render(request, "sessions/_session_table.html" if partial else "sessions/session_list.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def searched_sessions(state: str, asked: str) -> QuerySet[DlmsSession]:
    """The sessions in such a state whose label, person or number has every word."""
    found = DlmsSession.objects.select_related("meter", "association", "opened_by").defer("draft", "context")
    if state in STATES:
        found = found.filter(state__in=STATES[state])
    for word in asked.split():
        wanted = Q(label__icontains=word) | Q(opened_by__username__icontains=word)
        if word.lstrip("#").isdecimal() and len(word) < 10:
            wanted |= Q(pk=int(word.lstrip("#")))
        found = found.filter(wanted)
    return found


@require_POST
def session_open(request: HttpRequest, pk: int) -> HttpResponse:
    """Open a session with the meter, by the association named or the default one."""
    meter = get_object_or_404(Meter, pk=pk)
    wanted = request.POST.get("association", "")
    association = get_object_or_404(meter.associations, pk=int(wanted)) if wanted.isdecimal() else None
    try:
        opened = open_session(
            meter_id=meter.pk, association_id=association.pk if association else None, user=request.user
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(meter)
    return redirect(opened)


# -- the test of a line ------------------------------------------------------------------------------------------------


@require_POST
def line_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Connect to a line and let go again. With htmx the answer stands on the line's page."""
    line = get_object_or_404(Line, pk=pk)
    partial = bool(request.htmx)  # type: ignore[attr-defined]
    try:
        test = open_line_test(line_id=line.pk, user=request.user)
    except ValidationError as error:
        if partial:
            return render(request, "sessions/_line_refused.html", {"reasons": error.messages})
        messages.error(request, " ".join(error.messages))
        return redirect(line)
    if not partial:
        return redirect(test)
    return render(request, "sessions/_line_test.html", {"dlms_session": test})


# -- the test of a draft -----------------------------------------------------------------------------------------------


@never_cache
@require_POST
def association_test(request: HttpRequest) -> HttpResponse:
    """Try what the meter's form says, without saving it. With htmx the answer stands in the form."""
    meter, association = _known_meter(request)
    form = MeterForm(request.POST, meter=meter, association=association, testing=True)
    test = None
    if form.is_valid():
        try:
            test = open_test_session(draft=form.draft(), user=request.user)
        except ValidationError as error:
            form.take_errors(error)
        except VaultError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
    if test is not None and not request.htmx:  # type: ignore[attr-defined]
        return redirect(test)
    context = {"form": form, "meter": meter, "association": association, "section": "meters", "test": test}
    if test is not None:
        context |= _verdict(test)
    partial = bool(request.htmx)  # type: ignore[attr-defined]
    return render(request, "meters/_meter_form.html" if partial else "meters/meter_form.html", context)


def _known_meter(request: HttpRequest) -> tuple[Meter | None, Any]:
    """The saved meter and association whose secrets a draft may keep."""
    meter_id, association_id = request.POST.get("meter", ""), request.POST.get("association", "")
    if not meter_id.isdecimal():
        return None, None
    meter = get_object_or_404(Meter.objects.select_related("line", "meter_type"), pk=int(meter_id))
    if association_id.isdecimal():
        return meter, get_object_or_404(meter.associations, pk=int(association_id))
    return meter, meter.default_association


# -- one session -------------------------------------------------------------------------------------------------------


def get_session(pk: int) -> DlmsSession:
    """The session, with what its pages need beside it; 404 without one."""
    rows = DlmsSession.objects.select_related("meter__line", "meter__meter_type", "association", "opened_by").defer(
        "draft"
    )
    return get_object_or_404(rows, pk=pk)


def _verdict(dlms_session: DlmsSession) -> dict[str, Any]:
    """The head of the session's page: state, error, ladder."""
    return {
        "dlms_session": dlms_session,
        "rungs": ladder(dlms_session.error, evidence_of(dlms_session)),
        "steps": list(dlms_session.steps.all()) if dlms_session.purpose == DlmsSession.Purpose.TEST else [],
    }


@require_safe
def session_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The live page. With htmx one of its parts: `part=head`, or `part=test` in the meter's form."""
    dlms_session = get_session(pk)
    parts = {
        "head": "sessions/_session_head.html",
        "test": "sessions/_test_panel.html",
        "line": "sessions/_line_test.html",
    }
    part = parts.get(request.GET.get("part", ""))
    if part:
        answer = render(request, part, _verdict(dlms_session))
        answer.headers["Cache-Control"] = "no-store"
        return answer
    context = {
        **_verdict(dlms_session),
        "consoles": [form(dlms_session=dlms_session) for form in CONSOLE_FORMS.values()],
        "initial": _initial(dlms_session),
        "section": "sessions",
    }
    return render(request, "sessions/session_detail.html", context)


def _initial(dlms_session: DlmsSession) -> dict[str, Any]:
    """What the page knows when it opens: the state and the newest frames. Older ones are fetched when they are looked at."""
    newest = Frame.objects.filter(session=dlms_session).order_by("-seq")[:FRAMES_AT_FIRST]
    steps = list(dlms_session.steps.order_by("number"))
    return {
        "last_seq": dlms_session.last_seq,
        "frames": [frame_json(frame) for frame in reversed(newest)],
        "state": state_message(dlms_session, steps),
        "started": (dlms_session.started or dlms_session.created).isoformat(),
        "ended": dlms_session.ended.isoformat() if dlms_session.ended else None,
    }


@require_POST
def session_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """End it now."""
    cancel_session(session_id=get_session(pk).pk, user=request.user)
    return _head(request, pk)


@require_POST
def session_close(request: HttpRequest, pk: int) -> HttpResponse:
    """End it when its steps are done."""
    close_session(session_id=get_session(pk).pk, user=request.user)
    return _head(request, pk)


def _head(request: HttpRequest, pk: int) -> HttpResponse:
    dlms_session = get_session(pk)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(dlms_session)
    answer = render(request, "sessions/_session_head.html", _verdict(dlms_session))
    return trigger_client_event(answer, "session:changed", after="settle")


# -- frames ------------------------------------------------------------------------------------------------------------


def _number(request: HttpRequest, name: str, default: int, most: int = 2**31 - 1) -> int:
    text = request.GET.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 19 else default


@require_GET
def frame_list(request: HttpRequest, pk: int) -> JsonResponse:
    """Frames as JSON, in order: those after `after`, or the last ones before `before`. `state=1` adds the state."""
    dlms_session = get_session(pk)
    frames = Frame.objects.filter(session=dlms_session)
    limit = max(1, _number(request, "limit", 500, MAX_FRAMES))
    before = _number(request, "before", 0)
    if before:
        after = _number(request, "after", 0)
        rows = list(reversed(frames.filter(seq__lt=before, seq__gt=after).order_by("-seq")[:limit]))
    else:
        rows = list(frames.filter(seq__gt=_number(request, "after", 0)).order_by("seq")[:limit])
    answer: dict[str, Any] = {"frames": [frame_json(frame) for frame in rows], "last_seq": dlms_session.last_seq}
    if request.GET.get("state"):
        answer["state"] = state_message(dlms_session, list(dlms_session.steps.order_by("number")))
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


@require_GET
def frame_detail(request: HttpRequest, pk: int, seq: int) -> JsonResponse:
    """One frame as the inspector reads it: the tree of fields, and the octets behind every step."""
    dlms_session = get_session(pk)
    frame = get_object_or_404(Frame, session=dlms_session, seq=seq)
    found = dissect_frame(session_id=pk, seq=seq, user=request.user)
    return JsonResponse(
        {**found, "frame": {**frame_json(frame), "apdu_first_seq": frame.apdu_first_seq}},
        headers={"Cache-Control": "no-store"},
    )


# -- steps -------------------------------------------------------------------------------------------------------------


@require_POST
def step_add(request: HttpRequest, pk: int) -> HttpResponse:
    """One more thing to do. What changes something is shown first, and sent when it comes back confirmed."""
    dlms_session = get_session(pk)
    wanted = CONSOLE_FORMS.get(request.POST.get("kind", ""))
    if wanted is None:
        raise Http404("no such kind of step")
    form = wanted(request.POST, dlms_session=dlms_session)
    step = _ask(form, request) if form.is_valid() and "edit" not in request.POST else None
    if step is not None and not request.htmx:  # type: ignore[attr-defined]
        return redirect(f"{dlms_session.get_absolute_url()}#step={step.pk}")
    asking = isinstance(form, GatedForm) and step is None and "edit" not in request.POST
    gate = form.gate if asking and isinstance(form, GatedForm) else None
    context = {"form": form, "dlms_session": dlms_session, "gate": gate, "added": step}
    if not request.htmx:  # type: ignore[attr-defined]
        return render(request, "sessions/console.html", {**context, "section": "sessions"})
    answer = render(request, form.template, context)
    return trigger_client_event(answer, "step:added", {"step": step.pk}) if step is not None else answer


def _ask(form: ConsoleForm, request: HttpRequest) -> Step | None:
    """The step that was added; None when something is refused, or has to be confirmed first."""
    if isinstance(form, GatedForm) and not form.is_confirmed:
        return None
    try:
        return form.ask(request.user)
    except ValidationError as error:
        form.take_errors(error)
    except SessionOver as error:
        form.add_error(None, str(error))
    return None


def _get_step(pk: int, step: int) -> Step:
    return get_object_or_404(Step.objects.select_related("session__meter"), pk=step, session_id=pk)


@require_safe
def step_detail(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """A step's result, as a part of the page."""
    found = _get_step(pk, step)
    context = {
        "step": found,
        "dlms_session": found.session,
        "view": result_view(found),
        "rungs": ladder(found.error, evidence_of(found.session)) if found.error else [],
    }
    answer = render(request, "sessions/_step_result.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_GET
def step_entries(request: HttpRequest, pk: int, step: int) -> JsonResponse:
    """A profile's rows after `after`, at most 5000: `[number, time, [values…]]`."""
    found = _get_step(pk, step)
    rows = ProfileEntry.objects.filter(step=found, number__gt=_number(request, "after", 0)).order_by("number")
    entries = [
        [number, time.isoformat() if time else None, values]
        for number, time, values in rows.values_list("number", "time", "values")[:MAX_ENTRIES]
    ]
    return JsonResponse(
        {"step": found.pk, "columns": found.columns, "entries": entries, "more": len(entries) == MAX_ENTRIES},
        headers={"Cache-Control": "no-store"},
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


@require_GET
def profile_export(request: HttpRequest, pk: int, step: int) -> StreamingHttpResponse:
    """A profile's rows as CSV, one line an entry."""
    found = _get_step(pk, step)
    serial = found.session.meter.serial_number if found.session.meter else "test"
    name = "".join(
        letter for letter in f"{serial}-session-{pk}-step-{found.number}" if letter.isalnum() or letter in "-_"
    )
    return StreamingHttpResponse(
        _csv_lines(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _csv_lines(step: Step) -> Iterator[str]:
    writer = csv.writer(_Echo())
    titles = [f"{column['title']} [{column['unit']}]" if column["unit"] else column["title"] for column in step.columns]
    yield writer.writerow(["entry", "time", *map(_cell, titles)])
    rows = ProfileEntry.objects.filter(step=step).order_by("number")
    for number, time, values in rows.values_list("number", "time", "values").iterator(chunk_size=2000):
        yield writer.writerow([number, time.isoformat() if time else "", *map(_cell, values)])


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets an apostrophe."""
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
