"""The server as a whole: an APDU in, the answer out, whatever comes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meters.cosem.data import octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.acse import AUTHENTICATION_FUNCTIONAL_UNIT, Aarq, ApplicationContext, Rlrq
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionRequestNormal
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor, InvokeIdAndPriority
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNormal
from sessions.dlms.apdu.short_name import ReadResponse, VariableAccessSpecification, WriteRequest
from sessions.dlms.conformance import Conformance
from sessions.dlms.errors import (
    AssociationRejectedError,
    AuthenticationFailedError,
    DlmsError,
    ExceptionResponseError,
    LocalProtocolError,
    SecurityError,
)
from sessions.dlms.handshake import REPLY_TO_HLS
from sessions.dlms.initiate import InitiateRequest
from sessions.dlms.selective_access import EntryDescriptor
from sessions.dlms.transfers.items import ActionItem, GetItem, SetItem
from sessions.simulator.association import AssociationState
from sessions.simulator.device import SERVED_SHORT_NAME_CONFORMANCE
from sessions.simulator.server import MALFORMED, NOT_ALLOWED, UNKNOWN, Server
from tests.sessions.simulator.pair import Pair, same_octets
from tests.sessions.simulator.served import CLIENT_TITLE, DEDICATED, GMAC, LLS, lab_meter

CLOCK = ObisCode(0, 0, 1, 0, 0, 255)
GET = GetRequestNormal(InvokeIdAndPriority(1), CosemAttributeDescriptor(8, CLOCK, 2)).encode()
AARQ = Aarq(
    sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
    mechanism_name=1,
    calling_authentication_value=b"12345678",
    user_information=InitiateRequest(proposed_conformance=Conformance(0x00FFFFFF)).encode(),
).encode()


def server(association: dict[str, Any] = LLS) -> Server:
    return Server(lab_meter(association).device, association["client_sap"], same_octets)


def associated() -> Server:
    made = server()
    made.receive_apdu(AARQ)
    assert made.state is AssociationState.ASSOCIATED
    return made


# -- whole conversations with our own client ---------------------------------------------------------------------------

HLS = {"client_sap": 3, "secret": "text:a secret of HLS", "client_system_title": CLIENT_TITLE}
ASSOCIATIONS: dict[str, dict[str, Any]] = {
    "lls": LLS,
    "hls-md5": {**HLS, "authentication": "hls-md5"},
    "hls-sha1": {**HLS, "authentication": "hls-sha1"},
    "hls-sha256": {**HLS, "authentication": "hls-sha256"},
    "hls-gmac in clear": {**GMAC, "protection": "none"},
    "hls-gmac authenticated": {**GMAC, "protection": "authenticated"},
    "hls-gmac encrypted": {**GMAC, "protection": "encrypted"},
    "hls-gmac authenticated-encrypted": GMAC,
    "hls-gmac dedicated": {**GMAC, "dedicated_key": DEDICATED},
    "hls-sha256 authenticated-encrypted": {**GMAC, **HLS, "authentication": "hls-sha256"},
    "lls authenticated-encrypted": {**GMAC, **LLS},
}


@pytest.mark.parametrize("name", ASSOCIATIONS)
@pytest.mark.parametrize("hdlc", [False, True])
def test_a_conversation(name, hdlc):
    address = {"physical_address": 17} if hdlc else {}
    meter = lab_meter(ASSOCIATIONS[name], max_pdu_size=200, **address)
    pair = Pair(meter)
    negotiated = pair.open()
    assert Conformance.SELECTIVE_ACCESS in negotiated.conformance
    assert len(pair.get(8, "0-0:1.0.0*255", 2).value) == 12
    assert len(pair.get(15, "0-0:40.0.0*255", 2)) > 30
    assert len(pair.blocks) > 5
    assert pair.set(1, "0-0:96.1.10*255", 2, octet_string(b"x" * 1500)).name == "SUCCESS"
    assert pair.get(1, "0-0:96.1.10*255", 2) == octet_string(b"x" * 1500)
    assert pair.release() == ""


def test_the_clients_size_is_kept():
    pair = Pair(lab_meter(), max_pdu_size=64)
    pair.open()
    pair.get(15, "0-0:40.0.0*255", 2)
    header_of_the_wrapper = 8
    assert max(pair.sizes) - header_of_the_wrapper <= 64


def test_the_ciphered_clients_size_is_kept():
    pair = Pair(lab_meter(GMAC), max_pdu_size=64)
    pair.open()
    pair.get(15, "0-0:40.0.0*255", 2)
    header_of_the_wrapper = 8
    assert max(pair.sizes) - header_of_the_wrapper <= 64


def test_a_wrong_password_is_rejected_in_the_standards_words():
    with pytest.raises(AuthenticationFailedError, match="authentication-failure"):
        Pair(lab_meter(), secret="text:87654321").open()


def test_a_wrong_client_is_rejected():
    with pytest.raises(AssociationRejectedError) as rejected:
        Pair(lab_meter(), client_sap=99).open()
    assert rejected.value.diagnostic == 1


@pytest.mark.parametrize("name", ["hls-md5", "hls-sha1", "hls-sha256"])
def test_a_wrong_secret_fails_the_proof(name):
    with pytest.raises(AuthenticationFailedError):
        Pair(lab_meter(ASSOCIATIONS[name]), secret="text:another").open()


def test_wrong_keys_are_refused():
    with pytest.raises(AssociationRejectedError):
        Pair(lab_meter(GMAC), guek="00" * 16).open()
    # In clear the key is used by the proof alone.
    with pytest.raises(AuthenticationFailedError):
        Pair(lab_meter({**GMAC, "protection": "none"}), guek="00" * 16).open()


def test_a_counter_that_was_used_is_refused_and_the_next_one_named():
    meter = lab_meter(GMAC)
    first = Pair(meter, counters=range(500, 600))
    first.open()
    with pytest.raises(ExceptionResponseError) as refused:
        Pair(meter, counters=range(100, 200)).open()
    assert refused.value.invocation_counter == 503
    assert meter.device.security.last_client_counter == 502
    again = Pair(meter, counters=range(503, 600))
    again.open()
    assert again.get(1, "0-0:43.1.0*255", 2).value == 506


def test_the_counter_object_serves_the_public_client():
    meter = lab_meter(GMAC)
    public = Pair(meter, client_sap=16, authentication="none", protection="none")
    public.open()
    before = public.get(1, "0-0:43.1.0*255", 2).value
    Pair(meter, counters=range(before + 1, before + 50)).open()
    assert public.get(1, "0-0:43.1.0*255", 2).value > before


def test_the_meters_own_counter_goes_on_from_association_to_association():
    meter = lab_meter(GMAC)
    Pair(meter, counters=range(1, 10)).open()
    taken = meter.device.security.counters.take()
    Pair(meter, counters=range(10, 20)).open()
    assert meter.device.security.counters.take() > taken + 1


def test_the_answer_of_another_meter_is_not_believed():
    """The pair checks the meter's proof and title as well."""
    meter = lab_meter(GMAC)
    with pytest.raises(SecurityError):
        Pair(meter, server_system_title="4D57420000000001").open()


