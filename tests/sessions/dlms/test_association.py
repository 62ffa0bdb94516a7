"""The association's states with every event, and parameters that do or do not fit together."""

from __future__ import annotations

import pytest

from sessions.dlms.association import (
    OURS,
    TRANSITIONS,
    AssociationEvent,
    AssociationMachine,
    AssociationParameters,
    AssociationState,
    Negotiated,
    Protection,
    check_parameters,
)
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError

from .scripted import CLIENT_TITLE, DEDICATED, GUEK, SERVER_TITLE, parameters, suite_parameters

M, P = AuthenticationMechanism, Protection


@pytest.mark.parametrize("state", AssociationState)
@pytest.mark.parametrize("event", AssociationEvent)
def test_every_state_with_every_event(state, event):
    machine = AssociationMachine()
    machine.state = state
    expected = TRANSITIONS[state].get(event)
    if expected is None:
        with pytest.raises(LocalProtocolError if event in OURS else RemoteProtocolError):
            machine.fire(event)
        assert machine.state is state
    else:
        machine.fire(event)
        assert machine.state is expected


def test_every_state_has_a_row_and_ends_when_the_link_does():
    assert set(TRANSITIONS) == set(AssociationState)
    assert all(row[AssociationEvent.LINK_DOWN] is AssociationState.CLOSED for row in TRANSITIONS.values())
    assert all(AssociationEvent.ABANDON in row for row in TRANSITIONS.values())


def test_nothing_leads_back_from_closed():
    assert set(TRANSITIONS[AssociationState.CLOSED].values()) == {AssociationState.CLOSED}


@pytest.mark.parametrize("suite", [0, 1, 2])
@pytest.mark.parametrize("mechanism", M)
@pytest.mark.parametrize("protection", P)
def test_complete_parameters_are_fine(suite, mechanism, protection):
    if suite or mechanism is not M.HLS_ECDSA:
        check_parameters(suite_parameters(suite, mechanism, protection))


def test_a_pre_established_association_needs_the_meters_title_only_where_it_is_ciphered():
    check_parameters(AssociationParameters(pre_established=True))
    check_parameters(parameters(M.NONE, P.ENCRYPTED, pre_established=True, server_system_title=SERVER_TITLE))


@pytest.mark.parametrize(
    ("mechanism", "sizes"), [(M.HLS_GMAC, (8, 64, 16)), (M.HLS_ECDSA, (32, 64, 32)), (M.NONE, (8, 64, 16))]
)
def test_challenges_and_their_lengths(mechanism, sizes):
    allowed = mechanism.challenge_sizes
    assert (allowed[0], allowed[-1], parameters(mechanism).challenge_octets) == sizes


def test_answers_need_as_much_as_requests_unless_it_is_said():
    assert parameters(M.NONE, P.ENCRYPTED).demanded_protection is P.ENCRYPTED
    one_way = parameters(M.NONE, P.NONE, response_protection=P.AUTHENTICATED)
    assert (one_way.demanded_protection, one_way.ciphered, one_way.needs_counters) == (P.AUTHENTICATED, True, False)
    other_way = parameters(M.NONE, P.ENCRYPTED, response_protection=P.NONE)
    assert (other_way.demanded_protection, other_way.ciphered, other_way.needs_counters) == (P.NONE, True, True)


def test_the_public_client_needs_nothing():
    check_parameters(AssociationParameters())


