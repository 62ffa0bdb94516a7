from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GeneralSigning
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import DlmsError, SecurityError
from sessions.dlms.general_ciphering import Transaction
from sessions.dlms.general_signing import sign_content, verify_content
from sessions.dlms.signing import sign
from tests.sessions.dlms.parties import CLIENT_TITLE, SERVER_TITLE, TRANSACTION, private_keys

GET = bytes.fromhex("C001C100080000010000FF0200")
THERE = Transaction(
    transaction_id=TRANSACTION,
    originator=CLIENT_TITLE,
    recipient=SERVER_TITLE,
    date_time=bytes.fromhex("07EA0B190314000000FFC400"),
    other_information=b"test",
)
SUITES = [1, 2]


def key_of(suite):
    return private_keys(suite)["client_signing"]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("length_signed", [False, True])
def test_both_ways(suite, length_signed):
    apdu = sign_content(GET, THERE, key_of(suite), length_signed=length_signed)
    received = decode_apdu(apdu.encode())
    assert received == apdu
    assert len(received.signature) == (64 if suite == 1 else 96)
    assert verify_content(received, public_of(key_of(suite)), length_signed=length_signed) == GET
    with pytest.raises(SecurityError):
        verify_content(received, public_of(key_of(suite)), length_signed=not length_signed)


@pytest.mark.parametrize("length_signed", [False, True])
def test_what_is_signed(length_signed):
    """Written out octet by octet: the header's fields with their lengths, then the content."""
    signed = b"\x08" + TRANSACTION + b"\x08" + CLIENT_TITLE + b"\x08" + SERVER_TITLE + b"\x0c" + THERE.date_time
    signed += b"\x04test" + (b"\x0d" if length_signed else b"") + GET
    apdu = sign_content(GET, THERE, key_of(1), length_signed=length_signed)
    assert apdu.signature == sign(signed, key_of(1))


@pytest.mark.parametrize("suite", SUITES)
def test_every_octet_matters(suite):
    wire = sign_content(GET, THERE, key_of(suite)).encode()
    for at in range(len(wire)):
        altered = bytearray(wire)
        altered[at] ^= 1
        with pytest.raises(DlmsError):
            apdu = decode_apdu(bytes(altered))
            if not isinstance(apdu, GeneralSigning):
                raise SecurityError("another APDU")
            verify_content(apdu, public_of(key_of(suite)))


@pytest.mark.parametrize("suite", SUITES)
def test_every_truncation_and_extension_is_refused(suite):
    wire = sign_content(GET, THERE, key_of(suite)).encode()
    for bad in [*(wire[:size] for size in range(len(wire))), wire + b"\x00"]:
        with pytest.raises(DlmsError):
            decode_apdu(bad)


def test_another_signer_is_refused():
    apdu = sign_content(GET, THERE, key_of(1))
    with pytest.raises(SecurityError) as refused:
        verify_content(apdu, public_of(private_keys(1)["server_signing"]))
    assert refused.value.code == "bad-signature"
    with pytest.raises(SecurityError):
        verify_content(apdu, public_of(key_of(2)))


def test_impossible_headers_are_refused():
    for changes in ({"originator_system_title": bytes(9)}, {"date_time": bytes(5)}, {"transaction_id": bytes(65)}):
        with pytest.raises(SecurityError) as refused:
            verify_content(replace(sign_content(GET, THERE, key_of(1)), **changes), public_of(key_of(1)))
        assert refused.value.code == "bad-header"


@given(st.binary(max_size=300), st.binary(max_size=64), st.sampled_from(SUITES))
def test_any_content_comes_out_again(content, transaction_id, suite):
    apdu = sign_content(content, replace(THERE, transaction_id=transaction_id), key_of(suite))
    assert verify_content(decode_apdu(apdu.encode()), public_of(key_of(suite))) == content


@given(st.binary(max_size=200))
def test_garbage_leaves_as_typed_errors(garbage):
    with pytest.raises(DlmsError):
        apdu = decode_apdu(b"\xdf" + garbage)
        assert isinstance(apdu, GeneralSigning)
        verify_content(apdu, public_of(key_of(1)))
