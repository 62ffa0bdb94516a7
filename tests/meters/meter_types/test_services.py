"""Types are made, changed and deleted, each with its entry in the log."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.services import put_objects
from meters.changes import changes_of
from meters.cosem.obis import ObisCode
from meters.meter_types.services import (
    TypeInUse,
    delete_template,
    delete_type,
    find_type,
    save_template,
    save_type,
)
from meters.models import Association, AssociationTemplate, Batch, Change, Meter, MeterType
from tests.meters.builders import make_meter, meter_fields
from tests.meters.meter_types.builders import PUBLIC, READER, make_type

pytestmark = pytest.mark.django_db


def test_a_type_is_made_and_the_log_tells_what_it_was_given() -> None:
    made = make_type(flag_code="KFM", framing="HDLC", window=1)
    (entry,) = changes_of(made)
    assert entry.action == Change.Action.CREATE
    assert entry.fields["flag_code"] == [None, "KFM"]
    assert entry.fields["window"] == [None, 1]
    assert "firmware" not in entry.fields


def test_a_type_is_changed_and_the_log_tells_from_what_to_what() -> None:
    made = make_type()
    save_type(user="anna", type_id=made.pk, values={"firmware": "2.1"})
    assert changes_of(made).first().fields == {"firmware": ["", "2.1"]}
    save_type(user="anna", type_id=made.pk, values={"firmware": "2.1"})
    assert changes_of(made).count() == 2


def test_a_bad_type_is_refused_at_its_field() -> None:
    with pytest.raises(ValidationError) as refused:
        make_type(flag_code="??")
    assert "flag_code" in refused.value.error_dict
    assert not Change.objects.exists()


def test_meters_are_found_by_the_new_name_of_their_type() -> None:
    meter = make_meter()
    save_type(user="anna", type_id=meter.meter_type_id, values={"model": "Other"})
    meter.refresh_from_db()
    assert "other" in meter.search_text


def test_a_type_is_found_by_maker_and_model_made_once_and_the_plain_firmware_is_preferred() -> None:
    first = find_type(manufacturer="Maker", model="M1")
    assert find_type(manufacturer="Maker", model="M1") == first
    newer = make_type(firmware="2.0")
    assert find_type(manufacturer="Maker", model="M1") == first
    first.delete()
    assert find_type(manufacturer="Maker", model="M1") == newer


def test_a_type_that_is_used_stays() -> None:
    meter = make_meter()
    Batch.objects.create(name="lot", meter_type=meter.meter_type)
    with pytest.raises(TypeInUse, match="1 meters and 1 batches"):
        delete_type(user="anna", type_id=meter.meter_type_id)
    assert MeterType.objects.filter(pk=meter.meter_type_id).exists()


def test_a_type_that_nothing_is_of_goes_and_the_log_keeps_it() -> None:
    made = make_type(PUBLIC)
    delete_type(user="anna", type_id=made.pk)
    assert not MeterType.objects.exists()
    assert not AssociationTemplate.objects.exists()
    entry = Change.objects.get(action=Change.Action.DELETE)
    assert (entry.kind, entry.label) == ("TYPE", "Maker M1")
    assert entry.fields["model"] == ["M1", None]


def test_a_types_catalog_goes_with_it_and_the_log_keeps_that_too() -> None:
    made = make_type(PUBLIC)
    clock = ObjectFacts(class_id=8, logical_name=ObisCode.parse("0-0:1.0.0*255"))
    put_objects(user="anna", meter_type=made, objects=[clock], origin="tests")
    delete_type(user="anna", type_id=made.pk)
    entries = Change.objects.filter(action=Change.Action.DELETE).order_by("kind")
    assert [(entry.kind, entry.label) for entry in entries] == [
        ("CATALOG", "8/0-0:1.0.0*255 of Maker M1"),
        ("TYPE", "Maker M1"),
    ]


class TestTemplates:
    def test_the_first_one_is_the_default_until_another_is(self) -> None:
        made = make_type(PUBLIC)
        assert made.association_templates.get().is_default
        save_template(user="anna", type_id=made.pk, values={**READER, "is_default": True})
        assert [t.name for t in made.association_templates.filter(is_default=True)] == ["Reader"]

    def test_the_log_of_the_type_tells_of_them(self) -> None:
        made = make_type(PUBLIC)
        template = made.association_templates.get()
        save_template(user="anna", type_id=made.pk, template_id=template.pk, values={"client_sap": 17})
        assert changes_of(made).first().fields == {f"association.{template.pk}.client_sap": [16, 17]}

    def test_when_the_default_goes_another_one_is_it(self) -> None:
        made = make_type(PUBLIC, READER)
        default = made.association_templates.get(is_default=True)
        delete_template(user="anna", type_id=made.pk, template_id=default.pk)
        assert made.association_templates.get().is_default

    def test_two_of_one_name_are_refused(self) -> None:
        with pytest.raises(ValidationError):
            make_type(PUBLIC, PUBLIC)

    def test_one_of_another_type_is_not_touched(self) -> None:
        made, other = make_type(PUBLIC), make_type(READER, model="M2")
        with pytest.raises(AssociationTemplate.DoesNotExist):
            delete_template(user="anna", type_id=made.pk, template_id=other.association_templates.get().pk)


class TestNewMeters:
    """`meters.services.save_meter` fills what is empty."""

    def test_a_new_meter_begins_as_its_type_says(self) -> None:
        make_type(PUBLIC, READER, framing="HDLC", physical_address=17, window=3)
        meter = make_meter(association={"name": "Reader", "client_sap": 32})
        assert (meter.framing, meter.physical_address, meter.window) == ("HDLC", 17, 3)
        names = {each.name: each for each in meter.associations.all()}
        assert set(names) == {"Public", "Reader"}
        assert names["Reader"].is_default
        assert not names["Public"].is_default
        assert names["Public"].client_sap == 16

    def test_what_is_said_is_said(self) -> None:
        make_type(READER, framing="HDLC", window=3)
        fields = meter_fields(meter={"framing": "WRAPPER"}, association={"name": "Reader", "timeout": 9.0})
        meter = make_meter(**fields)
        assert (meter.framing, meter.window) == ("WRAPPER", 3)
        assert meter.associations.get().timeout == 9.0

    def test_a_meter_that_is_there_stays_as_it_is(self) -> None:
        meter = make_meter()
        save_type(user="anna", type_id=meter.meter_type_id, values={"framing": "HDLC", "window": 3})
        save_template(user="anna", type_id=meter.meter_type_id, values=PUBLIC)
        again = make_meter(meter_id=meter.pk)
        assert (again.framing, again.window) == (Meter.Framing.WRAPPER, 1)
        assert Association.objects.count() == 1
