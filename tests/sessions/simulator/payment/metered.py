"""The prepayment meter, and what its objects say in plain numbers."""

from __future__ import annotations

from typing import Any

from meters.cosem.data import Data, double_long, octet_string
from meters.cosem.obis import ObisCode
from sessions.simulator.build import build_meter
from sessions.simulator.device import MeterSecurity
from sessions.simulator.meter import Meter
from sessions.simulator.meter_type import MeterSettings, load_meter_type
from sessions.simulator.payment.tokens import make_token
from tests.sessions.simulator.served import HandClock

SERIAL = "60000012"
ACCOUNT, TOKENS, RELAY = (111, "0-0:19.0.0*255"), (115, "0-0:19.40.0*255"), (70, "0-0:96.3.10*255")
MAIN, EMERGENCY = (112, "0-0:19.10.0*255"), (112, "0-0:19.10.1*255")
ENERGY, FEE, DEBT = ((113, f"0-0:19.20.{number}*255") for number in range(3))


class Prepaid:
    """A prepayment meter with a clock in the hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.meter: Meter = build_meter(
            load_meter_type("prepayment"),
            MeterSettings(serial_number=SERIAL, security=MeterSecurity(), clients=(), host_clock=self.clock),
        )
        self.tokens = 0
        self.meter.catch_up()

    def target(self, which: tuple[int, str]) -> Any:
        return self.meter.objects[which[0], ObisCode.parse(which[1])].target

    def value(self, which: tuple[int, str], number: int) -> Any:
        value = self.target(which).read(number)
        assert isinstance(value, Data)
        return value.value

    def put(self, which: tuple[int, str], amount: int) -> None:
        self.target(which).invoke(2, double_long(amount))

    def enter(self, amount: int, *, number: int | None = None) -> None:
        self.tokens += 1
        token = make_token(SERIAL, amount, self.tokens if number is None else number)
        self.target(TOKENS).invoke(1, octet_string(token.encode()))

    def pass_time(self, **by: float) -> None:
        self.clock.advance(**by)
        self.meter.tick()

    @property
    def statuses(self) -> list[int]:
        return [self.value(credit, 8) for credit in (MAIN, EMERGENCY)]
