"""The application association, client side: what both sides agree on before the first request, and how it ends.

    client                                   server
    AARQ  (context, mechanism, secret)  -->
                                        <--  AARE (accepted, or why not)            none, LLS: associated
    ACTION reply_to_HLS f(StoC)         -->                                         HLS: passes 3 and 4 of the mutual
                                        <--  ACTION response f(CtoS)                proof, then associated
    ... requests ...
    RLRQ                                -->
                                        <--  RLRE, or silence, or an error          all of them end it: the link goes down

The machine below knows the order only. What stands in the APDUs is decided in `handshake.py`; `client.py` joins both with the
link, the ciphering and the transfers. Source: IEC 62056-5-3 (ACSE services, HLS authentication), Green Book 9.2.2, 9.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from sessions.dlms.acse import mechanism_words
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError
from sessions.dlms.general_protection import GeneralProtection, PartyKeys, check_general
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.short_name_map import ShortNameMap

PROPOSED_CONFORMANCE: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.ACCESS
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.PRIORITY_MGMT_SUPPORTED
    | Conformance.EVENT_NOTIFICATION
    | Conformance.DATA_NOTIFICATION
)
"""What this client really does. A bit that is proposed may be used by the meter at once, so nothing else is proposed."""

PROPOSED_SHORT_NAME_CONFORMANCE: Final = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.INFORMATION_REPORT
)
"""The same by short names."""


class Referencing(Enum):
    """How objects are addressed; the values are the words of the association file."""

    LOGICAL_NAMES = "logical-names"
    SHORT_NAMES = "short-names"


class Protection(Enum):
    """How every APDU is protected; the values are the words of the association file."""

    NONE = "none"
    AUTHENTICATED = "authenticated"
    ENCRYPTED = "encrypted"
    AUTHENTICATED_ENCRYPTED = "authenticated-encrypted"

    @property
    def authenticated(self) -> bool:
        return self in (Protection.AUTHENTICATED, Protection.AUTHENTICATED_ENCRYPTED)

    @property
    def encrypted(self) -> bool:
        return self in (Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationParameters:
    """Everything that an association needs beside a line, a challenge and invocation counters.

    Keys are 16 octets (32 in security suite 2), system titles 8. Private keys are numbers of 32 octets (48 in suite 2), public
    keys x | y of 64 (96); see `elliptic`, and `key_files` for PEM and DER. `max_pdu_size` is what this client can receive in one
    APDU (0 and 0xFFFF: practically no limit). `server_system_title` is what the meter is expected to say, where it is known.
    `short_names` are the objects by short name, where they are known before the meter lists them.
    """

    client_sap: int = 16
    server_sap: int = 1
    authentication: AuthenticationMechanism = AuthenticationMechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    protection: Protection = Protection.NONE
    security_suite: int = 0
    client_system_title: bytes = b""
    server_system_title: bytes | None = None
    guek: bytes | None = field(default=None, repr=False)
    gak: bytes | None = field(default=None, repr=False)
    dedicated_key: bytes | None = field(default=None, repr=False)
    gbek: bytes | None = field(default=None, repr=False)
    kek: bytes | None = field(default=None, repr=False)
    client_signing_key: bytes | None = field(default=None, repr=False)  # private, ours
    client_key_agreement_key: bytes | None = field(default=None, repr=False)  # private, ours
    server_signing_key: bytes | None = None  # public, from the meter's certificate
    server_key_agreement_key: bytes | None = None  # public, from the meter's certificate
    general: GeneralProtection | None = None
    conformance: Conformance | None = None
    max_pdu_size: int = 0xFFFF
    referencing: Referencing = Referencing.LOGICAL_NAMES
    short_names: ShortNameMap | None = None

    @property
    def by_short_names(self) -> bool:
        return self.referencing is Referencing.SHORT_NAMES

    @property
    def proposed_conformance(self) -> Conformance:
        """`conformance`, or all that this client can do."""
        if self.conformance is not None:
            return self.conformance
        return PROPOSED_SHORT_NAME_CONFORMANCE if self.by_short_names else PROPOSED_CONFORMANCE

    @property
    def ciphered_context(self) -> bool:
        """Whether the application context is one with ciphering, and the titles are exchanged."""
        return self.protection is not Protection.NONE or self.general is not None

    @property
    def party_keys(self) -> PartyKeys:
        """The keys of this end of the conversation, for general-ciphering and general-signing."""
        return PartyKeys(
            suite=self.security_suite,
            guek=self.guek or b"",
            gbek=self.gbek or b"",
            gak=self.gak or b"",
            kek=self.kek or b"",
            signing_key=self.client_signing_key,
            key_agreement_key=self.client_key_agreement_key,
            peer_signing_key=self.server_signing_key,
            peer_key_agreement_key=self.server_key_agreement_key,
        )

    @property
    def needs_counters(self) -> bool:
        """Whether invocation counters of the global key are used up: by ciphering, and by the GMAC of HLS."""
        return self.protection is not Protection.NONE or self.authentication is AuthenticationMechanism.HLS_GMAC


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What both sides agreed on. `hdlc` holds the link's negotiated parameters, None on the wrapper."""

    conformance: Conformance
    server_max_receive_pdu_size: int = 0
    vaa_name: int = 0x0007
    dlms_version: int = 6
    server_system_title: bytes | None = None
    hdlc: HdlcParameters | None = None
    remarks: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """JSON-ready: conformance as the standard's names, the title as hexadecimal digits."""
        title = self.server_system_title
        return {
            "conformance": list(self.conformance.names),
            "server_max_receive_pdu_size": self.server_max_receive_pdu_size,
            "vaa_name": self.vaa_name,
            "dlms_version": self.dlms_version,
            "server_system_title": None if title is None else title.hex().upper(),
            "hdlc": None if self.hdlc is None else self.hdlc.as_json(),
            "remarks": list(self.remarks),
        }


