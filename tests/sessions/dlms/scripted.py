"""A meter and a wire in memory, for tests of the client: the same codecs, no sockets, no clock.

`ScriptedMeter` answers like a good meter; a test replaces single answers by `meter.script[kind] = function`. `Wire` joins a
client and the meter through real links of both sides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from meters.cosem.data import Data, array, double_long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.acse import (
    AUTHENTICATION_FUNCTIONAL_UNIT,
    Aare,
    Aarq,
    AcseDiagnostic,
    ApplicationContext,
    ResultSourceDiagnostic,
    Rlre,
    Rlrq,
)
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import (
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithPblock,
)
from sessions.dlms.apdu.ciphered import DED_TAGS, GLO_TAGS, CipheredApdu, GeneralCipheredApdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
)
from sessions.dlms.apdu.get import (
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
)
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.association import AssociationParameters, AssociationState, Protection
from sessions.dlms.authentication import AuthenticationMechanism, HlsContext, server_response, verify_client_response
from sessions.dlms.axdr import decode_data, encode_data
from sessions.dlms.client import DlmsClient
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.elliptic import public_of
from sessions.dlms.events import Associated, ClientEvent, Failed
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.initiate import InitiateRequest, InitiateResponse
from sessions.dlms.link import ApduReceived, FrameReceived, FrameSent, OctetsDiscarded
from sessions.dlms.security import SecurityControl, protect, unprotect
from sessions.dlms.wrapper import WrapperLink, WrapperServerLink

from .parties import private_keys

GUEK = bytes.fromhex("000102030405060708090A0B0C0D0E0F")
GAK = bytes.fromhex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
DEDICATED = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CLIENT_TITLE = bytes.fromhex("4D4D4D0000000001")
SERVER_TITLE = bytes.fromhex("4D4D4D0000BC614E")
SECRET = b"12345678"
CTOS = b"K56iVagY"
STOC = b"P6wRJ21F"
CONFORMANCE = Conformance(0x00401C1D)
"""get, set, action, selective access, all three block transfers and general protection."""

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
NAME = CosemAttributeDescriptor(1, ObisCode(0, 0, 42, 0, 0, 255), 2)
EXECUTE = CosemMethodDescriptor(9, ObisCode(0, 0, 10, 0, 100, 255), 1)
LONG = array(*(structure(octet_string(bytes(12)), double_long_unsigned(n)) for n in range(40)))
NOTIFICATION = DataNotification(1, None, unsigned(7))

Answer = Callable[[Any], Any]


def parameters(
    authentication: AuthenticationMechanism = AuthenticationMechanism.NONE,
    protection: Protection = Protection.NONE,
    **changes: Any,
) -> AssociationParameters:
    """Parameters with every key in place."""
    values: dict[str, Any] = {
        "authentication": authentication,
        "protection": protection,
        "secret": SECRET,
        "client_system_title": CLIENT_TITLE,
        "guek": GUEK,
        "gak": GAK,
    }
    return AssociationParameters(**{**values, **changes})


def suite_parameters(
    suite: int,
    authentication: AuthenticationMechanism = AuthenticationMechanism.NONE,
    protection: Protection = Protection.NONE,
    **changes: Any,
) -> AssociationParameters:
    """Parameters with every key of a security suite in place."""
    size = 32 if suite == 2 else 16
    values: dict[str, Any] = {
        "security_suite": suite,
        "guek": GUEK.ljust(size, b"\x77"),
        "gak": GAK.ljust(size, b"\x88"),
    }
    if suite:
        private = private_keys(suite)
        values["client_signing_key"] = private["client_signing"]
        values["server_signing_key"] = public_of(private["server_signing"])
    return parameters(authentication, protection, **{**values, **changes})


def dedicated_key(suite: int) -> bytes:
    return DEDICATED.ljust(32 if suite == 2 else 16, b"\x99")


class ScriptedMeter:
    """A meter with a few objects. `script` maps an APDU class to a function that answers it instead.

    What such a function returns is sent: an APDU, octets as they are, a list of both, or None for silence.
    """

    def __init__(self, agreed: AssociationParameters, *, max_pdu: int = 0, reply_block: int | None = None) -> None:
        self.agreed = agreed
        self.max_pdu = max_pdu
        self.conformance = CONFORMANCE
        self.reply_block = reply_block
        self.objects: dict[CosemAttributeDescriptor, Data | DataAccessResult] = {}
        self.methods: dict[CosemMethodDescriptor, tuple[ActionResult, Data | None]] = {}
        self.invoked: list[tuple[CosemMethodDescriptor, Data | None]] = []
        self.script: dict[type, Answer] = {}
        self.requests: list[Any] = []
        self.sizes: list[int] = []
        self.client_counters: list[tuple[bool, int]] = []
        self.counters = {False: InvocationCounters(range(1000, 2000)), True: InvocationCounters(range(1000))}
        self.ciphered_with: SecurityControl | None = None
        self.dedicated = False
        self.general = False
        self.answer_in_general: bool | None = None
        self.challenge = b""
        self.stoc = STOC if len(STOC) in agreed.authentication.challenge_sizes else STOC * 4
        self.reply_counter: Callable[[int], int] = lambda counter: counter
        self._sending: deque[bytes] = deque()
        self._sent = 0
        self._receiving: tuple[Any, bytes] = (None, b"")

    # -- one APDU in, some out ---------------------------------------------------------------------------------------

    def __call__(self, octets: bytes) -> list[bytes]:
        self.sizes.append(len(octets))
        apdu = self._open(octets)
        self.requests.append(apdu)
        scripted = self.script.get(type(apdu))
        answer = scripted(apdu) if scripted is not None else self.answer(apdu)
        answers = answer if isinstance(answer, list) else [answer]
        return [self._close(each) for each in answers if each is not None]

    def _open(self, octets: bytes) -> Any:
        apdu = decode_apdu(octets)
        if not isinstance(apdu, CipheredApdu | GeneralCipheredApdu):
            return apdu
        self.dedicated, self.general = apdu.dedicated, isinstance(apdu, GeneralCipheredApdu)
        self.client_counters.append((apdu.dedicated, apdu.invocation_counter))
        key, gak = self._key(apdu.dedicated), self.agreed.gak or b""
        self.ciphered_with, _, plain = unprotect(apdu.payload, key=key, gak=gak, system_title=CLIENT_TITLE)
        return decode_apdu(plain)

    def _key(self, dedicated: bool) -> bytes:
        return (self.agreed.dedicated_key if dedicated else self.agreed.guek) or b""

    def _close(self, answer: Any) -> bytes:
        if isinstance(answer, bytes):
            return answer
        octets = answer.encode()
        if self.ciphered_with is None or octets[0] not in GLO_TAGS or isinstance(answer, Aare | Rlre):
            return octets
        return self.cipher(octets, dedicated=self.dedicated)

    def cipher(self, octets: bytes, *, dedicated: bool = False, **changes: Any) -> bytes:
        """An answer protected as the request was, unless `changes` (arguments of `protect`) say otherwise."""
        arguments: dict[str, Any] = {
            "control": self.ciphered_with,
            "key": self._key(dedicated),
            "gak": self.agreed.gak,
            "system_title": SERVER_TITLE,
        }
        if "invocation_counter" not in changes:
            arguments["invocation_counter"] = self.reply_counter(self.counters[dedicated].take())
        payload = protect(octets, **{**arguments, **changes})
        if self.general if self.answer_in_general is None else self.answer_in_general:
            tag = ApduTag.GENERAL_DED_CIPHERING if dedicated else ApduTag.GENERAL_GLO_CIPHERING
            return Writer().u8(tag).octet_string(SERVER_TITLE).octet_string(payload).octets()
        tags = DED_TAGS if dedicated else GLO_TAGS
        return Writer().u8(tags[octets[0]]).octet_string(payload).octets()

    # -- a good meter ------------------------------------------------------------------------------------------------

    def answer(self, apdu: Any) -> Any:
        match apdu:
            case Aarq():
                return self.aare(apdu)
            case Rlrq():
                return Rlre()
            case GetRequestNormal():
                return self._get(apdu)
            case GetRequestWithList():
                wanted = [descriptor for descriptor, _ in apdu.attribute_descriptor_list]
                results = tuple(self.objects.get(name, DataAccessResult.OBJECT_UNDEFINED) for name in wanted)
                return GetResponseWithList(apdu.invoke_id_and_priority, results)
            case GetRequestNext():
                assert apdu.block_number == self._sent
                return self._next_block(apdu.invoke_id_and_priority)
            case SetRequestNormal():
                self.objects[apdu.cosem_attribute_descriptor] = apdu.value
                return SetResponseNormal(apdu.invoke_id_and_priority, DataAccessResult.SUCCESS)
            case SetRequestWithFirstDatablock() | SetRequestWithDatablock():
                return self._set_block(apdu)
            case ActionRequestNormal():
                return self.invoke(apdu, apdu.cosem_method_descriptor, apdu.method_invocation_parameters)
            case ActionRequestWithFirstPblock() | ActionRequestWithPblock():
                return self._action_block(apdu)
            case ActionRequestNextPblock():
                return self._next_pblock(apdu.invoke_id_and_priority)
        raise AssertionError(f"the client sent {apdu}")

    def aare(self, aarq: Aarq, **changes: Any) -> Aare:
        """What accepts this AARQ; `changes` are fields of the AARE."""
        hls = self.agreed.authentication.is_hls
        self.challenge = aarq.calling_authentication_value or b""
        mechanism = aarq.mechanism_name
        diagnostic = AcseDiagnostic.AUTHENTICATION_REQUIRED if hls else AcseDiagnostic.NULL
        values: dict[str, Any] = {
            "application_context_name": aarq.application_context_name,
            "result_source_diagnostic": ResultSourceDiagnostic(diagnostic=diagnostic),
            "responding_ap_title": SERVER_TITLE if aarq.calling_ap_title else None,
            "responder_acse_requirements": AUTHENTICATION_FUNCTIONAL_UNIT if hls else None,
            "mechanism_name": mechanism if hls else None,
            "responding_authentication_value": self.stoc if hls else None,
        }
        if "user_information" not in changes:
            values["user_information"] = self.initiate_response(aarq)
        return Aare(**{**values, **changes})

    def initiate_response(self, aarq: Aarq, **changes: Any) -> bytes:
        request = self._open(aarq.user_information)
        assert isinstance(request, InitiateRequest)
        ciphered = aarq.application_context_name == ApplicationContext.LN_CIPHERED
        assert ciphered == (self.ciphered_with is not None)
        values: dict[str, Any] = {
            "negotiated_conformance": self.conformance & request.proposed_conformance,
            "server_max_receive_pdu_size": self.max_pdu,
        }
        octets = InitiateResponse(**{**values, **changes}).encode()
        return self.cipher(octets) if ciphered else octets

    def hls_context(self) -> HlsContext:
        return HlsContext(
            mechanism=self.agreed.authentication,
            secret=SECRET,
            key=self.agreed.guek or b"",
            gak=self.agreed.gak or b"",
            suite=self.agreed.security_suite,
            signing_key=private_keys(self.agreed.security_suite)["server_signing"]
            if self.agreed.security_suite
            else None,
            peer_signing_key=public_of(self.agreed.client_signing_key) if self.agreed.client_signing_key else None,
            manufacturer=self.agreed.manufacturer,
            client_system_title=CLIENT_TITLE,
            server_system_title=SERVER_TITLE,
            client_to_server=self.challenge,
            server_to_client=self.stoc,
        )

    def invoke(self, apdu: Any, descriptor: CosemMethodDescriptor, data: Data | None) -> Any:
        invocation = apdu.invoke_id_and_priority
        if descriptor == REPLY_TO_HLS:
            counter = verify_client_response(self.hls_context(), data.value)
            if counter is not None:
                self.client_counters.append((False, counter))
                counter = self.counters[False].take()
            proof = server_response(self.hls_context(), invocation_counter=counter)
            return ActionResponseNormal(invocation, ActionResult.SUCCESS, octet_string(proof))
        self.invoked.append((descriptor, data))
        result, returned = self.methods.get(descriptor, (ActionResult.OBJECT_UNDEFINED, None))
        if returned is None or self.reply_block is None:
            return ActionResponseNormal(invocation, result, returned)
        self._load(bytes((result, 1, 0)) + encode_data(returned))
        return self._next_pblock(invocation)

    def _get(self, apdu: GetRequestNormal) -> Any:
        value = self.objects.get(apdu.cosem_attribute_descriptor, DataAccessResult.OBJECT_UNDEFINED)
        if isinstance(value, DataAccessResult) or self.reply_block is None:
            return GetResponseNormal(apdu.invoke_id_and_priority, value)
        self._load(encode_data(value))
        return self._next_block(apdu.invoke_id_and_priority)

    def _load(self, octets: bytes) -> None:
        size = self.reply_block or len(octets)
        self._sending = deque(octets[at : at + size] for at in range(0, len(octets), size))
        self._sent = 0

    def _next_block(self, invocation: Any) -> GetResponseWithDatablock:
        part, self._sent = self._sending.popleft(), self._sent + 1
        return GetResponseWithDatablock(invocation, not self._sending, self._sent, part)

    def _next_pblock(self, invocation: Any) -> ActionResponseWithPblock:
        part, self._sent = self._sending.popleft(), self._sent + 1
        return ActionResponseWithPblock(invocation, not self._sending, self._sent, part)

    def _set_block(self, apdu: Any) -> Any:
        if isinstance(apdu, SetRequestWithFirstDatablock):
            self._receiving = (apdu.cosem_attribute_descriptor, b"")
        descriptor, octets = self._receiving
        self._receiving = (descriptor, octets + apdu.raw_data)
        if not apdu.last_block:
            return SetResponseDatablock(apdu.invoke_id_and_priority, apdu.block_number)
        self.objects[descriptor] = decode_data(self._receiving[1])
        return SetResponseLastDatablock(apdu.invoke_id_and_priority, DataAccessResult.SUCCESS, apdu.block_number)

    def _action_block(self, apdu: Any) -> Any:
        if isinstance(apdu, ActionRequestWithFirstPblock):
            self._receiving = (apdu.cosem_method_descriptor, b"")
        descriptor, octets = self._receiving
        self._receiving = (descriptor, octets + apdu.raw_data)
        if not apdu.last_block:
            return ActionResponseNextPblock(apdu.invoke_id_and_priority, apdu.block_number)
        return self.invoke(apdu, descriptor, decode_data(self._receiving[1]))


class Wire:
    """A client and a meter, joined. `now` only moves when a test says so."""

    def __init__(
        self, agreed: AssociationParameters, meter: ScriptedMeter | None = None, *, hdlc: bool = False, **client: Any
    ) -> None:
        self.now = 0.0
        self.meter = meter or ScriptedMeter(agreed)
        self.events: list[ClientEvent] = []
        self.frames: list[Any] = []
        if hdlc:
            link: Any = HdlcClientLink(client_sap=agreed.client_sap, server_sap=1, response_timeout=5.0)
            self.server: Any = HdlcServerLink(server_sap=1)
        else:
            link = WrapperLink(client_sap=agreed.client_sap, server_sap=1, response_timeout=5.0)
            self.server = WrapperServerLink(server_sap=1)
            self.server.client_sap = agreed.client_sap
        counters = InvocationCounters(range(100, 1000)) if agreed.needs_counters else None
        challenge = CTOS if len(CTOS) in agreed.authentication.challenge_sizes else CTOS * 4
        self.client = DlmsClient(agreed, link, **{"challenge": challenge, "counters": counters, **client})

    def pump(self) -> None:
        """Carry octets both ways until nobody has anything to say."""
        while octets := self.client.octets_to_send():
            self.server.receive_octets(octets, self.now)
            while (event := self.server.next_event()) is not None:
                if isinstance(event, ApduReceived):
                    for answer in self.meter(event.apdu):
                        self.server.send_apdu(answer, self.now)
            self._deliver()
        self._take()

    def say(self, apdus: Iterable[bytes]) -> None:
        """The meter sends something unasked."""
        for apdu in apdus:
            self.server.send_apdu(apdu, self.now)
        self._deliver()
        self.pump()

    def _deliver(self) -> None:
        octets = self.server.octets_to_send()
        if octets:
            self.client.receive_octets(octets, self.now)

    def _take(self) -> None:
        while (event := self.client.next_event()) is not None:
            lines = self.frames if isinstance(event, FrameSent | FrameReceived | OctetsDiscarded) else self.events
            lines.append(event)

    def wait(self, seconds: float) -> None:
        """Let time pass, and timers fire."""
        end = self.now + seconds
        while (timer := self.client.next_timer()) is not None and timer <= end:
            self.now = max(self.now, timer)
            self.client.handle_timer(self.now)
            self.pump()
        self.now = end

    def hang_up(self) -> None:
        self.client.connection_lost(self.now)
        self.pump()

    def open(self) -> Any:
        """Associate; the last event."""
        self.client.open(self.now)
        self.pump()
        return self.events[-1] if self.events else None


AUTHENTICATED_ENCRYPTED = parameters(AuthenticationMechanism.HLS_GMAC, Protection.AUTHENTICATED_ENCRYPTED)


def associated(agreed=None, **options) -> Wire:
    """A wire with an open association, its meter filled, its events taken."""
    wire = Wire(agreed or parameters(), **options)
    wire.meter.objects[CLOCK] = octet_string(b"\x07\xe6\x08\x0f\x01\x15\x08\x0d\x00\x00\xb4\x00")
    wire.meter.methods[EXECUTE] = (ActionResult.SUCCESS, None)
    assert isinstance(wire.open(), Associated)
    wire.events.clear()
    return wire


def get(wire: Wire, descriptor=CLOCK) -> list[object]:
    wire.client.get(descriptor, now=wire.now)
    wire.pump()
    return wire.events


def failure(wire: Wire, error_type=None):
    """The error of the last event, which must be the end."""
    event = wire.events[-1]
    assert isinstance(event, Failed)
    if error_type is not None:
        assert type(event.error) is error_type
    assert wire.client.state in (AssociationState.FAILED, AssociationState.CLOSED)
    return event.error


def reject(wire: Wire, **changes):
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(aarq, **changes)
    wire.open()
    return failure(wire)