# -- single APDUs ------------------------------------------------------------------------------------------------------


def test_without_an_association_nothing_is_served():
    for octets in (GET, Rlrq().encode(), b"\xc8\x00", b"\xff", b""):
        assert server().receive_apdu(octets) == NOT_ALLOWED.encode()


def test_after_the_release_nothing_is_served():
    served = associated()
    released = served.receive_apdu(Rlrq().encode())
    assert released is not None
    assert released[0] == 0x63
    assert served.receive_apdu(GET) == NOT_ALLOWED.encode()


def test_after_the_link_went_down_nothing_is_served():
    served = associated()
    served.link_down()
    assert served.receive_apdu(GET) == NOT_ALLOWED.encode()


def test_before_the_proof_nothing_else_is_served():
    served = server({**HLS, "authentication": "hls-md5"})
    hls = Aarq(
        sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
        mechanism_name=3,
        calling_authentication_value=b"12345678",
        user_information=InitiateRequest(proposed_conformance=Conformance.GET).encode(),
    )
    served.receive_apdu(hls.encode())
    assert served.state is AssociationState.HLS_PENDING
    assert served.receive_apdu(GET) == NOT_ALLOWED.encode()
    assert served.state is AssociationState.HLS_PENDING
    proof = ActionRequestNormal(InvokeIdAndPriority(1), REPLY_TO_HLS)
    refused = served.receive_apdu(proof.encode())
    assert refused is not None
    assert decode_apdu(refused).result.name == "TYPE_UNMATCHED"  # type: ignore[attr-defined]
    assert served.state is AssociationState.IDLE


