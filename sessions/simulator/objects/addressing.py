"""Where the logical devices of a simulated meter are: SAP assignment, IEC HDLC setup (Blue Book, classes 17 and 23)."""

from __future__ import annotations

from collections.abc import Mapping

from meters.cosem.data import array, enum, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from sessions.simulator.objects.base import Attribute, CosemObject, constant


class SapAssignment(CosemObject):
    """SAP assignment (17, version 0): the logical devices of the meter."""

    class_id = 17

    def __init__(self, logical_name: ObisCode, logical_devices: Mapping[int, bytes]) -> None:
        super().__init__(logical_name)
        devices = array(
            *(structure(long_unsigned(sap), octet_string(name)) for sap, name in sorted(logical_devices.items()))
        )
        self.attributes[2] = Attribute(lambda: devices)


class HdlcSetup(CosemObject):
    """IEC HDLC setup (23, version 1), to be read only."""

    class_id = 23
    version = 1

    def __init__(self, logical_name: ObisCode, *, max_info: int, inactivity_timeout: int, device_address: int) -> None:
        super().__init__(logical_name)
        baud_9600 = 5
        values = {
            2: enum(baud_9600),
            3: unsigned(1),
            4: unsigned(1),
            5: long_unsigned(max_info),
            6: long_unsigned(max_info),
            7: long_unsigned(25),
            8: long_unsigned(inactivity_timeout),
            9: long_unsigned(device_address),
        }
        self.attributes |= {number: constant(value) for number, value in values.items()}
