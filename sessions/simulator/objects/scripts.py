"""Script table of a simulated meter (Blue Book, class 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meters.cosem.data import Data, DataType, array, enum, integer, long_unsigned, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require

NO_PARAMETER: Final = integer(0)


class ScriptService(IntEnum):
    """service_id of a script's action."""

    WRITE = 1
    EXECUTE = 2


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """One thing that a script does: the method or attribute `number` of the target, with `parameter`."""

    target: CosemObject
    number: int
    service: ScriptService = ScriptService.EXECUTE
    parameter: Data = NO_PARAMETER

    def run(self) -> None:
        if self.service is ScriptService.WRITE:
            self.target.write(self.number, self.parameter)
        else:
            self.target.invoke(self.number, self.parameter)

    def to_data(self) -> Data:
        return structure(
            enum(self.service),
            long_unsigned(self.target.class_id),
            octet_string(self.target.logical_name.octets),
            integer(self.number),
            self.parameter,
        )


class ScriptTable(CosemObject):
    """Script table (9, version 0): script n runs its actions in their order, as far as the first that is refused."""

    class_id = 9

    def __init__(self, logical_name: ObisCode, scripts: Mapping[int, Sequence[ScriptAction]]) -> None:
        super().__init__(logical_name)
        self.scripts = dict(scripts)
        self.attributes[2] = Attribute(self._describe)
        self.methods = {1: self._execute}

    def _describe(self) -> Data:
        return array(
            *(
                structure(long_unsigned(identifier), array(*(action.to_data() for action in actions)))
                for identifier, actions in self.scripts.items()
            )
        )

    def _execute(self, parameters: Data | None) -> None:
        actions = self.scripts.get(require(parameters, DataType.LONG_UNSIGNED).value)
        if actions is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        for action in actions:
            action.run()
