"""The tables of the comparison: which cases, ratios and ways each has, and how it looks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import backend_cases
import call_cases
import decode_cases
import encode_cases
import stream_cases
import view_cases
from cases import Builder
from packages import (
    AVX2,
    AVX512,
    COPY,
    DECOMPRESSING,
    FRAMED,
    FRESH,
    NUMPY_LOAD,
    NUMPY_MAP,
    NUMPY_SAVE,
    OFFICIAL,
    OFFICIAL_FASTEST,
    OFFICIAL_PARSE,
    OUT,
    PLAIN,
    PORTABLE,
    PTARS,
    TO_BYTES,
    TO_LIST,
    TWO_THREADS,
    WIREARRAY,
)

# How many of each unit a second has.
UNITS = {"ms": 1e3, "µs": 1e6, "ns": 1e9}


@dataclass(frozen=True)
class Table:
    """One table. A way that has used up `most_seconds` in a case is measured three times."""

    title: str
    cases: Callable[[str], list[Builder]]
    ratios: tuple[tuple[str, str], ...]
    ways: tuple[str, ...]
    unit: str = "ms"
    most_seconds: float = 4.0

    def markdown(self, results: list[dict[str, Any]]) -> str:
        """The ratios of the best times, then best and median times; and last what could not be measured."""
        ratios = [" / ".join(pair) for pair in self.ratios]
        times = [f"{way}, {self.unit}" for way in self.ways]
        lines = [
            "",
            " | ".join(["| " + self.title, "MB on the wire", *ratios, *times]) + " |",
            "|---|" + "--:|" * (1 + len(ratios) + len(times)),
        ]
        lines += [self._line(result, ratios) for result in results if "skipped" not in result]
        skipped = [f"{result['name']} is left out: {result['skipped']}" for result in results if "skipped" in result]
        return "\n".join([*lines, *([""] if skipped else []), *skipped])

    def _line(self, result: dict[str, Any], ratios: list[str]) -> str:
        cells = [result["name"], f"{result['wire_bytes'] / 1e6:,.1f}"]
        cells += [f"{result['ratios'][name]:.2f}" if name in result["ratios"] else "" for name in ratios]
        cells += [self._time(result["seconds"].get(way)) for way in self.ways]
        return "| " + " | ".join(cells) + " |"

    def _time(self, seconds: dict[str, float] | None) -> str:
        if seconds is None:
            return ""
        best, median = (seconds[name] * UNITS[self.unit] for name in ("min", "median"))
        return f"{best:,.2f} ({median:,.2f})"


# Views come last, and the saved file late: the system goes on writing files out after they are saved.
TABLES = {
    "decoding": Table(
        "decoding",
        decode_cases.cases,
        ratios=((WIREARRAY, COPY), (TWO_THREADS, COPY), (OUT, FRESH), (OFFICIAL, WIREARRAY), (PTARS, WIREARRAY)),
        ways=(WIREARRAY, TWO_THREADS, OUT, OFFICIAL, OFFICIAL_PARSE, PTARS, NUMPY_LOAD, COPY, FRESH),
    ),
    "calls": Table(
        "small calls",
        call_cases.cases,
        ratios=((WIREARRAY, OFFICIAL),),
        ways=(WIREARRAY, OFFICIAL),
        unit="ns",
    ),
    "backends": Table(
        "backends, packed integers",
        backend_cases.cases,
        ratios=((AVX2, AVX512), (PLAIN, PORTABLE)),
        ways=(AVX512, AVX2, PORTABLE, PLAIN),
    ),
    "encoding": Table(
        "encoding",
        encode_cases.cases,
        ratios=((WIREARRAY, COPY), (WIREARRAY, TO_BYTES), (OFFICIAL, WIREARRAY), (OFFICIAL_FASTEST, WIREARRAY)),
        ways=(WIREARRAY, TO_LIST, OFFICIAL, OFFICIAL_FASTEST, NUMPY_SAVE, TO_BYTES, COPY),
        most_seconds=6.0,
    ),
    "streams": Table(
        "files of messages",
        stream_cases.cases,
        ratios=((WIREARRAY, FRAMED), (TWO_THREADS, DECOMPRESSING), (OFFICIAL_PARSE, WIREARRAY)),
        ways=(WIREARRAY, TWO_THREADS, FRAMED, DECOMPRESSING, OFFICIAL_PARSE),
    ),
    "views": Table(
        "views of aligned numbers",
        view_cases.cases,
        ratios=((NUMPY_MAP, WIREARRAY),),
        ways=(WIREARRAY, NUMPY_MAP),
        unit="µs",
    ),
}
