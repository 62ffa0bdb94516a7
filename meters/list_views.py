"""The list of meters: search, filters, columns, saved filters, changes in bulk, export. Sign-in is required by the middleware.

Nothing that a page sends leads anywhere else: addresses are read into a `ListState` and written anew from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe

from meters.bulk import BULK_LIMIT, edit_meters
from meters.downloads import XLSX, download
from meters.export import COLUMNS, XLSX_ROWS, csv_parts, in_chunks, with_all, xlsx_parts
from meters.inventory import delete_filter, rename_filter, save_filter
from meters.inventory_forms import BulkForm
from meters.list_state import FILTERS, ListState
from meters.listing import COUNT_LIMIT, BoundedPaginator, Listing, last_sessions, listing
from meters.models import Association, Batch, Line, ListChoice, Meter, MeterType, SavedFilter, Tag
from meters.tables import CHOICES, DEFAULT_COLUMNS, MeterTable

PAGE_SIZE = 50
OFFERED = 300
"""Types, batches and tags that the filters offer; others are typed, or stand in the address."""
SHOWN_EXPORT = {"meter_type": ("manufacturer", "model"), "association": ("association", "authentication")}
"""Columns of the list that are several, or others, in the export."""


def related_sessions() -> QuerySet[Any]:
    """The sessions of the app above, which this one must not import, through the relation that it made."""
    return Meter._meta.get_field("sessions").related_model._default_manager.all()


# -- the page ----------------------------------------------------------------------------------------------------------


@require_safe
def meter_list(request: HttpRequest) -> HttpResponse:
    """The inventory; with htmx only the table. The address says what is searched, filtered and sorted (`ListState`)."""
    found = listing(ListState.parse(request.GET))
    columns = _columns(request.user)
    if found.sort.removeprefix("-") in CHOICES:
        columns = (*columns, found.sort.removeprefix("-"))  # what it is sorted by is shown
    table = _table(found, columns, request.GET.get("page"))
    partial = getattr(request, "htmx", None) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    context = {
        "table": table,
        "found": found,
        "q": found.state.q,
        "query": found.state.query(),
        "count": found.count,
        "limit": COUNT_LIMIT,
        "bulk_limit": BULK_LIMIT,
        "columns": columns,
        "section": "meters",
    }
    if partial:
        answer = render(request, "meters/_meter_table.html", context)
        answer.headers["HX-Push-Url"] = _address(found.state, table.page.number)
    else:
        answer = render(request, "meters/meter_list.html", {**context, **_offers(request.user)})
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _address(state: ListState, page: int = 1) -> str:
    query = "&".join(part for part in (state.query(), f"page={page}" if page > 1 else "") if part)
    return f"{reverse('meters:meter_list')}{'?' if query else ''}{query}"


def _columns(user: Any) -> tuple[str, ...]:
    chosen = ListChoice.objects.filter(user_id=user.pk).values_list("columns", flat=True).first()
    return DEFAULT_COLUMNS if chosen is None else tuple(name for name in CHOICES if name in chosen)


def _table(found: Listing, columns: tuple[str, ...], page: str | None) -> MeterTable:
    meters = found.meters.select_related("line", "meter_type", "batch").prefetch_related("associations")
    if "tags" in columns:
        meters = meters.prefetch_related("tags")
    if found.sort.endswith("last_session"):
        newest = related_sessions().filter(meter=OuterRef("pk")).order_by("-pk").values("pk")[:1]
        meters = meters.annotate(last_session_id=Subquery(newest))
    hidden = [name for name in CHOICES if name not in columns]
    table = MeterTable(meters, order_by=found.sort or "serial_number", exclude=hidden)
    table.paginate(paginator_class=BoundedPaginator, page=page or 1, per_page=PAGE_SIZE, found=found.count)
    if "last_session" in columns:
        last_sessions([row.record for row in table.page.object_list], related_sessions())
    return table


def _offers(user: Any) -> dict[str, Any]:
    """What can be chosen from: values of filters, columns, saved filters."""
    choices = {
        "type": [(kind.pk, str(kind)) for kind in MeterType.objects.all()[:OFFERED]],
        "medium": MeterType.Medium.choices,
        "state": Meter.State.choices,
        "line": Line.Kind.choices,
        "framing": Meter.Framing.choices,
        "authentication": Association.Authentication.choices,
        "seen": [("never", "never"), ("ever", "at least once")],
    }
    typed = {"batch": Batch.objects.all()[:OFFERED], "tag": Tag.objects.all()[:OFFERED]}
    saved = SavedFilter.objects.filter(Q(user_id=user.pk) | Q(shared=True)).select_related("user")[:OFFERED]
    return {
        "selects": [(name, FILTERS[name], choices[name]) for name in choices],
        "typed": [(name, FILTERS[name], names) for name, names in typed.items()],
        "saved": saved,
        "column_choices": CHOICES,
    }


# -- what one keeps: columns and filters -------------------------------------------------------------------------------


def _posted_state(request: HttpRequest) -> ListState:
    return ListState.parse(QueryDict(request.POST.get("query", "")))


@require_POST
def columns_choose(request: HttpRequest) -> HttpResponse:
    """Which columns this person wants to see."""
    person: Any = request.user
    chosen = [name for name in CHOICES if name in request.POST.getlist("columns")]
    ListChoice.objects.update_or_create(user=person, defaults={"columns": chosen})
    return redirect(_address(_posted_state(request)))


@require_POST
def filter_save(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows under a name, for oneself or for all."""
    state = _posted_state(request)
    try:
        kept = save_filter(
            user=request.user,
            name=request.POST.get("name", ""),
            query=state.query(),
            shared=request.POST.get("shared") == "on",
        )
    except ValidationError as error:
        messages.error(request, f"The filter was not saved: {' '.join(error.messages)}")
        return redirect(_address(state))
    messages.success(request, f"Filter “{kept.name}” saved{' for all' if kept.shared else ''}.")
    return redirect(_address(state))


