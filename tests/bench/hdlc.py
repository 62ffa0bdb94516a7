"""HDLC: frames built and parsed, with both check sequences; found in the octets of a line.

The peer has no public call for a bare frame: it builds the one of a SET request and parses the one of a push, each with an
octet-string that fills the frame. We do the same work beside it, APDU included; the bare frames are figures of their own.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
    from gurux_dlms.enums import Authentication, InterfaceType
    from gurux_dlms.objects import GXDLMSData

from meters.cosem.data import octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, InvokeIdAndPriority
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.apdu.set import SetRequestNormal
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_REQUEST, LLC_RESPONSE, strip_llc
from sessions.dlms.hdlc.frame import InfoFrame, UiFrame, decode_hdlc_frame
from sessions.dlms.hdlc.stream import Found, FrameReader
from tests.bench.measure import Figure, against, rate

FRAMES = 1000
OCTETS = 2000
VALUE = bytes(range(256)) * 8
MAX_INFO = 2030
CLIENT, SERVER = client_address(16), server_address(1, None, 1)
OBJECT = CosemAttributeDescriptor(1, ObisCode(0, 0, 96, 1, 0, 255), 2)


def info_frame(octets: bytes, number: int = 0) -> bytes:
    return InfoFrame(
        destination=SERVER, source=CLIENT, send_sequence=number, receive_sequence=0, information=octets
    ).encode()


def set_frame(size: int) -> bytes:
    """The frame of a SET whose value has `size` octets."""
    request = SetRequestNormal(InvokeIdAndPriority(1), OBJECT, None, octet_string(VALUE[:size]))
    return info_frame(LLC_REQUEST + request.encode())


def push_frame(size: int) -> bytes:
    push = DataNotification(1, None, octet_string(VALUE[:size]))
    return UiFrame(destination=CLIENT, source=SERVER, information=LLC_RESPONSE + push.encode()).encode()


def filled(build: Callable[[int], bytes]) -> int:
    """The size of the value that makes the frame 2,000 octets long."""
    return OCTETS - (len(build(OCTETS - 100)) - (OCTETS - 100))


def parse_push(octets: bytes) -> DataNotification:
    (found,) = FrameReader().feed(octets)
    assert isinstance(found, Found)
    push = decode_apdu(strip_llc(found.frame.information))
    assert isinstance(push, DataNotification)
    return push


class Peer:
    """gurux_dlms as a client on HDLC, with information fields of 2,030 octets."""

    def __init__(self, size: int) -> None:
        self._client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC)
        self._client.hdlcSettings.maxInfoTX = self._client.hdlcSettings.maxInfoRX = MAX_INFO
        self._client.maxReceivePDUSize = 0xFFFF
        self._object = GXDLMSData("0.0.96.1.0.255")
        self._object.value = VALUE[:size]

    def build(self) -> bytes:
        (frame,) = self._client.write(self._object, 2)
        return bytes(frame)

    def parse(self, octets: bytes) -> bytes:
        push = GXReplyData()
        self._client.getData(GXByteBuffer(octets), GXReplyData(), push)
        return bytes(push.value)


def line() -> bytes:
    frame = InfoFrame(
        destination=CLIENT,
        source=server_address(1, 17, 2),
        send_sequence=0,
        receive_sequence=0,
        information=VALUE[:120],
    )
    return frame.encode() * FRAMES


def against_the_peer() -> dict[str, Figure]:
    set_size, push_size = filled(set_frame), filled(push_frame)
    peer, push = Peer(set_size), push_frame(push_size)
    built = peer.build()
    assert len(built) == len(set_frame(set_size)) == len(push) == OCTETS
    assert decode_hdlc_frame(built).information[5:] == decode_hdlc_frame(set_frame(set_size)).information[5:]
    assert peer.parse(push) == parse_push(push).notification_body.value == VALUE[:push_size]
    megabytes = OCTETS / 1e6
    return {
        "frame of 2,000 octets built, with its SET request": against(
            "MB/s", megabytes, lambda: set_frame(set_size), peer.build
        ),
        "frame of 2,000 octets parsed, with its push": against(
            "MB/s", megabytes, lambda: parse_push(push), lambda: peer.parse(push)
        ),
    }


def bare(size: int) -> dict[str, Figure]:
    octets = VALUE[:size]
    frame, megabytes = info_frame(octets), size / 1e6
    return {
        f"information of {size} octets: frame built": rate("MB/s", megabytes, lambda: info_frame(octets)),
        f"information of {size} octets: frame parsed": rate("MB/s", megabytes, lambda: decode_hdlc_frame(frame)),
        f"information of {size} octets: frame found in a stream and parsed": rate(
            "MB/s", megabytes, lambda: list(FrameReader().feed(frame))
        ),
    }


def figures() -> dict[str, Figure]:
    octets = line()
    found = rate("frames/s", FRAMES, lambda: list(FrameReader().feed(octets)))
    return {**against_the_peer(), **bare(128), **bare(2000), "frames of 120 octets found in a stream": found}
