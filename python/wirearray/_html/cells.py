"""Values as short texts that are safe in HTML, whatever the data say."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

import numpy as np

from wirearray import _repr
from wirearray._core import Field, Ragged, Record, Strings, Table

# A cell is a glimpse: more characters than this, or more values, are not read.
_CHARACTERS = 60
_VALUES = 4

# A float within a message has so many digits: enough for the seconds of a time.
_DIGITS = 10


def escaped(text: str) -> str:
    """Text for HTML: markup is shown, and so are characters that would change how what follows is shown."""
    return html.escape("".join(map(_printable, text)))


def cell(value: Any, field: Field | None = None, digits: int = _DIGITS) -> str:
    """The table cell of a value of a field; a float has so many digits."""
    if value is None or (isinstance(value, str | bytes) and not value):
        return f'<td><span class="wa-dim">{"absent" if value is None else "empty"}</span></td>'
    return f"<td{_sort(value, field)}>{escaped(text_of(value, field, digits=digits))}</td>"


def default_cell(field: Field) -> str:
    """The table cell of a field that holds no value."""
    return f'<td{_sort(field.default, field)}><span class="wa-dim">{escaped(default_text(field))}</span></td>'


def text_of(value: Any, field: Field | None = None, levels: int = 2, digits: int = _DIGITS) -> str:
    """A short text that stands for a value; messages within messages are shown to some levels."""
    match value:
        case None:
            return "absent"
        case str():
            return _cut(value)
        case bytes():
            return repr(value) if len(value) <= 16 else f"{value[:16]!r}… ({len(value):,} bytes)"
        case np.ndarray() | Strings() | Ragged():
            return _list_text(value, field, levels)
        case Table():
            return _table_text(value, levels)
        case Record():
            return _record_text(value, levels)
    name = _enum_name(field, value)
    return _repr.short(value, digits) if name is None else name


def default_text(field: Field) -> str:
    """What stands in a column that holds no value."""
    if field.repeated:
        return "none"
    if field.default is None:
        return "absent"
    return text_of(field.default, field) if isinstance(field.default, np.generic) or field.default else "empty"


def type_text(field: Field) -> str:
    """What a field holds, in short: a dtype, or what else its kind is, or the last part of a message's name."""
    if field.map:
        return "map"
    name = field.kind if field.dtype is None or field.enum else str(field.dtype)
    if field.message:
        name = field.message.rpartition(".")[2]
    return f"repeated {name}" if field.repeated else name


def full_type_text(field: Field) -> str:
    """The same, as the `.proto` has it."""
    return f"{'map ' if field.map else 'repeated ' if field.repeated else ''}{field.message or field.kind}"


def _sort(value: Any, field: Field | None) -> str:
    """The class of a number's cell."""
    is_number = isinstance(value, np.generic) and value.dtype.kind != "b" and not (field is not None and field.enum)
    return ' class="wa-number"' if is_number else ""


def _list_text(values: Any, field: Field | None, levels: int) -> str:
    if not len(values):
        return "[]"
    digits = _repr.digits_of(values[:_VALUES])
    shown = [_within(value, field, levels - 1, digits) for value in values[:_VALUES]]
    return f"[{', '.join(shown)}]" if len(values) <= _VALUES else f"[{', '.join(shown)}, …] ({len(values):,})"


def _table_text(table: Table, levels: int) -> str:
    if len(table) == 1 and levels > 0 and table[0] is not None:
        return f"[{_record_text(table[0], levels - 1)}]"
    if table.message_type.name.endswith("Entry"):
        return f"{len(table):,} {'entry' if len(table) == 1 else 'entries'}" if len(table) else "[]"
    return f"{len(table):,} x {table.message_type.name.rpartition('.')[2]}" if len(table) else "[]"


def _record_text(record: Record | None, levels: int) -> str:
    if record is None:
        return "absent"
    if levels <= 0:
        return "{…}"
    fields = record.message_type.fields
    # A field that was never made has its default, and is not made for being shown.
    made = [name for name in record._made() if not (fields[name].presence and not record.present(name))]
    shown = [f"{short_name(name)}: {_within(record[name], fields[name], levels - 1)}" for name in made[:_VALUES]]
    return f"{{{', '.join([*shown, '…'] if len(made) > _VALUES else shown)}}}"


def _within(value: Any, field: Field | None, levels: int, digits: int = _DIGITS) -> str:
    """A short text of a value among others: strings have their quotes."""
    return repr(_cut(value)) if isinstance(value, str) else text_of(value, field, levels, digits)


def short_name(name: str) -> str:
    """A field's name: an extension's without its package."""
    return f"[{name[1:-1].rpartition('.')[2]}]" if name.startswith("[") else name


def _enum_name(field: Field | None, value: Any) -> str | None:
    if field is None or field.enum is None:
        return None
    return next((name for name, number in field.enum.items() if number == value), None)


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}… ({len(text):,})"


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()


def joined(texts: Iterable[str]) -> str:
    """Several notes in one line."""
    return " · ".join(text for text in texts if text)
