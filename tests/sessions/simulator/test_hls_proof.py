"""How a proof comes to the server, and how it is answered."""

from __future__ import annotations

import pytest

from meters.cosem.data import null, octet_string
from sessions.dlms.apdu.action import ActionRequestNormal, ActionResponseNormal
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult, InvokeIdAndPriority
from sessions.dlms.apdu.short_name import (
    ReadRequest,
    ReadResponse,
    VariableAccessSpecification,
    WriteRequest,
    WriteResponse,
    method_call,
)
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.simulator.hls_proof import asks_for_server_proof, hls_proof

VARIABLE = VariableAccessSpecification.variable
I = InvokeIdAndPriority(5)
ACTION = ActionRequestNormal(I, REPLY_TO_HLS, octet_string(b"proof"))
READ = ReadRequest((method_call(0xFA58, octet_string(b"proof")),))
WRITE = WriteRequest((VARIABLE(0xFA58),), (octet_string(b"proof"),))


@pytest.mark.parametrize(
    ("request_", "by_short_names", "accepted", "refused"),
    [
        (
            ACTION,
            False,
            ActionResponseNormal(I, ActionResult.SUCCESS, octet_string(b"ours")),
            ActionResponseNormal(I, ActionResult.READ_WRITE_DENIED),
        ),
        (READ, True, ReadResponse((octet_string(b"ours"),)), ReadResponse((DataAccessResult.READ_WRITE_DENIED,))),
        (
            WRITE,
            True,
            WriteResponse((DataAccessResult.SUCCESS,)),
            WriteResponse((DataAccessResult.READ_WRITE_DENIED,)),
        ),
    ],
)
def test_a_proof(request_, by_short_names, accepted, refused):
    proof = hls_proof(request_, by_short_names=by_short_names)
    assert proof is not None
    assert proof.octets == b"proof"
    assert proof.accepted(b"ours") == accepted.encode()
    assert proof.refused(ActionResult.READ_WRITE_DENIED) == refused.encode()
    assert "octets" not in repr(proof)
    assert hls_proof(request_, by_short_names=not by_short_names) is None


@pytest.mark.parametrize(
    ("request_", "by_short_names"),
    [
        (ActionRequestNormal(I, REPLY_TO_HLS), False),
        (ActionRequestNormal(I, REPLY_TO_HLS, null()), False),
        (ReadRequest((method_call(0xFA58, None),)), True),
        (WriteRequest((VARIABLE(0xFA58),), (null(),)), True),
    ],
)
def test_a_proof_that_is_no_octet_string(request_, by_short_names):
    proof = hls_proof(request_, by_short_names=by_short_names)
    assert proof is not None
    assert proof.octets is None


@pytest.mark.parametrize(
    "request_",
    [
        ReadRequest((VARIABLE(0xFA58),)),
        ReadRequest((method_call(0xFA50, octet_string(b"proof")),)),
        ReadRequest((*READ.variables, VARIABLE(0xFA08))),
        ReadRequest(()),
        WriteRequest((VARIABLE(0xFA40),), (octet_string(b"proof"),)),
        WriteRequest((VARIABLE(0xFA58),), ()),
        ReadResponse(()),
    ],
)
def test_other_requests(request_):
    assert hls_proof(request_, by_short_names=True) is None


def test_reading_the_meters_proof():
    assert asks_for_server_proof(ReadRequest((VARIABLE(0xFA58),)))
    assert not asks_for_server_proof(READ)
    assert not asks_for_server_proof(WRITE)
