"""What is decoded and encoded, the same in every run: arrays, and the bytes that they are on the wire.

NumPy writes the bytes; `decode_cases.check_samples` compares them with the official package's on small samples. These
are repeated numbers of one message; `message_samples` has many messages, and strings.
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
    """One message, or many behind each other: then `offsets` says where each one begins and the last one ends.

    `starts` says where each row's values begin, if a row has many: a part of columns that lists of arrays do without.
    """

    message: str
    arrays: tuple[Any, ...]
    data: bytes = field(repr=False)
    offsets: NDArray[np.int64] | None = None
    starts: NDArray[np.int64] | None = None

    @property
    def columns(self) -> tuple[Any, ...]:
        return self.arrays if self.starts is None else (*self.arrays, self.starts)

    @property
    def parts(self) -> list[Array]:
        """All columns, with two arrays for strings."""
        return [part for array in self.columns for part in (array.parts() if isinstance(array, Text) else (array,))]


def seeded_random() -> np.random.Generator:
    return np.random.default_rng(2010)


# ---------------------------------------------------------------------------------------------------------------------
# Doubles


def unpacked_series(count: int) -> Sample:
    arrays = _two_series(count)
    return Sample("TimeSeries", arrays, _unpacked(arrays))


def packed_series(count: int) -> Sample:
    arrays = _two_series(count)
    return Sample("PackedSeries", arrays, _packed(arrays))


def unpacked_bundle(pairs: int, count: int) -> Sample:
    return _bundle("Bundle", pairs, count, _unpacked)


def packed_bundle(pairs: int, count: int) -> Sample:
    return _bundle("PackedBundle", pairs, count, _packed)


def _bundle(message: str, pairs: int, count: int, write: Callable[[tuple[Array, Array]], bytes]) -> Sample:
    """Many series of one message: 2010's hundred pairs, in the form of today."""
    pair = _two_series(count)
    data = b"".join(wire_bytes.delimited(1, one) for one in [write(pair)] * pairs)
    return Sample(message, tuple(np.tile(array, pairs) for array in pair), data)


def _two_series(count: int) -> tuple[Array, Array]:
    times = np.arange(count, dtype=np.float64) * 0.5e-3
    return times, np.sin(times) + seeded_random().normal(0, 0.1, count)


def _unpacked(arrays: tuple[Array, Array]) -> bytes:
    return b"".join(wire_bytes.unpacked_doubles(number, array) for number, array in enumerate(arrays, 1))


def _packed(arrays: tuple[Array, Array]) -> bytes:
    return b"".join(wire_bytes.delimited(number, array.tobytes()) for number, array in enumerate(arrays, 1))


# ---------------------------------------------------------------------------------------------------------------------
# Integers and flags


def integers(count: int, draw: Draw) -> Sample:
    values = draw(seeded_random(), count)
    return Sample("Integers", (values,), wire_bytes.packed_varints(1, values))


def unpacked_integers(count: int, draw: Draw) -> Sample:
    values = draw(seeded_random(), count)
    return Sample("UnpackedIntegers", (values,), wire_bytes.unpacked_varints(1, values))


def flags(count: int) -> Sample:
    values = seeded_random().integers(0, 2, count).astype(np.bool_)
    return Sample("Flags", (values,), wire_bytes.delimited(1, values.tobytes()))


def bytes_long(first: int, last: int) -> Draw:
    """Even odds for each encoded length, in no order: the hardest mix for a branch predictor."""
    return lambda random, count: of_lengths(random, random.integers(first, last + 1, count)).view(np.int64)


def of_lengths(random: np.random.Generator, lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A number of each encoded length, with even odds for all that have it; those of ten bytes have the top bit."""
    lowest = np.array([0, 0, *(1 << 7 * length for length in range(1, 10))], np.uint64)
    highest = np.array([0, *(lowest[2:] - np.uint64(1)), 2**64 - 1], np.uint64)
    return random.integers(lowest[lengths], highest[lengths], dtype=np.uint64, endpoint=True)
