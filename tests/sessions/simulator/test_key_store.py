from datetime import UTC, datetime, timedelta

import pytest

from sessions.dlms.certificate_authority import issue_authority, issue_certificate, make_root
from sessions.dlms.certificates import (
    CertificateEntity,
    CertificateType,
    make_certificate_request,
    parse_certificate,
    parse_certificate_request,
    verify_chain,
)
from sessions.dlms.elliptic import Curve, curve_of_suite, public_of
from sessions.dlms.errors import SecurityError
from sessions.dlms.security_setup import ByEntity, BySerialNumber
from sessions.simulator import key_store as module
from sessions.simulator.key_store import FIRST_DAY, USES, KeyStoreError, derived_key, issue_for, lab_keys
from tests.sessions.simulator.pair import counting_random

NOW = datetime(2026, 11, 25, tzinfo=UTC)
CLIENT, SERVER = b"MWBMWB-1", b"MWB\0\0\0\0\1"
SIGNING, AGREEMENT = USES
ENTITY = CertificateEntity


def keys(suite=1, **changes):
    return lab_keys("seed", suite, client_title=CLIENT, server_title=SERVER, **changes)


def store(suite=1):
    return keys(suite).store(suite)


def end_entity(title, key, use=SIGNING, *, suite=1, serial_number=77, **changes):
    curve = curve_of_suite(suite)
    signer = (keys(suite).root, derived_key("seed", "root", curve))
    return issue_certificate(
        title, public_of(key), use, signer, **{"serial_number": serial_number, "not_before": FIRST_DAY, **changes}
    )


@pytest.mark.parametrize("suite", [1, 2])
def test_a_seed_gives_the_same_keys_in_every_run(suite):
    assert keys(suite) == keys(suite)
    assert keys(suite) != lab_keys("other", suite, client_title=CLIENT, server_title=SERVER)
    made = keys(suite)
    every = [*made.client.values(), *made.server.values()]
    assert len(set(every)) == 4
    for certificates in (made.client_certificates, made.server_certificates):
        for use, certificate in certificates.items():
            assert certificate.type is use
            assert verify_chain(certificate, anchors=[made.root], now=NOW)
    assert repr(made.server[SIGNING]) not in repr(made)


def test_given_keys_take_the_place_of_made_ones():
    given = {(ENTITY.SERVER, SIGNING): bytes(range(1, 33))}
    made = keys(given=given)
    assert made.server[SIGNING] == bytes(range(1, 33))
    assert made.server_certificates[SIGNING].public_key == public_of(bytes(range(1, 33)))
    assert made.server[AGREEMENT] == keys().server[AGREEMENT]


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("use", USES)
def test_a_meter_knows_its_own_keys_and_its_clients(suite, use):
    made = store(suite)
    assert made.private_key(use) == keys(suite).server[use]
    assert made.public_key_of(CLIENT, use) == public_of(keys(suite).client[use])
    assert made.public_key_of(SERVER, use) is None
    assert [entry.entity for entry in made.entries()] == [0, 0, 1, 1, 2]


@pytest.mark.parametrize("use", USES)
def test_a_new_key_pair_is_used_once_its_certificate_is_here(use):
    made = store()
    old = made.private_key(use)
    made.generate(use, counting_random())
    assert made.private_key(use) == old
    request = parse_certificate_request(made.request(use))
    assert request.public_key != public_of(old)
    certificate = issue_for("seed", 1, made.request(use), serial_number=50)
    made.take(certificate.der, NOW)
    assert public_of(made.private_key(use)) == request.public_key
    listed = made.find(ByEntity(entity=ENTITY.SERVER, type=use, system_title=SERVER))
    assert listed == certificate
    assert len(made.entries()) == 5  # the old certificate is gone
    assert parse_certificate_request(made.request(use)).public_key == request.public_key


def test_a_certificate_for_keys_that_are_not_here_is_refused():
    made = store()
    made.generate(SIGNING, counting_random())
    before = made.private_key(SIGNING)
    with pytest.raises(KeyStoreError, match="has not"):
        made.take(end_entity(SERVER, bytes(range(1, 33))).der, NOW)
    with pytest.raises(KeyStoreError, match="has not"):  # the pair for signing is none for key agreement
        made.take(end_entity(SERVER, before, AGREEMENT).der, NOW)
    assert made.private_key(SIGNING) == before


