"""What is said of a meter that is added, changed or tried: its body, and the form that judges it.

The form is the page's: the same rules, the same sentences. What is not said keeps its value, or has the form's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from django.core.exceptions import ValidationError
from pydantic import Field, StringConstraints

from meters.api.filling import typed
from meters.api.problems import Refused, of_validation
from meters.api.shapes import Id, Incoming, OneOf, Text, example, optional
from meters.forms import SERVICE_FIELDS, SIGN_ON_BAUD_RATES, MeterForm
from meters.inventory import MAX_TAGS
from meters.lines.forms import BAUD_RATES, KNOWN
from meters.meter_types.defaults import prefilled
from meters.models import DEVICE_ADDRESS, TAG_NAME, Association, Line, Meter, MeterType
from meters.services import COUNTER_LIMIT

Title = Annotated[str, StringConstraints(pattern=r"^([0-9A-Fa-f]{16})?$")]
Hex = Annotated[str, StringConstraints(pattern=r"^[0-9A-Fa-f]*$", max_length=256)]
Sap = Annotated[int, Field(ge=1, le=0xFFFF)]
Tag = Annotated[Text, StringConstraints(min_length=1, max_length=50, pattern=TAG_NAME.regex.pattern)]


def _up_to(length: int) -> Any:
    return StringConstraints(max_length=length)


def _secret(words: str) -> Any:
    return optional(repr=False, description=words, json_schema_extra={"writeOnly": True, "format": "password"})


class LineSettings(Incoming):
    """Where a line leads: host and port, or a serial port of the administrator's list with its settings."""

    kind: Annotated[str, OneOf(Line.Kind.values)] = optional()
    host: Annotated[Text, _up_to(255)] = optional()
    port: Annotated[int, Field(ge=1, le=65535)] | None = optional()
    serial_port: Annotated[Text, _up_to(100)] = optional()
    baud: Annotated[int, OneOf(BAUD_RATES)] = optional()
    data_bits: Annotated[int, OneOf([7, 8])] = optional()
    parity: Annotated[str, OneOf(Line.Parity.values)] = optional()
    stop_bits: Annotated[int, OneOf([1, 2])] = optional()


class LineIn(LineSettings):
    """The meter's line: one that is here, or described."""

    known: Annotated[Text, _up_to(300)] = optional(
        description="The name of a line that is here, instead of where it is."
    )


class AssociationSettings(Incoming):
    """How one is let in."""

    name: Annotated[Text, _up_to(100)] = optional()
    referencing: Annotated[str, OneOf(Association.Referencing.values)] = optional()
    client_sap: Sap = optional()
    server_sap: Sap = optional()
    authentication: Annotated[str, OneOf(Association.Authentication.values)] = optional()
    protection: Annotated[str, OneOf(Association.Protection.values)] = optional()
    response_protection: Annotated[str, OneOf(["", *Association.Protection.values])] = optional()
    ciphering_form: Annotated[str, OneOf(Association.CipheringForm.values)] = optional()
    fresh_dedicated_key: bool = optional()
    security_suite: Annotated[int, OneOf([0, 1, 2])] = optional()
    client_system_title: Title = optional()
    user_id: Annotated[int, Field(ge=0, le=0xFF)] | None = optional()
    pre_established: bool = optional()
    max_pdu_size: Annotated[int, Field(ge=0, le=0xFFFF)] = optional()
    server_max_pdu_size: Annotated[int, Field(ge=0, le=0xFFFF)] = optional()
    timeout: Annotated[float, Field(ge=0.1, le=120)] = optional()
    counter_object: Annotated[Text, _up_to(24)] = optional()


class AssociationIn(AssociationSettings):
    """One of the meter's associations."""

    id: Id = optional(description="Which association is changed; without it the default one.")
    invocation_counter: Annotated[int, Field(ge=0, lt=COUNTER_LIMIT)] = optional(description="The next one to use.")


class SecretsIn(Incoming):
    """Into the vault, never out of it. Needs the scope `keys:write`. What is not said keeps its version."""

    secret: Annotated[Text, _up_to(256)] = _secret("Password, or secret of HLS.")
    secret_form: Annotated[str, OneOf(["text", "hex"])] = optional()
    guek: Hex = _secret("Global unicast encryption key.")
    gak: Hex = _secret("Global authentication key.")
    dedicated_key: Hex = _secret("Dedicated key.")
    signing_key: Annotated[Text, _up_to(10_000)] = _secret("Our private signing key: PEM, or hex.")
    peer_signing_key: Annotated[Text, _up_to(10_000)] = optional(description="The meter's public one: PEM, or hex.")


