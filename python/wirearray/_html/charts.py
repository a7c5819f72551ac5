"""Small charts of a column's numbers, as SVG: of a column of any length in the same time and size."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirearray import _repr
from wirearray._core import Field
from wirearray._html.cells import escaped, text_of

_WIDTH, _HEIGHT = 120, 26
_BINS = 30
_CATEGORIES = 12

# As many values tell what a chart of that size can show.
_SAMPLE = 20_000
_LINE_SAMPLE = 240_000

# Integers from here on are too long to stand under a chart in full.
_LONG = 1e10

# So many characters have room under a chart.
_ROOM = 22

_Array = NDArray[Any]


def histogram(values: _Array, field: Field | None = None) -> str:
    """How often which values occur, in HTML; nothing where there is no number."""
    sample, is_sampled = _sampled(values, _SAMPLE)
    if values.dtype.kind == "b" or (field is not None and field.enum):
        return _categories(sample, field)
    numbers = _numbers(sample)
    if not len(numbers):
        return ""
    low, high = numbers.min(), numbers.max()
    if low == high:
        return _constant(sample, low, is_sampled)
    counts = _counts(numbers)
    step = _WIDTH / len(counts)
    about = "about " if is_sampled else ""
    note = f"{about}{' to '.join(_edges(sample, low, high))}{_missing(sample, numbers)}"
    return _chart(_bars(counts, step), note) + _range(sample, low, high, is_sampled)


def line(values: _Array) -> str:
    """Values in their order, in HTML; nothing where there are fewer than two."""
    sample, is_sampled = _sampled(values, _LINE_SAMPLE)
    numbers = _numbers(sample, keep_gaps=True)
    present = numbers[np.isfinite(numbers)]
    if len(numbers) < 2 or not len(present):
        return ""
    low, high = present.min(), present.max()
    if low == high:
        return _constant(sample, low, is_sampled)
    heights = _HEIGHT - (numbers / 2 - low / 2) / (high / 2 - low / 2 or 1.0) * _HEIGHT
    shape = _polyline(heights) if len(numbers) <= 2 * _WIDTH else _band(heights)
    about = "about " if is_sampled else ""
    note = f"{len(values):,} values, {about}{' to '.join(_edges(sample, low, high))}"
    return _chart(shape, note) + _range(sample, low, high, is_sampled)


def _sampled(values: _Array, most: int) -> tuple[_Array, bool]:
    """Every so many-th value of a long column."""
    step = -(-len(values) // most) if len(values) else 1
    return values[::step], step > 1


def _numbers(values: _Array, *, keep_gaps: bool = False) -> NDArray[np.float64]:
    """Values as floats, without those that are no number, or with gaps for them."""
    if values.dtype.kind in "mM":
        numbers = np.where(np.isnat(values), np.nan, values.view(np.int64).astype(np.float64))
    else:
        numbers = values.astype(np.float64)
    is_finite = np.isfinite(numbers)
    return np.where(is_finite, numbers, np.nan) if keep_gaps else numbers[is_finite]


def _counts(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many numbers lie in each of equally wide bins."""
    low, high = numbers.min(), numbers.max()
    # Halves, because the span of the largest numbers is none.
    span = high / 2 - low / 2 or 1.0
    bins = np.minimum((numbers / 2 - low / 2) / span * _BINS, _BINS - 1).astype(np.int64)
    return np.bincount(bins, minlength=_BINS)


def _categories(sample: _Array, field: Field | None) -> str:
    """A bar for each of the commonest values."""
    if not len(sample):
        return ""
    found, counts = np.unique(sample, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_CATEGORIES]
    shares = [f"{text_of(found[each], field)} {100 * counts[each] / len(sample):.3g} %" for each in order]
    counts = counts[order]
    bars = _bars(counts, min(_WIDTH / len(counts), 24))
    first = shares[0] if len(shares) == 1 else f"{shares[0]}, …"
    return _chart(bars, "\n".join(shares)) + f'<div class="wa-range"><span>{escaped(first)}</span></div>'