def test_in_a_ciphered_association_nothing_is_served_in_clear():
    meter = lab_meter(GMAC)
    pair = Pair(meter)
    pair.open()
    made = pair.station._servers[1, 1].server  # type: ignore[attr-defined]
    assert made.state is AssociationState.ASSOCIATED
    assert made.receive_apdu(GET) == NOT_ALLOWED.encode()


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (b"\xff\x01", UNKNOWN),
        (b"", MALFORMED),
        (GET[:-1], MALFORMED),
        (GET + b"\x00", MALFORMED),
        (b"\xc0\x09\xc1", MALFORMED),
        (bytes.fromhex("0501020108"), UNKNOWN),
    ],
)
def test_what_cannot_be_read_is_answered_by_an_exception(octets, answer):
    assert associated().receive_apdu(octets) == answer.encode()


@pytest.mark.parametrize("whole", [AARQ, GET, Rlrq().encode()], ids=["aarq", "get", "rlrq"])
def test_every_truncation_is_answered_by_an_exception(whole):
    for size in range(1, len(whole)):
        answer = associated().receive_apdu(whole[:size])
        assert answer is not None
        assert isinstance(decode_apdu(answer), ExceptionResponse)


@given(octets=st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: GET[:3] + tail))
@settings(max_examples=80, deadline=None)
def test_garbage_is_answered_and_never_raises(octets):
    for served in (server(), associated()):
        answer = served.receive_apdu(octets)
        if answer is not None:
            decode_apdu(answer)
        assert served.receive_apdu(AARQ) is not None
        assert served.state is AssociationState.ASSOCIATED


@given(tail=st.binary(max_size=50), tag=st.sampled_from([0x21, 0xC8, 0xD0, 0xCB, 0xDB, 0xDC]))
@settings(max_examples=40, deadline=None)
def test_ciphered_garbage_is_answered_by_an_exception(tail, tag):
    meter = lab_meter({**GMAC, **LLS, "protection": "none"})
    served = Server(meter.device, 32, same_octets)
    served.receive_apdu(AARQ)
    answer = served.receive_apdu(bytes([tag]) + tail)
    assert answer is not None
    assert isinstance(decode_apdu(answer), ExceptionResponse)


# -- a meter of short names --------------------------------------------------------------------------------------------

SN_AARQ = Aarq(
    application_context_name=ApplicationContext.SN,
    sender_acse_requirements=AUTHENTICATION_FUNCTIONAL_UNIT,
    mechanism_name=1,
    calling_authentication_value=b"12345678",
    user_information=InitiateRequest(proposed_conformance=Conformance(0x00FFFFFF)).encode(),
)
READ = bytes.fromhex("0501022bc8")
WRITE = bytes.fromhex("0601022bc80100")


def short_name_server(association: dict[str, Any] = LLS) -> Server:
    return Server(lab_meter(association, type="short_names").device, association["client_sap"], same_octets)