@pytest.mark.parametrize(
    ("mechanism", "protection", "changes", "word"),
    [
        (M.LLS, P.NONE, {"secret": b""}, "secret"),
        (M.HLS_MD5, P.NONE, {"secret": b""}, "secret"),
        (M.HLS_SHA256, P.NONE, {"client_system_title": b""}, "client_system_title"),
        (M.HLS_GMAC, P.NONE, {"client_system_title": bytes(7)}, "client_system_title"),
        (M.HLS_GMAC, P.NONE, {"guek": None}, "guek"),
        (M.HLS_GMAC, P.NONE, {"gak": None}, "gak"),
        (M.NONE, P.ENCRYPTED, {"guek": None}, "guek"),
        (M.NONE, P.ENCRYPTED, {"client_system_title": b""}, "client_system_title"),
        (M.NONE, P.AUTHENTICATED, {"gak": None}, "gak"),
        (M.NONE, P.AUTHENTICATED, {"gak": bytes(32)}, "gak"),
        (M.NONE, P.ENCRYPTED, {"security_suite": 2}, "guek"),
        (M.NONE, P.NONE, {"dedicated_key": DEDICATED}, "dedicated_key"),
        (M.NONE, P.AUTHENTICATED, {"dedicated_key": DEDICATED}, "dedicated_key"),
        (M.NONE, P.ENCRYPTED, {"dedicated_key": DEDICATED[:8]}, "dedicated_key"),
        (M.NONE, P.NONE, {"response_protection": P.ENCRYPTED, "guek": None}, "guek"),
        (M.NONE, P.ENCRYPTED, {"response_protection": P.AUTHENTICATED, "gak": None}, "gak"),
        (M.HLS_MANUFACTURER, P.NONE, {"secret": b""}, "secret"),
        (M.HLS_MANUFACTURER, P.NONE, {"secret": bytes(17)}, "secret"),
        (M.HLS_ECDSA, P.NONE, {}, "security_suite"),
        (M.HLS_ECDSA, P.NONE, {"security_suite": 1}, "client_signing_key"),
        (M.HLS_ECDSA, P.NONE, {"security_suite": 1, "client_signing_key": bytes(32)}, "client_signing_key"),
        (M.HLS_ECDSA, P.NONE, {"security_suite": 1, "client_signing_key": b"\x01" * 32}, "server_signing_key"),
        (M.HLS_ECDSA, P.NONE, {"security_suite": 2, "client_signing_key": b"\x01" * 32}, "client_signing_key"),
        (M.HLS_GMAC, P.NONE, {"server_system_title": CLIENT_TITLE}, "server_system_title"),
        (M.NONE, P.NONE, {"security_suite": 3}, "security_suite"),
        (M.NONE, P.NONE, {"user_id": 256}, "user_id"),
        (M.NONE, P.NONE, {"user_id": -1}, "user_id"),
        (M.NONE, P.NONE, {"always_ciphered_context": True, "client_system_title": b""}, "client_system_title"),
        (M.LLS, P.NONE, {"pre_established": True}, "authentication"),
        (M.HLS_MD5, P.NONE, {"pre_established": True}, "authentication"),
        (M.NONE, P.ENCRYPTED, {"pre_established": True}, "server_system_title"),
        (
            M.NONE,
            P.ENCRYPTED,
            {"pre_established": True, "server_system_title": SERVER_TITLE, "dedicated_key": DEDICATED},
            "dedicated_key",
        ),
    ],
)
def test_parameters_that_do_not_fit_name_what_is_wrong(mechanism, protection, changes, word):
    with pytest.raises(LocalProtocolError) as raised:
        check_parameters(parameters(mechanism, protection, **changes))
    assert raised.value.message.startswith(f"{word}: ")
    assert raised.value.layer == "configuration"


def test_secrets_stay_out_of_the_representation():
    shown = repr(parameters(M.LLS, secret=b"canary", dedicated_key=DEDICATED))
    for secret in (b"canary", GUEK, DEDICATED):
        assert repr(secret) not in shown


@pytest.mark.parametrize(
    ("mechanism", "protection", "needed"),
    [(M.NONE, P.NONE, False), (M.HLS_MD5, P.NONE, False), (M.HLS_GMAC, P.NONE, True), (M.LLS, P.ENCRYPTED, True)],
)
def test_who_needs_invocation_counters(mechanism, protection, needed):
    assert parameters(mechanism, protection).needs_counters is needed


def test_negotiated_values_without_a_title_or_hdlc():
    said = Negotiated(conformance=Conformance.GET | Conformance.ACTION, remarks=("odd",)).as_json()
    assert set(said["conformance"]) == {"get", "action"}
    assert (said["server_system_title"], said["hdlc"], said["remarks"]) == (None, None, ["odd"])
