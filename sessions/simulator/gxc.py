"""A meter made from a device file of GXDLMSDirector: the object model of a real meter, with its rights, columns and short names.

The file knows objects, not values: registers grow slowly from numbers of their own, other attributes have the least value of
their type, and what is written is kept. Of the passwords a file holds nothing that could be used: the meter takes
`foreign.DEFAULT_SECRET`; keys are the file's, or the lab's where it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final
from zlib import crc32

from meters.cosem.data import Data, DataType, array, double_long_unsigned, null, octet_string
from meters.cosem.obis import ObisCode
from meters.cosem.units import ScalerUnit
from meters.gxc import DeviceFile, FileObject, GxcError, read_gxc
from sessions.association_file import AssociationFileError, parse_association
from sessions.simulator.association_object import OwnAssociation
from sessions.simulator.device import MANAGEMENT_DEVICE, SERVED_CONFORMANCE, SERVED_SHORT_NAME_CONFORMANCE, Role
from sessions.simulator.foreign import announced, placed, with_secrets
from sessions.simulator.lab import (
    FIRST_SERIAL,
    HdlcOptions,
    Lab,
    LabError,
    LabLine,
    LabMeter,
)
from sessions.simulator.lab_security import meter_security, served_client
from sessions.simulator.meter import ASSOCIATION_NAME, Meter
from sessions.simulator.meter_type import system_title
from sessions.simulator.objects.addressing import SapAssignment
from sessions.simulator.objects.base import Attribute, CosemObject, constant
from sessions.simulator.objects.clock import Clock, MeterClock
from sessions.simulator.plain import PlainObject
from sessions.simulator.profile import LoadProfile, ProfileColumn
from sessions.simulator.recorded_objects import RecordedSecuritySetup, refuse
from sessions.simulator.rights import GivenAccess
from sessions.simulator.security_setup import SecuritySetup

LOGICAL_DEVICE_NAME: Final = ObisCode(0, 0, 42, 0, 0, 255)
UNKNOWN: Final = constant(null())
"""An attribute of which the class tables know nothing."""
SECURITY_SETUP: Final = 64
READ_ONLY: Final = 1
"""Access mode of what a file without a list of attributes says nothing of: read."""
REGISTERS: Final = frozenset({3, 4, 5})
MAX_SCALER: Final = 127
STEADY_GROWTH: Final = 3600
"""Seconds in which a register grows by one."""
DATA_TYPES: Final[Mapping[str, DataType]] = {
    "Boolean": DataType.BOOLEAN,
    "Int8": DataType.INTEGER,
    "UInt8": DataType.UNSIGNED,
    "Int16": DataType.LONG,
    "UInt16": DataType.LONG_UNSIGNED,
    "Int32": DataType.DOUBLE_LONG,
    "UInt32": DataType.DOUBLE_LONG_UNSIGNED,
    "Int64": DataType.LONG64,
    "UInt64": DataType.LONG64_UNSIGNED,
    "Enum": DataType.ENUM,
}


def gxc_lab(path: Path, host_clock: Callable[[], datetime], *, port: int = 0) -> Lab:
    """A line for each device of a file; `LabError` says why there is none."""
    try:
        devices = read_gxc(path.read_bytes())
        lines = [
            _line(device, str(FIRST_SERIAL + number), host_clock, port + number if port else 0)
            for number, device in enumerate(devices)
        ]
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror or error}") from None
    except (GxcError, AssociationFileError) as error:
        raise LabError(f"{path.name}: {error}") from None
    return Lab(lines=tuple(lines), host_clock=host_clock)


def _line(device: DeviceFile, serial_number: str, host_clock: Callable[[], datetime], port: int) -> LabLine:
    if device.framing not in ("wrapper", "hdlc", "hdlc-mode-e"):
        raise LabError(f"{device.name}: a meter on {device.framing} cannot be simulated, only HDLC and the wrapper")
    meter = gxc_meter(device, serial_number, host_clock)
    return LabLine(kind="wrapper" if device.framing == "wrapper" else "hdlc", meters=(meter,), port=port)


def gxc_meter(device: DeviceFile, serial_number: str, host_clock: Callable[[], datetime]) -> LabMeter:
    """The meter of one device, and the association that its file describes."""
    hdlc = None if device.framing == "wrapper" else HdlcOptions(max_info=min(device.max_info_rx or 128, 1024))
    title = device.server_system_title or system_title(f"{device.manufacturer}XXX", serial_number)
    address = device.physical_address if hdlc else None
    association = announced(_association(device), hdlc, address, title)
    parameters = parse_association(association).parameters
    meter = Meter(
        serial_number=serial_number,
        server_system_title=title,
        security=meter_security(parameters, None, host_clock(), None),
        clients=(served_client(parameters, Role.MANAGER),),
        max_receive_pdu_size=device.max_pdu_size or 0xFFFF,
        max_send_pdu_size=device.max_pdu_size or 0,
        conformance=SERVED_CONFORMANCE if device.logical_names else SERVED_SHORT_NAME_CONFORMANCE,
        by_short_names=not device.logical_names,
        own=_own(device),
        clock=MeterClock(host_clock),
    )
    _Objects(device, meter, meter.clock).add_all()
    model = f"{device.manufacturer} {device.name}"
    return placed(
        meter, association, hdlc, address, serial_number=serial_number, name=f"{model} {serial_number}", type=model
    )


def _association(device: DeviceFile) -> dict[str, Any]:
    """The association file of the device, its keys or the lab's."""
    association: dict[str, Any] = {"client_sap": device.client_sap, "authentication": device.authentication}
    if not device.logical_names:
        association["referencing"] = "short-names"
    ciphered = device.protection != "none" or device.authentication == "hls-gmac"
    if ciphered:
        keys = {"client_system_title": device.client_system_title, "guek": device.guek, "gak": device.gak}
        association |= {name: octets.hex().upper() for name, octets in keys.items() if any(octets)}
        association |= {"protection": device.protection, "security_suite": device.security_suite}
    return with_secrets(association, ciphered=ciphered)


