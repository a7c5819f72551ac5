"""A case: its sample, every package's way with it, and what the ways have to give.

`decode_cases`, `encode_cases`, `stream_cases`, `view_cases`, `backend_cases` and `call_cases` have them, a table each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from measure import Clock, clock
from packages import UNCHECKED, Way
from samples import Sample

FOUNDING_ELEMENTS = 10_000_000
PAIRS, PAIR_ELEMENTS = 100, 250_000
MILLION = 1_000_000
SIZES = {"full": 1.0, "small": 0.01}


class CannotRun(Exception):
    """A case that is not measured here, and why."""

    def __init__(self, case: str, reason: str) -> None:
        super().__init__(case, reason)
        self.case, self.reason = case, reason


@dataclass
class Case:
    """One case, ready to run. `assert_right` raises where a way's result is not the sample.

    A way that is too quick to be timed alone is timed `calls` times at once. `missing` has the ways that cannot be
    measured here, and why.
    """

    name: str
    sample: Sample
    ways: dict[str, Way]
    assert_right: Callable[[Sample, Any], None]
    calls: int = 1
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def array_bytes(self) -> int:
        return sum(part.nbytes for part in self.sample.parts)

    def clocks(self) -> Mapping[str, Clock]:
        return {way: partial(clock, run, self.calls) for way, run in self.ways.items()}

    def check(self, way: str) -> None:
        try:
            self.assert_right(self.sample, self.ways[way]())
        except AssertionError as error:
            raise AssertionError(f"{self.name}, {way}: {error}") from None

    def check_all(self) -> None:
        """Every way whose result can be compared, before any of them is timed."""
        for way in self.ways.keys() - UNCHECKED:
            self.check(way)


# Makes a case, with a folder for its files. One at a time: together they would not fit into a small machine's memory.
Builder = Callable[[Path], Case]


def scaled(size: str, count: int) -> int:
    return max(1, int(count * SIZES[size]))
