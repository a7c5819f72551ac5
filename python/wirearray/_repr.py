"""How the package's objects are shown: names, shapes, dtypes, and the first and last values."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import Any

import numpy as np

from wirearray._core import Field, MessageType, Ragged, Record, Schema, Strings, Table

_WIDTH = 100
_FIELDS = 40

# Characters of a string among others.
_TEXT = 24

# A float is shown with so many digits, or with more where it would look like another. All are as many as NumPy shows.
_DIGITS = 6
ALL_DIGITS = 17


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
        if isinstance(shown, Record):
            return f"{_summary(shown[name])}{'  (absent)' if _is_default_only(shown, name) else ''}"
        if len(shown) <= 6 or name in shown._made():
            return _summary(shown[name])
        return _summary(shown[[0, 1, 2, 3, 4, 5]][name], len(shown))
    except MemoryError:
        return "(there is not enough memory to show it)"
    except ValueError as error:
        # A time of a caller's own that NumPy cannot hold.
        return f"({error})"


def _is_default_only(shown: Record, name: str) -> bool:
    """Whether a value stands for one that is absent: it looks like one that someone wrote."""
    return shown.message_type.fields[name].presence and shown[name] is not None and not shown.present(name)


def _summary(value: Any, count: int | None = None) -> str:
    """One line that says what a value is, or a column of `count` entries like it."""
    match value:
        case np.ndarray():
            return f"{value.dtype}[{_len(value, count)}]  {_ends(value, count)}"
        case Strings():
            return f"{_kind(value)}[{_len(value, count)}]  {_ends(value, count)}"
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
    low, high = (lengths.min(), lengths.max()) if len(lengths) else (0, 0)
    spread = f"{low if low == high else f'{low}-{high}'} each" if len(lengths) else "no entries"
    kind = values.dtype if isinstance(values, np.ndarray) else _kind(values)
    return f"{kind}[{len(values)}] ({spread})"


def _kind(values: Strings | Table | Ragged) -> str:
    match values:
        case Table():
            return values.message_type.name
        case Strings():
            return "strings" if values._is_text() else "bytes"
    return "ragged"


def _len(value: Sized, count: int | None) -> int:
    return len(value) if count is None else count


def _ends(values: np.ndarray[Any, Any] | Strings, count: int | None) -> str:
    """The first and last few values."""
    is_whole = _len(values, count) <= 6
    shown = list(values) if is_whole else [*values[:3], *values[-2:]]
    digits = digits_of(shown)
    texts = [short(value, digits) for value in shown]
    return f"[{', '.join(texts if is_whole else [*texts[:3], '...', *texts[3:]])}]"


def digits_of(values: Iterable[Any]) -> int:
    """How many digits tell these values from one another, where they are floats: few, if few do."""
    floats = {value for value in values if isinstance(value, np.floating) and np.isfinite(value)}
    enough = (digits for digits in range(_DIGITS, ALL_DIGITS) if len({short(x, digits) for x in floats}) == len(floats))
    return next(enough, ALL_DIGITS)


def short(value: Any, digits: int = ALL_DIGITS) -> str:
    """A value in a few characters: a float with so many digits, or fewer where those make it up."""
    match value:
        case str() | bytes():
            # As much as there is room for: what is not printable takes several characters.
            text, *cuts = (repr(value[:count]) for count in range(_TEXT, 0, -1))
            return text if len(text) < _TEXT else f"{next(cut for cut in cuts if len(cut) <= _TEXT - 3)}..."
        case np.floating() if digits > _DIGITS and 1e-4 <= abs(value) < 1e16:
            # No digit in front of the point is a zero that stands for another.
            whole = len(str(int(abs(value))))
            return np.format_float_positional(value, max(digits, whole), fractional=False, trim="-")
        case np.floating():
            return min(f"{value:.{digits}g}", str(value).removesuffix(".0"), key=len)
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
