"""Lists, ACCESS and general blocks with the foreign client, against our simulator; and our requests in its translator.

What the peer cannot do stands at the end, each with its failure: a test that fails there tells that it learned it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXDLMSAccessItem
from gurux_dlms.enums import AccessServiceCommandType as Command
from gurux_dlms.enums import Conformance as PeerConformance
from gurux_dlms.enums import DataType
from gurux_dlms.objects import GXDLMSClock, GXDLMSData, GXDLMSRegister

from meters.cosem.data import octet_string, unsigned
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.conformance import Conformance
from sessions.dlms.transfers.access import AccessTransfer
from sessions.dlms.transfers.get import GetListTransfer
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem
from sessions.dlms.transfers.set import SetListTransfer
from sessions.simulator.lab import LabLine
from tests.interop.peer import Peer, quietly
from tests.interop.test_client_requests import in_words
from tests.sessions.dlms.transfers.asked import terms
from tests.sessions.simulator.served import GMAC, LLS, lab_meter, lab_of, listening

pytestmark = pytest.mark.interop

NAME = "0.0.96.1.10.255"
GENERAL = PeerConformance.GENERAL_BLOCK_TRANSFER | PeerConformance.MULTIPLE_REFERENCES | PeerConformance.ACCESS
NOTHING = Conformance(0)
SERVICE_BLOCKS = (
    Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)


@pytest.fixture(params=["wrapper", "hdlc"])
def peer(request, tmp_path) -> Iterator[Any]:
    """Gives an open association of the foreign client that proposes what it knows."""
    running: list[Any] = []

    def start(
        association: dict[str, Any] = LLS, *, window: int = 1, without: Conformance = NOTHING, **table: Any
    ) -> Peer:
        address = {"physical_address": 17} if request.param == "hdlc" else {}
        meter = lab_meter(association, **address, **table)
        meter.device.conformance &= ~without
        context = listening(lab_of(LabLine(kind=request.param, meters=(meter,))), tmp_path)
        running.append(context)
        made = Peer(context.__enter__()[0])
        running.append(made)
        made.client.proposedConformance |= GENERAL
        made.client.gbtWindowSize = window
        made.open()
        return made

    yield start
    for each in reversed(running):
        if isinstance(each, Peer):
            each.drop()
        else:
            each.__exit__(None, None, None)


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize("size", [0, 60], ids=["whole", "in blocks"])
def test_it_reads_a_list(peer, association, size):
    made = peer(association, max_pdu_size=size, without=Conformance.GENERAL_BLOCK_TRANSFER)
    clock, register = GXDLMSClock("0.0.1.0.0.255"), GXDLMSRegister("1.0.1.8.0.255")
    wanted = [(clock, 2), (register, 3), (register, 2)]
    with quietly():
        reply = made.exchange(made.client.readList(wanted))
        made.client.updateValues(wanted, reply.value)
    assert clock.time.value.replace(tzinfo=None) == datetime(2026, 11, 25, 12)
    assert register.unit == 30
    assert register.value > 0


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
def test_it_reads_by_access(peer, association):
    made = peer(association, without=Conformance.GENERAL_BLOCK_TRANSFER)
    name, register = GXDLMSData(NAME), GXDLMSRegister("1.0.1.8.0.255")
    items = [GXDLMSAccessItem(Command.GET, name, 2), GXDLMSAccessItem(Command.GET, register, 3)]
    with quietly():
        reply = made.exchange(made.client.accessRequest(None, items))
        made.client.parseAccessResponse(items, reply.data)
    assert [int(item.error) for item in items] == [0, 0]
    assert bytes(name.value) == b"metering point"
    assert register.unit == 30


def written_in_blocks(made: Peer) -> Any:
    """What stands in our meter after the peer wrote 200 octets in general blocks of at most 90."""
    name = GXDLMSData(NAME)
    name.value = bytearray(range(200))
    name.setDataType(2, DataType.OCTET_STRING)
    with quietly():
        made.client.maxReceivePDUSize = 90  # what it takes for the size of our meter
        made.exchange(made.client.write(name, 2))
        made.client.maxReceivePDUSize = 0xFFFF
    return made.read(GXDLMSData(NAME), 2)


@pytest.mark.parametrize("window", [1, 3])
def test_it_writes_a_long_value_in_general_blocks(peer, window):
    """Its acknowledgement numbers are nonsense now and then (FFFF): that is borne."""
    assert written_in_blocks(peer(window=window)) == bytes(range(200))


# -- our requests in its translator ------------------------------------------------------------------------------------

CLOCK = CosemAttributeDescriptor(8, ObisCode(0, 0, 1, 0, 0, 255), 2)
EXECUTE = CosemMethodDescriptor(9, ObisCode(0, 0, 10, 0, 100, 255), 1)


def test_it_understands_our_lists():
    words = in_words(GetListTransfer(terms(), [GetItem(CLOCK), GetItem(CLOCK)]).begin())
    assert "<GetRequestWithList>" in words
    assert words.count('<InstanceId Value="0000010000FF" />') == 2
    words = in_words(
        SetListTransfer(terms(), [SetItem(CLOCK, unsigned(5)), SetItem(CLOCK, octet_string(b"x"))]).begin()
    )
    assert "<SetRequestNormalWithList>" in words or "WithList" in words
    assert '<UInt8 Value="05" />' in words


def test_it_understands_our_access_request():
    items = [GetItem(CLOCK), SetItem(CLOCK, unsigned(5)), ActionItem(EXECUTE, unsigned(1))]
    words = in_words(AccessTransfer(terms(), items).begin())
    for kind in ("AccessRequestGet", "AccessRequestSet", "AccessRequestAction"):
        assert kind in words
    assert '<UInt8 Value="05" />' in words


def test_it_understands_our_general_blocks():
    block = GeneralBlockTransfer(True, False, 4, 1, 0, GetListTransfer(terms(), [GetItem(CLOCK)]).begin())
    assert "GeneralBlockTransfer" in in_words(block.encode())


# -- what the peer cannot do -------------------------------------------------------------------------------------------


def test_the_peer_cannot_take_an_answer_in_general_blocks(peer):
    """1.0.203: its own reader looks for a field of its settings that is not there."""
    made = peer(max_pdu_size=40, without=SERVICE_BLOCKS)
    with pytest.raises(AttributeError, match="blockNumber"):
        made.objects()


def test_the_peer_does_not_say_which_ciphered_block_is_the_last(peer):
    """Our meter waits for more, and writes nothing."""
    assert written_in_blocks(peer(GMAC)) == b"metering point"


def test_the_peer_cannot_write_by_access(peer):
    name = GXDLMSData(NAME)
    made = peer()
    with quietly(), pytest.raises(AttributeError, match="settings"):
        made.client.accessRequest(None, [GXDLMSAccessItem(Command.SET, name, 2)])
