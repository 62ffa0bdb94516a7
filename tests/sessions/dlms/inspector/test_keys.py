"""Keys from a table."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sessions.dlms.elliptic import load_private, public_of
from sessions.dlms.inspector import DissectionKeys, parse_keys
from tests.sessions.dlms.inspector import samples


def test_every_entry_with_and_without_the_hex_prefix():
    keys = parse_keys(
        {
            "guek": samples.GUEK.hex(),
            "gak": "hex:" + samples.GAK.hex(),
            "dedicated_key": samples.DEDICATED.hex(" "),
            "client_system_title": "4D4D4D0000000001",
            "system_title": samples.TITLE.hex(),
        }
    )
    assert keys == DissectionKeys(
        guek=samples.GUEK,
        gak=samples.GAK,
        dedicated_key=samples.DEDICATED,
        client_system_title=bytes.fromhex("4d4d4d0000000001"),
        server_system_title=samples.TITLE,
    )


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"guk": "00"}, "guk is not known"),
        ({"guek": 5}, "must be text"),
        ({"guek": "0x12"}, "not hex"),
        ({"guek": "00" * 15}, "16 or 32 octets, it has 15"),
        ({"system_title": "00" * 7}, "8 octets, it has 7"),
    ],
)
def test_what_is_wrong_is_named(table, reason):
    with pytest.raises(ValueError, match=reason):
        parse_keys(table)


def test_no_key_in_an_error_or_a_repr():
    secret = "11" * 15
    with pytest.raises(ValueError) as caught:
        parse_keys({"guek": secret})
    assert secret not in str(caught.value)
    assert "0102" not in repr(DissectionKeys(guek=samples.GUEK, gak=samples.GAK, dedicated_key=samples.GUEK))


def test_keys_of_key_pairs_in_hex_and_pem():
    private = bytes(range(1, 33))
    pem = load_private(private).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    keys = parse_keys(
        {
            "kek": samples.GUEK.hex(),
            "client_signing_key": pem,
            "server_signing_key": public_of(private).hex(),
            "client_key_agreement_key": private.hex(),
            "server_key_agreement_key": public_of(bytes(range(1, 49))).hex(),
            "ephemeral_key": private.hex(),
        }
    )
    assert keys == DissectionKeys(
        kek=samples.GUEK,
        client_signing_key=private,
        server_signing_key=public_of(private),
        client_key_agreement_key=private,
        server_key_agreement_key=public_of(bytes(range(1, 49))),
        ephemeral_key=private,
    )
    assert repr(private) not in repr(keys)


@pytest.mark.parametrize("value", [5, "no key", "00" * 31, "-----BEGIN PRIVATE KEY-----\nAAAA"])
def test_a_key_of_a_pair_that_is_none_is_named(value):
    with pytest.raises(ValueError, match="server_signing_key"):
        parse_keys({"server_signing_key": value})
