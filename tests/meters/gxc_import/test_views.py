"""Pages of the import of device files, for each person; and that a secret of a file is in no page, table or log."""

from __future__ import annotations

import base64
import logging
import secrets

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from meters.gxc_import import views
from meters.gxc_import.uploads import keep_files
from meters.models import ImportRun, KeyVersion, Line, Meter, MeterType, SealedUpload
from tests.meters.builders import make_meter
from tests.meters.gxc_import.builders import CIPHERED, PUBLIC, device_file, posted, previewed
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db
UPLOAD = "/meters/import/gxc/"
EVIL = "&lt;script&gt;alert(1)&lt;/script&gt;"
MAX_QUERIES = 12


@pytest.fixture
def technician(client):
    client.force_login(make_user("anna"))
    return client


def send(client, *files, **more):
    uploads = [SimpleUploadedFile(file.name, file.octets, content_type="text/xml") for file in files]
    return client.post(UPLOAD, {"files": uploads}, **more)


def page_after(client, *files) -> str:
    answer = send(client, *files)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer.url)


class TestWho:
    @pytest.mark.parametrize("inactive", [False, True], ids=["anonymous", "inactive"])
    def test_nobody_sees_or_does_anything_without_signing_in(self, client, inactive) -> None:
        upload = keep_files(user=make_user("anna"), files=[device_file(PUBLIC)])
        run = ImportRun.objects.create(kind="GXC", state="APPLIED")
        if inactive:
            user = make_user("gone")
            client.force_login(user)
            user.is_active = False
            user.save()
        urls = [UPLOAD, reverse("meters:gxc_preview", args=[upload.pk]), reverse("meters:gxc_drop", args=[upload.pk])]
        for url in [*urls, reverse("meters:gxc_report", args=[run.pk])]:
            for answer in (client.get(url), client.post(url)):
                assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={url}")
        assert SealedUpload.objects.count() == 1

    def test_what_somebody_else_uploaded_is_not_there(self, technician) -> None:
        upload = keep_files(user=make_user("ben"), files=[device_file(PUBLIC)])
        url = reverse("meters:gxc_preview", args=[upload.pk])
        for answer in (technician.get(url), technician.post(url, posted(previewed(device_file(PUBLIC))))):
            assert (answer.status_code, answer.url) == (302, UPLOAD)
        technician.post(reverse("meters:gxc_drop", args=[upload.pk]))
        assert SealedUpload.objects.count() == 1
        assert not Meter.objects.exists()

    def test_everything_that_changes_needs_the_token_of_the_page(self) -> None:
        user = make_user("anna")
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        upload = keep_files(user=user, files=[device_file(PUBLIC)])
        assert send(client, device_file(PUBLIC)).status_code == 403
        for name in ("gxc_preview", "gxc_drop"):
            assert client.post(reverse(f"meters:{name}", args=[upload.pk])).status_code == 403
        token = client.get(UPLOAD).context["csrf_token"]
        assert send(client, device_file(PUBLIC), headers={"X-CSRFToken": str(token)}).status_code == 302

    def test_pages_are_read_and_actions_are_posted(self, technician) -> None:
        upload = keep_files(user=make_user("ben"), files=[])
        assert technician.get(reverse("meters:gxc_drop", args=[upload.pk])).status_code == 405
        assert technician.put(UPLOAD).status_code == 405
        run = ImportRun.objects.create(kind="GXC", state="APPLIED")
        assert technician.post(reverse("meters:gxc_report", args=[run.pk])).status_code == 405
        table = ImportRun.objects.create(kind="CSV")
        assert technician.get(reverse("meters:gxc_report", args=[table.pk])).status_code == 404


def test_from_the_files_to_the_report(technician, django_assert_max_num_queries) -> None:
    files = [device_file(CIPHERED, PUBLIC)]
    url = page_after(technician, *files)
    with django_assert_max_num_queries(MAX_QUERIES):
        page = technician.get(url)
    text = page.content.decode()
    for words in ("acme.gxc", "Into the vault", "goes on after", "as the file says: 127.0.0.1:4059", "1 object"):
        assert words in text
    assert "no-store" in page.headers["Cache-Control"]
    answer = technician.post(url, posted(previewed(*files)), follow=True)
    report = answer.content.decode()
    assert answer.redirect_chain[-1][0] == reverse("meters:gxc_report", args=[ImportRun.objects.get().pk])
    for words in ("new meter", "further association", "Next invocation counter", "the meter is asked first"):
        assert words in report
    assert Meter.objects.get().associations.count() == 2
    again = technician.get(url, follow=True)
    assert "were imported, left, or an hour is over" in again.content.decode()


