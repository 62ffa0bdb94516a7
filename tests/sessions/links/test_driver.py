"""Conversations over real sockets: what is asked is answered, whatever goes wrong ends in time, and the line is always freed."""

from __future__ import annotations

import asyncio
import socket

import pytest

from meters.cosem.data import null, octet_string, unsigned
from sessions.dlms.acse import Aarq, ResultSourceDiagnostic, Rlrq
from sessions.dlms.apdu.descriptors import ActionResult, CosemAttributeDescriptor, DataAccessResult
from sessions.dlms.apdu.errors import ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal
from sessions.dlms.association import AssociationParameters
from sessions.dlms.client import DlmsClient
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import (
    AssociationRejectedError,
    ConnectionLostError,
    ExceptionResponseError,
    LocalProtocolError,
    NoReplyError,
)
from sessions.dlms.events import ActionOutcome, NotificationReceived
from sessions.dlms.hdlc.client_link import HdlcClientLink
from sessions.dlms.hdlc.frame import RrFrame, decode_hdlc_frame
from sessions.dlms.hdlc.server_link import HdlcServerLink
from sessions.dlms.iec62056_21.mode_e import ModeELink
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.link import ApduReceived, FrameReceived, FrameSent, LineSettings
from sessions.dlms.transfers.items import GetItem, SetItem
from sessions.dlms.wrapper import WrapperLink
from sessions.links.driver import Conversation, HdlcSettings, make_link
from sessions.links.endpoint import SerialEndpoint, TcpEndpoint, UdpEndpoint
from sessions.links.line import LineError
from sessions.links.tcp import TcpLine
from tests.sessions.dlms.scripted import (
    AUTHENTICATED_ENCRYPTED,
    CLOCK,
    CTOS,
    EXECUTE,
    LONG,
    NAME,
    NOTIFICATION,
    ScriptedMeter,
    parameters,
)

from .served import ServedMeter, served

pytestmark = pytest.mark.asyncio
TIME = octet_string(b"\x07\xe6\x08\x0f\x01\x15\x08\x0d\x00\x00\xb4\x00")


def conversation(meter: ServedMeter, agreed: AssociationParameters, *, timeout: float = 5.0, **options) -> Conversation:
    meter.meter.objects[CLOCK] = TIME
    meter.meter.objects[NAME] = LONG
    meter.meter.methods[EXECUTE] = (ActionResult.SUCCESS, unsigned(3))
    link = make_link("hdlc" if meter.hdlc else "wrapper", agreed, HdlcSettings(), timeout)
    counters = InvocationCounters(range(1, 1000)) if agreed.needs_counters else None
    client = DlmsClient(agreed, link, challenge=CTOS, counters=counters, reply_timeout=timeout)
    return Conversation(meter.endpoint, client, **options)


# -- the good road -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("agreed", [parameters(), AUTHENTICATED_ENCRYPTED], ids=["none", "ciphered"])
async def test_a_whole_conversation(agreed, hdlc):
    frames, blocks = [], []
    async with served(agreed, hdlc=hdlc) as meter:
        meter.meter.reply_block = 100
        talk = conversation(meter, agreed, on_frame=frames.append)
        negotiated = await talk.open()
        assert talk.is_open
        assert (negotiated.hdlc is not None) == hdlc
        assert await talk.get(CLOCK) == TIME
        assert await talk.get(NAME, on_block=blocks.append) == LONG
        assert await talk.set(CLOCK, null()) is DataAccessResult.SUCCESS
        assert await talk.action(EXECUTE, unsigned(1)) == (ActionResult.SUCCESS, unsigned(3))
        assert await talk.release() == ""
        assert not talk.is_open
        await talk.close()
    assert [block.block_number for block in blocks] == list(range(1, 10))
    sent = sum(isinstance(frame, FrameSent) for frame in frames)
    assert sent == sum(isinstance(frame, FrameReceived) for frame in frames) >= 14
    assert isinstance(frames[0], FrameSent)


