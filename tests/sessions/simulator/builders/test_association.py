"""Associations of single clients in the object model."""

from __future__ import annotations

import pytest

from meters.cosem.data import enum
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.simulator.device import PUBLIC, SERVED_CONFORMANCE, Caller, Role, ServedClient
from sessions.simulator.meter_type import MeterTypeError
from tests.sessions.simulator.builders.building import CLOCK, ENERGY, meter_of

READER = ServedClient(client_sap=2, role=Role.READER)
MANAGER = ServedClient(client_sap=1, role=Role.MANAGER)


def entry(number: int, role: str, sap: int) -> dict[str, object]:
    return {"class_id": 15, "logical_name": f"0-0:40.0.{number}*255", "role": role, "client_sap": sap}


METER = meter_of(
    {**CLOCK, "public": True},
    ENERGY,
    entry(1, "public", 16),
    entry(2, "reader", 77),
    entry(3, "maintenance", 3),
    entry(4, "manager", 1),
    clients=(READER, MANAGER),
)


def asked(client: ServedClient, number: int, attribute_id: int):
    caller = Caller(client=client, conformance=SERVED_CONFORMANCE, client_max_receive_pdu_size=0)
    name = ObisCode(0, 0, 40, 0, number, 255)
    return METER.get(caller, CosemAttributeDescriptor(15, name, attribute_id), None)


@pytest.mark.parametrize(("number", "sap"), [(1, 16), (2, 2), (3, 3), (4, 1)])
def test_each_stands_for_the_client_of_its_role(number, sap):
    """The lab's, or nobody yet under the SAP of the file."""
    assert asked(MANAGER, number, 3)[0].value == sap


def test_its_list_is_the_one_that_its_client_reads():
    for client, number in ((PUBLIC, 1), (READER, 2), (MANAGER, 4)):
        assert asked(MANAGER, number, 2) == asked(client, 0, 2)
    assert len(asked(MANAGER, 1, 2)) == 2 < len(asked(MANAGER, 2, 2))


def test_its_status_is_that_of_its_client():
    assert [asked(MANAGER, number, 8) for number in (2, 4)] == [enum(0), enum(0)]
    reader = Caller(client=READER, conformance=SERVED_CONFORMANCE, client_max_receive_pdu_size=0)
    METER.associated(reader)
    assert [asked(MANAGER, number, 8) for number in (2, 4)] == [enum(2), enum(0)]
    METER.dissociated(reader)
    assert asked(MANAGER, 2, 8) == enum(0)


def test_a_role_is_one_of_those_that_there_are():
    with pytest.raises(MeterTypeError, match="nobody"):
        meter_of(entry(1, "nobody", 5))
