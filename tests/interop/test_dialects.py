"""What other clients say in ways of their own, and our simulator has to understand: octets as they come, and the answers.

Choices that the standard leaves to a client, and habits that meters put up with. What it refuses stands at the end.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from sessions.dlms.hdlc.address import HdlcAddress, client_address, server_address
from sessions.dlms.hdlc.frame import (
    DiscFrame,
    DmFrame,
    HdlcFrame,
    InfoFrame,
    RrFrame,
    SnrmFrame,
    UaFrame,
    decode_hdlc_frame,
)
from tests.sessions.simulator.pair import station_for
from tests.sessions.simulator.served import LLS, lab_meter

pytestmark = pytest.mark.interop

CONTEXT = bytes.fromhex("A109060760857405080101")
REQUIREMENTS = bytes.fromhex("8A020780")
MECHANISM = bytes.fromhex("8B0760857405080201")
PASSWORD = bytes.fromhex("AC0A8008") + b"12345678"
GET = bytes.fromhex("C001C100080000010000FF0300")
TIME_ZONE = bytes.fromhex("C401C10010FFC4")
OBJECT_LIST = bytes.fromhex("C001C1000F0000280000FF0200")
INITIATE = bytes.fromhex("01000000065F1F0400001E5DFFFF")


def user_information(initiate: bytes) -> bytes:
    return bytes((0xBE, len(initiate) + 2, 0x04, len(initiate))) + initiate


def aarq(*fields: bytes) -> bytes:
    contents = b"".join(fields)
    return bytes((0x60, len(contents))) + contents


def initiating(initiate: bytes) -> bytes:
    return aarq(CONTEXT, REQUIREMENTS, MECHANISM, PASSWORD, user_information(initiate))


PLAIN = initiating(INITIATE)


class OverWrapper:
    """One connection; `say` gives the APDU that answers."""

    def __init__(self) -> None:
        self._station = station_for(lab_meter(LLS))

    def say(self, apdu: bytes) -> bytes:
        self._station.receive_octets(bytes.fromhex("000100200001") + len(apdu).to_bytes(2, "big") + apdu, 1.0)
        return self._station.octets_to_send()[8:]


# -- the association ---------------------------------------------------------------------------------------------------

AARQS = {
    "no requirements": aarq(CONTEXT, MECHANISM, PASSWORD, user_information(INITIATE)),
    "a length of two octets": b"\x60\x81" + PLAIN[1:],
    "a protocol version": aarq(bytes.fromhex("80020780"), PLAIN[2:]),
    "a calling title": aarq(CONTEXT, bytes.fromhex("A60A0408") + b"MWB00001", PLAIN[13:]),
    "a user id": aarq(CONTEXT, bytes.fromhex("A803020101"), PLAIN[13:]),
    "a PDU size of 0": initiating(INITIATE[:-2] + b"\0\0"),
    "a small PDU size": initiating(INITIATE[:-2] + b"\0\x0c"),
    "every service": initiating(INITIATE[:-5] + b"\xff\xff\xff\xff\xff"),
    "the old tag of conformance": initiating(INITIATE.replace(b"\x5f\x1f", b"\x5f")),
    "response-allowed spelt out": initiating(bytes.fromhex("0100010100065F1F0400001E5DFFFF")),
    "a quality of service": initiating(bytes.fromhex("0100000100065F1F0400001E5DFFFF")),
} | {
    f"order {number}": aarq(CONTEXT, *fields)
    for number, fields in enumerate(permutations([REQUIREMENTS, MECHANISM, PASSWORD, user_information(INITIATE)]))
}


@pytest.mark.parametrize("name", AARQS)
def test_an_association_in_other_words(name: str) -> None:
    client = OverWrapper()
    assert client.say(AARQS[name])[:1] == b"\x61"
    assert client.say(GET) == TIME_ZONE


RLRQS = {
    "empty": bytes.fromhex("6200"),
    "normal": bytes.fromhex("6203800100"),
    "urgent": bytes.fromhex("6203800101"),
    "user-defined": bytes.fromhex("620380011E"),
    "with an InitiateRequest": bytes((0x62, 3 + 18)) + bytes.fromhex("800100") + user_information(INITIATE),
}


@pytest.mark.parametrize("name", RLRQS)
def test_a_release_in_other_words(name: str) -> None:
    client = OverWrapper()
    client.say(PLAIN)
    assert client.say(RLRQS[name]) == bytes.fromhex("6303800100")
    assert client.say(GET) == bytes.fromhex("D80101")
    assert client.say(PLAIN)[:1] == b"\x61"


def test_an_association_anew_without_a_release() -> None:
    client = OverWrapper()
    client.say(PLAIN)
    client.say(PLAIN)
    assert client.say(GET) == TIME_ZONE


@pytest.mark.parametrize("invoke_id", [0xC1, 0x41, 0xC2, 0x4F], ids=hex)
def test_the_next_block_under_another_invoke_id_or_priority(invoke_id: int) -> None:
    """The answer is to the request that it answers."""
    client = OverWrapper()
    client.say(initiating(INITIATE[:-2] + b"\0\x80"))
    assert client.say(OBJECT_LIST)[:9] == bytes.fromhex("C402C1000000000100")
    following = client.say(bytes((0xC0, 0x02, invoke_id)) + b"\0\0\0\1")
    assert following[:9] == bytes((0xC4, 0x02, invoke_id)) + bytes.fromhex("000000000200")


# -- HDLC --------------------------------------------------------------------------------------------------------------

TO_METER = server_address(1, 17, 2)
LLC = bytes.fromhex("E6E600")


class OverHdlc:
    """One connection with a meter of physical address 17; `say` gives the frame that answers, the only one."""

    def __init__(self, address: HdlcAddress = TO_METER, physical_address: int = 17) -> None:
        self._station = station_for(lab_meter(LLS, physical_address=physical_address))
        self._ends: dict[str, Any] = {"destination": address, "source": client_address(LLS["client_sap"])}

    def say(self, kind: type[HdlcFrame], **fields: Any) -> HdlcFrame:
        self._station.receive_octets(kind(**self._ends, **fields).encode(), 1.0)
        return decode_hdlc_frame(self._station.octets_to_send())

    def apdu(self, number: int, apdu: bytes, llc: bytes = LLC) -> bytes:
        answer = self.say(InfoFrame, send_sequence=number, receive_sequence=number, information=llc + apdu)
        assert isinstance(answer, InfoFrame)
        assert answer.information[:3] == bytes.fromhex("E6E700")
        return answer.information[3:]

    def reads(self, llc: bytes = LLC) -> None:
        assert self.apdu(0, PLAIN, llc)[:1] == b"\x61"
        assert self.apdu(1, GET, llc) == TIME_ZONE


ADDRESSES = {
    "one octet": (server_address(1, None, 1), 17),
    "two octets": (server_address(1, 17, 2), 17),
    "four octets": (server_address(1, 17, 4), 17),
    "four octets, large": (server_address(1, 1000, 4), 1000),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_meter_is_found_under_each_form_of_its_address(name: str) -> None:
    client = OverHdlc(*ADDRESSES[name])
    answer = client.say(SnrmFrame)
    assert isinstance(answer, UaFrame)
    assert answer.source == ADDRESSES[name][0]
    client.reads()


PARAMETERS = {
    "none": "",
    "an empty group": "818000",
    "sizes of one octet": "818012050180060180070400000001080400000001",
    "sizes of two octets": "8180140502008006020080070400000001080400000001",
    "one size only": "818003050180",
    "windows of one octet": "81800C050180060180070101080101",
    "windows of 7": "818012050180060180070400000007080400000007",
    "windows of 0": "818012050180060180070400000000080400000000",
    "a size of 0": "818006050100060100",
    "the longest size": "818008050207EE060207EE",
    "an unknown parameter": "818006050180090101",
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_a_connection(name: str) -> None:
    client = OverHdlc()
    assert isinstance(client.say(SnrmFrame, information=bytes.fromhex(PARAMETERS[name])), UaFrame)
    client.reads()


@pytest.mark.parametrize("llc", [LLC, b"", bytes.fromhex("E6E700")], ids=["as it should", "left out", "the meter's"])
def test_forms_of_the_llc_header(llc: bytes) -> None:
    client = OverHdlc()
    client.say(SnrmFrame)
    client.reads(llc)


def test_a_disconnection_without_a_release_and_again() -> None:
    client = OverHdlc()
    assert isinstance(client.say(DiscFrame), DmFrame)
    for _ in range(2):
        assert isinstance(client.say(SnrmFrame), UaFrame)
        client.reads()
        assert isinstance(client.say(DiscFrame), UaFrame)


def test_a_connection_anew_without_a_disconnection() -> None:
    client = OverHdlc()
    for _ in range(2):
        assert isinstance(client.say(SnrmFrame), UaFrame)
        client.reads()


def test_a_frame_that_is_sent_again_is_answered_again() -> None:
    client = OverHdlc()
    client.say(SnrmFrame)
    assert client.apdu(0, PLAIN) == client.apdu(0, PLAIN)
    assert client.apdu(1, GET) == TIME_ZONE


def test_an_idle_client_asks_whether_the_meter_is_there() -> None:
    client = OverHdlc()
    client.say(SnrmFrame)
    client.apdu(0, PLAIN)
    assert isinstance(client.say(RrFrame, receive_sequence=1), RrFrame)
    assert client.apdu(1, GET) == TIME_ZONE


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_dedicated_key_in_clear_is_no_secret() -> None:
    answer = OverWrapper().say(initiating(b"\x01\x01\x10" + bytes(16) + INITIATE[2:]))
    assert answer[:1] == b"\x61"
    assert bytes.fromhex("A203020101") in answer  # rejected-permanent


def test_an_unconfirmed_request_is_carried_out_without_an_answer() -> None:
    client = OverWrapper()
    client.say(PLAIN)
    assert client.say(GET.replace(b"\xc1", b"\x81")) == b""
    assert client.say(GET) == TIME_ZONE
