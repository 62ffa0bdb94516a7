"""Encrypted P1 telegrams of Luxembourg (SMARTY): a general-glo-ciphering APDU whose text is a telegram.

    DB | 08 | system title | 82 length | 30 | invocation counter | ciphertext | tag

The authentication key is the same for all meters, and published; the customer's key enciphers. Source: the P1 port
specification of Luxembourg's grid operators.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import GENERAL_GLO_TAG, GeneralCipheredApdu
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import RemoteProtocolError, SecurityError
from sessions.dlms.iec62056_21.telegram import Telegram, decode_telegram
from sessions.dlms.security import SecurityControl, protect, unprotect

PUBLISHED_GAK: Final = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
BEGINNING: Final = bytes((GENERAL_GLO_TAG, 0x08))
LENGTH_AT: Final = 10
HEAD_OCTETS: Final = 13
LONG_LENGTH: Final = 0x82
LEAST_PAYLOAD: Final = 5 + 12
MAX_PAYLOAD: Final = 8 * 1024
CONTROL: Final = SecurityControl(suite=0, authenticated=True, encrypted=True)


def open_telegram(octets: bytes, key: bytes) -> Telegram:
    """The telegram of one encrypted frame; a `SecurityError` where key or tag do not fit."""
    apdu = decode_apdu(octets)
    if not isinstance(apdu, GeneralCipheredApdu):
        raise RemoteProtocolError(f"An encrypted telegram is expected, this is: {apdu.summary()}", layer="encoding")
    control, _, text = unprotect(apdu.payload, key=key, gak=PUBLISHED_GAK, system_title=apdu.system_title)
    if not control.authenticated or not control.encrypted:
        raise SecurityError(f"The telegram is protected too weakly: {control}.", code="weak-protection")
    return decode_telegram(text)


def encrypt_telegram(text: bytes, *, key: bytes, system_title: bytes, invocation_counter: int) -> bytes:
    """One encrypted frame, its length in the long form that the specification asks for."""
    payload = protect(
        text,
        control=CONTROL,
        key=key,
        gak=PUBLISHED_GAK,
        system_title=system_title,
        invocation_counter=invocation_counter,
    )
    head = Writer().put(BEGINNING).put(system_title).u8(LONG_LENGTH).u16(len(payload))
    return head.put(payload).octets()


class SmartyReader:
    """Cuts a stream into encrypted frames; what stands between them is dropped, for the line begins anywhere."""

    def __init__(self) -> None:
        self._octets = bytearray()

    @property
    def pending(self) -> int:
        return len(self._octets)

    def feed(self, octets: bytes) -> list[bytes]:
        """The frames that became complete."""
        self._octets += octets
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def _next(self) -> bytes | None:
        while True:
            at = self._octets.find(BEGINNING)
            if at < 0:
                del self._octets[: max(0, len(self._octets) - len(BEGINNING) + 1)]
                return None
            del self._octets[:at]
            if len(self._octets) < HEAD_OCTETS:
                return None
            size = int.from_bytes(self._octets[LENGTH_AT + 1 : HEAD_OCTETS], "big")
            if self._octets[LENGTH_AT] == LONG_LENGTH and LEAST_PAYLOAD <= size <= MAX_PAYLOAD:
                break
            del self._octets[:1]
        if len(self._octets) < HEAD_OCTETS + size:
            return None
        frame = bytes(self._octets[: HEAD_OCTETS + size])
        del self._octets[: HEAD_OCTETS + size]
        return frame
