"""What the keys of an association file may hold: each converter takes what it should, and repeats nothing of what it refuses."""

from __future__ import annotations

import pytest

from meters.cosem.data import BitString
from meters.cosem.obis import ObisCode
from sessions import association_values as values
from sessions.association_values import FRESH, AssociationFileError, Keys
from sessions.dlms.conformance import Conformance
from sessions.dlms.elliptic import public_of
from sessions.dlms.key_files import load_private_key, load_public_key

PRIVATE = b"\x01" * 32


@pytest.mark.parametrize(
    ("convert", "given", "taken"),
    [
        (values.flag, True, True),
        (values.table, {"a": 1}, {"a": 1}),
        (values.tables, [{}], [{}]),
        (values.one_of("a", "b"), "b", "b"),
        (values.integer(-1, 5), -1, -1),
        (values.sap("hdlc"), 127, 127),
        (values.sap("wrapper"), 65535, 65535),
        (values.pdu_size, 0, 0),
        (values.pdu_size, 12, 12),
        (values.address_octets, 4, 4),
        (values.seconds, 5, 5.0),
        (values.pause, 0, 0.0),
        (values.counter, "hex: FF", 255),
        (values.counter, 7, 7),
        (values.obis, "0-0:1.0.0*255", ObisCode(0, 0, 1, 0, 0, 255)),
        (values.octets(2), "hex:00ff", b"\x00\xff"),
        (values.some_octets, "00", b"\x00"),
        (values.octets_or_certificate, "0102", b"\x01\x02"),
        (values.bits, "1", BitString(b"\x80", 1)),
        (values.bits, "100000011", BitString(b"\x81\x80", 9)),
        (values.dedicated_key, "fresh", FRESH),
        (values.dedicated_key, "00" * 32, bytes(32)),
        (values.conformance("logical-names"), ["get", "set"], Conformance.GET | Conformance.SET),
        (values.conformance("short-names"), ["read"], Conformance.READ),
        (values.key_file(load_private_key, 1), PRIVATE.hex(), PRIVATE),
        (values.key_file(load_public_key, 1), public_of(PRIVATE).hex(), public_of(PRIVATE)),
        (values.secret, "text:é", "é".encode()),
        (values.secret, "hex:00 ff", b"\x00\xff"),
    ],
)
def test_what_is_taken(convert, given, taken):
    assert convert(given) == taken


CANARY = "canary-7f3a"


@pytest.mark.parametrize(
    ("convert", "given"),
    [
        (values.flag, 1),
        (values.flag, "true"),
        (values.table, []),
        (values.tables, {}),
        (values.tables, [1]),
        (values.one_of("a"), CANARY),
        (values.one_of("a"), 1),
        (values.integer(0, 5), 6),
        (values.integer(0, 5), True),
        (values.integer(0, 5), "1"),
        (values.sap("hdlc"), 128),
        (values.sap("wrapper"), 0),
        (values.pdu_size, 11),
        (values.address_octets, 3),
        (values.seconds, 0),
        (values.pause, 0.5),
        (values.counter, CANARY),
        (values.counter, 2**32),
        (values.obis, 1),
        (values.octets(2), CANARY),
        (values.octets(2), "00"),
        (values.some_octets, ""),
        (values.octets_or_certificate, f"-----BEGIN CERTIFICATE-----{CANARY}"),
        (values.bits, "012"),
        (values.bits, ""),
        (values.dedicated_key, CANARY),
        (values.conformance("logical-names"), ["read"]),
        (values.conformance("logical-names"), []),
        (values.conformance("short-names"), [CANARY]),
        (values.key_file(load_private_key, 1), CANARY),
        (values.key_file(load_private_key, 2), PRIVATE.hex()),
        (values.key_file(load_public_key, 1), 1),
        (values.secret, CANARY),
        (values.secret, f"hex:{CANARY}"),
        (values.secret, 5),
    ],
)
def test_what_is_refused_is_not_repeated(convert, given):
    with pytest.raises(ValueError, match=r"\w") as refused:
        convert(given)
    assert CANARY not in str(refused.value)


def test_keys_that_nobody_takes_are_named_with_their_table():
    keys = Keys({"known": 1, "strange": 2}, "hdlc.")
    assert keys.take("known", values.integer(0, 9), 5) == 1
    assert keys.take("absent", values.integer(0, 9), 5) == 5
    with pytest.raises(AssociationFileError) as refused:
        keys.finish()
    assert refused.value.key == "hdlc.strange"
    assert "absent, known" in refused.value.hint


def test_a_key_that_must_be_there():
    keys = Keys({"here": 1}, "")
    assert keys.need("here", values.integer(0, 9)) == 1
    with pytest.raises(AssociationFileError, match="missing: is missing") as refused:
        keys.need("missing", values.integer(0, 9))
    assert refused.value.key == "missing"


def test_what_is_wrong_with_a_value_is_said_at_its_key():
    with pytest.raises(AssociationFileError, match="port: is a whole number from 0 to 9") as refused:
        Keys({"port": 10}, "").take("port", values.integer(0, 9), 5)
    assert refused.value.layer == "configuration"
