"""The frames of one conversation; whatever comes, nothing is raised."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.dlms.inspector import DissectionKeys, Dissector, dissect, mask
from sessions.dlms.inspector import dissector as module
from sessions.dlms.inspector.outline import outline
from tests.sessions.dlms.inspector import samples

KEYS = DissectionKeys(samples.GUEK, samples.GAK, samples.TITLE, samples.TITLE, samples.DEDICATED)
WIRES = [
    samples.AARQ_LLS,
    samples.AARQ_CIPHERED,
    samples.AARE,
    samples.GET_RESPONSE,
    samples.BLOCK_1,
    samples.BLOCK_2,
    samples.GLO_GET_30,
    samples.GENERAL_GLO,
    samples.HDLC_AARE,
    samples.SNRM_1024,
    samples.FRMR,
    samples.WRAPPER_AARQ,
    bytes.fromhex("e0c000010000070f000000010000"),
]


def test_no_octets():
    found = dissect(b"")
    assert (found.error.layer, found.summary) == ("link", "0 octets")


def test_too_many_octets_are_refused_at_once():
    assert dissect(bytes(module.MAX_FRAME + 1)).error is not None


def test_several_frames_in_one_piece():
    found = list(Dissector().feed_all(samples.SNRM + samples.UA[1:] + samples.HDLC_AARE))
    assert [one.summary for one in found] == ["HDLC SNRM max info 128", "HDLC UA", "AARE accepted"]


def test_a_given_framing_is_not_guessed():
    found = Dissector(framing="hdlc").feed(samples.WRAPPER_AARQ)
    assert (found.framing.value, found.error.field) == ("hdlc", "opening-flag")


def test_a_fault_of_ours_does_not_get_out(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(module, "hdlc_layer", broken)
    found = dissect(samples.SNRM)
    assert (found.error.code, found.error.layer) == ("inspector-fault", "inspector")
    assert "ZeroDivisionError" in found.error.message


def check(found, octets):
    assert found.error is None or found.error.code != "inspector-fault"
    assert found.summary
    found.as_json()
    outline(found)
    assert len(mask(octets, found)) == len(octets)
    stack = [found.fields]
    while stack:
        field = stack.pop()
        stack += field.children
        assert field.offset >= 0
        assert field.offset + field.length <= len(found.sources[field.source])


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_garbage(pieces):
    dissector = Dissector(KEYS)
    for octets in pieces:
        check(dissector.feed(octets), octets)


@settings(max_examples=300)
@given(st.data())
def test_damaged_frames_in_any_order(data):
    dissector = Dissector(KEYS)
    for _ in range(data.draw(st.integers(1, 5))):
        wire = bytearray(data.draw(st.sampled_from(WIRES)))
        for _ in range(data.draw(st.integers(0, 3))):
            wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
        octets = bytes(wire[: data.draw(st.integers(1, len(wire)))])
        check(dissector.feed(octets, data.draw(st.sampled_from(["sent", "received", None]))), octets)
