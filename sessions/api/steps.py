"""What is asked in an open session: reads, and behind the gate writes and invocations.

What changes a meter is asked twice, as on the page: the first answer names the meter, the consequence and the exact octets, and
only what comes back `confirmed` is sent. Where it cannot be undone, the serial number has to be typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import Field, JsonValue, StringConstraints

from meters.api.access import needs
from meters.api.problems import answers, invalid, not_found
from meters.api.shapes import Id, Incoming, Outgoing, Text, example
from meters.cosem.data import Data
from meters.cosem.deviations import reversed_deviations
from meters.cosem.interface_class import attribute_of, method_of
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import EntryError, from_json
from meters.cosem.value_type import ValueType
from meters.cosem.value_words import ANY
from sessions import parameters as checked
from sessions.api.sessions import ReadIn
from sessions.api.shapes import ClassId, LogicalName, Member, StepOut, found_session, over, step_of
from sessions.gate import gate_of
from sessions.known_objects import read_values, result_data, reverses_deviation, version_of
from sessions.models import DlmsSession
from sessions.object_views import readable_attributes
from sessions.services import SessionOver, add_invoke_step, add_profile_step, add_read_step, add_write_step
from sessions.storable import storable

router = Router(tags=["Asking a meter"])
ASKING: dict[str, Any] = {"response": answers(StepOut, 404, 409, status=201)}


# -- reading -----------------------------------------------------------------------------------------------------------


class ProfileIn(Incoming):
    """Rows of a profile: between two times, between two entries, or all."""

    model_config = example(
        {"logical_name": "1-0:99.1.0*255", "from_time": "2026-11-01T00:00", "to_time": "2026-11-02T00:00"}
    )

    logical_name: LogicalName
    from_time: Annotated[Text, StringConstraints(max_length=40)] | None = Field(default=None, description="ISO 8601.")
    to_time: Annotated[Text, StringConstraints(max_length=40)] | None = None
    from_entry: Annotated[int, Field(ge=1, le=2**32 - 1)] | None = None
    to_entry: Annotated[int, Field(ge=0, le=2**32 - 1)] | None = Field(default=None, description="0: to the end.")


class ObjectIn(Incoming):
    """One object."""

    model_config = example({"class_id": 3, "logical_name": "1-0:1.8.0*255"})

    class_id: ClassId
    logical_name: LogicalName


class StepsOut(Outgoing):
    """The steps that were added."""

    results: list[StepOut]


@router.post("/{int:session_id}/reads", **needs("sessions:run"), **ASKING, summary="Read an attribute")
def step_read(request: HttpRequest, session_id: Id, body: ReadIn) -> Status[StepOut]:
    """It waits for those before it."""
    return Status(201, _added(add_read_step, request, session_id, body.model_dump()))


@router.post("/{int:session_id}/profile-reads", **needs("sessions:run"), **ASKING, summary="Read a profile")
def step_profile(request: HttpRequest, session_id: Id, body: ProfileIn) -> Status[StepOut]:
    """Its rows come as entries of the step, while the meter answers."""
    return Status(201, _added(add_profile_step, request, session_id, body.model_dump()))


@router.post(
    "/{int:session_id}/object-reads",
    **needs("sessions:run"),
    response=answers(StepsOut, 404, 409, status=201),
    summary="Read an object",
)
def step_object(request: HttpRequest, session_id: Id, body: ObjectIn) -> Status[StepsOut]:
    """Every attribute that may be read, but for a profile's buffer."""
    dlms_session, name = found_session(session_id), _logical_name(body.logical_name)
    asked = {"class_id": body.class_id, "logical_name": str(name)}
    with transaction.atomic():
        steps = [
            _added(add_read_step, request, session_id, {**asked, "attribute_id": number})
            for number in readable_attributes(dlms_session, body.class_id, name)
        ]
    return Status(201, StepsOut(results=steps))


def _logical_name(text: str) -> ObisCode:
    try:
        return ObisCode.parse_reduced(text)
    except ValueError as error:
        raise invalid({"logical_name": [str(error)]}) from None


def _added(service: Callable[..., Any], request: HttpRequest, session_id: int, asked: Mapping[str, Any]) -> StepOut:
    try:
        return step_of(service(session_id=session_id, user=request.user, **asked))
    except DlmsSession.DoesNotExist:
        raise not_found("session") from None
    except SessionOver as error:
        raise over(error) from None


# -- what changes the meter --------------------------------------------------------------------------------------------


class Confirmation(Incoming):
    """What opens the gate."""

    confirmed: bool = Field(default=False, description="Send it. Without this the answer is what would be sent.")
    serial_typed: Annotated[Text, StringConstraints(max_length=64)] = Field(
        default="", description="The meter's serial number, where the gate says that it must be typed."
    )


