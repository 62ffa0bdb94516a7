import pytest

from sessions.dlms.hdlc.speech import Speech


def test_without_times_everything_goes_out_at_once():
    speech = Speech()
    speech.heard(1.0)
    speech.say(b"a", 1.0)
    speech.say(b"b", 1.0)
    assert speech.take_due(1.0) == [b"a", b"b"]
    assert speech.take_due(1.0) == []
    assert speech.ends_at == 1.0
    assert speech.next_timer() is None


def test_a_line_that_turns_slowly_gets_its_pause():
    speech = Speech(inter_frame_time=0.5)
    speech.say(b"first", 1.0)
    assert speech.take_due(1.0) == [b"first"]  # nobody has spoken before
    speech.heard(2.0)
    speech.say(b"a", 2.1)
    assert speech.take_due(2.4) == []
    assert speech.next_timer() == 2.5
    assert speech.ends_at == 2.5
    speech.heard(2.3)  # and it still speaks
    assert speech.next_timer() == 2.8
    assert speech.take_due(2.8) == [b"a"]
    assert speech.next_timer() is None


def test_octets_take_their_time():
    speech = Speech(octet_time=0.1)
    speech.say(bytes(10), 1.0)
    speech.say(bytes(20), 1.0)
    assert speech.ends_at == pytest.approx(4.0)
    speech.say(bytes(10), 10.0)
    assert speech.ends_at == pytest.approx(11.0)
    assert len(speech.take_due(10.0)) == 3


def test_what_is_forgotten_does_not_go_out():
    speech = Speech(inter_frame_time=1.0)
    speech.heard(0.0)
    speech.say(b"a", 0.0)
    speech.forget()
    assert speech.next_timer() is None
    assert speech.take_due(5.0) == []
