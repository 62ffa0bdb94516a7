"""Keys for signing, as they are pasted: PEM and hex of both curves, and what is said of everything else."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from meters.signing_keys import CURVES, read_private_key, read_public_key
from sessions.dlms.elliptic import public_of
from sessions.simulator.lab import LABS, load_lab
from tests.sessions.simulator.served import HandClock

PRIVATE = {1: bytes(range(1, 33)), 2: bytes(range(1, 49))}
PLAIN = serialization.NoEncryption()
PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def key_of(suite: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(PRIVATE[suite], "big"), CURVES[suite][1])


def private_pem(suite: int, form=PKCS8, encryption=PLAIN) -> str:
    return key_of(suite).private_bytes(PEM, form, encryption).decode()


def public_pem(suite: int) -> str:
    return key_of(suite).public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("suite", [1, 2])
def test_every_form_of_the_same_key(suite):
    private, public = PRIVATE[suite], public_of(PRIVATE[suite])
    for text in (
        private.hex(),
        private.hex(":").upper(),
        f"hex:{private.hex()}",
        private_pem(suite),
        private_pem(suite, serialization.PrivateFormat.TraditionalOpenSSL),
        f"\n  {private_pem(suite)}\n",
    ):
        assert read_private_key(text, suite) == private
    for text in (public.hex(), f"04{public.hex()}", public.hex(" "), public_pem(suite)):
        assert read_public_key(text, suite) == public


def test_the_key_in_a_certificate():
    lab = load_lab(LABS / "suites.toml", HandClock())
    meter = lab.lines[0].meters[0]
    pem = meter.association["server_signing_key"]
    assert len(read_public_key(pem, 1)) == 64
    with pytest.raises(ValueError, match="P-384"):
        read_public_key(pem, 2)


@pytest.mark.parametrize("suite", [1, 2])
def test_what_is_wrong_is_said_without_the_key(suite):
    other = 3 - suite
    secret = serialization.BestAvailableEncryption(b"password")
    edwards = ed25519.Ed25519PrivateKey.generate()
    for text in (
        PRIVATE[other].hex(),
        "00" * len(PRIVATE[suite]),
        "ff" * len(PRIVATE[suite]),
        "zz",
        "-----BEGIN PRIVATE KEY-----",
        public_pem(suite),
        private_pem(other),
        private_pem(suite, encryption=secret),
        edwards.private_bytes(PEM, PKCS8, PLAIN).decode(),
    ):
        with pytest.raises(ValueError, match=r"[.]$") as refused:
            read_private_key(text, suite)
        assert PRIVATE[other].hex() not in str(refused.value)
    for text in ("00" * 2 * len(PRIVATE[suite]), PRIVATE[suite].hex(), "zz", private_pem(suite), public_pem(other)):
        with pytest.raises(ValueError, match=r"[.]$"):
            read_public_key(text, suite)