class WriteIn(Confirmation):
    """One attribute gets a value: `{"type": "long-unsigned", "value": 5}`, or as its class declares it."""

    model_config = example(
        {
            "class_id": 8,
            "logical_name": "0-0:1.0.0*255",
            "attribute_id": 2,
            "value": {"type": "octet-string", "value": "2026-11-25T10:00:00+01:00"},
            "confirmed": True,
        }
    )

    class_id: ClassId
    logical_name: LogicalName
    attribute_id: Member
    value: JsonValue


class InvokeIn(Confirmation):
    """One method is invoked, perhaps with a value."""

    model_config = example(
        {
            "class_id": 70,
            "logical_name": "0-0:96.3.10*255",
            "method_id": 2,
            "value": {"type": "integer", "value": 0},
            "confirmed": True,
        }
    )

    class_id: ClassId
    logical_name: LogicalName
    method_id: Member
    value: JsonValue = None


class GateOut(Outgoing):
    """Nothing was sent yet: send it again with `confirmed`, and where `must_type` says so with the serial number.

    `budget`: how often it was written, where the meter bears only so many writes.
    """

    what: str
    meter: str
    octets: str
    consequence: str
    must_type: bool
    lines: list[str]
    budget: str


GATED: dict[str, Any] = {"response": answers(StepOut, 404, 409, status=201) | {200: GateOut}}


@router.post("/{int:session_id}/writes", **needs("sessions:change"), **GATED, summary="Write an attribute")
def step_write(request: HttpRequest, session_id: Id, body: WriteIn) -> Status[Any]:
    """Asked twice: the first answer (200) tells what would be sent, the confirmed one (201) is the step."""
    dlms_session, name = found_session(session_id), _logical_name(body.logical_name)
    read = read_values(dlms_session, body.class_id, name).get(body.attribute_id)
    known = result_data(read) if read is not None else None
    attribute = attribute_of(body.class_id, body.attribute_id, version_of(dlms_session, body.class_id, name), known)
    declared = attribute.type if attribute else ANY
    asked = {"class_id": body.class_id, "logical_name": str(name), "attribute_id": body.attribute_id}
    data = _data(dlms_session, body.value, declared)
    parameters = _checked(checked.write_parameters, {**asked, "value": data})
    return _gated(request, dlms_session, body, parameters, data, declared, add_write_step, asked)


@router.post("/{int:session_id}/invocations", **needs("sessions:change"), **GATED, summary="Invoke a method")
def step_invoke(request: HttpRequest, session_id: Id, body: InvokeIn) -> Status[Any]:
    """Asked twice: the first answer (200) tells what would be sent, the confirmed one (201) is the step."""
    dlms_session, name = found_session(session_id), _logical_name(body.logical_name)
    method = method_of(body.class_id, body.method_id, version_of(dlms_session, body.class_id, name))
    declared = method.parameter if method and method.parameter else ANY
    asked = {"class_id": body.class_id, "logical_name": str(name), "method_id": body.method_id}
    data = None if body.value is None else _data(dlms_session, body.value, declared)
    parameters = _checked(checked.invoke_parameters, {**asked, "value": data})
    return _gated(request, dlms_session, body, parameters, data, declared, add_invoke_step, asked)


def _data(dlms_session: DlmsSession, value: JsonValue, declared: ValueType) -> Data:
    """The value as it is sent; times are given as the standard has them, and turned for meters that count the other way."""
    if storable(value) != value:
        raise invalid({"value": ["It holds characters that cannot be stored: give octets as hex:…"]})
    try:
        data = from_json(value, declared)
    except EntryError as error:
        raise invalid({"value": [str(error)]}) from None
    return reversed_deviations(data, declared) if reverses_deviation(dlms_session) else data


def _checked(check: Callable[..., dict[str, Any]], asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return check(**asked)
    except checked.ParameterError as error:
        raise invalid({error.field: [str(error)]}) from None


def _gated(
    request: HttpRequest,
    dlms_session: DlmsSession,
    body: Confirmation,
    parameters: Mapping[str, Any],
    data: Data | None,
    declared: ValueType,
    service: Callable[..., Any],
    asked: Mapping[str, Any],
) -> Status[Any]:
    """What would be sent; or the step, once that is confirmed."""
    gate = gate_of(dlms_session, parameters, data, declared)
    if not body.confirmed:
        lines, shown = list(gate.lines), ("what", "meter", "octets", "consequence", "must_type", "budget")
        return Status(200, GateOut(**{name: getattr(gate, name) for name in shown}, lines=lines))
    if refusal := gate.refusal(body.serial_typed):
        raise invalid({"serial_typed": [refusal]}, f"{gate.consequence} {refusal}")
    return Status(201, _added(service, request, dlms_session.pk, {**asked, "value": data}))
