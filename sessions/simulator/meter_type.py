"""Meter types: TOML files that say which objects a simulated meter has, and what makes their values.

    name = "…"  manufacturer = "MWB"  model = "…"  firmware = "…"  time_zone = 60  max_receive_pdu_size = 1024
    conformance = ["get", "set", …]  the services that it agrees to, by the standard's names; all that are served where not said
    referencing = "short-names"  clients refer to every object by its base_name alone; logical names where not said
    base = "three_phase"         another type, of which everything holds that this file does not say; its objects come first, and
                                 what this file says of one of them stands in its place
    parts = ["network"]          files of parts/ with [[objects]] that several types share; they come next
    [load]                       daily_import, daily_export in Wh; another medium's of an average day in its unit
    [daylight_savings]           begin, end ("*-03-last Sun 02:00:00"), deviation in minutes; without it the clock never changes
    [[logical_devices]]          sap, type: other logical devices of the same meter
    [[objects]]                  class_id, logical_name, and by class:
      1  Data                    type, source | constant | value; stored = true where it can be written
      3  Register                type, source, scaler, unit            4 Extended register: the same
      5  Demand register         type, source (an energy), scaler, unit, period (s)
      7  Profile generic         columns, profile_entries, capture_period | billing | log; see `builders/profile.py`
      61 Register table          cells: registers that differ in group E
      72 M-Bus client            as every other class, and the load of its device; 1, 3, 4, 70 with channel = its name are of it
      15 Association LN          role, client_sap: the association of that client; the one in use needs no entry
      22 Single action schedule  values.executed_script, values.type, values.execution_time
      18 Image transfer          block_size, public_key, verify_seconds, activate_seconds, reboot; see `builders/image.py`
      40 Push setup              columns (attribute 2 of these), or values as every other class; confirmed = true where the client
                                 is to confirm, and the version has no push_operation_method
      6  Register activation     registers (logical names), values.mask_list; 11 and 20, special days and calendar: values;
                                 see `builders/tariff.py`
      9  Script table            target: the control that its scripts 1 and 2 open and close; or values.scripts
      8 Clock, 17 SAP assignment, 23 HDLC setup, 64 Security setup, 70 Disconnect control: nothing else
      62 Compact data            columns, values; 68 Arbitrator: values; see `builders/gathering.py`
      111, 112, 113, 115         payment metering; see `builders/payment.py`
      21, 22, 71                 Register monitor, Single action schedule, Limiter: as every other class; they run scripts
      every other class          version, values = { name of the attribute = … }, now = [names]; see `builders/declared.py`
      and for each class         public = true, writable = [attributes], invocable = [methods], base_name by short names
      rights.<role>              read = [attributes] (all where not said), write = […], invoke = […]: instead of the above;
                                 roles are public, reader, maintenance, manager

An object that another one names stands earlier in the file. A source is a name of `load_curve` (energies, powers, voltages, …)
or the meter's own: serial_number, logical_device_name, firmware, invocation_counter, max_demand, import_rate_n, export_rate_n,
last_event.
"""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from meters.cosem.date_time_text import parse_date_time
from sessions.dlms.association import Referencing
from sessions.dlms.conformance import Conformance
from sessions.simulator.device import (
    MANAGEMENT_DEVICE,
    SERVED_CONFORMANCE,
    SERVED_SHORT_NAME_CONFORMANCE,
    MeterSecurity,
    ServedClient,
)
from sessions.simulator.load_curve import LoadParameters
from sessions.simulator.lockout import NEVER_LOCKED_OUT, LockoutRule
from sessions.simulator.memory import Store
from sessions.simulator.objects.clock import NO_DAYLIGHT_SAVINGS
from sessions.simulator.objects.daylight import DaylightSavings
from sessions.simulator.push.rules import Destination

METER_TYPES: Final = Path(__file__).parent / "meter_types"
NAME_OCTETS: Final = 16
"""A logical device name: three letters of the maker, then what makes it unique."""
PARTS: Final = "parts"


class MeterTypeError(ValueError):
    """A meter type file that cannot be used; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class OtherDevice:
    """A logical device beside the one that a type describes: its SAP, and the type that describes it."""

    sap: int
    type: str


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
    daylight: DaylightSavings = NO_DAYLIGHT_SAVINGS
    logical_devices: tuple[OtherDevice, ...] = ()


@lru_cache
def load_meter_type(name: str) -> MeterType:
    """The meter type `meter_types/<name>.toml`."""
    path = METER_TYPES / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in METER_TYPES.glob("*.toml")))
        raise MeterTypeError(f"there is no meter type “{name}”; there are: {known}")
    try:
        table = _read(path)
        load, objects = LoadParameters(**table.pop("load", {})), tuple(table.pop("objects"))
        referencing = Referencing(table.pop("referencing", Referencing.LOGICAL_NAMES.value))
        return MeterType(
            load=load,
            conformance=served_conformance(table.pop("conformance", None), referencing),
            objects=objects,
            referencing=referencing,
            daylight=_daylight(table.pop("daylight_savings", None)),
            logical_devices=tuple(OtherDevice(**each) for each in table.pop("logical_devices", ())),
            **table,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MeterTypeError(f"{path.name}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    """A file with what its base and its parts say. The last word counts; on an object at the place of the first."""
    table = tomllib.loads(path.read_text("utf-8"))
    base, parts = table.pop("base", None), table.pop("parts", ())
    if base is None and not parts:
        return table
    inherited = _read(path.parent / f"{base}.toml") if base is not None else {}
    entries = [*inherited.get("objects", ())]
    for part in parts:
        entries += tomllib.loads((path.parent / PARTS / f"{part}.toml").read_text("utf-8"))["objects"]
    entries += table.get("objects", ())
    objects = {(entry["class_id"], entry["logical_name"]): entry for entry in entries}
    return {**inherited, **table, "objects": [*objects.values()]}


def _daylight(table: Mapping[str, Any] | None) -> DaylightSavings:
    if table is None:
        return NO_DAYLIGHT_SAVINGS
    begin, end = parse_date_time(table["begin"]), parse_date_time(table["end"])
    return DaylightSavings(begin, end, table.get("deviation", 60))


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
    """What makes one meter out of a meter type. `device_address` and `max_info` are those of its HDLC line, where it has one;
    `logical_devices` the names of all that there are by SAP, where the meter has several. `store`: where its memory survives;
    `push`: where its push setups send to, where its type does not say.
    """

    serial_number: str
    security: MeterSecurity
    clients: tuple[ServedClient, ...]
    host_clock: Callable[[], datetime]
    random: Callable[[int], bytes] = secrets.token_bytes
    max_send_pdu_size: int = 0
    server_sap: int = MANAGEMENT_DEVICE
    logical_devices: Mapping[int, bytes] = field(default_factory=dict)
    device_address: int = MANAGEMENT_DEVICE
    max_info: int = 128
    inactivity_timeout: int = 120
    store: Store | None = None
    lockout: LockoutRule = NEVER_LOCKED_OUT
    push: Destination | None = None


def system_title(manufacturer: str, serial_number: str) -> bytes:
    """Three letters of the maker and the serial number in five octets."""
    return manufacturer.encode("ascii")[:3] + int(serial_number).to_bytes(5, "big")


def device_name(meter_type: MeterType, serial_number: str) -> bytes:
    """Three letters of the maker, the model and the serial number in sixteen octets."""
    name = f"{meter_type.manufacturer[:3]}{meter_type.model}".encode("ascii")
    serial = serial_number.encode("ascii")
    return name[: NAME_OCTETS - len(serial)] + serial.rjust(NAME_OCTETS - len(name), b"0")
