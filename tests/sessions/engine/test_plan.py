"""What a session needs to begin, from its rows and the vault."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from sessions.association_file import parse_association
from sessions.dlms.association import Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.errors import DlmsError
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.engine.plan import make_plan
from sessions.links.endpoint import SerialEndpoint, TcpEndpoint
from sessions.management.commands.load_demo import load_meter
from sessions.services import open_test_session
from sessions.simulator.lab import LABS, announcement, load_lab
from tests.meters.builders import GAK, GUEK, make_ciphered_meter, make_meter, meter_fields
from tests.sessions.builders import make_session, make_user
from tests.sessions.simulator.served import HandClock

NOT_IN_THE_INVENTORY = (
    "general",
    "kek",
    "client_key_agreement_key",
    "server_key_agreement_key",
    "conformance",
)
"""What an association file can say, and the inventory does not keep."""
SIGNING_KEYS = ("client_signing_key", "server_signing_key")

pytestmark = pytest.mark.django_db


def plan_of(meter):
    return make_plan(make_session(meter).pk)


def test_a_password_on_the_wrapper() -> None:
    plan = plan_of(make_meter())
    assert plan.endpoint == TcpEndpoint("127.0.0.1", 4059)
    assert plan.association.framing == "wrapper"
    assert plan.association.parameters.authentication is AuthenticationMechanism.LLS
    assert plan.association.parameters.secret == b"secret-1"
    assert plan.association.timeout == 2.0
    assert plan.counter_key == ""
    assert len(plan.key_version_ids) == 1


def test_keys_and_titles() -> None:
    plan = plan_of(make_ciphered_meter(meter={"server_system_title": "4d57420000989682"}))
    parameters = plan.association.parameters
    assert (parameters.guek, parameters.gak) == (GUEK, GAK)
    assert parameters.protection is Protection.AUTHENTICATED_ENCRYPTED
    assert parameters.server_system_title == bytes.fromhex("4d57420000989682")
    assert plan.client_system_title == "4d57424d57422d31"
    assert len(plan.counter_key) == 64
    assert plan.keys.guek == GUEK


@pytest.mark.parametrize("name", ["associations", "suites", "demo"])
def test_what_a_lab_announces_goes_through_the_inventory_unchanged(name, settings) -> None:
    lab = load_lab(LABS / f"{name}.toml", HandClock())
    settings.SERIAL_PORTS = {"demo": "/dev/pts/9"}
    for line in lab.lines:
        endpoint = "serial:///dev/pts/9" if line.kind == "pty" else f"tcp://127.0.0.1:{line.port}"
        for meter in line.meters:
            unused = () if meter.association.get("authentication") == "hls-ecdsa" else SIGNING_KEYS
            left_out = (*NOT_IN_THE_INVENTORY, *unused)
            announced = {key: value for key, value in meter.association.items() if key not in left_out}
            row = load_meter(announcement(replace(meter, association=announced), endpoint))
            plan = plan_of(row)
            expected, planned = parse_association(announced), plan.association
            assert planned.fresh_dedicated_key == expected.fresh_dedicated_key
            assert replace(planned.parameters, response_protection=None) == replace(
                expected.parameters, response_protection=None
            )
            assert planned.parameters.demanded_protection is expected.parameters.demanded_protection
            # What is scrubbed out of recorded frames is secret: our key is, the meter's public one is not.
            signing = planned.parameters.client_signing_key, planned.parameters.server_signing_key
            assert [key in plan.secrets for key in signing] == [signing[0] is not None, False]


def test_a_stored_dedicated_key_is_never_used_itself() -> None:
    stored = bytes(range(16))
    plan = plan_of(make_ciphered_meter(secrets={"GUEK": GUEK, "GAK": GAK, "DEDICATED_KEY": stored}))
    assert plan.association.fresh_dedicated_key
    assert plan.association.parameters.dedicated_key is None
    first, second = (plan.association.prepared(secrets.token_bytes).dedicated_key for _ in range(2))
    assert len({stored, first, second}) == 3
    assert len(plan.key_version_ids) == 2


def test_a_broadcast_key_is_taken_along_but_no_association_proves_it() -> None:
    gbek = bytes(range(0x20, 0x30))
    plan = plan_of(make_ciphered_meter(secrets={"GUEK": GUEK, "GAK": GAK, "GBEK": gbek}))
    assert (plan.association.parameters.gbek, plan.keys.gbek) == (gbek, gbek)
    assert gbek in plan.secrets
    assert len(plan.key_version_ids) == 2


def test_hdlc_addresses() -> None:
    plan = plan_of(make_meter(meter={"framing": "HDLC", "physical_address": 17, "max_info": 64}))
    assert plan.association.framing == "hdlc"
    assert plan.association.hdlc.physical_address == 17
    assert plan.association.hdlc.address_octets is None
    assert plan.association.hdlc.max_info == 64


def test_a_sign_on_before_hdlc() -> None:
    fields = {"sign_on_address": "77", "initial_baud": 2400, "max_baud": 9600, "parity_in_octets": True}
    plan = plan_of(make_meter(meter={"framing": "MODE_E", "physical_address": 17, **fields}))
    assert plan.association.framing == "hdlc"
    assert plan.association.hdlc.physical_address == 17
    assert plan.association.hdlc.sign_on == SignOnSettings(
        device_address="77", initial_baud=2400, max_baud=9600, parity_in_octets=True
    )


def test_a_serial_port(settings) -> None:
    settings.SERIAL_PORTS = {"bridge": "/dev/ttyUSB3"}
    plan = plan_of(make_meter(line={"kind": "SERIAL", "serial_port": "bridge", "baud": 300, "host": "", "port": None}))
    assert plan.endpoint == SerialEndpoint("/dev/ttyUSB3", 300)


def test_secrets_that_the_association_does_not_use_stay_closed() -> None:
    plan = plan_of(make_meter(association={"authentication": "none"}))
    assert plan.secrets == ()
    assert plan.key_version_ids == ()
    assert plan.association.parameters.secret == b""


def test_nothing_of_it_prints_a_secret() -> None:
    shown = repr(plan_of(make_ciphered_meter()))
    for key in (GUEK, GAK):
        assert repr(key) not in shown
        assert key.hex() not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"association": {"client_system_title": ""}},
        {"secrets": {"GAK": GAK}},
        {"meter": {"framing": "HDLC"}, "association": {"client_sap": 200}},
    ],
    ids=["no title", "no key", "no such client address"],
)
def test_what_cannot_work_says_why(changes: dict) -> None:
    if "association" in changes:
        ciphered = {
            "authentication": "hls-gmac",
            "protection": "authenticated-encrypted",
            "client_system_title": "4d" * 8,
        }
        changes["association"] = {**ciphered, **changes["association"]}
    with pytest.raises(DlmsError) as caught:
        plan_of(make_ciphered_meter(**changes))
    assert caught.value.hint


def test_a_draft_is_as_good_as_a_meter() -> None:
    draft = {name: value for name, value in meter_fields().items() if name != "user"}
    plan = make_plan(open_test_session(draft=draft, user=make_user()).pk)
    assert plan.meter_id is None
    assert plan.association.parameters.secret == b"secret-1"
    assert plan.key_version_ids == ()