def _own(device: DeviceFile) -> OwnAssociation:
    """How the file lists the association in use."""
    wanted = 15 if device.logical_names else 12
    for each in device.objects:
        if each.class_id == wanted and (each.logical_name == ASSOCIATION_NAME or not device.logical_names):
            modes = {number: attribute.access for number, attribute in each.attributes.items()}
            return OwnAssociation(version=each.version, attribute_modes=modes or None, method_modes=each.methods)
    return OwnAssociation(listed=False)


class _Objects:
    """Makes the objects of a file."""

    def __init__(self, device: DeviceFile, meter: Meter, clock: MeterClock) -> None:
        self._device = device
        self._meter = meter
        self._clock = clock
        self._own_class = 15 if device.logical_names else 12

    def add_all(self) -> None:
        """Profiles last: their columns are other objects."""
        made = {id(each): self._make(each) for each in self._device.objects if each.class_id != 7}
        sources = {(target.class_id, target.logical_name): target for target in made.values()}
        for each in self._device.objects:
            if self._is_own(each):
                continue
            target = made.get(id(each)) or self._profile(each, sources)
            target.version = each.version
            self._meter.add(_access(each, target))

    def _is_own(self, each: FileObject) -> bool:
        if each.class_id != self._own_class:
            return False
        return each.logical_name == ASSOCIATION_NAME or not self._device.logical_names

    def _make(self, each: FileObject) -> CosemObject:
        if each.class_id == 8:
            return Clock(each.logical_name, self._clock)
        if each.class_id == 17:
            return SapAssignment(each.logical_name, {MANAGEMENT_DEVICE: self._device_name()})
        if each.class_id in REGISTERS:
            return GrowingRegister(each, self._clock)
        if each.class_id == SECURITY_SETUP:
            return RecordedSecuritySetup(each.version, each.logical_name, {}, self._security_setup(each))
        values = {
            number: made for number, listed in each.attributes.items() if (made := _typed(listed.type)) is not None
        }
        if each.logical_name == LOGICAL_DEVICE_NAME:
            values[2] = octet_string(self._device_name())
        return PlainObject(each.class_id, each.version, each.logical_name, values)

    def _security_setup(self, each: FileObject) -> SecuritySetup:
        meter = self._meter
        return SecuritySetup(
            each.logical_name,
            meter.security,
            server_system_title=meter.server_system_title,
            now=self._clock.host,
            random=token_bytes,
        )

    def _device_name(self) -> bytes:
        return f"{self._device.manufacturer}{self._meter.serial_number}".encode("ascii", "replace")[:16]

    def _profile(self, each: FileObject, sources: Mapping[tuple[int, ObisCode], CosemObject]) -> CosemObject:
        """Rows follow from the time where every column is an attribute that is known; else the buffer is empty."""
        columns = each.capture_objects
        found = [sources.get((column.class_id, column.logical_name)) for column in columns]
        known = [
            source is not None and column.attribute_id in source.attributes and not column.data_index
            for source, column in zip(found, columns, strict=True)
        ]
        if columns and all(known) and columns[0].is_clock:
            pairs = [ProfileColumn(s, c.attribute_id) for s, c in zip(found, columns, strict=True) if s is not None]
            return LoadProfile(each.logical_name, pairs, self._clock)
        values = {2: array(), 3: array(*(column.to_data() for column in columns)), 4: double_long_unsigned(900)}
        return PlainObject(each.class_id, each.version, each.logical_name, values)


