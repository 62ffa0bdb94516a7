"""Key agreement: how two parties come to one key over an open line (Green Book 9.2.3.4.6; NIST SP 800-56A r2, 5.8.1, 6).

    scheme    class                       Z from                                      used for
    C(2e,0s)  ephemeral unified model     ephemeral U x ephemeral V                   method key_agreement of class 64
    C(1e,1s)  one-pass Diffie-Hellman     ephemeral U x static V                      general-ciphering, agreed-key 01
    C(0e,2s)  static unified model        static U x static V, the transaction-id     general-ciphering, agreed-key 02
                                          is the nonce

    K = leftmost bits of HASH(00000001 | Z | algorithm-id (7) | party U | party V), Z: the x coordinate in full width

U is who speaks first, V who is spoken to. Ephemeral public keys are signed by their owner's signing key: over key-id | Q for the
method, over Q alone in general-ciphering. The schemes of suite 1 are checked against the Green Book's vectors. (Its edition 8.0
printed keys that were made with a wrong algorithm-id; those of the right one are used.) For suite 2 there are no published
vectors and no peer that does it right: it is checked by round trips, and the KDF by an independent computation.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from sessions.dlms.cursor import Writer
from sessions.dlms.elliptic import check_private_key, curve_of_suite, load_private, load_public, public_of
from sessions.dlms.errors import SecurityError
from sessions.dlms.security import KEY_OCTETS
from sessions.dlms.signing import sign, verify

ALGORITHM_ARC: Final = bytes.fromhex("608574050803")
"""joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8) cryptographic-algorithms(3)."""


class Algorithm(IntEnum):
    """What the agreed key is for: the last octet of its algorithm-id."""

    AES_GCM_128 = 0
    AES_GCM_256 = 1
    AES_WRAP_128 = 2
    AES_WRAP_256 = 3

    @property
    def identifier(self) -> bytes:
        return ALGORITHM_ARC + bytes((self,))


class Scheme(IntEnum):
    """key-parameters of an agreed-key in general-ciphering."""

    ONE_PASS = 1
    STATIC_UNIFIED = 2

    @property
    def words(self) -> str:
        return "one-pass Diffie-Hellman C(1e,1s)" if self is Scheme.ONE_PASS else "static unified model C(0e,2s)"


def ciphering_algorithm(suite: int) -> Algorithm:
    """The algorithm of an encryption key in a suite: every key that is agreed on here is one."""
    return Algorithm.AES_GCM_256 if suite == 2 else Algorithm.AES_GCM_128


def shared_secret(private_key: bytes, public_key: bytes) -> bytes:
    """Z: the x coordinate of the common point, 32 or 48 octets. SecurityError where the public key is no point of that curve."""
    ours, theirs = load_private(private_key), load_public(public_key)
    if ours.curve.name != theirs.curve.name:
        raise SecurityError("the two keys are of different curves", code="bad-public-key")
    return ours.exchange(ec.ECDH(), theirs)


def derive_key(z: bytes, *, suite: int, algorithm: Algorithm, party_u: bytes, party_v: bytes) -> bytes:
    """The concatenation KDF, one round: 16 octets in suite 1, 32 in suite 2."""
    other = algorithm.identifier + party_u + party_v
    return ConcatKDFHash(curve_of_suite(suite).hash, KEY_OCTETS[suite], other).derive(z)


def ephemeral_unified(private_key: bytes, public_key: bytes, *, suite: int, client: bytes, server: bytes) -> bytes:
    """C(2e,0s): the new global key from our ephemeral private key and the other side's ephemeral public one.

    `client` and `server` are system titles: the client begins, so it is U, whoever computes. An agreed master key would be used
    for wrapping; whether its algorithm-id says so is not known for certain, so it is derived like the others.
    """
    _check(private_key, suite)
    z = shared_secret(private_key, public_key)
    return derive_key(z, suite=suite, algorithm=ciphering_algorithm(suite), party_u=client, party_v=server)


def one_pass(private_key: bytes, public_key: bytes, *, suite: int, originator: bytes, recipient: bytes) -> bytes:
    """C(1e,1s): the key of one APDU. The originator gives its ephemeral private key and the recipient's static public one, the
    recipient its static private key and the ephemeral public one."""
    _check(private_key, suite)
    z = shared_secret(private_key, public_key)
    return derive_key(z, suite=suite, algorithm=ciphering_algorithm(suite), party_u=originator, party_v=recipient)


def static_unified(
    private_key: bytes, public_key: bytes, *, suite: int, originator: bytes, recipient: bytes, transaction_id: bytes
) -> bytes:
    """C(0e,2s): the key of one transaction, from both static key pairs. Only the transaction-id tells one key from the next."""
    _check(private_key, suite)
    if not transaction_id:
        raise SecurityError(
            "the static unified model needs a transaction-id: without one every message would have the same key",
            code="no-transaction-id",
        )
    z = shared_secret(private_key, public_key)
    party_u = originator + Writer().octet_string(transaction_id).octets()
    return derive_key(z, suite=suite, algorithm=ciphering_algorithm(suite), party_u=party_u, party_v=recipient)


def _check(private_key: bytes, suite: int) -> None:
    check_private_key(private_key, suite, "private key for key agreement")


# -- ephemeral public keys as they travel ------------------------------------------------------------------------------


def signed_ephemeral(ephemeral_key: bytes, signing_key: bytes, *, key_id: int | None = None) -> bytes:
    """Q | signature, from both private keys. `key_id` for the method key_agreement, None in general-ciphering."""
    public = public_of(ephemeral_key)
    return public + sign(_signed(public, key_id), signing_key)


def verified_ephemeral(key_data: bytes, public_key: bytes, *, suite: int, key_id: int | None = None) -> bytes:
    """Q, once its signature by the owner of `public_key` was found right; SecurityError otherwise."""
    size = curve_of_suite(suite).point_octets
    if len(key_data) != 2 * size:
        raise SecurityError(
            f"key data have {2 * size} octets in security suite {suite} (public key and signature), these {len(key_data)}",
            code="bad-key-data",
        )
    public, signature = key_data[:size], key_data[size:]
    verify(_signed(public, key_id), signature, public_key)
    load_public(public)
    return public


def _signed(public: bytes, key_id: int | None) -> bytes:
    return public if key_id is None else bytes((key_id,)) + public
