"""Arbitrator of a simulated meter (68, version 0): several actors ask for actions, and the one with the greatest weight is run.

Each actor's last request stands. An action weighs as much as all actors together give it that ask for it; of actions of the same
weight the first is run. Actors and actions are counted from 1, and the outcome 0 is none: that, and what becomes of equal
weights, is not told by the lists of the standard's attributes that this was made from. Source: Blue Book, Arbitrator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from meters.cosem.data import BitString, Data, DataType, array, unsigned
from meters.cosem.interface_class import InterfaceClass
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.simulator.objects.base import Denied
from sessions.simulator.objects.declared import DeclaredObject, check

ACTIONS, PERMISSIONS, WEIGHTS, REQUESTS, OUTCOME = 2, 3, 4, 5, 6
NO_OUTCOME: Final = 0


class Arbitrator(DeclaredObject):
    """`run(script table, selector)` runs a script."""

    def __init__(
        self,
        known: InterfaceClass,
        logical_name: ObisCode,
        values: Mapping[int, Data],
        run: Callable[[ObisCode, int], None],
    ) -> None:
        super().__init__(known, logical_name, values)
        self._run = run
        self._forget()
        self.methods = {1: self._request, 2: lambda parameters: self._forget()}

    def _store(self, number: int, value: Data) -> None:
        super()._store(number, value)
        if number in (ACTIONS, PERMISSIONS, WEIGHTS):
            self._forget()

    def _forget(self) -> None:
        """Nobody has asked for anything."""
        count = len(self._values[ACTIONS])
        nothing = Data(DataType.BIT_STRING, BitString(bytes((count + 7) // 8), count))
        self._values[REQUESTS] = array(*[nothing] * len(self._values[PERMISSIONS]))
        self._values[OUTCOME] = unsigned(NO_OUTCOME)

    def _request(self, parameters: Data | None) -> None:
        declared = self._known.methods[1].parameter
        if parameters is None or declared is None:
            raise Denied(DataAccessResult.TYPE_UNMATCHED)
        check(parameters, declared, parameters)
        actor, wanted = parameters[0].value, parameters[1]
        requests = list(self._values[REQUESTS])
        if not 1 <= actor <= len(requests) or wanted.value.length != len(self._values[ACTIONS]):
            raise Denied(DataAccessResult.OTHER_REASON)
        allowed = _bits(self._values[PERMISSIONS][actor - 1])
        if any(bit and not (place < len(allowed) and allowed[place]) for place, bit in enumerate(_bits(wanted))):
            raise Denied(DataAccessResult.READ_WRITE_DENIED)
        requests[actor - 1] = wanted
        self._values[REQUESTS] = array(*requests)
        self._decide()

    def _decide(self) -> None:
        """Run what weighs most; nothing where nobody asks for anything."""
        weights = [0] * len(self._values[ACTIONS])
        for row, request in zip(self._values[WEIGHTS], self._values[REQUESTS], strict=False):
            for place, (weight, bit) in enumerate(zip(row, _bits(request), strict=False)):
                weights[place] += weight.value if bit else 0
        if not any(weights):
            self._values[OUTCOME] = unsigned(NO_OUTCOME)
            return
        place = weights.index(max(weights))
        self._values[OUTCOME] = unsigned(place + 1)
        script = self._values[ACTIONS][place]
        self._run(ObisCode.from_octets(script[0].value), script[1].value)


def _bits(value: Data) -> list[bool]:
    bits = value.value
    return [bool(bits.octets[place // 8] & 0x80 >> place % 8) for place in range(bits.length)]
