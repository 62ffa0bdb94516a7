"""From an entry of a meter type's file to the object: a builder for each class.

A module for each subject, with its table `BUILDERS`; `BUILDERS` here joins them, and `declared` builds what is in none.
`context.Context` is what a builder finds of the meter that it builds for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sessions.simulator.builders import (
    addressing,
    association,
    clock,
    control,
    declared,
    gathering,
    image,
    mbus,
    payment,
    profile,
    push,
    schedule,
    security,
    tariff,
    values,
    watching,
)
from sessions.simulator.builders.context import Builder

BUILDERS: Final[Mapping[int, Builder]] = {
    **values.BUILDERS,
    **clock.BUILDERS,
    **control.BUILDERS,
    **addressing.BUILDERS,
    **security.BUILDERS,
    **profile.BUILDERS,
    **push.BUILDERS,
    **image.BUILDERS,
    **mbus.BUILDERS,
    **tariff.BUILDERS,
    **watching.BUILDERS,
    **schedule.BUILDERS,
    **association.BUILDERS,
    **gathering.BUILDERS,
    **payment.BUILDERS,
}
"""The builder of each class that behaves, by class_id. Every other class of the tables is `declared`."""


def builder_for(class_id: int) -> Builder:
    return BUILDERS.get(class_id, declared.declared)
