"""The lab on real lines, in asyncio: TCP and UDP ports, pseudo-terminals, until it is told to stop.

Nothing that a client does ends the lab: a connection that misbehaves is closed, the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import sys
import termios
import tty
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from sessions.dlms.link import LineSettings
from sessions.links.endpoint import Rfc2217Endpoint, SerialEndpoint, TcpEndpoint, UdpEndpoint
from sessions.links.time_limit import TimeLimit
from sessions.simulator.bus import Bus
from sessions.simulator.com_port import ComPortStation, noise
from sessions.simulator.faults import Fault, FaultyLine
from sessions.simulator.lab import (
    ANNOUNCED_BAUD,
    Lab,
    LabLine,
    LabMeter,
    SignOnOptions,
    announcement,
    close_memories,
)
from sessions.simulator.push.sender import PushSender
from sessions.simulator.push.ticker import Ticker
from sessions.simulator.quirks.manners import mannered, text_hooks
from sessions.simulator.quirks.texts import text_station
from sessions.simulator.readout import ReadoutDevice
from sessions.simulator.sign_on import SignOnStation, TelegramStation
from sessions.simulator.stations import (
    INTER_OCTET_TIMEOUT,
    HdlcMeter,
    HdlcStation,
    Station,
    WrapperStation,
    settings_of,
)
from sessions.simulator.tcp_port import TcpPort
from sessions.simulator.truth import LabTruth
from sessions.simulator.truth_port import TruthPort
from sessions.simulator.udp_port import UdpPort
from sessions.simulator.wire import Wire

READ_OCTETS: Final = 4096
PTY_RETRY: Final = 0.01
PTY_RETRIES: Final = 200

OUTPUT_SPEED: Final = 5
"""Where `tcgetattr` has it."""

MakeStation = Callable[[], Station]


@dataclass(frozen=True, slots=True)
class TruthOptions:
    """The lab tells what really happened on this port of the loopback (0: any free one); `keys`: its meters' keys, too."""

    port: int
    keys: bool = False


def run_lab(lab: Lab, serial_dir: Path, announce: Callable[[str], None], truth: TruthOptions | None = None) -> None:
    """Serve until SIGTERM or SIGINT. `announce` gets one line of JSON as soon as every meter can be reached."""
    asyncio.run(_run(lab, serial_dir, announce, truth))


