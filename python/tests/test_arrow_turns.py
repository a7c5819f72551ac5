"""Arrow's consumers within calls of ours: they call back without the GIL, whatever the thread had before."""

import ctypes
import io
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from hostile_arrow import Array

pa = pytest.importorskip("pyarrow")

ALIGNED = wa.Schema.from_source('syntax = "proto3"; message M { repeated double levels = 1; }')["M"]

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
def test_what_is_released_without_the_gil_is_let_go_of_with_it(within: Callable[[Callable[[], Any]], None]) -> None:
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
    assert sys.getrefcount(prices) == shares


def test_what_a_thread_releases_goes_while_others_wait_for_it() -> None:
    data = bytearray(ALIGNED.encode({"levels": np.arange(1000.0)}, align=True))

    def work() -> None:
        array = pa.array(ALIGNED.decode(data, copy=False)["levels"])
        table = pa.table(ALIGNED.decode_many(data, offsets=[0, len(data)], copy=None))
        with pytest.raises(BufferError):
            data.append(0)
        del array, table
        data.append(0)
        grown.append(len(data))

    grown: list[int] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert grown == [len(data)]


pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype = ctypes.c_void_p
pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Endless:
    def __init__(self, pause: float) -> None:
        self.pause = pause

    def read(self, size: int) -> bytes:
        time.sleep(self.pause)
        return FRAME * min(size // len(FRAME), 1000)


def endless(pause: float) -> wa.Scan:
    return scan(Endless(pause), batch_rows=1000, max_bytes=1 << 30)


def read_all(source: wa.Scan) -> None:
    start = time.monotonic()
    for _ in pa.RecordBatchReader.from_stream(source):
        if time.monotonic() - start > 20:
            return


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals cannot be sent to a thread here")
@pytest.mark.parametrize("pause", [0.0, 0.2])
@pytest.mark.parametrize("consume", [read_all, TICK.encode_many, lambda source: wa.Table.of(TICK, source)])
def test_a_consumer_is_interrupted_once(pause: float, consume: Callable[[wa.Scan], Any]) -> None:
    heard: list[int] = []

    def hear(number: int, frame: Any) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    def caught() -> None:
        try:
            consume(endless(pause))
        except Exception:
            # Of the error that a consumer has made of it nothing is left to those who catch errors alone.
            time.sleep(0.01)

    main, former = threading.get_ident(), signal.signal(signal.SIGINT, hear)
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            caught()
        timer.join()
        time.sleep(0.05)
    finally:
        signal.signal(signal.SIGINT, former)
    assert heard == [signal.SIGINT]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_is_raised_in_a_thread_is_an_error_there_and_interrupts_no_one(raised: type[BaseException]) -> None:
    def progress(done: int, total: int | None) -> None:
        raise raised

    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            with pytest.raises(OSError, match=raised.__name__):
                pool.submit(read_all, scan(progress=progress)).result(60)


def test_what_the_frames_of_an_interruption_held_goes_before_it_is_raised() -> None:
    class Held:
        def __del__(self) -> None:
            gone.append(sum(range(10)))

    def progress(done: int, total: int | None) -> None:
        held = Held()  # noqa: F841
        raise KeyboardInterrupt

    def consume() -> None:
        try:
            read_all(scan(progress=progress))
        except OSError:
            time.sleep(0.01)

    gone: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        consume()
    assert gone == [45]
