"""Learning from a meter and comparing it with its type: each person, what is shown, what is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.services import catalog_facts, put_objects
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from meters.models import CatalogObject, Change
from tests.meters.builders import make_meter
from tests.sessions.builders import make_read, make_session, make_user
from tests.sessions.catalogs.test_learning import ENERGY, make_list, row

pytestmark = pytest.mark.django_db

PAGES = ("catalog_learn", "meter_compare")


@pytest.fixture
def technician(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def meter():
    return make_meter()


@pytest.fixture
def learned(meter):
    """A meter whose list and one register were read."""
    dlms_session = make_session(meter)
    make_list(dlms_session, row(3, ENERGY, {1: 1, 2: 1}), row(8, "0-0:1.0.0*255", {1: 1, 2: 3}))
    make_read(dlms_session, 3, ENERGY, 3, ScalerUnit(-3, 30).to_data())
    return meter


def url(name: str, meter) -> str:
    return reverse(f"sessions:{name}", args=[meter.pk])


def learn(client, meter, **more):
    shown = client.get(url("catalog_learn", meter)).context["shown"]
    return client.post(url("catalog_learn", meter), {"shown": shown, **more}, follow=True)


def test_nobody_sees_or_does_anything_without_signing_in(client, learned) -> None:
    for name in PAGES:
        for answer in (client.get(url(name, learned)), client.post(url(name, learned))):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={url(name, learned)}")
    assert not CatalogObject.objects.exists()


def test_learning_needs_the_token_of_the_page_and_comparing_is_read_only(technician, learned) -> None:
    assert technician.post(url("meter_compare", learned)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user())
    assert strict.post(url("catalog_learn", learned)).status_code == 403


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_there(technician, meter, name) -> None:
    assert technician.get(reverse(f"sessions:{name}", args=[999_999])).status_code == 404
    assert "No object list of this meter was read" in technician.get(url(name, meter)).content.decode()
    untyped = make_meter(meter={"serial_number": "2", "manufacturer": "", "model": ""})
    make_list(make_session(untyped), row(3, ENERGY))
    assert "This meter has no type" in technician.get(url(name, untyped)).content.decode()
    assert technician.post(url("catalog_learn", untyped)).status_code == 200
    assert not CatalogObject.objects.exists()


def test_first_it_is_shown_then_done(technician, learned) -> None:
    page = technician.get(url("catalog_learn", learned))
    assert page.context["counts"] == {"new": 2, "changed": 0, "conflict": 0, "unchanged": 0}
    assert "10^−3 Wh" in page.content.decode()
    assert not CatalogObject.objects.exists()
    done = learn(technician, learned)
    assert "Learned from 12345678: 2 added, 0 changed." in done.content.decode()
    energy = CatalogObject.objects.get(class_id=3)
    assert (energy.scaler, energy.unit, energy.learned_from) == (-3, 30, learned)
    assert energy.origin == "meter 12345678, client 32"
    requests = Change.objects.filter(kind=Change.Kind.CATALOG).values_list("request_id", flat=True)
    assert len(requests) == 2
    assert len(set(requests)) == 1
    again = technician.get(url("catalog_learn", learned))
    assert again.context["counts"] == {"new": 0, "changed": 0, "conflict": 0, "unchanged": 2}
    assert "The catalog knows all of it." in again.content.decode()


@pytest.fixture
def contradicted(learned):
    known = ObjectFacts(class_id=3, logical_name=ObisCode.parse(ENERGY), title="Import", unit=31)
    put_objects(user="x", meter_type=learned.meter_type, objects=[known], origin="devices.gxc")
    return learned


def test_what_contradicts_is_shown_and_kept(technician, contradicted) -> None:
    page = technician.get(url("catalog_learn", contradicted))
    assert page.context["counts"] == {"new": 1, "changed": 0, "conflict": 1, "unchanged": 0}
    text = page.content.decode()
    for words in ("VAh", "devices.gxc", "Learn, and keep what the catalog says"):
        assert words in text
    done = learn(technician, contradicted)
    assert "the catalog’s word was kept" in done.content.decode()
    facts = catalog_facts(contradicted.meter_type_id)[1]
    assert (facts.title, facts.unit, facts.scaler) == ("Import", 31, -3)


def test_the_meters_word_is_taken_where_a_person_says_so(technician, contradicted) -> None:
    done = learn(technician, contradicted, overwrite="1")
    assert "the meter’s word was taken" in done.content.decode()
    facts = catalog_facts(contradicted.meter_type_id)[1]
    assert (facts.title, facts.unit) == ("Import", 30)


def test_what_has_moved_meanwhile_is_shown_again(technician, learned) -> None:
    shown = technician.get(url("catalog_learn", learned)).context["shown"]
    known = ObjectFacts(class_id=3, logical_name=ObisCode.parse(ENERGY), unit=31)
    put_objects(user="x", meter_type=learned.meter_type, objects=[known], origin="x")
    for data in ({"shown": shown}, {}):
        answer = technician.post(url("catalog_learn", learned), data)
        assert "has changed meanwhile: nothing was written" in answer.content.decode()
        assert catalog_facts(learned.meter_type_id) == [known]


def test_what_no_catalog_can_hold_is_left_out_and_told(technician, meter) -> None:
    many = dict.fromkeys(range(1, 4), 1)
    step = make_list(make_session(meter), row(3, ENERGY, many), row(8, "0-0:1.0.0*255"))
    rows = step.result["value"]
    rows[1][1] = 999  # a version that there is not
    step.save()
    page = technician.get(url("catalog_learn", meter)).content.decode()
    assert "1 object cannot be in a catalog" in page
    assert "version: 999 is outside of 0 to 255." in page
    learn(technician, meter)
    assert [facts.class_id for facts in catalog_facts(meter.meter_type_id)] == [3]


def test_the_meter_is_compared_with_its_type(technician, learned) -> None:
    voltage = ObjectFacts(class_id=3, logical_name=ObisCode.parse("1-0:32.7.0*255"))
    known = replace(voltage, logical_name=ObisCode.parse(ENERGY), unit=31, title="Import")
    put_objects(user="x", meter_type=learned.meter_type, objects=[known, voltage], origin="x")
    page = technician.get(url("meter_compare", learned))
    assert [number for _, _, number in page.context["kinds"]] == [1, 1, 1, 0]
    (different,) = (row for row in page.context["compared"].object_list if row.fields)
    assert different.differences() == [
        ("version", "", "1"),
        ("scaler", "", "-3"),
        ("unit", "VAh", "Wh"),
        ("access", "", "32: r 1 2"),
    ]
    sent = technician.get(url("meter_compare", learned), {"format": "csv", "show": "right"}).content.decode()
    assert sent.splitlines()[1].startswith("0-0:1.0.0*255,8,")
    assert len(sent.splitlines()) == 2


def test_after_learning_there_is_no_difference(technician, learned) -> None:
    learn(technician, learned)
    page = technician.get(url("meter_compare", learned))
    assert "No difference" in page.content.decode()


def test_queries_do_not_grow_with_the_list(technician, meter, django_assert_max_num_queries) -> None:
    rows = [row(3, str(ObisCode(1, b, c, 8, 0)), {1: 1, 2: 1, 3: 1}) for b in range(4) for c in range(1, 101)]
    make_list(make_session(meter), *rows)
    for name in PAGES:
        with django_assert_max_num_queries(12):
            technician.get(url(name, meter))
    learn(technician, meter)
    for name in PAGES:
        with django_assert_max_num_queries(12):
            technician.get(url(name, meter))
    assert len(catalog_facts(meter.meter_type_id)) == 400
