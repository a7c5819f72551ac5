"""What the speed has to come to: limits for ratios of times that one run has measured, each beside the other.

A copy is that of the arrays that come out, or that go in. All is about one thread, except where two are named.
"""

from dataclasses import dataclass
from typing import Literal

from packages import (
    AVX2,
    AVX512,
    COPY,
    DECOMPRESSING,
    FRAMED,
    FRESH,
    NUMPY_LOAD,
    OFFICIAL,
    OFFICIAL_PARSE,
    OUT,
    PLAIN,
    PORTABLE,
    PTARS,
    TWO_THREADS,
    WIREARRAY,
)
from real_runs import PROFILES

Sense = Literal["at most", "at least"]
AT_MOST: Sense = "at most"
AT_LEAST: Sense = "at least"


@dataclass(frozen=True)
class Limits:
    """Cases of one table, and what the time of `way` may or must come to as a multiple of that of `other`.

    Without any `other`, it is the seconds themselves that are limited.
    """

    title: str
    table: str
    way: str
    other: str | None
    sense: Sense
    by_case: dict[str, float]

    @property
    def ratio(self) -> str:
        return self.way if self.other is None else f"{self.way} / {self.other}"


UNPACKED, LOADED = "2 series, unpacked doubles", "2 series, unpacked, load(path)"
SHORTEST, SHORT, MEDIUM, LONG = INTEGERS = [f"packed int64 of 1 to {longest} bytes" for longest in (2, 3, 5, 8)]
UNPACKED_SHORT, POINTS = "unpacked int64 of 1 to 3 bytes", "nested {double x, y}"
READINGS, READING = "rows of 3 numbers and 16 doubles", "a message of 3 numbers and 16 doubles"
DELIMITED, ZSTD = "delimited rows, read", "delimited rows, zstd"
VIEWS = [f"copy=None, 2 x {count} doubles" for count in ("1,000", "100,000", "10,000,000")]

# Decoding into new arrays, which takes longer the more bytes there may be to a number.
DECODING = {
    UNPACKED: 1.2,
    "2 series, packed doubles": 1.05,
    "bundle of 100 pairs, unpacked": 1.4,
    "bundle of 100 pairs, packed": 1.2,
    SHORTEST: 1.2,
    SHORT: 1.2,
    MEDIUM: 1.3,
    LONG: 1.8,
    "packed int64 of 1 to 10 bytes": 2.2,
    "packed int64 of 10 bytes": 2.8,
    **{f"packed sint64, {field}": 1.8 for field in PROFILES},
    "packed bool": 1.2,
    READINGS: 2.0,
}
OFFICIAL_DECODING = {UNPACKED: 20, SHORTEST: 30, SHORT: 30, UNPACKED_SHORT: 8}
# Memory that is there already is not waited for.
GIVEN_ARRAYS = dict.fromkeys((*DECODING, LOADED, UNPACKED_SHORT, POINTS), 0.9)
# Ten times what a call costs, and a hundredth of what it takes to copy a file of some size.
VIEW_SECONDS = dict.fromkeys(VIEWS, 20e-6)

TARGETS = (
    Limits("decoding / copying the result", "decoding", WIREARRAY, COPY, AT_MOST, DECODING),
    Limits("two threads / copying the result", "decoding", TWO_THREADS, COPY, AT_MOST, {UNPACKED: 0.8}),
    Limits("load(path) / np.load", "decoding", WIREARRAY, NUMPY_LOAD, AT_MOST, {LOADED: 0.8}),
    Limits("decoding / official parsing alone", "decoding", WIREARRAY, OFFICIAL_PARSE, AT_MOST, {POINTS: 0.5}),
    Limits("decoding with out= / copying into new arrays", "decoding", OUT, FRESH, AT_MOST, GIVEN_ARRAYS),
    Limits("official package / decoding", "decoding", OFFICIAL, WIREARRAY, AT_LEAST, OFFICIAL_DECODING),
    Limits("ptars / decoding", "decoding", PTARS, WIREARRAY, AT_LEAST, {READINGS: 6}),
    Limits("views", "views", WIREARRAY, None, AT_MOST, VIEW_SECONDS),
    Limits("a small call / the official package's", "calls", WIREARRAY, OFFICIAL, AT_MOST, {READING: 1.0}),
    Limits("AVX2 / AVX-512", "backends", AVX2, AVX512, AT_MOST, dict.fromkeys(INTEGERS, 1.8)),
    Limits("a loop over bytes / portable", "backends", PLAIN, PORTABLE, AT_LEAST, dict.fromkeys(INTEGERS, 2)),
    Limits("read(path) / decoding what is framed already", "streams", WIREARRAY, FRAMED, AT_MOST, {DELIMITED: 1.2}),
    Limits("two threads / decompressing alone", "streams", TWO_THREADS, DECOMPRESSING, AT_MOST, {ZSTD: 1.15}),
    Limits("encoding / copying the input", "encoding", WIREARRAY, COPY, AT_MOST, {SHORT: 1.5}),
    Limits("official package / encoding", "encoding", OFFICIAL, WIREARRAY, AT_LEAST, {SHORT: 30}),
)