async def test_refusals_of_one_object_are_values_and_refused_services_leave_the_rest():
    async with served(parameters()) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        meter.meter.objects[CLOCK] = DataAccessResult.READ_WRITE_DENIED
        assert await talk.get(CLOCK) is DataAccessResult.READ_WRITE_DENIED
        meter.meter.script[GetRequestNormal] = lambda apdu: ExceptionResponse(1, 2)
        with pytest.raises(ExceptionResponseError):
            await talk.get(CLOCK)
        assert talk.is_open
        del meter.meter.script[GetRequestNormal]
        assert await talk.get(NAME) == LONG
        await talk.release()


async def test_many_things_each_with_its_result():
    async with served(parameters()) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        unknown = CosemAttributeDescriptor(1, NAME.instance_id, 9)
        assert await talk.get_many([CLOCK, unknown]) == [TIME, DataAccessResult.OBJECT_UNDEFINED]
        assert await talk.set_many([(CLOCK, null()), (NAME, unsigned(1))]) == [DataAccessResult.SUCCESS] * 2
        assert await talk.invoke_many([(EXECUTE, unsigned(1))]) == [ActionOutcome(ActionResult.SUCCESS, unsigned(3))]
        assert await talk.many([GetItem(NAME), SetItem(NAME, null())]) == (unsigned(1), DataAccessResult.SUCCESS)
        assert await talk.get_many([]) == []
        meter.meter.script[GetRequestNormal] = lambda request: ExceptionResponse(1, 3)
        (refused,) = await talk.get_many([CLOCK])
        assert isinstance(refused, ExceptionResponseError)
        assert talk.is_open
        await talk.close()


async def test_requests_that_are_ours_to_refuse_leave_the_conversation_open():
    async with served(parameters()) as meter:
        meter.meter.max_pdu = 12
        talk = conversation(meter, parameters())
        await talk.open()
        with pytest.raises(LocalProtocolError) as raised:
            await talk.get(CLOCK)
        assert raised.value.code == "request-too-long"
        assert talk.is_open
        await talk.release()


async def test_notifications_are_handed_on_during_requests_and_in_between():
    heard: list[NotificationReceived] = []
    async with served(parameters()) as meter:
        talk = conversation(meter, parameters(), on_notification=heard.append)
        await talk.open()
        meter.meter.script[GetRequestNormal] = lambda apdu: [NOTIFICATION, meter.meter.answer(apdu), NOTIFICATION]
        assert await talk.get(CLOCK) == TIME
        await talk.idle(0.05)
        assert [event.apdu for event in heard] == [NOTIFICATION, NOTIFICATION]
        await talk.release()


async def test_counters_are_topped_up_before_they_are_used():
    counters = InvocationCounters()
    reserved = iter(range(0, 10_000, 2))

    async def top_up() -> None:
        while counters.remaining < 2:
            start = next(reserved)
            counters.extend(range(start, start + 2))

    async with served(AUTHENTICATED_ENCRYPTED) as meter:
        meter.meter.reply_block = 20
        meter.meter.objects[NAME] = LONG
        link = make_link("wrapper", AUTHENTICATED_ENCRYPTED, HdlcSettings(), 5.0)
        client = DlmsClient(AUTHENTICATED_ENCRYPTED, link, challenge=CTOS, counters=counters)
        talk = Conversation(meter.endpoint, client, before_octets=top_up)
        await talk.open()
        assert await talk.get(NAME) == LONG
        await talk.release()
        used = [counter for _, counter in meter.meter.client_counters]
        assert sorted(used) == list(range(len(used)))
        assert len(used) > 40


