"""Where secrets stand."""

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.inspector.secrets import (
    asks_for_secret,
    carries_secret,
    hidden_spans,
    likely_password_spans,
    likely_secret_spans,
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
        ("d90000000100" + "0101000f0000280000ff07" + "0100", True, False),  # ACCESS reads it
        ("d90000000100" + "0102000f0000280000ff07" + "01090461626364", False, True),  # and writes it
        ("d90000000100" + "0203000f0000280000ff0201000f0000280000ff02" + "0209046162636400", False, True),
        ("d90000000100" + "0101000f0000280000ff02" + "0100", False, False),
        ("c401c10006000012d6", False, False),
        ("050102fa08", False, False),
        ("050104fa48000904616263" + "64", False, True),  # change_HLS_secret by READ
        ("0601022bc8010904" + "61626364", False, False),
        ("060102fa40010904" + "61626364", False, True),  # change_LLS_secret
        ("160102fa40010904" + "61626364", False, True),
        ("0601070000010109060102fa400109", False, True),  # the same in blocks
        ("0601070000010109020102", False, True),  # in blocks that do not say yet what is written
        ("0601070000020109020102", False, False),
    ],
)
def test_services_that_read_or_write_the_secret_of_an_association(apdu, asks, carries):
    decoded = decode_apdu(bytes.fromhex(apdu))
    assert asks_for_secret(decoded) is asks
    assert carries_secret(decoded) is carries


WRITE = bytes.fromhex("060102fa40010904" + "61626364")
SET = bytes.fromhex("c101c1000f0000280000ff0700" + "090461626364")
ACTION = bytes.fromhex("c301c1000f0000280000ff0201" + "090461626364")


SET_LIST = bytes.fromhex("c104c10200080000010000ff0200" + "000f0000280000ff0700" + "0200090461626364")
SET_LIST_BLOCK = bytes.fromhex("c105c101000f0000280000ff0700" + "0000000001" + "06" + "010904616263")
ACTION_LIST = bytes.fromhex("c303c101000f0000280000ff02" + "01090461626364")
ACCESS = bytes.fromhex("d90000000100" + "0102000f0000280000ff07" + "01090461626364")
BLOCK = bytes.fromhex("e0410001000013") + SET


@pytest.mark.parametrize(
    ("apdu", "begin"),
    [
        (WRITE, 5),
        (SET, 12),
        (ACTION, 12),
        (SET_LIST, 24),
        (SET_LIST_BLOCK, 14),
        (ACTION_LIST, 13),
        (ACCESS, 17),
        (BLOCK, 19),
    ],
)
def test_every_beginning_of_a_request_gives_the_part_of_the_secret_that_is_there(apdu, begin):
    for size in range(len(apdu) + 1):
        covered = {offset for start, length in hidden_spans(apdu[:size]) for offset in range(start, start + length)}
        assert covered == set(range(begin, size))


@pytest.mark.parametrize(
    "apdu",
    [
        "",
        "0601022bc8010904" + "61626364",
        "060102",
        "c101c1000f0000280000ff0200090461626364",
        "c301c1000f0000280000ff0101090461626364",
        "c001c1000f0000280000ff0700",
    ],
)
def test_other_requests_hide_nothing(apdu):
    assert hidden_spans(bytes.fromhex(apdu)) == []


def test_a_write_that_no_codec_reads_is_searched():
    assert likely_secret_spans(b"\x55" + WRITE) == [(6, len(WRITE) - 5)]
    assert likely_secret_spans(WRITE[:5]) == []
    assert likely_secret_spans(samples.AARQ_LLS) == [(AT, 8)]
