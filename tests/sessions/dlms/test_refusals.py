"""Refusals as typed errors: layer, words of the standard, and a hint."""

from __future__ import annotations

import pytest

from meters.cosem.data import null
from sessions.dlms.acse import Aare, AcseDiagnostic, DiagnosticSource, ProviderDiagnostic, ResultSourceDiagnostic
from sessions.dlms.apdu.descriptors import InvokeIdAndPriority
from sessions.dlms.apdu.errors import ConfirmedServiceError, ExceptionResponse, ExceptionServiceError, StateError
from sessions.dlms.apdu.get import GetResponseNormal
from sessions.dlms.errors import ExceptionResponseError, ServiceErrorError
from sessions.dlms.refusals import refusal_of, rejection_of


@pytest.mark.parametrize("service_error", ExceptionServiceError)
def test_every_exception_response(service_error):
    error = refusal_of(ExceptionResponse(1, service_error))
    assert type(error) is ExceptionResponseError
    assert service_error.name.lower().replace("_", "-") in error.message
    assert (error.state_error, error.service_error, error.invocation_counter) == (1, service_error, None)
    assert (error.layer == "security") == (service_error >= ExceptionServiceError.DECIPHERING_ERROR)


@pytest.mark.parametrize("state_error", StateError)
@pytest.mark.parametrize("service_error", [*ExceptionServiceError, 77])
def test_every_exception_response_says_what_to_do(state_error, service_error):
    error = refusal_of(ExceptionResponse(state_error, service_error))
    assert state_error.name.lower().replace("_", "-") in error.message
    assert error.hint.endswith(".")
    assert ("not in the standard" in error.hint) == (service_error == 77)


@pytest.mark.parametrize("service", [*range(1, 20), 0, 99])
@pytest.mark.parametrize("choice", [*range(11), 42])
def test_every_confirmed_service_error_has_words_and_says_what_to_do(service, choice):
    hints = set()
    for value in range(10):
        apdu = ConfirmedServiceError(service, choice, value)
        error = refusal_of(apdu)
        assert apdu.service_words in error.message
        assert apdu.choice_words in error.message
        assert apdu.value_words in error.message
        hints.add(error.hint)
    assert all(hint.endswith((".", "?")) for hint in hints)
    assert ("not in the standard" in "".join(hints)) == (choice == 42)


def test_hints_of_a_service_error_that_say_more():
    assert "service" in refusal_of(ConfirmedServiceError(5, 3, 2)).hint
    assert "max_pdu_size" in refusal_of(ConfirmedServiceError(5, 3, 1)).hint
    assert refusal_of(ConfirmedServiceError(5, 3, 0)).hint not in ("", refusal_of(ConfirmedServiceError(5, 3, 1)).hint)


def test_an_exception_response_with_unassigned_numbers():
    error = refusal_of(ExceptionResponse(9, 77))
    assert "77" in error.message
    assert error.layer == "application"


def test_the_counter_that_the_meter_expects():
    error = refusal_of(ExceptionResponse(1, 6, 4711))
    assert error.invocation_counter == 4711
    assert "4711" in error.message
    assert error.as_dict()["layer"] == "security"


def test_a_confirmed_service_error():
    error = refusal_of(ConfirmedServiceError(5, 3, 2))
    assert type(error) is ServiceErrorError
    assert "service-unsupported" in error.message
    assert (error.service, error.choice, error.value, error.layer) == (5, 3, 2, "application")


def test_a_deciphering_error_points_at_the_keys():
    error = refusal_of(ConfirmedServiceError(1, 0, 6))
    assert error.layer == "security"
    assert "keys" in error.hint


def test_answers_are_no_refusals():
    assert refusal_of(GetResponseNormal(InvokeIdAndPriority(1), null())) is None


@pytest.mark.parametrize("diagnostic", [AcseDiagnostic.NULL, AcseDiagnostic.NO_REASON_GIVEN])
@pytest.mark.parametrize("ciphered", [False, True])
def test_a_rejection_without_a_reason_points_at_the_keys_where_there_are_some(diagnostic, ciphered):
    aare = Aare(result=1, result_source_diagnostic=ResultSourceDiagnostic(diagnostic=diagnostic))
    assert ("guek" in rejection_of(aare, ciphered=ciphered).hint) == ciphered


@pytest.mark.parametrize("source", DiagnosticSource)
@pytest.mark.parametrize("number", range(-1, 17))
def test_every_diagnostic_says_what_to_do(source, number):
    aare = Aare(result=1, result_source_diagnostic=ResultSourceDiagnostic(source, number))
    error = rejection_of(aare)
    assert error.hint
    assigned = AcseDiagnostic if source is DiagnosticSource.ACSE_SERVICE_USER else ProviderDiagnostic
    known = number in assigned._value2member_map_
    assert ("The standard knows no such" in error.hint) != known
    assert (f"diagnostic {number}" in error.message) != known
