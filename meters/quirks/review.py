"""The review of a quirk: one person proposes it, another one accepts or refuses it; what was accepted can be withdrawn.

`WITHDRAW` of a proposal is its proposer's alone; of an accepted quirk it is anybody's, for a quirk that does harm has to go at
once. Nothing comes back: who wants it again proposes it anew, so that the history stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class ReviewState(Enum):
    """The values are those of `meters.models.Quirk.State`."""

    PROPOSED = "PROPOSED"
    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class ReviewEvent(Enum):
    ACCEPT = "accept"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class ReviewError(Exception):
    """Something that this quirk, or this person, does not allow; the message is for the page."""


_S, _E = ReviewState, ReviewEvent
TRANSITIONS: Final[Mapping[ReviewState, Mapping[ReviewEvent, ReviewState]]] = {
    _S.PROPOSED: {_E.ACCEPT: _S.ACCEPTED, _E.REFUSE: _S.REFUSED, _E.WITHDRAW: _S.WITHDRAWN},
    _S.ACCEPTED: {_E.WITHDRAW: _S.WITHDRAWN},
    _S.REFUSED: {},
    _S.WITHDRAWN: {},
}


def reviewed(state: ReviewState, event: ReviewEvent, *, by_proposer: bool) -> ReviewState:
    """The state after the event; ReviewError where it has no place, or where this person may not."""
    if event not in TRANSITIONS[state]:
        raise ReviewError(f"A quirk that is {state.value.lower()} cannot be {_PAST[event]}: propose it anew.")
    if event in (_E.ACCEPT, _E.REFUSE) and by_proposer:
        raise ReviewError("You proposed this quirk: another person has to look at it.")
    if (state, event) == (_S.PROPOSED, _E.WITHDRAW) and not by_proposer:
        raise ReviewError("Somebody else proposed this: accept or refuse it.")
    return TRANSITIONS[state][event]


_PAST: Final = {_E.ACCEPT: "accepted", _E.REFUSE: "refused", _E.WITHDRAW: "withdrawn"}
