"""The APDUs of DLMS: one class for each, and the registry from tag to reader (IEC 62056-5-3).

Every APDU has `encode()` for its octets and `summary()` for its line in a frame list. Every reader names its fields by the
ASN.1 name, so that the inspector's tree comes from the same pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

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
from sessions.dlms.apdu.contract import Apdu
from sessions.dlms.apdu.errors import read_confirmed_service_error, read_exception_response
from sessions.dlms.apdu.gateway import GatewayApdu, read_gateway_apdu
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
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader
from sessions.dlms.errors import TruncatedError, UnknownTagError
from sessions.dlms.initiate import read_initiate_request, read_initiate_response

__all__ = ["READERS", "Apdu", "ApduTag", "decode_apdu", "read_apdu"]


def _read_gateway_apdu(reader: Reader) -> GatewayApdu:
    return read_gateway_apdu(reader, read_apdu)


READERS: Final[dict[int, Callable[[Reader], Apdu]]] = {
    ApduTag.INITIATE_REQUEST: read_initiate_request,
    ApduTag.READ_REQUEST: read_read_request,
    ApduTag.WRITE_REQUEST: read_write_request,
    ApduTag.INITIATE_RESPONSE: read_initiate_response,
    ApduTag.READ_RESPONSE: read_read_response,
    ApduTag.WRITE_RESPONSE: read_write_response,
    ApduTag.CONFIRMED_SERVICE_ERROR: read_confirmed_service_error,
    ApduTag.DATA_NOTIFICATION: read_data_notification,
    ApduTag.DATA_NOTIFICATION_CONFIRM: read_data_notification_confirm,
    ApduTag.UNCONFIRMED_WRITE_REQUEST: read_unconfirmed_write_request,
    ApduTag.INFORMATION_REPORT_REQUEST: read_information_report,
    ApduTag.AARQ: read_aarq,
    ApduTag.AARE: read_aare,
    ApduTag.RLRQ: read_rlrq,
    ApduTag.RLRE: read_rlre,
    ApduTag.GET_REQUEST: read_get_request,
    ApduTag.SET_REQUEST: read_set_request,
    ApduTag.EVENT_NOTIFICATION_REQUEST: read_event_notification,
    ApduTag.ACTION_REQUEST: read_action_request,
    ApduTag.GET_RESPONSE: read_get_response,
    ApduTag.SET_RESPONSE: read_set_response,
    ApduTag.ACTION_RESPONSE: read_action_response,
    ApduTag.EXCEPTION_RESPONSE: read_exception_response,
    ApduTag.ACCESS_REQUEST: read_access_request,
    ApduTag.ACCESS_RESPONSE: read_access_response,
    ApduTag.GENERAL_GLO_CIPHERING: read_general_ciphered_apdu,
    ApduTag.GENERAL_DED_CIPHERING: read_general_ciphered_apdu,
    ApduTag.GENERAL_CIPHERING: read_general_ciphering,
    ApduTag.GENERAL_SIGNING: read_general_signing,
    ApduTag.GENERAL_BLOCK_TRANSFER: read_general_block_transfer,
    ApduTag.GATEWAY_REQUEST: _read_gateway_apdu,
    ApduTag.GATEWAY_RESPONSE: _read_gateway_apdu,
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
