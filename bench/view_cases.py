"""Views of aligned numbers: what takes the same time whatever their size, in memory and from a large file."""

from functools import partial
from pathlib import Path

import numpy as np

import samples
from cases import FOUNDING_ELEMENTS, Builder, Case, scaled
from columns import Array
from decode_ways import assert_columns
from packages import NUMPY_MAP, WIREARRAY, wirearray_type
from samples import Sample

FIELDS = ("times", "values")
ELEMENTS = (1_000, 100_000, FOUNDING_ELEMENTS)
FILE_BYTES = 1 << 30
# A call takes a few microseconds, which the clock and the caches that it finds would blur.
CALLS = 100


def cases(size: str) -> list[Builder]:
    """In memory NumPy has nothing to compare with: it knows no file format that lies there."""
    in_memory = [
        partial(_in_memory, name=f"copy=None, 2 x {count:,} doubles", count=scaled(size, count)) for count in ELEMENTS
    ]
    return [*in_memory, partial(_in_file, count=scaled(size, FILE_BYTES // 16))]


def _in_memory(_: Path, name: str, count: int) -> Case:
    sample = samples.packed_series(count)
    ours = wirearray_type(sample.message)
    data = ours.encode(dict(zip(FIELDS, sample.arrays, strict=True)), align=8)
    found = {WIREARRAY: lambda: ours.decode(data, copy=None)[FIELDS]}
    return Case(name, sample, found, partial(assert_views, alignment=8), calls=CALLS)


def _in_file(folder: Path, count: int) -> Case:
    """Beside NumPy's own mapped files."""
    sample = samples.packed_series(count)
    series, arrays = folder / "series.pb", (folder / "times.npy", folder / "values.npy")
    ours = wirearray_type(sample.message)
    ours.save(series, dict(zip(FIELDS, sample.arrays, strict=True)), align=64)
    for path, array in zip(arrays, sample.arrays, strict=True):
        np.save(path, array)
    found = {
        WIREARRAY: lambda: ours.load(series, copy=None)[FIELDS],
        NUMPY_MAP: lambda: tuple(np.load(path, mmap_mode="r") for path in arrays),
    }
    name = f"load(path, copy=None) of {FILE_BYTES >> 20:,} MiB"
    return Case(name, sample, found, partial(assert_views, alignment=64))


def assert_views(sample: Sample, result: tuple[Array, ...], *, alignment: int) -> None:
    """The columns are right, and not copied: nobody may write to them, and they begin where aligned numbers do."""
    for array in result:
        assert not array.flags.writeable, "an array can be written to, so it is no view"
        assert array.ctypes.data % alignment == 0, f"an array does not begin at a multiple of {alignment} bytes"
    assert_columns(sample, result)
