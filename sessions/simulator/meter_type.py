"""Meter types: TOML files that say which objects a simulated meter has, and what makes their values.

    name = "…"  manufacturer = "MWB"  model = "…"  firmware = "…"  time_zone = 60  max_receive_pdu_size = 1024
    conformance = ["get", "set", …]  the services that it agrees to, by the standard's names; all that are served where not said
    referencing = "short-names"  clients refer to every object by its base_name alone; logical names where not said
    [load]                       daily_import, daily_export in Wh
    [[objects]]                  class_id, logical_name, and by class:
      1  Data                    type, source | constant; stored = true where it can be written
      3  Register                type, source, scaler, unit            4 Extended register: the same
      7  Profile generic         columns, capture_period, profile_entries
      40 Push setup              columns, confirmed = true where the client is to confirm
      8 Clock, 9 Script table, 17 SAP assignment, 23 HDLC setup, 64 Security setup, 70 Disconnect control: nothing else
      and for each class         public = true, writable = [attributes], invocable = [methods], base_name by short names

A source is a name of `load_curve` (energies, powers, voltages, …) or one of the meter's own: serial_number,
logical_device_name, firmware, invocation_counter, max_demand.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from zlib import crc32

from meters.cosem.data import Data, DataType
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from sessions.dlms.association import Referencing
from sessions.dlms.conformance import Conformance
from sessions.simulator.device import (
    MANAGEMENT_DEVICE,
    SERVED_CONFORMANCE,
    SERVED_SHORT_NAME_CONFORMANCE,
    MeterSecurity,
    ServedClient,
)
from sessions.simulator.load_curve import ENERGIES, QUANTITIES, LoadCurve, LoadParameters, Supply
from sessions.simulator.meter import Access, Meter
from sessions.simulator.objects import (
    Clock,
    CosemObject,
    DataObject,
    DisconnectControl,
    ExtendedRegister,
    HdlcSetup,
    MeterClock,
    Register,
    SapAssignment,
    ScriptAction,
    ScriptTable,
    ValueAt,
)
from sessions.simulator.profile import LoadProfile, ProfileColumn
from sessions.simulator.push_setup import PushSetup
from sessions.simulator.security_setup import SecuritySetup

METER_TYPES: Final = Path(__file__).parent / "meter_types"
NAME_OCTETS: Final = 16
"""A logical device name: three letters of the maker, then what makes it unique."""

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


class MeterTypeError(ValueError):
    """A meter type file that cannot be used; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class MeterType:
    """What a file says."""

    name: str
    manufacturer: str
    model: str
    firmware: str
    time_zone: int
    max_receive_pdu_size: int
    load: LoadParameters
    conformance: Conformance
    objects: tuple[Mapping[str, Any], ...]
    referencing: Referencing = Referencing.LOGICAL_NAMES


@lru_cache
def load_meter_type(name: str) -> MeterType:
    """The meter type `meter_types/<name>.toml`."""
    path = METER_TYPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in METER_TYPES.glob("*.toml")))
        raise MeterTypeError(f"there is no meter type “{name}”; there are: {known}")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        load, objects = LoadParameters(**table.pop("load", {})), tuple(table.pop("objects"))
        referencing = Referencing(table.pop("referencing", Referencing.LOGICAL_NAMES.value))
        conformance = served_conformance(table.pop("conformance", None), referencing)
        return MeterType(load=load, conformance=conformance, objects=objects, referencing=referencing, **table)
    except (ValueError, KeyError, TypeError) as error:
        raise MeterTypeError(f"{path.name}: {error}") from None


def served_conformance(
    names: Sequence[str] | None, referencing: Referencing = Referencing.LOGICAL_NAMES
) -> Conformance:
    """The services of these names (None: all); ValueError where this server does not carry one out."""
    by_short_names = referencing is Referencing.SHORT_NAMES
    served = SERVED_SHORT_NAME_CONFORMANCE if by_short_names else SERVED_CONFORMANCE
    wanted = served if names is None else Conformance.from_names(names)
    missing = wanted & ~served
    if missing:
        raise ValueError(f"“{missing.names[0]}” is not served")
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSettings:
    """What makes one meter out of a meter type. `device_address` and `max_info` are those of its HDLC line, where it has one."""

    serial_number: str
    security: MeterSecurity
    clients: tuple[ServedClient, ...]
    host_clock: Callable[[], datetime]
    random: Callable[[int], bytes] = secrets.token_bytes
    max_send_pdu_size: int = 0
    device_address: int = MANAGEMENT_DEVICE
    max_info: int = 128
    inactivity_timeout: int = 120


def system_title(manufacturer: str, serial_number: str) -> bytes:
    """Three letters of the maker and the serial number in five octets."""
    return manufacturer.encode("ascii")[:3] + int(serial_number).to_bytes(5, "big")


def build_meter(meter_type: MeterType, settings: MeterSettings) -> Meter:
    """The meter with all its objects; `MeterTypeError` where the type describes one that cannot be."""
    title = system_title(meter_type.manufacturer, settings.serial_number)
    meter = Meter(
        serial_number=settings.serial_number,
        server_system_title=title,
        security=settings.security,
        clients=settings.clients,
        max_receive_pdu_size=meter_type.max_receive_pdu_size,
        conformance=meter_type.conformance,
        by_short_names=meter_type.referencing is Referencing.SHORT_NAMES,
        max_send_pdu_size=settings.max_send_pdu_size,
    )
    builder = _Builder(meter_type, settings, meter)
    for entry in meter_type.objects:
        try:
            builder.add(entry)
        except (KeyError, ValueError, TypeError) as error:
            raise MeterTypeError(f"{meter_type.name}, {entry.get('logical_name', entry)}: {error!r}") from None
    return meter


