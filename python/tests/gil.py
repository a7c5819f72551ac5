"""Whether other threads of Python's run during a call."""

import threading
import time
from collections.abc import Callable


def assert_released_during(call: Callable[[], object]) -> None:
    """With the GIL held, another thread could tick between two calls, but never in the middle half of one."""
    spans: list[tuple[float, float]] = []

    def run() -> None:
        for _ in range(5):
            start = time.perf_counter()
            call()
            spans.append((start, time.perf_counter()))

    ticks = []
    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        ticks.append(time.perf_counter())
    thread.join()
    middles = [(start + (end - start) / 4, end - (end - start) / 4) for start, end in spans]
    assert any(start < tick < end for start, end in middles for tick in ticks)
