"""What is asked of a meter in IEC 62056-21, and how the answers are told."""

from __future__ import annotations

import asyncio
import json

import pytest

from sessions.dlms.errors import DlmsError, LinkRefusedError, RefusedError
from sessions.dlms.iec62056_21.data_set import decode_data_block
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.smarty import encrypt_telegram
from sessions.dlms.iec62056_21.telegram import Telegram
from sessions.links.endpoint import TcpEndpoint, parse_endpoint
from sessions.readout import Answer, Question, ReadoutReport, Wish, read_meter
from sessions.readout_file import parse_readout_file
from sessions.simulator.lab import HdlcOptions, LabLine, SignOnOptions, make_meter
from tests.sessions.simulator.served import LLS, HandClock, lab_of, listening

TELEGRAM = Telegram(IdentificationMessage("ABC", "5", "M"), decode_data_block(b"1-0:1.8.0(000123.4*kWh)\r\n!\r\n"))
KEY = bytes(range(16))


@pytest.fixture
def announced(tmp_path):
    table = {"serial_number": "10000011", "association": LLS, "sign_on": {"password": "1234", "max_block": 100}}
    meter = make_meter(table, HandClock(), HdlcOptions(), SignOnOptions())
    with listening(lab_of(LabLine(kind="hdlc", meters=(meter,), sign_on=SignOnOptions())), tmp_path) as told:
        yield told[0]


def ask(announced, *questions, **changes):
    file = parse_readout_file({**announced["readout"], **changes})
    return asyncio.run(read_meter(parse_endpoint(announced["endpoint"]), file, Wish(questions)))


@pytest.mark.parametrize(
    ("text", "question", "wire"),
    [
        ("1.8.0", Question("R1", "1.8.0"), "1.8.0()"),
        ("1-0:1.8.0*255", Question("R1", "1-0:1.8.0*255"), "1-0:1.8.0*255()"),
        ("R5:P.01(0261125;)", Question("R5", "P.01", "0261125;"), "P.01(0261125;)"),
        ("E2:X.1(5)", Question("E2", "X.1", "5"), "X.1(5)"),
    ],
)
def test_questions(text, question, wire):
    assert Question.parse(text) == question
    assert question.message().text == wire.encode()
    assert question.message().command == question.command


def test_writes():
    assert Question.parse_write("C.1.1=new point") == Question("W1", "C.1.1", "new point")
    assert Question.parse_write("W2:0.9.1=121314").command == "W2"
    assert str(Question("W1", "C.1.1", "x")) == "W1 C.1.1(x)"
    assert Question.parse_write("C.1.1=").message().text == b"C.1.1()"


@pytest.mark.parametrize("text", ["", "1.8.0(", "1.8.0)", "ä", "(5)"])
def test_what_is_no_question(text):
    with pytest.raises(ValueError, match="is no address"):
        Question.parse(text)


@pytest.mark.parametrize("text", ["", "C.1.1", "=5", "C.1.1(5)=6", "C.1.1=a)b", "C.1.1=ä"])
def test_what_writes_nothing(text):
    with pytest.raises(ValueError, match="writes nothing"):
        Question.parse_write(text)


def test_a_readout(announced):
    report = ask(announced)
    shown = report.as_json()
    json.dumps(shown)
    assert shown["mode"] == "E"
    values = {one["address"]: one["value"] for one in shown["readings"]}
    assert values["0.0.0"] == "10000011"
    assert values["1.8.0"] > 0
    assert shown["answers"] == []


def test_questions_and_writes_in_one_conversation(announced):
    asked = [Question.parse_write("C.1.1=new"), *(Question.parse(text) for text in ("C.1.1", "9.9.9", "R3:P.01()"))]
    report = ask(announced, *asked)
    written, read, refused, profile = report.answers
    assert written.as_json() == {"command": "W1", "address": "C.1.1", "result": "success", "readings": []}
    assert read.as_json()["readings"][0]["address"] == "C.1.1"
    assert read.as_json()["readings"][0]["value"] == "new"
    assert refused.as_json()["result"] == "refused"
    assert isinstance(refused.outcome, RefusedError)
    assert isinstance(profile.outcome, object)
    [table] = report.as_json()["profiles"]
    assert len(table["rows"]) == 97
    assert table["rows"][0][0] == "2026-11-24T12:00:00"
    assert table["columns"][0] == {"address": "1.8.0", "unit": "kWh"}


def test_without_the_password_a_write_is_refused_and_the_rest_goes_on(announced):
    report = ask(announced, Question.parse_write("C.1.1=x"), Question.parse("0.0.0"), password="text:")
    assert isinstance(report.answers[0].outcome, RefusedError)
    assert report.answers[1].data_sets[0].data_set.values[0].value == "10000011"


def test_a_wrong_password_ends_it_without_showing_it(announced):
    with pytest.raises(DlmsError) as refused:
        ask(announced, Question.parse("0.0.0"), password="text:4321")
    assert refused.value.layer == "authentication"
    assert "4321" not in refused.value.message


def test_a_meter_that_breaks_off_ends_it():
    async def hang_up(reader, writer):
        await reader.readuntil(b"\n")
        writer.write(b"/ABc5M\r\n")
        await reader.readuntil(b"\n")
        writer.write(b"\x01P0\x02()\x03\x60")
        await reader.readuntil(b"\x03")
        writer.write(b"\x01B0\x03q")
        await reader.read()
        writer.close()

    async def run():
        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server:
            endpoint = TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
            await read_meter(endpoint, parse_readout_file({}), Wish([Question.parse("1.8.0"), Question.parse("2.8.0")]))

    with pytest.raises(LinkRefusedError) as refused:
        asyncio.run(run())
    assert refused.value.code == "broken-off"


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_telegram_is_listened_for(encrypted):
    text = TELEGRAM.encode(with_crc=True)
    wire = encrypt_telegram(text, key=KEY, system_title=b"SAG00001", invocation_counter=1) if encrypted else text

    async def say(reader, writer):
        writer.write(wire)
        await writer.drain()
        writer.close()

    async def run():
        server = await asyncio.start_server(say, "127.0.0.1", 0)
        async with server:
            endpoint = TcpEndpoint("127.0.0.1", server.sockets[0].getsockname()[1])
            file = parse_readout_file({"guek": KEY.hex()} if encrypted else {})
            return await read_meter(endpoint, file, Wish(listen=True))

    report = asyncio.run(run())
    assert report.identification == TELEGRAM.identification
    assert report.as_json()["readings"][0]["value"] == 123.4


def test_an_empty_report():
    assert ReadoutReport(None).as_json()["identification"] is None
    assert Answer(Question("R1", "1"), None).data_sets == []
