import dataclasses

import pytest

from sessions.dlms.authentication import (
    AuthenticationMechanism,
    HlsContext,
    aes_response,
    check_challenges,
    client_response,
    server_response,
    verify_client_response,
    verify_server_response,
)
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import LocalProtocolError, NotAuthenticError
from sessions.dlms.security import SecurityControl, gmac
from sessions.dlms.signing import verify
from tests.vectors import octets

from .parties import private_keys

CONTEXT = HlsContext(
    mechanism=AuthenticationMechanism.HLS_GMAC,
    secret=b"12345678",
    key=bytes(range(16)),
    gak=bytes(range(0xD0, 0xE0)),
    client_system_title=bytes.fromhex("4D4D4D0000000001"),
    server_system_title=bytes.fromhex("4D4D4D0000BC614E"),
    client_to_server=b"K56iVagY",
    server_to_client=b"P6wRJ21F",
)
SUPPORTED = [
    AuthenticationMechanism.HLS_MANUFACTURER,
    AuthenticationMechanism.HLS_MD5,
    AuthenticationMechanism.HLS_SHA1,
    AuthenticationMechanism.HLS_GMAC,
    AuthenticationMechanism.HLS_SHA256,
]


def context(mechanism):
    return dataclasses.replace(CONTEXT, mechanism=mechanism)


def counter(mechanism, number):
    return number if mechanism is AuthenticationMechanism.HLS_GMAC else None


@pytest.mark.parametrize(
    ("mechanism", "client", "server"),
    [
        (AuthenticationMechanism.HLS_MD5, "hls3-fstoc", "870F56D7F2BA75482CA41BE31A21630B"),
        (AuthenticationMechanism.HLS_SHA1, "hls4-fstoc", "900162368EE99CD4765ECE8E9075D3DE84C44A95"),
        (AuthenticationMechanism.HLS_GMAC, "hls5-fstoc", "1001234567FE1466AFB3DBCD4F9389E2B7"),
        (
            AuthenticationMechanism.HLS_SHA256,
            "hls6-fstoc",
            "5DA97807E1B30B5D95A5B48BDA34C4232130F761E57C316CCDEF70322605A90D",
        ),
    ],
)
def test_vectors(mechanism, client, server):
    hls = context(mechanism)
    assert client_response(hls, invocation_counter=counter(mechanism, 1)) == octets(client)
    assert server_response(hls, invocation_counter=counter(mechanism, 0x01234567)) == bytes.fromhex(server)
    assert verify_client_response(hls, octets(client)) == counter(mechanism, 1)
    assert verify_server_response(hls, bytes.fromhex(server)) == counter(mechanism, 0x01234567)


