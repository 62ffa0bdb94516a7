"""One party's end of general-ciphering and general-signing: every APDU is a transaction that is believed once.

    begin     our request or message: a transaction-id that was never used, a key as the settings say
    answer    in kind: the same layers and the same kind of key, the same transaction, the parties changed about
    open      what came: parties, suite, counters, tags and signatures judged; nothing is skipped
    settle    an answer must belong to the transaction that is open; whatever else came must be new

A transaction-id of ours is used for all layers of one APDU. Under the identified keys a counter guards against replays; under
wrapped and agreed keys, and for signatures, only the transaction-id does. Where a client leaves it empty, the key that serves
one APDU alone takes its place. Source: Green Book 9.2.7.2.4, 9.2.7.2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GeneralCiphering, GeneralSigning, KeyInfo
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.counters import ReceiveFloor
from sessions.dlms.elliptic import curve_of_suite, private_from_random, random_octets
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.general_ciphering import (
    GLOBAL_BROADCAST,
    ContentKey,
    Transaction,
    decipher,
    encipher,
    find_key,
    identified_key,
    one_pass_key,
    static_unified_key,
    transaction_of,
    wrapped_key,
)
from sessions.dlms.general_protection import GeneralProtection, KeyChoice, PartyKeys
from sessions.dlms.general_signing import sign_content, verify_content
from sessions.dlms.key_agreement import Scheme
from sessions.dlms.key_wrap import OVERHEAD as WRAP_OCTETS
from sessions.dlms.security import HEADER_OCTETS, KEY_OCTETS, TAG_OCTETS, TITLE_OCTETS, SecurityControl

GENERAL_TAGS: Final = frozenset({ApduTag.GENERAL_CIPHERING, ApduTag.GENERAL_SIGNING})
TRANSACTION_OCTETS: Final = 8
MAX_SEEN: Final = 16_384
"""Transactions of the other side that are remembered."""
LONGEST_LENGTH: Final = 3
"""Octets of a length in front of contents of up to 65,535 octets."""


TransactionName = tuple[bytes, bytes, bytes]
"""Originator, transaction-id and, where that is empty, the key of the APDU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The layers of one APDU. `control`: the bits of its general-ciphering, unprotected where it has none."""

    control: SecurityControl = field(default_factory=SecurityControl)
    ciphering: KeyChoice | None = None
    broadcast: bool = False
    signed: bool = False
    signed_outside: bool = False

    def overhead(self, suite: int) -> int:
        """Octets that these layers add to an APDU, at most."""
        header = 1 + (1 + TRANSACTION_OCTETS) + 2 * (1 + TITLE_OCTETS) + 2
        octets = 0
        if self.signed:
            octets += header + 2 * LONGEST_LENGTH + curve_of_suite(suite).point_octets
        if self.ciphering is not None:
            tag = TAG_OCTETS if self.control.authenticated else 0
            octets += header + self._key_info_octets(suite) + LONGEST_LENGTH + HEADER_OCTETS + tag
        return octets

    def _key_info_octets(self, suite: int) -> int:
        """Presence, choice, what names the key, and the key data with their length."""
        match self.ciphering:
            case KeyChoice.WRAPPED:
                return 4 + KEY_OCTETS[suite] + WRAP_OCTETS
            case KeyChoice.ONE_PASS:
                return 6 + 2 * curve_of_suite(suite).point_octets
            case KeyChoice.STATIC_UNIFIED:
                return 5
        return 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An APDU in clear, and how it came. `transactions`: the header of each layer, the outermost first; `own_key`: what the
    APDU says of a key that serves it alone, so far as nobody but its sender can alter that.
    """

    apdu: bytes
    shape: Shape
    transactions: tuple[Transaction, ...]
    own_key: bytes = field(default=b"", repr=False)

    @property
    def names(self) -> frozenset[TransactionName]:
        """What is believed once."""
        return frozenset(
            (one.originator, one.transaction_id, b"" if one.transaction_id else self.own_key)
            for one in self.transactions
        )


class SeenTransactions:
    """Transactions of other sides that were believed; one memory may serve several associations.

    What does not fit any more is refused; `forgetful`: the oldest is forgotten instead, as a meter that runs for years must.
    """

    def __init__(self, *, forgetful: bool = False) -> None:
        self._names: dict[TransactionName, None] = {}
        self._forgetful = forgetful

    def believe(self, names: frozenset[TransactionName]) -> None:
        """SecurityError where one of them was believed before."""
        if names & self._names.keys():
            raise SecurityError(
                "A transaction came that was believed before: it is replayed", code="replayed-transaction"
            )
        if len(self._names) >= MAX_SEEN and not self._forgetful:
            raise SecurityError(
                "No more transactions can be remembered",
                code="too-many-transactions",
                hint="Open the association anew.",
            )
        self._names |= dict.fromkeys(names)
        while len(self._names) > MAX_SEEN:
            del self._names[next(iter(self._names))]


