"""Frames while they pass: a line each, secrets masked even where the inspector understands nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import array, octet_string, structure, unsigned, visible_string
from sessions.dlms.acse import Aarq
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import InfoFrame
from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.iec62056_21.message import CommandMessage
from sessions.dlms.inspector import DissectionKeys
from sessions.trace import MAX_LEARNED, MAX_TEXT, Trace, redissect, with_dedicated_key
from tests.sessions.dlms.inspector.test_protected import KEYS, SECRET_WRITTEN, sealed_set

SECRET = b"secret-1"
GET_CLOCK = bytes.fromhex("0001001000010" + "00dc001c100080000010000ff0200")


def aarq_frame() -> bytes:
    """A wrapper frame with a password in its AARQ."""
    from sessions.dlms.acse import ApplicationContext
    from sessions.dlms.authentication import AuthenticationMechanism
    from sessions.dlms.conformance import Conformance
    from sessions.dlms.initiate import InitiateRequest

    initiate = InitiateRequest(proposed_conformance=Conformance.GET, client_max_receive_pdu_size=0xFFFF)
    apdu = Aarq(
        application_context_name=ApplicationContext.LN,
        mechanism_name=AuthenticationMechanism.LLS,
        calling_authentication_value=SECRET,
        user_information=initiate.encode(),
    ).encode()
    return bytes.fromhex("000100200001") + len(apdu).to_bytes(2, "big") + apdu


class TestMasking:
    def test_a_password_in_an_aarq(self) -> None:
        frame = aarq_frame()
        assert SECRET in frame
        traced = Trace().read(frame, "sent")
        assert SECRET not in traced.octets
        assert len(traced.octets) == len(frame)
        assert "secret" not in traced.summary

    def test_a_password_in_an_echo_that_is_discarded(self) -> None:
        traced = Trace(secrets=[SECRET]).read_discarded(aarq_frame(), "an echo")
        assert SECRET not in traced.octets
        assert traced.error == "an echo"

    def test_a_password_in_a_frame_that_breaks_the_inspector(self, monkeypatch, caplog) -> None:
        trace = Trace(secrets=[SECRET])
        monkeypatch.setattr(trace._dissector, "feed", lambda *_: 1 / 0)
        traced = trace.read(aarq_frame(), "sent")
        assert SECRET not in traced.octets
        assert traced.error
        assert SECRET.decode() not in caplog.text

    def test_a_trace_does_not_print_its_secrets(self) -> None:
        assert "secret-1" not in repr(Trace(secrets=[SECRET]))

    def test_short_secrets_do_not_spoil_other_octets(self) -> None:
        assert Trace(secrets=[b"\x00"]).scrub(b"\x00\x01\x00") == b"\x00\x01\x00"


def test_a_frame_has_a_line() -> None:
    traced = Trace().read(GET_CLOCK, "sent")
    assert "0-0:1.0.0*255" in traced.summary
    assert traced.starts_apdu
    assert traced.error == ""


@pytest.mark.parametrize("octets", [b"", b"\x00", b"\xff" * 300, GET_CLOCK[:-1], GET_CLOCK + b"\x00"])
def test_garbage_is_recorded_with_what_is_wrong_with_it(octets: bytes) -> None:
    traced = Trace().read(octets, "received")
    assert traced.octets == octets
    assert len(traced.summary) <= MAX_TEXT
    assert len(traced.error) <= MAX_TEXT


def test_a_frame_is_opened_again_later() -> None:
    found = redissect([(GET_CLOCK, "sent")], None)
    assert found["framing"] == "wrapper"
    assert found["sources"]["frame"] == GET_CLOCK.hex()


def test_an_aarq_without_a_dedicated_key_changes_no_keys() -> None:
    keys = DissectionKeys(dedicated_key=bytes(16))
    assert with_dedicated_key(keys, [(aarq_frame(), "sent"), (b"\xff", "received")]) is keys


def test_no_frame_is_no_dissection() -> None:
    with pytest.raises(ValueError, match="no frame"):
        redissect([], None)


def test_what_deviates_is_flagged_in_the_line():
    """An answer with N(R)=0, as one stack sends it: read all the same, and said."""
    trace = Trace()
    snrm, ua = bytes.fromhex("7ea0070321930f017e"), bytes.fromhex("7ea00721037301407e")
    to = {"destination": HdlcAddress(1), "source": HdlcAddress(16)}
    back = {"destination": HdlcAddress(16), "source": HdlcAddress(1)}
    request = InfoFrame(**to, send_sequence=0, receive_sequence=0, information=bytes.fromhex("e6e6006203800100"))
    answer = InfoFrame(**back, send_sequence=0, receive_sequence=0, information=bytes.fromhex("e6e7006303800100"))
    assert "deviates" not in "".join(trace.read(frame, "sent").summary for frame in (snrm, ua, request.encode()))
    read = trace.read(answer.encode(), "received")
    assert read.error == ""
    assert "RLRE" in read.summary
    assert "deviates: N(R) is 0 and does not acknowledge what is answered, 1 is due" in read.summary


@pytest.mark.parametrize("parity", [False, True])
def test_a_password_of_the_programming_mode_is_masked_before_it_is_stored(parity):
    """By its place in the message, and where it comes back (an echo) by its octets."""
    wire = CommandMessage("P1", b"(secret99)").encode()
    password = b"secret99"
    if parity:
        wire, password = with_even_parity(wire), with_even_parity(password)
    traced = Trace().read(wire, "sent")
    assert traced.summary == "P1 (password)"
    assert len(traced.octets) == len(wire)
    assert password not in traced.octets
    assert traced.octets[4:14] == b"*" * 10
    assert password not in Trace(secrets=[password]).read_discarded(wire, "echo").octets


class TestWhatWasMaskedBefore:
    """A secret that passed once is known from then on."""

    SECRET = bytes(range(0x41, 0x61))

    def test_comes_back_no_other_way(self) -> None:
        trace = Trace()
        frame = aarq_frame()
        trace.read(frame, "sent")
        assert SECRET not in trace.read_discarded(frame, "an echo").octets
        assert SECRET not in trace.read_discarded(b"\x00" + SECRET + b"\x01", "noise").octets

    @pytest.mark.parametrize("first", range(0, 27))
    @pytest.mark.parametrize("length", [6, 7, 11])
    def test_nor_do_parts_of_it(self, first: int, length: int) -> None:
        trace = Trace()
        trace.learn(self.SECRET)
        part = self.SECRET[first : first + length]
        scrubbed = trace.scrub(b"\x00\x01" + part + b"\x02")
        expected = part if len(part) < 6 else b"*" * len(part)
        assert scrubbed == b"\x00\x01" + expected + b"\x02"

    def test_what_a_value_holds(self) -> None:
        trace = Trace()
        trace.learn_value(structure(unsigned(1), array(octet_string(self.SECRET)), visible_string("a-password")))
        assert trace.scrub(self.SECRET + b"a-password") == b"*" * 42

    def test_octets_that_say_nothing_are_no_secret(self) -> None:
        trace = Trace()
        trace.learn(bytes(16))
        trace.learn(b"abc")
        assert trace.scrub(bytes(20) + b"abc") == bytes(20) + b"abc"

    def test_is_bounded(self) -> None:
        trace = Trace()
        for number in range(MAX_LEARNED + 1):
            trace.learn(b"secret-" + bytes((number,)))
        assert trace.scrub(b"secret-" + bytes((MAX_LEARNED,))) == b"*" * 8
        assert len(trace._learned) == MAX_LEARNED


@given(st.binary(min_size=4, max_size=40), st.binary(max_size=60), st.integers(0, 40), st.integers(0, 40))
def test_no_run_of_a_secret_is_left_wherever_it_is_cut(secret: bytes, around: bytes, first: int, length: int) -> None:
    trace = Trace()
    trace.learn(secret)
    octets = around[:30] + secret[first : first + length] + around[30:]
    scrubbed = trace.scrub(octets)
    assert len(scrubbed) == len(octets)
    if len(set(secret)) == 1:
        return
    runs = [secret[at : at + 6] for at in range(len(secret) - 5)] or [secret]
    seeds = [run for run in runs if all(len(set(run[at : at + 4])) > 1 for at in range(len(run) - 3))]
    assert not any(run in scrubbed and run != b"*" * len(run) and b"*" not in run for run in seeds)


def test_a_masked_secret_that_was_authenticated_only_is_no_bad_tag_when_the_frame_is_opened_again() -> None:
    traced = Trace(KEYS).read(sealed_set(SECRET_WRITTEN), "sent")
    assert b"s3cr3tly" not in traced.octets
    found = redissect([(traced.octets, "sent")], KEYS)
    assert found["error"] is None
    assert found["notes"] == ["a secret in it is masked, so its tag cannot be checked again"]