def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(technician) -> None:
    files = [device_file(CIPHERED)]
    url = page_after(technician, *files)
    wrong = {"device__0__serial_number": "", "device__0__name": "bench meter", "place__0__line": ""}
    text = technician.post(url, posted(previewed(*files), **wrong)).content.decode()
    for words in ("Which meter is it?", "Choose a line.", "bench meter", "something is missing below"):
        assert words in text
    make_meter(meter={"serial_number": "acme"})
    text = technician.post(url, posted(previewed(*files))).content.decode()
    assert "is in the inventory already" in text
    assert Meter.objects.count() == 1
    text = technician.post(url, posted(previewed(*files), device__0__take="")).content.decode()
    assert "nothing to import" in text
    assert SealedUpload.objects.count() == 1


def test_what_the_service_refuses_stands_at_the_device(technician) -> None:
    files = [device_file(CIPHERED, name="x.gxc")]
    url = page_after(technician, *files)
    changed = {"place__0__line": "new", "place__0__host": "127.0.0.1", "place__0__port": "0"}
    assert "greater than or equal to 1" in technician.post(url, posted(previewed(*files), **changed)).content.decode()
    text = technician.post(url, posted(previewed(*files), device__0__serial_number="x" * 65)).content.decode()
    assert "at most 64 characters" in text
    assert not Line.objects.exists()
    assert not MeterType.objects.exists()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "is not XML"),
        (b"PK\x03\x04", "is not XML"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "DTD or entities"),
        (b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>', "DTD or entities"),
        (b"<html/>", "no device file"),
        (b'<ArrayOfGXDLMSDevice xmlns="Gurux1"/>', "holds no device"),
        ("<a/>".encode("utf-16"), "no device file"),
    ],
)
def test_what_is_no_device_file_is_refused_with_the_reason(technician, octets, words) -> None:
    answer = technician.post(UPLOAD, {"files": [SimpleUploadedFile("bad.gxc", octets)]}, follow=True)
    assert words in answer.content.decode()
    assert "No device can be imported" in answer.content.decode() or not octets


def test_too_many_and_too_large_files_are_refused(technician, monkeypatch) -> None:
    answer = technician.post(UPLOAD, {"files": [SimpleUploadedFile(f"{n}.gxc", b"x") for n in range(51)]})
    assert (answer.status_code, "51 files are too many" in answer.content.decode()) == (400, True)
    answer = technician.post(UPLOAD, {"files": [SimpleUploadedFile("large.gxc", bytes(9 * 1024 * 1024))]})
    assert (answer.status_code, "A file may have at most 8 MB" in answer.content.decode()) == (400, True)
    assert technician.post(UPLOAD, {}).status_code == 400
    assert not SealedUpload.objects.exists()


def test_an_import_is_undone_from_its_report(technician, django_capture_on_commit_callbacks) -> None:
    files = [device_file(PUBLIC, "<ClientAddress>x</ClientAddress>")]
    technician.post(page_after(technician, *files), posted(previewed(*files)))
    run = ImportRun.objects.get()
    report, detail = reverse("meters:gxc_report", args=[run.pk]), reverse("meters:import_detail", args=[run.pk])
    undo = reverse("meters:import_undo", args=[run.pk])
    assert technician.get(detail).url == report
    assert undo in technician.get(report).content.decode()
    other = Client()
    other.force_login(make_user("ben"))
    assert undo not in other.get(report).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        technician.post(undo)
    assert not Meter.objects.exists()
    for url in (report, detail):
        text = technician.get(url).content.decode()
        assert "Undone by anna" in text
        assert undo not in text
    assert technician.get(reverse("meters:import_faults", args=[run.pk])).status_code == 404


def test_leaving_forgets_the_files(technician) -> None:
    url = page_after(technician, device_file(PUBLIC))
    technician.post(f"{url}leave/")
    assert not SealedUpload.objects.exists()
    assert not ImportRun.objects.exists()


