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

from .scripted import DEDICATED, GUEK, parameters

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


@pytest.mark.parametrize(
    ("protection", "authenticated", "encrypted"),
    [
        (P.NONE, False, False),
        (P.AUTHENTICATED, True, False),
        (P.ENCRYPTED, False, True),
        (P.AUTHENTICATED_ENCRYPTED, True, True),
    ],
)
def test_what_a_protection_means(protection, authenticated, encrypted):
    assert (protection.authenticated, protection.encrypted) == (authenticated, encrypted)


@pytest.mark.parametrize("mechanism", [M.NONE, M.LLS, M.HLS_MD5, M.HLS_SHA1, M.HLS_GMAC, M.HLS_SHA256])
@pytest.mark.parametrize("protection", P)
def test_complete_parameters_are_fine(mechanism, protection):
    check_parameters(parameters(mechanism, protection))


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
        (M.NONE, P.ENCRYPTED, {"dedicated_key": DEDICATED[:8]}, "dedicated_key"),
        (M.HLS_MANUFACTURER, P.NONE, {}, "authentication"),
        (M.HLS_ECDSA, P.NONE, {}, "authentication"),
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
