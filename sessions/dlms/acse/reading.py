"""Reading the APDUs of ACSE: lenient about what deployed meters send, and frank about it.

What a peer does otherwise than the standard, and can yet be understood, is accepted and noted in `deviations`: fields in another
order, unknown fields, values without (or with) a tag of their own, lengths that cut what stands there in whole, an odd
protocol-version, an AARE without a diagnostic. Everything else is a typed error: a field that comes twice, a name that is not the
DLMS UA's, octets that are missing or left over. Source: IEC 62056-5-3, 7.2; ITU-T X.690.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from meters.cosem.data import BitString
from sessions.dlms.acse.apdus import Aare, Aarq, Rlre, Rlrq
from sessions.dlms.acse.names import (
    AARE_TAG,
    AARQ_TAG,
    CHALLENGE_MECHANISMS,
    CONTEXT_ARC,
    DLMS_UA,
    MECHANISM_ARC,
    PROTOCOL_VERSION_1,
    RLRE_TAG,
    RLRQ_TAG,
    ApplicationContext,
    AssociationResult,
    AuthenticationValueChoice,
    DiagnosticSource,
    ResultSourceDiagnostic,
    mechanism_words,
    words_of,
)
from sessions.dlms.ber import (
    BerTag,
    read_bit_string,
    read_contents,
    read_integer,
    read_object_identifier,
    read_octet_string,
    read_tag,
    read_tagged_integer,
)
from sessions.dlms.cursor import Field, Reader
from sessions.dlms.errors import DecodeError, InvalidValueError, TruncatedError

Odd = Callable[[str], None]
"""Notes a deviation."""
_Read = Callable[[Reader, str, Odd], Any]

_PROTOCOL_VERSION_EXPLICIT: Final = 0xA0
_USER_INFORMATION: Final = 0xBE
SHORTEST_LONG_FORM: Final = 0x80
LONGEST_LENGTH: Final = 4
"""Octets of a length in the long form, that a reader takes."""

# -- single fields -----------------------------------------------------------------------------------------------------


def _read_name(arc: int, *, tagged: bool) -> _Read:
    """An object identifier below the DLMS UA's arc, as its last number. `tagged`: its universal tag is due."""

    def read(contents: Reader, name: str, odd: Odd) -> int:
        if (contents.peek() == BerTag.OBJECT_IDENTIFIER) != tagged:
            odd(f"{name} {'without' if tagged else 'with'} the tag of an object identifier")
        octets = read_object_identifier(contents, name)
        at = contents.position - len(octets)
        if len(octets) != len(DLMS_UA) + 2 or octets[:-1] != DLMS_UA + bytes((arc,)):
            raise InvalidValueError(name, at, f"{octets.hex()} is no name of the DLMS UA's arc {arc}")
        number = octets[-1]
        known = words_of(ApplicationContext, number) if arc == CONTEXT_ARC else mechanism_words(number)
        contents.label(f"{octets.hex()} ({known})")
        if arc == CONTEXT_ARC and number in ApplicationContext._value2member_map_:
            return ApplicationContext(number)
        return number

    return read


def _read_octets(contents: Reader, name: str, odd: Odd) -> bytes:
    if contents.peek() != BerTag.OCTET_STRING:
        odd(f"{name} without the tag of an octet string")
    return read_octet_string(contents, name)


def _read_number(contents: Reader, name: str, odd: Odd) -> int:
    if contents.peek() == BerTag.INTEGER:
        return read_tagged_integer(contents, name)
    odd(f"{name} without the tag of an integer")
    return read_integer(contents, name)


def _read_bits(contents: Reader, name: str, odd: Odd) -> BitString:
    return read_bit_string(contents, name)


