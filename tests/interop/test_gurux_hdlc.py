"""The foreign client over HDLC: information fields of many lengths against our simulator, and windows as far as it knows them.

What it cannot do: it agrees to windows above 1, and then expects the second frame of a turn again where the third comes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXByteBuffer, GXDLMSClient, GXReplyData
from gurux_dlms.enums import Authentication, InterfaceType
from gurux_dlms.objects import GXDLMSData, GXDLMSProfileGeneric

from sessions.dlms.hdlc.address import client_address
from sessions.dlms.hdlc.frame import InfoFrame, UaFrame
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.simulator.lab import HdlcOptions, LabLine, make_meter
from tests.interop.peer import Peer
from tests.sessions.simulator.served import LLS, HandClock, lab_of, listening

pytestmark = pytest.mark.interop


@pytest.fixture
def serve(tmp_path) -> Iterator[Any]:
    """Gives the announcement of a meter on an HDLC line with these options."""
    running: list[Any] = []

    def start(max_info: int, window: int) -> dict[str, Any]:
        entry = {"serial_number": "10000001", "association": LLS, "physical_address": 17}
        meter = make_meter(entry, HandClock(), HdlcOptions(max_info=max_info, window=window))
        context = listening(lab_of(LabLine(kind="hdlc", meters=(meter,))), tmp_path)
        running.append(context)
        return context.__enter__()[0]

    yield start
    for context in running:
        context.__exit__(None, None, None)


@contextlib.contextmanager
def connected(announced: dict[str, Any], *, max_info: int, window: int) -> Iterator[Peer]:
    peer = Peer(announced, max_info=max_info)
    peer.client.hdlcSettings.windowSizeRX = peer.client.hdlcSettings.windowSizeTX = window
    with contextlib.redirect_stdout(io.StringIO()):
        peer.open()
    try:
        yield peer
    finally:
        peer.close()


@pytest.mark.parametrize("max_info", [32, 33, 64, 127, 128, 129, 255, 256, 300, 1024, 2029, 2030])
def test_a_long_answer_arrives_whole(serve, max_info):
    with connected(serve(max_info, 1), max_info=max_info, window=1) as peer:
        assert peer.client.hdlcSettings.maxInfoRX == max_info
        assert peer.read(GXDLMSData("0.0.96.1.0.255"), 2) == b"10000001"
        profile = GXDLMSProfileGeneric("1.0.99.1.0.255")
        peer.read(profile, 3)
        peer.rows(profile, peer.client.readRowsByEntry(profile, 1, 60))
        assert len(profile.buffer) == 60
        assert len(peer.objects()) >= 30


@pytest.mark.parametrize(("theirs", "ours"), [(7, 1), (1, 7), (3, 2), (7, 7)])
def test_windows_are_agreed(serve, theirs, ours):
    """The smaller one holds; an answer in one frame works with any."""
    with connected(serve(64, ours), max_info=64, window=theirs) as peer:
        assert peer.client.hdlcSettings.windowSizeRX == min(theirs, ours)
        assert peer.client.hdlcSettings.windowSizeTX == min(theirs, ours)
        assert peer.read(GXDLMSData("0.0.96.1.0.255"), 2) == b"10000001"
        if min(theirs, ours) == 1:
            assert len(peer.objects()) >= 30


def test_the_peer_does_not_count_the_frames_of_a_window():
    """Three frames in one turn, as the standard numbers them; were the peer to learn it, this test would say so."""
    parameters = HdlcParameters(64, 64, 3, 3)
    to_client = {"destination": client_address(16), "source": client_address(1)}
    client = GXDLMSClient(True, 16, 1, Authentication.NONE, None, InterfaceType.HDLC)
    client.hdlcSettings.windowSizeRX = client.hdlcSettings.windowSizeTX = 3
    client.snrmRequest()
    reply = GXReplyData()
    client.getData(GXByteBuffer(UaFrame(**to_client, information=parameters.encode()).encode()), reply, GXReplyData())
    client.parseUAResponse(reply.data)
    client.read(GXDLMSData("0.0.96.1.0.255"), 2)
    turn = [
        InfoFrame(
            **to_client,
            send_sequence=number,
            receive_sequence=1,
            information=b"\xe6\xe7\x00\xc4\x01\xc1\x00\x09\x81\xc8" + bytes(54) if number == 0 else bytes(64),
            segmented=True,
            poll_final=number == 2,
        )
        for number in range(3)
    ]
    reply, said = GXReplyData(), io.StringIO()
    with contextlib.redirect_stdout(said):
        taken = [client.getData(GXByteBuffer(frame.encode()), reply, GXReplyData()) for frame in turn]
    assert taken == [False, False, False]
    assert "Expected: 0x32" in said.getvalue()
