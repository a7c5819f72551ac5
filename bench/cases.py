"""What is measured: for each case its bytes, the arrays that must come out, and every package's way from one to other.

A way returns its columns; `assert_equal` compares them with the arrays that the bytes were made from, before anything
is timed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import wire_bytes
from columns import Array, Text, flat
from packages import (
    COPY,
    NUMPY_LOAD,
    OFFICIAL,
    WIREARRAY,
    Way,
    number_ways,
    ptars_lists,
    ptars_rows,
    ptars_structs,
    ways,
    wirearray_type,
)
from schema import message_class

FOUNDING_ELEMENTS = 10_000_000
PAIRS, PAIR_ELEMENTS = 100, 250_000
SIZES = {"full": 1.0, "small": 0.01}


@dataclass
class Case:
    """One case, ready to run."""

    name: str
    wire_bytes: int
    arrays: tuple[Any, ...]
    ways: dict[str, Way]

    @property
    def array_bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)


def cases(size: str, folder: Path) -> Iterator[Case]:
    """All cases, one at a time: together they would not fit into a small machine's memory."""
    scale = SIZES[size]
    founding, pair, million = (max(1, int(n * scale)) for n in (FOUNDING_ELEMENTS, PAIR_ELEMENTS, 1_000_000))
    for build in (
        lambda: _series("2 series, unpacked doubles", "TimeSeries", founding),
        lambda: _series("2 series, packed doubles", "PackedSeries", founding),
        lambda: _file("2 series, unpacked, load(path)", founding, folder),
        lambda: _bundle(f"bundle of {PAIRS} pairs", pair),
        lambda: _integers("packed int64 below 1000", founding, lambda random, n: random.integers(0, 1000, n)),
        lambda: _integers("packed int64 of 1 to 5 bytes", founding, _one_to_five_bytes),
        lambda: _points("nested {double x, y}", million),
        lambda: _rows("rows of 4 fields in one buffer", million),
        lambda: _names("strings", max(1, million // 5)),
    ):
        yield _with_floors(build(), folder)


def check_writers() -> None:
    """The bytes that NumPy writes, against the official package: same messages on small samples."""
    for case in (
        _series("", "TimeSeries", 50),
        _series("", "PackedSeries", 50),
        _bundle("", 5),
        _integers("", 50, lambda random, n: random.integers(-(2**62), 2**62, n)),
        _integers("", 50, _one_to_five_bytes),
        _points("", 50),
        _rows("", 50),
        _names("", 50),
    ):
        assert_equal(case, OFFICIAL)


def assert_equal(case: Case, way: str) -> None:
    """One way's columns are the arrays of the case, bit for bit."""
    columns = [flat(column) for column in case.ways[way]()]
    expected = [flat(array) for array in case.arrays]
    assert len(columns) == len(expected), f"{case.name}: {way} gives {len(columns)} columns"
    for index, (found, right) in enumerate(zip(columns, expected, strict=True)):
        assert found.dtype == right.dtype, f"{case.name}: {way}, column {index} is {found.dtype}, not {right.dtype}"
        assert found.tobytes() == right.tobytes(), f"{case.name}: {way} differs in column {index}"


# ---------------------------------------------------------------------------------------------------------------------
# Repeated numbers


def _random() -> np.random.Generator:
    return np.random.default_rng(2010)


def _two_series(count: int) -> tuple[Array, Array]:
    times = np.arange(count, dtype=np.float64) * 0.5e-3
    return times, np.sin(times) + _random().normal(0, 0.1, count)


def _unpacked(arrays: tuple[Array, Array]) -> bytes:
    return b"".join(wire_bytes.unpacked_doubles(number, array) for number, array in enumerate(arrays, 1))


def _packed(arrays: tuple[Array, Array]) -> bytes:
    return b"".join(wire_bytes.delimited(number, array.tobytes()) for number, array in enumerate(arrays, 1))


def _series(name: str, message: str, count: int) -> Case:
    arrays = _two_series(count)
    data = _unpacked(arrays) if message == "TimeSeries" else _packed(arrays)
    return Case(name, len(data), arrays, number_ways(message, lambda: data, ("times", "values")))


def _file(name: str, count: int, folder: Path) -> Case:
    """From a file in the page cache, as a program meets it."""
    arrays = _two_series(count)
    path = folder / "series.pb"
    path.write_bytes(_unpacked(arrays))
    found = number_ways("TimeSeries", path.read_bytes, ("times", "values"))
    found[WIREARRAY] = lambda: wirearray_type("TimeSeries").load(path)["times", "values"]
    return Case(name, path.stat().st_size, arrays, found)


def _bundle(name: str, count: int) -> Case:
    """Many series of one message: 2010's hundred pairs, in the form of today."""
    pairs = [_two_series(count)] * PAIRS
    data = b"".join(wire_bytes.delimited(1, one) for one in [_unpacked(pairs[0])] * PAIRS)
    arrays = tuple(np.concatenate(column) for column in zip(*pairs, strict=True))
    ours, official = wirearray_type("Bundle"), message_class("Bundle")

    def decoded() -> tuple[Array, Array]:
        series = ours.decode(data)["series"]
        return series["times"].values, series["values"].values

    def parsed() -> tuple[list[Array], list[Array]]:
        series = official.FromString(data).series
        return [np.asarray(one.times) for one in series], [np.asarray(one.values) for one in series]

    return Case(
        name,
        len(data),
        arrays,
        ways(
            wirearray=decoded,
            official=parsed,
            official_parse=lambda: (official.FromString(data),),
            ptars=lambda: ptars_structs("Bundle", data),
        ),
    )


def _one_to_five_bytes(random: np.random.Generator, count: int) -> Array:
    """Even odds for each encoded length, in no order: the hardest mix for a branch predictor."""
    lengths = random.integers(1, 6, count)
    return random.integers(np.where(lengths == 1, 0, 1 << 7 * (lengths - 1)), 1 << 7 * lengths)


def _integers(name: str, count: int, draw: Callable[[np.random.Generator, int], Array]) -> Case:
    values = draw(_random(), count)
    data = wire_bytes.packed_varints(1, values)
    return Case(name, len(data), (values,), number_ways("Integers", lambda: data, ("values",)))


# ---------------------------------------------------------------------------------------------------------------------
# Messages and strings


def _points(name: str, count: int) -> Case:
    x, y = _random().normal(size=(2, count))
    data = wire_bytes.points(x, y)
    ours, official = wirearray_type("Points"), message_class("Points")

    def parsed() -> tuple[Array, Array]:
        points = official.FromString(data).points
        return np.array([point.x for point in points]), np.array([point.y for point in points])

    return Case(
        name,
        len(data),
        (x, y),
        ways(
            wirearray=lambda: ours.decode(data)["points"]["x", "y"],
            official=parsed,
            official_parse=lambda: (official.FromString(data),),
            ptars=lambda: ptars_structs("Points", data),
        ),
    )


def _rows(name: str, count: int) -> Case:
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
    return Case(name, len(data), (identifiers, prices, counts, _text(*names)), _row_ways(data, offsets))


def _row_ways(data: bytes, offsets: NDArray[np.int64]) -> dict[str, Way]:
    ours, official = wirearray_type("Row"), message_class("Row")
    bounds = list(pairwise(offsets.tolist()))

    def parsed() -> tuple[Any, ...]:
        messages = [official.FromString(data[start:end]) for start, end in bounds]
        return (
            np.array([message.id for message in messages]),
            np.array([message.price for message in messages]),
            np.array([message.count for message in messages], np.int32),
            [message.name for message in messages],
        )

    return ways(
        wirearray=lambda: ours.decode_many(data, offsets=offsets)["id", "price", "count", "name"],
        official=parsed,
        official_parse=lambda: tuple(official.FromString(data[start:end]) for start, end in bounds),
        ptars=ptars_rows("Row", data, offsets),
    )


def _names(name: str, count: int) -> Case:
    padded, lengths = _random_names(_random(), count)
    tags = wire_bytes.constant_columns(count, wire_bytes.tag(1, wire_bytes.LENGTH_DELIMITED))
    data, _ = wire_bytes.rows([tags, wire_bytes.string_columns(padded, lengths)])
    ours, official = wirearray_type("Names"), message_class("Names")
    return Case(
        name,
        len(data),
        (_text(padded, lengths),),
        ways(
            wirearray=lambda: (ours.decode(data)["names"],),
            official=lambda: (list(official.FromString(data).names),),
            official_parse=lambda: (official.FromString(data),),
            ptars=lambda: ptars_lists("Names", data),
        ),
    )


def _random_names(random: np.random.Generator, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lower-case words of 3 to 24 letters, each in a padded row."""
    return random.integers(97, 123, (count, 24), dtype=np.uint8), random.integers(3, 25, count)


def _text(padded: NDArray[np.uint8], lengths: NDArray[np.int64]) -> Text:
    return Text(padded[np.arange(padded.shape[1]) < lengths[:, None]], lengths)


# ---------------------------------------------------------------------------------------------------------------------


def _with_floors(case: Case, folder: Path) -> Case:
    """The two floors: the same arrays copied, and read from NumPy's own files."""
    arrays = [part for array in case.arrays for part in (array.parts() if isinstance(array, Text) else (array,))]
    paths = [folder / f"{index}.npy" for index in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    case.ways[NUMPY_LOAD] = lambda: tuple(np.load(path) for path in paths)
    case.ways[COPY] = lambda: tuple(array.copy() for array in arrays)
    return case
