"""From an entry of a meter type's file to the object: a builder for each class.

A module for each subject, with its table `BUILDERS`; `BUILDERS` here joins them. `context.Context` is what a builder finds
of the meter that it builds for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sessions.simulator.builders import addressing, clock, control, profile, push, security, values
from sessions.simulator.builders.context import Builder

BUILDERS: Final[Mapping[int, Builder]] = {
    **values.BUILDERS,
    **clock.BUILDERS,
    **control.BUILDERS,
    **addressing.BUILDERS,
    **security.BUILDERS,
    **profile.BUILDERS,
    **push.BUILDERS,
}
"""The builder of each class that a meter type may name, by class_id."""
