"""Arbitrator: who may ask for what, and what is done when several ask."""

from __future__ import annotations

from typing import Any

import pytest

from meters.cosem.data import BitString, Data, DataType, array, long_unsigned, structure, unsigned
from meters.cosem.interface_class import interface_class
from meters.cosem.obis import ObisCode
from meters.cosem.value_faults import faults
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied
from tests.sessions.simulator.builders.building import only

SCRIPTS = "0-0:10.0.106*255"
SUPPLIER, HOUSEHOLD = 1, 2
ENTRY = {
    "class_id": 68,
    "logical_name": "0-0:96.3.20*255",
    "values": {
        "actions": [{"script_logical_name": SCRIPTS, "script_selector": number} for number in (1, 2)],
        "permissions_table": ["11", "10"],
        "weightings_table": [[20, 10], [15, 0]],
    },
}


def bits(text: str) -> Data:
    octets = int(text.ljust(8, "0"), 2).to_bytes(1, "big")
    return Data(DataType.BIT_STRING, BitString(octets, len(text)))


@pytest.fixture
def arbitrator() -> Any:
    target: Any = only(ENTRY)
    target.ran = []
    target._run = lambda table, selector: target.ran.append((str(table), selector))
    return target


def ask(target: Any, actor: int, actions: str) -> None:
    target.invoke(1, structure(unsigned(actor), bits(actions)))


def test_the_greatest_weight_is_run(arbitrator):
    ask(arbitrator, SUPPLIER, "01")
    assert arbitrator.ran == [(SCRIPTS, 2)]
    assert arbitrator.read(6) == unsigned(2)
    ask(arbitrator, HOUSEHOLD, "10")  # 15 against 10
    assert arbitrator.ran[1:] == [(SCRIPTS, 1)]
    assert arbitrator.read(5) == array(bits("01"), bits("10"))
    ask(arbitrator, SUPPLIER, "11")  # 35 against 10
    assert (arbitrator.ran[2:], arbitrator.read(6)) == ([(SCRIPTS, 1)], unsigned(1))


def test_requests_are_taken_back_and_forgotten(arbitrator):
    ask(arbitrator, SUPPLIER, "01")
    ask(arbitrator, SUPPLIER, "00")
    assert (len(arbitrator.ran), arbitrator.read(6)) == (1, unsigned(0))
    ask(arbitrator, SUPPLIER, "01")
    arbitrator.invoke(2, None)
    assert (arbitrator.read(5), arbitrator.read(6)) == (array(bits("00"), bits("00")), unsigned(0))
    arbitrator.write(4, array(array(long_unsigned(1), long_unsigned(9)), array(long_unsigned(1), long_unsigned(9))))
    ask(arbitrator, SUPPLIER, "11")
    assert arbitrator.read(6) == unsigned(2)


@pytest.mark.parametrize(
    ("parameters", "result"),
    [
        (structure(unsigned(HOUSEHOLD), bits("01")), DataAccessResult.READ_WRITE_DENIED),
        (structure(unsigned(0), bits("01")), DataAccessResult.OTHER_REASON),
        (structure(unsigned(3), bits("01")), DataAccessResult.OTHER_REASON),
        (structure(unsigned(1), bits("011")), DataAccessResult.OTHER_REASON),
        (structure(unsigned(1)), DataAccessResult.TYPE_UNMATCHED),
        (unsigned(1), DataAccessResult.TYPE_UNMATCHED),
        (None, DataAccessResult.TYPE_UNMATCHED),
    ],
)
def test_what_nobody_may_ask_for(arbitrator, parameters, result):
    with pytest.raises(Denied) as refused:
        arbitrator.invoke(1, parameters)
    assert refused.value.result is result
    assert (arbitrator.ran, arbitrator.read(6)) == ([], unsigned(0))


def test_it_is_as_its_class_declares_it(arbitrator):
    known = interface_class(68, 0)
    assert known is not None
    assert [list(faults(arbitrator.read(number), known.attributes[number].type)) for number in range(2, 7)] == [[]] * 5
    assert arbitrator.logical_name == ObisCode.parse("0-0:96.3.20*255")
