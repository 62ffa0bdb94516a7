"""What a worker does with a run: reading, dry run, writing, undo; and what is left when it dies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from meters.bulk import BulkEdit, edit_meters
from meters.imports import runs, work
from meters.models import (
    Association,
    Batch,
    Change,
    ImportPart,
    ImportRow,
    ImportRun,
    ImportUpload,
    Line,
    Meter,
    MeterType,
    Tag,
)
from tests.meters.builders import make_meter
from tests.meters.imports.conftest import row, table
from tests.meters.imports.workbooks import workbook

pytestmark = pytest.mark.django_db
KEY = "000102030405060708090A0B0C0D0E0F"


class TestReading:
    def test_headings_rows_and_a_guess(self, start) -> None:
        run = start(table([row("1"), row("2")]))
        assert (run.state, run.total, run.mapping["serial_number"]) == ("MAPPING", 2, 0)
        assert len(run.mapping) == 11
        [part] = ImportPart.objects.all()
        assert [each[0] for each in part.rows] == [2, 3]

    @pytest.mark.parametrize(
        ("octets", "kind", "words"),
        [
            (b"\x89PNG\r\n\x1a\n\x00\x00", "CSV", "NUL octet"),
            (b"Serial number\n", "CSV", "no row below them"),
            (b"a,b", "XLSX", "no ZIP archive"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_the_reason(self, start, octets, kind, words) -> None:
        run = start(octets, kind=kind)
        assert run.state == "REFUSED"
        assert words in run.reason
        assert run.finished
        assert not ImportPart.objects.exists()

    def test_too_many_rows(self, start, settings) -> None:
        settings.IMPORT_MAX_ROWS = 3
        assert "More than 3 rows" in start(table([row(str(n)) for n in range(4)])).reason

    def test_no_key_is_stored_in_clear_or_shown(self, start) -> None:
        run = start(table([["1", KEY, "x"]], ["Serial number", "GUEK", "Name"]))
        assert list(run.findings["left_out"]) == ["1"]
        assert KEY not in str(list(ImportPart.objects.values()))
        assert KEY not in str(list(ImportRun.objects.values()))
        assert KEY.encode() not in bytes(ImportUpload.objects.get().sealed)

    def test_the_choice_of_the_last_time_is_remembered(self, start, check, user) -> None:
        octets = table([["1", "x", "2"]], ["A", "B", "C"])
        first = start(octets)
        assert first.mapping == {}
        runs.choose_columns(run_id=first.pk, user=user, mapping={"serial_number": 2, "name": 0})
        assert start(octets).mapping == {"serial_number": 2, "name": 0}

    def test_read_again_with_another_sheet(self, start, user) -> None:
        octets = workbook(
            [["Serial"], ["1"]], lambda book, sheet: book.add_worksheet("Second").write_row(0, 0, ["Name"])
        )
        run = start(octets, kind="XLSX")
        assert run.headings == ["Serial"]
        runs.read_again(run_id=run.pk, user=user, options={"sheet": "Second"})
        run.refresh_from_db()
        assert (run.state, "no row below" in run.reason) == ("REFUSED", True)
        runs.read_again(run_id=run.pk, user=user, options={"sheet": "Meters"})
        run.refresh_from_db()
        assert (run.state, run.headings, run.reason) == ("MAPPING", ["Serial"], "")


class TestDryRun:
    def test_counts_and_what_would_change(self, check) -> None:
        make_meter(meter={"serial_number": "old", "location": "cellar"})
        make_meter(meter={"serial_number": "same", "location": "shelf 1"})
        run = check(
            table([["new", "a"], ["old", "shelf 2"], ["same", "shelf 1"], ["", "x"]], ["Serial number", "Location"])
        )
        assert (run.created_count, run.updated_count, run.unchanged_count, run.faulty_count) == (0, 1, 1, 2)
        changed = ImportRow.objects.get(outcome="UPDATED")
        assert (changed.number, changed.label, changed.fields) == (3, "old", {"location": ["cellar", "shelf 2"]})
        assert Meter.objects.get(serial_number="old").location == "cellar"

    def test_every_faulty_row_is_marked_with_column_and_reason(self, check) -> None:
        make_meter(meter={"serial_number": "typed", "manufacturer": "Maker", "model": "M1"})
        Batch.objects.create(name="Typed", meter_type=MeterType.objects.get())
        bad = {
            "": ("serial_number", "It is empty"),
            "port": ("port", "65535"),
            "letters": ("port", "Not a whole number"),
            "host": ("host", "Only a name or an IP address"),
            "state": ("state", "Not one of"),
            "authentication": ("authentication", "Not one of"),
            "sap": ("client_sap", "greater than or equal to 1"),
            "batch": ("batch", "is of type Maker M1"),
            "tags": ("tags", "at most 20 tags"),
            "x" * 65: ("serial_number", "at most 64 characters"),
            "no line": ("host", "A new meter needs a line"),
        }
        changes = {
            "port": {"port": "70000"}, "letters": {"port": "many"}, "host": {"host": "http://x/"}, "state": {"state": "lost"},
            "authentication": {"authentication": "magic"}, "sap": {"client_sap": "0"}, "batch": {"batch": "Typed", "model": "M2"},
            "tags": {"tags": ",".join(map(str, range(21)))}, "no line": {"host": "", "port": ""},
        }  # fmt: skip
        rows = [row(serial, **changes.get(serial, {})) for serial in bad]
        run = check(table([row("good"), *rows, row("good")]))
        faulty = list(ImportRow.objects.filter(outcome="FAULTY"))
        assert (run.created_count, run.faulty_count) == (1, len(bad) + 1)
        for found, (column, words) in zip(faulty, bad.values(), strict=False):
            [(key, _, why)] = found.faults
            assert (key, words in why) == (column, True), found.faults
        assert faulty[-1].faults == [["serial_number", "good", "It stands in row 2 already."]]
        assert faulty[1].cells == rows[1]

    def test_many_rows_in_few_queries(self, check, django_assert_max_num_queries) -> None:
        octets = table([row(f"m{n}", host=f"10.0.{n // 256}.{n % 256}") for n in range(400)])
        with django_assert_max_num_queries(60):
            assert check(octets).created_count == 400


class TestWriting:
    def test_new_meters_with_all_that_they_have(self, load, user) -> None:
        run = load(table([row("000123"), row("2", host="10.0.0.8", tags="Urgent")]), message="delivery of May")
        assert (run.state, run.created_count, run.reason) == ("APPLIED", 2, "")
        meter = Meter.objects.get(serial_number="000123")
        assert (meter.location, meter.batch.name, str(meter.meter_type), meter.line.describe()) == (
            "shelf 1", "Lot 1", "Maker M1", "10.0.0.7:4059",
        )  # fmt: skip
        assert sorted(tag.name for tag in meter.tags.all()) == ["new", "urgent"]
        [association] = meter.associations.all()
        assert (association.client_sap, association.authentication, association.is_default) == (16, "lls", True)
        assert meter.search_text == meter.words_to_search()
        assert Tag.objects.count() == 2, "the case of letters makes no second tag"
        entries = Change.objects.filter(request_id=run.request_id, kind="METER")
        assert {(each.action, each.message, each.user) for each in entries} == {("CREATE", "delivery of May", user)}
        entry = entries.get(label="000123")
        assert entry.fields["line"] == [None, "10.0.0.7:4059"]
        assert entry.fields[f"association.{association.pk}.authentication"] == [None, "lls"]
        assert not ImportPart.objects.exists()
        assert not ImportUpload.objects.exists()

    def test_known_meters_change_in_the_mapped_columns_only(self, load) -> None:
        meter = make_meter(meter={"serial_number": "1", "location": "cellar", "notes": "keep", "tags": ["old"]})
        run = load(table([["1", "In test", "new", "33", "10.0.0.9", "4059", ""]],
                         ["Serial", "State", "Tags", "Client SAP", "Host", "Port", "Location"]))  # fmt: skip
        meter = Meter.objects.get()
        assert (meter.state, meter.notes, meter.location, meter.line.host) == ("IN_TEST", "keep", "cellar", "10.0.0.9")
        assert [tag.name for tag in meter.tags.all()] == ["new"]
        assert [each.client_sap for each in meter.associations.all()] == [33]
        change = Change.objects.get(request_id=run.request_id, kind="METER")
        assert change.fields["state"] == ["RECEIVED", "IN_TEST"]
        assert change.fields["line"] == ["127.0.0.1:4059", "10.0.0.9:4059"]
        assert change.message == str(run)
        assert meter.search_text == meter.words_to_search()

    def test_an_empty_cell_empties_if_that_was_chosen(self, load) -> None:
        make_meter(meter={"serial_number": "1", "location": "cellar", "batch": "Lot 1", "tags": ["old"]})
        load(table([["1", "", "", "", ""]], ["Serial", "Location", "Batch", "Tags", "State"]), clear=True)
        meter = Meter.objects.get()
        assert (meter.location, meter.batch, meter.tags.count(), meter.state) == ("", None, 0, "RECEIVED")

    def test_a_further_association_by_its_name(self, load) -> None:
        make_meter(meter={"serial_number": "1"})
        load(table([["1", "Reader", "2"]], ["Serial", "Association", "Client SAP"]))
        found = Association.objects.order_by("pk").values_list("name", "client_sap", "is_default")
        assert list(found) == [("Management", 32, True), ("Reader", 2, False)]

    def test_the_good_rows_only(self, load) -> None:
        run = load(table([row("1"), row("2", port="x"), row("3")]), good_only=True)
        assert (run.state, run.created_count, run.faulty_count) == ("APPLIED", 2, 1)
        assert Meter.objects.count() == 2

    def test_formulas_are_plain_text(self, load) -> None:
        load(table([row("=cmd()|'/C calc'!A0", location="+1+1", tags="@x"), row("'-7", location="'=x")]))
        assert set(Meter.objects.values_list("serial_number", "location")) == {
            ("=cmd()|'/C calc'!A0", "+1+1"),
            ("-7", "=x"),
        }

    def test_a_line_that_is_there_is_used(self, load) -> None:
        made = make_meter(meter={"serial_number": "1"}, line={"host": "10.0.0.7"})
        load(table([row("2"), row("3")]))
        assert Line.objects.get() == made.line

    def test_many_rows_in_few_queries(self, load, django_assert_max_num_queries) -> None:
        octets = table([row(f"m{n}", host=f"10.0.{n // 256}.{n % 256}") for n in range(300)])
        with django_assert_max_num_queries(130):
            assert load(octets).created_count == 300

    def test_what_changed_since_the_dry_run_is_not_overwritten(self, check, user) -> None:
        meter = make_meter(meter={"serial_number": "1", "location": "cellar"})
        run = check(table([["1", "shelf 1"]], ["Serial", "Location"]))
        edit_meters(user=user, ids=[meter.pk], edit=BulkEdit(location="attic"))
        runs.apply_run(run_id=run.pk, user=user)
        run.refresh_from_db()
        assert (run.state, Meter.objects.get().location) == ("CHECKED", "attic")
        assert run.reason.startswith("1 was changed since the dry run")
        assert ImportRow.objects.get().fields == {"location": ["attic", "shelf 1"]}
        runs.apply_run(run_id=run.pk, user=user)
        assert Meter.objects.get().location == "shelf 1"


class TestDeath:
    """A worker dies between two chunks: nothing of its work is there, and the next one does all of it."""

    @pytest.fixture
    def run(self, check, monkeypatch) -> ImportRun:
        monkeypatch.setattr(work, "CHUNK", 2)
        return check(table([row(str(n)) for n in range(7)]))

    def die_after(self, monkeypatch, writes: int) -> None:
        real, count = work.Writer.write, iter(range(100))

        def write(writer, rows):
            if next(count) >= writes:
                raise SystemExit("killed")
            real(writer, rows)

        monkeypatch.setattr(work.Writer, "write", write)

    @pytest.mark.parametrize("writes", [0, 1, 3])
    def test_in_the_middle_of_writing(self, run, user, monkeypatch, writes) -> None:
        with monkeypatch.context() as patched:
            self.die_after(patched, writes)
            with pytest.raises(SystemExit), transaction.atomic():
                runs.apply_run(run_id=run.pk, user=user)
        runs_row = ImportRun.objects.filter(pk=run.pk)
        assert not Meter.objects.exists()
        assert not Change.objects.exists()
        runs_row.update(state="APPLYING", lease_until=timezone.now() - timedelta(seconds=1))
        assert work.waiting_runs() == [run.pk]
        work.work_on(run.pk)
        run.refresh_from_db()
        assert (run.state, Meter.objects.count()) == ("APPLIED", 7)

    def test_in_the_middle_of_reading_and_checking(self, run, user, monkeypatch) -> None:
        ImportRow.objects.filter(number__gt=4).delete()
        ImportRun.objects.filter(pk=run.pk).update(state="CHECKING", lease_until=None)
        work.work_on(run.pk)
        run.refresh_from_db()
        assert (run.state, run.created_count, run.rows.count()) == ("CHECKED", 7, 7)

    def test_three_times_is_enough(self, run, user) -> None:
        ImportRun.objects.filter(pk=run.pk).update(state="APPLYING", lease_until=None, attempts=3)
        work.work_on(run.pk)
        run.refresh_from_db()
        assert (run.state, "broke off 3 times" in run.reason) == ("CHECKED", True)
        assert not Meter.objects.exists()

    def test_a_fault_of_ours_is_said_and_nothing_is_written(self, run, user, monkeypatch) -> None:
        monkeypatch.setattr(work.Writer, "write", lambda *_: 1 / 0)
        runs.apply_run(run_id=run.pk, user=user)
        run.refresh_from_db()
        assert (run.state, "ZeroDivisionError" in run.reason) == ("CHECKED", True)


class TestClaim:
    def test_a_doubled_message_does_nothing_twice(self, load, user) -> None:
        run = load(table([row("1")]))
        work.work_on(run.pk)
        assert Meter.objects.count() == 1
        assert Change.objects.filter(kind="METER").count() == 1

    def test_whoever_holds_the_lease_is_left_alone(self, check) -> None:
        run = check(table([row("1")]))
        ImportRun.objects.filter(pk=run.pk).update(state="APPLYING", lease_until=timezone.now() + timedelta(hours=1))
        assert work.waiting_runs() == []
        work.work_on(run.pk)
        assert not Meter.objects.exists()

    def test_a_run_that_somebody_else_took_is_not_written(self, check, monkeypatch) -> None:
        run = check(table([row("1")]))
        ImportRun.objects.filter(pk=run.pk).update(state="CHECKING", lease_until=None)
        real = work.Planner.plan

        def plan(planner, rows):
            ImportRun.objects.filter(pk=run.pk).update(epoch=99)
            return real(planner, rows)

        monkeypatch.setattr(work.Planner, "plan", plan)
        work.work_on(run.pk)
        run.refresh_from_db()
        assert (run.state, run.epoch, run.rows.count()) == ("CHECKING", 99, 0)


class TestUndo:
    def test_new_and_changed_meters(self, load, user) -> None:
        make_meter(meter={"serial_number": "1", "location": "cellar", "tags": ["old"]}, line={"host": "10.0.0.1"})
        run = load(table([row("1"), row("2"), row("3", host="10.0.0.8")]))
        assert Meter.objects.count() == 3
        runs.request_undo(run_id=run.pk, user=user)
        run.refresh_from_db()
        assert (run.state, run.undone_count, run.kept_count, run.undone_by) == ("UNDONE", 3, 0, "ada")
        meter = Meter.objects.get()
        assert (meter.location, meter.line.host, meter.batch, [tag.name for tag in meter.tags.all()]) == (
            "cellar", "10.0.0.1", None, ["old"],
        )  # fmt: skip
        assert meter.associations.get().client_sap == 32
        assert (Line.objects.count(), Batch.objects.count(), Tag.objects.count()) == (1, 0, 1)
        last = Change.objects.filter(kind="METER", object_id=meter.pk).first()
        assert last.fields["location"] == ["shelf 1", "cellar"]

    def test_imports_are_undone_one_after_the_other(self, load, user) -> None:
        first = load(table([row("1")]))
        second = load(table([row("1", location="attic")]))
        for run in (second, first):
            runs.request_undo(run_id=run.pk, user=user)
            run.refresh_from_db()
            assert (run.state, run.kept_count) == ("UNDONE", 0)
        assert not Meter.objects.exists()

    def test_the_older_one_alone_cannot_be_undone(self, load, user) -> None:
        first = load(table([row("1")]))
        load(table([row("1", location="attic")]))
        runs.request_undo(run_id=first.pk, user=user)
        first.refresh_from_db()
        assert (first.undone_count, first.kept_count, Meter.objects.count()) == (0, 1, 1)
