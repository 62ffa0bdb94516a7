"""Protection of whole APDUs: which key, which form, which counter, and what is too weak to be believed.

    CLEAR ──START──> GLOBAL ──DEDICATED_AGREED──> DEDICATED
      ^                 │                            │
      └──────END────────┴────────────END─────────────┘

Until the AARE is verified only the global key is known to both sides: InitiateRequest and InitiateResponse are always ciphered
globally. Afterwards the dedicated key, where the client sent one, takes over for the services; its invocation counter starts
at 0 with each association. A service goes out under its own tag (glo-, ded-) or in a general envelope, as the association wants
and the meter agreed; what comes may have either form. It must be protected at least as demanded, under the agreed suite, by the
unicast key, from the agreed title, and with a counter above every earlier one. A counter counts as seen only once its message
was found genuine. Source: IEC 62056-5-3, Green Book 9.2.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from enum import Enum, auto
from typing import Final

from sessions.dlms.apdu.ciphered import DED_TAGS, GLO_TAGS, PLAIN_TAGS, is_dedicated, split_envelope
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.association import AssociationParameters
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import LAST_COUNTER, InvocationCounters, ReceiveFloor
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.general_protection import GeneralProtection
from sessions.dlms.protection import CipheringForm, Protection
from sessions.dlms.security import HEADER_OCTETS, TAG_OCTETS, TITLE_OCTETS, SecurityControl, protect, unprotect
from sessions.dlms.transactions import GENERAL_TAGS as TRANSACTION_TAGS
from sessions.dlms.transactions import Shape, Transactions
from sessions.dlms.transfers.blocks import largest_contents

CLEAR_TAGS: Final = frozenset(
    {
        ApduTag.EXCEPTION_RESPONSE,
        ApduTag.CONFIRMED_SERVICE_ERROR,
        ApduTag.DATA_NOTIFICATION,
        ApduTag.EVENT_NOTIFICATION_REQUEST,
        ApduTag.INFORMATION_REPORT_REQUEST,
    }
)
"""Tags of APDUs that are taken in clear even where protection was agreed."""

GENERAL_TAGS: Final = frozenset({ApduTag.GENERAL_GLO_CIPHERING, ApduTag.GENERAL_DED_CIPHERING})
NOT_IN_KIND: Final = CLEAR_TAGS | {ApduTag.INITIATE_RESPONSE}
"""Tags of APDUs that come without general protection where requests have it: they answer no service, or refuse it."""
UNSOLICITED_TAGS: Final = frozenset({ApduTag.DATA_NOTIFICATION, ApduTag.EVENT_NOTIFICATION_REQUEST})
APDU_TAGS: Final = frozenset(ApduTag) - frozenset(PLAIN_TAGS)
"""What may stand inside of a ciphered APDU."""


class CipheringState(Enum):
    """Whose key protects what goes out."""

    CLEAR = auto()
    GLOBAL = auto()
    DEDICATED = auto()


class CipheringEvent(Enum):
    """What changes the key."""

    START = auto()
    DEDICATED_AGREED = auto()
    END = auto()


_S, _E = CipheringState, CipheringEvent

TRANSITIONS: Final[Mapping[CipheringState, Mapping[CipheringEvent, CipheringState]]] = {
    _S.CLEAR: {_E.START: _S.GLOBAL, _E.END: _S.CLEAR},
    _S.GLOBAL: {_E.DEDICATED_AGREED: _S.DEDICATED, _E.END: _S.CLEAR},
    _S.DEDICATED: {_E.END: _S.CLEAR},
}


class Ciphering:
    """The protection of one association. `counters` are those of the global key; both sides' titles are in the nonce.
    `random(n)` gives n octets for general protection, where that is agreed.
    """

    def __init__(
        self,
        parameters: AssociationParameters,
        counters: InvocationCounters | None,
        random: Callable[[int], bytes] | None = None,
    ) -> None:
        self.parameters = parameters
        self.state = CipheringState.CLEAR
        self.server_system_title = parameters.server_system_title
        self._general_agreed = False
        self._global_counters = counters
        self._dedicated_counters = InvocationCounters(range(LAST_COUNTER + 1))
        self._global_floor = ReceiveFloor()
        self._dedicated_floor = ReceiveFloor()
        self._proof_floor = ReceiveFloor()
        self._control = _control_of(parameters, parameters.protection)
        self._demanded = _control_of(parameters, parameters.demanded_protection)
        self._shape = _shape(parameters.general, self._control)
        self._transactions = Transactions(
            parameters.party_keys,
            parameters.client_system_title,
            settings=parameters.general,
            random=random,
            take_counter=self.take_counter,
            floor=self._global_floor,
        )
        self._demanded_octet = self._demanded.encode() if parameters.demanded_protection is not Protection.NONE else -1

    # -- state -------------------------------------------------------------------------------------------------------

    def fire(self, event: CipheringEvent) -> None:
        """Move to the next state; every event here is ours."""
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise LocalProtocolError(f"{event.name} is illegal in {self.state.name}", layer="security")
        self.state = following

    def start(self) -> None:
        """From now on everything is protected, if that was agreed."""
        if self.parameters.ciphered:
            self.fire(CipheringEvent.START)

    def agree(self, conformance: Conformance) -> None:
        """The AARE is believed: the dedicated key that we sent is the server's too, and these services are agreed."""
        self._general_agreed = Conformance.GENERAL_PROTECTION in conformance
        self._proof_floor = copy(self._global_floor)
        if self.state is CipheringState.GLOBAL and self.parameters.dedicated_key is not None:
            self.fire(CipheringEvent.DEDICATED_AGREED)

    def end(self) -> None:
        self.fire(CipheringEvent.END)

    # -- out ---------------------------------------------------------------------------------------------------------

    def take_counter(self) -> int:
        """One invocation counter of the global key, never to be used again."""
        if self._global_counters is None:
            raise LocalProtocolError(
                "This association uses invocation counters, and none were given",
                layer="security",
                code="counters-missing",
                hint="Read the meter's counter object, or give invocation_counter.",
            )
        return self._global_counters.take()

    def protect(self, apdu: bytes) -> bytes:
        """A service's APDU as it goes out."""
        if self._shape is not None:
            self._transactions.peer_title = self.server_system_title or b""
            apdu = self._transactions.begin(apdu, self._shape)
            if self._shape.ciphering is not None:
                return apdu
        if not self._protects:
            return apdu
        return self._protect(apdu, dedicated=self.state is CipheringState.DEDICATED, general=self._in_general(apdu[0]))

    def protect_initiate(self, apdu: bytes) -> bytes:
        """An InitiateRequest as it goes out: never under the dedicated key, which it may carry, and before forms are agreed."""
        return self._protect(apdu, dedicated=False, general=False) if self._protects else apdu

    @property
    def _protects(self) -> bool:
        return self.state is not CipheringState.CLEAR and self.parameters.protection is not Protection.NONE

    def _in_general(self, tag: int) -> bool:
        """Whether the APDU with this tag goes out in a general envelope."""
        if tag in GLO_TAGS:
            return self._general_agreed and self.parameters.ciphering_form is CipheringForm.GENERAL
        if not self._general_agreed and self._shape is None:
            raise LocalProtocolError(
                f"The APDU with tag {tag:02X} has no ciphered form of its own, and general-protection was not agreed",
                layer="security",
                code="no-ciphered-form",
                hint="Ask with a service that the meter takes ciphered (GET, SET, ACTION), or allow the general form.",
            )
        return True

    def _protect(self, apdu: bytes, *, dedicated: bool, general: bool) -> bytes:
        parameters = self.parameters
        payload = protect(
            apdu,
            control=self._control,
            key=(parameters.dedicated_key if dedicated else parameters.guek) or b"",
            gak=parameters.gak or b"",
            system_title=parameters.client_system_title,
            invocation_counter=self._dedicated_counters.take() if dedicated else self.take_counter(),
        )
        if general:
            tag = ApduTag.GENERAL_DED_CIPHERING if dedicated else ApduTag.GENERAL_GLO_CIPHERING
            return Writer().u8(tag).octet_string(parameters.client_system_title).octet_string(payload).octets()
        tags = DED_TAGS if dedicated else GLO_TAGS
        return Writer().u8(tags[apdu[0]]).octet_string(payload).octets()

    def capacity(self, size: int) -> int:
        """The longest APDU in clear, of a service with ciphered forms of its own, that goes out at most `size` octets long."""
        if self._shape is not None:
            size -= self._shape.overhead(self.parameters.security_suite)
        if not self._protects or (self._shape is not None and self._shape.ciphering is not None):
            return size
        general = self._general_agreed and self.parameters.ciphering_form is CipheringForm.GENERAL
        if general or self._shape is not None:
            size -= 1 + TITLE_OCTETS
        return largest_contents(size - 1) - HEADER_OCTETS - (TAG_OCTETS if self._control.authenticated else 0)

    # -- in ----------------------------------------------------------------------------------------------------------

    def unprotect(self, octets: bytes) -> tuple[bytes, bool]:
        """An APDU in clear, and whether it came protected; SecurityError when it is protected less than demanded.

        Errors of the whole service and notifications may come in clear: meters send them so, and they change nothing here.
        """
        tag = octets[0] if octets else 0
        protected = tag in PLAIN_TAGS or tag in GENERAL_TAGS
        if protected:
            octets = self._unprotect(tag, octets)
            tag = octets[0]
        if tag in TRANSACTION_TAGS:
            return self._unprotect_transaction(octets, inside=protected), True
        self._check_kind(tag, protected)
        return octets, protected

    def _check_kind(self, tag: int, protected: bool) -> None:
        """What may come without general protection, and what in clear, where more was agreed."""
        if self._shape is not None and tag not in NOT_IN_KIND:
            raise SecurityError(
                f"An APDU with tag {tag:02X} came without the general protection that was agreed",
                code="protection-too-weak",
            )
        if not protected and self.demands_protection and tag not in CLEAR_TAGS:
            raise SecurityError(
                f"An APDU with tag {tag:02X} came in clear, {self.parameters.demanded_protection.value} was agreed",
                code="protection-too-weak",
            )

    @property
    def demands_protection(self) -> bool:
        """Whether answers have to come protected; errors of the whole service and notifications may come in clear."""
        return self.state is not CipheringState.CLEAR and self.parameters.demanded_protection is not Protection.NONE

    def _unprotect(self, tag: int, octets: bytes) -> bytes:
        named, payload = split_envelope(octets)
        if self.state is CipheringState.CLEAR:
            raise SecurityError("A ciphered APDU came where no protection was agreed", code="unexpected-protection")
        title = self._title_of(named)
        if len(payload) < HEADER_OCTETS:
            raise SecurityError("the security header is cut", code="truncated-header")
        if payload[0] != self._demanded_octet:
            self._check_control(SecurityControl.decode(payload[0]))
        key, floor = self._key_of(tag)
        counter = int.from_bytes(payload[1:HEADER_OCTETS], "big")
        floor.check(counter)
        _, _, plain = unprotect(payload, key=key, gak=self.parameters.gak or b"", system_title=title)
        self._check_contents(tag, plain)
        floor.move(counter)
        self.server_system_title = title  # a verified envelope may be the first to say it
        return plain

    def _unprotect_transaction(self, octets: bytes, *, inside: bool) -> bytes:
        """What general-ciphering and general-signing hold. `inside`: another ciphering was around it."""
        self._transactions.peer_title = self.server_system_title or b""
        opened = self._transactions.open(octets)
        tag = opened.apdu[0] if opened.apdu else 0
        if tag not in UNSOLICITED_TAGS:
            self._check_shape(opened.shape, inside)
        elif opened.shape.ciphering is not None:
            self._check_control(opened.shape.control)
        self._transactions.settle(opened, answer=tag not in UNSOLICITED_TAGS)
        return opened.apdu

    def _check_shape(self, shape: Shape, inside: bool) -> None:
        """An answer in kind: signed where the request was, ciphered with the same kind of key."""
        wanted = self._shape or Shape()
        if shape.broadcast:
            raise SecurityError("The meter answered with the broadcast key", code="broadcast-key")
        ciphered = shape.ciphering is not None
        if (wanted.signed and not shape.signed) or (
            wanted.ciphering is not None and shape.ciphering is not wanted.ciphering
        ):
            raise SecurityError(
                "The meter's answer is not signed, or not ciphered with the kind of key that the request had",
                code="protection-too-weak",
            )
        if ciphered:
            self._check_control(shape.control)
        elif self.demands_protection and not inside:
            raise SecurityError(
                f"An answer came in clear, {self.parameters.demanded_protection.value} was agreed",
                code="protection-too-weak",
            )

    def _check_contents(self, tag: int, plain: bytes) -> None:
        """What stands inside must be what the tag outside says, or an APDU at least: without a tag of GCM nothing else tells."""
        inside = plain[0] if plain else None
        if inside == PLAIN_TAGS.get(tag, inside) and inside in APDU_TAGS:
            return
        found = "nothing" if inside is None else f"an APDU with tag {inside:02X}"
        raise SecurityError(f"Inside of {tag:02X} stands {found}: wrong key, or altered octets", code="wrong-contents")

    def _title_of(self, named: bytes) -> bytes:
        """The sender's title, which must be the one of this association. `named`: what a general envelope says."""
        title = self.server_system_title
        if named and title and named != title:
            raise SecurityError(
                f"An APDU comes from {named.hex().upper()}, the meter is {title.hex().upper()}",
                code="wrong-system-title",
            )
        title = title or named
        if len(title) != TITLE_OCTETS:
            raise SecurityError(
                "The meter said no system title, so nothing from it can be deciphered",
                code="no-server-system-title",
                hint="Give server_system_title in the association.",
            )
        if title == self.parameters.client_system_title:
            raise SecurityError("An APDU comes back under our own system title", code="system-title-reflected")
        return title

    def _check_control(self, control: SecurityControl) -> None:
        """At least what was agreed, under the agreed suite, with the unicast key."""
        wanted = self._demanded
        if control.suite != wanted.suite:
            raise SecurityError(
                f"The meter uses security suite {control.suite}, {wanted.suite} was agreed", code="wrong-suite"
            )
        if control.broadcast:
            raise SecurityError("The meter answered with the broadcast key", code="broadcast-key")
        weaker = (wanted.authenticated and not control.authenticated) or (wanted.encrypted and not control.encrypted)
        if weaker or not (control.authenticated or control.encrypted):
            raise SecurityError(
                f"The meter's answer is protected less than agreed: {control} instead of {wanted}",
                code="protection-too-weak",
            )

    def _key_of(self, tag: int) -> tuple[bytes, ReceiveFloor]:
        if not is_dedicated(tag):
            return self.parameters.guek or b"", self._global_floor
        if self.state is not CipheringState.DEDICATED:
            raise SecurityError("An APDU under a dedicated key came, and none was agreed", code="no-dedicated-key")
        return self.parameters.dedicated_key or b"", self._dedicated_floor

    def check_proof_counter(self, counter: int) -> None:
        """The counter inside the meter's GMAC proof: its global key's, newer than the AARE's; the APDU around may be newer."""
        self._proof_floor.check(counter)
        if counter >= self._global_floor.lowest:
            self._global_floor.move(counter)


def _control_of(parameters: AssociationParameters, protection: Protection) -> SecurityControl:
    return SecurityControl(
        suite=parameters.security_suite, authenticated=protection.authenticated, encrypted=protection.encrypted
    )


def _shape(general: GeneralProtection | None, control: SecurityControl) -> Shape | None:
    if general is None:
        return None
    ciphering = general.ciphering
    return Shape(
        control=SecurityControl() if ciphering is None else control, ciphering=ciphering, signed=general.signed
    )
