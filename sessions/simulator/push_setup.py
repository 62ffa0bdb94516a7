"""Push setup of a simulated meter (40, version 0): its method collects what the list names, and the meter says it unasked.

Source: Blue Book, Push setup; what is sent is a DataNotification (IEC 62056-5-3) with one structure, in the order of the list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from meters.cosem.data import Data, array, enum, long_unsigned, octet_string, structure, unsigned
from meters.cosem.obis import ObisCode
from meters.cosem.profile import CaptureObject
from sessions.simulator.objects.base import Attribute, CosemObject, constant

TCP: Final = 0
A_XDR: Final = 0
LOGICAL_NAME: Final = 1


class PushSetup(CosemObject):
    """`sources` are objects with the attribute that is pushed of each; `send` takes the structure of their values."""

    class_id = 40

    def __init__(
        self, logical_name: ObisCode, sources: Sequence[tuple[CosemObject, int]], send: Callable[[Data], None]
    ) -> None:
        super().__init__(logical_name)
        # The first element tells the receiver which of a meter's pushes this is.
        self._sources = ((self, LOGICAL_NAME), *sources)
        self._send = send
        listed = [CaptureObject(source.class_id, source.logical_name, number) for source, number in self._sources]
        self.attributes |= {
            2: Attribute(lambda: array(*(each.to_data() for each in listed))),
            3: constant(structure(enum(TCP), octet_string(b""), enum(A_XDR))),
            4: constant(array()),
            5: constant(long_unsigned(0)),
            6: constant(unsigned(0)),
            7: constant(long_unsigned(0)),
        }
        self.methods = {1: self._push}

    def _push(self, parameters: Data | None) -> None:
        values = [source.read(number) for source, number in self._sources]
        self._send(structure(*(value for value in values if isinstance(value, Data))))
