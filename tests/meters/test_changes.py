"""The change log: what is told of a change, that no secret is, and that nobody rewrites it."""

from __future__ import annotations

import json

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from meters.changes import (
    changed_fields,
    changes_of,
    current_request,
    difference,
    meter_snapshot,
    new_request,
    record,
    state_history,
)
from meters.models import Change, Meter
from meters.services import mark_meter_seen, save_meter
from tests.meters.builders import GAK, GUEK, make_ciphered_meter, make_meter, meter_fields
from tests.sessions.builders import make_user

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3)
SNAPSHOTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=6)


@given(SNAPSHOTS, SNAPSHOTS)
def test_a_difference_leads_from_before_to_after_and_names_nothing_else(before, after) -> None:
    found = difference(before, after)
    assert all(pair == [before.get(name), after.get(name)] for name, pair in found.items())
    for name in {*before, *after} - {*found}:
        old, new = before.get(name), after.get(name)
        assert old == new or (old in (None, "", [], False) and new in (None, "", [], False))


@given(SNAPSHOTS)
def test_nothing_changed_is_no_difference(snapshot) -> None:
    assert difference(snapshot, dict(snapshot)) == {}


def test_an_address_of_zero_is_one() -> None:
    assert difference({"physical_address": None}, {"physical_address": 0}) == {"physical_address": [None, 0]}


def test_a_request_has_one_id_that_ends_with_it() -> None:
    with new_request() as first:
        assert current_request.get() == first
        with new_request() as second:
            assert current_request.get() == second != first
        assert current_request.get() == first
    assert current_request.get() == ""


@pytest.mark.django_db
class TestOfMeters:
    def test_a_new_meter_is_told_with_what_it_was_given(self) -> None:
        with new_request() as made:
            meter = make_meter(user=make_user("anna"))
        change = changes_of(meter).get()
        assert (change.action, change.user_name, change.request_id) == ("CREATE", "anna", made)
        assert change.fields["serial_number"] == [None, "12345678"]
        assert change.fields["line"] == [None, "127.0.0.1:4059"]
        assert "max_info" not in change.fields  # what nobody said

    def test_a_change_is_told_by_field(self) -> None:
        meter = make_meter()
        fields = meter_fields(meter={"name": "shelf", "location": "B2"}, association={"client_sap": 1})
        save_meter(**fields, meter_id=meter.pk)
        change = changes_of(meter).first()
        association = meter.associations.get().pk
        assert change.fields == {
            "name": ["bench", "shelf"],
            "location": ["", "B2"],
            f"association.{association}.client_sap": [32, 1],
        }
        words = {field.words: (field.before, field.after) for field in changed_fields(change, {association: "Reader"})}
        assert words == {"name": ("bench", "shelf"), "location": ("", "B2"), "Reader: client SAP": ("32", "1")}

    def test_saving_without_a_change_writes_nothing(self) -> None:
        meter = make_meter()
        save_meter(**meter_fields(), meter_id=meter.pk)
        assert changes_of(meter).count() == 1

    def test_of_a_key_it_says_slot_version_and_fingerprint(self) -> None:
        meter = make_ciphered_meter()
        save_meter(**meter_fields(secrets={"GUEK": bytes(16), "LLS_SECRET": b"hunter2!"}), meter_id=meter.pk)
        before, after = changes_of(meter).first().fields["key.GUEK"]
        assert before.startswith("version 1, fingerprint ")
        assert after.startswith("version 2, fingerprint ")
        log = json.dumps([[change.fields, change.message, change.label] for change in Change.objects.all()])
        for secret in (GUEK, GAK, b"hunter2!", bytes(16)):
            assert secret.hex() not in log
            assert secret.decode("latin-1") not in log

    def test_what_failed_is_not_told(self, django_db_blocker) -> None:
        meter = make_meter()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            save_meter(**meter_fields(meter={"name": "never"}), meter_id=meter.pk)
            raise ZeroDivisionError
        assert changes_of(meter).count() == 1

    def test_what_the_meter_said_of_itself_is_told_once(self) -> None:
        meter = make_meter()
        for _ in range(2):
            mark_meter_seen(meter_id=meter.pk, server_system_title="4D57420000000001")
        change, _created = changes_of(meter)
        assert change.fields == {"server_system_title": ["", "4D57420000000001"]}
        assert (change.user, change.user_name, change.message) == (None, "", "said by the meter")

    def test_the_history_of_the_state_is_read_from_it(self) -> None:
        meter = make_meter()
        for state, reason in (("IN_TEST", "on the bench"), ("FAULTY", "display dead")):
            save_meter(**meter_fields(meter={"state": state, "reason": reason}), meter_id=meter.pk)
        save_meter(**meter_fields(meter={"name": "else"}), meter_id=meter.pk)
        history = [(change.fields["state"], change.message) for change in state_history(meter)]
        assert history == [(["IN_TEST", "FAULTY"], "display dead"), (["RECEIVED", "IN_TEST"], "on the bench")]
        assert changed_fields(state_history(meter)[0])[0].after == "Faulty"

    def test_every_column_of_a_meter_is_logged_or_known_not_to_be(self) -> None:
        names = {field.name for field in Meter._meta.get_fields() if field.concrete}
        assert names - meter_snapshot(make_meter()).keys() == {"id", "created", "last_seen", "search_text"}

    def test_the_database_refuses_to_rewrite_it(self) -> None:
        change = record(user=None, thing=make_meter(), fields={"name": ["a", "b"]})
        table = Change._meta.db_table
        for sql in (f"UPDATE {table} SET message = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"{sql} WHERE id = %s", [change.pk])

    def test_a_deleted_user_leaves_the_name(self) -> None:
        user = make_user("berta")
        meter = make_meter(user=user)
        user.delete()
        change = changes_of(meter).get()
        assert (change.user, change.user_name) == (None, "berta")
