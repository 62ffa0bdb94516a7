"""The faults of a line as options: what they say, and what is none."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError

import pytest

from sessions.management.fault_arguments import add_fault_arguments, given_faults
from sessions.simulator.faults import Direction, LineFaults


def parsed(*arguments: str) -> LineFaults | None:
    parser = ArgumentParser()
    add_fault_arguments(parser)
    return given_faults(vars(parser.parse_args(arguments)))


def test_no_option_no_faults():
    assert parsed() is None


def test_every_option():
    assert parsed("--seed", "3", "--echo", "--direction", "to-meter", "--cut-after", "9") == LineFaults(
        seed=3, echo=True, direction=Direction.TO_METER, cut_after=9
    )
    chances = ("bit-errors", "lost", "doubled", "delayed", "silence", "garbage")
    given = parsed(*(word for name in chances for word in (f"--{name}", "0.25")), "--delay", "1", "--slow", "2")
    assert given == LineFaults(
        bit_errors=0.25, lost=0.25, doubled=0.25, delayed=0.25, silence=0.25, garbage=0.25, delay=1.0, slow=2.0
    )


def test_what_is_no_chance():
    with pytest.raises(ArgumentTypeError, match="lost is a chance from 0 to 1"):
        parsed("--lost", "3")