@pytest.mark.parametrize("readiness", [None, [True], [False], [True, False, False]], ids=str)
async def test_octets_are_answered_at_once_only_while_nothing_has_to_be_done_before(readiness):
    """What is said is the same; `before_octets` is awaited unless it would have nothing to do."""
    frames, blocks, awaited, asked = [], [], [], []

    async def before() -> None:
        awaited.append(len(frames))

    def ready() -> bool:
        asked.append(len(frames))
        return readiness[len(asked) % len(readiness)]

    async with served(AUTHENTICATED_ENCRYPTED, hdlc=True) as meter:
        meter.meter.reply_block = 100
        options = {"before_octets": before, "ready": None if readiness is None else ready}
        talk = conversation(meter, AUTHENTICATED_ENCRYPTED, on_frame=frames.append, **options)
        await talk.open()
        assert await talk.get(NAME, on_block=blocks.append) == LONG
        await talk.release()
    received = sum(isinstance(frame, FrameReceived) for frame in frames)
    assert [block.block_number for block in blocks] == list(range(1, 10))
    assert sum(isinstance(frame, FrameSent) for frame in frames) == received
    if readiness == [True]:
        assert len(awaited) < 12 < received
    else:
        assert len(awaited) >= received // 3


async def test_silence_after_octets_that_were_answered_at_once_ends_in_time():
    async with served(parameters()) as meter:
        meter.meter.reply_block = 100
        talk = conversation(meter, parameters(), timeout=0.2)
        await talk.open()
        meter.meter.script[GetRequestNext] = lambda apdu: meter.meter.answer(apdu) if apdu.block_number < 4 else None
        begin = asyncio.get_running_loop().time()
        with pytest.raises(NoReplyError):
            await talk.get(NAME)
        assert 0.2 <= asyncio.get_running_loop().time() - begin < 5
        await talk.close()


async def test_an_idle_hdlc_link_is_kept_alive_and_answers_afterwards():
    async with served(parameters(), hdlc=True, inactivity_timeout=60.0) as meter:
        meter.meter.objects[CLOCK] = TIME
        link = make_link("hdlc", parameters(), HdlcSettings(keep_alive=0.02), 5.0)
        frames = []
        client = DlmsClient(parameters(), link, challenge=CTOS, counters=None)
        talk = Conversation(meter.endpoint, client, on_frame=frames.append)
        await talk.open()
        before = len(frames)
        await talk.idle(0.3)
        polls = frames[before:]
        assert len(polls) >= 4
        assert {type(decode_hdlc_frame(frame.octets)) for frame in polls} == {RrFrame}
        assert await talk.get(CLOCK) == TIME
        await talk.release()


# -- what goes wrong -----------------------------------------------------------------------------------------------------


async def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = TcpEndpoint("127.0.0.1", free.getsockname()[1])
        client = DlmsClient(
            parameters(), make_link("wrapper", parameters(), HdlcSettings(), 5.0), challenge=CTOS, counters=None
        )
        talk = Conversation(endpoint, client)
        with pytest.raises(LineError) as raised:
            await talk.open()
    assert (raised.value.layer, raised.value.code) == ("line", "connection-refused")
    await talk.close()


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
async def test_total_silence_is_an_error_in_time(hdlc):
    async with served(parameters(), hdlc=hdlc) as meter:
        meter.mute = True
        talk = conversation(meter, parameters(), timeout=0.1)
        async with asyncio.timeout(3):
            with pytest.raises(NoReplyError) as raised:
                await talk.open()
        assert raised.value.hint
        assert not talk.is_open


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
async def test_a_rejected_association_frees_the_line_and_the_meter(hdlc):
    async with served(parameters(), hdlc=hdlc) as meter:
        rejection = {"result": 1, "result_source_diagnostic": ResultSourceDiagnostic(diagnostic=1)}
        meter.meter.script[Aarq] = lambda aarq: meter.meter.aare(aarq, **rejection)
        frames = []
        talk = conversation(meter, parameters(), on_frame=frames.append)
        with pytest.raises(AssociationRejectedError):
            await talk.open()
        async with asyncio.timeout(5):
            await meter.quiet.wait()
        with pytest.raises(LocalProtocolError):
            await talk.get(CLOCK)
        if hdlc:  # SNRM, AARQ, DISC and their answers
            assert len(frames) == 6


@pytest.mark.parametrize("kind", [Aarq, GetRequestNormal])
async def test_a_meter_that_hangs_up(kind):
    async with served(parameters()) as meter:
        meter.hang_up_on = kind
        talk = conversation(meter, parameters())
        with pytest.raises(ConnectionLostError):
            await talk.open()
            await talk.get(CLOCK)
        assert not talk.is_open


