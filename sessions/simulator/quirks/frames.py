"""Quirks of HDLC frames: the UA, the LLC octets, check sequences, and frames of others on the bus."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from sessions.dlms.acse import AARE_TAG
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.exchange import LLC_RESPONSE
from sessions.dlms.hdlc.frame import FrmrFrame, HdlcFrame, InfoFrame, UaFrame, UiFrame
from sessions.simulator.quirks.apdus import UNASKED
from sessions.simulator.quirks.quirk import Quirk

LLC_REQUEST: Final = b"\xe6\xe6\x00"
PADDING: Final = 200
FRMR_INFORMATION: Final = b"\x10\x00\x01"


def _llc(octets: bytes) -> Callable[[HdlcFrame], Iterable[bytes]]:
    def changed(frame: HdlcFrame) -> Iterable[bytes]:
        if isinstance(frame, InfoFrame) and frame.information.startswith(LLC_RESPONSE):
            frame = replace(frame, information=octets + frame.information[len(LLC_RESPONSE) :])
        return (frame.encode(),)

    return changed


def _is_aare(frame: HdlcFrame) -> bool:
    return isinstance(frame, InfoFrame) and frame.information.startswith(LLC_RESPONSE + bytes((AARE_TAG,)))


def _plain_ua(frame: HdlcFrame) -> Iterable[bytes]:
    return (replace(frame, information=b"").encode() if isinstance(frame, UaFrame) else frame.encode(),)


def _first_acknowledges_nothing(frame: HdlcFrame) -> Iterable[bytes]:
    if _is_aare(frame) and isinstance(frame, InfoFrame):
        frame = replace(frame, receive_sequence=0)
    return (frame.encode(),)


def _frmr(frame: HdlcFrame) -> Iterable[bytes]:
    if not _is_aare(frame):
        return (frame.encode(),)
    return (FrmrFrame(destination=frame.destination, source=frame.source, information=FRMR_INFORMATION).encode(),)


def _wrong_fcs(frame: HdlcFrame) -> Iterable[bytes]:
    octets = frame.encode()
    return (octets[:-2] + bytes((octets[-2] ^ 0x01,)) + octets[-1:],)


def _another(address: HdlcAddress) -> HdlcAddress:
    if address.lower is None:
        return replace(address, upper=address.upper ^ 0x02)
    return replace(address, lower=address.lower ^ 0x02)


def _from_another(frame: HdlcFrame) -> Iterable[bytes]:
    return (replace(frame, source=_another(frame.source)).encode(),)


def _after_another(frame: HdlcFrame) -> Iterable[bytes]:
    return (replace(frame, source=_another(frame.source)).encode(), frame.encode())


def _after_unasked(frame: HdlcFrame) -> Iterable[bytes]:
    if not isinstance(frame, InfoFrame):
        return (frame.encode(),)
    unasked = UiFrame(
        destination=frame.destination, source=frame.source, poll_final=False, information=LLC_RESPONSE + UNASKED
    )
    return (unasked.encode(), frame.encode())


def _too_long(frame: HdlcFrame) -> Iterable[bytes]:
    if isinstance(frame, InfoFrame):
        frame = replace(frame, information=frame.information + bytes(PADDING))
    return (frame.encode(),)


FRAME_QUIRKS: Final = (
    Quirk(name="ua-without-parameters", words="the UA says nothing of lengths and windows", frame=_plain_ua),
    Quirk(name="llc-missing", words="information begins without LLC octets", frame=_llc(b"")),
    Quirk(name="llc-doubled", words="information begins with the LLC octets twice", frame=_llc(LLC_RESPONSE * 2)),
    Quirk(name="llc-of-requests", words="answers begin with the LLC octets of requests", frame=_llc(LLC_REQUEST)),
    Quirk(
        name="aare-acknowledges-nothing",
        words="the frame with the AARE has N(R) 0, as if the AARQ had not come",
        frame=_first_acknowledges_nothing,
    ),
    Quirk(name="frmr-to-aarq", words="the AARQ is rejected by FRMR", frame=_frmr),
    Quirk(name="wrong-fcs", words="a frame has a wrong check sequence", frame=_wrong_fcs),
    Quirk(name="from-another", words="a frame has the address of another meter", frame=_from_another),
    Quirk(name="after-another", words="another meter of the bus speaks first", frame=_after_another),
    Quirk(name="after-unasked", words="a notification in a UI frame goes before information", frame=_after_unasked),
    Quirk(name="over-long-frame", words=f"{PADDING} octets too many in a frame's information", frame=_too_long),
)
"""Source: captures of real meters; from the check sequence on, faults."""