async def _run(lab: Lab, serial_dir: Path, announce: Callable[[str], None], truth: TruthOptions | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as listening:
        running = await listening.enter_async_context(RunningLab(lab, serial_dir))
        said: dict[str, Any] = {"meters": running.announcements}
        if truth is not None:
            every = LabTruth(meter for line in lab.lines for meter in line.meters)
            port = await listening.enter_async_context(TruthPort(every, truth.port, keys=truth.keys))
            said["truth"] = port.address
        announce(json.dumps(said))
        await stop.wait()


class RunningLab:
    """A lab that listens: `async with RunningLab(lab, serial_dir) as running: running.announcements`."""

    def __init__(self, lab: Lab, serial_dir: Path) -> None:
        self.lab = lab
        self.serial_dir = serial_dir
        self.announcements: list[dict[str, Any]] = []
        self._open = contextlib.AsyncExitStack()
        meters = [meter for line in lab.lines for meter in line.meters]
        self._sender = PushSender(
            anywhere=lab.push_anywhere, ended=lambda meter: self._ticker.look(meter), complain=_complain
        )
        self._ticker = Ticker(meters, lab.host_clock, self._sender.begin, _complain)

    async def __aenter__(self) -> RunningLab:
        try:
            for line in self.lab.lines:
                await self._open_line(line)
        except BaseException:
            await self._open.aclose()
            raise
        self._ticker.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ticker.stop()
        await self._sender.close()
        await self._open.aclose()
        close_memories(self.lab)

    async def _open_line(self, line: LabLine) -> None:
        make_station, delay = self._station_maker(line), self._delay(line)
        if line.kind == "pty":
            pty = PtyLine(make_station(), self.serial_dir, line.meters, delay)
            await self._open.enter_async_context(pty)
            for meter, path in zip(line.meters, pty.paths, strict=True):
                baud = line.timing.baud if line.timing is not None else ANNOUNCED_BAUD
                self.announcements.append(announcement(meter, str(SerialEndpoint(str(path), baud))))
            return
        host = "127.0.0.1" if self.lab.host in ("", "0.0.0.0") else self.lab.host
        endpoint: TcpEndpoint | UdpEndpoint | Rfc2217Endpoint
        if line.kind == "udp":
            datagrams = await self._open.enter_async_context(
                UdpPort(make_station, self.lab, line.port, _complain, delay=delay)
            )
            endpoint = UdpEndpoint(host, datagrams.number)
        else:
            port = await self._open.enter_async_context(
                TcpPort(make_station, self.lab, line.port, _complain, delay=delay)
            )
            endpoint = TcpEndpoint(host, port.number)
            if line.kind == "rfc2217":
                endpoint = Rfc2217Endpoint(host, port.number, line.timing.baud if line.timing else ANNOUNCED_BAUD)
        self.announcements += [announcement(meter, str(endpoint)) for meter in line.meters]

    def _delay(self, line: LabLine) -> float:
        """How long an answer waits before it is written; on a wire it has waited already."""
        return 0.0 if line.timing is not None or line.faults is not None else self.lab.reply_delay

    def _station_maker(self, line: LabLine) -> MakeStation:
        """The meters, behind the line that the lab gives them."""
        make = self._meters_maker(line)
        if line.timing is not None or line.faults is not None:
            make = self._wire_maker(line, make)
        if line.kind != "rfc2217":
            return make
        return lambda: ComPortStation(make(), LineSettings(ANNOUNCED_BAUD))

    def _wire_maker(self, line: LabLine, make: MakeStation) -> MakeStation:
        bus = None if line.timing is None else Bus(line.timing)
        connections = count()

        def wired() -> Station:
            datagrams = line.kind == "udp"
            faulty = None if line.faults is None else FaultyLine(line.faults, next(connections), datagrams=datagrams)
            return Wire(make(), bus=bus, faults=faulty, response_time=self.lab.reply_delay, tell=_tell)

        return wired

    def _meters_maker(self, line: LabLine) -> MakeStation:
        if line.kind in ("wrapper", "udp"):
            device, *others = (mannered(meter.device, meter.manners) for meter in line.meters)
            return lambda: WrapperStation(device, secrets.token_bytes, datagrams=line.kind == "udp", others=others)
        shared = [
            HdlcMeter(
                mannered(meter.device, meter.manners),
                meter.physical_address,
                meter.address_octets,
                meter.parameters,
                self.lab.inactivity_timeout,
                meter.frmr_information,
            )
            for meter in line.meters
        ]
        if line.sign_on is None:
            timeout = line.timing.inter_octet_timeout if line.timing is not None else INTER_OCTET_TIMEOUT
            return lambda: HdlcStation(shared, secrets.token_bytes, inter_octet_timeout=timeout)
        devices = [meter.sign_on for meter in line.meters if meter.sign_on is not None]
        if line.sign_on.push_interval:
            return lambda: text_station(_telegram_station(devices[0], line.sign_on), text_hooks(line.meters[0].manners))
        hdlc = {device.device_address: meter for device, meter in zip(devices, shared, strict=True)}
        baud = line.sign_on.initial_baud
        hooks = [hook for meter in line.meters for hook in text_hooks(meter.manners)]
        return lambda: text_station(SignOnStation(devices, hdlc, secrets.token_bytes, initial_baud=baud), hooks)


def _telegram_station(device: ReadoutDevice, options: SignOnOptions | None) -> TelegramStation:
    assert options is not None  # the line has some
    return TelegramStation(
        device, interval=options.push_interval, with_crc=options.push_crc, key=bytes.fromhex(options.push_key)
    )


async def _read(reader: asyncio.StreamReader, station: Station, limit: TimeLimit, until: float) -> bytes | None:
    """What came; None when a timer of the station was due, or `until` has passed."""
    loop = asyncio.get_running_loop()
    timer = station.next_timer()
    due = until if timer is None else min(until, timer)
    try:
        with limit.until(due):
            return await reader.read(READ_OCTETS)
    except TimeoutError:
        station.handle_timer(loop.time())
        return None


def speed_number(line: LineSettings) -> int:
    """How the terminal numbers a speed."""
    return int(getattr(termios, f"B{line.baud}", -1))


def _tell(fault: Fault) -> None:
    """What a bad line did, as a line of JSON: so that a run can be looked at, and repeated."""
    sys.stderr.write(json.dumps(fault.as_json()) + "\n")
    sys.stderr.flush()


def _complain(sentence: str) -> None:
    """A fault of this program: the lab goes on, and somebody should know."""
    sys.stderr.write(f"simulate: {sentence}\n")
    sys.stderr.flush()


class PtyLine:
    """A pseudo-terminal: the meters at one end, a stable name in `serial_dir` for each of them at the other."""

    def __init__(self, station: Station, serial_dir: Path, meters: tuple[LabMeter, ...], reply_delay: float) -> None:
        self.paths = [serial_dir / meter.serial_number for meter in meters]
        self._station = station
        self._delay = reply_delay
        self._master = -1
        self._slave = -1
        self._speed = -1
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.ReadTransport | None = None

    async def __aenter__(self) -> PtyLine:
        self._master, self._slave = os.openpty()
        # Our own end of the slave stays open: otherwise the line would break whenever a client closes it.
        tty.setraw(self._slave, termios.TCSANOW)
        name = os.ttyname(self._slave)
        for path in self.paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(name)
        reader = asyncio.StreamReader(limit=READ_OCTETS)
        loop = asyncio.get_running_loop()
        file = os.fdopen(self._master, "rb", buffering=0)
        self._transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
        self._task = asyncio.create_task(self._serve(reader))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for path in self.paths:
            path.unlink(missing_ok=True)
        if self._transport is not None:
            self._transport.close()
        os.close(self._slave)

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        loop, limit = asyncio.get_running_loop(), TimeLimit()
        while True:
            octets = await _read(reader, self._station, limit, loop.time() + 3600)
            if octets:
                try:
                    self._station.receive_octets(self._heard(octets, self._station), loop.time())
                except Exception as error:
                    _complain(f"octets were dropped: {error!r}")
            elif octets is not None:
                return
            while answer := self._station.octets_to_send():
                await asyncio.sleep(self._delay)
                await self._write(self._spoken(answer, self._station))

    def _heard(self, octets: bytes, station: Station) -> bytes:
        """What reaches a meter that listens at a certain speed: at another one octets are noise.

        The terminal knows its client's speed. It hands octets over at once, so the client may have changed it behind them.
        """
        before, self._speed = self._speed, self._client_speed()
        meters = settings_of(station)
        if meters is None or speed_number(meters) in (before, self._speed):
            return octets
        return noise(octets)

    def _spoken(self, octets: bytes, station: Station) -> bytes:
        """What a client hears of octets that a meter says at a certain speed."""
        spoken: LineSettings | None = getattr(station, "spoken_at", None)
        if spoken is None or speed_number(spoken) == self._client_speed():
            return octets
        return noise(octets)

    def _client_speed(self) -> int:
        return int(termios.tcgetattr(self._slave)[OUTPUT_SPEED])

    async def _write(self, octets: bytes) -> None:
        """Nobody may be reading: what does not fit into the line's buffer for seconds is lost, as on a wire."""
        for _ in range(PTY_RETRIES):
            try:
                octets = octets[os.write(self._master, octets) :]
            except BlockingIOError:
                await asyncio.sleep(PTY_RETRY)
            if not octets:
                return
