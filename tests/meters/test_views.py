"""Pages of the inventory, for each person, with their queries counted."""

from __future__ import annotations

import pytest
from django.urls import reverse

from meters.models import InvocationCounter, Meter
from meters.services import learn_invocation_counter
from tests.meters.builders import GUEK, make_ciphered_meter, make_meter
from tests.meters.meter_types.builders import PUBLIC, READER, make_type
from tests.meters.test_forms import GMAC, WRAPPER
from tests.sessions.builders import make_session, make_user

pytestmark = pytest.mark.django_db

EVIL = "<script>alert('xss')</script>"


@pytest.fixture
def technician(client):
    client.force_login(make_user())
    return client


def pages(meter: Meter) -> list[str]:
    return [
        reverse("meters:meter_list"),
        reverse("meters:meter_add"),
        reverse("meters:meter_detail", args=[meter.pk]),
        reverse("meters:meter_edit", args=[meter.pk]),
    ]


def test_nobody_sees_anything_without_signing_in(client) -> None:
    for url in pages(make_meter()):
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code == 302
            assert answer.url == f"/accounts/login/?next={url}"


def test_a_signed_in_person_sees_every_page(technician) -> None:
    for url in pages(make_meter()):
        assert technician.get(url).status_code == 200


def test_what_is_not_there_is_not_found(technician) -> None:
    assert technician.get("/meters/999/").status_code == 404
    assert technician.get("/meters/999/edit/").status_code == 404


def test_lists_and_details_are_only_read(technician) -> None:
    meter = make_meter()
    assert technician.post(reverse("meters:meter_list")).status_code == 405
    assert technician.post(reverse("meters:meter_detail", args=[meter.pk])).status_code == 405


def test_a_meter_of_short_names_is_saved_shown_and_edited(technician) -> None:
    answer = technician.post(reverse("meters:meter_add"), {**WRAPPER, "referencing": "short-names"})
    assert answer.status_code == 302
    meter = Meter.objects.get()
    assert meter.associations.get().referencing == "short-names"
    assert "short names" in technician.get(meter.get_absolute_url()).content.decode()
    form = technician.get(reverse("meters:meter_edit", args=[meter.pk])).content.decode()
    assert '<option value="short-names" selected>' in form


def test_a_way_to_refer_to_objects_that_is_none_is_refused_with_the_reason(technician) -> None:
    answer = technician.post(reverse("meters:meter_add"), {**WRAPPER, "referencing": "nick-names"})
    assert answer.status_code in (200, 422)
    assert "nick-names is not one of the available choices" in answer.content.decode()
    assert not Meter.objects.exists()


def test_the_sign_on_of_a_meter_is_shown(technician) -> None:
    meter = make_meter(meter={"framing": "MODE_E", "physical_address": 17, "sign_on_address": "00077"})
    html = technician.get(meter.get_absolute_url()).content.decode()
    for shown in ("HDLC with mode E sign-on", "device address 00077", "sign-on at 300 Bd", "physical address 17"):
        assert shown in html


