"""Requests of the client against a scripted meter: answers, blocks, releases, silence, and peers that misbehave."""

from __future__ import annotations

import pytest

from meters.cosem.data import null, octet_string, unsigned
from sessions.dlms.acse import (
    Aarq,
    ResultSourceDiagnostic,
    Rlre,
    Rlrq,
)
from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.action import ActionRequestNextPblock, ActionRequestNormal
from sessions.dlms.apdu.block_transfer import GeneralBlockTransfer
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    DataAccessResult,
    InvokeIdAndPriority,
)
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse
from sessions.dlms.apdu.get import GetRequestNext, GetRequestNormal, GetResponseNormal, GetResponseWithDatablock
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm, EventNotificationRequest
from sessions.dlms.apdu.set import SetRequestNormal, SetRequestWithFirstDatablock, SetResponseNormal
from sessions.dlms.apdu.short_name import InformationReport, VariableAccessSpecification
from sessions.dlms.association import AssociationState, Protection
from sessions.dlms.authentication import AuthenticationMechanism
from sessions.dlms.client import RELEASE_TIMEOUT
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters, ReceiveFloor
from sessions.dlms.elliptic import public_of
from sessions.dlms.errors import (
    ConnectionLostError,
    DecodeError,
    ExceptionResponseError,
    LocalProtocolError,
    NoReplyError,
    RemoteProtocolError,
    SecurityError,
    ServiceErrorError,
)
from sessions.dlms.events import (
    ActionFinished,
    BlockReceived,
    BlockSent,
    Failed,
    GetFinished,
    NotificationReceived,
    Released,
    ReplyIgnored,
    RequestFailed,
    SetFinished,
)
from sessions.dlms.general_block_transfer import unconfirmed_blocks
from sessions.dlms.general_protection import KeyChoice, PartyKeys
from sessions.dlms.hdlc.address import client_address, server_address
from sessions.dlms.hdlc.exchange import LLC_RESPONSE
from sessions.dlms.hdlc.frame import UiFrame
from sessions.dlms.patience import EXCHANGE_FACTOR, MAX_IGNORED
from sessions.dlms.protection import CipheringForm
from sessions.dlms.security import SecurityControl
from sessions.dlms.transactions import Shape, Transactions
from sessions.dlms.transfers.blocks import TransferLimits
from tests.vectors import octets

from .parties import counting_random, private_keys
from .scripted import (
    AUTHENTICATED_ENCRYPTED,
    CLIENT_TITLE,
    CLOCK,
    EXECUTE,
    LONG,
    NAME,
    NOTIFICATION,
    SERVER_TITLE,
    ScriptedMeter,
    Wire,
    associated,
    failure,
    get,
    parameters,
    reject,
    suite_parameters,
)

M, P = AuthenticationMechanism, Protection
SUPPORTED = [M.NONE, M.LLS, M.HLS_MD5, M.HLS_SHA1, M.HLS_GMAC, M.HLS_SHA256]


# -- GET --------------------------------------------------------------------------------------------------------------------


def test_a_value_and_a_refusal_are_both_values():
    wire = associated()
    get(wire)
    get(wire, NAME)
    assert wire.events == [
        GetFinished(1, wire.meter.objects[CLOCK]),
        GetFinished(2, DataAccessResult.OBJECT_UNDEFINED),
    ]


@pytest.mark.parametrize("agreed", [parameters(), AUTHENTICATED_ENCRYPTED], ids=["clear", "ciphered"])
@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("size", [1, 17, 100, 1000])
def test_a_long_value(agreed, hdlc, size):
    wire = associated(agreed, hdlc=hdlc, meter=ScriptedMeter(agreed, reply_block=size))
    wire.meter.objects[NAME] = LONG
    get(wire, NAME)
    *blocks, finished = wire.events
    assert finished == GetFinished(1, LONG)
    assert all(isinstance(block, BlockReceived) for block in blocks)
    assert [block.block_number for block in blocks] == list(range(1, len(blocks) + 1))
    assert sum(len(block.octets) for block in blocks) == blocks[-1].received_so_far
    assert wire.client.next_timer() is None


