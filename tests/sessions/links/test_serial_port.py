import asyncio
import os
import tty

import pytest

from sessions.links.endpoint import SerialEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line

pytestmark = pytest.mark.asyncio


@pytest.fixture
def pty():
    """The far end's descriptor and the name of a pseudo-terminal."""
    far, near = os.openpty()
    tty.setraw(near)
    yield far, os.ttyname(near)
    for descriptor in (far, near):
        try:
            os.close(descriptor)
        except OSError:  # the test closed it
            pass


async def test_octets_go_both_ways_unaltered(pty):
    far, name = pty
    line = await open_line(SerialEndpoint(name, 115200))
    every = bytes(range(256))
    await line.write(every)
    got = b""
    while len(got) < 256:
        got += await asyncio.to_thread(os.read, far, 256)
    assert got == every
    os.write(far, every)
    got = b""
    while len(got) < 256:
        got += await line.read()
    assert got == every
    await line.close()


async def test_closing_does_not_wait_for_octets_that_never_come(pty):
    line = await open_line(SerialEndpoint(pty[1]))
    reading = asyncio.ensure_future(line.read())
    await asyncio.sleep(0.05)
    await asyncio.wait_for(line.close(), 5)
    reading.cancel()
    # The port is free again.
    again = await open_line(SerialEndpoint(pty[1]))
    await again.close()


async def test_an_absent_port():
    with pytest.raises(LineError) as refused:
        await open_line(SerialEndpoint("/dev/no-such-port"))
    assert refused.value.code == "port-missing"
    assert refused.value.layer == "line"
    assert refused.value.hint


async def test_a_port_that_somebody_holds(pty):
    held = await open_line(SerialEndpoint(pty[1]))
    with pytest.raises(LineError) as refused:
        await open_line(SerialEndpoint(pty[1]))
    assert refused.value.code == "port-busy"
    await held.close()


async def test_what_is_no_port(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(LineError) as refused:
        await open_line(SerialEndpoint(str(file)))
    assert refused.value.layer == "line"


async def test_a_port_that_is_unplugged(pty):
    far, name = pty
    line = await open_line(SerialEndpoint(name))
    os.close(far)
    with pytest.raises(LineError) as refused:
        while True:
            await asyncio.wait_for(line.read(), 5)
    assert refused.value.code == "port-lost"
    await line.close()
