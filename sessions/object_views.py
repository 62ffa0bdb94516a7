"""The object browser of a session: which objects there are, what one of them has, and the form for one attribute or method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from meters.catalogs.overlay import Overlay
from meters.cosem.interface_class import Access, InterfaceClass, interface_class
from meters.cosem.obis import ObisCode
from meters.cosem.obis_names import describe, explain
from sessions.catalogs.objects import BrowsedObject, browsed, client_of, find_expected, from_catalog
from sessions.catalogs.overlay import session_overlay
from sessions.console import CONSOLE_FORMS
from sessions.gate import CONSEQUENCES
from sessions.gated_forms import GatedForm
from sessions.known_objects import KnownObject, find_object, known_objects, read_values
from sessions.models import DlmsSession, Step
from sessions.object_reference import BUFFER, MAX_CLASS_ID, PROFILE_GENERIC
from sessions.services import SessionOver, add_read_step
from sessions.session_snapshot import session_snapshot
from sessions.snapshot_file import snapshot_text
from sessions.views import get_session

MAX_VALUE_TEXT = 120


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """One attribute, and what the session read of it."""

    number: int
    name: str
    type: str
    access: str
    may_read: bool
    may_write: bool
    text: str = ""
    step: int | None = None


@dataclass(frozen=True, slots=True)
class MethodRow:
    """One method; `parameter` empty where it is not known."""

    number: int
    name: str
    parameter: str
    access: str
    may_invoke: bool
    consequence: str = ""


# -- objects -----------------------------------------------------------------------------------------------------------


@require_safe
def object_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The objects that the meter listed. With htmx only the panel."""
    dlms_session = get_session(pk)
    known, client_sap = known_objects(dlms_session), client_of(dlms_session)
    overlay = session_overlay(dlms_session, [one.logical_name for one in known] or None)
    listed = browsed(known, overlay, client_sap)
    context = {
        "dlms_session": dlms_session,
        "objects": listed,
        "expected": [] if listed else from_catalog(overlay, client_sap),
    }
    return _panel(request, "sessions/_objects.html", context)


