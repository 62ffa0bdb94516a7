"""Protected APDUs: what stands around the ciphertext (IEC 62056-5-3, 5.7; Green Book 9.2.7).

Nothing is deciphered here: `sessions.dlms.security` does that with the keys.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Final

from meters.cosem.date_time import CosemDateTime
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader, Writer
from sessions.dlms.errors import InvalidValueError
from sessions.dlms.security import SecurityControl, read_security_control

GENERAL_GLO_TAG: Final = ApduTag.GENERAL_GLO_CIPHERING
GENERAL_DED_TAG: Final = ApduTag.GENERAL_DED_CIPHERING

DATE_TIME_OCTETS: Final = 12

# The standard writes the services of short names in camel case, those of logical names with hyphens.
_SHORT_NAME: Final[dict[int, str]] = {
    ApduTag.INITIATE_REQUEST: "initiateRequest",
    ApduTag.READ_REQUEST: "readRequest",
    ApduTag.WRITE_REQUEST: "writeRequest",
    ApduTag.INITIATE_RESPONSE: "initiateResponse",
    ApduTag.READ_RESPONSE: "readResponse",
    ApduTag.WRITE_RESPONSE: "writeResponse",
    ApduTag.CONFIRMED_SERVICE_ERROR: "confirmedServiceError",
    ApduTag.UNCONFIRMED_WRITE_REQUEST: "unconfirmedWriteRequest",
    ApduTag.INFORMATION_REPORT_REQUEST: "informationReportRequest",
}
_LOGICAL_NAME: Final[dict[int, str]] = {
    ApduTag.GET_REQUEST: "get-request",
    ApduTag.SET_REQUEST: "set-request",
    ApduTag.EVENT_NOTIFICATION_REQUEST: "event-notification-request",
    ApduTag.ACTION_REQUEST: "action-request",
    ApduTag.GET_RESPONSE: "get-response",
    ApduTag.SET_RESPONSE: "set-response",
    ApduTag.ACTION_RESPONSE: "action-response",
}
GLO_TAGS: Final[dict[int, int]] = {
    **{tag: tag + 0x20 for tag in _SHORT_NAME},
    **{tag: tag + 0x08 for tag in _LOGICAL_NAME},
}
"""The tag of a plain APDU to the one of its globally ciphered form."""
DED_TAGS: Final[dict[int, int]] = {
    **{tag: tag + 0x40 for tag in _SHORT_NAME},
    **{tag: tag + 0x10 for tag in _LOGICAL_NAME},
}
"""The same for the dedicated key."""
PLAIN_TAGS: Final[dict[int, int]] = {
    ciphered: plain for table in (GLO_TAGS, DED_TAGS) for plain, ciphered in table.items()
}
"""Back from either form."""
NAMES: Final[dict[int, str]] = {
    **{ciphered: f"glo-{(_SHORT_NAME | _LOGICAL_NAME)[plain]}" for plain, ciphered in GLO_TAGS.items()},
    **{ciphered: f"ded-{(_SHORT_NAME | _LOGICAL_NAME)[plain]}" for plain, ciphered in DED_TAGS.items()},
}


_DEDICATED: Final = frozenset(DED_TAGS.values()) | {GENERAL_DED_TAG}


def is_dedicated(tag: int) -> bool:
    """Whether APDUs with this tag are ciphered under a dedicated key."""
    return tag in _DEDICATED


def split_envelope(octets: bytes) -> tuple[bytes, bytes]:
    """System title (empty where the APDU names none) and payload, header included, of a glo-, ded-, general-glo- or
    general-ded-ciphered APDU; DecodeError where its lengths do not fit. The caller looked at the tag."""
    start = _contents_of(octets)  # most come so: this is what a load profile in blocks waits for
    if start is not None:
        return b"", octets[start:]
    reader = Reader(octets)
    title = b""
    if reader.u8("tag") in (GENERAL_GLO_TAG, GENERAL_DED_TAG):
        title = reader.octet_string("system-title")
    payload = reader.take(reader.length("length"), "ciphered-service")
    reader.finish("ciphered-apdu")
    return title, payload


def _contents_of(octets: bytes) -> int | None:
    """Where the contents of a service's own tag begin, if they have exactly the announced length; None otherwise."""
    if len(octets) < 4 or octets[0] in (GENERAL_GLO_TAG, GENERAL_DED_TAG):
        return None
    first = octets[1]
    if first < 0x80:
        return 2 if len(octets) == 2 + first else None
    if first == 0x82:
        return 4 if len(octets) == 4 + (octets[2] << 8 | octets[3]) else None
    return 3 if first == 0x81 and len(octets) == 3 + octets[2] else None


