"""ACCESS on the server's side: reads, writes and methods of one request, in their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from meters.cosem.data import Data, null
from sessions.dlms.apdu.access import AccessKind, AccessRequest, AccessSpecification, begin_access_response
from sessions.dlms.apdu.descriptors import CosemMethodDescriptor, DataAccessResult
from sessions.dlms.axdr import encode_data
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import InvalidValueError
from sessions.simulator.objects.base import Denied
from sessions.simulator.service import MAX_LIST, PDU_TOO_LONG, Room, Service

SELF_DESCRIPTIVE: Final = 1 << 28
BREAK_ON_ERROR: Final = 1 << 29
NO_VALUE: Final = (encode_data(null()),)
NOT_DONE: Final = (NO_VALUE, int(DataAccessResult.OTHER_REASON))
"""What an item gets that comes after the one that broke the request."""

PLAIN_KINDS: Final = {AccessKind.GET_WITH_SELECTION: AccessKind.GET, AccessKind.SET_WITH_SELECTION: AccessKind.SET}
"""A response has no choices of its own for selections."""


class AccessService(Service):
    """Answers access-requests."""

    def answer(self, request: AccessRequest, within: Room) -> bytes:
        specifications, data = request.specifications, request.data
        if len(specifications) != len(data):
            raise InvalidValueError(
                "access-request-list-of-data", 0, f"{len(specifications)} expected, {len(data)} came"
            )
        if len(specifications) > MAX_LIST:
            return PDU_TOO_LONG.encode()
        writer = self._begin(request)
        results = []
        for parts, code in self._run_all(request):
            for part in parts:
                if not within.holds(len(writer.put(part))):
                    return PDU_TOO_LONG.encode()
            results.append(code)
        writer.length(len(results))
        for specification, code in zip(specifications, results, strict=True):
            writer.u8(PLAIN_KINDS.get(specification.kind, specification.kind)).u8(code)
        return writer.octets() if within.holds(len(writer)) else PDU_TOO_LONG.encode()

    @staticmethod
    def _begin(request: AccessRequest) -> Writer:
        flags = request.long_invoke_id_and_priority
        described = request.specifications if flags & SELF_DESCRIPTIVE else None
        return begin_access_response(flags, None, described).length(len(request.data))

    def _run_all(self, request: AccessRequest) -> Iterable[tuple[Iterable[bytes], int]]:
        """The encoded value (in parts) and the result code of each item, as it is done."""
        breaks = bool(request.long_invoke_id_and_priority & BREAK_ON_ERROR)
        broken = False
        for specification, data in zip(request.specifications, request.data, strict=True):
            outcome = NOT_DONE if broken else self._run(specification, data)
            broken = broken or (breaks and outcome[1] != DataAccessResult.SUCCESS)
            yield outcome

    def _run(self, specification: AccessSpecification, data: Data) -> tuple[Iterable[bytes], int]:
        descriptor, selection = specification.descriptor, specification.selection
        if isinstance(descriptor, CosemMethodDescriptor):
            result, returned = self._invoke(descriptor, data)
            return NO_VALUE if returned is None else (encode_data(returned),), int(result)
        if specification.kind in (AccessKind.SET, AccessKind.SET_WITH_SELECTION):
            return NO_VALUE, int(self._write(descriptor, selection, data))
        try:
            return self._read(descriptor, selection).parts, int(DataAccessResult.SUCCESS)
        except Denied as denied:
            return NO_VALUE, int(denied.result)
