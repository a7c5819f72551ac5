"""Encoding: for each case its arrays, the bytes that must come out, and every package's way from one to other.

A way returns what it wrote: one message as bytes, many as a list or as `Strings`, or a file. The bytes have to be the
sample's, to the last one.

The official package is timed twice, each time building the message and serializing it: as its documentation shows it,
and in the fastest way that is known.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import wirearray as wa
from google.protobuf.message import Message

import message_samples
import samples
from cases import FOUNDING_ELEMENTS, MILLION, PAIR_ELEMENTS, PAIRS, Builder, Case, scaled
from columns import Array
from packages import (
    COPY,
    NUMPY_SAVE,
    OFFICIAL,
    OFFICIAL_FASTEST,
    TO_BYTES,
    TO_LIST,
    WIREARRAY,
    Way,
    wirearray_type,
)
from samples import Sample
from schema import message_class

Build = Callable[[], Message]


def cases(size: str) -> list[Builder]:
    """The file comes last: the system goes on writing it out after it is saved."""
    founding, pair, million = (scaled(size, count) for count in (FOUNDING_ELEMENTS, PAIR_ELEMENTS, MILLION))
    two, one = ("times", "values"), ("values",)
    builders: list[Builder] = [
        lambda _: _numbers("2 series, unpacked doubles", samples.unpacked_series(founding), two),
        lambda _: _numbers("2 series, packed doubles", samples.packed_series(founding), two),
        lambda _: _bundle(f"bundle of {PAIRS} pairs, unpacked", samples.unpacked_bundle(PAIRS, pair)),
        lambda _: _numbers("packed int64 of 1 to 3 bytes", samples.integers(founding, samples.bytes_long(1, 3)), one),
        lambda _: _numbers("packed int64 of 1 to 5 bytes", samples.integers(founding, samples.bytes_long(1, 5)), one),
        lambda _: _points("nested {double x, y}", message_samples.points(million)),
        lambda _: _rows("rows of 4 fields, arrays and list of str", message_samples.rows(million)),
        lambda _: _table_rows("rows of 4 fields, decoded table", message_samples.rows(million)),
        lambda folder: _file("2 series, packed, save(path)", samples.packed_series(founding), folder),
    ]
    return [partial(_with_floors, build) for build in builders]


def assert_written(sample: Sample, result: Any) -> None:
    """What was written are the bytes of the sample; of many messages, each begins where it has to."""
    data, lengths = _written(result)
    assert data == sample.data, f"{len(data)} bytes differ from the {len(sample.data)} expected ones"
    if sample.offsets is not None:
        assert np.array_equal(lengths, np.diff(sample.offsets)), "the messages' lengths differ"


def _written(result: Any) -> tuple[bytes, Array | None]:
    if isinstance(result, bytes):
        return result, None
    if isinstance(result, wa.Strings):
        return result.data.tobytes(), result.lengths
    if isinstance(result, list):
        return b"".join(result), np.array([len(message) for message in result])
    return b"".join(path.read_bytes() for path in result.paths()), None


# ---------------------------------------------------------------------------------------------------------------------
# Repeated numbers


def _numbers(name: str, sample: Sample, names: tuple[str, ...]) -> Case:
    """One message whose fields are repeated numbers."""
    ours = wirearray_type(sample.message)
    fields = dict(zip(names, sample.arrays, strict=True))
    found = {WIREARRAY: lambda: ours.encode(fields), **_official_number_ways(sample.message, fields)}
    return Case(name, sample, found, assert_written)


def _official_number_ways(message: str, fields: dict[str, Array]) -> dict[str, Way]:
    official = message_class(message)
    return _official(lambda: _extended(official(), fields), lambda: _extended_fast(official(), fields))


def _official(build: Build, build_fast: Build) -> dict[str, Way]:
    return {
        OFFICIAL: lambda: build().SerializeToString(),
        OFFICIAL_FASTEST: lambda: build_fast().SerializeToString(),
    }


def _extended(message: Message, fields: dict[str, Array]) -> Message:
    for name, array in fields.items():
        getattr(message, name).extend(array)
    return message


def _extended_fast(message: Message, fields: dict[str, Array]) -> Message:
    """Python's own numbers are taken in faster than NumPy's, by more than making them costs."""
    for name, array in fields.items():
        getattr(message, name).extend(array.tolist())
    return message


def _bundle(name: str, sample: Sample) -> Case:
    """The columns of all pairs together, and where each pair begins."""
    ours, one, official = wirearray_type("Bundle"), wirearray_type("TimeSeries"), message_class("Bundle")
    times, values = sample.arrays
    offsets = np.linspace(0, len(times), PAIRS + 1, dtype=np.int64)
    pairs = [{"times": times[a:b], "values": values[a:b]} for a, b in pairwise(offsets.tolist())]

    def encoded() -> bytes:
        return ours.encode({"series": wa.Table.of(one, times=(times, offsets), values=(values, offsets))})

    def built(extend: Callable[[Message, dict[str, Array]], Message]) -> Message:
        whole: Any = official()
        for pair in pairs:
            extend(whole.series.add(), pair)
        return whole

    found = {WIREARRAY: encoded, **_official(lambda: built(_extended), lambda: built(_extended_fast))}
    return Case(name, sample, found, assert_written)


@dataclass
class Saved:
    """Files in a folder of their own, which goes with this object: after the clock has stopped."""

    folder: "TemporaryDirectory[str]"

    def paths(self) -> list[Path]:
        return sorted(Path(self.folder.name).iterdir())

    def __del__(self) -> None:
        self.folder.cleanup()


def _file(name: str, sample: Sample, folder: Path) -> Case:
    """To new files: replacing one would also time how the file system frees the old one."""
    ours, names = wirearray_type(sample.message), ("times", "values")
    fields = dict(zip(names, sample.arrays, strict=True))
    official = _official_number_ways(sample.message, fields)

    def saved(save: Callable[[Path], None]) -> Saved:
        own = TemporaryDirectory(dir=folder)
        save(Path(own.name))
        return Saved(own)

    def save_arrays(own: Path) -> None:
        for name, array in fields.items():
            np.save(own / f"{name}.npy", array)

    def save_official(way: str) -> Way:
        return lambda: saved(lambda own: (own / "series.pb").write_bytes(official[way]()))

    found = {
        WIREARRAY: lambda: saved(lambda own: ours.save(own / "series.pb", fields)),
        OFFICIAL: save_official(OFFICIAL),
        OFFICIAL_FASTEST: save_official(OFFICIAL_FASTEST),
        NUMPY_SAVE: lambda: saved(save_arrays),
    }
    return Case(name, sample, found, assert_written)


# ---------------------------------------------------------------------------------------------------------------------
# Messages and strings


def _points(name: str, sample: Sample) -> Case:
    ours, official = wirearray_type("Points"), message_class("Points")
    x, y = sample.arrays

    def pairs() -> Iterator[tuple[float, float]]:
        return zip(x.tolist(), y.tolist(), strict=True)

    def built() -> Message:
        whole: Any = official()
        for one_x, one_y in pairs():
            point = whole.points.add()
            point.x, point.y = one_x, one_y
        return whole

    def built_fast() -> Message:
        """A dict for each message is read faster than its fields are set."""
        return official(points=[{"x": one_x, "y": one_y} for one_x, one_y in pairs()])

    found = {WIREARRAY: lambda: ours.encode({"points": {"x": x, "y": y}}), **_official(built, built_fast)}
    return Case(name, sample, found, assert_written)


def _rows(name: str, sample: Sample) -> Case:
    """A message a row, from arrays and a list of Python's strings."""
    columns = _row_columns(sample)
    return Case(name, sample, _row_ways(sample, columns), assert_written)


