"""What a simulated meter pushes, decoded by the foreign client: in clear and ciphered, over the wrapper and HDLC."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("gurux_dlms")

from gurux_dlms import GXByteBuffer, GXReplyData
from gurux_dlms.enums import InterfaceType
from gurux_dlms.secure import GXDLMSSecureClient

from meters.cosem.obis import ObisCode
from tests.interop.peer import quietly
from tests.interop.plain_values import peers_plain, plain
from tests.sessions.simulator.push.running import RunningClock, device_of, lab
from tests.sessions.simulator.push.test_sender import LINES, SETUP, destination, setup
from tests.sessions.simulator.served import GAK, GMAC, GUEK, LLS, NOON, lab_meter

pytestmark = pytest.mark.interop


async def one_push(meter: Any, clock: RunningClock, scheme: str, directory: Any) -> bytes:
    """The octets of one push, as a socket of nobody's in particular takes them."""
    taken: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.set_result(await reader.read())
        writer.close()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            taken.set_result(data)

    loop = asyncio.get_running_loop()
    transport: Any = None
    if scheme == "udp":
        transport, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
        port = transport.get_extra_info("sockname")[1]
    else:
        transport = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = transport.sockets[0].getsockname()[1]
    async with lab(clock, meter, directory=directory):
        setup(meter).write(3, destination(scheme, port))
        setup(meter).invoke(1, None)
        device_of(meter).settle()
        octets = await asyncio.wait_for(taken, 20)
    transport.close()
    return octets


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["clear", "ciphered"])
@pytest.mark.parametrize(("scheme", "line"), LINES)
def test_the_peer_decodes_it(scheme, line, association, tmp_path):
    clock = RunningClock(NOON)
    meter = lab_meter(association, clock=clock, **line)
    octets = asyncio.run(one_push(meter, clock, scheme, tmp_path))
    framing = InterfaceType.HDLC if scheme == "hdlc" else InterfaceType.WRAPPER
    server = GXDLMSSecureClient.getServerAddress(1, 17, 2) if scheme == "hdlc" else 1
    client = GXDLMSSecureClient(True, association["client_sap"], server, interfaceType=framing)
    if association is GMAC:
        client.ciphering.blockCipherKey = bytes.fromhex(GUEK)
        client.ciphering.authenticationKey = bytes.fromhex(GAK)
    reply, notification = GXReplyData(), GXReplyData()
    with quietly():
        client.getData(GXByteBuffer(octets), reply, notification)
    assert notification.complete
    assert not notification.error
    name, told, energy = peers_plain(notification.value)[:3]
    assert bytes(name) == SETUP.octets
    register: Any = device_of(meter).named(ObisCode.parse("1-0:1.8.0*255"))
    assert energy == plain(register.read(2))
    assert told is not None
