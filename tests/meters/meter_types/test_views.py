"""Pages of meter types, for each person."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from meters.meter_types.services import save_type
from meters.meter_types.views import TABS
from meters.models import AssociationTemplate, MeterType
from tests.meters.builders import make_meter
from tests.meters.meter_types.builders import PUBLIC, READER, make_type
from tests.meters.meter_types.test_forms import TEMPLATE
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
EVIL = "<script>alert('xss')</script>"


@pytest.fixture
def meter_type() -> MeterType:
    return make_type(PUBLIC, READER)


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


def url(name: str, *args: object) -> str:
    return reverse(f"meters:{name}", args=args)


def shown(meter_type: MeterType) -> list[str]:
    return [url("type_list"), *(url(name, meter_type.pk) for name, _ in TABS)]


def forms(meter_type: MeterType) -> list[str]:
    template = meter_type.association_templates.first()
    return [
        url("type_add"),
        url("type_edit", meter_type.pk),
        url("template_add", meter_type.pk),
        url("template_edit", meter_type.pk, template.pk),
        url("type_apply", meter_type.pk),
    ]


def actions(meter_type: MeterType) -> list[str]:
    template = meter_type.association_templates.first()
    return [url("type_delete", meter_type.pk), url("template_delete", meter_type.pk, template.pk)]


@pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
def test_nobody_sees_or_does_anything_without_signing_in(client, meter_type, inactive: bool) -> None:
    if inactive:
        user = make_user("gone")
        client.force_login(user)
        user.is_active = False
        user.save()
    for address in [*shown(meter_type), *forms(meter_type), *actions(meter_type)]:
        for answer in (client.get(address), client.post(address, {"model": "x"})):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={address}")
    assert MeterType.objects.get().model == "M1"
    assert AssociationTemplate.objects.count() == 2


def test_a_technician_sees_every_page(technician, meter_type) -> None:
    for address in [*shown(meter_type), *forms(meter_type)]:
        assert technician.get(address).status_code == 200


def test_pages_are_read_and_actions_are_posted_with_the_token_of_the_page(technician, meter_type) -> None:
    for address in shown(meter_type):
        assert technician.post(address).status_code == 405
    for address in actions(meter_type):
        assert technician.get(address).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("anna"))
    for address in [*forms(meter_type), *actions(meter_type)]:
        assert strict.post(address).status_code == 403


def test_what_is_not_there_is_not_found(technician, meter_type) -> None:
    for name in ("type_detail", "type_edit", "type_changes", "template_add", "type_apply"):
        assert technician.get(url(name, 999)).status_code == 404
    other = make_type(PUBLIC, model="M2").association_templates.get()
    assert technician.get(url("template_edit", meter_type.pk, other.pk)).status_code == 404
    assert technician.post(url("template_delete", meter_type.pk, other.pk)).status_code == 404
    assert technician.post(url("type_delete", 999)).status_code == 404


def test_an_empty_list_says_what_to_do_and_a_search_that_finds_nothing_says_so(technician) -> None:
    assert "No meter types yet" in technician.get(url("type_list")).content.decode()
    assert "No type matches “xy”" in technician.get(url("type_list"), {"q": "x\x00y"}).content.decode()


@pytest.mark.parametrize("asked", ["maker", "m1", "KFM", "kfm", "2.0", "maker 2.0"])
def test_a_type_is_found_by_maker_code_model_and_firmware(technician, asked: str) -> None:
    make_type(flag_code="KFM", firmware="2.0")
    assert "Maker" in technician.get(url("type_list"), {"q": asked}).content.decode()


def test_a_type_is_added_changed_and_deleted(technician) -> None:
    data = {"model": "M1", "medium": "GAS", "flag_code": "kam", "framing": "HDLC", "max_info": "256"}
    answer = technician.post(url("type_add"), data)
    made = MeterType.objects.get()
    assert (answer.status_code, answer.url) == (302, made.get_absolute_url())
    technician.post(url("type_edit", made.pk), {**data, "model": "M2", "lockout_attempts": "4"})
    made.refresh_from_db()
    assert made.model == "M1", "a rule that is not whole was refused"
    technician.post(url("type_edit", made.pk), {**data, "model": "M2"})
    html = technician.get(url("type_changes", made.pk)).content.decode()
    for words in ("Kamstrup", "M2", "<del>M1</del>", "<ins>M2</ins>", "anna"):
        assert words in html
    answer = technician.post(url("type_delete", made.pk), follow=True)
    assert "Type Kamstrup M2 deleted" in answer.content.decode()
    assert not MeterType.objects.exists()


def test_a_type_of_meters_is_not_deleted_and_the_page_says_why(technician) -> None:
    meter = make_meter()
    html = technician.post(url("type_delete", meter.meter_type_id), follow=True).content.decode()
    assert "Maker M1 is the type of 1 meters: give them another type first." in html
    assert MeterType.objects.exists()


def test_two_types_of_one_name_are_refused_with_a_sentence(technician, meter_type) -> None:
    answer = technician.post(url("type_add"), {"manufacturer": "Maker", "model": "M1", "medium": "GAS"})
    assert "already exists" in answer.content.decode()
    assert MeterType.objects.count() == 1


def test_the_association_of_a_type_is_added_changed_and_deleted(technician, meter_type) -> None:
    technician.post(url("template_add", meter_type.pk), {**TEMPLATE, "name": "Management", "is_default": "on"})
    made = meter_type.association_templates.get(name="Management")
    assert made.is_default
    technician.post(url("template_edit", meter_type.pk, made.pk), {**TEMPLATE, "name": "Field"})
    html = technician.get(meter_type.get_absolute_url()).content.decode()
    assert "<td>Field" in html
    assert "<td>Management" not in html
    technician.post(url("template_delete", meter_type.pk, made.pk))
    assert meter_type.association_templates.count() == 2


def test_a_second_association_of_one_name_is_refused_at_its_page(technician, meter_type) -> None:
    answer = technician.post(url("template_add", meter_type.pk), TEMPLATE)
    assert "already exists" in answer.content.decode()
    assert meter_type.association_templates.count() == 2


def test_what_people_write_is_text(technician) -> None:
    made = make_type({**READER, "name": EVIL}, notes=EVIL, firmware=EVIL)
    for address in [*shown(made), *forms(made)]:
        assert EVIL not in technician.get(address).content.decode()


def test_the_page_says_what_a_type_bears(technician, meter_type) -> None:
    html = technician.get(meter_type.get_absolute_url()).content.decode()
    assert "no rule is known" in html
    assert "no limit is known" in html
    rule = {"lockout_attempts": 4, "lockout_window": 60, "lockout_minutes": 1440}
    made = make_type(model="M2", writes_in_total=50, **rule)
    html = technician.get(made.get_absolute_url()).content.decode()
    for words in ("4 wrong secrets within 60 minutes", "locks it for 1440 minutes", "50 in all"):
        assert words in html


def test_the_list_costs_the_same_for_one_type_and_for_forty(technician, meter_type, django_assert_num_queries) -> None:
    with django_assert_num_queries(6):  # sign-in session, user, count, types, meters and quirks of them
        technician.get(url("type_list"))
    MeterType.objects.bulk_create(MeterType(model=f"M{number}", manufacturer="Many") for number in range(40))
    with django_assert_num_queries(6):
        technician.get(url("type_list"))


def test_a_page_costs_the_same_for_many_associations(technician, meter_type, django_assert_num_queries) -> None:
    with django_assert_num_queries(5):  # sign-in session, user, type, associations, meters
        technician.get(meter_type.get_absolute_url())
    make_type(*({**PUBLIC, "name": str(number)} for number in range(20)), model="M2")
    with django_assert_num_queries(5):
        technician.get(meter_type.get_absolute_url())


class TestGivingDefaults:
    def test_what_would_change_is_shown_first_and_done_when_posted(self, technician) -> None:
        made = make_type(PUBLIC, window=1)
        meter = make_meter()
        save_type(user="anna", type_id=made.pk, values={"window": 3})
        address = url("type_apply", made.pk)
        html = technician.get(address, {"field": ["window", "associations", "nonsense"]}).content.decode()
        for words in ("<del>1</del>", "<ins>3</ins>", "Change 1 meter", meter.serial_number):
            assert words in html
        meter.refresh_from_db()
        assert meter.window == 1
        answer = technician.post(address, {"field": ["window"]}, follow=True)
        assert "1 meter changed." in answer.content.decode()
        meter.refresh_from_db()
        assert meter.window == 3
        html = technician.get(address, {"field": ["window"]}).content.decode()
        assert "All of its meters are as the type says" in html

    def test_nothing_chosen_changes_nothing_and_says_so(self, technician) -> None:
        made = make_type(window=3)
        answer = technician.post(url("type_apply", made.pk), {"field": ["serial_number"]})
        assert "Nothing was chosen." in answer.content.decode()

    def test_who_cannot_be_so_is_named(self, technician) -> None:
        made = make_type()
        meter = make_meter(meter={"framing": "HDLC", "address_octets": 1})
        save_type(user="anna", type_id=made.pk, values={"physical_address": 17})
        answer = technician.post(url("type_apply", made.pk), {"field": ["physical_address"]}, follow=True)
        assert f"{meter.serial_number} stays as it is: One octet has no room" in answer.content.decode()

    def test_a_preview_costs_the_same_for_one_meter_and_for_fifty(self, technician, django_assert_num_queries) -> None:
        made = make_type(PUBLIC, window=3)
        address = url("type_apply", made.pk)
        for number in range(60):
            make_meter(meter={"serial_number": f"s{number}", "window": 1})
            if number == 0:
                with django_assert_num_queries(7):  # sign-in session, user, type, templates, names, count, meters
                    technician.get(address, {"field": ["window"]})
        with django_assert_num_queries(8):  # and the associations of the meters
            html = technician.get(address, {"field": ["window", "associations"]}).content.decode()
        assert "and 10 more" in html