async def test_a_meter_that_goes_away_while_nothing_is_asked():
    async with served(parameters()) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        await talk.idle(0.02)
        assert talk.is_open
        meter.hang_up()
        with pytest.raises(ConnectionLostError):
            await talk.idle(5)
        assert not talk.is_open


@pytest.mark.parametrize("answer", [None, ExceptionResponse(1, 2), b"\xff"])
async def test_a_release_ends_well_whatever_the_meter_does(answer, monkeypatch):
    monkeypatch.setattr("sessions.dlms.client.RELEASE_TIMEOUT", 0.1)
    async with served(parameters()) as meter:
        meter.meter.script[Rlrq] = lambda apdu: answer
        talk = conversation(meter, parameters())
        await talk.open()
        assert await talk.release() != ""
        assert not talk.is_open


async def test_a_meter_that_hangs_up_on_the_release():
    async with served(parameters()) as meter:
        meter.hang_up_on = Rlrq
        talk = conversation(meter, parameters())
        await talk.open()
        await talk.release()


async def test_closing_in_the_middle_frees_the_line():
    async with served(parameters(), hdlc=True) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        await talk.close()
        await talk.close()
        assert not talk.is_open
        with pytest.raises(LocalProtocolError) as raised:
            await talk.get(CLOCK)
        assert raised.value.code == "closed"


async def test_closing_does_not_wait_long_for_a_dead_meter(monkeypatch):
    monkeypatch.setattr("sessions.links.driver.DISCONNECT_TIMEOUT", 0.1)
    async with served(parameters(), hdlc=True) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        meter.mute = True
        async with asyncio.timeout(2):
            await talk.close()


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("kind", [Aarq, GetRequestNormal, GetRequestNext])
async def test_cancelling_frees_the_line(kind, hdlc):
    async with served(parameters(), hdlc=hdlc) as meter:
        reached = asyncio.Event()

        def be_silent(apdu):
            reached.set()

        meter.meter.reply_block = 50
        meter.meter.script[kind] = be_silent
        talk = conversation(meter, parameters())

        async def work() -> None:
            await talk.open()
            await talk.get(NAME)

        task = asyncio.create_task(work())
        async with asyncio.timeout(5):
            await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not talk.is_open
        async with asyncio.timeout(5):
            await meter.quiet.wait()
        await talk.close()


async def test_an_error_in_a_callback_frees_the_line():
    def break_down(frame) -> None:
        raise RuntimeError("no room left")

    async with served(parameters()) as meter:
        talk = conversation(meter, parameters(), on_frame=break_down)
        with pytest.raises(RuntimeError):
            await talk.open()
        assert not talk.is_open


async def test_a_conversation_is_opened_once():
    async with served(parameters()) as meter:
        talk = conversation(meter, parameters())
        await talk.open()
        with pytest.raises(LocalProtocolError):
            await talk.open()
        assert talk.is_open
        await talk.release()


# -- links ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hdlc", "logical_device", "octets"),
    [
        (HdlcSettings(), 1, 1),
        (HdlcSettings(), 200, 4),
        (HdlcSettings(physical_address=17), 1, 2),
        (HdlcSettings(physical_address=200), 1, 4),
        (HdlcSettings(physical_address=17), 200, 4),
        (HdlcSettings(physical_address=17, address_octets=4), 1, 4),
        (HdlcSettings(address_octets=2), 1, 2),
    ],
)
async def test_the_size_of_the_server_address(hdlc, logical_device, octets):
    assert hdlc.octets_for(logical_device) == octets
    link = make_link("hdlc", parameters(server_sap=logical_device), hdlc, 5.0)
    assert len(link.server.encode()) == octets


