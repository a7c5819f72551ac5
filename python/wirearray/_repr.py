"""How the package's objects are shown: names, shapes, dtypes, and the first and last values."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np

from wirearray._core import Field, MessageType, Ragged, Record, Schema, Strings, Table

_WIDTH = 100
_FIELDS = 40


def schema(shown: Schema) -> str:
    """Show a schema: its message types."""
    names = list(shown)
    return _block(f"Schema of {_count(len(names), 'message type')}", names[:_FIELDS], len(names))


def message_type(shown: MessageType) -> str:
    """Show a message type: its fields as the `.proto` has them."""
    fields = list(shown.fields.values())
    return _block(f"MessageType {shown.name}", [_declaration(each) for each in fields[:_FIELDS]], len(fields))


def field(shown: Field) -> str:
    """Show a field as the `.proto` has it."""
    return f"Field {_declaration(shown)}"


def record(shown: Record) -> str:
    """Show one message: each field's value."""
    fields = shown.message_type.fields
    return _block(f"Record {shown.message_type.name}", _lines(shown, fields), len(fields))


def table(shown: Table) -> str:
    """Show many messages: each column's dtype, shape, and first and last values."""
    title = f"Table {shown.message_type.name}, {_count(len(shown), 'row')}"
    fields = shown.message_type.fields
    return _block(title, _lines(shown, fields), len(fields))


def ragged(shown: Ragged) -> str:
    """Show a repeated field: how many values in how many entries."""
    return f"Ragged {_summary(shown)}"


def strings(shown: Strings) -> str:
    """Show strings: how many, the first and the last."""
    return f"Strings {_summary(shown)}"


def _lines(shown: Record | Table, fields: Iterable[str]) -> list[str]:
    names = list(fields)
    width = max((len(name) for name in names[:_FIELDS]), default=0)
    return [f"{name:<{width}}  {_field_summary(shown, name)}" for name in names[:_FIELDS]]


def _field_summary(shown: Record | Table, name: str) -> str:
    """What a field holds. A column that no one asked for is not made for being shown: its first rows stand for all."""
    try:
        if isinstance(shown, Record) or len(shown) <= 6 or name in shown._made():
            return _summary(shown[name])
        return _summary(shown[[0, 1, 2, 3, 4, 5]][name], len(shown))
    except ValueError as error:
        # A time of a caller's own that NumPy cannot hold.
        return f"({error})"


def _summary(value: Any, count: int | None = None) -> str:
    """One line that says what a value is, or a column of `count` entries like it."""
    match value:
        case np.ndarray():
            return f"{value.dtype}[{_len(value, count)}]  {_ends(value, count)}"
        case Strings():
            return f"strings[{_len(value, count)}]  {_ends(value, count)}"
        case Ragged():
            return f"{_len(value, count)} x {_summary_of_values(value)}"
        case Table():
            return f"{value.message_type.name}[{_len(value, count)}]"
        case Record():
            return value.message_type.name
        case None:
            return "None"
        case np.generic():
            return f"{value.dtype}  {value}"
        case str() | bytes():
            return repr(value) if len(value) <= _WIDTH else f"{value[:_WIDTH]!r}... ({len(value):,} long)"
    return repr(value)


def _summary_of_values(value: Ragged) -> str:
    values = value.values
    lengths = value.lengths
    spread = f"{lengths.min()}-{lengths.max()} each" if len(lengths) else "no entries"
    kind = values.dtype if isinstance(values, np.ndarray) else _kind(values)
    return f"{kind}[{len(values)}] ({spread})"


def _kind(values: Strings | Table | Ragged) -> str:
    return values.message_type.name if isinstance(values, Table) else type(values).__name__.lower()


def _len(value: Sized, count: int | None) -> int:
    return len(value) if count is None else count


def _ends(values: np.ndarray[Any, Any] | Strings, count: int | None) -> str:
    """The first and last few values."""
    if _len(values, count) <= 6:
        return f"[{', '.join(_short(value) for value in values)}]"
    first = ", ".join(_short(value) for value in values[:3])
    last = ", ".join(_short(value) for value in values[-2:])
    return f"[{first}, ..., {last}]"


def _short(value: Any) -> str:
    match value:
        case str() | bytes():
            text = repr(value[:25])
        case np.floating():
            text = f"{value:.6g}"
        case np.datetime64():
            # In the coarsest unit that loses nothing, and in full.
            return str(np.datetime_as_string(value, unit="auto"))
        case np.timedelta64() if not np.isnat(value):
            return f"{np.format_float_positional(value / np.timedelta64(1, 's'), trim='-')} s"
        case _:
            text = str(value)
    return text if len(text) <= 24 else f"{text[:20]}..."


def _declaration(shown: Field) -> str:
    kind = shown.message or shown.kind
    label = "map " if shown.map else "repeated " if shown.repeated else ""
    dtype = f"  {shown.dtype}" if shown.dtype is not None else ""
    oneof = f"  oneof {shown.oneof}" if shown.oneof else ""
    return f"{label}{kind} {shown.name} = {shown.number}{dtype}{oneof}"


def _block(title: str, lines: list[str], count: int) -> str:
    """A title and lines below it, of which there would be `count`."""
    shown = [line if len(line) <= 2 * _WIDTH else f"{line[: 2 * _WIDTH]}..." for line in lines]
    if count > len(lines):
        shown.append(f"... and {count - len(lines)} more")
    return "\n  ".join([title, *shown])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
