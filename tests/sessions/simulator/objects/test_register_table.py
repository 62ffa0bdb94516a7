"""A register table gives its registers' values in one reading."""

from __future__ import annotations

import pytest

from meters.cosem.data import array, integer, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.simulator.objects.register_table import RegisterTable
from sessions.simulator.objects.values import DataObject, Register
from tests.sessions.simulator.objects.refusing import NAME
from tests.sessions.simulator.served import NOON


def register(e: int, c: int = 1) -> Register:
    return Register(ObisCode(1, 0, c, 8, e, 255), lambda moment: unsigned(10 + e), ScalerUnit(0, 30), lambda: NOON)


def test_cells_stand_in_the_order_of_the_definition():
    table = RegisterTable(NAME, [register(0), register(2)])
    assert table.read(2) == array(unsigned(10), unsigned(12))
    common = octet_string(bytes((1, 0, 1, 8, 255, 255)))
    assert table.read(3) == structure(long_unsigned(3), common, array(unsigned(0), unsigned(2)), integer(2))
    assert table.read(4) == ScalerUnit(0, 30).to_data()


def test_cells_are_of_one_quantity():
    other = DataObject(ObisCode(1, 0, 1, 8, 1, 255), lambda moment: unsigned(1), lambda: NOON, stored=False)
    for cells in ([register(0), register(1, c=2)], [register(0), other]):
        with pytest.raises(ValueError, match="group E only"):
            RegisterTable(NAME, cells)
