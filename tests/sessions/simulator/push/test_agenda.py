"""The heap of moments says what a plain list of them would."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sessions.simulator.push.agenda import Agenda
from tests.sessions.simulator.served import NOON

NAMES = ["a", "b", "c", "d"]
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.none() | st.integers(-5, 5)), max_size=30)


@given(STEPS, st.integers(-5, 5), st.integers(1, 4))
def test_it_is_as_a_list(steps, until, at_most):
    agenda: Agenda[str] = Agenda()
    plain: dict[str, tuple[int, int]] = {}
    for order, (name, second) in enumerate(steps):
        agenda.put(name, None if second is None else NOON + timedelta(seconds=second))
        plain.pop(name, None)
        if second is not None:
            plain[name] = (second, order)
    wanted = sorted(plain, key=plain.__getitem__)
    assert agenda.next_due() == (NOON + timedelta(seconds=plain[wanted[0]][0]) if wanted else None)
    due = [name for name in wanted if plain[name][0] <= until][:at_most]
    assert list(agenda.take_due(NOON + timedelta(seconds=until), at_most=at_most)) == due
    left = [name for name in wanted if name not in due]
    assert agenda.next_due() == (NOON + timedelta(seconds=plain[left[0]][0]) if left else None)