def test_an_error_of_one_request_leaves_the_association_standing():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: ExceptionResponse(1, 2)
    get(wire)
    wire.meter.script[GetRequestNormal] = lambda apdu: ConfirmedServiceError(5, 3, 2)
    get(wire)
    del wire.meter.script[GetRequestNormal]
    get(wire)
    first, second, third = wire.events
    assert (type(first.error), first.request) == (ExceptionResponseError, 1)
    assert "service-not-supported" in first.error.message
    assert (type(second.error), second.request) == (ServiceErrorError, 2)
    assert third == GetFinished(3, wire.meter.objects[CLOCK])


@pytest.mark.parametrize(
    ("agreed", "proven"), [(AUTHENTICATED_ENCRYPTED, False), (None, True)], ids=["ciphered", "clear"]
)
def test_a_refusal_says_whether_it_came_as_protected_as_was_agreed(agreed, proven):
    wire = associated(agreed)
    wire.meter.script[GetRequestNormal] = lambda apdu: ExceptionResponse(1, 2)
    get(wire)
    (failed,) = [event for event in wire.events if isinstance(event, RequestFailed)]
    assert failed.error.proven is proven


def test_exceptions_come_in_clear_even_when_ciphered():
    wire = associated(AUTHENTICATED_ENCRYPTED)
    wire.meter.script[GetRequestNormal] = lambda apdu: ExceptionResponse(1, 5)
    get(wire)
    assert type(wire.events[0]) is RequestFailed
    assert wire.events[0].error.layer == "security"


@pytest.mark.parametrize("answer", [b"", b"\xc4", b"\xc4\x01\xc1\x00\x06\x00", b"\xc4\x09\xc1", b"\x99\x01\x02"])
def test_an_answer_that_cannot_be_read(answer):
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: answer
    get(wire)
    assert type(wire.events[0]) is RequestFailed
    assert isinstance(wire.events[0].error, DecodeError)
    del wire.meter.script[GetRequestNormal]
    assert isinstance(get(wire)[-1], GetFinished)


def test_a_long_value_whose_contents_cannot_be_read():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: GetResponseWithDatablock(
        apdu.invoke_id_and_priority, True, 1, b"\x02\x05\x11"
    )
    get(wire)
    assert isinstance(wire.events[-1].error, DecodeError)


@pytest.mark.parametrize("number", [0, 1, 3, 7])
def test_a_next_block_that_was_not_asked_for(number):
    wire = associated(meter=ScriptedMeter(parameters(), reply_block=10))
    wire.meter.objects[NAME] = LONG
    wire.meter.script[GetRequestNext] = lambda apdu: GetResponseWithDatablock(
        apdu.invoke_id_and_priority, False, number, b"x"
    )
    get(wire, NAME)
    assert wire.events[-1].error.code == "wrong-block-number"
    del wire.meter.script[GetRequestNext]
    assert isinstance(get(wire, NAME)[-1], GetFinished)


def test_a_value_without_an_end_is_cut_off():
    wire = associated(limits=TransferLimits(max_octets=1000))
    endless = lambda apdu: GetResponseWithDatablock(  # noqa: E731
        apdu.invoke_id_and_priority, False, getattr(apdu, "block_number", 0) + 1, bytes(100)
    )
    wire.meter.script[GetRequestNormal] = wire.meter.script[GetRequestNext] = endless
    get(wire)
    assert wire.events[-1].error.code == "transfer-too-long"
    assert len(wire.meter.requests) < 20


def test_the_answer_of_another_service():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: SetResponseNormal(
        apdu.invoke_id_and_priority, DataAccessResult.SUCCESS
    )
    get(wire)
    assert wire.events[-1].error.code == "unexpected-answer"


def test_an_apdu_that_is_no_answer_at_all_ends_the_association():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: Rlre()
    get(wire)
    failure(wire, RemoteProtocolError)


