"""The APDUs of DLMS: one class for each, and the registry from tag to reader (IEC 62056-5-3).

Every APDU has `encode()` for its octets and `summary()` for its line in a frame list. Every reader names its fields by the
ASN.1 name, so that the inspector's tree comes from the same pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from sessions.dlms.acse import read_aare, read_aarq, read_rlre, read_rlrq
from sessions.dlms.apdu.access import read_access_request, read_access_response
from sessions.dlms.apdu.action import read_action_request, read_action_response
from sessions.dlms.apdu.block_transfer import read_general_block_transfer
from sessions.dlms.apdu.ciphered import (
    PLAIN_TAGS,
    read_ciphered_apdu,
    read_general_ciphered_apdu,
    read_general_ciphering,
    read_general_signing,
)
from sessions.dlms.apdu.errors import read_confirmed_service_error, read_exception_response
from sessions.dlms.apdu.get import read_get_request, read_get_response
from sessions.dlms.apdu.notification import (
    read_data_notification,
    read_data_notification_confirm,
    read_event_notification,
)
from sessions.dlms.apdu.set import read_set_request, read_set_response
from sessions.dlms.apdu.short_name import (
    read_information_report,
    read_read_request,
    read_read_response,
    read_unconfirmed_write_request,
    read_write_request,
    read_write_response,
)
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import TruncatedError, UnknownTagError
from sessions.dlms.initiate import read_initiate_request, read_initiate_response


class Apdu(Protocol):
    """What every APDU can do."""

    def encode(self) -> bytes:
        """The octets, tag included."""

    def summary(self) -> str:
        """One line for a technician."""


READERS: Final[dict[int, Callable[[Reader], Apdu]]] = {
    0x01: read_initiate_request,
    0x05: read_read_request,
    0x06: read_write_request,
    0x08: read_initiate_response,
    0x0C: read_read_response,
    0x0D: read_write_response,
    0x0E: read_confirmed_service_error,
    0x0F: read_data_notification,
    0x10: read_data_notification_confirm,
    0x16: read_unconfirmed_write_request,
    0x18: read_information_report,
    0x60: read_aarq,
    0x61: read_aare,
    0x62: read_rlrq,
    0x63: read_rlre,
    0xC0: read_get_request,
    0xC1: read_set_request,
    0xC2: read_event_notification,
    0xC3: read_action_request,
    0xC4: read_get_response,
    0xC5: read_set_response,
    0xC7: read_action_response,
    0xD8: read_exception_response,
    0xD9: read_access_request,
    0xDA: read_access_response,
    0xDB: read_general_ciphered_apdu,
    0xDC: read_general_ciphered_apdu,
    0xDD: read_general_ciphering,
    0xDF: read_general_signing,
    0xE0: read_general_block_transfer,
    **dict.fromkeys(PLAIN_TAGS, read_ciphered_apdu),
}


def read_apdu(reader: Reader) -> Apdu:
    """The APDU at the cursor; an unassigned tag is an `UnknownTagError`."""
    at = reader.position
    tag = reader.peek()
    if tag is None:
        raise TruncatedError("apdu", at, "an APDU is expected, nothing is left")
    read = READERS.get(tag)
    if read is None:
        raise UnknownTagError("apdu", at, f"{tag:02x} is not the tag of an APDU")
    return read(reader)


def decode_apdu(octets: bytes) -> Apdu:
    """The APDU that fills the octets."""
    reader = Reader(octets)
    apdu = read_apdu(reader)
    reader.finish("apdu")
    return apdu
