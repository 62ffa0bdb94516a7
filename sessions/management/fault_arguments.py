"""The faults of a line as options of a command."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import Any, Final

from sessions.simulator.faults import Direction, LineFaults, read_faults

OPTIONS: Final[tuple[tuple[str, Callable[[str], Any], str, str], ...]] = (
    ("bit-errors", float, "CHANCE", "chance of each bit to be turned, 0 to 1"),
    ("lost", float, "CHANCE", "chance of each octet to be lost"),
    ("doubled", float, "CHANCE", "chance of each octet to come twice"),
    ("delayed", float, "CHANCE", "chance of each octet to be late by --delay, with all that follow"),
    ("delay", float, "SECONDS", "how late (default 0.5)"),
    ("silence", float, "CHANCE", "chance of each turn (what one side says in one go) to vanish"),
    ("garbage", float, "CHANCE", "chance of each turn to follow on noise"),
    ("slow", float, "SECONDS", "how late each answer of the meter is"),
    ("cut-after", int, "OCTETS", "the line ends behind so many octets of a direction"),
)


def add_fault_arguments(parser: ArgumentParser) -> None:
    """The options of `LineFaults`."""
    group = parser.add_argument_group("a bad line")
    group.add_argument("--seed", type=int, metavar="N", help="decides all chances: the same seed, the same faults")
    words = ["both", *(direction.value for direction in Direction)]
    group.add_argument("--direction", choices=words, help="which way octets meet the faults (default both)")
    for name, kind, metavar, words_of_help in OPTIONS:
        group.add_argument(f"--{name}", type=kind, metavar=metavar, help=words_of_help)
    group.add_argument("--echo", action="store_true", default=None, help="what the client sends comes back to it")


def given_faults(options: dict[str, Any]) -> LineFaults | None:
    """What the options say; None where none of them was given. ArgumentTypeError where a value is none."""
    names = ["seed", "direction", "echo", *(name.replace("-", "_") for name, *_ in OPTIONS)]
    given = {name: options[name] for name in names if options.get(name) is not None}
    try:
        return read_faults(given) if given else None
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None