def test_a_stale_answer_is_passed_over():
    wire = associated()
    stale = GetResponseNormal(InvokeIdAndPriority(9), unsigned(99))
    wire.meter.script[GetRequestNormal] = lambda apdu: [stale, wire.meter.answer(apdu)]
    get(wire)
    ignored, finished = wire.events
    assert isinstance(ignored, ReplyIgnored)
    assert ignored.apdu == stale
    assert "invoke-id 9" in ignored.reason
    assert finished == GetFinished(1, wire.meter.objects[CLOCK])


def test_after_a_stale_answer_the_right_one_must_come_in_time():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: GetResponseNormal(InvokeIdAndPriority(9), unsigned(99))
    get(wire)
    assert len(wire.events) == 1
    wire.wait(5.1)
    assert failure(wire, NoReplyError).layer == "application"


def test_a_babbler_is_stopped():
    wire = associated()
    stale = GetResponseNormal(InvokeIdAndPriority(9), unsigned(99))
    wire.meter.script[GetRequestNormal] = lambda apdu: [stale] * (MAX_IGNORED + 5)
    get(wire)
    assert failure(wire, RemoteProtocolError).code == "babbling"


def test_an_answer_to_nothing_is_told_and_forgotten():
    wire = associated()
    late = GetResponseNormal(InvokeIdAndPriority(1), unsigned(99))
    wire.say([late.encode()])
    wire.say([b"\xff\xff"])
    assert [type(event) for event in wire.events] == [ReplyIgnored, ReplyIgnored]
    assert wire.client.next_timer() is None
    assert isinstance(get(wire)[-1], GetFinished)


