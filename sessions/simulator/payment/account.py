"""Account of a simulated meter (111, version 0): which of its credits is in use, what is left, and when the supply ends.

Credits are used in the order of their priority. One that wants a confirmation becomes selectable when the others are down to its
credit_available_threshold, and is used once somebody invoked it. Without any credit left the meter opens its switch by itself, as
far as the control mode lets it, and closes it, or makes it ready, when there is credit again. Places in credit_reference_list are
counted from 1, and 0 is none: the lists of the standard's attributes do not tell. Source: Blue Book, Account.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Final

from meters.cosem.data import BitString, Data, DataType, date_time, double_long, enum, structure, unsigned
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, Denied
from sessions.simulator.objects.declared import DeclaredObject
from sessions.simulator.objects.listed_values import Find
from sessions.simulator.payment.credit import Credit, CreditConfiguration, CreditStatus

MODE_AND_STATUS, CREDITS, CHARGES, TOKENS = 2, 9, 10, 12
ACTIVATED, CLOSED, LOW_CREDIT = 13, 14, 16
CREDIT_CLASS, CHARGE_CLASS = 112, 113
TOTAL_REMAINING: Final = 12
"""Of a charge."""


class AccountStatus(IntEnum):
    NEW = 1
    ACTIVE = 2
    CLOSED = 3


class CreditState(IntFlag):
    """current_credit_status, by the number of the bit."""

    IN_CREDIT = 1 << 0
    LOW_CREDIT = 1 << 1
    NEXT_ENABLED = 1 << 2
    NEXT_SELECTABLE = 1 << 3
    SELECTABLE_IN_USE = 1 << 5
    OUT_OF_CREDIT = 1 << 6


class Account(DeclaredObject):
    """`supply` is told whether the meter may go on to deliver, whenever that changes. `find` gives credits and charges."""

    def __init__(
        self,
        known: InterfaceClass,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        *,
        find: Find,
        now: Callable[[], datetime],
        supply: Callable[[bool], None],
    ) -> None:
        super().__init__(known, logical_name, values)
        self._find = find
        self._now = now
        self._supply = supply
        self._supplied = True
        self.attributes |= {
            3: Attribute(lambda: unsigned(self._place_in_use())),
            4: Attribute(self._state),
            5: Attribute(lambda: double_long(self.available)),
            6: Attribute(lambda: double_long(self._to_clear())),
            8: Attribute(lambda: double_long(self._debt())),
        }
        self.methods = {
            1: lambda parameters: self._move(AccountStatus.NEW, AccountStatus.ACTIVE, ACTIVATED),
            2: lambda parameters: self._move(AccountStatus.ACTIVE, AccountStatus.CLOSED, CLOSED),
            3: lambda parameters: self._reset_account(),
        }

    def _store(self, number: int, value: Data) -> None:
        super()._store(number, value)
        self.arrange()

    # -- what it refers to -------------------------------------------------------------------------------------------

    @property
    def status(self) -> AccountStatus:
        return AccountStatus(self._values[MODE_AND_STATUS][1].value)

    @property
    def credits(self) -> list[Credit]:
        """In the order in which they are used."""
        return sorted(self._listed_credits(), key=lambda credit: credit.priority)

    def _listed_credits(self) -> list[Credit]:
        found = (self._find(CREDIT_CLASS, ObisCode.from_octets(name.value)) for name in self._values[CREDITS])
        return [each for each in found if isinstance(each, Credit)]

    @property
    def in_use(self) -> Credit | None:
        return next((each for each in self.credits if each.status is CreditStatus.IN_USE), None)

    @property
    def available(self) -> int:
        """What may be used without anybody's doing."""
        return sum(max(0, each.amount - each.limit) for each in self.credits if each.is_usable)

    # -- charges -----------------------------------------------------------------------------------------------------

    def collect(self, amount: int) -> None:
        """A charge takes so much, of one credit after the other; what none has is owed by the first."""
        left = amount
        while left > 0 and (credit := self.in_use) is not None:
            part = min(left, credit.amount - credit.limit)
            left -= part
            credit.add(-part)
        if left > 0 and self.credits:
            self.credits[0].add(-left)

    @property
    def collects(self) -> bool:
        return self.status is AccountStatus.ACTIVE

    # -- tokens ------------------------------------------------------------------------------------------------------

    def receive(self, amount: int) -> None:
        """A token brought so much: shared out as token_gateway_configuration says, else all of it to the first credit that takes
        tokens. `Denied` where none does.
        """
        shares = {name.value: percent.value for name, percent in self._values[TOKENS]}
        takers = [each for each in self._listed_credits() if each.has(CreditConfiguration.BY_TOKENS)]
        if not takers:
            raise Denied(DataAccessResult.OTHER_REASON)
        first, given = takers[0], 0
        for credit in takers[1:]:
            part = amount * shares.get(credit.logical_name.octets, 0) // 100
            given += part
            credit.add(part)
        first.add(self._paid_back(amount - given))

    def _paid_back(self, amount: int) -> int:
        """What is left once the credits that are to be paid back are."""
        for credit in self.credits:
            part = min(amount, credit.owed)
            if part:
                amount -= part
                credit.pay_back(part)
        return amount

    # -- the credits' states -----------------------------------------------------------------------------------------

    def arrange(self) -> None:
        """Each credit's status, as its amount and the others' are now; and whether the supply goes on."""
        if self.status is not AccountStatus.ACTIVE:
            return
        used = None
        for credit in self.credits:
            credit.status = self._status_of(credit)
            if used is None and credit.is_usable:
                credit.status, used = CreditStatus.IN_USE, credit
        if (used is not None) is not self._supplied:
            self._supplied = used is not None
            self._supply(self._supplied)

    def _status_of(self, credit: Credit) -> CreditStatus:
        if credit.is_invoked:
            return CreditStatus.EXHAUSTED if credit.is_exhausted else CreditStatus.SELECTED
        if not credit.wants_confirmation:
            return CreditStatus.EXHAUSTED if credit.is_exhausted else CreditStatus.ENABLED
        others = sum(each.amount for each in self.credits if each is not credit and each.amount > 0)
        return CreditStatus.SELECTABLE if others <= credit.available_from else CreditStatus.ENABLED

    def _place_in_use(self) -> int:
        credit = self.in_use
        names = [name.value for name in self._values[CREDITS]]
        return 0 if credit is None else names.index(credit.logical_name.octets) + 1

    def _state(self) -> Data:
        in_use, statuses = self.in_use, [each.status for each in self.credits]
        state = CreditState.IN_CREDIT if in_use is not None else CreditState.OUT_OF_CREDIT
        if in_use is not None and self.available <= self._values[LOW_CREDIT].value:
            state |= CreditState.LOW_CREDIT
        if CreditStatus.ENABLED in statuses:
            state |= CreditState.NEXT_ENABLED
        if CreditStatus.SELECTABLE in statuses:
            state |= CreditState.NEXT_SELECTABLE
        if in_use is not None and in_use.wants_confirmation:
            state |= CreditState.SELECTABLE_IN_USE
        octet = sum(0x80 >> place for place in range(8) if state & 1 << place)
        return Data(DataType.BIT_STRING, BitString(bytes((octet,)), 8))

    def _to_clear(self) -> int:
        """What has to be paid before there is credit again, as a number below zero."""
        return sum(min(0, each.amount) - each.owed for each in self.credits)

    def _debt(self) -> int:
        charges = (self._find(CHARGE_CLASS, ObisCode.from_octets(name.value)) for name in self._values[CHARGES])
        remaining = (each.read(TOTAL_REMAINING) for each in charges if each is not None)
        return sum(each.value for each in remaining if isinstance(each, Data))

    # -- methods -----------------------------------------------------------------------------------------------------

    def _move(self, from_status: AccountStatus, to_status: AccountStatus, told: int) -> None:
        if self.status is not from_status:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._values[MODE_AND_STATUS] = structure(self._values[MODE_AND_STATUS][0], enum(to_status))
        self._values[told] = date_time(self._now())
        self.arrange()

    def _reset_account(self) -> None:
        """An account that was closed is new again, its credits are empty."""
        if self.status is not AccountStatus.CLOSED:
            raise Denied(DataAccessResult.OTHER_REASON)
        for credit in self.credits:
            credit.status = CreditStatus.ENABLED
            credit.put(0)
        self._values[MODE_AND_STATUS] = structure(self._values[MODE_AND_STATUS][0], enum(AccountStatus.NEW))
