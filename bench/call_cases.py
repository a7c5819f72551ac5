"""Small calls: one message of three numbers and sixteen more, where what counts is what a call costs."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import message_samples
from cases import Builder, Case
from packages import OFFICIAL, WIREARRAY, wirearray_type
from samples import Sample
from schema import TYPES, message_class

# So many that reading the clock, and a cold start, are lost in them.
CALLS = {"full": 20_000, "small": 1_000}


def cases(size: str) -> list[Builder]:
    return [partial(_reading, CALLS[size])]


def _reading(calls: int, _: Path) -> Case:
    """Decoding, and reading all fields; a call as a program makes it, without options."""
    sample = message_samples.readings(1)
    data, fields = sample.data, tuple(TYPES[sample.message])
    ours, official = wirearray_type(sample.message), message_class(sample.message)

    def parsed() -> tuple[Any, ...]:
        message = official.FromString(data)
        return message.sensor, message.state, message.time, np.asarray(message.samples)

    found = {WIREARRAY: lambda: ours.decode(data)[fields], OFFICIAL: parsed}
    return Case("a message of 3 numbers and 16 doubles", sample, found, _assert_reading, calls)


def _assert_reading(sample: Sample, result: tuple[Any, ...]) -> None:
    for found, right in zip(result, sample.arrays, strict=True):
        assert np.array_equal(np.atleast_1d(found), right), f"{found} is not {right}"
