"""What protects an APDU, which form it takes, and what a security policy demands (Green Book 9.2.7; Blue Book class 64).

policy of version 0   one number for both directions: 0 nothing, 1 authenticated, 2 encrypted, 3 both
policy of version 1   bits 2, 3, 4: requests authenticated, encrypted, digitally signed; bits 5, 6, 7: the same of responses
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntFlag
from typing import Final


class Protection(Enum):
    """How an APDU is protected; the values are the words of the association file."""

    NONE = "none"
    AUTHENTICATED = "authenticated"
    ENCRYPTED = "encrypted"
    AUTHENTICATED_ENCRYPTED = "authenticated-encrypted"

    @property
    def authenticated(self) -> bool:
        return self in (Protection.AUTHENTICATED, Protection.AUTHENTICATED_ENCRYPTED)

    @property
    def encrypted(self) -> bool:
        return self in (Protection.ENCRYPTED, Protection.AUTHENTICATED_ENCRYPTED)

    @staticmethod
    def of(authenticated: bool, encrypted: bool) -> Protection:
        return _BY_BITS[authenticated, encrypted]

    def __or__(self, other: Protection) -> Protection:
        """What does justice to both."""
        return Protection.of(self.authenticated or other.authenticated, self.encrypted or other.encrypted)

    def covers(self, demanded: Protection) -> bool:
        """Whether this is at least what is demanded."""
        return self | demanded is self


_BY_BITS: Final = {
    (False, False): Protection.NONE,
    (True, False): Protection.AUTHENTICATED,
    (False, True): Protection.ENCRYPTED,
    (True, True): Protection.AUTHENTICATED_ENCRYPTED,
}


class CipheringForm(Enum):
    """Which ciphered APDU carries a service; the values are the words of the association file.

    AUTO: a tag of the service's own (glo-get-request, …), and a general one where the service has none and the meter agreed to
    general-protection. GENERAL: general-glo- or general-ded-ciphering for everything, once the meter agreed.
    """

    AUTO = "auto"
    SERVICE_SPECIFIC = "service-specific"
    GENERAL = "general"


class SecurityPolicy(IntFlag):
    """security_policy of class 64, version 1; access rights of version 3 use the same bits."""

    AUTHENTICATED_REQUEST = 0x04
    ENCRYPTED_REQUEST = 0x08
    SIGNED_REQUEST = 0x10
    AUTHENTICATED_RESPONSE = 0x20
    ENCRYPTED_RESPONSE = 0x40
    SIGNED_RESPONSE = 0x80


_UNASSIGNED: Final = 0x03
_VERSION_0: Final = tuple(Protection)
"""By number: the enumeration of version 0 counts as the words above do."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a security setup demands of every APDU of its associations. ValueError for a number that is not assigned."""

    value: int = 0
    version: int = 0

    def __post_init__(self) -> None:
        if self.version not in (0, 1):
            raise ValueError(f"security policies have version 0 or 1, not {self.version}")
        if self.version == 0 and self.value not in range(len(_VERSION_0)):
            raise ValueError(f"a security policy of version 0 is 0 to 3, not {self.value}")
        if self.version == 1 and (self.value & _UNASSIGNED or not 0 <= self.value <= 0xFF):
            raise ValueError(f"{self.value:#04x} is no security policy of version 1: bits 2 to 7 are assigned")

    @property
    def request(self) -> Protection:
        """The least that a request needs."""
        if self.version == 0:
            return _VERSION_0[self.value]
        bits = SecurityPolicy(self.value)
        return Protection.of(SecurityPolicy.AUTHENTICATED_REQUEST in bits, SecurityPolicy.ENCRYPTED_REQUEST in bits)

    @property
    def response(self) -> Protection:
        """The least that a response needs."""
        if self.version == 0:
            return _VERSION_0[self.value]
        bits = SecurityPolicy(self.value)
        return Protection.of(SecurityPolicy.AUTHENTICATED_RESPONSE in bits, SecurityPolicy.ENCRYPTED_RESPONSE in bits)

    @property
    def signed_request(self) -> bool:
        return self.version == 1 and SecurityPolicy.SIGNED_REQUEST in SecurityPolicy(self.value)

    @property
    def signed_response(self) -> bool:
        return self.version == 1 and SecurityPolicy.SIGNED_RESPONSE in SecurityPolicy(self.value)

    @staticmethod
    def of(request: Protection, response: Protection, *, version: int = 1) -> Policy:
        """The policy that demands this; version 0 knows one protection for both directions, so the union of them."""
        if version == 0:
            return Policy(_VERSION_0.index(request | response), 0)
        bits = SecurityPolicy(0)
        for flag, demanded in (
            (SecurityPolicy.AUTHENTICATED_REQUEST, request.authenticated),
            (SecurityPolicy.ENCRYPTED_REQUEST, request.encrypted),
            (SecurityPolicy.AUTHENTICATED_RESPONSE, response.authenticated),
            (SecurityPolicy.ENCRYPTED_RESPONSE, response.encrypted),
        ):
            bits |= flag if demanded else SecurityPolicy(0)
        return Policy(int(bits), 1)

    @property
    def words(self) -> str:
        """`requests authenticated-encrypted, responses authenticated`."""
        signed = [
            name for name, is_so in (("requests", self.signed_request), ("responses", self.signed_response)) if is_so
        ]
        more = f", {' and '.join(signed)} signed" if signed else ""
        return f"requests {self.request.value}, responses {self.response.value}{more}"
