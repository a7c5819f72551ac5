"""The cases of decoding: for each its bytes, the arrays that must come out, and every package's way from one to other.

A way returns its columns, which have to be the sample's bit for bit; `number_cases` and `message_cases` have the ways.
"""

from functools import partial
from pathlib import Path

import numpy as np

import message_cases
import message_samples
import number_cases
import samples
from cases import FOUNDING_ELEMENTS, MILLION, PAIR_ELEMENTS, PAIRS, Builder, Case, scaled
from packages import OFFICIAL
from real_runs import PROFILES, real_lines
from samples import bytes_long

LENGTHS = {"1 to 2": (1, 2), "1 to 3": (1, 3), "1 to 5": (1, 5), "1 to 8": (1, 8), "1 to 10": (1, 10), "10": (10, 10)}


def cases(size: str) -> list[Builder]:
    founding, pair, million = (scaled(size, count) for count in (FOUNDING_ELEMENTS, PAIR_ELEMENTS, MILLION))
    short = bytes_long(1, 3)
    return [
        lambda _: number_cases.one_message("2 series, unpacked doubles", samples.unpacked_series(founding)),
        lambda _: number_cases.one_message("2 series, packed doubles", samples.packed_series(founding)),
        lambda folder: number_cases.file("2 series, unpacked, load(path)", samples.unpacked_series(founding), folder),
        lambda _: message_cases.bundle(f"bundle of {PAIRS} pairs, unpacked", samples.unpacked_bundle(PAIRS, pair)),
        lambda _: message_cases.bundle(f"bundle of {PAIRS} pairs, packed", samples.packed_bundle(PAIRS, pair)),
        *(partial(_integers, name, founding) for name in LENGTHS),
        *(partial(_lines, field, founding) for field in PROFILES),
        lambda _: number_cases.one_message("packed bool", samples.flags(founding)),
        lambda _: number_cases.one_message(
            "unpacked int64 of 1 to 3 bytes", samples.unpacked_integers(founding, short)
        ),
        lambda _: message_cases.points("nested {double x, y}", message_samples.points(million)),
        lambda _: message_cases.readings("rows of 3 numbers and 16 doubles", message_samples.readings(million)),
        lambda _: message_cases.rows("rows of 4 fields in one buffer", message_samples.rows(million)),
        lambda _: message_cases.names("strings", message_samples.names(max(1, million // 5))),
    ]


def check_samples() -> None:
    """The bytes that NumPy writes, against the official package: same messages on small samples."""
    lengths = np.tile(np.arange(1, 11), 20)
    encoded = samples.of_lengths(samples.seeded_random(), lengths)
    for case in (
        number_cases.one_message("unpacked series", samples.unpacked_series(50)),
        number_cases.one_message("packed series", samples.packed_series(50)),
        message_cases.bundle("bundle", samples.unpacked_bundle(PAIRS, 5)),
        message_cases.bundle("packed bundle", samples.packed_bundle(PAIRS, 5)),
        number_cases.one_message("integers", samples.integers(200, bytes_long(1, 10))),
        number_cases.one_message("unpacked integers", samples.unpacked_integers(200, bytes_long(1, 10))),
        number_cases.one_message("flags", samples.flags(50)),
        message_cases.lines("lines", message_samples.lines(np.array([1, 99, 100]), encoded)),
        message_cases.points("points", message_samples.points(50)),
        message_cases.readings("readings", message_samples.readings(50)),
        message_cases.rows("rows", message_samples.rows(50)),
        message_cases.names("names", message_samples.names(50)),
    ):
        case.check(OFFICIAL)


def _integers(lengths: str, count: int, _: Path) -> Case:
    draw = bytes_long(*LENGTHS[lengths])
    return number_cases.one_message(f"packed int64 of {lengths} bytes", samples.integers(count, draw))


def _lines(field: str, count: int, _: Path) -> Case:
    name = f"packed sint64, {field}"
    return message_cases.lines(name, real_lines(name, field, count))
