"""Words for what only its shape tells."""

from datetime import UTC, datetime

import pytest

from sessions.dlms.axdr import read_data
from sessions.dlms.certificate_authority import make_root
from sessions.dlms.certificates import CertificateType, make_certificate_request
from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.inspector.readable import make_readable


def labels(hex_octets, name="octet-string"):
    octets = bytes.fromhex(hex_octets)
    tracer = Tracer()
    read_data(Reader(octets, tracer=tracer))
    make_readable(tracer.root, {"frame": octets})
    found, stack = [], [tracer.root]
    while stack:
        field = stack.pop(0)
        stack = field.children + stack
        if field.name == name:
            found.append(field.value)
    return found


def test_a_logical_name():
    assert labels("09060100010800ff") == ["1-0:1.8.0*255 (Active energy import (+A), total)"]


@pytest.mark.parametrize("octets", ["0906010001080001", "0905010001080a", "09080100010800ff0000"])
def test_no_logical_name(octets):
    assert "1-0" not in labels(octets)[0]


def test_a_date_and_the_time_beside_it():
    assert labels("02020904100a27ff090507e10406ff") == ["16:10:39 (100a27ff)", "2017-04-06 (07e10406ff)"]


def test_four_octets_alone_are_no_time():
    assert labels("0904100a27ff") == ["100a27ff"]
    assert labels("02020904630a27ff090507e10406ff")[0] == "630a27ff"


@pytest.mark.parametrize("octets", ["090500010406ff", "090507e10d06ff", "090507e1042006", "090507e1040608"])
def test_five_octets_that_are_no_date(octets):
    assert labels(octets) == [octets[4:]]


@pytest.mark.parametrize(
    ("octets", "label"),
    [("02020fff1623", "scaler -1, unit V"), ("02020fff16fd", "2 elements"), ("02020fff1123", "2 elements")],
)
def test_a_scaler_and_its_unit(octets, label):
    assert labels(octets, "structure") == [label]


def test_tags_of_apdus_are_given_in_hex():
    from sessions.dlms.inspector import dissect

    found = dissect(bytes.fromhex("c8122001234567411312ff935a47566827c467bc"))
    assert found.fields.children[0].children[0].value == "c8"


def test_certificates_and_requests_for_them():
    key, moment = bytes(range(1, 33)), datetime(2024, 1, 1, tzinfo=UTC)
    der = make_root("Root", key, serial_number=0x1F, not_before=moment).der
    assert labels(f"0982{len(der):04x}{der.hex()}") == [
        "certificate of CN=Root for CA, P-256, valid 2024-01-01 to 9999-12-31, number 1F of CN=Root"
    ]
    request = make_certificate_request(key, b"MWBMWB-1", CertificateType.DIGITAL_SIGNATURE)
    assert labels(f"0982{len(request):04x}{request.hex()}") == ["certificate request of CN=4D57424D57422D31, P-256"]
    damaged = der[:-9]
    assert labels(f"0982{len(damaged):04x}{damaged.hex()}") == [damaged.hex()]
