"""The DLMS client without I/O: joins the link, the association, the ciphering and the transfers.

    octets in -> link -> channel (ciphering, general blocks) -> association or transfer -> events
    requests  -> transfer -> channel -> link -> octets out

The owner feeds octets and the time, sends what `octets_to_send` gives, takes events, and asks for the next timer. One request
runs at a time. What it may rely on: every request ends in exactly one of its `…Finished`, `RequestFailed` or `Failed`; after
`Failed` only `abandon` is left; after `Released` nothing is. Source: IEC 62056-5-3.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

from meters.cosem.data import Data
from sessions.dlms.acse import Aare, Rlre
from sessions.dlms.apdu import Apdu, decode_apdu
from sessions.dlms.apdu.descriptors import (
    ActionResult,
    CosemAttributeDescriptor,
    CosemMethodDescriptor,
)
from sessions.dlms.apdu.notification import DataNotification, DataNotificationConfirm, EventNotificationRequest
from sessions.dlms.apdu.short_name import InformationReport
from sessions.dlms.association import (
    AssociationEvent,
    AssociationMachine,
    AssociationParameters,
    AssociationState,
    Negotiated,
)
from sessions.dlms.channel import Broken, Channel, Piece, Plain
from sessions.dlms.ciphering import Ciphering, CipheringState
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import InvocationCounters
from sessions.dlms.errors import (
    AuthenticationFailedError,
    ConnectionLostError,
    DlmsError,
    LocalProtocolError,
    NoReplyError,
    RemoteProtocolError,
)
from sessions.dlms.events import (
    Associated,
    ClientEvent,
    Failed,
    NotificationReceived,
    Released,
    ReplyIgnored,
)
from sessions.dlms.handshake import Handshake
from sessions.dlms.hdlc.parameters import HdlcParameters
from sessions.dlms.link import (
    ApduReceived,
    FrameReceived,
    FrameSent,
    LineChangeNeeded,
    Link,
    LinkConnected,
    LinkDisconnected,
    LinkEvent,
    LinkFailed,
    OctetsDiscarded,
)
from sessions.dlms.patience import Patience
from sessions.dlms.refusals import refusal_of
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import ShortNameMap
from sessions.dlms.transfers.blocks import TransferLimits
from sessions.dlms.transfers.items import SERVICES, ActionItem, GetItem, Item, SetItem
from sessions.dlms.transfers.many import BY_LOGICAL_NAMES, Forms, ManyTransfer
from sessions.dlms.transfers.named import ShortNames, by_short_names
from sessions.dlms.transfers.transfer import Terms, Transfer, Turn

RELEASE_TIMEOUT: Final = 3.0
"""Seconds for an RLRE: several meters know none and stay silent."""

LLC_OCTETS: Final = bytes.fromhex("e6e700")
"""Some meters write the LLC octets of HDLC twice; no APDU for a client begins so."""


Notification: Final = DataNotification | EventNotificationRequest | InformationReport
"""What a meter says unasked."""


class DlmsClient:
    """One association over one link.

    `challenge` (8 to 64 octets, random) is used by HLS. `counters` hands out the invocation counters of the global key, once
    each; None where nothing is ciphered. `random(n)` gives n octets for general protection. `reply_timeout` bounds the wait, in
    seconds, after an APDU that answers something else; plain silence is the link's to time.
    """

    def __init__(
        self,
        parameters: AssociationParameters,
        link: Link,
        *,
        challenge: bytes,
        counters: InvocationCounters | None,
        limits: TransferLimits | None = None,
        reply_timeout: float = 5.0,
        random: Callable[[int], bytes] | None = None,
    ) -> None:
        self.parameters = parameters
        self.negotiated: Negotiated | None = None
        self._link = link
        self._association = AssociationMachine()
        self._handshake = Handshake(parameters, challenge)
        self._ciphering = Ciphering(parameters, counters, random)
        self._limits = limits or TransferLimits()
        self._transfer: Transfer | None = None
        self._invocations = count(1)
        self._short_names = ShortNames(parameters.short_names)
        self._asking = by_short_names(self._short_names) if parameters.by_short_names else BY_LOGICAL_NAMES
        self._forms = Forms(Conformance(0))
        self._events: deque[ClientEvent] = deque()
        self._patience = Patience(reply_timeout, link.longest_wait)
        window = parameters.block_window
        self._channel = Channel(link, self._ciphering, window=window, reply_timeout=reply_timeout)
        self._requests = 0
        self._hdlc: HdlcParameters | None = None
        self._remark = ""

    @property
    def state(self) -> AssociationState:
        return self._association.state

    @property
    def short_names(self) -> ShortNameMap | None:
        """The meter's objects by short name: given, or as it told them; None where neither has happened."""
        return self._short_names.known

    # -- what the user asks ------------------------------------------------------------------------------------------

    def open(self, now: float) -> None:
        """Connect the link and associate: ends in `Associated` or `Failed`."""
        self._association.fire(AssociationEvent.OPEN)
        self._patience.begin(now)
        self._link.connect(now)
        self._drain_link(now)

    def get(
        self, descriptor: CosemAttributeDescriptor, access_selection: SelectiveAccess | None = None, *, now: float
    ) -> int:
        """Read one attribute: `BlockReceived`… and `GetFinished`."""
        return self._ask(GetItem(descriptor, access_selection), now)

    def set(
        self,
        descriptor: CosemAttributeDescriptor,
        value: Data,
        access_selection: SelectiveAccess | None = None,
        *,
        now: float,
    ) -> int:
        """Write one attribute: `BlockSent`… and `SetFinished`."""
        return self._ask(SetItem(descriptor, value, access_selection), now)

    def action(self, descriptor: CosemMethodDescriptor, parameters: Data | None = None, *, now: float) -> int:
        """Invoke one method: `BlockSent`…, `BlockReceived`… and `ActionFinished`."""
        return self._ask(ActionItem(descriptor, parameters), now)

    def many(self, items: Sequence[Item], *, now: float) -> int:
        """Read, write and invoke many things, in the best form that both sides offer: ends in `ManyFinished`."""
        services = {self._service_of(item) for item in items} or {Conformance(0)}
        terms = [self._terms(service) for service in sorted(services)]
        return self._request(ManyTransfer(terms[0], items, self._forms, self._asking), now)

    def set_unconfirmed(self, descriptor: CosemAttributeDescriptor, value: Data, *, now: float) -> None:
        """Write one attribute and wait for no answer: nobody learns whether it was done. No event follows."""
        service = Conformance.UNCONFIRMED_WRITE if self.parameters.by_short_names else Conformance.SET
        octets = self._asking.unconfirmed(self._terms(service), SetItem(descriptor, value))
        self._link.send_unconfirmed(self._ciphering.protect(octets), now)
        self._drain_link(now)

    def release(self, now: float) -> None:
        """End the association and the link in good order: ends in `Released`."""
        self._check_idle()
        if self.parameters.pre_established and self.state is AssociationState.ASSOCIATED:
            self.abandon(now)  # nothing can release it: the link goes down
            return
        self._association.fire(AssociationEvent.RELEASE)
        try:
            initiate = self._handshake.initiate_request(with_dedicated_key=False)
            rlrq = self._handshake.rlrq(self._ciphering.protect_initiate(initiate.encode()))
            self._link.send_apdu(rlrq.encode(), now)
            self._patience.begin(now, at_most=RELEASE_TIMEOUT)
        except DlmsError as error:  # no invocation counter is left, say: then without a release
            self._released_by_server(f"no release request: {error.message}", now)
        self._drain_link(now)

    def abandon(self, now: float) -> None:
        """Take the link down without a release: from every state, and ends in `Released`."""
        self._transfer = None
        self._association.fire(AssociationEvent.ABANDON)
        if self.state is AssociationState.CLOSED:
            return
        self._disconnect(now)
        self._drain_link(now)

    # -- what the owner of the line tells and asks -------------------------------------------------------------------

    def receive_octets(self, octets: bytes, now: float) -> None:
        """Octets that came from the line."""
        self._link.receive_octets(octets, now)
        self._drain_link(now)

    def line_changed(self, now: float) -> None:
        """The line has the settings of the last `LineChangeNeeded`."""
        self._link.line_changed(now)
        self._drain_link(now)

    def connection_lost(self, now: float) -> None:
        """The line is at its end."""
        self._link.connection_lost(now)
        self._drain_link(now)

    def octets_to_send(self) -> bytes:
        """Octets for the line, handed out once."""
        return self._link.octets_to_send()

    def next_event(self) -> ClientEvent | None:
        """The oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """When `handle_timer` wants to be called."""
        timers = (self._link.next_timer(), self._patience.deadline, self._channel.deadline)
        return min((timer for timer in timers if timer is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Time has passed."""
        self._link.handle_timer(now)
        self._drain_link(now)
        if self._patience.is_over(now):
            self._overdue(now)
            self._drain_link(now)
        elif self._channel.is_over(now):
            self._ask_for_blocks(now)
            self._drain_link(now)

    # -- requests ----------------------------------------------------------------------------------------------------

    def _terms(self, service: Conformance) -> Terms:
        """The terms of the next request, if the association stands and the service is part of it."""
        name = (service.name or "").replace("_", " ")
        if self.negotiated is None or self.state is not AssociationState.ASSOCIATED:
            raise LocalProtocolError(
                f"{name} needs an open association, this one is {self.state.name.lower().replace('_', ' ')}",
                layer="association",
                code="not-associated",
            )
        if service not in self.negotiated.conformance:
            raise LocalProtocolError(
                f"The meter did not agree to {name} in this association",
                code="service-not-negotiated",
                hint="Another client SAP or authentication may be allowed more.",
            )
        self._check_idle()
        return Terms(
            request=self._requests + 1,
            invocations=self._invocations,
            capacity=self._channel.capacity,
            conformance=self.negotiated.conformance,
            limits=self._limits,
        )

    def _check_idle(self) -> None:
        if self._transfer is not None:
            raise LocalProtocolError("Another request is still waiting for its answer", code="busy")

    def _service_of(self, item: Item) -> Conformance:
        if self.parameters.by_short_names:
            return Conformance.READ if isinstance(item, GetItem) else Conformance.WRITE
        return SERVICES[type(item)]

    def _ask(self, item: Item, now: float) -> int:
        return self._request(self._asking.single(self._terms(self._service_of(item)), item), now)

    def _request(self, transfer: Transfer, now: float) -> int:
        """Send a request; what goes wrong before it is out is raised, and leaves nothing behind."""
        self._send(transfer.begin(), now)
        self._transfer = transfer
        self._requests += 1
        self._drain_link(now)
        return self._requests

    def _send(self, octets: bytes, now: float) -> None:
        self._channel.send(octets, now)
        self._patience.begin(now)

    # -- the wait for an answer --------------------------------------------------------------------------------------

    def _ignore(self, event: ReplyIgnored | NotificationReceived, now: float) -> None:
        """An APDU that is no answer: told, and the patience for the answer shortened."""
        self._events.append(event)
        self._patience.pass_over(now)
        self._channel.pass_over()

    def _overdue(self, now: float) -> None:
        self._patience.end()
        if self.state is AssociationState.RELEASE_PENDING:
            self._released_by_server("no answer to the release request", now)
        elif self.state is AssociationState.DISCONNECT_PENDING:
            self._association.fire(AssociationEvent.LINK_DOWN)
            self._end_released("no answer to the disconnect")
        else:
            self._fail(
                NoReplyError(
                    "The meter talks, but the answer to the request did not come.",
                    layer="application",
                    hint="Try again; if it comes back, note the frames: the meter answers something that was not asked.",
                )
            )

    def _ask_for_blocks(self, now: float) -> None:
        try:
            self._channel.ask_again(now)
        except DlmsError as error:
            self._fail(error)

    # -- what the link brings ----------------------------------------------------------------------------------------

    def _drain_link(self, now: float) -> None:
        while (event := self._link.next_event()) is not None:
            try:
                self._handle_link_event(event, now)
            except DlmsError as error:
                self._fail(error)
        if self.state is AssociationState.ASSOCIATED:
            self._channel.flush(now, idle=self._patience.deadline is None)
        if self._patience.deadline is not None and self.state is not AssociationState.DISCONNECT_PENDING:
            self._channel.listen(now)

    def _handle_link_event(self, event: LinkEvent, now: float) -> None:
        match event:
            case FrameSent() | OctetsDiscarded() | LineChangeNeeded():
                self._events.append(event)
            case FrameReceived():
                self._events.append(event)
                self._patience.extend(now, event.octets)
            case LinkConnected():
                self._link_connected(event, now)
            case ApduReceived():
                self._apdu_received(event.apdu.removeprefix(LLC_OCTETS), now)
            case LinkDisconnected():
                self._link_down(ConnectionLostError("The meter closed the link.", layer="link", code="link-closed"))
            case LinkFailed():
                self._link_down(event.error)

    def _link_connected(self, event: LinkConnected, now: float) -> None:
        self._hdlc = event.parameters if isinstance(event.parameters, HdlcParameters) else None
        for words in event.remarks:
            self._handshake.remark(words)
        if self.parameters.pre_established:
            self._take_as_associated()
            return
        self._association.fire(AssociationEvent.LINK_UP)
        self._ciphering.start()
        initiate = self._ciphering.protect_initiate(self._handshake.initiate_request().encode())
        self._link.send_apdu(self._handshake.aarq(initiate).encode(), now)
        self._patience.begin(now)

    def _take_as_associated(self) -> None:
        """A pre-established association stands already, with what the meter's maker says of it."""
        self._association.fire(AssociationEvent.LINK_UP_ASSOCIATED)
        self.negotiated = Negotiated(
            conformance=self.parameters.proposed_conformance,
            server_max_receive_pdu_size=self.parameters.server_max_receive_pdu_size,
            server_system_title=self.parameters.server_system_title,
            hdlc=self._hdlc,
        )
        self._channel.negotiated = self.negotiated
        self._ciphering.start()
        self._ciphering.agree(self.negotiated.conformance)
        self._associated()

    def _link_down(self, error: DlmsError) -> None:
        """The link is gone: as wished, or in the middle of something."""
        state = self.state
        if state in (AssociationState.FAILED, AssociationState.CLOSED):
            self._association.fire(AssociationEvent.LINK_DOWN)
            return
        if state in (AssociationState.RELEASE_PENDING, AssociationState.DISCONNECT_PENDING):
            self._association.fire(AssociationEvent.LINK_DOWN)
            wished = error.code == "link-closed"
            self._end_released(self._remark if wished else self._remark or error.message)
            return
        self._fail(error)
        self._association.fire(AssociationEvent.LINK_DOWN)

    def _fail(self, error: DlmsError) -> None:
        """The conversation is over; said once."""
        over = (AssociationState.FAILED, AssociationState.CLOSED, AssociationState.DISCONNECT_PENDING)
        self._transfer = None
        if self.state in over:
            return
        self._patience.end()
        self._association.fire(AssociationEvent.FAILURE)
        self._ciphering.end()
        self._events.append(Failed(error))

    def _end_released(self, remark: str) -> None:
        self._patience.end()
        self._ciphering.end()
        self._events.append(Released(remark))

    # -- APDUs -------------------------------------------------------------------------------------------------------

    def _apdu_received(self, octets: bytes, now: float) -> None:
        match self.state:
            case AssociationState.ASSOCIATION_PENDING:
                self._association_answer(octets, now)
            case AssociationState.HLS_PENDING | AssociationState.ASSOCIATED:
                self._protected_received(octets, now)
            case AssociationState.RELEASE_PENDING:
                self._release_answer(octets, now)
            case _:
                pass  # the frame was told; nobody waits for what it says

    def _protected_received(self, octets: bytes, now: float) -> None:
        """An APDU as the association protects it, or a part of one."""
        match self._channel.receive(octets, now, expected=self._patience.deadline is not None):
            case Plain(plain, protected) if self.state is AssociationState.HLS_PENDING:
                self._proof_answer(plain, protected, now)
            case Plain(plain, protected):
                self._answer(plain, protected, now)
            case Piece(at, piece) if self._transfer is not None:
                self._events.extend(self._transfer.look_ahead(at, piece))
            case Broken(error):
                self._unreadable(error, now)

    def _association_answer(self, octets: bytes, now: float) -> None:
        apdu = decode_apdu(octets)
        if isinstance(apdu, Notification):
            self._ignore(NotificationReceived(apdu), now)
            return
        if not isinstance(apdu, Aare):
            raise refusal_of(apdu) or RemoteProtocolError(
                f"An AARE is due, the meter sent: {apdu.summary()}", layer="association", code="unexpected-answer"
            )
        event = self._handshake.judge(apdu, self._handshake.service_error_in(apdu, self._ciphering))
        self._ciphering.server_system_title = self._handshake.server_system_title
        response = self._handshake.initiate_response(apdu, self._ciphering)
        self.negotiated = self._handshake.negotiate(response, self._hdlc)
        self._channel.negotiated = self.negotiated
        self._ciphering.agree(self.negotiated.conformance)
        self._association.fire(event)
        if event is AssociationEvent.AARE_HLS_REQUIRED:
            self._send_proof(now)
        else:
            self._associated()

    def _send_proof(self, now: float) -> None:
        """HLS pass 3: what only the owner of the secret can make of the meter's challenge."""
        assert self.negotiated is not None  # the AARE was judged
        parameterized = Conformance.PARAMETERIZED_ACCESS in self.negotiated.conformance
        proof = self._handshake.proof(self._ciphering)
        self._send(self._handshake.reply_to_hls(proof, parameterized=parameterized), now)

    def _proof_answer(self, plain: bytes, protected: bool, now: float) -> None:
        """HLS pass 4: the meter's own proof. Without it nobody knows who answers."""
        apdu = decode_apdu(plain)
        if isinstance(apdu, Notification):
            self._ignore(NotificationReceived(apdu, protected), now)
            return
        answer = self._handshake.answer_of_hls(apdu)
        if answer is None:
            raise refusal_of(apdu) or RemoteProtocolError(
                f"The answer to reply_to_HLS is due, the meter sent: {apdu.summary()}", layer="authentication"
            )
        result, returned = answer
        if result is not ActionResult.SUCCESS:
            raise AuthenticationFailedError(
                f"The meter refused our proof of the secret: {result.words}", code="proof-refused"
            )
        if (request := self._handshake.fetch_proof()) is not None:
            self._send(request, now)
            return
        self._handshake.verify(returned, self._ciphering)
        self._association.fire(AssociationEvent.SERVER_PROVEN)
        self._associated()

    def _associated(self) -> None:
        assert self.negotiated is not None  # the AARE was judged
        self._patience.end()
        ciphered = self._ciphering.state is not CipheringState.CLEAR
        self._forms = Forms(self.negotiated.conformance, ciphered=ciphered)
        self._events.append(Associated(self.negotiated))

    def _unreadable(self, error: DlmsError, now: float) -> None:
        """What came is no answer to anything: it ends the request that waits for one."""
        if self.state is AssociationState.HLS_PENDING:
            raise error
        if self._transfer is None:
            self._ignore(ReplyIgnored(None, error.message), now)
        else:
            self._take_turn(self._transfer, self._transfer.failed(error), now)

    def _answer(self, plain: bytes, protected: bool, now: float) -> None:
        transfer = self._transfer
        try:
            apdu = decode_apdu(plain)
        except DlmsError as error:
            self._unreadable(error, now)
            return
        if isinstance(apdu, Notification):
            self._notified(apdu, protected, now)
        elif transfer is None:
            self._ignore(ReplyIgnored(apdu, "nothing is asked"), now)
        elif (refusal := refusal_of(apdu)) is not None:
            refusal.proven = protected or not self._ciphering.demands_protection
            self._take_turn(transfer, transfer.failed(refusal), now)
        elif reason := transfer.stray(apdu):
            self._ignore(ReplyIgnored(apdu, reason), now)
        else:
            self._continue(transfer, apdu, now)

    def _notified(self, apdu: Apdu, protected: bool, now: float) -> None:
        """Something that was not asked for; a push may want to be confirmed."""
        self._ignore(NotificationReceived(apdu, protected), now)
        agreed = self.negotiated is not None and Conformance.DATA_NOTIFICATION in self.negotiated.conformance
        if agreed and isinstance(apdu, DataNotification) and apdu.wants_confirmation:
            self._channel.say(DataNotificationConfirm(apdu.long_invoke_id_and_priority).encode())

    def _continue(self, transfer: Transfer, apdu: Apdu, now: float) -> None:
        """An answer to the request."""
        try:
            turn = transfer.receive(apdu)
        except DlmsError as error:
            turn = transfer.failed(error)
        self._take_turn(transfer, turn, now)

    def _take_turn(self, transfer: Transfer, turn: Turn, now: float) -> None:
        """Hand on what an answer brings; send what goes out next, or end the request."""
        outcomes, octets = turn
        self._events.extend(outcomes)
        if octets is not None:
            self._send(octets, now)
            return
        assert transfer.done
        self._transfer = None
        self._patience.end()
        self._channel.end()

    def _release_answer(self, octets: bytes, now: float) -> None:
        """An RLRE ends it, and so does anything else but a notification: some meters answer with an error, or garbage."""
        try:
            apdu = decode_apdu(octets)
        except DlmsError as error:
            self._released_by_server(f"the release was answered with something unreadable: {error.message}", now)
            return
        if isinstance(apdu, Notification):
            self._ignore(NotificationReceived(apdu), now)
        else:
            odd = self._handshake.odd_about(apdu, self._ciphering) if isinstance(apdu, Rlre) else apdu.summary()
            self._released_by_server(f"released with: {odd}" if odd else "", now)

    def _released_by_server(self, remark: str, now: float) -> None:
        self._remark = remark
        self._association.fire(AssociationEvent.RELEASED)
        self._disconnect(now)

    def _disconnect(self, now: float) -> None:
        self._patience.begin(now)
        self._link.disconnect(now)