async def test_links_by_framing():
    hdlc = make_link("hdlc", parameters(client_sap=32), HdlcSettings(max_info=500, window=3), 7.0)
    assert isinstance(hdlc, HdlcClientLink)
    assert (hdlc.proposed.max_info_receive, hdlc.proposed.window_transmit, hdlc.response_timeout) == (500, 3, 7.0)
    wrapper = make_link("wrapper", parameters(client_sap=300), HdlcSettings(), 7.0)
    slow = make_link("hdlc", parameters(), HdlcSettings(), 7.0, endpoint=SerialEndpoint("/dev/ttyS0", 300))
    assert isinstance(slow, HdlcClientLink)
    assert (slow.octet_time, hdlc.octet_time) == (pytest.approx(10 / 300), 0.0)
    assert isinstance(wrapper, WrapperLink)
    assert not wrapper.datagrams
    udp = make_link("wrapper", parameters(), HdlcSettings(), 7.0, endpoint=UdpEndpoint("127.0.0.1", 4059))
    assert isinstance(udp, WrapperLink)
    assert udp.datagrams
    with pytest.raises(LocalProtocolError) as refused:
        make_link("hdlc", parameters(), HdlcSettings(), 7.0, endpoint=UdpEndpoint("127.0.0.1", 4059))
    assert refused.value.code == "framing-not-possible"
    assert refused.value.hint
    assert (wrapper.client_sap, wrapper.server_sap, wrapper.response_timeout) == (300, 1, 7.0)


async def test_a_sign_on_comes_before_hdlc_where_it_is_wanted():
    hdlc = HdlcSettings(sign_on=SignOnSettings(device_address="77"))
    assert isinstance(make_link("hdlc", parameters(), hdlc, 5.0), ModeELink)


async def test_the_line_gets_the_settings_that_the_sign_on_wants(monkeypatch):
    """A meter of mode E behind a socket: the line is told each change, after what was written before it."""
    happened = []

    class Noting(TcpLine):
        async def change_settings(self, settings: LineSettings) -> None:
            happened.append(str(settings))

        async def write(self, octets: bytes) -> None:
            happened.append(octets[:6])
            await super().write(octets)

    async def meter(reader, writer):
        assert await reader.readuntil(b"\n") == b"/?77!\r\n"
        writer.write(b"/ABc5\\2METER\r\n")
        assert await reader.readuntil(b"\n") == b"\x06252\r\n"
        link = HdlcServerLink(server_sap=1)
        scripted = ScriptedMeter(parameters())
        while octets := await reader.read(65536):
            link.receive_octets(octets, 0.0)
            while (event := link.next_event()) is not None:
                if isinstance(event, ApduReceived):
                    for answer in scripted(event.apdu):
                        link.send_apdu(answer, 0.0)
            writer.write(link.octets_to_send())
        writer.close()

    monkeypatch.setattr("sessions.links.tcp.TcpLine", Noting)
    server = await asyncio.start_server(meter, "127.0.0.1", 0)
    async with server:
        endpoint = TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        hdlc = HdlcSettings(sign_on=SignOnSettings(device_address="77", switch_pause=0.0))
        client = DlmsClient(parameters(), make_link("hdlc", parameters(), hdlc, 5.0), challenge=CTOS, counters=None)
        talk = Conversation(endpoint, client)
        await talk.open()
        await talk.release()
    assert happened[:4] == ["300 7E1", b"/?77!\r", b"\x06252\r\n", "9600 8N1"]
    assert happened[4][:1] == b"\x7e"


async def test_a_line_that_keeps_what_was_written_breaks(monkeypatch):
    class Stuck(TcpLine):
        async def change_settings(self, settings: LineSettings) -> None:
            await asyncio.sleep(60)

    monkeypatch.setattr("sessions.links.tcp.TcpLine", Stuck)
    monkeypatch.setattr("sessions.links.driver.WRITE_TIMEOUT", 0.05)
    async with served(parameters(), hdlc=True) as meter:
        link = make_link("hdlc", parameters(), HdlcSettings(sign_on=SignOnSettings()), 5.0)
        talk = Conversation(meter.endpoint, DlmsClient(parameters(), link, challenge=CTOS, counters=None))
        with pytest.raises(LineError) as broken:
            await talk.open()
        assert broken.value.code == "write-timeout"