@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize(
    "event",
    [
        EventNotificationRequest(None, CLOCK, unsigned(1)),
        InformationReport(b"", (VariableAccessSpecification.variable(0x2BC8),), (unsigned(1),)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_notifications_between_the_answers(protected, event):
    wire = associated(AUTHENTICATED_ENCRYPTED)
    octets = event.encode()
    wire.meter.script[GetRequestNormal] = lambda apdu: [
        wire.meter.cipher(octets) if protected else octets,
        wire.meter.answer(apdu),
    ]
    get(wire)
    assert wire.events[0] == NotificationReceived(event, protected)
    assert isinstance(wire.events[1], GetFinished)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("choice", [None, *KeyChoice])
def test_notifications_under_general_protection_are_taken_once(choice, signed):
    """In an association that uses none itself; a replayed one ends the conversation."""
    agreed = suite_parameters(
        1, protection=Protection.AUTHENTICATED_ENCRYPTED, kek=bytes(16), **key_agreement_keys("client")
    )
    wire = Wire(agreed)
    wire.open()
    wire.events.clear()
    meter = meters_transactions(wire)
    control = SecurityControl(1, True, True)
    shape = Shape(control=SecurityControl() if choice is None else control, ciphering=choice, signed=signed)
    octets = meter.begin(NOTIFICATION.encode(), shape)
    wire.meter.script[GetRequestNormal] = lambda apdu: [octets, wire.meter.answer(apdu)]
    get(wire)
    if choice is None and not signed:
        assert wire.events[0] == NotificationReceived(NOTIFICATION, False)
        return
    assert wire.events[0] == NotificationReceived(NOTIFICATION, True)
    assert isinstance(wire.events[1], GetFinished)
    wire.events.clear()
    get(wire)
    assert isinstance(wire.events[-1], Failed)
    assert wire.events[-1].error.code in ("replayed-transaction", "replayed-counter")


def key_agreement_keys(side):
    private, other = private_keys(1), "server" if side == "client" else "client"
    return {
        f"{side}_key_agreement_key": private[f"{side}_static"],
        f"{other}_key_agreement_key": public_of(private[f"{other}_static"]),
    }


def meters_transactions(wire):
    """The meter's end of general protection, with the counters that its answers take as well."""
    private, agreed = private_keys(1), wire.meter.agreed
    keys = PartyKeys(
        suite=1,
        guek=agreed.guek,
        gak=agreed.gak,
        kek=agreed.kek,
        signing_key=private["server_signing"],
        key_agreement_key=private["server_static"],
        peer_signing_key=public_of(private["client_signing"]),
        peer_key_agreement_key=public_of(private["client_static"]),
    )
    counters = wire.meter.counters[False]
    made = Transactions(keys, SERVER_TITLE, random=counting_random(), take_counter=counters.take, floor=ReceiveFloor())
    made.peer_title = CLIENT_TITLE
    return made


def test_a_service_that_was_not_agreed_on_is_not_asked_for():
    wire = Wire(parameters())
    wire.meter.script[Aarq] = lambda aarq: wire.meter.aare(
        aarq,
        user_information=wire.meter.initiate_response(aarq, negotiated_conformance=Conformance.SELECTIVE_ACCESS),
    )
    wire.open()
    for ask in (
        lambda: wire.client.get(CLOCK, now=0.0),
        lambda: wire.client.set(CLOCK, null(), now=0.0),
        lambda: wire.client.action(EXECUTE, now=0.0),
    ):
        with pytest.raises(LocalProtocolError) as raised:
            ask()
        assert raised.value.code == "service-not-negotiated"
    assert wire.client.state is AssociationState.ASSOCIATED


def test_nothing_can_be_asked_without_an_association():
    wire = Wire(parameters())
    with pytest.raises(LocalProtocolError) as raised:
        wire.client.get(CLOCK, now=0.0)
    assert raised.value.code == "not-associated"


def test_one_request_at_a_time():
    wire = associated()
    wire.client.get(CLOCK, now=0.0)
    with pytest.raises(LocalProtocolError, match="waiting"):
        wire.client.get(CLOCK, now=0.0)
    with pytest.raises(LocalProtocolError, match="waiting"):
        wire.client.release(0.0)
    wire.pump()
    assert wire.events == [GetFinished(1, wire.meter.objects[CLOCK])]


# -- SET and ACTION ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agreed", [parameters(), AUTHENTICATED_ENCRYPTED], ids=["clear", "ciphered"])
@pytest.mark.parametrize("max_pdu", [60, 100, 128, 160, 200, 300, 5000])
def test_a_set_is_never_larger_than_the_meter_takes(agreed, max_pdu):
    wire = associated(agreed, meter=ScriptedMeter(agreed, max_pdu=max_pdu))
    wire.meter.sizes.clear()
    wire.client.set(NAME, LONG, now=0.0)
    wire.pump()
    assert wire.meter.objects[NAME] == LONG
    assert wire.events[-1] == SetFinished(1, DataAccessResult.SUCCESS)
    assert max(wire.meter.sizes) <= max_pdu
    assert all(isinstance(event, BlockSent) for event in wire.events[:-1])
    if len(wire.meter.sizes) > 1:
        assert wire.meter.sizes[0] >= max_pdu - 1


def test_a_short_set_goes_in_one():
    wire = associated()
    wire.client.set(CLOCK, unsigned(1), now=0.0)
    wire.pump()
    assert type(wire.meter.requests[-1]) is SetRequestNormal
    assert wire.events == [SetFinished(1, DataAccessResult.SUCCESS)]


def test_a_long_set_that_needs_blocks_which_were_not_agreed_on():
    agreed = parameters(conformance=Conformance.SET | Conformance.GET)
    wire = associated(agreed, meter=ScriptedMeter(agreed, max_pdu=60))
    with pytest.raises(LocalProtocolError) as raised:
        wire.client.set(NAME, LONG, now=0.0)
    assert raised.value.code == "request-too-long"
    assert isinstance(get(wire)[-1], GetFinished)


def test_a_refusal_of_a_set_in_the_middle():
    wire = associated(meter=ScriptedMeter(parameters(), max_pdu=60))
    wire.meter.script[SetRequestWithFirstDatablock] = lambda apdu: SetResponseNormal(
        apdu.invoke_id_and_priority, DataAccessResult.READ_WRITE_DENIED
    )
    wire.client.set(NAME, LONG, now=0.0)
    wire.pump()
    assert wire.events == [SetFinished(1, DataAccessResult.READ_WRITE_DENIED)]


@pytest.mark.parametrize("agreed", [parameters(), AUTHENTICATED_ENCRYPTED], ids=["clear", "ciphered"])
@pytest.mark.parametrize("max_pdu", [60, 128, 5000])
@pytest.mark.parametrize("reply_block", [None, 20])
def test_an_action_with_long_parameters_and_a_long_answer(agreed, max_pdu, reply_block):
    meter = ScriptedMeter(agreed, max_pdu=max_pdu, reply_block=reply_block)
    wire = associated(agreed, meter=meter)
    meter.methods[EXECUTE] = (ActionResult.SUCCESS, LONG)
    wire.client.action(EXECUTE, LONG, now=0.0)
    wire.pump()
    assert meter.invoked == [(EXECUTE, LONG)]
    assert wire.events[-1] == ActionFinished(1, ActionResult.SUCCESS, LONG)
    assert any(isinstance(request, ActionRequestNextPblock) for request in meter.requests) == (reply_block is not None)


def test_an_action_that_is_refused():
    wire = associated()
    wire.meter.methods[EXECUTE] = (ActionResult.READ_WRITE_DENIED, None)
    wire.client.action(EXECUTE, unsigned(1), now=0.0)
    wire.pump()
    assert wire.events == [ActionFinished(1, ActionResult.READ_WRITE_DENIED, None)]


# -- protection of the answers ------------------------------------------------------------------------------------------------


def spoil(wire: Wire, **changes) -> SecurityError:
    """A GET whose answer is ciphered with `changes`."""
    wire.meter.script[GetRequestNormal] = lambda apdu: wire.meter.cipher(
        GetResponseNormal(apdu.invoke_id_and_priority, null()).encode(), **changes
    )
    get(wire)
    return failure(wire, SecurityError)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"control": SecurityControl(0, True, False)}, "protection-too-weak"),
        ({"control": SecurityControl(0, False, True)}, "protection-too-weak"),
        ({"control": SecurityControl(2, True, True), "key": bytes(32), "gak": bytes(32)}, "wrong-suite"),
        ({"key": bytes(16)}, "bad-tag"),
        ({"system_title": CLIENT_TITLE}, "bad-tag"),
        ({"invocation_counter": 0}, "replayed-counter"),
        ({"invocation_counter": 1001}, "replayed-counter"),
    ],
)
def test_an_answer_that_is_protected_wrongly(changes, code):
    assert spoil(associated(AUTHENTICATED_ENCRYPTED), **changes).code == code


