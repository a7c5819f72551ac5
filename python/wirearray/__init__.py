"""Protocol Buffers bytes to NumPy arrays, at the speed of memory.

>>> import wirearray as wa
>>> schema = wa.Schema.from_source('syntax = "proto3"; message Series { repeated double times = 1; }')
>>> record = schema["Series"].decode(b"\\x0a\\x08\\0\\0\\0\\0\\0\\0\\xf0\\x3f")
>>> record["times"]
array([1.])
"""

from wirearray._core import (
    ArrowTable,
    Field,
    MessageType,
    Ragged,
    Record,
    Scan,
    Schema,
    Strings,
    Table,
    Writer,
    __version__,
    mcap_topics,
    schema_ids,
)
from wirearray._errors import DecodeError, SchemaError
from wirearray._message_type import message_type
from wirearray._sources import Partition

__all__ = [
    "ArrowTable",
    "DecodeError",
    "Field",
    "MessageType",
    "Partition",
    "Ragged",
    "Record",
    "Scan",
    "Schema",
    "SchemaError",
    "Strings",
    "Table",
    "Writer",
    "__version__",
    "mcap_topics",
    "message_type",
    "schema_ids",
]
