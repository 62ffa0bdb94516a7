from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.elliptic import Curve, load_private, public_of
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.key_files import MAX_OCTETS, load_any_key, load_certificate, load_private_key, load_public_key

PRIVATE = {curve: bytes(range(1, curve.coordinate_octets + 1)) for curve in Curve}
SUITES = [curve.security_suite for curve in Curve]
EC_PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def private_of(suite):
    return PRIVATE[Curve.P256 if suite == 1 else Curve.P384]


def certificate(key, public=None):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "4D57424D57422D31")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    return builder.public_key(public or key.public_key()).sign(key, hashes.SHA256())


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=str)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=str)
def test_private_keys_in_every_wrapping(suite, encoding, form):
    key = load_private(private_of(suite))
    octets = key.private_bytes(encoding, form, NoEncryption())
    assert load_private_key(octets, "key", suite=suite) == private_of(suite)
    if encoding is Encoding.PEM:
        assert load_private_key(octets.decode(), "key", suite=suite) == private_of(suite)
        assert load_private_key(f"Bag Attributes\n{octets.decode()}\n", "key", suite=suite) == private_of(suite)
    else:
        assert load_private_key(octets.hex(), "key", suite=suite) == private_of(suite)


@pytest.mark.parametrize("suite", SUITES)
def test_private_keys_as_numbers(suite):
    for given_ in (
        private_of(suite),
        private_of(suite).hex(),
        f"hex:{private_of(suite).hex()}",
        private_of(suite).hex(":"),
    ):
        assert load_private_key(given_, "key", suite=suite) == private_of(suite)


def test_parameters_before_the_key_as_openssl_writes_them():
    key = load_private(private_of(1)).private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    assert load_private_key(EC_PARAMETERS + key.decode(), "key", suite=1) == private_of(1)


def test_keys_under_a_password():
    key = load_private(private_of(1))
    octets = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"open"))
    assert load_private_key(octets, "key", suite=1, password=b"open") == private_of(1)
    with pytest.raises(LocalProtocolError, match="protected by a password"):
        load_private_key(octets, "key", suite=1)
    with pytest.raises(LocalProtocolError, match="does not open"):
        load_private_key(octets, "key", suite=1, password=b"shut")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER], ids=str)
def test_public_keys_in_every_wrapping(suite, encoding):
    key = load_private(private_of(suite))
    bare = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    point = public_of(private_of(suite))
    for octets in (bare, certificate(key).public_bytes(encoding), point, b"\x04" + point):
        assert load_public_key(octets, "key", suite=suite) == point
    assert load_public_key(point.hex(), "key", suite=suite) == point
    assert load_public_key(bare if encoding is Encoding.DER else bare.decode(), "key", suite=suite) == point


def test_certificates_become_der():
    made = certificate(load_private(private_of(1)))
    der = made.public_bytes(Encoding.DER)
    pem = made.public_bytes(Encoding.PEM)
    for given_ in (der, pem, pem.decode(), der.hex()):
        assert load_certificate(given_, "certificate") == der


RSA = rsa.generate_private_key(65537, 2048)
P521 = ec.derive_private_key(5, ec.SECP521R1())
PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
P256_KEY = load_private(private_of(1))

