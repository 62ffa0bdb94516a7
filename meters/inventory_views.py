"""Pages of batches, comments and the change log. Sign-in is required by the middleware."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import changed_fields, changes_of
from meters.inventory import add_comment, counts_by_state, delete_batch, delete_tag, rename_tag, save_batch
from meters.inventory_forms import BatchForm, CommentForm
from meters.models import Association, AssociationTemplate, Batch, Change, Meter, Tag

PAGE_SIZE = 50


def rows_of(changes: Iterable[Change]) -> list[tuple[Change, Any]]:
    """Each entry with its fields in words."""
    found = list(changes)
    meters = {change.object_id for change in found if change.kind == Change.Kind.METER}
    types = {change.object_id for change in found if change.kind == Change.Kind.TYPE}
    names = dict(Association.objects.filter(meter_id__in=meters).values_list("pk", "name")) if meters else {}
    templates = (
        AssociationTemplate.objects.filter(meter_type_id__in=types) if types else AssociationTemplate.objects.none()
    )
    of_types = dict(templates.values_list("pk", "name"))
    return [
        (change, changed_fields(change, of_types if change.kind == Change.Kind.TYPE else names)) for change in found
    ]


@require_safe
def meter_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """All entries of one meter."""
    meter = get_object_or_404(Meter, pk=pk)
    page = Paginator(changes_of(meter), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"meter": meter, "page": page, "changes": rows_of(page.object_list), "section": "meters"}
    return render(request, "meters/meter_changes.html", context)


@require_safe
def request_changes(request: HttpRequest, request_id: str) -> HttpResponse:
    """All that one request changed."""
    page = Paginator(Change.objects.filter(request_id=request_id), PAGE_SIZE).get_page(request.GET.get("page"))
    if not page.object_list:
        raise Http404("No change was made by this request.")
    context = {"request_id": request_id, "page": page, "changes": rows_of(page.object_list), "section": "meters"}
    return render(request, "meters/request_changes.html", context)


@require_POST
def comment_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A comment on a meter."""
    meter = get_object_or_404(Meter, pk=pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        add_comment(user=request.user, meter_id=meter.pk, text=form.cleaned_data["text"])
        messages.success(request, "Comment added.")
    else:
        messages.error(request, f"The comment was not added: {form.errors['text'][0]}")
    return redirect(f"{meter.get_absolute_url()}#comments")


@require_safe
def batch_list(request: HttpRequest) -> HttpResponse:
    """All batches, the newest first; `q` searches by name."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    batches = Batch.objects.select_related("meter_type")
    for word in asked.split():
        batches = batches.filter(name__icontains=word)
    page = Paginator(batches, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "meters/batch_list.html", {"page": page, "q": asked, "section": "batches"})


@require_safe
def batch_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One batch: how many of its meters are in which state, and what was changed."""
    batch = get_object_or_404(Batch.objects.select_related("meter_type"), pk=pk)
    counts = counts_by_state(batch)
    context = {
        "batch": batch,
        "states": [(state, counts[state]) for state in Meter.State if state in counts],
        "total": sum(counts.values()),
        "changes": rows_of(changes_of(batch)[:PAGE_SIZE]),
        "section": "batches",
    }
    return render(request, "meters/batch_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def batch_add(request: HttpRequest) -> HttpResponse:
    return _edit_batch(request, BatchForm(request.POST or None), None)


@require_http_methods(["GET", "HEAD", "POST"])
def batch_edit(request: HttpRequest, pk: int) -> HttpResponse:
    batch = get_object_or_404(Batch, pk=pk)
    return _edit_batch(request, BatchForm(request.POST or None, instance=batch), batch)


@require_POST
def batch_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a batch that no meter is in."""
    batch = get_object_or_404(Batch, pk=pk)
    try:
        delete_batch(user=request.user, batch_id=pk)
    except ValidationError as error:
        messages.error(request, f"Batch {batch.name} stays. {' '.join(error.messages)}")
        return redirect(batch)
    messages.success(request, f"Batch {batch.name} deleted.")
    return redirect("meters:batch_list")


@require_safe
def tag_list(request: HttpRequest) -> HttpResponse:
    """All tags, with how many meters have each; `q` searches by name."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    page = Paginator(Tag.objects.filter(name__icontains=asked), PAGE_SIZE).get_page(request.GET.get("page"))
    through = Meter.tags.through.objects.filter(tag__in=[tag.pk for tag in page.object_list])
    counts = dict(through.order_by().values_list("tag").annotate(count=Count("pk")))
    rows = [(tag, counts.get(tag.pk, 0)) for tag in page.object_list]
    return render(request, "meters/tag_list.html", {"page": page, "rows": rows, "q": asked, "section": "meters"})


@require_POST
def tag_rename(request: HttpRequest, pk: int) -> HttpResponse:
    tag = get_object_or_404(Tag, pk=pk)
    try:
        renamed = rename_tag(user=request.user, tag_id=pk, name=request.POST.get("name", ""))
    except ValidationError as error:
        messages.error(request, f"The tag “{tag.name}” stays. {' '.join(error.messages)}")
    else:
        messages.success(request, f"The tag “{tag.name}” is “{renamed.name}” now.")
    return redirect("meters:tag_list")


@require_POST
def tag_delete(request: HttpRequest, pk: int) -> HttpResponse:
    tag = get_object_or_404(Tag, pk=pk)
    try:
        had = delete_tag(user=request.user, tag_id=pk)
    except ValidationError as error:
        messages.error(request, f"The tag “{tag.name}” stays. {' '.join(error.messages)}")
    else:
        messages.success(request, f"The tag “{tag.name}” is deleted; {had} meter{'' if had == 1 else 's'} had it.")
    return redirect("meters:tag_list")


def _edit_batch(request: HttpRequest, form: BatchForm, batch: Batch | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_batch(user=request.user, batch_id=batch.pk if batch else None, **form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Batch {saved.name} saved.")
            return redirect(saved)
    known = Batch.objects.get(pk=batch.pk) if batch else None  # the form put what was typed into its own
    return render(request, "meters/batch_form.html", {"form": form, "batch": known, "section": "batches"})
