"""Credit of a simulated meter (112, version 0): an amount that charges use up, and its part in the account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, IntFlag

from meters.cosem.data import Data, DataType, double_long, enum
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied, require
from sessions.simulator.objects.declared import DeclaredObject

AMOUNT, PRIORITY, WARNING, LIMIT, CONFIGURATION, STATUS, PRESET, AVAILABLE_FROM = 2, 4, 5, 6, 7, 8, 9, 10
LOWEST, HIGHEST = -0x8000_0000, 0x7FFF_FFFF


class CreditStatus(IntEnum):
    ENABLED = 0
    SELECTABLE = 1
    SELECTED = 2
    IN_USE = 3
    EXHAUSTED = 4


class CreditConfiguration(IntFlag):
    """By the number of the bit, the first one sent being 0."""

    VISUAL = 1 << 0
    CONFIRMATION_REQUIRED = 1 << 1
    TO_BE_PAID_BACK = 1 << 2
    RESETTABLE = 1 << 3
    BY_TOKENS = 1 << 4


def _nobody() -> None:
    """No account has this credit."""


class Credit(DeclaredObject):
    """`changed` is told after each change: the account looks at its credits anew."""

    def __init__(self, known: InterfaceClass, logical_name: ObisCode, values: Mapping[int, Data]) -> None:
        super().__init__(known, logical_name, values)
        self.changed: Callable[[], None] = _nobody
        self.methods = {1: self._update, 2: self._set, 3: lambda parameters: self._invoke()}

    def _store(self, number: int, value: Data) -> None:
        super()._store(number, value)
        self.changed()

    @property
    def amount(self) -> int:
        return int(self._values[AMOUNT].value)

    @property
    def limit(self) -> int:
        return int(self._values[LIMIT].value)

    @property
    def preset(self) -> int:
        return int(self._values[PRESET].value)

    @property
    def available_from(self) -> int:
        """The account's other credit at or below which this one may be chosen."""
        return int(self._values[AVAILABLE_FROM].value)

    @property
    def priority(self) -> int:
        """1 is used first."""
        return int(self._values[PRIORITY].value)

    @property
    def wants_confirmation(self) -> bool:
        return self.has(CreditConfiguration.CONFIRMATION_REQUIRED)

    @property
    def is_invoked(self) -> bool:
        """Whether somebody chose it, and it is not paid back since then."""
        chosen = (CreditStatus.SELECTED, CreditStatus.IN_USE, CreditStatus.EXHAUSTED)
        return self.wants_confirmation and self.status in chosen

    @property
    def is_usable(self) -> bool:
        """Whether charges may take of it."""
        ready = self.status in (CreditStatus.SELECTED, CreditStatus.IN_USE)
        return not self.is_exhausted and (
            ready or (self.status is CreditStatus.ENABLED and not self.wants_confirmation)
        )

    @property
    def owed(self) -> int:
        """What was used of it and is to be paid back."""
        lent = self.is_invoked and self.has(CreditConfiguration.TO_BE_PAID_BACK)
        return max(0, self.preset - self.amount) if lent else 0

    @property
    def is_exhausted(self) -> bool:
        return self.amount <= self.limit

    @property
    def status(self) -> CreditStatus:
        return CreditStatus(self._values[STATUS].value)

    @status.setter
    def status(self, status: CreditStatus) -> None:
        self._values[STATUS] = enum(status)

    def has(self, wanted: CreditConfiguration) -> bool:
        bits = self._values[CONFIGURATION].value
        held = sum(1 << place for place in range(bits.length) if bits.octets[place // 8] & 0x80 >> place % 8)
        return bool(held & wanted)

    def add(self, amount: int) -> None:
        """`Denied` where it would be more than there is room for."""
        self.put(self.amount + amount)

    def put(self, amount: int) -> None:
        if not LOWEST <= amount <= HIGHEST:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._values[AMOUNT] = double_long(amount)
        self.changed()

    def pay_back(self, amount: int) -> None:
        """Once all is paid back it may be chosen again."""
        if amount < self.owed:
            self.add(amount)
            return
        self.status = CreditStatus.ENABLED
        self.put(0)

    # -- methods -----------------------------------------------------------------------------------------------------

    def _update(self, parameters: Data | None) -> None:
        self.add(require(parameters, DataType.DOUBLE_LONG).value)

    def _set(self, parameters: Data | None) -> None:
        self.put(require(parameters, DataType.DOUBLE_LONG).value)

    def _invoke(self) -> None:
        """Choose a credit that may be chosen; it begins with its preset amount."""
        if self.status is not CreditStatus.SELECTABLE:
            raise Denied(DataAccessResult.OTHER_REASON)
        self.status = CreditStatus.SELECTED
        self.put(self.preset)