class _Builder:
    """Makes the objects of one meter, in the order of the file: a profile's columns stand before it."""

    def __init__(self, meter_type: MeterType, settings: MeterSettings, meter: Meter) -> None:
        self.type = meter_type
        self.settings = settings
        self.meter = meter
        self.clock = MeterClock(settings.host_clock, meter_type.time_zone)
        seed = crc32(settings.serial_number.encode())
        self.supply = Supply(LoadCurve(meter_type.load, seed))
        self._makers: dict[int, Callable[[ObisCode, Mapping[str, Any]], CosemObject]] = {
            1: self._data,
            3: self._register,
            4: self._extended_register,
            7: self._profile,
            8: lambda name, entry: Clock(name, self.clock),
            9: self._script_table,
            17: lambda name, entry: SapAssignment(name, {MANAGEMENT_DEVICE: self._device_name()}),
            23: self._hdlc_setup,
            40: self._push_setup,
            64: self._security_setup,
            70: lambda name, entry: DisconnectControl(name, self._switch),
        }

    def add(self, entry: Mapping[str, Any]) -> None:
        name = ObisCode.parse(entry["logical_name"])
        target = self._makers[entry["class_id"]](name, entry)
        self.meter.add(
            Access(
                target,
                public=entry.get("public", False),
                writable=frozenset(entry.get("writable", ())),
                invocable=frozenset(entry.get("invocable", ())),
                base_name=entry.get("base_name"),
            )
        )

    # -- one maker for each class ------------------------------------------------------------------------------------

    def _data(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        return DataObject(name, self._value(entry), self.clock.now, stored=entry.get("stored", False))

    def _register(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        return Register(name, self._value(entry), ScalerUnit(entry["scaler"], entry["unit"]), self.clock.now)

    def _extended_register(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        return ExtendedRegister(
            name,
            self._value(entry),
            ScalerUnit(entry["scaler"], entry["unit"]),
            self.clock.now,
            captured_at=lambda moment: self.supply.curve.max_demand(moment)[1],
        )

    def _profile(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        columns = [ProfileColumn(self.meter.named(ObisCode.parse(column))) for column in entry["columns"]]
        return LoadProfile(
            name,
            columns,
            self.clock,
            capture_period=entry["capture_period"],
            profile_entries=entry["profile_entries"],
        )

    def _push_setup(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        """Pushes the values of the `columns`; with `confirmed = true` the client is to confirm each."""
        confirmed = entry.get("confirmed", False)
        sources = [(self.meter.named(ObisCode.parse(column)), 2) for column in entry["columns"]]
        return PushSetup(name, sources, lambda body: self.meter.push(body, self.clock.now(), confirmed=confirmed))

    def _script_table(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        """Scripts 1 (disconnect) and 2 (reconnect) of the control that `target` names."""
        target = self.meter.named(ObisCode.parse(entry["target"]))
        return ScriptTable(name, {1: ScriptAction(target, 1), 2: ScriptAction(target, 2)})

    def _hdlc_setup(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        return HdlcSetup(
            name,
            max_info=self.settings.max_info,
            inactivity_timeout=self.settings.inactivity_timeout,
            device_address=self.settings.device_address,
        )

    def _security_setup(self, name: ObisCode, entry: Mapping[str, Any]) -> CosemObject:
        return SecuritySetup(
            name,
            self.settings.security,
            server_system_title=self.meter.server_system_title,
            now=self.clock.host,
            random=self.settings.random,
        )

    # -- values ------------------------------------------------------------------------------------------------------

    def _value(self, entry: Mapping[str, Any]) -> ValueAt:
        kind = TYPES[entry["type"]]
        if "constant" in entry:
            constant = entry["constant"]
            data = Data(kind, constant.encode() if isinstance(constant, str) else constant)
            return lambda moment: data
        source = entry["source"]
        texts = {
            "serial_number": self.settings.serial_number.encode,
            "logical_device_name": self._device_name,
            "firmware": self.type.firmware.encode,
        }
        if source in texts:
            text = texts[source]()
            return lambda moment: Data(kind, text)
        return self._number(kind, source, 10.0 ** -entry.get("scaler", 0))

    def _number(self, kind: DataType, source: str, factor: float) -> ValueAt:
        """A computed number in the type's range; an energy that outgrows it begins again at zero, as a meter's does."""
        low, high = LIMITS[kind]
        if source in ENERGIES:
            return lambda moment: Data(kind, int(self.supply.energy(source, moment) * factor) % (high + 1))
        if source == "invocation_counter":
            return lambda moment: Data(kind, self.settings.security.last_client_counter)
        if source == "max_demand":
            return lambda moment: Data(kind, int(self.supply.curve.max_demand(moment)[0] * factor))
        if source not in QUANTITIES:
            raise ValueError(f"“{source}” is no source of values")
        return lambda moment: Data(kind, min(max(round(self.supply.quantity(source, moment) * factor), low), high))

    def _device_name(self) -> bytes:
        name = f"{self.type.manufacturer[:3]}{self.type.model}".encode("ascii")
        serial = self.settings.serial_number.encode("ascii")
        return name[: NAME_OCTETS - len(serial)] + serial.rjust(NAME_OCTETS - len(name), b"0")

    def _switch(self, closed: bool) -> None:
        if closed:
            self.supply.reconnect(self.clock.now())
        else:
            self.supply.disconnect(self.clock.now())
