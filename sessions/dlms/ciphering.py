"""Protection of whole APDUs: which key, which tag, which counter, and what is too weak to be believed.

    CLEAR ──START──> GLOBAL ──DEDICATED_AGREED──> DEDICATED
      ^                 │                            │
      └──────END────────┴────────────END─────────────┘

Until the AARE is verified only the global key is known to both sides: InitiateRequest and InitiateResponse are always ciphered
globally. Afterwards the dedicated key, where the client sent one, takes over for the services; its invocation counter starts
at 0 with each association. What comes must be protected at least as agreed, under the agreed suite, by the unicast key and
with a counter above every earlier one. Source: IEC 62056-5-3, Green Book 9.2.7.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.ciphered import (
    DED_TAGS,
    GLO_TAGS,
    PLAIN_TAGS,
    CipheredApdu,
    GeneralCipheredApdu,
)
from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.association import AssociationParameters, Protection
from sessions.dlms.counters import LAST_COUNTER, InvocationCounters, ReceiveFloor
from sessions.dlms.cursor import Writer
from sessions.dlms.errors import LocalProtocolError, SecurityError
from sessions.dlms.general_protection import GeneralProtection
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
        self._global_counters = counters
        self._dedicated_counters = InvocationCounters(range(LAST_COUNTER + 1))
        self._global_floor = ReceiveFloor()
        self._dedicated_floor = ReceiveFloor()
        self._control = SecurityControl(
            suite=parameters.security_suite,
            authenticated=parameters.protection.authenticated,
            encrypted=parameters.protection.encrypted,
        )
        self._shape = _shape(parameters.general, self._control)
        self._transactions = Transactions(
            parameters.party_keys,
            parameters.client_system_title,
            settings=parameters.general,
            random=random,
            take_counter=self.take_counter,
            floor=self._global_floor,
        )

    # -- state -------------------------------------------------------------------------------------------------------

    def fire(self, event: CipheringEvent) -> None:
        """Move to the next state; every event here is ours."""
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise LocalProtocolError(f"{event.name} is illegal in {self.state.name}", layer="security")
        self.state = following

    def start(self) -> None:
        """From now on everything is protected, if that was agreed."""
        if self.parameters.protection is not Protection.NONE:
            self.fire(CipheringEvent.START)

    def agree(self) -> None:
        """The AARE is believed: the dedicated key that we sent is the server's too."""
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
        if self.state is CipheringState.CLEAR:
            return apdu
        if self.state is CipheringState.GLOBAL:
            return self._protect(apdu, GLO_TAGS, self.parameters.guek, self.take_counter())
        return self._protect(apdu, DED_TAGS, self.parameters.dedicated_key, self._dedicated_counters.take())

    def protect_initiate(self, apdu: bytes) -> bytes:
        """An InitiateRequest as it goes out: never under the dedicated key, which it may carry."""
        if self.state is CipheringState.CLEAR:
            return apdu
        return self._protect(apdu, GLO_TAGS, self.parameters.guek, self.take_counter())

    def _protect(self, apdu: bytes, tags: Mapping[int, int], key: bytes | None, counter: int) -> bytes:
        general = apdu[0] not in tags
        payload = protect(
            apdu,
            control=self._control,
            key=key or b"",
            gak=self.parameters.gak or b"",
            system_title=self.parameters.client_system_title,
            invocation_counter=counter,
        )
        if not general:
            return Writer().u8(tags[apdu[0]]).octet_string(payload).octets()
        tag = ApduTag.GENERAL_DED_CIPHERING if tags is DED_TAGS else ApduTag.GENERAL_GLO_CIPHERING
        writer = Writer().u8(tag).octet_string(self.parameters.client_system_title)
        return writer.octet_string(payload).octets()

    def capacity(self, size: int) -> int:
        """The longest APDU in clear that is at most `size` octets long when it goes out."""
        if self._shape is not None:
            size -= self._shape.overhead(self.parameters.security_suite)
        if self.state is CipheringState.CLEAR or (self._shape is not None and self._shape.ciphering is not None):
            return size
        overhead = HEADER_OCTETS + (TAG_OCTETS if self._control.authenticated else 0)
        title = 0 if self._shape is None else 1 + TITLE_OCTETS  # a signed APDU has no ciphered form of its own
        return largest_contents(size - 1 - title) - overhead

    # -- in ----------------------------------------------------------------------------------------------------------

    def unprotect(self, octets: bytes) -> tuple[bytes, bool]:
        """An APDU in clear, and whether it came protected; SecurityError when it is protected less than agreed.

        Errors of the whole service and notifications may come in clear: meters send them so, and they change nothing here.
        """
        protected = octets[:1] != b"" and (octets[0] in PLAIN_TAGS or octets[0] in GENERAL_TAGS)
        if protected:
            octets = self._unprotect(octets)
        if octets[:1] and octets[0] in TRANSACTION_TAGS:
            return self._unprotect_transaction(octets, inside=protected), True
        self._check_kind(octets[0] if octets else 0, protected)
        return octets, protected

    def _check_kind(self, tag: int, protected: bool) -> None:
        """What may come without general protection, and what in clear, where more was agreed."""
        if self._shape is not None and tag not in NOT_IN_KIND:
            raise SecurityError(
                f"An APDU with tag {tag:02X} came without the general protection that was agreed",
                code="protection-too-weak",
            )
        if not protected and self.state is not CipheringState.CLEAR and tag not in CLEAR_TAGS:
            raise SecurityError(
                f"An APDU with tag {tag:02X} came in clear, {self.parameters.protection.value} was agreed",
                code="protection-too-weak",
            )

    def _unprotect(self, octets: bytes) -> bytes:
        apdu = decode_apdu(octets)
        assert isinstance(apdu, CipheredApdu | GeneralCipheredApdu)  # the caller looked at the tag
        if self.state is CipheringState.CLEAR:
            raise SecurityError("A ciphered APDU came where no protection was agreed", code="unexpected-protection")
        title = self._title_of(apdu)
        self._check_control(apdu.security_control)
        key, floor = self._key_of(apdu)
        floor.check(apdu.invocation_counter)
        _, _, plain = unprotect(apdu.payload, key=key, gak=self.parameters.gak or b"", system_title=title)
        if isinstance(apdu, CipheredApdu) and plain[:1] != bytes((PLAIN_TAGS[apdu.tag],)):
            raise SecurityError(
                f"Inside of {apdu.tag:02X} stands an APDU with tag {plain[:1].hex() or 'none'}: wrong key, or altered octets",
                code="wrong-contents",
            )
        floor.move(apdu.invocation_counter)
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
        elif self.state is not CipheringState.CLEAR and not inside:
            raise SecurityError(
                f"An answer came in clear, {self.parameters.protection.value} was agreed", code="protection-too-weak"
            )

    def _title_of(self, apdu: CipheredApdu | GeneralCipheredApdu) -> bytes:
        """The sender's title, which must be the one of this association."""
        title = self.server_system_title
        named = apdu.system_title if isinstance(apdu, GeneralCipheredApdu) else b""
        if named and title and named != title:
            raise SecurityError(
                f"An APDU comes from {named.hex().upper()}, the meter is {title.hex().upper()}",
                code="wrong-system-title",
            )
        if not (title := title or named):
            raise SecurityError(
                "The meter said no system title, so nothing from it can be deciphered",
                code="no-server-system-title",
                hint="Give server_system_title in the association.",
            )
        return title

    def _check_control(self, control: SecurityControl) -> None:
        """At least what was agreed, under the agreed suite, with the unicast key."""
        wanted = self._control
        if control.suite != wanted.suite:
            raise SecurityError(
                f"The meter uses security suite {control.suite}, {wanted.suite} was agreed", code="wrong-suite"
            )
        if control.broadcast:
            raise SecurityError("The meter answered with the broadcast key", code="broadcast-key")
        if (wanted.authenticated and not control.authenticated) or (wanted.encrypted and not control.encrypted):
            raise SecurityError(
                f"The meter's answer is protected less than agreed: {control} instead of {wanted}",
                code="protection-too-weak",
            )

    def _key_of(self, apdu: CipheredApdu | GeneralCipheredApdu) -> tuple[bytes, ReceiveFloor]:
        if not apdu.dedicated:
            return self.parameters.guek or b"", self._global_floor
        if self.state is not CipheringState.DEDICATED:
            raise SecurityError("An APDU under a dedicated key came, and none was agreed", code="no-dedicated-key")
        return self.parameters.dedicated_key or b"", self._dedicated_floor


def _shape(general: GeneralProtection | None, control: SecurityControl) -> Shape | None:
    if general is None:
        return None
    ciphering = general.ciphering
    return Shape(
        control=SecurityControl() if ciphering is None else control, ciphering=ciphering, signed=general.signed
    )