def _table_rows(name: str, sample: Sample) -> Case:
    """The way back of decoded rows. The official package builds them from the same columns as before."""
    table = wirearray_type("Row").decode_many(sample.data, offsets=sample.offsets)
    return Case(name, sample, _row_ways(sample, table), assert_written)


def _row_columns(sample: Sample) -> dict[str, Any]:
    identifiers, prices, counts, names = sample.arrays
    return {"id": identifiers, "price": prices, "count": counts, "name": names.strings()}


def _row_ways(sample: Sample, columns: Any) -> dict[str, Way]:
    ours, official = wirearray_type("Row"), message_class("Row")
    identifiers, prices, counts, names = _row_columns(sample).values()

    def rows() -> Iterator[tuple[Any, ...]]:
        return zip(identifiers.tolist(), prices.tolist(), counts.tolist(), names, strict=True)

    def serialized() -> list[bytes]:
        found = []
        for identifier, price, count, name in rows():
            message = official()
            message.id, message.price, message.count, message.name = identifier, price, count, name
            found.append(message.SerializeToString())
        return found

    def serialized_fast() -> list[bytes]:
        """One message for all rows: every row sets every field."""
        found, message = [], official()
        for message.id, message.price, message.count, message.name in rows():
            found.append(message.SerializeToString())
        return found

    return {
        WIREARRAY: lambda: ours.encode_many(columns),
        TO_LIST: lambda: ours.encode_many(columns).to_list(),
        OFFICIAL: serialized,
        OFFICIAL_FASTEST: serialized_fast,
    }


# ---------------------------------------------------------------------------------------------------------------------


def _with_floors(build: Builder, folder: Path) -> Case:
    """The floors: the same arrays copied, and as bytes, which is what a packed message has in it."""
    case = build(folder)
    arrays = case.sample.parts
    case.ways[TO_BYTES] = lambda: tuple(array.tobytes() for array in arrays)
    case.ways[COPY] = lambda: tuple(array.copy() for array in arrays)
    return case
