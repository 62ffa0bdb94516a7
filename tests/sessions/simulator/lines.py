"""The lines of a lab in memory: what stands at the other end of a connection, with every meter and logical device on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from sessions.simulator.lab import LabLine, LabMeter
from sessions.simulator.stations import HdlcMeter, HdlcStation, Station, WrapperStation
from tests.sessions.simulator.pair import Pair, same_octets

PUBLIC = {"client_sap": 16, "authentication": "none"}
COUNTERS = 100_000
FIRST_COUNTERS = count(1, COUNTERS)
LINE_KEYS = ("framing", "server_sap", "hdlc", "referencing")


def station_of(line: LabLine) -> Station:
    """What a connection to the line meets."""
    if line.kind in ("wrapper", "udp"):
        first, *others = (meter.device for meter in line.meters)
        return WrapperStation(first, same_octets, others=others)
    shared = [
        HdlcMeter(meter.device, meter.physical_address, meter.address_octets, meter.parameters) for meter in line.meters
    ]
    return HdlcStation(shared, same_octets)


def clients_of(meter: LabMeter) -> dict[str, Mapping[str, Any]]:
    """The associations of a meter by role; that of the lab's first client is the manager's."""
    public = {key: meter.association[key] for key in LINE_KEYS if key in meter.association} | PUBLIC
    others = {client.role.value: client.association for client in meter.clients}
    return {"public": public, "manager": meter.association, **others}


def associate(line: LabLine, meter: LabMeter, role: str) -> Pair:
    """An open association of the client with this role, over the whole line. Its counters are above those of all before it."""
    first = next(FIRST_COUNTERS)
    client = replace(meter, association=clients_of(meter)[role])
    pair = Pair(client, station=station_of(line), counters=range(first, first + COUNTERS))
    pair.open()
    return pair
