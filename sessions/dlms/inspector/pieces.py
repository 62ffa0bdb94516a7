"""Secrets in an APDU of which only the beginning is here: where they stand in the octets so far.

An HDLC segment or a general block is recorded before the next one comes. What hides its part of a secret must not wait for the
whole. Envelopes that do not encrypt (authenticated only, signed) are looked through. Source: Green Book 9.2.7.2.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final

from sessions.dlms.apdu.ciphered import PLAIN_TAGS
from sessions.dlms.apdu.short_name import VariableAccess
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import DecodeError
from sessions.dlms.inspector.assembly import GENERAL
from sessions.dlms.inspector.secrets import hidden_spans
from sessions.dlms.inspector.state import Conversation

Spans = list[tuple[int, int]]

ANSWERS: Final = frozenset((ApduTag.GET_RESPONSE, ApduTag.READ_RESPONSE, ApduTag.ACCESS_RESPONSE))
SHORT_NAME_REQUESTS: Final = (ApduTag.READ_REQUEST, ApduTag.WRITE_REQUEST, ApduTag.UNCONFIRMED_WRITE_REQUEST)
HEAD_OCTETS: Final = 3
"""Tag, choice, invoke-id."""
ENCRYPTED: Final = 0x20
MAX_ENVELOPES: Final = 4
_LN_FURTHER: Final = (bytes((ApduTag.SET_REQUEST, 3)), bytes((ApduTag.ACTION_REQUEST, 6)))
_SN_BLOCKS: Final = (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS)
_BLOCK_HEADER: Final = 6
_PARTIES: Final = 5
"""transaction-id, two system titles, date-time, other-information."""


def piece_spans(talk: Conversation, octets: bytes, channel: Hashable) -> Spans:
    """Offset and length of the secrets in the beginning of an APDU; nothing where they are encrypted."""
    start = inside_of(octets)
    if start is None:
        return []
    return [(start + at, length) for at, length in _spans(talk, octets[start:], channel)]


def _spans(talk: Conversation, apdu: bytes, channel: Hashable) -> Spans:
    answers = talk.secret_answer and apdu[:1] and apdu[0] in ANSWERS
    if answers or (talk.secret_request and is_further_block(apdu)):
        return [(HEAD_OCTETS, len(apdu) - HEAD_OCTETS)] if len(apdu) > HEAD_OCTETS else []
    if apdu[:1] == bytes((ApduTag.GENERAL_BLOCK_TRANSFER,)):
        return _block_spans(talk, apdu, channel)
    return hidden_in(apdu, talk)


def _block_spans(talk: Conversation, apdu: bytes, channel: Hashable) -> Spans:
    """The part of a secret in one general block: what it is the continuation of stands on the shelf."""
    reader = Reader(apdu)
    try:
        header = reader.take(_BLOCK_HEADER, "header")
        reader.length("length")
    except DecodeError:
        return []
    number = int.from_bytes(header[2:4], "big")
    earlier = bytes(talk.shelf.blocks((channel, GENERAL)).octets) if number > 1 else b""
    whole = earlier + apdu[reader.offset :]
    if answers_with_secret(talk, whole):
        return [(reader.offset, len(apdu) - reader.offset)]
    spans = []
    for at, length in hidden_in(whole, talk):
        first = max(at, len(earlier))
        if at + length > first:
            spans.append((reader.offset + first - len(earlier), at + length - first))
    return spans


def hidden_in(apdu: bytes, talk: Conversation) -> Spans:
    """The secrets in an APDU in clear, or in an envelope that does not encrypt."""
    start = inside_of(apdu)
    if start is None:
        return []
    return [(start + at, length) for at, length in hidden_spans(apdu[start:], talk.short_names)]


def answers_with_secret(talk: Conversation, apdu: bytes) -> bool:
    """Whether this is the answer, or its beginning, to a request for a secret, and not encrypted."""
    start = inside_of(apdu) if talk.secret_answer else None
    return start is not None and start < len(apdu) and apdu[start] in ANSWERS


def is_further_block(apdu: bytes) -> bool:
    """Whether a request sends a block after the first."""
    if apdu[:2] in _LN_FURTHER:
        return True
    sends = len(apdu) > 5 and apdu[0] in SHORT_NAME_REQUESTS and apdu[1] == 1 and apdu[2] in _SN_BLOCKS
    return sends and int.from_bytes(apdu[4:6], "big") > 1


def inside_of(octets: bytes) -> int | None:
    """Where the APDU in clear begins: at 0, or behind envelopes that do not encrypt; None where it is encrypted or not here."""
    at = 0
    for _ in range(MAX_ENVELOPES):
        if at >= len(octets):
            return None
        tag = octets[at]
        if tag not in PLAIN_TAGS and tag not in _READ:
            return at
        reader = Reader(octets[at:])
        try:
            reader.u8("tag")
            if not _READ.get(tag, _skip_header)(reader):
                return None
        except DecodeError:
            return None
        at += reader.offset
    return None


def _skip_header(reader: Reader) -> bool:
    """Length, security control, invocation counter; whether what follows is in clear."""
    reader.length("length")
    control = reader.u8("security-control")
    reader.take(4, "invocation-counter")
    return not control & ENCRYPTED


def _skip_title(reader: Reader) -> bool:
    reader.octet_string("system-title")
    return _skip_header(reader)


def _skip_parties(reader: Reader) -> None:
    for _ in range(_PARTIES):
        reader.octet_string("party")


def _skip_general_ciphering(reader: Reader) -> bool:
    _skip_parties(reader)
    if reader.flag("key-info-present"):
        kind = reader.u8("key-info")
        if kind < 2:
            reader.u8("key-id")
        else:
            reader.octet_string("key-parameters")
        if kind:
            reader.octet_string("key-ciphered-data")
    return _skip_header(reader)


def _skip_general_signing(reader: Reader) -> bool:
    _skip_parties(reader)
    reader.length("content")
    return True


_READ: Final[dict[int, Callable[[Reader], bool]]] = {
    ApduTag.GENERAL_GLO_CIPHERING: _skip_title,
    ApduTag.GENERAL_DED_CIPHERING: _skip_title,
    ApduTag.GENERAL_CIPHERING: _skip_general_ciphering,
    ApduTag.GENERAL_SIGNING: _skip_general_signing,
}
