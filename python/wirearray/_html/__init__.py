"""How notebooks show the package's objects: types, shapes, first and last rows, and a chart of each column's numbers.

A view costs the same time and space whatever the object's size: a few rows, a sample of the numbers, so many columns.
No column is made for being shown.
"""

from __future__ import annotations

from wirearray._core import Field, MessageType, Ragged, Record, Schema, Strings, Table
from wirearray._html import columns, records, schemas
from wirearray._html.style import framed


def schema(shown: Schema) -> str:
    """Show a schema: its message types, each with its fields at a click."""
    return framed(schemas.schema(shown))


def message_type(shown: MessageType) -> str:
    """Show a message type: its fields."""
    return framed(schemas.message_type(shown))


def field(shown: Field) -> str:
    """Show what the schema says of a field."""
    return framed(schemas.field(shown))


def record(shown: Record) -> str:
    """Show one message: each field's value, and what is within it at a click."""
    return framed(records.record(shown))


def table(shown: Table) -> str:
    """Show many messages: the first and last rows, under the columns' types and charts."""
    return framed(columns.table(shown))


def ragged(shown: Ragged) -> str:
    """Show a repeated field: the first and last entries, and charts of their lengths and values."""
    return framed(columns.ragged(shown))


def strings(shown: Strings) -> str:
    """Show strings: the first and last, and a chart of their lengths."""
    return framed(columns.strings(shown))