@pytest.mark.parametrize("mechanism", SUPPORTED)
def test_a_wrong_proof_is_refused_bit_by_bit(mechanism):
    hls = context(mechanism)
    good = server_response(hls, invocation_counter=counter(mechanism, 7))
    for bit in range(len(good) * 8):
        wrong = bytearray(good)
        wrong[bit // 8] ^= 1 << bit % 8
        with pytest.raises(NotAuthenticError):
            verify_server_response(hls, bytes(wrong))
    for wrong in (b"", good[:-1], good + b"\x00"):
        with pytest.raises(NotAuthenticError):
            verify_server_response(hls, wrong)


@pytest.mark.parametrize("mechanism", SUPPORTED)
def test_another_secret_or_key_proves_nothing(mechanism):
    hls = context(mechanism)
    stranger = dataclasses.replace(hls, secret=b"87654321", key=bytes(16))
    with pytest.raises(NotAuthenticError):
        verify_client_response(hls, client_response(stranger, invocation_counter=counter(mechanism, 1)))


@pytest.mark.parametrize("mechanism", SUPPORTED)
def test_the_clients_proof_is_not_the_servers(mechanism):
    hls = context(mechanism)
    with pytest.raises(NotAuthenticError):
        verify_server_response(hls, client_response(hls, invocation_counter=counter(mechanism, 1)))


def test_a_mirror_is_recognised():
    check_challenges(b"12345678", b"87654321")
    with pytest.raises(NotAuthenticError, match="our own challenge"):
        check_challenges(b"12345678", b"12345678")


@pytest.mark.parametrize("mechanism", [AuthenticationMechanism.NONE, AuthenticationMechanism.LLS])
def test_what_has_no_challenge_response_says_so(mechanism):
    with pytest.raises(LocalProtocolError, match="no challenges"):
        client_response(dataclasses.replace(CONTEXT, mechanism=mechanism))


# -- HLS 2 ---------------------------------------------------------------------------------------------------------------


def test_aes_is_the_block_cipher_over_the_padded_challenge():
    # FIPS-197, C.1
    key, block = bytes(range(16)), bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    assert aes_response(key, block).hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert aes_response(key, block + b"\x01") == aes_response(key, block) + aes_response(key, b"\x01")
    assert aes_response(b"short", block) == aes_response(b"short" + bytes(11), block)
    assert len(aes_response(key, bytes(8))) == 16


def test_aes_takes_no_longer_secret():
    with pytest.raises(LocalProtocolError, match="17") as refused:
        aes_response(bytes(17), bytes(16))
    assert refused.value.layer == "configuration"


def test_a_makers_own_function_is_used_on_both_sides():
    hls = dataclasses.replace(
        CONTEXT,
        mechanism=AuthenticationMechanism.HLS_MANUFACTURER,
        manufacturer=lambda secret, challenge: b"made of " + secret + challenge,
    )
    assert client_response(hls) == b"made of 12345678P6wRJ21F"
    assert server_response(hls) == b"made of 12345678K56iVagY"
    assert verify_server_response(hls, b"made of 12345678K56iVagY") is None
    with pytest.raises(NotAuthenticError):
        verify_server_response(hls, b"made of 12345678P6wRJ21F")


# -- HLS 5 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", [1, 2])
@pytest.mark.parametrize("written", [0, 1, 2])
def test_gmac_of_every_suite_and_the_stacks_that_always_write_suite_0(suite, written):
    size = 32 if suite == 2 else 16
    hls = dataclasses.replace(CONTEXT, suite=suite, key=bytes(range(size)), gak=bytes(range(100, 100 + size)))
    octet = 0x10 | written
    tag = gmac(
        control=SecurityControl.decode(octet),
        key=hls.key,
        gak=hls.gak,
        system_title=hls.server_system_title,
        counter=7,
        text=hls.client_to_server,
        key_suite=suite,
    )
    proof = bytes((octet, 0, 0, 0, 7)) + tag
    if written in (0, suite):
        assert verify_server_response(hls, proof) == 7
    else:
        with pytest.raises(NotAuthenticError):
            verify_server_response(hls, proof)
    assert server_response(hls, invocation_counter=7)[0] == 0x10 | suite


# -- HLS 7 ---------------------------------------------------------------------------------------------------------------


def ecdsa(suite, side):
    """What one side knows."""
    private = private_keys(suite)
    other = "server" if side == "client" else "client"
    return dataclasses.replace(
        CONTEXT,
        mechanism=AuthenticationMechanism.HLS_ECDSA,
        suite=suite,
        client_to_server=bytes(range(32)),
        server_to_client=bytes(range(64, 112)),
        signing_key=private[f"{side}_signing"],
        peer_signing_key=public_of(private[f"{other}_signing"]),
    )


@pytest.mark.parametrize("suite", [1, 2])
def test_signatures_over_both_titles_and_both_challenges(suite):
    client, server = ecdsa(suite, "client"), ecdsa(suite, "server")
    size = {1: 64, 2: 96}[suite]
    ours, theirs = client_response(client), server_response(server)
    assert (len(ours), len(theirs)) == (size, size)
    assert verify_client_response(server, ours) is None
    assert verify_server_response(client, theirs) is None
    titles = client.client_system_title + client.server_system_title
    verify(titles + client.server_to_client + client.client_to_server, ours, server.peer_signing_key)
    titles = client.server_system_title + client.client_system_title
    verify(titles + client.client_to_server + client.server_to_client, theirs, client.peer_signing_key)


@pytest.mark.parametrize("suite", [1, 2])
def test_a_signature_of_anybody_else_or_of_anything_else_proves_nothing(suite):
    client, server = ecdsa(suite, "client"), ecdsa(suite, "server")
    good = server_response(server)
    for wrong in (
        good[:-1],
        good + b"\x00",
        b"",
        bytes(len(good)),
        client_response(client),  # our own, sent back
        server_response(dataclasses.replace(server, signing_key=client.signing_key)),
        server_response(dataclasses.replace(server, client_to_server=bytes(32))),
        server_response(dataclasses.replace(server, server_system_title=bytes(8))),
        *(bytes((*good[:at], good[at] ^ 1, *good[at + 1 :])) for at in range(0, len(good), 7)),
    ):
        with pytest.raises(NotAuthenticError) as refused:
            verify_server_response(client, wrong)
        assert refused.value.layer == "authentication"


@pytest.mark.parametrize("missing", ["signing_key", "peer_signing_key"])
def test_ecdsa_without_a_key_is_our_own_mistake(missing):
    hls = dataclasses.replace(ecdsa(1, "client"), **{missing: None})
    with pytest.raises(LocalProtocolError, match="signing key"):
        if missing == "signing_key":
            client_response(hls)
        else:
            verify_server_response(hls, bytes(64))


def test_gmac_needs_a_counter():
    with pytest.raises(LocalProtocolError, match="counter"):
        client_response(CONTEXT)


def test_secrets_do_not_show():
    assert "12345678" not in repr(CONTEXT)
    assert CONTEXT.key.hex() not in repr(CONTEXT)
    assert repr(CONTEXT.key) not in repr(CONTEXT)