def _read_version(contents: Reader, name: str, odd: Odd) -> BitString:
    """The ACSE version is always 1; some write it strangely, and nobody is turned away for it here."""
    if contents.peek() == BerTag.BIT_STRING and contents.peek(1) == contents.remaining - 2:
        read_tag(contents)
        contents.length("length")
        odd(f"{name} with the tag of a bit string")
    octets = contents.octets[contents.offset : contents.end]
    try:
        bits = read_bit_string(Reader(octets), name)
    except DecodeError:
        bits = BitString(octets, len(octets) * 8)
        odd(f"{name} {octets.hex() or 'empty'} is no bit string")
    contents.rest(name)
    contents.label(f"{octets.hex()} ({bits})")
    if bits != PROTOCOL_VERSION_1:
        odd(f"{name} is written as {bits}, version 1 would be 1")
    return bits


def _read_result(contents: Reader, name: str, odd: Odd) -> int:
    number = _read_number(contents, name, odd)
    contents.label(words_of(AssociationResult, number))
    if number in AssociationResult._value2member_map_:
        return AssociationResult(number)
    odd(f"{name} {number} is not assigned")
    return number


def _read_diagnostic(contents: Reader, name: str, odd: Odd) -> ResultSourceDiagnostic:
    at = contents.position
    source = read_tag(contents, "source") & 0x1F
    if source not in DiagnosticSource._value2member_map_:
        raise InvalidValueError(name, at, f"source {source} is not assigned")
    contents.label(words_of(DiagnosticSource, source))
    inner = read_contents(contents, name)
    diagnostic = ResultSourceDiagnostic(DiagnosticSource(source), _read_number(inner, name, odd))
    inner.label(f"{diagnostic.diagnostic} ({diagnostic.words})")
    return diagnostic


def _read_authentication_value(contents: Reader, name: str, odd: Odd) -> tuple[bytes, AuthenticationValueChoice]:
    if contents.peek() in AuthenticationValueChoice._value2member_map_:
        tag = read_tag(contents, "choice")
        octets = contents.take(contents.length("length"), name)
        return octets, AuthenticationValueChoice(tag)
    odd(f"{name} without the tag of a choice")
    return contents.rest(name), AuthenticationValueChoice.CHARSTRING


def _read_reason(contents: Reader, name: str, odd: Odd) -> int:
    return read_integer(contents, name)


def _skip(contents: Reader, name: str, odd: Odd) -> bytes:
    return contents.rest(name)


_AARQ_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("protocol-version", _read_version),
    _PROTOCOL_VERSION_EXPLICIT: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_name(CONTEXT_ARC, tagged=True)),
    0xA2: ("called-AP-title", _read_octets),
    0xA3: ("called-AE-qualifier", _read_octets),
    0xA4: ("called-AP-invocation-id", _read_number),
    0xA5: ("called-AE-invocation-id", _read_number),
    0xA6: ("calling-AP-title", _read_octets),
    0xA7: ("calling-AE-qualifier", _read_octets),
    0xA8: ("calling-AP-invocation-id", _read_number),
    0xA9: ("calling-AE-invocation-id", _read_number),
    0x8A: ("sender-acse-requirements", _read_bits),
    0x8B: ("mechanism-name", _read_name(MECHANISM_ARC, tagged=False)),
    0xAC: ("calling-authentication-value", _read_authentication_value),
    0xBD: ("implementation-information", _read_octets),
    _USER_INFORMATION: ("user-information", _read_octets),
}
_AARE_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("protocol-version", _read_version),
    _PROTOCOL_VERSION_EXPLICIT: ("protocol-version", _read_version),
    0xA1: ("application-context-name", _read_name(CONTEXT_ARC, tagged=True)),
    0xA2: ("result", _read_result),
    0xA3: ("result-source-diagnostic", _read_diagnostic),
    0xA4: ("responding-AP-title", _read_octets),
    0xA5: ("responding-AE-qualifier", _read_octets),
    0xA6: ("responding-AP-invocation-id", _read_number),
    0xA7: ("responding-AE-invocation-id", _read_number),
    0x88: ("responder-acse-requirements", _read_bits),
    0x89: ("mechanism-name", _read_name(MECHANISM_ARC, tagged=False)),
    0xAA: ("responding-authentication-value", _read_authentication_value),
    0xBD: ("implementation-information", _read_octets),
    _USER_INFORMATION: ("user-information", _read_octets),
}
_RELEASE_FIELDS: Final[dict[int, tuple[str, _Read]]] = {
    0x80: ("reason", _read_reason),
    _USER_INFORMATION: ("user-information", _read_octets),
}
_Table = dict[int, tuple[str, _Read]]