def said(answer: bytes | None) -> tuple[int, int, int]:
    """Service, choice and value of a confirmed-service-error."""
    assert answer is not None
    error = decode_apdu(answer)
    assert isinstance(error, ConfirmedServiceError)
    return error.service, error.choice, error.value


@pytest.mark.parametrize("name", ASSOCIATIONS)
@pytest.mark.parametrize("hdlc", [False, True])
def test_a_conversation_by_short_names(name, hdlc):
    address = {"physical_address": 17} if hdlc else {}
    meter = lab_meter(ASSOCIATIONS[name], type="short_names", max_pdu_size=200, **address)
    pair = Pair(meter)
    negotiated = pair.open()
    assert negotiated.vaa_name == 0xFA00
    assert negotiated.conformance & ~Conformance.GENERAL_PROTECTION == SERVED_SHORT_NAME_CONFORMANCE
    assert len(pair.get(8, "0-0:1.0.0*255", 2).value) == 12
    assert pair.get(3, "1-1:1.8.0*255", 2).value > 1_000_000
    assert len(pair.get(12, "0-0:40.0.0*255", 2)) == 1 + len(meter.device.objects)
    assert len(pair.blocks) > 1
    by_entry = pair.get(7, "1-0:99.1.0*255", 2, EntryDescriptor(1, 30).to_selective_access())
    assert len(by_entry) == 30
    assert len(pair.blocks) > 3
    assert pair.set(1, "0-0:96.1.1*255", 2, octet_string(b"x" * 1500)).name == "SUCCESS"
    assert pair.get(1, "0-0:96.1.1*255", 2) == octet_string(b"x" * 1500)
    assert pair.action(70, "0-0:96.3.10*255", 1)[0].name == "SUCCESS"
    assert pair.get(70, "0-0:96.3.10*255", 2).value is False
    assert pair.release() == ""


@pytest.mark.parametrize("association", [LLS, GMAC], ids=["lls", "hls-gmac"])
@pytest.mark.parametrize("hdlc", [False, True])
def test_general_blocks_carry_what_short_names_have_no_blocks_for(association, hdlc):
    address = {"physical_address": 17} if hdlc else {}
    meter = lab_meter(association, type="short_names", max_pdu_size=150, **address)
    meter.device.conformance &= ~(
        Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    )
    pair = Pair(meter)
    pair.open()
    assert len(pair.get(12, "0-0:40.0.0*255", 2)) == 1 + len(meter.device.objects)
    in_clear = association is LLS  # what was ciphered before it was cut is read at its end
    assert bool(pair.blocks) is in_clear
    assert pair.set(1, "0-0:96.1.1*255", 2, octet_string(b"x" * 1500)).name == "SUCCESS"
    assert pair.get(1, "0-0:96.1.1*255", 2) == octet_string(b"x" * 1500)
    assert pair.release() == ""


@pytest.mark.parametrize("name", [name for name in ASSOCIATIONS if name.startswith("hls")])
def test_without_parameterised_access_the_proof_is_written_and_the_meters_read(name):
    meter = lab_meter(ASSOCIATIONS[name], type="short_names")
    meter.device.conformance &= ~Conformance.PARAMETERIZED_ACCESS
    pair = Pair(meter)
    assert Conformance.PARAMETERIZED_ACCESS not in pair.open().conformance
    assert len(pair.sizes) == 3  # AARE, WRITE, READ
    assert len(pair.get(8, "0-0:1.0.0*255", 2).value) == 12


@pytest.mark.parametrize("name", ["hls-md5", "hls-sha1", "hls-sha256"])
def test_a_wrong_proof_that_is_written_is_refused(name):
    meter = lab_meter(ASSOCIATIONS[name], type="short_names")
    meter.device.conformance &= ~Conformance.PARAMETERIZED_ACCESS
    with pytest.raises(AuthenticationFailedError, match="refused our proof"):
        Pair(meter, secret="text:another").open()


