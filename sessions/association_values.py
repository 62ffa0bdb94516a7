"""The keys of an association file's tables, taken one by one, and what each may hold.

A converter raises ValueError with a reason that repeats no value: it may be a secret. `Keys` makes an error of it that names the
key, and complains of keys that nobody took.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Any, Final, Literal, Protocol, TypeVar

from meters.cosem.data import BitString
from meters.cosem.obis import ObisCode
from sessions.dlms.association import PROPOSED_CONFORMANCE, PROPOSED_SHORT_NAME_CONFORMANCE, Referencing
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import DlmsError, LocalProtocolError
from sessions.dlms.iec62056_21.sign_on import RequestMessage
from sessions.dlms.key_files import load_certificate

T = TypeVar("T")

MAX_COUNTER: Final = 0xFFFFFFFF
FRESH_WORD: Final = "fresh"
FRESH: Final = b""
"""Stands for a dedicated key that is made anew for each association."""


class AssociationFileError(DlmsError):
    """The association file cannot be used; `key` names the guilty entry, where there is one."""

    layer = "configuration"
    code = "bad-association-file"
    hint = "The README shows an association file with every key."

    def __init__(self, reason: str, *, key: str = "", code: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{key}: {reason}" if key else reason, code=code, hint=hint)
        self.key = key


class Keys:
    """Takes keys out of a table, and complains about those that nobody took."""

    def __init__(self, table: Mapping[str, Any], prefix: str) -> None:
        self._left = dict(table)
        self._prefix = prefix
        self._known: list[str] = []

    def take(self, key: str, convert: Callable[[Any], T], default: T | Any) -> Any:
        """The value of `key`, converted; `default` where it is absent."""
        self._known.append(key)
        if key not in self._left:
            return default
        try:
            return convert(self._left.pop(key))
        except ValueError as error:
            raise AssociationFileError(str(error), key=self._prefix + key) from None

    def need(self, key: str, convert: Callable[[Any], T]) -> T:
        """The value of `key`, converted; an error where it is absent."""
        if key not in self._left:
            raise AssociationFileError("is missing", key=self._prefix + key)
        value: T = self.take(key, convert, None)
        return value

    def finish(self) -> None:
        for key in self._left:
            known = ", ".join(sorted(self._known))
            raise AssociationFileError(
                "is not a key of an association file", key=self._prefix + key, hint=f"Known: {known}."
            )


# -- converters: ValueError with a reason that repeats no value of a secret ---------------------------------------------


def table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("is a table, such as [hdlc] and what stands below it")
    return value


def device_address(value: Any) -> str:
    try:
        RequestMessage(value if isinstance(value, str) else "!").encode()
    except LocalProtocolError as error:
        raise ValueError(f"is a text: {error.message}") from None
    return str(value)


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


def tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("is a list of tables: [[short_names]]")
    return value


def one_of(*words: str) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"is one of {', '.join(words)}")
        return value

    return convert


def integer(least: int, most: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"is a whole number from {least} to {most}")
        return value

    return convert


def sap(framing: Literal["wrapper", "hdlc"]) -> Callable[[Any], int]:
    """HDLC has one octet for the client's address."""
    return integer(1, 0x7F if framing == "hdlc" else 0xFFFF)


def pdu_size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 12 <= value <= 0xFFFF):
        raise ValueError("is 0 (no limit) or a whole number from 12 to 65535")
    return value


def address_octets(value: Any) -> int:
    if isinstance(value, bool) or value not in (1, 2, 4):
        raise ValueError("is 1, 2 or 4")
    return int(value)


def seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.05 <= value <= 600:
        raise ValueError("is a number of seconds from 0.05 to 600")
    return float(value)


def pause(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value == 0 or 1 <= value <= 3600):
        raise ValueError("is 0 (never) or a number of seconds from 1 to 3600")
    return float(value)


