"""A server that says no: its APDU becomes a typed error, in the standard's words, with what to try."""

from __future__ import annotations

from typing import Final

from sessions.dlms.acse import Aare, AcseDiagnostic, AssociationResult, DiagnosticSource, ProviderDiagnostic
from sessions.dlms.apdu import Apdu
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError
from sessions.dlms.errors import (
    AssociationRejectedError,
    AuthenticationFailedError,
    ExceptionResponseError,
    RefusedError,
    ServiceErrorError,
)

DIAGNOSTIC_HINTS: Final[dict[int, str]] = {
    AcseDiagnostic.NULL: "Check client SAP, server SAP and authentication: the meter gives no reason.",
    AcseDiagnostic.NO_REASON_GIVEN: "Check client SAP, server SAP and authentication: the meter gives no reason.",
    AcseDiagnostic.APPLICATION_CONTEXT_NAME_NOT_SUPPORTED: "Check the protection: this client SAP may be served only with "
    "ciphering, or only without; and logical or short names.",
    AcseDiagnostic.CALLING_AP_TITLE_NOT_RECOGNIZED: "Check the client system title: the meter knows another one, or wants one.",
    AcseDiagnostic.CALLING_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED: "Check calling_ap_invocation_id: leave it out, or give what "
    "the meter wants.",
    AcseDiagnostic.CALLING_AE_QUALIFIER_NOT_RECOGNIZED: "Check calling_ae_qualifier: with HLS ECDSA it is the client's "
    "certificate for signing, and the meter must know who issued it.",
    AcseDiagnostic.CALLING_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED: "Check the user id: it must be in the user list of this "
    "association, or be left out.",
    AcseDiagnostic.CALLED_AP_TITLE_NOT_RECOGNIZED: "Check called_ap_title: leave it out, or give the meter's system title.",
    AcseDiagnostic.CALLED_AP_INVOCATION_IDENTIFIER_NOT_RECOGNIZED: "Check called_ap_invocation_id: leave it out, or give what "
    "the meter wants.",
    AcseDiagnostic.CALLED_AE_QUALIFIER_NOT_RECOGNIZED: "Check called_ae_qualifier: leave it out, or give what the meter wants.",
    AcseDiagnostic.CALLED_AE_INVOCATION_IDENTIFIER_NOT_RECOGNIZED: "Check called_ae_invocation_id: leave it out, or give what "
    "the meter wants.",
    AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_NOT_RECOGNISED: "Check the authentication: the meter wants another "
    "mechanism for this client SAP.",
    AcseDiagnostic.AUTHENTICATION_MECHANISM_NAME_REQUIRED: "Check the authentication: the meter wants a mechanism for this "
    "client SAP.",
    AcseDiagnostic.AUTHENTICATION_REQUIRED: "Check the authentication: this client SAP is not served without.",
}
PROVIDER_HINTS: Final[dict[int, str]] = {
    ProviderDiagnostic.NULL: "The meter's ACSE gives no reason: check the addresses, and try without optional AARQ fields.",
    ProviderDiagnostic.NO_REASON_GIVEN: "The meter's ACSE gives no reason: check the addresses, and try without optional AARQ "
    "fields.",
    ProviderDiagnostic.NO_COMMON_ACSE_VERSION: "Check protocol_version: leave it out, or give 1.",
}
UNKNOWN_DIAGNOSTIC_HINT: Final = "The standard knows no such diagnostic: the meter's manual may."
UNEXPLAINED: Final = frozenset({AcseDiagnostic.NULL, AcseDiagnostic.NO_REASON_GIVEN})
UNEXPLAINED_CIPHERED_HINT: Final = (
    "A meter that cannot decipher the request says no more: "
    "check guek, gak, client system title and security suite too."
)
AUTHENTICATION_HINT: Final = (
    "authentication-failure: check the secret's exact octets (text or hex, length, padding). "
    "Do not try again and again: meters lock out."
)
EXCEPTION_HINTS: Final[dict[int, str]] = {
    ExceptionServiceError.OPERATION_NOT_POSSIBLE: "The meter does not do this in this association: check client SAP and "
    "authentication.",
    ExceptionServiceError.SERVICE_NOT_SUPPORTED: "The meter does not know this service.",
    ExceptionServiceError.OTHER_REASON: "The meter could not make sense of the request, or does not say why it refuses: "
    "look at the request in the frame list, and try a simpler one.",
    ExceptionServiceError.PDU_TOO_LONG: "Ask for less at once, or give a larger max_pdu_size.",
    ExceptionServiceError.DECIPHERING_ERROR: "Check the keys, the system titles and the security suite.",
    ExceptionServiceError.INVOCATION_COUNTER_ERROR: "The meter has seen higher invocation counters under this key: "
    "synchronise, and go on above the one that it names.",
}
UNKNOWN_EXCEPTION_HINT: Final = "This number is not in the standard: the meter's manual may explain it."
SERVICE_ERROR_HINTS: Final[dict[int, str]] = {
    0: "The meter's application does not take this now, or not so: check the association, then try again in a moment.",
    1: "The meter lacks memory, time or storage for this: ask for less at once, or try again later.",
    2: "The meter is in a state that does not allow this: is the association open, is it busy with something else?",
    3: "The meter does not know this service, or not at this length: ask for less at once.",
    4: "The object, its class or this attribute is not known to the meter: check class, name and attribute.",
    5: "This association may not do that with this object: another client SAP or authentication may.",
    6: "The meter does not open an association on these terms: check conformance, PDU size and DLMS version.",
    7: "The load of a data set went wrong: begin it again from its first segment.",
    8: "The meter does not change the scope of access here.",
    9: "The task is not under remote control, or stands otherwise than expected.",
    10: "The meter does not say why: look at the request in the frame list.",
}
"""By the choice of the ServiceError."""
DECIPHERING_ERROR: Final = (0, 6)
"""Choice and value of the confirmed-service-error that says so."""
SERVICE_PDU_SIZE: Final = (3, 1)
SERVICE_UNSUPPORTED: Final = (3, 2)
SINGLE_HINTS: Final[dict[tuple[int, int], str]] = {
    SERVICE_PDU_SIZE: EXCEPTION_HINTS[ExceptionServiceError.PDU_TOO_LONG],
    SERVICE_UNSUPPORTED: EXCEPTION_HINTS[ExceptionServiceError.SERVICE_NOT_SUPPORTED],
    DECIPHERING_ERROR: EXCEPTION_HINTS[ExceptionServiceError.DECIPHERING_ERROR],
}
"""Where choice and value together say more."""
SECURITY_ERRORS: Final = frozenset(
    {ExceptionServiceError.DECIPHERING_ERROR, ExceptionServiceError.INVOCATION_COUNTER_ERROR}
)


