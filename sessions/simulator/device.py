"""What the server side needs to know of a meter: its clients, its keys and limits, and who answers requests.

`Meter` is such a device with computed objects, `RecordedMeter` (see `replay.py`) one that answers from a trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from meters.cosem.data import Data
from sessions.dlms.apdu.descriptors import CosemAttributeDescriptor, CosemMethodDescriptor
from sessions.dlms.apdu.notification import DataNotification
from sessions.dlms.authentication import AuthenticationMechanism, ManufacturerResponse, aes_response
from sessions.dlms.certificates import CertificateType
from sessions.dlms.conformance import Conformance
from sessions.dlms.counters import LAST_COUNTER, InvocationCounters, ReceiveFloor
from sessions.dlms.general_protection import PartyKeys
from sessions.dlms.protection import Protection, SecurityPolicy
from sessions.dlms.security_setup import KeyId
from sessions.dlms.selective_access import SelectiveAccess
from sessions.dlms.short_name_map import ShortNameMap
from sessions.dlms.transactions import SeenTransactions
from sessions.simulator.journal import Journal
from sessions.simulator.key_store import KeyStore
from sessions.simulator.objects.base import Value

SERVED_CONFORMANCE: Final = (
    Conformance.GET
    | Conformance.SET
    | Conformance.ACTION
    | Conformance.SELECTIVE_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.ACCESS
    | Conformance.GENERAL_BLOCK_TRANSFER
    | Conformance.DATA_NOTIFICATION
    | Conformance.PRIORITY_MGMT_SUPPORTED
    | Conformance.GENERAL_PROTECTION
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.BLOCK_TRANSFER_WITH_ACTION
)
"""The services that the server side carries out."""

SERVED_SHORT_NAME_CONFORMANCE: Final = (
    Conformance.READ
    | Conformance.WRITE
    | Conformance.UNCONFIRMED_WRITE
    | Conformance.PARAMETERIZED_ACCESS
    | Conformance.MULTIPLE_REFERENCES
    | Conformance.BLOCK_TRANSFER_WITH_GET_OR_READ
    | Conformance.BLOCK_TRANSFER_WITH_SET_OR_WRITE
    | Conformance.GENERAL_BLOCK_TRANSFER
)
"""The same by short names."""

PUBLIC_CLIENT: Final = 16
MANAGEMENT_DEVICE: Final = 1
"""The SAP of the management logical device, the only one of a simulated meter."""


class Role(Enum):
    """What a client may do; the values are the words of the lab file."""

    PUBLIC = "public"  # a few objects, to be read
    READER = "reader"  # everything, to be read
    MAINTENANCE = "maintenance"  # the same, and what the meter type lets somebody at the meter do
    MANAGER = "manager"  # also write and invoke


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedClient:
    """What the meter holds for one client SAP. `protection` is the least that each request needs, `response_protection` the
    least that each answer has (an answer is never protected less than its request).

    `user_ids`: who may associate, where the meter keeps such a list. `pre_established`: there is no AARQ, the association stands
    with `conformance` and under `client_system_title`. `any_secret`: whatever the client offers is taken; for traces that begin
    after the association.
    """

    client_sap: int
    role: Role = Role.READER
    authentication: AuthenticationMechanism = AuthenticationMechanism.NONE
    secret: bytes = field(default=b"", repr=False)
    manufacturer: ManufacturerResponse = aes_response
    protection: Protection = Protection.NONE
    response_protection: Protection = Protection.NONE
    user_ids: frozenset[int] = frozenset()
    pre_established: bool = False
    conformance: Conformance = SERVED_CONFORMANCE
    client_system_title: bytes = b""
    any_secret: bool = False


PUBLIC: Final = ServedClient(client_sap=PUBLIC_CLIENT, role=Role.PUBLIC)


class MeterSecurity:
    """The meter's global keys and key pairs, its own invocation counters, and the floor under its clients' counters.

    One floor for all clients: it belongs to the key. Without keys nothing ciphered is understood. New keys wait until the answer
    to the request that brought them is out: `settle`. `policy_version` is that of the class Security setup.
    """

    def __init__(
        self,
        *,
        guek: bytes = b"",
        gak: bytes = b"",
        gbek: bytes = b"",
        kek: bytes = b"",
        suite: int = 0,
        policy: int = 0,
        policy_version: int | None = None,
        key_store: KeyStore | None = None,
        first_counter: int = 1,
        lowest_client_counter: int = 0,
    ) -> None:
        self.guek = guek
        self.gak = gak
        self.gbek = gbek
        self.kek = kek
        self.suite = suite
        self.policy = policy
        self.policy_version = (1 if suite else 0) if policy_version is None else policy_version
        self.key_store = key_store
        self.seen = SeenTransactions(forgetful=True)
        self._waiting: list[Callable[[], None]] = []
        self.counters = InvocationCounters(range(first_counter, LAST_COUNTER + 1))
        self.floor = ReceiveFloor(lowest_client_counter)
        self.client_system_title = b""

    @property
    def policy_bits(self) -> SecurityPolicy:
        """The policy in the bits of version 1. Version 0 has two bits, which hold in both directions."""
        if self.policy_version:
            return SecurityPolicy(self.policy)
        return SecurityPolicy((self.policy & 0x03) << 2 | (self.policy & 0x03) << 5)

    def party_keys(self, client_system_title: bytes) -> PartyKeys:
        """The meter's keys towards one client, for general-ciphering and general-signing."""
        store, signing, agreement = self.key_store, CertificateType.DIGITAL_SIGNATURE, CertificateType.KEY_AGREEMENT
        return PartyKeys(
            suite=self.suite,
            guek=self.guek,
            gbek=self.gbek,
            gak=self.gak,
            kek=self.kek,
            signing_key=store.private_key(signing) if store else None,
            key_agreement_key=store.private_key(agreement) if store else None,
            peer_signing_key=store.public_key_of(client_system_title, signing) if store else None,
            peer_key_agreement_key=store.public_key_of(client_system_title, agreement) if store else None,
        )

    def install(self, key_id: KeyId, key: bytes) -> None:
        """A new key, in use from the next message on. The counters of a new encryption key begin at 0."""
        match key_id:
            case KeyId.GUEK:
                self.guek = key
                self.counters = InvocationCounters(range(LAST_COUNTER + 1))
                self.floor.lowest = 0
            case KeyId.GBEK:
                self.gbek = key
            case KeyId.GAK:
                self.gak = key
            case KeyId.KEK:
                self.kek = key

    def after_answer(self, change: Callable[[], None]) -> None:
        """Do this once the answer is out."""
        self._waiting.append(change)

    def settle(self) -> None:
        """The answer is out."""
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            change()

    def forget_waiting(self) -> None:
        """The power failed before the answer was out: what waits for it never happens."""
        self._waiting.clear()

    @property
    def last_client_counter(self) -> int:
        """The highest counter that a client proved to know; the next one must be above it."""
        return max(0, self.floor.lowest - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An open association, as the device sees it."""

    client: ServedClient
    conformance: Conformance
    client_max_receive_pdu_size: int
    ciphered: bool = False


class LogicalDevice(Protocol):
    """A meter behind a server. What it refuses for one attribute or method it raises as `Denied`."""

    server_sap: int
    server_system_title: bytes
    security: MeterSecurity
    conformance: Conformance
    max_receive_pdu_size: int
    max_send_pdu_size: int
    short_names: ShortNameMap | None
    """The objects by short name, of a meter that knows no other way to refer to them."""
    journal: Journal
    boots: int
    """How often its power came back: associations from before are gone."""

    def client(self, client_sap: int) -> ServedClient | None:
        """Who is served under this SAP."""

    def recorded_aare(self, client: ServedClient) -> bytes | None:
        """The octets with which to accept the association, where they are prescribed."""

    def recorded_challenge(self, client: ServedClient) -> bytes | None:
        """The challenge to send, where it is prescribed."""

    def associated(self, caller: Caller) -> None:
        """An association was opened."""

    def is_locked_out(self, client: ServedClient) -> bool:
        """Whether the client offered wrong secrets too often of late."""

    def wrong_secret(self, client: ServedClient) -> None:
        """The client offered a wrong secret."""

    def dissociated(self, caller: Caller) -> None:
        """It is over: released, replaced, or its link is gone."""

    def catch_up(self) -> None:
        """Somebody is about to ask: what the meter was to do by itself until now is done."""

    def settle(self) -> None:
        """An answer is about to leave: what it depends on survives a power cycle from now on."""

    def take_notifications(self) -> list[DataNotification]:
        """What is to be said unasked; handed out once."""

    def recorded_answer(self, apdu: bytes) -> bytes | None:
        """The answer to exactly these octets, where it is prescribed whatever they mean."""

    def get(self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None) -> Value: ...

    def set(
        self, caller: Caller, descriptor: CosemAttributeDescriptor, selection: SelectiveAccess | None, value: Data
    ) -> None: ...

    def action(self, caller: Caller, descriptor: CosemMethodDescriptor, parameters: Data | None) -> Data | None: ...
