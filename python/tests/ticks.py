"""A small message type and rows of it, for tests of files and streams."""

import numpy as np
import wirearray as wa
from google.protobuf import descriptor_pb2, text_format

import official

_FILE = """
name: "tick.proto" syntax: "proto3"
message_type {
  name: "Tick"
  field { name: "price" number: 1 type: TYPE_INT64 label: LABEL_OPTIONAL }
  field { name: "symbol" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "values" number: 3 type: TYPE_DOUBLE label: LABEL_REPEATED }
  field { name: "size" number: 4 type: TYPE_INT32 label: LABEL_OPTIONAL proto3_optional: true oneof_index: 0 }
  oneof_decl { name: "_size" }
}
"""
_DESCRIPTORS = text_format.Parse(f"file {{ {_FILE} }}", descriptor_pb2.FileDescriptorSet()).SerializeToString()

Tick = wa.Schema.from_descriptor_set(_DESCRIPTORS)["Tick"]
OfficialTick = official.message_class(official.pool_of(_DESCRIPTORS), "Tick")
FRAMINGS = ["delimited", "tfrecord", "u32be", "u32le", "u64be", "u64le", "grpc"]
COMPRESSIONS = ["", ".gz", ".zst", ".lz4"]


def ticks(count: int, start: int = 0) -> wa.Table:
    """Rows of which the prices count up."""
    numbers = np.arange(start, start + count)
    lengths = numbers % 4
    return wa.Table.of(
        Tick,
        price=numbers,
        symbol=[f"symbol {number % 50}" for number in numbers],
        values=(np.repeat(numbers / 4, lengths), np.append(0, np.cumsum(lengths))),
        size=np.ma.masked_array(numbers.astype(np.int32), mask=numbers % 3 == 0),
    )


def same(one: wa.Table, other: wa.Table) -> bool:
    """Whether two tables hold the same messages."""
    return Tick.encode_many(one).to_list() == Tick.encode_many(other).to_list()
