"""What callers give, as arrays that the engine takes: conversions that change no value.

The engine's binding takes arrays of the right dtype and Python's own numbers by itself. Everything else comes here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Flags = NDArray[np.bool_] | None

_NANOSECONDS = 1_000_000_000

# The units of NumPy's times that are shorter than a second.
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18}


class Misfit(Exception):
    """A value that does not fit: its number, and what is wrong. The binding says where."""

    def __init__(self, index: int | None, problem: str) -> None:
        super().__init__(index, problem)


def numbers(
    values: Any,
    dtype: np.dtype[Any],
    kind: str,
    enum: tuple[Mapping[str, int], bool] | None,
    default: Any,
) -> tuple[NDArray[Any], _Flags]:
    """Return the values as a contiguous array of `dtype`, and which of them there are.

    `enum` has the names of an enum's numbers, and whether it knows no others.
    """
    if isinstance(values, list | tuple):
        array, present = _of_objects(values, dtype, kind, enum)
    else:
        array, present = _unmasked(values)
        if array.ndim != 1:
            shape = "a single value" if array.ndim == 0 else f"an array of shape {array.shape}"
            raise Misfit(None, f": expected a flat array of {kind}, got {shape}")
        if array.dtype.kind in "OUST":
            array, present_too = _of_objects(array.tolist(), dtype, kind, enum)
            present = present_too if present is None else present & (True if present_too is None else present_too)
        else:
            array = _converted(array, dtype, kind, present)
    if enum is not None and enum[1]:
        _check_known(array, present, enum[0])
    if present is not None:
        array = np.where(present, array, default)
    return np.ascontiguousarray(array, dtype), present


def strings(values: Any) -> list[Any]:
    """Return the strings of an array as a list, with ``None`` for those that are absent."""
    array, present = _unmasked(values)
    if array.ndim != 1:
        raise Misfit(None, f": expected a flat array of strings, got an array of shape {array.shape}")
    listed: list[Any] = array.tolist()
    # Nearly all arrays hold nothing else; looking at types alone is much faster than at each value.
    if not {str, bytes, type(None)}.issuperset(map(type, listed)):
        listed = [None if _is_missing(value) else value for value in listed]
    return (
        listed if present is None else [value if there else None for value, there in zip(listed, present, strict=True)]
    )


def moments(values: Any, name: str) -> tuple[dict[str, NDArray[Any]], _Flags] | None:
    """Return points in time, or spans of it, as the columns of their messages, or ``None`` for other values."""
    is_span = name.endswith("Duration")
    array = _moment_array(values, "m" if is_span else "M")
    if array is None:
        return None
    absent = np.isnat(array)
    seconds, nanos = _seconds_and_nanos(array, absent, name)
    if is_span:
        # Both parts of a span have the same sign.
        crosses = (seconds < 0) & (nanos > 0)
        seconds, nanos = seconds + crosses, nanos - crosses * _NANOSECONDS
    columns: dict[str, NDArray[Any]] = {"seconds": seconds, "nanos": nanos.astype(np.int32)}
    return columns, ~absent if absent.any() else None


def _seconds_and_nanos(
    array: NDArray[Any], absent: NDArray[np.bool_], name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split without going through nanoseconds, of which far times have more than fit in 64 bits."""
    unit, count = np.datetime_data(array.dtype)
    if unit == "generic" and not absent.all():
        raise Misfit(None, f": the unit is not known; give one, as in .astype('{array.dtype.kind}8[s]')")
    if unit not in _PER_SECOND:
        whole = array.astype(f"{array.dtype.kind}8[s]").astype(np.int64)
        return np.where(absent, 0, whole), np.zeros(len(array), np.int64)
    per_second = _PER_SECOND[unit]
    seconds, rest = np.divmod(np.where(absent, 0, array.astype(np.int64)) * count, per_second)
    if per_second <= _NANOSECONDS:
        return seconds, rest * (_NANOSECONDS // per_second)
    nanos, finer = np.divmod(rest, per_second // _NANOSECONDS)
    if finer.any():
        index = int(np.argmax(finer != 0))
        raise Misfit(index, f" = {array[index]} has parts of a nanosecond, which {name} has not")
    return seconds, nanos


def _moment_array(values: Any, code: str) -> NDArray[Any] | None:
    if not isinstance(values, list | tuple):
        array, present = _unmasked(values)
        if array.dtype.kind != code or array.ndim != 1:
            return None
        return array if present is None else np.where(present, array, np.array("NaT", array.dtype))
    expected = (datetime.datetime, np.datetime64) if code == "M" else (datetime.timedelta, np.timedelta64)
    if not all(value is None or isinstance(value, expected) for value in values) or all(v is None for v in values):
        return None
    return np.array(["NaT" if value is None else _without_zone(value) for value in values], f"{code}8")


def _without_zone(value: Any) -> Any:
    """A point in time in UTC, which is what NumPy's are in."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC).replace(tzinfo=None)
    return value


def _unmasked(values: Any) -> tuple[NDArray[Any], _Flags]:
    """Return any array-like as an array, and which entries are not masked."""
    if isinstance(values, np.ma.MaskedArray):
        present = ~np.ma.getmaskarray(values)
        return np.asarray(values.data), None if present.all() else present
    try:
        return np.asarray(values), None
    except (TypeError, ValueError) as error:
        raise Misfit(None, f": NumPy makes no array of it: {error}") from None


def _is_missing(value: Any) -> bool:
    # pandas need not be there; its missing value is told by its type.
    return value is None or value is np.ma.masked or type(value).__name__ == "NAType"


def _of_objects(
    values: Iterable[Any], dtype: np.dtype[Any], kind: str, enum: tuple[Mapping[str, int], bool] | None
) -> tuple[NDArray[Any], _Flags]:
    """Convert one by one: exact whatever the objects are."""
    converted, present = [], []
    for index, value in enumerate(values):
        is_present = not _is_missing(value)
        present.append(is_present)
        converted.append(_one(index, value, dtype, kind, enum) if is_present else 0)
    return np.array(converted, dtype), None if all(present) else np.array(present, bool)


def _one(index: int, value: Any, dtype: np.dtype[Any], kind: str, enum: tuple[Mapping[str, int], bool] | None) -> Any:
    if isinstance(value, str) and enum is not None:
        if value not in enum[0]:
            raise Misfit(index, f" = {value!r} is no name of the enum; it has {', '.join(list(enum[0])[:40])}")
        return enum[0][value]
    if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 and value.dtype.kind in "biuf":
        try:
            return _converted(np.asarray(value).reshape(1), dtype, kind, None)[0]
        except Misfit as misfit:
            raise Misfit(index, misfit.args[1]) from None
    if not isinstance(value, bool | int | float):
        raise Misfit(index, f": expected {_article(kind)}, got {type(value).__name__} {_shown(value)}")
    if dtype.kind == "f":
        try:
            # Python's floats have no width: they are rounded as NumPy rounds them. Its integers are exact.
            with np.errstate(over="ignore"):
                found = dtype.type(value)
        except OverflowError:
            raise Misfit(index, f" = {_shown(value)} does not fit {kind}") from None
        is_same = (
            found == value or value != value if isinstance(value, int) else np.isfinite(found) or not np.isfinite(value)
        )
    elif dtype.kind == "b":
        found, is_same = bool(value), value in (0, 1)
    else:
        limits = np.iinfo(dtype)
        is_same = limits.min <= value <= limits.max and value == int(value)
        found = int(value) if is_same else 0
    if not is_same:
        raise Misfit(index, f" = {_shown(value)} does not fit {kind}")
    return found


def _converted(array: NDArray[Any], dtype: np.dtype[Any], kind: str, present: _Flags) -> NDArray[Any]:
    """Convert an array of numbers, or raise for the first value that would change."""
    if array.dtype.kind not in "biuf":
        hint = "; pass array.view('int64') if that is what you mean" if array.dtype.kind in "mM" else ""
        raise Misfit(None, f": expected numbers for {_article(kind)} field, got an array of {array.dtype}{hint}")
    if array.dtype.newbyteorder("=") == dtype:
        return array.astype(dtype, copy=False)
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
        fits = _fits(array, converted)
    if present is not None:
        fits |= ~present
    if not fits.all():
        index = int(np.argmin(fits))
        hint = "; round the array with .astype('float32') if that is meant" if dtype == np.float32 else ""
        raise Misfit(index, f" = {array[index].item()!r} does not fit {kind}{hint}")
    return converted


def _fits(array: NDArray[Any], converted: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values are the same in both dtypes. Comparing across dtypes would round, and so hide what differs."""
    source, target = array.dtype.kind, converted.dtype.kind
    if target == "b":
        return np.asarray((array == 0) | (array == 1))
    if source == "b":
        return np.ones(len(array), bool)
    if source in "iu" and target in "iu":
        limits = np.iinfo(converted.dtype)
        return np.asarray((array >= limits.min) & (array <= limits.max))
    if source in "iu":
        # The float that is one past the largest integer is exact; from there on the way back would overflow.
        back = converted.astype(array.dtype)
        return np.asarray((converted < float(np.iinfo(array.dtype).max) + (array.itemsize < 8)) & (back == array))
    if target in "iu":
        limits = np.iinfo(converted.dtype)
        lowest, past = float(limits.min), float(int(limits.max) + 1)
        return np.asarray((array >= lowest) & (array < past) & (np.trunc(array) == array))
    return np.asarray((converted.astype(array.dtype) == array) | np.isnan(array))


def _check_known(array: NDArray[Any], present: _Flags, names: Mapping[str, int]) -> None:
    known = np.isin(array, list(names.values()))
    if present is not None:
        known |= ~present
    if not known.all():
        index = int(np.argmin(known))
        raise Misfit(index, f" = {array[index]} is no number of the enum, which is closed; it has {dict(names)}")


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:
        # NumPy's times without a unit have none.
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
