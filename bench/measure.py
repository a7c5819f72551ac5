"""Times several ways of doing one thing, interleaved, so that a noisy moment hurts all of them alike."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

Run = Callable[[], Any]
# Runs a way once and says how many seconds that took.
Clock = Callable[[], float]


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


WARM_UPS = 5
SLOW = 0.3  # seconds


def interleave(clocks: Mapping[str, Clock], repeats: int, most_seconds: float) -> dict[str, Timing]:
    """Each way `repeats` times in turn, after some that do not count; out of its seconds, it stops after three times.

    The order is another in each round: memory that a way has freed, and what the system still does about it, would
    always meet the same next one.
    """
    order, random = list(clocks), Random(2010)
    timings = {name: Timing() for name in clocks}
    spent = dict.fromkeys(clocks, 0.0)
    for name in order:
        _warm_up(clocks[name])
    for _ in range(repeats):
        random.shuffle(order)
        for name in order:
            if len(timings[name].seconds) < 3 or spent[name] < most_seconds:
                start = time.perf_counter()
                timings[name].seconds.append(clocks[name]())
                spent[name] += time.perf_counter() - start
    return timings


def _warm_up(clock: Clock) -> None:
    """First runs meet memory that the system has never given out, or has taken back, and take up to ten times as long,
    most of all with two threads, which have two heaps. What is slow anyway is spared them."""
    for _ in range(WARM_UPS):
        if clock() > SLOW:
            break


def clock(run: Run, calls: int = 1) -> float:
    """The time of one call, or one call's share of many. Results are freed outside of it where there is only one; the
    garbage collector rests."""
    repeated = range(calls - 1)
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in repeated:
            run()
        result = run()
        elapsed = time.perf_counter() - start
    finally:
        gc.enable()
    del result
    return elapsed / calls
