"""Traces: frames of both framings become the APDUs of both sides again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.frame import DiscFrame, FrmrFrame, HdlcFrame, InfoFrame, RrFrame, SnrmFrame, UaFrame
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.wrapper import WrapperFrame
from sessions.simulator.trace import TracedApdu, TraceError, load_trace, read_trace

CLIENT, SERVER = client_address(32), server_address(1, 26, 2)
QUESTION, ANSWER = bytes.fromhex("c001c100080000010000ff0200"), bytes.fromhex("c401c1000600002000")


def item(frames: list[tuple[str, bytes]], transport: str = "hdlc", **more: Any) -> dict[str, Any]:
    listed = [{"dir": direction, "hex": octets.hex()} for direction, octets in frames]
    return {"id": "one", "title": "A trace", "transport": transport, "frames": listed, **more}


def info(apdu: bytes, number: int = 0, *, tx: bool, segmented: bool = False, llc: bool = True) -> bytes:
    head = (b"\xe6\xe6\x00" if tx else b"\xe6\xe7\x00") if llc else b""
    return InfoFrame(
        destination=SERVER if tx else CLIENT,
        source=CLIENT if tx else SERVER,
        send_sequence=number,
        receive_sequence=0,
        information=head + apdu,
        segmented=segmented,
    ).encode()


def link(frame: type[HdlcFrame], *, tx: bool, **fields: Any) -> bytes:
    return frame(destination=SERVER if tx else CLIENT, source=CLIENT if tx else SERVER, **fields).encode()


CONVERSATION = [TracedApdu(True, 32, QUESTION), TracedApdu(False, 32, ANSWER)]


def test_a_conversation_over_hdlc():
    parameters = HdlcParameters(200, 200, 1, 1)
    trace = read_trace(
        item(
            [
                ("tx", link(SnrmFrame, tx=True)),
                ("rx", link(UaFrame, tx=False, information=parameters.encode())),
                ("tx", info(QUESTION, tx=True)),
                ("rx", info(ANSWER, tx=False)),
                ("tx", link(RrFrame, tx=True, receive_sequence=1)),
                ("tx", link(DiscFrame, tx=True)),
            ]
        )
    )
    assert trace.apdus == CONVERSATION
    assert trace.address == SERVER
    assert trace.server_sap == 1
    assert trace.parameters == parameters
    assert trace.frmr_information is None


def test_segments_are_joined_and_repeated_frames_dropped():
    first = info(ANSWER[:4], 3, tx=False, segmented=True)
    trace = read_trace(
        item(
            [
                ("tx", info(QUESTION, tx=True)),
                ("rx", first),
                ("rx", first),
                ("rx", info(ANSWER[4:], 4, tx=False, llc=False)),
            ]
        )
    )
    assert trace.apdus == CONVERSATION


def test_a_new_link_counts_from_zero_again():
    frames = [("tx", info(QUESTION, tx=True)), ("tx", link(SnrmFrame, tx=True)), ("tx", info(QUESTION, tx=True))]
    assert len(read_trace(item(frames)).apdus) == 2


def test_a_frame_without_its_closing_flag():
    frames = [("tx", info(QUESTION, tx=True)), ("rx", info(ANSWER, tx=False)[:-1])]
    assert read_trace(item(frames)).apdus == CONVERSATION


def test_a_rejected_frame():
    frames = [("tx", info(QUESTION, tx=True)), ("rx", link(FrmrFrame, tx=False, information=b"\x10\x00\x01"))]
    assert read_trace(item(frames)).frmr_information == b"\x10\x00\x01"


def test_a_conversation_over_the_wrapper():
    frames = [("tx", WrapperFrame(32, 1, QUESTION).encode()), ("rx", WrapperFrame(1, 32, ANSWER).encode())]
    trace = read_trace(item(frames, "wrapper", keys={"guek": "00" * 16, "system_title": "4B464D6410000002"}))
    assert trace.apdus == CONVERSATION
    assert (trace.server_sap, trace.address) == (1, None)
    assert trace.keys.server_system_title == bytes.fromhex("4B464D6410000002")
    assert "00" * 8 not in repr(trace.keys)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (item([]), "frames over HDLC or the wrapper"),
        (item([("tx", b"")], "mbus"), "mbus"),
        (item([("tx", b"\x01\x02")]), "no frame"),
        (item([("tx", b"\x7e\xa0")], "wrapper"), "one: "),
        ({**item([]), "frames": [{"hex": "00"}]}, "dir"),
        ({**item([]), "frames": [{"dir": "tx", "hex": "zz"}]}, "one: "),
        (item([("tx", b"\x00")], keys={"guek": "zz"}), "one: "),
    ],
)
def test_what_cannot_be_replayed(broken, reason):
    with pytest.raises(TraceError, match=reason):
        read_trace(broken)


def test_a_trace_is_found_by_its_id(tmp_path):
    path = tmp_path / "traces.json"
    path.write_text(json.dumps([item([("tx", info(QUESTION, tx=True))]), {"id": "push", "hex": "00"}]))
    assert load_trace(path, "one").identifier == "one"
    with pytest.raises(TraceError, match="with frames: one"):
        load_trace(path, "two")
    with pytest.raises(TraceError, match="cannot be read"):
        load_trace(tmp_path / "none.json", "one")
    path.write_text("{")
    with pytest.raises(TraceError, match="no JSON"):
        load_trace(path, "one")
    path.write_text('{"id": "one"}')
    with pytest.raises(TraceError, match="no trace"):
        load_trace(path, "one")


def test_the_published_sessions_can_all_be_read(captures):
    items = json.loads((captures / "sessions.json").read_text("utf-8"))
    for each in items:
        trace = read_trace(each)
        said = [apdu.octets for apdu in trace.apdus]
        published = [frame["apdu"] for frame in each["frames"] if "apdu" in frame]
        assert len(said) == len(published)
        assert [octets.hex() for octets in said] == published
