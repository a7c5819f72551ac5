"""Long columns in as few points as look the same: what of them comes to lie on each pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirearray._core import Ragged

_Array = NDArray[Any]


def decimated(values: _Array, against: _Array | None, width: int, height: int) -> tuple[_Array, _Array, bool]:
    """Return where to draw which values, and whether a line connects them.

    Of values whose places ascend the first, least, greatest and last of each column of pixels are a line that covers
    the same pixels. Others are points, of which one on each pixel is enough.
    """
    values = values.view(np.uint8) if values.dtype.kind == "b" else values
    if len(values) <= 4 * width:
        return (np.arange(len(values)) if against is None else against), values, True
    if against is None:
        starts = np.linspace(0, len(values), width, endpoint=False).astype(np.int64)
        return *_extremes(values, starts, None), True
    places = _as_numbers(against)
    if np.all(places[1:] >= places[:-1]):
        edges = np.linspace(places[0], places[-1], width, endpoint=False)
        starts = np.unique(np.searchsorted(places, edges))
        return *_extremes(values, starts, against), True
    chosen = _one_a_pixel(places, _as_numbers(values), width, height)
    return against[chosen], values[chosen], False


def reduced(ragged: Ragged) -> tuple[NDArray[np.int64], _Array, NDArray[np.float64], _Array]:
    """Return the rows that have values, and the least, mean and greatest of each."""
    lengths = ragged.lengths
    rows = np.flatnonzero(lengths)
    if not len(rows):
        return rows, np.zeros(0), np.zeros(0), np.zeros(0)
    starts, values = ragged.offsets[rows], ragged.values
    mean = np.add.reduceat(values, starts, dtype=np.float64) / lengths[rows]
    return rows, np.minimum.reduceat(values, starts), mean, np.maximum.reduceat(values, starts)


def _extremes(values: _Array, starts: NDArray[np.int64], against: _Array | None) -> tuple[_Array, _Array]:
    """The first, least, greatest and last of the values from each start to the next."""
    lasts = np.append(starts[1:], len(values)) - 1
    ys = np.empty((len(starts), 4), values.dtype)
    ys[:, 0] = values[starts]
    # What is no number is none of the least and greatest.
    ys[:, 1] = np.fmin.reduceat(values, starts)
    ys[:, 2] = np.fmax.reduceat(values, starts)
    ys[:, 3] = values[lasts]
    places = np.stack([starts, starts, starts, lasts], axis=1).ravel()
    return (places if against is None else against[places]), ys.ravel()


def _one_a_pixel(xs: NDArray[np.float64], ys: NDArray[np.float64], width: int, height: int) -> NDArray[np.int64]:
    """One of the points on each pixel."""
    is_seen = np.isfinite(xs) & np.isfinite(ys)
    seen = np.flatnonzero(is_seen)
    columns, lines = _pixels(xs[seen], width), _pixels(ys[seen], height)
    first = np.full(width * height, -1, np.int64)
    first[columns * height + lines] = seen
    return first[first >= 0]


def _pixels(numbers: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    if not len(numbers):
        return np.zeros(0, np.int64)
    low, high = numbers.min(), numbers.max()
    # Halves, because the span of the largest numbers is none.
    scaled = (numbers / 2 - low / 2) / ((high / 2 - low / 2) or 1.0) * count
    pixels: NDArray[np.int64] = np.minimum(scaled, count - 1).astype(np.int64)
    return pixels


def _as_numbers(values: _Array) -> NDArray[np.float64]:
    """Values as floats; times that are none as no number."""
    if values.dtype.kind in "mM":
        return np.where(np.isnat(values), np.nan, values.view(np.int64).astype(np.float64))
    return values.astype(np.float64, copy=False)
