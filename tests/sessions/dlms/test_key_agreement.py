"""Suite 1 by the Green Book's vectors; suite 2 has none: round trips, and the KDF computed a second time by hashlib."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.elliptic import Curve, private_from_random, public_of, random_octets
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.key_agreement import (
    ALGORITHM_ARC,
    Algorithm,
    Scheme,
    ciphering_algorithm,
    derive_key,
    ephemeral_unified,
    one_pass,
    shared_secret,
    signed_ephemeral,
    static_unified,
    verified_ephemeral,
)
from tests.vectors import by_id, of_kind

CLIENT = bytes.fromhex("4D4D4D0000BC614E")
SERVER = bytes.fromhex("4D4D4D0000000001")
# Test keys that the Green Book publishes.
CLIENT_EPHEMERAL = bytes.fromhex("47DAB03842E5B6E74828EF4F449B378D7DD1A5DAE1FFCA5AE0B0BE0AD18EC57E")
CLIENT_STATIC = bytes.fromhex("A51C16FF5C498FCC89323D4A9267CD71BF81FD6F6A891CD240DA7F3D6F283E65")
CLIENT_SIGNING = bytes.fromhex("418073C239FA6125011DE4D6CD2E645780289F761BB21BFB0835CB5585E8B373")
SERVER_STATIC = bytes.fromhex("AAD3FD0732E991CF52A74C66C1F2827DDC53522A2E0A169D7C4FFCC0FB5D6A4D")
SERVER_EPHEMERAL = bytes.fromhex("34A8C23A34DBB519D09B245754C85A6CFE05D14A063EFA5AA41545AA8241EFAE")
TRANSACTION = bytes.fromhex("0102030405060708")
VECTORS = {vector["id"]: vector for vector in of_kind("kdf", "ecdh", "ecdsa")}


def of_vector(identifier, name):
    return bytes.fromhex(VECTORS[identifier][name])


@pytest.mark.parametrize("vector", of_kind("kdf"), ids=by_id)
def test_the_kdf_by_the_vectors(vector):
    z, other, key = (bytes.fromhex(vector[name]) for name in ("z", "other", "hex"))
    assert other[:7] == Algorithm.AES_GCM_128.identifier
    parties = {"party_u": other[7:-8], "party_v": other[-8:]}
    assert derive_key(z, suite=1, algorithm=Algorithm.AES_GCM_128, **parties) == key
    assert hashlib.sha256(bytes((0, 0, 0, 1)) + z + other).digest()[:16] == key


def test_z_by_its_vector():
    private, public, z = (of_vector("zdh-1e1s", name) for name in ("priv", "pub", "hex"))
    assert shared_secret(private, public) == z
    assert (private, public) == (CLIENT_EPHEMERAL, public_of(SERVER_STATIC))
    assert shared_secret(SERVER_STATIC, public_of(CLIENT_EPHEMERAL)) == z


def test_one_pass_by_its_vector():
    key = of_vector("kdf-1e1s", "hex")
    titles = {"originator": CLIENT, "recipient": SERVER}
    assert one_pass(CLIENT_EPHEMERAL, public_of(SERVER_STATIC), suite=1, **titles) == key
    assert one_pass(SERVER_STATIC, public_of(CLIENT_EPHEMERAL), suite=1, **titles) == key


def test_static_unified_by_its_vector():
    key = of_vector("kdf-0e2s", "hex")
    names = {"originator": CLIENT, "recipient": SERVER, "transaction_id": TRANSACTION}
    assert static_unified(CLIENT_STATIC, public_of(SERVER_STATIC), suite=1, **names) == key
    assert static_unified(SERVER_STATIC, public_of(CLIENT_STATIC), suite=1, **names) == key
    assert shared_secret(CLIENT_STATIC, public_of(SERVER_STATIC)) == of_vector("kdf-0e2s", "z")


def test_ephemeral_unified_by_its_vector():
    """The client's ephemeral public key is the one that `sig-ka` signs; the server's private one is published."""
    client_public = of_vector("sig-ka", "msg")[1:]
    assert shared_secret(SERVER_EPHEMERAL, client_public) == of_vector("kdf-2e0s", "z")
    key = ephemeral_unified(SERVER_EPHEMERAL, client_public, suite=1, client=CLIENT, server=SERVER)
    assert key == of_vector("kdf-2e0s", "hex")


def test_signed_ephemeral_keys_by_their_vectors():
    """Signatures are made with random nonces in the Green Book: verified as printed, and our own over the same keys."""
    signing = public_of(CLIENT_SIGNING)
    one_pass_data = of_vector("sig-1e1s", "msg") + of_vector("sig-1e1s", "hex")
    assert verified_ephemeral(one_pass_data, signing, suite=1) == public_of(CLIENT_EPHEMERAL)
    method_data = of_vector("sig-ka", "msg")[1:] + of_vector("sig-ka", "hex")
    assert verified_ephemeral(method_data, signing, suite=1, key_id=0) == method_data[:64]
    ours = signed_ephemeral(CLIENT_EPHEMERAL, CLIENT_SIGNING)
    assert verified_ephemeral(ours, signing, suite=1) == public_of(CLIENT_EPHEMERAL)
    ours = signed_ephemeral(CLIENT_EPHEMERAL, CLIENT_SIGNING, key_id=0)
    assert verified_ephemeral(ours, signing, suite=1, key_id=0) == public_of(CLIENT_EPHEMERAL)


@pytest.mark.parametrize("curve", Curve)
@given(data=st.data())
def test_both_sides_of_every_scheme_find_one_key(curve, data):
    suite = curve.security_suite
    numbers = st.integers(1, curve.order - 1).map(lambda number: number.to_bytes(curve.coordinate_octets, "big"))
    ours, theirs = data.draw(numbers), data.draw(numbers)
    titles = {"originator": CLIENT, "recipient": SERVER}
    transaction = data.draw(st.binary(min_size=1, max_size=16))
    pairs = [(ours, public_of(theirs)), (theirs, public_of(ours))]
    keys = {
        "2e0s": {ephemeral_unified(*pair, suite=suite, client=CLIENT, server=SERVER) for pair in pairs},
        "1e1s": {one_pass(*pair, suite=suite, **titles) for pair in pairs},
        "0e2s": {static_unified(*pair, suite=suite, transaction_id=transaction, **titles) for pair in pairs},
    }
    assert [len(found) for found in keys.values()] == [1, 1, 1]
    assert {len(key) for found in keys.values() for key in found} == {16 if suite == 1 else 32}
    assert keys["1e1s"] != keys["0e2s"]


def test_suite_2_takes_all_of_sha_384():
    """By another road: the first 32 octets of SHA-384 over the same input, under the algorithm-id of AES-GCM-256."""
    private = bytes(range(1, 49))
    public = public_of(private[::-1])
    z = shared_secret(private, public)
    expected = hashlib.sha384(bytes((0, 0, 0, 1)) + z + ALGORITHM_ARC + b"\x01" + CLIENT + SERVER).digest()[:32]
    assert one_pass(private, public, suite=2, originator=CLIENT, recipient=SERVER) == expected
    assert ciphering_algorithm(2) is Algorithm.AES_GCM_256


def test_the_key_depends_on_everything():
    public = public_of(SERVER_STATIC)
    names = {"originator": CLIENT, "recipient": SERVER, "transaction_id": TRANSACTION}
    keys = {
        static_unified(CLIENT_STATIC, public, suite=1, **names),
        static_unified(CLIENT_STATIC, public, suite=1, **{**names, "transaction_id": TRANSACTION[::-1]}),
        static_unified(CLIENT_STATIC, public, suite=1, **{**names, "originator": SERVER, "recipient": CLIENT}),
        static_unified(CLIENT_EPHEMERAL, public, suite=1, **names),
    }
    assert len(keys) == 4


def test_static_keys_need_a_transaction():
    with pytest.raises(SecurityError, match="transaction-id"):
        static_unified(
            CLIENT_STATIC, public_of(SERVER_STATIC), suite=1, originator=CLIENT, recipient=SERVER, transaction_id=b""
        )


@pytest.mark.parametrize("key_id", [None, 0])
@pytest.mark.parametrize("curve", Curve)
def test_every_octet_of_a_signed_ephemeral_key_matters(curve, key_id):
    suite, size = curve.security_suite, curve.coordinate_octets
    ephemeral, signing = bytes(range(1, size + 1)), bytes(range(2, size + 2))
    key_data = signed_ephemeral(ephemeral, signing, key_id=key_id)
    arguments = {"suite": suite, "key_id": key_id}
    assert verified_ephemeral(key_data, public_of(signing), **arguments) == public_of(ephemeral)
    for at in range(len(key_data)):
        altered = bytearray(key_data)
        altered[at] ^= 1
        with pytest.raises(SecurityError):
            verified_ephemeral(bytes(altered), public_of(signing), **arguments)
    for bad in [*(key_data[:length] for length in range(len(key_data))), key_data + b"\x00"]:
        with pytest.raises(SecurityError) as refused:
            verified_ephemeral(bad, public_of(signing), **arguments)
        assert refused.value.code == "bad-key-data"
    with pytest.raises(SecurityError):
        verified_ephemeral(key_data, public_of(ephemeral), **arguments)
    with pytest.raises(SecurityError):
        verified_ephemeral(key_data, public_of(signing), suite=suite, key_id=1)


def test_a_signed_key_that_is_no_point_is_refused():
    from sessions.dlms.signing import sign

    bad = bytes(63) + b"\x01"
    with pytest.raises(SecurityError) as refused:
        verified_ephemeral(bad + sign(bad, CLIENT_SIGNING), public_of(CLIENT_SIGNING), suite=1)
    assert refused.value.code == "bad-public-key"


def test_wrong_keys_are_typed_errors():
    with pytest.raises(SecurityError, match="different curves"):
        shared_secret(CLIENT_STATIC, public_of(bytes(range(1, 49))))
    with pytest.raises(LocalProtocolError):
        one_pass(CLIENT_STATIC, public_of(SERVER_STATIC), suite=2, originator=CLIENT, recipient=SERVER)
    with pytest.raises(LocalProtocolError):
        one_pass(CLIENT_STATIC, public_of(SERVER_STATIC), suite=0, originator=CLIENT, recipient=SERVER)


def test_words():
    assert [scheme.words.split()[-1] for scheme in Scheme] == ["C(1e,1s)", "C(0e,2s)"]


@pytest.mark.parametrize("curve", Curve)
def test_private_keys_from_random_octets(curve):
    size = random_octets(curve)
    low, high = private_from_random(bytes(size), curve), private_from_random(b"\xff" * size, curve)
    assert int.from_bytes(low, "big") == 1
    assert 0 < int.from_bytes(high, "big") < curve.order
    with pytest.raises(LocalProtocolError):
        private_from_random(bytes(size - 1), curve)
