"""A recorded conversation for tests, made with our own codecs: LLS, a clock read twice, a profile, a SET, methods."""

from __future__ import annotations

from typing import Any

from meters.cosem.data import Data, array, date_time, octet_string, structure, unsigned
from meters.cosem.date_time import CosemDateTime
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.dlms.acse import AUTHENTICATION_FUNCTIONAL_UNIT, Aare, Aarq
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.set import SetRequestNormal, SetResponseNormal
from sessions.dlms.axdr import encode_data
from sessions.dlms.conformance import Conformance
from sessions.dlms.initiate import InitiateRequest, InitiateResponse
from sessions.dlms.selective_access import EntryDescriptor, RangeDescriptor, SelectiveAccess
from sessions.dlms.wrapper import WrapperFrame
from sessions.simulator.trace import Trace, read_trace

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
BUFFER = CosemAttributeDescriptor(7, ObisCode(1, 0, 99, 1, 0, 255), 2)
SECRET_PLACE = CosemAttributeDescriptor(1, ObisCode(0, 0, 96, 1, 0, 255), 2)
RESET = CosemMethodDescriptor(7, BUFFER.instance_id, 1)
CAPTURE = CosemMethodDescriptor(7, BUFFER.instance_id, 2)
AGREED = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS | Conformance(0x001000)
I = InvokeIdAndPriority(1)


def day(number: int, deviation: int | None = None) -> Data:
    moment = CosemDateTime.decode(bytes.fromhex(f"07ea0b{number:02x}ff00000000800000"))
    return date_time(CosemDateTime(moment.date, moment.time, deviation, 0))


def between(first: int, last: int, deviation: int | None = None) -> SelectiveAccess:
    restricting = CaptureObject(8, CLOCK.instance_id, 2)
    return RangeDescriptor(restricting, day(first, deviation), day(last, deviation)).to_selective_access()


def entries(first: int, last: int) -> SelectiveAccess:
    return EntryDescriptor(first, last).to_selective_access()


def rows(*numbers: int) -> Data:
    return array(*(structure(day(number), unsigned(number)) for number in numbers))


def asked(apdu: Any, client_sap: int = 32) -> tuple[str, bytes]:
    return "tx", WrapperFrame(client_sap, 1, apdu.encode()).encode()


def answered(apdu: Any, client_sap: int = 32) -> tuple[str, bytes]:
    return "rx", WrapperFrame(1, client_sap, apdu.encode()).encode()


def got(
    descriptor: CosemAttributeDescriptor, value: Any, selection: SelectiveAccess | None = None
) -> list[tuple[str, bytes]]:
    return [asked(GetRequestNormal(I, descriptor, selection)), answered(GetResponseNormal(I, value))]


def got_in_blocks(
    descriptor: CosemAttributeDescriptor, value: Data, selection: SelectiveAccess, size: int
) -> list[tuple[str, bytes]]:
    octets = encode_data(value)
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    said = [asked(GetRequestNormal(I, descriptor, selection))]
    for number, part in enumerate(parts, 1):
        said.append(answered(GetResponseWithDatablock(I, number == len(parts), number, part)))
        if number < len(parts):
            said.append(asked(GetRequestNext(I, number)))
    return said


AARQ = Aarq(
    sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
    mechanism_name=1,
    calling_authentication_value=b"111111",
    user_information=InitiateRequest(proposed_conformance=AGREED, client_max_receive_pdu_size=300).encode(),
)
AARE = Aare(user_information=InitiateResponse(negotiated_conformance=AGREED, server_max_receive_pdu_size=100).encode())
ASSOCIATION = [asked(AARQ), answered(AARE)]
SERVICES = [
    *got(CLOCK, octet_string(b"first answer")),
    *got(CLOCK, octet_string(b"then another")),
    *got_in_blocks(BUFFER, rows(1, 2, 3, 4), between(1, 4), 17),
    *got(BUFFER, rows(20, 21), between(20, 21)),
    *got(BUFFER, rows(5), entries(5, 5)),
    *got(SECRET_PLACE, DataAccessResult.READ_WRITE_DENIED),
    asked(SetRequestNormal(I, CLOCK, None, day(1))),
    answered(SetResponseNormal(I, DataAccessResult.SUCCESS)),
    asked(SetRequestNormal(I, SECRET_PLACE, None, day(1))),
    answered(SetResponseNormal(I, DataAccessResult.TYPE_UNMATCHED)),
    asked(ActionRequestNormal(I, RESET)),
    answered(ActionResponseNormal(I, ActionResult.SUCCESS, unsigned(1))),
    asked(ActionRequestNormal(I, CAPTURE)),
    answered(ActionResponseNormal(I, ActionResult.TEMPORARY_FAILURE)),
]


def trace_item(frames: list[tuple[str, bytes]], **more: Any) -> dict[str, Any]:
    listed = [{"dir": direction, "hex": octets.hex()} for direction, octets in frames]
    return {"id": "recorded", "title": "A meter", "transport": "wrapper", "frames": listed, **more}


def trace_of(frames: list[tuple[str, bytes]], **more: Any) -> Trace:
    return read_trace(trace_item(frames, **more))
