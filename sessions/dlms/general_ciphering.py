"""general-ciphering: one APDU protected between two parties that need not be the two of the association.

    general-ciphering = header | key-info | security control | counter | ciphertext | tag
    header = transaction-id | originator | recipient | date-time | other-information, each with its length

The key is one that both hold (identified), one that comes along under the master key (wrapped), or one that both compute
(agreed). The header joins the authenticated data (SC | AK | header); some stacks leave it out, which can be set.
Source: Green Book 9.2.7.2.4.

The Green Book's example of an agreed key gives key and ciphertext as they are computed here; its printed tag cannot be reproduced
by any layout and counts as an erratum. No other stack offers itself as a judge: beyond the published vectors of the keys, this
is checked by round trips of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sessions.dlms.apdu.ciphered import GeneralCiphering, GeneralSigning, KeyInfo
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.general_protection import PartyKeys
from sessions.dlms.key_agreement import Scheme, one_pass, signed_ephemeral, static_unified, verified_ephemeral
from sessions.dlms.key_wrap import unwrap_key, wrap_key
from sessions.dlms.security import TITLE_OCTETS, SecurityControl, protect, unprotect

MASTER_KEY: Final = 0
"""kek-id: the only master key there is."""
GLOBAL_UNICAST: Final = 0
GLOBAL_BROADCAST: Final = 1
"""key-id of an identified key."""
MAX_TRANSACTION_OCTETS: Final = 64
DATE_TIME_OCTETS: Final = (0, 12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """The header of general-ciphering and general-signing: who says it to whom, in which transaction.

    Titles have 8 octets; the recipient's is empty where nobody in particular is meant. `date_time` has 12 octets or none.
    """

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes = b""
    other_information: bytes = b""

    def answer(self) -> Transaction:
        """The header of the answer: the same transaction, the parties changed about."""
        return Transaction(transaction_id=self.transaction_id, originator=self.recipient, recipient=self.originator)

    def encode(self) -> bytes:
        """Each field with its length."""
        writer = Writer().octet_string(self.transaction_id).octet_string(self.originator).octet_string(self.recipient)
        return writer.octet_string(self.date_time).octet_string(self.other_information).octets()


def transaction_of(apdu: GeneralCiphering | GeneralSigning) -> Transaction:
    """The header of a received APDU; SecurityError where its fields have impossible sizes."""
    sizes = (
        ("transaction-id", apdu.transaction_id, range(MAX_TRANSACTION_OCTETS + 1)),
        ("originator-system-title", apdu.originator_system_title, (TITLE_OCTETS,)),
        ("recipient-system-title", apdu.recipient_system_title, (0, TITLE_OCTETS)),
        ("date-time", apdu.date_time, DATE_TIME_OCTETS),
    )
    for name, octets, allowed in sizes:
        if len(octets) not in allowed:
            raise SecurityError(f"the {name} has {len(octets)} octets", code="bad-header")
    return Transaction(
        transaction_id=apdu.transaction_id,
        originator=apdu.originator_system_title,
        recipient=apdu.recipient_system_title,
        date_time=apdu.date_time,
        other_information=apdu.other_information,
    )


# -- the key, on its way out --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentKey:
    """A key, and what an APDU says of it."""

    key: bytes = field(repr=False)
    key_info: KeyInfo
    key_id: int = 0
    key_ciphered_data: bytes = field(default=b"", repr=False)


def identified_key(keys: PartyKeys, key_id: int = GLOBAL_UNICAST) -> ContentKey:
    """The global unicast or broadcast key."""
    key = keys.gbek if key_id == GLOBAL_BROADCAST else keys.guek
    return ContentKey(key=key, key_info=KeyInfo.IDENTIFIED_KEY, key_id=key_id)


def wrapped_key(keys: PartyKeys, key: bytes) -> ContentKey:
    """`key` is fresh, random, and used for this APDU alone."""
    return ContentKey(
        key=key, key_info=KeyInfo.WRAPPED_KEY, key_id=MASTER_KEY, key_ciphered_data=wrap_key(keys.kek, key)
    )


def one_pass_key(keys: PartyKeys, transaction: Transaction, ephemeral_key: bytes) -> ContentKey:
    """`ephemeral_key` is a fresh private key, used for this APDU alone; its public half goes out under our signature."""
    key = one_pass(
        ephemeral_key,
        _needed(keys.peer_key_agreement_key, "the recipient's public key for key agreement"),
        suite=keys.suite,
        originator=transaction.originator,
        recipient=transaction.recipient,
    )
    key_data = signed_ephemeral(ephemeral_key, _needed(keys.signing_key, "our private key for signing"))
    return ContentKey(key=key, key_info=KeyInfo.AGREED_KEY, key_id=Scheme.ONE_PASS, key_ciphered_data=key_data)


def static_unified_key(keys: PartyKeys, transaction: Transaction) -> ContentKey:
    """The transaction-id must never have been used between these two parties."""
    key = _static_unified(keys, transaction)
    return ContentKey(key=key, key_info=KeyInfo.AGREED_KEY, key_id=Scheme.STATIC_UNIFIED)


def encipher(
    plaintext: bytes,
    transaction: Transaction,
    content_key: ContentKey,
    *,
    control: SecurityControl,
    gak: bytes,
    invocation_counter: int,
    header_authenticated: bool = True,
) -> GeneralCiphering:
    """The protected APDU. The caller takes care that the counter was never used with this key."""
    payload = protect(
        plaintext,
        control=control,
        key=content_key.key,
        gak=gak,
        system_title=transaction.originator,
        invocation_counter=invocation_counter,
        header=transaction.encode() if header_authenticated else b"",
    )
    return GeneralCiphering(
        transaction.transaction_id,
        transaction.originator,
        transaction.recipient,
        transaction.date_time,
        transaction.other_information,
        content_key.key_info,
        content_key.key_id,
        content_key.key_ciphered_data,
        control,
        invocation_counter,
        payload[5:],
    )


# -- the key, found again -----------------------------------------------------------------------------------------------


def find_key(apdu: GeneralCiphering, keys: PartyKeys) -> bytes:
    """The key of a received APDU, with the keys of its recipient; SecurityError where there is none, or a false one.

    Without key-info both are taken to know which key is meant: the global unicast one.
    """
    transaction = transaction_of(apdu)
    match apdu.key_info:
        case None | KeyInfo.IDENTIFIED_KEY:
            return _identified(apdu, keys)
        case KeyInfo.WRAPPED_KEY:
            if apdu.key_id != MASTER_KEY:
                raise SecurityError(f"there is no master key with number {apdu.key_id}", code="unknown-key")
            return unwrap_key(_known(keys.kek, "master key (KEK)"), apdu.key_ciphered_data, suite=keys.suite)
        case KeyInfo.AGREED_KEY if apdu.key_id == Scheme.ONE_PASS:
            peer = _known(keys.peer_signing_key, "public key of the sender for signing")
            ephemeral = verified_ephemeral(apdu.key_ciphered_data, peer, suite=keys.suite)
            return one_pass(
                _known(keys.key_agreement_key, "private key of ours for key agreement"),
                ephemeral,
                suite=keys.suite,
                originator=transaction.originator,
                recipient=transaction.recipient,
            )
        case KeyInfo.AGREED_KEY if apdu.key_id == Scheme.STATIC_UNIFIED:
            if apdu.key_ciphered_data:
                raise SecurityError("key data stand where the static unified model has none", code="bad-key-data")
            _known(keys.key_agreement_key, "private key of ours for key agreement")
            _known(keys.peer_key_agreement_key, "public key of the sender for key agreement")
            return _static_unified(keys, transaction)
    raise SecurityError(f"key agreement scheme {apdu.key_id} is not known", code="unknown-key")


def decipher(apdu: GeneralCiphering, key: bytes, *, gak: bytes, header_authenticated: bool = True) -> bytes:
    """The APDU inside, verified where it is authenticated. Strength, counter and parties are for the caller to judge."""
    transaction = transaction_of(apdu)
    if apdu.security_control.broadcast:
        raise SecurityError("the key-set bit has no meaning in general-ciphering, and is set", code="broadcast-key")
    _, _, plaintext = unprotect(
        apdu.payload,
        key=key,
        gak=gak,
        system_title=transaction.originator,
        header=transaction.encode() if header_authenticated else b"",
    )
    return plaintext


def _identified(apdu: GeneralCiphering, keys: PartyKeys) -> bytes:
    if apdu.key_id == GLOBAL_UNICAST:
        return _known(keys.guek, "global unicast key (GUEK)")
    if apdu.key_id == GLOBAL_BROADCAST:
        return _known(keys.gbek, "global broadcast key (GBEK)")
    raise SecurityError(f"there is no global key with number {apdu.key_id}", code="unknown-key")


def _static_unified(keys: PartyKeys, transaction: Transaction) -> bytes:
    return static_unified(
        _needed(keys.key_agreement_key, "our private key for key agreement"),
        _needed(keys.peer_key_agreement_key, "the other side's public key for key agreement"),
        suite=keys.suite,
        originator=transaction.originator,
        recipient=transaction.recipient,
        transaction_id=transaction.transaction_id,
    )


def _needed(key: bytes | None, name: str) -> bytes:
    if not key:
        raise LocalProtocolError(
            f"{name} is missing",
            layer="security",
            code="key-missing",
            hint="Give it in the association, as PEM, DER or hex.",
        )
    return key


def _known(key: bytes | None, name: str) -> bytes:
    if not key:
        raise SecurityError(
            f"the sender used a key for which the {name} is needed, and it is not known here",
            code="no-key",
            hint="Give it in the association.",
        )
    return key
