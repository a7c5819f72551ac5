"""Threads, processes, and buffers that others change: wrong values at worst, and never an end of the process."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from wirearray import _core

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Series {
  repeated double times = 1; repeated int64 steps = 2; string name = 3; repeated Point points = 4;
  map<string, int64> counts = 5;
}
message Point { double x = 1; int32 n = 2; string label = 3; }
""")
SERIES = SCHEMA["Series"]


def sample(count: int) -> bytes:
    points = {
        "x": np.arange(count) * 0.5,
        "n": np.arange(count),
        "label": [f"p{number % 97}" for number in range(count)],
    }
    return SERIES.encode(
        {
            "times": np.arange(count) * 0.5,
            "steps": np.arange(count) ** 2,
            "name": "a name",
            "points": points,
            "counts": {f"key {number}": number for number in range(count // 10)},
        }
    )


SAMPLE = sample(2000)


def test_many_python_threads_decode_at_once() -> None:
    expected = SERIES.decode(SAMPLE)

    def decode(number: int) -> bool:
        record = SERIES.decode(SAMPLE, threads=1 + number % 3, copy=None if number % 2 else True)
        table = SERIES.decode_many([SAMPLE] * 3)
        return record["points"]["x"].sum() == expected["points"]["x"].sum() and len(table["steps"].values) == 6000

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(decode, range(400)))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_decodes_with_threads_of_its_own() -> None:
    data = SERIES.encode({"times": np.arange(2_000_000) * 0.5})
    assert SERIES.decode(data, threads=4)["times"].sum() == np.arange(2_000_000).sum() * 0.5
    over = threading.Event()

    def decode_meanwhile() -> None:
        while not over.is_set():
            SERIES.decode(data, threads=4)

    thread = threading.Thread(target=decode_meanwhile)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                is_right = SERIES.decode(data, threads=4)["times"][-1] == 999_999.5
                os._exit(0 if is_right else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        over.set()
        thread.join()


def test_bytes_that_others_change_meanwhile_give_values_or_an_error() -> None:
    changing, over = bytearray(SAMPLE), threading.Event()

    def change() -> None:
        random = np.random.default_rng(7)
        while not over.is_set():
            for place, byte in zip(random.integers(0, len(SAMPLE), 64), random.integers(0, 256, 64), strict=True):
                changing[place] = byte
            changing[:] = SAMPLE

    thread = threading.Thread(target=change)
    thread.start()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    outcomes = {"values": 0, "errors": 0}
    try:
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            for copy in (True, None):
                try:
                    record = SERIES.decode(changing, copy=copy, keep_unknown=True)
                    record.to_dict()
                    outcomes["values"] += 1
                except (wa.DecodeError, UnicodeDecodeError):
                    outcomes["errors"] += 1
            SERIES.decode_many([changing, changing], on_error="skip")
    finally:
        sys.setswitchinterval(interval)
        over.set()
        thread.join()
    assert outcomes["values"] > 0


def test_a_buffer_is_held_while_it_is_decoded_and_by_every_view() -> None:
    data = bytearray(SERIES.encode({"times": np.arange(1000) * 0.5}, align=8))
    record = SERIES.decode(data)
    data.append(0)
    del data[-1]
    view = SERIES.decode(data, copy=False)["times"]
    with pytest.raises(BufferError):
        data.append(0)
    assert not view.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        view.flags.writeable = True
    part = view[10:]
    del view
    with pytest.raises(BufferError):
        data.append(0)
    assert np.array_equal(pickle.loads(pickle.dumps(part)), record["times"][10:])
    del part
    data.append(0)


def test_a_released_memoryview_is_refused() -> None:
    view = memoryview(SAMPLE)
    view.release()
    with pytest.raises(ValueError, match="released"):
        SERIES.decode(view)


@pytest.mark.parametrize("copy", [True, None])
def test_a_file_that_is_replaced_meanwhile_stays_what_it_was(copy: bool | None, tmp_path: Path) -> None:
    path, other = tmp_path / "series.pb", tmp_path / "other"
    SERIES.save(path, {"times": np.arange(100_000) * 0.5}, align=8)
    times = SERIES.load(path, copy=copy)["times"]
    other.write_bytes(b"")
    os.replace(other, path)
    assert np.array_equal(times, np.arange(100_000) * 0.5)
    path.unlink()
    assert times[-1] == 49_999.5


AT_SHUTDOWN = """
import atexit, sys
import numpy as np
import wirearray as wa

series = wa.Schema.from_source('syntax = "proto3"; message S { repeated double times = 1; string name = 2; }')["S"]
data = bytearray(series.encode({"times": np.arange(1000) * 0.5, "name": "n"}, align=8))

class Late:
    def __init__(self, *kept):
        self.kept = kept
    def __del__(self):
        view, table, scan = self.kept
        assert view[-1] == 499.5 and table["name"][0] == "n"

view, table = series.decode(data, copy=False)["times"], series.decode_many([data])
late = Late(view, table, series.scan(["/dev/null"], framing="u32le"))
del view, table
sys.modules["late"] = late
atexit.register(lambda: series.decode(data, threads=2))
"""


def test_what_is_kept_to_the_end_of_the_interpreter_is_valid_to_its_end() -> None:
    done = subprocess.run([sys.executable, "-c", AT_SHUTDOWN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals cannot be sent to a thread here")
@pytest.mark.parametrize("way", ["read", "scan"])
def test_a_long_read_stops_when_it_is_interrupted(way: str) -> None:
    frame = len(SAMPLE).to_bytes(4, "little") + SAMPLE

    class Endless:
        asked = 0

        def read(self, size: int) -> bytes:
            self.asked += 1
            return frame * (size // len(frame) + 1) if size < len(frame) else frame * (size // len(frame))

    source, main = Endless(), threading.get_ident()
    timer = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        if way == "read":
            SERIES.select("steps").read(source, framing="u32le", max_bytes=8 << 30)
        else:
            for _ in SERIES.scan(source, framing="u32le", batch_bytes=1 << 40, max_bytes=8 << 30):
                pass
    timer.join()
    deadline = time.monotonic() + 10
    asked = -1
    while source.asked != asked and time.monotonic() < deadline:
        asked = source.asked
        time.sleep(0.2)
    assert source.asked == asked, "the thread that reads goes on"


@pytest.mark.skipif(not hasattr(_core, "_panic"), reason="this build has no bug to try")
@pytest.mark.parametrize("threads", [1, 4])
def test_a_bug_is_an_exception_whatever_thread_it_is_in(threads: int, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BaseException, match="a bug to try") as caught:
        _core._panic(threads)
    assert type(caught.value).__name__ == "PanicException"
    assert SERIES.decode(SAMPLE, threads=threads)["name"] == "a name"
    assert "a bug to try" in capfd.readouterr().err


def limit_memory(mebibytes: int) -> str:
    return f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({mebibytes << 20},) * 2)"


NO_MEMORY = """
import numpy as np
import wirearray as wa
text = 'syntax = "proto3"; message S { repeated int64 steps = 1; repeated bytes names = 2; }'
series = wa.Schema.from_source(text)["S"]
if FIELD == "steps":
    data = series.encode({"steps": np.ones(60_000_000, np.int64)})
else:
    data = b"\\x12\\x00" * 30_000_000
LIMIT
for threads in (1, 2):
    try:
        series.decode(data, threads=threads)
        print("decoded")
    except MemoryError as error:
        print(error)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux limits address space")
@pytest.mark.parametrize("field", ["steps", "names"])
def test_a_system_without_memory_is_an_exception(field: str) -> None:
    program = NO_MEMORY.replace("FIELD", repr(field)).replace("LIMIT", limit_memory(420))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("there is not enough memory") == 2, done.stdout


def test_objects_hold_what_they_need_and_no_more() -> None:
    data: Any = bytearray(SAMPLE)
    record = SERIES.decode(data, copy=None)
    points = record["points"]
    del record
    assert points["x"].sum() == np.arange(2000).sum() * 0.5
