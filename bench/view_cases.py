"""Views of a large, aligned file: what takes the same time whatever its size, beside NumPy's own mapped files."""

from functools import partial
from pathlib import Path

import numpy as np

import samples
from cases import Builder, Case
from columns import Array
from decode_cases import assert_columns
from packages import NUMPY_MAP, WIREARRAY, wirearray_type
from samples import Sample

FILE_BYTES = {"full": 1 << 30, "small": 8 << 20}


def cases(size: str) -> list[Builder]:
    return [partial(_views, FILE_BYTES[size])]


def _views(file_bytes: int, folder: Path) -> Case:
    sample = samples.packed_series(file_bytes // 16)
    series, arrays = folder / "series.pb", (folder / "times.npy", folder / "values.npy")
    ours, names = wirearray_type(sample.message), ("times", "values")
    ours.save(series, dict(zip(names, sample.arrays, strict=True)), align=64)
    for path, array in zip(arrays, sample.arrays, strict=True):
        np.save(path, array)
    found = {
        WIREARRAY: lambda: ours.load(series, copy=None)[names],
        NUMPY_MAP: lambda: tuple(np.load(path, mmap_mode="r") for path in arrays),
    }
    return Case(f"2 series in {file_bytes >> 20:,} MiB, load(path, copy=None)", sample, found, assert_views)


def assert_views(sample: Sample, result: tuple[Array, ...]) -> None:
    """The columns are right, and not copied: nobody may write to them, and they begin where aligned numbers do."""
    for array in result:
        assert not array.flags.writeable, "an array can be written to, so it is no view of the file"
        assert array.ctypes.data % 64 == 0, "an array does not begin at a multiple of 64 bytes"
    assert_columns(sample, result)
