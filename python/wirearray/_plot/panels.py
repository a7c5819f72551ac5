"""Panels of a plot, drawn with Matplotlib, which is imported when one is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirearray._core import Ragged
from wirearray._plot.decimation import decimated, reduced

_Array = NDArray[Any]

# So many entries can be told from one another.
_LINES = 8

# So few values are seen one by one.
_DOTS = 60

# So many names of an enum have room beside a panel.
_NAMES = 10


def of(labels: list[str], axes: Any) -> NDArray[Any]:
    """Axes for panels with these labels below: new ones, those given, or the one given as often as needed."""
    count, is_shared = len(labels), len(set(labels)) == 1
    if axes is None:
        size = (9, 1.1 + (1.5 if is_shared else 1.8) * count)
        drawn = _pyplot().subplots(count, 1, sharex=is_shared, squeeze=False, figsize=size, layout="constrained")[1]
        return np.asarray(drawn[:, 0])
    if hasattr(axes, "plot"):
        return np.array([axes] * count, object)
    given = np.ravel(np.asarray(axes, object))
    if not all(hasattr(axis, "plot") for axis in given):
        raise TypeError(f"axes: expected Matplotlib's Axes, or a sequence of them, got {type(axes).__name__}")
    if len(given) != count:
        raise ValueError(f"axes: there are {len(given)}, and {count} panels to draw; pass as many, or one for all")
    return given


def finish(drawn: NDArray[Any], labels: list[str]) -> None:
    """Say below the panels what they are drawn against, once where it is the same for all."""
    if len(drawn) > 1 and drawn[0] is drawn[-1]:
        drawn[0].set_ylabel("")
        drawn[0].legend()
    for place, (axis, label) in enumerate(zip(drawn, labels, strict=True)):
        if label not in labels[place + 1 :]:
            axis.set_xlabel(label)


def are_lines(ragged: Ragged, against: _Array | None) -> bool:
    """Whether entries are so few that each is a line."""
    return len(ragged) <= _LINES and against is None


class Panel:
    """Axes in which one column is drawn."""

    def __init__(self, axis: Any, name: str, enum: Mapping[str, int] | None) -> None:
        self._axis = axis
        self._name = name
        self._is_enum = bool(enum)
        axis.set_ylabel(name)
        axis.grid(alpha=0.25, linewidth=0.6)
        axis.spines[["top", "right"]].set_visible(False)
        if enum and len(enum) <= _NAMES:
            axis.set_yticks(list(enum.values()), list(enum))

    def line(self, values: _Array, against: _Array | None, label: str | None = None) -> None:
        """Draw values against rows, or against others."""
        xs, ys, is_line = decimated(values, against, *self._pixels())
        style = "-" if is_line else ""
        marker = "," if not is_line else "."
        # A value between two gaps is no line, and is seen all the same.
        marked = _alone(ys) if is_line and len(values) > _DOTS else None
        # There is nothing between two values of an enum.
        steps = "steps-post" if self._is_enum or values.dtype.kind == "b" else "default"
        looks = {"linestyle": style, "marker": marker, "markersize": 4, "linewidth": 1.0, "drawstyle": steps}
        looks["markevery"] = marked
        self._axis.plot(xs, ys, label=label or self._name, **looks)
        if values.dtype.kind == "b":
            self._axis.set_yticks([0, 1], ["False", "True"])

    def entries(self, ragged: Ragged, against: _Array | None) -> None:
        """Draw entries one by one where they are few, else what they have in common."""
        if are_lines(ragged, against):
            for index in range(len(ragged)):
                self.line(ragged[index], None, f"row {index}")
            if len(ragged):
                self._axis.legend(fontsize="x-small", ncols=4, frameon=False)
            return
        rows, least, mean, greatest = reduced(ragged)
        xs = rows if against is None else against[rows]
        # One line after the other place is a band only where places ascend.
        order = np.argsort(xs, kind="stable")
        xs, least, mean, greatest = xs[order], least[order], mean[order], greatest[order]
        width, height = self._pixels()
        low_xs, lows, _ = decimated(least, xs, width, height)
        high_xs, highs, _ = decimated(greatest, xs, width, height)
        mean_xs, means, _ = decimated(mean, xs, width, height)
        (line,) = self._axis.plot(mean_xs, means, linewidth=1.0, label=self._name)
        if len(low_xs) == len(high_xs):
            self._axis.fill_between(low_xs, lows, highs, alpha=0.25, linewidth=0, color=line.get_color())

    def _pixels(self) -> tuple[int, int]:
        box = self._axis.get_window_extent()
        return max(int(box.width), 100), max(int(box.height), 50)


def _alone(values: _Array) -> list[int]:
    """The places of the values that have a gap, or an end, on both sides."""
    is_gap = np.isnan(values) if values.dtype.kind == "f" else np.isnat(values) if values.dtype.kind in "mM" else None
    if is_gap is None:
        return []
    around = np.concatenate([[True], is_gap, [True]])
    alone: list[int] = np.flatnonzero(~is_gap & around[:-2] & around[2:]).tolist()
    return alone


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot
    except ImportError as error:
        raise ImportError("plot() needs the package Matplotlib: pip install matplotlib") from error
    return matplotlib.pyplot
