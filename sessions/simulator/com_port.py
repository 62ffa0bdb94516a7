"""A serial port behind a TCP connection: telnet with its COM port option, the server's side, without I/O.

A client sets speed, data bits, parity and stop bits by it, purges buffers and asks who is there. The meters behind it hear and
speak as their line is set: at another speed there is noise, and where one side counts a parity bit as data, its octets are
others. Sources: RFC 854 and 855 (telnet), 856 (binary), 858 (go-ahead), 2217 (COM port control).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, IntEnum, auto
from typing import Final

from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.link import LineSettings
from sessions.simulator.stations import Station, settings_of

SIGNATURE: Final = b"Meter Workbench simulator"
IAC: Final = 0xFF
COM_PORT: Final = 44
SERVER: Final = 100
"""Added to a command in the server's answer."""
MAX_SUBOPTION: Final = 64
CARRIER: Final = 0xB0
"""Modem state: clear to send, data set ready, carrier."""
SPEEDS: Final = range(50, 4_000_001)
PARITIES: Final[Mapping[int, str]] = {1: "N", 2: "O", 3: "E", 4: "M", 5: "S"}
SETTABLE_CONTROLS: Final = (1, 4, 5, 6, 8, 9, 11, 12, 14)
"""No flow control; break, DTR and RTS on and off; none inbound. What a request (0, 4, 7, 10, 13) is answered by stands below."""
CONTROLS: Final[Mapping[int, int]] = {0: 1, 4: 6, 7: 8, 10: 11, 13: 14}


class Telnet(IntEnum):
    SE = 240
    SB = 250
    WILL = 251
    WONT = 252
    DO = 253
    DONT = 254


class Option(IntEnum):
    BINARY = 0
    SUPPRESS_GO_AHEAD = 3
    COM_PORT = COM_PORT


class Command(IntEnum):
    """What a client sends behind the COM port option."""

    SIGNATURE = 0
    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_LINESTATE = 6
    NOTIFY_MODEMSTATE = 7
    SUSPEND = 8
    RESUME = 9
    SET_LINESTATE_MASK = 10
    SET_MODEMSTATE_MASK = 11
    PURGE_DATA = 12


class _At(Enum):
    """Where in telnet's stream the next octet stands."""

    DATA = auto()
    COMMAND = auto()
    OPTION = auto()
    SUBOPTION = auto()
    SUBOPTION_COMMAND = auto()


ANSWERS: Final = {
    Telnet.WILL: (Telnet.DO, Telnet.DONT),
    Telnet.DO: (Telnet.WILL, Telnet.WONT),
    Telnet.WONT: (Telnet.DONT, Telnet.DONT),
    Telnet.DONT: (Telnet.WONT, Telnet.WONT),
}
"""To an option that is known, and to one that is not."""


