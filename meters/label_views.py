"""Permanent addresses of meters, and labels that lead to them. Sign-in is required by the middleware."""

from __future__ import annotations

from csp.constants import NONE
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from meters.labels import MAX_LABELS, label_of, permanent_address, qr_svg, sheets_of
from meters.list_views import chosen_ids
from meters.models import Batch, Meter

NOTHING_BUT_ITSELF = {
    name: [NONE]
    for name in ("script-src", "style-src", "img-src", "font-src", "connect-src", "manifest-src", "form-action")
}


@require_safe
def meter_by_serial(request: HttpRequest, serial_number: str) -> HttpResponse:
    """A meter's permanent address; where no meter has this serial number, how to go on."""
    meter = Meter.objects.filter(serial_number=serial_number).first() if "\x00" not in serial_number else None
    if meter is not None:
        return redirect(meter)
    context = {"serial_number": serial_number[:64], "section": "meters"}
    return render(request, "meters/no_such_serial.html", context, status=404)


@never_cache
@require_safe
def meter_qr(request: HttpRequest, pk: int) -> HttpResponse:
    """The QR code of a meter's permanent address, as an image."""
    meter = get_object_or_404(Meter, pk=pk)
    answer = HttpResponse(qr_svg(permanent_address(request, meter)), content_type="image/svg+xml; charset=utf-8")
    answer.headers["Content-Disposition"] = f'inline; filename="meter-{meter.pk}.svg"'
    answer._csp_replace = NOTHING_BUT_ITSELF  # type: ignore[attr-defined]  # for the middleware of django-csp
    return answer


@require_safe
def meter_label(request: HttpRequest, pk: int) -> HttpResponse:
    """One label, to look at, to copy the address of, and to print."""
    meter = get_object_or_404(Meter.objects.select_related("meter_type"), pk=pk)
    label = label_of(request, meter)
    return render(
        request, "meters/labels.html", {"meter": meter, "sheets": [[label]], "label": label, "section": "meters"}
    )


@require_safe
def batch_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """The labels of all meters of a batch."""
    batch = get_object_or_404(Batch, pk=pk)
    return _labels(request, Meter.objects.filter(batch=batch), batch)


@require_POST
def meter_labels(request: HttpRequest) -> HttpResponse:
    """The labels of the chosen meters."""
    try:
        ids = chosen_ids(request)
    except ValidationError as error:
        messages.error(request, f"Nothing to print. {' '.join(error.messages)}")
        return redirect("meters:meter_list")
    return _labels(request, Meter.objects.filter(pk__in=ids), None)


def _labels(request: HttpRequest, meters: QuerySet[Meter], batch: Batch | None) -> HttpResponse:
    found = list(meters.select_related("meter_type").order_by("serial_number")[: MAX_LABELS + 1])
    context = {
        "sheets": list(sheets_of(request, found[:MAX_LABELS])),
        "count": min(len(found), MAX_LABELS),
        "more": len(found) > MAX_LABELS,
        "batch": batch,
        "section": "batches" if batch else "meters",
    }
    return render(request, "meters/labels.html", context)
