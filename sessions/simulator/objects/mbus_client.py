"""M-Bus client (Blue Book, class 72): the device behind a meter, how it is found, and when its values are captured.

The device is there whether it is installed or not: `slave_install` finds it, `slave_deinstall` forgets it and the key. Its values
are those of the last capture: at every full `capture_period` of the meter's clock, or when `capture` was invoked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from meters.cosem.data import Data, DataType, double_long_unsigned, enum, long_unsigned, unsigned
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied, require
from sessions.simulator.objects.declared import DeclaredObject

CAPTURE_PERIOD, PRIMARY_ADDRESS, IDENTIFICATION_NUMBER, MANUFACTURER_ID, VERSION, DEVICE_TYPE = 4, 5, 6, 7, 8, 9
ACCESS_NUMBER, ALARM, KEY_STATUS = 10, 12, 14
IDENTITY: Final = (PRIMARY_ADDRESS, IDENTIFICATION_NUMBER, MANUFACTURER_ID, VERSION, DEVICE_TYPE)
NOBODY: Final[Mapping[int, Data]] = {
    PRIMARY_ADDRESS: unsigned(0),
    IDENTIFICATION_NUMBER: double_long_unsigned(0),
    MANUFACTURER_ID: long_unsigned(0),
    VERSION: unsigned(0),
    DEVICE_TYPE: unsigned(0),
}
LAST_ADDRESS: Final = 250
KEY_SIZES: Final = frozenset({0, 16})
NO_KEY, KEY_SET, KEY_TRANSFERRED, KEY_SET_AND_TRANSFERRED = range(4)


class MbusClient(DeclaredObject):
    """`values` say which device is there, and how the client is set up. `now` is the meter's clock."""

    def __init__(
        self, known: InterfaceClass, logical_name: ObisCode, values: Mapping[int, Data], now: Callable[[], datetime]
    ) -> None:
        super().__init__(known, logical_name, values)
        self._now = now
        self._device = {number: self._values[number] for number in IDENTITY}
        self._captured: datetime | None = None
        self.methods = {
            1: self._install,
            2: self._deinstall,
            3: self._capture,
            4: self._reset_alarm,
            7: self._set_key,
        }
        if KEY_STATUS in self.attributes:
            self.methods[8] = self._transfer_key

    @property
    def installed(self) -> bool:
        return bool(self._values[PRIMARY_ADDRESS].value)

    def captured_at(self, moment: datetime) -> datetime:
        """When the values were captured that the meter holds at a moment of its clock."""
        seconds = self._values[CAPTURE_PERIOD].value
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        period = timedelta(seconds=seconds)
        last = midnight + (moment - midnight) // period * period if seconds else midnight
        by_hand = self._captured
        return by_hand if by_hand is not None and last < by_hand <= moment else last

    # -- methods -----------------------------------------------------------------------------------------------------

    def _install(self, parameters: Data | None) -> None:
        """At this primary address, or, with 0, at the one that the device has."""
        address = require(parameters, DataType.UNSIGNED).value
        if self.installed or address > LAST_ADDRESS:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._values.update(self._device)
        if address:
            self._values[PRIMARY_ADDRESS] = unsigned(address)

    def _deinstall(self, parameters: Data | None) -> None:
        self._need_device()
        self._values.update(NOBODY)
        if KEY_STATUS in self._values:
            self._values[KEY_STATUS] = enum(NO_KEY)

    def _capture(self, parameters: Data | None) -> None:
        self._need_device()
        self._captured = self._now()
        self._values[ACCESS_NUMBER] = unsigned((self._values[ACCESS_NUMBER].value + 1) & 0xFF)

    def _reset_alarm(self, parameters: Data | None) -> None:
        self._values[ALARM] = unsigned(0)

    def _set_key(self, parameters: Data | None) -> None:
        """The key that the client uses from now on; an empty one switches encryption off."""
        self._move_key({NO_KEY: KEY_SET, KEY_TRANSFERRED: KEY_SET_AND_TRANSFERRED}, in_use=bool(self._key(parameters)))

    def _transfer_key(self, parameters: Data | None) -> None:
        """The key goes to the device, encrypted under the one that it was made with."""
        self._need_device()
        if not self._key(parameters):
            raise Denied(DataAccessResult.OTHER_REASON)
        self._move_key({NO_KEY: KEY_TRANSFERRED, KEY_SET: KEY_SET_AND_TRANSFERRED}, in_use=True)

    def _move_key(self, steps: Mapping[int, int], *, in_use: bool) -> None:
        if KEY_STATUS in self._values:
            status = self._values[KEY_STATUS].value
            self._values[KEY_STATUS] = enum(steps.get(status, status) if in_use else NO_KEY)

    @staticmethod
    def _key(parameters: Data | None) -> bytes:
        key: bytes = require(parameters, DataType.OCTET_STRING).value
        if len(key) not in KEY_SIZES:
            raise Denied(DataAccessResult.OTHER_REASON)
        return key

    def _need_device(self) -> None:
        if not self.installed:
            raise Denied(DataAccessResult.OTHER_REASON)
