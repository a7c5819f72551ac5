"""Compares wirearray with its targets, the official package, ptars, NumPy's files, and plain copies of the same arrays.

    python bench/compare.py --size small                     seconds: a check of results, and a look
    python bench/compare.py                                  a quarter of an hour, for the record and the README
    python bench/compare.py --only encoding --repeats 3      one table of all

Every package's result is checked before it is timed. Each case has a process of its own: memory that an earlier case
has freed would come faster than the system's, to whichever way happens to fit into it. Ratios come first in the tables:
times depend on the machine. No time makes this fail.
"""

import argparse
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from wirearray import _core

import host
from cases import SIZES, CannotRun
from decode_cases import check_samples
from measure import Timing, interleave
from own_process import call
from tables import TABLES, Table
from verdicts import Verdict, as_data, assert_judged, judge, markdown

BUILD = Path(__file__).resolve().parents[1] / "build" / "bench"
REPEATS = {"full": 15, "small": 3}
Result = dict[str, Any]


def main() -> None:
    options = _options()
    if options.size == "full" and host.is_build_for_tests():
        raise RuntimeError("this is the build for tests, with checks on; `make release` installs the one to measure")
    check_samples()
    record = {**host.describe(), "build": host.build(), "backend": _core._backend()}
    record |= {"size": options.size, "repeats": options.repeats}
    names = [name for name in TABLES if options.only in (None, name)]
    cases = [(name, number) for name in names for number in range(len(TABLES[name].cases(options.size)))]
    # Small cases are a check, so they may disturb each other.
    with ThreadPoolExecutor(1 if options.size == "full" else os.cpu_count()) as pool:
        results = list(pool.map(lambda case: call(_measure, *case, options, record["build"]), cases))
    for name in names:
        record[name] = [result for (table, _), result in zip(cases, results, strict=True) if table == name]
    verdicts = judge(record)
    record["targets"] = as_data(verdicts)
    print(_heading(record))
    if host.is_build_for_tests():
        print("This is the build for tests: what counts is that all results are right, and no time does.\n")
    for name in names:
        print(TABLES[name].markdown(record[name]))
    print(markdown(verdicts))
    if options.only is None:
        assert_judged(verdicts)
        _write(record, verdicts, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--only", choices=TABLES, help="one table alone, which is no run for the record")
    parser.add_argument("--repeats", type=int, help="how often each way runs a case: 15 times, or 3 in small")
    parser.add_argument("--out", type=Path, help="where to write the record; then it is not shown in the README")
    options = parser.parse_args()
    options.repeats = options.repeats or REPEATS[options.size]
    return options


def _measure(name: str, number: int, options: argparse.Namespace, build: str) -> Result:
    if host.build() != build:
        raise RuntimeError("wirearray was built anew meanwhile: its times do not belong into one table")
    table = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        try:
            case = table.cases(options.size)[number](Path(folder))
        except CannotRun as error:
            return {"name": error.case, "skipped": error.reason}
        print(f"{table.title}: {case.name} ...", flush=True)
        case.check_all()
        timings = interleave(case.clocks(), options.repeats, table.most_seconds)
    return {
        "name": case.name,
        "wire_bytes": len(case.sample.data),
        "array_bytes": case.array_bytes,
        "ratios": _ratios(timings, table),
        "seconds": {
            way: {"min": timing.best, "median": timing.median, "runs": len(timing.seconds)}
            for way, timing in timings.items()
        },
        **({"missing": case.missing} if case.missing else {}),
    }


def _ratios(timings: dict[str, Timing], table: Table) -> dict[str, float]:
    """Of the best times, where both ways of a ratio were measured."""
    pairs = {f"{way} / {other}": (timings.get(way), timings.get(other)) for way, other in table.ratios}
    return {name: way.best / other.best for name, (way, other) in pairs.items() if way and other}


def _heading(record: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    scale = "" if record["size"] == "full" else "; a hundredth of the numbers: its ratios are no verdict"
    return f"\n{record['cpu']}, {record['cores']} cores, {record['date']}, Python {record['python']}, {packages}{scale}"


def _write(record: dict[str, Any], verdicts: list[Verdict], out: Path | None) -> None:
    """The record, the chart and the text of the README. Only a full run is for the record, and changes the README."""
    # Here, because drawing takes longer to import than a small case to run, and each case's process imports this file.
    import speed_section
    import target_chart

    for_the_record = record["size"] == "full" and out is None
    path = out or (speed_section.RESULTS if for_the_record else BUILD) / f"{host.cpu_slug()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    target_chart.draw(verdicts, record, path.with_suffix(".png"))
    if for_the_record:
        speed_section.write(path.stem)
    else:
        path.with_suffix(".md").write_text(speed_section.section(record, path.stem))
    print(f"\nwritten to {path}, and the chart beside it")


if __name__ == "__main__":
    main()
