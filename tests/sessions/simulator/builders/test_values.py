"""Data and registers of a meter type."""

from __future__ import annotations

from meters.cosem.data import DataType, unsigned
from meters.cosem.units import ScalerUnit
from tests.sessions.simulator.builders.building import ENERGY, only


def test_data_is_written_where_it_is_stored():
    datum = only({"class_id": 1, "logical_name": "0-0:96.1.0*255", "type": "unsigned", "constant": 1, "stored": True})
    datum.write(2, unsigned(2))
    assert datum.read(2) == unsigned(2)


def test_a_register_has_its_unit():
    assert only(ENERGY).read(3) == ScalerUnit(0, 30).to_data()


def test_an_extended_register_says_when():
    demand = {**ENERGY, "class_id": 4, "logical_name": "1-0:1.6.0*255", "source": "max_demand", "unit": 27}
    assert only(demand).read(5).type is DataType.OCTET_STRING
