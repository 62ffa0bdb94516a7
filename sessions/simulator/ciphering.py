"""The server's side of protection: opens what clients protect, and answers in the same kind of envelope.

A request is believed when its keys fit, its counter is new, and it is protected at least as the association demands. The answer
mirrors the request: global key for global, dedicated for dedicated, service-specific tag or general envelope. Errors of
protection are answered in clear, by exception-response. General-ciphering and general-signing are answered in kind too; they may
stand inside of another envelope. Source: IEC 62056-5-3, Green Book 9.2.7.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sessions.dlms.apdu.ciphered import (
    DED_TAGS,
    GENERAL_DED_TAG,
    GENERAL_GLO_TAG,
    GLO_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GeneralCipheredApdu,
    read_ciphered_apdu,
    read_general_ciphered_apdu,
)
from sessions.dlms.counters import LAST_COUNTER, InvocationCounters, ReceiveFloor
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import SecurityError
from sessions.dlms.protection import Protection, SecurityPolicy
from sessions.dlms.security import HEADER_OCTETS, TAG_OCTETS, TITLE_OCTETS, SecurityControl, protect, unprotect
from sessions.dlms.transactions import GENERAL_TAGS as TRANSACTION_TAGS
from sessions.dlms.transactions import Opened, Transactions
from sessions.simulator.device import MeterSecurity

CIPHERED_TAGS: Final = frozenset(PLAIN_TAGS) | {GENERAL_GLO_TAG, GENERAL_DED_TAG} | TRANSACTION_TAGS
LONGEST_LENGTH: Final = 3
"""Octets of the A-XDR length of a ciphered APDU: one announces, two count."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """How a request was protected, and so its answer will be.

    `control`, `dedicated` and `general` are those of the outer envelope; `control` None: there is none. `opened`: the
    general-ciphering and general-signing inside.
    """

    control: SecurityControl | None
    dedicated: bool = False
    general: bool = False
    opened: Opened | None = None
    suite: int = 0

    @property
    def overhead(self) -> int:
        """Octets that the protection adds to an APDU, at most."""
        inside = 0
        if self.opened is not None:  # signed or not: the policy may add a signature to the answer
            inside = replace(self.opened.shape, signed=self.suite > 0).overhead(self.suite)
        return inside + (self._overhead_outside(self.control) if self.control is not None else 0)

    def _overhead_outside(self, control: SecurityControl) -> int:
        header = 1 + LONGEST_LENGTH + HEADER_OCTETS + (TAG_OCTETS if control.authenticated else 0)
        return header + (1 + TITLE_OCTETS if self.general else 0)


class ServerCiphering:
    """Keys and counters of one association. `protection` is the least that requests need, `response_protection` the least that
    answers have; where `policed`, the security policy adds to both. `random(n)` gives n octets for the keys of general-ciphering.
    """

    def __init__(
        self, security: MeterSecurity, server_system_title: bytes, random: Callable[[int], bytes] | None = None
    ) -> None:
        self._security = security
        self._server_system_title = server_system_title
        self.client_system_title = b""
        self.protection = Protection.NONE
        self.response_protection = Protection.NONE
        self.policed = False
        self._dedicated_key: bytes | None = None
        self._dedicated_counters = InvocationCounters()
        self._dedicated_floor = ReceiveFloor()
        self._floor: ReceiveFloor = security.floor
        self._transactions = Transactions(
            security.party_keys(b""),
            server_system_title,
            random=random,
            take_counter=lambda: security.counters.take(),
            floor=security.floor,
            seen=security.seen,
        )

    @property
    def expected_counter(self) -> int:
        """The lowest counter that is believed under the key of the APDU that came last."""
        return self._floor.lowest

    def agree(self, dedicated_key: bytes | None) -> None:
        """The dedicated key of the InitiateRequest; its counters start at 0."""
        self._dedicated_key = dedicated_key
        self._dedicated_counters = InvocationCounters(range(LAST_COUNTER + 1))
        self._dedicated_floor = ReceiveFloor()

    @property
    def suffices_in_clear(self) -> bool:
        return self.demanded is Protection.NONE

    @property
    def demanded(self) -> Protection:
        """The least that a request needs."""
        policy = self._policy
        return self.protection | Protection.of(
            SecurityPolicy.AUTHENTICATED_REQUEST in policy, SecurityPolicy.ENCRYPTED_REQUEST in policy
        )

    @property
    def promised(self) -> Protection:
        """The least that an answer has."""
        policy = self._policy
        return self.response_protection | Protection.of(
            SecurityPolicy.AUTHENTICATED_RESPONSE in policy, SecurityPolicy.ENCRYPTED_RESPONSE in policy
        )

    @property
    def _policy(self) -> SecurityPolicy:
        """What the security policy asks of this client, in the bits of version 1."""
        return self._security.policy_bits if self.policed else SecurityPolicy(0)

    def check_signed(self, envelope: Envelope | None) -> None:
        """Refuse a request that must be signed and is not, or whose answer must be and cannot: it names no transaction."""
        opened = envelope.opened if envelope is not None else None
        unsigned = opened is None or not opened.shape.signed
        if (SecurityPolicy.SIGNED_REQUEST in self._policy and unsigned) or (
            SecurityPolicy.SIGNED_RESPONSE in self._policy and opened is None
        ):
            raise SecurityError("the security policy asks for signatures", code="protection-too-weak")

    def open(self, octets: bytes) -> tuple[bytes, Envelope]:
        """The APDU inside, and the envelope for the answer. `SecurityError` and `DecodeError` say what is wrong."""
        envelope = Envelope(None, suite=self._security.suite)
        if octets[0] not in TRANSACTION_TAGS:
            octets, envelope = self._open_outside(octets)
        if octets[:1] and octets[0] in TRANSACTION_TAGS:
            opened = self._open_transaction(octets, envelope)
            return opened.apdu, replace(envelope, opened=opened)
        return octets, envelope

    def _open_transaction(self, octets: bytes, envelope: Envelope) -> Opened:
        """General-ciphering and general-signing; together with what was around them they must do."""
        self._transactions.keys = self._security.party_keys(self.client_system_title)
        self._transactions.peer_title = self.client_system_title
        self._floor = self._security.floor
        opened = self._transactions.open(octets)
        if opened.shape.broadcast or (opened.shape.signed and self._transactions.keys.signing_key is None):
            raise SecurityError("an answer in kind is not possible", code="no-answer")
        if opened.shape.ciphering is not None:
            self._check_control(opened.shape.control)
        elif envelope.control is None and not self.suffices_in_clear:
            raise SecurityError("what is only signed is less than the association demands", code="protection-too-weak")
        self._transactions.settle(opened, answer=False)
        return opened

    def _open_outside(self, octets: bytes) -> tuple[bytes, Envelope]:
        apdu = _read_envelope(octets)
        if isinstance(apdu, GeneralCipheredApdu) and apdu.system_title not in (b"", self.client_system_title):
            raise SecurityError("the envelope names another system title than the association", code="wrong-title")
        key, floor = self._key_and_floor(apdu.dedicated)
        self._floor = floor
        self._check_control(apdu.security_control)
        if not key or len(self.client_system_title) != TITLE_OCTETS:
            raise SecurityError("no key, or no system title of the client, is known", code="no-key")
        floor.check(apdu.invocation_counter)
        _, counter, plaintext = unprotect(
            apdu.payload, key=key, gak=self._security.gak, system_title=self.client_system_title
        )
        if isinstance(apdu, CipheredApdu) and plaintext[:1] != bytes((PLAIN_TAGS[apdu.tag],)):
            raise SecurityError("the APDU inside is another than the tag outside says", code="wrong-tag")
        floor.move(counter)  # only now: a forged message moves nothing
        general = isinstance(apdu, GeneralCipheredApdu)
        return plaintext, Envelope(apdu.security_control, apdu.dedicated, general, suite=self._security.suite)

    def answered(self, envelope: Envelope | None, *, dedicated: bool = True) -> Envelope | None:
        """How the answer goes out: in the kind of envelope of the request, and protected at least as promised.

        `dedicated`: under the dedicated key where one was agreed, if the request came in clear.
        """
        promised = self.promised
        if promised is Protection.NONE:
            return envelope
        if envelope is None or (envelope.control is None and _is_clear(envelope.opened)):
            control = SecurityControl(self._security.suite, promised.authenticated, promised.encrypted)
            key = dedicated and self._dedicated_key is not None
            opened = None if envelope is None else envelope.opened
            return Envelope(control, key, general=opened is not None, opened=opened, suite=self._security.suite)
        if envelope.control is not None:
            return replace(envelope, control=_strengthened(envelope.control, promised))
        assert envelope.opened is not None  # it would be in clear
        shape = envelope.opened.shape
        shape = replace(shape, control=_strengthened(shape.control, promised))
        return replace(envelope, opened=replace(envelope.opened, shape=shape))

    def seal(self, plaintext: bytes, envelope: Envelope) -> bytes:
        """The answer in its envelope; it uses one of the server's own counters up, but for keys of one APDU."""
        if envelope.opened is not None:
            plaintext = self._transactions.answer(plaintext, self._answered(envelope.opened))
        if envelope.control is None:
            return plaintext
        key, _ = self._key_and_floor(envelope.dedicated)
        counters = self._dedicated_counters if envelope.dedicated else self._security.counters
        payload = protect(
            plaintext,
            control=envelope.control,
            key=key,
            gak=self._security.gak,
            system_title=self._server_system_title,
            invocation_counter=counters.take(),
        )
        tags = DED_TAGS if envelope.dedicated else GLO_TAGS
        if envelope.general or plaintext[0] not in tags:
            tag = GENERAL_DED_TAG if envelope.dedicated else GENERAL_GLO_TAG
            return Writer().u8(tag).octet_string(self._server_system_title).octet_string(payload).octets()
        return Writer().u8(tags[plaintext[0]]).octet_string(payload).octets()

    def seal_notification(self, octets: bytes) -> bytes:
        """What the meter says unasked: protected as requests have to be and answers are, in a general envelope."""
        protection = self.protection | self.promised
        if protection is Protection.NONE:
            return octets
        suite = self._security.suite
        authenticated, encrypted = protection.authenticated, protection.encrypted
        control = SecurityControl(suite=suite, authenticated=authenticated, encrypted=encrypted)
        return self.seal(octets, Envelope(control, self._dedicated_key is not None, True, suite=suite))

    def _answered(self, opened: Opened) -> Opened:
        """In kind, and signed where the policy asks for it."""
        if SecurityPolicy.SIGNED_RESPONSE not in self._policy or opened.shape.signed:
            return opened
        return replace(opened, shape=replace(opened.shape, signed=True))

    def _key_and_floor(self, dedicated: bool) -> tuple[bytes, ReceiveFloor]:
        if not dedicated:
            return self._security.guek, self._security.floor
        if self._dedicated_key is None:
            raise SecurityError("no dedicated key was agreed", code="no-dedicated-key")
        return self._dedicated_key, self._dedicated_floor

    def _check_control(self, control: SecurityControl) -> None:
        """Another suite, another key set or less protection than agreed is refused before any key is tried."""
        if control.suite != self._security.suite or control.broadcast:
            raise SecurityError(f"{control} was not agreed", code="wrong-suite")
        protection = Protection.of(control.authenticated, control.encrypted)
        if protection is Protection.NONE or not protection.covers(self.demanded):
            raise SecurityError(f"{control} is less than the association demands", code="protection-too-weak")


def _is_clear(opened: Opened | None) -> bool:
    return opened is None or opened.shape.ciphering is None


def _strengthened(control: SecurityControl, promised: Protection) -> SecurityControl:
    return replace(
        control,
        authenticated=control.authenticated or promised.authenticated,
        encrypted=control.encrypted or promised.encrypted,
    )


def _read_envelope(octets: bytes) -> CipheredApdu | GeneralCipheredApdu:
    reader = Reader(octets)
    general = octets[0] in (GENERAL_GLO_TAG, GENERAL_DED_TAG)
    apdu = read_general_ciphered_apdu(reader) if general else read_ciphered_apdu(reader)
    reader.finish("ciphered-apdu")
    return apdu
