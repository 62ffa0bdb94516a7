"""For tests of what runs in event loops: their database work comes back into the test's own thread and transaction."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def connections_stay_open(monkeypatch):
    """Consumers and the engine drop stale connections; the one that holds a test's transaction looks like one."""
    monkeypatch.setattr("channels.db.close_old_connections", lambda: None)
    monkeypatch.setattr("sessions.engine.run.close_old_connections", lambda: None)
