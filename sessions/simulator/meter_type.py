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

METER_TYPES: Final = Path(__file__).parent / "meter_types"


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
