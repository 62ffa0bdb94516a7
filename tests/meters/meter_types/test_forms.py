"""What the forms of types take and refuse."""

from __future__ import annotations

import pytest

from meters.meter_types.forms import TemplateForm, TypeForm
from meters.models import AssociationTemplate, MeterType

TEMPLATE = {
    "name": "Reader",
    "referencing": "logical-names",
    "client_sap": "32",
    "server_sap": "1",
    "authentication": "lls",
    "protection": "none",
    "ciphering_form": "auto",
    "security_suite": "0",
    "max_pdu_size": "65535",
    "server_max_pdu_size": "0",
    "timeout": "5",
    "counter_object": "0-0:43.1.0*255",
}


def type_form(**data: str) -> TypeForm:
    return TypeForm({"model": "M1", "medium": "ELECTRICITY", **data})


def template_form(**data: str) -> TemplateForm:
    return TemplateForm({**TEMPLATE, **data}, instance=AssociationTemplate(meter_type=MeterType()))


@pytest.mark.django_db
def test_a_known_code_names_the_maker_where_nobody_did() -> None:
    form = type_form(flag_code="kfm")
    assert form.is_valid()
    assert (form.cleaned_data["flag_code"], form.cleaned_data["manufacturer"]) == ("KFM", "Kaifa")
    named = type_form(flag_code="KFM", manufacturer="Somebody")
    assert named.is_valid()
    assert named.cleaned_data["manufacturer"] == "Somebody"


@pytest.mark.django_db
def test_what_varies_is_nothing() -> None:
    form = type_form()
    assert form.is_valid()
    for name in ("framing", "parity"):
        assert form.cleaned_data[name] == ""
    for name in ("baud", "initial_baud", "max_baud", "address_octets", "data_bits", "stop_bits", "max_info", "window"):
        assert form.cleaned_data[name] is None
    assert form.fields["framing"].choices[0] == ("", "varies")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"model": ""}, "model"),
        ({"flag_code": "K1M"}, "flag_code"),
        ({"lockout_attempts": "3"}, "lockout_window"),
        ({"lockout_attempts": "0", "lockout_window": "1", "lockout_minutes": "1"}, "lockout_attempts"),
        ({"writes_in_total": "0"}, "writes_in_total"),
        ({"max_info": "8"}, "max_info"),
        ({"baud": "77"}, "baud"),
        ({"model": "a\nb\x00"}, "model"),
        ({"lockout_attempts": "99999999999", "lockout_window": "1", "lockout_minutes": "1"}, "lockout_attempts"),
    ],
)
def test_bad_types_are_refused_at_their_fields(data: dict[str, str], where: str) -> None:
    form = type_form(**data)
    assert not form.is_valid()
    assert where in form.errors


def test_a_template_gives_what_the_service_takes() -> None:
    form = template_form()
    assert form.is_valid(), form.errors
    assert form.values()["client_sap"] == 32
    assert form.values()["user_id"] is None


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"counter_object": "nonsense"}, "counter_object"),
        ({"authentication": "hls-ecdsa"}, "security_suite"),
        ({"pre_established": "on"}, "authentication"),
        ({"client_sap": "0"}, "client_sap"),
        ({"client_system_title": "4D57"}, "client_system_title"),
        ({"timeout": "0"}, "timeout"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_templates_are_refused_at_their_fields(data: dict[str, str], where: str) -> None:
    form = template_form(**data)
    assert not form.is_valid()
    assert where in form.errors
