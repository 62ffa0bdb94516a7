"""Pages of imports, for each person; what is uploaded, shown, steered and refused."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from meters.imports import runs
from meters.models import ImportRow, ImportRun, Meter
from tests.meters.builders import make_meter
from tests.meters.imports.conftest import HEADINGS, row, table
from tests.meters.imports.workbooks import workbook
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
START = "/meters/import/"
EVIL = "<script>alert('xss')</script>"
POSTED = ("import_read_again", "import_columns", "import_back", "import_apply", "import_undo", "import_discard")
SHOWN = ("import_detail", "import_status")


@pytest.fixture
def technician(client, user, at_once):
    client.force_login(user)
    return client


def upload(client, octets: bytes, name: str = "meters.csv", **more):
    return client.post(START, {"file": SimpleUploadedFile(name, octets), **more})


def the_run() -> ImportRun:
    return ImportRun.objects.get()


def page(client, run: ImportRun | None = None, query: str = "") -> str:
    answer = client.get(reverse("meters:import_detail", args=[(run or the_run()).pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def step(client, name: str, data: dict | None = None, run: ImportRun | None = None):
    return client.post(reverse(f"meters:{name}", args=[(run or the_run()).pk]), data or {}, follow=True)


class TestWho:
    def test_nobody_without_signing_in(self, client, check) -> None:
        run = check(table([row("1", port="x")]))
        urls = [START, reverse("meters:import_template_csv"), reverse("meters:import_faults", args=[run.pk])]
        urls += [reverse(f"meters:{name}", args=[run.pk]) for name in (*POSTED, *SHOWN)]
        for url in urls:
            for answer in (client.get(url), client.post(url)):
                assert answer.status_code == 302, url
                assert answer.headers["Location"].startswith("/accounts/login/")
        run.refresh_from_db()
        assert run.state == "CHECKED"

    @pytest.mark.parametrize("name", POSTED)
    def test_a_colleague_sees_it_and_does_not_steer_it(self, client, check, name) -> None:
        run = check(table([row("1")]))
        client.force_login(make_user("bob"))
        assert "Import <span" in page(client, run)
        assert "Discard" not in page(client, run)
        assert step(client, name, run=run).status_code == 403
        run.refresh_from_db()
        assert run.state == "CHECKED"

    @pytest.mark.parametrize("name", POSTED)
    def test_only_by_post_with_a_token(self, technician, user, check, name) -> None:
        run = check(table([row("1")]))
        url = reverse(f"meters:{name}", args=[run.pk])
        assert technician.get(url).status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(user)
        assert strict.post(url).status_code == 403
        assert strict.post(START, {"text": "Serial\n1"}).status_code == 403

    @pytest.mark.parametrize("name", [*POSTED, *SHOWN, "import_faults"])
    def test_what_is_not_there(self, technician, name) -> None:
        url = reverse(f"meters:{name}", args=[999])
        assert (technician.post(url) if name in POSTED else technician.get(url)).status_code == 404

    def test_a_run_without_faults_has_no_file_of_them(self, technician, check) -> None:
        assert technician.get(reverse("meters:import_faults", args=[check(table([row("1")])).pk])).status_code == 404


class TestStart:
    def test_a_file(self, technician) -> None:
        answer = upload(technician, table([row("1")]))
        assert answer.headers["Location"] == reverse("meters:import_detail", args=[the_run().pk])
        text = page(technician)
        assert 'name="column-0"' in text
        assert '<option value="serial_number" selected>' in text

    def test_a_workbook(self, technician) -> None:
        upload(technician, workbook([["Serial"], ["000123"]]), "meters.xlsx")
        assert the_run().kind == "XLSX"
        assert "sheet “Meters”" in page(technician)

    def test_a_pasted_table(self, technician) -> None:
        technician.post(START, {"text": "Serial\tName\r\n1\tZähler\r\n"})
        assert (the_run().kind, the_run().headings) == ("PASTE", ["Serial", "Name"])
        assert "Zähler" in page(technician)

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ({}, "Choose a file, or paste a table."),
            ({"text": " \n"}, "Choose a file, or paste a table."),
            ({"file": SimpleUploadedFile("x.csv", b"  \n")}, "There is nothing in it."),
            ({"file": SimpleUploadedFile("x.csv", b"a"), "encoding": "klingon"}, "not known here"),
            ({"file": SimpleUploadedFile("x.csv", b"a"), "delimiter": "x"}, "not known here"),
            ({"file": SimpleUploadedFile("x.csv", b"x" * 2000)}, "too large: at most 0.001 MB"),
        ],
    )
    def test_what_is_refused(self, technician, settings, data, words) -> None:
        settings.IMPORT_MAX_OCTETS = 1000
        answer = technician.post(START, data)
        assert answer.status_code == 400
        assert words in answer.content.decode()
        assert not ImportRun.objects.exists()

    def test_a_pasted_text_over_the_limit_of_a_form(self, technician, settings) -> None:
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
        answer = technician.post(START, {"text": "Serial\n" + "1\n" * 1000})
        assert answer.status_code == 400
        assert "pasted text is larger than" in answer.content.decode()

    def test_what_cannot_be_read_says_why(self, technician) -> None:
        upload(technician, b"Serial\n1\n\x81\xff\n")
        assert "Row 3: The octet 81 has no place" in page(technician)

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    def test_the_template(self, technician, form) -> None:
        answer = technician.get(reverse(f"meters:import_template_{form}"))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="meters-template.{form}"'
        upload(technician, answer.content, f"template.{form}")
        assert the_run().mapping["serial_number"] == 0

    def test_earlier_runs_in_few_queries(self, technician, load, django_assert_max_num_queries) -> None:
        for n in range(12):
            load(table([row(str(n))]))
        with django_assert_max_num_queries(6):
            text = technician.get(START).content.decode()
        assert text.count("Undo import") == 12


class TestTheWay:
    def test_columns_dry_run_import_undo(self, technician) -> None:
        make_meter(meter={"serial_number": "old", "location": "cellar"})
        upload(technician, table([row("new"), row("old", location="attic")]))
        columns = {f"column-{number}": key for key, number in the_run().mapping.items()}
        assert "Dry run" in page(technician)
        text = step(technician, "import_columns", {**columns, "message": "delivery"}).content.decode()
        assert "<del>cellar</del>" in text
        assert "<ins>attic</ins>" in text
        assert 'Import <span class="num">2</span> meters' in text
        text = step(technician, "import_apply", {"rows": "all"}).content.decode()
        assert "Undo this import" in text
        assert Meter.objects.count() == 2
        text = step(technician, "import_undo").content.decode()
        assert "Undone by ada" in text
        assert Meter.objects.get().location == "cellar"
        text = step(technician, "import_undo").content.decode()
        assert "look at it again" in text

    def test_the_good_rows_only(self, technician, check) -> None:
        run = check(table([row("1"), row("2", port="x")]))
        text = page(technician, run)
        assert "Import the good rows only" in text
        assert "Not a whole number" in text
        assert "1 rows are faulty" in step(technician, "import_apply", {"rows": "all"}).content.decode()
        assert "Undo this import" in step(technician, "import_apply", {"rows": "good"}).content.decode()
        csv = b"".join(technician.get(reverse("meters:import_faults", args=[run.pk])).streaming_content).decode()
        assert "Not a whole number" in csv

    def test_back_to_the_columns(self, technician, check) -> None:
        check(table([row("1")]))
        assert 'name="column-0"' in step(technician, "import_back").content.decode()

    def test_a_column_that_is_chosen_twice(self, technician) -> None:
        upload(technician, table([row("1")]))
        text = step(
            technician, "import_columns", {"column-0": "serial_number", "column-1": "serial_number"}
        ).content.decode()
        assert "chosen for two columns" in text
        assert "no column" in step(technician, "import_columns", {"column-0": EVIL}).content.decode()

    def test_read_again(self, technician) -> None:
        upload(technician, "Serial;Name\n1;Zähler".encode("cp1252"))
        assert "look whether letters with accents" in page(technician)
        step(technician, "import_read_again", {"encoding": "windows-1252", "delimiter": ";"})
        assert "as chosen" in page(technician)
        assert "not known here" in step(technician, "import_read_again", {"encoding": "x"}).content.decode()

    def test_discarded(self, technician, check) -> None:
        check(table([row("1")]))
        assert "nothing was changed" in step(technician, "import_discard").content.decode()
        assert not ImportRun.objects.exists()

    def test_kept_rows_say_why(self, technician, load) -> None:
        first = load(table([row("1")]))
        load(table([row("1", location="attic")]))
        text = step(technician, "import_undo", run=first).content.decode()
        assert "Changed since by ada" in text


class TestShown:
    def test_keys_are_neither_shown_nor_kept(self, technician) -> None:
        key = "000102030405060708090A0B0C0D0E0F"
        upload(technician, table([["1", key]], ["Serial", "GUEK"]))
        text = page(technician)
        assert "left out" in text
        assert key not in text
        assert step(technician, "import_columns", {"column-0": "serial_number", "column-1": "notes"}).status_code == 200
        assert the_run().state == "MAPPING"

    def test_what_came_is_escaped(self, technician, check) -> None:
        run = check(table([row(EVIL, location=EVIL), row("2", port=EVIL)], HEADINGS))
        for query in ("", "?show=FAULTY"):
            assert EVIL not in page(technician, run, query)
        step(technician, "import_back")
        assert EVIL not in page(technician, run)

    @pytest.mark.parametrize("outcome", ["", *ImportRow.Outcome.values, "nonsense"])
    def test_pages_and_tabs_in_few_queries(self, technician, check, outcome, django_assert_max_num_queries) -> None:
        run = check(table([row(f"m{n}", port="x" if n % 2 else "4059") for n in range(120)]))
        with django_assert_max_num_queries(9):
            text = page(technician, run, f"?show={outcome}&page=2")
        assert "Dry run" in text

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            ("READING", "Reading the file"),
            ("CHECKING", "checking every row"),
            ("APPLYING", "Importing"),
            ("UNDOING", "Undoing"),
        ],
    )
    def test_work_is_polled_until_it_ends(self, technician, user, state, words, django_assert_max_num_queries) -> None:
        run = ImportRun.objects.create(user=user, kind="CSV", state=state, total=100, done=40)
        assert words in page(technician, run)
        url = reverse("meters:import_status", args=[run.pk])
        with django_assert_max_num_queries(4):
            answer = technician.get(url)
        assert 'hx-trigger="every 1s"' in answer.content.decode()
        assert "HX-Refresh" not in answer.headers
        ImportRun.objects.filter(pk=run.pk).update(state="CHECKED")
        answer = technician.get(url)
        assert answer.headers["HX-Refresh"] == "true"
        assert "every 1s" not in answer.content.decode()

    def test_a_run_of_device_files_has_its_own_page(self, technician, user) -> None:
        run = ImportRun.objects.create(user=user, kind="GXC", state="APPLIED")
        assert technician.get(run.get_absolute_url()).headers["Location"] == reverse("meters:gxc_report", args=[run.pk])
        runs.request_undo(run_id=run.pk, user=user)
        assert "Undone by ada" in page(technician, run)

    def test_the_list_leads_here(self, technician) -> None:
        assert f'href="{START}"' in technician.get("/meters/").content.decode()
