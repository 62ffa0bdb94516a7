"""The names and numbers of ACSE, with their words (IEC 62056-5-3, 7.2; Green Book 9.4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from meters.cosem.data import BitString

AARQ_TAG: Final = 0x60
AARE_TAG: Final = 0x61
RLRQ_TAG: Final = 0x62
RLRE_TAG: Final = 0x63

DLMS_UA: Final = bytes.fromhex("6085740508")
"""joint-iso-ccitt(2) country(16) country-name(756) identified-organization(5) DLMS-UA(8)."""
CONTEXT_ARC: Final = 1
MECHANISM_ARC: Final = 2

AUTHENTICATION_FUNCTIONAL_UNIT: Final = BitString(b"\x80", 1)
"""acse-requirements with bit 0 set: authentication is used."""
PROTOCOL_VERSION_1: Final = BitString(b"\x80", 1)


class ApplicationContext(IntEnum):
    """Referencing by logical or short names, with or without ciphering."""

    LN = 1
    SN = 2
    LN_CIPHERED = 3
    SN_CIPHERED = 4

    @classmethod
    def of(cls, *, short_names: bool, ciphered: bool) -> ApplicationContext:
        """The context of these two choices."""
        if short_names:
            return cls.SN_CIPHERED if ciphered else cls.SN
        return cls.LN_CIPHERED if ciphered else cls.LN

    @property
    def short_names(self) -> bool:
        return self in (ApplicationContext.SN, ApplicationContext.SN_CIPHERED)

    @property
    def ciphered(self) -> bool:
        return self >= ApplicationContext.LN_CIPHERED

    @property
    def words(self) -> str:
        names = "short names" if self.short_names else "logical names"
        return f"{names}, {'ciphered' if self.ciphered else 'not ciphered'}"


class AssociationResult(IntEnum):
    ACCEPTED = 0
    REJECTED_PERMANENT = 1
    REJECTED_TRANSIENT = 2


class DiagnosticSource(IntEnum):
    """Who gives the diagnostic."""

    ACSE_SERVICE_USER = 1
    ACSE_SERVICE_PROVIDER = 2


class AcseDiagnostic(IntEnum):
    """Diagnostics of the acse-service-user."""

    NULL = 0
    NO_REASON_GIVEN = 1
    APPLICATION_CONTEXT_NAME_NOT_SUPPORTED = 2
    CALLING_AP_TITLE_NOT_RECOGNIZED = 3
    CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 4
    CALLING_AE_QUALIFIER_NOT_RECOGNIZED = 5
    CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 6
    CALLED_AP_TITLE_NOT_RECOGNIZED = 7
    CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 8
    CALLED_AE_QUALIFIER_NOT_RECOGNIZED = 9
    CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED = 10
    AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED = 11
    AUTHENTICATION_MECHANISM_NAME_REQUIRED = 12
    AUTHENTICATION_FAILURE = 13
    AUTHENTICATION_REQUIRED = 14


class ProviderDiagnostic(IntEnum):
    """Diagnostics of the acse-service-provider."""

    NULL = 0
    NO_REASON_GIVEN = 1
    NO_COMMON_ACSE_VERSION = 2


class AuthenticationValueChoice(IntEnum):
    """How an authentication value is written; every known meter uses the first."""

    CHARSTRING = 0x80
    BITSTRING = 0x81
    EXTERNAL = 0x82


class ReleaseRequestReason(IntEnum):
    NORMAL = 0
    URGENT = 1
    USER_DEFINED = 30


class ReleaseResponseReason(IntEnum):
    NORMAL = 0
    NOT_FINISHED = 1
    USER_DEFINED = 30


MECHANISMS: Final = (
    "no authentication",
    "LLS",
    "HLS manufacturer",
    "HLS MD5",
    "HLS SHA-1",
    "HLS GMAC",
    "HLS SHA-256",
    "HLS ECDSA",
)
"""Words for the authentication mechanism names 0 to 7."""
CHALLENGE_MECHANISMS: Final = range(2, 8)
"""Mechanisms whose authentication value is a public challenge; under every other one it may be a password."""


def words_of(enum_type: type[IntEnum], number: int) -> str:
    """`13 (authentication-failure)`, or the number alone where it is not assigned."""
    try:
        return f"{number} ({enum_type(number).name.lower().replace('_', '-')})"
    except ValueError:
        return f"{number} (not assigned)"


def mechanism_words(number: int | None) -> str:
    """The mechanism in words: `LLS`; `mechanism 133` where the number is not assigned."""
    if number is None:
        return MECHANISMS[0]
    return MECHANISMS[number] if number < len(MECHANISMS) else f"mechanism {number}"


@dataclass(frozen=True, slots=True)
class ResultSourceDiagnostic:
    """Why an association was accepted or rejected, and who says so."""

    source: DiagnosticSource = DiagnosticSource.ACSE_SERVICE_USER
    diagnostic: int = AcseDiagnostic.NULL

    @property
    def words(self) -> str:
        """`authentication-failure`."""
        user = self.source is DiagnosticSource.ACSE_SERVICE_USER
        known = words_of(AcseDiagnostic if user else ProviderDiagnostic, self.diagnostic)
        return known.partition("(")[2].rstrip(")") if "not assigned" not in known else f"diagnostic {self.diagnostic}"


NO_DIAGNOSTIC: Final = ResultSourceDiagnostic()
"""What stands in an AARE that accepts without conditions."""
