"""The pages of a type's OBIS catalog: each person, each action, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.catalogs.services import catalog_facts, put_objects
from meters.cosem.obis import ObisCode
from meters.models import CatalogObject, Change, MeterType
from tests.meters.builders import make_meter
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('xss')</script>"
ENERGY = ObjectFacts(
    class_id=3,
    logical_name=ObisCode.parse("1-0:1.8.0*255"),
    version=0,
    title="Import, all rates",
    scaler=-1,
    unit=30,
    group="Energy",
    rights={16: ClientRights({1: "r", 2: "r", 3: "r"}), 1: ClientRights({1: "r", 2: "rw", 3: "r"}, {1: True})},
)
VOLTAGE = ObjectFacts(
    class_id=3, logical_name=ObisCode.parse("1-0:32.7.0*255"), unit=35, low=Decimal(207), high=Decimal(253)
)
HTMX = {"HX-Request": "true"}


@pytest.fixture
def meter_type():
    meter_type = MeterType.objects.create(manufacturer="ACME", model="X200")
    put_objects(user="tests", meter_type=meter_type, objects=[ENERGY, VOLTAGE], origin="the tests")
    return meter_type


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"meters:{name}", args=args)


def entry(code: str = "1-0:1.8.0*255") -> CatalogObject:
    return CatalogObject.objects.get(logical_name=code)


def filled(**changes: str) -> dict[str, str]:
    return {"logical_name": "1-0:2.8.0", "class_id": "Register (3)", "unit": "Wh", **changes}


def pages(meter_type) -> list[str]:
    here = [
        url(name, meter_type.pk)
        for name in (
            "type_catalog",
            "entry_add",
            "catalog_changes",
            "catalog_export",
            "catalog_import",
            "catalog_compare",
        )
    ]
    return [*here, url("catalog_entry", meter_type.pk, entry().pk), url("catalog_bulk", meter_type.pk)]


@pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
def test_nobody_sees_or_does_anything_without_signing_in(client, meter_type, inactive) -> None:
    if inactive:
        user = make_user("gone")
        client.force_login(user)
        user.is_active = False
        user.save()
    for each in pages(meter_type):
        for answer in (client.get(each), client.post(each, {**filled(), "do": "delete", "sure": "1", "all": "1"})):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={each}")
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]


def test_a_technician_sees_every_page(technician, meter_type) -> None:
    for each in pages(meter_type)[:-1]:
        assert technician.get(each).status_code == 200
    assert technician.get(pages(meter_type)[-1]).status_code == 405


def test_pages_that_are_read_are_not_posted(technician, meter_type) -> None:
    for each in (pages(meter_type)[index] for index in (0, 2, 3, 5)):
        assert technician.post(each).status_code == 405


def test_a_change_needs_the_token_of_the_page(meter_type) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("anna"))
    for each in (pages(meter_type)[index] for index in (1, 4, 6, 7)):
        assert client.post(each, filled()).status_code == 403


def test_what_is_not_there_is_not_found(technician, meter_type) -> None:
    other = MeterType.objects.create(model="other")
    for each in (url("type_catalog", 999), url("catalog_entry", other.pk, entry().pk), url("catalog_import", 999)):
        assert technician.get(each).status_code == 404


def test_queries_do_not_grow_with_the_entries(technician, meter_type, django_assert_max_num_queries) -> None:
    many = [replace(ENERGY, logical_name=ObisCode(1, b, c, 8, 0)) for b in range(1, 51) for c in range(1, 101)]
    put_objects(user="tests", meter_type=meter_type, objects=many, origin="many")
    for query, shown in ((), 50), ({"page": "100"}, 50), ({"q": "export"}, 50), ({"client": "16"}, 50):
        with django_assert_max_num_queries(9):
            page = technician.get(url("type_catalog", meter_type.pk), query or None)
        assert len(page.context["rows"]) == shown
    assert "5002 entries" in technician.get(url("type_catalog", meter_type.pk)).content.decode()


# -- the list ----------------------------------------------------------------------------------------------------------


def test_entries_are_shown_with_what_they_say(technician, meter_type) -> None:
    page = technician.get(url("type_catalog", meter_type.pk)).content.decode()
    for words in ("Import, all rates", "10^−1 Wh", "207 – 253", "Energy", "Voltage L1", "2 entries", "the tests"):
        assert words in page
    assert "Client 16: attribute 1: read; attribute 2: read; attribute 3: read" in page
    assert "attribute 2: read and write" in page


def test_an_empty_catalog_says_what_to_do(technician) -> None:
    page = technician.get(url("type_catalog", MeterType.objects.create(model="new").pk)).content.decode()
    assert "This type has no entries yet" in page
    assert "A template" in page


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"q": "import rates"}, ["1-0:1.8.0*255"]),
        ({"q": "voltage"}, ["1-0:32.7.0*255"]),
        ({"q": "0100200700FF"}, ["1-0:32.7.0*255"]),
        ({"q": "1.8.0"}, ["1-0:1.8.0*255"]),
        ({"q": "32.7"}, ["1-0:32.7.0*255"]),
        ({"q": "nothing"}, []),
        ({"group": "Energy"}, ["1-0:1.8.0*255"]),
        ({"group": "-"}, ["1-0:32.7.0*255"]),
        ({"class": "3", "client": "16"}, ["1-0:1.8.0*255"]),
        ({"class": "4"}, []),
        ({"class": "x", "client": "99999999"}, ["1-0:1.8.0*255", "1-0:32.7.0*255"]),
        ({"page": "99"}, ["1-0:1.8.0*255", "1-0:32.7.0*255"]),
        ({"q": "\x00"}, ["1-0:1.8.0*255", "1-0:32.7.0*255"]),
    ],
)
def test_search_and_filters(technician, meter_type, query, codes) -> None:
    answer = technician.get(url("type_catalog", meter_type.pk), query)
    assert [shown.row.logical_name for shown in answer.context["rows"]] == codes


def test_with_htmx_only_the_table_comes(technician, meter_type) -> None:
    answer = technician.get(url("type_catalog", meter_type.pk), {"q": "voltage", "group": ""}, headers=HTMX)
    assert "<html" not in answer.content.decode()
    assert answer.headers["HX-Push-Url"] == f"{url('type_catalog', meter_type.pk)}?q=voltage"
    assert "HX-Request" in answer.headers["Vary"]


# -- one entry ---------------------------------------------------------------------------------------------------------


def test_an_entry_is_added_with_the_usual_class(technician, meter_type) -> None:
    data = filled(class_id="", title="Export", low="-5", high="1e3", rights="16: r 1-3", base_name="0xFA00")
    assert technician.post(url("entry_add", meter_type.pk), data).url == url("type_catalog", meter_type.pk)
    facts = entry("1-0:2.8.0*255").facts
    assert (facts.class_id, facts.title, facts.low, facts.high) == (3, "Export", Decimal(-5), Decimal(1000))
    assert (facts.base_name, facts.rights[16].attributes) == (0xFA00, {1: "r", 2: "r", 3: "r"})
    again = technician.post(url("entry_add", meter_type.pk), {**filled(logical_name="1-0:3.8.0"), "again": "1"})
    assert again.url == url("entry_add", meter_type.pk)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"logical_name": "1.8.x"}, "is not an OBIS code"),
        ({"logical_name": ""}, "Which object?"),
        ({"logical_name": "1-0:1.8.0"}, "The catalog has 3/1-0:1.8.0*255 already."),
        ({"class_id": "Registry"}, "is no interface class"),
        ({"class_id": "", "logical_name": "1-0:200.200.200"}, "No class is usual for this code"),
        ({"unit": "kWh"}, "write the unit Wh and the scaler 3"),
        ({"scaler": "40"}, "outside of -30 to 30"),
        ({"scaler": "³"}, "is no whole number"),
        ({"low": "5", "high": "4"}, "is not above the low one"),
        ({"low": "much"}, "is no number"),
        ({"rights": "16 r"}, "begins with no client SAP"),
        ({"base_name": "FA00F"}, "is no short name"),
        ({"capture_objects": "8/clock"}, "is no column"),
        ({"title": "t" * 201}, "at most 200"),
        ({"note": EVIL * 20}, "at most 500"),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nothing_is_saved(technician, meter_type, changes, words) -> None:
    answer = technician.post(url("entry_add", meter_type.pk), filled(**changes))
    assert answer.status_code == 200
    page = answer.content.decode().replace("&#x27;", "'")
    assert words in page
    assert EVIL not in page
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]


def test_an_entry_is_edited_in_its_row(technician, meter_type) -> None:
    here = url("catalog_entry", meter_type.pk, entry().pk)
    form = technician.get(here, headers=HTMX)
    assert form.content.decode().startswith("<tr")
    data = {name: value or "" for name, value in form.context["form"].initial.items()}
    refused = technician.post(here, {**data, "unit": "furlong"}, headers=HTMX).content.decode()
    assert "is no unit" in refused
    assert "row-edit" in refused
    saved = technician.post(here, {**data, "title": EVIL}, headers=HTMX).content.decode()
    assert "row-edit" not in saved
    assert EVIL not in saved
    assert entry().facts == replace(ENERGY, title=EVIL)
    left = technician.get(f"{here}?row", headers=HTMX).content.decode()
    assert left.startswith("<tr")
    assert "row-edit" not in left
    assert Change.objects.filter(kind=Change.Kind.CATALOG).first().fields == {"title": ["Import, all rates", EVIL]}


def test_an_entrys_page_saves_it_unchanged_and_tells_its_history(technician, meter_type) -> None:
    for code in ("1-0:1.8.0*255", "1-0:32.7.0*255"):
        here = url("catalog_entry", meter_type.pk, entry(code).pk)
        page = technician.get(here)
        data = {name: value or "" for name, value in page.context["form"].initial.items()}
        assert technician.post(here, data).url == url("type_catalog", meter_type.pk)
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]
    assert len(page.context["changes"]) == 1
    assert "the tests" in page.content.decode()


def test_a_learned_entry_names_its_meter(technician, meter_type) -> None:
    meter = make_meter()
    put_objects(
        user="x", meter_type=meter_type, objects=[replace(ENERGY, base_name=8)], origin="it", learned_from=meter
    )
    page = technician.get(url("catalog_entry", meter_type.pk, entry().pk)).content.decode()
    assert meter.get_absolute_url() in page


# -- many at once ------------------------------------------------------------------------------------------------------


def test_entries_are_put_into_a_group(technician, meter_type) -> None:
    ids = [entry().pk, entry("1-0:32.7.0*255").pk]
    data = {"ids": ids, "do": "group", "group": "Quality", "query": "q=8"}
    answer = technician.post(url("catalog_bulk", meter_type.pk), data, follow=True)
    assert answer.redirect_chain[0][0] == f"{url('type_catalog', meter_type.pk)}?q=8"
    assert "2 entries are in the group “Quality”; 2 changed." in answer.content.decode()
    assert {facts.group for facts in catalog_facts(meter_type.pk)} == {"Quality"}
    refused = technician.post(url("catalog_bulk", meter_type.pk), {**data, "group": "g" * 61}, follow=True)
    assert "Nothing was changed" in refused.content.decode()


def test_entries_are_deleted_after_a_page_that_says_so(technician, meter_type) -> None:
    data = {"ids": [entry().pk, "x", "-1"], "do": "delete"}
    asked = technician.post(url("catalog_bulk", meter_type.pk), data).content.decode()
    assert "1-0:1.8.0*255" in asked
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]
    technician.post(url("catalog_bulk", meter_type.pk), {**data, "sure": "1"})
    assert catalog_facts(meter_type.pk) == [VOLTAGE]


def test_all_that_match_are_chosen_without_naming_them(technician, meter_type) -> None:
    data = {"all": "1", "do": "delete", "sure": "1", "query": "group=Energy"}
    technician.post(url("catalog_bulk", meter_type.pk), data)
    assert catalog_facts(meter_type.pk) == [VOLTAGE]


def test_nothing_chosen_is_said(technician, meter_type) -> None:
    answer = technician.post(url("catalog_bulk", meter_type.pk), {"do": "delete", "sure": "1"}, follow=True)
    assert "No entry is chosen." in answer.content.decode()


def test_entries_of_another_type_are_not_touched(technician, meter_type) -> None:
    other = MeterType.objects.create(model="other")
    technician.post(url("catalog_bulk", other.pk), {"ids": [entry().pk], "do": "delete", "sure": "1"})
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]


# -- files -------------------------------------------------------------------------------------------------------------


def test_what_is_exported_is_imported_without_a_change(technician, meter_type) -> None:
    sent = technician.get(url("catalog_export", meter_type.pk))
    assert sent.headers["Content-Type"].startswith("text/csv")
    assert 'filename="catalog-acme-x200-' in sent.headers["Content-Disposition"]
    upload = SimpleUploadedFile("mine.csv", sent.content)
    answer = technician.post(url("catalog_import", meter_type.pk), {"file": upload})
    assert answer.context["counts"] == {"faulty": 0, "new": 0, "changed": 0, "unchanged": 2}
    assert "The catalog says all of it already." in answer.content.decode()
    filtered = technician.get(url("catalog_export", meter_type.pk), {"group": "Energy"}).content.decode()
    assert "32.7.0" not in filtered


def test_a_dry_run_writes_nothing_and_marks_each_faulty_row(technician, meter_type) -> None:
    text = "code,class,title,unit\n1-0:1.8.0,3,New title,Wh\n1-0:2.8.0,3,Export,kWh\n1-0:32.7.0,3,,V\n1-0:52.7.0,3,,V\n"
    answer = technician.post(url("catalog_import", meter_type.pk), {"text": text})
    assert answer.context["counts"] == {"faulty": 1, "new": 1, "changed": 1, "unchanged": 1}
    assert "the scaler 3" in answer.content.decode()
    refused = technician.post(url("catalog_import", meter_type.pk), {"text": text, "apply": "1"})
    assert refused.status_code == 200
    assert catalog_facts(meter_type.pk) == [ENERGY, VOLTAGE]
    mended = {"text": text.replace("kWh", "Wh"), "apply": "1", "name": "mine.csv"}
    assert technician.post(url("catalog_import", meter_type.pk), mended).url == url("type_catalog", meter_type.pk)
    assert [facts.title for facts in catalog_facts(meter_type.pk)] == ["New title", "Export", "", ""]
    assert entry("1-0:2.8.0*255").origin == "mine.csv"
    assert len(set(Change.objects.filter(message="mine.csv").values_list("request_id", flat=True))) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"text": ""}, "There is nothing in it"),
        ({"text": "name\nx"}, "No column is called “code”"),
        ({"text": 'code\n"1-0'}, "is no CSV"),
        ({"file": SimpleUploadedFile("x.csv", b"\x00\x01\x02PK")}, "is no text"),
        ({"file": SimpleUploadedFile("x.csv", b"a" * 2_000_001)}, "at most 2000000"),
        ({"text": "code\n" + "1-0:1.8.0\n" * 20_001}, "at most 20000"),
    ],
)
def test_files_that_cannot_be_read_say_why(technician, meter_type, data, words) -> None:
    page = technician.post(url("catalog_import", meter_type.pk), data)
    assert page.status_code == 200
    assert words in page.content.decode()


def test_a_formula_is_a_text(technician, meter_type) -> None:
    evil = '=HYPERLINK("http://x")'
    put_objects(user="x", meter_type=meter_type, objects=[replace(VOLTAGE, title=evil)], origin="x")
    sent = technician.get(url("catalog_export", meter_type.pk)).content.decode()
    assert "\"'=HYPERLINK(" in sent
    answer = technician.post(url("catalog_import", meter_type.pk), {"text": sent})
    assert answer.context["counts"]["unchanged"] == 2


# -- comparing ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def other():
    other = MeterType.objects.create(manufacturer="ACME", model="X300")
    export = replace(ENERGY, logical_name=ObisCode.parse("1-0:2.8.0*255"))
    put_objects(user="x", meter_type=other, objects=[replace(ENERGY, scaler=0, unit=31), export], origin="x")
    return other


def test_two_types_are_compared(technician, meter_type, other, django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(9):
        answer = technician.get(url("catalog_compare", meter_type.pk), {"other": other.pk})
    assert [number for _, _, number in answer.context["kinds"]] == [1, 1, 1, 0]
    page = answer.content.decode()
    assert "3 objects differ" in page
    assert "only in ACME X300" in page
    assert "<dt>unit</dt><dd>VAh</dd>" in page


@pytest.mark.parametrize(
    ("show", "codes"),
    [
        ("left", ["1-0:32.7.0*255"]),
        ("right", ["1-0:2.8.0*255"]),
        ("different", ["1-0:1.8.0*255"]),
        ("same", []),
        ("nonsense", ["1-0:1.8.0*255", "1-0:2.8.0*255", "1-0:32.7.0*255"]),
    ],
)
def test_a_comparison_is_filtered_and_exported(technician, meter_type, other, show, codes) -> None:
    query = {"other": other.pk, "show": show}
    answer = technician.get(url("catalog_compare", meter_type.pk), query)
    assert [str(row.facts.logical_name) for row in answer.context["compared"].object_list] == codes
    sent = technician.get(url("catalog_compare", meter_type.pk), {**query, "format": "csv"})
    lines = sent.content.decode().removeprefix("\ufeff").splitlines()
    assert lines[0] == "code,class,meaning,found,field,ACME X200,ACME X300"
    assert list(dict.fromkeys(line.split(",")[0] for line in lines[1:])) == codes


def test_two_types_that_agree(technician, meter_type) -> None:
    twin = MeterType.objects.create(model="twin")
    put_objects(user="x", meter_type=twin, objects=[ENERGY, VOLTAGE], origin="x")
    page = technician.get(url("catalog_compare", meter_type.pk), {"other": twin.pk}).content.decode()
    assert "Both sides say the same of every object." in page


def test_a_type_that_is_not_there_is_said(technician, meter_type) -> None:
    for other in ("999", "x", meter_type.pk):
        page = technician.get(url("catalog_compare", meter_type.pk), {"other": other})
        assert "This type is not there" in page.content.decode()


def test_the_changes_of_a_catalog_have_their_page(technician, meter_type) -> None:
    page = technician.get(url("catalog_changes", meter_type.pk)).content.decode()
    assert "3/1-0:32.7.0*255 of ACME X200" in page
    assert (
        "No change is recorded"
        in technician.get(url("catalog_changes", MeterType.objects.create(model="new").pk)).content.decode()
    )
