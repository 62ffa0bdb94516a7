"""What sessions learned of a line, one row a line. Whoever ends a session writes it; nobody else does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from meters.models import LineHealth

TEXT = {"layer": 32, "code": 64, "message": 500, "hint": 500}


def line_worked(*, line_id: int, octets: datetime | None = None, connect_ms: int | None = None) -> None:
    """Somebody answered (the last time at `octets`), or a connection stood: failures begin anew."""
    changes: dict[str, Any] = {"last_success": timezone.now(), "failures": 0}
    if octets is not None:
        changes["last_octets"] = octets
    if connect_ms is not None:
        changes["connect_ms"] = connect_ms
    LineHealth.objects.update_or_create(line_id=line_id, defaults=changes)


@transaction.atomic
def line_failed(*, line_id: int, error: Mapping[str, Any], octets: datetime | None = None) -> None:
    """It could not be opened, broke, or nobody answered on it: one failure more, with layer, code, message and hint."""
    health = LineHealth.objects.select_for_update().get_or_create(line_id=line_id)[0]
    health.last_failure = timezone.now()
    health.failures += 1
    health.last_octets = octets or health.last_octets
    for name, length in TEXT.items():
        setattr(health, name, str(error.get(name) or "")[:length])
    health.save()
