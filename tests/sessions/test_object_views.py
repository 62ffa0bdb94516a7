"""The object browser's pages, for each person: lists, objects with their attributes and methods, typed forms."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from meters.catalogs.facts import ObjectFacts
from meters.catalogs.rights import ClientRights
from meters.catalogs.services import put_objects
from meters.cosem.data import (
    array,
    boolean,
    double_long_unsigned,
    enum,
    integer,
    long,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.models import DlmsSession, Step
from sessions.snapshot_file import parse_snapshot
from tests.meters.builders import make_meter
from tests.sessions.builders import make_read, make_session, make_user

pytestmark = pytest.mark.django_db

EVIL = "<img src=x onerror=alert(1)>"
HTMX = {"HX-Request": "true"}
RELAY = "0-0:96.3.10*255"
ASSOCIATION = "0-0:40.0.0*255"
CLOCK = "0-0:1.0.0*255"


@pytest.fixture
def technician(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def dlms_session() -> DlmsSession:
    return make_session()


def url(name: str, *args: object) -> str:
    return reverse(f"sessions:{name}", args=args)


def read_urls(dlms_session: DlmsSession) -> list[str]:
    return [
        url("object_list", dlms_session.pk),
        url("object_detail", dlms_session.pk, 70, RELAY),
        url("console_form", dlms_session.pk, "READ"),
        url("console_form", dlms_session.pk, "READ_PROFILE"),
        url("console_form", dlms_session.pk, "WRITE"),
        url("console_form", dlms_session.pk, "INVOKE"),
    ]


def write_urls(dlms_session: DlmsSession) -> list[str]:
    return [url("object_read", dlms_session.pk, 70, RELAY)]


def read_list(
    dlms_session: DlmsSession, attributes: dict[int, int], methods: dict[int, bool], version: int = 0
) -> Step:
    rights = structure(
        array(*(structure(integer(number), enum(mode), null()) for number, mode in attributes.items())),
        array(*(structure(integer(number), boolean(mode)) for number, mode in methods.items())),
    )
    row = structure(long_unsigned(70), unsigned(version), octet_string(ObisCode.parse(RELAY).octets), rights)
    return make_read(dlms_session, 15, ASSOCIATION, 2, array(row))


class TestSnapshot:
    def test_a_signed_in_person_takes_it_along(self, technician) -> None:
        dlms_session = make_session(meter=make_meter(meter={"serial_number": "1EMH/007"}))
        address = url("object_snapshot", dlms_session.pk)
        assert technician.get(address).status_code == 404
        assert "Snapshot" not in technician.get(url("object_list", dlms_session.pk)).content.decode()
        read_list(dlms_session, {2: 1}, {1: True})
        assert address in technician.get(url("object_list", dlms_session.pk)).content.decode()
        answer = technician.get(address)
        assert answer.status_code == 200
        name = f"1EMH007-session-{dlms_session.pk}.snapshot.json"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert answer.headers["Cache-Control"] == "no-store"
        (relay,) = parse_snapshot(answer.getvalue()).objects
        assert str(relay.logical_name) == RELAY
        assert technician.post(address).status_code == 405

    def test_nobody_else_does(self, client, dlms_session) -> None:
        answer = client.get(url("object_snapshot", dlms_session.pk))
        assert (answer.status_code, answer.url.startswith("/accounts/login/")) == (302, True)

    def test_a_session_that_is_not_there(self, technician) -> None:
        assert technician.get(url("object_snapshot", 999_999)).status_code == 404


class TestWhoMayDoWhat:
    def test_nobody_sees_or_does_anything_without_signing_in(self, client, dlms_session) -> None:
        for address in read_urls(dlms_session) + write_urls(dlms_session):
            for answer in (client.get(address), client.post(address)):
                assert answer.status_code == 302
                assert answer.url.startswith("/accounts/login/?next=")
        assert not Step.objects.exists()

    @pytest.mark.parametrize("headers", [{}, HTMX])
    def test_a_signed_in_person_reads_everything(self, technician, dlms_session, headers) -> None:
        for address in read_urls(dlms_session):
            answer = technician.get(address, headers=headers)
            assert answer.status_code == 200
            assert (b"<html" in answer.content) is not bool(headers)
            assert answer.headers["Cache-Control"] == "no-store"
        assert not Step.objects.exists()

    def test_reading_changes_nothing_and_changing_is_never_a_get(self, technician, dlms_session) -> None:
        for address in write_urls(dlms_session):
            assert technician.get(address).status_code == 405
        for address in read_urls(dlms_session):
            assert technician.post(address).status_code == 405

    def test_forms_from_elsewhere_are_refused(self, client, dlms_session) -> None:
        client.handler.enforce_csrf_checks = True
        client.force_login(make_user())
        for address in write_urls(dlms_session):
            assert client.post(address).status_code == 403

    def test_what_is_not_there_is_not_found(self, technician, dlms_session) -> None:
        for address in (
            url("object_list", 999),
            url("object_detail", 999, 70, RELAY),
            url("object_detail", dlms_session.pk, 65536, RELAY),
            url("object_detail", dlms_session.pk, 70, "clock"),
            url("console_form", dlms_session.pk, "EXPLODE"),
            url("console_form", 999, "READ"),
        ):
            assert technician.get(address).status_code == 404


class TestList:
    def test_without_a_list_it_offers_to_read_one(self, technician, dlms_session) -> None:
        html = technician.get(url("object_list", dlms_session.pk), headers=HTMX).content.decode()
        assert "Read the object list" in html
        technician.post(url("step_add", dlms_session.pk), {"kind": "READ", "preset": "objects"})
        assert Step.objects.get().parameters == {"class_id": 15, "logical_name": ASSOCIATION, "attribute_id": 2}

    def test_by_short_names_the_association_is_another_class(self, technician) -> None:
        by_short_names = make_session(make_meter(association={"referencing": "short-names"}))
        technician.post(url("step_add", by_short_names.pk), {"kind": "READ", "preset": "objects"})
        assert Step.objects.get().parameters == {"class_id": 12, "logical_name": ASSOCIATION, "attribute_id": 2}
        row = structure(long(0x2BC0), long_unsigned(8), unsigned(0), octet_string(ObisCode.parse(CLOCK).octets))
        make_read(by_short_names, 12, ASSOCIATION, 2, array(row))
        html = technician.get(url("object_list", by_short_names.pk), headers=HTMX).content.decode()
        assert url("object_detail", by_short_names.pk, 8, CLOCK) in html

    def test_the_objects_lead_to_their_pages(self, technician, dlms_session) -> None:
        read_list(dlms_session, {1: 1}, {})
        html = technician.get(url("object_list", dlms_session.pk), headers=HTMX).content.decode()
        assert url("object_detail", dlms_session.pk, 70, RELAY) in html
        assert "Disconnect control" in html
        assert "1 objects" in html


class TestObject:
    def show(self, technician, dlms_session, class_id: int = 70, name: str = RELAY) -> str:
        return technician.get(url("object_detail", dlms_session.pk, class_id, name), headers=HTMX).content.decode()

    def test_attributes_and_methods_with_what_may_be_done(self, technician, dlms_session) -> None:
        read_list(dlms_session, {1: 1, 2: 1, 3: 1, 4: 3}, {1: True, 2: False}, version=1)
        html = self.show(technician, dlms_session)
        for words in (
            "control_state",
            "read and write",
            "remote_disconnect",
            "version 1",
            "The supply behind this meter",
        ):
            assert words in html
        assert 'aria-label="Read control_state"' in html
        assert 'aria-label="Write control_mode"' in html
        assert 'aria-label="Write control_state"' not in html
        assert 'aria-label="Invoke remote_disconnect"' in html
        assert 'aria-label="Invoke remote_reconnect"' not in html

    def test_without_a_list_everything_may_be_tried(self, technician, dlms_session) -> None:
        html = self.show(technician, dlms_session)
        assert "does not say its version" in html
        assert 'aria-label="Write control_mode"' in html
        assert 'aria-label="Invoke remote_reconnect"' in html
        assert "kept by the meter" in html

    def test_a_secret_is_not_offered_to_be_read(self, technician, dlms_session) -> None:
        html = self.show(technician, dlms_session, 15, ASSOCIATION)
        assert 'aria-label="Read secret"' not in html
        assert 'aria-label="Write secret"' in html

    def test_what_was_read_stands_beside_its_attribute(self, technician, dlms_session) -> None:
        step = make_read(dlms_session, 70, RELAY, 3, enum(1))
        html = self.show(technician, dlms_session)
        assert "connected (1)" in html
        assert f"#step={step.pk}" in html

    def test_the_rows_of_a_profile_are_asked_on_their_own_form(self, technician, dlms_session) -> None:
        html = self.show(technician, dlms_session, 7, "1-0:99.1.0*255")
        assert 'aria-label="Read buffer"' not in html
        assert f"{url('console_form', dlms_session.pk, 'READ_PROFILE')}?logical_name=1-0%3A99.1.0%2A255" in html

    def test_what_the_code_says(self, technician, dlms_session) -> None:
        html = self.show(technician, dlms_session, 3, "1-0:1.8.2*255")
        for words in ("Active energy import (+A), rate 2", "electricity", "time integral 1", "rate 2"):
            assert words in html

    def test_unknown_classes_have_attributes_too(self, technician, dlms_session) -> None:
        make_read(dlms_session, 9999, RELAY, 7, unsigned(5))
        html = self.show(technician, dlms_session, 9999)
        assert "class 9999, not known here" in html
        assert "attribute 7" in html

    def test_what_the_meter_lists_beyond_the_class_is_there(self, technician, dlms_session) -> None:
        read_list(dlms_session, {1: 1, 77: 1}, {9: True})
        html = self.show(technician, dlms_session)
        assert "attribute 77" in html
        assert 'aria-label="Invoke method 9"' in html

    def test_what_a_meter_says_is_text(self, technician, dlms_session) -> None:
        make_read(dlms_session, 45, "0-0:25.4.0*255", 2, octet_string(EVIL.encode()))
        html = self.show(technician, dlms_session, 45, "0-0:25.4.0*255")
        assert EVIL not in html
        assert "onerror" in html


class TestReadAll:
    def test_asks_for_what_may_be_read(self, technician, dlms_session) -> None:
        read_list(dlms_session, {1: 1, 2: 1, 3: 0, 4: 3}, {})
        answer = technician.post(url("object_read", dlms_session.pk, 70, RELAY), headers=HTMX)
        steps = list(dlms_session.steps.filter(state=Step.State.WAITING))
        assert [step.parameters["attribute_id"] for step in steps] == [1, 2, 4]
        assert json.loads(answer.headers["HX-Trigger"]) == {"step:added": {"step": steps[-1].pk}}
        assert steps[0].requested_by.username == "technician"

    def test_a_buffer_and_a_secret_are_left_out(self, technician, dlms_session) -> None:
        technician.post(url("object_read", dlms_session.pk, 7, "1-0:99.1.0*255"))
        assert 2 not in [step.parameters["attribute_id"] for step in dlms_session.steps.all()]
        technician.post(url("object_read", dlms_session.pk, 15, ASSOCIATION))
        assert not dlms_session.steps.filter(parameters__class_id=15, parameters__attribute_id=7).exists()

    def test_without_scripts_one_lands_on_the_session(self, technician, dlms_session) -> None:
        answer = technician.post(url("object_read", dlms_session.pk, 70, RELAY))
        assert answer.url == dlms_session.get_absolute_url()

    def test_a_session_that_is_over_says_so(self, technician, dlms_session) -> None:
        DlmsSession.objects.update(state=DlmsSession.State.DONE)
        answer = technician.post(url("object_read", dlms_session.pk, 70, RELAY), headers=HTMX)
        assert b"This session is over" in answer.content
        assert "HX-Trigger" not in answer.headers

    def test_too_many_steps_are_refused_with_the_reason(self, technician, dlms_session, monkeypatch) -> None:
        monkeypatch.setattr("sessions.services.MAX_UNFINISHED_STEPS", 2)
        answer = technician.post(url("object_read", dlms_session.pk, 70, RELAY), headers=HTMX)
        assert b"steps are waiting already" in answer.content
        assert dlms_session.steps.count() == 2


class TestForms:
    def draw(self, technician, dlms_session, kind: str, headers=HTMX, **asked: object) -> str:
        return technician.get(url("console_form", dlms_session.pk, kind), asked, headers=headers).content.decode()

    def test_an_enumeration_becomes_a_choice_with_what_was_read(self, technician, dlms_session) -> None:
        make_read(dlms_session, 70, RELAY, 4, enum(3))
        html = self.draw(technician, dlms_session, "WRITE", class_id=70, logical_name=RELAY, attribute_id=4)
        assert '<option value="3" selected>3 disconnect remote, local; reconnect remote (d), manual</option>' in html
        assert "control_mode" in html

    def test_a_structure_brings_its_outline(self, technician, dlms_session) -> None:
        html = self.draw(technician, dlms_session, "WRITE", class_id=9, logical_name="0-0:10.0.100*255", attribute_id=2)
        assert "script_identifier: long-unsigned" in html
        assert "<textarea" in html

    def test_a_method_brings_its_parameter(self, technician, dlms_session) -> None:
        html = self.draw(technician, dlms_session, "INVOKE", class_id=8, logical_name="0-0:1.0.0*255", method_id=6)
        assert "shift_time" in html
        assert "-32768 to 32767 s." in html

    def test_another_type_draws_another_field(self, technician, dlms_session) -> None:
        asked = {"class_id": 70, "logical_name": RELAY, "attribute_id": 4, "value_type": "unsigned"}
        html = self.draw(technician, dlms_session, "WRITE", **asked)
        assert "0 to 255." in html
        assert '<option value="unsigned" selected>' in html

    def test_plainly(self, technician, dlms_session) -> None:
        asked = {"class_id": 70, "logical_name": RELAY, "attribute_id": 4, "plain": 1}
        html = self.draw(technician, dlms_session, "WRITE", **asked)
        assert 'name="plain" value="1"' in html
        assert "3 disconnect" not in html

    def test_now(self, technician, dlms_session) -> None:
        html = self.draw(
            technician, dlms_session, "WRITE", class_id=8, logical_name="0-0:1.0.0*255", attribute_id=2, now=1
        )
        assert 'name="value" value="20' in html

    def test_without_scripts_it_is_a_page(self, technician, dlms_session) -> None:
        html = self.draw(technician, dlms_session, "WRITE", headers={}, class_id=70, logical_name=RELAY, attribute_id=4)
        assert "<html" in html
        assert '<option value="4">' in html

    @pytest.mark.parametrize(
        "asked",
        [
            {"class_id": EVIL, "logical_name": EVIL, "attribute_id": EVIL, "value_type": EVIL},
            {"class_id": "9" * 400, "logical_name": "1.8.0", "attribute_id": "-1"},
            {"class_id": "", "logical_name": "", "attribute_id": ""},
        ],
    )
    @pytest.mark.parametrize("kind", ["READ", "READ_PROFILE", "WRITE", "INVOKE"])
    def test_nonsense_draws_a_form_all_the_same(self, technician, dlms_session, kind: str, asked: dict) -> None:
        html = self.draw(technician, dlms_session, kind, **asked)
        assert "<form" in html
        assert EVIL not in html

    def test_bits_come_back_from_the_gate_as_they_were_ticked(self, technician, dlms_session) -> None:
        fields = {
            "kind": "WRITE",
            "class_id": "64",
            "logical_name": "0-0:43.0.0*255",
            "attribute_id": "2",
            "value_type": "enum",
            "value": ["2", "5"],
        }
        html = technician.post(url("step_add", dlms_session.pk), fields, headers=HTMX).content.decode()
        assert '<input type="hidden" name="value" value="2"' in html
        assert '<input type="hidden" name="value" value="5"' in html
        sent = {**fields, "confirmed": "1", "serial_typed": "12345678"}
        technician.post(url("step_add", dlms_session.pk), sent, headers=HTMX)
        assert dlms_session.steps.get().parameters["octets"] == "1624"

    def test_lines_of_a_structure_come_back_from_the_gate(self, technician, dlms_session) -> None:
        fields = {
            "kind": "WRITE",
            "class_id": "71",
            "logical_name": "0-0:17.0.0*255",
            "attribute_id": "9",
            "value_type": "array",
            "value": "[\n 1,\n 2\n]",
        }
        technician.post(url("step_add", dlms_session.pk), {**fields, "confirmed": "1"}, headers=HTMX)
        assert dlms_session.steps.get().parameters["octets"] == "0102120001120002"

    def test_a_value_that_is_too_long_is_refused(self, technician, dlms_session) -> None:
        fields = {"kind": "WRITE", "class_id": "1", "logical_name": "0-0:96.1.0*255", "attribute_id": "2"}
        sent = {**fields, "value_type": "octet-string", "value": "00" * 40000}
        html = technician.post(url("step_add", dlms_session.pk), sent, headers=HTMX).content.decode()
        assert "write_value_error" in html


def test_a_page_of_a_value_costs_few_queries(technician, dlms_session, django_assert_max_num_queries) -> None:
    step = make_read(dlms_session, 3, "1-0:1.8.0*255", 2, double_long_unsigned(5))
    with django_assert_max_num_queries(6):
        technician.get(url("step_detail", dlms_session.pk, step.pk))


class TestTypesCatalog:
    """What the catalog of the meter's type says, beside what the meter says itself."""

    @pytest.fixture
    def cataloged(self, dlms_session) -> DlmsSession:
        relay = ObjectFacts(
            class_id=70,
            logical_name=ObisCode.parse(RELAY),
            version=0,
            title="Main switch",
            note="opens under load",
            rights={32: ClientRights({1: "r", 2: "no", 4: "rw"}), 16: ClientRights({1: "r", 2: "r"})},
        )
        hidden = ObjectFacts(
            class_id=3,
            logical_name=ObisCode.parse("1-0:1.8.0*255"),
            unit=30,
            rights={32: ClientRights({1: "r", 2: "no"})},
        )
        others = ObjectFacts(class_id=8, logical_name=ObisCode.parse(CLOCK), rights={16: ClientRights({2: "r"})})
        meter_type = dlms_session.meter.meter_type
        put_objects(user="x", meter_type=meter_type, objects=[relay, hidden, others], origin="x")
        return dlms_session

    def test_before_anything_is_sent_its_objects_stand_in_for_the_list(self, technician, cataloged) -> None:
        answer = technician.get(url("object_list", cataloged.pk))
        rows = [(row.class_id, bool(row.mark)) for row in answer.context["expected"]]
        assert rows == [(3, True), (70, False)]
        page = answer.content.decode()
        for words in ("Main switch", "no access", "catalog gives client 32 no right to read it", "Read the list"):
            assert words in page

    def test_the_meters_list_counts_before_it(self, technician, cataloged) -> None:
        read_list(cataloged, {2: 1}, {1: True})
        answer = technician.get(url("object_list", cataloged.pk))
        assert [(row.class_id, row.title, row.mark) for row in answer.context["objects"]] == [(70, "Main switch", "")]
        page = answer.content.decode()
        assert f"{url('catalog_learn', cataloged.meter_id)}?association={cataloged.association_id}" in page
        assert "disconnect" in answer.context["objects"][0].standard.lower()

    def test_an_object_shows_what_may_not_be_read_before_it_is_asked(self, technician, cataloged) -> None:
        answer = technician.get(url("object_detail", cataloged.pk, 70, RELAY))
        rights = {row.number: (row.may_read, row.may_write) for row in answer.context["attributes"]}
        assert rights[2] == (False, False)
        assert rights[4] == (True, True)
        page = answer.content.decode()
        for words in ("Main switch", "The standard says:", "opens under load", "by the type’s catalog"):
            assert words in page
        marked = technician.get(url("object_detail", cataloged.pk, 3, "1-0:1.8.0*255")).content.decode()
        assert "Not readable: the catalog gives client 32 no right to read it." in marked

    def test_reading_all_leaves_out_what_the_catalog_knows_to_be_closed(self, technician, cataloged) -> None:
        technician.post(url("object_read", cataloged.pk, 70, RELAY))
        asked = {step.parameters["attribute_id"] for step in cataloged.steps.all()}
        assert asked == {1, 4}

    def test_steps_have_the_types_title(self, technician, cataloged) -> None:
        technician.post(url("object_read", cataloged.pk, 70, RELAY))
        assert cataloged.steps.first().title == f"Main switch ({RELAY}), logical_name"

    def test_queries_are_bounded(self, technician, cataloged, django_assert_max_num_queries) -> None:
        many = [ObjectFacts(class_id=3, logical_name=ObisCode(1, 0, c, 8, 0), title=f"T{c}") for c in range(100)]
        put_objects(user="x", meter_type=cataloged.meter.meter_type, objects=many, origin="x")
        for address in read_urls(cataloged)[:2]:
            with django_assert_max_num_queries(8):
                technician.get(address)
