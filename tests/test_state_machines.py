"""ARCHITECTURE.md shows the state machines as they are."""

from tests.state_machines import ARCHITECTURE, drawing, machines, renewed


def test_the_drawings_are_those_of_the_tables():
    text = ARCHITECTURE.read_text("utf-8")
    assert renewed(text) == text, "a state machine changed: run `python -m tests.state_machines`"


def test_every_machine_is_whole():
    """Each state that a table leads to has a row of its own, and each drawing names every state."""
    found = list(machines())
    assert len(found) >= 5
    for _, _, table in found:
        assert {following for row in table.values() for following in row.values()} <= set(table)
        assert all(state.name in drawing(table) for state in table)