def _visible_filter(request: HttpRequest, pk: int) -> SavedFilter:
    return get_object_or_404(SavedFilter, Q(user=request.user) | Q(shared=True), pk=pk)


@require_safe
def filter_open(request: HttpRequest, pk: int) -> HttpResponse:
    """The permanent address of a saved filter."""
    return redirect(_address(ListState.parse(QueryDict(_visible_filter(request, pk).query))))


@require_POST
def filter_rename(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _visible_filter(request, pk)
    if kept.user_id != request.user.pk:
        raise PermissionDenied("Only who saved a filter renames it.")
    before = kept.name
    try:
        rename_filter(kept=kept, user=request.user, name=request.POST.get("name", ""))
    except ValidationError as error:
        messages.error(request, f"The filter “{before}” was not renamed: {' '.join(error.messages)}")
    else:
        messages.success(request, f"Filter “{before}” is “{kept.name}” now.")
    return redirect(_address(_posted_state(request)))


@require_POST
def filter_delete(request: HttpRequest, pk: int) -> HttpResponse:
    kept = _visible_filter(request, pk)
    if kept.user_id != request.user.pk:
        raise PermissionDenied("Only who saved a filter deletes it.")
    delete_filter(kept=kept, user=request.user)
    messages.success(request, f"Filter “{kept.name}” deleted.")
    return redirect("meters:meter_list")


# -- many at once ------------------------------------------------------------------------------------------------------


@require_POST
def meter_bulk(request: HttpRequest) -> HttpResponse:
    """First the form for the chosen meters; with `apply` the change, and what came of it."""
    try:
        ids = chosen_ids(request)
    except ValidationError as error:
        return _bulk_refused(request, " ".join(error.messages))
    form = BulkForm(request.POST if "apply" in request.POST else None)
    if "apply" in request.POST and form.is_valid():
        try:
            result = edit_meters(user=request.user, ids=ids, edit=form.edit())
        except ValidationError as error:
            _take_errors(form, error)
        else:
            context = {"result": result, "back": _address(_posted_state(request)), "section": "meters"}
            return render(request, "meters/bulk_result.html", context)
    context = {
        "form": form,
        "count": len(ids),
        "chosen": ",".join(str(pk) for pk in ids),
        "sample": Meter.objects.filter(pk__in=ids[:10]).values_list("serial_number", flat=True),
        "query": _posted_state(request).query(),
        "back": _address(_posted_state(request)),
        "batches": Batch.objects.values_list("name", flat=True)[:OFFERED],
        "section": "meters",
    }
    return render(request, "meters/bulk_form.html", context)


def chosen_ids(request: HttpRequest) -> list[int]:
    """The ids of the chosen meters: those of the page, or all that the filter leaves. ValidationError for none, or too many."""
    if "all" in request.POST:
        found = listing(_posted_state(request))
        if found.refused or found.count.more or found.count.number > BULK_LIMIT:
            raise ValidationError(f"At most {BULK_LIMIT} meters are changed at once. Filter more.")
        ids = list(found.meters.order_by("pk").values_list("pk", flat=True)[: BULK_LIMIT + 1])
    else:
        texts = [text for value in request.POST.getlist("ids") for text in value.split(",")]
        if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in texts):
            raise ValidationError("This choice of meters cannot be read.")
        ids = sorted({int(text) for text in texts})
    if not ids:
        raise ValidationError("No meter is chosen.")
    if len(ids) > BULK_LIMIT:
        raise ValidationError(f"At most {BULK_LIMIT} meters are changed at once. Filter more.")
    return ids


