"""Objects that hold one value: Data, Register, Extended register. Source: Blue Book, the classes named in each docstring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from meters.cosem.data import Data, date_time, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.objects.base import Attribute, CosemObject, ValueAt, require


class DataObject(CosemObject):
    """Data (1, version 0). `stored` values can be written, others are computed."""

    class_id = 1

    def __init__(self, logical_name: ObisCode, value: ValueAt, now: Callable[[], datetime], *, stored: bool) -> None:
        super().__init__(logical_name)
        self._value = value
        self._written: Data | None = None
        self.attributes[2] = Attribute(lambda: self._value(now()), self._store if stored else None)
        self._now = now

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._value(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _store(self, value: Data) -> None:
        require(value, self._value(self._now()).type)
        self._written = value
        self._value = lambda moment: value

    def keep(self) -> Any:
        return None if self._written is None else encode_data(self._written).hex()

    def restore(self, kept: Any) -> None:
        self._written = value = decode_data(bytes.fromhex(kept))
        self._value = lambda moment: value


class Register(CosemObject):
    """Register (3, version 0): a computed value with its scaler and unit."""

    class_id = 3

    def __init__(
        self, logical_name: ObisCode, value: ValueAt, scaler_unit: ScalerUnit, now: Callable[[], datetime]
    ) -> None:
        super().__init__(logical_name)
        self._value = value
        self.attributes[2] = Attribute(lambda: value(now()))
        self.attributes[3] = Attribute(scaler_unit.to_data)

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._value(moment) if attribute_id == 2 else super().captured(attribute_id, moment)


class ExtendedRegister(Register):
    """Extended register (4, version 0): a register that also says when its value arose."""

    class_id = 4

    def __init__(
        self,
        logical_name: ObisCode,
        value: ValueAt,
        scaler_unit: ScalerUnit,
        now: Callable[[], datetime],
        *,
        captured_at: Callable[[datetime], datetime],
    ) -> None:
        super().__init__(logical_name, value, scaler_unit, now)
        self.attributes[4] = Attribute(lambda: unsigned(0))
        self.attributes[5] = Attribute(lambda: date_time(captured_at(now())))
