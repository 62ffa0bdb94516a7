"""Pages of meter types. Sign-in is required by the middleware.

A type's page has tabs, each with an address of its own: `TABS` names them, `templates/meters/types/_head.html` draws them.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from meters.changes import changes_of, column_words, fields_in_words
from meters.inventory_views import PAGE_SIZE, rows_of
from meters.meter_types.apply import apply_defaults, changes_for, choices_of, differing
from meters.meter_types.forms import TemplateForm, TypeForm
from meters.meter_types.services import TypeInUse, delete_template, delete_type, save_template, save_type
from meters.models import AssociationTemplate, MeterType, Quirk

PREVIEWED = 50
REFUSALS_SHOWN = 20
TABS = (
    ("type_detail", "Overview"),
    ("type_catalog", "OBIS catalog"),
    ("type_quirks", "Quirks"),
    ("type_changes", "Change log"),
)
"""By the name of its view, what each tab of a type's page is called."""


def type_context(meter_type: MeterType, tab: str) -> dict[str, Any]:
    """What the head of a type's page needs: the type, its tabs, and which one is shown."""
    return {"meter_type": meter_type, "tabs": TABS, "tab": tab, "section": "types"}


@require_safe
def type_list(request: HttpRequest) -> HttpResponse:
    """All types by maker and model; `q` searches maker, FLAG code, model and firmware."""
    asked = request.GET.get("q", "").replace("\x00", "").strip()
    page = Paginator(searched_types(asked), PAGE_SIZE).get_page(request.GET.get("page"))
    shown = [meter_type.pk for meter_type in page.object_list]
    context = {"page": page, "rows": _with_counts(page.object_list, shown), "q": asked, "section": "types"}
    return render(request, "meters/types/type_list.html", context)


def searched_types(asked: str) -> QuerySet[MeterType]:
    """The types that have every word."""
    types = MeterType.objects.all()
    for word in asked.split():
        types = types.filter(
            Q(manufacturer__icontains=word)
            | Q(flag_code__iexact=word)
            | Q(model__icontains=word)
            | Q(firmware__icontains=word)
        )
    return types


def _with_counts(types: Any, shown: list[int]) -> list[tuple[MeterType, int, int]]:
    """Each type with how many meters and how many accepted quirks it has: two queries, whatever is shown."""
    rows = MeterType.objects.filter(pk__in=shown).order_by()
    meters = dict(rows.annotate(count=Count("meters")).values_list("pk", "count"))
    accepted = Count("quirks", filter=Q(quirks__state=Quirk.State.ACCEPTED))
    quirks = dict(rows.annotate(count=accepted).values_list("pk", "count"))
    return [(each, meters.get(each.pk, 0), quirks.get(each.pk, 0)) for each in types]


@require_safe
def type_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a type is, how its meters are reached and let in to, what they do not bear."""
    meter_type = get_object_or_404(MeterType.objects.prefetch_related("association_templates"), pk=pk)
    context = {
        **type_context(meter_type, "type_detail"),
        "templates": meter_type.association_templates.all(),
        "meters": meter_type.meters.count(),
    }
    return render(request, "meters/types/type_detail.html", context)


@require_safe
def type_changes(request: HttpRequest, pk: int) -> HttpResponse:
    """All entries of one type."""
    meter_type = get_object_or_404(MeterType, pk=pk)
    page = Paginator(changes_of(meter_type), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {**type_context(meter_type, "type_changes"), "page": page, "changes": rows_of(page.object_list)}
    return render(request, "meters/types/type_changes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def type_add(request: HttpRequest) -> HttpResponse:
    return _edit_type(request, TypeForm(request.POST or None), None)


@require_http_methods(["GET", "HEAD", "POST"])
def type_edit(request: HttpRequest, pk: int) -> HttpResponse:
    meter_type = get_object_or_404(MeterType, pk=pk)
    return _edit_type(request, TypeForm(request.POST or None, instance=meter_type), pk)


def _edit_type(request: HttpRequest, form: TypeForm, pk: int | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_type(user=request.user, type_id=pk, values=form.cleaned_data)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Type {saved} saved.")
            return redirect(saved)
    known = MeterType.objects.get(pk=pk) if pk else None  # the form put what was typed into its own
    return render(request, "meters/types/type_form.html", {"form": form, "meter_type": known, "section": "types"})


@require_POST
def type_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a type that nothing is of."""
    meter_type = get_object_or_404(MeterType, pk=pk)
    try:
        delete_type(user=request.user, type_id=pk)
    except TypeInUse as error:
        messages.error(request, str(error))
        return redirect(meter_type)
    messages.success(request, f"Type {meter_type} deleted.")
    return redirect("meters:type_list")