class ComPort:
    """Telnet's stream taken apart: data on one hand, what the client wants of the port on the other."""

    def __init__(self, initial: LineSettings, purge: Callable[[], None] | None = None) -> None:
        self.settings = initial
        self._purge = purge
        self._at = _At.DATA
        self._verb = 0
        self._suboption = bytearray()
        self._agreed: set[tuple[int, int]] = set()
        self._outbox = bytearray()
        self._state_told = False

    def receive_octets(self, octets: bytes) -> bytes:
        """The data in them. What the client wants is done, and answered in `octets_to_send`."""
        data = bytearray()
        for octet in octets:
            self._take(octet, data)
        return bytes(data)

    def octets_to_send(self) -> bytes:
        octets = bytes(self._outbox)
        self._outbox.clear()
        return octets

    # -- telnet ------------------------------------------------------------------------------------------------------

    def _take(self, octet: int, data: bytearray) -> None:
        match self._at:
            case _At.DATA if octet != IAC:
                data.append(octet)
            case _At.DATA:
                self._at = _At.COMMAND
            case _At.COMMAND:
                self._at = self._command(octet, data)
            case _At.OPTION:
                self._at = _At.DATA
                self._negotiate(self._verb, octet)
            case _At.SUBOPTION if octet != IAC:
                self._collect(octet)
            case _At.SUBOPTION:
                self._at = _At.SUBOPTION_COMMAND
            case _At.SUBOPTION_COMMAND:
                self._end_suboption(octet)

    def _command(self, octet: int, data: bytearray) -> _At:
        if octet == IAC:
            data.append(IAC)
        elif octet == Telnet.SB:
            self._suboption.clear()
            return _At.SUBOPTION
        elif octet in ANSWERS:
            self._verb = octet
            return _At.OPTION
        return _At.DATA

    def _collect(self, octet: int) -> None:
        if len(self._suboption) <= MAX_SUBOPTION:
            self._suboption.append(octet)

    def _end_suboption(self, octet: int) -> None:
        if octet == IAC:
            self._collect(IAC)
            self._at = _At.SUBOPTION
            return
        self._at = _At.DATA
        if octet == Telnet.SE and 2 <= len(self._suboption) <= MAX_SUBOPTION and self._suboption[0] == COM_PORT:
            self._control(self._suboption[1], bytes(self._suboption[2:]))

    def _negotiate(self, verb: int, option: int) -> None:
        """Answer what is new, so that two sides never thank each other for ever."""
        known = option in Option.__members__.values()
        key = (verb, option)
        opposite = {Telnet.WILL: Telnet.WONT, Telnet.WONT: Telnet.WILL, Telnet.DO: Telnet.DONT, Telnet.DONT: Telnet.DO}
        if key in self._agreed:
            return
        self._agreed.discard((opposite[Telnet(verb)], option))
        self._agreed.add(key)
        yes, no = ANSWERS[Telnet(verb)]
        self._outbox += bytes((IAC, yes if known else no, option))
        if option == COM_PORT and verb == Telnet.WILL and not self._state_told:
            self._state_told = True
            self._answer(Command.NOTIFY_MODEMSTATE, bytes((CARRIER,)))

    # -- the port ----------------------------------------------------------------------------------------------------

    def _control(self, number: int, value: bytes) -> None:
        """An unknown command, or one without its value, is passed over."""
        match number:
            case Command.SIGNATURE:
                self._answer(number, SIGNATURE)
            case Command.SET_BAUDRATE if len(value) >= 4:
                baud = int.from_bytes(value[:4], "big")
                if baud in SPEEDS:
                    self.settings = replace(self.settings, baud=baud)
                self._answer(number, self.settings.baud.to_bytes(4, "big"))
            case Command.SET_DATASIZE | Command.SET_PARITY | Command.SET_STOPSIZE if value:
                self._answer(number, bytes((self._set(number, value[0]),)))
            case Command.SET_CONTROL if value:
                self._answer(number, bytes((self._set_control(value[0]),)))
            case Command.NOTIFY_MODEMSTATE:
                self._answer(number, bytes((CARRIER,)))
            case Command.NOTIFY_LINESTATE:
                self._answer(number, b"\x00")
            case Command.SET_LINESTATE_MASK | Command.SET_MODEMSTATE_MASK if value:
                self._answer(number, value[:1])
            case Command.PURGE_DATA if value:
                if value[0] in (2, 3) and self._purge is not None:
                    self._purge()
                self._answer(number, value[:1])

    def _set(self, number: int, wanted: int) -> int:
        """What holds now, in the option's numbers; a value that is none changes nothing, 0 asks."""
        settings = self.settings
        if number == Command.SET_DATASIZE:
            if wanted in (7, 8):
                self.settings = replace(settings, data_bits=wanted)
            return self.settings.data_bits
        if number == Command.SET_STOPSIZE:
            if wanted in (1, 2):
                self.settings = replace(settings, stop_bits=wanted)
            return self.settings.stop_bits
        if wanted in PARITIES:
            self.settings = replace(settings, parity=PARITIES[wanted])
        return next(value for value, parity in PARITIES.items() if parity == self.settings.parity)

    @staticmethod
    def _set_control(wanted: int) -> int:
        """There is no flow control, and nothing is held; DTR and RTS may be set as one likes."""
        if wanted in CONTROLS:
            return CONTROLS[wanted]
        return wanted if wanted in SETTABLE_CONTROLS else CONTROLS[0]

    def _answer(self, number: int, value: bytes) -> None:
        body = bytes((COM_PORT, SERVER + number)) + escaped(value)
        self._outbox += bytes((IAC, Telnet.SB)) + body + bytes((IAC, Telnet.SE))


def escaped(octets: bytes) -> bytes:
    """Data in telnet's stream: an octet FF is doubled."""
    return octets.replace(b"\xff", b"\xff\xff")


def noise(octets: bytes) -> bytes:
    """What a receiver at the wrong speed makes of octets: others, and fewer."""
    return bytes(octet ^ 0x55 for octet in octets if octet & 3)


def as_heard(octets: bytes, spoken: LineSettings, heard: LineSettings) -> bytes:
    """What a receiver makes of octets that were spoken with other settings of the line."""
    if spoken.baud != heard.baud:
        return noise(octets)
    if spoken.data_bits == heard.data_bits:
        return octets
    if spoken.data_bits == 7:
        return with_even_parity(octets) if spoken.parity == "E" else octets
    return bytes(octet & 0x7F for octet in octets)


class ComPortStation:
    """A station whose line hangs at a COM port: to its owner, the far end of a telnet connection."""

    def __init__(self, station: Station, initial: LineSettings) -> None:
        self._station = station
        self._port = ComPort(initial, self._drop)
        self._control = b""

    @property
    def settings(self) -> LineSettings:
        """How the client set the port."""
        return self._port.settings

    @property
    def closed(self) -> bool:
        return self._station.closed

    def receive_octets(self, octets: bytes, now: float) -> None:
        data = self._port.receive_octets(octets)
        self._control += self._port.octets_to_send()
        if data:
            meters = settings_of(self._station)
            self._station.receive_octets(as_heard(data, self.settings, meters) if meters else data, now)

    def connection_lost(self, now: float) -> None:
        self._station.connection_lost(now)

    def octets_to_send(self) -> bytes:
        octets, self._control = self._control, b""
        if octets:
            return octets
        said = self._station.octets_to_send()
        spoken: LineSettings | None = getattr(self._station, "spoken_at", None) or settings_of(self._station)
        if said and spoken is not None:
            said = as_heard(said, spoken, self.settings) or b"\x00"
        return escaped(said)

    def next_timer(self) -> float | None:
        return self._station.next_timer()

    def handle_timer(self, now: float) -> None:
        self._station.handle_timer(now)

    def _drop(self) -> None:
        """Purge: what waits to be handed over is gone."""
        while self._station.octets_to_send():
            pass
