"""A simulated meter: its clock, load, keys and clients, and the objects that its meter type describes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Final

from meters.cosem.data import (
    BitString,
    Data,
    DataType,
    array,
    as_date_time,
    date_time,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from meters.cosem.short_names import Element, attribute_offset, method_offset
from sessions.dlms.acse import CONTEXT_ARC, DLMS_UA, MECHANISM_ARC, ApplicationContext
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, DataAccessResult
from sessions.dlms.apdu.notification import CONFIRMED, DataNotification
from sessions.dlms.apdu.short_name import OF_CURRENT_ASSOCIATION
from sessions.dlms.axdr import decode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.initiate import DLMS_VERSION
from sessions.dlms.selective_access import ObjectListSelection, ObjectListSelector, SelectiveAccess
from sessions.dlms.short_name_map import CURRENT, ShortNameMap, ShortNameObject
from sessions.dlms.short_name_map import REPLY_TO_HLS as REPLY_TO_HLS_SN
from sessions.simulator.device import (
    MANAGEMENT_DEVICE,
    PUBLIC,
    SERVED_CONFORMANCE,
    Caller,
    MeterSecurity,
    Role,
    ServedClient,
)
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, Value, constant
from sessions.simulator.plain import PlainObject
from sessions.simulator.short_name_association import (
    CHANGE_HLS_SECRET,
    CHANGE_LLS_SECRET,
    READ_BY_LOGICAL_NAME,
    Row,
    ShortNameAssociation,
)

ASSOCIATION_NAME: Final = REPLY_TO_HLS.instance_id
SECURITY_SETUP_NAME: Final = ObisCode(0, 0, 43, 0, 0, 255)
CONFORMANCE_BITS: Final = 24
OWN_ROW: Final = replace(CURRENT, version=ShortNameAssociation.version)
"""The association in use, in the list of short names."""
MAX_NOTIFICATIONS: Final = 16
LAST_INVOKE_ID: Final = 0x00FF_FFFF
ASSOCIATED: Final = 2
"""association_status: associated. Only associated clients can ask."""


@dataclass(frozen=True, slots=True)
class Access:
    """One object with the rights on it. What stands in no set can neither be written nor invoked by any client.

    `public`: every client may read it. `open_methods` are those that every client may invoke. `base_name`: where its short
    names begin, in a meter that has such.
    """

    target: CosemObject
    public: bool = False
    writable: frozenset[int] = frozenset()
    invocable: frozenset[int] = frozenset()
    open_methods: frozenset[int] = frozenset()
    base_name: int | None = None

    @property
    def row(self) -> ShortNameObject:
        """Its row in a list of short names; ValueError for an object without one."""
        if self.base_name is None:
            raise ValueError(f"{self.target.logical_name} has no base_name")
        return ShortNameObject(self.base_name, self.target.class_id, self.target.version, self.target.logical_name)

    def is_listed_for(self, role: Role) -> bool:
        """Whether a client finds it in its object list."""
        return self.public or role is not Role.PUBLIC

    def may_read(self, role: Role, attribute_id: int) -> bool:
        return self.is_listed_for(role)

    def may_write(self, role: Role, attribute_id: int) -> bool:
        return role is Role.MANAGER and attribute_id in self.writable

    def may_invoke(self, role: Role, method_id: int) -> bool:
        return method_id in self.open_methods or (role is Role.MANAGER and method_id in self.invocable)


@dataclass(frozen=True, slots=True)
class GivenAccess(Access):
    """One object whose rights are the same for whoever is associated: access modes by attribute, and by method."""

    attribute_modes: Mapping[int, int] = field(default_factory=dict)
    method_modes: Mapping[int, int] = field(default_factory=dict)

    def is_listed_for(self, role: Role) -> bool:
        return True

    def may_read(self, role: Role, attribute_id: int) -> bool:
        return bool(self.attribute_modes.get(attribute_id, 0) & 1)

    def may_write(self, role: Role, attribute_id: int) -> bool:
        return bool(self.attribute_modes.get(attribute_id, 0) & 2)

    def may_invoke(self, role: Role, method_id: int) -> bool:
        return bool(self.method_modes.get(method_id, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAssociation:
    """How the association in use stands in its own object list: its version (None: the simulator's), its rights (None: what
    every client has), and whether it is named there at all.
    """

    version: int | None = None
    attribute_modes: Mapping[int, int] | None = None
    method_modes: Mapping[int, int] = field(default_factory=dict)
    listed: bool = True

    def access_to(self, target: CosemObject, otherwise: Access) -> Access:
        """The rights on the association. Attributes that only this list names have the least value of their type."""
        if self.version is not None:
            target.version = self.version
        if self.attribute_modes is None:
            return otherwise
        plain = PlainObject(target.class_id, target.version, target.logical_name)
        target.attributes = {**plain.attributes, **target.attributes}
        target.methods = {**plain.methods, **target.methods}
        for known, modes in ((target.attributes, self.attribute_modes), (target.methods, self.method_modes)):
            for number in set(known) - set(modes):
                del known[number]
        return GivenAccess(
            target,
            public=True,
            base_name=otherwise.base_name,
            attribute_modes=self.attribute_modes,
            method_modes=self.method_modes,
        )


class AssociationObject(CosemObject):
    """Association LN (15, version 1) as one caller sees it: the object list holds the caller's rights."""

    class_id = 15
    version = 1

    def __init__(self, caller: Caller, objects: Callable[[], list[Access]], max_pdu_sizes: tuple[int, int]) -> None:
        super().__init__(ASSOCIATION_NAME)
        client = caller.client
        context = ApplicationContext.LN_CIPHERED if caller.ciphered else ApplicationContext.LN
        receive, send = max_pdu_sizes
        self.attributes |= {
            2: Attribute(
                lambda: array(*(_describe(access, client.role) for access in objects())),
                read_selected=lambda selection: _select(objects(), client.role, selection),
                selectors=tuple(ObjectListSelector),
            ),
            3: constant(structure(integer(client.client_sap & 0x7F), long_unsigned(MANAGEMENT_DEVICE))),
            4: constant(octet_string(DLMS_UA + bytes((CONTEXT_ARC, context)))),
            5: constant(_context_information(caller.conformance, receive, send)),
            6: constant(octet_string(DLMS_UA + bytes((MECHANISM_ARC, client.authentication)))),
            8: constant(enum(ASSOCIATED)),
            9: constant(octet_string(SECURITY_SETUP_NAME.octets)),
        }
        self.methods = {REPLY_TO_HLS.method_id: self._prove_again}

    @staticmethod
    def _prove_again(parameters: Data | None) -> None:
        """The server takes the proof itself, before there is a caller: whoever asks here has proven enough."""
        raise Denied(DataAccessResult.OTHER_REASON)


