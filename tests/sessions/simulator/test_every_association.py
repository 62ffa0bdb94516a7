"""Our client against a simulated meter: every mechanism, suite, protection, key and form, and what the meter refuses."""

from __future__ import annotations

from typing import Any

import pytest

from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    AssociationRejectedError,
    AuthenticationFailedError,
    ExceptionResponseError,
    LocalProtocolError,
    NotAuthenticError,
    SecurityError,
)

from .pair import Pair
from .served import CLIENT_TITLE, lab_meter

CLOCK = (8, "0-0:1.0.0*255", 2)
MECHANISMS = ("none", "lls", "hls-manufacturer", "hls-md5", "hls-sha1", "hls-gmac", "hls-sha256", "hls-ecdsa")
PROTECTIONS = ("none", "authenticated", "encrypted", "authenticated-encrypted")
FORMS = ("auto", "service-specific", "general")


def meter_of(mechanism: str, suite: int = 0, protection: str = "none", **more: Any):
    """A meter that serves such an association; `table` goes to the lab's entry, the rest to the association."""
    size = 32 if suite == 2 else 16
    association = {
        "client_sap": 1,
        "authentication": mechanism,
        "protection": protection,
        "security_suite": suite,
        "client_system_title": CLIENT_TITLE,
        "guek": bytes(range(size)).hex(),
        "gak": bytes(range(100, 100 + size)).hex(),
    }
    if mechanism not in ("none", "hls-gmac", "hls-ecdsa"):
        association["secret"] = "text:a good secret"
    table = more.pop("table", {})
    if suite:
        table = {"key_pairs": {"seed": "demo"}, **table}
    return lab_meter({**association, **more}, **table)


MATRIX = [
    (mechanism, suite, protection, dedicated, form)
    for suite in (0, 1, 2)
    for mechanism in MECHANISMS
    for protection in PROTECTIONS
    for dedicated in (False, True)
    for form in FORMS
    if suite or mechanism != "hls-ecdsa"
    if "encrypted" in protection or not dedicated
    if protection != "none" or form == "auto"
]


@pytest.mark.parametrize(("mechanism", "suite", "protection", "dedicated", "form"), MATRIX)
def test_associate_read_release(mechanism, suite, protection, dedicated, form):
    more = {"dedicated_key": "fresh"} if dedicated else {}
    pair = Pair(meter_of(mechanism, suite, protection, ciphering_form=form, **more))
    negotiated = pair.open()
    assert negotiated.remarks == ()
    agreed = Conformance.GENERAL_PROTECTION in negotiated.conformance
    assert agreed == (protection != "none" and form != "service-specific")
    assert not isinstance(pair.get(*CLOCK), DataAccessResult)
    assert pair.release() == ""


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("suite", [1, 2])
def test_over_hdlc(mechanism, suite):
    pair = Pair(meter_of(mechanism, suite, "authenticated-encrypted", table={"physical_address": 17}))
    pair.open()
    assert not isinstance(pair.get(*CLOCK), DataAccessResult)
    assert pair.release() == ""


# -- protections by direction ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", PROTECTIONS)
@pytest.mark.parametrize("answered", PROTECTIONS)
@pytest.mark.parametrize("suite", [0, 2])
def test_requests_and_answers_may_be_protected_apart(asked, answered, suite):
    meter = meter_of("none", suite, asked, response_protection=answered)
    security = meter.device.security
    assert security.policy_version == 1
    assert (security.policy_bits & 0x1C) >> 2 == PROTECTIONS.index(asked)
    assert (security.policy_bits & 0xE0) >> 5 == PROTECTIONS.index(answered)
    pair = Pair(meter)
    pair.open()
    assert not isinstance(pair.get(*CLOCK), DataAccessResult)
    assert pair.release() == ""


@pytest.mark.parametrize("protection", PROTECTIONS[1:])
def test_answers_that_are_weaker_than_demanded_are_refused(protection):
    meter = meter_of("none", 0, "none", response_protection="none", table={"security_setup_version": 1})
    pair = Pair(meter, response_protection=protection)
    with pytest.raises(SecurityError) as refused:
        pair.open()
    assert refused.value.code == "protection-too-weak"


@pytest.mark.parametrize("weaker", PROTECTIONS[:3])
def test_requests_that_are_weaker_than_demanded_are_refused(weaker):
    pair = Pair(meter_of("none", 0, "authenticated-encrypted"), protection=weaker)
    with pytest.raises(AssociationRejectedError) as refused:
        pair.open()
    assert refused.value.diagnostic == (2 if weaker == "none" else 1)


