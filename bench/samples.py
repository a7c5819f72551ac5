"""What is decoded and encoded: arrays, the same in every run, and the bytes that they are on the wire.

NumPy writes the bytes; `decode_cases.check_samples` compares them with the official package's on small samples.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wire_bytes
from columns import Array, Text

Draw = Callable[[np.random.Generator, int], Array]


@dataclass
class Sample:
    """One message, or many behind each other: then `offsets` says where each one begins and the last one ends."""

    message: str
    arrays: tuple[Any, ...]
    data: bytes = field(repr=False)
    offsets: NDArray[np.int64] | None = None

    @property
    def parts(self) -> list[Array]:
        """All arrays, with two for a column of strings."""
        return [part for array in self.arrays for part in (array.parts() if isinstance(array, Text) else (array,))]


# ---------------------------------------------------------------------------------------------------------------------
# Repeated numbers


def unpacked_series(count: int) -> Sample:
    arrays = _two_series(count)
    return Sample("TimeSeries", arrays, _unpacked(arrays))


def packed_series(count: int) -> Sample:
    arrays = _two_series(count)
    data = b"".join(wire_bytes.delimited(number, array.tobytes()) for number, array in enumerate(arrays, 1))
    return Sample("PackedSeries", arrays, data)


def bundle(pairs: int, count: int) -> Sample:
    """Many series of one message: 2010's hundred pairs, in the form of today."""
    pair = _two_series(count)
    data = b"".join(wire_bytes.delimited(1, one) for one in [_unpacked(pair)] * pairs)
    return Sample("Bundle", tuple(np.tile(array, pairs) for array in pair), data)


def integers(count: int, draw: Draw) -> Sample:
    values = draw(_random(), count)
    return Sample("Integers", (values,), wire_bytes.packed_varints(1, values))


def below_1000(random: np.random.Generator, count: int) -> Array:
    return random.integers(0, 1000, count)


def one_to_five_bytes(random: np.random.Generator, count: int) -> Array:
    """Even odds for each encoded length, in no order: the hardest mix for a branch predictor."""
    lengths = random.integers(1, 6, count)
    return random.integers(np.where(lengths == 1, 0, 1 << 7 * (lengths - 1)), 1 << 7 * lengths)


def any_length(random: np.random.Generator, count: int) -> Array:
    return random.integers(-(2**62), 2**62, count)


def _random() -> np.random.Generator:
    return np.random.default_rng(2010)


def _two_series(count: int) -> tuple[Array, Array]:
    times = np.arange(count, dtype=np.float64) * 0.5e-3
    return times, np.sin(times) + _random().normal(0, 0.1, count)


def _unpacked(arrays: tuple[Array, Array]) -> bytes:
    return b"".join(wire_bytes.unpacked_doubles(number, array) for number, array in enumerate(arrays, 1))


# ---------------------------------------------------------------------------------------------------------------------
# Messages and strings


def points(count: int) -> Sample:
    x, y = _random().normal(size=(2, count))
    return Sample("Points", (x, y), wire_bytes.points(x, y))


def rows(count: int) -> Sample:
    """Many small messages behind each other, as a log or a queue delivers them."""
    random = _random()
    identifiers, prices = random.integers(0, 1 << 40, count), random.normal(100, 5, count)
    counts, names = random.integers(0, 5000, count).astype(np.int32), _random_names(random, count)
    data, offsets = wire_bytes.rows(
        [
            wire_bytes.constant_columns(count, wire_bytes.tag(1, wire_bytes.VARINT)),
            wire_bytes.varint_columns(identifiers),
            wire_bytes.constant_columns(count, wire_bytes.tag(2, wire_bytes.FIXED64)),
            wire_bytes.double_columns(prices),
            wire_bytes.constant_columns(count, wire_bytes.tag(3, wire_bytes.VARINT)),
            wire_bytes.varint_columns(counts),
            wire_bytes.constant_columns(count, wire_bytes.tag(4, wire_bytes.LENGTH_DELIMITED)),
            wire_bytes.string_columns(*names),
        ]
    )
    return Sample("Row", (identifiers, prices, counts, _text(*names)), data, offsets)


def names(count: int) -> Sample:
    padded, lengths = _random_names(_random(), count)
    tags = wire_bytes.constant_columns(count, wire_bytes.tag(1, wire_bytes.LENGTH_DELIMITED))
    data, _ = wire_bytes.rows([tags, wire_bytes.string_columns(padded, lengths)])
    return Sample("Names", (_text(padded, lengths),), data)


def _random_names(random: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lower-case words of 3 to 24 letters, each in a padded row."""
    return random.integers(97, 123, (count, 24), dtype=np.uint8), random.integers(3, 25, count)


def _text(padded: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Text:
    return Text(padded[np.arange(padded.shape[1]) < lengths[:, None]], lengths)
