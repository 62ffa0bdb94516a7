"""What a builder finds of the meter that it builds an object for, and the values that its entry names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zlib import crc32

from meters.cosem.data import Data, DataType
from meters.cosem.obis import ObisCode
from meters.cosem.value_entry import from_json
from meters.cosem.value_type import ValueType
from sessions.simulator.closings import BillingPeriod, Closings
from sessions.simulator.events import LogKind
from sessions.simulator.load_curve import ENERGIES, QUANTITIES, LoadCurve, LoadParameters, Supply
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import MeterSettings, MeterType, device_name
from sessions.simulator.objects.base import CosemObject, ValueAt
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.mbus_client import MbusClient
from sessions.simulator.tariffs import RateRegisters, TariffPlan, day_and_night

TYPES: Final = {kind.asn1_name: kind for kind in DataType}
LIMITS: Final[Mapping[DataType, tuple[int, int]]] = {
    DataType.UNSIGNED: (0, 0xFF),
    DataType.LONG_UNSIGNED: (0, 0xFFFF),
    DataType.DOUBLE_LONG_UNSIGNED: (0, 0xFFFF_FFFF),
    DataType.LONG64_UNSIGNED: (0, 0xFFFF_FFFF_FFFF_FFFF),
    DataType.INTEGER: (-0x80, 0x7F),
    DataType.LONG: (-0x8000, 0x7FFF),
    DataType.DOUBLE_LONG: (-0x8000_0000, 0x7FFF_FFFF),
}

RATED: Final = {"import": "energy_import", "export": "energy_export"}
"""Energies that are also counted by rate."""

Entry = Mapping[str, Any]
"""A table [[objects]] of a meter type."""


@dataclass(slots=True)
class Firmware:
    """The version that is active."""

    active: bytes

    def keep(self) -> Any:
        return self.active.hex()

    def restore(self, kept: Any) -> None:
        self.active = bytes.fromhex(kept)


@dataclass(frozen=True, slots=True)
class Channel:
    """A device behind the meter: the M-Bus client that reads it, and its load."""

    client: MbusClient
    supply: Supply


class Context:
    """One meter that is being built: its type and settings, its clock and load, and the objects that stand already."""

    def __init__(
        self, meter_type: MeterType, settings: MeterSettings, meter: Meter, clock: MeterClock | None = None
    ) -> None:
        self.type = meter_type
        self.settings = settings
        self.meter = meter
        self.clock = clock or MeterClock(settings.host_clock, meter_type.time_zone, daylight=meter_type.daylight)
        self.firmware = Firmware(meter_type.firmware.encode())
        self._seed = crc32(settings.serial_number.encode())
        self.supply = Supply(LoadCurve(meter_type.load, self._seed))
        self._channels: dict[str, Channel] = {}
        self.plan = TariffPlan(self.clock, day_and_night())
        self.closings = {period: Closings(self.clock, period) for period in BillingPeriod}
        for period, closings in self.closings.items():
            meter.memory.add(f"{meter.server_sap} ends of each {period.value}", closings)
        self._rates: dict[tuple[str, float], RateRegisters] = {}

    def find(self, class_id: int, logical_name: ObisCode) -> CosemObject | None:
        """The object of a class and name, wherever it stands in the file: to be asked once the meter is whole."""
        access = self.meter.objects.get((class_id, logical_name))
        return None if access is None else access.target

    def named(self, logical_name: str) -> CosemObject:
        """The object of this name, which stands earlier in the file; KeyError without one."""
        return self.meter.named(ObisCode.parse(logical_name))

    # -- devices behind the meter --------------------------------------------------------------------------------------

    def add_channel(self, logical_name: str, client: MbusClient, load: LoadParameters) -> None:
        """A device behind the meter, with a load of its own."""
        seed = crc32(f"{self._seed}:{logical_name}".encode())
        self._channels[logical_name] = channel = Channel(client, Supply(LoadCurve(load, seed)))
        self.meter.memory.add(f"{self.meter.server_sap} supply {logical_name}", channel.supply)

    def channel(self, entry: Entry) -> Channel | None:
        """The device that the entry's `channel` names; None for what is the meter's own. KeyError for one that does not stand."""
        return self._channels[entry["channel"]] if "channel" in entry else None

    # -- values ------------------------------------------------------------------------------------------------------

    def value(self, entry: Entry) -> ValueAt:
        """The value of the entry's `type`, of a device behind the meter as it was captured last."""
        channel = self.channel(entry)
        value = self._value(entry, self.supply if channel is None else channel.supply)
        return value if channel is None else lambda moment: value(channel.client.captured_at(moment))

    def _value(self, entry: Entry, supply: Supply) -> ValueAt:
        """A `constant`, a `source`, or a `value` as `value_entry` reads it."""
        kind = TYPES[entry["type"]]
        if "value" in entry:
            given = from_json(entry["value"], ValueType(kind))
            return lambda moment: given
        if "constant" in entry:
            constant = entry["constant"]
            data = Data(kind, constant.encode() if isinstance(constant, str) else constant)
            return lambda moment: data
        source = entry["source"]
        if source == "firmware":
            return lambda moment: Data(kind, self.firmware.active)
        if source == "last_event":
            events, log = self.meter.events, LogKind(entry["log"])
            return lambda moment: Data(kind, events.last[log])
        texts = {
            "serial_number": self.settings.serial_number.encode,
            "logical_device_name": self.device_name,
        }
        if source in texts:
            text = texts[source]()
            return lambda moment: Data(kind, text)
        return self._number(kind, source, 10.0 ** -entry.get("scaler", 0), supply)

    def _number(self, kind: DataType, source: str, factor: float, supply: Supply) -> ValueAt:
        """A computed number in the type's range; an energy that outgrows it begins again at zero, as a meter's does."""
        low, high = LIMITS[kind]
        normal = self.clock.normal
        direction, _, rate = source.partition("_rate_")
        if direction in RATED and rate.isdecimal():
            rates, number = self.rates(RATED[direction], factor), int(rate)
            return lambda moment: Data(kind, rates.value(number, moment) % (high + 1))
        if source in ENERGIES:
            return lambda moment: Data(kind, int(supply.energy(source, normal(moment)) * factor) % (high + 1))
        if source == "invocation_counter":
            return lambda moment: Data(kind, self.settings.security.last_client_counter)
        if source not in QUANTITIES:
            raise ValueError(f"“{source}” is no source of values")

        def quantity(moment: datetime) -> Data:
            return Data(kind, min(max(round(supply.quantity(source, normal(moment)) * factor), low), high))

        return quantity

    def rates(self, source: str, factor: float) -> RateRegisters:
        """What the tariffs count of an energy, in units of which `factor` make one of the source's."""

        def total(moment: datetime) -> int:
            return int(self.supply.energy(source, self.clock.normal(moment)) * factor)

        if (source, factor) not in self._rates:
            self._rates[source, factor] = RateRegisters(self.plan, total, lambda: self.supply.changes)
        return self._rates[source, factor]

    def device_name(self) -> bytes:
        return device_name(self.type, self.settings.serial_number)

    def switch(self, entry: Entry) -> Callable[[bool], None]:
        """What opens (False) and closes (True) the output of the meter, or of the device behind it."""
        channel = self.channel(entry)
        supply = self.supply if channel is None else channel.supply

        def switch(closed: bool) -> None:
            moment = self.clock.normal(self.clock.now())
            if closed:
                supply.reconnect(moment)
            else:
                supply.disconnect(moment)

        return switch


Builder = Callable[[ObisCode, Entry, Context], CosemObject]
"""Makes the object of an entry. KeyError, ValueError or TypeError where the entry says what cannot be."""
