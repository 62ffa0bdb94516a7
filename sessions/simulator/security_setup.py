"""Security setup (class 64) of a simulated meter: every method works.

What a request changes takes effect once its answer is out: the answer still goes out under the old keys and the old policy.
Whatever is wrong with a request (a policy that is weaker, a key that another master key wrapped, a certificate that nobody
vouches for) is answered with other-reason, a parameter of the wrong form with type-unmatched; nothing changes then.
Source: Blue Book, interface class 64 versions 0 and 1; Green Book 9.2.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

from meters.cosem.data import Data, DataType, array, enum, octet_string
from meters.cosem.obis import ObisCode
from sessions.dlms.apdu.descriptors import DataAccessResult
from sessions.dlms.certificates import CertificateType
from sessions.dlms.elliptic import curve_of_suite, private_from_random, random_octets
from sessions.dlms.errors import DlmsError, RemoteProtocolError
from sessions.dlms.key_agreement import ephemeral_unified, verified_ephemeral
from sessions.dlms.key_wrap import unwrap_key
from sessions.dlms.protection import SecurityPolicy
from sessions.dlms.security_setup import (
    CLASS_ID,
    KeyId,
    SecurityMethod,
    may_activate,
    read_identification,
    read_key_data,
    read_key_use,
    write_key_data,
)
from sessions.simulator.device import MeterSecurity
from sessions.simulator.key_store import KeyStore, KeyStoreError
from sessions.simulator.objects.base import Attribute, CosemObject, Denied, InvokeMethod, require

TITLE_OCTETS: Final = 8


class SecuritySetup(CosemObject):
    """Version 0 where the meter's policy has version 0, else version 1, whose key pairs need a key store.

    `now` is the meter's time, for the validity of certificates; `random(n)` gives n octets for its keys.
    """

    class_id = CLASS_ID

    def __init__(
        self,
        logical_name: ObisCode,
        security: MeterSecurity,
        *,
        server_system_title: bytes,
        now: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        super().__init__(logical_name)
        self._security = security
        self._server_system_title = server_system_title
        self._now = now
        self._random = random
        self.attributes |= {
            2: Attribute(lambda: enum(security.policy)),
            3: Attribute(lambda: enum(security.suite)),
            # Of a client that has said none it is not known: eight zeros.
            4: Attribute(lambda: octet_string(security.client_system_title or bytes(TITLE_OCTETS))),
            5: Attribute(lambda: octet_string(server_system_title)),
        }
        self.methods = {SecurityMethod.SECURITY_ACTIVATE: self._activate, SecurityMethod.KEY_TRANSFER: self._transfer}
        if security.policy_version:
            self.version = 1
            self.attributes[6] = Attribute(self._certificates)
            self.methods |= {
                SecurityMethod.KEY_AGREEMENT: self._agree,
                SecurityMethod.GENERATE_KEY_PAIR: self._generate,
                SecurityMethod.GENERATE_CERTIFICATE_REQUEST: self._request,
                SecurityMethod.IMPORT_CERTIFICATE: self._import,
                SecurityMethod.EXPORT_CERTIFICATE: self._export,
                SecurityMethod.REMOVE_CERTIFICATE: self._remove,
            }
        self.methods = {number: _answering(method) for number, method in self.methods.items()}

    # -- policy and keys ---------------------------------------------------------------------------------------------

    def _activate(self, parameters: Data | None) -> None:
        wanted = require(parameters, DataType.ENUM).value
        security = self._security
        if not may_activate(security.policy, wanted, version=security.policy_version) or not self._can_keep(wanted):
            raise Denied(DataAccessResult.OTHER_REASON)
        security.after_answer(partial(setattr, security, "policy", wanted))

    def _can_keep(self, policy: int) -> bool:
        """A policy that asks for what this meter has no keys for would shut everybody out."""
        security = self._security
        signed = SecurityPolicy.SIGNED_REQUEST | SecurityPolicy.SIGNED_RESPONSE
        if security.policy_version and policy & signed:
            store = security.key_store
            return store is not None and store.private_key(CertificateType.DIGITAL_SIGNATURE) is not None
        return bool(security.guek) or policy == 0

    def _transfer(self, parameters: Data | None) -> None:
        """Nothing is installed unless every key could be unwrapped."""
        security = self._security
        if not security.kek:
            raise Denied(DataAccessResult.OTHER_REASON)
        self._install(
            {
                key_id: unwrap_key(security.kek, wrapped, suite=security.suite)
                for key_id, wrapped in read_key_data(parameters).items()
            }
        )

    def _agree(self, parameters: Data | None) -> Data:
        """C(2e,0s) with the client of this conversation: our halves are the answer."""
        security, store, client = self._security, self._store, self._security.client_system_title
        peer, own = (
            store.public_key_of(client, CertificateType.DIGITAL_SIGNATURE),
            store.private_key(CertificateType.DIGITAL_SIGNATURE),
        )
        if peer is None or own is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        curve, ephemerals, agreed = curve_of_suite(security.suite), {}, {}
        for key_id, key_data in read_key_data(parameters).items():
            public = verified_ephemeral(key_data, peer, suite=security.suite, key_id=key_id)
            ephemeral = private_from_random(self._random(random_octets(curve)), curve)
            titles = {"client": client, "server": self._server_system_title}
            agreed[key_id] = ephemeral_unified(ephemeral, public, suite=security.suite, **titles)
            ephemerals[key_id] = ephemeral
        self._install(agreed)
        return write_key_data(ephemerals, own)

    def _install(self, keys: dict[KeyId, bytes]) -> None:
        for key_id, key in keys.items():
            self._security.after_answer(partial(self._security.install, key_id, key))

    # -- key pairs and certificates ----------------------------------------------------------------------------------

    @property
    def _store(self) -> KeyStore:
        if self._security.key_store is None:
            raise Denied(DataAccessResult.OTHER_REASON)
        return self._security.key_store

    def _certificates(self) -> Data:
        store = self._security.key_store
        return array(*(entry.encode() for entry in store.entries())) if store is not None else array()

    def _generate(self, parameters: Data | None) -> None:
        self._store.generate(read_key_use(parameters), self._random)

    def _request(self, parameters: Data | None) -> Data:
        return octet_string(self._store.request(read_key_use(parameters)))

    def _import(self, parameters: Data | None) -> None:
        self._store.take(require(parameters, DataType.OCTET_STRING).value, self._now())

    def _export(self, parameters: Data | None) -> Data:
        return octet_string(self._store.find(read_identification(parameters)).der)

    def _remove(self, parameters: Data | None) -> None:
        self._store.remove(read_identification(parameters))


def _answering(method: InvokeMethod) -> InvokeMethod:
    """The method, with every refusal as a result code."""

    def invoke(parameters: Data | None) -> Data | None:
        try:
            return method(parameters)
        except RemoteProtocolError as error:
            malformed = error.code == "bad-security-setup"
            raise Denied(DataAccessResult.TYPE_UNMATCHED if malformed else DataAccessResult.OTHER_REASON) from None
        except (DlmsError, KeyStoreError):
            raise Denied(DataAccessResult.OTHER_REASON) from None

    return invoke
