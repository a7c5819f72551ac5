"""How far reading is: a bar, or a callable of the user's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class _Bar:
    """A bar of bytes."""

    def __init__(self, total: int | None) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            message = "progress: install tqdm for a bar, or pass a callable that gets the bytes read and the total"
            raise ImportError(message) from error
        self._bar = tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024)

    def __call__(self, done: int, total: int | None) -> None:
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Callable:
    """A callable, which is asked only where there is something new to say."""

    def __init__(self, call: Callable[[int, int | None], object]) -> None:
        self._call = call
        self._done = -1

    def __call__(self, done: int, total: int | None) -> None:
        if done != self._done:
            self._done = done
            self._call(done, total)

    def close(self) -> None:
        """Nothing is shown that would have to go."""


def reporter(progress: Any, total: int | None) -> _Bar | _Callable | None:
    """Return what is called with the bytes read and how many there are, and closed at the end."""
    if progress is False or progress is None:
        return None
    if progress is True:
        return _Bar(total)
    if callable(progress):
        return _Callable(progress)
    message = f"progress: expected True, False or a callable, got {progress!r}"
    raise TypeError(message)
