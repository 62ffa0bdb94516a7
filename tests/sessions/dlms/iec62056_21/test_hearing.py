import pytest

from sessions.dlms.errors import FrameError
from sessions.dlms.iec62056_21.hearing import Hearing
from sessions.dlms.iec62056_21.stream import Damaged, Rubbish


def heard(*items, address=""):
    hearing = Hearing(address)
    for item in items:
        (hearing.damaged if isinstance(item, Damaged) else hearing.rubbish)(item)
    return hearing


@pytest.mark.parametrize(
    ("items", "code", "words"),
    [
        ([], "no-reply", "the line is silent"),
        ([Rubbish(b"/?!\r\n", "echo of our own octets")], "only-echo", "only our own octets"),
        ([Rubbish(b"\x55\x11", "noise")], "only-noise", "2 octets came"),
        ([Rubbish(b"\x55\x7e\xa0\x1e", "noise")], "wrong-framing", "speaks HDLC"),
        ([Damaged(b"/AB", FrameError("x", 0, "y")), Rubbish(b"z", "echo")], "only-noise", "3 octets came"),
    ],
)
def test_a_silence_at_the_sign_on_is_explained(items, code, words):
    error = heard(*items).explain_silence()
    assert error.code == code
    assert words in error.message
    assert error.hint


def test_the_device_is_named():
    assert "of device 77" in heard(address="77").explain_silence().message


def test_a_telegram_that_does_not_come():
    assert heard().explain_quiet().code == "no-reply"
    assert heard(Rubbish(b"\xff\x01", "noise")).explain_quiet().code == "only-noise"
    damaged = heard(Damaged(b"/AB", FrameError("crc", 7, "AAAA expected"))).explain_quiet()
    assert damaged.code == "damaged-telegram"
    assert "AAAA expected" in damaged.message


def test_a_meter_that_stops():
    error = heard(Rubbish(b"\xff\x01", "noise")).explain_stop("/ABC5M")
    assert (error.code, "/ABC5M" in error.message, "2 octets" in error.message) == ("stopped", True, True)
