"""A simulated meter: its clock, load, keys and clients, and the objects that its meter type describes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import Final

from meters.cosem.data import Data, as_date_time, date_time, long_unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.short_names import Element, attribute_offset, method_offset
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
from sessions.dlms.apdu.notification import CONFIRMED, DataNotification
from sessions.dlms.apdu.short_name import OF_CURRENT_ASSOCIATION
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import CURRENT, ShortNameMap
from sessions.dlms.short_name_map import REPLY_TO_HLS as REPLY_TO_HLS_SN
from sessions.simulator.association_object import (
    CHANGE_HLS_SECRET,
    SECRET,
    AssociationObject,
    OwnAssociation,
    Partners,
    describe_rights,
)
from sessions.simulator.device import (
    MANAGEMENT_DEVICE,
    PUBLIC,
    SERVED_CONFORMANCE,
    Caller,
    MeterSecurity,
    ServedClient,
)
from sessions.simulator.events import Event, Events
from sessions.simulator.journal import Journal
from sessions.simulator.lockout import Lockout
from sessions.simulator.memory import Memory, SecretsMemory, SecurityMemory
from sessions.simulator.objects.base import CosemObject, Denied, Value
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.scripts import ScriptTable
from sessions.simulator.push.outbox import Outbox
from sessions.simulator.push.rules import Push, PushRules
from sessions.simulator.rights import Access
from sessions.simulator.short_name_association import CHANGE_HLS_SECRET as CHANGE_HLS_SECRET_SN
from sessions.simulator.short_name_association import (
    CHANGE_LLS_SECRET,
    READ_BY_LOGICAL_NAME,
    Row,
    ShortNameAssociation,
)

ASSOCIATION_NAME: Final = REPLY_TO_HLS.instance_id
OWN_ROW: Final = replace(CURRENT, version=ShortNameAssociation.version)
"""The association in use, in the list of short names."""
MAX_NOTIFICATIONS: Final = 16
LAST_INVOKE_ID: Final = 0x00FF_FFFF


class Meter:
    """A `LogicalDevice` whose objects are computed.

    `objects` are what the meter type describes; the association object is added for each caller. `by_short_names`: every
    object has a base name, and clients refer to it by that alone.
    """

    def __init__(
        self,
        *,
        serial_number: str,
        server_system_title: bytes,
        security: MeterSecurity,
        clients: tuple[ServedClient, ...],
        max_receive_pdu_size: int,
        max_send_pdu_size: int,
        conformance: Conformance = SERVED_CONFORMANCE,
        by_short_names: bool = False,
        own: OwnAssociation | None = None,
        server_sap: int = MANAGEMENT_DEVICE,
        memory: Memory | None = None,
        lockout: Lockout | None = None,
        clock: MeterClock | None = None,
    ) -> None:
        self.serial_number = serial_number
        self.server_sap = server_sap
        self.server_system_title = server_system_title
        self.security = security
        self.conformance = conformance
        self._notifications: deque[DataNotification] = deque(maxlen=MAX_NOTIFICATIONS)
        self._pushes = 0
        self.max_receive_pdu_size = max_receive_pdu_size
        self.max_send_pdu_size = max_send_pdu_size
        self.objects: dict[tuple[int, ObisCode], Access] = {}
        self.journal = Journal()
        self._own = own or OwnAssociation()
        self._own_row = OWN_ROW if self._own.version is None else replace(CURRENT, version=self._own.version)
        self.short_names = ShortNameMap((self._own_row,)) if by_short_names else None
        self._clients = {client.client_sap: client for client in (PUBLIC, *clients)}
        self.boots = 0
        self.siblings: tuple[Meter, ...] = ()
        """The other logical devices of the same meter."""
        self._busy: list[CosemObject] = []
        """Objects that do something by themselves."""
        self.clock = clock or MeterClock(_host_time)
        self.outbox = Outbox(self.clock, serial_number)
        self.stirred: Callable[[], None] | None = None
        """Is told when the meter's next moment (`next_due`) may have become another one."""
        self._was_stirred = False
        self._caught_up: int | None = None
        self.memory = memory or Memory(serial_number)
        self.events = Events()
        self.journal.listeners.append(self.events.done)
        self.memory.add(f"{server_sap} events", self.events)
        self._lockout = lockout
        if lockout is not None:
            self.memory.add("lockout", lockout)
        self.memory.add("security", SecurityMemory(security))
        self.memory.add(f"{server_sap} secrets", SecretsMemory(self._clients))

    def add(self, access: Access) -> None:
        """ValueError where an object's short names are those of another."""
        self.objects[access.target.class_id, access.target.logical_name] = access
        target = access.target
        target.journal = self.journal
        if type(target).catch_up is not CosemObject.catch_up:
            self._busy.append(target)
        if type(target).keep is not CosemObject.keep:
            self.memory.add(f"{self.server_sap} {target.class_id} {target.logical_name}", target)
        if self.short_names is not None:
            self.short_names = ShortNameMap([self._own_row, *(each.row for each in self.objects.values())])
            for each in self.objects.values():
                _check_short_names(self.short_names, each)

    def run_script(self, table: ObisCode, selector: int) -> None:
        """What the meter does by itself: a script that is not there, or is refused, changes nothing."""
        access = self.objects.get((ScriptTable.class_id, table))
        if access is not None:
            with suppress(Denied):
                access.target.invoke(1, long_unsigned(selector))

    # -- power -------------------------------------------------------------------------------------------------------

    def power_cycle(self) -> None:
        """The power fails and comes back: links and associations are gone, and what waited to be done or said; the memory is
        there.
        """
        self.security.forget_waiting()
        for each in (self, *self.siblings):
            each.power_failed()
            each.power_came_back()
        self.memory.settle()

    def power_failed(self) -> None:
        """Of this logical device nothing is left but its memory."""
        self._notifications.clear()
        self.outbox.clear()
        self._stir()
        for each in self.journal.associations:
            self.journal.dissociated(each.caller)
        self.boots += 1

    def power_came_back(self) -> None:
        """It was away since the last thing that the meter remembers."""
        self.events.record(Event.POWER_DOWN)
        self.events.record(Event.POWER_UP)

    def remove_cover(self) -> None:
        """Somebody takes the terminal cover off."""
        self.events.record(Event.COVER_REMOVED)

    def close_cover(self) -> None:
        self.events.record(Event.COVER_CLOSED)

    def settle(self) -> None:
        self.memory.settle()
        if self._was_stirred:
            self._was_stirred = False
            if self.stirred is not None:
                self.stirred()

    def catch_up(self) -> None:
        """At most once in a second of the meter's time, unless somebody changed something in it: nothing is due more often."""
        second = self.clock.second()
        if second == self._caught_up:
            return
        self._caught_up = second
        for target in self._busy:
            target.catch_up()

    def tick(self) -> None:
        """What is due is done, though nobody asks."""
        self._stir()
        self.catch_up()
        self._was_stirred = False  # whoever ticks looks at the time himself
        self.settle()

    def next_due(self) -> datetime | None:
        """When the meter has something to do by itself, by the host's time; None: not before somebody asks."""
        dues = [each for target in self._busy if (each := target.next_due()) is not None]
        own = [min(dues) - self.clock.offset] if dues else []
        pushes = self.outbox.next_due()
        return min(own if pushes is None else [*own, pushes], default=None)

    def _stir(self) -> None:
        """Something was changed: the objects are looked at again, be it within the same second."""
        self._caught_up = None
        self._was_stirred = True

    def named(self, logical_name: ObisCode) -> CosemObject:
        """The object of this name, the first where several classes share it; KeyError without one."""
        for (_, name), access in self.objects.items():
            if name == logical_name:
                return access.target
        raise KeyError(str(logical_name))

    def change_secret(self, client_sap: int, secret: bytes) -> None:
        """The client's next association needs this secret."""
        if client_sap not in self._clients:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._clients[client_sap] = replace(self._clients[client_sap], secret=secret)

    # -- what the server asks ----------------------------------------------------------------------------------------

    def client(self, client_sap: int) -> ServedClient | None:
        return self._clients.get(client_sap)

    def recorded_aare(self, client: ServedClient) -> bytes | None:
        return None

    def recorded_challenge(self, client: ServedClient) -> bytes | None:
        return None

    def associated(self, caller: Caller) -> None:
        self.journal.associated(caller)
        if self._lockout is not None:
            self._lockout.right(caller.client.client_sap)

    def is_locked_out(self, client: ServedClient) -> bool:
        return self._lockout is not None and self._lockout.is_locked(client.client_sap)

    def wrong_secret(self, client: ServedClient) -> None:
        self.events.record(Event.AUTHENTICATION_FAILURE)
        if self._lockout is not None:
            self._lockout.wrong(client.client_sap)

    def dissociated(self, caller: Caller) -> None:
        self.journal.dissociated(caller)

    def is_associated(self, client_sap: int) -> bool:
        """Whether this client has an association that is open."""
        return any(each.caller.client.client_sap == client_sap for each in self.journal.associations)

    @property
    def clients(self) -> Mapping[int, ServedClient]:
        """Who is served, by SAP."""
        return self._clients

    def push(self, body: Data, moment: datetime, *, confirmed: bool = False) -> None:
        """Say something unasked to the client that is served next; `confirmed`: it is to be confirmed."""
        self._notifications.append(self._notification(body, moment, confirmed=confirmed))

    def send(self, body: Data, moment: datetime, rules: PushRules) -> None:
        """Say something unasked to a destination of its own, when and as often as the rules say."""
        self.outbox.take(Push(self._notification(body, moment, confirmed=rules.confirmed), rules))
        self._was_stirred = True

    def _notification(self, body: Data, moment: datetime, *, confirmed: bool) -> DataNotification:
        self._pushes = (self._pushes + 1) & LAST_INVOKE_ID
        number = self._pushes | (CONFIRMED if confirmed else 0)
        return DataNotification(number, as_date_time(date_time(moment)), body)

    def take_notifications(self) -> list[DataNotification]:
        taken = list(self._notifications)
        self._notifications.clear()
        return taken

    def recorded_answer(self, apdu: bytes) -> bytes | None:
        return None

    def get(self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> Value:
        access = self._find(caller, descriptor.class_id, descriptor.instance_id)
        if descriptor.attribute_id not in access.target.attributes:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        if not access.may_read(caller.client.role, descriptor.attribute_id):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        return access.target.read(descriptor.attribute_id, selection)

    def set(
        self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None, value: Data
    ) -> None:
        access = self._find(caller, descriptor.class_id, descriptor.instance_id)
        if descriptor.attribute_id not in access.target.attributes:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        if not access.may_write(caller.client.role, descriptor.attribute_id):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        if selection is not None:
            raise Denied(DataAccessResult.SCOPE_OF_ACCESS_VIOLATED)
        self._stir()
        with self.journal.on_behalf_of(caller):
            access.target.write(descriptor.attribute_id, value)

    def action(self, caller: Caller, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        access = self._find(caller, descriptor.class_id, descriptor.instance_id)
        if descriptor.method_id not in access.target.methods:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        if not access.may_invoke(caller.client.role, descriptor.method_id):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        self._stir()
        with self.journal.on_behalf_of(caller):
            return access.target.invoke(descriptor.method_id, parameters)

    # -- objects -----------------------------------------------------------------------------------------------------

    def _find(self, caller: Caller, class_id: int, logical_name: ObisCode) -> Access:
        own = self._association(caller) if logical_name == ASSOCIATION_NAME else None
        if own is not None and own.target.class_id == class_id:
            own.target.journal = self.journal
            return own
        access = self.objects.get((class_id, logical_name))
        if access is not None:
            return access
        known = own is not None or any(name == logical_name for _, name in self.objects)
        raise Denied(DataAccessResult.OBJECT_CLASS_INCONSISTENT if known else DataAccessResult.OBJECT_UNDEFINED)

    def _association(self, caller: Caller) -> Access:
        return self._association_ln(caller) if self.short_names is None else self._association_sn(caller)

    def _association_sn(self, caller: Caller) -> Access:
        role = caller.client.role

        def rows() -> list[Row]:
            listed = (own,) if self._own.listed else ()
            visible = [access for access in (*listed, *self.objects.values()) if access.is_listed_for(role)]
            return [(access.row, describe_rights(access, role)) for access in visible]

        def read(class_id: int, logical_name: ObisCode, attribute_id: int) -> Data:
            value = self.get(caller, CosemAttributeDescriptor(class_id, logical_name, attribute_id), None)
            return value if isinstance(value, Data) else decode_data(b"".join(value.parts))

        sap = caller.client.client_sap
        target = ShortNameAssociation(caller, rows, read, partial(self.change_secret, sap))
        rights = Access(
            target,
            public=True,
            base_name=CURRENT.base_name,
            open_methods=frozenset({1, 2, READ_BY_LOGICAL_NAME, REPLY_TO_HLS_SN}),
            invocable=frozenset({CHANGE_LLS_SECRET, CHANGE_HLS_SECRET_SN}),
        )
        own = self._own.access_to(target, rights)
        return own

    def _association_ln(self, caller: Caller) -> Access:
        client = caller.client
        target = AssociationObject(
            ASSOCIATION_NAME,
            Partners(
                client=client,
                server_sap=self.server_sap,
                conformance=caller.conformance,
                ciphered=caller.ciphered,
                max_receive_pdu_size=self.max_receive_pdu_size,
                max_send_pdu_size=caller.client_max_receive_pdu_size,
            ),
            partial(self.listed_for, caller),
            partial(self.change_secret, client.client_sap),
        )
        rights = Access(
            target,
            public=True,
            writable=frozenset({SECRET}),
            unreadable=frozenset({SECRET}),
            invocable=frozenset({CHANGE_HLS_SECRET}),
            open_methods=frozenset({REPLY_TO_HLS.method_id}),
        )
        return self._own.access_to(target, rights)

    def listed_for(self, caller: Caller) -> list[Access]:
        """A client's list names what the client can use: the association in use first."""
        own = (self._association_ln(caller),) if self._own.listed else ()
        return [access for access in chain(own, self.objects.values()) if access.is_listed_for(caller.client.role)]


def _host_time() -> datetime:
    return datetime.now(UTC)


def _check_short_names(names: ShortNameMap, access: Access) -> None:
    target, row = access.target, access.row
    if row.base_name in OF_CURRENT_ASSOCIATION:
        raise ValueError(f"{row.base_name:04X} is a name of the current association")
    elements = [Element(number) for number in target.attributes]
    elements += [Element(number, is_method=True) for number in target.methods]
    for element in elements:
        offset_of = method_offset if element.is_method else attribute_offset
        offset = offset_of(row.class_id, row.version, element.number)
        meaning = None if offset is None else names.meaning(row.base_name + offset)
        if meaning is None or (meaning.target, meaning.element) != (row, element):
            raise ValueError(f"{row.base_name:04X} leaves {row.logical_name} no room for its short names")
