"""Find what must not be stored: passwords in an AARQ, secrets that a service writes or reads.

The codecs mark what they know to be secret (the password, the dedicated key). Here is what only the context tells: the value of
an association's `secret`, and the part of a password that stands in one HDLC segment of an AARQ.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.acse import AARQ_TAG, CHALLENGE_MECHANISMS, DLMS_UA, MECHANISM_ARC
from sessions.dlms.apdu.action import (
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
)
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.apdu.get import GetRequestNormal, GetRequestWithList
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
)
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError

SECRET_ATTRIBUTES: Final = frozenset({(15, 7)})
"""Class and attribute: the secret of an association."""
SECRET_METHODS: Final = frozenset({(15, 2), (72, 7)})
"""Class and method: change_HLS_secret of an association, set_encryption_key of an M-Bus client. Keys of the security setup
travel wrapped."""
_PASSWORD: Final = 0xAC
_MECHANISM: Final = 0x8B
_CHARSTRING: Final = 0x80
_MECHANISM_PREFIX: Final = DLMS_UA + bytes((MECHANISM_ARC,))
_VALUES: Final = ("contents", "value", "raw-data")


def asks_for_secret(apdu: object) -> bool:
    """Whether the answer will hold the secret of an association."""
    if isinstance(apdu, GetRequestNormal):
        descriptors = [apdu.cosem_attribute_descriptor]
    elif isinstance(apdu, GetRequestWithList):
        descriptors = [descriptor for descriptor, _ in apdu.attribute_descriptor_list]
    else:
        return False
    return any((one.class_id, one.attribute_id) in SECRET_ATTRIBUTES for one in descriptors)


def carries_secret(apdu: object) -> bool:
    """Whether a request writes the secret of an association, or hands over a key in clear."""
    written = any((one.class_id, one.attribute_id) in SECRET_ATTRIBUTES for one in _written(apdu))
    return written or any((one.class_id, one.method_id) in SECRET_METHODS for one in _invoked(apdu))


def _written(apdu: object) -> list[CosemAttributeDescriptor]:
    if isinstance(apdu, SetRequestNormal | SetRequestWithFirstDatablock):
        return [apdu.cosem_attribute_descriptor]
    if isinstance(apdu, SetRequestWithList | SetRequestWithListAndFirstDatablock):
        return [descriptor for descriptor, _ in apdu.attribute_descriptor_list]
    return []


def _invoked(apdu: object) -> list[CosemMethodDescriptor]:
    if isinstance(apdu, ActionRequestNormal | ActionRequestWithFirstPblock):
        return [apdu.cosem_method_descriptor]
    if isinstance(apdu, ActionRequestWithList | ActionRequestWithListAndFirstPblock):
        return list(apdu.cosem_method_descriptor_list)
    return []


def hide_values(root: Field) -> None:
    """Mark every value below `root` secret, and take it out of the groups that repeat it."""
    for child in root.children:
        hide_values(child)
        if child.name in _VALUES and not child.children:
            child.secret = True
            root.value = ""


def password_spans(apdu: bytes) -> list[tuple[int, int]]:
    """Offset and length of the password in an AARQ that may be cut anywhere; nothing for other APDUs.

    Where the mechanism is not known yet, the value counts as a password.
    """
    if apdu[:1] != bytes((AARQ_TAG,)):
        return []
    spans: list[tuple[int, int]] = []
    mechanism = None
    reader = Reader(apdu)
    try:
        reader.u8("tag")
        reader.length("length")
        while reader.remaining:
            tag = reader.u8("tag")
            size = reader.length("length")
            if tag == _PASSWORD:
                spans += _value_span(reader, size)
            contents = reader.take(size, "contents")
            if tag == _MECHANISM and contents:
                mechanism = contents[-1]
    except DecodeError:
        pass  # the rest has not come yet
    return [] if mechanism in CHALLENGE_MECHANISMS else spans


def _value_span(reader: Reader, size: int) -> list[tuple[int, int]]:
    """Offset and length of the value behind its choice and length; all of it where there is no choice."""
    part = Reader(reader.octets[reader.offset : reader.offset + size])
    if part.peek() == _CHARSTRING:
        part.u8("choice")
        part.length("length")
    return [(reader.offset + part.offset, part.remaining)] if part.remaining else []


def likely_password_spans(octets: bytes) -> list[tuple[int, int]]:
    """The same in octets that no codec could read: wherever an authentication value seems to stand (`AC n+2 80 n`)."""
    spans: list[tuple[int, int]] = []
    at = octets.find(bytes((_PASSWORD,)))
    while 0 <= at < len(octets) - 4:
        outer, choice, inner = octets[at + 1 : at + 4]
        before = octets[max(0, at - 64) : at]
        mechanism = before.rfind(_MECHANISM_PREFIX)
        number = before[mechanism + len(_MECHANISM_PREFIX) :][:1] if mechanism >= 0 else b""
        if choice == _CHARSTRING and outer == inner + 2 and not (number and number[0] in CHALLENGE_MECHANISMS):
            spans.append((at + 4, min(inner, len(octets) - at - 4)))
        at = octets.find(bytes((_PASSWORD,)), at + 1)
    return spans
