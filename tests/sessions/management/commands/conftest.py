"""Commands that run in the tests' own process see no workbench's database: other tests may have made one there."""

from __future__ import annotations

import pytest

from sessions import command_counters


@pytest.fixture(autouse=True)
def _no_database(monkeypatch) -> None:
    monkeypatch.setattr(command_counters, "_database_is_there", lambda: False)
