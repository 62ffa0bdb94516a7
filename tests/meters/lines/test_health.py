"""One row a line: the last success, the last failure in words, and how many since."""

from __future__ import annotations

import pytest
from django.utils import timezone

from meters.lines.health import line_failed, line_worked
from meters.models import LineHealth
from tests.meters.builders import make_meter

pytestmark = pytest.mark.django_db

ERROR = {"layer": "line", "code": "connection-refused", "message": "refused", "hint": "Check the port."}


def test_failures_are_counted_until_something_works() -> None:
    line = make_meter().line
    line_failed(line_id=line.pk, error=ERROR)
    line_failed(line_id=line.pk, error={**ERROR, "message": "x" * 900})
    health = LineHealth.objects.get()
    assert (health.failures, health.layer, health.code, health.hint) == (2, "line", "connection-refused", ERROR["hint"])
    assert len(health.message) == 500
    assert not health.works
    line_worked(line_id=line.pk, connect_ms=12)
    health.refresh_from_db()
    assert (health.failures, health.connect_ms, health.works) == (0, 12, True)
    assert health.code == "connection-refused"  # what failed last stays to be read
    assert str(health) == f"{line.pk}: 0 failures"


def test_when_octets_came_last_is_kept() -> None:
    line, now = make_meter().line, timezone.now()
    line_worked(line_id=line.pk, octets=now)
    line_worked(line_id=line.pk, connect_ms=5)
    line_failed(line_id=line.pk, error={})
    assert LineHealth.objects.get().last_octets == now