def short_pause(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 10:
        raise ValueError("is a number of seconds from 0 to 10")
    return float(value)


def counter(value: Any) -> int:
    """A number, or hexadecimal text."""
    if isinstance(value, str):
        try:
            value = int(value.removeprefix("hex:").replace(" ", ""), 16)
        except ValueError:
            raise ValueError("is a number, or a text of hexadecimal digits") from None
    return integer(0, MAX_COUNTER)(value)


def obis(value: Any) -> ObisCode:
    if not isinstance(value, str):
        raise ValueError("is a logical name such as 0-0:43.1.0*255")
    return ObisCode.parse(value)


def octets(*sizes: int) -> Callable[[Any], bytes]:
    """Octets as hexadecimal text, of one of the sizes."""
    wanted = " or ".join(str(size) for size in sizes)

    def convert(value: Any) -> bytes:
        octets = _from_hex(value.removeprefix("hex:")) if isinstance(value, str) else None
        if octets is None:
            raise ValueError(f"is a text of hexadecimal digits, {wanted} octets")
        if len(octets) not in sizes:
            raise ValueError(f"has {len(octets)} octets instead of {wanted}")
        return octets

    return convert


def some_octets(value: Any) -> bytes:
    octets = _from_hex(value.removeprefix("hex:")) if isinstance(value, str) else None
    if not octets:
        raise ValueError("is a text of hexadecimal digits, pairs of them")
    return octets


def octets_or_certificate(value: Any) -> bytes:
    """Octets, or a certificate in PEM, whose DER goes out."""
    if not isinstance(value, str) or "-----BEGIN" not in value:
        return some_octets(value)
    try:
        return load_certificate(value, "this")
    except LocalProtocolError as error:
        raise ValueError(error.message.removeprefix("this: ")) from None


def bits(value: Any) -> BitString:
    """A bit string as a text of 0 and 1."""
    if not isinstance(value, str) or not value or set(value) - {"0", "1"}:
        raise ValueError('is a text of the digits 0 and 1, such as "1"')
    size = -(-len(value) // 8)
    return BitString(int(value.ljust(8 * size, "0"), 2).to_bytes(size, "big"), len(value))


def dedicated_key(value: Any) -> bytes:
    """A key, or the word for a new one with each association."""
    return FRESH if value == FRESH_WORD else octets(16, 32)(value)


def conformance(referencing: str) -> Callable[[Any], Conformance]:
    """Services by the standard's names; one that this client does not implement may not be proposed."""
    by_short_names = referencing == Referencing.SHORT_NAMES.value
    possible = PROPOSED_SHORT_NAME_CONFORMANCE if by_short_names else PROPOSED_CONFORMANCE
    names = {name: flag for flag in Conformance if flag in possible for name in flag.names}

    def convert(value: Any) -> Conformance:
        if not isinstance(value, list) or not value or not all(word in names for word in value):
            raise ValueError(f"is a list of services, of these: {', '.join(names)}")
        return reduce(or_, (names[word] for word in value))

    return convert


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


class _LoadKey(Protocol):
    def __call__(self, given: str, name: str, *, suite: int) -> bytes: ...


def key_file(load: _LoadKey, suite: int) -> Callable[[Any], bytes]:
    """A key of a key pair, or the certificate of one: PEM text or hexadecimal digits."""

    def convert(value: Any) -> bytes:
        if not isinstance(value, str):
            raise ValueError("is PEM text (three quotes around it), or hexadecimal digits")
        try:
            return load(value, "this", suite=suite)
        except LocalProtocolError as error:
            raise ValueError(error.message.removeprefix("this: ")) from None

    return convert


def secret(value: Any) -> bytes:
    """`text:…` is taken as UTF-8, `hex:…` as octets."""
    kind, colon, contents = value.partition(":") if isinstance(value, str) else ("", "", "")
    octets = contents.encode() if kind == "text" else _from_hex(contents) if kind == "hex" else None
    if not colon or octets is None:
        raise ValueError('is "text:…" or "hex:…" (pairs of hexadecimal digits)')
    return octets