class AssociationState(Enum):
    """Where the association stands."""

    IDLE = auto()
    LINK_PENDING = auto()
    ASSOCIATION_PENDING = auto()
    HLS_PENDING = auto()
    ASSOCIATED = auto()
    RELEASE_PENDING = auto()
    DISCONNECT_PENDING = auto()
    FAILED = auto()  # the link may still stand, nothing but a disconnect is left
    CLOSED = auto()


class AssociationEvent(Enum):
    """What moves the association."""

    OPEN = auto()
    LINK_UP = auto()
    AARE_ACCEPTED = auto()
    AARE_HLS_REQUIRED = auto()
    SERVER_PROVEN = auto()
    RELEASE = auto()
    RELEASED = auto()  # RLRE, or any other answer to the RLRQ, or its silence
    ABANDON = auto()  # disconnect without a release
    FAILURE = auto()
    LINK_DOWN = auto()


OURS: Final = frozenset({AssociationEvent.OPEN, AssociationEvent.RELEASE, AssociationEvent.ABANDON})
"""Events that the local user causes: an illegal one is our fault."""

_S, _E = AssociationState, AssociationEvent
_ENDINGS: Final = {_E.ABANDON: _S.DISCONNECT_PENDING, _E.FAILURE: _S.FAILED, _E.LINK_DOWN: _S.CLOSED}

TRANSITIONS: Final[Mapping[AssociationState, Mapping[AssociationEvent, AssociationState]]] = {
    _S.IDLE: {_E.OPEN: _S.LINK_PENDING, _E.ABANDON: _S.CLOSED, _E.LINK_DOWN: _S.CLOSED},
    _S.LINK_PENDING: {_E.LINK_UP: _S.ASSOCIATION_PENDING, **_ENDINGS},
    _S.ASSOCIATION_PENDING: {_E.AARE_ACCEPTED: _S.ASSOCIATED, _E.AARE_HLS_REQUIRED: _S.HLS_PENDING, **_ENDINGS},
    _S.HLS_PENDING: {_E.SERVER_PROVEN: _S.ASSOCIATED, **_ENDINGS},
    _S.ASSOCIATED: {_E.RELEASE: _S.RELEASE_PENDING, **_ENDINGS},
    _S.RELEASE_PENDING: {_E.RELEASED: _S.DISCONNECT_PENDING, **_ENDINGS},
    _S.DISCONNECT_PENDING: {_E.ABANDON: _S.DISCONNECT_PENDING, _E.FAILURE: _S.CLOSED, _E.LINK_DOWN: _S.CLOSED},
    _S.FAILED: {_E.ABANDON: _S.DISCONNECT_PENDING, _E.FAILURE: _S.FAILED, _E.LINK_DOWN: _S.CLOSED},
    _S.CLOSED: {_E.ABANDON: _S.CLOSED, _E.FAILURE: _S.CLOSED, _E.LINK_DOWN: _S.CLOSED},
}


