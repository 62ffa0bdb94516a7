"""Numbers of ACSE and their words."""

import pytest

from sessions.dlms.acse import (
    MECHANISMS,
    AcseDiagnostic,
    ApplicationContext,
    DiagnosticSource,
    ProviderDiagnostic,
    ReleaseRequestReason,
    ResultSourceDiagnostic,
    mechanism_words,
    words_of,
)

USER, PROVIDER = DiagnosticSource.ACSE_SERVICE_USER, DiagnosticSource.ACSE_SERVICE_PROVIDER


@pytest.mark.parametrize("diagnostic", AcseDiagnostic)
def test_every_diagnostic_of_the_user(diagnostic):
    assert ResultSourceDiagnostic(USER, diagnostic).words == diagnostic.name.lower().replace("_", "-")


@pytest.mark.parametrize("diagnostic", ProviderDiagnostic)
def test_every_diagnostic_of_the_provider(diagnostic):
    assert ResultSourceDiagnostic(PROVIDER, diagnostic).words == diagnostic.name.lower().replace("_", "-")


def test_numbers_that_are_not_assigned_stay_numbers():
    assert ResultSourceDiagnostic(PROVIDER, 3).words == "diagnostic 3"
    assert ResultSourceDiagnostic(USER, 15).words == "diagnostic 15"
    assert words_of(ReleaseRequestReason, 30) == "30 (user-defined)"
    assert words_of(ReleaseRequestReason, 7) == "7 (not assigned)"
    assert mechanism_words(133) == "mechanism 133"


def test_every_mechanism_has_words():
    assert [mechanism_words(number) for number in range(8)] == list(MECHANISMS)
    assert mechanism_words(None) == "no authentication"


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (1, "logical names, not ciphered"),
        (2, "short names, not ciphered"),
        (3, "logical names, ciphered"),
        (4, "short names, ciphered"),
    ],
)
def test_every_context_has_words(context, words):
    assert ApplicationContext(context).words == words