# -- all fields of an APDU ---------------------------------------------------------------------------------------------


def _attribute(name: str) -> str:
    return name.lower().replace("-", "_")


def _read_fields(reader: Reader, tag: int, name: str, table: _Table) -> dict[str, Any]:
    """Tag, length and the fields of one ACSE APDU, by attribute name. A field that comes twice is refused."""
    deviations: list[str] = []
    reader.constant(bytes((tag,)), "tag")
    body, missing = _read_body(reader, name, deviations.append)
    values: dict[str, Any] = {}
    order = list(table)
    last = -1
    while body.remaining:
        field_tag = body.peek() or 0
        if field_tag in table:
            if order.index(field_tag) < last:
                deviations.append(f"{table[field_tag][0]} stands out of order")
            last = max(last, order.index(field_tag))
        else:
            deviations.append(f"an unknown field with tag {field_tag:02x}")
        _read_field(body, table, values, deviations.append)
    if missing:
        raise TruncatedError(name, body.position, f"{missing} octets are missing")
    values.pop("unknown_field", None)
    values["deviations"] = tuple(deviations)
    return values


def _read_body(reader: Reader, name: str, odd: Odd) -> tuple[Reader, int]:
    """A reader over the fields, and how many octets are missing: of a truncated APDU, the fields that are there are read."""
    size = _length_in_one_octet(reader)
    if size is None:
        size = reader.length("length")
    else:
        odd(f"the length of the {name}, {size}, is written in one octet")
    whole = reader.octets[reader.offset : reader.end]
    extent = _extent(whole, size)
    if extent > size:
        odd(f"the length of the {name} says {size}, it has {extent} octets")
    missing = max(0, extent - len(whole))
    return reader.sub(extent - missing, name), missing


def _length_in_one_octet(reader: Reader) -> int | None:
    """A length over 127 without the octet that announces it, where it fits exactly and the long form does not."""
    first, behind = reader.peek() or 0, reader.remaining - 1
    if first <= SHORTEST_LONG_FORM or first != behind:
        return None
    announced = first & SHORTEST_LONG_FORM - 1
    contents = reader.octets[reader.offset + 1 : reader.offset + 1 + announced]
    if announced <= LONGEST_LENGTH and int.from_bytes(contents, "big") <= behind - announced:
        return None
    return reader.u8("length")


def _extent(octets: bytes, size: int) -> int:
    """How long the fields really are: `size`, or all octets where `size` cuts a field that stands there in whole."""
    if size >= len(octets):
        return size
    at = 0
    while at < len(octets) and at != size:
        end = _field_end(octets, at)
        if end is None:
            return size
        at = end
    return at


def _field_end(octets: bytes, at: int) -> int | None:
    """Where the field at `at` ends; None where it is cut. User-information ends where the octet string inside does."""
    part = Reader(octets[at:])
    try:
        tag = part.u8("tag")
        size = part.length("length")
        if tag == _USER_INFORMATION:
            size = max(size, _octet_string_size(part))
        part.take(size, "contents")
    except DecodeError:
        return None
    return at + part.offset


def _octet_string_size(part: Reader) -> int:
    """Octets of the octet string that begins here, with tag and length; 0 where there is none."""
    inner = Reader(part.octets[part.offset : part.end])
    if inner.peek() != BerTag.OCTET_STRING:
        return 0
    try:
        inner.u8("tag")
        size = inner.length("length")
    except DecodeError:
        return 0
    return inner.offset + size


