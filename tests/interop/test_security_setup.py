"""The foreign client's view of class 64: the same octets as ours, and our meter does what it asks.

What it cannot judge: its key agreement fails before it sends anything, it names a certificate to be removed by texts of its own,
and of general-ciphering and general-signing it has no working form.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDLMSClient
from gurux_dlms.ecdsa import GXPrivateKey, GXPublicKey
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSSecuritySetup
from gurux_dlms.objects.enums import CertificateEntity as PeersEntity
from gurux_dlms.objects.enums import CertificateType as PeersType
from gurux_dlms.objects.enums import GlobalKeyType, SecurityPolicy
from gurux_dlms.secure import GXDLMSSecureClient

from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.certificate_authority import make_root
from sessions.dlms.certificates import CertificateEntity, CertificateType, parse_certificate, parse_certificate_request
from sessions.dlms.elliptic import public_of
from sessions.dlms.security_setup import (
    ByEntity,
    BySerialNumber,
    KeyId,
    MethodCall,
    export_certificate,
    generate_certificate_request,
    generate_key_pair,
    key_transfer,
    remove_certificate,
    security_activate,
)
from sessions.simulator.lab import LabLine
from tests.interop.peer import UNCOMPRESSED, associated, quietly
from tests.sessions.simulator.served import lab_of, listening
from tests.sessions.simulator.test_every_association import meter_of

pytestmark = pytest.mark.interop

KEK = bytes(range(16))
KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
TITLE = b"ABCDEFGH"
ROOT = make_root("Root", bytes(range(1, 33)), serial_number=300, not_before=datetime(2024, 1, 1, tzinfo=UTC))
SIGNING, AGREEMENT = CertificateType.DIGITAL_SIGNATURE, CertificateType.KEY_AGREEMENT


def setup() -> Any:
    made = GXDLMSSecuritySetup("0.0.43.0.0.255")
    made.version = 1
    return made


def octets_of(call: MethodCall) -> bytes:
    return ActionRequestNormal(InvokeIdAndPriority(1), call.descriptor, call.parameters).encode()


def peers_octets(method: str, *arguments: Any) -> bytes:
    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.PDU)
    request = getattr(setup(), method)(client, *arguments)
    return b"".join(bytes(part) for part in (request if isinstance(request, list) else [request]))


REQUESTS = {
    "activate": (security_activate(0x04), ("activate", SecurityPolicy.AUTHENTICATED_REQUEST)),
    "transfer": (
        key_transfer({KeyId.GUEK: KEY, KeyId.GAK: KEK}, kek=KEK, suite=0),
        (
            "globalKeyTransfer",
            KEK,
            [(GlobalKeyType.UNICAST_ENCRYPTION, KEY), (GlobalKeyType.AUTHENTICATION, KEK)],
        ),
    ),
    "key pair": (generate_key_pair(AGREEMENT), ("generateKeyPair", PeersType.KEY_AGREEMENT)),
    "request": (generate_certificate_request(SIGNING), ("generateCertificate", PeersType.DIGITAL_SIGNATURE)),
    "export by entity": (
        export_certificate(ByEntity(entity=CertificateEntity.SERVER, type=SIGNING, system_title=TITLE)),
        ("exportCertificateByEntity", PeersEntity.SERVER, PeersType.DIGITAL_SIGNATURE, TITLE),
    ),
    "export by number": (
        export_certificate(BySerialNumber(serial_number=ROOT.serial_der, issuer=ROOT.issuer_der)),
        ("exportCertificateBySerial", ROOT.serial_number, ROOT.issuer_der),
    ),
    "remove by entity": (
        remove_certificate(ByEntity(entity=CertificateEntity.CLIENT, type=AGREEMENT, system_title=TITLE)),
        ("removeCertificateByEntity", PeersEntity.CLIENT, PeersType.KEY_AGREEMENT, TITLE),
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_same_request_in_the_same_octets(name: str) -> None:
    call, (method, *arguments) = REQUESTS[name]
    assert octets_of(call) == peers_octets(method, *arguments)


class PeersPair(NamedTuple):
    """As the peer takes a key pair apart, by index and by name."""

    public: GXPublicKey
    private: GXPrivateKey


class Lab(SimpleNamespace):
    """Two meters that listen, with what is announced of them."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    plain = meter_of("hls-gmac", 0, "authenticated-encrypted", kek=KEK.hex())
    paired = meter_of("hls-ecdsa", 1, "authenticated-encrypted", table={"serial_number": "10000002"})
    lines = [LabLine(kind="wrapper", meters=(meter,)) for meter in (plain, paired)]
    with listening(lab_of(*lines), tmp_path) as told:
        yield Lab(plain=plain.device, paired=paired.device, told=told)


def test_a_key_that_the_peer_transfers(lab: Lab) -> None:
    with associated(lab.told[0]) as peer:
        with quietly():
            request = setup().globalKeyTransfer(peer.client, KEK, [(GlobalKeyType.UNICAST_ENCRYPTION, KEY)])
        peer.exchange(request)
        assert lab.plain.security.guek == KEY
        peer.client.ciphering.blockCipherKey = KEY
        peer.client.ciphering.invocationCounter = 0
        assert peer.read(GXDLMSSecuritySetup("0.0.43.0.0.255"), 2) is not None


def test_a_key_pair_and_certificates_that_the_peer_asks_for(lab: Lab) -> None:
    title = lab.paired.server_system_title
    with associated(lab.told[1]) as peer:

        def ask(method: str, *arguments: Any) -> bytes:
            with quietly():
                request = getattr(setup(), method)(peer.client, *arguments)
            return bytes(peer.exchange(request).value or b"")

        assert ask("generateKeyPair", PeersType.DIGITAL_SIGNATURE) == b""
        assert parse_certificate_request(ask("generateCertificate", PeersType.DIGITAL_SIGNATURE)).system_title == title
        exported = ask("exportCertificateByEntity", PeersEntity.SERVER, PeersType.KEY_AGREEMENT, title)
        found = parse_certificate(exported)
        assert (found.type, found.system_title) == (AGREEMENT, title)
        again = ask("exportCertificateBySerial", found.serial_number, found.issuer_der)
        assert again == exported
        ask("removeCertificateByEntity", PeersEntity.SERVER, PeersType.KEY_AGREEMENT, title)
        assert len(lab.paired.security.key_store.entries()) == 4


def test_the_peers_key_agreement_fails_before_it_sends_anything() -> None:
    """Tried all the same: when a newer one can, this test says so."""
    private = bytes(range(1, 33))
    pair = PeersPair(GXPublicKey.fromRawBytes(UNCOMPRESSED + public_of(private)), GXPrivateKey.fromRawBytes(private))
    client = GXDLMSSecureClient(True, 1, 1, Authentication.HIGH_ECDSA, None, InterfaceType.WRAPPER)
    client.ciphering.ephemeralKeyPair = client.ciphering.signingKeyPair = pair
    with pytest.raises(AttributeError, match="getKey"), quietly():
        setup().keyAgreement(client, GlobalKeyType.UNICAST_ENCRYPTION)