class KeyInfo(IntEnum):
    """How a general-ciphering APDU says which key it uses."""

    IDENTIFIED_KEY = 0
    WRAPPED_KEY = 1
    AGREED_KEY = 2


@dataclass(frozen=True, slots=True)
class CipheredApdu:
    """A service-specific protected APDU. `ciphertext` holds what follows the counter: text, and the tag where there is one."""

    tag: int
    security_control: SecurityControl
    invocation_counter: int
    ciphertext: bytes

    @property
    def dedicated(self) -> bool:
        return self.tag in DED_TAGS.values()

    @property
    def payload(self) -> bytes:
        """Security header and text, as `security.unprotect` takes it."""
        return bytes((self.security_control.encode(),)) + self.invocation_counter.to_bytes(4, "big") + self.ciphertext

    def encode(self) -> bytes:
        return Writer().u8(self.tag).octet_string(self.payload).octets()

    def summary(self) -> str:
        return f"{NAMES.get(self.tag, f'{self.tag:02x}')}, {_header(self)}"


@dataclass(frozen=True, slots=True)
class GeneralCipheredApdu:
    """general-glo-ciphering (DB) or general-ded-ciphering (DC): any APDU inside, the sender's title outside."""

    tag: int
    system_title: bytes
    security_control: SecurityControl
    invocation_counter: int
    ciphertext: bytes

    @property
    def dedicated(self) -> bool:
        return self.tag == GENERAL_DED_TAG

    @property
    def payload(self) -> bytes:
        return bytes((self.security_control.encode(),)) + self.invocation_counter.to_bytes(4, "big") + self.ciphertext

    def encode(self) -> bytes:
        return Writer().u8(self.tag).octet_string(self.system_title).octet_string(self.payload).octets()

    def summary(self) -> str:
        kind = "general-ded-ciphering" if self.dedicated else "general-glo-ciphering"
        return f"{kind} from {self.system_title.hex() or 'no title'}, {_header(self)}"


def _header(apdu: CipheredApdu | GeneralCipheredApdu) -> str:
    return f"{apdu.security_control}, counter {apdu.invocation_counter}, {len(apdu.ciphertext)} octets"


@dataclass(frozen=True, slots=True)
class GeneralCiphering:
    """general-ciphering (DD): protection between parties that need not be the two of the association."""

    tag: ClassVar[ApduTag] = ApduTag.GENERAL_CIPHERING
    transaction_id: bytes
    originator_system_title: bytes
    recipient_system_title: bytes
    date_time: bytes
    other_information: bytes
    key_info: KeyInfo | None
    key_id: int  # identified-key: key-id, wrapped-key: kek-id, agreed-key: the one octet of key-parameters
    key_ciphered_data: bytes = field(repr=False)
    security_control: SecurityControl
    invocation_counter: int
    ciphertext: bytes

    def header(self) -> bytes:
        """What joins the additional authenticated data: each field with its length."""
        writer = Writer().octet_string(self.transaction_id).octet_string(self.originator_system_title)
        writer.octet_string(self.recipient_system_title).octet_string(self.date_time)
        return writer.octet_string(self.other_information).octets()

    @property
    def payload(self) -> bytes:
        return bytes((self.security_control.encode(),)) + self.invocation_counter.to_bytes(4, "big") + self.ciphertext

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.GENERAL_CIPHERING).put(self.header())
        if self.key_info is None:
            writer.u8(0)
        else:
            writer.u8(1).u8(self.key_info)
            if self.key_info is KeyInfo.AGREED_KEY:
                writer.octet_string(bytes((self.key_id,)))
            else:
                writer.u8(self.key_id)
            if self.key_info is not KeyInfo.IDENTIFIED_KEY:
                writer.octet_string(self.key_ciphered_data)
        return writer.octet_string(self.payload).octets()

    def summary(self) -> str:
        return f"general-ciphering from {self.originator_system_title.hex()}, counter {self.invocation_counter}"


