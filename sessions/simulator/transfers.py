"""The requests of one association: whether the service was agreed to, and which service answers.

A block that has no place in the state is answered with the result code that the standard has for it, and ends the transfer; a
new request silently takes the place of a transfer that was not finished. Source: IEC 62056-5-3, block transfer.
"""

from __future__ import annotations

from typing import Final

from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.access import AccessRequest
from sessions.dlms.apdu.action import ActionRequest, ActionRequestNextPblock, ActionRequestWithPblock
from sessions.dlms.apdu.get import GetRequestNext
from sessions.dlms.apdu.notification import CONFIRMED, DataNotificationConfirm
from sessions.dlms.apdu.set import SetRequest, SetRequestWithDatablock
from sessions.dlms.conformance import Conformance
from sessions.simulator.access_service import AccessService
from sessions.simulator.action_service import ActionService
from sessions.simulator.device import Caller, LogicalDevice
from sessions.simulator.get_service import GetRequest, GetService
from sessions.simulator.service import NOT_NEGOTIATED, NOT_SUPPORTED, Progress, Room
from sessions.simulator.set_service import SetService

CONTINUATIONS: Final = (GetRequestNext, SetRequestWithDatablock, ActionRequestNextPblock, ActionRequestWithPblock)
"""Requests that belong to the transfer that is under way."""


class ServerTransfers:
    """Answers the requests of one caller."""

    def __init__(self, device: LogicalDevice, caller: Caller) -> None:
        self.progress = Progress()
        self._caller = caller
        self._get = GetService(device, caller, self.progress)
        self._set = SetService(device, caller, self.progress)
        self._action = ActionService(device, caller, self.progress)
        self._access = AccessService(device, caller, self.progress)

    def answer(self, request: Apdu, within: Room) -> bytes | None:
        """The answer's octets in clear; None where the client wants none."""
        if isinstance(request, DataNotificationConfirm):
            return None
        if not isinstance(request, CONTINUATIONS):
            self.progress.give_up()
        match request:
            case AccessRequest():
                confirmed = bool(request.long_invoke_id_and_priority & CONFIRMED)
            case _:
                invocation = getattr(request, "invoke_id_and_priority", None)
                confirmed = invocation is None or invocation.confirmed
        answer = self._serve(request, within)
        return answer if confirmed else None

    def _serve(self, request: Apdu, within: Room) -> bytes:
        if isinstance(request, GetRequest):
            return self._get.answer(request, within) if self._agreed(Conformance.GET) else NOT_NEGOTIATED.encode()
        if isinstance(request, SetRequest):
            return self._set.answer(request) if self._agreed(Conformance.SET) else NOT_NEGOTIATED.encode()
        if isinstance(request, ActionRequest):
            return self._action.answer(request, within) if self._agreed(Conformance.ACTION) else NOT_NEGOTIATED.encode()
        if isinstance(request, AccessRequest):
            return self._access.answer(request, within) if self._agreed(Conformance.ACCESS) else NOT_NEGOTIATED.encode()
        return NOT_SUPPORTED.encode()

    def _agreed(self, service: Conformance) -> bool:
        return service in self._caller.conformance