def test_the_policy_grows_while_the_association_stands():
    """What was activated holds from the next request on."""
    meter = meter_of("lls")
    pair = Pair(meter)
    pair.open()
    meter.device.security.policy = 3
    with pytest.raises(ExceptionResponseError):
        pair.get(*CLOCK)


# -- what a meter refuses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanism", MECHANISMS[2:])
def test_somebody_with_another_secret_or_key_is_refused(mechanism):
    suite = 1 if mechanism == "hls-ecdsa" else 0
    changes: dict[str, Any] = {"secret": "text:another one"}
    if mechanism == "hls-gmac":
        changes = {"gak": bytes(16).hex()}
    if mechanism == "hls-ecdsa":
        changes = {"client_signing_key": (b"\x05" * 32).hex()}
    pair = Pair(meter_of(mechanism, suite), **changes)
    with pytest.raises(AuthenticationFailedError) as refused:
        pair.open()
    assert refused.value.code == "proof-refused"


def test_a_meter_with_another_signing_key_than_its_certificate_proves_nothing():
    other = Pair(meter_of("hls-ecdsa", 1, table={"serial_number": "10000002"}))
    pair = Pair(meter_of("hls-ecdsa", 1), server_signing_key=other.association.parameters.server_signing_key.hex())
    with pytest.raises(NotAuthenticError) as refused:
        pair.open()
    assert refused.value.code == "wrong-proof"


def test_a_client_whose_certificate_the_meter_has_not():
    pair = Pair(meter_of("hls-ecdsa", 2), client_system_title="4D57424D57427777")
    with pytest.raises(AssociationRejectedError) as refused:
        pair.open()
    assert refused.value.diagnostic == 3


def test_a_meter_without_key_pairs_knows_no_ecdsa():
    meter = meter_of("hls-ecdsa", 1)
    meter.device.security.key_store = None
    with pytest.raises(AssociationRejectedError) as refused:
        Pair(meter).open()
    assert refused.value.diagnostic == 11


@pytest.mark.parametrize(("user_id", "accepted"), [(7, True), (200, True), (8, False), (None, False)])
def test_only_listed_users_are_let_in(user_id, accepted):
    pair = Pair(meter_of("lls", table={"user_ids": [7, 200]}), user_id=user_id)
    if accepted:
        pair.open()
        return
    with pytest.raises(AssociationRejectedError) as refused:
        pair.open()
    assert refused.value.diagnostic == 6
    assert "user list" in refused.value.hint


def test_the_fields_of_the_aarq_reach_the_meter():
    meter = meter_of("hls-gmac")
    title = meter.device.server_system_title.hex()
    fields = {
        "called_ap_title": title,
        "called_ae_qualifier": "01",
        "protocol_version": "1",
        "calling_ae_qualifier": "02",
    }
    Pair(meter, aarq=fields).open()
    with pytest.raises(AssociationRejectedError) as refused:
        Pair(meter, aarq={"called_ap_title": "4142434445464748"}).open()
    assert refused.value.diagnostic == 7
    with pytest.raises(AssociationRejectedError) as refused:
        Pair(meter, aarq={"protocol_version": "01"}).open()
    assert (refused.value.source, refused.value.diagnostic) == (2, 2)
    assert "protocol_version" in refused.value.hint


# -- pre-established ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protection", PROTECTIONS)
@pytest.mark.parametrize("place", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("suite", [0, 2])
def test_a_pre_established_association_needs_no_aarq(protection, place, suite):
    meter = meter_of("none", suite, protection, pre_established=True, client_sap=102, table=place)
    pair = Pair(meter)
    negotiated = pair.open()
    assert Conformance.GET in negotiated.conformance
    assert not isinstance(pair.get(*CLOCK), DataAccessResult)
    assert pair.release() == ""


def test_a_pre_established_association_has_only_the_services_that_are_configured():
    pair = Pair(meter_of("none", pre_established=True, conformance=["get"]))
    assert pair.open().conformance == Conformance.GET
    with pytest.raises(LocalProtocolError):
        pair.action(70, "0-0:96.3.10*255", 1)


def test_an_aarq_finds_no_pre_established_client():
    with pytest.raises(AssociationRejectedError) as refused:
        Pair(meter_of("none", pre_established=True), pre_established=False).open()
    assert refused.value.diagnostic == 1


def test_without_an_association_nothing_is_served():
    with pytest.raises(ExceptionResponseError):
        pair = Pair(meter_of("none"), pre_established=True, server_system_title=None)
        pair.open()
        pair.get(*CLOCK)
