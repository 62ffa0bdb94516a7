"""What a quirk's test needs: the same session with a plain meter and with a quirky one, and what stood on the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from meters.cosem.data import Data, integer, long
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.errors import DlmsError
from sessions.dlms.hdlc.frame import HdlcFrame
from sessions.dlms.hdlc.stream import Found, FrameReader, Rubbish
from sessions.simulator.lab import HdlcOptions, make_meter
from sessions.simulator.quirks.manners import Manners
from tests.sessions.simulator.served import LLS, HandClock
from tests.sessions.simulator.timed import TimedPair

CLOCK = (8, "0-0:1.0.0*255", 2)
SERIAL = (1, "0-0:96.1.0*255", 2)
OBJECT_LIST = (15, "0-0:40.0.0*255", 2)
PROFILE = (7, "1-0:99.1.0*255", 2)
HDLC = {"physical_address": 17}

Step = Callable[[TimedPair], Any]


def reads(*attribute: Any) -> Step:
    return lambda pair: pair.get(*attribute)


def reads_the_serial_number(pair: TimedPair) -> Any:
    return pair.get(*SERIAL)


def reads_twice(pair: TimedPair) -> list[Data]:
    return [pair.get(*SERIAL), pair.get(*CLOCK)]


def shifts_the_clock(pair: TimedPair) -> Any:
    return pair.action(8, "0-0:1.0.0*255", 6, long(60))


def releases(pair: TimedPair) -> str:
    return pair.release()


def pushes(pair: TimedPair) -> Any:
    pair.action(40, "0-0:25.9.0*255", 1, integer(0))
    pair.get(*SERIAL)
    return pair.notifications


@dataclass(frozen=True, kw_only=True)
class Case:
    """`shows`: whether the quirk stood on the wire. `taken`: what the client made of it, a value or the code of its error."""

    name: str
    shows: Callable[[TimedPair], bool]
    taken: Any
    step: Step = reads_the_serial_number
    association: dict[str, Any] = field(default_factory=lambda: LLS)
    table: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    opens: bool = True
    hdlc: HdlcOptions | None = None

    def __str__(self) -> str:
        return self.name

    def session(self, *quirks: str) -> tuple[TimedPair, Any]:
        """The session with a meter that has these quirks, and what came out of it."""
        table = {"max_pdu_size": 240, **self.table, "quirks": list(quirks), "association": self.association}
        hdlc = self.hdlc or (HdlcOptions() if "physical_address" in table else None)
        meter = make_meter({"serial_number": "10000001", **table}, HandClock(), hdlc)
        pair = TimedPair(meter, **self.changes)
        try:
            opened = pair.open()
            return pair, self.step(pair) if self.opens else opened
        except DlmsError as error:
            return pair, error

    def check(self) -> None:
        plain, wanted = self.session()
        assert not self.shows(plain), "the plain meter does it, too"
        quirky, outcome = self.session(self.name)
        assert self.shows(quirky), "it does not stand on the wire"
        if isinstance(self.taken, str):
            assert isinstance(outcome, DlmsError), outcome
            assert outcome.code == self.taken
            assert outcome.hint, "the technician is not told what to do"
        elif self.taken is SAME:
            assert outcome == wanted
        elif callable(self.taken):
            assert self.taken(outcome)
        else:
            assert outcome == self.taken


SAME = object()
"""The client reads what the plain meter says."""


def cases(*given: Case) -> Any:
    return pytest.mark.parametrize("case", given, ids=str)


def said(pair: TimedPair) -> list[Apdu]:
    """The meter's APDUs on the wrapper, where they are in clear."""
    return [decode_apdu(octets[8:]) for octets in pair.heard]


def tails(pair: TimedPair) -> list[bytes]:
    """The octets of the meter's APDUs on the wrapper."""
    return [octets[8:] for octets in pair.heard]


def frames(pair: TimedPair) -> list[HdlcFrame]:
    """The meter's good frames."""
    return [item.frame for item in FrameReader().feed(pair.wire) if isinstance(item, Found)]


def rubbish(pair: TimedPair) -> list[Rubbish]:
    """What of the meter is no good frame."""
    return [item for item in FrameReader().feed(pair.wire) if isinstance(item, Rubbish)]


def sometimes(name: str, chance: float, seed: int = 1) -> Manners:
    return Manners(faults=((name, chance),), seed=seed)
