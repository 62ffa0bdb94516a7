"""Both sides of a link, and who watches it, before a peer that says anything in frames that pass their checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.deviations import frame_deviations
from sessions.dlms.hdlc.frame import SnrmFrame, UaFrame, UnknownFrame, decode_hdlc_frame
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.hdlc.stream import Found, FrameReader
from sessions.dlms.hdlc.watch import LinkWatch
from sessions.dlms.link import ApduReceived, LinkEvent
from sessions.dlms.wrapper import WrapperFrame, WrapperLink, WrapperServerLink

CLIENT, SERVER = client_address(16), server_address(1, 17, 2)
WINDOWS: Final = HdlcParameters(128, 128, 3, 3)


def hdlc_talk(octets: bytes) -> None:
    """Stations that say anything in frames that pass their checks: a control field, a length and information, again and again.

    Both sides of a link, and who watches it, get every frame. What a link says is as the standard wants it.
    """
    client, server, watch = talking_client(), talking_server(), LinkWatch()
    for number, control, information in _frames(octets):
        watch.see(UnknownFrame(destination=CLIENT, source=SERVER, octet=control, information=information))
        for link, destination, source in ((client, CLIENT, SERVER), (server, SERVER, CLIENT)):
            raw = UnknownFrame(destination=destination, source=source, octet=control, information=information).encode()
            frame = decode_hdlc_frame(raw)
            assert frame.control == control
            assert frame.encode() == raw
            watch.see(frame)
            link.receive_octets(raw, float(number))
            for item in FrameReader().feed(link.octets_to_send()):
                assert isinstance(item, Found), item
                assert not frame_deviations(item.frame), item
    for now in range(1000, 1000 + 300, 5):
        client.handle_timer(float(now))
        server.handle_timer(float(now))
    assert client.next_timer() is None, client.state
    assert not server.connected


def talking_client() -> HdlcClientLink:
    """Connected, with a request out."""
    link = HdlcClientLink(client_sap=16, server_sap=1, physical_address=17, address_octets=2, parameters=WINDOWS)
    link.connect(0.0)
    answer = UaFrame(destination=CLIENT, source=SERVER, information=WINDOWS.encode())
    link.receive_octets(answer.encode(), 0.0)
    link.send_apdu(bytes(300), 0.0)
    link.octets_to_send()
    return link


def talking_server() -> HdlcServerLink:
    """Connected, with an answer that was not fetched."""
    link = HdlcServerLink(server_sap=1, physical_address=17, address_octets=2, parameters=WINDOWS)
    link.receive_octets(SnrmFrame(destination=SERVER, source=CLIENT, information=WINDOWS.encode()).encode(), 0.0)
    link.send_apdu(bytes(300), 0.0)
    link.octets_to_send()
    return link


def _frames(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = number = 0
    while at + 1 < len(octets):
        control, size = octets[at], octets[at + 1]
        yield number, control, octets[at + 2 : at + 2 + size]
        at, number = at + 2 + size, number + 1


def datagrams(octets: bytes) -> None:
    """Datagrams of eleven octets, and all of it in one, before both sides: each is dropped or taken, and the next one heard."""
    link, meter = (
        WrapperLink(client_sap=16, server_sap=1, datagrams=True),
        WrapperServerLink(server_sap=1, datagrams=True),
    )
    link.connect(0.0)
    link.send_apdu(b"ask", 0.0)
    for piece in (*(octets[at : at + 11] for at in range(0, len(octets), 11)), octets):
        for end in (link, meter):
            end.receive_octets(piece, 0.0)
            _last_event(end)
    link.receive_octets(WrapperFrame(1, 16, b"answer").encode(), 1.0)
    assert _last_event(link) == ApduReceived(b"answer")


def _last_event(end: WrapperLink | WrapperServerLink) -> LinkEvent | None:
    """Events are taken at once, as every owner of a link does."""
    last = None
    while (event := end.next_event()) is not None:
        last = event
    return last
