"""Exception-response and confirmed-service-error: a service refused as a whole (IEC 62056-5-3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from sessions.dlms.apdu.tags import ApduTag
from sessions.dlms.cursor import Reader, Writer

EXCEPTION_TAG: Final = ApduTag.EXCEPTION_RESPONSE
SERVICE_ERROR_TAG: Final = ApduTag.CONFIRMED_SERVICE_ERROR


class StateError(IntEnum):
    SERVICE_NOT_ALLOWED = 1
    SERVICE_UNKNOWN = 2


class ExceptionServiceError(IntEnum):
    OPERATION_NOT_POSSIBLE = 1
    SERVICE_NOT_SUPPORTED = 2
    OTHER_REASON = 3
    PDU_TOO_LONG = 4
    DECIPHERING_ERROR = 5
    INVOCATION_COUNTER_ERROR = 6


def _words(enumeration: type[IntEnum], number: int) -> str:
    try:
        return enumeration(number).name.lower().replace("_", "-")
    except ValueError:
        return f"number {number}"


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """`invocation_counter` is the one the meter expects, after an invocation-counter-error."""

    tag: ClassVar[ApduTag] = EXCEPTION_TAG
    state_error: int
    service_error: int
    invocation_counter: int | None = None

    def encode(self) -> bytes:
        writer = Writer().u8(EXCEPTION_TAG).u8(self.state_error).u8(self.service_error)
        if self.invocation_counter is not None:
            writer.u32(self.invocation_counter)
        return writer.octets()

    @property
    def words(self) -> str:
        expected = "" if self.invocation_counter is None else f", counter {self.invocation_counter} expected"
        service = _words(ExceptionServiceError, self.service_error)
        return f"{_words(StateError, self.state_error)}, {service}{expected}"

    def summary(self) -> str:
        return f"exception response: {self.words}"


def read_exception_response(reader: Reader) -> ExceptionResponse:
    with reader.group("exception-response"):
        reader.constant(bytes((EXCEPTION_TAG,)), "tag")
        state = reader.u8("state-error")
        reader.label(f"{state} ({_words(StateError, state)})")
        service = reader.u8("service-error")
        reader.label(f"{service} ({_words(ExceptionServiceError, service)})")
        counter = None
        if service == ExceptionServiceError.INVOCATION_COUNTER_ERROR and reader.remaining >= 4:
            counter = reader.u32("invocation-counter")
        return ExceptionResponse(state, service, counter)


_SERVICES: Final = (
    "",  # numbers begin at 1
    "initiate",
    "get-status",
    "get-name-list",
    "get-variable-attribute",
    "read",
    "write",
    "get-data-set-attribute",
    "get-ti-attribute",
    "change-scope",
    "start",
    "stop",
    "resume",
    "make-usable",
    "initiate-load",
    "load-segment",
    "terminate-load",
    "initiate-up-load",
    "up-load-segment",
    "terminate-up-load",
)
_CHOICES: Final[dict[int, tuple[str, tuple[str, ...]]]] = {
    0: (
        "application-reference",
        (
            "other",
            "time-elapsed",
            "application-unreachable",
            "application-reference-invalid",
            "application-context-unsupported",
            "provider-communication-error",
            "deciphering-error",
        ),
    ),
    1: (
        "hardware-resource",
        (
            "other",
            "memory-unavailable",
            "processor-resource-unavailable",
            "mass-storage-unavailable",
            "other-resource-unavailable",
        ),
    ),
    2: ("vde-state-error", ("other", "no-dlms-context", "loading-data-set", "status-nochange", "status-inoperable")),
    3: ("service", ("other", "pdu-size", "service-unsupported")),
    4: (
        "definition",
        ("other", "object-undefined", "object-class-inconsistent", "object-attribute-inconsistent"),
    ),
    5: (
        "access",
        ("other", "scope-of-access-violated", "object-access-violated", "hardware-fault", "object-unavailable"),
    ),
    6: (
        "initiate",
        (
            "other",
            "dlms-version-too-low",
            "incompatible-conformance",
            "pdu-size-too-short",
            "refused-by-the-VDE-handler",
        ),
    ),
    7: (
        "load-data-set",
        (
            "other",
            "primitive-out-of-sequence",
            "not-loadable",
            "dataset-size-too-large",
            "not-awaited-segment",
            "interpretation-failure",
            "storage-failure",
            "data-set-not-ready",
        ),
    ),
    8: ("change-scope", ()),
    9: ("task", ("other", "no-remote-control", "ti-stopped", "ti-running", "ti-unusable")),
    10: ("other", ()),
}


@dataclass(frozen=True, slots=True)
class ConfirmedServiceError:
    """Which service failed, and the choice and value of its ServiceError."""

    tag: ClassVar[ApduTag] = SERVICE_ERROR_TAG
    service: int
    choice: int
    value: int

    def encode(self) -> bytes:
        return bytes((SERVICE_ERROR_TAG, self.service, self.choice, self.value))

    @property
    def service_words(self) -> str:
        return _SERVICES[self.service] if 0 < self.service < len(_SERVICES) else f"service {self.service}"

    @property
    def choice_words(self) -> str:
        return _CHOICES[self.choice][0] if self.choice in _CHOICES else f"choice {self.choice}"

    @property
    def value_words(self) -> str:
        _, values = _CHOICES.get(self.choice, ("", ()))
        return values[self.value] if self.value < len(values) else f"number {self.value}"

    @property
    def words(self) -> str:
        """`initiate: initiate refused-by-the-VDE-handler`."""
        return f"{self.service_words}: {self.choice_words} {self.value_words}"

    def summary(self) -> str:
        return f"confirmed service error: {self.words}"


def read_confirmed_service_error(reader: Reader) -> ConfirmedServiceError:
    with reader.group("confirmedServiceError"):
        reader.constant(bytes((SERVICE_ERROR_TAG,)), "tag")
        service = reader.u8("service")
        reader.label(f"{service} ({ConfirmedServiceError(service, 0, 0).service_words})")
        choice = reader.u8("choice")
        reader.label(f"{choice} ({ConfirmedServiceError(service, choice, 0).choice_words})")
        error = ConfirmedServiceError(service, choice, reader.u8("value"))
        reader.label(f"{error.value} ({error.value_words})")
        return error
