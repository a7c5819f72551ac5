"""The chart of the targets: a bar for each, as long as the measured time is beside what the target allows."""

from itertools import groupby
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from demo_chart import FAINT_COLOR, OFFICIAL_COLOR, TEXT_COLOR, WIREARRAY_COLOR
from verdicts import Verdict, summary

SHORT_COLOR = "#d1622b"
# In bars' heights: a title takes as much as one and a half bars, with a little space above it.
TITLE_ROWS = 1.7
INCHES_A_ROW = 0.235
# Where the axis ends. Longer bars are cut off and marked there; their figures stand beside all the same.
LONGEST = 2.0
# As parts of the axis' width.
TITLE_AT, NAME_AT, MEASURED_AT, LIMIT_AT = -0.638, -0.02, 1.14, 1.32


def draw(verdicts: list[Verdict], record: dict[str, Any], path: Path) -> None:
    rows = [verdict for verdict in verdicts if verdict.share is not None]
    groups = [(title, list(group)) for title, group in groupby(rows, lambda verdict: verdict.limits.title)]
    height = len(rows) + TITLE_ROWS * len(groups)
    inches = height * INCHES_A_ROW + 1.75
    with matplotlib.rc_context({"font.family": "sans-serif", "font.size": 10, "text.color": TEXT_COLOR}):
        figure = Figure(figsize=(10.5, inches), dpi=150, facecolor="white")
        axes = figure.add_axes((0.32, 0.7 / inches, 0.47, 1 - 1.75 / inches))
        _prepare(axes, height)
        top = 0.0
        for title, group in groups:
            _draw_group(axes, top, title, group)
            top += TITLE_ROWS + len(group)
        figure.text(0.02, 1 - 0.45 / inches, "Speed and its targets", size=18, weight="bold")
        subtitle = f"Time as a share of what the target allows. {summary(verdicts)}"
        figure.text(0.02, 1 - 0.8 / inches, subtitle, size=10.5, color=FAINT_COLOR)
        figure.text(0.02, 0.22 / inches, _footer(record), size=9, color=FAINT_COLOR)
        figure.savefig(path)


def _prepare(axes: Axes, height: float) -> None:
    axes.set_xlim(0, LONGEST)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1, 1.5, 2], ["0", "½", "target", "1½", "2"])
    axes.tick_params(axis="x", length=0, labelcolor=FAINT_COLOR, labelsize=9)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.axvline(1, color=TEXT_COLOR, linewidth=1, zorder=3)
    axes.axvline(0, color=OFFICIAL_COLOR, linewidth=1, zorder=3)


def _draw_group(axes: Axes, top: float, title: str, group: list[Verdict]) -> None:
    beside = axes.get_yaxis_transform()
    line = top + TITLE_ROWS - 0.5
    axes.text(TITLE_AT, line, title, transform=beside, va="center", weight="bold")
    for at, heading in ((MEASURED_AT, "measured"), (LIMIT_AT, group[0].limits.sense)):
        axes.text(at, line, heading, transform=beside, ha="right", va="center", size=9, color=FAINT_COLOR)
    for row, verdict in enumerate(group):
        middle = top + TITLE_ROWS + row + 0.5
        assert verdict.share is not None
        color = WIREARRAY_COLOR if verdict.met else SHORT_COLOR
        axes.barh(middle, min(verdict.share, LONGEST), height=0.68, color=color)
        if verdict.share > LONGEST:
            axes.text(LONGEST - 0.01, middle, "»", ha="right", va="center_baseline", color="white", weight="bold")
        axes.text(NAME_AT, middle, verdict.case, transform=beside, ha="right", va="center")
        measured, limit = verdict.show(verdict.best), verdict.show(verdict.limit)
        axes.text(MEASURED_AT, middle, measured, transform=beside, ha="right", va="center", weight="bold", color=color)
        axes.text(LIMIT_AT, middle, limit, transform=beside, ha="right", va="center")


def _footer(record: dict[str, Any]) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in record["packages"].items())
    return f"{record['cpu']}, {record['cores']} cores, {record['date']};  {packages}"