class Transactions:
    """`take_counter` and `floor` are those of the global unicast key. `random(n)` gives n octets for transaction-ids and keys."""

    def __init__(
        self,
        keys: PartyKeys,
        own_title: bytes,
        *,
        settings: GeneralProtection | None = None,
        random: Callable[[int], bytes] | None = None,
        take_counter: Callable[[], int],
        floor: ReceiveFloor,
        seen: SeenTransactions | None = None,
    ) -> None:
        self.keys = keys
        self.settings = settings or GeneralProtection()
        self.peer_title = b""
        self._own_title = own_title
        self._random = random
        self._take_counter = take_counter
        self._floor = floor
        self._broadcast_floor = ReceiveFloor()
        self._seen = seen or SeenTransactions()
        self._pending = b""
        self._fresh = count()

    # -- out ---------------------------------------------------------------------------------------------------------

    def begin(self, apdu: bytes, shape: Shape) -> bytes:
        """Our own message. An answer to it must name the same transaction."""
        if len(self.peer_title) != TITLE_OCTETS:
            raise LocalProtocolError(
                "The other side's system title is not known, and general protection names it",
                layer="security",
                code="no-server-system-title",
                hint="Give server_system_title in the association.",
            )
        transaction_id = self._take_random(TRANSACTION_OCTETS)
        transaction = Transaction(transaction_id=transaction_id, originator=self._own_title, recipient=self.peer_title)
        octets = self._protect(apdu, shape, (transaction, transaction))
        self._pending = transaction_id
        return octets

    def answer(self, apdu: bytes, opened: Opened) -> bytes:
        """The answer to what was opened, in kind."""
        first, last = opened.transactions[0].answer(), opened.transactions[-1].answer()
        return self._protect(apdu, opened.shape, (first, last))

    def _protect(self, apdu: bytes, shape: Shape, transactions: tuple[Transaction, Transaction]) -> bytes:
        outer, inner = transactions
        if shape.signed_outside:
            return self._sign(self._encipher(apdu, shape, inner), outer)
        octets = self._sign(apdu, inner) if shape.signed else apdu
        return self._encipher(octets, shape, outer) if shape.ciphering is not None else octets

    def _sign(self, octets: bytes, transaction: Transaction) -> bytes:
        if self.keys.signing_key is None:
            raise LocalProtocolError(
                "There is no private key to sign with",
                layer="security",
                code="key-missing",
                hint="Give client_signing_key in the association.",
            )
        length_signed = self.settings.content_length_signed
        return sign_content(octets, transaction, self.keys.signing_key, length_signed=length_signed).encode()

    def _encipher(self, octets: bytes, shape: Shape, transaction: Transaction) -> bytes:
        content_key, counter = self._key_for(shape, transaction)
        return encipher(
            octets,
            transaction,
            content_key,
            control=shape.control,
            gak=self.keys.gak,
            invocation_counter=counter,
            header_authenticated=self.settings.header_authenticated,
        ).encode()

    def _key_for(self, shape: Shape, transaction: Transaction) -> tuple[ContentKey, int]:
        """The key and its counter: one that lasts takes a counter that is used nowhere else. Under a fresh key any would do;
        they begin at 0 and rise, since some peers keep one floor under all keys of a kind.
        """
        suite = self.keys.suite
        match shape.ciphering:
            case KeyChoice.WRAPPED:
                return wrapped_key(self.keys, self._take_random(KEY_OCTETS[suite])), next(self._fresh)
            case KeyChoice.ONE_PASS:
                curve = curve_of_suite(suite)
                ephemeral = private_from_random(self._take_random(random_octets(curve)), curve)
                return one_pass_key(self.keys, transaction, ephemeral), next(self._fresh)
            case KeyChoice.STATIC_UNIFIED:
                return static_unified_key(self.keys, transaction), self._take_counter()
        if shape.broadcast:
            raise LocalProtocolError("nobody answers under the broadcast key", layer="security", code="broadcast-key")
        return identified_key(self.keys), self._take_counter()

    def _take_random(self, size: int) -> bytes:
        if self._random is None:
            raise LocalProtocolError(
                "general protection needs random octets, and none are provided", layer="security", code="no-random"
            )
        return self._random(size)

    # -- in ----------------------------------------------------------------------------------------------------------

    def open(self, octets: bytes) -> Opened:
        """What stands inside, every layer verified. Whether the layers suffice, and the transaction is due, is judged next."""
        shape, transactions, own_key = Shape(), [], b""
        while octets[:1] and octets[0] in GENERAL_TAGS:
            apdu = decode_apdu(octets)
            assert isinstance(apdu, GeneralCiphering | GeneralSigning)  # the caller looked at the tag
            transaction = self._parties(apdu)
            if isinstance(apdu, GeneralSigning):
                octets, shape = self._verified(apdu, shape)
            else:
                octets, shape = self._deciphered(apdu, shape)
                own_key = self._key_of_its_own(apdu)
            transactions.append(transaction)
        return Opened(apdu=octets, shape=shape, transactions=tuple(transactions), own_key=own_key)

    def settle(self, opened: Opened, *, answer: bool) -> None:
        """Believe a transaction once: an answer to the open one, or a message that is new. SecurityError otherwise."""
        if answer:
            if not self._pending or any(one.transaction_id != self._pending for one in opened.transactions):
                raise SecurityError(
                    "An answer names a transaction that is not open: replayed, or late", code="wrong-transaction"
                )
            if any(not one.recipient for one in opened.transactions):
                raise SecurityError("An answer names no recipient", code="wrong-recipient")
            self._pending = b""
            return
        if self._guarded_by_counter(opened.shape):
            return
        self._seen.believe(opened.names)

    @staticmethod
    def _guarded_by_counter(shape: Shape) -> bool:
        return shape.ciphering is KeyChoice.GUEK and shape.control.authenticated

    def _parties(self, apdu: GeneralCiphering | GeneralSigning) -> Transaction:
        """The header, if it comes from the other side of this conversation and is meant for us."""
        transaction = transaction_of(apdu)
        if transaction.originator != self.peer_title:
            raise SecurityError(
                f"An APDU comes from {transaction.originator.hex().upper()}, "
                f"{self.peer_title.hex().upper() or 'nobody'} was expected",
                code="wrong-originator",
            )
        if transaction.recipient not in (b"", self._own_title):
            raise SecurityError(
                f"An APDU is meant for {transaction.recipient.hex().upper()}, not for {self._own_title.hex().upper()}",
                code="wrong-recipient",
            )
        return transaction

    def _verified(self, apdu: GeneralSigning, shape: Shape) -> tuple[bytes, Shape]:
        if shape.signed:
            raise SecurityError("An APDU is signed twice", code="nested-protection")
        if self.keys.peer_signing_key is None:
            raise SecurityError(
                "A signed APDU came, and the public key that verifies it is not known",
                code="no-key",
                hint="Give the meter's certificate for signing in the association.",
            )
        length_signed = self.settings.content_length_signed
        content = verify_content(apdu, self.keys.peer_signing_key, length_signed=length_signed)
        outside = content[:1] == bytes((ApduTag.GENERAL_CIPHERING,))
        return content, replace(shape, signed=True, signed_outside=outside)

    def _deciphered(self, apdu: GeneralCiphering, shape: Shape) -> tuple[bytes, Shape]:
        if shape.ciphering is not None:
            raise SecurityError("An APDU is ciphered twice", code="nested-protection")
        if apdu.security_control.suite != self.keys.suite:
            raise SecurityError(
                f"An APDU comes under security suite {apdu.security_control.suite}, {self.keys.suite} was agreed",
                code="wrong-suite",
            )
        floor = self._floor_of(apdu)
        if floor is not None:
            floor.check(apdu.invocation_counter)
        key = find_key(apdu, self.keys)
        authenticated = self.settings.header_authenticated
        plaintext = decipher(apdu, key, gak=self.keys.gak, header_authenticated=authenticated)
        if floor is not None and apdu.security_control.authenticated:  # anybody may say the rest: it moves nothing
            floor.move(apdu.invocation_counter)
        broadcast = floor is self._broadcast_floor
        return plaintext, replace(shape, control=apdu.security_control, ciphering=_choice(apdu), broadcast=broadcast)

    def _key_of_its_own(self, apdu: GeneralCiphering) -> bytes:
        """The wrapped key, or the sender's ephemeral one. Its signature may be altered and still fit, so it does not count."""
        if apdu.key_info is KeyInfo.WRAPPED_KEY:
            return apdu.key_ciphered_data
        if apdu.key_info is KeyInfo.AGREED_KEY and apdu.key_id == Scheme.ONE_PASS:
            return apdu.key_ciphered_data[: curve_of_suite(self.keys.suite).point_octets]
        return b""

    def _floor_of(self, apdu: GeneralCiphering) -> ReceiveFloor | None:
        """The floor of a key that lasts; None for keys of one APDU."""
        if apdu.key_info not in (None, KeyInfo.IDENTIFIED_KEY):
            return None
        return self._broadcast_floor if apdu.key_id == GLOBAL_BROADCAST else self._floor


def _choice(apdu: GeneralCiphering) -> KeyChoice:
    match apdu.key_info:
        case KeyInfo.WRAPPED_KEY:
            return KeyChoice.WRAPPED
        case KeyInfo.AGREED_KEY:
            return KeyChoice.ONE_PASS if apdu.key_id == Scheme.ONE_PASS else KeyChoice.STATIC_UNIFIED
    return KeyChoice.GUEK
