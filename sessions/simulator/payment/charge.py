"""Charge of a simulated meter (113, version 0): what is taken of the account's credit, and for what.

    consumption-based   for each unit of a register, each period, or when somebody wants it collected
    time-based          charge_per_unit for each period that has passed
    payment event-based a part of each token (proportion, in hundredths of a percent) until nothing remains to be paid

The price is charge_per_unit · 10^price_scale for 10^commodity_scale units of the register, in the account's least unit of
currency: how the scales count is not told by the lists of the standard's attributes. The first row of the charge table counts.
What is less than the least unit stays until it is one. Source: Blue Book, Charge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import Any, Final

from meters.cosem.data import Data, DataType, array, as_date_time, date_time, double_long, structure
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied, require
from sessions.simulator.objects.clock import MeterClock
from sessions.simulator.objects.declared import DeclaredObject, check
from sessions.simulator.objects.listed_values import Find
from sessions.simulator.payment.credit import HIGHEST, LOWEST

PAID, TYPE, ACTIVE, PASSIVE, ACTIVATION, PERIOD = 2, 3, 5, 6, 7, 8
LAST_TIME, LAST_AMOUNT, REMAINING, PROPORTION = 10, 11, 12, 13
HUNDREDTHS_OF_A_PERCENT: Final = 10_000


class ChargeType(IntEnum):
    CONSUMPTION = 0
    TIME = 1
    PAYMENT_EVENT = 2


def _collects_nothing(amount: int) -> None:
    """No account pays."""


class Charge(DeclaredObject):
    """`collect` takes an amount of the account's credit, while `collects` says that it does."""

    def __init__(
        self, known: InterfaceClass, logical_name: ObisCode, values: Mapping[int, Data], clock: MeterClock, find: Find
    ) -> None:
        super().__init__(known, logical_name, values)
        self._clock = clock
        self._find = find
        self.collect: Callable[[int], None] = _collects_nothing
        self.collects: Callable[[], bool] = lambda: False
        self._since = clock.now()
        self._units: int | None = None
        self._rest = Fraction()
        self.methods = {
            1: self._update_passive,
            2: lambda parameters: self._activate_passive(),
            3: lambda parameters: self._collect_now(),
            4: lambda parameters: self._remain(self.remaining + _amount(parameters)),
            5: lambda parameters: self._remain(_amount(parameters)),
        }

    @property
    def type(self) -> ChargeType:
        return ChargeType(self._values[TYPE].value)

    @property
    def remaining(self) -> int:
        return int(self._values[REMAINING].value)

    @property
    def _period(self) -> timedelta:
        return timedelta(seconds=self._values[PERIOD].value)

    # -- as time goes by ---------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        return self._since + self._period if self._period and self.collects() else None

    def catch_up(self) -> None:
        now = self._clock.now()
        self._activate_in_time(now)
        if not self.collects():
            self._since, self._units = now, self._register()
            return
        if self._units is None:
            self._units = self._register()
        if not self._period or now < self._since + self._period:
            return
        passed = (now - self._since) // self._period
        self._since += passed * self._period
        if self.type is ChargeType.TIME:
            self._take(self._rate() * passed)
        elif self.type is ChargeType.CONSUMPTION:
            self._take(self._consumed())

    def _activate_in_time(self, now: datetime) -> None:
        moment = as_date_time(self._values[ACTIVATION])
        try:
            due = moment is not None and self._clock.local(moment) <= now
        except (ValueError, OverflowError):  # nothing is specified
            return
        if due:
            self._activate_passive()

    # -- prices ------------------------------------------------------------------------------------------------------

    def _rate(self) -> Fraction:
        """The price of one."""
        scales, _, table = self._values[ACTIVE]
        per_unit = table[0][1].value if len(table) else 0
        exponent: int = scales[1].value - scales[0].value
        return per_unit * (Fraction(10**exponent) if exponent >= 0 else Fraction(1, 10**-exponent))

    def _register(self) -> int | None:
        class_id, name, attribute = self._values[ACTIVE][1]
        target = self._find(class_id.value, ObisCode.from_octets(name.value))
        if target is None or attribute.value not in target.attributes:
            return None
        value = target.read(attribute.value)
        return value.value if isinstance(value, Data) and isinstance(value.value, int) else None

    def _consumed(self) -> Fraction:
        """What the register's units since the last look are worth; one that was reset begins anew."""
        before, self._units = self._units, self._register()
        if before is None or self._units is None:
            return Fraction()
        return max(0, self._units - before) * self._rate()

    # -- collecting --------------------------------------------------------------------------------------------------

    def _take(self, amount: Fraction) -> None:
        whole, self._rest = divmod(self._rest + amount, 1)
        self.collect(whole)
        self._note(whole)

    def _note(self, amount: int) -> None:
        self._values[PAID] = double_long(min(HIGHEST, self._values[PAID].value + amount))
        self._values[LAST_TIME] = date_time(self._clock.now())
        self._values[LAST_AMOUNT] = double_long(min(HIGHEST, amount))

    def part_of_token(self, amount: int) -> int:
        """What a token of this amount pays of what remains; it is gone then."""
        if self.type is not ChargeType.PAYMENT_EVENT or not self.collects():
            return 0
        proportion: int = self._values[PROPORTION].value
        part = min(self.remaining, amount, amount * proportion // HUNDREDTHS_OF_A_PERCENT)
        if part > 0:
            self._remain(self.remaining - part)
            self._note(part)
        return max(0, part)

    # -- methods -----------------------------------------------------------------------------------------------------

    def _collect_now(self) -> None:
        """Of what is counted by consumption; there is nothing to be collected early of the others."""
        if self.type is not ChargeType.CONSUMPTION or not self.collects():
            raise Denied(DataAccessResult.OTHER_REASON)
        self._take(self._consumed())

    def _update_passive(self, parameters: Data | None) -> None:
        """Prices by their index: one that is there is replaced, another one added."""
        declared = self._known.methods[1].parameter
        if parameters is None or declared is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        check(parameters, declared, parameters)
        scales, commodity, table = self._values[PASSIVE]
        rows = {row[0].value: row for row in (*table, *parameters)}
        self._values[PASSIVE] = structure(scales, commodity, array(*rows.values()))

    def _activate_passive(self) -> None:
        """What was counted until now is collected at the old price."""
        if self.type is ChargeType.CONSUMPTION and self.collects():
            self._take(self._consumed())
        self._values[ACTIVE] = self._values[PASSIVE]
        self._values[ACTIVATION] = self._first[ACTIVATION]
        self._units = self._register()

    def _remain(self, amount: int) -> None:
        if not LOWEST <= amount <= HIGHEST:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._values[REMAINING] = double_long(amount)

    # -- memory ------------------------------------------------------------------------------------------------------

    def keep(self) -> Any:
        rest = [self._rest.numerator, self._rest.denominator]
        return {"values": super().keep(), "since": self._since.isoformat(), "units": self._units, "rest": rest}

    def restore(self, kept: Any) -> None:
        since, units, rest = datetime.fromisoformat(kept["since"]), kept["units"], Fraction(*kept["rest"])
        super().restore(kept["values"])
        self._since, self._units, self._rest = since, units, rest


def _amount(parameters: Data | None) -> int:
    return int(require(parameters, DataType.DOUBLE_LONG).value)
