"""Who talks to whom: client and server SAPs in words.

Source: IEC 62056-46 (reserved HDLC addresses), IEC 62056-47 (reserved wrapper ports), Green Book 8.4.3 and 7.3.3.4.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.cursor import Field
from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    HdlcFrame,
    InfoFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
)
from sessions.dlms.inspector.sheet import find_field

CLIENTS: Final = {0: "no station", 1: "client management", 16: "public client"}
LOGICAL_DEVICES: Final = {0: "no station", 1: "management logical device"}
_LLC_COMMAND: Final = b"\xe6\xe6\x00"
_LLC_RESPONSE: Final = b"\xe6\xe7\x00"


def from_client(frame: HdlcFrame) -> bool | None:
    """Whether a client sent this frame; None where nothing tells."""
    if isinstance(frame, SnrmFrame | DiscFrame):
        return True
    if isinstance(frame, UaFrame | DmFrame | FrmrFrame):
        return False
    if isinstance(frame, InfoFrame | UiFrame):
        llc = frame.information[:3]
        # Pushes carry the command's LLC as often as the response's: only I frames tell by it.
        if isinstance(frame, InfoFrame) and llc in (_LLC_COMMAND, _LLC_RESPONSE):
            return llc == _LLC_COMMAND
    # A client always has one octet.
    sizes = frame.source.size, frame.destination.size
    if sizes[0] != sizes[1] and 1 in sizes:
        return frame.source.size == 1
    return None


def name_hdlc_stations(root: Field, frame: HdlcFrame) -> None:
    """Label the address fields of a frame."""
    client_first = from_client(frame)
    if client_first is None:
        return
    source, destination = find_field(root, "source-address"), find_field(root, "destination-address")
    for field, address, is_client in (
        (source, frame.source, client_first),
        (destination, frame.destination, not client_first),
    ):
        if field is not None:
            field.value = client_words(address.upper) if is_client else server_words(address)


def client_words(sap: int) -> str:
    return f"client {sap}{_named(CLIENTS, sap)}"


def server_words(address: HdlcAddress) -> str:
    """Logical device and, where there is one, physical device."""
    everyone = {1: 0x7F, 2: 0x7F, 4: 0x3FFF}[address.size]
    logical = "all logical devices" if address.upper == everyone else f"logical device {address.upper}"
    words = f"{logical}{_named(LOGICAL_DEVICES, address.upper)}"
    if address.lower is None:
        return words
    physical = "all physical devices" if address.lower == everyone else f"physical device {address.lower}"
    return f"{words}, {physical}"


def name_wrapper_ports(root: Field) -> None:
    """Label the ports that have a reserved meaning."""
    for name in ("source-wport", "destination-wport"):
        field = find_field(root, name)
        if field is None:
            continue
        if field.value == "16":
            field.value = "16 (public client)"
        elif field.value == "1":
            field.value = "1 (management)"


def _named(names: dict[int, str], number: int) -> str:
    return f" ({names[number]})" if number in names else ""
