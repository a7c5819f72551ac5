"""What others do while a message is encoded: callers' own code, other threads, and who holds what afterwards."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from gil import assert_released_during

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Tick {
  int64 ts = 1; int32 size = 2; repeated double book = 3; bytes raw = 4; repeated string words = 5; string sym = 6;
  repeated Tick path = 7; Tick before = 8; repeated sint64 steps = 9; repeated int32 plain = 10 [packed = false];
  map<string, Tick> named = 11; repeated bool flags = 12;
}
""")
TICK = SCHEMA["Tick"]
ENCODE, ENCODE_MANY = TICK.encode, TICK.encode_many


def test_nothing_that_was_lent_is_held_after_the_call() -> None:
    array, data, words = np.arange(100.0), bytearray(100), ["a" * 50] * 3
    given = {"book": array, "raw": data, "words": words, "ts": 1 << 40}
    counts = [sys.getrefcount(value) for value in given.values()]
    for _ in range(3):
        ENCODE(given)
        with pytest.raises(ValueError):
            ENCODE(given | {"size": 2**31})
        with pytest.raises(ValueError):
            ENCODE(given | {"nothing": 1})
    assert [sys.getrefcount(value) for value in given.values()] == counts
    data.extend(b"more")
    array.resize(200, refcheck=False)


class Meddler:
    """An array whose making does something else first."""

    def __init__(self, meddle: Callable[[], Any]) -> None:
        self.meddle = meddle

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        self.meddle()
        return np.array([1.0])


def test_containers_that_change_while_they_are_read_do_no_harm() -> None:
    message: dict[str, Any] = {"ts": 1}
    rows: list[Any] = []
    nested: dict[str, Any] = {}
    cases: list[tuple[Callable[[], Any], Callable[[], Any]]] = [
        (lambda: message.update({str(number): 1 for number in range(100)}), lambda: ENCODE(message)),
        (message.clear, lambda: ENCODE(message)),
        (rows.clear, lambda: ENCODE_MANY(rows)),
        (lambda: rows.extend([{"ts": 2}] * 1000), lambda: ENCODE_MANY(rows)),
        (nested.clear, lambda: ENCODE({"before": nested, "ts": 1})),
    ]
    for meddle, encode in cases:
        for container in (message, nested):
            container.clear()
            container.update({"book": Meddler(meddle), "sym": "a", "path": [{}] * 3})
        rows[:] = [{"book": Meddler(meddle)}, {"book": [2.0], "sym": "a"}, {"sym": "b"}]
        # Any ordinary exception will do; a panic is none.
        with contextlib.suppress(RuntimeError, ValueError, TypeError):
            encode()


def test_an_exception_of_the_callers_own_comes_through() -> None:
    class Mine(Exception):
        pass

    def fail() -> None:
        raise Mine

    for encode in (
        lambda: ENCODE({"book": Meddler(fail)}),
        lambda: ENCODE({"path": [{"book": Meddler(fail)}, {}]}),
        lambda: ENCODE_MANY({"ts": Meddler(fail)}),
        lambda: ENCODE_MANY(row for row in [{}, fail()]),
    ):
        with pytest.raises(Mine):
            encode()


def test_other_threads_run_while_bytes_are_written() -> None:
    values = np.arange(4_000_000)
    assert_released_during(lambda: ENCODE({"steps": values}))


def test_arrays_that_others_write_to_give_bytes_or_a_refusal() -> None:
    """Lengths are measured first and bytes written second; in between, a varint may have grown."""
    rng = np.random.default_rng(1)
    steps, plain = np.zeros(200_000, np.int64), np.zeros(200_000, np.int32)
    book, flags = np.zeros(200_000), np.zeros(200_000, np.bool_)
    small, wide = np.zeros_like(steps), rng.integers(-(2**62), 2**62, len(steps))
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for values in (wide, small):
                steps[:] = values
                plain[:] = values.astype(np.int32)
                flags.view(np.uint8)[:] = values.view(np.uint8)[::8]
                book[:] = values

    thread = threading.Thread(target=change)
    thread.start()
    written = refused = 0
    end = time.perf_counter() + 1.0
    offsets = np.arange(0, len(steps) + 1, 1000)
    calls: list[Callable[[], Any]] = [
        lambda: ENCODE({"steps": steps, "plain": plain, "book": book, "flags": flags}),
        lambda: ENCODE({"path": {"ts": steps, "size": plain}}),
        lambda: ENCODE_MANY({"steps": (steps, offsets), "plain": (plain, offsets), "book": (book, offsets)}),
        lambda: ENCODE({"book": book, "flags": flags, "steps": steps}, align=64),
    ]
    try:
        while time.perf_counter() < end:
            for call in calls:
                try:
                    data = call()
                except ValueError as error:
                    assert "changed" in str(error)
                    refused += 1
                else:
                    written += 1
                    TICK.decode(data) if isinstance(data, bytes) else TICK.decode_many(data)
    finally:
        stop.set()
        thread.join()
    assert written + refused > 0


def test_many_threads_encode_at_once() -> None:
    table = wa.Table.of(TICK, ts=np.arange(1000), steps=(np.arange(3000), np.arange(0, 3001, 3)), sym=["a"] * 1000)
    expected = ENCODE_MANY(table).to_list()
    found: list[list[bytes]] = []
    threads = [threading.Thread(target=lambda: found.append(ENCODE_MANY(table).to_list())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8
