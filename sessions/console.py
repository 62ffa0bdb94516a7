"""The forms of the console by the kind of step that they ask for."""

from __future__ import annotations

from sessions.forms import ConsoleForm, ProfileForm, ReadForm
from sessions.gated_forms import InvokeForm, WriteForm

CONSOLE_FORMS: dict[str, type[ConsoleForm]] = {
    form.kind: form for form in (ReadForm, ProfileForm, WriteForm, InvokeForm)
}
