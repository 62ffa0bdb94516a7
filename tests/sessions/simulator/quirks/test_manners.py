"""The manners of a meter: from a lab file, by chance and by seed, and none at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sessions.dlms.errors import DlmsError
from sessions.simulator.exchange import ServerExchange
from sessions.simulator.quirks.manners import (
    Manners,
    QuirkyDevice,
    exchange_for,
    frames_of,
    mannered,
    read_manners,
)
from tests.sessions.simulator.pair import same_octets
from tests.sessions.simulator.quirks.cases import CLOCK, HDLC, SERIAL, sometimes
from tests.sessions.simulator.served import GMAC, LLS, lab_meter
from tests.sessions.simulator.timed import TimedPair


def test_a_meter_without_manners_is_left_alone():
    device = lab_meter(LLS).device
    assert lab_meter(LLS).manners is None
    assert mannered(device, None) is device
    assert type(exchange_for(device, 32, same_octets)) is ServerExchange
    assert frames_of(device, b"as it was") == b"as it was"


def test_manners_of_a_lab_file():
    meter = lab_meter(LLS, quirks=["null-clock"], faults={"seed": 3, "replayed": 0.5})
    assert meter.manners == Manners(("null-clock",), (("replayed", 0.5),), 3)
    assert isinstance(mannered(meter.device, meter.manners), QuirkyDevice)


@pytest.mark.parametrize(
    ("quirks", "faults", "words"),
    [
        ("null-clock", {}, "quirks is a list of names"),
        (3, {}, "quirks is a list of names"),
        (["nul-clock"], {}, "there is no quirk 'nul-clock'; there are aare-"),
        ([], {"often": 0.5}, "there is no quirk 'often'"),
        ([], {"replayed": 2}, "replayed is a chance from 0 to 1"),
        ([], {"replayed": True}, "replayed is a chance"),
        ([], {"replayed": "often"}, "replayed is a chance"),
        ([], {"seed": -1}, "seed is a whole number"),
        ([], {"seed": True}, "seed is a whole number"),
    ],
)
def test_what_are_no_manners(quirks, faults, words):
    with pytest.raises(ValueError, match=words):
        read_manners(quirks, faults)


def outcomes(manners: Manners, times: int = 30) -> list[str]:
    """Reads in associations of their own: what became of each."""
    meter = replace(lab_meter(LLS), manners=manners)
    device = mannered(meter.device, manners)
    told = []
    for _ in range(times):
        pair = TimedPair(replace(meter, device=device, manners=None))
        try:
            pair.open()
            pair.get(*SERIAL)
            told.append("read")
        except DlmsError as error:
            told.append(error.code)
    return told


def test_a_fault_by_chance_is_the_same_for_the_same_seed():
    first = outcomes(sometimes("wrong-invoke-id", 0.3))
    assert first == outcomes(sometimes("wrong-invoke-id", 0.3))
    assert first != outcomes(sometimes("wrong-invoke-id", 0.3, seed=2))
    assert 3 <= first.count("no-reply") <= 20
    assert set(first) == {"read", "no-reply"}


def test_several_quirks_at_once():
    meter = lab_meter(GMAC, quirks=["null-clock", "llc-missing", "aare-with-extras", "long-lengths"], **HDLC)
    pair = TimedPair(meter)
    pair.open()
    assert pair.get(*CLOCK).value is None
    assert pair.release() == ""


def test_a_meter_behind_manners_is_the_meter():
    meter = lab_meter(LLS, quirks=["null-clock"])
    device = mannered(meter.device, meter.manners)
    assert device.server_system_title == meter.device.server_system_title
    assert device.security is meter.device.security
