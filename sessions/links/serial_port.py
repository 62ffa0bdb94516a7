"""A serial line through pyserial, of this machine or of another one (RFC 2217). Its calls block, so each has its own thread."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import termios
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import serial
from serial import rfc2217

from sessions.dlms.link import LineSettings
from sessions.links.endpoint import Rfc2217Endpoint, SerialEndpoint
from sessions.links.line import MAX_READ, LineError
from sessions.links.resolving import first_of, in_url
from sessions.links.tcp import not_connected

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

POLL_SECONDS = 0.2
WRITE_TIMEOUT = 10.0
LENDING_TIMEOUT = 3.0
"""Seconds that the server of a port may take for one answer."""
PSEUDO_TERMINALS = "/dev/pts/"


class SerialLine:
    """An open port: a thread reads, writes go through an executor of one thread."""

    def __init__(self, port: serial.Serial | NetworkPort) -> None:
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[bytes | LineError] = asyncio.Queue()
        self._closing = threading.Event()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="serial-write")
        self._thread = threading.Thread(target=self._listen, name="serial-read", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._closing.is_set():
            try:
                octets = self._port.read(min(max(1, self._port.in_waiting), MAX_READ))
            except (OSError, serial.SerialException, TypeError) as error:
                # TypeError: pyserial's answer to a port that was closed under a read.
                if not self._closing.is_set():
                    self._tell(_broken(error))
                return
            if octets:
                self._tell(octets)

    def _tell(self, item: bytes | LineError) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, item)

    async def read(self) -> bytes:
        item = await self._arrived.get()
        if not item or isinstance(item, LineError):
            self._arrived.put_nowait(item)  # the end stays the end
        if isinstance(item, LineError):
            raise item
        return item

    async def write(self, octets: bytes) -> None:
        if self._closing.is_set():
            raise LineError("The serial port is closed.", code="port-closed")
        try:
            await self._loop.run_in_executor(self._writer, self._port.write, octets)
        except serial.SerialTimeoutException:
            raise LineError(
                "The serial port takes no more octets.",
                code="write-timeout",
                hint="Is the device behind it switched on? Flow control may hold the line.",
            ) from None
        except (OSError, serial.SerialException, TypeError) as error:
            if self._closing.is_set():  # TypeError: pyserial's answer to a port that was closed under a write
                raise LineError("The serial port is closed.", code="port-closed") from None
            raise _broken(error) from None

    async def change_settings(self, settings: LineSettings) -> None:
        if self._closing.is_set():
            raise LineError("The serial port is closed.", code="port-closed")
        try:
            await self._loop.run_in_executor(self._writer, _change, self._port, settings)
        except (ValueError, OSError, termios.error) as error:
            raise _unsettable(str(self._port.port), error) from None

    async def close(self) -> None:
        self._closing.set()
        for name in ("cancel_read", "cancel_write"):
            with contextlib.suppress(Exception):  # the port may be gone already, or be none that is waited for
                getattr(self._port, name)()
        await self._loop.run_in_executor(None, self._thread.join, 2 * POLL_SECONDS + 0.5)
        await self._loop.run_in_executor(None, self._close_port)
        self._writer.shutdown(wait=False, cancel_futures=True)
        self._arrived.put_nowait(b"")  # whoever still reads sees the end

    def _close_port(self) -> None:
        with contextlib.suppress(Exception):
            self._port.close()


class NetworkPort(rfc2217.Serial):
    """A serial port of another machine. `flush` waits until that one has sent what was written, which it does not tell."""

    _sent_at = 0.0

    def write(self, data: Buffer, /) -> int | None:
        parity = self.parity != serial.PARITY_NONE
        octet_time = (1 + self.bytesize + parity + self.stopbits) / self.baudrate
        self._sent_at = max(time.monotonic(), self._sent_at) + len(memoryview(data)) * octet_time
        return super().write(data)

    def flush(self) -> None:
        time.sleep(max(0.0, self._sent_at - time.monotonic()))


Port = TypeVar("Port", serial.Serial, NetworkPort)


def _change(port: serial.Serial | NetworkPort, settings: LineSettings) -> None:
    """Wait until the last octet is out, then change."""
    port.flush()
    data_bits, parity = _character(str(port.port), settings.data_bits, settings.parity)
    port.apply_settings(
        {"baudrate": settings.baud, "bytesize": data_bits, "parity": parity, "stopbits": settings.stop_bits}
    )


def _character(device: str, data_bits: int, parity: str) -> tuple[int, str]:
    """Data bits and parity. A pseudo-terminal has none, and refuses to be told some: its octets are whole as they are."""
    if os.path.realpath(device).startswith(PSEUDO_TERMINALS):
        return serial.EIGHTBITS, serial.PARITY_NONE
    return data_bits, parity


def _unsettable(device: str, error: Exception) -> LineError:
    return LineError(
        f"{device} does not take these settings: {error}.",
        code="port-settings",
        hint="Check baud rate, data bits, parity and stop bits.",
    )


def _broken(error: Exception) -> LineError:
    if "reader thread died" in str(error) or "socket error" in str(error):  # pyserial's words for a network port
        return LineError(
            "The server of the serial port closed the connection.",
            code="connection-lost",
            hint="Was it restarted, or has it lent the port to another client? Open the session again.",
        )
    return LineError(
        f"The serial port broke: {error}.",
        code="port-lost",
        hint="Was the adapter unplugged? Plug it in and open the session again.",
    )


async def open_serial(endpoint: SerialEndpoint, *, open_timeout: float = 5.0) -> SerialLine:
    """Open the port for us alone, or a `LineError` that says why not."""
    try:
        port = await _opened(lambda: _open(endpoint), open_timeout)
    except TimeoutError:
        raise LineError(
            f"{endpoint.device} did not open within {open_timeout:g} s.",
            code="port-hangs",
            hint="The adapter or its driver hangs: unplug it and plug it in again.",
        ) from None
    except serial.SerialException as error:
        raise _refused(endpoint, error) from None
    except (ValueError, OSError, termios.error) as error:
        raise _unsettable(endpoint.device, error) from None
    return SerialLine(port)


async def open_rfc2217(endpoint: Rfc2217Endpoint, *, open_timeout: float = 5.0) -> SerialLine:
    """Borrow a serial port from another machine, or a `LineError` that says why not."""
    try:
        async with asyncio.timeout(open_timeout):
            port = await first_of(endpoint, lambda address: _opened(lambda: _borrow(endpoint, address), open_timeout))
    except TimeoutError as error:
        raise not_connected(endpoint.host, endpoint.port, error, open_timeout) from None
    except (serial.SerialException, ValueError) as error:
        raise _not_lent(endpoint, error, open_timeout) from None
    return SerialLine(port)


async def _opened(open_port: Callable[[], Port], open_timeout: float) -> Port:
    """The port, or TimeoutError. Whatever still opens after nobody waits for it is closed."""
    opening = asyncio.get_running_loop().run_in_executor(None, open_port)
    try:
        return await asyncio.wait_for(asyncio.shield(opening), open_timeout)
    except (TimeoutError, asyncio.CancelledError):
        opening.add_done_callback(_close_late)
        raise


def _borrow(endpoint: Rfc2217Endpoint, address: str) -> NetworkPort:
    return NetworkPort(
        f"rfc2217://{in_url(address)}:{endpoint.port}?timeout={LENDING_TIMEOUT:g}",
        baudrate=endpoint.baud,
        bytesize=endpoint.data_bits,
        parity=endpoint.parity,
        stopbits=endpoint.stop_bits,
        timeout=POLL_SECONDS,
    )


def _not_lent(endpoint: Rfc2217Endpoint, error: Exception, timeout: float) -> LineError:
    """pyserial tells some causes by their context, and the others in its words only."""
    if isinstance(error.__context__, OSError):
        return not_connected(endpoint.host, endpoint.port, error.__context__, timeout)
    if "does not seem to support" in str(error):
        return LineError(
            f"{endpoint.host} port {endpoint.port} does not know the COM port control of RFC 2217.",
            code="no-com-port-control",
            hint="Is the bridge in raw mode? Then choose a TCP line, and set the speed on the bridge.",
        )
    return _unsettable(f"{endpoint.host} port {endpoint.port}", error)


def _close_late(opening: asyncio.Future[Port]) -> None:
    """A port that opened after nobody waited for it any more is not ours to keep."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def _open(endpoint: SerialEndpoint) -> serial.Serial:
    data_bits, parity = _character(endpoint.device, endpoint.data_bits, endpoint.parity)
    return serial.Serial(
        endpoint.device,
        baudrate=endpoint.baud,
        bytesize=data_bits,
        parity=parity,
        stopbits=endpoint.stop_bits,
        timeout=POLL_SECONDS,
        write_timeout=WRITE_TIMEOUT,
        exclusive=True,
    )


def _refused(endpoint: SerialEndpoint, error: serial.SerialException) -> LineError:
    number = getattr(error, "errno", None)
    if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO) or not os.path.exists(endpoint.device):
        return LineError(
            f"There is no serial port {endpoint.device}.",
            code="port-missing",
            hint="Is the adapter plugged in? Ask the administrator to check the list of ports.",
        )
    if number in (errno.EACCES, errno.EPERM):
        return LineError(
            f"{endpoint.device} may not be opened by this user.",
            code="port-denied",
            hint="Add the workbench's user to the group that owns the port (often dialout).",
        )
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(error):
        return LineError(
            f"{endpoint.device} is in use by another program.",
            code="port-busy",
            hint="Close the other program, or wait for the other session on this line.",
        )
    return LineError(
        f"{endpoint.device} could not be opened: {error}.",
        code="port-failed",
        hint="Is it a serial port? Unplug the adapter and plug it in again.",
    )
