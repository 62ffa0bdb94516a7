"""Permanent addresses, QR codes and labels, for each person."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from meters import label_views
from meters.models import Meter
from tests.meters.builders import make_meter
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def meter() -> Meter:
    return make_meter(meter={"batch": "Lot 7", "name": EVIL})


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


def pages(meter: Meter) -> list[str]:
    return [
        reverse("meters:meter_label", args=[meter.pk]),
        reverse("meters:meter_qr", args=[meter.pk]),
        reverse("meters:batch_labels", args=[meter.batch_id]),
        reverse("meters:meter_by_serial", args=[meter.serial_number]),
        reverse("meters:meter_labels"),
    ]


@pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
def test_nobody_sees_anything_without_signing_in(client, meter, inactive: bool) -> None:
    if inactive:
        user = make_user("gone")
        client.force_login(user)
        user.is_active = False
        user.save()
    for url in pages(meter):
        for answer in (client.get(url), client.post(url)):
            assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={url}")


def test_a_permanent_address_leads_to_the_meter(technician, meter) -> None:
    answer = technician.get("/meters/by-serial/12345678/")
    assert (answer.status_code, answer.url) == (302, meter.get_absolute_url())
    odd = make_meter(meter={"serial_number": "AB/1 ä?#"}, line={"port": 1})
    assert technician.get(reverse("meters:meter_by_serial", args=["AB/1 ä?#"])).url == odd.get_absolute_url()


@pytest.mark.parametrize("serial", ["999", f"{EVIL}", "a\x00b", "x" * 500])
def test_a_serial_number_that_no_meter_has_says_how_to_go_on(technician, meter, serial: str) -> None:
    answer = technician.get(reverse("meters:meter_by_serial", args=[serial]))
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "Search for it" in text
    assert EVIL not in text


def test_the_code_is_an_image_that_may_do_nothing(technician, meter) -> None:
    answer = technician.get(pages(meter)[1])
    assert answer.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'self'" not in policy
    assert answer.content.startswith(b"<svg")


def test_one_label(technician, meter) -> None:
    text = technician.get(pages(meter)[0]).content.decode()
    assert "http://testserver/meters/by-serial/12345678/" in text
    assert text.count('<article class="label">') == 1
    assert "Maker M1" in text
    assert EVIL not in text
    assert pages(meter)[0] in technician.get(meter.get_absolute_url()).content.decode()


def test_labels_of_a_batch_in_few_queries(technician, meter, django_assert_max_num_queries) -> None:
    for n in range(30):
        make_meter(meter={"serial_number": f"b{n:02}", "batch": "Lot 7"}, line={"port": n + 1})
    with django_assert_max_num_queries(5):
        text = technician.get(pages(meter)[2]).content.decode()
    assert text.count('<article class="label">') == 31
    assert text.count('<section class="label-sheet"') == 2
    meter.batch.meters.update(batch=None)
    assert "No meter, no label" in technician.get(pages(meter)[2]).content.decode()


def test_labels_of_a_selection(technician, meter) -> None:
    other = make_meter(meter={"serial_number": "9"}, line={"port": 9})
    text = technician.post(pages(meter)[4], {"ids": [str(meter.pk), str(other.pk)]}).content.decode()
    assert text.count('<article class="label">') == 2
    text = technician.post(pages(meter)[4], {"all": "1", "query": "q=12345678"}).content.decode()
    assert text.count('<article class="label">') == 1
    for wrong in ({}, {"ids": "x"}, {"ids": "999999"}):
        answer = technician.post(pages(meter)[4], wrong, follow=True).content.decode()
        assert "Nothing to print" in answer or "No meter, no label" in answer


def test_more_labels_than_a_page_bears_are_said(technician, meter, monkeypatch) -> None:
    monkeypatch.setattr(label_views, "MAX_LABELS", 1)
    make_meter(meter={"serial_number": "0", "batch": "Lot 7"}, line={"port": 9})
    text = technician.get(pages(meter)[2]).content.decode()
    assert text.count('<article class="label">') == 1
    assert "first 1 by serial number" in text


def test_methods_and_tokens(technician, meter) -> None:
    for url in pages(meter)[:4]:
        assert technician.post(url).status_code == 405
    assert technician.get(pages(meter)[4]).status_code == 405
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("anna"))
    assert client.post(pages(meter)[4], {"ids": str(meter.pk)}).status_code == 403
    for name in ("meter_label", "meter_qr", "batch_labels"):
        assert technician.get(reverse(f"meters:{name}", args=[999])).status_code == 404
