"""APDUs: requests decoded, octets protected, frames opened for the inspector."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from meters.cosem.data import Data, DataType
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import InfoFrame
from sessions.dlms.inspector import dissect
from sessions.dlms.security import SecurityControl, protect, unprotect
from tests.bench.measure import Figure, against, rate
from tests.bench.rows import TYPES, Rows, native_rows

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
    short, long, one = sealed(GET), bytes(1024), frame()
    long_sealed, vector, additional = sealed(long), TITLE + (1).to_bytes(4, "big"), b"\x30" + GAK
    whole = AESGCM(KEY).encrypt(vector, long, additional)

    def bare() -> bytes:
        text, tag = long_sealed[5:-12], long_sealed[-12:]
        decryptor = Cipher(AES(KEY), GCM(vector, tag, min_tag_length=12)).decryptor()
        decryptor.authenticate_additional_data(additional)
        return decryptor.update(text) + decryptor.finalize()

    rows = Rows.uniform(TYPES, native_rows()[:ROWS_IN_64_KIB])
    large = GetResponseNormal(InvokeIdAndPriority(), Data(DataType.ARRAY, rows)).encode()
    return {
        "GET requests decoded": rate("APDUs/s", len(MANY), lambda: [decode_apdu(GET) for _ in MANY]),
        "APDUs of 13 octets protected": rate("APDUs/s", len(MANY), lambda: [sealed(GET, n) for n in MANY]),
        "APDUs of 13 octets unprotected": rate("APDUs/s", len(MANY), lambda: [opened(short) for _ in MANY]),
        "APDUs of 1 KiB unprotected, beside bare AES-GCM on the same octets": against(
            "APDUs/s",
            len(MANY),
            lambda: [opened(long_sealed) for _ in MANY],
            lambda: [bare() for _ in MANY],
            name="cryptography",
        ),
        "APDUs of 1 KiB unprotected, beside one-shot AES-GCM with a whole tag": against(
            "APDUs/s",
            len(MANY),
            lambda: [opened(long_sealed) for _ in MANY],
            lambda: [AESGCM(KEY).decrypt(vector, whole, additional) for _ in MANY],
            name="cryptography",
        ),
        "frames dissected for the inspector": rate("frames/s", 100, lambda: [dissect(one) for _ in range(100)]),
        "APDUs of 64 KiB dissected field by field": rate("APDUs/s", 1, lambda: dissect(large)),
    }
