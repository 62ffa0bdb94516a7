"""The objects that make tariffs: Activity calendar, Special days table, Register activation (Blue Book, classes 20, 11 and 6).

They show and change one `TariffPlan`, from which the registers of the rates are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from meters.cosem.data import Data, DataType, array, as_date_time, date_time, octet_string, structure
from meters.cosem.date_time import CosemDate, CosemDateTime, CosemTime
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.axdr import decode_data, encode_data
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require
from sessions.simulator.tariffs import Calendar, Specials, TariffPlan

NEVER: Final = CosemDateTime(CosemDate(), CosemTime(), None)
FIRST_PASSIVE: Final = 6
"""Attributes 6 to 9 are the passive calendar, 2 to 5 the active one."""
MAX_ENTRIES: Final = 250


class ActivityCalendar(CosemObject):
    """Activity calendar (20, version 0): the passive one becomes active by its method, or when its time has come."""

    class_id = 20

    def __init__(self, logical_name: ObisCode, plan: TariffPlan, passive: Calendar) -> None:
        super().__init__(logical_name)
        self.plan = plan
        self._passive = list(passive.attributes)
        self._activation = NEVER
        for number in range(4):
            self.attributes[2 + number] = Attribute(lambda number=number: plan.calendar.attributes[number])  # type: ignore[misc]
            self.attributes[FIRST_PASSIVE + number] = Attribute(
                lambda number=number: self._passive[number],  # type: ignore[misc]
                lambda value, number=number: self._write(number, value),  # type: ignore[misc]
            )
        self.attributes[10] = Attribute(lambda: date_time(self._activation), self._plan_activation)
        self.methods = {1: lambda parameters: self._activate(self.plan.clock.now())}

    def _write(self, number: int, value: Data) -> None:
        """The four are written one after the other: whether they fit together is seen when they become active."""
        self._passive[number] = require(value, DataType.ARRAY if number else DataType.OCTET_STRING)

    def _activate(self, at: datetime) -> None:
        try:
            calendar = Calendar(*self._passive)
        except ValueError:
            raise Denied(DataAccessResult.OTHER_REASON) from None
        self.plan.adopt(calendar, at=at)

    def _plan_activation(self, value: Data) -> None:
        moment = as_date_time(require(value, DataType.OCTET_STRING, DataType.DATE_TIME))
        if moment is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        self._activation = moment

    def catch_up(self) -> None:
        """At its time, once; a calendar that cannot be stays passive."""
        if self._activation == NEVER:
            return
        try:
            due = self.plan.clock.local(self._activation)
        except (ValueError, OverflowError):
            return  # never, or some day
        if due > self.plan.clock.now():
            return
        self._activation = NEVER
        try:
            self._activate(due)
        except Denied:
            return
        if self.journal is not None:
            self.journal.done("invoke", self.class_id, self.logical_name, 1)

    def keep(self) -> Any:
        return {
            "plan": self.plan.keep(),
            "passive": [encode_data(value).hex() for value in self._passive],
            "activation": self._activation.encode().hex(),
        }

    def restore(self, kept: Any) -> None:
        passive = [decode_data(bytes.fromhex(value)) for value in kept["passive"]]
        activation = CosemDateTime.decode(bytes.fromhex(kept["activation"]))
        if len(passive) != len(self._passive):
            raise ValueError("a calendar has four parts")
        self.plan.restore(kept["plan"])
        self._passive, self._activation = passive, activation


def read_special_days(entries: Data) -> tuple[Specials, dict[int, Data]]:
    """What class 11 calls entries: dates and their day profiles, and the rows by index. ValueError where they are none."""
    try:
        rows = {row[0].value: row for row in entries}
        specials = tuple((_date(row[1]), row[2].value) for row in rows.values())
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"these are no special days: {error}") from None
    if len(rows) > MAX_ENTRIES or not all(isinstance(day, int) for _, day in specials):
        raise ValueError("too many special days, or a day_id that is no number")
    return specials, rows


def _date(value: Data) -> CosemDate:
    wanted = value.value if value.type is DataType.DATE else CosemDate.decode(value.value)
    if not isinstance(wanted, CosemDate) or not wanted.in_range:
        raise ValueError("no date")
    return wanted


class SpecialDaysTable(CosemObject):
    """Special days table (11, version 0)."""

    class_id = 11

    def __init__(self, logical_name: ObisCode, plan: TariffPlan, entries: Data) -> None:
        super().__init__(logical_name)
        self.plan = plan
        specials, self._rows = read_special_days(entries)
        plan.begin(specials=specials)
        self.attributes[2] = Attribute(lambda: array(*self._rows.values()), self._write)
        self.methods = {1: self._insert, 2: self._delete}

    def _write(self, value: Data) -> None:
        try:
            specials, rows = read_special_days(require(value, DataType.ARRAY))
        except ValueError:
            raise Denied(DataAccessResult.OTHER_REASON) from None
        self._rows = rows
        self.plan.adopt(specials=specials, at=self.plan.clock.now())

    def _insert(self, parameters: Data | None) -> None:
        """An index that is there already is replaced."""
        row = require(parameters, DataType.STRUCTURE)
        if len(row) != 3:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        index = require(row[0], DataType.LONG_UNSIGNED).value
        self._write(array(*({**self._rows, index: row}.values())))

    def _delete(self, parameters: Data | None) -> None:
        index = require(parameters, DataType.LONG_UNSIGNED).value
        if index not in self._rows:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._write(array(*(row for number, row in self._rows.items() if number != index)))

    def keep(self) -> Any:
        return encode_data(array(*self._rows.values())).hex()

    def restore(self, kept: Any) -> None:
        """The rows alone: since when they count the plan knows."""
        self._rows = read_special_days(decode_data(bytes.fromhex(kept)))[1]


class RegisterActivation(CosemObject):
    """Register activation (6, version 0): mask n is that of rate n. Its active mask follows the calendar; a script writes it."""

    class_id = 6

    def __init__(
        self,
        logical_name: ObisCode,
        plan: TariffPlan,
        rate_at: Callable[[datetime], int],
        registers: Sequence[CosemObject],
        masks: Data,
    ) -> None:
        super().__init__(logical_name)
        self._plan = plan
        self._rate_at = rate_at
        self._registers = [
            structure(Data(DataType.LONG_UNSIGNED, each.class_id), octet_string(each.logical_name.octets))
            for each in registers
        ]
        self._masks = list(masks)
        self.attributes |= {
            2: Attribute(lambda: array(*self._registers)),
            3: Attribute(lambda: array(*self._masks)),
            4: Attribute(self._active, self._switch),
        }
        self.methods = {1: self._add_register, 2: self._add_mask, 3: self._delete_mask}

    def captured(self, attribute_id: int, moment: datetime) -> Data:
        return self._mask_of(self._rate_at(moment)) if attribute_id == 4 else super().captured(attribute_id, moment)

    def _active(self) -> Data:
        return self._mask_of(self._rate_at(self._plan.clock.now()))

    def _mask_of(self, rate: int) -> Data:
        return self._masks[rate - 1][0] if 1 <= rate <= len(self._masks) else octet_string(b"")

    def _switch(self, value: Data) -> None:
        """Until the calendar's next switch."""
        mask = require(value, DataType.OCTET_STRING)
        rate = next((number for number, each in enumerate(self._masks, 1) if each[0] == mask), None)
        if rate is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._plan.run_by_hand(rate, at=self._plan.clock.now())

    def _add_register(self, parameters: Data | None) -> None:
        given = require(parameters, DataType.STRUCTURE)
        if len(given) != 2 or len(self._registers) >= MAX_ENTRIES:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        require(given[0], DataType.LONG_UNSIGNED), require(given[1], DataType.OCTET_STRING)
        if given not in self._registers:
            self._registers.append(given)

    def _add_mask(self, parameters: Data | None) -> None:
        """A name that is there already gets the new list."""
        given = require(parameters, DataType.STRUCTURE)
        if len(given) != 2 or len(self._masks) >= MAX_ENTRIES:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        require(given[0], DataType.OCTET_STRING)
        numbers = [require(each, DataType.UNSIGNED).value for each in require(given[1], DataType.ARRAY)]
        if any(not 1 <= number <= len(self._registers) for number in numbers):
            raise Denied(DataAccessResult.OTHER_REASON)
        at = next((at for at, each in enumerate(self._masks) if each[0] == given[0]), len(self._masks))
        self._masks[at : at + 1] = [given]

    def _delete_mask(self, parameters: Data | None) -> None:
        """Those after it would get other numbers: the last one alone can go, and not while it is active."""
        name = require(parameters, DataType.OCTET_STRING)
        if not self._masks or self._masks[-1][0] != name or self._active() == name:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._masks.pop()

    def keep(self) -> Any:
        return [encode_data(array(*each)).hex() for each in (self._registers, self._masks)]

    def restore(self, kept: Any) -> None:
        registers, masks = (list(decode_data(bytes.fromhex(each))) for each in kept)
        self._registers, self._masks = registers, masks
