"""Class 64 of a simulated meter, method by method. What is sent over a line is tested in `test_ciphering` and in the labs."""

from contextlib import contextmanager

import pytest

from meters.cosem.data import array, enum, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.certificates import CertificateEntity, CertificateType
from sessions.dlms.elliptic import public_of
from sessions.dlms.security_setup import (
    ByEntity,
    KeyId,
    agreed_keys,
    certificate_of,
    certificate_request_of,
    certificates_of,
    export_certificate,
    generate_certificate_request,
    generate_key_pair,
    import_certificate,
    key_agreement,
    key_transfer,
    remove_certificate,
    security_activate,
)
from sessions.simulator.device import MeterSecurity
from sessions.simulator.key_store import USES, issue_for, lab_keys
from sessions.simulator.objects.base import Denied
from sessions.simulator.security_setup import SecuritySetup
from tests.sessions.simulator.pair import counting_random
from tests.sessions.simulator.served import NOON

NAME = ObisCode(0, 0, 43, 0, 0, 255)
CLIENT, SERVER = b"MWBMWB-1", b"MWB\0\0\0\0\1"
SIGNING, AGREEMENT = USES
OTHER_REASON, TYPE_UNMATCHED = DataAccessResult.OTHER_REASON, DataAccessResult.TYPE_UNMATCHED


def size(suite):
    return 32 if suite == 2 else 16


def setup(suite=1, *, kek=True, store=True, policy=0):
    keys = lab_keys("seed", suite, client_title=CLIENT, server_title=SERVER) if suite and store else None
    security = MeterSecurity(
        guek=bytes(size(suite)),
        gak=b"\xda" * size(suite),
        kek=b"\x0e" * size(suite) if kek else b"",
        suite=suite,
        policy=policy,
        key_store=None if keys is None else keys.store(suite),
    )
    security.client_system_title = CLIENT
    made = SecuritySetup(NAME, security, server_system_title=SERVER, now=lambda: NOON, random=counting_random())
    return made, security, keys


def invoke(target, call):
    return target.invoke(call.descriptor.method_id, call.parameters)


@contextmanager
def denied(result):
    with pytest.raises(Denied) as refused:
        yield
    assert refused.value.result is result


def test_what_it_says_of_itself():
    target, security, _ = setup(policy=0x6C)
    assert [target.read(number).value for number in (2, 3, 4, 5)] == [0x6C, 1, CLIENT, SERVER]
    assert (target.class_id, target.version) == (64, 1)
    assert [entry.entity for entry in certificates_of(target.read(6))] == [0, 0, 1, 1, 2]
    old, _, _ = setup(0)
    assert (old.version, sorted(old.attributes), sorted(old.methods)) == (0, [1, 2, 3, 4, 5], [1, 2])
    assert sorted(target.methods) == list(range(1, 9))
    with denied(DataAccessResult.READ_WRITE_DENIED):
        target.write(2, enum(0))
    assert security.policy == 0x6C


@pytest.mark.parametrize(
    ("suite", "policy", "wanted", "allowed"),
    [
        (0, 0, 3, True),
        (0, 1, 3, True),
        (0, 1, 2, False),
        (0, 3, 0, False),
        (0, 0, 4, False),
        (1, 0, 0x6C, True),
        (1, 0x6C, 0xFC, True),
        (1, 0x6C, 0x68, False),
        (1, 0, 3, False),
    ],
)
def test_a_policy_is_strengthened_once_the_answer_is_out(suite, policy, wanted, allowed):
    target, security, _ = setup(suite, policy=policy)
    if not allowed:
        with denied(OTHER_REASON):
            invoke(target, security_activate(wanted))
        security.settle()
        assert security.policy == policy
        return
    assert invoke(target, security_activate(wanted)) is None
    assert security.policy == policy
    security.settle()
    assert security.policy == wanted


def test_a_policy_that_nobody_could_keep_is_refused():
    unsigned, _, _ = setup(store=False)
    with denied(OTHER_REASON):
        invoke(unsigned, security_activate(0x10))
    assert invoke(unsigned, security_activate(0x6C)) is None
    target, security, _ = setup(0)
    security.guek = b""
    with denied(OTHER_REASON):
        invoke(target, security_activate(3))
    assert invoke(target, security_activate(0)) is None


@pytest.mark.parametrize("suite", [0, 1, 2])
@pytest.mark.parametrize("key_id", KeyId)
def test_a_key_is_installed_once_the_answer_is_out(suite, key_id):
    target, security, _ = setup(suite)
    new = bytes(range(size(suite)))
    security.floor.lowest = 500
    first = security.counters.take()
    assert invoke(target, key_transfer({key_id: new}, kek=security.kek, suite=suite)) is None
    name = key_id.name.lower()
    assert getattr(security, name) != new
    security.settle()
    assert getattr(security, name) == new
    # Only the counters of the key that was changed begin again.
    begins_again = key_id is KeyId.GUEK
    assert security.floor.lowest == (0 if begins_again else 500)
    assert security.counters.take() == (0 if begins_again else first + 1)


