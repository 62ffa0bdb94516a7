"""Shared fixtures. Tests never need a broker: the channel layer and Celery's transport live in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.append_only import allow_flush
from tests.targets import allow_targets_of_tests

allow_flush()
allow_targets_of_tests()

# Property tests judge values, not speed: a busy machine fails none of them.
hypothesis_settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.register_profile("repeatable", hypothesis_settings.get_profile("untimed"), derandomize=True)
hypothesis_settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parent.parent
CAPTURES = ROOT.parent / "shared" / "captures"


@pytest.fixture(autouse=True)
def in_memory_channel_layer(settings):
    """No broker in unit tests: messages go to queues in this process and wait there."""
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


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
