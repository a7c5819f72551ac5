"""The message types of the benchmark, built once as descriptors and given to every package alike."""

from functools import lru_cache
from pathlib import Path

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import Message

TIMESERIES_PROTO = Path(__file__).with_name("timeseries.proto")

# name -> type of each field, numbered from 1. "[]" is repeated, "packed" and "unpacked" say how it is written.
TYPES: dict[str, dict[str, str]] = {
    "TimeSeries": {"times": "unpacked double", "values": "unpacked double"},
    "PackedSeries": {"times": "packed double", "values": "packed double"},
    "Bundle": {"series": "[] TimeSeries"},
    "PackedBundle": {"series": "[] PackedSeries"},
    "Integers": {"values": "packed int64"},
    "UnpackedIntegers": {"values": "unpacked int64"},
    "Flags": {"values": "packed bool"},
    "Line": {"coordinates": "packed sint64"},
    "Lines": {"lines": "[] Line"},
    "Point": {"x": "double", "y": "double"},
    "Points": {"points": "[] Point"},
    "Reading": {"sensor": "int64", "state": "uint32", "time": "double", "samples": "packed double"},
    "Row": {"id": "int64", "price": "double", "count": "int32", "name": "string"},
    "Names": {"names": "[] string"},
}
PACKAGE = "timeseries"


def file_descriptor() -> FileDescriptorProto:
    """All types in one proto2 file; `TimeSeries` is the one of `timeseries.proto`."""
    file = FileDescriptorProto(name="bench.proto", package=PACKAGE, syntax="proto2")
    for name, fields in TYPES.items():
        message = file.message_type.add(name=name)
        for number, (field, spelling) in enumerate(fields.items(), start=1):
            _fill(message.field.add(name=field, number=number), spelling)
    return file


def _fill(field: FieldDescriptorProto, spelling: str) -> None:
    *prefix, kind = spelling.split()
    field.label = FieldDescriptorProto.LABEL_REPEATED if prefix else FieldDescriptorProto.LABEL_OPTIONAL
    if prefix and prefix[0] != "[]":
        field.options.packed = prefix[0] == "packed"
    if kind in TYPES:
        field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    else:
        field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")


def descriptor_set() -> bytes:
    return FileDescriptorSet(file=[file_descriptor()]).SerializeToString()


@lru_cache
def message_class(name: str) -> type[Message]:
    """The official package's class of a type, made without protoc."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@lru_cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file_descriptor())
    return pool
