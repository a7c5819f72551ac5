"""What a run comes to beside the targets: worked out of its record alone, so that it can be said again at any time."""

from dataclasses import dataclass
from typing import Any

from targets import AT_MOST, TARGETS, Limits

Record = dict[str, Any]
NO_CASE = "no case of this run"


@dataclass(frozen=True)
class Verdict:
    """One target and what was measured: the ratio of the best times, and that of the median times beside it.

    `missing` says why there is nothing, where nothing was measured.
    """

    limits: Limits
    case: str
    best: float | None = None
    median: float | None = None
    missing: str = ""

    @property
    def limit(self) -> float:
        return self.limits.by_case[self.case]

    @property
    def share(self) -> float | None:
        """The time as a share of what the target allows: up to 1 meets it."""
        if self.best is None:
            return None
        return self.best / self.limit if self.limits.sense == AT_MOST else self.limit / self.best

    @property
    def met(self) -> bool | None:
        return None if self.share is None else self.share <= 1

    def show(self, value: float | None) -> str:
        if value is None:
            return ""
        return f"{value:.2f}" if self.limits.other else f"{value * 1e6:.1f} µs"

    @property
    def outcome(self) -> str:
        if self.share is None:
            return self.missing
        return f"{self.share:.2f}, met" if self.met else f"**{self.share:.2f}, falls short**"


def judge(record: Record) -> list[Verdict]:
    """A verdict for each target of the tables that the record has."""
    return [
        _judge(limits, case, record[limits.table])
        for limits in TARGETS
        if limits.table in record
        for case in limits.by_case
    ]


def assert_judged(verdicts: list[Verdict]) -> None:
    """Each target is about a case that there is."""
    strays = [verdict.case for verdict in verdicts if verdict.missing == NO_CASE]
    assert not strays, f"targets of cases that no table has: {', '.join(strays)}"


def _judge(limits: Limits, case: str, results: list[Record]) -> Verdict:
    result = next((result for result in results if result["name"] == case), None)
    if result is None:
        return Verdict(limits, case, missing=NO_CASE)
    if "skipped" in result:
        return Verdict(limits, case, missing=result["skipped"])
    ways = [way for way in (limits.way, limits.other) if way is not None]
    for way in ways:
        if way not in result["seconds"]:
            return Verdict(limits, case, missing=result.get("missing", {}).get(way, f"{way} was not measured"))
    best, median = (_ratio(*(result["seconds"][way][time] for way in ways)) for time in ("min", "median"))
    return Verdict(limits, case, best, median)


def _ratio(time: float, other: float = 1.0) -> float:
    return time / other


# ---------------------------------------------------------------------------------------------------------------------
# Showing them


def markdown(verdicts: list[Verdict]) -> str:
    lines = ["", "| target | ratio | limit | measured | of medians | time / allowed |", "|---|---|--:|--:|--:|--:|"]
    for verdict in verdicts:
        limit = f"{verdict.limits.sense} {verdict.show(verdict.limit)}"
        cells = [verdict.case, verdict.limits.ratio, limit, verdict.show(verdict.best), verdict.show(verdict.median)]
        lines.append("| " + " | ".join([*cells, verdict.outcome]) + " |")
    return "\n".join([*lines, "", summary(verdicts)])


def summary(verdicts: list[Verdict]) -> str:
    met, short, missing = (sum(verdict.met is outcome for verdict in verdicts) for outcome in (True, False, None))
    text = f"{met} of {len(verdicts)} targets are met, {short} fall short"
    return f"{text}, {missing} were not measured." if missing else f"{text}."


def as_data(verdicts: list[Verdict]) -> list[Record]:
    """As the record keeps them."""
    return [
        {
            "table": verdict.limits.table,
            "case": verdict.case,
            "ratio": verdict.limits.ratio,
            "limit": f"{verdict.limits.sense} {verdict.limit}",
            "best": verdict.best,
            "median": verdict.median,
            "met": verdict.met,
            **({"missing": verdict.missing} if verdict.missing else {}),
        }
        for verdict in verdicts
    ]
