"""Streams of any length, batch by batch: in bounded memory, ahead of the user, from where one left off."""

import io
import itertools
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import wirearray as wa

from ticks import COMPRESSIONS, FRAMINGS, Tick, same, ticks


@pytest.mark.parametrize("suffix", COMPRESSIONS)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_batches_together_are_all_messages(tmp_path: Path, framing: Any, suffix: str) -> None:
    path = tmp_path / f"ticks.pb{suffix}"
    Tick.write(path, ticks(5000), framing=framing)
    scan = Tick.scan(path, framing=framing, batch_rows=1000)
    batches = list(scan)
    assert [len(batch) for batch in batches] == [1000] * 5
    assert all(same(batch, ticks(1000, 1000 * i)) for i, batch in enumerate(batches))
    assert scan.file == str(path)
    plain = tmp_path / "plain"
    Tick.write(plain, ticks(5000), framing=framing, compression=None)
    assert scan.offset == plain.stat().st_size


def test_a_batch_is_full_at_so_many_bytes(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb"
    Tick.write(path, ticks(5000), framing="delimited")
    offsets = [0]
    scan = Tick.scan(path, framing="delimited", batch_bytes=10_000)
    for _ in scan:
        offsets.append(scan.offset)
    assert all(10_000 <= end - start < 10_100 for start, end in itertools.pairwise(offsets[:-1]))
    assert len(list(Tick.scan(path, framing="delimited"))) == 1


def test_nothing_to_read_is_no_batch() -> None:
    assert list(Tick.scan(io.BytesIO(), framing="delimited")) == []


def test_a_scan_goes_on_where_an_earlier_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "log.pb"
    with Tick.writer(path, framing="delimited") as writer:
        writer.write(ticks(10))
    whole = path.read_bytes()
    path.write_bytes(whole + b"\x30half")
    scan = Tick.scan(path, framing="delimited")
    assert same(next(scan), ticks(10))
    with pytest.raises(wa.DecodeError, match="still being written") as caught:
        next(scan)
    assert (caught.value.kind, caught.value.offset, caught.value.row) == ("truncated frame", len(whole), 10)
    assert scan.offset == len(whole)
    with pytest.raises(StopIteration):
        next(scan)
    path.write_bytes(whole)
    with Tick.writer(path, framing="delimited") as writer:
        writer.write(ticks(5, 10))
    again = Tick.scan(path, framing="delimited", start=scan.offset)
    assert same(next(again), ticks(5, 10))
    assert list(again) == []
    packed = tmp_path / "log.pb.zst"
    Tick.write(packed, ticks(15), framing="delimited")
    assert same(next(Tick.scan(packed, framing="delimited", start=scan.offset)), ticks(5, 10))


def test_the_next_batch_is_decoded_while_one_is_worked_on() -> None:
    class Watched(io.BytesIO):
        reads = 0

        def read(self, size: int | None = -1) -> bytes:
            self.reads += 1
            return super().read(size)

    stream = io.BytesIO()
    Tick.write(stream, ticks(100_000), framing="delimited")
    source = Watched(stream.getvalue())
    scan = Tick.scan(source, framing="delimited", batch_rows=1000)
    next(scan)
    before = source.reads
    # The second batch may need a block more; the third one is not begun before the second has been taken.
    _wait_until_still(lambda: source.reads)
    assert source.reads <= before + 2
    assert len(stream.getvalue()) > 1 << 20 and source.reads < 4
    scan.close()


def test_a_scan_can_be_left_half_way(tmp_path: Path) -> None:
    path = tmp_path / "ticks.pb"
    Tick.write(path, ticks(50_000), framing="delimited")
    before = threading.active_count()
    for table in Tick.scan(path, framing="delimited", batch_rows=100):
        assert len(table) == 100
        break
    with Tick.scan(path, framing="delimited", batch_rows=100) as scan:
        next(scan)
    assert list(scan) == []
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", [1, 2, None])
def test_bad_messages_are_left_out_and_told_with_the_row_of_the_whole_stream(threads: int | None) -> None:
    stream = io.BytesIO()
    with Tick.writer(stream, framing="delimited") as writer:
        for i in range(10):
            writer.write(ticks(100, 100 * i))
            stream.write(b"\x02\x08\xff")
    data = stream.getvalue()
    arguments: Any = {"framing": "delimited", "on_error": "skip", "threads": threads}
    batches = list(Tick.scan(io.BytesIO(data), batch_rows=150, **arguments))
    errors = [error for batch in batches for error in batch.errors]
    assert [error.row for error in errors] == [101 * i + 100 for i in range(10)]
    assert {(error.kind, error.path) for error in errors} == {("truncated", "price")}
    assert all(data[error.offset] == 0xFF for error in errors)
    prices = [price for batch in batches for price in batch["price"].tolist()]
    assert prices == list(range(1000))
    table = Tick.read(io.BytesIO(data), **arguments)
    assert same(table, ticks(1000))
    assert [error.row for error in table.errors] == [error.row for error in errors]
    assert table[:5].errors == []


def test_what_comes_before_a_bad_message_is_delivered_before_its_error() -> None:
    stream = io.BytesIO()
    Tick.write(stream, ticks(100), framing="delimited")
    stream.write(b"\x02\x08\xff")
    stream.seek(0)
    scan = Tick.scan(stream, framing="delimited")
    assert same(next(scan), ticks(100))
    with pytest.raises(wa.DecodeError) as caught:
        next(scan)
    assert (caught.value.row, caught.value.kind) == (100, "truncated")
    assert list(scan) == []


def test_records_that_are_damaged_are_left_out_and_lengths_that_are_end_the_stream(tmp_path: Path) -> None:
    path = tmp_path / "ticks.tfrecord"
    Tick.write(path, ticks(30), framing="tfrecord")
    data = bytearray(path.read_bytes())
    record = 8 + 4 + len(Tick.encode(ticks(30)[0])) + 4
    data[record - 6] ^= 1
    path.write_bytes(data)
    with pytest.raises(wa.DecodeError, match="verify=False") as caught:
        Tick.read(path, framing="tfrecord")
    assert (caught.value.kind, caught.value.row, caught.value.file) == ("frame checksum", 0, str(path))
    skipped = Tick.read(path, framing="tfrecord", on_error="skip")
    assert same(skipped, ticks(29, 1)) and [error.row for error in skipped.errors] == [0]
    data[record] ^= 1
    path.write_bytes(data)
    skipped = Tick.read(path, framing="tfrecord", on_error="skip")
    assert len(skipped) == 0 and [error.offset for error in skipped.errors] == [0, record]


def test_bad_messages_of_a_list_are_left_out_too() -> None:
    payloads = Tick.encode_many(ticks(5)).to_list()
    payloads[2] = b"\x08"
    table = Tick.decode_many(payloads, on_error="skip")
    assert table["price"].tolist() == [0, 1, 3, 4]
    assert [(error.row, error.kind) for error in table.errors] == [(2, "truncated")]
    with pytest.raises(wa.DecodeError):
        Tick.decode_many(payloads)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"batch_rows": 0}, "batch_rows: expected at least 1"),
        ({"batch_bytes": -1}, "batch_bytes: expected at least 1"),
        ({"start": -1}, "start: expected at least 0"),
    ],
)
def test_batches_and_starts_that_are_none_are_refused(arguments: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Tick.scan(io.BytesIO(), framing="delimited", **arguments)


def test_a_slow_source_can_be_interrupted() -> None:
    released = threading.Event()

    class Slow:
        def read(self, size: int) -> bytes:
            released.wait(60)
            return b""

    main = threading.get_ident()
    threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        Tick.read(Slow(), framing="delimited")
    released.set()


LARGE = """
import resource
import wirearray as wa

Series = wa.Schema.from_source('syntax = "proto3"; message Series { repeated double values = 1; }')["Series"]
message = Series.encode({"values": range(1000)})
block = (len(message).to_bytes(4, "little") + message) * 100
blocks = (4 << 30) // len(block) + 1

class Generated:
    left, rest = blocks, b""

    def read(self, wanted):
        while len(self.rest) < wanted and self.left:
            self.rest, self.left = self.rest + block, self.left - 1
        read, self.rest = self.rest[:wanted], self.rest[wanted:]
        return read

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()

resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
before, most, rows, batch = resident(), 0, 0, 0
for table in Series.scan(Generated(), framing="u32le"):
    rows += len(table)
    batch = max(batch, table["values"].values.nbytes)
    most = max(most, resident() - before)
assert rows == 100 * blocks, rows
assert most < 2 * batch + (64 << 20), (most, batch)
"""


def test_a_stream_of_four_gigabytes_is_read_in_half_a_gigabyte_of_address_space() -> None:
    result = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def _wait_until_still(value: Any) -> None:
    last = object()
    while (now := value()) != last:
        last = now
        time.sleep(0.1)
