"""A recorded meter: answers each request with what the real meter answered to it in a trace.

Requests are matched decoded: invoke-id, block sizes and order do not matter, ciphering is taken off first. What stands several
times in the trace is answered in turn, and then with the last answer. A profile is often asked for another range than the trace
holds: the answer to the closest recorded request for the same attribute is given then (same kind of selection first, then the
smallest distance of its ends). Answers keep the meter's own octets, and its own cuts into blocks. What the trace does not know is
object-undefined (GET) or read-write-denied (SET, ACTION).

The association is the recorded one: its secret, its negotiated values, its challenge. Where the trace begins after it, any client
of the recorded SAP is let in. Without published keys a ciphered association is answered with the recorded AARE, and ends there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from meters.cosem.data import Data, as_date_time
from meters.cosem.obis import ObisCode
from sessions.association_file import AUTHENTICATION_WORDS
from sessions.dlms.acse import Aarq
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import ReceiveFloor
from sessions.dlms.errors import DlmsError
from sessions.dlms.selective_access import AccessSelector, EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.dlms.short_name_map import ShortNameMap
from sessions.simulator.device import (
    SERVED_CONFORMANCE,
    SERVED_SHORT_NAME_CONFORMANCE,
    Caller,
    MeterSecurity,
    Role,
    ServedClient,
)
from sessions.simulator.journal import Journal, Kind
from sessions.simulator.lab import Lab, LabError, LabLine, LabMeter
from sessions.simulator.objects.base import Denied, EncodedValue, Value
from sessions.simulator.recording import (
    Listener,
    RecordedAction,
    RecordedAssociation,
    RecordedGet,
    RecordedSet,
    Recording,
    Service,
)
from sessions.simulator.trace import Trace, TraceError, TraceKeys, load_trace

RECORDED_TIMEOUT: Final = 5.0
FAR: Final = float("inf")
AUTHENTICATION_NAMES: Final = {mechanism: word for word, mechanism in AUTHENTICATION_WORDS.items()}


class AnyCounter(ReceiveFloor):
    """A recorded counter object says the same number for ever: clients that begin with it again are let in."""

    def check(self, counter: int) -> None:
        """Nothing is refused."""

    def move(self, counter: int) -> None:
        self.lowest = max(self.lowest, counter + 1)


class RecordedMeter:
    """A `LogicalDevice` that answers from a recording."""

    def __init__(self, recording: Recording, keys: TraceKeys, server_sap: int) -> None:
        self.recording = recording
        self.server_sap = server_sap
        self.server_system_title = keys.server_system_title or self._recorded_title()
        self.security = MeterSecurity(guek=keys.guek, gak=keys.gak, first_counter=recording.server_counter + 1)
        self.security.floor = AnyCounter()
        initiates = [each.initiate for each in recording.associations.values() if each.initiate is not None]
        recorded = _union(each.negotiated_conformance for each in initiates)
        self.conformance = recorded & (SERVED_CONFORMANCE | SERVED_SHORT_NAME_CONFORMANCE) or SERVED_CONFORMANCE
        self.max_receive_pdu_size = max((each.server_max_receive_pdu_size for each in initiates), default=0)
        self.max_send_pdu_size = 0
        self.boots = 0
        self.short_names: ShortNameMap | None = None
        self.journal = Journal()
        self._given: dict[int, int] = {}

    def _recorded_title(self) -> bytes:
        titles = [
            each.aare.responding_ap_title for each in self.recording.associations.values() if each.aare is not None
        ]
        return next((title for title in titles if title), b"")

    def client(self, client_sap: int) -> ServedClient | None:
        """A recorded client. One whose association stands not in the trace is let in with anything."""
        if client_sap not in self.recording.clients:
            return None
        association = self.recording.associations.get(client_sap)
        if association is None:
            return ServedClient(client_sap=client_sap, any_secret=True)
        return ServedClient(
            client_sap=client_sap,
            role=Role.MANAGER,
            authentication=association.mechanism,
            secret=association.aarq.calling_authentication_value or b"",
            protection=association.protection,
        )

    def recorded_aare(self, client: ServedClient) -> bytes | None:
        """As recorded, where nothing in it is made for one conversation only."""
        association = self.recording.associations.get(client.client_sap)
        if association is None or association.ciphered or association.mechanism.is_hls:
            return None
        return association.aare_octets or None

    def recorded_challenge(self, client: ServedClient) -> bytes | None:
        association = self.recording.associations.get(client.client_sap)
        return association.aare.responding_authentication_value if association and association.aare else None

    def is_locked_out(self, client: ServedClient) -> bool:
        return False

    def wrong_secret(self, client: ServedClient) -> None:
        """Nothing: whoever replays a trace may try for ever."""

    def catch_up(self) -> None:
        """Nothing: a trace does nothing by itself."""

    def settle(self) -> None:
        """Nothing: a trace knows no other state."""

    def take_notifications(self) -> list[DataNotification]:
        """Nothing: a trace says when the meter spoke, not why."""
        return []

    def recorded_answer(self, apdu: bytes) -> bytes | None:
        """Octets that nobody can read, and an AARQ whose association needs keys that were not published."""
        known = self.recording.raw.get(apdu)
        if known is not None or self.security.guek:
            return known
        try:
            request = decode_apdu(apdu)
        except DlmsError:
            return None
        if not isinstance(request, Aarq):
            return None
        sealed = [each for each in self.recording.associations.values() if each.ciphered and each.aare_octets]
        return sealed[0].aare_octets if sealed else None

    def associated(self, caller: Caller) -> None:
        """The answers begin again."""
        self._given.clear()
        self.journal.associated(caller)

    def dissociated(self, caller: Caller) -> None:
        self.journal.dissociated(caller)

    # -- services ----------------------------------------------------------------------------------------------------

    def get(self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> Value:
        known = [
            each
            for each in self._services(caller)
            if isinstance(each, RecordedGet) and each.complete and each.descriptor == descriptor
        ]
        if not known:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        nearest = min(distance(each.selection, selection) for each in known)
        answer = self._next([each for each in known if distance(each.selection, selection) == nearest])
        if answer.result is not None:
            raise Denied(answer.result)
        return EncodedValue((answer.octets,), answer.block_sizes)

    def set(
        self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None, value: Data
    ) -> None:
        known = [each for each in self._services(caller) if isinstance(each, RecordedSet)]
        result = next((each.result for each in known if each.descriptor == descriptor), None)
        if result is not DataAccessResult.SUCCESS:
            raise Denied(result or DataAccessResult.READ_WRITE_DENIED)
        self._did(caller, "write", descriptor.class_id, descriptor.instance_id, descriptor.attribute_id)

    def action(self, caller: Caller, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        known = [each for each in self._services(caller) if isinstance(each, RecordedAction)]
        answer = next((each for each in known if each.descriptor == descriptor), None)
        if answer is None:
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        if answer.result is not ActionResult.SUCCESS:
            raise Denied(DataAccessResult(answer.result))
        self._did(caller, "invoke", descriptor.class_id, descriptor.instance_id, descriptor.method_id)
        return answer.returned

    def _did(self, caller: Caller, kind: Kind, class_id: int, logical_name: ObisCode, number: int) -> None:
        with self.journal.on_behalf_of(caller):
            self.journal.done(kind, class_id, logical_name, number)

    def _services(self, caller: Caller) -> list[Service]:
        return self.recording.services.get(caller.client.client_sap, [])

    def _next(self, answers: list[RecordedGet]) -> RecordedGet:
        """The answers to one request in turn, then the last for ever."""
        turn = self._given.get(id(answers[0]), 0)
        self._given[id(answers[0])] = turn + 1
        return answers[min(turn, len(answers) - 1)]


def _union(flags: Iterator[Conformance]) -> Conformance:
    whole = Conformance(0)
    for each in flags:
        whole |= each
    return whole


def distance(recorded: SelectiveAccess | None, wanted: SelectiveAccess | None) -> float:
    """How far a recorded selection is from the wanted one: 0 is the same, infinity another kind."""
    if recorded == wanted:
        return 0
    if recorded is None or wanted is None or recorded.access_selector != wanted.access_selector:
        return FAR
    try:
        ends = [_ends(selection) for selection in (recorded, wanted)]
    except (ValueError, OverflowError):
        return FAR
    # An end's distance plus one: never 0, since the selections differ somewhere.
    return 1 + abs(ends[0][0] - ends[1][0]) + abs(ends[0][1] - ends[1][1])


def _ends(selection: SelectiveAccess) -> tuple[float, float]:
    """First and last of a selection, as entry numbers or in seconds of the wall clock."""
    if selection.access_selector == AccessSelector.ENTRY:
        entries = EntryDescriptor.from_selective_access(selection)
        return entries.from_entry, entries.to_entry
    wanted = RangeDescriptor.from_selective_access(selection)
    return _seconds(wanted.from_value), _seconds(wanted.to_value)


def _seconds(value: Data) -> float:
    """The wall clock alone: meters of one maker write the deviation with either sign."""
    moment = as_date_time(value)
    if moment is None:
        raise ValueError("not a date-time")
    wall = moment.to_datetime().replace(tzinfo=None)
    return wall.toordinal() * 86_400.0 + wall.hour * 3600 + wall.minute * 60 + wall.second


# -- as a lab ----------------------------------------------------------------------------------------------------------


def replay_lab(path: Path, identifier: str, *, port: int, host: str = "127.0.0.1") -> Lab:
    """A lab of one recorded meter, over the trace's own framing; `LabError` where the trace cannot be used."""
    try:
        trace = load_trace(path, identifier)
    except TraceError as error:
        raise LabError(str(error)) from None
    recording = Listener(trace.keys).listen(trace.apdus)
    if not recording.clients:
        raise LabError(f"{identifier}: nobody asks the meter anything in this trace")
    address = trace.address
    device = RecordedMeter(recording, trace.keys, trace.server_sap or 0)
    meter = LabMeter(
        serial_number=trace.identifier,
        name=trace.title,
        type="recorded",
        device=device,
        association=announced_association(trace, recording, device),
        physical_address=address.lower if address else None,
        address_octets=address.size if address else 1,
        parameters=trace.parameters,
        frmr_information=trace.frmr_information,
    )
    line = LabLine(kind=trace.framing, meters=(meter,), port=port)
    return Lab(lines=(line,), host=host, fixed_ports=True)


