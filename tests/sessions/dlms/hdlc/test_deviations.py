import json

import pytest

from sessions.dlms.errors import DecodeError
from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.deviations import frame_deviations
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    FrmrFrame,
    InfoFrame,
    RejFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    UiFrame,
    UnknownFrame,
    decode_hdlc_frame,
)
from sessions.dlms.hdlc.parameters import HdlcParameters
from tests.vectors import by_id, of_kind

from .wired import CLIENT, SERVER

COMMAND = {"destination": SERVER, "source": CLIENT}
RESPONSE = {"destination": CLIENT, "source": SERVER}
NUMBERS = {"send_sequence": 0, "receive_sequence": 0}


@pytest.mark.parametrize("vector", of_kind("hdlc"), ids=by_id)
def test_the_standards_frames_have_none(vector):
    assert frame_deviations(decode_hdlc_frame(bytes.fromhex(vector["hex"]))) == []


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (UnknownFrame(**COMMAND, octet=0x3F), "control field 3f"),
        (RejFrame(**RESPONSE, receive_sequence=0), "REJ is outside"),
        (SnrmFrame(**COMMAND, poll_final=False), "SNRM without the poll/final bit"),
        (UaFrame(**RESPONSE, poll_final=False), "UA without the poll/final bit"),
        (DmFrame(**RESPONSE, poll_final=False), "DM without"),
        (RrFrame(**COMMAND, receive_sequence=0, segmented=True), "segmentation bit"),
        (RrFrame(**COMMAND, receive_sequence=0, information=b"x"), "information in a frame that has none (RR)"),
        (DiscFrame(**COMMAND, information=b"x"), "information in a frame that has none (DISC)"),
        (InfoFrame(**COMMAND, **NUMBERS), "I without information"),
        (UiFrame(**COMMAND), "UI without information"),
        (InfoFrame(**COMMAND, **NUMBERS, information=bytes(2031)), "2031 octets"),
        (RrFrame(destination=SERVER, source=server_address(1, 16, 2), receive_sequence=0), "neither address"),
        (UiFrame(destination=CLIENT, source=HdlcAddress(0), information=b"x"), "NO_STATION"),
        (UiFrame(destination=CLIENT, source=HdlcAddress(0, 0, 2), information=b"x"), "NO_STATION"),
        (SnrmFrame(destination=server_address(127, 127, 2), source=CLIENT), "SNRM to all stations"),
        (RrFrame(destination=server_address(1, 127, 2), source=CLIENT, receive_sequence=0), "RR to all stations"),
        (FrmrFrame(**RESPONSE, information=b"\x12"), "3 octets of information, not 1"),
        (FrmrFrame(**RESPONSE, information=b"\x12\x01\x08"), "without a meaning"),
        (FrmrFrame(**RESPONSE, information=b"\x12\x00\x08\x00"), "without a meaning"),
        (SnrmFrame(**COMMAND, information=bytes.fromhex("818000")), "length 0"),
    ],
)
def test_each_is_said(frame, words):
    (said,) = frame_deviations(frame)
    assert words in said


@pytest.mark.parametrize(
    "frame",
    [
        UiFrame(destination=server_address(127, 127, 2), source=CLIENT, poll_final=False, information=b"x"),
        UaFrame(destination=client_address(127), source=SERVER),
        UiFrame(**RESPONSE, information=b"x", segmented=True),
        FrmrFrame(**RESPONSE),
        UaFrame(**RESPONSE, information=HdlcParameters(2030, 2030, 7, 7).encode()),
        InfoFrame(**COMMAND, **NUMBERS, information=bytes(2030)),
        DmFrame(**RESPONSE),
    ],
)
def test_what_is_allowed_is_not(frame):
    assert frame_deviations(frame) == []


def test_the_published_frames_have_few(captures):
    """Real meters: what they do is known, and nothing else is flagged."""
    found: dict[str, set[str]] = {}
    seen = 0
    for file in sorted(captures.glob("*.json")):
        for item in json.loads(file.read_text()):
            if item["transport"] != "hdlc" or not item["verified"]["ok"]:
                continue
            for wire in [frame["hex"] for frame in item.get("frames", [])] or [item["hex"]]:
                try:
                    said = frame_deviations(decode_hdlc_frame(bytes.fromhex(wire)))
                except DecodeError:
                    continue  # several frames in one piece
                seen += 1
                if said:
                    found.setdefault(item["id"], set()).update(said)
    assert seen > 250
    assert set(found) <= {"ams-gh242-1", "ams-gh242-2"}