def _read_field(body: Reader, table: _Table, values: dict[str, Any], odd: Odd) -> None:
    at, field_tag = body.position, body.peek() or 0
    field_name, read = table.get(field_tag, ("unknown-field", _skip))
    attribute = _attribute(field_name)
    if attribute in values and field_tag in table:
        raise InvalidValueError(field_name, at, "the field comes twice")
    body.enter(field_name)
    read_tag(body)
    size = body.length("length")
    if field_tag == _USER_INFORMATION and size < (inner := _octet_string_size(body)) <= body.remaining:
        odd(f"the length of the {field_name} says {size}, it has {inner} octets")
        size = inner
    contents = body.sub(size, field_name)
    values[attribute] = read(contents, field_name, odd)
    contents.finish(field_name)
    body.leave(_shown(body))


def _shown(body: Reader) -> str:
    """What the open group says in one line: its last field, unless that is a secret."""
    last = body.tracer.last() if body.tracer is not None else None
    return "" if last is None or last.secret else last.value


# -- the APDUs ---------------------------------------------------------------------------------------------------------


def read_aarq(reader: Reader) -> Aarq:
    with reader.group("AARQ"):
        secrets: list[Field] = []
        values = _read_fields(reader, AARQ_TAG, "AARQ", _aarq_table(secrets))
        _spare_challenge(values, secrets)
        _split_choice(values, "calling_authentication_value")
        _require(reader, values, "application-context-name")
        return Aarq(**values)


def _aarq_table(secrets: list[Field]) -> _Table:
    """The AARQ's fields, with a reader of the authentication value that marks it secret at once, whatever follows."""

    def read_secret(contents: Reader, name: str, odd: Odd) -> tuple[bytes, AuthenticationValueChoice]:
        value = _read_authentication_value(contents, name, odd)
        if contents.tracer is not None:
            contents.tracer.last().secret = True
            secrets.append(contents.tracer.last())
        return value

    return {**_AARQ_FIELDS, 0xAC: ("calling-authentication-value", read_secret)}


def _spare_challenge(values: dict[str, Any], secrets: list[Field]) -> None:
    """A challenge of HLS is public."""
    if values.get("mechanism_name") in CHALLENGE_MECHANISMS:
        for one in secrets:
            one.secret = False


def _split_choice(values: dict[str, Any], attribute: str) -> None:
    if attribute in values:
        values[attribute], values[f"{attribute}_choice"] = values[attribute]


def _require(reader: Reader, values: dict[str, Any], *names: str) -> None:
    for name in names:
        if _attribute(name) not in values:
            raise InvalidValueError(name, reader.position, "a mandatory field is missing")


def read_aare(reader: Reader) -> Aare:
    with reader.group("AARE"):
        values = _read_fields(reader, AARE_TAG, "AARE", _AARE_FIELDS)
        _split_choice(values, "responding_authentication_value")
        _require(reader, values, "application-context-name", "result")
        if "result_source_diagnostic" not in values:
            values["deviations"] += ("result-source-diagnostic is missing",)
        return Aare(**values)


def read_rlrq(reader: Reader) -> Rlrq:
    with reader.group("RLRQ"):
        return Rlrq(**{"reason": None, **_read_fields(reader, RLRQ_TAG, "RLRQ", _RELEASE_FIELDS)})


def read_rlre(reader: Reader) -> Rlre:
    with reader.group("RLRE"):
        return Rlre(**{"reason": None, **_read_fields(reader, RLRE_TAG, "RLRE", _RELEASE_FIELDS)})


def _decode(octets: bytes, read: Callable[[Reader], Any], name: str) -> Any:
    reader = Reader(octets)
    value = read(reader)
    reader.finish(name)
    return value


def decode_aarq(octets: bytes) -> Aarq:
    aarq: Aarq = _decode(octets, read_aarq, "AARQ")
    return aarq


def decode_aare(octets: bytes) -> Aare:
    aare: Aare = _decode(octets, read_aare, "AARE")
    return aare


def decode_rlrq(octets: bytes) -> Rlrq:
    rlrq: Rlrq = _decode(octets, read_rlrq, "RLRQ")
    return rlrq


def decode_rlre(octets: bytes) -> Rlre:
    rlre: Rlre = _decode(octets, read_rlre, "RLRE")
    return rlre
