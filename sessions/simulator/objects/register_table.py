"""Register table (Blue Book, class 61): the values of registers that differ in group E of their names, in one attribute."""

from __future__ import annotations

from collections.abc import Sequence

from meters.cosem.data import Data, array, integer, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.simulator.objects.base import Attribute, CosemObject

VALUE, SCALER_UNIT = 2, 3


class RegisterTable(CosemObject):
    """The values of `cells` as they are now; ValueError where they are not registers of one quantity."""

    class_id = 61

    def __init__(self, logical_name: ObisCode, cells: Sequence[CosemObject]) -> None:
        super().__init__(logical_name)
        first = cells[0]
        common = _without_e(first)
        if any((cell.class_id, _without_e(cell)) != (first.class_id, common) for cell in cells):
            raise ValueError("the cells of a register table differ in group E only")
        definition = structure(
            long_unsigned(first.class_id),
            octet_string(common),
            array(*(unsigned(cell.logical_name.e) for cell in cells)),
            integer(VALUE),
        )
        self.attributes |= {
            2: Attribute(lambda: array(*map(_value, cells))),
            3: Attribute(lambda: definition),
            4: Attribute(lambda: first.read(SCALER_UNIT)),
        }


def _without_e(cell: CosemObject) -> bytes:
    octets = cell.logical_name.octets
    return octets[:4] + b"\xff" + octets[5:]


def _value(cell: CosemObject) -> Data:
    value = cell.read(VALUE)
    assert isinstance(value, Data)  # a register's value is short
    return value
