"""Lock-out: counted for each client, over by time, and answered as meters do; with our client on the wire."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions.dlms.errors import DlmsError
from sessions.simulator.lab import LabError, load_lab
from sessions.simulator.lockout import Lockout, LockoutRule
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, HandClock, lab_meter

RULE = {"attempts": 3, "seconds": 60}
STEPS = st.lists(st.sampled_from(["wrong", "right", "wait", "restart"]), max_size=60)


@given(STEPS, st.integers(0, 5))
def test_only_so_many_wrong_ones_in_a_row(steps, attempts):
    """Told by a plain count of the wrong ones since the last right one, or the last time it was over."""
    clock = HandClock()
    lockout = Lockout(LockoutRule(attempts, 60), clock)
    wrong, locked_for = 0, 0
    for step in steps:
        match step:
            case "wrong":
                lockout.wrong(1)
                if not locked_for:
                    wrong += 1
                    if wrong == attempts:
                        wrong, locked_for = 0, 3
            case "right" if not locked_for:
                lockout.right(1)
                wrong = 0
            case "wait":
                clock.advance(seconds=20)
                locked_for = max(0, locked_for - 1)
            case "restart":
                other = Lockout(LockoutRule(attempts, 60), clock)
                if (kept := lockout.keep()) is not None:
                    other.restore(kept)
                lockout = other
        assert lockout.is_locked(1) is bool(locked_for)
        assert not lockout.is_locked(2)


@pytest.mark.parametrize(
    "rule", [{"attempts": -1}, {"seconds": 0}, {"seconds": float("inf")}, {"seconds": float("nan")}]
)
def test_rules_that_cannot_be(rule, tmp_path):
    with pytest.raises(ValueError):
        LockoutRule(**rule)
    lab = tmp_path / "lab.toml"
    lab.write_text(
        '[[lines]]\nkind = "wrapper"\n[[lines.meters]]\nserial_number = "1"\n[lines.meters.lockout]\nattempts = -1\n'
    )
    with pytest.raises(LabError, match="attempts"):
        load_lab(lab, HandClock())


class Bench:
    def __init__(self, association: dict[str, Any]) -> None:
        self.clock = HandClock()
        self.meter = lab_meter(association, clock=self.clock, lockout=RULE)
        self.counter = 1

    def tries(self, **changes: Any) -> str:
        """What comes of an association: nothing, or the reason why not."""
        pair = Pair(self.meter, counters=range(self.counter, self.counter + 100), **changes)
        self.counter += 1000
        try:
            pair.open()
        except DlmsError as error:
            return str(error)
        pair.release()
        return ""


def test_wrong_passwords_with_our_client():
    bench = Bench(LLS)
    wrong = {"secret": "text:wrong"}
    refused = [bench.tries(**wrong) for _ in range(3)]
    assert len(set(refused)) == 1
    assert "authentication-failure" in refused[0]
    locked = bench.tries()
    assert "authentication-failure" in locked
    assert locked != refused[0]
    assert bench.tries(client_sap=16, authentication="none", secret=None) == ""  # the public client is another one
    bench.clock.advance(seconds=59)
    bench.tries(**wrong)
    assert bench.tries() == locked
    bench.clock.advance(seconds=1)
    assert bench.tries() == ""
    assert [bench.tries(**wrong) for _ in range(2)] == refused[:2]
    assert bench.tries() == ""
    assert [bench.tries(**wrong) for _ in range(2)] == refused[:2]
    assert bench.tries() == ""


def test_wrong_proofs_of_hls():
    association = {**LLS, "authentication": "hls-sha256", "client_system_title": GMAC["client_system_title"]}
    bench = Bench({**association, "secret": "text:0123456789ABCDEF"})
    for _ in range(3):
        assert bench.tries(secret="text:FEDCBA9876543210") != ""
    assert "authentication-failure" in bench.tries()
    bench.clock.advance(seconds=60)
    assert bench.tries() == ""


def test_a_lockout_survives_the_power():
    bench = Bench(LLS)
    for _ in range(3):
        bench.tries(secret="text:wrong")
    bench.meter.device.power_cycle()
    assert bench.tries() != ""
    bench.clock.advance(seconds=60)
    assert bench.tries() == ""


def test_a_meter_without_a_rule_locks_nobody_out():
    bench = Bench(LLS)
    bench.meter = lab_meter(LLS)
    for _ in range(20):
        assert bench.tries(secret="text:wrong") != ""
    assert bench.tries() == ""
