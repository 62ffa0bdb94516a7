"""A client and a meter of IEC 62056-21 wired together in memory: helpers for the tests of both."""

from dataclasses import dataclass, field

from sessions.dlms.iec62056_21.characters import with_even_parity
from sessions.dlms.iec62056_21.client import Iec21Client
from sessions.dlms.iec62056_21.data_set import DataBlock, DataSet, DataValue, decode_data_block
from sessions.dlms.iec62056_21.events import CommandDone, CommandRefused
from sessions.dlms.iec62056_21.server import HandedOver, Iec21Server, Refusal
from sessions.dlms.iec62056_21.settings import SignOnSettings
from sessions.dlms.iec62056_21.sign_on import IdentificationMessage
from sessions.dlms.iec62056_21.state import State
from sessions.dlms.link import LineChangeNeeded, LinkFailed

READOUT = b"0.0.0(12345678)\r\n1.8.0(000123.4*kWh)\r\n1.6.1(02.468*kW)(1703100930)\r\n!\r\n"


@dataclass
class Device:
    """A meter with four registers, of which one can be written by who knows the password."""

    device_address: str = "12345678"
    identification: IdentificationMessage = field(
        default_factory=lambda: IdentificationMessage("MWB", "5", "METER-1", "2")
    )
    operand: str = "a5"
    password: str = "00000000"
    max_block: int = 0
    offers_hdlc: bool = True
    values: dict = field(default_factory=lambda: {"1.8.0": "000123.4*kWh", "0.9.1": "121314", "0.0.0": "12345678"})

    def readout(self):
        return decode_data_block(READOUT)

    def admits(self, command, offered):
        return command == "P1" and offered == self.password

    def carry_out(self, command, data_set, *, admitted):
        if data_set.address not in self.values:
            raise Refusal("ER05")
        if command[0] == "R":
            return DataBlock(((DataSet("", (DataValue.of(self.values[data_set.address]),)),),), ended=False)
        if command != "W1" or not admitted:
            raise Refusal("ER02")
        self.values[data_set.address] = str(data_set.values[0])
        return None


def make_client(*, response_timeout=5.0, max_retries=2, **settings):
    return Iec21Client(SignOnSettings(**settings), response_timeout=response_timeout, max_retries=max_retries)


class Wire:
    """Carries octets between both until nobody has anything to say; time passes only for timers.

    What is sent at another speed than the receiver's arrives as noise. `spoil` gets the octets of each side (True: the
    client's) and gives what arrives of them. `echo`: the client hears itself. `parity`: the meter's parity bits arrive, too.
    """

    def __init__(self, client, *devices, spoil=None, echo=False, parity=False, **options):
        self.client = client
        self.server = Iec21Server(devices or (Device(),), **options)
        self.spoil = spoil or (lambda from_client, octets: octets)
        self.echo, self.parity = echo, parity
        self.now = 0.0
        self.line = self.meter_line = None
        self.events = []
        self.said = []
        """What both said, as it was meant: (from the client, octets)."""
        self.handed_over = None

    def run(self, limit=1000):
        for _ in range(limit):
            if not (self.pump() or self.tick()):
                return self
        raise AssertionError("it never ends")

    def until(self, *states, limit=1000):
        """Go on until the client is in one of these states."""
        for _ in range(limit):
            if self.client.state in states:
                return self
            if not (self.pump() or self.tick()):
                break
        raise AssertionError(f"it stays {self.client.state}")

    def commanded(self, *commands):
        """Each command, once the one before is done; then what the client told of them."""
        for command in commands:
            self.until(State.PROGRAMMING)
            self.client.command(command, self.now)
            self.until(State.PROGRAMMING, State.FAILED, State.CLOSED)
        self.pump()
        return [event for event in self.events if isinstance(event, CommandDone | CommandRefused | LinkFailed)]

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    def pump(self):
        moved = self.carry(self.client.octets_to_send(), from_client=True)
        while (event := self.client.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, LineChangeNeeded):
                self.line = event.settings
                self.client.line_changed(self.now)
                moved = True
        moved |= self.carry(self.server.octets_to_send(), from_client=False)
        while (event := self.server.next_event()) is not None:
            if isinstance(event, HandedOver):
                self.handed_over = event.device
            else:
                moved |= self.meter_line != event.settings
                self.meter_line = event.settings
                self.server.line_changed(self.now)
        return moved

    def carry(self, octets, *, from_client):
        if not octets:
            return False
        self.said.append((from_client, octets))
        if from_client and self.echo:
            self.client.receive_octets(octets, self.now)
        arrived = self.spoil(from_client, octets)
        if not self.same_speed():
            arrived = bytes(octet ^ 0x55 for octet in arrived if octet & 3)
        if not from_client and self.parity:
            arrived = with_even_parity(arrived)
        if arrived:
            (self.server if from_client else self.client).receive_octets(arrived, self.now)
        return True

    def same_speed(self):
        return self.meter_line is None or self.line is None or self.line.baud == self.meter_line.baud

    def tick(self):
        timers = [at for end in (self.client, self.server) if (at := end.next_timer()) is not None]
        if self.client.next_timer() is None and not self.server.next_timer():
            return False
        if not timers:
            return False
        self.now = max(self.now, min(timers))
        for end in (self.client, self.server):
            if (at := end.next_timer()) is not None and at <= self.now:
                end.handle_timer(self.now)
        return True
