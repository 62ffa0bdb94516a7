"""What a meter carried out is written down once, whoever wished it and however it was asked; what was refused is not."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from datetime import timedelta

import pytest

from meters.cosem.data import enum, integer, long_unsigned, octet_string
from meters.cosem.obis import ObisCode
from sessions import simulator
from sessions.dlms.apdu.descriptors import ActionResult, CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.events import ActionOutcome
from sessions.dlms.transfers.items import ActionItem, SetItem
from sessions.simulator.journal import MAX_EXECUTIONS, Deed, Journal
from sessions.simulator.lab import LABS, load_lab
from sessions.simulator.meter import Meter
from sessions.simulator.objects.base import CosemObject
from tests.sessions.simulator.pair import Pair
from tests.sessions.simulator.served import GMAC, LLS, NOON, PUBLIC, HandClock, lab_meter

RELAY, SCRIPTS, CLOCK = (ObisCode.parse(name) for name in ("0-0:96.3.10*255", "0-0:10.0.106*255", "0-0:1.0.0*255"))


def open_pair(association=LLS, **table) -> tuple[Pair, Journal]:
    made = lab_meter(association, **table)
    assert isinstance(made.device, Meter)
    pair = Pair(made)
    pair.open()
    return pair, made.device.journal


def test_a_journal_counts_for_ever_and_keeps_the_last():
    clock = HandClock()
    journal = Journal(clock)
    for _ in range(MAX_EXECUTIONS + 5):
        journal.done("invoke", 70, RELAY, 1)
        clock.advance(seconds=1)
    assert journal.count("invoke", 70, RELAY, 1) == MAX_EXECUTIONS + 5
    assert len(journal.executions) == MAX_EXECUTIONS
    assert journal.executions[0].time == NOON + timedelta(seconds=5)
    assert journal.count("write", 70, RELAY, 1) == journal.count("invoke", 70, RELAY, 2) == 0


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
def test_methods_and_writes_count_with_their_client(association):
    pair, journal = open_pair(association)
    sap = association["client_sap"]
    assert pair.action(70, str(RELAY), 1, integer(0)) == (ActionResult.SUCCESS, None)
    pair.set(70, str(RELAY), 4, enum(2))
    pair.set(70, str(RELAY), 4, enum(4))
    assert journal.counts == {Deed("invoke", 70, RELAY, 1, sap): 1, Deed("write", 70, RELAY, 4, sap): 2}
    assert [each.deed.number for each in journal.executions] == [1, 4, 4]


def test_what_was_refused_was_not_done():
    pair, journal = open_pair()
    pair.set(70, str(RELAY), 4, octet_string(b"no mode"))
    pair.set(70, str(RELAY), 3, enum(1))  # no right
    pair.action(70, str(RELAY), 9)  # no such method
    pair.action(9, str(SCRIPTS), 1, long_unsigned(99))  # no such script
    assert journal.counts == Counter()


def test_a_script_and_what_it_did_are_both_written_down():
    pair, journal = open_pair()
    pair.action(9, str(SCRIPTS), 1, long_unsigned(1))
    assert set(journal.counts) == {Deed("invoke", 9, SCRIPTS, 1, 32), Deed("invoke", 70, RELAY, 1, 32)}


def test_what_the_meter_does_by_itself_is_nobodys_wish():
    made = lab_meter()
    assert isinstance(made.device, Meter)
    made.device.objects[70, RELAY].target.invoke(1, integer(0))
    assert set(made.device.journal.counts) == {Deed("invoke", 70, RELAY, 1, None)}


def test_everything_of_one_request_counts():
    """A list, and ACCESS, pass the same way."""
    pair, journal = open_pair()
    results = pair.many(
        SetItem(CosemAttributeDescriptor(70, RELAY, 4), enum(2)),
        ActionItem(CosemMethodDescriptor(70, RELAY, 1), integer(0)),
        ActionItem(CosemMethodDescriptor(70, RELAY, 2), integer(0)),
    )
    assert isinstance(results[1], ActionOutcome)
    assert [journal.count("invoke", 70, RELAY, number) for number in (1, 2)] == [1, 1]
    assert journal.count("write", 70, RELAY, 4) == 1


def test_by_short_names_methods_and_secrets_count():
    lab = load_lab(LABS / "short_names.toml", HandClock())
    made = next(meter for line in lab.lines for meter in line.meters if meter.association["authentication"] == "lls")
    pair = Pair(made)
    pair.open()
    journal = made.device.journal
    assert pair.action(12, "0-0:40.0.0*255", 5, octet_string(b"87654321"))[0] == ActionResult.SUCCESS
    assert journal.count("invoke", 12, ObisCode.parse("0-0:40.0.0*255"), 5) == 1


# -- associations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("association", [LLS, GMAC, PUBLIC], ids=["lls", "hls", "public"])
def test_an_association_is_open_until_it_is_released(table, association):
    pair, journal = open_pair(association, **table)
    (opened,) = journal.associations
    assert opened.caller.client.client_sap == association["client_sap"]
    pair.release()
    assert journal.associations == ()
    assert journal.associations_opened == 1


@pytest.mark.parametrize("table", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
def test_an_association_ends_with_its_line(table):
    pair, journal = open_pair(**table)
    assert len(journal.associations) == 1
    pair.station.connection_lost(pair.now)
    assert journal.associations == ()


def test_a_second_aarq_takes_the_place_of_the_association():
    pair, journal = open_pair()
    Pair(lab_meter(), station=pair.station).open()
    assert len(journal.associations) == 1
    assert journal.associations_opened == 2


def test_a_new_link_takes_the_place_of_the_association():
    pair, journal = open_pair(physical_address=17)
    again = Pair(lab_meter(physical_address=17), station=pair.station)
    again.open()
    assert len(journal.associations) == 1
    again.release()
    assert journal.associations == ()


def test_no_object_goes_its_own_way():
    """What every write and method passes is in one place: no class of objects has another."""
    for module in pkgutil.walk_packages(simulator.__path__, "sessions.simulator."):
        importlib.import_module(module.name)
    classes, found = [CosemObject], set()
    while classes:
        found.add(known := classes.pop())
        classes += known.__subclasses__()
    assert len(found) > 15
    assert {each for each in found if (each.write, each.invoke) != (CosemObject.write, CosemObject.invoke)} == set()
