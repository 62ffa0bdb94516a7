import asyncio
import contextlib
import errno
import os
import termios
import threading
import tty

import pytest
import serial

from sessions.dlms.link import LineSettings
from sessions.links import serial_port
from sessions.links.endpoint import Rfc2217Endpoint, SerialEndpoint
from sessions.links.line import LineError
from sessions.links.opening import open_line
from sessions.simulator.com_port import ComPort

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
    # Whoever reads sees the end, and sees it again.
    assert await asyncio.wait_for(reading, 5) == b""
    assert await asyncio.wait_for(line.read(), 5) == b""
    with pytest.raises(LineError) as refused:
        await line.write(b"x")
    assert refused.value.code == "port-closed"
    await line.close()
    # The port is free again.
    again = await open_line(SerialEndpoint(pty[1]))
    await again.close()


async def test_closing_does_not_wait_for_octets_that_nobody_takes(pty):
    line = await open_line(SerialEndpoint(pty[1]))
    writing = asyncio.ensure_future(line.write(bytes(1_000_000)))  # far more than the terminal's buffer
    await asyncio.sleep(0.05)
    assert not writing.done()
    await asyncio.wait_for(line.close(), 5)
    with contextlib.suppress(LineError, asyncio.CancelledError):
        await asyncio.wait_for(writing, 5)


async def test_a_port_that_takes_nothing(pty, monkeypatch):
    monkeypatch.setattr(serial_port, "WRITE_TIMEOUT", 0.05)
    line = await open_line(SerialEndpoint(pty[1]))
    with pytest.raises(LineError) as refused:
        await line.write(bytes(1_000_000))
    assert refused.value.code == "write-timeout"
    await line.close()


async def test_the_settings_reach_the_port(pty, monkeypatch):
    asked = {}

    class Port(serial.Serial):
        def __init__(self, device, **options):
            asked.update(options, device=device)
            super().__init__(pty[1], exclusive=True, timeout=options["timeout"])

    monkeypatch.setattr(serial_port.serial, "Serial", Port)
    line = await open_line(SerialEndpoint("/dev/ttyX", 300, 7, "E", 2))
    await line.close()
    names = ("device", "baudrate", "bytesize", "parity", "stopbits", "exclusive")
    assert [asked[name] for name in names] == ["/dev/ttyX", 300, 7, "E", 2, True]


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        (errno.EACCES, "Permission denied", "port-denied"),
        (errno.EPERM, "Operation not permitted", "port-denied"),
        (errno.EBUSY, "Device or resource busy", "port-busy"),
        (errno.EAGAIN, "Could not exclusively lock port", "port-busy"),
        (errno.ENODEV, "No such device", "port-missing"),
        (errno.EIO, "Input/output error", "port-failed"),
    ],
)
async def test_why_a_port_cannot_be_opened(pty, monkeypatch, number, text, code):
    def fail(*_, **__):
        raise serial.SerialException(number, text)

    monkeypatch.setattr(serial_port.serial, "Serial", fail)
    with pytest.raises(LineError) as refused:
        await open_line(SerialEndpoint(pty[1]))
    assert (refused.value.layer, refused.value.code) == ("line", code)


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
    with pytest.raises(LineError):  # it stays lost
        await asyncio.wait_for(line.read(), 5)
    await line.close()


def speed_of(name):
    descriptor = os.open(name, os.O_RDWR | os.O_NOCTTY)
    try:
        return termios.tcgetattr(descriptor)[5]
    finally:
        os.close(descriptor)


async def test_the_line_changes_its_settings_behind_what_was_written(pty):
    far, name = pty
    line = await open_line(SerialEndpoint(name, 300, 7, "E"))
    assert speed_of(name) == termios.B300
    await line.write(b"/?!\r\n")
    await line.change_settings(LineSettings(9600))
    assert speed_of(name) == termios.B9600
    await line.change_settings(LineSettings(19200, 7, "E"))
    assert speed_of(name) == termios.B19200
    await line.write(b"\xff")
    got = b""
    while len(got) < 6:
        got += await asyncio.to_thread(os.read, far, 64)
    assert got == b"/?!\r\n\xff"
    os.write(far, b"answer")
    got = b""
    while len(got) < 6:
        got += await line.read()
    assert got == b"answer"
    await line.close()
    with pytest.raises(LineError) as refused:
        await line.change_settings(LineSettings(9600))
    assert refused.value.code == "port-closed"


