"""Compares wirearray with the official package, ptars, NumPy's files, and a plain copy of the same arrays.

    python bench/compare.py --size small                     seconds, for a look
    python bench/compare.py                                  minutes, for the record
    python bench/compare.py --only encoding --repeats 3      one table of three: decoding, encoding, views

Every package's result is checked before it is timed. Each case has a process of its own: memory that an earlier case
has freed would come faster than the system's, to whichever way happens to fit into it. Ratios come first in the tables:
times depend on the machine.
"""

import argparse
import json
import multiprocessing
import tempfile
from pathlib import Path
from typing import Any

import host
from cases import SIZES
from decode_cases import check_samples
from measure import Timing, interleave
from tables import TABLES, Table

RESULTS = Path(__file__).with_name("results")
Result = dict[str, Any]


def main() -> None:
    options = _options()
    tables = {name: table for name, table in TABLES.items() if options.only in (None, name)}
    check_samples()
    record = {**host.describe(), "build": host.build(), "size": options.size}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name, table in tables.items():
            numbers = range(len(table.cases(options.size)))
            runs = [(name, number, options.size, options.repeats, record["build"]) for number in numbers]
            record[name] = pool.starmap(_measure, runs, chunksize=1)
    print(_heading(record))
    for name, table in tables.items():
        print(table.markdown(record[name]))
    is_for_the_record = options.size == "full" and options.only is None
    out = options.out or (RESULTS / f"{host.cpu_slug()}.json" if is_for_the_record else None)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(record, indent=1) + "\n")
        print(f"\nwritten to {out}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", choices=TABLES, help="one table alone, which is no run for the record")
    parser.add_argument("--repeats", type=int, default=9, help="how often each package runs a case, in turn")
    parser.add_argument("--out", type=Path, help="where to write the record; full runs default to bench/results")
    return parser.parse_args()


def _measure(name: str, number: int, size: str, repeats: int, build: str) -> Result:
    if host.build() != build:
        raise RuntimeError("wirearray was built anew meanwhile: its times do not belong into one table")
    table = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        case = table.cases(size)[number](Path(folder))
        print(f"{table.title}: {case.name} ...", flush=True)
        case.check_all()
        timings = interleave(case.ways, repeats, table.most_seconds)
    return {
        "name": case.name,
        "wire_bytes": len(case.sample.data),
        "array_bytes": case.array_bytes,
        "ratios": _ratios(timings, table),
        "seconds": {
            way: {"min": timing.best, "median": timing.median, "runs": len(timing.seconds)}
            for way, timing in timings.items()
        },
    }


def _ratios(timings: dict[str, Timing], table: Table) -> dict[str, float]:
    """Of the best times, where both ways of a ratio were measured."""
    pairs = {f"{way} / {other}": (timings.get(way), timings.get(other)) for way, other in table.ratios}
    return {name: way.best / other.best for name, (way, other) in pairs.items() if way and other}


def _heading(record: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    return f"\n{record['cpu']}, {record['cores']} cores, {record['date']}, Python {record['python']}, {packages}"


if __name__ == "__main__":
    main()
