"""APDUs: requests decoded, octets protected, frames opened for the inspector."""

from __future__ import annotations

from meters.cosem.data import Data, DataType
from meters.cosem.rows import Rows
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import InfoFrame
from sessions.dlms.inspector import dissect
from sessions.dlms.security import SecurityControl, protect, unprotect
from tests.bench.measure import Figure, rate
from tests.bench.rows import TYPES, native_rows

KEY, GAK, TITLE = bytes(range(16)), bytes(range(16, 32)), b"MWBBENCH"
GET = bytes.fromhex("C001C100070100630100FF0200")
CONTROL = SecurityControl(authenticated=True, encrypted=True)
MANY = range(500)
ROWS_IN_64_KIB = 1598


def sealed(octets: bytes, counter: int = 1) -> bytes:
    return protect(octets, control=CONTROL, key=KEY, gak=GAK, system_title=TITLE, invocation_counter=counter)


def opened(octets: bytes) -> object:
    return unprotect(octets, key=KEY, gak=GAK, system_title=TITLE)


def frame() -> bytes:
    return InfoFrame(
        destination=client_address(16),
        source=server_address(1, 17, 2),
        send_sequence=0,
        receive_sequence=0,
        information=bytes.fromhex("e6e600") + GET,
    ).encode()


def figures() -> dict[str, Figure]:
    short, one = sealed(GET), frame()
    rows = Rows.uniform(TYPES, native_rows()[:ROWS_IN_64_KIB])
    large = GetResponseNormal(InvokeIdAndPriority(), Data(DataType.ARRAY, rows)).encode()
    return {
        "GET requests decoded": rate("APDUs/s", len(MANY), lambda: [decode_apdu(GET) for _ in MANY]),
        "APDUs of 13 octets protected": rate("APDUs/s", len(MANY), lambda: [sealed(GET, n) for n in MANY]),
        "APDUs of 13 octets unprotected": rate("APDUs/s", len(MANY), lambda: [opened(short) for _ in MANY]),
        "frames dissected for the inspector": rate("frames/s", 100, lambda: [dissect(one) for _ in range(100)]),
        "APDUs of 64 KiB dissected field by field": rate("APDUs/s", 1, lambda: dissect(large)),
    }
