"""Views of columns: tables, repeated fields, strings."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import Any

import numpy as np

from wirearray._core import Field, Ragged, Strings, Table
from wirearray._html import charts
from wirearray._html.cells import cell, default_cell, escaped, full_type_text, joined, short_name, text_of, type_text
from wirearray._html.style import dim, table_of, titled, type_name
from wirearray._repr import ALL_DIGITS, digits_of

_COLUMNS = 16
# Of the first and of the last rows as many.
_ROWS = 5

# Lengths of more entries than this are a sample.
_ENTRIES = 100_000


def table(shown: Table) -> str:
    """The first and last rows, under the columns' types and charts."""
    fields = shown.message_type.fields
    notes = [_count(len(shown), "row"), _count(len(fields), "column")]
    return titled("Table", shown.message_type.name, notes, rows_of(shown))


def rows_of(shown: Table, most_rows: int = _ROWS, most_columns: int = _COLUMNS, *, with_charts: bool = True) -> str:
    """Rows of a table, without a title."""
    fields = list(shown.message_type.fields.values())
    made = set(shown._made())
    chosen = _chosen(fields, made, most_columns)
    columns = [_column_or_fault(shown, field) if field.name in made else None for field in chosen]
    head = ["<th></th>", *(_head(field, column, with_charts) for field, column in zip(chosen, columns, strict=True))]
    indices = list(_ends(len(shown), most_rows))
    digits = [_digits(column, indices) for column in columns]
    rows = []
    for row in indices:
        if row is None:
            rows.append([f'<th class="wa-index">⋮</th>{"<td>⋮</td>" * len(chosen)}'])
            continue
        cells = (_row_cell(*each, row, shown) for each in zip(chosen, columns, digits, strict=True))
        rows.append([f'<th class="wa-index">{row:,}</th>', *cells])
    return table_of(head, rows) + _left_out([field.name for field in fields if field not in chosen])


def ragged(shown: Ragged) -> str:
    """The first and last entries, and charts of their lengths and values."""
    values = shown.values
    kind = _value_kind(values)
    lengths, _ = _lengths(shown)
    notes = [joined((_count(len(shown), "entry", "entries"), _count(len(values), "value"), _spread(shown)))]
    parts = [("values each", charts.histogram(lengths))]
    if isinstance(values, np.ndarray):
        parts.append(("values", charts.histogram(values)))
    rows = []
    for index in _ends(len(shown), _ROWS):
        if index is None:
            rows.append(['<th class="wa-index">⋮</th><td>⋮</td><td>⋮</td>'])
            continue
        entry = shown[index]
        rows.append(
            [f'<th class="wa-index">{index:,}</th>', f'<td class="wa-number">{len(entry):,}</td>', _wide(entry)]
        )
    head = ["<th></th>", f'<th class="wa-number">{dim("values")}</th>', f"<th>{type_name(kind)}</th>"]
    return titled("Ragged", kind, notes, _charts(parts) + table_of(head, rows))


def strings(shown: Strings) -> str:
    """The first and last strings, and a chart of their lengths."""
    lengths, _ = _lengths(shown)
    kind = "string" if shown._is_text() else "bytes"
    rows = [
        ['<th class="wa-index">⋮</th><td>⋮</td>']
        if index is None
        else [f'<th class="wa-index">{index:,}</th>', cell(shown[index])]
        for index in _ends(len(shown), _ROWS)
    ]
    head = ["<th></th>", f"<th>{type_name(kind)}</th>"]
    parts = [("bytes each", charts.histogram(lengths))]
    return titled("Strings", "", [_count(len(shown), "string")], _charts(parts) + table_of(head, rows))


def chart_of(column: Any, field: Field | None = None) -> str:
    """The chart of a column: of its numbers, or of how many messages or strings there are in each entry."""
    match column:
        case np.ndarray():
            return charts.histogram(column, field)
        case Ragged() if isinstance(column.values, np.ndarray):
            return charts.histogram(column.values, field) + dim(_spread(column))
        case Ragged():
            return charts.histogram(_lengths(column)[0]) + dim("each")
    return ""