def rejection_of(
    aare: Aare, service_error: ConfirmedServiceError | None = None, *, ciphered: bool = False
) -> RefusedError:
    """The error for an AARE that does not accept; `service_error` is what its user-information may say more.

    `ciphered`: the request was. A meter that cannot decipher it often gives no reason.
    """
    diagnostic = aare.result_source_diagnostic
    by_user = diagnostic.source is DiagnosticSource.ACSE_SERVICE_USER
    more = f" ({service_error.words})" if service_error is not None else ""
    transient = " for now" if aare.result == AssociationResult.REJECTED_TRANSIENT else ""
    message = f"The meter rejected the association{transient}: {diagnostic.words}{more}"
    if by_user and diagnostic.diagnostic == AcseDiagnostic.AUTHENTICATION_FAILURE:
        return AuthenticationFailedError(message, hint=AUTHENTICATION_HINT)
    hints = DIAGNOSTIC_HINTS if by_user else PROVIDER_HINTS
    hint = hints.get(diagnostic.diagnostic, UNKNOWN_DIAGNOSTIC_HINT)
    if ciphered and diagnostic.diagnostic in UNEXPLAINED:
        hint = f"{hint} {UNEXPLAINED_CIPHERED_HINT}"
    if service_error is not None and (service_error.choice, service_error.value) == DECIPHERING_ERROR:
        hint = EXCEPTION_HINTS[ExceptionServiceError.DECIPHERING_ERROR]
    return AssociationRejectedError(
        message,
        result=aare.result,
        source=diagnostic.source,
        diagnostic=diagnostic.diagnostic,
        hint=hint,
    )


def refusal_of(apdu: Apdu) -> RefusedError | None:
    """The error for an APDU that refuses a service as a whole; None for every other APDU."""
    if isinstance(apdu, ExceptionResponse):
        error: RefusedError = ExceptionResponseError(
            f"The meter refused the service: {apdu.words}",
            state_error=apdu.state_error,
            service_error=apdu.service_error,
            invocation_counter=apdu.invocation_counter,
            hint=EXCEPTION_HINTS.get(apdu.service_error, UNKNOWN_EXCEPTION_HINT),
        )
        if apdu.service_error in SECURITY_ERRORS:
            error.layer = "security"
        return error
    if isinstance(apdu, ConfirmedServiceError):
        error = ServiceErrorError(
            f"The meter refused the service: {apdu.words}",
            service=apdu.service,
            choice=apdu.choice,
            value=apdu.value,
            hint=service_error_hint(apdu),
        )
        if (apdu.choice, apdu.value) == DECIPHERING_ERROR:
            error.layer = "security"
        return error
    return None


def service_error_hint(error: ConfirmedServiceError) -> str:
    """What to try after a confirmed-service-error."""
    both = (error.choice, error.value)
    return SINGLE_HINTS.get(both) or SERVICE_ERROR_HINTS.get(error.choice, UNKNOWN_EXCEPTION_HINT)
