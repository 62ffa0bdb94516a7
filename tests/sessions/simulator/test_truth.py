"""What the lab tells of a meter is what the meter holds; keys only where they are asked for; nobody is woken by the question."""

from __future__ import annotations

import json
from datetime import timedelta

from meters.cosem.data import date_time, integer
from sessions.simulator.lab import LABS, load_lab, plain_lab
from sessions.simulator.truth import LabTruth, Truth
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GAK, GMAC, GUEK, LLS, NOON, HandClock, lab_meter

RELAY = "0-0:96.3.10*255"


def test_a_meter_that_nobody_talked_to_stays_asleep():
    lab = plain_lab(3, 0, HandClock())
    truths = LabTruth(meter for line in lab.lines for meter in line.meters).meters
    first, second = truths["10000001"], truths["10000002"]
    assert (first.awake, second.awake) == (True, False)
    assert second.as_json() == {
        "serial_number": "10000002",
        "name": second.meter.name,
        "type": second.meter.type,
        "awake": False,
    }
    assert not second.awake
    Pair(second.meter).open()
    assert second.as_json()["associations_opened"] == 1


def test_what_was_done_to_the_relay_and_the_clock():
    made = lab_meter()
    pair, truth = Pair(made), Truth(made)
    pair.open()
    pair.action(70, RELAY, 1, integer(0))
    pair.set(8, "0-0:1.0.0*255", 2, date_time(NOON + timedelta(seconds=90)))
    told = truth.as_json()
    assert told["relays"] == [
        {"logical_name": RELAY, "output_state": False, "control_state": 0, "control_mode": 4},
    ]
    assert told["clocks"] == [
        {"logical_name": "0-0:1.0.0*255", "time": "2026-11-25T12:01:30+01:00", "offset": 90.0},
    ]
    assert truth.executions(70, RELAY, 1) == 1
    assert truth.writes(8, "0-0:1.0.0*255", 2) == 1
    assert [(each["kind"], each["number"], each["client_sap"], each["count"]) for each in told["counts"]] == [
        ("invoke", 1, 32, 1),
        ("write", 2, 32, 1),
    ]
    assert [each["kind"] for each in told["executions"]] == ["invoke", "write"]
    assert told["associations"][0]["authentication"] == "lls"
    assert json.loads(json.dumps(told)) == told


def test_counters_go_up_on_both_sides():
    made = lab_meter(GMAC)
    pair, truth = Pair(made, counters=range(500, 600)), Truth(made)
    pair.open()
    before = truth.as_json()["invocation_counters"]
    pair.get(8, "0-0:1.0.0*255", 2)
    after = truth.as_json()["invocation_counters"]
    assert after["least_of_clients"] == before["least_of_clients"] + 1 == pair.counters.next
    assert after["next_of_meter"] == before["next_of_meter"] + 1


def test_keys_and_secrets_only_where_they_are_asked_for():
    ciphered, plain = Truth(lab_meter(GMAC)), Truth(lab_meter(LLS))
    told = ciphered.as_json(keys=True)
    assert told["keys"] == {"guek": GUEK, "gak": GAK}
    assert plain.as_json(keys=True)["secrets"] == {"32": b"12345678".hex()}
    for truth in (ciphered, plain):
        said = json.dumps(truth.as_json())
        assert GUEK not in said
        assert b"12345678".hex() not in said
        assert '"keys"' not in said


def test_every_lab_has_its_truth():
    for path in LABS.glob("*.toml"):
        lab = load_lab(path, HandClock())
        truths = LabTruth(meter for line in lab.lines for meter in line.meters)
        assert len(truths.summaries()) == sum(len(line.meters) for line in lab.lines)
        for truth in truths.meters.values():
            json.dumps(truth.as_json(keys=True))
