"""Decoding one message whose fields are repeated numbers: from bytes, and from a file."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cases import Case
from columns import Array
from decode_ways import decode_case
from packages import NUMPY_LOAD, Way, peer_ways, ptars_lists, wirearray_type
from samples import Sample
from schema import TYPES, message_class


def one_message(name: str, sample: Sample) -> Case:
    decode = partial(wirearray_type(sample.message).decode, sample.data)
    return _case(name, sample, decode, lambda: sample.data)


def file(name: str, sample: Sample, folder: Path) -> Case:
    """From a file in the page cache, as a program meets it; beside it NumPy's own files of the same arrays."""
    path = folder / "series.pb"
    path.write_bytes(sample.data)
    array_paths = [folder / f"{field}.npy" for field in TYPES[sample.message]]
    for array_path, array in zip(array_paths, sample.arrays, strict=True):
        np.save(array_path, array)
    case = _case(name, sample, partial(wirearray_type(sample.message).load, path), path.read_bytes)
    case.ways[NUMPY_LOAD] = lambda: tuple(np.load(array_path) for array_path in array_paths)
    return case


def _case(name: str, sample: Sample, decode: Callable[..., Any], read: Callable[[], bytes]) -> Case:
    fields = tuple(TYPES[sample.message])
    return decode_case(name, sample, decode, lambda record: record[fields], _peers(sample.message, read), fields)


def _peers(message: str, read: Callable[[], bytes]) -> dict[str, Way]:
    official, fields = message_class(message), tuple(TYPES[message])

    def parsed() -> tuple[Array, ...]:
        whole = official.FromString(read())
        return tuple(np.asarray(getattr(whole, field)) for field in fields)

    return peer_ways(
        official=parsed,
        official_parse=lambda: (official.FromString(read()),),
        ptars=lambda: ptars_lists(message, read()),
    )
