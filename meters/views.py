"""Pages of the inventory. Sign-in is required by the middleware."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import changes_of, state_history
from meters.forms import MeterForm
from meters.inventory_forms import CommentForm
from meters.inventory_views import rows_of
from meters.lines.forms import KNOWN
from meters.list_views import related_sessions
from meters.meter_types.defaults import prefilled
from meters.models import Association, Batch, InvocationCounter, KeyVersion, Line, Meter, MeterKey, MeterType
from meters.services import CounterError, learn_invocation_counter, save_meter
from meters.vault import VaultError

SESSIONS_SHOWN = 20
CHANGES_SHOWN = 10
COMMENTS_SHOWN = 50
BATCHES_OFFERED = 300
LINES_OFFERED = 300


@require_safe
def meter_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One meter: where it is, how one is let in, what was done with it."""
    keys = MeterKey.objects.select_related("association").prefetch_related(
        Prefetch("versions", KeyVersion.objects.defer("sealed"))
    )
    meters = Meter.objects.select_related("line", "meter_type", "batch").prefetch_related(
        "associations", "tags", Prefetch("keys", keys.order_by("association_id", "slot"))
    )
    meter = get_object_or_404(meters, pk=pk)
    sessions = related_sessions().filter(meter=meter).select_related("association", "opened_by").defer("draft")
    page = Paginator(sessions, SESSIONS_SHOWN).page(1)
    context = {
        "meter": meter,
        "associations": _with_keys(meter),
        "default": meter.default_association,
        "counters": _counters(meter),
        "page": page,
        "states": state_history(meter)[:CHANGES_SHOWN],
        "comments": meter.comments.all()[:COMMENTS_SHOWN],
        "comment_form": CommentForm(),
        "changes": rows_of(changes_of(meter)[:CHANGES_SHOWN]),
        "section": "meters",
    }
    return render(request, "meters/meter_detail.html", context)


def _with_keys(meter: Meter) -> list[tuple[Association, list[MeterKey]]]:
    """Each association with the slots that it would use, its own before the meter's."""
    keys = list(meter.keys.all())
    return [
        (association, [key for key in keys if key.association_id in (None, association.pk)])
        for association in meter.associations.all()
    ]


def _counters(meter: Meter) -> list[InvocationCounter]:
    """The counters of the keys that are in use."""
    prints = [version.fingerprint for key in meter.keys.all() if (version := key.current) is not None]
    titles = {association.client_system_title.lower() for association in meter.associations.all()}
    found = InvocationCounter.objects.filter(fingerprint__in=prints, system_title__in=titles - {""})
    return list(found.order_by("system_title"))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meter_add(request: HttpRequest) -> HttpResponse:
    """A new meter."""
    return _edit(request, MeterForm(request.POST or None, initial=_on_line(request.GET.get("line", ""))), None)


def _on_line(wanted: str) -> dict[str, str] | None:
    """A meter that is added on a line's page hangs there."""
    return {"kind": KNOWN, "known_line": f"#{wanted}"} if wanted.isascii() and wanted.isdecimal() else None


@never_cache
@require_POST
def meter_prefill(request: HttpRequest) -> HttpResponse:
    """The form of a new meter as its type says, for htmx. Posted, for secrets may stand in it; they have to be typed again."""
    names = [name for name in MeterForm.base_fields if name in request.POST]
    typed = {name: request.POST[name] for name in names if name not in MeterForm.SECRETS}
    chosen = request.POST.get("meter_type", "")
    if chosen.isascii() and chosen.isdecimal():
        typed = prefilled(get_object_or_404(MeterType, pk=int(chosen)), typed)
    return render(request, "meters/_meter_form.html", {"form": MeterForm(initial=typed), "section": "meters"})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def meter_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a meter and one of its associations: the one named by `association`, else the default one."""
    meter = get_object_or_404(Meter.objects.select_related("line", "meter_type"), pk=pk)
    association = _wanted_association(meter, request.GET.get("association", ""))
    return _edit(request, MeterForm(request.POST or None, meter=meter, association=association), meter)


def _wanted_association(meter: Meter, wanted: str) -> Association | None:
    if wanted.isdecimal():
        return get_object_or_404(meter.associations, pk=int(wanted))
    return meter.default_association


def _edit(request: HttpRequest, form: MeterForm, meter: Meter | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        saved = _save(request, form)
        if saved is not None:
            messages.success(request, f"Meter {saved.serial_number} saved.")
            return redirect(saved)
    context = {
        "form": form,
        "meter": meter,
        "association": form.association,
        "lines": Line.objects.exclude(name="").order_by("name").values_list("name", flat=True)[:LINES_OFFERED],
        "batches": Batch.objects.values_list("name", flat=True)[:BATCHES_OFFERED],
        "section": "meters",
    }
    return render(request, "meters/meter_form.html", context)


def _save(request: HttpRequest, form: MeterForm) -> Meter | None:
    """The saved meter, or None with the reasons in the form."""
    try:
        meter = save_meter(user=request.user, **form.draft())
    except ValidationError as error:
        form.take_errors(error)
        return None
    except VaultError as error:
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return None
    if form.cleaned_data["invocation_counter"] is not None:
        try:
            set_counter(meter, form)
        except CounterError as error:
            messages.warning(request, f"The invocation counter was not taken over: {error} {error.hint}".strip())
    return meter


def set_counter(meter: Meter, form: MeterForm) -> None:
    """Where the counter of the encryption key goes on. It only ever grows."""
    key = meter.keys.filter(slot=MeterKey.Slot.GUEK, association=None).first()
    version = key.current if key is not None else None
    if version is None:
        return
    learn_invocation_counter(
        fingerprint=version.fingerprint,
        system_title=form.cleaned_data["client_system_title"].hex(),
        meter_value=max(0, form.cleaned_data["invocation_counter"] - 1),
    )
