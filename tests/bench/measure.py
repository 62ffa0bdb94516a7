"""How a figure is taken: the median of several runs, in CPU time, with the lowest and the highest.

CPU time, for a busy machine must not make the figures of a day worse; where a peer does the same work, its runs alternate with
ours, so that whatever disturbs one disturbs the other. The garbage collector rests while the clock runs, as `timeit` has it:
what one side left in memory must not cost the other.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

RUNS = 7
LEAST_SECONDS = 0.05
"""Work that takes less is repeated within a run, for the clock's sake."""

Work = Callable[[], object]
Figure = dict[str, Any]


def rate(unit: str, count: float, work: Work) -> Figure:
    """How many of `count` things a second `work` does."""
    repeats = _repeats(work)
    return {"unit": unit, "ours": _spread([_run(count, work, repeats) for _ in range(RUNS)])}


def against(unit: str, count: float, ours: Work, peer: Work, *, name: str = "gurux_dlms") -> Figure:
    """The same for us and a peer, and how many times faster we are."""
    our_repeats, peer_repeats = _repeats(ours), _repeats(peer)
    mine, theirs = [], []
    for _ in range(RUNS):
        mine.append(_run(count, ours, our_repeats))
        theirs.append(_run(count, peer, peer_repeats))
    ratio = statistics.median(mine) / statistics.median(theirs)
    return {"unit": unit, "ours": _spread(mine), name: _spread(theirs), "ratio": _short(ratio)}


def _repeats(work: Work) -> int:
    """Once to warm up, and how often to reach a time that can be measured."""
    work()
    begin = time.process_time()
    work()
    return max(1, round(LEAST_SECONDS / max(time.process_time() - begin, 1e-6)))


def _run(count: float, work: Work, repeats: int) -> float:
    gc.collect()
    gc.disable()
    try:
        begin = time.process_time()
        for _ in range(repeats):
            work()
        return count * repeats / (time.process_time() - begin)
    finally:
        gc.enable()


def _spread(figures: list[float]) -> dict[str, float]:
    return {"median": _short(statistics.median(figures)), "min": _short(min(figures)), "max": _short(max(figures))}


def _short(figure: float) -> float:
    return round(figure) if figure >= 100 else round(figure, 2)
