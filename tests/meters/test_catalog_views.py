"""The look-up page of OBIS codes."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.html import escape

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.services import put_objects
from meters.cosem.obis import ObisCode
from meters.models import MeterType
from tests.meters.cosem.test_obis_catalog import ROWS

pytestmark = pytest.mark.django_db
URL = "/meters/obis/"


@pytest.fixture
def ask(client, django_user_model):
    client.force_login(django_user_model.objects.create_user("technician"))
    return lambda q="", **headers: client.get(reverse("meters:obis_lookup"), {"q": q} if q else {}, headers=headers)


def test_only_for_those_who_signed_in(client):
    assert client.get(URL).status_code == 302


def test_nothing_asked_shows_examples(ask):
    page = ask().content.decode()
    assert "What does an OBIS code mean?" in page
    assert "?q=voltage%20L1" in page


@pytest.mark.parametrize(
    "q", ["1-0:1.8.2*255", "1-0:1.8.2", "1.8.2", "0100010802FF", "01 00 01 08 02 ff", "1.0.1.8.2.255", " 1-0:1.8.2 "]
)
def test_a_code_in_any_notation(ask, q):
    page = ask(q).content.decode()
    assert "Active energy import (+A), rate 2" in page
    assert "01 00 01 08 02 FF" in page
    assert "Register (3)" in page
    assert "Wh" in page
    assert page.count("time integral 1") == 1


@pytest.mark.parametrize("row", ROWS[::40], ids=lambda row: row["code"])
def test_codes_of_all_media_have_their_page(ask, row):
    page = ask(row["code"]).content.decode()
    assert f'<h2 id="obis-words">{escape(row["words"])}</h2>' in page
    assert "unknown" not in page.lower()


def test_words_list_codes_that_lead_on(ask):
    page = ask("voltage l1").content.decode()
    assert "1-0:32.7.0*255" in page
    assert "?q=1-0%3A32.7.0%2A255" in page
    assert "codes for “voltage l1”" in page


def test_more_than_fits_is_said(ask):
    answer = ask("energy")
    assert "the 200 nearest are shown" in answer.content.decode()
    assert len(answer.context["found"]) == 200


@pytest.mark.parametrize("q", ["qqqq", "1-0:1.8.999*255", "<script>alert(1)</script>", "\x00", "é" * 500])
def test_what_is_no_code_says_how_one_is_written(ask, q):
    answer = ask(q)
    assert answer.status_code == 200
    assert "No code is known" in answer.content.decode()
    assert b"<script>alert" not in answer.content


def test_a_makers_code_says_so(ask):
    assert "in the manufacturers' range" in ask("1-0:150.7.0").content.decode()
    assert "manufacturers" not in ask("1-0:1.7.0").content.decode()


def test_htmx_gets_the_answer_only_and_caches_keep_them_apart(ask):
    answer = ask("clock", **{"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"0-0:1.0.0*255" in answer.content
    assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize(
    ("asked", "address"),
    [("voltage l2", "/meters/obis/?q=voltage+l2"), ("a&b", "/meters/obis/?q=a%26b"), ("", "/meters/obis/")],
)
def test_the_address_that_htmx_shows_has_nothing_empty_in_it(client, ask, asked, address):
    ask()
    answer = client.get(URL, {"q": asked, "type": ""}, headers={"HX-Request": "true"})
    assert answer["HX-Push-Url"] == address


def test_no_query_is_made_for_the_standard_catalog(ask, django_assert_num_queries):
    with django_assert_num_queries(3):  # the session, its user, and the types that can be chosen
        ask("voltage")


class TestMeterTypes:
    """What the catalogs of meter types say of a code."""

    @pytest.fixture
    def meter_type(self):
        meter_type = MeterType.objects.create(manufacturer="ACME", model="X200")
        own = ObjectFacts(class_id=3, logical_name=ObisCode.parse("1-0:32.7.0*255"), title="U phase one", unit=35)
        put_objects(user="x", meter_type=meter_type, objects=[own], origin="x")
        return meter_type

    def test_the_types_that_have_a_code_are_named(self, ask, meter_type):
        page = ask("32.7.0").content.decode()
        assert "Meter types that have it" in page
        assert "U phase one" in page
        assert reverse("meters:type_catalog", args=[meter_type.pk]) in page
        assert "Meter types that have it" not in ask("52.7.0").content.decode()

    def test_a_chosen_type_stands_over_the_standard(self, client, ask, meter_type):
        answer = client.get(URL, {"q": "32.7.0", "type": meter_type.pk})
        assert [shown.title for shown in answer.context["own"]] == ["U phase one"]
        page = answer.content.decode()
        assert "At ACME X200" in page
        assert "selected>as ACME X200 has it" in page
        none = client.get(URL, {"q": "52.7.0", "type": meter_type.pk}).content.decode()
        assert "has no entry with this code: the standard counts." in none

    def test_words_find_the_types_own_titles(self, client, ask, meter_type):
        answer = client.get(URL, {"q": "phase one", "type": meter_type.pk})
        assert [shown.row.logical_name for shown in answer.context["own"]] == ["1-0:32.7.0*255"]

    @pytest.mark.parametrize("chosen", ["999", "x", "²", "9" * 30])
    def test_a_type_that_is_not_there_is_none(self, client, ask, meter_type, chosen):
        answer = client.get(URL, {"q": "32.7.0", "type": chosen})
        assert answer.context["chosen"] is None
        assert answer.status_code == 200

    def test_queries_are_bounded(self, client, ask, meter_type, django_assert_max_num_queries):
        for q in ("32.7.0", "voltage", ""):
            with django_assert_max_num_queries(6):
                client.get(URL, {"q": q, "type": meter_type.pk})