def test_a_sealed_vault_is_said(technician, settings, tmp_path) -> None:
    url = page_after(technician, device_file(CIPHERED))
    settings.MASTER_KEY, settings.MASTER_KEY_FILE = "", tmp_path / "none"
    assert "The key vault is sealed" in send(technician, device_file(CIPHERED)).content.decode()
    assert "The key vault is sealed" in technician.get(url, follow=True).content.decode()


def test_nothing_of_a_file_is_markup(technician) -> None:
    names = f"<Name>{EVIL}</Name><AuthenticationName>{EVIL}</AuthenticationName><Standard>{EVIL}</Standard>"
    file = device_file(f"{names}<InterfaceType>1</InterfaceType>", name="<script>alert(1)</script>.gxc")
    url = page_after(technician, file)
    preview = posted(previewed(file), place__0__line="new", place__0__host="127.0.0.1", place__0__port="4059")
    for answer in (technician.get(url), technician.post(url, preview, follow=True)):
        assert b"<script>alert" not in answer.content
        assert b"&lt;script&gt;alert" in answer.content


# -- secrets -------------------------------------------------------------------------------------------------------------

SECRET_ELEMENTS = ("BlockCipherKey", "AuthenticationKey", "BroadcastKey", "DedicatedKey")
WORDS = ("Password", "Challenge", "Novelty")


def canaries() -> tuple[dict[str, bytes], dict[str, str]]:
    """Octets of keys, and words of other elements that may be secret."""
    return (
        {name: secrets.token_bytes(16) for name in SECRET_ELEMENTS},
        {name: f"canary{secrets.token_hex(12)}" for name in WORDS},
    )


def forms_of(octets: bytes) -> list[str]:
    return [octets.hex(), octets.hex().upper(), base64.b64encode(octets).decode(), repr(octets)[2:-1]]


def everything_stored() -> str:
    """All rows of all tables, as text; octets as hex and as they are."""
    parts = []
    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.values_list():
            for value in row:
                octets = bytes(value) if isinstance(value, bytes | memoryview) else b""
                parts += [str(value), octets.hex(), octets.decode("latin-1")]
    return "\n".join(parts)


def test_a_secret_of_a_file_is_in_no_table_page_or_log(technician, caplog, monkeypatch) -> None:
    caplog.set_level(logging.DEBUG)
    keys, words = canaries()
    in_objects = base64.b64encode(keys["BlockCipherKey"]).decode()
    setup = (
        '<GXDLMSObject xsi:type="GXDLMSSecuritySetup"><LogicalName>0.0.43.0.0.255</LogicalName>'
        f"<Guek>{in_objects}</Guek></GXDLMSObject>"
    )
    head = CIPHERED.partition("<BlockCipherKey>")[0] + "<SystemTitle>4D57424D57422D31</SystemTitle>"
    elements = "".join(f"<{name}>{octets.hex()}</{name}>" for name, octets in keys.items())
    elements += "".join(f"<{name}>{text}</{name}>" for name, text in words.items())
    broken = head + f"<BlockCipherKey>{words['Novelty']}</BlockCipherKey>"
    file = device_file(head + elements, broken, objects=setup)
    said = [form for octets in keys.values() for form in forms_of(octets)] + list(words.values())

    def check(*texts: str) -> None:
        for text in (everything_stored(), caplog.text, *texts):
            assert not [form for form in said if form in text]

    url = page_after(technician, file)
    check(technician.get(url).content.decode())
    form = posted(previewed(file), place__0__line="new", place__0__host="127.0.0.1", place__0__port="4059")
    check(technician.post(url, {**form, "device-0-serial_number": ""}).content.decode())

    def fail(**kwargs):
        raise RuntimeError("something unforeseen")

    monkeypatch.setattr(views, "import_devices", fail)
    technician.raise_request_exception = False
    check(technician.post(url, form).content.decode())
    monkeypatch.undo()
    report = technician.post(url, form, follow=True).content.decode()
    assert KeyVersion.objects.count() == 4
    meter = technician.get(Meter.objects.get().get_absolute_url()).content.decode()
    changes = technician.get(reverse("meters:meter_changes", args=[Meter.objects.get().pk])).content.decode()
    check(report, meter, changes)
