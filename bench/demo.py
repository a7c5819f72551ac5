"""The founding experiment, live: reading time series with the official protobuf package and with wirearray.

    python bench/demo.py                  the sizes of 2010; about half a minute
    python bench/demo.py --size small     a few seconds

The official package writes the files, both packages read them, the results are compared, and a chart of the times is
saved beside them in `build/`.
"""

import argparse
import platform
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google.protobuf
import numpy as np
import wirearray as wa
from numpy.typing import NDArray
from tqdm import tqdm

import host
from demo_chart import Experiment, draw, readable
from schema import TIMESERIES_PROTO, message_class

BUILD = Path(__file__).resolve().parents[1] / "build"
PIECES, ROUNDS = 50, 5

Series = tuple[NDArray[np.float64], NDArray[np.float64]]
Read = Callable[[Path], Series]


@dataclass(frozen=True)
class Size:
    elements: int
    pairs: int
    pair_elements: int


SIZES = {"full": Size(10_000_000, 100, 250_000), "small": Size(100_000, 100, 2_500)}

OfficialSeries = message_class("TimeSeries")
TimeSeries = wa.message_type(TIMESERIES_PROTO, "timeseries.TimeSeries")


def main() -> None:
    options = _options()
    size = SIZES[options.size]
    folder = BUILD / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _introduce(size)
        one, many = _write(folder, size)
        print(f"\nNow both packages read them back, {ROUNDS} times in turn; the best time of each counts.\n")
        experiments = [
            _experiment(f"one file\n2 x {size.elements:,} numbers", [one]),
            _experiment(f"{size.pairs} files\n2 x {size.pair_elements:,} numbers each", many),
        ]
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    _print_table(experiments)
    chart = BUILD / "demo.png"
    draw(experiments, chart, _packages())
    print(f"\nThe chart is in {chart}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="full")
    parser.add_argument("--keep", action="store_true", help="leave the data files in build/demo")
    return parser.parse_args()


def _introduce(size: Size) -> None:
    schema = "".join(f"    {line}\n" for line in TIMESERIES_PROTO.read_text().splitlines() if not line.startswith("//"))
    print(
        f"""A time series is two lists of numbers. In Protocol Buffers it is written with this schema:

{schema.strip(chr(10))}

In 2010 a scientist had 100 such pairs of {250_000:,} numbers in files, and wanted them as NumPy arrays.
Python's protobuf package took 202 seconds to read them, a C++ program under 3.
This is the same experiment with the packages of today, on this machine:

    {host.cpu()}, {platform.system()}
    {_packages()}

First the official package writes the files: one of 2 x {size.elements:,} numbers, and {size.pairs} of \
2 x {size.pair_elements:,}.
"""
    )


def _packages() -> str:
    return f"protobuf {google.protobuf.__version__}, wirearray {wa.__version__}, NumPy {np.__version__}"


# ---------------------------------------------------------------------------------------------------------------------
# Writing


def _write(folder: Path, size: Size) -> tuple[Path, list[Path]]:
    one = folder / "series.pb"
    _write_series(one, size.elements, progress=True)
    many = [folder / f"pair_{index:03}.pb" for index in range(size.pairs)]
    for index, path in enumerate(_progress("many files", many)):
        _write_series(path, size.pair_elements, seed=index)
    return one, many


def _write_series(path: Path, count: int, *, seed: int = 2010, progress: bool = False) -> None:
    """What any program does: fill a message of the official package, serialize it, write the file."""
    times, values = _series(count, seed)
    message = OfficialSeries()
    pieces = [(field, piece) for field, array in (("times", times), ("values", values)) for piece in _pieces(array)]
    for field, piece in _progress("one file", pieces) if progress else pieces:
        getattr(message, field).extend(piece)
    path.write_bytes(message.SerializeToString())


def _series(count: int, seed: int) -> Series:
    """A signal sampled at 2 kHz: a slow wave and noise."""
    times = np.arange(count) * 0.5e-3
    return times, np.sin(times) + np.random.default_rng(seed).normal(0, 0.1, count)


def _pieces(array: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return np.array_split(array, PIECES)


def _progress(label: str, items: list[Any]) -> Iterable[Any]:
    return tqdm(items, desc=f"  {label:<22}", bar_format="{desc} {bar:30} {percentage:3.0f}%  {elapsed}")


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def _read_official(path: Path) -> Series:
    message = OfficialSeries()
    with open(path, "rb") as file:
        message.ParseFromString(file.read())
    return np.asarray(message.times), np.asarray(message.values)


def _read_wirearray(path: Path) -> Series:
    return TimeSeries.load(path)["times", "values"]


def _experiment(name: str, paths: list[Path]) -> Experiment:
    """Both packages read all files, in turn; in each round every number is compared, and the best round counts."""
    official_seconds, our_seconds = [], []
    for _ in _progress(name.partition("\n")[0], list(range(ROUNDS))):
        official, seconds = _read_all(_read_official, paths)
        official_seconds.append(seconds)
        ours, seconds = _read_all(_read_wirearray, paths)
        our_seconds.append(seconds)
        for path, theirs, mine in zip(paths, official, ours, strict=True):
            _assert_equal(path, theirs, mine)
        del official, ours
    return Experiment(
        name=name,
        official_seconds=min(official_seconds),
        wirearray_seconds=min(our_seconds),
        wire_bytes=sum(path.stat().st_size for path in paths),
    )


def _read_all(read: Read, paths: list[Path]) -> tuple[list[Series], float]:
    """The arrays of all files, and the seconds that it took to read them."""
    start = time.perf_counter()
    results = [read(path) for path in paths]
    return results, time.perf_counter() - start


def _assert_equal(path: Path, theirs: Series, mine: Series) -> None:
    for expected, found in zip(theirs, mine, strict=True):
        assert found.dtype == np.float64, f"{path}: {found.dtype}"
        assert np.array_equal(expected, found), f"{path}: the two packages read different numbers"


# ---------------------------------------------------------------------------------------------------------------------
# Reporting


def _print_table(experiments: list[Experiment]) -> None:
    print("\nEvery number is the same from both packages. The times:\n")
    print(f"  {'':<40} {'official':>12} {'wirearray':>12} {'speed-up':>10}")
    for experiment in experiments:
        print(
            f"  {experiment.name.replace(chr(10), ', '):<40}"
            f" {readable(experiment.official_seconds):>12} {readable(experiment.wirearray_seconds):>12}"
            f" {experiment.speed_up:>9.1f}x"
        )
    best = max(experiments, key=lambda experiment: experiment.wire_bytes / experiment.wirearray_seconds)
    print(f"\n  wirearray reads up to {best.wire_bytes / best.wirearray_seconds / 1e9:.1f} GB of file a second.")


if __name__ == "__main__":
    main()
