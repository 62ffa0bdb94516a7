"""Pages of lines: who may see them, what stands there, and that they ask little of the database."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from meters.lines.health import line_failed, line_worked
from meters.lines.services import save_line
from meters.models import AllowedTarget, Line
from sessions.leases import claim_session
from tests.meters.builders import make_meter
from tests.sessions.builders import make_frames, make_session, make_user

pytestmark = pytest.mark.django_db

TCP = {"kind": "TCP", "host": "10.0.0.7", "port": 4059, "name": "rack 7"}
POSTED = {**TCP, "parity": "N"}


@pytest.fixture
def technician() -> Client:
    client = Client()
    client.force_login(make_user())
    return client


@pytest.fixture
def line() -> Line:
    return save_line(user=make_user(), line=TCP)


def url(name: str, line: Line | None = None) -> str:
    return reverse(f"meters:{name}", args=[line.pk] if line else [])


def page(client: Client, name: str, line: Line | None = None, **query: str) -> str:
    answer = client.get(url(name, line), query)
    assert answer.status_code == 200
    return answer.content.decode()


PAGES = ["line_list", "line_add", "line_detail", "line_edit", "line_changes"]


@pytest.mark.parametrize("name", PAGES)
def test_who_is_signed_in_sees_them(technician, line, name: str) -> None:
    address = url(name, line if name not in ("line_list", "line_add") else None)
    assert technician.get(address).status_code == 200
    refused = Client().get(address)
    assert (refused.status_code, refused.url.split("?")[0]) == (302, "/accounts/login/")


@pytest.mark.parametrize("name", ["line_detail", "line_edit", "line_changes"])
def test_a_line_that_is_not_there(technician, name: str) -> None:
    assert technician.get(reverse(f"meters:{name}", args=[99])).status_code == 404


def test_nothing_is_changed_without_a_token_or_by_a_link(line) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user())
    assert strict.post(url("line_delete", line)).status_code == 403
    assert strict.post(url("line_add"), POSTED).status_code == 403
    assert strict.get(url("line_delete", line)).status_code == 405
    assert Line.objects.count() == 1


class TestList:
    def test_what_stands_there(self, technician, line) -> None:
        failing = make_meter(line={"port": 5000}).line
        line_worked(line_id=line.pk)
        line_failed(line_id=failing.pk, error={"layer": "line", "message": "It refused <b>us</b>."})
        html = page(technician, "line_list")
        for shown in (
            "rack 7",
            "10.0.0.7:4059",
            "127.0.0.1:5000",
            "Works",
            "Fails",
            "It refused &lt;b&gt;us&lt;/b&gt;.",
        ):
            assert shown in html

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"q": "RACK"}, True),
            ({"q": "10.0.0"}, True),
            ({"q": "10.0.0.7:4059"}, True),
            ({"q": "10.0.0.7:4060"}, False),
            ({"q": "shelf"}, False),
            ({"q": "\x00"}, True),
            ({"kind": "TCP"}, True),
            ({"kind": "UDP"}, False),
            ({"kind": "nonsense"}, True),
            ({"health": "works"}, True),
            ({"health": "fails"}, False),
            ({"health": "unknown"}, False),
            ({"page": "99"}, True),
            ({"page": "x"}, True),
        ],
    )
    def test_it_is_narrowed(self, technician, line, query: dict, found: bool) -> None:
        line_worked(line_id=line.pk)
        html = page(technician, "line_list", **query)
        assert (line.get_absolute_url() in html) is found
        assert ("No line matches" in html) is not found

    def test_an_empty_one_says_what_to_do(self, technician) -> None:
        assert "Add the first line" in page(technician, "line_list")

    def test_the_holder(self, technician) -> None:
        dlms_session = make_session(make_meter(meter={"framing": "HDLC"}))
        assert "free" in page(technician, "line_list")
        claim_session(dlms_session.pk)
        html = page(technician, "line_list")
        assert dlms_session.get_absolute_url() in html

    def test_its_queries_do_not_grow(self, technician, django_assert_num_queries) -> None:
        counts = []
        for number in range(1, 13):
            meter = make_meter(meter={"serial_number": str(number)}, line={"port": number})
            claim_session(make_session(meter).pk)
            if number in (2, 12):
                counts.append(number)
                with django_assert_num_queries(6):
                    technician.get(url("line_list"))
        assert counts == [2, 12]


class TestDetail:
    def test_what_stands_there(self, technician) -> None:
        meter = make_meter(meter={"framing": "HDLC", "serial_number": "4711"})
        dlms_session = make_session(meter)
        claim_session(dlms_session.pk)
        make_frames(dlms_session, 2)
        line_failed(line_id=meter.line_id, error={"layer": "line", "message": "refused", "hint": "Look there."})
        html = page(technician, "line_detail", meter.line)
        for shown in ("4711", dlms_session.get_absolute_url(), "refused", "Look there.", "Test line"):
            assert shown in html
        assert "Delete this line" in html

    def test_a_line_that_is_not_allowed_says_who_can_allow_it(self, technician, line) -> None:
        assert "not on your list" not in page(technician, "line_detail", line)
        AllowedTarget.objects.all().delete()
        html = page(technician, "line_detail", line)
        assert "not on your list of allowed targets" in html
        assert reverse("meters:target_list") in html

    def test_its_queries_are_few(self, technician, line, django_assert_max_num_queries) -> None:
        for number in range(5):
            meter = make_meter(meter={"serial_number": str(number)}, line=TCP)
            make_session(meter)
        with django_assert_max_num_queries(13):
            technician.get(url("line_detail", line))


class TestEdit:
    def test_add(self, technician) -> None:
        answer = technician.post(url("line_add"), POSTED)
        made = Line.objects.get()
        assert answer.url == made.get_absolute_url()
        assert made.describe() == "10.0.0.7:4059"

    def test_what_is_refused_stands_at_its_field(self, technician) -> None:
        html = technician.post(url("line_add"), {**POSTED, "host": "172.16.0.1"}).content.decode()
        assert "172.16.0.1 port 4059 is not on your list of allowed targets" in html
        assert "An administrator can allow it" in html
        assert not Line.objects.exists()

    def test_edit(self, technician, line) -> None:
        technician.post(url("line_edit", line), {**POSTED, "name": "shelf"})
        line.refresh_from_db()
        assert line.name == "shelf"
        assert "shelf" in page(technician, "line_changes", line)

    def test_two_of_the_same(self, technician, line) -> None:
        html = technician.post(url("line_add"), POSTED).content.decode()
        assert "There is such a line already: rack 7" in html

    def test_delete(self, technician, line) -> None:
        assert technician.post(url("line_delete", line)).url == url("line_list")
        assert not Line.objects.exists()

    def test_not_while_meters_hang_on_it(self, technician) -> None:
        meter = make_meter()
        answer = technician.post(url("line_delete", meter.line), follow=True)
        assert "1 meter hangs on this line" in answer.content.decode()
        assert Line.objects.exists()

    def test_a_meter_that_is_added_there_hangs_there(self, technician, line) -> None:
        html = technician.get(reverse("meters:meter_add"), {"line": line.pk}).content.decode()
        assert f'value="#{line.pk}"' in html
        assert "rack 7" in html
