"""What callers want an MCAP file to say of each message, as arrays that the engine takes."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sized
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from wirearray import _intake
from wirearray._intake import Misfit, WrongType

_Entries = TypeVar("_Entries", bound=Sized)

_NANOSECONDS = 1_000_000_000


def times(given: Any, name: str, count: int) -> NDArray[np.uint64]:
    """Return nanoseconds since 1970 for each message, of an array of times or integers, or of one for all."""
    if isinstance(given, int | np.integer | np.datetime64 | datetime.date):
        return np.repeat(_converted(_nanoseconds, [given], name, 1), count)
    return _converted(_nanoseconds, given, name, count)


def sequences(given: Any, count: int) -> NDArray[np.uint32]:
    """Return the number of each message."""
    return _converted(lambda values: _integers(values, "uint32"), given, "sequence", count)


def topics(given: Any, count: int) -> tuple[list[str], NDArray[np.uint32]]:
    """Return the names of topics, and which of them each message is about: one for all, or one for each."""
    if isinstance(given, str):
        return [given], np.zeros(count, np.uint32)
    listed = _converted(_intake.strings, given, "topic", count)
    for index, topic in enumerate(listed):
        if not isinstance(topic, str):
            raise TypeError(f"topic[{index}]: expected str, got {type(topic).__name__}")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(listed))}
    return list(numbers), np.fromiter((numbers[topic] for topic in listed), np.uint32, count)


def _nanoseconds(values: Any) -> NDArray[np.uint64]:
    moments = _intake.moments(values, "MCAP")
    if moments is None:
        return _integers(values, "uint64")
    columns, present = moments
    if present is not None:
        raise Misfit(int(np.argmin(present)), " is no time")
    seconds, nanos = columns["seconds"], columns["nanos"]
    latest = np.iinfo(np.uint64).max // _NANOSECONDS
    wrong = (seconds < 0) | (seconds >= latest)
    if wrong.any():
        raise Misfit(int(np.argmax(wrong)), " is before 1970 or after 2554, which MCAP cannot say")
    return seconds.astype(np.uint64) * np.uint64(_NANOSECONDS) + nanos.astype(np.uint64)


def _integers(values: Any, kind: str) -> NDArray[Any]:
    numbers, present = _intake.numbers(values, np.dtype(kind), kind, None, 0)
    if present is not None:
        raise Misfit(int(np.argmin(present)), " is missing")
    return numbers


def _converted(convert: Callable[[Any], _Entries], given: Any, name: str, count: int) -> _Entries:
    """Convert, and say what is wrong with which entry."""
    try:
        converted = convert(given)
    except Misfit as misfit:
        index, problem = misfit.args
        kind = TypeError if isinstance(misfit, WrongType) else ValueError
        raise kind(f"{name}{problem}" if index is None else f"{name}[{index}]{problem}") from None
    if len(converted) != count:
        raise ValueError(f"{name}: there are {len(converted)} entries and {count} messages")
    return converted
