"""The look-up of OBIS codes: a code explained group by group, or the codes that some words mean.

With a meter type its catalog stands over the standard one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from django_htmx.http import push_url

from meters.catalogs.listing import CatalogState, find_objects
from meters.catalogs.rows import ShownRow
from meters.cosem.obis import ObisCode
from meters.cosem.obis_catalog import RATES, CatalogEntry, entry, search
from meters.cosem.obis_names import explain, manufacturer_specific
from meters.models import CatalogObject, MeterType

SHOWN = 200
OFFERED = 300
"""Types that can be chosen, and that are named as having a code."""
MAX_ASKED = 200
EXAMPLES = ("1-0:1.8.0*255", "voltage L1", "gas volume", "max demand", "relay", "0100630100FF", "C.1.0")


@require_safe
def obis_lookup(request: HttpRequest) -> HttpResponse:
    """`q` is a code in any notation, or words, `type` a meter type by its id; with htmx only the answer."""
    asked = request.GET.get("q", "").strip()[:MAX_ASKED]
    code, chosen = _read(asked), _chosen(request.GET.get("type", ""))
    context: dict[str, Any] = {"q": asked, "section": "obis", "examples": EXAMPLES, "chosen": chosen}
    if code is not None:
        context |= _explained(code) | _of_types(code, chosen)
    elif asked:
        count, found = search(asked, SHOWN)
        context |= {"count": count, "found": found}
        if chosen is not None:
            own = find_objects(chosen, CatalogState.parse({"q": asked}))
            context["own"] = [ShownRow(row) for row in own[:SHOWN]]
    partial = getattr(request, "htmx", None) and not request.htmx.history_restore_request  # type: ignore[attr-defined]
    if not partial:
        context["types"] = MeterType.objects.filter(Exists(CatalogObject.objects.filter(meter_type=OuterRef("pk"))))[
            :OFFERED
        ]
    answer = render(request, "meters/_obis_answer.html" if partial else "meters/obis_lookup.html", context)
    patch_vary_headers(answer, ["HX-Request"])
    return push_url(answer, _permalink(asked, chosen)) if partial else answer


def _permalink(asked: str, chosen: MeterType | None) -> str:
    """The address of what was asked, without what was left empty."""
    query = {"q": asked, "type": chosen.pk if chosen is not None else ""}
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{reverse('meters:obis_lookup')}{'?' if given else ''}{given}"


def _read(asked: str) -> ObisCode | None:
    """The code, if it is one; a value group above 255 and words are none."""
    try:
        return ObisCode.parse_reduced(asked)
    except ValueError:
        return None


def _chosen(asked: str) -> MeterType | None:
    """The meter type; None for none, and for one that is not there."""
    wanted = asked.isascii() and asked.isdecimal() and len(asked) < 19
    return MeterType.objects.filter(pk=int(asked)).first() if wanted else None


def _of_types(code: ObisCode, chosen: MeterType | None) -> dict[str, Any]:
    """What the catalogs of meter types say of a code: the chosen type's entries, and the types that have some."""
    rows = CatalogObject.objects.filter(octets=code.octets.hex()).select_related("meter_type")
    found = list(rows.order_by("meter_type__manufacturer", "meter_type__model", "class_id")[:OFFERED])
    own = [ShownRow(row) for row in found if chosen is not None and row.meter_type_id == chosen.pk]
    return {"having": [ShownRow(row) for row in found], "own": own}


def _explained(code: ObisCode) -> dict[str, Any]:
    return {
        "code": code,
        "entry": entry(code),
        "groups": explain(code),
        "octets": code.octets.hex(" ").upper(),
        "manufacturer_specific": manufacturer_specific(code),
        "neighbours": _neighbours(code),
    }


def _neighbours(code: ObisCode) -> list[CatalogEntry]:
    """The same quantity by rate, phase and processing, where a technician would look next."""
    groups = [ObisCode(code.a, code.b, code.c, code.d, rate, code.f) for rate in RATES]
    if code.a == 1 and 1 <= code.c <= 80:
        base = (code.c - 1) % 20 + 1
        groups += [ObisCode(1, code.b, base + phase, code.d, code.e, code.f) for phase in (0, 20, 40, 60)]
        groups += [ObisCode(1, code.b, code.c, processing, code.e, code.f) for processing in (7, 8, 6)]
    entries = (entry(each) for each in dict.fromkeys(groups) if each != code)
    return [each for each in entries if "unknown" not in each.words]