@pytest.mark.parametrize(
    "answer", ["0c010009021234", "0c010103", "0d0100", "0d010103", "c701c10000", "0c020009021234000900"]
)
@pytest.mark.parametrize("parameterized", [True, False])
def test_a_meter_that_cannot_prove_itself_by_short_names(answer, parameterized):
    """Whatever it says: without f(CtoS) nobody is associated."""
    meter = lab_meter(ASSOCIATIONS["hls-md5"], type="short_names")
    if not parameterized:
        meter.device.conformance &= ~Conformance.PARAMETERIZED_ACCESS
    meter.device.recorded_answer = lambda apdu: bytes.fromhex(answer) if apdu[:1] in b"\x05\x06" else None
    pair = Pair(meter)
    with pytest.raises(DlmsError):
        pair.open()
    assert pair.client.state.name != "ASSOCIATED"


@pytest.mark.parametrize("hdlc", [False, True])
def test_many_things_by_short_names(hdlc):
    address = {"physical_address": 17} if hdlc else {}
    pair = Pair(lab_meter(LLS, type="short_names", **address))
    pair.open()
    voltage = CosemAttributeDescriptor(3, ObisCode(1, 1, 32, 7, 0, 255), 2)
    unknown = CosemAttributeDescriptor(3, ObisCode(1, 0, 32, 7, 0, 255), 2)
    name = CosemAttributeDescriptor(1, ObisCode(0, 0, 96, 1, 1, 255), 2)
    switch = CosemMethodDescriptor(70, ObisCode(0, 0, 96, 3, 10, 255), 1)
    read, missing, written, invoked, again = pair.many(
        GetItem(voltage), GetItem(unknown), SetItem(name, octet_string(b"new")), ActionItem(switch), GetItem(name)
    )
    assert read.value > 2000
    assert missing.code == "object-undefined"
    assert written.name == "SUCCESS"
    assert invoked.result.name == "SUCCESS"
    assert again == octet_string(b"new")


@pytest.mark.parametrize("hdlc", [False, True])
@pytest.mark.parametrize("association", [LLS, GMAC])
def test_a_write_that_nobody_answers(hdlc, association):
    address = {"physical_address": 17} if hdlc else {}
    pair = Pair(lab_meter(association, type="short_names", **address))
    pair.open()
    name = CosemAttributeDescriptor(1, ObisCode(0, 0, 96, 1, 1, 255), 2)
    with pytest.raises(LocalProtocolError, match="not known yet"):
        pair.client.set_unconfirmed(name, octet_string(b"silently"), now=pair.now)
    assert pair.get(1, "0-0:96.1.1*255", 2) == octet_string(b"metering point")
    pair.client.set_unconfirmed(name, octet_string(b"silently"), now=pair.now)
    pair.station.receive_octets(pair.client.octets_to_send(), pair.now)
    assert pair.station.octets_to_send() == b""
    assert pair.get(1, "0-0:96.1.1*255", 2) == octet_string(b"silently")


def test_names_that_the_association_file_gives_are_not_asked_for():
    rows = [{"base_name": 0x2BC0, "class_id": 8, "logical_name": "0-0:1.0.0*255"}]
    pair = Pair(lab_meter(LLS, type="short_names"), short_names=rows)
    pair.open()
    pair.get(8, "0-0:1.0.0*255", 2)
    assert len(pair.sizes) == 1
    with pytest.raises(LocalProtocolError, match="not in the list"):
        pair.get(3, "1-1:1.8.0*255", 2)


@pytest.mark.parametrize("mine", ["three_phase", "short_names"])
def test_each_meter_knows_one_way_to_refer_to_objects(mine):
    other = {"three_phase": "short-names", "short_names": "logical-names"}[mine]
    with pytest.raises(AssociationRejectedError) as rejected:
        Pair(lab_meter(LLS, type=mine), referencing=other).open()
    assert rejected.value.diagnostic == 2


