"""Decoding: for each case its bytes, the arrays that must come out, and every package's way from one to other.

A way returns its columns, which have to be the sample's arrays bit for bit.
"""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import samples
from cases import FOUNDING_ELEMENTS, MILLION, PAIR_ELEMENTS, PAIRS, Builder, Case, scaled
from columns import Array, flat
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
from samples import Sample
from schema import message_class


def cases(size: str) -> list[Builder]:
    founding, pair, million = (scaled(size, count) for count in (FOUNDING_ELEMENTS, PAIR_ELEMENTS, MILLION))
    builders: list[Builder] = [
        lambda _: _series("2 series, unpacked doubles", samples.unpacked_series(founding)),
        lambda _: _series("2 series, packed doubles", samples.packed_series(founding)),
        lambda folder: _file("2 series, unpacked, load(path)", samples.unpacked_series(founding), folder),
        lambda _: _bundle(f"bundle of {PAIRS} pairs", samples.bundle(PAIRS, pair)),
        lambda _: _integers("packed int64 below 1000", samples.integers(founding, samples.below_1000)),
        lambda _: _integers("packed int64 of 1 to 5 bytes", samples.integers(founding, samples.one_to_five_bytes)),
        lambda _: _points("nested {double x, y}", samples.points(million)),
        lambda _: _rows("rows of 4 fields in one buffer", samples.rows(million)),
        lambda _: _names("strings", samples.names(max(1, million // 5))),
    ]
    return [partial(_with_floors, build) for build in builders]


def check_samples() -> None:
    """The bytes that NumPy writes, against the official package: same messages on small samples."""
    for case in (
        _series("unpacked series", samples.unpacked_series(50)),
        _series("packed series", samples.packed_series(50)),
        _bundle("bundle", samples.bundle(PAIRS, 5)),
        _integers("integers", samples.integers(50, samples.any_length)),
        _integers("integers of 1 to 5 bytes", samples.integers(50, samples.one_to_five_bytes)),
        _points("points", samples.points(50)),
        _rows("rows", samples.rows(50)),
        _names("names", samples.names(50)),
    ):
        case.check(OFFICIAL)


def assert_columns(sample: Sample, result: tuple[Any, ...]) -> None:
    """The columns of a result are the arrays of the sample."""
    columns = [flat(column) for column in result]
    expected = [flat(array) for array in sample.arrays]
    assert len(columns) == len(expected), f"{len(columns)} columns"
    for index, (found, right) in enumerate(zip(columns, expected, strict=True)):
        assert found.dtype == right.dtype, f"column {index} is {found.dtype}, not {right.dtype}"
        assert found.tobytes() == right.tobytes(), f"column {index} differs"


# ---------------------------------------------------------------------------------------------------------------------
# Repeated numbers


def _series(name: str, sample: Sample) -> Case:
    found = number_ways(sample.message, lambda: sample.data, ("times", "values"))
    return Case(name, sample, found, assert_columns)


def _file(name: str, sample: Sample, folder: Path) -> Case:
    """From a file in the page cache, as a program meets it."""
    path = folder / "series.pb"
    path.write_bytes(sample.data)
    found = number_ways(sample.message, path.read_bytes, ("times", "values"))
    found[WIREARRAY] = lambda: wirearray_type(sample.message).load(path)["times", "values"]
    return Case(name, sample, found, assert_columns)


def _bundle(name: str, sample: Sample) -> Case:
    ours, official, data = wirearray_type("Bundle"), message_class("Bundle"), sample.data

    def decoded() -> tuple[Array, Array]:
        series = ours.decode(data)["series"]
        return series["times"].values, series["values"].values

    def parsed() -> tuple[list[Array], list[Array]]:
        series = official.FromString(data).series
        return [np.asarray(one.times) for one in series], [np.asarray(one.values) for one in series]

    found = ways(
        wirearray=decoded,
        official=parsed,
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_structs("Bundle", data),
    )
    return Case(name, sample, found, assert_columns)


def _integers(name: str, sample: Sample) -> Case:
    return Case(name, sample, number_ways(sample.message, lambda: sample.data, ("values",)), assert_columns)


# ---------------------------------------------------------------------------------------------------------------------
# Messages and strings


def _points(name: str, sample: Sample) -> Case:
    ours, official, data = wirearray_type("Points"), message_class("Points"), sample.data

    def parsed() -> tuple[Array, Array]:
        points = official.FromString(data).points
        return np.array([point.x for point in points]), np.array([point.y for point in points])

    found = ways(
        wirearray=lambda: ours.decode(data)["points"]["x", "y"],
        official=parsed,
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_structs("Points", data),
    )
    return Case(name, sample, found, assert_columns)


def _rows(name: str, sample: Sample) -> Case:
    return Case(name, sample, _row_ways(sample), assert_columns)


def _row_ways(sample: Sample) -> dict[str, Way]:
    ours, official = wirearray_type("Row"), message_class("Row")
    data, offsets = sample.data, sample.offsets
    assert offsets is not None
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


def _names(name: str, sample: Sample) -> Case:
    ours, official, data = wirearray_type("Names"), message_class("Names"), sample.data
    found = ways(
        wirearray=lambda: (ours.decode(data)["names"],),
        official=lambda: (list(official.FromString(data).names),),
        official_parse=lambda: (official.FromString(data),),
        ptars=lambda: ptars_lists("Names", data),
    )
    return Case(name, sample, found, assert_columns)


# ---------------------------------------------------------------------------------------------------------------------


def _with_floors(build: Builder, folder: Path) -> Case:
    """The two floors: the same arrays copied, and read from NumPy's own files."""
    case = build(folder)
    arrays = case.sample.parts
    paths = [folder / f"{index}.npy" for index in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    case.ways[NUMPY_LOAD] = lambda: tuple(np.load(path) for path in paths)
    case.ways[COPY] = lambda: tuple(array.copy() for array in arrays)
    return case
