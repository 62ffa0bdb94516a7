"""Lab files: what they may say, and what is announced of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meters.cosem.data import date_time
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.certificates import CertificateType
from sessions.dlms.elliptic import load_private, public_of
from sessions.dlms.errors import DlmsError
from sessions.simulator.bus import LineTiming
from sessions.simulator.device import Role
from sessions.simulator.faults import LineFaults
from sessions.simulator.lab import (
    LABS,
    LabError,
    LazyDevice,
    announcement,
    load_lab,
    make_meter,
    make_meters,
    plain_lab,
    with_ports,
)
from sessions.simulator.meter import Meter
from tests.sessions.simulator.lines import associate, station_of
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, HandClock, lab_meter

METER = '[[lines.meters]]\nserial_number = "10000001"\n'
WRAPPER = '[[lines]]\nkind = "wrapper"\n'


def lab_file(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "lab.toml"
    path.write_text(text)
    return load_lab(path, HandClock())


@pytest.mark.parametrize("path", sorted(LABS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_lab_that_we_ship_can_be_used(path):
    lab = load_lab(path, HandClock())
    for line in lab.lines:
        for meter in line.meters:
            pair = associate(line, meter, "manager")
            assert pair.get(1, "0-0:96.1.0*255", 2).value == meter.serial_number.encode()


def test_a_meter_of_short_names_announces_that_it_is_one(tmp_path):
    lab = lab_file(tmp_path, WRAPPER + METER + 'type = "short_names"\n')
    assert lab.lines[0].meters[0].association["referencing"] == "short-names"


def test_the_demo_lab_is_the_one_of_the_readme():
    lab = load_lab(LABS / "demo.toml", HandClock())
    assert [(line.kind, len(line.meters)) for line in lab.lines] == [
        ("wrapper", 1),
        ("wrapper", 1),
        ("hdlc", 2),
        ("pty", 1),
    ]
    assert lab.reply_delay > 0
    serials = [meter.serial_number for line in lab.lines for meter in line.meters]
    assert len(set(serials)) == 5
    assert all(len(serial) == 8 for serial in serials)


@pytest.mark.parametrize("hdlc", [{}, {"physical_address": 17}])
@pytest.mark.parametrize("association", [LLS, GMAC])
def test_the_announcement_is_an_association_file(association, hdlc):
    meter = lab_meter(association, name="Cellar", **hdlc)
    told = announcement(meter, "tcp://127.0.0.1:4059")
    assert (told["serial_number"], told["name"], told["endpoint"]) == ("10000001", "Cellar", "tcp://127.0.0.1:4059")
    parsed = parse_association(told["association"])
    assert parsed.framing == ("hdlc" if hdlc else "wrapper")
    assert parsed.invocation_counter is None
    assert parsed.hdlc.physical_address == hdlc.get("physical_address")
    title = parsed.parameters.server_system_title
    assert title == (None if association is LLS else meter.device.server_system_title)


def test_options_of_the_file(tmp_path):
    lab = lab_file(
        tmp_path, 'host = "::1"\nreply_delay = 0.5\ninactivity_timeout = 7\n' + WRAPPER + "port = 4100\n" + METER
    )
    assert (lab.host, lab.reply_delay, lab.inactivity_timeout, lab.fixed_ports) == ("::1", 0.5, 7, False)
    assert lab.lines[0].port == 4100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("lines = 3", "lab.toml"),
        ("", "no \\[\\[lines\\]\\]"),
        ("[[lines]\n", "no TOML|not TOML"),
        ("[[lines]]\nport = 1\n" + METER, "kind"),
        ('[[lines]]\nkind = "avian"\n' + METER, "avian"),
        (WRAPPER, "meters"),
        (WRAPPER + METER + METER.replace("1", "2"), "one meter"),
        ('[[lines]]\nkind = "hdlc"\nmeters = []\n', "at least one"),
        ('[[lines]]\nkind = "udp"\n' + METER + METER.replace("1", "2"), "one meter"),
        ('[[lines]]\nkind = "hdlc"\nwindow = 8\n' + METER, "window 1 to 7"),
        ('[[lines]]\nkind = "hdlc"\nmax_info = 16\n' + METER, "max_info is 32"),
        (WRAPPER + METER + 'type = "four_phase"\n', "four_phase"),
        (WRAPPER + METER + 'role = "king"\n', "king"),
        (WRAPPER + "[[lines.meters]]\nserial_number = 10000001\n", "serial number"),
        (WRAPPER + '[[lines.meters]]\nserial_number = "MW-1"\n', "serial number"),
        (WRAPPER + "[[lines.meters]]\nname = 'nobody'\n", "serial_number"),
        (WRAPPER + METER + WRAPPER + METER, "twice"),
        (WRAPPER + METER + '[lines.meters.association]\nauthentication = "lls"\n', "secret"),
        (WRAPPER + METER + '[lines.meters.association]\nguek = "00"\n', "guek"),
        (
            WRAPPER + METER + '[lines.meters.association]\nserver_system_title = "4D57420000989681"\n',
            "server_system_title",
        ),
        ("colour = 'red'\n" + WRAPPER + METER, "colour"),
        (WRAPPER + "colour = 'red'\n" + METER, r"lab.toml: \[\[lines\]\] has no “colour”; it has faults, kind"),
        (
            WRAPPER + METER + "colour = 'red'\n",
            r"lab.toml: \[\[lines.meters\]\] of 10000001 has no “colour”; it has address_octets, .*user_ids",
        ),
        (
            WRAPPER + METER + "[lines.meters.key_pairs]\nsed = 1\n",
            r"\[lines.meters.key_pairs\].* no “sed”; it has key_agr",
        ),
        (
            WRAPPER + METER + "[lines.meters.sign_on]\nbauds = 1\n",
            r"\[lines.meters.sign_on\].* no “bauds”; it has baud",
        ),
        (WRAPPER + METER + '[lines.meters.association]\nreferencing = "short-names"\n', "knows logical-names only"),
        (
            WRAPPER + METER + 'type = "short_names"\n[lines.meters.association]\nreferencing = "logical-names"\n',
            "knows short-names only",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, reason):
    with pytest.raises(LabError, match=reason):
        lab_file(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(LabError, match="cannot be read"):
        load_lab(tmp_path / "none.toml", HandClock())


def test_plain_labs_are_as_many_meters_as_wanted():
    lab = plain_lab(3, 5000, HandClock())
    assert [line.port for line in lab.lines] == [5000, 5001, 5002]
    assert [line.meters[0].serial_number for line in lab.lines] == ["10000001", "10000002", "10000003"]
    assert [line.port for line in plain_lab(2, 0, HandClock()).lines] == [0, 0]


def test_ports_are_moved_together():
    lab = load_lab(LABS / "demo.toml", HandClock())
    moved = with_ports(lab, 6000)
    assert [line.port for line in moved.lines if line.kind != "pty"] == [6000, 6001, 6002]
    assert moved.fixed_ports
    assert [line.port for line in with_ports(lab, 0).lines] == [0] * len(lab.lines)


def test_the_meters_counters_begin_above_those_of_earlier_runs():
    clock = HandClock()
    first = make_meter({"serial_number": "1", "association": GMAC}, clock)
    clock.advance(seconds=10)
    second = make_meter({"serial_number": "1", "association": GMAC}, clock)
    assert first.device.security.counters.take() + 10 == second.device.security.counters.take()


SUITE_1 = {
    **GMAC,
    "security_suite": 1,
    "kek": "303132333435363738393A3B3C3D3E3F",
    "general": {"ciphering": "one-pass", "signed": True},
}


def test_key_pairs_are_made_from_a_seed_and_announced():
    meter = lab_meter(SUITE_1, key_pairs={"seed": "one"})
    told = meter.association
    assert told["server_signing_key"].startswith("-----BEGIN CERTIFICATE-----")
    parameters = parse_association(told).parameters
    store = meter.device.security.key_store
    assert public_of(store.private_key(CertificateType.DIGITAL_SIGNATURE)) == parameters.server_signing_key
    client = parameters.client_system_title
    assert store.public_key_of(client, CertificateType.KEY_AGREEMENT) == public_of(parameters.client_key_agreement_key)
    assert lab_meter(SUITE_1, key_pairs={"seed": "one"}).association == told
    assert lab_meter(SUITE_1, key_pairs={"seed": "two"}).association != told


def test_key_pairs_may_be_given():
    given = bytes(range(1, 33))
    pem = load_private(given).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    meter = lab_meter({**SUITE_1, "client_signing_key": given.hex()}, key_pairs={"key_agreement_key": pem})
    parameters = parse_association(meter.association).parameters
    assert parameters.client_signing_key == given
    assert parameters.server_key_agreement_key == public_of(given)


@pytest.mark.parametrize(
    ("association", "key_pairs"),
    [
        (GMAC, {}),
        (LLS, {}),
        ({**SUITE_1, "client_system_title": "xx"}, {}),
        (SUITE_1, {"signing_key": "no key"}),
        (SUITE_1, None),
    ],
)
def test_key_pairs_that_cannot_be(association, key_pairs):
    changes = {} if key_pairs is None else {"key_pairs": key_pairs}
    with pytest.raises((LabError, ValueError, DlmsError)):
        lab_meter(association, **changes)


@pytest.mark.parametrize(
    ("suite", "protection", "general", "policy"),
    [
        (0, "authenticated-encrypted", None, 3),
        (0, "encrypted", None, 2),
        (1, "authenticated", None, 0x24),
        (1, "authenticated-encrypted", {"signed": True}, 0xFC),
    ],
)
def test_the_policy_demands_what_the_client_does(suite, protection, general, policy):
    association = {**GMAC, "security_suite": suite, "protection": protection}
    association |= {"general": general} if general else {}
    meter = lab_meter(association, **({"key_pairs": {}} if suite else {}))
    assert meter.device.security.policy == policy


@pytest.mark.parametrize(
    ("changes", "version", "expected"),
    [
        ({"protection": "authenticated"}, None, (1, 0)),
        ({"protection": "authenticated-encrypted"}, None, (3, 0)),
        ({"protection": "authenticated-encrypted"}, 1, (0x6C, 1)),
        ({"protection": "authenticated", "response_protection": "encrypted"}, None, (0x44, 1)),
        ({"protection": "authenticated", "response_protection": "encrypted"}, 0, (3, 0)),
        ({"protection": "none"}, None, (0, 0)),
    ],
)
def test_the_policy_demands_what_the_association_uses(changes, version, expected):
    table = {} if version is None else {"security_setup_version": version}
    security = lab_meter({**GMAC, **changes}, **table).device.security
    assert (security.policy, security.policy_version) == expected


def test_a_version_that_the_security_setup_has_not():
    with pytest.raises(LabError, match="security_setup_version"):
        lab_meter(GMAC, security_setup_version=2)


def test_the_meters_title_is_announced_where_the_client_needs_it():
    for association, told in (
        (LLS, False),
        (GMAC, True),
        ({**LLS, "authentication": "hls-sha256", "client_system_title": GMAC["client_system_title"]}, True),
        ({"pre_established": True}, False),
    ):
        assert ("server_system_title" in lab_meter(association).association) == told


def test_who_may_associate_is_the_meters_list():
    meter = lab_meter({**LLS, "user_id": 3}, user_ids=[3, 4])
    assert meter.device.client(32).user_ids == {3, 4}


def test_of_many_meters_each_is_built_when_somebody_talks_to_it():
    lab = plain_lab(3, 0, HandClock())
    first, second, _ = (line.meters[0] for line in lab.lines)
    assert isinstance(first.device, Meter)
    assert isinstance(second.device, LazyDevice)
    assert second.device.server_sap == first.device.server_sap
    assert second.device.serial_number == "10000002"
    assert second.device.security is second.device.security


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[lines]]\nkind = "udp"\n[lines.sign_on]\n' + METER, "a sign-on belongs to"),
        (
            '[[lines]]\nkind = "pty"\n[lines.sign_on]\npush_interval = 1.0\n'
            + METER
            + METER.replace("10000001", "10000002"),
            "has one meter",
        ),
        (
            '[[lines]]\nkind = "pty"\n[lines.sign_on]\n' + METER + '[lines.meters.sign_on]\nreadout = "x"\n',
            "no readout",
        ),
        ('[[lines]]\nkind = "pty"\n[lines.sign_on]\nspeed = 300\n' + METER, "speed"),
    ],
)
def test_sign_ons_that_cannot_be(tmp_path, text, words):
    with pytest.raises(LabError, match=words):
        lab_file(tmp_path, text)


LINE = '[[lines]]\nkind = "hdlc"\n'


def test_timing_and_faults_of_a_line(tmp_path):
    (line,) = lab_file(
        tmp_path,
        LINE + "[lines.timing]\nbaud = 2400\n[lines.faults]\nseed = 7\nlost = 0.1\n" + METER,
    ).lines
    assert line.timing == LineTiming(baud=2400)
    assert line.faults == LineFaults(seed=7, lost=0.1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[lines]]\nkind = "ip"\n' + METER, "“ip” is no kind of line: wrapper, hdlc, udp, pty, rfc2217"),
        (WRAPPER + "[lines.timing]\nbaud = 9600\n" + METER, "timing belongs to a line with a speed"),
        (LINE + "[lines.timing]\nspeed = 9600\n" + METER, "timing: there is no speed"),
        (LINE + "[lines.fault]\nlost = 0.1\n" + METER, "has no “fault”; it has faults, kind"),
        (LINE + METER + 'quirks = ["sulks"]\n', "there is no quirk 'sulks'"),
        (LINE + "[lines.faults]\nlost = 2\n" + METER, "faults: lost is a chance from 0 to 1, not 2"),
        (LINE + METER + "physical_address = 300\naddress_octets = 2\n", "at least 4 for physical_address 300"),
        (LINE + METER + "physical_address = 17\naddress_octets = 3\n", "address_octets is 1, 2 or 4"),
        (LINE + METER + "physical_address = 17\naddress_octets = 1\n", "at least 2"),
    ],
)
def test_a_line_that_cannot_be(tmp_path, text, words):
    with pytest.raises(LabError, match=words):
        lab_file(tmp_path, text)


@pytest.mark.parametrize(("entries", "octets"), [("", 2), ("address_octets = 4\n", 4), ("physical_address = 300\n", 4)])
def test_the_size_of_an_address(tmp_path, entries, octets):
    entries = entries if "physical" in entries else "physical_address = 17\n" + entries
    (meter,) = lab_file(tmp_path, LINE + METER + entries).lines[0].meters
    assert meter.address_octets == meter.association["hdlc"]["address_octets"] == octets
    pair = Pair(meter)
    pair.open()
    assert pair.get(1, "0-0:96.1.0*255", 2).value == b"10000001"


# -- further clients, logical devices ----------------------------------------------------------------------------------

CLIENTS = """
[lines.meters.association]
client_sap = 1
authentication = "hls-gmac"
protection = "authenticated-encrypted"
client_system_title = "4D57424D57423031"
guek = "000102030405060708090A0B0C0D0E0F"
gak = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

