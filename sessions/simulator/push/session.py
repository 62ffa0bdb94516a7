"""One try of a push, without I/O: the message as it is protected and framed this time, and the confirmation that comes back.

Each try is protected anew: with the next invocation counter, and fresh keys and transactions where the setup wants those.
What comes back in answer is DataNotification-Confirm with the same long-invoke-id, protected as the meter demands of its client.
Source: IEC 62056-5-3, DataNotification; Green Book 9.2.7 for the protection; IEC 62056-47 and -46 for the frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from sessions.dlms.apdu import decode_apdu
from sessions.dlms.apdu.notification import DataNotificationConfirm
from sessions.dlms.elliptic import curve_of_suite, private_from_random, random_octets
from sessions.dlms.errors import DlmsError, SecurityError
from sessions.dlms.general_ciphering import (
    ContentKey,
    Transaction,
    encipher,
    identified_key,
    one_pass_key,
    static_unified_key,
    wrapped_key,
)
from sessions.dlms.general_protection import KeyChoice
from sessions.dlms.general_signing import sign_content
from sessions.dlms.link import ApduReceived, LinkEvent
from sessions.dlms.protection import SecurityPolicy
from sessions.dlms.security import KEY_OCTETS, SecurityControl
from sessions.dlms.transactions import TRANSACTION_OCTETS
from sessions.simulator.ciphering import CIPHERED_TAGS, ServerCiphering
from sessions.simulator.device import LogicalDevice, Role, ServedClient
from sessions.simulator.push.rules import Push, PushProtection

Random = Callable[[int], bytes]


class PushLink(Protocol):
    """The framing of a push: the server's end of a link, on which nobody has associated."""

    def receive_octets(self, octets: bytes, now: float) -> None: ...

    def next_event(self) -> LinkEvent | None: ...

    def octets_to_send(self) -> bytes: ...


class PushSession:
    """`say(apdu, now)` gives an APDU to `link`; `hooks` are what the meter's manners make of a notification."""

    def __init__(
        self,
        device: LogicalDevice,
        push: Push,
        link: PushLink,
        say: Callable[[bytes, float], None],
        random: Random,
        hooks: Sequence[Callable[[bytes], bytes]] = (),
    ) -> None:
        self.confirmed = False
        self._device = device
        self._push = push
        self._link = link
        self._say = say
        self._random = random
        self._hooks = hooks
        client = device.client(push.rules.client_sap)
        self._client = client or ServedClient(client_sap=push.rules.client_sap, role=Role.PUBLIC)
        self._ciphering = ServerCiphering(device.security, device.server_system_title, random)
        self._ciphering.client_system_title = self._client.client_system_title or device.security.client_system_title
        self._ciphering.policed = self._client.role is not Role.PUBLIC
        self._ciphering.protection = self._client.protection
        self._ciphering.response_protection = self._client.response_protection

    def octets(self, now: float) -> bytes:
        """What goes out. It survives a power cycle that its counters are used. DlmsError where it cannot be protected."""
        apdu = self._push.notification.encode()
        for hook in self._hooks:
            apdu = hook(apdu)
        self._say(self._protected(apdu), now)
        self._device.settle()
        return self._link.octets_to_send()

    def receive(self, octets: bytes, now: float) -> None:
        """`confirmed` tells whether the confirmation was among them. What is none is passed over."""
        self._link.receive_octets(octets, now)
        while (event := self._link.next_event()) is not None:
            if isinstance(event, ApduReceived):
                self.confirmed = self.confirmed or self._confirms(event.apdu)

    # -- protection --------------------------------------------------------------------------------------------------

    def _protected(self, apdu: bytes) -> bytes:
        protections = self._push.rules.protections
        if not protections and SecurityPolicy.SIGNED_RESPONSE in self._policy:
            protections = (PushProtection(signed=True),)
            apdu = self._layered(apdu, protections[0])
            return self._ciphering.seal_notification(apdu)
        for each in protections:
            apdu = self._layered(apdu, each)
        return apdu if protections else self._ciphering.seal_notification(apdu)

    @property
    def _policy(self) -> SecurityPolicy:
        return self._device.security.policy_bits if self._ciphering.policed else SecurityPolicy(0)

    def _layered(self, apdu: bytes, layer: PushProtection) -> bytes:
        security = self._device.security
        title = layer.recipient or self._ciphering.client_system_title
        keys = security.party_keys(title)
        transaction = Transaction(
            transaction_id=self._random(TRANSACTION_OCTETS),
            originator=self._device.server_system_title,
            recipient=title,
            other_information=layer.other_information,
        )
        if layer.signed:
            if keys.signing_key is None:
                raise SecurityError("the meter has no key to sign with", code="no-key")
            return sign_content(apdu, transaction, keys.signing_key).encode()
        control = SecurityControl(
            suite=security.suite, authenticated=layer.protection.authenticated, encrypted=layer.protection.encrypted
        )
        content_key, counter = self._key(layer.choice, transaction)
        return encipher(
            apdu, transaction, content_key, control=control, gak=security.gak, invocation_counter=counter
        ).encode()

    def _key(self, choice: KeyChoice, transaction: Transaction) -> tuple[ContentKey, int]:
        """The key and its counter. One that lasts takes the meter's next; a fresh one begins at 0."""
        security = self._device.security
        keys = security.party_keys(transaction.recipient)
        match choice:
            case KeyChoice.WRAPPED:
                if not keys.kek:
                    raise SecurityError("the meter has no master key to wrap with", code="no-key")
                return wrapped_key(keys, self._random(KEY_OCTETS[security.suite])), 0
            case KeyChoice.ONE_PASS:
                curve = curve_of_suite(security.suite)
                ephemeral = private_from_random(self._random(random_octets(curve)), curve)
                return one_pass_key(keys, transaction, ephemeral), 0
            case KeyChoice.STATIC_UNIFIED:
                return static_unified_key(keys, transaction), security.counters.take()
        if not keys.guek:
            raise SecurityError("the meter has no global unicast key", code="no-key")
        return identified_key(keys), security.counters.take()

    # -- confirmation ------------------------------------------------------------------------------------------------

    def _confirms(self, octets: bytes) -> bool:
        try:
            if octets[:1] and octets[0] in CIPHERED_TAGS:
                octets, _ = self._ciphering.open(octets)
                self._device.settle()
            elif not self._ciphering.suffices_in_clear:
                return False  # anybody could say that in clear
            apdu = decode_apdu(octets)
        except DlmsError:
            return False
        wanted = self._push.notification.long_invoke_id_and_priority
        return isinstance(apdu, DataNotificationConfirm) and apdu.long_invoke_id_and_priority == wanted
