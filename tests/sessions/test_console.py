"""The console has a tab for each kind of step."""

from __future__ import annotations

from sessions.console import CONSOLE_FORMS
from sessions.models import Step


def test_every_kind_of_step_has_a_tab() -> None:
    assert set(CONSOLE_FORMS) == set(Step.Kind)
    assert [form.kind for form in CONSOLE_FORMS.values()] == list(CONSOLE_FORMS)
