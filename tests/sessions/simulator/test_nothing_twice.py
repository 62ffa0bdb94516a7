"""Lost requests and lost answers: whatever goes missing on the line, the meter's own truth says that nothing was done twice.

What the client was told is done was done once; of what ended in an error, it was done once or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import enum, integer
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError, NoReplyError
from sessions.dlms.events import ActionOutcome, Failed, RequestFailed
from sessions.dlms.transfers.items import ActionItem, Item, SetItem
from sessions.links.driver import make_link
from sessions.links.endpoint import UdpEndpoint
from sessions.simulator.lab import HdlcOptions, LabMeter, make_meter
from sessions.simulator.stations import WrapperStation
from sessions.simulator.truth import Truth
from tests.sessions.simulator.pair import CHALLENGE, Pair, Wanted, counting_random, same_octets
from tests.sessions.simulator.served import GMAC, LLS, HandClock

RELAY = ObisCode.parse("0-0:96.3.10*255")
DISCONNECT, RECONNECT = CosemMethodDescriptor(70, RELAY, 1), CosemMethodDescriptor(70, RELAY, 2)
MODE = CosemAttributeDescriptor(70, RELAY, 4)


class LossyPair(Pair):
    """A pair whose line loses the transmissions with these numbers, counted in each direction once it is `lossy`."""

    lossy = False
    lost_requests: frozenset[int] = frozenset()
    lost_answers: frozenset[int] = frozenset()
    requests = answers = 0

    def _carry(self, octets: bytes) -> None:
        if self._loses(self.lost_requests, "requests"):
            return
        self.station.receive_octets(octets, self.now)
        answer = self.station.octets_to_send()
        if answer and not self._loses(self.lost_answers, "answers"):
            self.client.receive_octets(answer, self.now)

    def _loses(self, lost: frozenset[int], counted: str) -> bool:
        if not self.lossy:
            return False
        number = getattr(self, counted) + 1
        setattr(self, counted, number)
        return number in lost

    def _run(self, begin: Callable[[], object], wanted: type[Wanted]) -> Wanted:
        """With the clock: where nothing comes, the next timer is due."""
        begin()
        while True:
            octets = self.client.octets_to_send()
            if octets:
                self._carry(octets)
            while (event := self.client.next_event()) is not None:
                if isinstance(event, Failed | RequestFailed):
                    raise event.error
                if isinstance(event, wanted):
                    return event
            if not octets:
                self._wait()

    def _wait(self) -> None:
        timer = self.client.next_timer()
        assert timer is not None, "nothing is waited for"
        self.now = max(self.now, timer)
        due = self.station.next_timer()
        if due is not None and due <= self.now:
            self.station.handle_timer(self.now)
        self.client.handle_timer(self.now)


def hdlc_pair(association: dict[str, Any], window: int) -> tuple[LossyPair, LabMeter]:
    table = {"serial_number": "10000001", "physical_address": 17, "association": association}
    meter = make_meter(table, HandClock(), HdlcOptions(window=window))
    pair = LossyPair(meter)
    pair.open()
    pair.lossy = True
    return pair, meter


def times(meter: LabMeter, what: CosemMethodDescriptor | CosemAttributeDescriptor) -> int:
    """How often the meter itself says that it was done."""
    truth, name = Truth(meter), str(what.instance_id)
    if isinstance(what, CosemMethodDescriptor):
        return truth.executions(what.class_id, name, what.method_id)
    return truth.writes(what.class_id, name, what.attribute_id)


def do(pair: Pair, what: CosemMethodDescriptor | CosemAttributeDescriptor) -> bool:
    """Whether the client was told that it is done."""
    name = str(what.instance_id)
    if isinstance(what, CosemMethodDescriptor):
        return pair.action(what.class_id, name, what.method_id, integer(0))[0] is ActionResult.SUCCESS
    return pair.set(what.class_id, name, what.attribute_id, enum(4)) is DataAccessResult.SUCCESS


LOST = st.frozensets(st.integers(1, 40), max_size=20)
COMMANDS = st.lists(st.sampled_from([DISCONNECT, RECONNECT, MODE]), min_size=1, max_size=5)


@given(COMMANDS, LOST, LOST, st.sampled_from([LLS, GMAC]), st.sampled_from([1, 3]))
@settings(deadline=None)
def test_over_hdlc(commands, lost_requests, lost_answers, association, window):
    pair, meter = hdlc_pair(association, window)
    pair.lost_requests, pair.lost_answers = lost_requests, lost_answers
    told: list[Any] = []
    asked: list[Any] = []
    try:
        for command in commands:
            asked.append(command)
            assert do(pair, command)
            told.append(command)
    except DlmsError:
        pass
    for command in (DISCONNECT, RECONNECT, MODE):
        assert told.count(command) <= times(meter, command) <= asked.count(command)
    done = [(each.deed.kind, each.deed.number) for each in meter.device.journal.executions]
    wished = [("invoke", each.method_id) if isinstance(each, CosemMethodDescriptor) else ("write", 4) for each in asked]
    assert done == wished[: len(done)]


@pytest.mark.parametrize("command", [DISCONNECT, MODE], ids=["method", "write"])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
def test_an_answer_that_is_lost_once_is_fetched_and_not_earned_again(association, command):
    pair, meter = hdlc_pair(association, 1)
    pair.lost_answers = frozenset({1})
    assert do(pair, command)
    assert (pair.requests, times(meter, command)) == (2, 1)


@pytest.mark.parametrize("command", [DISCONNECT, MODE], ids=["method", "write"])
def test_an_answer_that_never_comes_leaves_it_done_once(command):
    pair, meter = hdlc_pair(LLS, 1)
    pair.lost_answers = frozenset(range(1, 100))
    with pytest.raises(NoReplyError):
        do(pair, command)
    assert pair.requests > 1
    assert times(meter, command) == 1


# -- where the link repeats nothing ------------------------------------------------------------------------------------


def udp_pair(association: dict[str, Any]) -> tuple[LossyPair, LabMeter]:
    meter = make_meter({"serial_number": "10000001", "association": association}, HandClock())
    pair = LossyPair(meter, station=WrapperStation(meter.device, same_octets, datagrams=True))
    parameters = pair.association.prepared(same_octets)
    link = make_link("wrapper", parameters, pair.association.hdlc, 5.0, endpoint=UdpEndpoint("127.0.0.1", 4059))
    pair.client = DlmsClient(
        parameters,
        link,
        challenge=CHALLENGE,
        counters=InvocationCounters(range(1, 10_000)),
        random=counting_random(),
    )
    pair.open()
    pair.lossy = True
    return pair, meter


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("command", [DISCONNECT, MODE], ids=["method", "write"])
def test_over_udp(association, lost, command):
    pair, meter = udp_pair(association)
    if lost == "request":
        pair.lost_requests = frozenset(range(1, 100))
    else:
        pair.lost_answers = frozenset(range(1, 100))
    with pytest.raises(NoReplyError):
        do(pair, command)
    assert times(meter, command) == (lost == "answer")


MANY: list[Item] = [ActionItem(DISCONNECT, integer(0)), SetItem(MODE, enum(4)), ActionItem(RECONNECT, integer(0))]


@given(LOST, LOST, st.sampled_from([LLS, GMAC]), st.booleans())
@settings(deadline=None)
def test_many_at_once(lost_requests, lost_answers, association, over_hdlc):
    pair, meter = hdlc_pair(association, 1) if over_hdlc else udp_pair(association)
    pair.lost_requests, pair.lost_answers = lost_requests, lost_answers
    try:
        results = pair.many(*MANY)
    except DlmsError:
        results = ()
    for command, result in zip((DISCONNECT, MODE, RECONNECT), results or (None,) * 3, strict=True):
        succeeded = isinstance(result, ActionOutcome) and result.result is ActionResult.SUCCESS
        succeeded = succeeded or result is DataAccessResult.SUCCESS
        assert succeeded <= times(meter, command) <= 1
