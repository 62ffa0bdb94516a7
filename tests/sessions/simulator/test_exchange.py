"""General blocks between our client and a simulated meter, over both framings, in clear and ciphered; and by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import enum, integer, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.association_file import parse_association
from sessions.dlms.acse.apdus import Aarq
from sessions.dlms.acse.names import AUTHENTICATION_FUNCTIONAL_UNIT
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.errors import ExceptionServiceError
from sessions.dlms.apdu.get import GetRequestNormal, GetResponseNormal
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.apdu.set import SetRequestNormal, SetResponseNormal
from sessions.dlms.axdr import encode_data
from sessions.dlms.block_exchange import MAX_RETRIES, is_block
from sessions.dlms.client import DlmsClient
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import ExceptionResponseError, NoReplyError
from sessions.dlms.events import Associated, Failed, GetFinished, RequestFailed
from sessions.dlms.general_block_transfer import GeneralBlocks
from sessions.dlms.initiate import InitiateRequest
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.items import GetItem, SetItem
from sessions.dlms.wrapper import WrapperLink
from sessions.simulator.association import AssociationState
from sessions.simulator.blocks import MAX_INCOMING, MAX_WHOLE
from sessions.simulator.ciphering import Envelope
from sessions.simulator.exchange import ServerExchange
from sessions.simulator.server import MALFORMED, Server
from sessions.simulator.service import NOT_NEGOTIATED, Room
from sessions.simulator.stations import WrapperStation
from tests.sessions.simulator.pair import Pair, same_octets
from tests.sessions.simulator.served import DEDICATED, GMAC, LLS, lab_meter

SERVICES = Conformance.GET | Conformance.SET | Conformance.ACTION | Conformance.SELECTIVE_ACCESS
GENERAL = SERVICES | Conformance.GENERAL_BLOCK_TRANSFER
LISTED = GENERAL | Conformance.MULTIPLE_REFERENCES
PROFILE, NAME, CLOCK, ENERGY = "1-0:99.1.0*255", "0-0:96.1.10*255", "0-0:1.0.0*255", "1-0:1.8.0*255"
ROWS = EntryDescriptor(1, 20).to_selective_access()


def attribute(class_id: int, name: str, attribute_id: int) -> CosemAttributeDescriptor:
    return CosemAttributeDescriptor(class_id, ObisCode.parse(name), attribute_id)


def open_pair(
    association: dict[str, Any] = LLS, conformance: Conformance = GENERAL, *, size: int = 0, **table: Any
) -> Pair:
    """`size`: the longest APDU of both sides."""
    changes = {name: table.pop(name) for name in ("block_window",) if name in table}
    meter = lab_meter(association, max_pdu_size=size, **table)
    meter.device.conformance = conformance
    if size:
        meter.device.max_receive_pdu_size = size
    pair = Pair(meter, **changes)
    assert pair.open().conformance == conformance
    return pair


@pytest.fixture(scope="module")
def rows() -> Any:
    """What a meter without a limit says."""
    return open_pair().get(7, PROFILE, 2, ROWS)


@pytest.mark.parametrize("window", [1, 4, 63])
@pytest.mark.parametrize("line", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("association", [LLS, GMAC, {**GMAC, "dedicated_key": DEDICATED}], ids=["clear", "glo", "ded"])
def test_a_long_answer_comes_in_general_blocks(association, line, window, rows):
    pair = open_pair(association, size=120, block_window=window, **line)
    assert pair.get(7, PROFILE, 2, ROWS) == rows
    # Of what was ciphered before it was cut, nothing is known before its end.
    assert 0 <= len(encode_data(rows)) - sum(pair.blocks) <= 120 if association is LLS else pair.blocks == []
    assert len(pair.sizes) >= 2
    if not line:
        assert max(pair.sizes) <= window * (120 + 8)
    assert pair.get(3, ENERGY, 3) == structure(integer(0), enum(30))


@pytest.mark.parametrize("line", [{}, {"physical_address": 17}], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
def test_a_long_request_goes_out_in_general_blocks(association, line):
    pair = open_pair(association, size=120, **line)
    value = octet_string(bytes(range(250)) * 2)
    assert pair.set(1, NAME, 2, value) is DataAccessResult.SUCCESS
    assert pair.get(1, NAME, 2) == value
    if not line:
        assert len(pair.sizes) < 500 // 120 + 2


def test_a_wide_window_takes_few_turns(rows):
    turns = {}
    for window in (1, 8):
        pair = open_pair(size=120, block_window=window)
        pair.get(7, PROFILE, 2, ROWS)
        turns[window] = len(pair.sizes)
    assert turns[8] * 3 <= turns[1]


def test_lists_and_access_travel_in_general_blocks(rows):
    for conformance in (LISTED, GENERAL | Conformance.ACCESS):
        pair = open_pair(LLS, conformance, size=120)
        results = pair.many(
            GetItem(attribute(7, PROFILE, 2), ROWS),
            SetItem(attribute(1, NAME, 2), octet_string(bytes(300))),
            SetItem(attribute(1, NAME, 2), octet_string(bytes(200))),
            GetItem(attribute(1, NAME, 2)),
        )
        assert results == (rows, DataAccessResult.SUCCESS, DataAccessResult.SUCCESS, octet_string(bytes(200)))


def test_an_access_is_ciphered_in_a_general_envelope_and_cut(rows):
    conformance = GENERAL | Conformance.ACCESS | Conformance.GENERAL_PROTECTION
    pair = open_pair(GMAC, conformance, size=120)
    results = pair.many(GetItem(attribute(7, PROFILE, 2), ROWS), GetItem(attribute(1, NAME, 2)))
    assert results == (rows, octet_string(b"metering point"))


def test_the_services_own_blocks_come_first_where_both_were_agreed(rows):
    pair = open_pair(LLS, GENERAL | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ, size=120)
    assert pair.get(7, PROFILE, 2, ROWS) == rows
    assert len(pair.blocks) > 1


def test_an_answer_that_no_block_carries_is_refused():
    pair = open_pair(size=16)
    with pytest.raises(ExceptionResponseError) as raised:
        pair.get(7, PROFILE, 2)
    assert raised.value.service_error == ExceptionServiceError.PDU_TOO_LONG
    assert pair.get(3, ENERGY, 3) == structure(integer(0), enum(30))


# -- by hand -----------------------------------------------------------------------------------------------------------

I = InvokeIdAndPriority(1)
READ_NAME = GetRequestNormal(I, attribute(1, NAME, 2)).encode()


def exchange(conformance: Conformance = GENERAL, *, size: int = 0) -> ServerExchange:
    """An open association without ciphering."""
    meter = lab_meter(LLS, max_pdu_size=size)
    meter.device.conformance = conformance
    made = ServerExchange(meter.device, 32, bytes)
    initiate = InitiateRequest(proposed_conformance=GENERAL)
    aarq = Aarq(
        sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
        mechanism_name=1,
        calling_authentication_value=b"12345678",
        user_information=initiate.encode(),
    )
    (aare,) = made.receive_apdu(aarq.encode())
    assert decode_apdu(aare).accepted
    return made


def said(octets: list[bytes]) -> list[Any]:
    return [decode_apdu(each) for each in octets]


def test_what_is_asked_in_a_block_is_answered_in_one():
    request = GeneralBlockTransfer(True, False, 1, 1, 0, READ_NAME)
    (answer,) = said(exchange().receive_apdu(request.encode()))
    assert (answer.last_block, answer.block_number, answer.block_number_ack) == (True, 1, 1)
    assert decode_apdu(answer.block_data).result == octet_string(b"metering point")


def test_a_request_in_blocks_that_is_repeated_is_done_once_and_answered_again():
    made = exchange()
    write = SetRequestNormal(I, attribute(1, NAME, 2), None, octet_string(b"once")).encode()
    first, last = (
        GeneralBlockTransfer(False, True, 1, 1, 0, write[:9]),
        GeneralBlockTransfer(True, False, 1, 2, 0, write[9:]),
    )
    assert made.receive_apdu(first.encode()) == []
    answer = made.receive_apdu(last.encode())
    assert decode_apdu(said(answer)[0].block_data) == SetResponseNormal(I, DataAccessResult.SUCCESS)
    back = SetRequestNormal(I, attribute(1, NAME, 2), None, octet_string(b"changed since")).encode()
    made.server.receive_apdu(back)
    assert made.receive_apdu(first.encode()) == []
    assert made.receive_apdu(last.encode()) == answer
    assert decode_apdu(made.receive_apdu(READ_NAME)[0]).result == octet_string(b"changed since")


def test_an_unconfirmed_request_in_a_block_gets_no_answer():
    request = GetRequestNormal(InvokeIdAndPriority(1, confirmed=False), attribute(1, NAME, 2)).encode()
    assert exchange().receive_apdu(GeneralBlockTransfer(True, False, 1, 1, 0, request).encode()) == []


def test_a_plain_request_ends_what_was_begun_in_blocks():
    made = exchange()
    (ack,) = said(made.receive_apdu(GeneralBlockTransfer(False, False, 1, 1, 0, READ_NAME[:5]).encode()))
    assert ack.block_number_ack == 1
    assert isinstance(said(made.receive_apdu(READ_NAME))[0], GetResponseNormal)
    (ack,) = said(made.receive_apdu(GeneralBlockTransfer(False, False, 1, 1, 0, READ_NAME[:5]).encode()))
    assert ack.block_number_ack == 1


def test_general_blocks_must_be_agreed_on():
    block = GeneralBlockTransfer(True, False, 1, 1, 0, READ_NAME).encode()
    assert said(exchange(SERVICES).receive_apdu(block)) == [NOT_NEGOTIATED]
    assert said(exchange(SERVICES).receive_apdu(block[:-1])) == [NOT_NEGOTIATED]


def test_blocks_that_are_none():
    made = exchange()
    for octets in (b"\xe0", b"\xe0\x80\x00\x01\x00\x00\x05abc"):
        assert said(made.receive_apdu(octets)) == [MALFORMED]
    inner = GeneralBlockTransfer(True, False, 1, 1, 0, READ_NAME).encode()
    (answer,) = said(made.receive_apdu(GeneralBlockTransfer(True, False, 1, 1, 0, inner).encode()))
    assert decode_apdu(answer.block_data) == MALFORMED


def test_a_request_without_an_end_is_broken_off():
    made = exchange()
    data = bytes(2000)
    for number in range(1, 1000):
        answer = made.receive_apdu(GeneralBlockTransfer(False, True, 1, number, 0, data).encode())
        if answer:
            break
    assert answer == [bytes.fromhex("E0800000000000")]
    assert number * len(data) <= MAX_INCOMING + len(data)
    assert isinstance(said(made.receive_apdu(READ_NAME))[0], GetResponseNormal)


def test_an_abort_by_the_client_is_taken():
    made = exchange(size=30)
    made.receive_apdu(READ_NAME)
    assert made.receive_apdu(bytes.fromhex("E0800000000000")) == []
    made.link_down()
    assert made.server.state is AssociationState.IDLE


def test_a_push_is_cut_where_blocks_were_agreed_to():
    notification = DataNotification(1, None, octet_string(bytes(100)))
    assert exchange(SERVICES, size=50).push(notification) == [notification.encode()]
    assert exchange().push(notification) == [notification.encode()]
    blocks = exchange(size=50).push(notification)
    receiver = GeneralBlocks(confirmed=False)
    assert [receiver.receive(each).apdu for each in said(blocks)][-1] == notification.encode()
    assert max(len(each) for each in blocks) <= 50


# -- blocks inside of ciphered APDUs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("association", [GMAC, {**GMAC, "dedicated_key": DEDICATED}], ids=["glo", "ded"])
def test_blocks_may_be_inside_of_the_ciphering(association, rows, monkeypatch):
    """A meter that cuts first and ciphers each block: the client answers in the same layer."""
    original = Server._answer

    def cut_then_cipher(self: Server, plaintext: bytes, envelope: Envelope | None) -> Any:
        if is_block(plaintext):
            return original(self, plaintext, envelope)
        assert envelope is not None
        self._inner.begin()
        answer = self._serve(decode_apdu(plaintext), Room(MAX_WHOLE))
        assert isinstance(answer, bytes)
        (block,) = self._inner.send(answer, 60)
        return self._ciphering.seal(block.encode(), replace(envelope, general=True))

    pair = open_pair(association, GENERAL | Conformance.GENERAL_PROTECTION, size=120)
    monkeypatch.setattr(Server, "_answer", cut_then_cipher)
    assert pair.get(7, PROFILE, 2, ROWS) == rows
    assert len(pair.sizes) > 10
    assert 0 <= len(encode_data(rows)) - sum(pair.blocks) <= 60  # each of them is proven by itself
    assert pair.get(3, ENERGY, 3) == structure(integer(0), enum(30))


def inner_talk() -> tuple[Pair, Callable[[GeneralBlockTransfer], Any]]:
    """A ciphered association, and what the meter says to a block inside of a general envelope."""
    pair = open_pair(GMAC, GENERAL | Conformance.GENERAL_PROTECTION, size=120)
    served = pair.station._servers[1, 1]  # type: ignore[attr-defined]
    ciphering = pair.client._ciphering

    def ask(block: GeneralBlockTransfer) -> Any:
        (answer,) = served.receive_apdu(ciphering.protect(block.encode()))
        return decode_apdu(ciphering.unprotect(answer)[0])

    return pair, ask


def test_a_request_in_blocks_inside_of_the_ciphering():
    _, ask = inner_talk()
    ack = ask(GeneralBlockTransfer(False, False, 1, 1, 0, READ_NAME[:5]))
    assert (ack.block_number_ack, ack.block_data) == (1, b"")
    answer = ask(GeneralBlockTransfer(True, False, 1, 2, 1, READ_NAME[5:]))
    assert decode_apdu(answer.block_data).result == octet_string(b"metering point")


def test_inner_blocks_without_an_end_are_broken_off():
    _, ask = inner_talk()
    for number in range(1, 1000):
        answer = ask(GeneralBlockTransfer(False, False, 1, number, 0, bytes(2000)))
        if answer.last_block and not answer.window:
            break
    assert number < 40


# -- a line that loses -------------------------------------------------------------------------------------------------


class LossyPair:
    """Our client and a meter over UDP: `fates` say of each datagram with a block whether it is lost, comes, or comes twice."""

    def __init__(self, fates: list[int]) -> None:
        meter = lab_meter(LLS, max_pdu_size=120)
        meter.device.conformance = GENERAL
        self.fates = iter(fates)
        self.station = WrapperStation(meter.device, same_octets, datagrams=True)
        parameters = parse_association(dict(meter.association)).parameters
        link = WrapperLink(client_sap=32, server_sap=1, response_timeout=5.0, datagrams=True)
        self.client = DlmsClient(parameters, link, challenge=b"", counters=None, reply_timeout=2.0)
        self.now = 0.0
        self.events: list[Any] = []

    def run(self, begin: Callable[[], object], wanted: type) -> Any:
        """Until the wanted event, however often the client has to ask again."""
        begin()
        for _ in range(10_000):
            for octets in self._client_says():
                self.station.receive_octets(octets, self.now)
                for answer in datagrams_in(self.station.octets_to_send()):
                    for _ in range(self._fate(answer)):
                        self.client.receive_octets(answer, self.now)
            while (event := self.client.next_event()) is not None:
                self.events.append(event)
                if isinstance(event, wanted | Failed | RequestFailed):
                    return event
            if not (timer := self.client.next_timer()):
                break
            self.now = max(self.now, timer)
            self.client.handle_timer(self.now)
        raise AssertionError("the client waits for nothing")

    def _client_says(self) -> list[bytes]:
        said = datagrams_in(self.client.octets_to_send())
        return [each for each in said for _ in range(self._fate(each))]

    def _fate(self, datagram: bytes) -> int:
        return next(self.fates, 1) if is_block(datagram[8:]) else 1


def datagrams_in(octets: bytes) -> list[bytes]:
    found = []
    while octets:
        size = 8 + int.from_bytes(octets[6:8], "big")
        found.append(octets[:size])
        octets = octets[size:]
    return found


@given(fates=st.lists(st.sampled_from([0, 1, 1, 2]), max_size=40))
@settings(max_examples=50, deadline=None)
def test_over_udp_lost_blocks_are_asked_for_again(fates):
    pair = LossyPair([1, *fates])  # the first block answers a plain request, which nobody repeats
    assert isinstance(pair.run(lambda: pair.client.open(pair.now), Associated), Associated)
    descriptor = attribute(7, PROFILE, 2)
    event = pair.run(lambda: pair.client.get(descriptor, ROWS, now=pair.now), GetFinished)
    if isinstance(event, GetFinished):
        assert event.result == whole_rows()
    else:  # more in a row were lost than the client asks for
        assert isinstance(event.error, NoReplyError)
        assert longest_run(fates) > MAX_RETRIES


@lru_cache
def whole_rows() -> Any:
    return open_pair().get(7, PROFILE, 2, ROWS)


def longest_run(fates: list[int]) -> int:
    return max((len(list(run)) for fate, run in groupby(fates) if fate == 0), default=0)


def test_blocks_that_stay_away_for_good_end_the_conversation():
    pair = LossyPair([1] + [0] * 100)
    pair.run(lambda: pair.client.open(pair.now), Associated)
    event = pair.run(lambda: pair.client.get(attribute(7, PROFILE, 2), ROWS, now=pair.now), GetFinished)
    assert isinstance(event, Failed)
    assert "stay away" in event.error.message
    assert pair.now == 2.0 * (MAX_RETRIES + 1)
