"""Token gateway of a simulated meter (115, version 0): tokens of twenty digits, each taken once.

The tokens are the simulator's own, as those of IEC 62055-41 need keys and a cipher that are not simulated: an amount of the least
unit of currency (6 digits), a number that no token of the meter had before (6), and a check over both and the serial number (8).
What is wrong with a token stands in token_status, and the method is refused. Source: Blue Book, Token gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any, Final
from zlib import crc32

from meters.cosem.data import BitString, Data, DataType, array, date_time, enum, octet_string, structure
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied, require
from sessions.simulator.objects.declared import DeclaredObject

TOKEN, TIME, DESCRIPTION, DELIVERY, STATUS = 2, 3, 4, 5, 6
DIGITS: Final = 20
MOST: Final = 10**6
CHECKS: Final = 10**8
REMOTE: Final = 0
MAX_USED: Final = 1_000
"""Numbers of tokens that are remembered; lower ones than the lowest of them count as used."""


class TokenStatus(IntEnum):
    EXECUTION_OK = 3
    FORMAT_FAILURE = 4
    AUTHENTICATION_FAILURE = 5
    VALIDATION_FAILURE = 6
    EXECUTION_FAILURE = 7


class TokenRefused(Exception):
    """Why a token is not taken."""

    def __init__(self, status: TokenStatus) -> None:
        super().__init__(status.name)
        self.status = status


def make_token(serial_number: str, amount: int, number: int) -> str:
    """A token for the meter of this serial number; ValueError where amount or number have more than six digits."""
    if not (0 < amount < MOST and 0 <= number < MOST):
        raise ValueError("amount and number have up to six digits, the amount is not 0")
    return f"{amount:06}{number:06}{_check(serial_number, amount, number):08}"


def _check(serial_number: str, amount: int, number: int) -> int:
    return crc32(f"{serial_number}:{amount}:{number}".encode()) % CHECKS


class TokenGateway(DeclaredObject):
    """`receive(amount)` gives what a token brought to the account."""

    def __init__(
        self,
        known: InterfaceClass,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        serial_number: str,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(known, logical_name, values)
        self.receive: Callable[[int], None] = _nobody
        self._serial_number = serial_number
        self._now = now
        self._used: list[int] = []
        self.methods = {1: self._enter}

    def _enter(self, parameters: Data | None) -> None:
        token = require(parameters, DataType.OCTET_STRING)
        self._values[TOKEN], self._values[TIME] = token, date_time(self._now())
        self._values[DELIVERY], self._values[DESCRIPTION] = enum(REMOTE), array()
        try:
            amount = self._taken(token.value)
        except TokenRefused as refused:
            self._say(refused.status)
            raise Denied(DataAccessResult.OTHER_REASON) from None
        self._values[DESCRIPTION] = array(octet_string(f"credit {amount}".encode()))
        self._say(TokenStatus.EXECUTION_OK)

    def _taken(self, token: bytes) -> int:
        if len(token) != DIGITS or not token.isdigit():
            raise TokenRefused(TokenStatus.FORMAT_FAILURE)
        amount, number, check = int(token[:6]), int(token[6:12]), int(token[12:])
        if amount == 0 or check != _check(self._serial_number, amount, number):
            raise TokenRefused(TokenStatus.AUTHENTICATION_FAILURE)
        forgotten = len(self._used) >= MAX_USED and number < self._used[0]
        if number in self._used or forgotten:
            raise TokenRefused(TokenStatus.VALIDATION_FAILURE)
        try:
            self.receive(amount)
        except Denied:
            raise TokenRefused(TokenStatus.EXECUTION_FAILURE) from None
        self._used = sorted([*self._used, number])[-MAX_USED:]
        return amount

    def _say(self, status: TokenStatus) -> None:
        self._values[STATUS] = structure(enum(status), Data(DataType.BIT_STRING, BitString(b"", 0)))

    def keep(self) -> Any:
        return {"values": super().keep(), "used": self._used}

    def restore(self, kept: Any) -> None:
        used = [int(number) for number in kept["used"]]
        super().restore(kept["values"])
        self._used = used


def _nobody(amount: int) -> None:
    raise Denied(DataAccessResult.OTHER_REASON)
