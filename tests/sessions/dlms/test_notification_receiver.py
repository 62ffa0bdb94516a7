"""What a receiver makes of octets: notifications, errors that say what is wrong, and nothing else.

`simulator/push/test_session.py` joins it to a simulated meter under every protection.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meters.cosem.data import octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor
from sessions.dlms.apdu.notification import CONFIRMED, DataNotification, EventNotificationRequest
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import FrameError, RemoteProtocolError, SecurityError
from sessions.dlms.general_block_transfer import unconfirmed_blocks
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_RESPONSE, cut
from sessions.dlms.hdlc.frame import RrFrame, UiFrame
from sessions.dlms.notification_receiver import MAX_SENDERS, MAX_TITLES, Heard, Listener, NotificationReceiver
from sessions.dlms.security import SecurityControl, protect
from sessions.dlms.wrapper import WrapperFrame
from tests.sessions.simulator.served import GAK, GMAC, GUEK

PUSH = DataNotification(5, None, structure(octet_string(bytes(range(60))), unsigned(7)))
PARAMETERS = parse_association({"framing": "wrapper", **GMAC}).parameters
TITLE = bytes.fromhex("4D57420000989681")


def wrapped(apdu: bytes) -> bytes:
    return WrapperFrame(1, 102, apdu).encode()


def ui_frames(apdu: bytes, size: int = 128, sap: int = 1) -> bytes:
    return b"".join(
        UiFrame(
            destination=client_address(102),
            source=server_address(sap, 17, 2),
            poll_final=not more,
            information=information,
            segmented=more,
        ).encode()
        for information, more in cut(LLC_RESPONSE + apdu, size)
    )


def sealed(apdu: bytes, counter: int = 1, title: bytes = TITLE, key: str = GUEK) -> bytes:
    control = SecurityControl(authenticated=True, encrypted=True)
    keys = {"key": bytes.fromhex(key), "gak": bytes.fromhex(GAK)}
    payload = protect(apdu, control=control, system_title=title, invocation_counter=counter, **keys)
    return Writer().u8(0xDB).octet_string(title).octet_string(payload).octets()


def all_heard(receiver: NotificationReceiver) -> list[Heard]:
    found = []
    while (heard := receiver.next_heard()) is not None:
        found.append(heard)
    return found


def hear(octets: bytes, *listeners: Listener, **options: Any) -> list[Heard]:
    receiver = NotificationReceiver(listeners, **options)
    receiver.receive_octets(octets)
    return all_heard(receiver)


@pytest.mark.parametrize("framed", [wrapped, ui_frames], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_octets_come_as_they_like(framed, size):
    octets = framed(PUSH.encode()) * 2
    receiver = NotificationReceiver()
    for at in range(0, len(octets), size):
        receiver.receive_octets(octets[at : at + size])
    found = all_heard(receiver)
    assert [each.notification for each in found] == [PUSH, PUSH]
    assert {(each.client_sap, each.server_sap, each.protected) for each in found} == {(102, 1, False)}


@pytest.mark.parametrize("framed", [wrapped, ui_frames], ids=["wrapper", "hdlc"])
def test_every_truncation_is_no_notification_yet(framed):
    octets = framed(PUSH.encode())
    for end in range(len(octets)):
        assert hear(octets[:end]) == []


def test_segments_of_two_meters_are_kept_apart():
    first, second = (ui_frames(PUSH.encode(), 40, sap) for sap in (1, 2))
    half = first.index(b"\x7e", 2) + 1
    receiver = NotificationReceiver()
    for part in (first[:half], second, first[half:]):
        receiver.receive_octets(part)
    assert [(each.server_sap, each.notification) for each in all_heard(receiver)] == [(2, PUSH), (1, PUSH)]


def test_so_many_meters_have_a_notification_half_said():
    receiver = NotificationReceiver()
    for sap in range(16, 16 + 2 * MAX_SENDERS):
        frame = UiFrame(
            destination=client_address(102), source=server_address(sap, 17, 4), information=b"\x0f", segmented=True
        )
        receiver.receive_octets(frame.encode())
    assert len(receiver._unnumbered) == MAX_SENDERS


def test_other_frames_and_noise_are_passed_over():
    poll = RrFrame(destination=client_address(102), source=server_address(1, 17, 2), receive_sequence=0).encode()
    (found,) = hear(poll + b"\x00\xff" + ui_frames(PUSH.encode()) + poll)
    assert found.notification == PUSH


def test_after_a_pause_what_stands_in_a_false_beginning_counts():
    receiver = NotificationReceiver()
    receiver.receive_octets(b"\x7e\xa7\xff" + ui_frames(PUSH.encode()))
    assert all_heard(receiver) == []
    receiver.pause()
    (found,) = all_heard(receiver)
    assert found.notification == PUSH
    NotificationReceiver().pause()


def test_blocks_make_a_notification():
    blocks = unconfirmed_blocks(PUSH.encode(), 30)
    assert len(blocks) > 2
    (found,) = hear(b"".join(wrapped(block.encode()) for block in blocks))
    assert found.notification == PUSH
    receiver = NotificationReceiver()
    for octets in (wrapped(blocks[0].encode()), *(wrapped(block.encode()) for block in blocks)):
        receiver.receive_octets(octets)
    assert [each.notification for each in all_heard(receiver)] == [PUSH]


def test_other_notifications():
    event = EventNotificationRequest(
        None, CosemAttributeDescriptor(1, ObisCode.parse("0-0:97.98.0*255"), 2), unsigned(1)
    )
    report = bytes.fromhex("1800010201080106000012D6")
    found = hear(wrapped(event.encode()) + wrapped(report))
    assert found[0].notification == event
    assert type(found[1].notification).__name__ == "InformationReport"


# -- confirmations -----------------------------------------------------------------------------------------------------

ASKS = DataNotification(CONFIRMED | 9, None, unsigned(1))


def test_what_asks_for_it_is_confirmed_the_same_way():
    receiver = NotificationReceiver()
    receiver.receive_octets(wrapped(ASKS.encode()))
    assert receiver.octets_to_send() == WrapperFrame(102, 1, bytes.fromhex("104000000900")).encode()
    assert receiver.octets_to_send() == b""
    (found,) = all_heard(receiver)
    assert (found.confirmed, found.unconfirmed) == (True, None)


@pytest.mark.parametrize("counters", [None, InvocationCounters()], ids=["none", "used up"])
def test_without_a_counter_nothing_is_confirmed_and_it_says_why(counters):
    receiver = NotificationReceiver([Listener(PARAMETERS, counters)])
    receiver.receive_octets(wrapped(sealed(ASKS.encode())))
    (found,) = all_heard(receiver)
    assert found.notification == ASKS
    assert not found.confirmed
    assert "counter" in str(found.unconfirmed)
    assert receiver.octets_to_send() == b""


def test_a_confirmation_is_ciphered_as_the_push_was():
    receiver = NotificationReceiver([Listener(PARAMETERS, InvocationCounters(range(77, 80)))])
    receiver.receive_octets(wrapped(sealed(ASKS.encode())))
    answer = receiver.octets_to_send()[8:]
    assert answer[:10] == b"\xdb\x08" + PARAMETERS.client_system_title
    assert int.from_bytes(answer[12:16], "big") == 77


# -- keys --------------------------------------------------------------------------------------------------------------


def test_the_right_keys_are_found_among_several():
    others = [
        parse_association({"framing": "wrapper", **GMAC, "guek": "FF" * 16}).parameters,
        parse_association({"framing": "wrapper", **GMAC, "server_system_title": "4D574200000000AA"}).parameters,
    ]
    listeners = [Listener(each) for each in (*others, PARAMETERS)]
    (found,) = hear(wrapped(sealed(PUSH.encode())), *listeners)
    assert (found.notification, found.protected, found.system_title) == (PUSH, True, TITLE)


@pytest.mark.parametrize(
    ("listeners", "octets", "code"),
    [
        ([], sealed(PUSH.encode()), "no-key"),
        ([PARAMETERS], sealed(PUSH.encode(), key="FF" * 16), "bad-tag"),
        ([PARAMETERS], sealed(PUSH.encode())[:-1] + bytes((sealed(PUSH.encode())[-1] ^ 1,)), "bad-tag"),
    ],
    ids=["no keys", "another key", "an altered octet"],
)
def test_what_cannot_be_opened_is_told_with_its_octets(listeners, octets, code):
    (found,) = hear(wrapped(octets), *(Listener(each) for each in listeners))
    assert found.notification is None
    assert isinstance(found.error, SecurityError)
    assert found.octets == octets
    assert found.error.code == code


def test_what_was_forged_moves_no_counter_and_takes_no_memory():
    listener = Listener(PARAMETERS)
    forged = sealed(PUSH.encode(), 0xFFFF_FFFE, key="FF" * 16)
    assert hear(wrapped(forged), listener)[0].error is not None
    assert listener._of_meters == {}
    assert hear(wrapped(sealed(PUSH.encode(), 1)), listener)[0].error is None


def test_each_meter_has_a_floor_of_its_own():
    listener, other = Listener(PARAMETERS), TITLE[:-1] + b"\x99"
    for title in (TITLE, other):
        assert hear(wrapped(sealed(PUSH.encode(), 5, title)), listener)[0].error is None
    for title in (TITLE, other):
        error = hear(wrapped(sealed(PUSH.encode(), 5, title)), listener)[0].error
        assert error is not None
        assert error.code == "replayed-counter"


def test_so_many_meters_are_remembered():
    """Whoever is one too many is refused: forgetting another one would let its old messages in again."""
    listener = Listener(PARAMETERS)
    for number in range(MAX_TITLES):
        listener._of_meters[number.to_bytes(8, "big")] = listener.ciphering(TITLE)
    (found,) = hear(wrapped(sealed(PUSH.encode())), listener)
    assert found.error is not None
    assert found.error.code == "too-many-meters"


# -- what is no notification -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("apdu", [b"", b"\xc0\x01\xc1", b"\x0f\x00", bytes.fromhex("C401C10006000012D6"), b"\xff"])
def test_another_apdu_is_an_error_and_the_next_one_is_heard(apdu):
    first, second = hear(wrapped(apdu) + wrapped(PUSH.encode()))
    assert first.error is not None
    assert second.notification == PUSH


def test_a_response_is_called_by_its_name():
    (found,) = hear(wrapped(bytes.fromhex("C401C10006000012D6")))
    assert isinstance(found.error, RemoteProtocolError)
    assert "GetResponseNormal" in found.error.message


def test_another_protocol_ends_the_connection_after_what_was_good():
    receiver = NotificationReceiver()
    with pytest.raises(FrameError):
        receiver.receive_octets(wrapped(PUSH.encode()) + b"GET / HTTP/1.1\r\n")
    assert [each.notification for each in all_heard(receiver)] == [PUSH]


def test_each_datagram_has_a_framing_of_its_own():
    receiver = NotificationReceiver(datagrams=True)
    for octets in (wrapped(PUSH.encode()), ui_frames(PUSH.encode()), wrapped(PUSH.encode())):
        receiver.receive_octets(octets)
    assert [each.framing for each in all_heard(receiver)] == ["wrapper", "hdlc", "wrapper"]


@given(st.binary(max_size=200), st.booleans())
def test_nothing_but_an_error_of_the_frame_leaves_it(octets, datagrams):
    listeners = [Listener(PARAMETERS, InvocationCounters(range(1, 10)))]
    for given_octets in (
        octets,
        wrapped(octets),
        ui_frames(octets),
        wrapped(b"\xdb" + octets),
        wrapped(b"\xe0" + octets),
    ):
        receiver = NotificationReceiver(listeners, datagrams=datagrams)
        try:
            receiver.receive_octets(given_octets)
        except FrameError:
            pass
        for heard in all_heard(receiver):
            assert (heard.error is None) is not (heard.notification is None)


def test_blocks_without_an_end_are_bounded():
    receiver = NotificationReceiver()
    last = None
    for number in range(1, 400):
        block = GeneralBlockTransfer(
            last_block=False,
            streaming=True,
            window=0,
            block_number=number,
            block_number_ack=0,
            block_data=bytes(60_000),
        )
        receiver.receive_octets(wrapped(block.encode()))
        last = receiver.next_heard() or last
    assert last is not None
    assert last.error is not None


def test_ciphering_inside_of_blocks():
    octets = sealed(PUSH.encode())
    (found,) = hear(b"".join(wrapped(block.encode()) for block in unconfirmed_blocks(octets, 40)), Listener(PARAMETERS))
    assert (found.notification, found.protected) == (PUSH, True)


def test_the_clients_own_ciphering_confirms():
    """`Ciphering` protects a confirmation only in a general envelope: that is what the meter expects."""
    ciphering = Ciphering(PARAMETERS, InvocationCounters(range(1, 9)))
    ciphering.server_system_title = TITLE
    ciphering.start()
    ciphering.agree(Conformance.GENERAL_PROTECTION)
    assert ciphering.protect(b"\x10\x00\x00\x00\x01\x00")[0] == 0xDB