@require_http_methods(["GET", "HEAD", "POST"])
def type_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the meters of a type what it says: what would change is shown first, and done when it is posted."""
    meter_type = get_object_or_404(MeterType.objects.prefetch_related("association_templates"), pk=pk)
    possible = choices_of(meter_type)
    asked = (request.POST if request.method == "POST" else request.GET).getlist("field")
    chosen = [name for name in possible if name in asked]
    if request.method == "POST":
        try:
            request_id, changed, refused = apply_defaults(user=request.user, type_id=pk, chosen=chosen)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            for serial_number, reason in refused[:REFUSALS_SHOWN]:
                messages.error(request, f"{serial_number} stays as it is: {reason}")
            messages.success(request, f"{changed} meter{'' if changed == 1 else 's'} changed.")
            return redirect("meters:request_changes", request_id) if changed else redirect(meter_type)
    meters = differing(meter_type, chosen)
    count = meters.count() if chosen else 0
    shown = meters.prefetch_related("associations")[:PREVIEWED] if chosen else []
    context = {
        **type_context(meter_type, "type_detail"),
        "possible": [(name, column_words(name), name in chosen) for name in possible],
        "chosen": chosen,
        "count": count,
        "more": max(0, count - PREVIEWED),
        "rows": [(meter, fields_in_words(changes_for(meter, meter_type, chosen))) for meter in shown],
    }
    return render(request, "meters/types/type_apply.html", context)


# -- association templates ---------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def template_add(request: HttpRequest, pk: int) -> HttpResponse:
    meter_type = get_object_or_404(MeterType, pk=pk)
    return _edit_template(request, meter_type, None)


@require_http_methods(["GET", "HEAD", "POST"])
def template_edit(request: HttpRequest, pk: int, template: int) -> HttpResponse:
    meter_type = get_object_or_404(MeterType, pk=pk)
    return _edit_template(request, meter_type, get_object_or_404(meter_type.association_templates, pk=template))


def _edit_template(request: HttpRequest, meter_type: MeterType, template: AssociationTemplate | None) -> HttpResponse:
    form = TemplateForm(request.POST or None, instance=template or AssociationTemplate(meter_type=meter_type))
    name = template.name if template else ""
    if request.method == "POST" and form.is_valid():
        known = template.pk if template else None
        try:
            saved = save_template(user=request.user, type_id=meter_type.pk, template_id=known, values=form.values())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Association {saved} of {meter_type} saved.")
            return redirect(meter_type)
    context = {"form": form, "meter_type": meter_type, "template": template, "name": name, "section": "types"}
    return render(request, "meters/types/template_form.html", context)


@require_POST
def template_delete(request: HttpRequest, pk: int, template: int) -> HttpResponse:
    """Meters that began with it keep their association."""
    meter_type = get_object_or_404(MeterType, pk=pk)
    found = get_object_or_404(meter_type.association_templates, pk=template)
    delete_template(user=request.user, type_id=pk, template_id=found.pk)
    messages.success(request, f"Association {found} is no default of {meter_type} any more.")
    return redirect(meter_type)