class MeterBody(Incoming):
    """A meter, or what of it is to change."""

    serial_number: Annotated[Text, StringConstraints(min_length=1, max_length=64)] = optional()
    name: Annotated[Text, _up_to(100)] = optional()
    meter_type: Id = optional(description="Of a new meter the type fills what is left out.")
    manufacturer: Annotated[Text, _up_to(100)] = optional()
    model: Annotated[Text, _up_to(100)] = optional(description="With the maker: the type, made when there is none.")
    location: Annotated[Text, _up_to(200)] = optional()
    notes: Annotated[Text, _up_to(20_000)] = optional()
    batch: Annotated[Text, _up_to(100)] = optional(description="By name, made when there is none; empty: in none.")
    tags: Annotated[list[Tag], Field(max_length=MAX_TAGS)] = optional()
    state: Annotated[str, OneOf(Meter.State.values)] = optional()
    reason: Annotated[Text, _up_to(500)] = optional(description="Why it is in a new state: needed then.")
    framing: Annotated[str, OneOf(Meter.Framing.values)] = optional()
    physical_address: Annotated[int, Field(ge=0, le=0x3FFF)] | None = optional()
    address_octets: Annotated[int, OneOf([1, 2, 4])] | None = optional()
    max_info: Annotated[int, Field(ge=32, le=2030)] = optional()
    window: Annotated[int, Field(ge=1, le=7)] = optional()
    disconnect_first: bool = optional()
    reverse_deviation: bool = optional()
    sign_on_address: Annotated[str, StringConstraints(pattern=DEVICE_ADDRESS.regex.pattern)] = optional()
    initial_baud: Annotated[int, OneOf(SIGN_ON_BAUD_RATES)] = optional()
    max_baud: Annotated[int, OneOf(SIGN_ON_BAUD_RATES)] = optional()
    parity_in_octets: bool = optional()
    server_system_title: Title = optional()
    line: LineIn = optional()
    association: AssociationIn = optional()
    secrets: SecretsIn = optional()

    @property
    def has_secrets(self) -> bool:
        return "secrets" in self.model_fields_set and bool(self.secrets.model_fields_set)


class NewMeter(MeterBody):
    """A meter that is added."""

    model_config = example(
        {
            "serial_number": "10000001",
            "line": {"kind": "TCP", "host": "192.0.2.7", "port": 4059},
            "association": {"client_sap": 32, "server_sap": 1, "authentication": "lls"},
            "secrets": {"secret": "12345678"},
        }
    )

    serial_number: Annotated[Text, StringConstraints(min_length=1, max_length=64)]


# -- the page's form -----------------------------------------------------------------------------------------------------

PARTS: Final[Mapping[str, type[Incoming]]] = {"line": LineIn, "association": AssociationIn, "secrets": SecretsIn}
RENAMED: Final = {("association", "name"): "association_name", ("line", "known"): "known_line"}
PLACES: Final[Mapping[str, str]] = {
    RENAMED.get((part, name), name): f"{part}.{name}"
    for part, model in PARTS.items()
    for name in model.model_fields
    if (part, name) != ("association", "id")
}
"""The form's fields that stand deeper in the body."""


def meter_form(
    body: MeterBody, *, meter: Meter | None = None, association: Any = None, testing: bool = False
) -> MeterForm:
    """The page's form with what the body says, over what there is."""
    drawn = MeterForm(meter=meter, association=association, testing=testing)
    data = {name: typed(drawn[name].value()) for name in drawn.fields}
    said = dict(_said(body))
    if meter is None and "meter_type" in said:
        data = _as_the_type_says(body.meter_type, data)
    if {"manufacturer", "model"} & said.keys():
        data["meter_type"] = ""  # what is named now counts, not the type that it was of
    return MeterForm({**data, **said}, meter=meter, association=association, testing=testing)


def _as_the_type_says(type_id: int, data: dict[str, str]) -> dict[str, str]:
    """What stands in the form of a new meter once its type was chosen."""
    chosen = MeterType.objects.filter(pk=type_id).first()
    filled = prefilled(chosen, data) if chosen else data
    return {name: typed(filled[name]) for name in data}


def _said(body: MeterBody) -> Iterator[tuple[str, str]]:
    for name, value in body.model_dump(exclude_unset=True).items():
        if name not in PARTS:
            yield name, typed(value)
            continue
        for inner, said in value.items():
            yield RENAMED.get((name, inner), inner), typed(said)
        if name == "line" and "known" in value:
            yield "kind", KNOWN


def refusal_of(form: MeterForm) -> Refused:
    """What the form refuses, where it stood in the body."""
    return of_validation(ValidationError(form.errors.as_data()), PLACES)


def refusal_by_service(error: ValidationError) -> Refused:
    """What a service refuses, where it stood in the body."""
    return of_validation(error, {**PLACES, **{name: PLACES[here] for name, here in SERVICE_FIELDS.items()}})
