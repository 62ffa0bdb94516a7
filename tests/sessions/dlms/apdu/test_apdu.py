"""All APDUs at once: vectors both ways, every truncation, trailing octets, garbage."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.apdu import READERS, decode_apdu
from sessions.dlms.errors import DecodeError, DlmsError, UnknownTagError
from tests.vectors import by_id, octets, of_kind

WIRE = of_kind("acse", "xdlms", "sec")

SUMMARIES = {
    "get-clock": "GET request 8/0-0:1.0.0*255 attribute 2",
    "get-list": "GET request, list of 2 attributes",
    "get-next": "GET request, next block after 1",
    "get-range": "GET request 7/1-0:99.1.0*255 attribute 2, range 2024-01-01 00:00 … 2024-01-02 00:00",
    "get-entry": "GET request 7/1-0:99.1.0*255 attribute 2, entries 1 … 10",
    "get-res": "GET response: 4822",
    "get-err": "GET response: access denied (read-write-denied)",
    "get-block1": "GET response block 1, 4 octets, more follow",
    "get-blocklast": "GET response block 2, 4 octets, the last",
    "set-clock": "SET request 8/0-0:1.0.0*255 attribute 2 := 2024-01-01 00:00:00",
    "set-res": "SET response: success",
    "act-disc": "ACTION request 70/0-0:96.3.10*255 method 1 (remote disconnect)",
    "act-res": "ACTION response: success",
    "exc": "exception response: service-unknown, service-not-supported",
    "exc-ic": "exception response: service-not-allowed, invocation-counter-error, counter 10 expected",
    "cse": "confirmed service error: initiate: initiate other",
    "sn-read": "READ request 0108",
    "sn-readres": "READ response: 4822",
    "datanotif-dt": "data notification of 2024-01-01 00:00:00: {4822}",
    "gbt": "general block 1, 13 octets, the last",
    "access-res": "ACCESS response, 1 of 1 succeeded",
    "glo-get-30": "glo-get-request, authenticated and encrypted, suite 0, counter 19088743, 25 octets",
}


@pytest.mark.parametrize("vector", WIRE, ids=by_id)
def test_vectors_both_ways(vector):
    wire = bytes.fromhex(vector["hex"])
    apdu = decode_apdu(wire)
    assert apdu.encode() == wire
    assert apdu.summary()


@pytest.mark.parametrize(("vector_id", "summary"), SUMMARIES.items())
def test_one_line_says_it(vector_id, summary):
    assert decode_apdu(octets(vector_id)).summary() == summary


# An ending that the standard lets be absent, or that meters leave out: the shorter form is an APDU of its own.
OPTIONAL_ENDINGS = {"act-res": {4}, "act-resdata": {4}, "exc-ic": {3}, "reply-hls-res": {4}}


@pytest.mark.parametrize("vector", of_kind("xdlms", "sec"), ids=by_id)
def test_every_truncation_and_any_extra_octet_is_refused(vector):
    wire = bytes.fromhex(vector["hex"])
    for cut in set(range(len(wire))) - OPTIONAL_ENDINGS.get(vector["id"], set()):
        with pytest.raises(DecodeError):
            decode_apdu(wire[:cut])
    with pytest.raises(DecodeError):
        decode_apdu(wire + b"\x00")


@pytest.mark.parametrize("tag", sorted(set(range(256)) - set(READERS)))
def test_unassigned_tags_are_refused(tag):
    with pytest.raises(UnknownTagError):
        decode_apdu(bytes((tag, 0, 0)))


@pytest.mark.parametrize("tag", [0xC0, 0xC1, 0xC3, 0xC4, 0xC5, 0xC7])
def test_unassigned_choices_are_refused(tag):
    with pytest.raises(UnknownTagError):
        decode_apdu(bytes((tag, 99, 0xC1, 0, 0)))


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=60))
@settings(max_examples=500)
def test_garbage_is_an_apdu_or_a_typed_error(tag, rest):
    try:
        apdu = decode_apdu(bytes((tag,)) + rest)
    except DlmsError as error:
        assert error.as_dict()["message"]
    else:
        assert isinstance(apdu.summary(), str)


@given(st.sampled_from(WIRE), st.data())
@settings(max_examples=300)
def test_a_changed_octet_is_an_apdu_or_a_typed_error(vector, data):
    wire = bytearray.fromhex(vector["hex"])
    at = data.draw(st.integers(0, len(wire) - 1))
    wire[at] = data.draw(st.integers(0, 255))
    try:
        decode_apdu(bytes(wire)).summary()
    except DlmsError:
        pass