async def test_settings_that_a_port_does_not_take(pty):
    line = await open_line(SerialEndpoint(pty[1]))
    with pytest.raises(LineError) as refused:
        await line.change_settings(LineSettings(9600, stop_bits=9))
    assert refused.value.code == "port-settings"
    await line.close()


async def test_only_a_pseudo_terminal_has_no_parity():
    assert serial_port._character("/dev/ttyS0", 7, "E") == (7, "E")
    assert serial_port._character("/dev/pts/0", 7, "E") == (8, "N")


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_port_that_hangs_while_it_opens(pty, monkeypatch, cancelled):
    """It is not waited for, and closed when it opens at last."""
    release = threading.Event()
    opened = []

    def hang(endpoint):
        release.wait(5)
        port = serial.Serial(pty[1], exclusive=True)
        opened.append(port)
        return port

    monkeypatch.setattr(serial_port, "_open", hang)
    opening = asyncio.ensure_future(open_line(SerialEndpoint(pty[1]), connect_timeout=60 if cancelled else 0.05))
    await asyncio.sleep(0.02)
    if cancelled:
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
    else:
        with pytest.raises(LineError) as refused:
            await opening
        assert refused.value.code == "port-hangs"
    release.set()
    for _ in range(200):
        if opened and not opened[0].is_open:
            break
        await asyncio.sleep(0.01)
    assert not opened[0].is_open


async def test_a_port_that_fails_after_nobody_waited(pty, monkeypatch):
    release = threading.Event()

    def fail(endpoint):
        release.wait(5)
        raise serial.SerialException(errno.EIO, "Input/output error")

    monkeypatch.setattr(serial_port, "_open", fail)
    with pytest.raises(LineError):
        await open_line(SerialEndpoint(pty[1]), connect_timeout=0.05)
    release.set()
    await asyncio.sleep(0.05)


async def test_a_port_that_is_closed_under_a_write(pty, monkeypatch):
    line = await open_line(SerialEndpoint(pty[1]))

    def closed(octets):
        line._closing.set()
        raise TypeError("'NoneType' object cannot be interpreted as an integer")

    monkeypatch.setattr(line._port, "write", closed)
    with pytest.raises(LineError) as refused:
        await line.write(b"x")
    assert refused.value.code == "port-closed"
    await line.close()


async def test_a_port_that_is_unplugged_under_a_write(pty, monkeypatch):
    line = await open_line(SerialEndpoint(pty[1]))

    def fail(octets):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(line._port, "write", fail)
    with pytest.raises(LineError) as refused:
        await line.write(b"x")
    assert (refused.value.code, bool(refused.value.hint)) == ("port-lost", True)
    await line.close()


# -- a port of another machine (RFC 2217) ----------------------------------------------------------------------------


class Lender:
    """A terminal server whose far port echoes what is sent to it. `refuse`: it will not hear of COM port control."""

    def __init__(self, *, refuse: bool = False, deaf_to: int | None = None) -> None:
        self.port = ComPort(LineSettings(9600))
        self.refuse = refuse
        self.deaf_to = deaf_to
        self.settings: list[LineSettings] = []
        self.number = 0
        self.hang_up = asyncio.Event()
        self.served: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.served.append(asyncio.create_task(self.serve(reader, writer)))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hanging = asyncio.ensure_future(self.hang_up.wait())
        while True:
            reading = asyncio.ensure_future(reader.read(4096))
            await asyncio.wait((reading, hanging), return_when=asyncio.FIRST_COMPLETED)
            octets = reading.result() if reading.done() else b""
            if not octets:
                reading.cancel()
                break
            data = self.port.receive_octets(octets)
            answers = self.port.octets_to_send()
            if self.deaf_to is not None:
                answers = answers.replace(bytes((255, 250, 44, 100 + self.deaf_to)), bytes((255, 250, 44, 199)))
            if not self.refuse:
                writer.write(answers)
            if not self.settings or self.settings[-1] != self.port.settings:
                self.settings.append(self.port.settings)
            writer.write(data.replace(b"\xff", b"\xff\xff"))
        hanging.cancel()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def lending(**options):
    lender = Lender(**options)
    server = await asyncio.start_server(lender.accept, "127.0.0.1", 0)
    lender.number = server.sockets[0].getsockname()[1]
    async with server:
        yield lender
        lender.hang_up.set()
        await asyncio.gather(*lender.served)