class TestList:
    def test_shows_what_a_technician_looks_for(self, technician) -> None:
        meter = make_meter(meter={"framing": "HDLC", "physical_address": 17})
        make_session(meter)
        html = technician.get("/meters/").content.decode()
        for shown in (
            "12345678",
            "bench",
            "Maker M1",
            "127.0.0.1:4059",
            "HDLC",
            "physical 17",
            "LLS",
            "never",
            "Queued",
        ):
            assert shown in html

    def test_an_empty_inventory_says_what_to_do(self, technician) -> None:
        html = technician.get("/meters/").content.decode()
        assert "No meters yet" in html
        assert reverse("meters:meter_add") in html

    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("1234", True),
            ("BENCH", True),
            ("maker m1", True),
            ("127.0.0.1", True),
            ("bench nowhere", False),
            ("9", False),
        ],
    )
    def test_the_search_wants_every_word(self, technician, asked: str, found: bool) -> None:
        make_meter()
        html = technician.get("/meters/", {"q": asked}).content.decode()
        assert ("12345678" in html) is found
        assert ("No meter matches" in html) is not found

    def test_with_htmx_only_the_table_comes(self, technician) -> None:
        make_meter()
        answer = technician.get("/meters/", {"q": "bench"}, headers={"HX-Request": "true"})
        assert b"<html" not in answer.content
        assert b"12345678" in answer.content
        assert "HX-Request" in answer.headers["Vary"]

    @pytest.mark.parametrize("sort", ["serial_number", "-serial_number", "name", "meter_type", "line", "-last_session"])
    def test_sorts(self, technician, sort: str) -> None:
        for serial in ("1", "2"):
            make_meter(meter={"serial_number": serial, "name": f"meter {serial}", "model": f"M{serial}"})
        html = technician.get("/meters/", {"sort": sort}).content.decode()
        first_is_one = html.index("meter 1") < html.index("meter 2")
        assert first_is_one is not (sort == "-serial_number")
        assert 'aria-sort="' in html

    @pytest.mark.parametrize("sort", ["nonsense", "-pk'", "meter_type__x"])
    def test_a_strange_sort_is_ignored(self, technician, sort: str) -> None:
        make_meter()
        assert technician.get("/meters/", {"sort": sort}).status_code == 200

    def test_costs_the_same_for_one_meter_and_for_twenty(self, technician, django_assert_num_queries) -> None:
        make_session(make_meter())
        # sign-in session, user, columns, count, meters, associations, their last sessions (2), and what can be chosen (4)
        with django_assert_num_queries(12):
            technician.get("/meters/")
        for number in range(20):
            make_session(make_meter(meter={"serial_number": f"m{number}"}, line={"port": 5000 + number}))
        with django_assert_num_queries(12):
            technician.get("/meters/")
        with django_assert_num_queries(8):
            technician.get("/meters/", headers={"HX-Request": "true"})

    def test_escapes_what_people_and_meters_say(self, technician) -> None:
        make_meter(meter={"serial_number": EVIL, "name": EVIL, "model": EVIL})
        html = technician.get("/meters/", {"q": "<script>"}).content.decode()
        assert EVIL not in html
        assert "&lt;script&gt;" in html


class TestDetail:
    def test_shows_keys_by_reference_only(self, technician) -> None:
        meter = make_ciphered_meter()
        version = meter.keys.get(slot="GUEK").current
        html = technician.get(meter.get_absolute_url()).content.decode()
        assert "GUEK" in html
        assert f"version {version.number}, fingerprint {version.short_fingerprint}, not proven yet" in html
        assert GUEK.hex() not in html.lower()
        assert version.fingerprint not in html

    def test_shows_the_next_counter_of_the_keys_in_use(self, technician) -> None:
        meter = make_ciphered_meter()
        fingerprint = meter.keys.get(slot="GUEK").current.fingerprint
        learn_invocation_counter(fingerprint=fingerprint, system_title="4d57424d57422d31", meter_value=4710)
        assert "4711" in technician.get(meter.get_absolute_url()).content.decode()

    def test_lists_its_sessions_and_nobody_elses(self, technician) -> None:
        meter, other = make_meter(), make_meter(meter={"serial_number": "other"}, line={"port": 5})
        mine, theirs = make_session(meter), make_session(other)
        html = technician.get(meter.get_absolute_url()).content.decode()
        assert mine.get_absolute_url() in html
        assert theirs.get_absolute_url() not in html

    def test_costs_the_same_for_one_session_and_for_twenty(self, technician, django_assert_num_queries) -> None:
        meter = make_ciphered_meter()
        make_session(meter)
        with django_assert_num_queries(14):
            technician.get(meter.get_absolute_url())
        for _ in range(19):
            make_session(meter)
        with django_assert_num_queries(14):
            technician.get(meter.get_absolute_url())

    def test_without_an_association_it_says_so(self, technician) -> None:
        meter = make_meter(association={"authentication": "none"}, secrets={"LLS_SECRET": b""})
        meter.associations.all().delete()
        html = technician.get(meter.get_absolute_url()).content.decode()
        assert "No association yet" in html


