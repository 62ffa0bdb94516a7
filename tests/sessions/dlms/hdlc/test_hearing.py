import pytest

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import DiscFrame, InfoFrame, RrFrame, SnrmFrame, UaFrame
from sessions.dlms.hdlc.hearing import Hearing
from sessions.dlms.hdlc.stream import Found

from .wired import CLIENT, SERVER

ONE = client_address(1)


def found(frame):
    return Found(frame, frame.encode())


def heard(*frames):
    hearing = Hearing(CLIENT, SERVER)
    for frame in frames:
        hearing.stray(found(frame))
    return hearing


def test_what_is_for_us():
    assert Hearing(CLIENT, SERVER).stray(found(UaFrame(destination=CLIENT, source=SERVER))) == ""
    everybody = UaFrame(destination=client_address(127), source=SERVER)
    assert Hearing(CLIENT, SERVER).stray(found(everybody)) == ""


def test_where_addresses_differ_they_tell_the_echo():
    for kind in (SnrmFrame, DiscFrame):
        assert "echo" in Hearing(CLIENT, SERVER).stray(found(kind(destination=SERVER, source=CLIENT)))
    ready = RrFrame(destination=SERVER, source=CLIENT, receive_sequence=1)
    assert "echo" in Hearing(CLIENT, SERVER).stray(found(ready))


def test_where_they_are_the_same_a_copy_is_an_echo_only_on_a_line_that_echoes():
    ready = found(RrFrame(destination=ONE, source=ONE, receive_sequence=1))
    silent = Hearing(ONE, ONE)
    silent.sent(ready.octets)
    assert silent.stray(ready) == ""
    echoing = Hearing(ONE, ONE)
    assert "echo" in echoing.stray(found(SnrmFrame(destination=ONE, source=ONE)))
    echoing.sent(ready.octets)
    assert "echo" in echoing.stray(ready)
    assert echoing.stray(ready) == ""  # the second one is the answer
    other = found(InfoFrame(destination=ONE, source=ONE, send_sequence=0, receive_sequence=0, information=b"x"))
    assert echoing.stray(other) == ""


@pytest.mark.parametrize(
    ("hearing", "code", "word"),
    [
        (heard(), "no-reply", "silent"),
        (heard(SnrmFrame(destination=SERVER, source=CLIENT)), "only-echo", "come back"),
        (heard(UaFrame(destination=CLIENT, source=server_address(1, 18, 2))), "other-station", "server 1/18 answers"),
        (heard(UaFrame(destination=client_address(32), source=SERVER)), "other-station", "client 32"),
    ],
)
def test_silence_is_explained(hearing, code, word):
    error = hearing.explain_silence()
    assert (error.layer, error.code) == ("link", code)
    assert "1/17" in error.message
    assert word in error.message
    assert "physical address" in error.hint


@pytest.mark.parametrize(
    ("noise", "code", "word"),
    [
        ([b"\x00\x01\x00\x01"], "wrong-framing", "wrapper"),
        ([b"\x00", b"\x01\x00"], "wrong-framing", "wrapper"),
        ([b"\xff\xfe", b"\xfc"], "only-noise", "3 octets"),
        ([b"\x00"], "only-noise", "1 octets"),
    ],
)
def test_noise_is_explained(noise, code, word):
    hearing = Hearing(CLIENT, SERVER)
    for octets in noise:
        hearing.noise(octets)
    error = hearing.explain_silence()
    assert error.code == code
    assert word in error.message
    assert error.hint
