import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.cursor import Reader, Tracer
from sessions.dlms.errors import TruncatedError
from sessions.dlms.hdlc.frame import decode_hdlc_frame
from sessions.dlms.hdlc.reject import Fault, FrameReject, decode_frame_reject, read_frame_reject
from tests.vectors import octets


def test_the_vector_both_ways():
    information = decode_hdlc_frame(octets("hdlc-frmr")).information
    assert decode_frame_reject(information) == FrameReject(0x12, 0, 0, Fault.SEQUENCE)
    assert FrameReject(0x12, 0, 0, Fault.SEQUENCE).encode() == information


@pytest.mark.parametrize(
    ("reject", "wire"),
    [
        (FrameReject(0xBF, 3, 5, Fault.CONTROL), "bfa601"),
        (FrameReject(0x31, 7, 0, Fault.CONTROL | Fault.INFORMATION), "310e03"),
        (FrameReject(0x10, 0, 7, Fault.LENGTH, was_response=True), "10f004"),
    ],
)
def test_where_each_bit_stands(reject, wire):
    assert reject.encode().hex() == wire
    assert decode_frame_reject(bytes.fromhex(wire)) == reject


@given(st.integers(0, 255), st.integers(0, 7), st.integers(0, 7), st.integers(0, 15), st.booleans())
def test_it_goes_round(control, sent, received, faults, response):
    reject = FrameReject(control, sent, received, Fault(faults), response)
    assert decode_frame_reject(reject.encode()) == reject


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_cut_one_is_refused(size):
    with pytest.raises(TruncatedError):
        decode_frame_reject(bytes(size))


def test_bits_without_a_meaning_are_ignored():
    assert decode_frame_reject(bytes.fromhex("12 01 f8")) == FrameReject(0x12, 0, 0, Fault.SEQUENCE)


def test_every_combination_has_words():
    said = set()
    for count in range(5):
        for faults in itertools.combinations(Fault, count):
            reject = FrameReject(0x10, 0, 0, sum(faults, Fault(0)))
            said.add(reject.words())
            assert "rejected control field 10" in reject.words()
    assert len(said) == 16
    assert "no reason given" in FrameReject(0x10, 0, 0, Fault(0)).words()


def test_the_fields_explain_themselves():
    tracer = Tracer()
    read_frame_reject(Reader(bytes.fromhex("bfb603"), tracer=tracer))
    assert [(field.name, field.offset, field.length, field.value) for field in tracer.root.children] == [
        ("rejected-control-field", 0, 1, "bf"),
        ("state-variables", 1, 1, "b6 (V(S) 3, V(R) 5, an answer was rejected)"),
        ("reasons", 2, 1, "03 (WX: unknown control field, information not permitted)"),
    ]
