"""The ten published device files: nothing is lost on their way into the inventory, and meters made from them are read with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from meters.catalogs.rights import ClientRights
from meters.gxc import DeviceFile, FileMedia, FileObject, read_gxc
from meters.gxc_import.apply import import_devices
from meters.gxc_import.forms import ImportForm
from meters.gxc_import.uploads import UploadedFile, keep_files
from meters.models import Association, CatalogObject, ImportRow, ImportRun, InvocationCounter, KeyVersion, Meter
from meters.services import learn_invocation_counter, open_secrets, store_secret
from sessions.engine import run as module
from sessions.engine import run_session
from sessions.known_objects import known_objects
from sessions.models import DlmsSession
from sessions.recorder import in_database
from sessions.services import close_session
from sessions.simulator.foreign import DEFAULT_SECRET
from sessions.simulator.gxc import gxc_lab, gxc_meter
from sessions.simulator.listeners import RunningLab
from tests.meters.gxc_import.builders import CIPHERED, device_file, posted, previewed
from tests.meters.test_gxc import FILES, REGISTER
from tests.sessions.builders import make_session, make_user
from tests.sessions.engine.bench import fresh, steps_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import HandClock

pytestmark = pytest.mark.django_db
published = pytest.mark.skipif(
    not FILES.is_dir(), reason=f"the published device files are not here ({FILES.name} beside the checkout)"
)

PUBLISHED = sorted(FILES.glob("*.gxc")) if FILES.is_dir() else []


@pytest.fixture(autouse=True)
def _quick(monkeypatch) -> None:
    monkeypatch.setattr(module, "LOOK_INTERVAL", 0.02)


def imported(*paths: Path, host: str = "127.0.0.1", port: int = 4059) -> ImportRun:
    """As somebody does who confirms the preview, with one line where the files say none."""
    files = [UploadedFile(path.name, path.read_bytes()) for path in paths]
    preview, user = previewed(*files), make_user("anna")
    upload = keep_files(user=user, files=files)
    places = range(len(ImportForm(preview).places))
    line = {
        f"place__{n}__{name}": value
        for n in places
        for name, value in (("line", "new"), ("host", host), ("port", port))
    }
    choices = ImportForm(preview, posted(preview, **line)).choices()
    return import_devices(user=user, upload_id=upload.pk, preview=preview, choices=choices)


class Kept:
    """What is kept of one device: its rows, and its report."""

    def __init__(self, device: DeviceFile, row: ImportRow) -> None:
        self.device = device
        self.report = {what: f"{said} {why}" for what, said, why in row.warnings}
        self.meter = Meter.objects.get(pk=row.values["meter"])
        self.association: Association = self.meter.associations.get()
        self.catalog = {
            (each.class_id, each.code): each.facts
            for each in CatalogObject.objects.filter(meter_type=self.meter.meter_type)
        }
        self.secrets = open_secrets(association=self.association)

    def says(self, what: str, words: object = "") -> bool:
        """Whether the report tells of it."""
        return what in self.report and str(words) in self.report[what]

    def slot(self, name: str) -> bytes:
        return self.secrets[name].octets if name in self.secrets else b""


def one_of(kept: Kept, mine: object, said: tuple[object, ...], what: str) -> bool:
    """The smaller of two sizes is kept, the other one told; without any the workbench has its own."""
    told = [value for value in said if value is not None]
    return not told or (mine == min(told) and all(value == mine or kept.says(what, value) for value in told))


def kept_media(kept: Kept, media: FileMedia) -> bool:
    """None of the ten names host and port: the person chose the line. A port's name is on the preview's line of the place."""
    return not media.host and kept.meter.line.describe() == "127.0.0.1:4059"


def kept_counter(kept: Kept, last: int | None) -> bool:
    if last is None:
        return True
    rows = InvocationCounter.objects.filter(system_title=kept.association.client_system_title)
    known = any(row.next_value == last + 1 and row.doubtful for row in rows)
    return known or kept.says("Invocation counter", last)


CHECKS: dict[str, Callable[[Kept, Any], bool]] = {
    "name": lambda kept, name: kept.association.name == name,
    "device_name": lambda kept, name: name in (kept.association.name, kept.meter.name, kept.device.name),
    "manufacturer": lambda kept, flag: kept.meter.meter_type.flag_code == flag,
    "authentication": lambda kept, word: (
        kept.association.authentication == word
        or (kept.association.pre_established and kept.says("Authentication", word))
    ),
    "has_password": lambda kept, has: kept.says("Password") == (has or kept.association.authentication == "lls"),
    "protection": lambda kept, word: kept.association.protection == word,
    "security_suite": lambda kept, suite: kept.association.security_suite == suite,
    "client_sap": lambda kept, sap: kept.association.client_sap == sap,
    "logical_address": lambda kept, address: kept.association.server_sap == address,
    "physical_address": lambda kept, address: (
        kept.meter.physical_address == address if kept.meter.speaks_hdlc else address == 1
    ),
    "hdlc_addressing": lambda kept, number: not number or kept.says("HDLC addressing"),
    "address_octets": lambda kept, octets: kept.meter.address_octets == octets,
    "framing": lambda kept, word: kept.meter.framing == {"hdlc-mode-e": "MODE_E"}.get(word, word.upper()),
    "logical_names": lambda kept, yes: kept.association.referencing == ("logical-names" if yes else "short-names"),
    "conformance": lambda kept, bits: kept.says("Conformance", bits),
    "max_pdu_size": lambda kept, size: size is None or kept.association.max_pdu_size == size,
    "max_info_tx": lambda kept, size: one_of(
        kept, kept.meter.max_info, (size, kept.device.max_info_rx), "Information field"
    ),
    "max_info_rx": lambda kept, size: one_of(
        kept, kept.meter.max_info, (size, kept.device.max_info_tx), "Information field"
    ),
    "window_tx": lambda kept, size: one_of(kept, kept.meter.window, (size, kept.device.window_rx), "Window"),
    "window_rx": lambda kept, size: one_of(kept, kept.meter.window, (size, kept.device.window_tx), "Window"),
    "wait_time": lambda kept, wait: not wait or kept.association.timeout == wait or kept.says("Wait time", wait),
    "pre_established": lambda kept, yes: kept.association.pre_established == yes,
    "user_id": lambda kept, number: kept.association.user_id == number,
    "reverse_deviation": lambda kept, yes: kept.meter.reverse_deviation == yes,
    "counter_object": lambda kept, name: (
        not name or kept.association.counter_object.replace("-", ".").replace(":", ".").replace("*", ".") == name
    ),
    "invocation_counter": kept_counter,
    "client_system_title": lambda kept, title: kept.association.client_system_title == title.hex(),
    "server_system_title": lambda kept, title: kept.meter.server_system_title == title.hex(),
    "guek": lambda kept, key: kept.slot("GUEK") == key,
    "gak": lambda kept, key: kept.slot("GAK") == key,
    "gbek": lambda kept, key: kept.slot("GBEK") == key,
    "dedicated_key": lambda kept, key: kept.slot("DEDICATED_KEY") == key,
    "media": kept_media,
    "objects": lambda kept, objects: all(kept_object(kept, each) for each in objects),
    "faults": lambda kept, faults: not faults,
    "others": lambda kept, others: all(kept.says(name) for name in others),
    "unread": lambda kept, unread: all(kept.says(f"{name} ({count} ×)") for name, count in unread.items()),
}
OBJECT_CHECKS: dict[str, Callable[[Any, Kept, FileObject], bool]] = {
    "class_id": lambda facts, kept, each: facts.class_id == each.class_id,
    "version": lambda facts, kept, each: facts.version == each.version,
    "logical_name": lambda facts, kept, each: facts.logical_name == each.logical_name,
    "short_name": lambda facts, kept, each: facts.base_name == each.short_name,
    "description": lambda facts, kept, each: facts.title == " ".join(each.description.split()),
    "attributes": lambda facts, kept, each: rights_kept(facts, kept, each),
    "methods": lambda facts, kept, each: (
        not kept.device.logical_names
        or facts.rights[kept.device.client_sap].methods
        == {number: bool(access) for number, access in each.methods.items()}
    ),
    "scaler": lambda facts, kept, each: float(each.scaler or 1) == 10.0 ** (facts.scaler or 0),
    "unit": lambda facts, kept, each: str(facts.unit or "") == each.unit,
    "capture_objects": lambda facts, kept, each: facts.capture_objects == each.capture_objects,
}


def rights_kept(facts: Any, kept: Kept, each: FileObject) -> bool:
    """By short names no rights are told, and the report says so; names and types of attributes are told there too."""
    if any(attribute.name for attribute in each.attributes.values()) and not kept.says("Names of attributes"):
        return False
    if any(attribute.type for attribute in each.attributes.values()) and not kept.says("Types of attributes"):
        return False
    client = facts.rights[kept.device.client_sap]
    if not kept.device.logical_names:
        return client == ClientRights() and (not each.attributes or kept.says("Access rights"))
    modes = {0: "no", 1: "r", 2: "w", 3: "rw"}
    return client.attributes == {number: modes[listed.access] for number, listed in each.attributes.items()}


def kept_object(kept: Kept, each: FileObject) -> bool:
    facts = kept.catalog[each.class_id, each.logical_name]
    wrong = [name for name, check in OBJECT_CHECKS.items() if not check(facts, kept, each)]
    assert not wrong, (each, facts)
    return True


def test_the_checks_know_every_field_that_the_reader_gives() -> None:
    assert set(CHECKS) == {field.name for field in fields(DeviceFile)}
    assert set(OBJECT_CHECKS) == {field.name for field in fields(FileObject)}


@published
def test_all_ten_files_are_imported_and_nothing_is_lost() -> None:
    run = imported(*PUBLISHED)
    assert (run.total, run.created_count, run.faulty_count) == (10, 10, 0)
    assert len({meter.meter_type_id for meter in Meter.objects.all()}) == 10
    rows = list(run.rows.order_by("number"))
    for path, row in zip(PUBLISHED, rows, strict=True):
        (device,) = read_gxc(path.read_bytes())
        kept = Kept(device, row)
        wrong = [name for name, check in CHECKS.items() if not check(kept, getattr(device, name))]
        assert not wrong, (path.name, wrong, kept.report)
        assert len(kept.catalog) == len({(each.class_id, each.logical_name) for each in device.objects})
    assert KeyVersion.objects.count() == 4


# -- reading with what was imported --------------------------------------------------------------------------------------

READ = ("landisgyr-e650-zmd410ct44-sn", "landisgyr-e350-wrapper-management")
"""By short names over HDLC, by logical names on the wrapper."""


@published
@pytest.mark.parametrize("name", READ)
def test_a_simulated_meter_of_a_file_is_read_with_what_was_imported(name: str, tmp_path: Path) -> None:
    read_what_was_imported(FILES / f"{name}.gxc", tmp_path)


def test_a_ciphered_one_is_read_with_the_keys_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ciphered.gxc"
    path.write_bytes(device_file(CIPHERED, objects=REGISTER).octets)
    read_what_was_imported(path, tmp_path)
    assert set(KeyVersion.objects.values_list("state", flat=True)) == {"PROVEN"}
    assert InvocationCounter.objects.get().next_value > 9


def read_what_was_imported(path: Path, directory: Path) -> None:
    """The object list and the first register of a meter that was made from the file, in a session with the imported meter."""
    (device,) = read_gxc(path.read_bytes())
    register = next(
        each
        for each in device.objects
        if each.class_id == 3 and (not each.attributes or (2 in each.attributes and each.attributes[2].readable))
    )
    own = {"class_id": 15 if device.logical_names else 12, "logical_name": "0-0:40.0.0*255", "attribute_id": 2}
    value = {"class_id": 3, "logical_name": str(register.logical_name), "attribute_id": 2}

    async def run() -> tuple[DlmsSession, list[Any]]:
        async with RunningLab(gxc_lab(path, HandClock()), directory) as running:
            port = int(running.announcements[0]["endpoint"].rpartition(":")[2])
            dlms_session = await in_database(lambda: session_of(path, port, own, value))
            await run_session(dlms_session.pk)
            return await fresh(dlms_session), await steps_of(dlms_session)

    dlms_session, steps = async_to_sync(run)()
    assert dlms_session.error is None, dlms_session.error
    assert [step.state for step in steps] == ["DONE", "DONE"]
    listed = {(each.class_id, each.logical_name): each for each in known_objects(dlms_session)}
    imported_facts = {(each.class_id, each.code): each.facts for each in CatalogObject.objects.all()}
    assert listed.keys() == imported_facts.keys()
    for key, facts in imported_facts.items():
        assert listed[key].version == facts.version, key
        assert device.logical_names or listed[key].base_name == facts.base_name, key
        for number, mode in facts.rights[device.client_sap].attributes.items():
            assert (listed[key].may_read(number), listed[key].may_write(number)) == ("r" in mode, "w" in mode), (
                key,
                number,
            )
    pair = Pair(gxc_meter(device, "10000001", HandClock()))
    pair.open()
    assert steps[1].result["value"] == pair.get(3, str(register.logical_name), 2).value


def session_of(path: Path, port: int, *reads: dict[str, Any]) -> DlmsSession:
    """The file imported onto the simulated meter's line; what it does not hold is entered, as its report asks for."""
    run = imported(path, port=port)
    association = Association.objects.get()
    asked = {what for what, _, _ in run.rows.get().warnings}
    if "Password" in asked:
        store_secret(
            meter=association.meter, slot="LLS_SECRET", secret=DEFAULT_SECRET.encode(), association=association
        )
    for counter in InvocationCounter.objects.all():
        # The file describes no public client that could ask the meter: a technician says that the file's counter is the last.
        learn_invocation_counter(
            fingerprint=counter.fingerprint, system_title=counter.system_title, meter_value=counter.next_value - 1
        )
    dlms_session = make_session(association.meter, steps=[{"kind": "READ", **read} for read in reads])
    close_session(session_id=dlms_session.pk, user=make_user())
    return dlms_session
