"""Quirks for tests: proposed by anna, accepted by bert."""

from __future__ import annotations

from typing import Any

from meters.models import Meter, Quirk
from meters.quirks.services import accept_quirk, propose_quirk
from tests.sessions.builders import make_session, make_user


def propose(meter: Meter, name: str = "disconnect_first", value: Any = True, *, by: str = "anna") -> Quirk:
    """Of the meter's type, with a session with the meter as its proof."""
    proof = make_session(meter, user=make_user(by))
    assert meter.meter_type is not None
    return propose_quirk(
        user=make_user(by), meter_type=meter.meter_type, name=name, value=value, reason="it was so", session_id=proof.pk
    )


def accept(meter: Meter, name: str = "disconnect_first", value: Any = True) -> Quirk:
    """A quirk that holds."""
    return accept_quirk(user=make_user("bert"), quirk_id=propose(meter, name, value).pk)
