"""Find what must not be stored: passwords in an AARQ, secrets that a service writes or reads.

The codecs mark what they know to be secret (the password, the dedicated key). Here is what only the context tells: the value of
an attribute that the class tables mark as a secret, such as an association's `secret`, and the part of a password that stands in
one HDLC segment of an AARQ.
"""

from __future__ import annotations

import re
from typing import Final

from meters.cosem.interface_class import Access, known_classes
from sessions.dlms.acse import AARQ_TAG, CHALLENGE_MECHANISMS, DLMS_UA, MECHANISM_ARC
from sessions.dlms.apdu.access import AccessKind, AccessRequest
from sessions.dlms.apdu.access import read_specification as read_specification_of_access
from sessions.dlms.apdu.action import (
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithListAndFirstPblock,
)
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.apdu.get import GetRequestNormal, GetRequestWithList
from sessions.dlms.apdu.notification import read_optional_date_time
from sessions.dlms.apdu.set import (
    SetRequestNormal,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetRequestWithListAndFirstDatablock,
)
from sessions.dlms.apdu.short_name import (
    OF_CURRENT_ASSOCIATION,
    ReadRequest,
    UnconfirmedWriteRequest,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    read_specification,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.axdr import read_data
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError
from sessions.dlms.inspector.short_names import request_block
from sessions.dlms.selective_access import read_optional_selection
from sessions.dlms.short_name_map import ShortNameMap

SECRET_ATTRIBUTES: Final = frozenset(
    (known.class_id, attribute.attribute_id)
    for known in known_classes()
    for attribute in known.attributes.values()
    if attribute.access is Access.WRITE_ONLY
)
"""Class and attribute: the secret of an association, passwords of ports and mail, keys of networks."""
SECRET_METHODS: Final = frozenset({(12, 5), (12, 6), (15, 2), (72, 7)})
"""Class and method: change_LLS_secret and change_HLS_secret of an association, set_encryption_key of an M-Bus client. Keys of the
security setup travel wrapped: see `transfers_keys`."""
KEY_TRANSFER: Final = (64, 2)
SECRETS_IN_PIECES: Final = SECRET_METHODS | {KEY_TRANSFER}
"""The same with keys that are to travel wrapped: of a piece nobody can say whether they do."""
WRAPPED_KEY_OCTETS: Final = (24, 40)
"""A wrapped key of 128 or 256 bits (RFC 3394); one of another length may stand in clear."""
NO_NAMES: Final = ShortNameMap()
"""Only the current association is known by its short name."""
_PASSWORD: Final = 0xAC
_MECHANISM: Final = 0x8B
_CHARSTRING: Final = 0x80
_USER_INFORMATION: Final = 0xBE
_GLO_INITIATE_REQUEST: Final = 0x21
_ENCRYPTED: Final = 0x20
_MECHANISM_PREFIX: Final = DLMS_UA + bytes((MECHANISM_ARC,))
_WRITE_TO_ASSOCIATION: Final = re.compile(rb"[\x06\x16]\x01\x02\xfa.", re.DOTALL)
"""A writeRequest of one variable of the current association, up to its name."""
_OF_ONE: Final[dict[int, tuple[int, ...]]] = {ApduTag.SET_REQUEST: (1, 2), ApduTag.ACTION_REQUEST: (1, 4)}
"""The choices of a request for one attribute or method: whole, and the first block of one."""
_OF_MANY: Final[dict[int, tuple[int, ...]]] = {ApduTag.SET_REQUEST: (4, 5), ApduTag.ACTION_REQUEST: (3, 5)}
"""Those of a request with list."""
_BLOCK_HEADER_OCTETS: Final = 6
_VALUES: Final = ("contents", "value", "raw-data")


ACTION_IN_BLOCKS: Final = (ActionRequestWithFirstPblock, ActionRequestWithListAndFirstPblock)


def asks_for_secret(apdu: object, names: ShortNameMap = NO_NAMES) -> bool:
    """Whether the answer will hold the secret of an association. `names`: what short names stand for."""
    if isinstance(apdu, ReadRequest):
        named = [variable for variable in apdu.variables if variable.parameter is None]
        return any(_is_secret(variable, names) for variable in named)
    if isinstance(apdu, GetRequestNormal):
        descriptors = [apdu.cosem_attribute_descriptor]
    elif isinstance(apdu, GetRequestWithList):
        descriptors = [descriptor for descriptor, _ in apdu.attribute_descriptor_list]
    elif isinstance(apdu, AccessRequest):
        descriptors = _accessed(apdu, AccessKind.GET, AccessKind.GET_WITH_SELECTION)
    else:
        return False
    return any((one.class_id, one.attribute_id) in SECRET_ATTRIBUTES for one in descriptors)


def carries_secret(apdu: object, names: ShortNameMap = NO_NAMES) -> bool:
    """Whether a request writes the secret of an association, or hands over a key in clear."""
    if isinstance(apdu, ReadRequest):
        return any(variable.parameter is not None and _is_secret(variable, names) for variable in apdu.variables)
    if isinstance(apdu, WriteRequest | UnconfirmedWriteRequest):
        block = request_block(apdu)
        if block is None:
            return any(_may_be_secret(variable, names) for variable in apdu.variables)
        # Where the first block does not even name all variables, nobody knows what the others will hold.
        return block[0].number == 1 and _lists_secret(Reader(block[1]), names) is not False
    written = any((one.class_id, one.attribute_id) in SECRET_ATTRIBUTES for one in _written(apdu))
    secrets = SECRETS_IN_PIECES if isinstance(apdu, ACTION_IN_BLOCKS) else SECRET_METHODS
    return written or any((one.class_id, one.method_id) in secrets for one in _invoked(apdu))


def _lists_secret(reader: Reader, names: ShortNameMap) -> bool | None:
    """Whether the variables that a request writes hold a secret; None where their list is cut."""
    try:
        variables = [read_specification(reader) for _ in range(reader.length("count"))]
    except DecodeError:
        return None
    return any(_may_be_secret(variable, names) for variable in variables)


def _may_be_secret(variable: VariableAccessSpecification, names: ShortNameMap) -> bool:
    """Of the current association more is hidden than its secrets: makers have attributes of their own there."""
    return variable.named and (variable.number in OF_CURRENT_ASSOCIATION or _is_secret(variable, names))


def _is_secret(variable: VariableAccessSpecification, names: ShortNameMap) -> bool:
    meaning = names.meaning(variable.number) if variable.named else None
    if meaning is None:
        return False
    target = (meaning.target.class_id, meaning.element.number)
    return target in (SECRETS_IN_PIECES if meaning.element.is_method else SECRET_ATTRIBUTES)


def transfers_keys(apdu: object) -> bool:
    """Whether a request hands over wrapped keys: key_transfer of the security setup."""
    return any((one.class_id, one.method_id) == KEY_TRANSFER for one in _invoked(apdu))


def _written(apdu: object) -> list[CosemAttributeDescriptor]:
    if isinstance(apdu, SetRequestNormal | SetRequestWithFirstDatablock):
        return [apdu.cosem_attribute_descriptor]
    if isinstance(apdu, SetRequestWithList | SetRequestWithListAndFirstDatablock):
        return [descriptor for descriptor, _ in apdu.attribute_descriptor_list]
    if isinstance(apdu, AccessRequest):
        return _accessed(apdu, AccessKind.SET, AccessKind.SET_WITH_SELECTION)
    return []


def _accessed(apdu: AccessRequest, *kinds: AccessKind) -> list[CosemAttributeDescriptor]:
    descriptors = [each.descriptor for each in apdu.specifications if each.kind in kinds]
    return [descriptor for descriptor in descriptors if isinstance(descriptor, CosemAttributeDescriptor)]


def _invoked(apdu: object) -> list[CosemMethodDescriptor]:
    if isinstance(apdu, ActionRequestNormal | ActionRequestWithFirstPblock):
        return [apdu.cosem_method_descriptor]
    if isinstance(apdu, ActionRequestWithList | ActionRequestWithListAndFirstPblock):
        return list(apdu.cosem_method_descriptor_list)
    if isinstance(apdu, AccessRequest):
        descriptors = [each.descriptor for each in apdu.specifications]
        return [descriptor for descriptor in descriptors if isinstance(descriptor, CosemMethodDescriptor)]
    return []


def hide_values(root: Field) -> None:
    """Mark every value below `root` secret, and take it out of the groups that repeat it."""
    for child in root.children:
        hide_values(child)
        if child.name in _VALUES and not child.children:
            child.secret = True
            root.value = ""


def hidden_spans(apdu: bytes, names: ShortNameMap = NO_NAMES) -> list[tuple[int, int]]:
    """Offset and length of the secrets in an APDU that may be cut anywhere: a password, or what a request writes."""
    match apdu[:1]:
        case b"\x60":
            return password_spans(apdu) + dedicated_key_spans(apdu)
        case b"\x05" | b"\x06" | b"\x16":
            return _short_name_spans(apdu, names)
        case b"\xc1" | b"\xc3":
            return _service_spans(apdu)
        case b"\xd9":
            return _access_spans(apdu)
        case b"\xe0":
            return _block_spans(apdu, names)
    return []


def _short_name_spans(apdu: bytes, names: ShortNameMap) -> list[tuple[int, int]]:
    """The same in a READ with parameters or a WRITE: all behind the first name of a secret; and all of a block of them."""
    reader = Reader(apdu)
    found = False
    try:
        written = reader.u8("tag") != ApduTag.READ_REQUEST
        for _ in range(reader.length("count")):
            found = _skip_variable(reader, names, written=written) or found
            if found and not written:
                break
    except DecodeError:
        return _rest(reader) if found and not written else []
    return _rest(reader) if found else []


def _skip_variable(reader: Reader, names: ShortNameMap, *, written: bool) -> bool:
    """One variable of a list, up to its parameter; whether a secret of it follows, or may follow in a block."""
    kind = reader.u8("choice")
    if kind in (VariableAccess.READ_DATA_BLOCK_ACCESS, VariableAccess.WRITE_DATA_BLOCK_ACCESS):
        reader.u8("last-block")
        number = reader.u16("block-number")
        begins = Reader(reader.octets[reader.offset :])
        begins.octets and begins.length("length")
        return number == 1 and _lists_secret(begins, names) is not False
    number = reader.u16("variable-name")
    if kind == VariableAccess.BLOCK_NUMBER_ACCESS:
        return False
    variable = VariableAccessSpecification(VariableAccess.VARIABLE_NAME, number)
    if kind != VariableAccess.PARAMETERIZED_ACCESS:
        return written and _may_be_secret(variable, names)
    reader.u8("selector")
    if _is_secret(variable, names) or (written and _may_be_secret(variable, names)):
        return True
    read_data(reader)
    return False


def _service_spans(apdu: bytes) -> list[tuple[int, int]]:
    """The same in a SET or ACTION: all behind the descriptor, or behind the list of them, where one of them is of a secret."""
    reader = Reader(apdu)
    try:
        tag, choice = reader.u8("tag"), reader.u8("choice")
        reader.u8("invoke-id-and-priority")
        listed = choice in _OF_MANY[tag]
        secrets = SECRET_ATTRIBUTES if tag == ApduTag.SET_REQUEST else SECRETS_IN_PIECES
        found = False
        for _ in range(reader.length("count") if listed else 1):
            class_id, _, number = reader.u16("class-id"), reader.take(6, "instance-id"), reader.signed(1, "id")
            found = found or (class_id, number) in secrets
            if listed and tag == ApduTag.SET_REQUEST:
                read_optional_selection(reader)
    except DecodeError:
        return []
    return _rest(reader) if found and (listed or choice in _OF_ONE[tag]) else []


def _access_spans(apdu: bytes) -> list[tuple[int, int]]:
    """The same in an ACCESS: all behind its specifications."""
    reader = Reader(apdu)
    found = False
    try:
        reader.u8("tag")
        reader.u32("long-invoke-id-and-priority")
        read_optional_date_time(reader)
        for _ in range(reader.length("specification-count")):
            one = AccessRequest(0, None, (read_specification_of_access(reader),), ())
            found = found or carries_secret(one) or transfers_keys(one)
    except DecodeError:
        return []
    return _rest(reader) if found else []


def _block_spans(apdu: bytes, names: ShortNameMap) -> list[tuple[int, int]]:
    """The same in the first general block of one of these."""
    reader = Reader(apdu)
    try:
        reader.take(_BLOCK_HEADER_OCTETS, "header")
        reader.length("length")
    except DecodeError:
        return []
    spans = hidden_spans(apdu[reader.offset :], names)
    return [(reader.offset + offset, length) for offset, length in spans]


def _rest(reader: Reader) -> list[tuple[int, int]]:
    return [(reader.offset, reader.remaining)] if reader.remaining else []


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


def dedicated_key_spans(apdu: bytes) -> list[tuple[int, int]]:
    """The same of the dedicated key in an AARQ: in an InitiateRequest in clear, or one that is only authenticated."""
    reader = Reader(apdu)
    try:
        reader.u8("tag")
        reader.length("length")
        while reader.remaining:
            tag, size = reader.u8("tag"), reader.length("length")
            if tag == _USER_INFORMATION:
                return _key_span(reader)
            reader.take(size, "contents")
    except DecodeError:
        pass  # the rest has not come yet
    return []


def _key_span(reader: Reader) -> list[tuple[int, int]]:
    reader.u8("octet-string")
    reader.length("length")
    if reader.u8("tag") == _GLO_INITIATE_REQUEST:
        reader.length("length")
        if reader.u8("security-control") & _ENCRYPTED:
            return []
        reader.take(4, "invocation-counter")
        reader.u8("tag")
    if not reader.flag("dedicated-key-present"):
        return []
    size = reader.length("length")
    return [(reader.offset, min(size, reader.remaining))] if reader.remaining else []


def _value_span(reader: Reader, size: int) -> list[tuple[int, int]]:
    """Offset and length of the value behind its choice and length; all of it where there is no choice."""
    part = Reader(reader.octets[reader.offset : reader.offset + size])
    if part.peek() == _CHARSTRING:
        part.u8("choice")
        part.length("length")
    return [(reader.offset + part.offset, part.remaining)] if part.remaining else []


def likely_secret_spans(octets: bytes) -> list[tuple[int, int]]:
    """The same in octets that no codec could read: wherever a password, or a WRITE to the association, seems to stand."""
    spans = [(found.end(), len(octets) - found.end()) for found in _WRITE_TO_ASSOCIATION.finditer(octets)]
    return likely_password_spans(octets) + [(start, length) for start, length in spans if length]


def likely_password_spans(octets: bytes) -> list[tuple[int, int]]:
    """Wherever an authentication value seems to stand (`AC n+2 80 n`)."""
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
