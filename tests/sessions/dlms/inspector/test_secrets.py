"""Where secrets stand."""

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.inspector.secrets import (
    asks_for_secret,
    carries_secret,
    likely_password_spans,
    password_spans,
)
from tests.sessions.dlms.inspector import samples

AT = samples.AARQ_LLS.index(b"12345678")
HLS = samples.AARQ_LLS.replace(bytes.fromhex("60857405080201"), bytes.fromhex("60857405080205"))


def test_the_password_of_a_whole_aarq():
    assert password_spans(samples.AARQ_LLS) == [(AT, 8)]
    assert password_spans(HLS) == []
    assert password_spans(samples.AARE) == []
    assert password_spans(b"") == []


def test_every_beginning_of_an_aarq_gives_the_part_that_is_there():
    for size in range(len(samples.AARQ_LLS)):
        spans = password_spans(samples.AARQ_LLS[:size])
        covered = {offset for start, length in spans for offset in range(start, start + length)}
        visible = {offset for offset in range(AT, AT + 8) if offset < size}
        assert visible <= covered, size
        assert all(offset < size for offset in covered)


def test_octets_that_no_codec_reads_are_searched():
    assert likely_password_spans(b"\x55" + samples.AARQ_LLS[10:]) == [(AT - 10 + 1, 8)]
    assert likely_password_spans(b"\x55" + HLS[10:]) == []
    assert likely_password_spans(samples.AARQ_LLS[: AT + 3]) == [(AT, 3)]
    assert likely_password_spans(b"\xac" * 50) == []


@pytest.mark.parametrize(
    ("apdu", "asks", "carries"),
    [
        ("c001c1000f0000280000ff0700", True, False),  # GET of the association's secret
        ("c003c102000f0000280000ff010000" + "0f0000280000ff0700", True, False),
        ("c001c1000f0000280000ff0200", False, False),
        ("c101c1000f0000280000ff0700090461626364", False, True),  # SET of it
        ("c301c1000f0000280000ff0201090461626364", False, True),  # change_HLS_secret
        ("c301c1000f0000280000ff0101090461626364", False, False),  # reply_to_HLS_authentication
        ("c102c1000f0000280000ff0700" + "0000000001" + "03090461", False, True),  # SET of it, in blocks
        ("c104c101000f0000280000ff0700" + "01090461626364", False, True),  # SET with list
        ("c304c1000f0000280000ff02" + "0000000001" + "03090461", False, True),  # change_HLS_secret in blocks
        ("c303c101000f0000280000ff02" + "01090461626364", False, True),  # ACTION with list
        ("c301c100480001180100ff070109026162", False, True),  # a key for an M-Bus device
        ("c401c10006000012d6", False, False),
    ],
)
def test_services_that_read_or_write_the_secret_of_an_association(apdu, asks, carries):
    decoded = decode_apdu(bytes.fromhex(apdu))
    assert asks_for_secret(decoded) is asks
    assert carries_secret(decoded) is carries
