"""The application association, client side: what both sides agree on before the first request, and how it ends.

    client                                   server
    AARQ  (context, mechanism, secret)  -->
                                        <--  AARE (accepted, or why not)            none, LLS: associated
    ACTION reply_to_HLS f(StoC)         -->                                         HLS: passes 3 and 4 of the mutual
                                        <--  ACTION response f(CtoS)                proof, then associated
    ... requests ...
    RLRQ                                -->
                                        <--  RLRE, or silence, or an error          all of them end it: the link goes down

By short names reply_to_HLS is a READ of its name with parameterised access, or a WRITE and a READ where that was not agreed.

A pre-established association needs none of this: it stands as soon as the link does, and goes down with it.

The machine below knows the order only. What stands in the APDUs is decided in `handshake.py`; `client.py` joins both with the
link, the ciphering and the transfers. Source: IEC 62056-5-3 (ACSE services, HLS authentication), Green Book 9.2.2, 9.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from meters.cosem.data import BitString
from sessions.dlms.acse import mechanism_words
from sessions.dlms.authentication import AuthenticationMechanism, ManufacturerResponse, aes_response
from sessions.dlms.conformance import Conformance
from sessions.dlms.elliptic import check_private_key, check_public_key
from sessions.dlms.errors import LocalProtocolError, RemoteProtocolError
from sessions.dlms.general_block_transfer import DEFAULT_WINDOW
from sessions.dlms.general_protection import GeneralProtection, PartyKeys, check_general
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.protection import CipheringForm
from sessions.dlms.protection import Protection as Protection
from sessions.dlms.short_name_map import ShortNameMap

PROPOSED_CONFORMANCE: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.ACCESS
    | Conformance.GENERAL_BLOCK_TRANSFER
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
    | Conformance.PRIORITY_MGMT_SUPPORTED
    | Conformance.EVENT_NOTIFICATION
    | Conformance.DATA_NOTIFICATION
    | Conformance.GENERAL_PROTECTION
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
    | Conformance.DATA_NOTIFICATION
    | Conformance.GENERAL_BLOCK_TRANSFER
    | Conformance.GENERAL_PROTECTION
)
"""The same by short names."""


class Referencing(Enum):
    """How objects are addressed; the values are the words of the association file."""

    LOGICAL_NAMES = "logical-names"
    SHORT_NAMES = "short-names"


@dataclass(frozen=True, slots=True, kw_only=True)
class AarqFields:
    """Fields of the AARQ that most meters never look at, and some insist on. None: not sent."""

    protocol_version: BitString | None = None
    called_ap_title: bytes | None = None
    called_ae_qualifier: bytes | None = None
    called_ap_invocation_id: int | None = None
    called_ae_invocation_id: int | None = None
    calling_ae_qualifier: bytes | None = None  # HLS ECDSA: our certificate for signing
    calling_ap_invocation_id: int | None = None
    implementation_information: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociationParameters:
    """Everything that an association needs beside a line, a challenge and invocation counters.

    Keys are 16 octets (32 in security suite 2), system titles 8. Private keys are numbers of 32 octets (48 in suite 2), public
    keys x | y of 64 (96); see `elliptic`, and `key_files` for PEM and DER. `max_pdu_size` is what this client can receive in one
    APDU (0 and 0xFFFF: practically no limit). `server_system_title` is what the meter is expected to say, where it is known.
    `short_names` are the objects by short name, where they are known before the meter lists them.

    `protection` is what our APDUs carry, `response_protection` the least that the meter's must (None: as much). `user_id` travels
    as calling-AE-invocation-id. A `pre_established` association has no AARQ: it stands when the link does, with `conformance` and
    `server_max_receive_pdu_size` as the meter is configured. `manufacturer` is what HLS 2 makes of secret and challenge.
    """

    client_sap: int = 16
    server_sap: int = 1
    authentication: AuthenticationMechanism = AuthenticationMechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    manufacturer: ManufacturerResponse = aes_response
    protection: Protection = Protection.NONE
    response_protection: Protection | None = None
    ciphering_form: CipheringForm = CipheringForm.AUTO
    always_ciphered_context: bool = False  # even where nothing is protected
    security_suite: int = 0
    client_system_title: bytes = b""
    server_system_title: bytes | None = None
    user_id: int | None = None
    aarq_fields: AarqFields = AarqFields()
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
    block_window: int = DEFAULT_WINDOW
    referencing: Referencing = Referencing.LOGICAL_NAMES
    short_names: ShortNameMap | None = None
    pre_established: bool = False
    server_max_receive_pdu_size: int = 0

    @property
    def by_short_names(self) -> bool:
        return self.referencing is Referencing.SHORT_NAMES

    @property
    def demanded_protection(self) -> Protection:
        """The least that every answer needs."""
        return self.protection if self.response_protection is None else self.response_protection

    @property
    def ciphered(self) -> bool:
        """Whether anything is protected, in either direction."""
        return self.protection is not Protection.NONE or self.demanded_protection is not Protection.NONE

    @property
    def ciphered_context(self) -> bool:
        """Whether the application context is one with ciphering, and the titles are exchanged."""
        return self.ciphered or self.general is not None or self.always_ciphered_context

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

    @property
    def titled(self) -> bool:
        """Whether our system title is told, and the meter's needed."""
        return self.ciphered_context or self.authentication in TITLED_MECHANISMS

    @property
    def proposed_conformance(self) -> Conformance:
        """`conformance`, or all that this client can do: general-protection only where something is protected, and may be so."""
        wanted = self.conformance
        if wanted is None:
            wanted = PROPOSED_SHORT_NAME_CONFORMANCE if self.by_short_names else PROPOSED_CONFORMANCE
        in_general = self.ciphered and self.ciphering_form is not CipheringForm.SERVICE_SPECIFIC
        if in_general or self.general is not None:
            return wanted
        return wanted & ~Conformance.GENERAL_PROTECTION

    @property
    def challenge_octets(self) -> int:
        """How long our challenge should be."""
        return max(USUAL_CHALLENGE_OCTETS, self.authentication.challenge_sizes.start)


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
    LINK_UP_ASSOCIATED = auto()  # a pre-established association needs no more
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
    _S.LINK_PENDING: {_E.LINK_UP: _S.ASSOCIATION_PENDING, _E.LINK_UP_ASSOCIATED: _S.ASSOCIATED, **_ENDINGS},
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
USUAL_CHALLENGE_OCTETS: Final = 16
USER_IDS: Final = range(256)
TITLED_MECHANISMS: Final = frozenset(
    {
        AuthenticationMechanism.HLS_GMAC,
        AuthenticationMechanism.HLS_SHA256,
        AuthenticationMechanism.HLS_ECDSA,
    }
)
SECRET_MECHANISMS: Final = frozenset(
    {
        AuthenticationMechanism.LLS,
        AuthenticationMechanism.HLS_MANUFACTURER,
        AuthenticationMechanism.HLS_MD5,
        AuthenticationMechanism.HLS_SHA1,
        AuthenticationMechanism.HLS_SHA256,
    }
)


