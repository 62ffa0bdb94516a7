"""Shared fixtures. Tests never need a broker: the channel layer and Celery's transport live in memory."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before the settings are read: tests never touch the data of a running workbench.
os.environ["WORKBENCH_DATA_DIR"] = tempfile.mkdtemp(prefix="workbench-tests-")
os.environ.setdefault("WORKBENCH_MASTER_KEY", "00" * 31 + "01")
os.environ.setdefault("WORKBENCH_SECRET_KEY", "tests only, never anything else than tests: 0123456789 abcdefgh")

import pytest

from tests.append_only import allow_flush

allow_flush()

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT.parent / "shared" / "captures"


@pytest.fixture(autouse=True)
def in_memory_channel_layer(settings):
    """No broker in unit tests: messages go to queues in this process and wait there."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.fixture(autouse=True)
def master_key(settings):
    """The vault is open in tests. (pytest-django reads the settings before this file sets the environment.)"""
    settings.MASTER_KEY = "00" * 31 + "01"


@pytest.fixture(scope="session", autouse=True)
def in_memory_broker(django_test_environment):
    """Celery's messages too. For the whole session: whoever needs a real broker starts processes of its own."""
    from workbench.celery import app

    app.conf.update(broker_url="memory://", broker_transport_options={})


@pytest.fixture(scope="session")
def captures() -> Path:
    """The folder of published captures, beside the checkout."""
    if not CAPTURES.is_dir():
        pytest.skip(f"the published captures are not here ({CAPTURES.name} beside the checkout)")
    return CAPTURES
