"""Which input of a target takes longest: `python -m tests.fuzz.slowest [target...]` searches, and prints JSON.

From the bombs, the plain inputs and the seeds on, what was slow is changed, doubled and joined as long as time is left. Twice:
up to the octets of a fuzz input, and up to the most that the product hands over at once. Times are milliseconds of CPU, the
least of three.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import math
import sys
import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from sessions.dlms.errors import DlmsError
from tests.fuzz.limits import FEEDS, decoders_of
from tests.fuzz.mutation import mutate
from tests.fuzz.seeds import MAX_OCTETS, seeds
from tests.fuzz.targets import TARGETS

KEPT: Final = 12
"""Slow inputs that the search goes on from."""
SEED: Final = 1
RUNS: Final = 3

Timed = tuple[float, bytes, str]


def milliseconds(name: str, octets: bytes, wanted: float = 0.0) -> float:
    """The least of three, for what disturbs one of them is not the input's; the first where it is less than `wanted`."""
    return max(_milliseconds(decode, octets, wanted) for decode in decoders_of(name))


def _milliseconds(decode: Callable[[bytes], object], octets: bytes, wanted: float) -> float:
    times = [math.inf]
    while len(times) <= RUNS and min(times) * 1000 >= wanted:
        begin = time.process_time()
        with contextlib.suppress(DlmsError, ValueError):
            decode(octets)
        times.append(time.process_time() - begin)
    return min(times) * 1000


def slowest(name: str, most: int, seconds: float, more: Iterable[bytes] = ()) -> dict[str, Any]:
    """The slowest input of at most `most` octets that `seconds` of search find."""
    until, chance = time.process_time() + seconds, Random(SEED)
    feed = FEEDS[name]
    begin = [(octets[:most], title) for title, octets in feed.inputs()]
    begin += [(feed.cut(octets)[:most], "a seed") for octets in (*seeds(), *more)]
    kept: list[Timed] = []
    for octets, title in begin:
        kept = _with(kept, (milliseconds(name, octets, _wanted(kept)), octets, title))
    while time.process_time() < until:
        _, octets, title = chance.choice(kept)
        octets = _changed(octets, chance.choice(kept)[1], chance)[:most]
        kept = _with(
            kept, (milliseconds(name, octets, _wanted(kept)), octets, f"{title.removesuffix(', changed')}, changed")
        )
    time_taken, octets, title = max(kept)
    return {"ms": round(time_taken, 2), "octets": len(octets), "input": title}


def _wanted(kept: list[Timed]) -> float:
    """What an input must take to be kept."""
    return kept[-1][0] if len(kept) == KEPT else 0.0


def _with(kept: list[Timed], timed: Timed) -> list[Timed]:
    return heapq.nlargest(KEPT, [*kept, timed]) if all(timed[1] != octets for _, octets, _ in kept) else kept


def _changed(octets: bytes, other: bytes, chance: Random) -> bytes:
    match chance.randrange(4):
        case 0:
            return octets + octets
        case 1:
            return octets[: chance.randrange(len(octets) + 1)] + other
        case _:
            return mutate(octets, chance)


def figures(name: str, seconds: float, more: Iterable[bytes] = ()) -> dict[str, Any]:
    more = list(more)
    return {
        f"up to {most} octets": slowest(name, most, seconds, more)
        for most in dict.fromkeys((min(MAX_OCTETS, FEEDS[name].most), FEEDS[name].most))
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.slowest", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="target", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=float, default=10, help="of search for each size of a target (default 10)")
    options = parser.parse_args()
    found = {name: figures(name, options.seconds) for name in options.targets or TARGETS}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
