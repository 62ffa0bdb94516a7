"""Follows a link from beside it, and says what deviates from the standard in how the frames follow each other.

For the trace and the inspector: the links themselves judge only what they need. Each direction is a channel, named by source and
destination. A trace may begin in the middle, so that numbers are taken as they come until an SNRM says where they begin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.deviations import frame_deviations
from sessions.dlms.hdlc.frame import (
    MODULUS,
    DiscFrame,
    DmFrame,
    HdlcFrame,
    InfoFrame,
    SnrmFrame,
    SupervisoryFrame,
    UaFrame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters, decode_hdlc_parameters

MAX_CHANNELS: Final = 1024


@dataclass(slots=True)
class _Channel:
    """What one station has sent. `due` is the N(S) of its next frame, `acknowledged` the last N(R) that it got."""

    due: int | None = None
    acknowledged: int = 0
    in_turn: int = 0
    is_server: bool = False
    inside_apdu: bool = False
    max_info: int | None = None
    window: int | None = None
    sent: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=MODULUS - 1))

    def begin(self, max_info: int | None = None, window: int | None = None) -> None:
        """A link was made: numbers count from zero."""
        self.due, self.acknowledged, self.in_turn, self.inside_apdu = 0, 0, 0, False
        self.max_info, self.window = max_info, window
        self.sent.clear()

    def may_be_acknowledged(self, number: int) -> bool:
        due = self.due or 0
        return (number - self.acknowledged) % MODULUS <= (due - self.acknowledged) % MODULUS


class LinkWatch:
    """One line, with any number of links over it. Frames that are no frames for us are not shown to it."""

    def __init__(self) -> None:
        self._channels: dict[bytes, _Channel] = {}
        self._proposals: dict[bytes, HdlcParameters] = {}
        self._linked: dict[bytes, bool] = {}

    def see(self, frame: HdlcFrame) -> list[str]:
        """What deviates in this frame: by itself, and after the ones before it."""
        if len(self._channels) > MAX_CHANNELS:
            for kept in (self._channels, self._proposals, self._linked):
                kept.clear()  # no line has so many stations: what is kept shall not grow with garbage
        return [*frame_deviations(frame), *self._judge(frame)]

    def _judge(self, frame: HdlcFrame) -> Iterator[str]:
        if frame.source == frame.destination:
            return  # client 1 and logical device 1 with one octet: nothing says who talks
        ours, theirs = self._channel(frame, reverse=False), self._channel(frame, reverse=True)
        match frame:
            case SnrmFrame():
                ours.due = theirs.due = None
                theirs.is_server = True
                self._linked.pop(_pair(frame), None)
                self._proposals[_key(frame)] = _parameters(frame) or HdlcParameters()
            case UaFrame():
                yield from self._connected(frame, ours, theirs)
            case DiscFrame() | DmFrame():
                self._linked[_pair(frame)] = False
            case InfoFrame() | SupervisoryFrame():
                if self._linked.get(_pair(frame), True) is False:
                    yield f"{frame.name} without a link"
                    return
                yield from _acknowledgement(frame, ours, theirs)
                if isinstance(frame, InfoFrame):
                    yield from _information(frame, ours)
                if frame.poll_final:
                    ours.in_turn = 0

    def _channel(self, frame: HdlcFrame, *, reverse: bool) -> _Channel:
        return self._channels.setdefault(_key(frame, reverse=reverse), _Channel())

    def _connected(self, frame: UaFrame, server: _Channel, client: _Channel) -> Iterator[str]:
        proposed = self._proposals.pop(_key(frame, reverse=True), None)
        if proposed is None:
            return  # to a DISC, or to what was not seen
        answered = _parameters(frame)
        if answered is None:
            return
        self._linked[_pair(frame)] = True
        agreed = proposed.negotiated_with(answered)
        client.begin(agreed.max_info_transmit, agreed.window_transmit)
        server.begin(agreed.max_info_receive, agreed.window_receive)
        most = HdlcParameters(
            proposed.max_info_receive, proposed.max_info_transmit, proposed.window_receive, proposed.window_transmit
        ).as_json()
        for name, value in answered.as_json().items():
            # A parameter that is left out has its default, which may be more than was proposed.
            if value > most[name] and value != HdlcParameters().as_json()[name]:
                yield f"UA with {name.replace('_', ' ')} {value}, {most[name]} was proposed"


def _acknowledgement(frame: InfoFrame | SupervisoryFrame, ours: _Channel, theirs: _Channel) -> Iterator[str]:
    number = frame.receive_sequence
    if theirs.due is None:
        theirs.due = theirs.acknowledged = number
    elif not theirs.may_be_acknowledged(number):
        yield f"N(R) is {number}, {theirs.due} is due"
    else:
        if _opens_answer(frame, ours) and number != theirs.due:
            yield f"N(R) is {number} and does not acknowledge what is answered, {theirs.due} is due"
        theirs.acknowledged = number


def _opens_answer(frame: InfoFrame | SupervisoryFrame, ours: _Channel) -> bool:
    """Whether the frame is the first of a server's answer. It comes after the whole request, which it acknowledges."""
    server = ours.is_server or frame.source.size > 1
    return server and isinstance(frame, InfoFrame) and frame.send_sequence == ours.due and not ours.inside_apdu


def _information(frame: InfoFrame, ours: _Channel) -> Iterator[str]:
    number, octets = frame.send_sequence, frame.information
    if (number, octets) in ours.sent and number != ours.due:
        return  # sent again, as it may be
    went_back = number == ours.acknowledged  # a newer request made the rest of an older answer void
    if ours.due is not None and number != ours.due and not went_back:
        yield f"N(S) is {number}, {ours.due} is due: a frame is missing"
    ours.due = (number + 1) % MODULUS
    ours.sent.append((number, octets))
    ours.inside_apdu = frame.segmented
    ours.in_turn += 1
    if ours.window is not None and ours.in_turn > ours.window:
        yield f"{ours.in_turn} frames in one turn, a window of {ours.window} was agreed"
    if ours.max_info is not None and len(octets) > ours.max_info:
        yield f"{len(octets)} octets of information, {ours.max_info} were agreed"


def _parameters(frame: SnrmFrame | UaFrame) -> HdlcParameters | None:
    try:
        return decode_hdlc_parameters(frame.information)
    except DecodeError:
        return None


def _key(frame: HdlcFrame, *, reverse: bool = False) -> bytes:
    source, destination = frame.source.encode(), frame.destination.encode()
    return destination + b">" + source if reverse else source + b">" + destination


def _pair(frame: HdlcFrame) -> bytes:
    return min(_key(frame), _key(frame, reverse=True))
