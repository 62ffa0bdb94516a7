"""Our client and a simulated meter, joined in memory: no sockets, no waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

from meters.cosem.data import Data
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.association import Negotiated
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DlmsError
from sessions.dlms.events import (
    ActionFinished,
    Associated,
    BlockReceived,
    Failed,
    GetFinished,
    ItemResult,
    ManyFinished,
    NotificationReceived,
    Released,
    RequestFailed,
    SetFinished,
)
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.transfers.items import Item
from sessions.links.driver import make_link
from sessions.links.endpoint import Endpoint
from sessions.simulator.lab import LabMeter
from sessions.simulator.stations import HdlcMeter, HdlcStation, Station, WrapperStation

Wanted = TypeVar("Wanted")
CHALLENGE = b"a challenge of the client, long enough"


def counting_random(start: int = 1) -> Callable[[int], bytes]:
    """Randomness for tests that must not repeat itself within one."""
    numbers = count(start)
    return lambda size: next(numbers).to_bytes(size, "big")


def same_octets(size: int) -> bytes:
    """Randomness for tests."""
    return bytes(range(1, size + 1))


def station_for(meter: LabMeter) -> Station:
    """What a connection to the meter's line meets."""
    if meter.association["framing"] == "wrapper":
        return WrapperStation(meter.device, same_octets)
    shared = HdlcMeter(
        meter.device,
        meter.physical_address,
        meter.address_octets,
        meter.parameters,
        frmr_information=meter.frmr_information,
    )
    return HdlcStation([shared], same_octets)


class Pair:
    """A client of the meter's announced association, with changes; and the meter."""

    def __init__(
        self,
        meter: LabMeter,
        *,
        station: Station | None = None,
        counters: range = range(1, 10_000),
        endpoint: Endpoint | None = None,
        **changes: Any,
    ) -> None:
        table = {**meter.association, **changes}
        self.association = parse_association({name: value for name, value in table.items() if value is not None})
        self.station = station or station_for(meter)
        parameters = self.association.prepared(same_octets)
        hdlc = replace(self.association.hdlc, sign_on=None)  # what comes before HDLC is not the pair's
        link = make_link(self.association.framing, parameters, hdlc, 5.0, endpoint=endpoint)
        self.counters = InvocationCounters(counters)
        self.client = DlmsClient(
            parameters, link, challenge=CHALLENGE, counters=self.counters, random=counting_random(counters.start)
        )
        self.now = 100.0
        self.blocks: list[int] = []
        self.sizes: list[int] = []
        self.notifications: list[NotificationReceived] = []

    # -- what a client does ------------------------------------------------------------------------------------------

    def open(self) -> Negotiated:
        return self._run(lambda: self.client.open(self.now), Associated).negotiated

    def get(self, class_id: int, name: str, attribute_id: int, selection: SelectiveAccess | None = None) -> Any:
        descriptor = CosemAttributeDescriptor(class_id, ObisCode.parse(name), attribute_id)
        return self._run(lambda: self.client.get(descriptor, selection, now=self.now), GetFinished).result

    def set(self, class_id: int, name: str, attribute_id: int, value: Data) -> Any:
        descriptor = CosemAttributeDescriptor(class_id, ObisCode.parse(name), attribute_id)
        return self._run(lambda: self.client.set(descriptor, value, now=self.now), SetFinished).result

    def action(self, class_id: int, name: str, method_id: int, parameters: Data | None = None) -> Any:
        descriptor = CosemMethodDescriptor(class_id, ObisCode.parse(name), method_id)
        event = self._run(lambda: self.client.action(descriptor, parameters, now=self.now), ActionFinished)
        return event.result, event.return_parameters

    def many(self, *items: Item) -> tuple[ItemResult, ...]:
        return self._run(lambda: self.client.many(items, now=self.now), ManyFinished).results

    def release(self) -> str:
        return self._run(lambda: self.client.release(self.now), Released).remark

    # -- the wire ----------------------------------------------------------------------------------------------------

    def _carry(self, octets: bytes) -> None:
        """To the meter, and its answer back."""
        self.station.receive_octets(octets, self.now)
        answer = self.station.octets_to_send()
        self.sizes.append(len(answer))
        if answer:
            self.client.receive_octets(answer, self.now)
        if self.station.closed:
            self.client.connection_lost(self.now)

    def _run(self, begin: Callable[[], object], wanted: type[Wanted]) -> Wanted:
        self.blocks.clear()
        self.sizes.clear()
        begin()
        found: Wanted | None = None
        error: DlmsError | None = None
        more = True
        while more:
            octets = self.client.octets_to_send()
            more = octets != b""
            if more:
                self._carry(octets)
            while (event := self.client.next_event()) is not None:
                match event:
                    case Failed() | RequestFailed():
                        error = event.error
                    case NotificationReceived():
                        self.notifications.append(event)
                    case BlockReceived():
                        self.blocks.append(len(event.octets))
                    case _ if isinstance(event, wanted):
                        found = event
        if error is not None:
            raise error
        assert found is not None, f"no {wanted.__name__}: the meter is silent"
        return found
