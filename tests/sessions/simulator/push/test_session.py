"""A try of a push and the receiver of our own stack, joined in memory: protection, framing, confirmation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from meters.cosem.data import unsigned
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GeneralCiphering, GeneralSigning
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError, SecurityError
from sessions.dlms.general_protection import KeyChoice
from sessions.dlms.notification_receiver import Heard, Listener, NotificationReceiver
from sessions.dlms.protection import Protection
from sessions.dlms.wrapper import WrapperFrame, decode_wrapper_frame
from sessions.simulator.lab import LABS, LabMeter, load_lab
from sessions.simulator.meter import Meter
from sessions.simulator.push.rules import Destination, Push, PushProtection, PushRules, Transport
from sessions.simulator.push.sender import session_for
from sessions.simulator.quirks.manners import Manners
from tests.sessions.simulator.pair import counting_random
from tests.sessions.simulator.served import GMAC, LLS, NOON, HandClock, lab_meter

KEK = "404142434445464748494A4B4C4D4E4F"
SETUP = ObisCode.parse("0-0:25.9.0*255")


def push_of(meter: LabMeter, transport: Transport = Transport.TCP, **rules: Any) -> Push:
    """What a setup of the meter would make of it."""
    assert isinstance(meter.device, Meter)
    parameters = parse_association(meter.association).parameters
    given = PushRules(
        setup=SETUP, destination=Destination(transport, "127.0.0.1", 4061), client_sap=parameters.client_sap, **rules
    )
    meter.device.send(unsigned(7), NOON, given)
    return meter.device.outbox._deliveries[-1].push


def listener_of(meter: LabMeter, **changes: Any) -> Listener:
    parameters = parse_association({**meter.association, **changes}).parameters
    return Listener(parameters, InvocationCounters(range(1, 1_000)), counting_random())


def heard(octets: bytes, *listeners: Listener, receiver: NotificationReceiver | None = None) -> Heard:
    receiver = receiver or NotificationReceiver(listeners)
    receiver.receive_octets(octets)
    found = receiver.next_heard()
    assert found is not None
    return found


def run(meter: LabMeter, push: Push, listener: Listener) -> tuple[Heard, bool]:
    """One try, and whether the meter took the confirmation for one."""
    assert isinstance(meter.device, Meter)
    session, receiver = session_for(meter, meter.device, push), NotificationReceiver([listener])
    found = heard(session.octets(0.0), receiver=receiver)
    session.receive(receiver.octets_to_send(), 1.0)
    return found, session.confirmed


LINES = [
    pytest.param({}, Transport.TCP, "wrapper", id="tcp"),
    pytest.param({}, Transport.UDP, "wrapper", id="udp"),
    pytest.param({"physical_address": 17}, Transport.HDLC, "hdlc", id="hdlc"),
    pytest.param({"physical_address": 17}, Transport.TCP, "wrapper", id="an HDLC meter over tcp"),
]


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize(("line", "transport", "framing"), LINES)
def test_what_is_said_is_heard_and_confirmed(line, transport, framing, association, confirmed):
    meter = lab_meter(association, **line)
    push = push_of(meter, transport, confirmed=confirmed)
    found, was_confirmed = run(meter, push, listener_of(meter))
    assert found.error is None
    assert found.notification == push.notification
    assert (found.framing, found.client_sap, found.server_sap) == (framing, association["client_sap"], 1)
    assert found.protected is (association is GMAC)
    assert found.system_title == (meter.device.server_system_title if association is GMAC else b"")
    assert found.confirmed is was_confirmed is confirmed


def test_every_try_has_an_invocation_counter_of_its_own():
    """The same message, under another counter each time; no two of many tries, of several pushes, share one."""
    meter = lab_meter(GMAC)
    device: Any = meter.device
    counters = []
    for _ in range(5):
        push = push_of(meter)
        for _ in range(4):
            apdu = decode_wrapper_frame(session_for(meter, device, push).octets(0.0)).apdu
            counters.append(int.from_bytes(apdu[12:16], "big"))
            assert heard(WrapperFrame(1, 1, apdu).encode(), listener_of(meter)).notification == push.notification
    assert counters == list(range(counters[0], counters[0] + 20))


def test_a_replay_is_refused_whichever_connection_it_comes_by():
    meter, listener = lab_meter(GMAC), None
    listener = listener_of(meter)
    device: Any = meter.device
    octets = session_for(meter, device, push_of(meter)).octets(0.0)
    assert heard(octets, listener).error is None
    error = heard(octets, listener).error
    assert isinstance(error, SecurityError)
    assert error.code == "replayed-counter"


@pytest.mark.parametrize("policy", ["authenticated", "encrypted", "authenticated-encrypted"])
def test_the_least_that_answers_have_counts_for_pushes_too(policy):
    association = {**GMAC, "protection": "none", "response_protection": policy}
    meter = lab_meter(association)
    found, _ = run(meter, push_of(meter), listener_of(meter))
    assert found.error is None
    assert found.protected
    control = found.octets[11]
    assert (bool(control & 0x10), bool(control & 0x20)) == ("authenticated" in policy, "encrypted" in policy)


# -- confirmations that are none ---------------------------------------------------------------------------------------


def confirmation(push: Push, **changes: int) -> bytes:
    number = push.notification.long_invoke_id_and_priority + changes.get("more", 0)
    return DataNotificationConfirm(number).encode()


def test_a_confirmation_of_something_else_or_in_clear_is_none():
    for association, good in ((LLS, True), (GMAC, False)):
        meter = lab_meter(association)
        device: Any = meter.device
        push = push_of(meter, confirmed=True)
        session = session_for(meter, device, push)
        session.octets(0.0)
        sap = association["client_sap"]
        for apdu in (confirmation(push, more=1), b"\x10", b"", b"\xc0\x01", push.notification.encode()):
            session.receive(WrapperFrame(sap, 1, apdu).encode(), 1.0)
            assert not session.confirmed
        session.receive(WrapperFrame(sap, 1, confirmation(push)).encode(), 1.0)
        assert session.confirmed is good


def test_a_confirmation_under_an_old_counter_is_none():
    meter = lab_meter(GMAC)
    meter.device.security.floor.lowest = 500
    _, confirmed = run(meter, push_of(meter, confirmed=True), listener_of(meter))
    assert not confirmed
    high = Listener(listener_of(meter).parameters, InvocationCounters(range(500, 600)), counting_random())
    assert run(meter, push_of(meter, confirmed=True), high)[1]


# -- push_protection_parameters ----------------------------------------------------------------------------------------


def protection(choice: KeyChoice, kind: Protection = Protection.AUTHENTICATED_ENCRYPTED) -> PushProtection:
    return PushProtection(kind, choice)


@pytest.mark.parametrize("kind", [each for each in Protection if each is not Protection.NONE])
@pytest.mark.parametrize("choice", [KeyChoice.GUEK, KeyChoice.WRAPPED])
def test_protection_of_its_own_with_symmetric_keys(choice, kind):
    meter = lab_meter({**GMAC, "protection": kind.value, "kek": KEK})
    push = push_of(meter, protections=(protection(choice, kind),))
    found, _ = run(meter, push, listener_of(meter))
    assert found.error is None
    assert found.notification == push.notification
    assert isinstance(decode_apdu(found.octets), GeneralCiphering)


SUITES = {line.meters[0].type: line.meters[0] for line in load_lab(LABS / "types.toml", HandClock()).lines}


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize(
    "layers",
    [
        (PushProtection(signed=True),),
        (PushProtection(signed=True), protection(KeyChoice.GUEK)),
        (protection(KeyChoice.ONE_PASS),),
        (protection(KeyChoice.STATIC_UNIFIED),),
        (PushProtection(signed=True), protection(KeyChoice.ONE_PASS)),
        (protection(KeyChoice.GUEK), PushProtection(signed=True)),
    ],
    ids=["signed", "signed, guek", "one-pass", "static-unified", "signed, one-pass", "guek, signed"],
)
def test_protection_of_its_own_with_key_pairs(suite, layers):
    meter = next(each for name, each in SUITES.items() if f"suite {suite}" in name)
    push = push_of(meter, protections=layers)
    found, _ = run(meter, push, listener_of(meter))
    assert found.error is None
    assert found.notification == push.notification
    outermost = GeneralSigning if layers[-1].signed else GeneralCiphering
    assert isinstance(decode_apdu(found.octets), outermost)


@pytest.mark.parametrize(
    "layer", [PushProtection(signed=True), protection(KeyChoice.WRAPPED), protection(KeyChoice.GUEK)]
)
def test_without_the_key_nothing_leaves(layer):
    meter = lab_meter(LLS)
    device: Any = meter.device
    with pytest.raises(DlmsError):
        session_for(meter, device, push_of(meter, protections=(layer,))).octets(0.0)


def test_a_policy_that_wants_answers_signed_has_pushes_signed():
    meter = next(each for name, each in SUITES.items() if "suite 1" in name)
    before = meter.device.security.policy
    meter.device.security.policy = before | 0x80
    try:
        push = push_of(meter)
        found, _ = run(meter, push, listener_of(meter))
    finally:
        meter.device.security.policy = before
    assert found.error is None
    assert found.notification == push.notification


def test_the_manners_of_a_meter_show_in_its_pushes():
    """09 before the date-time, as several makers have it."""
    meter = lab_meter(LLS)
    device: Any = meter.device
    push = push_of(meter)
    plain = session_for(meter, device, push).octets(0.0)
    odd = session_for(replace(meter, manners=Manners(quirks=("push-time-in-09",))), device, push).octets(0.0)
    assert odd != plain
    found = heard(odd, listener_of(meter))
    assert found.notification == push.notification


def test_a_notification_says_when_it_was_due():
    meter = lab_meter(LLS)
    device: Any = meter.device
    push = push_of(meter)
    device.clock.offset = timedelta(days=3)
    found, _ = run(meter, push, listener_of(meter))
    assert isinstance(found.notification, DataNotification)
    moment = found.notification.date_time
    assert moment is not None
    assert moment.to_datetime() == NOON
