"""What callers give, as arrays that the engine takes: conversions that change no value.

The engine's binding takes arrays of the right dtype and Python's own numbers by itself. Everything else comes here.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Flags = NDArray[np.bool_] | None

_NANOSECONDS = 1_000_000_000

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# The units of NumPy's times that are shorter than a second.
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9, "ps": 10**12, "fs": 10**15, "as": 10**18}


class Misfit(Exception):
    """A value that does not fit: its number, and what is wrong. The binding says where."""

    def __init__(self, index: int | None, problem: str) -> None:
        super().__init__(index, problem)


class WrongType(Misfit):
    """A value of a type that no such field takes."""


def numbers(
    values: Any,
    dtype: np.dtype[Any],
    kind: str,
    enum: Mapping[str, int] | None,
    default: Any,
) -> tuple[NDArray[Any], _Flags]:
    """Return the values as a contiguous array of `dtype`, and which of them there are.

    `enum` has the names of an enum's numbers.
    """
    listed = _with_nulls(values) if _is_array_like(values) else _items(values, kind)
    if listed is not None:
        array, present = _of_objects(listed, dtype, kind, enum)
    else:
        array, present = _unmasked(values)
        if array.ndim != 1:
            shape = "a single value" if array.ndim == 0 else f"an array of shape {array.shape}"
            raise Misfit(None, f": expected a flat array of {kind}, got {shape}")
        if array.dtype.kind in "OUST":
            listed = array.tolist()
            if present is not None:
                # What lies under a mask is not looked at.
                listed = [value if there else None for value, there in zip(listed, present, strict=True)]
            array, present = _of_objects(listed, dtype, kind, enum)
        else:
            array = _converted(array, dtype, kind, present)
    if present is not None:
        array = np.where(present, array, default)
    return np.ascontiguousarray(array, dtype), present


def strings(values: Any) -> list[Any]:
    """Return the strings of an array as a list, with ``None`` for those that are masked."""
    given = _with_nulls(values) if _is_array_like(values) else _items(values, "str or bytes")
    if given is not None:
        return given
    array, present = _unmasked(values)
    if array.ndim != 1:
        raise Misfit(None, f": expected a flat array of strings, got an array of shape {array.shape}")
    listed: list[Any] = array.tolist()
    if present is None:
        return listed
    return [value if there else None for value, there in zip(listed, present, strict=True)]


def moments(values: Any, name: str) -> tuple[dict[str, NDArray[Any]], _Flags] | None:
    """Return points in time, or spans of it, as the columns of their messages, or ``None`` for other values."""
    is_span = name.endswith("Duration")
    split = _split_listed(values, is_span, name) if isinstance(values, list | tuple) else None
    if split is None and not isinstance(values, list | tuple):
        array, present = _unmasked(values)
        if array.dtype.kind == "O" and array.ndim == 1 and present is None:
            # Times with a zone, as pandas has them, come as objects.
            return moments(array.tolist(), name)
        if array.dtype.kind != ("m" if is_span else "M") or array.ndim != 1:
            return None
        if present is not None:
            array = np.where(present, array, np.array("NaT", array.dtype))
        split = *_seconds_and_nanos(array, name), np.isnat(array)
    if split is None:
        return None
    seconds, nanos, absent = split
    if is_span:
        # Both parts of a span have the same sign.
        crosses = (seconds < 0) & (nanos > 0)
        seconds, nanos = seconds + crosses, nanos - crosses * _NANOSECONDS
    columns: dict[str, NDArray[Any]] = {"seconds": seconds, "nanos": nanos.astype(np.int32)}
    return columns, ~absent if absent.any() else None


def _split_listed(
    values: Sequence[Any], is_span: bool, name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]] | None:
    """Split one by one: an array of them all would have one unit, in which far times do not fit."""
    expected = (datetime.timedelta, np.timedelta64) if is_span else (datetime.date, np.datetime64)
    missing = [is_missing(value) or _is_nat(value) for value in values]
    if not all(gone or isinstance(value, expected) for value, gone in zip(values, missing, strict=True)):
        return None
    parts = [(0, 0) if gone else _split_one(value, name) for value, gone in zip(values, missing, strict=True)]
    seconds, nanos = np.array(parts, np.int64).reshape(-1, 2).T
    return seconds, nanos, np.array(missing, np.bool_)


def _is_nat(value: Any) -> bool:
    return isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value))


def _split_one(value: Any, name: str) -> tuple[int, int]:
    # Those of pandas are Python's too, with nanoseconds that Python's do not have.
    convert = getattr(value, "to_datetime64", None) or getattr(value, "to_timedelta64", None)
    value = value if convert is None else convert()
    if isinstance(value, np.generic):
        seconds, nanos = _seconds_and_nanos(np.asarray(value).reshape(1), name)
        return int(seconds[0]), int(nanos[0])
    if isinstance(value, datetime.datetime):
        # Without a zone a point in time is in UTC, as NumPy's are.
        value = (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)) - _EPOCH
    elif isinstance(value, datetime.date):
        value -= _EPOCH.date()
    return value.days * 86_400 + value.seconds, value.microseconds * 1000


def _seconds_and_nanos(array: NDArray[Any], name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split without going through nanoseconds, of which far times have more than fit in 64 bits."""
    absent = np.isnat(array)
    unit, count = np.datetime_data(array.dtype)
    kind = array.dtype.kind
    if unit == "generic" and not absent.all():
        raise Misfit(None, f": the unit is not known; give one, as in .astype('{kind}8[s]')")
    if kind == "m" and unit in ("Y", "M"):
        raise Misfit(None, ": years and months are no spans of a length; convert them to days")
    if unit not in _PER_SECOND:
        whole = array.astype(f"{kind}8[s]")
        _check_moments(whole.astype(array.dtype) == array, absent, array, name)
        return np.where(absent, 0, whole.astype(np.int64)), np.zeros(len(array), np.int64)
    # In lowest terms, so that most counts of units need no product, which could leave 64 bits.
    shared = math.gcd(count, _PER_SECOND[unit])
    per_second = _PER_SECOND[unit] // shared
    ticks = np.where(absent, 0, array.astype(np.int64))
    if count > shared:
        ticks = ticks.astype(object) * (count // shared)
    seconds, rest = ticks // per_second, ticks % per_second
    limits = np.iinfo(np.int64)
    _check_moments((seconds >= limits.min) & (seconds <= limits.max), absent, array, name)
    if _NANOSECONDS % per_second == 0:
        return seconds.astype(np.int64), (rest * (_NANOSECONDS // per_second)).astype(np.int64)
    # Python's integers hold a second's parts however fine they are.
    scaled = rest.astype(object) * _NANOSECONDS
    nanos, finer = scaled // per_second, scaled % per_second != 0
    if finer.any():
        index = int(np.argmax(finer))
        raise Misfit(index, f" = {array[index]} has parts of a nanosecond, which {name} has not")
    return seconds.astype(np.int64), nanos.astype(np.int64)


def _check_moments(fits: Any, absent: NDArray[np.bool_], array: NDArray[Any], name: str) -> None:
    wrong = ~(np.asarray(fits, bool) | absent)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise Misfit(index, f" = {_shown(array[index])} is beyond the seconds that {name} can hold")


def _unmasked(values: Any) -> tuple[NDArray[Any], _Flags]:
    """Return any array-like as an array, and which entries are not masked."""
    if isinstance(values, np.ma.MaskedArray):
        present = ~np.ma.getmaskarray(values)
        return np.asarray(values.data), None if present.all() else present
    try:
        return np.asarray(values), None
    except (TypeError, ValueError) as error:
        raise Misfit(None, f": NumPy makes no array of it: {error}") from None


def is_missing(value: Any) -> bool:
    """Whether a value stands for none: of pandas, which need not be there, told by its type; among strings NaN too."""
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _with_nulls(values: Any) -> list[Any] | None:
    """Return the values of a column of pandas that has nulls, or ``None`` where there are none.

    NumPy would take the nulls for NaN, and large integers beside them for floats.
    """
    is_extension = hasattr(values, "isna") and not isinstance(getattr(values, "dtype", None), np.dtype)
    if is_extension and np.any(values.isna()):
        return list(values)
    return None


def _is_array_like(values: Any) -> bool:
    """Whether values have a dtype of their own. NumPy would make one up for others, and change values to fit it."""
    if isinstance(values, list | tuple):
        return False
    return hasattr(values, "__array__") or hasattr(values, "__array_interface__") or _has_buffer(values)


def _has_buffer(values: Any) -> bool:
    try:
        memoryview(values).release()
    except TypeError:
        return False
    return not isinstance(values, bytes | bytearray)


def _items(values: Any, kind: str) -> list[Any]:
    # What has no order of its own, or keys and values, is no list.
    if isinstance(values, str | bytes | bytearray | Mapping | set | frozenset) or not isinstance(values, Iterable):
        raise WrongType(None, f": expected an array or list of {kind}, got {type(values).__name__}")
    return list(values)


def _of_objects(
    values: Iterable[Any], dtype: np.dtype[Any], kind: str, enum: Mapping[str, int] | None
) -> tuple[NDArray[Any], _Flags]:
    """Convert one by one: exact whatever the objects are."""
    converted, present = [], []
    for index, value in enumerate(values):
        is_present = not (is_missing(value) and not isinstance(value, float))
        present.append(is_present)
        converted.append(_one(index, value, dtype, kind, enum) if is_present else 0)
    return np.array(converted, dtype), None if all(present) else np.array(present, bool)


def _one(index: int, value: Any, dtype: np.dtype[Any], kind: str, enum: Mapping[str, int] | None) -> Any:
    if isinstance(value, str) and enum is not None:
        if value not in enum:
            raise Misfit(index, f" = {value!r} is no name of the enum; it has {', '.join(list(enum)[:40])}")
        return enum[value]
    is_numpys = isinstance(value, np.generic | np.ndarray) and not isinstance(value, float)
    if is_numpys and value.ndim == 0 and value.dtype.kind in "biuf":
        try:
            return _converted(np.asarray(value).reshape(1), dtype, kind, None)[0]
        except Misfit as misfit:
            raise Misfit(index, misfit.args[1]) from None
    if isinstance(value, np.float64):
        # Python's compare exactly with its integers.
        value = float(value)
    if not isinstance(value, bool | int | float):
        raise WrongType(index, f": expected {_article(kind)}, got {type(value).__name__} {_shown(value)}")
    if dtype.kind == "f":
        try:
            # Python's floats have no width: they are rounded as NumPy rounds them. Its integers are exact.
            with np.errstate(over="ignore"):
                found = dtype.type(value)
        except OverflowError:
            raise Misfit(index, f" = {_shown(value)} does not fit {kind}") from None
        is_finite = bool(np.isfinite(found))
        is_same = is_finite and int(found) == value if isinstance(value, int) else is_finite or not math.isfinite(value)
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
        raise WrongType(None, f": expected numbers for {_article(kind)} field, got an array of {array.dtype}{hint}")
    if array.dtype.newbyteorder("=") == dtype:
        return array.astype(dtype, copy=False)
    with np.errstate(all="ignore"):
        converted = array.astype(dtype)
        fits = _fits(array, converted)
    if present is not None:
        fits |= ~present
    if not fits.all():
        index = int(np.argmin(fits))
        can_round = dtype == np.float32 and np.isfinite(converted[index])
        hint = "; round the array with .astype('float32') if that is meant" if can_round else ""
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
        # A narrow float compares with its own kind, in which these limits may be infinite.
        array = array.astype(np.float64) if array.itemsize < 8 else array
        limits = np.iinfo(converted.dtype)
        lowest, past = float(limits.min), float(int(limits.max) + 1)
        return np.asarray((array >= lowest) & (array < past) & (np.trunc(array) == array))
    return np.asarray((converted.astype(array.dtype) == array) | np.isnan(array))


def _shown(value: Any) -> str:
    try:
        text = repr(value.item() if isinstance(value, np.generic) and value.dtype.kind in "biuf" else value)
    except ValueError:
        # NumPy's times without a unit have none.
        text = type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"