def _bulk_refused(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, f"Nothing was changed. {why}")
    return redirect(_address(_posted_state(request)))


def _take_errors(form: BulkForm, error: ValidationError) -> None:
    names = {"tags": "add_tags"}
    for name, why in error.message_dict.items() if hasattr(error, "error_dict") else [("", error.messages)]:
        here = names.get(name, name)
        form.add_error(here if here in form.fields else None, why)


# -- export ------------------------------------------------------------------------------------------------------------


@require_safe
def meter_export(request: HttpRequest) -> HttpResponseBase:
    """CSV, or with `as=xlsx` a workbook: all that matches by serial number with every column; `what=page`: one page as shown."""
    found, as_workbook = listing(ListState.parse(request.GET)), request.GET.get("as") == "xlsx"
    meters, columns = in_chunks(found.meters), list(COLUMNS)
    if request.GET.get("what") == "page":
        meters, columns = _page_to_export(request, found)
    elif as_workbook and found.meters.order_by().values("pk")[: XLSX_ROWS + 1].count() > XLSX_ROWS:
        messages.error(request, f"A workbook takes at most {XLSX_ROWS} meters here. Filter more, or export as CSV.")
        return redirect(_address(found.state))
    name = f"meters-{timezone.localtime():%Y%m%d-%H%M%S}"
    if as_workbook:
        return download(request, xlsx_parts(meters, columns), f"{name}.xlsx", XLSX)
    return download(request, csv_parts(meters, columns), f"{name}.csv")


def _page_to_export(request: HttpRequest, found: Listing) -> tuple[Iterator[list[Meter]], list[str]]:
    chosen = _columns(request.user)
    table = _table(found, chosen, request.GET.get("page"))
    ids = [row.record.pk for row in table.page.object_list]
    by_id = {meter.pk: meter for meter in with_all(Meter.objects.filter(pk__in=ids))}
    return iter([[by_id[pk] for pk in ids if pk in by_id]]), _export_columns(chosen)


def _export_columns(chosen: tuple[str, ...]) -> list[str]:
    names = [name for column in ("serial_number", *chosen) for name in SHOWN_EXPORT.get(column, (column,))]
    return [name for name in names if name in COLUMNS]
