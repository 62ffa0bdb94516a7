"""The import of device files: what becomes of them in the database, all or nothing, and what the report says."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from meters import services, vault
from meters.changes import changes_of, new_request
from meters.gxc_import.apply import DeviceRefused, UploadGone, import_devices
from meters.gxc_import.forms import ImportForm
from meters.gxc_import.uploads import UploadedFile, keep_files
from meters.imports.undo import undo_run
from meters.models import (
    Association,
    AssociationTemplate,
    CatalogObject,
    Change,
    ImportRun,
    InvocationCounter,
    KeyVersion,
    Line,
    Meter,
    MeterType,
    RefusedTarget,
    SealedUpload,
)
from meters.services import open_secrets
from tests.meters.builders import make_meter
from tests.meters.gxc_import.builders import CIPHERED, COM8, GAK, GUEK, PUBLIC, device_file, posted, previewed
from tests.meters.test_gxc import PROFILE, REGISTER
from tests.sessions.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return make_user("anna")


def imported(user, *files: UploadedFile, **changes) -> ImportRun:
    """Import all devices as they are proposed, but for `changes` in the form."""
    preview = previewed(*files)
    upload = keep_files(user=user, files=files)
    choices = ImportForm(preview, posted(preview, **changes)).choices()
    with new_request():
        return import_devices(user=user, upload_id=upload.pk, preview=preview, choices=choices)


def left_of(run: ImportRun, number: int = 1) -> dict[str, str]:
    return {what: f"{said} {why}".strip() for what, said, why in run.rows.get(number=number).warnings}


def test_a_ciphered_device_becomes_a_meter_with_everything(anna) -> None:
    run = imported(anna, device_file(CIPHERED, objects=REGISTER + PROFILE))
    meter = Meter.objects.get()
    association = meter.associations.get()
    assert (meter.serial_number, meter.framing, meter.line.describe()) == ("acme", "WRAPPER", "127.0.0.1:4059")
    assert (str(meter.meter_type), association.name, association.is_default) == ("ACM acme", "Management", True)
    assert (association.client_sap, association.authentication, association.protection) == (
        1,
        "hls-gmac",
        "authenticated-encrypted",
    )
    opened = {slot: secret.octets.hex().upper() for slot, secret in open_secrets(association=association).items()}
    assert opened == {"GUEK": GUEK, "GAK": GAK}
    assert {version.state for version in KeyVersion.objects.all()} == {"CANDIDATE"}
    assert {version.origin for version in KeyVersion.objects.all()} == {"imported from acme.gxc"}
    counter = InvocationCounter.objects.get()
    assert (counter.next_value, counter.doubtful) == (9, True)
    register, profile = CatalogObject.objects.order_by("octets")
    assert (register.title, register.base_name, register.rights["1"]["attributes"]) == (
        "Energy",
        18592,
        {"2": "r", "3": "rw"},
    )
    assert profile.capture_objects == "3/1-0:1.8.0*255/-3[2]"
    assert (run.kind, run.state, run.created_count, run.total) == ("GXC", "APPLIED", 1, 1)
    assert not SealedUpload.objects.exists()


def test_the_change_log_tells_of_it_in_one_request_and_of_keys_by_their_fingerprint(anna) -> None:
    run = imported(anna, device_file(CIPHERED))
    entry = changes_of(Meter.objects.get()).get()
    assert (entry.user, entry.request_id, entry.message) == (anna, run.request_id, "imported from acme.gxc")
    assert {change.request_id for change in Change.objects.all()} == {run.request_id}
    assert "fingerprint" in entry.fields["key.GUEK"][1]


def test_two_devices_of_one_meter_become_its_associations(anna) -> None:
    run = imported(anna, device_file(PUBLIC, CIPHERED))
    meter = Meter.objects.get()
    assert set(meter.associations.values_list("name", "client_sap", "is_default")) == {
        ("Management", 1, True),  # first the one whose keys are in use
        ("Public", 16, False),
    }
    assert (run.created_count, run.updated_count) == (1, 1)
    catalog = CatalogObject.objects.get()
    assert set(catalog.rights) == {"1", "16"}


def test_of_different_keys_those_in_use_count(anna) -> None:
    other = PUBLIC + f"<BlockCipherKey>{'FF' * 16}</BlockCipherKey><AuthenticationKey>{GAK}</AuthenticationKey>"
    run = imported(anna, device_file(other, CIPHERED))
    assert KeyVersion.objects.count() == 2
    assert open_secrets(association=Association.objects.first())["GUEK"].octets.hex().upper() == GUEK
    assert "another key" in left_of(run, 1)["Encryption key (BlockCipherKey)"]


def test_a_meter_that_is_there_gets_the_association_only_if_asked(anna) -> None:
    meter = make_meter(meter={"serial_number": "acme"}, line={"port": 4060})
    with pytest.raises(ValidationError):
        imported(anna, device_file(CIPHERED))
    run = imported(anna, device_file(CIPHERED), **{"device__0__join": "on"})
    meter.refresh_from_db()
    assert sorted(meter.associations.values_list("name", flat=True)) == ["Management", "Management (2)"]
    assert meter.default_association.client_sap == 32
    assert "127.0.0.1:4059" in left_of(run)["Line"]
    assert (run.created_count, run.updated_count) == (0, 1)
    assert CatalogObject.objects.get().meter_type == meter.meter_type
    again = imported(anna, device_file(CIPHERED), **{"device__0__join": "on"})
    assert meter.associations.count() == 2
    assert (again.updated_count, again.unchanged_count) == (0, 1)
    assert "stays as it is" in left_of(again)["Association"]


def test_a_meter_without_a_type_teaches_no_catalog(anna) -> None:
    meter = make_meter(meter={"serial_number": "acme", "manufacturer": "", "model": ""})
    assert meter.meter_type is None
    run = imported(anna, device_file(CIPHERED), **{"device__0__join": "on"})
    assert "no type" in left_of(run)["Objects"]
    assert not CatalogObject.objects.exists()


def test_what_a_type_gives_to_new_meters_is_not_put_into_what_a_file_says(anna) -> None:
    kind = MeterType.objects.create(manufacturer="ACM", model="acme", max_info=64, window=7)
    AssociationTemplate.objects.create(
        meter_type=kind, name="Public", client_sap=99, response_protection="authenticated", is_default=True
    )
    hdlc = PUBLIC.replace("<InterfaceType>1", "<InterfaceType>0")
    imported(anna, device_file(hdlc))
    meter = Meter.objects.get()
    association = meter.associations.get()
    assert (meter.meter_type, meter.max_info, meter.window) == (kind, 128, 1)
    assert (association.client_sap, association.response_protection) == (16, "")


def test_a_refusal_without_the_join_stands_in_the_service_too(anna) -> None:
    preview = previewed(device_file(CIPHERED))
    choices = ImportForm(preview, posted(preview)).choices()
    make_meter(meter={"serial_number": "acme"})
    upload = keep_files(user=anna, files=[])
    with pytest.raises(DeviceRefused) as refused:
        import_devices(user=anna, upload_id=upload.pk, preview=preview, choices=choices)
    assert refused.value.index == 0
    assert "serial_number" in refused.value.error.message_dict


def test_a_line_that_is_not_allowed_is_refused_and_that_it_was_tried_is_kept(anna) -> None:
    elsewhere = CIPHERED.replace("127.0.0.1", "203.0.113.7").replace("ACM", "XYZ")
    with pytest.raises(DeviceRefused) as refused:
        imported(anna, device_file(CIPHERED), device_file(elsewhere, name="other.gxc"))
    assert refused.value.index == 1
    assert "not on your list of allowed targets" in str(refused.value.error.message_dict["host"])
    tried = RefusedTarget.objects.get()
    assert (tried.host, tried.port, tried.user_name) == ("203.0.113.7", 4059, "anna")
    for model in (Meter, Line, MeterType, KeyVersion, CatalogObject, ImportRun):
        assert not model.objects.exists(), model


def test_nothing_of_a_refused_import_stays(anna, monkeypatch) -> None:
    files = [device_file(CIPHERED), device_file(CIPHERED.replace("ACM", "XYZ"), name="other.gxc")]
    calls = []
    real = services.find_line

    def failing(fields, **whose):
        calls.append(fields)
        if len(calls) == 2:
            raise ValidationError({"host": "This target is not allowed."})
        return real(fields, **whose)

    monkeypatch.setattr(services, "find_line", failing)
    with pytest.raises(DeviceRefused) as refused:
        imported(anna, *files)
    assert refused.value.index == 1
    for model in (Meter, Line, MeterType, KeyVersion, CatalogObject, ImportRun, Change, InvocationCounter):
        assert not model.objects.exists(), model
    assert SealedUpload.objects.count() == 1


def test_an_upload_is_imported_once_and_by_its_uploader(anna) -> None:
    preview = previewed(device_file(CIPHERED))
    choices = ImportForm(preview, posted(preview)).choices()
    upload = keep_files(user=anna, files=[])
    for user, pk in ((make_user("ben"), upload.pk), (anna, upload.pk + 1)):
        with pytest.raises(UploadGone):
            import_devices(user=user, upload_id=pk, preview=preview, choices=choices)
    import_devices(user=anna, upload_id=upload.pk, preview=preview, choices=choices)
    with pytest.raises(UploadGone):
        import_devices(user=anna, upload_id=upload.pk, preview=preview, choices=choices)
    assert Meter.objects.count() == 1


def test_what_is_not_chosen_or_not_possible_stands_in_the_report(anna) -> None:
    plc = PUBLIC.replace("<InterfaceType>1", "<InterfaceType>5")
    broken = "<ClientAddress>many</ClientAddress>"
    files = [device_file(CIPHERED, plc, PUBLIC, broken), UploadedFile("x.gxc", b"no xml")]
    run = imported(anna, *files, **{"device__2__take": ""})
    rows = {row.number: row for row in run.rows.all()}
    assert [rows[number].outcome for number in (1, 2, 3)] == ["CREATED", "FAULTY", "SAME"]
    assert "does not talk over PLC" in rows[2].values["why"]
    assert [file for file, _ in run.findings["refused"]] == ["acme.gxc", "x.gxc"]
    assert (run.total, run.faulty_count, run.unchanged_count) == (5, 3, 1)


def test_a_serial_port_of_the_list_takes_the_settings_of_the_file(anna, settings) -> None:
    settings.SERIAL_PORTS = {"bench-1": "/dev/ttyUSB0", "COM8": "/dev/ttyUSB1"}
    hdlc = CIPHERED.partition("<MediaType>")[0].replace("<InterfaceType>1", "<InterfaceType>0") + COM8
    imported(anna, device_file(hdlc), **{"place__0__line": "port:bench-1"})
    line = Line.objects.get()
    assert (line.kind, line.serial_port, line.baud, line.parity) == ("SERIAL", "bench-1", 19200, "N")
    imported(anna, device_file(hdlc, name="second.gxc"))
    assert set(Line.objects.values_list("serial_port", flat=True)) == {"bench-1", "COM8"}


def test_a_catalog_that_says_otherwise_stays_and_is_named(anna) -> None:
    imported(anna, device_file(CIPHERED))
    changed = device_file(CIPHERED, objects=REGISTER.replace("Energy", "Power").replace("18592", "1"))
    run = imported(anna, changed, **{"device__0__serial_number": "second"})
    assert CatalogObject.objects.get().title == "Energy"
    assert "title, base_name" in left_of(run)["Object 3/1-0:1.8.0*255"]


@pytest.mark.parametrize(
    ("ours", "doubtful", "expected"), [(5, False, (9, True)), (100, False, (100, False)), (0, False, (9, True))]
)
def test_a_counter_only_grows(anna, ours, doubtful, expected) -> None:
    InvocationCounter.objects.create(
        fingerprint=vault.fingerprint(bytes.fromhex(GUEK)), system_title="4d57424d57422d31", next_value=ours
    )
    imported(anna, device_file(CIPHERED))
    counter = InvocationCounter.objects.get()
    assert (counter.next_value, counter.doubtful) == expected


def test_an_undo_takes_away_what_no_key_hangs_on(anna) -> None:
    run = imported(anna, device_file(PUBLIC))
    undo_run(run=run, user=anna)
    assert not Meter.objects.exists()
    assert not Line.objects.exists()
    run = imported(anna, device_file(CIPHERED))
    undone = undo_run(run=run, user=anna)
    assert Meter.objects.count() == 1
    assert undone.kept_count == 1
    assert "no key is ever lost" in str(run.records.get().kept)


def test_an_undo_takes_a_further_association_away(anna) -> None:
    meter = make_meter(meter={"serial_number": "acme"})
    run = imported(anna, device_file(PUBLIC), **{"device__0__join": "on"})
    assert meter.associations.count() == 2
    undo_run(run=run, user=anna)
    assert meter.associations.count() == 1
    assert Meter.objects.count() == 1
