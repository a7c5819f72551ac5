"""Times several ways of doing one thing, interleaved, so that a noisy moment hurts all of them alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Run = Callable[[], Any]


@dataclass
class Timing:
    """All times of one way, in seconds."""

    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def interleave(ways: Mapping[str, Run], repeats: int, most_seconds: float = 20.0) -> dict[str, Timing]:
    """Each way `repeats` times in turn; a way that has used up its seconds stops after three times."""
    timings = {name: Timing() for name in ways}
    for _ in range(repeats):
        for name, run in ways.items():
            timing = timings[name]
            if len(timing.seconds) < 3 or sum(timing.seconds) < most_seconds:
                timing.seconds.append(clock(run))
    return timings


def clock(run: Run) -> float:
    """One time. The result is freed outside of it, and the garbage collector rests."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        result = run()
        elapsed = time.perf_counter() - start
    finally:
        gc.enable()
    del result
    return elapsed
