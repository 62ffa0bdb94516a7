"""HLS pass 3 as it comes to the server: reply_to_HLS_authentication of the current association, by whichever name.

By logical names it is an ACTION, by short names a READ with parameterised access. Clients are known that WRITE their proof to the
method's short name: it is believed, and what proves the meter can be read there afterwards. Source: Blue Book, classes 12 and 15.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from meters.cosem.data import Data, DataType, octet_string
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.short_name import (
    ReadRequest,
    ReadResponse,
    VariableAccess,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
)
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.short_name_map import REPLY_TO_HLS_NAME


@dataclass(frozen=True, slots=True)
class HlsProof:
    """What a client offers as f(StoC), None where it is no octet-string, and how its kind of request is answered."""

    octets: bytes | None = field(repr=False)
    answer: Callable[[ActionResult, Data | None], bytes]

    def accepted(self, proof: bytes) -> bytes:
        """The answer with f(CtoS)."""
        return self.answer(ActionResult.SUCCESS, octet_string(proof))

    def refused(self, result: ActionResult) -> bytes:
        return self.answer(result, None)


def hls_proof(request: Apdu, *, by_short_names: bool) -> HlsProof | None:
    """The proof in a request; None where it is another request."""
    if by_short_names:
        return _by_short_name(request)
    if not isinstance(request, ActionRequestNormal) or request.cosem_method_descriptor != REPLY_TO_HLS:
        return None

    def answer(result: ActionResult, returned: Data | None) -> bytes:
        return ActionResponseNormal(request.invoke_id_and_priority, result, returned).encode()

    return HlsProof(_octets(request.method_invocation_parameters), answer)


def _by_short_name(request: Apdu) -> HlsProof | None:
    match request:
        case ReadRequest(variables=(VariableAccessSpecification() as variable,)) if _is_reply(variable):
            if variable.kind is VariableAccess.PARAMETERIZED_ACCESS:
                return HlsProof(_octets(variable.parameter), _read_answer)
        case WriteRequest(variables=(VariableAccessSpecification() as variable,), values=(value,)) if _is_reply(
            variable
        ):
            return HlsProof(_octets(value), _write_answer)
    return None


def asks_for_server_proof(request: Apdu) -> bool:
    """Whether a client that wrote its proof reads the meter's."""
    return request == ReadRequest((VariableAccessSpecification.variable(REPLY_TO_HLS_NAME),))


def _is_reply(variable: VariableAccessSpecification) -> bool:
    return variable.named and variable.number == REPLY_TO_HLS_NAME


def _octets(parameters: Data | None) -> bytes | None:
    if parameters is None or parameters.type is not DataType.OCTET_STRING:
        return None
    octets: bytes = parameters.value
    return octets


def _read_answer(result: ActionResult, returned: Data | None) -> bytes:
    return ReadResponse((DataAccessResult(result) if returned is None else returned,)).encode()


def _write_answer(result: ActionResult, returned: Data | None) -> bytes:
    return WriteResponse((DataAccessResult(result),)).encode()
