"""The methods of class 64, both ways: what the client sends is what a meter reads, and back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import Data, DataType, array, enum, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.certificate_authority import make_root
from sessions.dlms.certificates import CertificateEntity, CertificateType, make_certificate_request
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import DlmsError, LocalProtocolError, RemoteProtocolError, SecurityError
from sessions.dlms.key_wrap import unwrap_key
from sessions.dlms.protection import SecurityPolicy
from sessions.dlms.security_setup import (
    MAX_ELEMENTS,
    POLICY_BITS,
    ByEntity,
    BySerialNumber,
    CertificateListEntry,
    KeyId,
    SecurityMethod,
    SecurityPolicyV0,
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
    may_activate,
    read_identification,
    read_key_data,
    read_key_use,
    remove_certificate,
    security_activate,
    write_key_data,
)
from tests.sessions.dlms.parties import CLIENT_TITLE, PUBLISHED, SERVER_TITLE, private_keys
from tests.vectors import octets

KEK = bytes(range(16))
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
ROOT = make_root("Root", bytes(range(1, 33)), serial_number=300, not_before=datetime(2024, 1, 1, tzinfo=UTC))
SIGNING = CertificateType.DIGITAL_SIGNATURE


def over_the_wire(data):
    return decode_data(encode_data(data))


def test_key_transfer_by_its_vector():
    call = key_transfer({KeyId.GUEK: KEY}, kek=KEK, suite=0)
    apdu = ActionRequestNormal(InvokeIdAndPriority(1), call.descriptor, call.parameters)
    assert apdu.encode() == octets("key-transfer")
    received = decode_apdu(octets("key-transfer"))
    found = read_key_data(received.method_invocation_parameters)
    assert unwrap_key(KEK, found[KeyId.GUEK], suite=0) == KEY


def test_several_keys_in_one_transfer():
    keys = {KeyId.GAK: KEY, KeyId.GUEK: KEY[::-1], KeyId.KEK: bytes(16)}
    found = read_key_data(over_the_wire(key_transfer(keys, kek=KEK, suite=1).parameters))
    assert {key_id: unwrap_key(KEK, wrapped) for key_id, wrapped in found.items()} == keys


def test_keys_of_another_suite_are_not_sent():
    for keys, kek, suite in (({KeyId.GUEK: KEY}, KEK, 2), ({KeyId.GUEK: KEY * 2}, KEK, 0), ({KeyId.GUEK: KEY}, b"", 0)):
        with pytest.raises(LocalProtocolError):
            key_transfer(keys, kek=kek, suite=suite)


@pytest.mark.parametrize("suite", [1, 2])
def test_an_agreement_gives_both_the_same_keys(suite):
    private = private_keys(suite)
    ours = {KeyId.GUEK: private["client_ephemeral"], KeyId.GBEK: private["client_static"]}
    theirs = {KeyId.GUEK: private["server_static"], KeyId.GBEK: private["server_signing"]}
    call = key_agreement(ours, signing_key=private["client_signing"])
    assert call.descriptor.method_id == 3
    titles = {"suite": suite, "client": CLIENT_TITLE, "server": SERVER_TITLE}
    answer = over_the_wire(write_key_data(theirs, private["server_signing"]))
    found = agreed_keys(answer, ours, server_signing_key=public_of(private["server_signing"]), **titles)
    # What a meter does is the same with the parts changed about.
    at_the_meter = agreed_keys(
        over_the_wire(call.parameters), theirs, server_signing_key=public_of(private["client_signing"]), **titles
    )
    assert found == at_the_meter
    assert found[KeyId.GUEK] != found[KeyId.GBEK]
    assert {len(key) for key in found.values()} == {32 if suite == 2 else 16}


def test_the_green_books_signature_over_an_agreement_is_believed():
    ephemeral = octets_of("sig-ka", "msg")[1:]
    answer = array(structure(enum(0), octet_string(ephemeral + octets("sig-ka"))))
    found = agreed_keys(
        answer,
        {KeyId.GUEK: bytes.fromhex("34A8C23A34DBB519D09B245754C85A6CFE05D14A063EFA5AA41545AA8241EFAE")},
        server_signing_key=public_of(PUBLISHED["client_signing"]),
        suite=1,
        client=CLIENT_TITLE,
        server=SERVER_TITLE,
    )
    assert found == {KeyId.GUEK: octets("kdf-2e0s")}


def octets_of(identifier, name):
    from tests.vectors import ALL

    return bytes.fromhex(next(vector[name] for vector in ALL if vector["id"] == identifier))


def test_a_false_half_of_an_agreement_is_refused():
    private = private_keys(1)
    ours = {KeyId.GUEK: private["client_ephemeral"]}
    arguments = {
        "server_signing_key": public_of(private["server_signing"]),
        "suite": 1,
        "client": CLIENT_TITLE,
        "server": SERVER_TITLE,
    }
    theirs = private["server_static"]
    for bad in (
        write_key_data({KeyId.GUEK: theirs}, private["client_signing"]),  # another signer
        array(
            structure(enum(0), write_key_data({KeyId.GBEK: theirs}, private["server_signing"])[0][1])
        ),  # for another key
        array(structure(enum(0), octet_string(bytes(127)))),
    ):
        with pytest.raises(SecurityError):
            agreed_keys(bad, ours, **arguments)
    for bad in (write_key_data({KeyId.GBEK: theirs}, private["server_signing"]), array(), None):
        with pytest.raises(RemoteProtocolError) as refused:
            agreed_keys(bad, ours, **arguments)
        assert refused.value.code == "bad-security-setup"


WHICH = [
    ByEntity(entity=CertificateEntity.SERVER, type=SIGNING, system_title=SERVER_TITLE),
    ByEntity(entity=CertificateEntity.CERTIFICATION_AUTHORITY, type=CertificateType.OTHER),
    BySerialNumber(serial_number=b"\x01\x2c", issuer=ROOT.issuer_der),
]


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize(("build", "method"), [(export_certificate, 7), (remove_certificate, 8)])
def test_a_certificate_is_named_by_entity_or_number(which, build, method):
    call = build(which)
    assert call.descriptor.method_id == method
    assert read_identification(over_the_wire(call.parameters)) == which


def test_an_identification_octet_by_octet():
    call = export_certificate(ByEntity(entity=CertificateEntity.CLIENT, type=SIGNING, system_title=b"ABCDEFGH"))
    assert encode_data(call.parameters) == bytes.fromhex("0202 1600 0203 1601 1600 0908 4142434445464748")
    call = export_certificate(BySerialNumber(serial_number=b"\x07", issuer=b"CA"))
    assert encode_data(call.parameters) == bytes.fromhex("0202 1601 0202 090107 09024341")


@pytest.mark.parametrize("use", [SIGNING, CertificateType.KEY_AGREEMENT, CertificateType.TLS])
def test_what_a_key_pair_is_for(use):
    for build, method in ((generate_key_pair, 4), (generate_certificate_request, 5)):
        call = build(use)
        assert call.descriptor.method_id == method
        assert read_key_use(over_the_wire(call.parameters)) is use


def test_certificates_and_requests_travel_whole():
    call = import_certificate(ROOT)
    assert call.descriptor.method_id == 6
    assert certificate_of(over_the_wire(call.parameters)) == ROOT
    der = make_certificate_request(bytes(range(1, 33)), SERVER_TITLE, SIGNING)
    found, request = certificate_request_of(over_the_wire(octet_string(der)))
    assert (found, request.system_title) == (der, SERVER_TITLE)
    for read in (certificate_of, certificate_request_of):
        with pytest.raises(SecurityError):
            read(octet_string(b"\x30\x00"))
        for bad in (None, unsigned(1), array()):
            with pytest.raises(RemoteProtocolError):
                read(bad)


def test_the_list_of_certificates():
    entry = CertificateListEntry(
        entity=CertificateEntity.CERTIFICATION_AUTHORITY,
        type=CertificateType.OTHER,
        serial_number=ROOT.serial_octets,
        issuer=ROOT.issuer_der,
        subject=ROOT.subject_der,
        subject_alt_name=b"",
    )
    assert certificates_of(over_the_wire(array(entry.encode(), entry.encode()))) == (entry, entry)
    assert certificates_of(array()) == ()
    assert entry.identification == BySerialNumber(serial_number=b"\x01\x2c", issuer=ROOT.issuer_der)


def test_another_instance_may_be_named():
    name = ObisCode.parse("0-0:43.0.3*255")
    assert security_activate(SecurityPolicyV0.AUTHENTICATED, instance=name).descriptor.instance_id == name
    assert security_activate(0xFC).descriptor.class_id == 64
    assert security_activate(SecurityPolicy.SIGNED_REQUEST).parameters == enum(0x10)
    assert list(SecurityMethod) == list(range(1, 9))


@pytest.mark.parametrize("version", [0, 1])
def test_a_policy_is_only_strengthened(version):
    known = POLICY_BITS[version]
    for current in range(256):
        for wanted in range(256):
            expected = wanted | known == known and all(
                wanted & bit for bit in (1 << n for n in range(8)) if current & bit
            )
            assert may_activate(current, wanted, version=version) == expected


MALFORMED = [
    None,
    unsigned(0),
    structure(),
    array(unsigned(0)),
    array(structure(enum(0))),
    array(structure(enum(4), octet_string(b""))),
    array(structure(unsigned(0), octet_string(b""))),
    array(structure(enum(0), enum(0))),
    array(structure(enum(0), octet_string(b"")), structure(enum(0), octet_string(b""))),
    array(*[structure(enum(0), octet_string(b""))] * (MAX_ELEMENTS + 1)),
    structure(enum(0), structure(enum(0), enum(0))),
    structure(enum(2), structure(octet_string(b""), octet_string(b""))),
    structure(enum(1), structure(octet_string(b""))),
    Data(DataType.OCTET_STRING, b""),
]


@pytest.mark.parametrize("data", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("read", [read_key_data, read_identification, read_key_use])
def test_what_is_malformed_is_refused(read, data):
    with pytest.raises(RemoteProtocolError) as refused:
        read(data)
    assert refused.value.code == "bad-security-setup"
    assert refused.value.hint


@given(st.binary(max_size=80))
def test_any_data_leave_as_typed_errors(garbage):
    try:
        data = decode_data(garbage)
    except DlmsError:
        return
    for read in (read_key_data, read_identification, read_key_use, certificates_of, certificate_of):
        try:
            read(data)
        except DlmsError:
            continue


def test_words():
    assert KeyId.KEK.words == "master key"
    assert [key_id.words for key_id in KeyId if "encryption" in key_id.words] == [KeyId.GUEK.words, KeyId.GBEK.words]
