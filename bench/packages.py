"""What the ways of each package are called, and how each is asked for columns.

ptars is optional: without it the table of decoding has one column less.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import wirearray as wa
from numpy.typing import NDArray

from columns import Array, Text
from schema import PACKAGE, descriptor_set, message_class

try:
    import pyarrow
    from ptars import HandlerPool
except ImportError:
    HandlerPool = None

# The tables, the targets and the records use these names.
WIREARRAY, OFFICIAL, PTARS = "wirearray", "protobuf", "ptars"
TWO_THREADS, OUT = "wirearray, threads=2", "wirearray, out="
OFFICIAL_PARSE, NUMPY_LOAD, COPY, FRESH = "protobuf, parse alone", "np.load", "copy", "np.copyto(np.empty)"
TO_LIST, OFFICIAL_FASTEST = "wirearray, to_list()", "protobuf, fastest"
NUMPY_SAVE, TO_BYTES = "np.save", "tobytes"
FRAMED, DECOMPRESSING = "wirearray, framed already", "decompressing alone"
NUMPY_MAP = 'np.load(mmap_mode="r")'
# The engine's own names, as the environment variable WIREARRAY_BACKEND has them.
AVX512, AVX2, PORTABLE, PLAIN = "avx512", "avx2", "portable", "plain"
# Those whose results are not what a case asks for: floors to compare with, and parts of other ways.
UNCHECKED = {OFFICIAL_PARSE, NUMPY_LOAD, COPY, FRESH, NUMPY_SAVE, TO_BYTES, DECOMPRESSING}

Way = Callable[[], tuple[Any, ...]]


@lru_cache
def wirearray_type(name: str) -> Any:
    return wa.Schema.from_descriptor_set(descriptor_set())[f"{PACKAGE}.{name}"]


def peer_ways(*, official: Way, official_parse: Way, ptars: Way) -> dict[str, Way]:
    """The ways of all other packages that are installed."""
    found = {OFFICIAL: official, OFFICIAL_PARSE: official_parse}
    return found if HandlerPool is None else {**found, PTARS: ptars}


def copy_ways(arrays: Sequence[Array]) -> dict[str, Way]:
    """The floors of memory: arrays copied as NumPy does it, and into memory that it has just asked for."""
    return {
        COPY: lambda: tuple(array.copy() for array in arrays),
        FRESH: lambda: tuple(_copied(array) for array in arrays),
    }


def _copied(array: Array) -> Array:
    fresh = np.empty(array.shape, array.dtype)
    np.copyto(fresh, array)
    return fresh


# ---------------------------------------------------------------------------------------------------------------------
# ptars gives Arrow record batches


@lru_cache
def _handler(message: str) -> Any:
    descriptor = message_class(message).DESCRIPTOR
    return HandlerPool([descriptor.file]).get_for_message(descriptor)


def ptars_lists(message: str, data: bytes) -> tuple[Any, ...]:
    """Repeated fields of one message: list columns of one row."""
    batch = _handler(message).list_to_record_batch([data])
    return tuple(_from_arrow(column.flatten()) for column in batch.columns)


def ptars_structs(message: str, data: bytes) -> tuple[Array, ...]:
    """One repeated message: a list column of structs, whose members may be lists again."""
    structs = _handler(message).list_to_record_batch([data]).column(0).flatten()
    members = [structs.field(index) for index in range(structs.type.num_fields)]
    return tuple(_from_arrow(member) for member in members)


def ptars_rows(message: str, data: bytes, offsets: NDArray[np.int64]) -> Way:
    """Many messages in one buffer, which Arrow sees as a binary column without copying."""
    if HandlerPool is None:
        return lambda: ()
    buffers = [None, pyarrow.py_buffer(offsets.astype(np.int32)), pyarrow.py_buffer(data)]
    binary = pyarrow.BinaryArray.from_buffers(pyarrow.binary(), len(offsets) - 1, buffers)
    handler = _handler(message)
    return lambda: tuple(_from_arrow(column) for column in handler.array_to_record_batch(binary).columns)


def _from_arrow(column: Any) -> Any:
    if pyarrow.types.is_list(column.type):
        return _from_arrow(column.flatten())
    if pyarrow.types.is_boolean(column.type):
        return column.to_numpy(zero_copy_only=False)
    large = pyarrow.types.is_large_string(column.type)
    if not large and not pyarrow.types.is_string(column.type):
        return column.to_numpy()
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int64 if large else np.int32)
    offsets = offsets[column.offset : column.offset + len(column) + 1]
    return Text(np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]], np.diff(offsets).astype(np.int64))
