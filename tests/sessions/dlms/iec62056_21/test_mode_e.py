import pytest

from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.hdlc.frame import decode_hdlc_frame
from sessions.dlms.iec62056_21.mode_e import ModeELink
from sessions.dlms.iec62056_21.server import HandedOver, Iec21Server
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    LinkConnected,
    LinkDisconnected,
    LinkFailed,
)
from tests.sessions.dlms.hdlc.wired import make_client as make_hdlc
from tests.sessions.dlms.hdlc.wired import make_server as make_hdlc_server
from tests.sessions.dlms.iec62056_21.wired import Device


class Line:
    """A meter of mode E at the other end of a line, with HDLC behind it; time passes only for timers."""

    def __init__(self, *, device=None, hdlc=True, **settings):
        self.link = ModeELink(make_hdlc(response_timeout=1.0), SignOnSettings(**settings), response_timeout=1.0)
        self.sign_on = Iec21Server((device or Device(),))
        self.hdlc = make_hdlc_server() if hdlc else None
        self.binary = False
        self.now = 0.0
        self.events = []

    def run(self, limit=500):
        for _ in range(limit):
            if not (self.pump() or self.tick()):
                return self
        raise AssertionError("it never ends")

    def pump(self):
        octets = self.link.octets_to_send()
        if octets and self.binary and self.hdlc is not None:
            self.hdlc.receive_octets(octets, self.now)
        elif octets:
            self.sign_on.receive_octets(octets, self.now)
        moved = bool(octets)
        while (event := self.link.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, LineChangeNeeded):
                self.link.line_changed(self.now)
                moved = True
        while (event := self.sign_on.next_event()) is not None:
            self.binary |= isinstance(event, HandedOver)
            self.sign_on.line_changed(self.now)
        if self.hdlc is not None:
            while (event := self.hdlc.next_event()) is not None:
                if isinstance(event, ApduReceived):
                    self.hdlc.send_apdu(event.apdu[::-1], self.now)
        answer = self.sign_on.octets_to_send() + (self.hdlc.octets_to_send() if self.hdlc else b"")
        if answer:
            self.link.receive_octets(answer, self.now)
        return moved or bool(answer)

    def tick(self):
        ends = [self.link, self.sign_on]
        timers = [at for end in ends if (at := end.next_timer()) is not None]
        if not timers or (self.link.next_timer() is None and self.binary):
            return False
        self.now = max(self.now, min(timers))
        for end in ends:
            if (at := end.next_timer()) is not None and at <= self.now:
                end.handle_timer(self.now)
        return True

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


def connected(**options):
    line = Line(**options)
    line.link.connect(0.0)
    return line.run()


def test_the_sign_on_leads_into_hdlc():
    line = connected(device_address="12345678")
    assert len(line.of(LinkConnected)) == 1
    assert [str(event.settings) for event in line.of(LineChangeNeeded)] == ["300 7E1", "9600 8N1"]
    sent = [event.octets for event in line.of(FrameSent)]
    assert sent[:2] == [b"/?12345678!\r\n", b"\x06252\r\n"]
    assert sent[2][:1] == b"\x7e"
    assert line.of(FrameReceived)[0].octets == Device().identification.encode()


def test_the_switch_pause_passes_before_the_first_frame():
    sent = connected(switch_pause=0.7).of(FrameSent)
    assert sent[2].time - sent[1].time == pytest.approx(0.7)


def test_hdlc_knows_the_speed_that_was_agreed():
    """Its answers are due after the time that a request needs at that speed, not at the one of the sign-on."""
    line = Line()
    line.link.connect(0.0)
    line.run()
    *_, change = [event for event in line.events if isinstance(event, LineChangeNeeded)]
    assert change.settings.baud > 300
    assert line.link._hdlc.octet_time == change.settings.octet_time < 0.01


def test_apdus_go_through_hdlc_and_it_ends_in_good_order():
    line = connected()
    line.link.send_apdu(b"\xc0\x01\xc1", line.now)
    line.run()
    assert [event.apdu for event in line.of(ApduReceived)] == [b"\xc1\x01\xc0"]
    line.link.disconnect(line.now)
    line.run()
    assert len(line.of(LinkDisconnected)) == 1


def test_oddities_of_the_sign_on_are_remarks_of_the_link():
    line = connected(device=Device(identification=IdentificationMessage("ABC", "5", "METER")))
    assert "does not offer HDLC" in line.of(LinkConnected)[0].remarks[0]


def test_no_apdu_before_the_sign_on():
    with pytest.raises(LocalProtocolError):
        Line().link.send_apdu(b"x", 0.0)
    with pytest.raises(LocalProtocolError):
        Line().link.send_unconfirmed(b"x", 0.0)


def test_unconfirmed_apdus_go_in_ui_frames():
    line = connected()
    line.link.send_unconfirmed(b"\xc1", line.now)
    line.run()
    assert decode_hdlc_frame(line.of(FrameSent)[-1].octets).information == b"\xe6\xe6\x00\xc1"


def test_a_meter_that_signs_on_and_speaks_no_hdlc():
    line = connected(hdlc=False)
    [failed] = line.of(LinkFailed)
    assert failed.error.code == "no-reply"
    assert "/MWB5\\2METER-1" in failed.error.hint


def test_a_meter_that_does_not_sign_on():
    line = connected(device_address="999")
    [failed] = line.of(LinkFailed)
    assert "of device 999" in failed.error.message
    assert line.now < line.link.longest_wait


def test_leaving_during_the_sign_on():
    line = Line()
    line.link.connect(0.0)
    line.pump()
    line.link.disconnect(0.1)
    line.run()
    assert len(line.of(LinkDisconnected)) == 1
    assert line.link.next_timer() is None


@pytest.mark.parametrize("signed_on", [False, True])
def test_a_lost_line(signed_on):
    line = connected() if signed_on else Line()
    if not signed_on:
        line.link.connect(0.0)
    line.link.connection_lost(line.now)
    line.pump()
    assert len(line.of(LinkFailed)) == 1
