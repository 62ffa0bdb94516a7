import dataclasses

import pytest

from sessions.dlms.authentication import (
    AuthenticationMechanism,
    HlsContext,
    check_challenges,
    client_response,
    server_response,
    verify_client_response,
    verify_server_response,
)
from sessions.dlms.errors import AuthenticationFailedError, LocalProtocolError
from tests.vectors import octets

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
        with pytest.raises(AuthenticationFailedError):
            verify_server_response(hls, bytes(wrong))
    for wrong in (b"", good[:-1], good + b"\x00"):
        with pytest.raises(AuthenticationFailedError):
            verify_server_response(hls, wrong)


@pytest.mark.parametrize("mechanism", SUPPORTED)
def test_another_secret_or_key_proves_nothing(mechanism):
    hls = context(mechanism)
    stranger = dataclasses.replace(hls, secret=b"87654321", key=bytes(16))
    with pytest.raises(AuthenticationFailedError):
        verify_client_response(hls, client_response(stranger, invocation_counter=counter(mechanism, 1)))


@pytest.mark.parametrize("mechanism", SUPPORTED)
def test_the_clients_proof_is_not_the_servers(mechanism):
    hls = context(mechanism)
    with pytest.raises(AuthenticationFailedError):
        verify_server_response(hls, client_response(hls, invocation_counter=counter(mechanism, 1)))


def test_a_mirror_is_recognised():
    check_challenges(b"12345678", b"87654321")
    with pytest.raises(AuthenticationFailedError, match="our own challenge"):
        check_challenges(b"12345678", b"12345678")


@pytest.mark.parametrize(
    "mechanism",
    [
        AuthenticationMechanism.NONE,
        AuthenticationMechanism.LLS,
        AuthenticationMechanism.HLS_MANUFACTURER,
        AuthenticationMechanism.HLS_ECDSA,
    ],
)
def test_what_has_no_challenge_response_here_says_so(mechanism):
    with pytest.raises(LocalProtocolError, match="not supported"):
        client_response(context(mechanism))


def test_gmac_needs_a_counter():
    with pytest.raises(LocalProtocolError, match="counter"):
        client_response(CONTEXT)


def test_secrets_do_not_show():
    assert "12345678" not in repr(CONTEXT)
    assert CONTEXT.key.hex() not in repr(CONTEXT)
    assert repr(CONTEXT.key) not in repr(CONTEXT)
