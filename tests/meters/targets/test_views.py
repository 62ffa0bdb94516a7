"""The list of allowed targets: read by all, changed by administrators."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from meters.models import AllowedTarget
from meters.targets.services import record_refusal
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db

RULE = {"network": "10.20.0.0/16", "first_port": "4059", "last_port": "4062", "tcp": "on", "note": "lab 1"}


@pytest.fixture(autouse=True)
def _nothing_allowed(db) -> None:
    AllowedTarget.objects.all().delete()


def client_of(name: str, **fields) -> Client:
    client = Client()
    client.force_login(make_user(name, **fields))
    return client


@pytest.fixture
def admin() -> Client:
    return client_of("admin", is_staff=True)


@pytest.fixture
def technician() -> Client:
    return client_of("technician")


def rule(network: str = "10.0.0.0/8", **fields) -> AllowedTarget:
    return AllowedTarget.objects.create(network=network, **fields)


LIST, ADD = "meters:target_list", "meters:target_add"


def test_an_administrator_adds_changes_and_deletes(admin) -> None:
    assert admin.post(reverse(ADD), RULE).url == reverse(LIST)
    row = AllowedTarget.objects.get()
    html = admin.get(reverse(LIST)).content.decode()
    for shown in ("10.20.0.0/16", "4059–4062", "TCP", "everybody", "lab 1", "admin"):
        assert shown in html
    admin.post(row.get_absolute_url(), {**RULE, "udp": "on"})
    assert AllowedTarget.objects.get().kind_words == "TCP, UDP"
    admin.post(reverse("meters:target_delete", args=[row.pk]))
    assert not AllowedTarget.objects.exists()


def test_nobody_else_does(technician) -> None:
    row = rule()
    for address in (reverse(ADD), row.get_absolute_url()):
        assert technician.get(address).status_code == 403
        assert technician.post(address, RULE).status_code == 403
    assert technician.post(reverse("meters:target_delete", args=[row.pk])).status_code == 403
    assert AllowedTarget.objects.get() == row
    for address in (reverse(LIST), reverse(ADD)):
        assert Client().get(address).status_code == 302


def test_no_change_without_a_token_or_by_a_link() -> None:
    row = rule()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("admin", is_staff=True))
    assert strict.post(reverse("meters:target_delete", args=[row.pk])).status_code == 403
    assert strict.get(reverse("meters:target_delete", args=[row.pk])).status_code == 405
    assert AllowedTarget.objects.exists()


def test_others_read_what_counts_for_them(technician) -> None:
    rule("10.1.0.0/16", team=Group.objects.create(name="others"))
    rule("10.2.0.0/16")
    record_refusal(user=None, kind="TCP", host="10.9.9.9", port=1, reason="no rule", where="LINE")
    html = technician.get(reverse(LIST)).content.decode()
    assert "10.2.0.0/16" in html
    assert "10.1.0.0/16" not in html
    assert "10.9.9.9" not in html
    assert "administrators change them" in html


def test_what_was_refused_is_one_click_from_a_rule(admin) -> None:
    record_refusal(user=None, kind="UDP", host="10.9.9.9", port=4061, reason="no rule", where="LINE")
    html = admin.get(reverse(LIST)).content.decode()
    assert "host=10.9.9.9&amp;port=4061&amp;kind=UDP" in html
    form = admin.get(reverse(ADD), {"host": "10.9.9.9", "port": "4061", "kind": "UDP"}).context["form"]
    assert [form[name].value() for name in ("network", "first_port", "last_port", "tcp", "udp")] == [
        *("10.9.9.9", 4061, 4061, False, True)
    ]


@pytest.mark.parametrize("network", ["169.254.169.254", "0.0.0.0", "nonsense", "fe80::/64"])
def test_what_is_no_rule_says_why(admin, network: str) -> None:
    answer = admin.post(reverse(ADD), {**RULE, "network": network})
    assert answer.status_code == 200
    assert answer.context["form"].errors["network"]
    assert not AllowedTarget.objects.exists()


@pytest.mark.parametrize(("asked", "found"), [("10.0", True), ("lab", True), ("team 1", True), ("x\x00", False)])
def test_it_is_searched(admin, asked: str, found: bool) -> None:
    rule(note="lab 7", team=Group.objects.create(name="team 1"))
    html = admin.get(reverse(LIST), {"q": asked}).content.decode()
    assert ("10.0.0.0/8" in html) is found


def test_an_empty_list_says_what_to_do(admin, technician) -> None:
    assert "Allow the first target" in admin.get(reverse(LIST)).content.decode()
    assert "Ask an administrator" in technician.get(reverse(LIST)).content.decode()


def test_its_queries_do_not_grow(admin, django_assert_max_num_queries) -> None:
    for number in range(20):
        rule(f"10.{number}.0.0/16", team=Group.objects.create(name=str(number)))
    with django_assert_max_num_queries(6):
        admin.get(reverse(LIST))
