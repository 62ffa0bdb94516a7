"""Between services and link: what is protected, what is cut, what is put together, and what of it is believed."""

from __future__ import annotations

import pytest

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.ciphered import CipheredApdu
from sessions.dlms.association import AssociationParameters, Negotiated
from sessions.dlms.block_exchange import MAX_RETRIES
from sessions.dlms.channel import Broken, Channel, Piece, Plain
from sessions.dlms.ciphering import Ciphering
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import DecodeError, NoReplyError, SecurityError
from tests.sessions.dlms.scripted import AUTHENTICATED_ENCRYPTED, SERVER_TITLE, parameters

LONG = b"\xc4\x01\x01\x00\x09\x78" + bytes(120)


class Line:
    """A link that keeps what goes out."""

    longest_wait = 0.0

    def __init__(self, *, streams: bool = True, lossy: bool = False) -> None:
        self.streams, self.lossy = streams, lossy
        self.sent: list[tuple[bytes, bool]] = []
        self.listened = 0

    def send_apdu(self, apdu: bytes, now: float, *, expect_reply: bool = True) -> None:
        self.sent.append((apdu, expect_reply))

    def await_apdu(self, now: float) -> None:
        self.listened += 1

    @property
    def blocks(self) -> list[GeneralBlockTransfer]:
        return [decode_apdu(apdu) for apdu, _ in self.sent]


def channel(
    agreed: AssociationParameters | None = None, *, size: int = 60, general: bool = True, **line: bool
) -> tuple[Channel, Line]:
    agreed, link = agreed or parameters(), Line(**line)
    ciphering = Ciphering(agreed, InvocationCounters(range(100, 200)))
    ciphering.start()
    ciphering.server_system_title = SERVER_TITLE
    made = Channel(link, ciphering, window=4, reply_timeout=2.0)  # type: ignore[arg-type]
    conformance = Conformance.GET | (Conformance.GENERAL_BLOCK_TRANSFER if general else Conformance(0))
    made.negotiated = Negotiated(conformance=conformance, server_max_receive_pdu_size=size)
    return made, link


def test_what_fits_goes_out_whole():
    made, line = channel()
    made.send(LONG[:60], 0.0)
    assert line.sent == [(LONG[:60], True)]


def test_what_is_too_long_goes_out_in_blocks_as_they_are_acknowledged():
    made, line = channel()
    made.send(LONG, 0.0)
    (first,) = line.blocks
    assert len(first.encode()) == 60
    assert made.receive(GeneralBlockTransfer(False, False, 8, 1, 1, b"").encode(), 0.0, expected=True) is None
    assert b"".join(block.block_data for block in line.blocks) == LONG
    assert [expected for _, expected in line.sent] == [True] * len(line.sent)


def test_without_blocks_agreed_nothing_is_cut():
    for made, line in (channel(general=False), channel(size=0)):
        made.send(LONG, 0.0)
        assert line.sent == [(LONG, True)]
    unjudged, line = channel()
    unjudged.negotiated = None
    unjudged.send(LONG, 0.0)
    assert line.sent == [(LONG, True)]


def test_the_capacity_is_what_fits_at_once():
    assert channel(size=60)[0].capacity == 60
    assert channel(size=0)[0].capacity == 0xFFFF
    assert channel(AUTHENTICATED_ENCRYPTED, size=60)[0].capacity < 60


def test_an_apdu_is_ciphered_and_then_cut():
    made, line = channel(AUTHENTICATED_ENCRYPTED)
    made.send(b"\xc0" + bytes(100), 0.0)
    made.receive(GeneralBlockTransfer(False, False, 8, 1, 1, b"").encode(), 0.0, expected=True)
    whole = b"".join(block.block_data for block in line.blocks)
    apdu = decode_apdu(whole)
    assert isinstance(apdu, CipheredApdu)
    assert apdu.tag == 0xC8


def test_a_whole_apdu_in_clear():
    made, _ = channel()
    assert made.receive(LONG, 0.0, expected=True) == Plain(LONG, protected=False)


def test_an_answer_in_blocks_is_put_together_and_the_link_gives_the_turn():
    made, line = channel()
    blocks = [
        GeneralBlockTransfer(False, True, 1, 1, 0, LONG[:50]),
        GeneralBlockTransfer(True, False, 1, 2, 0, LONG[50:]),
    ]
    assert made.receive(blocks[0].encode(), 0.0, expected=True) == Piece(0, LONG[:50])
    made.listen(0.0)
    assert line.listened == 1
    assert made.receive(blocks[1].encode(), 0.0, expected=True) == Plain(LONG, protected=False)
    made.listen(0.0)
    assert line.listened == 1
    assert line.sent == []


def test_what_blocks_carry_must_be_protected_as_agreed():
    made, _ = channel(AUTHENTICATED_ENCRYPTED)
    with pytest.raises(SecurityError) as raised:
        made.receive(GeneralBlockTransfer(True, False, 1, 1, 0, LONG).encode(), 0.0, expected=True)
    assert raised.value.code == "protection-too-weak"


def test_blocks_inside_of_blocks_are_refused():
    made, _ = channel()
    inner = GeneralBlockTransfer(True, False, 1, 1, 0, LONG).encode()
    outer = GeneralBlockTransfer(True, False, 1, 1, 0, inner).encode()
    broken = made.receive(outer, 0.0, expected=True)
    assert isinstance(broken, Broken)
    assert broken.error.code == "nested-blocks"


def test_a_transfer_that_the_meter_breaks_off():
    made, _ = channel()
    made.send(LONG, 0.0)
    broken = made.receive(bytes.fromhex("E0800000000000"), 0.0, expected=True)
    assert isinstance(broken, Broken)
    assert (broken.error.code, bool(broken.error.hint)) == ("aborted", True)


@pytest.mark.parametrize("octets", [b"\xe0", b"\xe0\x80\x00\x01\x00\x00\x05abc"])
def test_a_block_that_is_none(octets):
    broken = channel()[0].receive(octets, 0.0, expected=True)
    assert isinstance(broken, Broken)
    assert isinstance(broken.error, DecodeError)


def test_silence_on_a_lossy_line():
    made, line = channel(lossy=True)
    made.send(LONG, 0.0)
    assert [expected for _, expected in line.sent] == [False]
    assert made.deadline == 2.0
    assert not made.is_over(1.0)
    for _ in range(MAX_RETRIES):
        assert made.deadline is not None
        made.ask_again(made.deadline)
    assert [block.block_number for block in line.blocks] == [1] * (MAX_RETRIES + 1)
    with pytest.raises(NoReplyError):
        made.ask_again(100.0)
    made.end()
    assert made.deadline is None


@pytest.mark.parametrize("lossy", [False, True])
def test_nobody_waits_for_the_rest_of_a_push_that_wants_acknowledgements(lossy):
    made, line = channel(lossy=lossy)
    assert made.receive(GeneralBlockTransfer(False, False, 1, 1, 0, LONG[:50]).encode(), 0.0, expected=False) is None
    assert [(decode_apdu(apdu).block_number_ack, expected) for apdu, expected in line.sent] == [(1, False)]
    assert made.deadline is None


def test_pieces_of_what_was_ciphered_before_it_was_cut_say_nothing():
    made, _ = channel(AUTHENTICATED_ENCRYPTED)
    for number, octets in enumerate((LONG[:50], bytes.fromhex("CC820100300000000A") + bytes(40)), 1):
        block = GeneralBlockTransfer(False, True, 1, number, 0, octets)
        assert made.receive(block.encode(), 0.0, expected=True) is None
