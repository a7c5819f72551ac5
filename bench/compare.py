"""Compares wirearray with the official package, ptars, np.load, and a plain copy of the same arrays.

    python bench/compare.py --size small      seconds, for a look
    python bench/compare.py                   minutes, for the record

Every package's result is checked before it is timed. Ratios come first in the table: times depend on the machine.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import host
from cases import SIZES, Case, assert_equal, cases, check_writers
from measure import Timing, interleave
from packages import COPY, NUMPY_LOAD, OFFICIAL, OFFICIAL_PARSE, PTARS, WIREARRAY

UNCHECKED = {OFFICIAL_PARSE, NUMPY_LOAD, COPY}
RESULTS = Path(__file__).with_name("results")
Result = dict[str, Any]


def main() -> None:
    options = _options()
    check_writers()
    with tempfile.TemporaryDirectory() as folder:
        results = [_measure(case, options.repeats) for case in cases(options.size, Path(folder))]
    record = {**host.describe(), "size": options.size, "cases": results}
    print(_table(record))
    out = options.out or (RESULTS / f"{host.cpu_slug()}.json" if options.size == "full" else None)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(record, indent=1) + "\n")
        print(f"\nwritten to {out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--repeats", type=int, default=9, help="how often each package runs a case, in turn")
    parser.add_argument("--out", type=Path, help="where to write the record; full runs default to bench/results")
    return parser.parse_args()


def _measure(case: Case, repeats: int) -> Result:
    print(f"{case.name} ...", flush=True)
    for way in case.ways.keys() - UNCHECKED:
        assert_equal(case, way)
    timings = interleave(case.ways, repeats)
    return {
        "name": case.name,
        "wire_bytes": case.wire_bytes,
        "array_bytes": case.array_bytes,
        "ratios": _ratios(timings),
        "seconds": {
            way: {"min": timing.best, "median": timing.median, "runs": len(timing.seconds)}
            for way, timing in timings.items()
        },
    }


def _ratios(timings: dict[str, Timing]) -> dict[str, float]:
    ours = timings[WIREARRAY].best
    ratios = {"wirearray / copy": ours / timings[COPY].best, "protobuf / wirearray": timings[OFFICIAL].best / ours}
    if PTARS in timings:
        ratios["ptars / wirearray"] = timings[PTARS].best / ours
    return ratios


def _table(record: dict[str, Any]) -> str:
    """Markdown: the ratios of the best times, then best and median times in milliseconds."""
    ratios = ["wirearray / copy", "protobuf / wirearray", "ptars / wirearray"]
    ways = [WIREARRAY, OFFICIAL, OFFICIAL_PARSE, PTARS, NUMPY_LOAD, COPY]
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    lines = [
        "",
        f"{record['cpu']}, {record['cores']} cores, {record['date']}, Python {record['python']}, {packages}",
        "",
        "| case | MB on the wire | " + " | ".join(ratios) + " | " + " | ".join(f"{way}, ms" for way in ways) + " |",
        "|---|" + "--:|" * (1 + len(ratios) + len(ways)),
    ]
    for result in record["cases"]:
        cells = [result["name"], f"{result['wire_bytes'] / 1e6:,.1f}"]
        cells += [f"{result['ratios'][name]:.2f}" if name in result["ratios"] else "" for name in ratios]
        cells += [_milliseconds(result["seconds"].get(way)) for way in ways]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _milliseconds(seconds: dict[str, float] | None) -> str:
    return "" if seconds is None else f"{seconds['min'] * 1e3:,.2f} ({seconds['median'] * 1e3:,.2f})"


if __name__ == "__main__":
    main()