class TestSaving:
    def test_a_new_meter_leads_to_its_page(self, technician) -> None:
        answer = technician.post(reverse("meters:meter_add"), WRAPPER)
        meter = Meter.objects.get(serial_number="4711")
        assert (answer.status_code, answer.url) == (302, meter.get_absolute_url())

    def test_a_refused_field_keeps_the_rest_but_no_secret(self, technician) -> None:
        answer = technician.post(reverse("meters:meter_add"), {**WRAPPER, "port": "70000", "secret": "mysecret"})
        html = answer.content.decode()
        assert answer.status_code == 200
        assert 'value="192.0.2.1"' in html
        assert "less than or equal to 65535" in html
        assert 'id="id_port"' in html
        assert "mysecret" not in html
        assert not Meter.objects.exists()

    def test_the_counter_goes_on_where_it_is_told(self, technician) -> None:
        technician.post(reverse("meters:meter_add"), {**WRAPPER, **GMAC, "invocation_counter": "0x1000"})
        assert InvocationCounter.objects.get().next_value == 0x1000

    def test_changing_a_meter_keeps_its_secret(self, technician) -> None:
        meter = make_meter()
        data = {**WRAPPER, "serial_number": "12345678", "secret": "", "name": "renamed"}
        answer = technician.post(reverse("meters:meter_edit", args=[meter.pk]), data)
        assert answer.status_code == 302
        meter.refresh_from_db()
        assert meter.name == "renamed"
        assert meter.keys.get().versions.count() == 1

    def test_a_sealed_vault_is_said_and_nothing_is_half_saved(self, technician, settings, tmp_path) -> None:
        settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "nowhere"
        answer = technician.post(reverse("meters:meter_add"), WRAPPER)
        assert answer.status_code == 200
        assert b"WORKBENCH_MASTER_KEY" in answer.content
        assert not Meter.objects.exists()

    def test_the_form_is_not_kept_by_caches(self, technician) -> None:
        assert "no-store" in technician.get(reverse("meters:meter_add")).headers["Cache-Control"]


class TestPrefilling:
    """Choosing a type fills the form of a new meter."""

    def prefill(self, technician, meter_type="", **typed: str):
        return technician.post(reverse("meters:meter_prefill"), {**WRAPPER, "meter_type": meter_type, **typed})

    def test_the_form_comes_back_as_the_type_says(self, technician) -> None:
        made = make_type(READER, framing="HDLC", physical_address=17)
        answer = self.prefill(technician, str(made.pk), serial_number="4711")
        html = answer.content.decode()
        assert html.startswith("<form")
        assert 'name="physical_address" value="17"' in html
        assert 'name="serial_number" value="4711"' in html
        assert 'name="association_name" value="Reader"' in html
        assert not Meter.objects.exists()

    def test_no_secret_comes_back(self, technician) -> None:
        made = make_type(READER)
        for chosen in (str(made.pk), ""):
            html = self.prefill(technician, chosen, secret="hush-hush", guek="00" * 16).content.decode()
            assert "hush-hush" not in html
            assert "00" * 16 not in html

    def test_a_type_that_is_gone_is_not_found_and_nonsense_is_no_type(self, technician) -> None:
        assert self.prefill(technician, "999").status_code == 404
        assert self.prefill(technician, "M1").status_code == 200

    def test_it_is_posted_by_who_signed_in(self, technician, client) -> None:
        assert technician.get(reverse("meters:meter_prefill")).status_code == 405
        technician.logout()
        assert self.prefill(technician).status_code == 302

    def test_what_was_filled_is_saved_with_the_type_and_its_other_associations(self, technician) -> None:
        made = make_type(READER, PUBLIC, framing="HDLC", physical_address=17)
        data = {**WRAPPER, "meter_type": str(made.pk), "manufacturer": "", "model": "", "association_name": "Reader"}
        assert technician.post(reverse("meters:meter_add"), data).status_code == 302
        meter = Meter.objects.get()
        assert meter.meter_type == made
        assert {each.name for each in meter.associations.all()} == {"Reader", "Public"}
