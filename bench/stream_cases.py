"""Files of messages: a million rows in frames, beside the same messages where nobody has to find them first."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from google.protobuf.proto import parse_length_prefixed

import message_samples
from cases import MILLION, Builder, CannotRun, Case, scaled
from decode_ways import assert_columns
from packages import DECOMPRESSING, FRAMED, OFFICIAL_PARSE, TWO_THREADS, WIREARRAY, Way, wirearray_type
from samples import Sample
from schema import message_class

try:
    import zstandard
except ImportError:
    zstandard = None

MESSAGE = "Reading"
# What is read of a compressed stream at a time, as Zstandard recommends it.
BLOCK = 128 << 10


def cases(size: str) -> list[Builder]:
    rows = scaled(size, MILLION)
    return [partial(build, rows) for build in (_delimited, _records, _scanned, _compressed)]


def _delimited(rows: int, folder: Path) -> Case:
    sample, path = _file(rows, folder / "rows.pb", "delimited")

    def parsed() -> tuple[Any, ...]:
        """There is no way on from these to columns but a loop over a million messages."""
        with open(path, "rb") as file:
            return tuple(iter(lambda: parse_length_prefixed(message_class(MESSAGE), file), None))

    return _case("delimited rows, read", sample, partial(_read, path, "delimited"), {OFFICIAL_PARSE: parsed})


def _records(rows: int, folder: Path) -> Case:
    """With a checksum over every byte."""
    sample, path = _file(rows, folder / "rows.tfrecord", "tfrecord")
    return _case("TFRecord rows, read", sample, partial(_read, path, "tfrecord"))


def _scanned(rows: int, folder: Path) -> Case:
    """In batches of 16 MiB, of which two are there at a time."""
    sample, path = _file(rows, folder / "rows.pb", "delimited")

    def scanned(threads: int) -> tuple[Any, ...]:
        scan = wirearray_type(MESSAGE).scan(path, framing="delimited", threads=threads)
        return tuple(sum(len(column) for column in columns) for columns in zip(*map(_columns, scan), strict=True))

    return _case("delimited rows, scanned", sample, scanned, assert_right=_assert_lengths)


def _compressed(rows: int, folder: Path) -> Case:
    name = "delimited rows, zstd"
    if zstandard is None:
        raise CannotRun(name, "zstandard is not installed")
    sample, path = _file(rows, folder / "rows.pb.zst", "delimited")
    compressed, room = path.read_bytes(), bytearray(BLOCK)

    def decompressed() -> tuple[Any, ...]:
        stream = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(compressed))
        return (sum(iter(lambda: stream.readinto(room), 0)),)

    return _case(name, sample, partial(_read, path, "delimited"), {DECOMPRESSING: decompressed})


def _case(
    name: str,
    sample: Sample,
    read: Callable[[int], tuple[Any, ...]],
    more: dict[str, Way] | None = None,
    assert_right: Callable[[Sample, Any], None] = assert_columns,
) -> Case:
    def framed() -> tuple[Any, ...]:
        return _columns(wirearray_type(MESSAGE).decode_many(sample.data, offsets=sample.offsets, threads=1))

    ways: dict[str, Way] = {WIREARRAY: partial(read, 1), TWO_THREADS: partial(read, 2), FRAMED: framed}
    return Case(name, sample, {**ways, **(more or {})}, assert_right)


def _file(rows: int, path: Path, framing: str) -> tuple[Sample, Path]:
    sample = message_samples.readings(rows)
    ours = wirearray_type(MESSAGE)
    ours.write(path, ours.decode_many(sample.data, offsets=sample.offsets), framing=framing)
    return sample, path


def _read(path: Path, framing: str, threads: int) -> tuple[Any, ...]:
    return _columns(wirearray_type(MESSAGE).read(path, framing=framing, threads=threads))


def _columns(table: Any) -> tuple[Any, ...]:
    samples = table["samples"]
    return table["sensor"], table["state"], table["time"], samples.values, samples.offsets


def _assert_lengths(sample: Sample, result: tuple[Any, ...]) -> None:
    """Of all batches together; the framed way has the columns themselves."""
    expected = [len(column) for column in sample.columns]
    found = [each if isinstance(each, int) else len(each) for each in result]
    # Each batch has one more offset than it has rows.
    assert found[:-1] == expected[:-1] and found[-1] >= expected[-1], f"{found} entries, not {expected}"