def test_a_new_certificate_for_the_same_key_is_taken():
    made = store()
    renewed = end_entity(SERVER, made.private_key(SIGNING))
    made.take(renewed.der, NOW)
    assert made.find(ByEntity(entity=ENTITY.SERVER, type=SIGNING)) == renewed


def test_clients_and_sub_authorities_are_taken_in():
    made = store()
    sub_key = bytes(range(5, 37))
    signer = (keys().root, derived_key("seed", "root", Curve.P256))
    sub = issue_authority("Sub", public_of(sub_key), signer, serial_number=9, not_before=FIRST_DAY)
    other = issue_certificate(
        b"ANOTHER.", public_of(bytes(range(7, 39))), SIGNING, (sub, sub_key), serial_number=10, not_before=FIRST_DAY
    )
    with pytest.raises(SecurityError):
        made.take(other.der, NOW)
    made.take(sub.der, NOW)
    made.take(other.der, NOW)
    assert made.public_key_of(b"ANOTHER.", SIGNING) == other.public_key
    assert made.find(ByEntity(entity=ENTITY.CLIENT, type=SIGNING, system_title=b"ANOTHER.")) == other


@pytest.mark.parametrize(
    "der",
    [
        b"garbage",
        end_entity(CLIENT, bytes(range(1, 33)), not_after=NOW - timedelta(days=1)).der,
        end_entity(CLIENT, bytes(range(1, 49)), suite=2).der,
        make_root("Stranger", bytes(range(1, 33)), serial_number=1, not_before=FIRST_DAY).der,
    ],
    ids=["no certificate", "expired", "of another suite's authority", "a root that nobody knows"],
)
def test_what_nobody_vouches_for_is_refused(der):
    made = store()
    before = made.entries()
    with pytest.raises(SecurityError):
        made.take(der, NOW)
    assert made.entries() == before


def test_other_certificates_have_no_place_here():
    made = store()
    for certificate in (keys().root, end_entity(CLIENT, bytes(range(1, 33)), CertificateType.TLS)):
        with pytest.raises(KeyStoreError):
            made.take(certificate.der, NOW)


def test_room_has_an_end(monkeypatch):
    monkeypatch.setattr(module, "MAX_CERTIFICATES", 4)
    made = store()
    with pytest.raises(KeyStoreError, match="room"):
        made.take(end_entity(b"ANOTHER.", bytes(range(1, 33))).der, NOW)
    made.take(end_entity(CLIENT, bytes(range(1, 33))).der, NOW)  # a new one in the old one's place


def test_certificates_are_found_and_removed_by_either_name():
    made = store()
    for entry in made.entries():
        found = made.find(entry.identification)
        assert parse_certificate(found.der) == found
        assert made.find(BySerialNumber(serial_number=found.serial_octets, issuer=found.issuer_der)) == found
    by_name = ByEntity(entity=ENTITY.CLIENT, type=SIGNING, system_title=CLIENT)
    made.remove(by_name)
    for which in (by_name, BySerialNumber(serial_number=b"\x01\x02", issuer=b"")):
        with pytest.raises(KeyStoreError, match="no such"):
            made.find(which)
        with pytest.raises(KeyStoreError, match="no such"):
            made.remove(which)
    assert made.public_key_of(CLIENT, SIGNING) is None


def test_a_trust_anchor_stays():
    made = store()
    anchor = made.entries()[-1]
    with pytest.raises(KeyStoreError, match="cannot be removed"):
        made.remove(anchor.identification)
    assert made.entries()[-1] == anchor


def test_key_pairs_for_other_uses_are_not_made():
    made = store()
    for use in (CertificateType.TLS, CertificateType.OTHER):
        with pytest.raises(KeyStoreError):
            made.generate(use, counting_random())
        with pytest.raises(KeyStoreError):
            made.request(use)


def test_the_authority_signs_only_what_says_whose_it_is():
    with pytest.raises(SecurityError):
        issue_for("seed", 1, b"garbage", serial_number=1)
    request = make_certificate_request(bytes(range(1, 33)), b"short", SIGNING)
    with pytest.raises(SecurityError, match="no device"):
        issue_for("seed", 1, request, serial_number=1)