async def test_a_network_port_carries_every_octet_and_its_settings():
    async with lending() as lender:
        line = await open_line(Rfc2217Endpoint("127.0.0.1", lender.number, 300, 7, "E"))
        assert lender.port.settings == LineSettings(300, 7, "E")
        await line.change_settings(LineSettings(9600))
        assert lender.port.settings == LineSettings(9600)
        every = bytes(range(256))
        await line.write(every)
        got = b""
        while len(got) < 256:
            got += await asyncio.wait_for(line.read(), 5)
        assert got == every
        await asyncio.wait_for(line.close(), 5)


async def test_a_network_port_changes_its_speed_when_everything_is_out():
    """Six octets at 300 Bd take 200 ms, which nobody but the client can know."""
    async with lending() as lender:
        line = await open_line(Rfc2217Endpoint("127.0.0.1", lender.number, 300, 7, "E"))
        await line.write(b"\x06252\r\n")
        begun = asyncio.get_running_loop().time()
        await line.change_settings(LineSettings(9600, 7, "E"))
        assert asyncio.get_running_loop().time() - begun > 0.15
        await line.close()


async def test_a_network_port_that_goes_away():
    async with lending() as lender:
        line = await open_line(Rfc2217Endpoint("127.0.0.1", lender.number))
        lender.hang_up.set()
        with pytest.raises(LineError) as lost:
            while True:
                await asyncio.wait_for(line.read(), 5)
        assert (lost.value.code, bool(lost.value.hint)) == ("connection-lost", True)
        await line.close()


async def test_a_bridge_that_knows_no_com_port_control(monkeypatch):
    monkeypatch.setattr(serial_port, "LENDING_TIMEOUT", 0.3)
    async with lending(refuse=True) as lender:
        with pytest.raises(LineError) as refused:
            await open_line(Rfc2217Endpoint("127.0.0.1", lender.number))
        assert refused.value.code == "no-com-port-control"
        assert "TCP line" in refused.value.hint


async def test_a_bridge_that_is_too_slow(monkeypatch):
    monkeypatch.setattr(serial_port, "LENDING_TIMEOUT", 0.3)
    async with lending(refuse=True) as lender:
        with pytest.raises(LineError) as refused:
            await open_line(Rfc2217Endpoint("127.0.0.1", lender.number), connect_timeout=0.1)
        assert refused.value.code == "connect-timeout"


async def test_a_bridge_that_does_not_take_the_settings(monkeypatch):
    monkeypatch.setattr(serial_port, "LENDING_TIMEOUT", 0.3)
    async with lending(deaf_to=1) as lender:
        with pytest.raises(LineError) as refused:
            await open_line(Rfc2217Endpoint("127.0.0.1", lender.number))
        assert (refused.value.code, bool(refused.value.hint)) == ("port-settings", True)


async def test_nobody_lends():
    free = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    number = free.sockets[0].getsockname()[1]
    free.close()
    await free.wait_closed()
    for host, code in (("127.0.0.1", "connection-refused"), ("no.such.host.invalid", "host-unknown")):
        with pytest.raises(LineError) as refused:
            await open_line(Rfc2217Endpoint(host, number))
        assert (refused.value.code, bool(refused.value.hint)) == (code, True)
