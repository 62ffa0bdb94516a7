from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GeneralCiphering, KeyInfo
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import DlmsError, LocalProtocolError, SecurityError
from sessions.dlms.general_ciphering import (
    GLOBAL_BROADCAST,
    MAX_TRANSACTION_OCTETS,
    Transaction,
    decipher,
    encipher,
    find_key,
    identified_key,
    one_pass_key,
    static_unified_key,
    transaction_of,
    wrapped_key,
)
from sessions.dlms.general_protection import PartyKeys
from sessions.dlms.security import SecurityControl
from tests.sessions.dlms.parties import CLIENT_TITLE, PUBLISHED, SERVER_TITLE, TRANSACTION, keys_of, private_keys
from tests.vectors import octets

GET = bytes.fromhex("C001C100080000010000FF0200")
THERE = Transaction(transaction_id=TRANSACTION, originator=CLIENT_TITLE, recipient=SERVER_TITLE)
SIDES = {CLIENT_TITLE: "client", SERVER_TITLE: "server"}
KINDS = ["guek", "gbek", "wrapped", "one-pass", "static-unified"]
CASES = [(kind, suite) for suite in (0, 1, 2) for kind in KINDS if suite or kind in ("guek", "gbek", "wrapped")]


def content_key(kind, suite, transaction=THERE):
    side = SIDES[transaction.originator]
    keys = keys_of(side, suite)
    match kind:
        case "guek":
            return identified_key(keys)
        case "gbek":
            return identified_key(keys, GLOBAL_BROADCAST)
        case "wrapped":
            return wrapped_key(keys, bytes(range(50, 50 + len(keys.guek))))
        case "one-pass":
            return one_pass_key(keys, transaction, private_keys(suite)["client_ephemeral"])
    return static_unified_key(keys, transaction)


def sealed(kind, suite, transaction=THERE, plaintext=GET, *, bits=0x30, **settings):
    return encipher(
        plaintext,
        transaction,
        content_key(kind, suite, transaction),
        control=SecurityControl.decode(bits | suite),
        gak=keys_of("client", suite).gak,
        invocation_counter=7,
        **settings,
    )


def opened(apdu, suite, side="server", **settings):
    keys = keys_of(side, suite)
    return decipher(apdu, find_key(apdu, keys), gak=keys.gak, **settings)


@pytest.mark.parametrize("bits", [0x10, 0x20, 0x30])
@pytest.mark.parametrize(("kind", "suite"), CASES)
@pytest.mark.parametrize("transaction", [THERE, THERE.answer()], ids=["request", "answer"])
def test_every_kind_of_key_both_ways(kind, suite, transaction, bits):
    apdu = sealed(kind, suite, transaction, bits=bits)
    received = decode_apdu(apdu.encode())
    assert received == apdu
    assert transaction_of(received) == transaction
    assert opened(received, suite, SIDES[transaction.recipient]) == GET


@pytest.mark.parametrize(
    ("kind", "vector", "transaction"),
    [
        ("one-pass", "kdf-1e1s", THERE),
        ("static-unified", "kdf-0e2s", THERE),
    ],
)
def test_agreed_keys_are_the_green_books(kind, vector, transaction):
    assert content_key(kind, 1, transaction).key == octets(vector)


def test_the_green_books_one_pass_key_data_are_believed():
    """Header, key-info and key data of its table 41; what is ciphered in it is ours."""
    key_data = public_of(PUBLISHED["client_ephemeral"]) + octets("sig-1e1s")
    apdu = replace(sealed("one-pass", 1), key_ciphered_data=key_data)
    wire = apdu.encode()
    assert wire.startswith(bytes.fromhex("DD080102030405060708084D4D4D0000BC614E084D4D4D00000000010000010201018180"))
    assert find_key(decode_apdu(wire), keys_of("server", 1)) == octets("kdf-1e1s")
    assert opened(decode_apdu(wire), 1) == GET


@pytest.mark.parametrize(("kind", "suite"), [case for case in CASES if case[1] != 2])
def test_every_octet_matters(kind, suite):
    wire = sealed(kind, suite).encode()
    for at in range(len(wire)):
        altered = bytearray(wire)
        altered[at] ^= 1
        try:
            apdu = decode_apdu(bytes(altered))
            plaintext = opened(apdu, suite) if isinstance(apdu, GeneralCiphering) else b""
        except DlmsError:
            continue
        # A flip of the encryption or suite bit is refused above; what is left are other APDUs, never this text.
        assert plaintext != GET, at


