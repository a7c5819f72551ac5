"""The tables of the comparison: which cases, ratios and ways each has, and how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import decode_cases
import encode_cases
import view_cases
from cases import Builder
from packages import (
    COPY,
    NUMPY_LOAD,
    NUMPY_MAP,
    NUMPY_SAVE,
    OFFICIAL,
    OFFICIAL_FASTEST,
    OFFICIAL_PARSE,
    PTARS,
    TO_BYTES,
    TO_LIST,
    WIREARRAY,
)

# How many of each unit a second has.
UNITS = {"ms": 1e3, "µs": 1e6}


@dataclass(frozen=True)
class Table:
    """One table. A way that has used up `most_seconds` in a case is measured three times."""

    title: str
    cases: Callable[[str], list[Builder]]
    ratios: tuple[tuple[str, str], ...]
    ways: tuple[str, ...]
    unit: str = "ms"
    most_seconds: float = 20.0

    def markdown(self, results: list[dict[str, Any]]) -> str:
        """The ratios of the best times, then best and median times."""
        ratios = [" / ".join(pair) for pair in self.ratios]
        times = [f"{way}, {self.unit}" for way in self.ways]
        lines = [
            "",
            " | ".join(["| " + self.title, "MB on the wire", *ratios, *times]) + " |",
            "|---|" + "--:|" * (1 + len(ratios) + len(times)),
        ]
        for result in results:
            cells = [result["name"], f"{result['wire_bytes'] / 1e6:,.1f}"]
            cells += [f"{result['ratios'][name]:.2f}" if name in result["ratios"] else "" for name in ratios]
            cells += [self._time(result["seconds"].get(way)) for way in self.ways]
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def _time(self, seconds: dict[str, float] | None) -> str:
        if seconds is None:
            return ""
        best, median = (seconds[name] * UNITS[self.unit] for name in ("min", "median"))
        return f"{best:,.2f} ({median:,.2f})"


# Building a message takes the official package seconds: there six of them tell enough.
TABLES = {
    "decoding": Table(
        "decoding",
        decode_cases.cases,
        ratios=((WIREARRAY, COPY), (OFFICIAL, WIREARRAY), (PTARS, WIREARRAY)),
        ways=(WIREARRAY, OFFICIAL, OFFICIAL_PARSE, PTARS, NUMPY_LOAD, COPY),
    ),
    "encoding": Table(
        "encoding",
        encode_cases.cases,
        ratios=((WIREARRAY, TO_BYTES), (OFFICIAL, WIREARRAY), (OFFICIAL_FASTEST, WIREARRAY)),
        ways=(WIREARRAY, TO_LIST, OFFICIAL, OFFICIAL_FASTEST, NUMPY_SAVE, TO_BYTES),
        most_seconds=6.0,
    ),
    "views": Table(
        "views of an aligned file",
        view_cases.cases,
        ratios=((NUMPY_MAP, WIREARRAY),),
        ways=(WIREARRAY, NUMPY_MAP),
        unit="µs",
    ),
}
