"""How one association uses general-ciphering and general-signing, and the keys that one party holds for it.

    settings       ciphering (whose key), signed, and what stacks disagree about
    PartyKeys      everything that one end knows: symmetric keys, its own private keys, the other side's public ones

Which bits of protection a ciphered APDU has is said by the association's `protection`, as for every other ciphering.
Source: Green Book 9.2.7.2.4 (general-ciphering, general-signing), 9.2.3.4.6.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from sessions.dlms.elliptic import check_private_key, check_public_key
from sessions.dlms.errors import LocalProtocolError
from sessions.dlms.security import check_key


class KeyChoice(Enum):
    """Where the key of a general-ciphering APDU comes from; the values are the words of the association file."""

    GUEK = "guek"  # identified-key: the global unicast encryption key
    WRAPPED = "wrapped"  # a fresh key under the master key
    ONE_PASS = "one-pass"  # noqa: S105 - a word of the association file: agreed-key, C(1e,1s)
    STATIC_UNIFIED = "static-unified"  # agreed-key, C(0e,2s)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneralProtection:
    """What our own APDUs look like, and what an answer must have at least.

    `ciphering` None: signed only, around it whatever else the association agreed. Two points are not settled among stacks and
    may be set as a meter needs: `content_length_signed` (the signed octets hold the content's length; not so by default) and
    `header_authenticated` (the header of general-ciphering is part of the authenticated data; so by default).
    """

    ciphering: KeyChoice | None = None
    signed: bool = False
    content_length_signed: bool = False
    header_authenticated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyKeys:
    """The keys of one end of a conversation. Private keys are its own, public keys the other side's; see `elliptic`."""

    suite: int = 0
    guek: bytes = field(default=b"", repr=False)
    gbek: bytes = field(default=b"", repr=False)
    gak: bytes = field(default=b"", repr=False)
    kek: bytes = field(default=b"", repr=False)
    signing_key: bytes | None = field(default=None, repr=False)
    key_agreement_key: bytes | None = field(default=None, repr=False)
    peer_signing_key: bytes | None = None
    peer_key_agreement_key: bytes | None = None


def check_general(general: GeneralProtection, keys: PartyKeys) -> None:
    """Refuse settings that lack a key: LocalProtocolError begins with the field of the association."""
    if general.ciphering is None and not general.signed:
        raise LocalProtocolError(
            "general: neither ciphering nor signed is set", layer="configuration", code="bad-parameters"
        )
    if general.signed or general.ciphering is KeyChoice.ONE_PASS:
        check_private_key(keys.signing_key, keys.suite, "client_signing_key")
        check_public_key(keys.peer_signing_key, keys.suite, "server_signing_key")
    if general.ciphering in (KeyChoice.ONE_PASS, KeyChoice.STATIC_UNIFIED):
        check_private_key(keys.key_agreement_key, keys.suite, "client_key_agreement_key")
        check_public_key(keys.peer_key_agreement_key, keys.suite, "server_key_agreement_key")
    if general.ciphering is KeyChoice.WRAPPED:
        check_key(keys.kek, keys.suite, "master key (kek)")