[[lines.meters.clients]]
role = "reader"
client_sap = 2
authentication = "hls-gmac"
protection = "authenticated-encrypted"
client_system_title = "4D57424D57423032"

[[lines.meters.clients]]
role = "maintenance"
client_sap = 3
authentication = "lls"
secret = "text:87654321"
"""


def test_further_clients_are_served_and_announced_with_their_roles(tmp_path):
    (line,) = lab_file(tmp_path, WRAPPER + METER + CLIENTS).lines
    (meter,) = line.meters
    told = announcement(meter, "tcp://127.0.0.1:1")["clients"]
    assert [(each["role"], each["association"]["client_sap"]) for each in told] == [("reader", 2), ("maintenance", 3)]
    assert told[0]["association"]["guek"] == meter.association["guek"]
    assert told[0]["association"]["server_system_title"] == meter.association["server_system_title"]
    assert "guek" not in told[1]["association"]
    assert "server_system_title" not in told[1]["association"]
    assert [meter.device.client(sap).role for sap in (1, 2, 3)] == [Role.MANAGER, Role.READER, Role.MAINTENANCE]
    for each in told:
        assert parse_association(each["association"])


def test_a_meter_of_one_client_announces_no_others():
    assert "clients" not in announcement(lab_meter(), "tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("clients", "reason"),
    [
        ('[[lines.meters.clients]]\nrole = "reader"\nclient_sap = 32\n', "same client_sap"),
        ('[[lines.meters.clients]]\nrole = "nobody"\nclient_sap = 2\n', "nobody"),
        ("[[lines.meters.clients]]\nclient_sap = 2\n", "'role' is missing"),
    ],
)
def test_clients_that_cannot_be(tmp_path, clients, reason):
    with pytest.raises(LabError, match=reason):
        lab_file(tmp_path, WRAPPER + METER + clients)


MULTI = 'type = "multi_utility"\n'


@pytest.mark.parametrize("line_text", [WRAPPER, '[[lines]]\nkind = "hdlc"\n'])
def test_logical_devices_stand_on_one_line_with_names_and_models_of_their_own(tmp_path, line_text):
    (line,) = lab_file(tmp_path, line_text + METER + MULTI).lines
    assert [meter.association["server_sap"] for meter in line.meters] == [1, 17, 18, 19, 20]
    station = station_of(line)
    names = set()
    for meter in line.meters:
        pair = Pair(meter, station=station)
        pair.open()
        assert pair.get(1, "0-0:96.1.0*255", 2).value == meter.serial_number.encode()
        names.add(bytes(pair.get(1, "0-0:42.0.0*255", 2).value))
        listed = {row[0].value: row[1].value for row in pair.get(17, "0-0:41.0.0*255", 2)}
        assert set(listed) == {1, 17, 18, 19, 20}
        assert pair.get(1, "0-0:42.0.0*255", 2).value == listed[meter.association["server_sap"]]
        pair.release()
    assert len(names) == 5


def test_logical_devices_share_the_clock_and_the_keys(tmp_path):
    (line,) = lab_file(tmp_path, WRAPPER + METER + MULTI).lines
    first, other = (Pair(meter, station=station_of(line)) for meter in line.meters[:2])
    for pair in (first, other):
        pair.open()
    assert first.set(8, "0-0:1.0.0*255", 2, date_time(datetime(2027, 1, 1, 12))) is DataAccessResult.SUCCESS
    assert other.get(8, "0-0:1.0.0*255", 2) == first.get(8, "0-0:1.0.0*255", 2)
    assert line.meters[0].device.security is line.meters[4].device.security


def test_logical_devices_are_built_when_one_of_them_is_needed():
    meters = make_meters({"serial_number": "10000001", "type": "multi_utility"}, HandClock(), lazy=True)
    assert not any(meter.device.built for meter in meters)
    saps = [meter.device.server_sap for meter in meters]
    assert saps == [1, 17, 18, 19, 20]
    assert meters[0].device.security is meters[1].device.security


def test_a_meter_of_several_logical_devices_has_no_sign_on(tmp_path):
    text = '[[lines]]\nkind = "hdlc"\n[lines.sign_on]\ninitial_baud = 300\n' + METER + MULTI
    with pytest.raises(LabError, match="no sign-on"):
        lab_file(tmp_path, text)
