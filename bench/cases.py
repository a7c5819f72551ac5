"""A case: its sample, every package's way with it, and what the ways have to give.

`decode_cases`, `encode_cases` and `view_cases` have them, a table each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packages import UNCHECKED, Way
from samples import Sample

FOUNDING_ELEMENTS = 10_000_000
PAIRS, PAIR_ELEMENTS = 100, 250_000
MILLION = 1_000_000
SIZES = {"full": 1.0, "small": 0.01}


@dataclass
class Case:
    """One case, ready to run. `assert_right` raises where a way's result is not the sample."""

    name: str
    sample: Sample
    ways: dict[str, Way]
    assert_right: Callable[[Sample, Any], None]

    @property
    def array_bytes(self) -> int:
        return sum(array.nbytes for array in self.sample.arrays)

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
