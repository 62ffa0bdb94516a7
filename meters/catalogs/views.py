"""Pages of a meter type's OBIS catalog. Sign-in is required by the middleware."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.catalogs.comparison import Compared, Found, compare, counts
from meters.catalogs.facts import unit_text
from meters.catalogs.forms import CompareForm, EntryForm
from meters.catalogs.listing import NO_GROUP, CatalogState, find_objects, offers, page_of
from meters.catalogs.rows import ShownRow
from meters.catalogs.services import catalog_facts, delete_objects, group_objects, replace_objects, save_object
from meters.catalogs.sheet import MAX_OCTETS, Sheet, SheetError, comparison_csv, csv_of, decode, read_sheet
from meters.cosem.interface_class import known_classes
from meters.cosem.units import Unit
from meters.inventory_views import rows_of
from meters.meter_types.views import type_context
from meters.models import CatalogObject, Change, MeterType

BULK_LIMIT = 20_000
SHOWN_ROWS = 200
"""Rows of a dry run or a comparison on one page."""
CHANGES_SHOWN = 50


def _type(pk: int) -> MeterType:
    return get_object_or_404(MeterType, pk=pk)


def _address(meter_type: MeterType, state: CatalogState, page: int = 1) -> str:
    query = "&".join(part for part in (state.query(), f"page={page}" if page > 1 else "") if part)
    return f"{reverse('meters:type_catalog', args=[meter_type.pk])}{'?' if query else ''}{query}"


def _names() -> dict[str, Any]:
    """What fields of an entry offer."""
    units = [(unit_text(unit), unit.name.lower().replace("_", " ")) for unit in Unit]
    classes = {known.class_id: known.name for known in known_classes()}
    return {"units": units, "classes": sorted(classes.items())}


# -- the list ----------------------------------------------------------------------------------------------------------


@require_safe
def type_catalog(request: HttpRequest, pk: int) -> HttpResponse:
    """The entries of a type; with htmx only the table."""
    meter_type = _type(pk)
    state = CatalogState.parse(request.GET)
    page = page_of(find_objects(meter_type, state), request.GET.get("page"))
    context = {
        **type_context(meter_type, "type_catalog"),
        "state": state,
        "query": state.query(),
        "chips": list(state.chips()),
        "page": page,
        "rows": [ShownRow(row) for row in page.object_list],
    }
    if getattr(request, "htmx", None) and not request.htmx.history_restore_request:  # type: ignore[attr-defined]
        answer = render(request, "meters/catalogs/_table.html", context)
        answer.headers["HX-Push-Url"] = _address(meter_type, state, page.number)
    else:
        found = offers(meter_type)
        context |= {"offers": found, "groups": [value for value, _ in found["group"] if value != NO_GROUP], **_names()}
        answer = render(request, "meters/catalogs/catalog.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return answer


# -- one entry ---------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def entry_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new entry; `code` and `class` in the address fill the form."""
    meter_type = _type(pk)
    asked = {"logical_name": request.GET.get("code", "")[:40], "class_id": request.GET.get("class", "")[:60]}
    form = EntryForm(request.POST if request.method == "POST" else None, initial=asked)
    row = _save(request, meter_type, form, None) if request.method == "POST" else None
    if row is not None:
        messages.success(request, f"{row.reference} added.")
        return redirect("meters:entry_add" if "again" in request.POST else "meters:type_catalog", meter_type.pk)
    context = {
        "meter_type": meter_type,
        "form": form,
        "row": None,
        "section": "types",
        **_names(),
        "groups": _groups(pk),
    }
    return render(request, "meters/catalogs/entry.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def catalog_entry(request: HttpRequest, pk: int, entry_id: int) -> HttpResponse:
    """Change an entry: a page with its history; with htmx a row of the table that is edited in its place."""
    meter_type = _type(pk)
    row = get_object_or_404(CatalogObject.objects.select_related("learned_from"), meter_type=meter_type, pk=entry_id)
    if request.method != "POST" and "row" in request.GET:
        return _row_answer(request, meter_type, row)
    form = EntryForm(request.POST if request.method == "POST" else None, row=row)
    saved = _save(request, meter_type, form, row) if request.method == "POST" else None
    inline = bool(getattr(request, "htmx", None))
    if inline:
        form.fields[next((name for name in form.errors if name in form.fields), "title")].widget.attrs["autofocus"] = (
            True
        )
    if saved is not None and inline:
        return _row_answer(request, meter_type, saved, saved=True)
    if saved is not None:
        messages.success(request, f"{saved.reference} saved.")
        return redirect("meters:type_catalog", meter_type.pk)
    context = {"meter_type": meter_type, "form": form, "row": row, "shown": ShownRow(row), "section": "types"}
    if inline:
        return render(request, "meters/catalogs/_entry_edit.html", context)
    return render(
        request,
        "meters/catalogs/entry.html",
        {**context, **_names(), "groups": _groups(pk), "changes": rows_of(_history(row))},
    )


def _row_answer(
    request: HttpRequest, meter_type: MeterType, row: CatalogObject, *, saved: bool = False
) -> HttpResponse:
    context = {"meter_type": meter_type, "shown": ShownRow(row), "saved": saved}
    return render(request, "meters/catalogs/_row.html", context)


def _save(
    request: HttpRequest, meter_type: MeterType, form: EntryForm, row: CatalogObject | None
) -> CatalogObject | None:
    """The saved entry, or None with the reasons in the form."""
    if not form.is_valid():
        return None
    try:
        return save_object(
            user=request.user, meter_type=meter_type, facts=form.facts(), entry_id=row.pk if row else None
        )
    except ValidationError as error:
        found = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
        for name, words in found.items():
            form.add_error(name if name in form.fields else None, words)
        return None


def _groups(pk: int) -> list[str]:
    rows = CatalogObject.objects.filter(meter_type_id=pk).exclude(group="").order_by("group")
    return list(rows.values_list("group", flat=True).distinct())


def _history(row: CatalogObject) -> Any:
    """The newest log entries of this object: a catalog's entries stand under its type, each with its object's name."""
    changes = Change.objects.filter(kind=Change.Kind.CATALOG, object_id=row.meter_type_id)
    return changes.filter(label__startswith=f"{row.reference} ")[:CHANGES_SHOWN]


@require_safe
def catalog_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What was changed in the catalog of a type, the newest first."""
    meter_type = _type(pk)
    changes = Change.objects.filter(kind=Change.Kind.CATALOG, object_id=meter_type.pk)
    page = page_of(changes, request.GET.get("page"))
    context = {"meter_type": meter_type, "page": page, "changes": rows_of(page.object_list), "section": "types"}
    return render(request, "meters/catalogs/changes.html", context)


# -- many at once ------------------------------------------------------------------------------------------------------


@require_POST
def catalog_bulk(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the chosen entries into a group, or delete them (after a page that says so)."""
    meter_type = _type(pk)
    state = CatalogState.parse(QueryDict(request.POST.get("query", "")))
    back = redirect(_address(meter_type, state))
    ids = _chosen(request, meter_type, state)
    if not ids:
        messages.error(request, "No entry is chosen.")
        return back
    if request.POST.get("do") == "delete" and "sure" not in request.POST:
        sample = CatalogObject.objects.filter(meter_type=meter_type, pk__in=ids[:10])
        context = {"meter_type": meter_type, "ids": ids, "sample": sample, "query": state.query(), "section": "types"}
        return render(request, "meters/catalogs/delete.html", context)
    try:
        if request.POST.get("do") == "delete":
            number = delete_objects(user=request.user, meter_type=meter_type, ids=ids)
            messages.success(request, f"{number} {_entries(number)} deleted.")
        else:
            group = request.POST.get("group", "")
            number = group_objects(user=request.user, meter_type=meter_type, ids=ids, group=group)
            where = f"are in the group “{' '.join(group.split())}”" if group.strip() else "are in no group"
            messages.success(request, f"{len(ids)} {_entries(len(ids))} {where}; {number} changed.")
    except ValidationError as error:
        messages.error(request, f"Nothing was changed. {' '.join(error.messages)}")
    return back


def _entries(number: int) -> str:
    return "entry" if number == 1 else "entries"


def _chosen(request: HttpRequest, meter_type: MeterType, state: CatalogState) -> list[int]:
    """The chosen ids, or all that the filter leaves; of what is no number nothing."""
    if "all" in request.POST:
        return list(find_objects(meter_type, state).values_list("pk", flat=True)[:BULK_LIMIT])
    texts = [text for value in request.POST.getlist("ids") for text in value.split(",")]
    return sorted({int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19})[:BULK_LIMIT]


# -- files -------------------------------------------------------------------------------------------------------------


def csv_answer(name: str, parts: Iterable[str]) -> HttpResponse:
    """A CSV file to be kept, its name with the moment."""
    answer = HttpResponse("".join(parts), content_type="text/csv; charset=utf-8")
    stamp = f"{timezone.localtime():%Y%m%d-%H%M%S}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}-{stamp}.csv"'
    return answer


@require_safe
def catalog_export(request: HttpRequest, pk: int) -> HttpResponse:
    """All entries that the address leaves, as the import takes them; of an empty catalog the head alone: a template."""
    meter_type = _type(pk)
    rows = find_objects(meter_type, CatalogState.parse(request.GET))
    return csv_answer(f"catalog-{slugify(str(meter_type)) or pk}", csv_of(row.facts for row in rows))


@require_http_methods(["GET", "HEAD", "POST"])
def catalog_import(request: HttpRequest, pk: int) -> HttpResponse:
    """First a dry run of the file or text; with `apply` it is taken, whole."""
    meter_type = _type(pk)
    context: dict[str, Any] = {"meter_type": meter_type, "section": "types", "limit": MAX_OCTETS}
    if request.method != "POST":
        return render(request, "meters/catalogs/import.html", context)
    try:
        text, name = _sent(request)
        sheet = read_sheet(text, {facts.key: facts for facts in catalog_facts(meter_type.pk)})
    except SheetError as error:
        return render(request, "meters/catalogs/import.html", {**context, "error": str(error)})
    taken = _take(request, meter_type, sheet, name, context) if "apply" in request.POST else None
    if taken is not None:
        return taken
    context |= {"sheet": sheet, "text": text, "name": name, **_sheet_parts(sheet)}
    return render(request, "meters/catalogs/import.html", context)


def _sent(request: HttpRequest) -> tuple[str, str]:
    """The text that was sent, and the name of its file."""
    upload = request.FILES.get("file")
    if upload is not None and not isinstance(upload, list):
        if (upload.size or 0) > MAX_OCTETS:
            raise SheetError(f"The file has {upload.size} octets: at most {MAX_OCTETS}. Split it.")
        return decode(upload.read()), str(upload.name or "file")[:100]
    text = request.POST.get("text", "")
    return decode(text.encode("utf-8", "replace")), request.POST.get("name", "").strip()[:100] or "pasted text"


def _sheet_parts(sheet: Sheet) -> dict[str, Any]:
    parts = {state: sheet.of(state) for state in ("faulty", "new", "changed", "unchanged")}
    return {
        "counts": {state: len(rows) for state, rows in parts.items()},
        "parts": {state: rows[:SHOWN_ROWS] for state, rows in parts.items()},
        "shown_rows": SHOWN_ROWS,
    }


def _take(
    request: HttpRequest, meter_type: MeterType, sheet: Sheet, name: str, context: dict[str, Any]
) -> HttpResponse | None:
    """Back to the catalog once it is done; None, with the reason in the context, where it is refused."""
    if sheet.of("faulty"):
        return None
    try:
        result = replace_objects(user=request.user, meter_type=meter_type, objects=sheet.objects, origin=name)
    except ValidationError as error:
        context["error"] = " ".join(error.messages)
        return None
    words = f"{result.added} added, {result.changed} changed, {result.unchanged} as they were."
    messages.success(request, f"{name} was taken: {words}")
    return redirect("meters:type_catalog", meter_type.pk)


# -- comparing ---------------------------------------------------------------------------------------------------------


@require_safe
def catalog_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """This type's catalog beside another one's. `show` is one of `Found`; `format=csv` is the file."""
    meter_type = _type(pk)
    form = CompareForm(request.GET if "other" in request.GET else None)
    form.fields["other"].queryset = MeterType.objects.exclude(pk=meter_type.pk)  # type: ignore[attr-defined]
    context: dict[str, Any] = {"meter_type": meter_type, "form": form, "section": "types"}
    if form.is_bound and form.is_valid():
        other = form.cleaned_data["other"]
        rows = compare(catalog_facts(meter_type.pk), catalog_facts(other.pk))
        shown = chosen_rows(rows, request.GET.get("show", ""))
        if request.GET.get("format") == "csv":
            return csv_answer("catalogs-compared", comparison_csv(shown, str(meter_type), str(other)))
        context |= {"other": other, **comparison_context(rows, shown, request.GET, str(meter_type), str(other))}
    return render(request, "meters/catalogs/compare.html", context)


def chosen_rows(rows: list[Compared], show: str) -> list[Compared]:
    """Those of one kind; all that is not the same where nothing, or nothing known, is chosen."""
    wanted = {Found(show)} if show in {found.value for found in Found} else {*Found} - {Found.SAME}
    return [row for row in rows if row.found in wanted]


def comparison_context(
    rows: list[Compared], shown: list[Compared], parameters: QueryDict, left: str, right: str
) -> dict[str, Any]:
    """What `_comparison.html` needs: counts that filter, one page of rows."""
    number = counts(rows)
    words = {
        Found.DIFFERENT: "different",
        Found.LEFT: f"only in {left}",
        Found.RIGHT: f"only in {right}",
        Found.SAME: "the same",
    }
    return {
        "kinds": [(found.value, words[found], number[found]) for found in words],
        "show": parameters.get("show", ""),
        "left": left,
        "right": right,
        "compared": page_of(shown, parameters.get("page")),
        "differing": len(rows) - number[Found.SAME],
    }