def test_an_answer_in_clear_where_ciphering_was_agreed():
    wire = associated(AUTHENTICATED_ENCRYPTED)
    wire.meter.script[GetRequestNormal] = lambda apdu: GetResponseNormal(apdu.invoke_id_and_priority, null()).encode()
    get(wire)
    assert failure(wire, SecurityError).code == "protection-too-weak"


def test_more_protection_than_agreed_is_welcome():
    agreed = parameters(M.LLS, P.AUTHENTICATED)
    wire = associated(agreed)
    wire.meter.script[GetRequestNormal] = lambda apdu: wire.meter.cipher(
        GetResponseNormal(apdu.invoke_id_and_priority, null()).encode(), control=SecurityControl(0, True, True)
    )
    assert get(wire) == [GetFinished(1, null())]


def test_counters_that_run_out_end_the_conversation_and_not_the_promise():
    wire = associated(AUTHENTICATED_ENCRYPTED, counters=InvocationCounters(range(100, 104)))
    get(wire)
    with pytest.raises(LocalProtocolError) as raised:
        wire.client.get(CLOCK, now=0.0)
    assert raised.value.code == "counters-exhausted"
    wire.client.release(0.0)
    wire.pump()
    assert isinstance(wire.events[-1], Released)
    assert "no release request" in wire.events[-1].remark


def test_counters_that_run_out_between_two_blocks():
    meter = ScriptedMeter(AUTHENTICATED_ENCRYPTED, reply_block=10)
    wire = associated(AUTHENTICATED_ENCRYPTED, meter=meter, counters=InvocationCounters(range(100, 106)))
    meter.objects[NAME] = LONG
    get(wire, NAME)
    assert failure(wire, LocalProtocolError).code == "counters-exhausted"


