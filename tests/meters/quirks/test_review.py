"""Every state of a review with every event, by the proposer and by another."""

from __future__ import annotations

import pytest

from meters.models import Quirk
from meters.quirks.review import TRANSITIONS, ReviewError, ReviewEvent, ReviewState, reviewed

S, E = ReviewState, ReviewEvent
BY_ANOTHER = {
    (S.PROPOSED, E.ACCEPT): S.ACCEPTED,
    (S.PROPOSED, E.REFUSE): S.REFUSED,
    (S.ACCEPTED, E.WITHDRAW): S.WITHDRAWN,
}
BY_THE_PROPOSER = {
    (S.PROPOSED, E.WITHDRAW): S.WITHDRAWN,
    (S.ACCEPTED, E.WITHDRAW): S.WITHDRAWN,
}


@pytest.mark.parametrize("by_proposer", [False, True], ids=["another", "proposer"])
@pytest.mark.parametrize("event", ReviewEvent)
@pytest.mark.parametrize("state", ReviewState)
def test_every_pair(state: ReviewState, event: ReviewEvent, by_proposer: bool) -> None:
    wanted = (BY_THE_PROPOSER if by_proposer else BY_ANOTHER).get((state, event))
    if wanted is not None:
        assert reviewed(state, event, by_proposer=by_proposer) is wanted
        return
    with pytest.raises(ReviewError):
        reviewed(state, event, by_proposer=by_proposer)


def test_the_states_are_those_of_the_model_and_each_has_its_row() -> None:
    assert {state.value for state in ReviewState} == set(Quirk.State.values)
    assert set(TRANSITIONS) == set(ReviewState)


def test_the_sentences_say_what_to_do() -> None:
    with pytest.raises(ReviewError, match="another person"):
        reviewed(S.PROPOSED, E.ACCEPT, by_proposer=True)
    with pytest.raises(ReviewError, match="propose it anew"):
        reviewed(S.REFUSED, E.ACCEPT, by_proposer=False)
