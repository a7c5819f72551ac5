"""Columns as NumPy's arrays, beyond the flat ones that they are made of: padded, structured, of two dimensions.

`array_of_...` are what ``numpy.asarray`` calls. Its `copy` is ``True`` for an array of the caller's own, ``False`` for
the column's memory or an error, and ``None`` for whichever is cheaper.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirearray._core import Ragged, Strings, Table

_Array = NDArray[Any]


def padded(ragged: Ragged, fill: Any, width: Any) -> _Array:
    """Return entries in an array of two dimensions, filled up behind their values."""
    values = _flat_values(ragged)
    lengths = ragged.lengths
    longest = int(lengths.max(initial=0))
    width = longest if width is None else _checked_width(width, lengths, longest)
    array = _filled((len(ragged), width), values, fill)
    if len(values) == array.size:
        array[...] = values.reshape(array.shape)
    else:
        array[np.arange(width) < lengths[:, None]] = values
    return array


def structured(table: Table) -> _Array:
    """Return rows in a structured array."""
    columns = {name: _flat_column(table, name) for name in table.message_type.fields}
    rows = np.empty(len(table), [(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


def array_of_ragged(ragged: Ragged, dtype: Any, copy: bool | None) -> _Array:
    """Return entries that are equally long as rows."""
    lengths = ragged.lengths
    width = int(lengths[0]) if len(lengths) else 0
    if np.any(lengths != width):
        message = (
            f"the entries have {lengths.min()} to {lengths.max()} values, and an array has as many in each row: use "
            "to_padded(), to_awkward() or to_list(), or .values with .offsets"
        )
        raise ValueError(message)
    values = np.asarray(ragged.values, dtype, copy=copy)
    return values.reshape(len(ragged), width, *values.shape[1:])


def array_of_strings(strings: Strings, dtype: Any, copy: bool | None) -> _Array:
    """Return strings, of another dtype where one is asked for."""
    _check_copy(copy, "strings")
    if dtype is None:
        dtype = np.dtypes.StringDType() if strings._is_text() else object
    try:
        return np.array(strings.to_list(), dtype)
    except UnicodeEncodeError as error:
        index = next(index for index, string in enumerate(strings) if string == error.object)
        message = f"string {index} is not UTF-8, which {dtype} cannot hold; numpy.asarray(strings, object) can"
        raise ValueError(message) from error


def equal_strings(strings: Strings, other: Any, wanted: bool) -> Any:
    """Return which strings are equal to one or to their counterparts, or which are not."""
    if isinstance(other, str if strings._is_text() else bytes):
        try:
            equal = strings._are(other.encode("utf-8", "surrogateescape") if isinstance(other, str) else other)
        except UnicodeEncodeError:
            equal = np.zeros(len(strings), np.bool_)
    elif isinstance(other, Strings | np.ndarray | list | tuple):
        equal = np.asarray(strings, object) == np.asarray(other, object)
    else:
        return NotImplemented
    return equal if wanted else ~equal


def array_of_table(table: Table, dtype: Any, copy: bool | None) -> _Array:
    """Return rows in a structured array."""
    _check_copy(copy, "the rows of a table")
    rows = structured(table)
    return rows if dtype is None else rows.astype(dtype, copy=False)


def _check_copy(copy: bool | None, what: str) -> None:
    if copy is False:
        raise ValueError(f"copy=False: {what} are not in memory as NumPy has them, so that an array of them is a copy")


def _flat_values(ragged: Ragged) -> _Array:
    """The values of a repeated field that are no messages."""
    match ragged.values:
        case Strings() as strings:
            return strings.to_numpy()
        case Table() as table:
            name = table.message_type.name
            hint = f'pad a field of them, as in ragged["{next(iter(table.keys()), "name")}"].to_padded()'
            raise TypeError(f"the values are messages of the type {name}: {hint}, or use to_awkward()")
        case Ragged():
            raise TypeError("the values are themselves repeated: pad .values, or use to_awkward()")
        case values:
            array: _Array = values
            return array


def _checked_width(width: Any, lengths: _Array, longest: int) -> int:
    try:
        width = operator.index(width)
    except TypeError:
        raise TypeError(f"width: expected an int, got {type(width).__name__}") from None
    if width < 0:
        raise ValueError(f"width: expected 0 or more, got {width}")
    if longest > width:
        row = int(np.argmax(lengths > width))
        hint = f"pass width={longest}, or cut them off with to_padded()[:, :{width}]"
        raise ValueError(f"width: entry {row} has {lengths[row]} values, more than {width}; {hint}")
    return int(width)


def _filled(shape: tuple[int, int], values: _Array, fill: Any) -> _Array:
    """An array of what stands where there are no values."""
    kind = values.dtype.kind
    if kind in "OT":
        expected = bytes if kind == "O" else str
        fill = expected() if fill is None else fill
        if not isinstance(fill, expected):
            raise TypeError(f"fill: the values are {expected.__name__}, got {type(fill).__name__}")
    elif fill is None:
        fill = np.array("NaT" if kind in "mM" else 0, values.dtype)
    else:
        fill = _fitting(fill, values.dtype)
    return np.full(shape, fill, values.dtype)


def _fitting(fill: Any, dtype: np.dtype[Any]) -> _Array:
    """The number to fill up with, where it is one of the dtype."""
    with np.errstate(all="ignore"):
        try:
            given = np.asarray(fill)
            converted = given.astype(dtype)
            fits = given.ndim == 0 and bool(dtype.kind == "f" or given == converted or converted != converted)
        except (TypeError, ValueError, OverflowError):
            fits = False
    if not fits:
        raise ValueError(f"fill: {fill!r} does not fit {dtype}, which the values are")
    return converted


def _flat_column(table: Table, name: str) -> _Array:
    """A column that has one number or string a row."""
    field = table.message_type.fields[name]
    column = table[name]
    if isinstance(column, Strings):
        return np.array(column.to_list(), object)
    if isinstance(column, np.ndarray):
        return column
    kind = "a map" if field.map else "repeated" if field.repeated else f"a message of the type {field.message}"
    raise TypeError(
        f"a structured array has one number or string a row and column, and {name} is {kind}: leave it out with "
        f'select(...), or convert table["{name}"] by itself'
    )
