"""Scans that end in front of something bad: where they stand, and how reading goes on from there."""

import io
from pathlib import Path
from typing import Any

import pytest
import wirearray as wa

from ticks import FRAMINGS, Tick, ticks

# Its field is made one of number 0, which no message has.
Raw = wa.Schema.from_source('syntax = "proto3"; message Raw { bytes data = 1; }')["Raw"]


def _prices(tables: list[wa.Table]) -> list[int]:
    return [price for table in tables for price in table["price"].tolist()]


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("batch_rows", [1, 7, 1_000_000])
@pytest.mark.parametrize("bad_row", [0, 1, 4321])
def test_a_scan_that_raises_stands_in_front_of_the_bad_message(
    framing: str, threads: int, batch_rows: int, bad_row: int
) -> None:
    if batch_rows == 1 and bad_row > 1:
        pytest.skip("thousands of batches say no more than two")
    stream, count = io.BytesIO(), 20_000
    Tick.write(stream, ticks(bad_row), framing=framing)
    bad_start = stream.tell()
    Raw.write(stream, [{"data": b"x"}], framing=framing)
    bad_end = stream.tell()
    Tick.write(stream, ticks(count, bad_row), framing=framing)
    data = bytearray(stream.getvalue())
    end = bad_end - (4 if framing == "tfrecord" else 0)
    assert data[end - 3 : end] == b"\x0a\x01x"
    data[end - 3] = 0x02
    arguments: Any = {"framing": framing, "threads": threads, "batch_rows": batch_rows, "verify": False}
    scan = Tick.scan(io.BytesIO(data), **arguments)
    delivered = []
    with pytest.raises(wa.DecodeError) as caught:
        for table in scan:
            delivered.append(table)
    assert (caught.value.row, caught.value.kind) == (bad_row, "illegal field number")
    assert _prices(delivered) == list(range(bad_row))
    assert scan.offset == bad_start
    again = Tick.scan(io.BytesIO(data), start=scan.offset, **arguments)
    with pytest.raises(wa.DecodeError) as met:
        next(again)
    assert (met.value.row, met.value.offset, again.offset) == (0, caught.value.offset, bad_start)
    rest = Tick.scan(io.BytesIO(data), start=bad_end, **{**arguments, "batch_rows": 5000})
    assert _prices(list(rest)) == list(range(bad_row, bad_row + count))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_scan_that_raises_on_a_checksum_stands_in_front_of_its_record(threads: int) -> None:
    stream = io.BytesIO()
    Tick.write(stream, ticks(5000), framing="tfrecord")
    start = stream.tell()
    Tick.write(stream, ticks(5000, 5000), framing="tfrecord")
    data = bytearray(stream.getvalue())
    data[start + 12] ^= 1
    scan = Tick.scan(io.BytesIO(data), framing="tfrecord", threads=threads)
    delivered = []
    with pytest.raises(wa.DecodeError, match="checksum") as caught:
        for table in scan:
            delivered.append(table)
    assert _prices(delivered) == list(range(5000))
    assert (caught.value.offset, scan.offset) == (start, start)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_scan_of_several_files_that_raises_names_the_one_with_the_bad_message(tmp_path: Path, threads: int) -> None:
    paths = [tmp_path / f"{number}.pb" for number in range(3)]
    for path in paths:
        Tick.write(path, ticks(10), framing="delimited")
    good = paths[0].stat().st_size
    with paths[0].open("ab") as file:
        file.write(b"\x02\x08\xff")
    scan = Tick.scan(paths, framing="delimited", threads=threads)
    with pytest.raises(wa.DecodeError):
        list(scan)
    assert (scan.file, scan.offset) == (str(paths[0]), good)


def test_a_scan_with_nothing_new_stands_where_it_began(tmp_path: Path) -> None:
    path = tmp_path / "log.pb"
    Tick.write(path, ticks(10), framing="delimited")
    size = path.stat().st_size
    scan = Tick.scan(path, framing="delimited", start=size)
    assert scan.offset == size
    assert list(scan) == []
    assert (scan.offset, scan.file) == (size, str(path))


# A frame without content, as the reference tool writes it with its smallest header.
EMPTY_LZ4 = bytes.fromhex("04224d18604082 00000000")


@pytest.mark.parametrize("empty", [1, 2, 5])
def test_empty_lz4_frames_hide_nothing_behind_them(tmp_path: Path, empty: int) -> None:
    path = tmp_path / "log.pb.lz4"
    Tick.write(path, ticks(10), framing="delimited")
    packed = path.read_bytes()
    for data in [EMPTY_LZ4 * empty + packed, packed + EMPTY_LZ4 * empty + packed]:
        table = Tick.read(io.BytesIO(data), framing="delimited")
        assert len(table) == 10 * data.count(packed)
    assert len(Tick.read(io.BytesIO(EMPTY_LZ4 * empty), framing="delimited")) == 0


def test_lz4_that_is_cut_anywhere_is_no_end(tmp_path: Path) -> None:
    path = tmp_path / "log.pb.lz4"
    Tick.write(path, ticks(10), framing="delimited")
    packed = path.read_bytes()
    for cut in range(1, len(packed)):
        data = packed + packed[:cut]
        with pytest.raises(OSError):
            Tick.read(io.BytesIO(data), framing="delimited", compression="lz4")
    assert len(Tick.read(io.BytesIO(packed + packed), framing="delimited")) == 20


def test_damaged_gzip_is_an_error_of_the_file_not_of_an_argument(tmp_path: Path) -> None:
    path = tmp_path / "log.pb.gz"
    Tick.write(path, ticks(10), framing="delimited")
    packed = bytearray(path.read_bytes())
    packed[10:14] = b"\xff\xff\xff\xff"
    path.write_bytes(packed)
    with pytest.raises(OSError, match="corrupt deflate stream"):
        Tick.read(path, framing="delimited")