def _bars(counts: _Array, step: float) -> str:
    most = counts.max()
    width = max(step - 1, 0.5)
    bars = []
    for place, count in enumerate(counts.tolist()):
        if count:
            # The rarest value is seen too.
            height = max(count / most * _HEIGHT, 1)
            top = _HEIGHT - height
            bars.append(
                f'<rect class="wa-bar" x="{place * step:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
            )
    return "".join(bars)


def _polyline(heights: NDArray[np.float64]) -> str:
    """A line from value to value, with gaps where there is no number."""
    xs = np.linspace(0, _WIDTH, len(heights))
    parts, is_drawing = [], False
    for x, y in zip(xs.tolist(), heights.tolist(), strict=True):
        if y == y:
            parts.append(f"{'L' if is_drawing else 'M'}{x:.1f} {y:.1f}")
        is_drawing = y == y
    return f'<path class="wa-line" d="{"".join(parts)}"/>'


def _band(heights: NDArray[np.float64]) -> str:
    """For each pixel the lowest and the highest value."""
    starts = np.linspace(0, len(heights), _WIDTH, endpoint=False).astype(np.int64)
    tops = np.fmin.reduceat(heights, starts)
    bottoms = np.fmax.reduceat(heights, starts)
    parts = [
        f"M{x} {top - 0.5:.1f}h1V{bottom + 0.5:.1f}h-1z"
        for x, (top, bottom) in enumerate(zip(tops.tolist(), bottoms.tolist(), strict=True))
        if top == top
    ]
    return f'<path class="wa-band" d="{"".join(parts)}"/>'


def _chart(shape: str, note: str) -> str:
    base = f'<line class="wa-base" x1="0" y1="{_HEIGHT + 0.5}" x2="{_WIDTH}" y2="{_HEIGHT + 0.5}"/>'
    size = f'width="{_WIDTH}" height="{_HEIGHT + 1}" viewBox="0 0 {_WIDTH} {_HEIGHT + 1}"'
    return f'<svg {size} role="img"><title>{escaped(note)}</title>{shape}{base}</svg>'


def _constant(sample: _Array, number: np.float64, is_sampled: bool) -> str:
    about = "≈ " if is_sampled else ""
    return f'<div class="wa-range"><span>{about}all {escaped(_edge(sample, number))}</span></div>'


def _range(sample: _Array, low: np.float64, high: np.float64, is_sampled: bool) -> str:
    about = "≈" if is_sampled else ""
    edges = [about + edge for edge in _edges(sample, low, high)]
    if len("".join(edges)) > _ROOM:
        edges = [about + _edge(sample, low), f"+ {_span(sample, low, high)}"]
    return f'<div class="wa-range">{"".join(f"<span>{escaped(edge)}</span>" for edge in edges)}</div>'


def _edges(sample: _Array, low: np.float64, high: np.float64) -> list[str]:
    """The least and the greatest number, so that they look different."""
    edges = [_edge(sample, low), _edge(sample, high)]
    if edges[0] == edges[1] and sample.dtype.kind not in "mM":
        return [f"{low:.12g}", f"{high:.12g}"]
    return edges


def _span(sample: _Array, low: np.float64, high: np.float64) -> str:
    """How far it is from the least to the greatest number."""
    # Halves, because the span of the largest numbers is none.
    span = float(high) / 2 - float(low) / 2
    if sample.dtype.kind in "mM":
        return _repr.short(np.int64(2 * span).astype("m8[ns]"))
    return f"{2 * span:.4g}" if span < np.finfo(np.float64).max / 2 else f"2 x {span:.4g}"


def _edge(sample: _Array, number: np.float64) -> str:
    """A number of the column's own sort."""
    if sample.dtype.kind in "mM":
        return _repr.short(np.int64(number).astype(sample.dtype))
    return f"{number:.4g}" if sample.dtype.kind == "f" or abs(number) >= _LONG else f"{int(number):,}"


def _missing(sample: _Array, numbers: NDArray[np.float64]) -> str:
    missing = len(sample) - len(numbers)
    return f"; {100 * missing / len(sample):.3g} % are no number" if missing else ""
