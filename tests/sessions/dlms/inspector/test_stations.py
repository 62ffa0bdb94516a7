"""Who talks to whom, in words."""

import pytest

from sessions.dlms.hdlc.address import HdlcAddress
from sessions.dlms.hdlc.frame import DiscFrame, DmFrame, InfoFrame, RrFrame, SnrmFrame, UaFrame, UiFrame
from sessions.dlms.inspector import dissect
from sessions.dlms.inspector.sheet import find_field
from sessions.dlms.inspector.stations import client_words, from_client, server_words
from tests.sessions.dlms.inspector import samples

ONE, TWO = HdlcAddress(16), HdlcAddress(1, 17, 2)


def frame(kind, source=ONE, destination=ONE, **more):
    if kind is InfoFrame:
        more = {"send_sequence": 0, "receive_sequence": 0, "information": b"", **more}
    if kind is RrFrame:
        more = {"receive_sequence": 0}
    return kind(source=source, destination=destination, **more)


@pytest.mark.parametrize(
    ("example", "client"),
    [
        (frame(SnrmFrame), True),
        (frame(DiscFrame), True),
        (frame(UaFrame), False),
        (frame(DmFrame), False),
        (frame(InfoFrame, information=samples.COMMAND), True),
        (frame(InfoFrame, information=samples.RESPONSE), False),
        (frame(InfoFrame, information=b"more"), None),
        (frame(InfoFrame, TWO, ONE, information=b"more"), False),
        (frame(InfoFrame, ONE, TWO, information=b"more"), True),
        (frame(UiFrame, information=samples.COMMAND), None),
        (frame(UiFrame, TWO, ONE, information=samples.COMMAND), False),
        (frame(RrFrame), None),
        (frame(RrFrame, ONE, TWO), True),
    ],
)
def test_who_sent_it(example, client):
    assert from_client(example) is client


def test_words():
    assert client_words(16) == "client 16 (public client)"
    assert client_words(32) == "client 32"
    assert server_words(HdlcAddress(1)) == "logical device 1 (management logical device)"
    assert server_words(TWO) == "logical device 1 (management logical device), physical device 17"
    assert server_words(HdlcAddress(0x7F, 0x7F, 2)) == "all logical devices, all physical devices"


def test_the_addresses_of_a_frame_are_named():
    fields = dissect(samples.SNRM).fields
    assert find_field(fields, "destination-address").value == "logical device 1 (management logical device)"
    assert find_field(fields, "source-address").value == "client 16 (public client)"


def test_the_ports_of_the_wrapper_are_named():
    fields = dissect(samples.WRAPPER_AARQ).fields
    assert find_field(fields, "source-wport").value == "16 (public client)"
    assert find_field(fields, "destination-wport").value == "1 (management)"