PRIVATE_FAULTS = {
    "empty": ("", "is empty"),
    "blank": ("  \n", "is empty"),
    "too long": (b"\x30" * (MAX_OCTETS + 1), "so long"),
    "no text of a key": ("the key of the meter", "neither PEM"),
    "no DER": (b"\x30\x82\x01\x00garbage", "no private key that can be read"),
    "PEM without an end": ("-----BEGIN PRIVATE KEY-----\nAAAA", "no private key that can be read"),
    "a certificate": (certificate(P256_KEY).public_bytes(Encoding.PEM), "holds a certificate"),
    "a public key": (P256_KEY.public_key().public_bytes(*SPKI), "holds a public key"),
    "RSA": (RSA.private_bytes(*PKCS8), "another kind"),
    "Ed25519": (ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).private_bytes(*PKCS8), "another kind"),
    "P-521": (P521.private_bytes(*PKCS8), "secp521r1"),
    "the other suite's number": (private_of(2).hex(), "48 octets are given"),
    "the other suite's PEM": (load_private(private_of(2)).private_bytes(*PKCS8), "48 octets are given"),
    "zero": (bytes(32).hex(), "no private key of P-256"),
}
PUBLIC_FAULTS = {
    "empty": ("", "is empty"),
    "a private key": (P256_KEY.private_bytes(*PKCS8), "holds a private key"),
    "RSA": (RSA.public_key().public_bytes(*SPKI), "another kind"),
    "P-521": (P521.public_key().public_bytes(*SPKI), "secp521r1"),
    "a certificate for RSA": (certificate(P256_KEY, RSA.public_key()).public_bytes(Encoding.PEM), "another kind"),
    "a broken PEM": ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "cannot be read"),
    "a broken certificate": ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificate"),
    "no DER": (b"\x30\x82\x01\x00garbage", "no certificate that can be read"),
    "off the curve": ("11" * 64, "no point of P-256"),
    "the other suite's point": (public_of(private_of(2)).hex(), "96 octets are given"),
}


@pytest.mark.parametrize("fault", PRIVATE_FAULTS)
def test_what_is_no_private_key_says_so_with_its_field(fault):
    octets, words = PRIVATE_FAULTS[fault]
    with pytest.raises(LocalProtocolError, match=words) as refused:
        load_private_key(octets, "client_signing_key", suite=1)
    assert refused.value.message.startswith("client_signing_key: ")
    assert refused.value.hint


@pytest.mark.parametrize("fault", PUBLIC_FAULTS)
def test_what_is_no_public_key_says_so_with_its_field(fault):
    octets, words = PUBLIC_FAULTS[fault]
    with pytest.raises(LocalProtocolError, match=words) as refused:
        load_public_key(octets, "server_signing_key", suite=1)
    assert refused.value.message.startswith("server_signing_key: ")


def test_what_is_no_certificate_says_so():
    with pytest.raises(LocalProtocolError, match="a certificate is needed"):
        load_certificate(P256_KEY.private_bytes(*PKCS8), "certificate")
    with pytest.raises(LocalProtocolError, match="certificate: is no certificate"):
        load_certificate(b"\x30\x00", "certificate")


def test_no_error_shows_the_key():
    secret = private_of(1).hex()
    for broken in (secret[:-2], secret + "00", secret[:-1] + "x"):
        with pytest.raises(LocalProtocolError) as refused:
            load_private_key(broken, "key", suite=1)
        assert secret[:16] not in f"{refused.value.message} {refused.value.hint}"


@given(st.binary(max_size=200), st.sampled_from(SUITES))
def test_garbage_leaves_as_a_typed_error(garbage, suite):
    for load in (load_private_key, load_public_key):
        try:
            load(garbage, "key", suite=suite)
        except LocalProtocolError:
            continue
    with pytest.raises(LocalProtocolError):
        load_certificate(garbage, "key")


@given(st.integers(0, 10_000), st.integers(0, 7), st.booleans())
def test_damaged_files_leave_as_typed_errors(at, bit, as_public):
    made = certificate(P256_KEY).public_bytes(Encoding.DER)
    octets = made if as_public else P256_KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    damaged = bytearray(octets)
    damaged[at % len(octets)] ^= 1 << bit
    load = load_public_key if as_public else load_private_key
    for variant in (bytes(damaged), octets[: at % len(octets)]):
        try:
            load(variant, "key", suite=1)
        except LocalProtocolError:
            continue


@pytest.mark.parametrize("suite", SUITES)
def test_without_a_suite_the_key_says_its_curve(suite):
    private = private_of(suite)
    key = load_private(private)
    pem = key.private_bytes(*PKCS8)
    for given_ in (private.hex(), pem):
        assert load_private_key(given_, "key", suite=None) == private == load_any_key(given_, "key")
    for given_ in (public_of(private).hex(), key.public_key().public_bytes(*SPKI)):
        assert load_public_key(given_, "key", suite=None) == public_of(private) == load_any_key(given_, "key")
    with pytest.raises(LocalProtocolError, match=r"^key: "):
        load_any_key("00" * 31, "key")