def test_several_keys_or_none():
    target, security, _ = setup()
    new = {KeyId.GUEK: bytes(range(16)), KeyId.GAK: bytes(range(16, 32))}
    good = key_transfer(new, kek=security.kek, suite=1)
    elements = list(good.parameters)
    bad = array(elements[0], structure(enum(2), octet_string(bytes(24))))
    with denied(OTHER_REASON):
        target.invoke(2, bad)
    security.settle()
    assert security.guek == bytes(16)
    invoke(target, good)
    security.settle()
    assert (security.guek, security.gak) == (new[KeyId.GUEK], new[KeyId.GAK])


def test_keys_that_cannot_be_unwrapped_are_refused():
    target, security, _ = setup()
    other = bytes(range(16))
    for parameters, result in (
        (key_transfer({KeyId.GUEK: other}, kek=other, suite=1).parameters, OTHER_REASON),
        (array(structure(enum(0), octet_string(bytes(40)))), OTHER_REASON),
        (array(structure(enum(7), octet_string(bytes(24)))), TYPE_UNMATCHED),
        (array(), TYPE_UNMATCHED),
        (None, TYPE_UNMATCHED),
        (unsigned(1), TYPE_UNMATCHED),
    ):
        with denied(result):
            target.invoke(2, parameters)
    security.settle()
    assert security.guek == bytes(16)
    unkeyed, security, _ = setup(kek=False)
    with denied(OTHER_REASON):
        invoke(unkeyed, key_transfer({KeyId.GUEK: other}, kek=other, suite=1))


@pytest.mark.parametrize("suite", [1, 2])
def test_an_agreement_installs_what_the_client_computes(suite):
    target, security, keys = setup(suite)
    ours = {KeyId.GUEK: keys.client[AGREEMENT], KeyId.KEK: keys.client[SIGNING]}
    answer = invoke(target, key_agreement(ours, signing_key=keys.client[SIGNING]))
    before = security.guek
    found = agreed_keys(
        answer,
        ours,
        server_signing_key=public_of(keys.server[SIGNING]),
        suite=suite,
        client=CLIENT,
        server=SERVER,
    )
    assert security.guek == before
    security.settle()
    assert (security.guek, security.kek) == (found[KeyId.GUEK], found[KeyId.KEK])
    assert len(security.guek) == size(suite)


def test_an_agreement_with_nobody_in_particular_is_refused():
    target, security, keys = setup()
    ours = {KeyId.GUEK: keys.client[AGREEMENT]}
    with denied(OTHER_REASON):  # another signer
        invoke(target, key_agreement(ours, signing_key=keys.client[AGREEMENT]))
    with denied(TYPE_UNMATCHED):
        target.invoke(3, array())
    security.client_system_title = b"ANOTHER."
    with denied(OTHER_REASON):
        invoke(target, key_agreement(ours, signing_key=keys.client[SIGNING]))
    security.settle()
    assert security.guek == bytes(16)


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("use", USES)
def test_from_a_new_key_pair_to_its_certificate(suite, use):
    target, security, keys = setup(suite)
    invoke(target, generate_key_pair(use))
    der, request = certificate_request_of(invoke(target, generate_certificate_request(use)))
    assert request.system_title == SERVER
    certificate = issue_for("seed", suite, der, serial_number=12_345)
    invoke(target, import_certificate(certificate))
    which = ByEntity(entity=CertificateEntity.SERVER, type=use, system_title=SERVER)
    assert certificate_of(invoke(target, export_certificate(which))) == certificate
    assert public_of(security.key_store.private_key(use)) == request.public_key != public_of(keys.server[use])
    invoke(target, remove_certificate(which))
    with denied(OTHER_REASON):
        invoke(target, export_certificate(which))


def test_every_certificate_in_the_list_can_be_exported_by_its_number():
    target, _, _ = setup()
    for entry in certificates_of(target.read(6)):
        certificate = certificate_of(invoke(target, export_certificate(entry.identification)))
        assert certificate.subject_der == entry.subject


def test_refusals_of_key_pairs_and_certificates():
    target, _, keys = setup()
    anchor = certificates_of(target.read(6))[-1].identification
    cases = [
        (4, enum(CertificateType.TLS), OTHER_REASON),
        (4, enum(9), TYPE_UNMATCHED),
        (5, enum(CertificateType.TLS), OTHER_REASON),
        (5, None, TYPE_UNMATCHED),
        (6, octet_string(b"\x30\x00"), OTHER_REASON),
        (6, octet_string(keys.root.der), OTHER_REASON),
        (6, unsigned(0), TYPE_UNMATCHED),
        (7, structure(enum(5), structure()), TYPE_UNMATCHED),
        (8, remove_certificate(anchor).parameters, OTHER_REASON),
        (9, None, DataAccessResult.OBJECT_UNDEFINED),
    ]
    for method, parameters, result in cases:
        with denied(result):
            target.invoke(method, parameters)


def test_without_a_key_store_there_are_no_certificates():
    target, _, _ = setup(store=False)
    assert certificates_of(target.read(6)) == ()
    for method, parameters in ((3, array()), (4, enum(0)), (5, enum(0)), (6, octet_string(b"")), (7, None), (8, None)):
        with denied(OTHER_REASON):
            target.invoke(method, parameters)
