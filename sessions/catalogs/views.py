"""A meter beside the catalog of its type: what it would learn, and how they differ. Sign-in is required by the middleware."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from meters.catalogs.comparison import compare, seen_by
from meters.catalogs.facts import FIELD_WORDS, ObjectFacts, faults, value_text
from meters.catalogs.plan import Planned, State
from meters.catalogs.rows import quantity_text
from meters.catalogs.services import PutResult, catalog_facts, plan_objects, put_objects
from meters.catalogs.sheet import comparison_csv
from meters.catalogs.views import chosen_rows, comparison_context, csv_answer
from meters.models import CatalogObject, Meter, MeterType
from sessions.catalogs.learning import ReadList, learned_facts, read_lists

SHOWN = 200
"""Objects of each kind on the page."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a meter said through one association. `left_out`: objects that no catalog can hold, with the reason."""

    meter: Meter
    lists: list[ReadList]
    read: ReadList | None = None
    facts: tuple[ObjectFacts, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def meter_type(self) -> MeterType | None:
        return self.meter.meter_type

    @property
    def context(self) -> dict[str, Any]:
        return {
            "meter": self.meter,
            "meter_type": self.meter_type,
            "lists": self.lists,
            "read": self.read,
            "left_out": self.left_out,
            "section": "meters",
        }


def _learned(request: HttpRequest, pk: int) -> Learned:
    """The meter, and what it said through the association of the address, else through the first that has a list."""
    meter = get_object_or_404(Meter.objects.select_related("meter_type"), pk=pk)
    lists = read_lists(meter)
    asked = request.GET.get("association", "")
    read = next((one for one in lists if not asked or str(one.association.pk) == asked), None)
    if read is None or meter.meter_type is None:
        return Learned(meter, lists, read)
    good, bad = [], []
    for facts in learned_facts(meter, read):
        found = faults(facts)
        if found:
            bad.append(
                (facts.reference, "; ".join(f"{FIELD_WORDS.get(name, name)}: {why}" for name, why in found.items()))
            )
        else:
            good.append(facts)
    return Learned(meter, lists, read, tuple(good), tuple(bad))


# -- learning ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def catalog_learn(request: HttpRequest, pk: int) -> HttpResponse:
    """First what would be added, filled in and contradicted; posted, it is done, if it still is what was shown."""
    learned = _learned(request, pk)
    if not learned.facts or learned.meter_type is None:
        return render(request, "sessions/catalogs/learn.html", learned.context)
    planned = plan_objects(meter_type=learned.meter_type, objects=learned.facts, learned_from=learned.meter)
    shown = fingerprint(planned)
    context = {**learned.context, "shown": shown, **_parts(planned, learned.meter_type)}
    if request.method == "POST" and request.POST.get("shown") != shown:
        context["moved"] = True
    elif request.method == "POST":
        result = _take(request, learned)
        if result is not None:
            messages.success(request, _in_words(result, learned, overwrite="overwrite" in request.POST))
            return redirect("meters:type_catalog", learned.meter_type.pk)
    return render(request, "sessions/catalogs/learn.html", context)


def fingerprint(planned: list[Planned]) -> str:
    """What stands for a plan: the same plan has the same."""
    text = "\n".join(f"{each.said.reference} {each.state.value} {each.before!r} {each.taken!r}" for each in planned)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _take(request: HttpRequest, learned: Learned) -> PutResult | None:
    """None where the catalog refuses; the page says why."""
    assert learned.read is not None  # there are facts
    assert learned.meter_type is not None
    try:
        return put_objects(
            user=request.user,
            meter_type=learned.meter_type,
            objects=learned.facts,
            origin=f"meter {learned.meter.serial_number}, client {learned.read.association.client_sap}",
            learned_from=learned.meter,
            overwrite="overwrite" in request.POST,
        )
    except ValidationError as error:
        messages.error(request, f"Nothing was learned. {' '.join(error.messages)}")
        return None


def _in_words(result: PutResult, learned: Learned, *, overwrite: bool) -> str:
    conflicts = len(result.conflicts)
    outcome = "the meter’s word was taken" if overwrite else "the catalog’s word was kept"
    more = f"; of {conflicts} that contradicted {outcome}" if conflicts else ""
    return f"Learned from {learned.meter.serial_number}: {result.added} added, {result.changed} changed{more}."


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One object of the plan in words. `fields`: word, what the catalog says, what the meter says, whether that contradicts."""

    facts: ObjectFacts
    title: str
    origin: str
    fields: list[tuple[str, str, str, bool]]

    @property
    def quantity(self) -> str:
        return quantity_text(self.facts.scaler, self.facts.unit)

    @property
    def access(self) -> str:
        return value_text(self.facts, "rights")


def _parts(planned: list[Planned], meter_type: MeterType) -> dict[str, Any]:
    by_state = {state: [each for each in planned if each.state is state] for state in State}
    shown = {state: found[:SHOWN] for state, found in by_state.items()}
    wanted = {each.said.logical_name.octets.hex() for found in shown.values() for each in found}
    rows = CatalogObject.objects.filter(meter_type=meter_type, octets__in=wanted)
    known = {(row.class_id, row.code): row for row in rows.only("class_id", "octets", "title", "origin")}
    return {
        "counts": {state.value: len(found) for state, found in by_state.items()},
        "parts": {
            state.value: [_row(each, known.get(each.said.key)) for each in found] for state, found in shown.items()
        },
        "limit": SHOWN,
    }


def _row(planned: Planned, known: CatalogObject | None) -> PlannedRow:
    conflicting = planned.conflicting
    before = planned.before
    fields = [
        (
            FIELD_WORDS[name],
            value_text(before, name) if before is not None else "",
            value_text(planned.taken, name),
            name in conflicting,
        )
        for name in planned.fields
    ]
    return PlannedRow(planned.said, known.title if known else "", known.origin if known else "", fields)


# -- comparing ---------------------------------------------------------------------------------------------------------


@require_safe
def meter_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """The catalog of the meter's type beside the object list that was read of the meter last."""
    learned = _learned(request, pk)
    if not learned.facts or learned.read is None or learned.meter_type is None:
        return render(request, "sessions/catalogs/compare.html", learned.context)
    wanted = seen_by(catalog_facts(learned.meter_type.pk), learned.read.association.client_sap)
    rows = compare(wanted, learned.facts, only_said=True)
    shown = chosen_rows(rows, request.GET.get("show", ""))
    left, right = f"catalog of {learned.meter_type}", f"meter {learned.meter.serial_number}"
    if request.GET.get("format") == "csv":
        return csv_answer("meter-and-catalog", comparison_csv(shown, left, right))
    context = {**learned.context, **comparison_context(rows, shown, request.GET, left, right)}
    context["learn"] = f"{reverse('sessions:catalog_learn', args=[pk])}?association={learned.read.association.pk}"
    return render(request, "sessions/catalogs/compare.html", context)
