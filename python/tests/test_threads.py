"""How many threads decode: the result does not depend on it, and small inputs never start one."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Series { repeated double times = 1; repeated sint64 steps = 2; repeated double loose = 3 [packed = false]; }
message Row { int64 id = 1; double price = 2; string name = 3; repeated float levels = 4; Row inner = 5; }
""")
SERIES, ROW = SCHEMA["Series"], SCHEMA["Row"]


def large() -> bytes:
    random = np.random.default_rng(1)
    steps = random.integers(-(2**62), 2**62, 1_000_000) >> random.integers(0, 62, 1_000_000)
    return SERIES.encode({"times": random.normal(size=900_000), "steps": steps, "loose": random.normal(size=900_000)})


def assert_same(one: wa.Record, other: wa.Record) -> None:
    for name in SERIES.fields:
        assert one[name].tobytes() == other[name].tobytes()


@pytest.mark.parametrize("threads", [2, 3, 16, None])
def test_any_number_of_threads_gives_the_same_arrays(threads: int | None, tmp_path: Path) -> None:
    data = large()
    expected = SERIES.decode(data, threads=1)
    assert_same(SERIES.decode(data, threads=threads), expected)
    (tmp_path / "large.pb").write_bytes(data)
    assert_same(SERIES.load(tmp_path / "large.pb", threads=threads), expected)


@pytest.mark.parametrize(
    ("threads", "error"), [(0, ValueError), (-1, ValueError), ("two", TypeError), (1.5, TypeError)]
)
def test_numbers_of_threads_that_are_none_are_refused(threads: object, error: type[Exception]) -> None:
    for decode in (SERIES.decode, lambda data, **options: SERIES.decode_many([data], **options)):
        with pytest.raises(error, match="threads: expected"):
            decode(b"", threads=threads)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc, which is not here")
def test_small_inputs_start_no_thread_and_none_is_left_behind() -> None:
    most = [0]
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            most[0] = max(most[0], len(os.listdir("/proc/self/task")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    before = len(os.listdir("/proc/self/task"))
    data = SERIES.encode({"times": np.zeros(100_000)})
    for _ in range(200):
        SERIES.decode(data, threads=8)
    is_over.set()
    watcher.join()
    assert most[0] <= before
    SERIES.decode(large(), threads=8)
    assert len(os.listdir("/proc/self/task")) == before - 1