class GrowingRegister(PlainObject):
    """Register, extended register or demand register: a number of its own that grows by one an hour."""

    def __init__(self, each: FileObject, clock: MeterClock) -> None:
        scaler_unit_at = 3 if each.class_id != 5 else 4
        super().__init__(each.class_id, each.version, each.logical_name, {scaler_unit_at: _scaler_unit(each).to_data()})
        self._first = crc32(each.logical_name.octets) % 1_000_000
        self.attributes[2] = Attribute(lambda: self._at(clock.now()))
        if each.class_id == 5:
            self.attributes[3] = Attribute(lambda: self._at(clock.now()))

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._at(moment) if attribute_id == 2 else super().captured(attribute_id, moment)

    def _at(self, moment: datetime) -> Data:
        hours = int(moment.astimezone(UTC).timestamp()) // STEADY_GROWTH
        return double_long_unsigned((self._first + hours) % 0x1_0000_0000)


def _scaler_unit(each: FileObject) -> ScalerUnit:
    """The file gives the scaler as a factor: `0.001`. What is no power of ten is 1."""
    try:
        factor = Decimal(each.scaler or "1")
    except InvalidOperation:
        factor = Decimal(1)
    exponent = factor.adjusted() if factor.is_finite() and factor > 0 else 0
    exponent = exponent if abs(exponent) <= MAX_SCALER and factor == Decimal(1).scaleb(exponent) else 0
    unit = int(each.unit) if each.unit.isdecimal() and int(each.unit) <= 0xFF else 0xFF
    return ScalerUnit(exponent, unit)


def _typed(name: str) -> Data | None:
    kind = DATA_TYPES.get(name)
    return None if kind is None else Data(kind, False if kind is DataType.BOOLEAN else 0)


def _access(each: FileObject, target: CosemObject) -> GivenAccess:
    """The rights of the file, and no attribute beside those that it lists. Without a list: every attribute, to be read."""
    if each.attributes:
        modes = {number: listed.access for number, listed in each.attributes.items()}
        target.attributes = {n: target.attributes.get(n, UNKNOWN) for n in modes}
        beyond = refuse if each.class_id == SECURITY_SETUP else PlainObject.accept
        target.methods = {number: target.methods.get(number, beyond) for number in each.methods}
    else:
        modes = dict.fromkeys(target.attributes, READ_ONLY)
    return GivenAccess(
        target, public=True, base_name=each.short_name, attribute_modes=modes, method_modes=dict(each.methods)
    )
