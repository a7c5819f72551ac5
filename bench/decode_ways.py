"""How a sample is decoded with wirearray, and what every package's result is compared with.

`number_cases` and `message_cases` say how the messages of each kind are asked for their columns.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from cases import Case
from columns import flat
from packages import OUT, TWO_THREADS, WIREARRAY, Way, copy_ways
from samples import Sample


def decode_case(
    name: str,
    sample: Sample,
    decode: Callable[..., Any],
    columns: Callable[[Any], tuple[Any, ...]],
    peers: dict[str, Way],
    paths: tuple[str, ...] = (),
) -> Case:
    """A case of wirearray, its peers and the floors.

    `decode` takes the options of wirearray, `columns` what it gives. `paths` name the sample's arrays for `out=`, where
    they can be written into arrays of the caller's own.
    """
    ours = {
        WIREARRAY: lambda: columns(decode(threads=1)),
        TWO_THREADS: lambda: columns(decode(threads=2)),
    }
    if paths:
        ours[OUT] = _out_way(sample, decode, columns, paths)
    return Case(name, sample, {**ours, **peers, **copy_ways(sample.parts)}, assert_columns)


def _out_way(
    sample: Sample, decode: Callable[..., Any], columns: Callable[[Any], tuple[Any, ...]], paths: tuple[str, ...]
) -> Way:
    """Into the same arrays each time. They begin as zeros, and are the result: that shows whether they were written."""
    given = {path: np.full_like(array, 0) for path, array in zip(paths, sample.arrays, strict=True)}
    return lambda: (*given.values(), *columns(decode(threads=1, out=given))[len(paths) :])


def assert_columns(sample: Sample, result: tuple[Any, ...]) -> None:
    """The columns of a result are the arrays of the sample, and where there are any more, the starts of its rows."""
    expected = sample.arrays if len(result) == len(sample.arrays) else sample.columns
    assert len(result) == len(expected), f"{len(result)} columns"
    for index, (found, right) in enumerate(zip(map(flat, result), map(flat, expected), strict=True)):
        assert found.dtype == right.dtype, f"column {index} is {found.dtype}, not {right.dtype}"
        assert found.tobytes() == right.tobytes(), f"column {index} differs"
