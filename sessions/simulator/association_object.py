"""Association LN (15, version 1) of a simulated meter: who talks to whom, and the object list with one client's rights.

Each caller finds its own under the name of the current association; a meter type may name those of single clients besides.
Source: Blue Book, class 15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from meters.cosem.data import (
    BitString,
    Data,
    DataType,
    array,
    enum,
    integer,
    long_unsigned,
    null,
    octet_string,
    structure,
    unsigned,
)
from meters.cosem.obis import ObisCode
from sessions.dlms.acse import CONTEXT_ARC, DLMS_UA, MECHANISM_ARC, ApplicationContext
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.initiate import DLMS_VERSION
from sessions.dlms.selective_access import ObjectListSelection, ObjectListSelector, SelectiveAccess
from sessions.simulator.device import Role, ServedClient
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, constant, require
from sessions.simulator.plain import PlainObject
from sessions.simulator.rights import Access, GivenAccess

SECURITY_SETUP_NAME: Final = ObisCode(0, 0, 43, 0, 0, 255)
CONFORMANCE_BITS: Final = 24
NON_ASSOCIATED, ASSOCIATED = 0, 2
"""association_status."""
SECRET: Final = 7
"""Attribute: the secret of low level security. Nobody reads it; where a foreign model wants it to be read, it is empty."""
CHANGE_HLS_SECRET: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Partners:
    """Both ends of an association, and what they agreed on, or would: the longest APDUs that each of them takes."""

    client: ServedClient
    server_sap: int
    conformance: Conformance
    ciphered: bool = False
    max_receive_pdu_size: int = 0
    max_send_pdu_size: int = 0
    is_associated: Callable[[], bool] = lambda: True


class AssociationObject(CosemObject):
    """`objects` are those of the client's list; `change_secret` keeps a new secret of the client."""

    class_id = 15
    version = 1

    def __init__(
        self,
        logical_name: ObisCode,
        partners: Partners,
        objects: Callable[[], list[Access]],
        change_secret: Callable[[bytes], None],
    ) -> None:
        super().__init__(logical_name)
        client = partners.client
        context = ApplicationContext.LN_CIPHERED if partners.ciphered else ApplicationContext.LN
        self._client = client
        self._change_secret = change_secret
        self.attributes |= {
            2: Attribute(
                lambda: array(*(_describe(access, client.role) for access in objects())),
                read_selected=lambda selection: _select(objects(), client.role, selection),
                selectors=tuple(ObjectListSelector),
            ),
            3: constant(structure(integer(client.client_sap & 0x7F), long_unsigned(partners.server_sap))),
            4: constant(octet_string(DLMS_UA + bytes((CONTEXT_ARC, context)))),
            5: constant(_context_information(partners)),
            6: constant(octet_string(DLMS_UA + bytes((MECHANISM_ARC, client.authentication)))),
            SECRET: Attribute(lambda: octet_string(b""), self._write_secret),
            8: Attribute(lambda: enum(ASSOCIATED if partners.is_associated() else NON_ASSOCIATED)),
            9: constant(octet_string(SECURITY_SETUP_NAME.octets)),
        }
        self.methods = {REPLY_TO_HLS.method_id: self._prove_again, CHANGE_HLS_SECRET: self._change_hls_secret}

    @staticmethod
    def _prove_again(parameters: Data | None) -> None:
        """The server takes the proof itself, before there is a caller: whoever asks here has proven enough."""
        raise Denied(DataAccessResult.OTHER_REASON)

    def _write_secret(self, value: Data) -> None:
        """The secret of low level security; in an association of another level it means nothing."""
        secret = require(value, DataType.OCTET_STRING).value
        if self._client.authentication is not AuthenticationMechanism.LLS or not secret:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._change_secret(secret)

    def _change_hls_secret(self, parameters: Data | None) -> None:
        secret = require(parameters, DataType.OCTET_STRING).value
        if not self._client.authentication.is_hls or not secret:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._change_secret(secret)


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


def _context_information(partners: Partners) -> Data:
    bits = BitString(int(partners.conformance).to_bytes(3, "big"), CONFORMANCE_BITS)
    return structure(
        Data(DataType.BIT_STRING, bits),
        long_unsigned(partners.max_receive_pdu_size),
        long_unsigned(partners.max_send_pdu_size),
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


def describe_rights(access: Access, role: Role) -> Data:
    """One element of the access_rights_list of class 12: base name, and the access modes of the caller."""
    target = access.target
    return structure(
        access.row.to_data()[0],
        array(*(_describe_attribute(access, number, role) for number in sorted(target.attributes))),
        array(*(structure(integer(n), enum(_method_mode(access, n, role))) for n in sorted(target.methods))),
    )


def _method_mode(access: Access, method_id: int, role: Role) -> int:
    return 1 if access.may_invoke(role, method_id) else 0