def announced_association(trace: Trace, recording: Recording, device: RecordedMeter) -> dict[str, Any]:
    """The association of the client that speaks last, with the secret that stands in the trace."""
    client_sap = recording.clients[-1]
    announced: dict[str, Any] = {
        "framing": trace.framing,
        "client_sap": client_sap,
        "server_sap": device.server_sap,
        "authentication": "none",
        "timeout": RECORDED_TIMEOUT,
    }
    association = recording.associations.get(client_sap)
    if association is not None:
        announced |= _announced_security(association, trace.keys, device)
    if trace.address is not None:
        settings = {"address_octets": trace.address.size, "max_info": max(32, trace.parameters.max_info_transmit)}
        if trace.address.lower is not None:
            settings["physical_address"] = trace.address.lower
        announced["hdlc"] = settings
    return announced


def _announced_security(association: RecordedAssociation, keys: TraceKeys, device: RecordedMeter) -> dict[str, Any]:
    announced: dict[str, Any] = {
        "authentication": AUTHENTICATION_NAMES[association.mechanism],
        "protection": association.protection.value,
    }
    if association.mechanism is AuthenticationMechanism.LLS:
        announced["secret"] = _secret(association.aarq.calling_authentication_value or b"")
    if association.aarq.calling_ap_title:
        announced["client_system_title"] = association.aarq.calling_ap_title.hex().upper()
    if device.server_system_title and (association.ciphered or association.mechanism.is_hls):
        announced["server_system_title"] = device.server_system_title.hex().upper()
    if keys.guek:
        announced |= {"guek": keys.guek.hex().upper(), "gak": keys.gak.hex().upper()}
    return announced


def _secret(octets: bytes) -> str:
    printable = octets.isascii() and octets.decode("ascii").isprintable()
    return f"text:{octets.decode('ascii')}" if printable else f"hex:{octets.hex()}"
