"""Samples of many messages and of strings; `samples` has those of repeated numbers."""

import numpy as np
from numpy.typing import NDArray

import wire_bytes
from columns import Text
from samples import Sample, seeded_random
from wire_bytes import FIXED64, LENGTH_DELIMITED, VARINT, constant_columns, double_columns, tag, varint_columns

SAMPLES_OF_READING = 16


def points(count: int) -> Sample:
    x, y = seeded_random().normal(size=(2, count))
    return Sample("Points", (x, y), wire_bytes.points(x, y))


def lines(lengths: NDArray[np.int64], encoded: NDArray[np.uint64]) -> Sample:
    """A message for each run of coordinates, which are given as they stand on the wire: zig-zag."""
    starts = _starts(lengths)
    return Sample("Lines", (wire_bytes.from_zigzag(encoded),), wire_bytes.packed_runs(encoded, starts), starts=starts)


def readings(count: int) -> Sample:
    """Three numbers and sixteen more in one array: a row of many an experiment's log."""
    random = seeded_random()
    sensors, states = random.integers(0, 1000, count), random.integers(0, 300, count).astype(np.uint32)
    times, samples = np.arange(count) * 0.5e-3, random.normal(size=(count, SAMPLES_OF_READING))
    data, offsets = wire_bytes.rows(
        [
            constant_columns(count, tag(1, VARINT)),
            varint_columns(sensors),
            constant_columns(count, tag(2, VARINT)),
            varint_columns(states),
            constant_columns(count, tag(3, FIXED64)),
            double_columns(times),
            constant_columns(count, tag(4, LENGTH_DELIMITED) + wire_bytes.varint(8 * SAMPLES_OF_READING)),
            double_columns(samples),
        ]
    )
    starts = _starts(np.full(count, SAMPLES_OF_READING))
    return Sample("Reading", (sensors, states, times, samples.reshape(-1)), data, offsets, starts)


def rows(count: int) -> Sample:
    """Many small messages behind each other, as a log or a queue delivers them."""
    random = seeded_random()
    identifiers, prices = random.integers(0, 1 << 40, count), random.normal(100, 5, count)
    counts, names = random.integers(0, 5000, count).astype(np.int32), _random_names(random, count)
    data, offsets = wire_bytes.rows(
        [
            constant_columns(count, tag(1, VARINT)),
            varint_columns(identifiers),
            constant_columns(count, tag(2, FIXED64)),
            double_columns(prices),
            constant_columns(count, tag(3, VARINT)),
            varint_columns(counts),
            constant_columns(count, tag(4, LENGTH_DELIMITED)),
            wire_bytes.string_columns(*names),
        ]
    )
    return Sample("Row", (identifiers, prices, counts, _text(*names)), data, offsets)


def names(count: int) -> Sample:
    padded, lengths = _random_names(seeded_random(), count)
    tags = constant_columns(count, tag(1, LENGTH_DELIMITED))
    data, _ = wire_bytes.rows([tags, wire_bytes.string_columns(padded, lengths)])
    return Sample("Names", (_text(padded, lengths),), data)


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _random_names(random: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lower-case words of 3 to 24 letters, each in a padded row."""
    return random.integers(97, 123, (count, 24), dtype=np.uint8), random.integers(3, 25, count)


def _text(padded: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Text:
    return Text(padded[np.arange(padded.shape[1]) < lengths[:, None]], lengths)
