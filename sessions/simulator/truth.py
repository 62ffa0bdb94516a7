"""The truth about a simulated meter, as JSON tells it: what it holds and what it did, whatever its answers said.

A meter that nobody has talked to yet is asleep, and is not woken by the question: of it the lab knows the name only. The keys
come along where they are asked for; they are simulated meters' keys, and still nobody's but theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from meters.cosem.data import Data, as_json
from meters.cosem.obis import ObisCode
from sessions.dlms.axdr import decode_data
from sessions.simulator.device import LogicalDevice, MeterSecurity
from sessions.simulator.journal import Deed, Execution, Journal, OpenAssociation
from sessions.simulator.lab import LabMeter, LazyDevice
from sessions.simulator.meter import Meter
from sessions.simulator.objects.base import CosemObject, Denied
from sessions.simulator.objects.clock import Clock

DISCONNECT_CONTROL: Final = 70
RELAY: Final = {"output_state": 2, "control_state": 3, "control_mode": 4}
KEYS: Final = ("guek", "gak", "gbek", "kek")


class Truth:
    """The state of one meter of a lab. Looked at anew whenever it is asked."""

    def __init__(self, meter: LabMeter) -> None:
        self.meter = meter

    @property
    def awake(self) -> bool:
        """Whether the meter was built: somebody has talked to it."""
        device = self.meter.device
        return device.built if isinstance(device, LazyDevice) else True

    @property
    def device(self) -> LogicalDevice:
        """The meter itself. A meter that is asleep wakes up."""
        device = self.meter.device
        return device.awakened() if isinstance(device, LazyDevice) else device

    @property
    def journal(self) -> Journal:
        return self.device.journal

    def executions(self, class_id: int, logical_name: str, method_id: int) -> int:
        """How often a method was carried out."""
        return self.journal.count("invoke", class_id, ObisCode.parse(logical_name), method_id)

    def writes(self, class_id: int, logical_name: str, attribute_id: int) -> int:
        """How often an attribute was written."""
        return self.journal.count("write", class_id, ObisCode.parse(logical_name), attribute_id)

    # -- as JSON -----------------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        meter = self.meter
        return {"serial_number": meter.serial_number, "name": meter.name, "type": meter.type, "awake": self.awake}

    def as_json(self, *, keys: bool = False) -> dict[str, Any]:
        """Everything; `keys`: with keys and secrets, in hex."""
        if not self.awake:
            return self.summary()
        device, journal = self.device, self.journal
        objects = [access.target for access in device.objects.values()] if isinstance(device, Meter) else []
        told = self.summary() | {
            "invocation_counters": _counters(device.security),
            "security": {"suite": device.security.suite, "policy": device.security.policy},
            "clocks": [_clock(each) for each in objects if isinstance(each, Clock)],
            "relays": [_relay(each) for each in objects if each.class_id == DISCONNECT_CONTROL],
            "associations": [_association(each) for each in journal.associations],
            "associations_opened": journal.associations_opened,
            "counts": _counts(journal),
            "pushes": device.outbox.as_json() if isinstance(device, Meter) else {},
            "executions": [_execution(each) for each in journal.executions],
        }
        return told | ({"keys": _keys(device.security), "secrets": _secrets(device)} if keys else {})


class LabTruth:
    """The meters of a lab by their serial numbers."""

    def __init__(self, meters: Iterable[LabMeter]) -> None:
        self.meters = {meter.serial_number: Truth(meter) for meter in meters}

    def summaries(self) -> list[dict[str, Any]]:
        return [truth.summary() for truth in self.meters.values()]


def _counters(security: MeterSecurity) -> dict[str, int | None]:
    """Of the global encryption key: the next that the meter uses, and the least that it believes of a client."""
    return {"next_of_meter": security.counters.next, "least_of_clients": security.floor.lowest}


def _clock(clock: Clock) -> dict[str, Any]:
    """`offset`: seconds that the meter is ahead of the host."""
    return {
        "logical_name": str(clock.logical_name),
        "time": clock.clock.now().isoformat(),
        "offset": clock.clock.offset.total_seconds(),
    }


def _relay(control: CosemObject) -> dict[str, Any]:
    told: dict[str, Any] = {"logical_name": str(control.logical_name)}
    return told | {name: _value(control, number) for name, number in RELAY.items()}


def _value(target: CosemObject, attribute_id: int) -> Any:
    try:
        value = target.read(attribute_id)
    except Denied:
        return None
    return as_json(value if isinstance(value, Data) else decode_data(b"".join(value.parts)))


def _association(association: OpenAssociation) -> dict[str, Any]:
    caller = association.caller
    return {
        "client_sap": caller.client.client_sap,
        "since": association.since.isoformat(),
        "authentication": caller.client.authentication.name.lower().replace("_", "-"),
        "ciphered": caller.ciphered,
    }


def _deed(deed: Deed) -> dict[str, Any]:
    return {
        "kind": deed.kind,
        "class_id": deed.class_id,
        "logical_name": str(deed.logical_name),
        "number": deed.number,
        "client_sap": deed.client_sap,
    }


def _counts(journal: Journal) -> list[dict[str, Any]]:
    return [{**_deed(deed), "count": count} for deed, count in journal.counts.items()]


def _execution(execution: Execution) -> dict[str, Any]:
    return {"time": execution.time.isoformat(), **_deed(execution.deed)}


def _keys(security: MeterSecurity) -> dict[str, str]:
    return {name: getattr(security, name).hex().upper() for name in KEYS if getattr(security, name)}


def _secrets(device: LogicalDevice) -> dict[str, str]:
    """By client SAP."""
    clients = device.clients.values() if isinstance(device, Meter) else ()
    return {str(client.client_sap): client.secret.hex().upper() for client in clients if client.secret}
