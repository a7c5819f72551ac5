"""How many threads decode: the result does not depend on it, and small inputs never start one."""

import os
import threading
import time
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
    ("threads", "error"), [(0, ValueError), (-1, ValueError), (2**63, ValueError), ("two", TypeError), (1.5, TypeError)]
)
def test_numbers_of_threads_that_are_none_are_refused(threads: object, error: type[Exception]) -> None:
    for decode in (SERIES.decode, lambda data, **options: SERIES.decode_many([data], **options)):
        with pytest.raises(error, match="threads: "):
            decode(b"", threads=threads)


def rows(count: int) -> tuple[list[bytes], wa.Table]:
    """Rows of every shape, also empty ones, and their table as one thread makes it."""
    random = np.random.default_rng(2)
    kinds = [
        {"id": 1 << 40, "price": 1.5, "name": "name", "levels": np.arange(3, dtype=np.float32)},
        {},
        {"name": "längst", "inner": {"id": 7, "inner": {"levels": np.ones(9, np.float32)}}},
        {"levels": np.zeros(20, np.float32)},
    ]
    encoded = [ROW.encode(kind) for kind in kinds]
    messages = [encoded[kind] for kind in np.repeat(random.integers(0, 4, count // 50), 50)]
    return messages, ROW.decode_many(messages, threads=1)


def test_many_messages_are_split_among_threads_without_a_trace() -> None:
    messages, expected = rows(400_000)
    joined = b"".join(messages)
    offsets = np.cumsum([0, *map(len, messages)])
    for threads in (2, 5, None):
        for table in (
            ROW.decode_many(messages, threads=threads),
            ROW.decode_many(joined, offsets=offsets, threads=threads),
        ):
            assert ROW.encode_many(table).data.tobytes() == joined
            found, right = (one["inner.inner.levels"].offsets for one in (table, expected))
            np.testing.assert_array_equal(found, right)
            np.testing.assert_array_equal(table.present("inner"), expected.present("inner"))


def test_the_first_of_several_faults_is_the_one_that_is_reported() -> None:
    messages, _ = rows(400_000)
    for bad in ([390_000], [200_001, 200_000, 399_999], [0, 1]):
        damaged = list(messages)
        for row in bad:
            damaged[row] = b"\x08\x80"
        for threads in (1, 2, 5):
            with pytest.raises(wa.DecodeError) as error:
                ROW.decode_many(damaged, threads=threads)
            assert (error.value.row, error.value.offset, error.value.path) == (min(bad), 1, "id")


def test_rows_are_decoded_into_arrays_by_several_threads() -> None:
    messages, expected = rows(400_000)
    out = {"id": np.zeros(400_000, np.int64), "levels": np.zeros(len(expected["levels"].values), np.float32)}
    table = ROW.decode_many(messages, threads=3, out=out)
    for name, found in (("id", table["id"]), ("levels", table["levels"].values)):
        assert np.shares_memory(found, out[name])
    np.testing.assert_array_equal(out["id"], expected["id"])
    np.testing.assert_array_equal(out["levels"], expected["levels"].values)
    with pytest.raises(ValueError, match="has 400000 values, and the array has room for 399999"):
        ROW.decode_many(messages, threads=3, out={"price": np.zeros(399_999)})


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
    # A thread that has been joined may be listed for a moment more.
    deadline = time.monotonic() + 10
    while len(os.listdir("/proc/self/task")) > before - 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(os.listdir("/proc/self/task")) <= before - 1
