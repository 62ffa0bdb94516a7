"""Script table of a simulated meter (Blue Book, class 9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from meters.cosem.data import Data, DataType, array, enum, integer, long_unsigned, octet_string, structure
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, require


@dataclass(frozen=True, slots=True)
class ScriptAction:
    """What a script does: here always the execution of a method with integer(0)."""

    target: CosemObject
    method_id: int


EXECUTE: Final = 2
"""service_id of a script's action: execute a method."""


class ScriptTable(CosemObject):
    """Script table (9, version 0): script n runs its action."""

    class_id = 9

    def __init__(self, logical_name: ObisCode, scripts: Mapping[int, ScriptAction]) -> None:
        super().__init__(logical_name)
        self.scripts = dict(scripts)
        self.attributes[2] = Attribute(self._describe)
        self.methods = {1: self._execute}

    def _describe(self) -> Data:
        return array(
            *(
                structure(
                    long_unsigned(identifier),
                    array(
                        structure(
                            enum(EXECUTE),
                            long_unsigned(action.target.class_id),
                            octet_string(action.target.logical_name.octets),
                            integer(action.method_id),
                            integer(0),
                        )
                    ),
                )
                for identifier, action in self.scripts.items()
            )
        )

    def _execute(self, parameters: Data | None) -> Data | None:
        action = self.scripts.get(require(parameters, DataType.LONG_UNSIGNED).value)
        if action is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        return action.target.invoke(action.method_id, integer(0))
