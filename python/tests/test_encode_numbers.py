"""Numbers as fields take them: every kind from every dtype, where no value changes, and a refusal by name elsewhere."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from number_schema import NUMBER, NUMBERS
from official import DTYPES

_INTEGERS = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
SOURCES = ("bool", *_INTEGERS, "float16", "float32", "float64")

ENCODE, ENCODE_MANY = NUMBER.ours.encode, NUMBER.ours.encode_many

each_kind = pytest.mark.parametrize("kind", NUMBERS)


def edges(dtype: np.dtype[Any]) -> list[Any]:
    """The values of a dtype that conversions go wrong at, as NumPy scalars."""
    if dtype.kind == "b":
        return [np.False_, np.True_]
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        powers = [sign * 2**power + step for sign in (1, -1) for power in _POWERS for step in (-1, 0, 1)]
        return [
            dtype.type(value)
            for value in sorted({0, limits.min, limits.max, *powers})
            if limits.min <= value <= limits.max
        ]
    limits = np.finfo(dtype)
    special = [0.0, -0.0, 0.5, -1.5, np.nan, np.inf, -np.inf]
    special += [limits.max, limits.min, limits.tiny, limits.smallest_subnormal]
    with np.errstate(over="ignore"):
        powers = [dtype.type(sign * 2.0**power) for sign in (1, -1) for power in _POWERS]
    steps = [np.nextafter(value, dtype.type(towards)) for value in powers for towards in (-np.inf, np.inf)]
    return [*map(dtype.type, special), *powers, *steps]


# Ends of the integer types, and of the integers that float16, float32 and float64 tell apart.
_POWERS = (0, 7, 8, 11, 15, 16, 24, 31, 32, 53, 62, 63, 64)


def exact(value: Any) -> Any:
    """The number that a value is: a fraction, or the name of what is none."""
    value = value.item()
    return str(value) if value != value or value in (np.inf, -np.inf) else Fraction(value)


def fits(value: Any, dtype: np.dtype[Any]) -> bool:
    """Whether a dtype has the very number."""
    number = exact(value)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            # A fraction's way to a float64 is exact or rounded once, and so is that to a float32 then: what comes back
            # is the same number only where neither was.
            return isinstance(number, str) or exact(dtype.type(_float(number))) == number
    if isinstance(number, str) or number.denominator != 1:
        return False
    if dtype.kind == "b":
        return number in (0, 1)
    return np.iinfo(dtype).min <= number <= np.iinfo(dtype).max


def _float(number: Fraction) -> float:
    return number.numerator / number.denominator


# ---------------------------------------------------------------------------------------------------------------------
# What is written


@each_kind
def test_every_value_is_written_as_the_official_package_writes_it(kind: str) -> None:
    dtype = np.dtype(DTYPES[kind])
    values = np.array(edges(dtype), dtype)
    for name in (f"packed_{kind}", f"plain_{kind}"):
        assert ENCODE({name: values}) == NUMBER.written(**{name: values.tolist()}), name
    for name in (f"one_{kind}", f"maybe_{kind}"):
        expected = [NUMBER.written(**{name: value}) for value in values.tolist()]
        assert [ENCODE({name: value}) for value in values] == expected, "NumPy scalars"
        assert [ENCODE({name: value}) for value in values.tolist()] == expected, "Python's numbers"
        assert ENCODE_MANY({name: values}).to_list() == expected, "a column"


@pytest.mark.parametrize("kind", ["float", "double"])
def test_the_bits_of_a_nan_are_kept(kind: str) -> None:
    dtype = np.dtype(DTYPES[kind])
    bits = np.array([0x7FA00001, 0xFFC12345] if dtype.itemsize == 4 else [0x7FF4_0000_0000_0001, 0xFFF8 << 48 | 7])
    values = bits.astype(f"u{dtype.itemsize}").view(dtype)
    assert ENCODE({f"packed_{kind}": values}).endswith(values.tobytes())
    assert ENCODE_MANY({f"one_{kind}": values})[0].endswith(values[:1].tobytes())


def test_bytes_that_are_neither_0_nor_1_are_true() -> None:
    """A view can make a bool of any byte; 0x80 as a varint would swallow what follows."""
    odd = np.array([0, 1, 2, 0x80, 0xFF], np.uint8).view(np.bool_)
    expected = [False, True, True, True, True]
    assert ENCODE({"packed_bool": odd}) == NUMBER.written(packed_bool=expected)
    assert ENCODE({"plain_bool": odd}) == NUMBER.written(plain_bool=expected)
    assert ENCODE_MANY({"one_bool": odd}).to_list() == [NUMBER.written(one_bool=value) for value in expected]
    assert ENCODE_MANY({"maybe_bool": odd}).to_list() == [NUMBER.written(maybe_bool=value) for value in expected]


# ---------------------------------------------------------------------------------------------------------------------
# Conversions


@each_kind
@pytest.mark.parametrize("source", SOURCES)
def test_a_value_of_another_dtype_is_kept_exactly_or_refused_by_name(source: str, kind: str) -> None:
    dtype = np.dtype(DTYPES[kind])
    for value in edges(np.dtype(source)):
        column = np.array([0, 0, value], source)
        if fits(value, dtype):
            for name in (f"packed_{kind}", f"plain_{kind}"):
                _assert_same_number(getattr(NUMBER.read(ENCODE({name: column})), name)[2], value, dtype)
                _assert_same_number(getattr(NUMBER.read(ENCODE({name: [value]})), name)[0], value, dtype)
            name = f"maybe_{kind}"
            _assert_same_number(getattr(NUMBER.read(ENCODE_MANY({name: column})[2]), name), value, dtype)
            _assert_same_number(getattr(NUMBER.read(ENCODE({name: value})), name), value, dtype)
        else:
            _assert_refused(lambda c=column: ENCODE({f"packed_{kind}": c}), f"packed_{kind}[2]", value, kind)
            _assert_refused(lambda c=column: ENCODE_MANY({f"one_{kind}": c}), f"one_{kind}[2]", value, kind)
            if isinstance(value, float) and _is_taken(value, dtype):
                # A float64 alone is one of Python's floats.
                continue
            _assert_refused(lambda c=column: ENCODE({f"packed_{kind}": list(c)}), f"packed_{kind}[2]", value, kind)
            _assert_refused(lambda v=value: ENCODE({f"one_{kind}": v}), f"one_{kind}", value, kind)


@each_kind
def test_pythons_numbers_are_kept_or_refused_by_name(kind: str) -> None:
    """Integers are exact. Floats have no width of their own: a float field's are rounded, unless they are too large."""
    dtype = np.dtype(DTYPES[kind])
    integers = {value.item() for source in ("int64", "uint64") for value in edges(np.dtype(source))} | {2**70, -(2**70)}
    floats = [value.item() for value in edges(np.dtype("float64"))]
    for value in [*integers, *floats, True, False]:
        if _is_taken(value, dtype):
            read = NUMBER.read(ENCODE({f"one_{kind}": value, f"packed_{kind}": [value]}))
            for found in (getattr(read, f"one_{kind}"), getattr(read, f"packed_{kind}")[0]):
                with np.errstate(over="ignore"):
                    _assert_same_number(found, np.asarray(value, dtype)[()], dtype)
        else:
            _assert_refused(lambda v=value: ENCODE({f"packed_{kind}": [0, v]}), f"packed_{kind}[1]", value, kind)
            _assert_refused(lambda v=value: ENCODE({f"one_{kind}": v}), f"one_{kind}", value, kind)
            _assert_refused(lambda v=value: ENCODE_MANY([{}, {f"one_{kind}": v}]), f"one_{kind}[1]", value, kind)


