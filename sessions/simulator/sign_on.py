"""A line whose meters want a sign-on of IEC 62056-21 first: readout, programming mode, and mode E into HDLC."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sessions.dlms.iec62056_21.characters import START_BAUD
from sessions.dlms.iec62056_21.server import HandedOver, Iec21Device, Iec21Server, State
from sessions.dlms.iec62056_21.sign_on import HDLC_PROTOCOL, IdentificationMessage
from sessions.dlms.iec62056_21.smarty import encrypt_telegram
from sessions.dlms.link import LineChangeNeeded, LineSettings
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import MeterType
from sessions.simulator.readout import ReadoutDevice, load_readout
from sessions.simulator.stations import HdlcMeter, HdlcStation, Random

QUICK_MANUFACTURER: Final = "MWb"
"""The lower-case letter promises answers after 20 ms."""
DEFAULT_READOUT: Final = "three_phase"
PUSHING_TITLE: Final = b"MWB\x00\x00\x00P1"
BINARY_PATIENCE: Final = 5.0
"""Seconds that a meter waits for an HDLC connection before it takes sign-ons again."""


def make_sign_on_device(table: Mapping[str, Any], meter: Meter, meter_type: MeterType) -> ReadoutDevice:
    """A meter's side of the sign-on, of a lab file's table [lines.meters.sign_on]."""
    given = dict(table)
    mode_e = given.pop("mode_e", True)
    identification = IdentificationMessage(
        given.pop("manufacturer", QUICK_MANUFACTURER),
        given.pop("baud", "5"),
        given.pop("identification", meter_type.firmware),
        HDLC_PROTOCOL if mode_e else "",
    )
    identification.encode()  # what cannot be sent is refused here
    return ReadoutDevice(
        meter,
        load_readout(given.pop("readout", DEFAULT_READOUT)),
        device_address=given.pop("device_address", meter.serial_number),
        identification=identification,
        offers_hdlc=mode_e,
        **given,
    )


class SignOnStation:
    """The meters of a line as one connection reaches them. `hdlc` leads from a device to its HDLC meter.

    `line` is how the meters listen now, `spoken_at` how the octets that were handed out last were spoken: a line that has
    speeds makes noise of octets at another one.
    """

    def __init__(
        self,
        devices: Sequence[Iec21Device],
        hdlc: Mapping[str, HdlcMeter],
        random: Random,
        *,
        initial_baud: int = START_BAUD,
        reaction: float | None = None,
    ) -> None:
        self.closed = False
        self._server = Iec21Server(devices, initial_baud=initial_baud, reaction=reaction)
        self._hdlc_meters = hdlc
        self._random = random
        self._hdlc: HdlcStation | None = None
        self._occupied = False
        self._give_up_at: float | None = None
        self._outbox: deque[tuple[LineSettings, bytes]] = deque()
        self.line = self.spoken_at = self._server.initial_line

    def receive_octets(self, octets: bytes, now: float) -> None:
        if self._hdlc is not None:
            self._hdlc.receive_octets(octets, now)
        else:
            self._server.receive_octets(octets, now)
        self._drain(now)

    def connection_lost(self, now: float) -> None:
        self.closed = True
        if self._hdlc is not None:
            self._hdlc.connection_lost(now)
        self._server.connection_lost(now)

    def octets_to_send(self) -> bytes:
        """The oldest octets of one speed; ask until there are none."""
        if not self._outbox:
            return b""
        self.spoken_at, octets = self._outbox.popleft()
        return octets

    def next_timer(self) -> float | None:
        timers = [self._server.next_timer(), self._give_up_at]
        if self._hdlc is not None:
            timers.append(self._hdlc.next_timer())
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self._server.handle_timer(now)
        if self._hdlc is not None:
            self._hdlc.handle_timer(now)
        if self._give_up_at is not None and now >= self._give_up_at:
            self._leave_hdlc(now)
        self._drain(now)

    def _drain(self, now: float) -> None:
        """Take what was said at the speed at which it was, and follow the changes of the line."""
        while True:
            self._take(self._server.octets_to_send())
            event = self._server.next_event()
            if event is None:
                break
            if isinstance(event, LineChangeNeeded):
                self.line = event.settings
                self._server.line_changed(now)
            elif isinstance(event, HandedOver):
                self._begin_hdlc(event.device, now)
        if self._hdlc is not None:
            self._take(self._hdlc.octets_to_send())
            self._watch_hdlc(now)

    def _take(self, octets: bytes) -> None:
        if octets:
            self._outbox.append((self.line, octets))

    def _begin_hdlc(self, device: Iec21Device, now: float) -> None:
        self._hdlc = HdlcStation([self._hdlc_meters[device.device_address]], self._random)
        self._occupied = False
        self._give_up_at = now + BINARY_PATIENCE

    def _watch_hdlc(self, now: float) -> None:
        """A link that ends leads back to the sign-on."""
        assert self._hdlc is not None  # the caller looked
        if self._hdlc.occupied:
            self._occupied, self._give_up_at = True, None
        elif self._occupied:
            self._leave_hdlc(now)
            self._drain(now)

    def _leave_hdlc(self, now: float) -> None:
        self._hdlc, self._give_up_at = None, None
        if self._server.state is State.BINARY:
            self._server.leave_binary(now)


class TelegramStation:
    """A line on which one meter pushes telegrams and hears nothing: mode D, or a P1 port.

    `interval` in seconds, the first one at once; `key` enciphers them as Luxembourg's P1 port does.
    """

    def __init__(self, device: ReadoutDevice, *, interval: float, with_crc: bool = True, key: bytes = b"") -> None:
        self.closed = False
        self._device = device
        self._interval = interval
        self._with_crc = with_crc
        self._key = key
        self._counter = 0
        self._due = 0.0
        self._outbox = b""

    def receive_octets(self, octets: bytes, now: float) -> None:
        """Nobody listens here."""

    def connection_lost(self, now: float) -> None:
        self.closed = True

    def octets_to_send(self) -> bytes:
        octets, self._outbox = self._outbox, b""
        return octets

    def next_timer(self) -> float | None:
        return self._due

    def handle_timer(self, now: float) -> None:
        if now < self._due:
            return
        self._due = now + self._interval
        self._outbox = self._device.telegram(with_crc=self._with_crc)
        if self._key:
            self._counter += 1
            self._outbox = encrypt_telegram(
                self._outbox, key=self._key, system_title=PUSHING_TITLE, invocation_counter=self._counter
            )