@pytest.mark.parametrize("suite", [0, 1, 2])
def test_every_single_bit_of_the_tag_matters(suite):
    apdu = sealed("guek", suite)
    for bit in range(96):
        altered = bytearray(apdu.ciphertext)
        altered[-12 + bit // 8] ^= 1 << bit % 8
        with pytest.raises(SecurityError) as refused:
            opened(replace(apdu, ciphertext=bytes(altered)), suite)
        assert refused.value.code == "bad-tag"


@pytest.mark.parametrize("field", ["transaction_id", "originator_system_title", "recipient_system_title", "date_time"])
def test_the_header_is_authenticated_or_not_as_agreed(field):
    altered = {"transaction_id": b"\x01", "date_time": bytes(12)}.get(field, b"ANOTHER.")
    apdu = sealed("guek", 0)
    with pytest.raises(SecurityError):
        opened(replace(apdu, **{field: altered}), 0)
    loose = sealed("guek", 0, header_authenticated=False)
    assert opened(loose, 0, header_authenticated=False) == GET
    with pytest.raises(SecurityError):
        opened(loose, 0)
    if field != "originator_system_title":  # which is part of the nonce
        assert opened(replace(loose, **{field: altered}), 0, header_authenticated=False) == GET


def test_without_key_info_the_global_key_is_meant():
    apdu = replace(sealed("guek", 0), key_info=None)
    assert opened(decode_apdu(apdu.encode()), 0) == GET


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key_id": 2}, "unknown-key"),
        ({"key_info": KeyInfo.WRAPPED_KEY, "key_id": 1}, "unknown-key"),
        ({"key_info": KeyInfo.WRAPPED_KEY, "key_ciphered_data": bytes(24)}, "bad-wrapped-key"),
        ({"key_info": KeyInfo.WRAPPED_KEY, "key_ciphered_data": bytes(40)}, "bad-wrapped-key"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 0}, "unknown-key"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 3}, "unknown-key"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 1, "key_ciphered_data": bytes(128)}, "bad-signature"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 1, "key_ciphered_data": bytes(127)}, "bad-key-data"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 2, "key_ciphered_data": bytes(1)}, "bad-key-data"),
        ({"key_info": KeyInfo.AGREED_KEY, "key_id": 2, "transaction_id": b""}, "no-transaction-id"),
        ({"transaction_id": bytes(MAX_TRANSACTION_OCTETS + 1)}, "bad-header"),
        ({"originator_system_title": b""}, "bad-header"),
        ({"recipient_system_title": bytes(7)}, "bad-header"),
        ({"date_time": bytes(11)}, "bad-header"),
        ({"security_control": SecurityControl.decode(0x71)}, "broadcast-key"),
        ({"security_control": SecurityControl.decode(0xB1)}, "compressed"),
        ({"ciphertext": bytes(11)}, "truncated-tag"),
    ],
)
def test_what_cannot_be_is_refused(changes, code):
    with pytest.raises(SecurityError) as refused:
        opened(replace(sealed("guek", 1), **changes), 1)
    assert refused.value.code == code


@pytest.mark.parametrize(("kind", "suite"), CASES)
def test_missing_keys_are_named(kind, suite):
    apdu = sealed(kind, suite)
    with pytest.raises(SecurityError) as refused:
        find_key(apdu, PartyKeys(suite=suite))
    assert refused.value.code == "no-key"
    with pytest.raises(LocalProtocolError):
        keys = PartyKeys(suite=suite)
        if kind == "one-pass":
            one_pass_key(keys, THERE, PUBLISHED["client_ephemeral"])
        elif kind == "static-unified":
            static_unified_key(keys, THERE)
        elif kind == "wrapped":
            wrapped_key(keys, bytes(16))
        else:
            key = identified_key(keys)
            encipher(GET, THERE, key, control=SecurityControl(suite, True, True), gak=b"", invocation_counter=1)


@pytest.mark.parametrize("size", range(0, 200, 7))
def test_every_truncation_is_refused(size):
    wire = sealed("wrapped", 1).encode()
    with pytest.raises(DlmsError):
        decode_apdu(wire[: min(size, len(wire) - 1)])


def test_key_parameters_have_one_octet():
    wire = sealed("static-unified", 1).encode()
    at = wire.index(bytes.fromhex("01020102"), 30)
    with pytest.raises(DlmsError, match="one octet is expected"):
        decode_apdu(wire[: at + 2] + b"\x02\x00\x02" + wire[at + 4 :])


@given(st.binary(max_size=200), st.sampled_from(CASES))
def test_any_apdu_comes_out_again(plaintext, case):
    assert opened(decode_apdu(sealed(*case, plaintext=plaintext).encode()), case[1]) == plaintext


@given(st.binary(max_size=150))
def test_garbage_leaves_as_typed_errors(garbage):
    try:
        apdu = decode_apdu(b"\xdd" + garbage)
        assert isinstance(apdu, GeneralCiphering)
        opened(apdu, 1)
    except DlmsError:
        pass


def test_no_key_shows_in_a_repr():
    apdu = sealed("wrapped", 0)
    assert apdu.key_ciphered_data.hex() not in repr(apdu)
    assert repr(apdu.key_ciphered_data) not in repr(apdu)
    assert repr(bytes(range(16))) not in repr(keys_of("client", 0)) + repr(identified_key(keys_of("client", 0)))
