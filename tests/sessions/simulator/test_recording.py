"""Recordings: who associated how, and which answer belongs to which request."""

from __future__ import annotations

import json

import pytest

from meters.cosem.data import octet_string, unsigned
from sessions.dlms.apdu.descriptors import ActionResult, DataAccessResult
from sessions.dlms.apdu.get import GetRequestNormal, GetResponseWithDatablock
from sessions.dlms.association import Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.axdr import encode_data
from sessions.simulator.recording import Listener, RecordedAction, RecordedGet, RecordedSet, Recording
from sessions.simulator.trace import TracedApdu, load_trace
from tests.sessions.simulator.recorded import (
    AARE,
    ASSOCIATION,
    BUFFER,
    CLOCK,
    SERVICES,
    I,
    answered,
    asked,
    between,
    rows,
    trace_of,
)


def listen(frames) -> Recording:
    trace = trace_of(frames)
    return Listener(trace.keys).listen(trace.apdus)


def test_the_association_is_noted():
    recording = listen(ASSOCIATION)
    association = recording.associations[32]
    assert association.mechanism is AuthenticationMechanism.LLS
    assert association.aarq.calling_authentication_value == b"111111"
    assert association.aare_octets == AARE.encode()
    assert association.initiate is not None
    assert association.initiate.server_max_receive_pdu_size == 100
    assert association.protection is Protection.NONE
    assert not association.ciphered
    assert recording.clients == [32]


def test_every_answer_is_noted_with_its_request():
    services = listen(SERVICES).services[32]
    gets = [each for each in services if isinstance(each, RecordedGet)]
    assert all(each.complete for each in gets)
    assert [each.octets for each in gets[:2]] == [
        encode_data(octet_string(b"first answer")),
        encode_data(octet_string(b"then another")),
    ]
    assert gets[2].octets == encode_data(rows(1, 2, 3, 4))
    assert set(gets[2].block_sizes[:-1]) == {17}
    assert gets[3].block_sizes == ()
    assert gets[-1].result is DataAccessResult.READ_WRITE_DENIED
    assert [each.result for each in services if isinstance(each, RecordedSet)] == [
        DataAccessResult.SUCCESS,
        DataAccessResult.TYPE_UNMATCHED,
    ]
    actions = [each for each in services if isinstance(each, RecordedAction)]
    assert [(each.result, each.returned) for each in actions] == [
        (ActionResult.SUCCESS, unsigned(1)),
        (ActionResult.TEMPORARY_FAILURE, None),
    ]


def test_an_answer_that_was_cut_off_is_not_complete():
    request = asked(GetRequestNormal(I, BUFFER, between(1, 2)))
    block = answered(GetResponseWithDatablock(I, False, 1, b"\x01\x02"))
    (service,) = listen([request, block]).services[32]
    assert isinstance(service, RecordedGet)
    assert not service.complete


def test_a_block_out_of_order_is_not_taken():
    frames = [
        asked(GetRequestNormal(I, BUFFER)),
        answered(GetResponseWithDatablock(I, False, 1, b"\x09\x02")),
        answered(GetResponseWithDatablock(I, False, 1, b"\x09\x02")),
        answered(GetResponseWithDatablock(I, True, 3, b"zz")),
        answered(GetResponseWithDatablock(I, True, 2, b"ok")),
    ]
    (service,) = listen(frames).services[32]
    assert isinstance(service, RecordedGet)
    assert (service.complete, service.octets) == (True, b"\x09\x02ok")


def test_a_refused_transfer_is_a_refusal():
    frames = [
        asked(GetRequestNormal(I, BUFFER)),
        answered(GetResponseWithDatablock(I, True, 1, DataAccessResult.LONG_GET_ABORTED)),
    ]
    (service,) = listen(frames).services[32]
    assert isinstance(service, RecordedGet)
    assert (service.complete, service.result) == (True, DataAccessResult.LONG_GET_ABORTED)


def test_what_nobody_can_read_is_kept_as_it_is():
    apdus = [TracedApdu(True, 16, b"\xff\x01\x0a"), TracedApdu(False, 16, b"\xff\xfd")]
    recording = Listener(trace_of(ASSOCIATION).keys).listen(apdus)
    assert recording.raw == {b"\xff\x01\x0a": b"\xff\xfd"}


def test_an_answer_without_a_question_is_passed_over():
    recording = listen([answered(AARE), SERVICES[1]])
    assert recording.associations == {}
    assert recording.services == {}


@pytest.mark.parametrize("identifier", ["kfm-hls-gmac"])
def test_a_ciphered_conversation_is_opened_with_its_keys(captures, identifier):
    trace = load_trace(captures / "sessions.json", identifier)
    recording = Listener(trace.keys).listen(trace.apdus)
    published = next(
        each for each in json.loads((captures / "sessions.json").read_text("utf-8")) if each["id"] == identifier
    )
    assert recording.clients == [16, 1]
    assert recording.associations[1].protection is Protection.AUTHENTICATED_ENCRYPTED
    clock = next(each for each in recording.services[1] if isinstance(each, RecordedGet))
    assert clock.descriptor == CLOCK
    assert clock.octets.hex().upper() == published["expect"]["plain"]["get_resp"][8:]
    assert recording.server_counter == 0x4142
