"""Pages of imports: upload, columns, dry run, progress, result, undo. Sign-in is required by the middleware.

One address for a run: what it shows follows from the run's state. Everybody sees every run; who began it, or an administrator,
steers it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import ChangedField, changed_fields
from meters.downloads import XLSX, download
from meters.imports.columns import BY_KEY, COLUMNS
from meters.imports.files import faulty_rows_csv, template_csv, template_xlsx
from meters.imports.runs import (
    apply_run,
    choose_columns,
    choose_columns_again,
    discard_run,
    kind_of,
    may_steer,
    read_again,
    request_undo,
    start_run,
)
from meters.imports.text_table import DELIMITERS, ENCODINGS
from meters.imports.uploads import LimitHandler
from meters.models import Change, ImportPart, ImportRow, ImportRun, Meter
from meters.vault import VaultError

PAGE_SIZE = 50
SAMPLES = 3
SAMPLE_LENGTH = 40
KEPT_SHOWN = 200
State = ImportRun.State
PARTS = {
    State.MAPPING: "mapping",
    State.CHECKED: "preview",
    State.APPLIED: "result",
    State.UNDONE: "result",
    State.REFUSED: "refused",
}
WORDS = {
    State.READING: "Reading the file",
    State.CHECKING: "Dry run: checking every row",
    State.APPLYING: "Importing",
    State.UNDOING: "Undoing",
}


# -- the first page ----------------------------------------------------------------------------------------------------


@csrf_exempt  # checked in `_start`, once the handlers of its files are set
def import_start(request: HttpRequest) -> HttpResponse:
    """Upload a file or paste a table; the imports of before."""
    limit = LimitHandler(request)
    request.upload_handlers.insert(0, limit)
    try:
        return _start(request, limit)
    except RequestDataTooBig:
        most = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) / 1e6
        return _start_page(request, f"The pasted text is larger than {most:.1f} MB: upload it as a file.")


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def _start(request: HttpRequest, limit: LimitHandler) -> HttpResponse:
    if request.method != "POST":
        return _start_page(request)
    file, text = request.FILES.get("file"), request.POST.get("text", "")
    if limit.too_large:
        return _start_page(request, f"The file is too large: at most {settings.IMPORT_MAX_OCTETS / 1e6:g} MB.")
    if file is None and not text.strip():
        return _start_page(request, "Choose a file, or paste a table.")
    options = {name: request.POST.get(name, "") for name in ("encoding", "delimiter")}
    try:
        _check_options(options)
        if file is None:
            run = start_run(user=request.user, kind=ImportRun.Kind.PASTE, octets=text.encode("utf-8", "replace"))
        else:
            octets, name = file.read(), file.name or ""
            run = start_run(user=request.user, kind=kind_of(name, octets), octets=octets, name=name, options=options)
    except ValidationError as error:
        return _start_page(request, " ".join(error.messages))
    except VaultError as error:
        return _start_page(request, f"{error.message} {error.hint}".strip())
    return redirect(run)


def _check_options(options: dict[str, str]) -> None:
    if options.get("encoding") and options["encoding"] not in ENCODINGS:
        raise ValidationError("This encoding is not known here.")
    if options.get("delimiter") and options["delimiter"] not in DELIMITERS:
        raise ValidationError("This delimiter is not known here.")


def _start_page(request: HttpRequest, problem: str = "") -> HttpResponse:
    runs = ImportRun.objects.defer("headings", "mapping", "findings", "options")
    page = Paginator(runs, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "problem": problem,
        "page": page,
        "steered": {run.pk for run in page.object_list if may_steer(run, request.user)},
        "encodings": ENCODINGS.items(),
        "most_megabytes": f"{settings.IMPORT_MAX_OCTETS / 1e6:g}",
        "most_rows": f"{settings.IMPORT_MAX_ROWS:,}",
        "section": "meters",
    }
    return render(request, "meters/imports/start.html", context, status=400 if problem else 200)


@require_safe
def import_template(request: HttpRequest, form: str) -> HttpResponse:
    """All columns with an example, as CSV or XLSX."""
    if form == "csv":
        answer = HttpResponse("\ufeff" + template_csv(), content_type="text/csv; charset=utf-8")
    else:
        answer = HttpResponse(template_xlsx(), content_type=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="meters-template.{form}"'
    return answer


# -- one run -----------------------------------------------------------------------------------------------------------


@never_cache
@require_safe
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the import stands: the columns to choose, the dry run, the result, or how far the work is."""
    run = get_object_or_404(ImportRun, pk=pk)
    if run.kind == ImportRun.Kind.GXC and run.state == State.APPLIED:
        return redirect("meters:gxc_report", run.pk)
    return _detail(request, run)


