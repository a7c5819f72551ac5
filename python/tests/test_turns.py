"""Calls that meet each other: threads at one writer, calls from within calls, and the end of the interpreter."""

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import wirearray as wa

TICK = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; repeated double levels = 2; }')["Tick"]
FRAME = b"\x02\x08\x05"


def test_threads_write_at_once_and_what_each_writes_stays_together(tmp_path: Path) -> None:
    path, rows = tmp_path / "ticks", 50
    with TICK.writer(path, framing="delimited") as writer:

        def write(price: int) -> None:
            for _ in range(40):
                writer.write({"price": [price] * rows, "levels": [np.arange(100.0)] * rows})

        threads = [threading.Thread(target=write, args=(price,)) for price in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    prices = TICK.read(path, framing="delimited")["price"].reshape(-1, rows)
    assert (prices == prices[:, :1]).all()
    assert np.bincount(prices[:, 0]).tolist() == [40] * 4


def test_a_writer_that_is_called_by_its_own_file_says_so() -> None:
    class File(io.RawIOBase):
        error: Exception | None = None

        def write(self, data: object) -> int:
            for call in (lambda: writer.write({"price": [1]}), lambda: writer.close()):
                with pytest.raises(RuntimeError, match="the writer was called by what it is writing to"):
                    call()
            return len(memoryview(data))  # type: ignore[arg-type]

    writer = TICK.writer(File(), framing="delimited")
    writer.write({"price": [5]})
    writer.close()
    with pytest.raises(ValueError, match="the writer is closed"):
        writer.write({"price": [5]})


def test_a_column_that_closes_the_writer_is_an_error_and_nothing_was_written() -> None:
    class Column:
        def __array__(self, *_: object, **__: object) -> np.ndarray:
            writer.close()
            return np.array([1])

    log = io.BytesIO()
    writer = TICK.writer(log, framing="delimited")
    with pytest.raises(RuntimeError, match="or by what it writes"):
        writer.write({"price": Column()})
    writer.write({"price": [5]})
    writer.close()
    assert log.getvalue() == FRAME


def test_a_file_that_takes_nothing_is_an_error() -> None:
    class Full(io.RawIOBase):
        def write(self, data: object) -> None:
            return None

    with pytest.raises(TypeError, match="pass a blocking file object"):
        TICK.write(Full(), {"price": [5]}, framing="delimited")


AT_EXIT = """
import time, wirearray as wa
tick = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')["Tick"]
class Source:
    def read(self, size):
        time.sleep(SECONDS)
        return b"\\x02\\x08\\x05" * 10
scan = tick.scan(Source(), framing="delimited", batch_bytes=1 << 30)
time.sleep(0.1)
"""


@pytest.mark.parametrize("seconds", ["0.0", "0.001", "0.3"])
def test_the_interpreter_ends_while_a_scan_reads_from_it(seconds: str) -> None:
    script = AT_EXIT.replace("SECONDS", seconds)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


CLOSED = """
import threading, time, wirearray as wa
tick = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; }')["Tick"]
class Held:
    def __del__(self):
        time.sleep(0.3)
class Source:
    reads = 0
    def read(self, size):
        self.reads += 1
        if self.reads == 1:
            return b"\\x02\\x08\\x05" * 10
        held = Held()
        raise OSError("the connection is gone")
scan = tick.scan(Source(), framing="delimited")
def look():
    while not is_done:
        time.sleep(0.01)
        repr(scan), scan.offset, scan.file
is_done = False
looking = threading.Thread(target=look)
looking.start()
with scan:
    assert len(next(scan)) == 10
is_done = True
looking.join()
"""


def test_a_scan_is_looked_at_while_the_exception_that_ended_it_goes() -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("by", ["thread", "read", "progress"])
def test_a_scan_that_is_closed_while_one_waits_for_a_batch_gives_none(by: str) -> None:
    class Slow:
        reads = 0

        def read(self, size: int) -> bytes:
            self.reads += 1
            time.sleep(0.02)
            if by == "read" and self.reads == 5:
                scan.close()
            return FRAME

    def progress(done: int, total: int | None) -> None:
        if by == "progress" and done > 10 * len(FRAME):
            scan.close()

    source = Slow()
    scan = TICK.scan(source, framing="delimited", progress=progress)
    timer = threading.Timer(0.3 if by == "thread" else 60, scan.close)
    timer.start()
    assert list(scan) == []
    timer.cancel()
    timer.join()
    reads = source.reads
    time.sleep(0.2)
    assert source.reads <= reads + 1, "the thread that reads goes on"


def test_a_thread_that_comes_late_with_its_batch_takes_nothing_back() -> None:
    is_late, may_go_on = threading.Event(), threading.Event()

    def progress(done: int, total: int | None) -> None:
        if threading.current_thread() is late and not is_late.is_set():
            is_late.set()
            may_go_on.wait(60)

    scan = TICK.scan(io.BytesIO(FRAME * 5 + b"\x01\xff"), framing="delimited", batch_rows=3, progress=progress)
    first: list[int] = []
    late = threading.Thread(target=lambda: first.append(len(next(scan))))
    late.start()
    is_late.wait(60)
    assert len(next(scan)) == 2
    may_go_on.set()
    late.join(60)
    assert (first, scan.offset) == ([3], 5 * len(FRAME))
    with pytest.raises(wa.DecodeError):
        next(scan)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_scan_is_not_carried_over_a_fork() -> None:
    scan = TICK.scan(io.BytesIO(FRAME * 100), framing="delimited", batch_rows=10)
    next(scan)
    child = os.fork()
    if child == 0:
        try:
            next(scan)
        except RuntimeError as error:
            os._exit(0 if "begun by another process" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sum(len(table) for table in scan) == 90


def test_what_is_read_does_not_end_with_the_iterator_behind_it() -> None:
    class Source:
        def __init__(self, chunks: Iterator[bytes]) -> None:
            self.chunks = chunks

        def read(self, size: int) -> bytes:
            return next(self.chunks)

    scan = TICK.scan(Source(iter([FRAME * 10, FRAME[:2]])), framing="delimited")
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        list(scan)
    assert isinstance(caught.value.__cause__, StopIteration)

    def progress(done: int, total: int | None) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match="progress raised StopIteration"):
        list(TICK.scan(io.BytesIO(FRAME), framing="delimited", progress=progress))


@pytest.mark.parametrize("call", ["open", "first read", "later read"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_source_that_asks_its_own_scan_for_a_batch_is_told_so(call: str, threads: int) -> None:
    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            started.wait()
            if call == ("later read" if self.tell() else "first read"):
                next(scan)
            return super().read(size)

    class Sources:
        def open(self, path: str, mode: str) -> Source:
            started.wait()
            if call == "open":
                next(scan)
            return Source(FRAME * 1_000_000)

    started = threading.Event()
    scan = TICK.scan("ticks", filesystem=Sources(), framing="delimited", threads=threads)
    started.set()
    with pytest.raises(RuntimeError, match="the scan was asked for a batch by the source that it reads"):
        list(scan)


def test_a_source_may_ask_another_scan_for_batches() -> None:
    class Source:
        def read(self, size: int) -> bytes:
            return next((TICK.encode(table[0]) for table in inner), b"")

    inner = TICK.scan(io.BytesIO(FRAME * 10), framing="delimited", batch_rows=2)
    assert TICK.read(Source(), framing="single")["price"].tolist() == [5]


def test_a_partition_of_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ticks"
    path.write_bytes(FRAME * 1000)
    parts = TICK.partitions(path, 1000, framing="delimited")
    os.truncate(path, parts[-1].start)
    for read in (TICK.read, lambda part: list(TICK.scan(part))):
        with pytest.raises(ValueError, match="was cut: it has"):
            read(parts[-1])
    assert len(TICK.read(parts[0])) == parts[0].rows
    with pytest.raises(ValueError, match="a partition starts at 0 or later"):
        type(parts[0])(path, "delimited", 5, 4, 0)


def test_an_array_that_was_too_small_for_what_was_dropped_is_told_so() -> None:
    text = "message M { oneof o { G g = 1; string y = 2; } } message G { repeated fixed64 h = 1; }"
    message = wa.Schema.from_source(f'syntax = "proto2"; {text}')["M"]
    data = message.encode({"g": {"h": np.arange(5, dtype=np.uint64)}}) + message.encode({"y": ""})
    with pytest.raises(ValueError, match="has 0 values, but had more than 3, for which the array has room, before"):
        message.decode_many([data], out={"g.h": np.zeros(3, np.uint64)})
    assert len(message.decode_many([data], out={"g.h": np.zeros(5, np.uint64)})["g"]["h"].values) == 0


NO_MEMORY = """
import resource, numpy as np, wirearray as wa
tick = wa.Schema.from_source('''
syntax = "proto3";
enum Side { BUY = 0; }
message Tick {
  int64 price = 1; repeated double levels = 2; Side side = 3;
  oneof by { int32 broker = 4; string name = 5; }
}
''')["Tick"]
table = tick.decode_many(b"", offsets=np.zeros(300_000_001, np.int64))
now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + (200 << 20),) * 2)
for call in (
    lambda: tick.encode_many({"levels": np.zeros((10**12, 0))}),
    lambda: (table["price"], table["levels"]),
    lambda: table["levels"],
    lambda: table.price,
    lambda: table.which("by"),
    lambda: table.present("broker"),
    lambda: table.enum_names("side"),
):
    try:
        call()
    except MemoryError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited as Linux does it")
def test_columns_that_no_memory_holds_are_an_error() -> None:
    done = subprocess.run([sys.executable, "-c", NO_MEMORY], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("there is not enough memory for the columns\n" * 7, "")
