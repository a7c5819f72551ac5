"""The chart of the demonstration: two packages, two experiments, seconds as bars, the speed-up as the headline."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import host

OFFICIAL_COLOR, WIREARRAY_COLOR, TEXT_COLOR, FAINT_COLOR = "#b8bec9", "#1668c7", "#1f2630", "#6b7482"


@dataclass(frozen=True)
class Experiment:
    """What was read, and how long each package took."""

    name: str
    official_seconds: float
    wirearray_seconds: float
    wire_bytes: int

    @property
    def speed_up(self) -> float:
        return self.official_seconds / self.wirearray_seconds


def draw(experiments: list[Experiment], path: Path, packages: str) -> None:
    with matplotlib.rc_context({"font.family": "sans-serif", "font.size": 12, "text.color": TEXT_COLOR}):
        figure = Figure(figsize=(11, 4.8), dpi=160, facecolor="white")
        for axes, experiment in zip(figure.subplots(1, len(experiments)), experiments, strict=True):
            _draw_experiment(axes, experiment)
        figure.subplots_adjust(left=0.1, right=0.95, top=0.7, bottom=0.14, wspace=0.42)
        figure.text(0.02, 0.93, "Reading time series from Protocol Buffers into NumPy", size=18, weight="bold")
        footer = f"Shorter is better.  {host.cpu()},  {packages},  {host.describe()['date']}"
        figure.text(0.02, 0.035, footer, size=9.5, color=FAINT_COLOR)
        figure.savefig(path)


def _draw_experiment(axes: Axes, experiment: Experiment) -> None:
    seconds = [experiment.wirearray_seconds, experiment.official_seconds]
    bars = axes.barh(["wirearray", "protobuf"], seconds, height=0.58, color=[WIREARRAY_COLOR, OFFICIAL_COLOR])
    for bar, value in zip(bars, seconds, strict=True):
        middle = bar.get_y() + bar.get_height() / 2
        axes.text(value + max(seconds) * 0.02, middle, readable(value), va="center", weight="bold")
    axes.set_xlim(0, max(seconds) * 1.25)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=13, labelcolor=TEXT_COLOR)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(FAINT_COLOR)
    above = {"transform": axes.transAxes, "va": "baseline"}
    factor = f"{experiment.speed_up:.0f}x" if experiment.speed_up >= 10 else f"{experiment.speed_up:.1f}x"
    axes.text(0, 1.2, f"{factor} faster", size=20, weight="bold", color=WIREARRAY_COLOR, **above)
    axes.text(0, 1.06, experiment.name.replace("\n", ", "), size=11.5, color=FAINT_COLOR, **above)


def readable(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.1f} ms"
