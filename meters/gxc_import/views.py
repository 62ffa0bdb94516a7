"""Pages of the import of device files: upload, preview, report. Sign-in is required by the middleware.

Keys stand in the files, so no answer repeats what came, and none is kept by a browser.
"""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.gxc_import.apply import DeviceRefused, UploadGone, import_devices
from meters.gxc_import.forms import ImportForm
from meters.gxc_import.preview import MAX_DEVICES, Preview, preview_of
from meters.gxc_import.uploads import (
    MAX_FILE_OCTETS,
    MAX_FILES,
    MAX_TOTAL_OCTETS,
    InMemoryHandler,
    UploadRefused,
    drop_files,
    find_upload,
    keep_files,
    open_files,
    take_files,
)
from meters.imports.runs import may_steer
from meters.models import ImportRow, ImportRun
from meters.vault import VaultError

BOUNDS = {
    "most_files": MAX_FILES,
    "most_megabytes": MAX_FILE_OCTETS // 1024 // 1024,
    "most_together": MAX_TOTAL_OCTETS // 1024 // 1024,
    "most_devices": MAX_DEVICES,
}


@csrf_exempt  # checked in `_upload`, once the handler of its files is set
def gxc_upload(request: HttpRequest) -> HttpResponse:
    """Choose device files. They are kept in memory, and sealed until they are confirmed."""
    handler = InMemoryHandler(request)
    request.upload_handlers = [handler]
    return _upload(request, handler)


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def _upload(request: HttpRequest, handler: InMemoryHandler) -> HttpResponse:
    problem = ""
    if request.method == "POST":
        try:
            files = take_files(request.FILES.getlist("files"), handler.refused)
            return redirect("meters:gxc_preview", keep_files(user=request.user, files=files).pk)
        except UploadRefused as refused:
            problem = str(refused)
        except VaultError as error:
            problem = f"{error.message} {error.hint}".strip()
    context = {"problem": problem, **BOUNDS, "section": "meters"}
    return render(request, "meters/gxc/upload.html", context, status=400 if problem else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def gxc_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What would become of the devices; posted, the import."""
    upload = find_upload(user=request.user, pk=pk)
    if upload is None:
        return _gone(request)
    try:
        preview = preview_of(open_files(upload))
    except VaultError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
        return redirect("meters:gxc_upload")
    form = ImportForm(preview, request.POST if request.method == "POST" else None)
    problem = ""
    if request.method == "POST":
        try:
            return redirect("meters:gxc_report", _import(request, pk, preview, form).pk)
        except ValidationError as error:
            problem = " ".join(error.messages)
        except UploadGone:
            return _gone(request)
        except VaultError as error:
            problem = f"Nothing was imported. {error.message} {error.hint}".strip()
    context = {"preview": preview, "form": form, "upload": upload, "problem": problem, "section": "meters"}
    return render(request, "meters/gxc/preview.html", context)


def _import(request: HttpRequest, pk: int, preview: Preview, form: ImportForm) -> ImportRun:
    """The import's run; ValidationError with the reasons at the form's fields."""
    try:
        return import_devices(user=request.user, upload_id=pk, preview=preview, choices=form.choices())
    except DeviceRefused as refused:
        form.take_errors(refused.index, refused.error)
        raise ValidationError("Nothing was imported: one device was refused, see below.") from None


def _gone(request: HttpRequest) -> HttpResponse:
    messages.error(request, f"{UploadGone()} Upload them again.")
    return redirect("meters:gxc_upload")


@require_POST
def gxc_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave the files: they are forgotten at once."""
    drop_files(user=request.user, pk=pk)
    messages.success(request, "The uploaded files were forgotten. Nothing was imported.")
    return redirect("meters:gxc_upload")


@require_safe
def gxc_report(request: HttpRequest, pk: int) -> HttpResponse:
    """What an import did: for each device what it became, and what was left out and why."""
    run = get_object_or_404(ImportRun.objects.select_related("user"), pk=pk, kind=ImportRun.Kind.GXC)
    context = {
        "run": run,
        "rows": run.rows.all(),
        "outcomes": ImportRow.Outcome,
        "steers": may_steer(run, request.user),
        "section": "meters",
    }
    return render(request, "meters/gxc/report.html", context)
