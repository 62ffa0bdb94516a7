"""Whole sessions over bad lines, with meters that lose the thread: right values or typed errors, nothing done twice, no counter
used twice, and an end in bounded time.

Ciphered associations meet everything: their tags let nothing wrong pass. In clear a frame has no more than a CRC of 16 bits,
which passes one damaged frame in 65,536: such sessions run over seeds that are fixed. The wrapper checks nothing, so in clear it
meets only what TCP may do to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import Data, long
from meters.cosem.obis import ObisCode
from sessions.dlms.acse.reading import decode_aarq
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.association import AssociationState
from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.frame import InfoFrame, decode_hdlc_frame
from sessions.dlms.link import FrameSent
from sessions.dlms.selective_access import EntryDescriptor
from sessions.links.endpoint import Endpoint, UdpEndpoint
from sessions.simulator.faults import Direction, FaultyLine, LineFaults
from sessions.simulator.lab import LabMeter
from sessions.simulator.quirks.manners import Manners
from sessions.simulator.wire import Wire
from tests.sessions.simulator.quirks.cases import OBJECT_LIST, PROFILE, SERIAL
from tests.sessions.simulator.served import GMAC, LLS, lab_meter
from tests.sessions.simulator.timed import TimedPair, quirky_station

CLOCK = ObisCode(0, 0, 1, 0, 0, 255)
SHIFT = ("invoke", 8, CLOCK, 6)
ROWS = EntryDescriptor(1, 6, 1, 0).to_selective_access()
SESSIONS = 3
"""Associations that are tried, one after the other: who was refused comes back."""
IN_BOUNDS = 3000.0
"""Seconds of virtual time that one session may take, with its client's reply timeout of 5 s."""
HDLC = {"physical_address": 17}
UDP = UdpEndpoint("127.0.0.1", 4059)

READS: dict[str, Callable[[TimedPair], Data]] = {
    "serial": lambda pair: pair.get(*SERIAL),
    "list": lambda pair: pair.get(*OBJECT_LIST),
    "rows": lambda pair: pair.get(*PROFILE, ROWS),
}
STEPS = ("serial", "list", "shift", "rows", "shift", "serial")


def meter_of(association: dict[str, Any], table: dict[str, Any], manners: Manners | None = None) -> LabMeter:
    return replace(lab_meter(association, max_pdu_size=240, **table), manners=manners)


@cache
def truth(name: str, *, ciphered: bool) -> Data:
    """What the meter says over a good line."""
    pair = TimedPair(meter_of(GMAC if ciphered else LLS, {}))
    pair.open()
    return READS[name](pair)