def test_an_association_that_needs_counters_says_so():
    wire = Wire(AUTHENTICATED_ENCRYPTED, counters=None)
    wire.open()
    assert failure(wire, LocalProtocolError).code == "counters-missing"


# -- release -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize(
    ("answer", "remark"),
    [
        (Rlre(), ""),
        (b"\x63\x00", ""),
        (ExceptionResponse(1, 2), "exception response"),
        (b"\x63\x24\x80\x01\x00\xbe\x22\x04\x21", "unreadable"),
        (b"\xff", "unreadable"),
    ],
)
def test_every_answer_to_a_release_is_a_release(hdlc, answer, remark):
    wire = associated(parameters(M.LLS), hdlc=hdlc)
    wire.meter.script[Rlrq] = lambda apdu: answer
    wire.client.release(0.0)
    wire.pump()
    assert type(wire.events[-1]) is Released
    assert remark in wire.events[-1].remark
    assert wire.client.state is AssociationState.CLOSED
    assert wire.client.next_timer() is None


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_a_meter_that_does_not_answer_the_release(hdlc):
    wire = associated(parameters(M.LLS), hdlc=hdlc)
    wire.meter.script[Rlrq] = lambda apdu: None
    wire.client.release(0.0)
    wire.pump()
    wire.wait(RELEASE_TIMEOUT + 0.1)
    assert wire.events == [Released("no answer to the release request")]
    assert wire.client.state is AssociationState.CLOSED


def test_a_meter_that_hangs_up_on_the_release():
    wire = associated()
    wire.meter.script[Rlrq] = lambda apdu: None
    wire.client.release(0.0)
    wire.pump()
    wire.hang_up()
    assert [type(event) for event in wire.events] == [Released]


@pytest.mark.parametrize("agreed", [parameters(M.LLS), AUTHENTICATED_ENCRYPTED], ids=["clear", "ciphered"])
def test_the_release_request_is_ciphered_where_everything_is(agreed):
    wire = associated(agreed)
    wire.client.release(0.0)
    wire.pump()
    rlrq = wire.meter.requests[-1]
    assert type(rlrq) is Rlrq
    if agreed.protection is P.NONE:
        assert rlrq.encode().hex() == "6203800100"
    else:
        assert rlrq.user_information[0] == 0x21


def test_notifications_do_not_end_a_release():
    wire = associated()
    wire.meter.script[Rlrq] = lambda apdu: [NOTIFICATION, Rlre()]
    wire.client.release(0.0)
    wire.pump()
    assert wire.events == [NotificationReceived(NOTIFICATION), Released()]


def test_abandoning_after_a_push_that_nobody_answered_to():
    wire = associated(hdlc=True)
    information = LLC_RESPONSE + NOTIFICATION.encode()
    push = UiFrame(
        destination=client_address(wire.client.parameters.client_sap),
        source=server_address(1, None, 1),
        poll_final=False,
        information=information,
        segmented=False,
    )
    wire.client.receive_octets(push.encode(), wire.now)
    wire.client.abandon(wire.now)
    wire.pump()
    assert wire.events == [NotificationReceived(NOTIFICATION), Released()]


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_abandoning_in_the_middle_of_general_blocks(hdlc):
    wire = associated(hdlc=hdlc)
    block = GeneralBlockTransfer(False, False, 1, 1, 1, b"\xc4")
    wire.meter.script[GetRequestNormal] = lambda apdu: [block.encode()]
    wire.meter.script[GeneralBlockTransfer] = lambda apdu: None
    get(wire)
    wire.client.abandon(wire.now)
    wire.pump()
    assert wire.events == [Released()]


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_abandoning_takes_the_link_down_without_a_release(hdlc):
    wire = associated(hdlc=hdlc)
    wire.client.get(CLOCK, now=0.0)
    wire.client.abandon(0.0)
    wire.pump()
    assert type(wire.events[-1]) is Released
    assert not any(isinstance(request, Rlrq) for request in wire.meter.requests)
    wire.client.abandon(0.0)
    assert wire.client.state is AssociationState.CLOSED


