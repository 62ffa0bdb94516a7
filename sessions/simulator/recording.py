"""What a recorded conversation says: who associated how, and what the meter answered to each request.

The APDUs of a trace are read with our own codecs; ciphered ones are opened with the keys that were published with the trace. The
blocks of a long answer become one answer again, with the sizes that the meter cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.acse import Aare, Aarq, ApplicationContext
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.ciphered import PLAIN_TAGS, CipheredApdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.get import GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.set import SetRequestNormal, SetResponseNormal
from sessions.dlms.association import Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.errors import DlmsError
from sessions.dlms.handshake import MECHANISM_BITS
from sessions.dlms.initiate import InitiateResponse
from sessions.dlms.security import unprotect
from sessions.dlms.selective_access import SelectiveAccess
from sessions.simulator.trace import TracedApdu, TraceKeys, strip_llc

GET_HEADER_OCTETS: Final = 4
"""Tag, choice, invoke-id and the choice of the result stand before the data of a get-response-normal."""
PROTECTIONS: Final = {(each.authenticated, each.encrypted): each for each in Protection}


@dataclass(slots=True)
class RecordedAssociation:
    """AARQ and AARE of one client, as far as they could be read."""

    aarq: Aarq
    aare: Aare | None = None
    aare_octets: bytes = b""
    initiate: InitiateResponse | None = None
    protection: Protection = Protection.NONE

    @property
    def ciphered(self) -> bool:
        return self.aarq.application_context_name == ApplicationContext.LN_CIPHERED

    @property
    def mechanism(self) -> AuthenticationMechanism:
        return AuthenticationMechanism((self.aarq.mechanism_name or 0) & MECHANISM_BITS)


@dataclass(slots=True)
class RecordedGet:
    """A GET and its answer: the octets of the data as the meter sent them, or its refusal."""

    descriptor: CosemAttributeDescriptor
    selection: SelectiveAccess | None
    result: DataAccessResult | None = None
    octets: bytes = b""
    block_sizes: tuple[int, ...] = ()
    complete: bool = False


@dataclass(slots=True)
class RecordedSet:
    descriptor: CosemAttributeDescriptor
    result: DataAccessResult = DataAccessResult.SUCCESS


@dataclass(slots=True)
class RecordedAction:
    descriptor: CosemMethodDescriptor
    result: ActionResult = ActionResult.SUCCESS
    returned: Data | None = None


Service = RecordedGet | RecordedSet | RecordedAction


@dataclass(slots=True)
class Recording:
    """What one trace says, by client SAP."""

    associations: dict[int, RecordedAssociation] = field(default_factory=dict)
    services: dict[int, list[Service]] = field(default_factory=dict)
    raw: dict[bytes, bytes] = field(default_factory=dict)
    """Octets that are no readable request, and what the meter answered to them."""
    clients: list[int] = field(default_factory=list)
    """In the order in which they speak."""
    server_counter: int = 0
    """The highest invocation counter that the meter used."""


class Listener:
    """Listens to the conversation of a trace, and writes down who was answered what."""

    def __init__(self, keys: TraceKeys) -> None:
        self.recording = Recording()
        self._keys = keys
        self._titles = {True: keys.client_system_title, False: keys.server_system_title}
        self._request: TracedApdu | None = None
        self._service: Service | None = None

    def listen(self, apdus: list[TracedApdu]) -> Recording:
        for apdu in apdus:
            if apdu.client_sap not in self.recording.clients:
                self.recording.clients.append(apdu.client_sap)
            if apdu.from_client:
                self._client_says(apdu)
            else:
                self._meter_says(apdu)
        return self.recording

    def _client_says(self, traced: TracedApdu) -> None:
        self._request = traced
        apdu = self._open(traced)
        match apdu:
            case Aarq():
                self._titles[True] = apdu.calling_ap_title or self._titles[True]
                self.recording.associations[traced.client_sap] = RecordedAssociation(apdu)
            case GetRequestNormal():
                self._begin(traced, RecordedGet(apdu.cosem_attribute_descriptor, apdu.access_selection))
            case SetRequestNormal():
                self._begin(traced, RecordedSet(apdu.cosem_attribute_descriptor))
            case ActionRequestNormal():
                self._begin(traced, RecordedAction(apdu.cosem_method_descriptor))

    def _begin(self, traced: TracedApdu, service: Service) -> None:
        self._service = service
        self.recording.services.setdefault(traced.client_sap, []).append(service)

    def _meter_says(self, traced: TracedApdu) -> None:
        apdu = self._open(traced)
        request, service = self._request, self._service
        match apdu, service:
            case Aare(), _:
                self._note_aare(traced, apdu)
            case GetResponseNormal(), RecordedGet():
                self._note_get(service, self._plain(traced), apdu)
            case GetResponseWithDatablock(), RecordedGet():
                self._note_block(service, apdu)
            case SetResponseNormal(), RecordedSet():
                service.result = apdu.result
            case ActionResponseNormal(), RecordedAction():
                service.result = apdu.result
                service.returned = apdu.return_parameters if isinstance(apdu.return_parameters, Data) else None
            case _ if request is not None and self._open(request) is None:
                self.recording.raw[request.octets] = traced.octets

    def _note_aare(self, traced: TracedApdu, aare: Aare) -> None:
        association = self.recording.associations.get(traced.client_sap)
        if association is None:
            return
        self._titles[False] = aare.responding_ap_title or self._titles[False]
        association.aare, association.aare_octets = aare, traced.octets
        for information, from_client in ((association.aarq.user_information, True), (aare.user_information, False)):
            apdu = self._decode(information or b"", from_client)
            if isinstance(apdu, InitiateResponse):
                association.initiate = apdu
        association.protection = _protection(association.aarq.user_information or b"")

    @staticmethod
    def _note_get(service: RecordedGet, plain: bytes, apdu: GetResponseNormal) -> None:
        service.complete = True
        if isinstance(apdu.result, DataAccessResult):
            service.result = apdu.result
        else:
            service.octets = plain[GET_HEADER_OCTETS:]

    @staticmethod
    def _note_block(service: RecordedGet, apdu: GetResponseWithDatablock) -> None:
        if service.complete or apdu.block_number != len(service.block_sizes) + 1:
            return
        if isinstance(apdu.result, DataAccessResult):
            service.result, service.complete = apdu.result, True
            return
        service.octets += apdu.result
        service.block_sizes += (len(apdu.result),)
        service.complete = apdu.last_block

    # -- octets to APDUs ---------------------------------------------------------------------------------------------

    def _open(self, traced: TracedApdu) -> Apdu | None:
        return self._decode(traced.octets, traced.from_client)

    def _plain(self, traced: TracedApdu) -> bytes:
        return self._decipher(traced.octets, traced.from_client) or traced.octets

    def _decode(self, octets: bytes, from_client: bool) -> Apdu | None:
        """The APDU, deciphered; None where it cannot be read. One meter doubles the LLC octets: they are skipped."""
        try:
            octets = strip_llc(octets)
            return decode_apdu(self._decipher(octets, from_client) or octets)
        except DlmsError:
            return None

    def _decipher(self, octets: bytes, from_client: bool) -> bytes | None:
        """The plaintext of a ciphered APDU; None where it is in clear. `DlmsError` where the keys do not open it."""
        if octets[:1] == b"" or octets[0] not in PLAIN_TAGS:
            return None
        apdu = decode_apdu(octets)
        if not isinstance(apdu, CipheredApdu):
            return None
        title = self._titles[from_client]
        _, counter, plaintext = unprotect(apdu.payload, key=self._keys.guek, gak=self._keys.gak, system_title=title)
        if not from_client:
            self.recording.server_counter = max(self.recording.server_counter, counter)
        return plaintext


def _protection(initiate: bytes) -> Protection:
    """How the InitiateRequest was protected, and so the association."""
    if not initiate or initiate[0] not in PLAIN_TAGS:
        return Protection.NONE
    try:
        apdu = decode_apdu(initiate)
    except DlmsError:
        return Protection.NONE
    assert isinstance(apdu, CipheredApdu)  # its tag says so
    return PROTECTIONS[apdu.security_control.authenticated, apdu.security_control.encrypted]
