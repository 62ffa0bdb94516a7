import inspect

import pytest

from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.link import FrameSent, Link, LinkDisconnected, Outbox, ServerLink
from sessions.dlms.wrapper import WrapperLink, WrapperServerLink


def test_octets_and_events_are_handed_out_once_and_in_order():
    outbox = Outbox()
    outbox._send(b"one", 1.0)
    outbox._send(b"two", 2.0)
    outbox._tell(LinkDisconnected())
    assert outbox.octets_to_send() == b"onetwo"
    assert outbox.octets_to_send() == b""
    assert [outbox.next_event() for _ in range(4)] == [
        FrameSent(b"one", 1.0),
        FrameSent(b"two", 2.0),
        LinkDisconnected(),
        None,
    ]


@pytest.mark.parametrize(
    ("kind", "protocol"),
    [
        (HdlcClientLink, Link),
        (WrapperLink, Link),
        (HdlcServerLink, ServerLink),
        (WrapperServerLink, ServerLink),
    ],
)
def test_every_link_can_be_called_as_the_protocol_says(kind, protocol):
    for name, method in inspect.getmembers(protocol, inspect.isfunction):
        if not name.startswith("_"):
            assert str(inspect.signature(getattr(kind, name))) == str(inspect.signature(method)), name