def _context_information(conformance: Conformance, receive: int, send: int) -> Data:
    bits = BitString(int(conformance).to_bytes(3, "big"), CONFORMANCE_BITS)
    return structure(
        Data(DataType.BIT_STRING, bits),
        long_unsigned(receive),
        long_unsigned(send),
        unsigned(DLMS_VERSION),
        integer(0),
        octet_string(b""),
    )


def _describe(access: Access, role: Role) -> Data:
    """One element of the object list: class, version, name, and the access modes of the caller."""
    target = access.target
    attributes = array(
        *(_describe_attribute(access, number, role) for number in sorted(target.attributes)),
    )
    methods = array(
        *(structure(integer(number), enum(_method_mode(access, number, role))) for number in sorted(target.methods)),
    )
    return structure(
        long_unsigned(target.class_id),
        unsigned(target.version),
        octet_string(target.logical_name.octets),
        structure(attributes, methods),
    )


def _select(objects: list[Access], role: Role, selection: SelectiveAccess) -> Data:
    """The part of the object list that is asked for; selector 1 leaves the rights out."""
    try:
        wanted = ObjectListSelection.from_selective_access(selection)
    except ValueError:
        known = selection.access_selector in set(ObjectListSelector)
        violated, unmatched = DataAccessResult.SCOPE_OF_ACCESS_VIOLATED, DataAccessResult.TYPE_UNMATCHED
        raise Denied(unmatched if known else violated) from None
    found = [access for access in objects if wanted.takes(access.target.class_id, access.target.logical_name)]
    elements = [_describe(access, role) for access in found]
    return array(*(element if wanted.with_rights else structure(*list(element)[:3]) for element in elements))


def _describe_attribute(access: Access, attribute_id: int, role: Role) -> Data:
    # access_mode: 0 no access, 1 read only, 2 write only, 3 read and write
    mode = (1 if access.may_read(role, attribute_id) else 0) | (2 if access.may_write(role, attribute_id) else 0)
    selectors = access.target.attributes[attribute_id].selectors
    listed = array(*(integer(selector) for selector in selectors)) if selectors else null()
    return structure(integer(attribute_id), enum(mode), listed)


def _describe_rights(access: Access, role: Role) -> Data:
    """One element of the access_rights_list of class 12: base name, and the access modes of the caller."""
    target = access.target
    return structure(
        access.row.to_data()[0],
        array(*(_describe_attribute(access, number, role) for number in sorted(target.attributes))),
        array(*(structure(integer(n), enum(_method_mode(access, n, role))) for n in sorted(target.methods))),
    )