def test_a_link_that_is_refused_is_left_at_once():
    wire = Wire(parameters())
    reject(wire, result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=1))
    assert wire.client.state is AssociationState.FAILED
    wire.client.abandon(0.0)
    wire.pump()
    assert type(wire.events[-1]) is Released


# -- silence, and lines that end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Aarq, ActionRequestNormal, GetRequestNormal, GetRequestNext])
def test_silence_is_an_error_in_time(kind):
    agreed = parameters(M.HLS_MD5)
    wire = Wire(agreed, meter=ScriptedMeter(agreed, reply_block=10))
    wire.meter.objects[NAME] = LONG
    wire.meter.script[kind] = lambda apdu: None
    wire.open()
    if wire.client.state is AssociationState.ASSOCIATED:
        get(wire, NAME)
    wire.wait(5.1)
    failure(wire, NoReplyError)
    assert wire.client.next_timer() is None


@pytest.mark.parametrize("kind", [Aarq, ActionRequestNormal, GetRequestNormal])
def test_a_line_that_ends_in_the_middle(kind):
    wire = Wire(parameters(M.HLS_MD5))
    wire.meter.script[kind] = lambda apdu: None
    wire.open()
    if wire.client.state is AssociationState.ASSOCIATED:
        get(wire)
    wire.hang_up()
    failure(wire, ConnectionLostError)
    assert wire.client.state is AssociationState.CLOSED


def test_a_line_that_ends_between_two_requests():
    wire = associated()
    wire.hang_up()
    failure(wire, ConnectionLostError)


def test_octets_that_trickle_in_do_not_keep_a_request_alive_for_ever():
    wire = associated()
    wire.meter.script[GetRequestNormal] = lambda apdu: None
    wire.client.get(CLOCK, now=0.0)
    wire.pump()
    header = b"\x00\x01\x00\x01\x00\x10\xff\xff"
    for octet in header + bytes(60):
        wire.client.receive_octets(bytes((octet,)), wire.now)
        wire.wait(1.0)
    assert wire.now > 5.0 * EXCHANGE_FACTOR
    failure(wire, NoReplyError)


def test_a_busy_meter_has_the_time_that_the_link_gives_it():
    """It says "not yet" to every poll: the link knows how long that may go on, the client does not cut it short."""
    wire = associated(hdlc=True)
    wire.meter.script[GetRequestNormal] = lambda apdu: None
    get(wire)
    wire.wait(110.0)
    assert wire.events == []
    wire.say([wire.meter.answer(GetRequestNormal(InvokeIdAndPriority(1), CLOCK)).encode()])
    wire.wait(1.0)
    assert [type(event) for event in wire.events] == [GetFinished]


def test_a_meter_that_is_busy_for_ever_is_left_by_the_link_with_its_own_words():
    wire = associated(hdlc=True)
    wire.meter.script[GetRequestNormal] = lambda apdu: None
    get(wire)
    wire.wait(130.0)
    assert failure(wire, NoReplyError).code == "busy"


def test_what_comes_after_the_end_changes_nothing():
    wire = associated()
    wire.client.release(0.0)
    wire.pump()
    before = len(wire.events)
    wire.client.receive_octets(b"\x00\x01\x00\x01\x00\x10\x00\x02\xc4\x01", 1.0)
    wire.client.connection_lost(1.0)
    wire.client.handle_timer(1.0)
    wire.pump()
    assert not any(isinstance(event, Failed | GetFinished) for event in wire.events[before:])
    assert wire.client.state is AssociationState.CLOSED


# -- notifications ---------------------------------------------------------------------------------------------------------

CONFIRMED_PUSH = DataNotification(0x4000_0007, None, unsigned(7))