@require_safe
def object_snapshot(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """What the session read of its meter, as a file that `simulate --snapshot` serves."""
    dlms_session = get_session(pk)
    snapshot = session_snapshot(dlms_session)
    if snapshot is None:
        raise Http404("no object list of a meter of the inventory was read")
    serial = dlms_session.meter.serial_number if dlms_session.meter else "meter"
    name = "".join(letter for letter in f"{serial}-session-{pk}" if letter.isalnum() or letter in "-_")
    answer = StreamingHttpResponse(snapshot_text(snapshot), content_type="application/json; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.snapshot.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@require_safe
def object_detail(request: HttpRequest, pk: int, class_id: int, logical_name: str) -> HttpResponse:
    """One object: its attributes with what was read of them, its methods. With htmx only the panel."""
    dlms_session, name = get_session(pk), _name(class_id, logical_name)
    overlay = session_overlay(dlms_session, [name])
    said_by_meter = find_object(dlms_session, class_id, name)
    listed = _with_expected(dlms_session, overlay, said_by_meter, (class_id, name))
    known = interface_class(class_id, listed.version if listed else None)
    context = {
        "dlms_session": dlms_session,
        "class_id": class_id,
        "logical_name": str(name),
        "meaning": overlay.title(name, class_id),
        "standard": describe(name),
        "facts": overlay.find(class_id, name),
        "shown": _shown(dlms_session, overlay, said_by_meter, listed),
        "said_by_meter": said_by_meter,
        "groups": explain(name),
        "known": known,
        "listed": listed,
        "attributes": attribute_rows(dlms_session, class_id, name, known, listed),
        "methods": list(method_rows(class_id, known, listed)),
        "is_profile": class_id == PROFILE_GENERIC,
    }
    return _panel(request, "sessions/_object.html", context)


def _with_expected(
    dlms_session: DlmsSession, overlay: Overlay, known: KnownObject | None, wanted: tuple[int, ObisCode]
) -> KnownObject | None:
    """The object as the meter's list has it; what the list does not say is as the type's catalog expects it."""
    if known is not None and known.attribute_modes is not None:
        return known
    expected = find_expected(overlay, *wanted, client_of(dlms_session))
    if known is None or expected is None:
        return known or expected
    return replace(known, attribute_modes=expected.attribute_modes, method_modes=expected.method_modes)


def _shown(
    dlms_session: DlmsSession, overlay: Overlay, known: KnownObject | None, expected: KnownObject | None
) -> BrowsedObject | None:
    """The object with the catalog's words and marks; None where neither the meter nor the catalog has it."""
    found = known or expected
    if found is None:
        return None
    return browsed([found], overlay, client_of(dlms_session), by_meter=known is not None)[0]


def _panel(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, template, context)
    else:
        answer = render(request, "sessions/objects.html", {**context, "panel": template, "section": "sessions"})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _name(class_id: int, logical_name: str) -> ObisCode:
    if class_id > MAX_CLASS_ID:
        raise Http404("no such class")
    try:
        return ObisCode.parse(logical_name)
    except ValueError:
        raise Http404("no OBIS code") from None


def attribute_rows(
    dlms_session: DlmsSession,
    class_id: int,
    name: ObisCode,
    known: InterfaceClass | None,
    listed: KnownObject | None,
) -> list[AttributeRow]:
    """What the class has, and what the meter lists beyond."""
    read = read_values(dlms_session, class_id, name)
    attributes = known.attributes if known else {}
    modes = (listed.attribute_modes if listed else None) or {}
    rows = []
    for number in sorted({*attributes, *modes, *read} or {1, 2}):
        attribute, step = attributes.get(number), read.get(number)
        secret = attribute is not None and attribute.access is Access.WRITE_ONLY
        usual = attribute.access.value if attribute else ""
        rows.append(
            AttributeRow(
                number,
                attribute.name if attribute else f"attribute {number}",
                str(attribute.type) if attribute else "",
                (listed.attribute_access(number) if listed else "") or usual,
                may_read=listed.may_read(number) if listed and listed.attribute_modes else not secret,
                may_write=listed.may_write(number) if listed else True,
                text=str((step.result or {}).get("text", ""))[:MAX_VALUE_TEXT] if step else "",
                step=step.pk if step else None,
            )
        )
    return rows


def method_rows(class_id: int, known: InterfaceClass | None, listed: KnownObject | None) -> Iterator[MethodRow]:
    """What can be invoked."""
    methods = known.methods if known else {}
    modes = (listed.method_modes if listed else None) or {}
    for number in sorted({*methods, *modes}):
        method = methods.get(number)
        yield MethodRow(
            number,
            method.name if method else f"method {number}",
            str(method.parameter) if method and method.parameter else "",
            listed.method_access(number) if listed else "",
            listed.may_invoke(number) if listed else True,
            CONSEQUENCES.get((class_id, number), ""),
        )


def readable_attributes(dlms_session: DlmsSession, class_id: int, name: ObisCode) -> list[int]:
    """The attributes of an object that may be read, but for a profile's buffer."""
    overlay = session_overlay(dlms_session, [name])
    listed = _with_expected(dlms_session, overlay, find_object(dlms_session, class_id, name), (class_id, name))
    known = interface_class(class_id, listed.version if listed else None)
    rows = attribute_rows(dlms_session, class_id, name, known, listed)
    return [row.number for row in rows if row.may_read and (class_id, row.number) != (PROFILE_GENERIC, BUFFER)]


@require_POST
def object_read(request: HttpRequest, pk: int, class_id: int, logical_name: str) -> HttpResponse:
    """Read every attribute that may be read, but for a profile's buffer."""
    dlms_session, name = get_session(pk), _name(class_id, logical_name)
    wanted = readable_attributes(dlms_session, class_id, name)
    asked: dict[str, Any] = {"session_id": pk, "user": request.user, "class_id": class_id, "logical_name": str(name)}
    step: Step | None = None
    error = ""
    try:
        for number in wanted:
            step = add_read_step(**asked, attribute_id=number)
    except ValidationError as refused:
        error = " ".join(refused.messages)
    except SessionOver as over:
        error = str(over)
    if not request.htmx:  # type: ignore[attr-defined]
        return redirect(dlms_session)
    answer = render(request, "sessions/_object_read.html", {"error": error, "count": len(wanted)})
    return trigger_client_event(answer, "step:added", {"step": step.pk}) if step is not None else answer


# -- one attribute or method -------------------------------------------------------------------------------------------


@require_safe
def console_form(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A form of the console, made for the attribute or method that the address names. With htmx only the form."""
    dlms_session = get_session(pk)
    wanted = CONSOLE_FORMS.get(kind)
    if wanted is None:
        raise Http404("no such kind of step")
    initial = {name: request.GET[name] for name in (*wanted.base_fields, "plain") if name in request.GET}
    options = {"now": "now" in request.GET} if issubclass(wanted, GatedForm) else {}
    form = wanted(initial=initial, dlms_session=dlms_session, **options)
    context = {"form": form, "dlms_session": dlms_session, "gate": None}
    if request.htmx:  # type: ignore[attr-defined]
        answer = render(request, form.template, context)
    else:
        answer = render(request, "sessions/console.html", {**context, "section": "sessions"})
    answer.headers["Cache-Control"] = "no-store"
    return answer
