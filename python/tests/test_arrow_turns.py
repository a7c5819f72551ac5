"""Arrow's consumers within calls of ours: they call back without the GIL, whatever the thread had before."""

import ctypes
import io
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from hostile_arrow import Array

pa = pytest.importorskip("pyarrow")

TICK = wa.Schema.from_source('syntax = "proto3"; message Tick { int64 price = 1; repeated double levels = 2; }')["Tick"]
FRAME = b"\x02\x08\x05"


def scan(source: Any = None, **options: Any) -> wa.Scan:
    return TICK.scan(io.BytesIO(FRAME * 30) if source is None else source, framing="delimited", **options)


def pull(source: wa.Scan | None = None) -> int:
    return int(pa.RecordBatchReader.from_stream(scan() if source is None else source).read_all().num_rows)


def within_progress(work: Callable[[], Any]) -> None:
    scan_of_one = scan(io.BytesIO(FRAME), progress=lambda done, total: work())
    assert sum(len(table) for table in scan_of_one) == 1


def within_read(work: Callable[[], Any]) -> None:
    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            work()
            return super().read(size)

    assert len(TICK.read(Source(FRAME), framing="delimited")) == 1


def within_write(work: Callable[[], Any]) -> None:
    class Target(io.BytesIO):
        def write(self, data: Any, /) -> int:
            work()
            return super().write(data)

    TICK.write(Target(), {"price": [5]}, framing="delimited")


def within_an_array(work: Callable[[], Any]) -> None:
    class Column:
        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
            work()
            return np.array([5])

    assert TICK.encode_many({"price": Column()}).to_list() == [FRAME[1:]]


def within_a_path(work: Callable[[], Any]) -> None:
    class Path:
        def __fspath__(self) -> str:
            work()
            return "missing"

    with pytest.raises(FileNotFoundError):
        TICK.load(Path())


CALLS = [within_progress, within_read, within_write, within_an_array, within_a_path]


@pytest.mark.parametrize("within", CALLS)
def test_a_consumer_within_a_call_gets_all_rows(within: Callable[[Callable[[], Any]], None]) -> None:
    rows = []
    within(lambda: rows.append(pull()))
    assert set(rows) == {30}


def test_a_source_that_has_a_consumer_ask_its_own_scan_is_told_so() -> None:
    started = threading.Event()

    class Source(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            started.wait()
            pull(own)
            return super().read(size)

    own = scan(Source(FRAME))
    started.set()
    with pytest.raises(OSError, match="the scan was asked for a batch by the source that it reads"):
        next(own)


@pytest.mark.parametrize("within", [None, *CALLS])
def test_what_is_released_without_the_gil_goes_once_python_runs(within: Callable[[Callable[[], Any]], None]) -> None:
    prices = np.arange(1000)
    shares = sys.getrefcount(prices)
    exported = [wa.Table.of(TICK, price=prices).__arrow_c_array__()]
    assert sys.getrefcount(prices) > shares, "what is exported are the caller's own"

    def release() -> None:
        # A function of ctypes is called without the GIL.
        if exported:
            _, capsule = exported.pop()
            place = pointer_of(capsule, b"arrow_array")
            array = Array.from_address(place)
            ctypes.CFUNCTYPE(None, ctypes.c_void_p)(array.release)(place)

    if within is None:
        release()
    else:
        within(release)
    deadline = time.monotonic() + 10
    while sys.getrefcount(prices) > shares and time.monotonic() < deadline:
        time.sleep(0.001)
    assert sys.getrefcount(prices) == shares


pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype = ctypes.c_void_p
pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals cannot be sent to a thread here")
@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_a_consumer_is_interrupted(pause: float) -> None:
    class Endless:
        def read(self, size: int) -> bytes:
            time.sleep(pause)
            return FRAME * min(size // len(FRAME), 1000)

    main = threading.get_ident()
    reader = pa.RecordBatchReader.from_stream(scan(Endless(), batch_rows=1000, max_bytes=1 << 30))
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    start = time.monotonic()

    def consume() -> None:
        try:
            for _ in reader:
                if time.monotonic() - start > 20:
                    return
        except Exception:
            # Of the error that a consumer has made of it nothing is left to those who catch errors alone.
            time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        consume()
    timer.join()