def _detail(request: HttpRequest, run: ImportRun, status: int = 200, **more: Any) -> HttpResponse:
    part = PARTS.get(State(run.state), "progress")
    context = {
        "run": run,
        "steers": may_steer(run, request.user),
        "doing": WORDS.get(State(run.state), ""),
        "section": "meters",
        **(PREPARE[part](request, run) if part in PREPARE else {}),
        **more,
    }
    return render(request, f"meters/imports/{part}.html", context, status=status)


@never_cache
@require_safe
def import_status(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the work is; at its end the browser loads the page anew."""
    run = get_object_or_404(ImportRun, pk=pk)
    context = {"run": run, "doing": WORDS.get(State(run.state), "")}
    answer = render(request, "meters/imports/_progress.html", context)
    if not run.is_working:
        answer.headers["HX-Refresh"] = "true"
    patch_vary_headers(answer, ["HX-Request"])
    return answer


def _mapping_context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    left_out = {int(number): why for number, why in run.findings.get("left_out", {}).items()}
    first = ImportPart.objects.filter(run=run).order_by("number").values_list("rows", flat=True).first() or []
    ours = {number: key for key, number in run.mapping.items()}
    theirs = [
        {
            "number": number,
            "heading": heading or f"(column {number + 1})",
            "samples": _samples(first, number),
            "why_left_out": left_out.get(number, ""),
            "ours": ours.get(number, ""),
        }
        for number, heading in enumerate(run.headings)
    ]
    groups: dict[str, list[tuple[str, str]]] = {}
    for column in COLUMNS:
        groups.setdefault(column.group, []).append((column.key, column.words))
    return {
        "theirs": theirs,
        "groups": groups.items(),
        "missing": [column.words for column in COLUMNS if column.required and column.key not in run.mapping],
        "encodings": ENCODINGS.items(),
        "delimiters": DELIMITERS.items(),
        "is_text": run.kind in (ImportRun.Kind.CSV, ImportRun.Kind.PASTE),
    }


def _samples(rows: list[Any], column: int) -> list[str]:
    cells = dict.fromkeys(row[1][column].strip() for row in rows[:PAGE_SIZE])
    return [cell[:SAMPLE_LENGTH] for cell in cells if cell][:SAMPLES]


def _preview_context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    shown = request.GET.get("show", "")
    rows = run.rows.all()
    if shown not in ImportRow.Outcome.values:
        shown = ""
    page = Paginator(rows.filter(outcome=shown) if shown else rows, PAGE_SIZE).get_page(request.GET.get("page"))
    counts = (run.created_count, run.updated_count, run.unchanged_count, run.faulty_count)
    known = Meter.objects.filter(serial_number__in=[row.label for row in page.object_list])
    return {
        "shown": shown,
        "page": page,
        "rows": [(row, _fields(row), _complaints(row.faults), _complaints(row.warnings)) for row in page.object_list],
        "meters": dict(known.values_list("serial_number", "pk")),
        "tabs": [(o.value, o.label, n) for o, n in zip(ImportRow.Outcome, counts, strict=True)],
        "to_write": run.created_count + run.updated_count,
        "mapped": [(BY_KEY[key].words, run.headings[number]) for key, number in run.mapping.items()],
    }


def _fields(row: ImportRow) -> list[ChangedField]:
    shown = {name: pair for name, pair in row.fields.items() if not name.endswith(".is_default")}
    return changed_fields(Change(fields=shown))


def _complaints(complaints: list[Any]) -> list[tuple[str, str, str]]:
    return [(BY_KEY[key].words if key in BY_KEY else key, value, why) for key, value, why in complaints]


def _result_context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    kept: list[Any] = []
    for each in run.records.exclude(kept=[]).values_list("kept", flat=True) if run.kept_count else ():
        kept += each
        if len(kept) >= KEPT_SHOWN:
            break
    rows = _preview_context(request, run) if run.kind != ImportRun.Kind.GXC else {}  # its rows are its report
    return {**rows, "kept": sorted(kept)[:KEPT_SHOWN]}


def _refused_context(request: HttpRequest, run: ImportRun) -> dict[str, Any]:
    return {**_mapping_context(request, run), "has_upload": hasattr(run, "upload")}


PREPARE: dict[str, Callable[[HttpRequest, ImportRun], dict[str, Any]]] = {
    "mapping": _mapping_context,
    "preview": _preview_context,
    "result": _result_context,
    "refused": _refused_context,
}


# -- steering ----------------------------------------------------------------------------------------------------------


def _steer(request: HttpRequest, pk: int, service: Callable[..., Any], **arguments: Any) -> HttpResponse:
    """Do it, and show where the run stands then; what is refused stands on top of it."""
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        service(run_id=run.pk, user=request.user, **arguments)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("meters:import_detail", run.pk)


@require_POST
def import_read_again(request: HttpRequest, pk: int) -> HttpResponse:
    options = {name: request.POST.get(name, "") for name in ("encoding", "delimiter", "sheet")}
    try:
        _check_options(options)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("meters:import_detail", pk)
    return _steer(request, pk, read_again, options=options)


@require_POST
def import_columns(request: HttpRequest, pk: int) -> HttpResponse:
    """The chosen columns; the dry run follows."""
    run = get_object_or_404(ImportRun, pk=pk)
    mapping: dict[str, int] = {}
    for number in range(len(run.headings)):
        key = request.POST.get(f"column-{number}", "")
        if key in mapping:
            words = BY_KEY[key].words if key in BY_KEY else key[:50]
            messages.error(request, f"{words} is chosen for two columns: “{run.headings[mapping[key]]}” and another.")
            return redirect(run)
        if key:
            mapping[key] = number
    clear, message = request.POST.get("empty") == "clear", request.POST.get("message", "")
    return _steer(request, pk, choose_columns, mapping=mapping, clear=clear, message=message)


@require_POST
def import_back(request: HttpRequest, pk: int) -> HttpResponse:
    return _steer(request, pk, choose_columns_again)


@require_POST
def import_apply(request: HttpRequest, pk: int) -> HttpResponse:
    return _steer(request, pk, apply_run, good_only=request.POST.get("rows") == "good")


@require_POST
def import_undo(request: HttpRequest, pk: int) -> HttpResponse:
    return _steer(request, pk, request_undo)


@require_POST
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget what was not imported."""
    run = get_object_or_404(ImportRun, pk=pk)
    try:
        discard_run(run_id=run.pk, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("meters:import_detail", pk)
    messages.success(request, "The import was discarded; nothing was changed.")
    return redirect("meters:import_start")


@require_safe
def import_faults(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The faulty rows as CSV, to mend and to import."""
    run = get_object_or_404(ImportRun, pk=pk)
    if not run.faulty_count or run.kind == ImportRun.Kind.GXC:
        raise Http404("This import has no faulty rows.")
    return download(request, faulty_rows_csv(run), f"import-{run.pk}-faulty-rows.csv")