@dataclass(frozen=True, slots=True)
class GeneralSigning:
    """general-signing (DF): contents in clear, and a signature over them."""

    tag: ClassVar[ApduTag] = ApduTag.GENERAL_SIGNING
    transaction_id: bytes
    originator_system_title: bytes
    recipient_system_title: bytes
    date_time: bytes
    other_information: bytes
    content: bytes
    signature: bytes

    def encode(self) -> bytes:
        writer = Writer().u8(ApduTag.GENERAL_SIGNING).octet_string(self.transaction_id)
        writer.octet_string(self.originator_system_title).octet_string(self.recipient_system_title)
        writer.octet_string(self.date_time).octet_string(self.other_information)
        return writer.octet_string(self.content).octet_string(self.signature).octets()

    def summary(self) -> str:
        return f"general-signing from {self.originator_system_title.hex()}, {len(self.content)} octets"


def _read_payload(reader: Reader) -> tuple[SecurityControl, int, bytes]:
    part = reader.sub(reader.length("length"), "ciphered-service")
    control = read_security_control(part)
    return control, part.u32("invocation-counter"), part.rest("ciphertext")


def read_ciphered_apdu(reader: Reader) -> CipheredApdu:
    """Any of the glo- and ded- APDUs."""
    tag = reader.peek() or 0
    with reader.group(NAMES.get(tag, "ciphered")):
        reader.u8("tag")
        return CipheredApdu(tag, *_read_payload(reader))


def read_general_ciphered_apdu(reader: Reader) -> GeneralCipheredApdu:
    tag = reader.peek() or 0
    with reader.group("general-ded-ciphering" if tag == GENERAL_DED_TAG else "general-glo-ciphering"):
        reader.u8("tag")
        return GeneralCipheredApdu(tag, reader.octet_string("system-title"), *_read_payload(reader))


def _read_parties(reader: Reader) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    return (
        reader.octet_string("transaction-id"),
        reader.octet_string("originator-system-title"),
        reader.octet_string("recipient-system-title"),
        _read_date_time(reader),
        reader.octet_string("other-information"),
    )


def _read_date_time(reader: Reader) -> bytes:
    octets = reader.octet_string("date-time")
    if len(octets) == DATE_TIME_OCTETS:
        reader.label(f"{octets.hex()} ({CosemDateTime.decode(octets)})")
    return octets


def _read_key_id(reader: Reader) -> int:
    key_id = reader.u8("key-id")
    reader.label(f"{key_id} ({_IDENTIFIED.get(key_id, 'not assigned')})")
    return key_id


def _read_kek_id(reader: Reader) -> int:
    kek_id = reader.u8("kek-id")
    reader.label(f"{kek_id} ({'master key' if kek_id == 0 else 'not assigned'})")
    return kek_id


def _read_key_parameters(reader: Reader) -> int:
    """An octet-string of one octet: the key agreement scheme."""
    at = reader.position
    octets = reader.octet_string("key-parameters")
    if len(octets) != 1:
        raise InvalidValueError("key-parameters", at, f"one octet is expected, {len(octets)} came")
    reader.label(f"{octets[0]:02x} ({_SCHEMES.get(octets[0], 'not assigned')})")
    return octets[0]


_IDENTIFIED: Final = {0: "global unicast encryption key", 1: "global broadcast encryption key"}
_SCHEMES: Final = {1: "one-pass Diffie-Hellman C(1e,1s)", 2: "static unified model C(0e,2s)"}
_READ_KEY_ID: Final = {
    KeyInfo.IDENTIFIED_KEY: _read_key_id,
    KeyInfo.WRAPPED_KEY: _read_kek_id,
    KeyInfo.AGREED_KEY: _read_key_parameters,
}


def read_general_ciphering(reader: Reader) -> GeneralCiphering:
    with reader.group("general-ciphering"):
        reader.constant(bytes((ApduTag.GENERAL_CIPHERING,)), "tag")
        parties = _read_parties(reader)
        key_info, key_id, key_data = None, 0, b""
        if reader.flag("key-info-present"):
            key_info = reader.enum(KeyInfo, "key-info")
            key_id = _READ_KEY_ID[key_info](reader)
            if key_info is not KeyInfo.IDENTIFIED_KEY:
                key_data = reader.octet_string("key-ciphered-data")
        return GeneralCiphering(*parties, key_info, key_id, key_data, *_read_payload(reader))


def read_general_signing(reader: Reader) -> GeneralSigning:
    with reader.group("general-signing"):
        reader.constant(bytes((ApduTag.GENERAL_SIGNING,)), "tag")
        parties = _read_parties(reader)
        return GeneralSigning(*parties, reader.octet_string("content"), reader.octet_string("signature"))