def _method_mode(access: Access, method_id: int, role: Role) -> int:
    return 1 if access.may_invoke(role, method_id) else 0


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
    ) -> None:
        self.serial_number = serial_number
        self.server_sap = MANAGEMENT_DEVICE
        self.server_system_title = server_system_title
        self.security = security
        self.conformance = conformance
        self._notifications: deque[DataNotification] = deque(maxlen=MAX_NOTIFICATIONS)
        self._pushes = 0
        self.max_receive_pdu_size = max_receive_pdu_size
        self.max_send_pdu_size = max_send_pdu_size
        self.objects: dict[tuple[int, ObisCode], Access] = {}
        self._own = own or OwnAssociation()
        self._own_row = OWN_ROW if self._own.version is None else replace(CURRENT, version=self._own.version)
        self.short_names = ShortNameMap((self._own_row,)) if by_short_names else None
        self._clients = {client.client_sap: client for client in (PUBLIC, *clients)}

    def add(self, access: Access) -> None:
        """ValueError where an object's short names are those of another."""
        self.objects[access.target.class_id, access.target.logical_name] = access
        if self.short_names is not None:
            self.short_names = ShortNameMap([self._own_row, *(each.row for each in self.objects.values())])
            for each in self.objects.values():
                _check_short_names(self.short_names, each)

    def named(self, logical_name: ObisCode) -> CosemObject:
        """The object of this name, the first where several classes share it; KeyError without one."""
        for (_, name), access in self.objects.items():
            if name == logical_name:
                return access.target
        raise KeyError(str(logical_name))

    # -- what the server asks ----------------------------------------------------------------------------------------

    def client(self, client_sap: int) -> ServedClient | None:
        return self._clients.get(client_sap)

    def recorded_aare(self, client: ServedClient) -> bytes | None:
        return None

    def recorded_challenge(self, client: ServedClient) -> bytes | None:
        return None

    def associated(self, caller: Caller) -> None:
        """Nothing to do: the meter keeps no count of its clients."""

    def push(self, body: Data, moment: datetime, *, confirmed: bool = False) -> None:
        """Say something unasked to the client that is served next; `confirmed`: it is to be confirmed."""
        self._pushes = (self._pushes + 1) & LAST_INVOKE_ID
        number = self._pushes | (CONFIRMED if confirmed else 0)
        self._notifications.append(DataNotification(number, as_date_time(date_time(moment)), body))

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
        access.target.write(descriptor.attribute_id, value)

    def action(self, caller: Caller, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None:
        access = self._find(caller, descriptor.class_id, descriptor.instance_id)
        if descriptor.method_id not in access.target.methods:
            raise Denied(DataAccessResult.OBJECT_UNDEFINED)
        if not access.may_invoke(caller.client.role, descriptor.method_id):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        return access.target.invoke(descriptor.method_id, parameters)

    # -- objects -----------------------------------------------------------------------------------------------------

    def _find(self, caller: Caller, class_id: int, logical_name: ObisCode) -> Access:
        own = self._association(caller) if logical_name == ASSOCIATION_NAME else None
        if own is not None and own.target.class_id == class_id:
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
            return [(access.row, _describe_rights(access, role)) for access in visible]

        def read(class_id: int, logical_name: ObisCode, attribute_id: int) -> Data:
            value = self.get(caller, CosemAttributeDescriptor(class_id, logical_name, attribute_id), None)
            return value if isinstance(value, Data) else decode_data(b"".join(value.parts))

        def change_secret(secret: bytes) -> None:
            self._clients[caller.client.client_sap] = replace(caller.client, secret=secret)

        target = ShortNameAssociation(caller, rows, read, change_secret)
        rights = Access(
            target,
            public=True,
            base_name=CURRENT.base_name,
            open_methods=frozenset({1, 2, READ_BY_LOGICAL_NAME, REPLY_TO_HLS_SN}),
            invocable=frozenset({CHANGE_LLS_SECRET, CHANGE_HLS_SECRET}),
        )
        own = self._own.access_to(target, rights)
        return own

    def _association_ln(self, caller: Caller) -> Access:
        role = caller.client.role

        def visible() -> list[Access]:
            """A client's list names what the client can use."""
            everything = chain((own,) if self._own.listed else (), self.objects.values())
            return [access for access in everything if access.is_listed_for(role)]

        send = caller.client_max_receive_pdu_size
        target = AssociationObject(caller, visible, (self.max_receive_pdu_size, send))
        own = self._own.access_to(target, Access(target, public=True, open_methods=frozenset({REPLY_TO_HLS.method_id})))
        return own


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
