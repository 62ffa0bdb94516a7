"""Every quirk has a name that fits a lab file, words, and a hook."""

from __future__ import annotations

import re

import pytest

from sessions.simulator.quirks import QUIRKS
from sessions.simulator.quirks.quirk import Quirk, Talk

HOOKS = ("value", "request", "answer", "push", "apdus", "frame", "text")


@pytest.mark.parametrize("quirk", QUIRKS.values(), ids=list(QUIRKS))
def test_a_quirk(quirk: Quirk):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", quirk.name)
    assert 15 < len(quirk.words) < 120
    assert any(getattr(quirk, name) is not None for name in HOOKS)


def test_no_name_stands_twice():
    assert len(QUIRKS) == 53


def test_a_conversation_begins_with_nothing():
    talk = Talk()
    assert (talk.received, talk.request, talk.clear, talk.clear_said, talk.said) == (b"", None, b"", [], [])
