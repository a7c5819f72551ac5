"""The README's section on speed: text and tables, made of the record of one full run.

python bench/speed_section.py               writes the section anew, from the record that it names
python bench/speed_section.py --check       only says whether it is what that record gives
"""

import argparse
import json
import re
import sys
import textwrap
from itertools import groupby
from pathlib import Path

from packages import COPY, FRESH, NUMPY_MAP, OFFICIAL, OFFICIAL_FASTEST, OUT, PTARS, TO_BYTES, TO_LIST, WIREARRAY
from targets import AT_MOST
from verdicts import Record, Verdict, judge, summary

README = Path(__file__).resolve().parents[1] / "README.md"
RESULTS = Path(__file__).with_name("results")
# The section lies between two comments; the first names its record.
SECTION = re.compile(
    r"<!-- speed: (?P<record>[a-z0-9-]+), written by make bench -->\n.*<!-- end of speed -->\n", re.DOTALL
)

Ratio = tuple[str, str]
# The columns of each table, and which ratio each one has.
COLUMNS: dict[str, dict[str, Ratio]] = {
    "decoding": {
        "/ copy": (WIREARRAY, COPY),
        "with `out=` / copy": (OUT, FRESH),
        "official / wirearray": (OFFICIAL, WIREARRAY),
        "ptars / wirearray": (PTARS, WIREARRAY),
    },
    "encoding": {
        "/ copy": (WIREARRAY, COPY),
        "/ `tobytes`": (WIREARRAY, TO_BYTES),
        "official / wirearray": (OFFICIAL, WIREARRAY),
        "official at its fastest / wirearray": (OFFICIAL_FASTEST, WIREARRAY),
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    text = README.read_text(encoding="utf-8")
    name = _find(text)["record"]
    if not parser.parse_args().check:
        write(name)
    elif _replaced(text, name) != text:
        sys.exit(f"README.md's section on speed is not what {name}.json gives: python bench/speed_section.py writes it")


def write(name: str) -> None:
    README.write_text(_replaced(README.read_text(encoding="utf-8"), name), encoding="utf-8")


def _replaced(readme: str, name: str) -> str:
    record = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    found = _find(readme)
    return readme[: found.start()] + section(record, name) + readme[found.end() :]


def _find(readme: str) -> re.Match[str]:
    found = SECTION.search(readme)
    assert found, (
        "README.md has no section between <!-- speed: ..., written by make bench --> and <!-- end of speed -->"
    )
    return found


def section(record: Record, name: str) -> str:
    verdicts = judge(record)
    parts = [
        f"<!-- speed: {name}, written by make bench -->",
        _introduction(record, verdicts, name),
        _table("decoding", record, verdicts),
        _others(verdicts),
        _encoding_note(record),
        _table("encoding", record, verdicts),
        _file_note(record),
        "<!-- end of speed -->",
    ]
    return "\n\n".join(parts) + "\n"


# ---------------------------------------------------------------------------------------------------------------------
# Text


def _introduction(record: Record, verdicts: list[Verdict], name: str) -> str:
    versions = ", ".join(f"{package} {record['packages'][package]}" for package in ("protobuf", "ptars", "numpy"))
    runs = record["decoding"][0]["seconds"][WIREARRAY]["runs"]
    return _paragraph(
        f"Made by `make bench` on {record['cpu']}, {record['cores']} cores, {record['date']}; {versions}."
        f" Times are the best of up to {runs} runs in turn, one thread each; 10 million numbers a field, a million"
        " messages, 200,000 strings. Targets stand in brackets, and what falls short of one is bold:"
        f" {summary(verdicts)[:-1]} ([chart](bench/results/{name}.png)).",
        "Decoding. A copy is `array.copy()` of the resulting arrays. With `out=` wirearray writes into arrays that it"
        " is given, and NumPy copies into new ones. The official package's times are parsing and making the arrays.",
    )


def _encoding_note(record: Record) -> str:
    """A list of messages is what `encode_many` does not make, so it is said what that costs."""
    rows = next(result["seconds"] for result in record["encoding"] if TO_LIST in result["seconds"])
    more = rows[TO_LIST]["min"] - rows[WIREARRAY]["min"]
    return _paragraph(
        "Encoding. A copy is of the arrays that are encoded, and so is `array.tobytes()`. The official package's times"
        " are building the message and serializing it, as its documentation shows it and in the fastest way known."
        f" `to_list()`, which makes a list of a million `bytes` objects, takes another {more * 1e3:.0f} ms."
    )


def _file_note(record: Record) -> str:
    seconds = record["views"][-1]["seconds"]
    ours, numpy = (f"{seconds[way]['min'] * 1e3:.2f} ms" for way in (WIREARRAY, NUMPY_MAP))
    return _paragraph(
        f'`load(path, copy=None)` of an aligned file of 1 GiB takes {ours}, `np.load(mmap_mode="r")` of the same arrays'
        f" {numpy}."
    )


def _paragraph(*texts: str) -> str:
    return "\n\n".join(textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False) for text in texts)


# ---------------------------------------------------------------------------------------------------------------------
# Tables


def _table(name: str, record: Record, verdicts: list[Verdict]) -> str:
    """A row for each case, with the ratios of the best times."""
    columns = COLUMNS[name]
    judged = {
        (verdict.case, (verdict.limits.way, verdict.limits.other)): verdict
        for verdict in verdicts
        if verdict.limits.table == name
    }
    lines = [f"| {name} | ms | " + " | ".join(columns) + " |", "|---|--:|" + "--:|" * len(columns)]
    for result in record[name]:
        if "skipped" in result:
            continue
        cells = [result["name"], f"{result['seconds'][WIREARRAY]['min'] * 1e3:,.1f}"]
        cells += [_cell(result["seconds"], ratio, judged.get((result["name"], ratio))) for ratio in columns.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(seconds: Record, ratio: Ratio, verdict: Verdict | None) -> str:
    if any(way not in seconds for way in ratio):
        return ""
    way, other = ratio
    return _measured(_shown(seconds[way]["min"] / seconds[other]["min"]), verdict)


def _measured(value: str, verdict: Verdict | None) -> str:
    if verdict is None:
        return value
    sign = "≤" if verdict.limits.sense == AT_MOST else "≥"
    limit = f"{verdict.limit:g}" if verdict.limits.other else verdict.show(verdict.limit)
    return f"{value if verdict.met else f'**{value}**'} ({sign} {limit})"


def _shown(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:,.0f}"


def _others(verdicts: list[Verdict]) -> str:
    """The targets that are no column of a table: of each sort the case that does worst."""
    lines = ["| further targets | |", "|---|--:|"]
    for limits, group in groupby(verdicts, lambda verdict: verdict.limits):
        measured = [verdict for verdict in group if verdict.share is not None]
        if not measured or (limits.way, limits.other) in COLUMNS.get(limits.table, {}).values():
            continue
        worst = max(measured, key=lambda verdict: verdict.share)
        case = worst.case if len(measured) == 1 else f"{worst.case}, the worst of {len(measured)} cases"
        value = _shown(worst.best) if limits.other else worst.show(worst.best)
        lines.append(f"| {limits.title}: {case} | {_measured(value, worst)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
