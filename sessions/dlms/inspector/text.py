"""Octets that stand where an APDU should, and are none: text of the meter, a P1 telegram, the proof of HLS-GMAC."""

from __future__ import annotations

from typing import Final

from sessions.dlms.inspector.iec62056_21 import write_telegram
from sessions.dlms.inspector.sheet import Sheet

PROOF_OCTETS: Final = 17
PROOF_CONTROLS: Final = (0x10, 0x11, 0x12)


def looks_like_proof(octets: bytes) -> bool:
    """Seventeen octets as f(StoC) and f(CtoS) of HLS-GMAC have them: security control, counter, tag."""
    return len(octets) == PROOF_OCTETS and octets[0] in PROOF_CONTROLS


def write_text(sheet: Sheet, octets: bytes, source: str, origin: int) -> None:
    """Text in place of an APDU."""
    shown = octets.decode("ascii")
    first = shown.strip().split("\r\n")[0].split("\n")[0]
    with sheet.layer(octets, source, origin=origin) as reader:
        reader.rest("text")
        reader.label(shown)
    telegram = write_telegram(sheet, octets, source, sheet.root.children[-1])
    kind = "P1 telegram" if telegram or octets[:1] == b"/" else "text"
    sheet.summary = f"{kind}: {first if len(first) <= 60 else first[:59] + '…'}"
    if not telegram:
        sheet.note("text stands where an APDU is expected")


def write_proof(sheet: Sheet, octets: bytes, source: str, origin: int) -> None:
    """The proof of HLS-GMAC by itself, as it is printed in documents and logs."""
    with sheet.layer(octets, source, origin=origin) as reader, reader.group("HLS-GMAC proof"):
        reader.u8("security-control")
        reader.label(f"{octets[0]:02x}")
        counter = reader.u32("invocation-counter")
        reader.take(12, "authentication-tag")
    sheet.summary = f"HLS-GMAC proof, counter {counter}"
    sheet.note("no APDU: this is what an ACTION reply_to_HLS_authentication carries")