def _head(field: Field, column: Any, with_charts: bool) -> str:
    chart = chart_of(column, field) if with_charts else ""
    name = f'<div class="wa-name" title="{escaped(field.name)}">{escaped(short_name(field.name))}</div>'
    return f"<th>{name}<div>{type_name(type_text(field), full_type_text(field))}</div>{chart}</th>"


def _digits(column: Any, rows: list[int | None]) -> int:
    """How many digits tell the floats in these rows of a column from one another."""
    return digits_of(column[row] for row in rows if row is not None) if isinstance(column, np.ndarray) else ALL_DIGITS


def _row_cell(field: Field, column: Any, digits: int, row: int, shown: Table) -> str:
    if column is None:
        return default_cell(field)
    if isinstance(column, str):
        return f"<td>{dim(column)}</td>"
    # A number or string that is absent shows its default, as the column does, but not as if someone had written it.
    if field.presence and not isinstance(column, Table):
        try:
            is_present = shown[row : row + 1].present(field.name)[0]
        except MemoryError as error:
            return f"<td>{dim(str(error))}</td>"
        if not is_present:
            return default_cell(field)
    return cell(column[row], field) if isinstance(column, Table) else cell(column[row], field, digits)


def _column_or_fault(shown: Table, field: Field) -> Any:
    """A column, or why it cannot be shown: a time may be out of NumPy's range, or memory run short."""
    try:
        return shown[field.name]
    except (MemoryError, ValueError) as error:
        return str(error)


def _chosen(fields: list[Field], made: set[str], most: int) -> list[Field]:
    """Where there are too many fields, those that have values before others, in the order of the schema."""
    if len(fields) <= most:
        return fields
    first = sorted(fields, key=lambda field: field.name not in made)[:most]
    return [field for field in fields if field in first]


def _left_out(names: list[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(names[:200]) + (", …" if len(names) > 200 else "")
    return f"<details><summary>{dim(f'{len(names):,} more columns')}</summary>{dim(listed)}</details>"


def _ends(count: int, most: int) -> Iterator[int | None]:
    """The first and last numbers up to `count`, with nothing for those between."""
    if count <= 2 * most + 1:
        yield from range(count)
        return
    yield from range(most)
    yield None
    yield from range(count - most, count)


def _lengths(shown: Ragged | Strings) -> tuple[np.ndarray[Any, Any], bool]:
    """How long entries are: of very many those of the first and the last."""
    if len(shown) <= _ENTRIES:
        return shown.lengths, False
    half = _ENTRIES // 2
    return np.concatenate([shown[:half].lengths, shown[-half:].lengths]), True


def _spread(shown: Ragged) -> str:
    """How many values entries have."""
    lengths, is_sampled = _lengths(shown)
    if not len(lengths):
        return ""
    low, high = int(lengths.min()), int(lengths.max())
    return f"{'about ' if is_sampled else ''}{low:,}{f' to {high:,}' if high > low else ''} each"


def _value_kind(values: Any) -> str:
    match values:
        case np.ndarray():
            return str(values.dtype)
        case Table():
            return values.message_type.name
        case Ragged():
            return f"lists of {_value_kind(values.values)}"
    return "string" if values._is_text() else "bytes"


def _wide(entry: Any) -> str:
    return f'<td class="wa-wide">{escaped(text_of(entry))}</td>'


def _charts(parts: list[tuple[str, str]]) -> str:
    shown = "".join(f"<div>{dim(name)}{chart}</div>" for name, chart in parts if chart)
    return f'<div class="wa-charts">{shown}</div>' if shown else ""


def _count(number: int, noun: str, nouns: str = "") -> str:
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def count_of(values: Sized, noun: str) -> str:
    """So many of a noun."""
    return _count(len(values), noun)