def test_without_an_association_a_service_error_says_so():
    assert said(short_name_server().receive_apdu(READ)) == (5, 2, 1)
    assert said(short_name_server().receive_apdu(WRITE)) == (6, 2, 1)
    assert said(short_name_server().receive_apdu(b"")) == (5, 2, 1)


@pytest.mark.parametrize(
    ("octets", "error"),
    [(GET, (5, 3, 2)), (b"\xff", (5, 3, 2)), (READ[:-1], (5, 10, 0)), (WRITE + b"\x00", (6, 10, 0))],
)
def test_what_cannot_be_served_by_short_names(octets, error):
    served = short_name_server()
    served.receive_apdu(SN_AARQ.encode())
    assert said(served.receive_apdu(octets)) == error
    assert served.state is AssociationState.ASSOCIATED


def test_errors_of_protection_by_short_names():
    pair = Pair(lab_meter(GMAC, type="short_names"))
    pair.open()
    served = pair.station._servers[1, 1].server  # type: ignore[attr-defined]
    assert said(served.receive_apdu(READ)) == (5, 2, 1)
    assert said(served.receive_apdu(bytes.fromhex("2504300000000a"))) == (5, 10, 0)
    assert said(served.receive_apdu(bytes.fromhex("2520300000ff00") + bytes(27))) == (5, 0, 6)


def hls_server() -> Server:
    served = short_name_server({**HLS, "authentication": "hls-md5"})
    aarq = replace(SN_AARQ, mechanism_name=3, calling_authentication_value=b"challenge!")
    served.receive_apdu(aarq.encode())
    assert served.state is AssociationState.HLS_PENDING
    return served


def proof_for(challenge: bytes) -> Any:
    return octet_string(hashlib.md5(challenge + b"a secret of HLS", usedforsecurity=False).digest())


def test_before_the_proof_only_the_proof_is_served():
    served = hls_server()
    assert said(served.receive_apdu(READ)) == (5, 2, 1)
    assert said(served.receive_apdu(bytes.fromhex("050102fa58"))) == (5, 2, 1)
    assert served.state is AssociationState.HLS_PENDING


def test_a_proof_that_is_written_and_the_meters_that_is_read():
    served = hls_server()
    proof = proof_for(same_octets(16))
    written = WriteRequest((VariableAccessSpecification.variable(0xFA58),), (proof,))
    assert served.receive_apdu(written.encode()) == bytes.fromhex("0d0100")
    assert served.state is AssociationState.ASSOCIATED
    assert served.receive_apdu(bytes.fromhex("050102fa58")) == ReadResponse((proof_for(b"challenge!"),)).encode()
    assert decode_apdu(served.receive_apdu(READ) or b"").results[0].type.name == "OCTET_STRING"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        ("050104fa580009021234", "0c010103"),
        ("050104fa58000f00", "0c01010c"),
        ("060102fa580109021234", "0d010103"),
        ("060102fa580100", "0d01010c"),
    ],
)
def test_a_proof_by_short_name_that_is_wrong(octets, answer):
    served = hls_server()
    assert served.receive_apdu(bytes.fromhex(octets)) == bytes.fromhex(answer)
    assert served.state is AssociationState.IDLE


def test_the_meters_proof_is_not_read_where_none_was_given():
    served = short_name_server()
    served.receive_apdu(SN_AARQ.encode())
    answer = served.receive_apdu(bytes.fromhex("050102fa58"))
    assert answer == bytes.fromhex("0c0101fa")


@given(octets=st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: READ[:3] + tail))
@settings(max_examples=80, deadline=None)
def test_garbage_by_short_names_is_answered_and_never_raises(octets):
    for served in (short_name_server(), hls_server()):
        answer = served.receive_apdu(octets)
        if answer is not None:
            decode_apdu(answer)
