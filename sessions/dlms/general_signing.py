"""general-signing: an APDU in clear with the signature of its originator (Green Book 9.2.7.2.4.8).

    general-signing = header | content | signature
    signed: transaction-id | originator | recipient | date-time | other-information, each with its length, and the content

Whether the content's own length is part of what is signed is said differently: without it by default, and it can be set. Inside
stands a whole APDU, which may be ciphered itself; usually the signed APDU is what gets ciphered. No other stack offers itself as
a judge and no vector of a whole APDU is published: this is checked by round trips over published signatures' keys.
"""

from __future__ import annotations

from sessions.dlms.apdu.ciphered import GeneralSigning
from sessions.dlms.cursor import Writer
from sessions.dlms.general_ciphering import Transaction, transaction_of
from sessions.dlms.signing import sign, verify


def sign_content(
    content: bytes, transaction: Transaction, private_key: bytes, *, length_signed: bool = False
) -> GeneralSigning:
    """The signed APDU."""
    return GeneralSigning(
        transaction.transaction_id,
        transaction.originator,
        transaction.recipient,
        transaction.date_time,
        transaction.other_information,
        content,
        sign(_signed(content, transaction, length_signed), private_key),
    )


def verify_content(apdu: GeneralSigning, public_key: bytes, *, length_signed: bool = False) -> bytes:
    """The content, once the signature was found right; SecurityError otherwise. The parties are for the caller to judge."""
    verify(_signed(apdu.content, transaction_of(apdu), length_signed), apdu.signature, public_key)
    return apdu.content


def _signed(content: bytes, transaction: Transaction, length_signed: bool) -> bytes:
    return transaction.encode() + (Writer().octet_string(content).octets() if length_signed else content)
