"""A meter's memory: what survives a power cycle, that no counter is used twice, and what is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import date_time, enum, octet_string
from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.counters import LAST_COUNTER
from sessions.dlms.errors import DlmsError
from sessions.dlms.security_setup import KeyId, key_transfer
from sessions.simulator.build import build_meter
from sessions.simulator.device import MeterSecurity
from sessions.simulator.lab import make_meter
from sessions.simulator.memory import COUNTER_BLOCK, DamagedMemory, Memory, SecurityMemory
from sessions.simulator.meter_type import MeterSettings
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, HandClock
from tests.sessions.simulator.test_build import THREE_PHASE

KEK = "404142434445464748494A4B4C4D4E4F"
WITH_MASTER = {**GMAC, "kek": KEK}
RELAY, CLOCK, NAME = (70, "0-0:96.3.10*255"), (8, "0-0:1.0.0*255"), (1, "0-0:96.1.10*255")
SETUP = (64, "0-0:43.0.0*255")


class Shelf:
    """A store that remembers every save, as JSON would."""

    def __init__(self) -> None:
        self.saved: list[str] = []

    def damaged(self, reason: str) -> Exception:
        return ValueError(reason)

    def load(self) -> Mapping[str, Any] | None:
        return json.loads(self.saved[-1]) if self.saved else None

    def save(self, kept: Mapping[str, Any]) -> None:
        self.saved.append(json.dumps(kept))


class Plugged:
    """A meter that can lose its power: each `power_on` is a new one that knows the shelf only."""

    def __init__(self, association: dict[str, Any] = WITH_MASTER) -> None:
        self.shelf = Shelf()
        self.clock = HandClock()
        self.association = association
        self.power_on()

    def power_on(self) -> None:
        made = make_meter({"serial_number": "10000001", "association": self.association}, self.clock)
        # The lab makes meters that keep nothing or a file: this one stands on a shelf.
        security = copy.copy(made.device.security)
        self.settings = build_settings(made, security, self.clock, self.shelf)
        self.meter = build_meter(THREE_PHASE, self.settings)
        self.made = replace(made, device=self.meter)

    def pair(self, first: int, **changes: Any) -> Pair:
        pair = Pair(self.made, counters=range(first, first + 10_000), **changes)
        pair.open()
        return pair


def build_settings(made: Any, security: MeterSecurity, clock: HandClock, shelf: Shelf) -> MeterSettings:
    clients = tuple(client for client in made.device.clients.values() if client.client_sap != 16)
    return MeterSettings(serial_number="10000001", security=security, clients=clients, host_clock=clock, store=shelf)


# -- over the wire -----------------------------------------------------------------------------------------------------


def test_keys_relay_clock_and_values_survive():
    plugged = Plugged()
    pair = plugged.pair(1)
    new = bytes(range(16))
    wrapped = write_wrapped(new)
    assert pair.action(*RELAY, 1, None)[0] is ActionResult.SUCCESS
    assert pair.set(*NAME, 2, octet_string(b"a meter with a memory")) is DataAccessResult.SUCCESS
    later = date_time(CosemDateTime.from_datetime(plugged.clock().replace(tzinfo=None, hour=13)))
    assert pair.set(*CLOCK, 2, later) is DataAccessResult.SUCCESS
    assert pair.action(*SETUP, 2, wrapped)[0] is ActionResult.SUCCESS
    offset = plugged.meter.memory.keep()["parts"]["clock"]["offset"]
    plugged.power_on()
    assert plugged.meter.security.guek == new
    assert plugged.meter.memory.keep()["parts"]["clock"]["offset"] == offset == 3600
    again = plugged.pair(1_000, guek=new.hex())
    assert again.get(*RELAY, 2).value is False
    assert again.get(*NAME, 2).value == b"a meter with a memory"


def write_wrapped(key: bytes) -> Any:
    return key_transfer({KeyId.GUEK: key}, kek=bytes.fromhex(KEK), suite=0).parameters


def test_a_counter_from_before_the_power_cycle_is_not_believed():
    plugged = Plugged()
    plugged.pair(500).get(*RELAY, 2)
    used = plugged.meter.security.floor.lowest
    plugged.power_on()
    assert plugged.meter.security.floor.lowest >= used
    with pytest.raises(DlmsError) as refused:
        plugged.pair(used - 1)
    assert "counter" in str(refused.value)
    plugged.pair(plugged.meter.security.floor.lowest).get(*RELAY, 2)


def test_what_is_saved_is_above_all_that_was_said():
    """After each answer: whoever pulls the plug now finds counters on the shelf that were never used."""
    plugged = Plugged()
    pair = plugged.pair(1)
    for _ in range(2 * COUNTER_BLOCK + 3):
        pair.get(*RELAY, 2)
        kept = json.loads(plugged.shelf.saved[-1])["parts"]["security"]
        assert kept["own_counters"] >= plugged.meter.security.counters.next
        assert kept["client_counters"] >= plugged.meter.security.floor.lowest
    assert len(plugged.shelf.saved) < 12  # not one for each answer


def test_a_meter_that_ends_in_order_skips_no_counter():
    plugged = Plugged()
    plugged.pair(1).get(*RELAY, 2)
    upcoming, floor = plugged.meter.security.counters.next, plugged.meter.security.floor.lowest
    plugged.meter.memory.close()
    plugged.power_on()
    assert (plugged.meter.security.counters.next, plugged.meter.security.floor.lowest) == (upcoming, floor)


def test_a_changed_secret_survives():
    plugged = Plugged({"client_sap": 32, "authentication": "lls", "secret": "text:12345678"})
    plugged.meter.change_secret(32, b"87654321")
    plugged.meter.settle()
    plugged.power_on()
    with pytest.raises(DlmsError):
        plugged.pair(1)
    plugged.pair(1, secret="text:87654321")


def test_a_power_cycle_ends_associations_and_keeps_the_rest():
    plugged = Plugged()
    pair = plugged.pair(1)
    pair.action(*RELAY, 1, None)
    plugged.meter.power_cycle()
    with pytest.raises(DlmsError):
        pair.get(*RELAY, 2)
    assert plugged.meter.journal.associations == ()
    assert plugged.pair(2_000).get(*RELAY, 2).value is False


def test_a_key_whose_answer_never_left_is_not_installed():
    security = MeterSecurity(guek=bytes(16))
    security.after_answer(lambda: security.install(KeyId.GUEK, bytes(range(16))))
    security.forget_waiting()
    security.settle()
    assert security.guek == bytes(16)


# -- counters, for any use ---------------------------------------------------------------------------------------------

STEPS = st.lists(st.sampled_from(["answer", "crash", "close", "key"]), max_size=60)


@settings(deadline=None)
@given(STEPS, st.integers(1, LAST_COUNTER - 100_000), st.lists(st.integers(1, 700), min_size=60, max_size=60))
def test_no_counter_is_used_or_believed_twice(steps, first, jumps):
    """However the meter ends: for each key its own counters rise, and so do those that it believes."""
    shelf = Shelf()

    def powered() -> tuple[MeterSecurity, Memory]:
        security = MeterSecurity(guek=bytes(16), first_counter=first)
        memory = Memory("1", shelf)
        memory.add("security", SecurityMemory(security))
        memory.begin()
        return security, memory

    security, memory = powered()
    own: list[tuple[bytes, int]] = []
    believed: list[tuple[bytes, int]] = []
    for number, (step, jump) in enumerate(zip(steps, jumps, strict=False), 1):
        match step:
            case "answer":
                counter = security.floor.lowest + jump
                security.floor.move(counter)
                believed.append((security.guek, counter))
                own.append((security.guek, security.counters.take()))
                memory.settle()
            case "crash":
                security, memory = powered()
            case "close":
                memory.close()
                security, memory = powered()
            case "key":
                security.install(KeyId.GUEK, number.to_bytes(16, "big"))
                memory.settle()
    for used in (own, believed):
        for (key, before), (next_key, after) in pairwise(used):
            assert after > before or key != next_key


def test_a_key_that_is_used_up_stays_used_up():
    security = MeterSecurity(guek=bytes(16), first_counter=LAST_COUNTER)
    security.counters.take()
    part = SecurityMemory(security)
    other = MeterSecurity(guek=bytes(16))
    SecurityMemory(other).restore(part.keep())
    assert other.counters.next is None


# -- refusals ----------------------------------------------------------------------------------------------------------


def kept_of(plugged: Plugged) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(json.dumps(plugged.meter.memory.keep()))
    return kept


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("format", 2),
        ("serial_number", "10000002"),
        ("parts", None),
        ("parts", {"security": None}),
        ("parts", {"security": {"guek": "00"}}),
        ("parts", {"clock": {"offset": "much", "zone_minutes": 60, "daylight": {}}}),
        ("parts", {"1 70 0-0:96.3.10*255": {"state": 7, "mode": 0}}),
        ("parts", {"1 supply": {"opened": "today", "outages": []}}),
        ("parts", {"another meter's": {}}),
    ],
)
def test_what_is_no_memory_of_this_meter_is_refused(where, value):
    plugged = Plugged()
    with pytest.raises(DamagedMemory):
        plugged.meter.memory.restore({**kept_of(plugged), where: value})


@pytest.mark.parametrize(
    "change", [{"own_counters": -1}, {"client_counters": LAST_COUNTER + 2}, {"key_store": {}}, {"guek": "zz"}]
)
def test_a_security_that_cannot_be_is_refused(change):
    security = MeterSecurity(guek=bytes(16))
    part = SecurityMemory(security)
    with pytest.raises(ValueError):
        part.restore({**part.keep(), **change})
    assert security.guek == bytes(16)


def test_what_every_part_keeps_it_takes_back():
    plugged = Plugged()
    pair = plugged.pair(1)
    pair.action(*RELAY, 1, None)
    pair.set(*RELAY, 4, enum(5))
    kept = kept_of(plugged)
    plugged.meter.memory.restore(kept)
    again = kept_of(plugged)
    assert again["parts"].pop("security").keys() == kept["parts"].pop("security").keys()
    assert again == kept
