"""How the package's objects are pickled: as a schema's descriptor set, the names of types, and arrays.

A schema, and each message type, is in a pickle once, however many objects of it there are. Arrays are left to NumPy,
which hands large ones to picklers that take them out of band without a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

from wirearray import _core
from wirearray._core import Field, MessageType, Ragged, Record, Schema, Strings, Table

_Reduced: TypeAlias = tuple[Callable[..., Any], tuple[Any, ...]]

# Several objects may show one schema. Picklers tell by the object what they have seen; each is found here as long as a
# pickler, or anyone, holds it.
_schemas: WeakValueDictionary[int, Schema] = WeakValueDictionary()
_message_types: WeakValueDictionary[int, MessageType] = WeakValueDictionary()


def reduce_schema(pickled: Schema) -> _Reduced:
    """Take a schema apart."""
    if (shared := _shared_schema(pickled)) is not pickled:
        return same, (shared,)
    return load_schema, (pickled.to_descriptor_set(),)


def reduce_message_type(pickled: MessageType) -> _Reduced:
    """Take a message type apart."""
    if (shared := _shared_message_type(pickled)) is not pickled:
        return same, (shared,)
    paths = tuple(pickled._paths())
    return load_message_type, (_shared_schema(pickled.schema), pickled.name, paths, pickled._is_raw())


def reduce_field(pickled: Field) -> _Reduced:
    """Take a field apart."""
    message_type = pickled._message_type()
    return load_field, (_shared_schema(message_type.schema), message_type.name, pickled.number)


def reduce_table(pickled: Table) -> _Reduced:
    """Take a table apart: its rows, the columns that have been made, and what was said of its messages beside them."""
    beside = (pickled._mcap_state(), pickled._errors_state())
    return load, (_shared_message_type(pickled.message_type), *pickled._state(), *beside)


def reduce_record(pickled: Record) -> _Reduced:
    """Take a record apart: the one row."""
    return load_record, (_shared_message_type(pickled.message_type), *pickled._state())


def reduce_ragged(pickled: Ragged) -> _Reduced:
    """Take a repeated field apart: the entries that it shows."""
    message_type = pickled._message_type()
    return load, (message_type and _shared_message_type(message_type), *pickled._state())


def reduce_strings(pickled: Strings) -> _Reduced:
    """Take strings apart."""
    return load, (None, *pickled._state())


def load_schema(descriptor_set: bytes) -> Schema:
    """Make a schema of what it was taken apart into."""
    return Schema.from_descriptor_set(descriptor_set)


def load_message_type(schema: Schema, name: str, paths: tuple[str, ...], is_raw: bool = False) -> MessageType:
    """Make a message type, with the selection that it had."""
    message_type = schema[name]
    message_type = message_type.select(*paths) if paths else message_type
    return message_type._raw() if is_raw else message_type


def load_field(schema: Schema, name: str, number: int) -> Field:
    """Make a field."""
    for field in schema[name].fields.values():
        if field.number == number:
            return field
    message = f"the pickle is damaged: {name} has no field {number}"
    raise ValueError(message)


def load(message_type: MessageType | None, root: Any, tables: list[Any], mcap: Any = None, errors: Any = None) -> Any:
    """Make a column: a table, a ragged one or strings."""
    return _core._of_state(message_type, root, tables, mcap, errors)


def load_record(message_type: MessageType, root: Any, tables: list[Any]) -> Record:
    """Make a record."""
    return _core._record_of_state(message_type, root, tables)


def same(shared: Any) -> Any:
    """Return what another object stands for."""
    return shared


def _shared_schema(schema: Schema) -> Schema:
    return _schemas.setdefault(schema._identity(), schema)


def _shared_message_type(message_type: MessageType) -> MessageType:
    return _message_types.setdefault(message_type._identity(), message_type)