class Witness:
    """Several sessions with one meter, and what must hold of them all."""

    def __init__(
        self,
        association: dict[str, Any],
        table: dict[str, Any],
        faults: LineFaults,
        manners: Manners | None,
        endpoint: Endpoint | None = None,
    ) -> None:
        self.ciphered = association is GMAC
        self.meter = meter_of(association, table, manners)
        self.faults = faults
        self.endpoint = endpoint
        self.shifts_asked = 0
        self.shifts_confirmed = 0
        self.values = 0
        self.errors: list[DlmsError] = []
        self.sealed: dict[int, bytes] = {}
        """The APDU by its invocation counter."""

    def run(self) -> None:
        for number in range(SESSIONS):
            datagrams = self.endpoint is not None
            faulty = FaultyLine(self.faults, number, datagrams=datagrams)
            wire = Wire(quirky_station(self.meter, datagrams=datagrams), faults=faulty)
            counters = range(1 + 1000 * number, 1000 * (number + 1))
            pair = TimedPair(self.meter, station=wire, counters=counters, endpoint=self.endpoint)
            begun = pair.now
            self._session(pair)
            assert pair.now - begun < IN_BOUNDS
            wire.connection_lost(pair.now)
            self._check_counters(pair)
        executed = self.meter.device.journal.count(*SHIFT)
        assert self.shifts_confirmed <= executed <= self.shifts_asked, "told, done and asked do not fit"

    def _session(self, pair: TimedPair) -> None:
        if not self._try(pair.open):
            return
        for step in STEPS:
            if step == "shift":
                self.shifts_asked += 1
                outcome = self._try(lambda: pair.action(8, "0-0:1.0.0*255", 6, long(1)))
                self.shifts_confirmed += bool(outcome) and outcome[0] is ActionResult.SUCCESS
            elif (value := self._try(lambda step=step: READS[step](pair))) and not isinstance(value, DataAccessResult):
                assert value == truth(step, ciphered=self.ciphered), f"a wrong value of {step}"
                self.values += 1
            if pair.client.state is not AssociationState.ASSOCIATED:
                return
        self._try(pair.release)

    def _try(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except DlmsError as error:
            assert error.message
            assert error.layer
            assert error.code
            self.errors.append(error)
            return None

    def _check_counters(self, pair: TimedPair) -> None:
        """Whatever left under one counter is the same: a frame that was repeated, and never another APDU."""
        for apdu in sent_apdus(pair):
            found = counter_of(apdu)
            if found is not None:
                assert self.sealed.setdefault(found, apdu) == apdu, "an invocation counter was used twice"


def sent_apdus(pair: TimedPair) -> list[bytes]:
    """What the client sent, whole APDUs: on HDLC each fits into a frame."""
    frames = [frame.octets for frame in pair.frames if isinstance(frame, FrameSent)]
    if pair.association.framing == "wrapper":
        return [frame[8:] for frame in frames]
    informations = [decode_hdlc_frame(frame) for frame in frames]
    return [each.information[3:] for each in informations if isinstance(each, InfoFrame) and not each.segmented]


def counter_of(apdu: bytes) -> int | None:
    """The invocation counter of a ciphered request, or of the InitiateRequest in an AARQ."""
    if apdu[:1] == b"\x60":
        information = decode_aarq(apdu).user_information or b""
        apdu = information if information[:1] == b"\x21" else b""
    if not apdu or apdu[0] not in (0x21, 0xC8, 0xC9, 0xCB):
        return None
    header = 2 if apdu[1] < 0x80 else 2 + (apdu[1] & 0x7F)
    return int.from_bytes(apdu[header + 1 : header + 5], "big")


# -- what may happen ---------------------------------------------------------------------------------------------------

SOMETIMES = st.sampled_from([0.0, 0.0, 0.0005, 0.003, 0.02])
OFTEN = st.sampled_from([0.0, 0.0, 0.05, 0.3])
LINE_FAULTS = st.builds(
    LineFaults,
    seed=st.integers(0, 2**32),
    direction=st.sampled_from([None, *Direction]),
    bit_errors=SOMETIMES,
    lost=SOMETIMES,
    doubled=SOMETIMES,
    delayed=SOMETIMES,
    delay=st.sampled_from([0.1, 2.0, 30.0]),
    silence=OFTEN,
    garbage=OFTEN,
    slow=st.sampled_from([0.0, 0.0, 1.0, 7.0]),
    echo=st.booleans(),
    cut_after=st.none() | st.integers(0, 3000),
)
MISTAKES = (
    "wrong-invoke-id",
    "wrong-block-number",
    "repeated-block",
    "last-block-always",
    "last-block-never",
    "silence-after-change",
    "over-long",
    "replayed",
    "unasked",
    "clear-in-glo",
    "wrong-fcs",
    "from-another",
    "after-another",
    "after-unasked",
    "over-long-frame",
    "llc-missing",
    "aare-acknowledges-nothing",
)
MANNERS = st.builds(
    Manners,
    quirks=st.just(()),
    faults=st.lists(st.tuples(st.sampled_from(MISTAKES), st.sampled_from([0.1, 0.5])), max_size=2).map(tuple),
    seed=st.integers(0, 2**32),
)


@pytest.mark.parametrize("table", [{}, HDLC], ids=["wrapper", "hdlc"])
@settings(max_examples=60)
@given(faults=LINE_FAULTS, manners=MANNERS)
def test_a_ciphered_session_over_any_bad_line(table, faults, manners):
    Witness(GMAC, table, faults, manners).run()


@settings(max_examples=60)
@given(faults=LINE_FAULTS, manners=MANNERS)
def test_a_ciphered_session_over_bad_datagrams(faults, manners):
    """Lost, doubled and overtaken as a whole; a request that comes twice is refused by its counter."""
    Witness(GMAC, {}, replace(faults, lost=10 * faults.lost, doubled=10 * faults.doubled), manners, UDP).run()


TCP_FAULTS = st.builds(
    LineFaults,
    seed=st.integers(0, 2**32),
    direction=st.sampled_from([None, *Direction]),
    silence=OFTEN,
    slow=st.sampled_from([0.0, 1.0, 7.0]),
    delayed=SOMETIMES,
    delay=st.sampled_from([0.1, 2.0, 30.0]),
    cut_after=st.none() | st.integers(0, 3000),
)
IN_CLEAR = st.builds(
    Manners,
    quirks=st.just(()),
    faults=st.lists(
        st.tuples(
            st.sampled_from([name for name in MISTAKES if name != "last-block-always"]), st.sampled_from([0.1, 0.5])
        ),
        max_size=2,
    ).map(tuple),
    seed=st.integers(0, 2**32),
)


@pytest.mark.parametrize("table", [{}, HDLC], ids=["wrapper", "hdlc"])
@settings(max_examples=40)
@given(faults=TCP_FAULTS, manners=IN_CLEAR)
def test_a_session_in_clear_over_what_tcp_may_do(table, faults, manners):
    Witness(LLS, table, faults, manners).run()


@pytest.mark.parametrize("seed", range(40))
def test_a_session_in_clear_over_a_noisy_serial_line(seed):
    """The check sequences hold what they promise."""
    rates = {"bit_errors": (0.0, 0.0003, 0.002)[seed % 3], "lost": (0.001, 0.0)[seed % 2], "doubled": 0.0005}
    faults = LineFaults(seed=seed, **rates, delayed=0.001, delay=2.0, garbage=0.1, silence=0.02, echo=seed % 4 == 0)
    Witness(LLS, HDLC, faults, None).run()


def test_a_line_that_is_a_little_noisy_is_read_all_the_same():
    """The faults above do not simply end every session: of ten lines most values come, and most commands are confirmed."""
    witnesses = [
        Witness(LLS, HDLC, LineFaults(seed=seed, bit_errors=0.0001, lost=0.0003, garbage=0.05), None)
        for seed in range(10)
    ]
    for witness in witnesses:
        witness.run()
    shifts = SESSIONS * STEPS.count("shift")
    assert sum(witness.values for witness in witnesses) >= len(witnesses) * (SESSIONS * len(STEPS) - shifts) / 2
    assert sum(witness.shifts_confirmed for witness in witnesses) >= len(witnesses) * shifts / 2


def test_a_good_line_reads_everything():
    for association, table in ((LLS, {}), (GMAC, {}), (LLS, HDLC), (GMAC, HDLC)):
        witness = Witness(association, table, LineFaults(), None)
        witness.run()
        assert witness.errors == []
        assert witness.shifts_confirmed == SESSIONS * STEPS.count("shift")
        assert witness.values == SESSIONS * len(STEPS) - witness.shifts_confirmed
        # An AARQ, the proof, six steps at least (some in blocks), an RLRQ: each under a counter of its own.
        assert len(witness.sealed) >= SESSIONS * 8 if association is GMAC else not witness.sealed


def test_what_has_no_check_is_read_wrong_and_seen():
    """The witness can fail: in clear the wrapper checks nothing, and a bit in a value stays."""
    wrong = 0
    for seed in range(30):
        faults = LineFaults(seed=seed, direction=Direction.FROM_METER, bit_errors=0.0005)
        try:
            Witness(LLS, {}, faults, None).run()
        except AssertionError as seen:
            assert "a wrong value of" in str(seen)
            wrong += 1
    assert wrong > 3
