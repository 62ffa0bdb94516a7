"""What is said of a meter, and the page's form over it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from meters.api.meter_body import PLACES, MeterBody, NewMeter, meter_form, refusal_of
from meters.forms import MeterForm
from meters.models import AssociationTemplate, Meter, MeterType
from tests.meters.builders import make_ciphered_meter, make_meter

pytestmark = pytest.mark.django_db
LINE = {"kind": "TCP", "host": "h", "port": 4059}
SECRETS = {"secret": "s3cret-w0rd", "guek": "00" * 16}


def new(**fields) -> NewMeter:
    return NewMeter.model_validate({"serial_number": "1", "line": LINE, **fields})


def test_every_field_of_the_form_can_be_said_and_nothing_else() -> None:
    said = {PLACES_BACK.get(name, name) for name in MeterForm.base_fields}
    flat = set(MeterBody.model_fields) - {"line", "association", "secrets"} | set(PLACES.values())
    assert flat == said


PLACES_BACK = dict(PLACES)


def test_what_is_left_out_has_the_forms_default() -> None:
    form = meter_form(new(secrets={"secret": "x"}))
    assert form.is_valid(), form.errors
    draft = form.draft()
    page = MeterForm(
        {"serial_number": "1", "kind": "TCP", "host": "h", "port": "4059", "secret": "x"} | _page_defaults()
    )
    assert page.is_valid(), page.errors
    assert draft == page.draft()


def _page_defaults() -> dict[str, str]:
    names = ("framing", "association_name", "client_sap", "server_sap", "authentication", "protection")
    return {name: str(MeterForm.base_fields[name].initial) for name in names}


def test_what_is_left_out_keeps_its_value() -> None:
    meter = make_meter(
        meter={
            "name": "bench",
            "framing": "HDLC",
            "physical_address": 17,
            "window": 3,
            "tags": ["a", "b"],
            "batch": "Lot 7",
        }
    )
    form = meter_form(
        MeterBody.model_validate({"location": "shelf"}), meter=meter, association=meter.default_association
    )
    assert form.is_valid(), form.errors
    draft = form.draft()
    assert draft["meter"]["location"] == "shelf"
    for name in ("name", "framing", "physical_address", "window"):
        assert draft["meter"][name] == getattr(meter, name)
    assert (draft["meter"]["tags"], draft["meter"]["batch"]) == (["a", "b"], "Lot 7")
    assert draft["association"]["id"] == meter.default_association.pk
    assert draft["secrets"] == {}


def test_the_type_of_a_new_meter_fills_what_is_left_out() -> None:
    kind = MeterType.objects.create(model="Z", framing="HDLC", physical_address=17, window=3)
    AssociationTemplate.objects.create(
        meter_type=kind, name="Reading", client_sap=2, authentication="none", is_default=True
    )
    form = meter_form(new(meter_type=kind.pk, window=1))
    assert form.is_valid(), form.errors
    draft = form.draft()
    assert (draft["meter"]["framing"], draft["meter"]["physical_address"], draft["meter"]["window"]) == ("HDLC", 17, 1)
    assert (draft["association"]["name"], draft["association"]["client_sap"]) == ("Reading", 2)
    assert draft["meter"]["meter_type"] == kind


def test_a_type_that_is_named_counts_not_the_one_that_it_was_of() -> None:
    meter = make_meter()
    form = meter_form(MeterBody(model="M2"), meter=meter, association=meter.default_association)
    assert form.is_valid(), form.errors
    assert (form.draft()["meter"]["manufacturer"], form.draft()["meter"]["model"]) == ("Maker", "M2")


def test_null_and_empty_take_away() -> None:
    meter = make_meter(meter={"framing": "HDLC", "physical_address": 17, "tags": ["a"], "batch": "Lot 7", "name": "x"})
    said = MeterBody.model_validate({"physical_address": None, "tags": [], "batch": "", "name": ""})
    form = meter_form(said, meter=meter, association=meter.default_association)
    assert form.is_valid(), form.errors
    told = form.draft()["meter"]
    assert (told["physical_address"], told["tags"], told["batch"], told["name"]) == (None, [], "", "")


def test_refusals_stand_where_they_were_said() -> None:
    form = meter_form(new(line={"kind": "TCP", "host": "a b"}, association={"authentication": "lls"}))
    refused = refusal_of(form)
    assert refused.status == 422
    assert set(refused.problem.fields) == {"line.host", "line.port", "secrets.secret"}


def test_a_serial_number_that_is_there_is_a_conflict() -> None:
    make_meter(meter={"serial_number": "1"})
    refused = refusal_of(meter_form(new(secrets={"secret": "x"})))
    assert (refused.status, set(refused.problem.fields)) == (409, {"serial_number"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"serial_number": ""},
        {"serial_number": 1},
        {"serial_number": "x" * 65},
        {"serial_number": "1", "colour": "red"},
        {"serial_number": "1", "line": {"port": "4059"}},
        {"serial_number": "1", "line": {"port": 65536}},
        {"serial_number": "1", "line": {"baud": 9601}},
        {"serial_number": "1", "line": {"hosst": "h"}},
        {"serial_number": "1", "line": None},
        {"serial_number": "1", "tags": ["a,b"]},
        {"serial_number": "1", "tags": ["x"] * 21},
        {"serial_number": "1", "name": "a\x00b"},
        {"serial_number": "1", "name": "\udc00"},
        {"serial_number": "1", "association": {"timeout": "5"}},
        {"serial_number": "1", "association": {"fresh_dedicated_key": "yes"}},
        {"serial_number": "1", "association": {"user_id": 256}},
        {"serial_number": "1", "secrets": {"guek": "0x00"}},
        {"serial_number": "1", "secrets": {"password": "x"}},
    ],
)
def test_what_cannot_be_meant_is_refused_before_the_form(body) -> None:
    with pytest.raises(ValidationError):
        NewMeter.model_validate(body)


def test_no_secret_is_printed() -> None:
    body = new(secrets=SECRETS)
    assert body.has_secrets
    assert not new().has_secrets
    assert not new(secrets={}).has_secrets
    assert SECRETS["secret"] not in repr(body)
    assert SECRETS["guek"] not in repr(body)


def test_the_document_marks_what_only_goes_in() -> None:
    declared = NewMeter.model_json_schema()["$defs"]["SecretsIn"]["properties"]
    for name in ("secret", "guek", "gak", "dedicated_key", "signing_key"):
        assert declared[name]["writeOnly"] is True


def test_keys_that_are_there_are_kept_by_saying_nothing() -> None:
    meter = make_ciphered_meter()
    form = meter_form(MeterBody(name="x"), meter=meter, association=meter.default_association)
    assert form.is_valid(), form.errors
    assert form.draft()["secrets"] == {}
    assert Meter.objects.count() == 1
