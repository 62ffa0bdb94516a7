"""Keys from a table."""

import pytest

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