def _is_taken(value: Any, dtype: np.dtype[Any]) -> bool:
    if isinstance(value, float) and dtype.kind == "f":
        with np.errstate(over="ignore"):
            return bool(np.isinf(value) or not np.isinf(dtype.type(value)))
    if isinstance(value, float):
        return fits(np.float64(value), dtype)
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return Fraction(float(dtype.type(float(value)))) == value
    return value in (0, 1) if dtype.kind == "b" else np.iinfo(dtype).min <= value <= np.iinfo(dtype).max


@each_kind
def test_values_under_a_mask_need_not_fit(kind: str) -> None:
    for source in ("int64", "float64"):
        column = np.ma.masked_array(np.array([1, -(2**62) - 2**40], source), [False, True])
        expected = [NUMBER.written(**{f"maybe_{kind}": 1}), b""]
        assert ENCODE_MANY({f"maybe_{kind}": column}).to_list() == expected


def _assert_same_number(found: Any, value: Any, dtype: np.dtype[Any]) -> None:
    if dtype.kind != "f":
        assert found == exact(value)
        return
    assert np.isnan(found) if value != value else found == value
    if value == 0 and isinstance(value, np.floating):
        assert np.signbit(found) == np.signbit(value), "the sign of a zero"


def _assert_refused(encode: Callable[[], Any], place: str, value: Any, kind: str) -> None:
    with pytest.raises(ValueError) as refusal:
        encode()
    pattern = rf"{re.escape(place)} = (\S+) does not fit {kind}(; .*)?"
    found = re.fullmatch(pattern, str(refusal.value))
    assert found, f"{refusal.value} for {value!r}"
    shown = found[1]
    wanted = value.item() if isinstance(value, np.generic) else value
    if isinstance(wanted, float):
        assert float(shown) == wanted or wanted != wanted, refusal.value
    else:
        assert shown == repr(wanted)