def check_parameters(parameters: AssociationParameters) -> None:
    """Refuse parameters that cannot work together: LocalProtocolError names what is missing, by its field name."""
    if parameters.security_suite not in KEY_OCTETS:
        raise _unfit(f"security_suite: 0, 1 or 2, not {parameters.security_suite}")
    if parameters.titled and len(parameters.client_system_title) != SYSTEM_TITLE_OCTETS:
        raise _unfit(f"client_system_title: {SYSTEM_TITLE_OCTETS} octets are needed")
    if parameters.titled and parameters.client_system_title == parameters.server_system_title:
        raise _unfit("server_system_title: it is the client's; two sides with one title would use one nonce twice")
    if parameters.user_id is not None and parameters.user_id not in USER_IDS:
        raise _unfit("user_id: 0 to 255")
    if parameters.pre_established:
        _check_pre_established(parameters)
    _check_mechanism(parameters)
    _check_symmetric_keys(parameters)
    if parameters.general is not None:
        _check_general(parameters, parameters.general)


def _check_mechanism(parameters: AssociationParameters) -> None:
    mechanism = parameters.authentication
    if mechanism in SECRET_MECHANISMS and not parameters.secret:
        raise _unfit(f"secret: {mechanism_words(mechanism)} needs one")
    if mechanism is AuthenticationMechanism.HLS_MANUFACTURER:
        parameters.manufacturer(parameters.secret, bytes(USUAL_CHALLENGE_OCTETS))  # complains of what it cannot use
    if mechanism is AuthenticationMechanism.HLS_ECDSA:
        if parameters.security_suite == 0:
            raise _unfit("security_suite: HLS ECDSA needs suite 1 (P-256) or 2 (P-384)")
        check_private_key(parameters.client_signing_key, parameters.security_suite, "client_signing_key")
        check_public_key(parameters.server_signing_key, parameters.security_suite, "server_signing_key")


def _check_symmetric_keys(parameters: AssociationParameters) -> None:
    gmac = parameters.authentication is AuthenticationMechanism.HLS_GMAC
    if parameters.ciphered or gmac:
        _check_key("guek", parameters.guek, parameters.security_suite)
    if gmac or (parameters.protection | parameters.demanded_protection).authenticated:
        _check_key("gak", parameters.gak, parameters.security_suite)
    if parameters.dedicated_key is not None:
        # The initiate request that carries it must not be readable by others.
        if not parameters.protection.encrypted:
            raise _unfit("dedicated_key: it may only travel encrypted; set protection")
        _check_key("dedicated_key", parameters.dedicated_key, parameters.security_suite)


def _check_general(parameters: AssociationParameters, general: GeneralProtection) -> None:
    check_general(general, parameters.party_keys)
    if general.ciphering is None:
        return
    if parameters.protection is Protection.NONE:
        raise _unfit("protection: general-ciphering needs one, which says what it does: set authenticated-encrypted")
    if parameters.dedicated_key is not None:
        raise _unfit("dedicated_key: general-ciphering uses none; leave it out")


def _check_pre_established(parameters: AssociationParameters) -> None:
    """Nothing can be told or proved where there is no AARQ and no AARE."""
    if parameters.authentication is not AuthenticationMechanism.NONE:
        raise _unfit("authentication: a pre-established association has none")
    if parameters.dedicated_key is not None:
        raise _unfit("dedicated_key: a pre-established association has no request that would carry it")
    if parameters.ciphered and len(parameters.server_system_title or b"") != SYSTEM_TITLE_OCTETS:
        raise _unfit("server_system_title: a pre-established association learns it from nobody; 8 octets are needed")


def _check_key(name: str, key: bytes | None, suite: int) -> None:
    size = KEY_OCTETS[suite]
    if key is None or len(key) != size:
        found = "none is given" if key is None else f"{len(key)} are given"
        raise _unfit(f"{name}: {size} octets are needed in security suite {suite}, {found}")


def _unfit(message: str, code: str = "bad-parameters") -> LocalProtocolError:
    return LocalProtocolError(message, layer="configuration", code=code)