def noticing(agreed=None, **options) -> Wire:
    """An open association that agreed to pushes."""
    meter = ScriptedMeter(agreed or parameters())
    meter.conformance |= Conformance.DATA_NOTIFICATION | Conformance.GENERAL_PROTECTION
    return associated(agreed, meter=meter, **options)


def confirmations(wire: Wire) -> list[object]:
    return [request for request in wire.meter.requests if isinstance(request, DataNotificationConfirm)]


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
def test_a_push_that_wants_it_is_confirmed(hdlc):
    wire = noticing(hdlc=hdlc)
    wire.meter.script[DataNotificationConfirm] = lambda apdu: None
    get(wire)
    if hdlc:
        wire.server.push(CONFIRMED_PUSH.encode(), wire.now)
        get(wire)  # the server has the turn only when it is asked something
    else:
        wire.say([CONFIRMED_PUSH.encode()])
    assert NotificationReceived(CONFIRMED_PUSH) in wire.events
    assert confirmations(wire) == [DataNotificationConfirm(0x4000_0007)]
    get(wire)
    assert wire.events[-1] == GetFinished(3 if hdlc else 2, wire.meter.objects[CLOCK])


def test_a_push_that_does_not_want_it_or_that_was_not_agreed_to_is_not_confirmed():
    wire = noticing()
    wire.say([NOTIFICATION.encode()])
    assert confirmations(wire) == []
    wire = associated()
    wire.say([CONFIRMED_PUSH.encode()])
    assert confirmations(wire) == []


def test_a_confirmation_is_ciphered_in_a_general_envelope_or_left_out():
    general = parameters(M.HLS_GMAC, P.AUTHENTICATED_ENCRYPTED, ciphering_form=CipheringForm.GENERAL)
    wire = noticing(general)
    wire.meter.script[DataNotificationConfirm] = lambda apdu: None
    wire.say([CONFIRMED_PUSH.encode()])
    assert confirmations(wire) == [DataNotificationConfirm(0x4000_0007)]
    specific = parameters(M.HLS_GMAC, P.AUTHENTICATED_ENCRYPTED, ciphering_form=CipheringForm.SERVICE_SPECIFIC)
    wire = noticing(specific)
    wire.say([CONFIRMED_PUSH.encode()])
    assert isinstance(get(wire)[-1], GetFinished)


@pytest.mark.parametrize("hdlc", [False, True], ids=["wrapper", "hdlc"])
@pytest.mark.parametrize("agreed", [parameters(), AUTHENTICATED_ENCRYPTED], ids=["clear", "ciphered"])
@pytest.mark.parametrize("octets", [NOTIFICATION.encode(), EventNotificationRequest(None, CLOCK, unsigned(1)).encode()])
def test_notifications_in_the_middle_of_blocks(agreed, hdlc, octets):
    """Before every block there is one: the transfer goes on as if there were none."""
    wire = associated(agreed, hdlc=hdlc)
    wire.meter.objects[NAME] = LONG
    wire.meter.reply_block = 150
    for request in (GetRequestNormal, GetRequestNext):
        wire.meter.script[request] = lambda apdu: [octets, wire.meter.answer(apdu)]
    get(wire, NAME)
    assert wire.events[-1] == GetFinished(1, LONG)
    told = [event for event in wire.events if isinstance(event, NotificationReceived)]
    assert len(told) == len([event for event in wire.events if isinstance(event, BlockReceived)]) > 3


def test_a_push_in_general_blocks_in_the_middle_of_a_request():
    wire = associated()
    push = DataNotification(9, None, octet_string(bytes(300)))
    wire.meter.script[GetRequestNormal] = lambda apdu: [
        *(block.encode() for block in unconfirmed_blocks(push.encode(), 100)),
        wire.meter.answer(apdu),
    ]
    get(wire)
    assert wire.events == [NotificationReceived(push), GetFinished(1, wire.meter.objects[CLOCK])]


def test_a_published_push_in_general_blocks():
    wire = associated()
    apdu = octets("gbt-apdu")
    wire.say(block.encode() for block in unconfirmed_blocks(apdu, 0x70 + 8))
    assert wire.events == [NotificationReceived(decode_apdu(apdu))]
