"""The lab's announcement becomes inventory, again and again the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from meters.models import KeyVersion, Line, Meter, MeterType
from meters.services import open_secrets
from sessions.simulator.lab import LABS, announcement, load_lab

pytestmark = pytest.mark.django_db

WRAPPER = {
    "serial_number": "10000001",
    "name": "Workshop",
    "type": "Maker M1",
    "endpoint": "tcp://127.0.0.1:4059",
    "association": {"framing": "wrapper", "client_sap": 32, "authentication": "lls", "secret": "text:12345678"},
}
CIPHERED = {
    "serial_number": "10000004",
    "name": "Riser",
    "type": "Simulated",
    "endpoint": "tcp://127.0.0.1:4061",
    "association": {
        "framing": "hdlc",
        "client_sap": 1,
        "authentication": "hls-gmac",
        "protection": "authenticated-encrypted",
        "client_system_title": "4D57424D57422D31",
        "guek": "000102030405060708090A0B0C0D0E0F",
        "gak": "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
        "hdlc": {"physical_address": 18, "max_info": 128, "window": 1},
    },
}
SERIAL = {
    **WRAPPER,
    "serial_number": "10000005",
    "endpoint": "serial:///run/lab/10000005?baud=9600",
    "association": {**WRAPPER["association"], "framing": "hdlc", "hdlc": {"max_info": 128}},
}


def load(tmp_path: Path, *meters: dict) -> None:
    path = tmp_path / "lab.json"
    path.write_text(json.dumps({"meters": meters}) + "\n")
    call_command("load_demo", path, stdout=StringIO())


@pytest.fixture(autouse=True)
def _ports(settings) -> None:
    settings.SERIAL_PORTS = {"demo-10000005": "/run/lab/10000005"}
    settings.SERIAL_DEVICES = ["/run/lab/*"]


def test_a_sign_on_before_hdlc(tmp_path) -> None:
    association = {
        **SERIAL["association"],
        "framing": "hdlc-mode-e",
        "sign_on": {"device_address": "77", "max_baud": 9600},
    }
    load(tmp_path, {**SERIAL, "association": association})
    meter = Meter.objects.get()
    assert (meter.framing, meter.sign_on_address, meter.initial_baud, meter.max_baud) == ("MODE_E", "77", 300, 9600)


def test_meters_lines_associations_and_keys(tmp_path) -> None:
    load(tmp_path, WRAPPER, CIPHERED, SERIAL)
    wrapper, ciphered, serial = Meter.objects.order_by("serial_number")
    assert (wrapper.framing, str(wrapper.line), str(wrapper.meter_type)) == ("WRAPPER", "127.0.0.1:4059", "Maker M1")
    assert open_secrets(association=wrapper.default_association)["LLS_SECRET"].octets == b"12345678"
    assert (ciphered.framing, ciphered.physical_address) == ("HDLC", 18)
    assert set(open_secrets(association=ciphered.default_association)) == {"GUEK", "GAK"}
    assert ciphered.default_association.client_system_title.lower() == "4d57424d57422d31"
    assert (serial.line.kind, serial.line.serial_port, serial.line.baud) == ("SERIAL", "demo-10000005", 9600)
    assert serial.line.endpoint == "serial:///run/lab/10000005?baud=9600&data_bits=8&parity=N&stop_bits=1"


READER = {
    "role": "reader",
    "association": {**WRAPPER["association"], "client_sap": 2, "secret": "text:reader01"},
}
MAINTENANCE = {
    "role": "maintenance",
    "association": {"framing": "wrapper", "client_sap": 3, "authentication": "none"},
}


def test_every_client_has_an_association_of_its_own(tmp_path) -> None:
    """With its own secret; twice is once here, too, and the default one stays the first client's."""
    for _ in range(2):
        load(tmp_path, {**WRAPPER, "clients": [READER, MAINTENANCE]})
    meter = Meter.objects.get()
    told = [(each.name, each.client_sap, each.is_default) for each in meter.associations.order_by("pk")]
    assert told == [("Management", 32, True), ("Reader, client 2", 2, False), ("Maintenance, client 3", 3, False)]
    assert meter.default_association.client_sap == 32
    secrets = [
        {slot: secret.octets for slot, secret in open_secrets(association=each).items()}
        for each in meter.associations.order_by("pk")
    ]
    assert secrets == [{"LLS_SECRET": b"12345678"}, {"LLS_SECRET": b"reader01"}, {}]
    assert KeyVersion.objects.count() == 2


def test_the_whole_lab_of_types_with_all_its_clients(tmp_path) -> None:
    lab = load_lab(LABS / "types.toml", lambda: datetime(2026, 11, 25, 11, tzinfo=UTC))
    meters = [announcement(meter, "tcp://127.0.0.1:4059") for line in lab.lines for meter in line.meters]
    load(tmp_path, *json.loads(json.dumps(meters)))
    for announced in meters:
        kept = Meter.objects.get(serial_number=announced["serial_number"])
        assert kept.associations.count() == 1 + len(announced.get("clients", ()))
    types = list(MeterType.objects.all())
    assert types
    for each in types:
        assert (each.flag_code, bool(each.framing)) == ("MWB", True)
        assert each.association_templates.filter(is_default=True).count() == 1


def test_a_meter_on_udp(tmp_path) -> None:
    load(tmp_path, {**WRAPPER, "endpoint": "udp://127.0.0.1:4059"})
    assert Meter.objects.get().line.endpoint == "udp://127.0.0.1:4059"


def test_twice_is_once(tmp_path) -> None:
    for _ in range(2):
        load(tmp_path, WRAPPER, CIPHERED, SERIAL)
    assert (Meter.objects.count(), Line.objects.count(), KeyVersion.objects.count()) == (3, 3, 4)


def test_another_port_moves_the_meter_and_keeps_its_keys(tmp_path) -> None:
    load(tmp_path, WRAPPER)
    load(tmp_path, {**WRAPPER, "endpoint": "tcp://127.0.0.1:5000"})
    assert str(Meter.objects.get().line) == "127.0.0.1:5000"
    assert Line.objects.count() == 1
    assert KeyVersion.objects.count() == 1


def test_another_secret_is_a_new_version(tmp_path) -> None:
    load(tmp_path, WRAPPER)
    load(tmp_path, {**WRAPPER, "association": {**WRAPPER["association"], "secret": "text:other"}})
    assert [version.number for version in KeyVersion.objects.all()] == [1, 2]


@pytest.mark.parametrize(
    ("meter", "said"),
    [
        ({**WRAPPER, "endpoint": "ftp://x"}, "endpoint"),
        ({**WRAPPER, "association": {}}, "framing"),
        ({**WRAPPER, "serial_number": ""}, "serial"),
        ({**WRAPPER, "clients": [{"role": "reader"}]}, "association"),
        ({**WRAPPER, "clients": ["reader"]}, "10000001"),
        ({key: value for key, value in WRAPPER.items() if key != "endpoint"}, "endpoint"),
        ({**SERIAL, "endpoint": "serial:///dev/ttyS9?baud=9600"}, "WORKBENCH_SERIAL_PORTS"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_meter(tmp_path, meter: dict, said: str) -> None:
    with pytest.raises(CommandError, match=said):
        load(tmp_path, meter)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"meters": 5}', "nonsense"])
def test_what_is_no_announcement(tmp_path, text: str) -> None:
    path = tmp_path / "lab.json"
    path.write_text(text)
    with pytest.raises(CommandError):
        call_command("load_demo", path)


def test_a_file_that_is_not_there(tmp_path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_demo", tmp_path / "absent")
