"""A whole meter from its type and what makes it this one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Final

from meters.cosem.interface_class import Access as Kept
from meters.cosem.interface_class import interface_class, known_versions
from meters.cosem.obis import ObisCode
from sessions.dlms.association import Referencing
from sessions.dlms.security_setup import CLASS_ID as SECURITY_SETUP
from sessions.simulator.builders import builder_for
from sessions.simulator.builders.context import Context, Entry
from sessions.simulator.device import Role
from sessions.simulator.lockout import Lockout
from sessions.simulator.memory import Memory
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import (
    MeterSettings,
    MeterType,
    MeterTypeError,
    device_name,
    load_meter_type,
    system_title,
)
from sessions.simulator.objects.base import CosemObject
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.schedule import SingleActionSchedule
from sessions.simulator.objects.watching import Limiter, RegisterMonitor
from sessions.simulator.rights import Access, Rights

WATCHING: Final = frozenset({RegisterMonitor.class_id, Limiter.class_id})
"""Classes that look at values as time goes by."""


def logical_devices(meter_type: MeterType, settings: MeterSettings) -> tuple[tuple[MeterType, MeterSettings], ...]:
    """What a meter of this type consists of: a type and settings for each logical device, the management device first.

    They share keys, counters and clients. Each has a serial number of its own, which ends in its SAP.
    """
    if not meter_type.logical_devices:
        return ((meter_type, settings),)
    devices = [(meter_type, settings)]
    for each in meter_type.logical_devices:
        serial_number = f"{settings.serial_number}{each.sap:02d}"
        devices.append(
            (load_meter_type(each.type), replace(settings, serial_number=serial_number, server_sap=each.sap))
        )
    names = {own.server_sap: device_name(one, own.serial_number) for one, own in devices}
    if len(names) != len(devices):
        raise MeterTypeError(f"{meter_type.name}: two logical devices have the same SAP")
    return tuple((one, replace(own, logical_devices=names)) for one, own in devices)


def acts_by_itself(meter_type: MeterType, kept: Mapping[str, Any] | None = None) -> bool:
    """Whether a meter of this type does something though nobody ever talked to it: it watches values, or has schedules with
    times. `kept`: what it remembers, which may have such schedules, too.
    """
    others = (load_meter_type(each.type) for each in meter_type.logical_devices)
    entries = (entry for one in (meter_type, *others) for entry in one.objects)
    if any(
        entry["class_id"] in WATCHING
        or (entry["class_id"] == SingleActionSchedule.class_id and entry.get("values", {}).get("execution_time"))
        for entry in entries
    ):
        return True
    parts = {} if kept is None else kept.get("parts", {})
    return any(
        f" {SingleActionSchedule.class_id} " in name and SingleActionSchedule.has_times(parts[name]) for name in parts
    )


def build_meters(meter_type: MeterType, settings: MeterSettings) -> tuple[Meter, ...]:
    """A meter with all its logical devices, which go by one clock."""
    clock = MeterClock(settings.host_clock, meter_type.time_zone, daylight=meter_type.daylight)
    memory, lockout = Memory(settings.serial_number, settings.store), Lockout(settings.lockout, settings.host_clock)
    meters = tuple(_build(one, own, clock, memory, lockout) for one, own in logical_devices(meter_type, settings))
    for meter in meters:
        meter.siblings = tuple(other for other in meters if other is not meter)
    if memory.begin():
        for meter in meters:
            meter.power_came_back()
        memory.settle()
    return meters


def build_meter(meter_type: MeterType, settings: MeterSettings) -> Meter:
    """The meter with all its objects, its management device where it has several; `MeterTypeError` where the type describes
    one that cannot be.
    """
    clock = MeterClock(settings.host_clock, meter_type.time_zone, daylight=meter_type.daylight)
    memory, lockout = Memory(settings.serial_number, settings.store), Lockout(settings.lockout, settings.host_clock)
    meter = _build(meter_type, settings, clock, memory, lockout)
    if memory.begin():
        meter.power_came_back()
        memory.settle()
    return meter


def _build(
    meter_type: MeterType, settings: MeterSettings, clock: MeterClock, memory: Memory, lockout: Lockout
) -> Meter:
    """One logical device of a meter, whose clock, memory and lock-out these are."""
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
        server_sap=settings.server_sap,
        memory=memory,
        lockout=lockout,
        clock=clock,
    )
    context = Context(meter_type, settings, meter, clock)
    memory.add("clock", clock)
    memory.add(f"{settings.server_sap} supply", context.supply)
    for entry in meter_type.objects:
        try:
            meter.add(_object(entry, context))
        except (KeyError, ValueError, TypeError) as error:
            raise MeterTypeError(f"{meter_type.name}, {entry.get('logical_name', entry)}: {error!r}") from None
    return meter


def _object(entry: Entry, context: Context) -> Access:
    """The object of an entry with the rights that it names; ValueError for rights on what the object has not."""
    name, class_id = ObisCode.parse(entry["logical_name"]), entry["class_id"]
    target = builder_for(class_id)(name, entry, context)
    known = interface_class(target.class_id, target.version)
    attributes = known.attributes.items() if known else ()
    return Access(
        target,
        public=entry.get("public", False),
        writable=_writable(target, entry),
        invocable=_invocable(target, entry),
        base_name=entry.get("base_name"),
        unreadable=frozenset(number for number, each in attributes if each.access is Kept.WRITE_ONLY),
        rights={Role(role): _rights(target, given) for role, given in entry.get("rights", {}).items()},
    )


def _rights(target: CosemObject, given: Entry) -> Rights:
    """Of one role: `read` (every attribute, where it does not say), `write`, `invoke`."""
    read = given.get("read", target.attributes)
    _refuse_unknown(target, "attribute", set(read) - set(target.attributes))
    beyond = set(given) - {"read", "write", "invoke"}
    if beyond:
        raise ValueError(f"“{min(beyond)}” is no right")
    return Rights(frozenset(read), _writable(target, given, "write"), _invocable(target, given, "invoke"))


def _writable(target: CosemObject, given: Entry, key: str = "writable") -> frozenset[int]:
    wanted = frozenset(given.get(key, ()))
    _refuse_unknown(target, "attribute to be written", {n for n in wanted if not target.is_writable(n)})
    return wanted


def _invocable(target: CosemObject, given: Entry, key: str = "invocable") -> frozenset[int]:
    """Methods of another version of the class are passed over: the version may be the lab's."""
    wanted = frozenset(given.get(key, ()))
    known = {number for version in known_versions(target.class_id) for number in version.methods}
    _refuse_unknown(target, "method", wanted - (known if target.class_id == SECURITY_SETUP else set(target.methods)))
    return wanted & set(target.methods)


def _refuse_unknown(target: CosemObject, what: str, numbers: Collection[int]) -> None:
    if numbers:
        raise ValueError(f"there is no {what} {min(numbers)}")
