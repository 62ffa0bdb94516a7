"""How often an attribute of a meter was written, against what the memory, or the seal, of its type bears."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone

from meters.models import Meter
from sessions.models import Step

COUNTED: Final = (Step.State.WAITING, Step.State.RUNNING, Step.State.DONE, Step.State.UNCERTAIN)
"""What was written, may have been, or is about to be."""


@dataclass(frozen=True, slots=True)
class WriteBudget:
    """Writes to one attribute so far, and how many it bears; None: nobody knows a limit."""

    today: int
    ever: int
    a_day: int | None
    in_total: int | None

    @property
    def is_used_up(self) -> bool:
        return (self.a_day is not None and self.today >= self.a_day) or (
            self.in_total is not None and self.ever >= self.in_total
        )

    @property
    def words(self) -> str:
        """`Written 3 of 50 times, today 1 of 4.`"""
        ever = f"Written {self.ever} of {self.in_total} times" if self.in_total else f"Written {self.ever} times"
        return f"{ever}, in the last 24 hours {self.today}{f' of {self.a_day}' if self.a_day else ''}."


def write_budget(meter: Meter | None, asked: dict[str, Any]) -> WriteBudget | None:
    """Of the attribute that `asked` names (class_id, logical_name, attribute_id); None where the type says no limit."""
    kind = meter.meter_type if meter is not None else None
    if kind is None or (kind.writes_a_day is None and kind.writes_in_total is None):
        return None
    wanted = {f"parameters__{name}": asked[name] for name in ("class_id", "logical_name", "attribute_id")}
    steps = Step.objects.filter(session__meter=meter, kind=Step.Kind.WRITE, state__in=COUNTED, **wanted)
    today = Q(created__gte=timezone.now() - timedelta(days=1))
    counts = steps.aggregate(ever=Count("pk"), today=Count("pk", filter=today))
    return WriteBudget(counts["today"], counts["ever"], kind.writes_a_day, kind.writes_in_total)