class AssociationMachine:
    """The state of one association."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state = AssociationState.IDLE

    def fire(self, event: AssociationEvent) -> None:
        """Move to the next state, or blame the guilty side and stay put."""
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            blame = LocalProtocolError if event in OURS else RemoteProtocolError
            raise blame(f"{event.name} is illegal in {self.state.name}", layer="association") from None


# -- parameters that fit together --------------------------------------------------------------------------------------

SYSTEM_TITLE_OCTETS: Final = 8
KEY_OCTETS: Final = {0: 16, 1: 16, 2: 32}
CHALLENGE_OCTETS: Final = range(8, 65)
TITLED_MECHANISMS: Final = frozenset({AuthenticationMechanism.HLS_GMAC, AuthenticationMechanism.HLS_SHA256})
SECRET_MECHANISMS: Final = frozenset(
    {
        AuthenticationMechanism.LLS,
        AuthenticationMechanism.HLS_MD5,
        AuthenticationMechanism.HLS_SHA1,
        AuthenticationMechanism.HLS_SHA256,
    }
)
CHALLENGING_MECHANISMS: Final = frozenset(AuthenticationMechanism) - {
    AuthenticationMechanism.NONE,
    AuthenticationMechanism.LLS,
}
UNSUPPORTED_MECHANISMS: Final = frozenset({AuthenticationMechanism.HLS_MANUFACTURER, AuthenticationMechanism.HLS_ECDSA})


def check_parameters(parameters: AssociationParameters) -> None:
    """Refuse parameters that cannot work together: LocalProtocolError names what is missing, by its field name."""
    mechanism, protection = parameters.authentication, parameters.protection
    if mechanism in UNSUPPORTED_MECHANISMS:
        raise _unfit(f"authentication: {mechanism_words(mechanism)} is not supported", "not-supported")
    if mechanism in SECRET_MECHANISMS and not parameters.secret:
        raise _unfit(f"secret: {mechanism_words(mechanism)} needs one")
    ciphered = protection is not Protection.NONE
    if (parameters.ciphered_context or mechanism in TITLED_MECHANISMS) and len(
        parameters.client_system_title
    ) != SYSTEM_TITLE_OCTETS:
        raise _unfit(f"client_system_title: {SYSTEM_TITLE_OCTETS} octets are needed")
    if parameters.needs_counters:
        _check_key("guek", parameters.guek, parameters.security_suite)
    if protection.authenticated or mechanism is AuthenticationMechanism.HLS_GMAC:
        _check_key("gak", parameters.gak, parameters.security_suite)
    if parameters.dedicated_key is not None:
        if not ciphered:
            raise _unfit("dedicated_key: it may only travel in a protected association; set protection")
        _check_key("dedicated_key", parameters.dedicated_key, parameters.security_suite)
    if parameters.general is not None:
        check_general(parameters.general, parameters.party_keys)
        if parameters.general.ciphering is not None and not ciphered:
            raise _unfit(
                "protection: general-ciphering needs one, which says what it does: set authenticated-encrypted"
            )
        if parameters.general.ciphering is not None and parameters.dedicated_key is not None:
            raise _unfit("dedicated_key: general-ciphering uses none; leave it out")


def _check_key(name: str, key: bytes | None, suite: int) -> None:
    size = KEY_OCTETS[suite]
    if key is None or len(key) != size:
        found = "none is given" if key is None else f"{len(key)} are given"
        raise _unfit(f"{name}: {size} octets are needed in security suite {suite}, {found}")


def _unfit(message: str, code: str = "bad-parameters") -> LocalProtocolError:
    return LocalProtocolError(message, layer="configuration", code=code)
