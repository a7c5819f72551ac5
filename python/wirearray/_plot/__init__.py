"""Plots of columns and of repeated fields: a panel for each, against rows, values or another column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wirearray._core import Field, Ragged, Record, Table
from wirearray._plot import panels

# More panels than this are too low to read.
_PANELS = 12


def table(shown: Table, names: tuple[str, ...], x: str | None, axes: Any) -> NDArray[Any]:
    """Draw columns of a table."""
    _check_names(names, x)
    against = None if x is None else _numbers(shown, x)
    chosen = names or _with_numbers(shown, x)
    columns = {name: shown[name] if _is_ragged(shown[name]) else _numbers(shown, name) for name in chosen}
    labels = [_label(column, against, x) for column in columns.values()]
    drawn = panels.of(labels, axes)
    for axis, (name, column) in zip(drawn, columns.items(), strict=True):
        panel = panels.Panel(axis, name, _enum(shown, name))
        if isinstance(column, np.ndarray):
            panel.line(column, against)
        else:
            panel.entries(column, against)
    panels.finish(drawn, labels)
    return drawn


def record(shown: Record, names: tuple[str, ...], x: str | None, axes: Any) -> NDArray[Any]:
    """Draw repeated fields of a message."""
    _check_names(names, x)
    against = None if x is None else _values(shown, x)
    chosen = names or _with_values(shown, x)
    fields = {name: _values(shown, name) for name in chosen}
    for name, values in fields.items():
        if against is not None and len(values) != len(against):
            raise ValueError(f"x: {x} has {len(against)} values, and {name} has {len(values)}; plot it by itself")
    labels = [x or "value"] * len(chosen)
    drawn = panels.of(labels, axes)
    for axis, (name, values) in zip(drawn, fields.items(), strict=True):
        panels.Panel(axis, name, _enum(shown, name)).line(values, against)
    panels.finish(drawn, labels)
    return drawn


def _check_names(names: tuple[str, ...], x: str | None) -> None:
    for argument, name in (*(("names", name) for name in names), ("x", "" if x is None else x)):
        if not isinstance(name, str):
            raise TypeError(f"{argument}: expected names or paths of columns, each a str, got {type(name).__name__}")


def _label(column: Any, against: NDArray[Any] | None, x: str | None) -> str:
    """What a column of a table is drawn against."""
    if isinstance(column, Ragged) and panels.are_lines(column, against):
        return "value"
    return x or "row"


def _with_numbers(shown: Table, x: str | None) -> tuple[str, ...]:
    """The columns of numbers that have values; those with one a row first."""
    columns = {name: shown[name] for name in shown._made() if name != x}
    flat = [name for name, column in columns.items() if isinstance(column, np.ndarray)]
    ragged = [name for name, column in columns.items() if _is_ragged(column) and len(column.values)]
    return _checked([*flat, *ragged], shown.message_type.fields, "columns")


def _with_values(shown: Record, x: str | None) -> tuple[str, ...]:
    """The repeated fields of numbers that have values."""
    values = {name: shown[name] for name in shown._made() if name != x}
    found = [name for name, value in values.items() if isinstance(value, np.ndarray) and len(value)]
    return _checked(found, shown.message_type.fields, "repeated fields")


def _checked(found: list[str], fields: Mapping[str, Field], noun: str) -> tuple[str, ...]:
    if not found:
        messages = [name for name, field in fields.items() if field.message]
        hint = f'; name a path to some, as in plot("{messages[0]}.name")' if messages else ""
        raise ValueError(f"there are no {noun} of numbers with values to plot{hint}")
    return tuple(found[:_PANELS])


def _numbers(shown: Table, name: str) -> NDArray[Any]:
    """A column of one number a row, with gaps where it is absent."""
    column = shown[name]
    if not isinstance(column, np.ndarray):
        raise TypeError(f"{name}: expected a column of numbers or times, got {type(column).__name__}")
    try:
        present = shown.present(name)
    except ValueError:
        # The schema does not tell.
        return column
    if present.all() or column.dtype.kind in "mM":
        return column
    return np.where(present, column, np.nan)


def _values(shown: Record, name: str) -> NDArray[Any]:
    values = shown[name]
    if isinstance(values, np.ndarray) and values.ndim == 1:
        return values
    found = "a single number" if isinstance(values, np.generic) else type(values).__name__
    raise TypeError(f"{name}: expected a repeated field of numbers or times, got {found}")


def _is_ragged(column: Any) -> bool:
    return isinstance(column, Ragged) and isinstance(column.values, np.ndarray)


def _enum(shown: Table | Record, name: str) -> Mapping[str, int] | None:
    field = shown.message_type.fields.get(name)
    return None if field is None else field.enum
