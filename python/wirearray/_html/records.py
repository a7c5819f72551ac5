"""Views of one message: each field's value, and what is within it at a click."""

from __future__ import annotations

from typing import Any

import numpy as np

from wirearray._core import Field, Record, Strings, Table
from wirearray._html import charts
from wirearray._html.cells import default_cell, escaped, full_type_text, short_name, text_of, type_text
from wirearray._html.columns import count_of, rows_of
from wirearray._html.style import dim, folded, table_of, titled, type_name
from wirearray._repr import ALL_DIGITS

_FIELDS = 60

# Messages within messages are shown to some levels, and so many of them in all.
_LEVELS = 4
_WITHIN = 40


def record(shown: Record) -> str:
    """Each field's value, and what is within it at a click."""
    notes = [count_of(shown.message_type.fields, "field")]
    return titled("Record", shown.message_type.name, notes, _Within().fields_of(shown, 0))


class _Within:
    """Counts what has been shown of the messages within a message."""

    def __init__(self) -> None:
        self._left = _WITHIN

    def fields_of(self, shown: Record, level: int) -> str:
        """A line for each field: those that have values first, the others in one line below."""
        fields = shown.message_type.fields
        made = [name for name in shown._made() if not _is_absent(shown, fields[name])]
        rows = [self._line(shown, fields[name], level) for name in made[:_FIELDS]]
        absent = [field for name, field in fields.items() if name not in made]
        return (table_of([], rows) if rows else "") + _absent(absent) + _more(made[_FIELDS:])

    def _line(self, shown: Record, field: Field, level: int) -> list[str]:
        try:
            value = shown[field.name]
        except (MemoryError, ValueError) as error:
            value = str(error)
        name = f'<td title="{field.number}"><span class="wa-name">{escaped(short_name(field.name))}</span></td>'
        return [
            name,
            f"<td>{type_name(_type(field, value), full_type_text(field))}</td>",
            self._value(field, value, level),
        ]

    def _value(self, field: Field, value: Any, level: int) -> str:
        text = escaped(text_of(value, field, digits=ALL_DIGITS))
        match value:
            case np.ndarray():
                return f'<td><span class="wa-text">{text}</span>{charts.line(value)}</td>'
            case Record() if self._may_enter(level):
                return f"<td>{folded(text, self.fields_of(value, level + 1))}</td>"
            case Table() if len(value) and self._may_enter(level):
                return f"<td>{folded(escaped(_summary(value, field)), self._messages_of(value, level))}</td>"
            case str() | bytes():
                return f'<td class="wa-wide"><span class="wa-text">{text or dim("empty")}</span></td>'
        return f'<td><span class="wa-text">{text}</span></td>'

    def _messages_of(self, table: Table, level: int) -> str:
        """What is in repeated messages: a line for each, or for each field of the only one."""
        only = table[0] if len(table) == 1 else None
        return rows_of(table, 3, 10) if only is None else self.fields_of(only, level + 1)

    def _may_enter(self, level: int) -> bool:
        self._left -= 1
        return level == 0 or (level < _LEVELS and self._left >= 0)


def _summary(value: Table, field: Field) -> str:
    noun = ("entry", "entries") if field.map else ("message", "messages")
    return f"{len(value):,} {noun[len(value) > 1]}"


def _is_absent(shown: Record, field: Field) -> bool:
    if field.repeated:
        return len(shown[field.name]) == 0
    return field.presence and not shown.present(field.name)


def _type(field: Field, value: Any) -> str:
    text = type_text(field)
    if isinstance(value, np.ndarray):
        return f"{value.dtype}[{len(value):,}]"
    if isinstance(value, Strings):
        return f"{text}[{len(value):,}]"
    return text


def _absent(fields: list[Field]) -> str:
    """Fields without a value, with what stands for them at a click."""
    if not fields:
        return ""
    rows = [
        [
            f"<td>{dim(short_name(field.name))}</td>",
            f"<td>{type_name(type_text(field))}</td>",
            default_cell(field),
        ]
        for field in fields[:_FIELDS]
    ]
    names = ", ".join(short_name(field.name) for field in fields[:6])
    summary = dim(f"{len(fields):,} without a value: {names}{', …' if len(fields) > 6 else ''}")
    return folded(summary, table_of([], rows) + _more([field.name for field in fields[_FIELDS:]]))


def _more(names: list[str]) -> str:
    return dim(f"… and {len(names):,} more") if names else ""
