"""What can go wrong in a DLMS conversation, by the side that is to blame.

    DlmsError
    ├── LocalProtocolError          we asked for something that the protocol does not allow here
    ├── RemoteProtocolError         the peer broke the protocol
    │   ├── DecodeError             octets that are not what they claim: field and offset say where
    │   │   ├── TruncatedError      the input ends inside a field
    │   │   ├── TrailingOctetsError octets are left over after a complete value
    │   │   ├── UnknownTagError     a tag, a choice or an enumeration value that is not assigned
    │   │   ├── InvalidValueError   a field whose value is outside its range
    │   │   ├── LimitExceededError  depth, count or size over the limits (a bomb, or garbage)
    │   │   └── FrameError          a link-layer frame that fails its checks (FCS, HCS, length, format)
    │   └── SecurityError           protection that is missing, weaker than agreed, wrong or replayed
    │       └── NotAuthenticError   the peer did not prove who it is, or in a way that an impostor would choose
    ├── RefusedError                the peer answered, and said no
    │   ├── LinkRefusedError        DM, FRMR
    │   ├── AssociationRejectedError  AARE with a result other than accepted
    │   ├── AuthenticationFailedError the peer did not accept our secret or our proof
    │   ├── ExceptionResponseError  exception-response
    │   ├── ServiceErrorError       confirmed-service-error
    │   └── ListRefusedError        a result code where the results of a list are due
    ├── NoReplyError                nothing, or nothing complete, came in time
    └── ConnectionLostError         the line went away

Every error carries data and builds its message from it. `layer` says who refused, `code` is stable for programs, `hint` tells
the technician what to try, `retryable` drives automatic retries (a refusal is never retried by itself).
"""

from __future__ import annotations

from typing import ClassVar


class DlmsError(Exception):
    """Base of everything that leaves this package on purpose."""

    layer: str = "application"
    code: str = "dlms-error"
    hint: str = ""
    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, layer: str | None = None, code: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if layer is not None:
            self.layer = layer
        if code is not None:
            self.code = code
        if hint is not None:
            self.hint = hint

    def as_dict(self) -> dict[str, object]:
        """The error as JSON-ready data: layer, code, message, hint."""
        return {"layer": self.layer, "code": self.code, "message": self.message, "hint": self.hint}


class LocalProtocolError(DlmsError):
    """We asked for something that the protocol, or what was negotiated, does not allow now."""

    code = "local-protocol-error"


class RemoteProtocolError(DlmsError):
    """The peer broke the protocol."""

    code = "remote-protocol-error"


class DecodeError(RemoteProtocolError):
    """Octets that are not what they claim. `field` is the ASN.1 name, `offset` counts octets from the input's start."""

    layer = "encoding"
    code = "decode-error"
    hint = "Check that the octets are complete and not altered; the offset says where reading stopped."

    def __init__(self, field: str, offset: int, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{field} at offset {offset}: {reason}", hint=hint)
        self.field = field
        self.offset = offset
        self.reason = reason

    def as_dict(self) -> dict[str, object]:
        return {**super().as_dict(), "field": self.field, "offset": self.offset}


class TruncatedError(DecodeError):
    """The input ends inside a field."""

    code = "truncated"


class TrailingOctetsError(DecodeError):
    """Octets are left over after a complete value."""

    code = "trailing-octets"


class UnknownTagError(DecodeError):
    """A tag, a choice or an enumeration value that is not assigned."""

    code = "unknown-tag"


class InvalidValueError(DecodeError):
    """A field whose value is outside its range."""

    code = "invalid-value"


class LimitExceededError(DecodeError):
    """Depth, count or size over the limits."""

    code = "limit-exceeded"


class FrameError(DecodeError):
    """A link-layer frame that fails its checks (FCS, HCS, length, format, version)."""

    layer = "link"
    code = "bad-frame"
    hint = "A damaged frame points at the line: baud rate, parity, noise, an echo, or two talkers."


class SecurityError(RemoteProtocolError):
    """Protection that is missing, weaker than agreed, wrong or replayed."""

    layer = "security"
    code = "security-error"
    hint = "Check the keys, the system titles and the security suite of the association."


class NotAuthenticError(SecurityError):
    """The peer did not prove who it is, or only in a way that an impostor would choose too."""

    layer = "authentication"
    code = "not-authentic"
    hint = "Check secret, keys and system titles. If they are right, this is not the device it claims to be."


class RefusedError(DlmsError):
    """The peer answered, and said no. `proven` False: in clear, where protection was agreed, so that anybody may have said it."""

    code = "refused"
    proven: bool = True


class LinkRefusedError(RefusedError):
    """The data link was refused: DM or FRMR."""

    layer = "link"
    code = "link-refused"


class AssociationRejectedError(RefusedError):
    """The AARE's result is not "accepted"; `result`, `source` and `diagnostic` are the standard's numbers."""

    layer = "association"
    code = "association-rejected"

    def __init__(self, message: str, *, result: int, source: int, diagnostic: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.result = result
        self.source = source
        self.diagnostic = diagnostic


class AuthenticationFailedError(RefusedError):
    """The peer did not accept our secret or our proof."""

    layer = "authentication"
    code = "authentication-failed"
    hint = "Check the secret (its exact octets) and the mechanism. Do not try again and again: meters lock out."


class ExceptionResponseError(RefusedError):
    """The peer answered with an exception-response."""

    code = "exception-response"

    def __init__(
        self,
        message: str,
        *,
        state_error: int,
        service_error: int,
        invocation_counter: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.state_error = state_error
        self.service_error = service_error
        self.invocation_counter = invocation_counter


class ServiceErrorError(RefusedError):
    """The peer answered with a confirmed-service-error."""

    code = "confirmed-service-error"

    def __init__(self, message: str, *, service: int, choice: int, value: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.service = service
        self.choice = choice
        self.value = value


class ListRefusedError(RefusedError):
    """The peer refused a list of requests as a whole; `result` is the data-access-result or action-result that it gave."""

    code = "list-refused"
    hint = "Ask for less at once, or one by one."

    def __init__(self, message: str, *, result: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.result = result


class NoReplyError(DlmsError):
    """Nothing, or nothing complete, came in time."""

    layer = "link"
    code = "no-reply"
    retryable = True


class ConnectionLostError(DlmsError):
    """The line went away in the middle of a conversation."""

    layer = "line"
    code = "connection-lost"
    retryable = True
