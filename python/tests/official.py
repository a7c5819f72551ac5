"""The official package's view of a schema, with every fact about a field that a comparison needs in one place.

Descriptors answer slowly and differently for fields and extensions; `fields_of` asks once per message type.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

KINDS = {getattr(FieldDescriptor, name): name[5:].lower() for name in dir(FieldDescriptor) if name.startswith("TYPE_")}

DTYPES = {
    "double": np.float64,
    "float": np.float32,
    "int32": np.int32,
    "sint32": np.int32,
    "sfixed32": np.int32,
    "enum": np.int32,
    "int64": np.int64,
    "sint64": np.int64,
    "sfixed64": np.int64,
    "uint32": np.uint32,
    "fixed32": np.uint32,
    "uint64": np.uint64,
    "fixed64": np.uint64,
    "bool": np.bool_,
}


@dataclass(frozen=True)
class OfficialField:
    """A field or extension of a message type, named as wirearray names it."""

    name: str
    descriptor: FieldDescriptor
    kind: str
    dtype: np.dtype[Any] | None
    repeated: bool
    map: bool
    presence: bool
    required: bool

    @property
    def is_message(self) -> bool:
        return self.descriptor.message_type is not None

    def value(self, message: Message) -> Any:
        if self.descriptor.is_extension:
            return message.Extensions[self.descriptor]
        return getattr(message, self.descriptor.name)

    def is_set(self, message: Message) -> bool:
        """Whether a singular field with presence is set."""
        if self.descriptor.is_extension:
            return message.HasExtension(self.descriptor)
        return message.HasField(self.descriptor.name)

    def default(self) -> Any:
        """What an absent singular number, string, or bytes field reads as."""
        return self.descriptor.default_value


def pool_of(descriptor_set: bytes) -> descriptor_pool.DescriptorPool:
    """A pool of its own for one FileDescriptorSet, so that schemas of the same name do not meet."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file:
        pool.Add(file)
    return pool


def message_class(pool: descriptor_pool.DescriptorPool, name: str) -> type[Message]:
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def parse(message: type[Message], data: bytes) -> Message | None:
    """The parsed message, or None where the official package refuses the bytes."""
    try:
        return message.FromString(data)
    except DecodeError:
        return None


@lru_cache(maxsize=4096)
def fields_of(descriptor: Descriptor) -> tuple[OfficialField, ...]:
    """All fields of a message type, then all extensions of it that its pool knows."""
    # Which the pool lists in another order each time.
    extensions = sorted(descriptor.file.pool.FindAllExtensions(descriptor), key=lambda field: field.number)
    named = [(field.name, field) for field in descriptor.fields]
    named += [(f"[{field.full_name}]", field) for field in extensions]
    return tuple(_field(name, field) for name, field in named)


def _field(name: str, field: FieldDescriptor) -> OfficialField:
    kind = KINDS[field.type]
    dtype = DTYPES.get(kind)
    return OfficialField(
        name=name,
        descriptor=field,
        kind=kind,
        dtype=None if dtype is None else np.dtype(dtype),
        repeated=field.is_repeated,
        map=field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry,
        presence=field.has_presence,
        required=field.is_required,
    )


@lru_cache(maxsize=4096)
def oneofs_of(descriptor: Descriptor) -> dict[str, tuple[str, ...]]:
    """The oneofs written in the schema; those that stand for a proto3 `optional` are no oneofs to a user."""
    proto = descriptor_pb2.DescriptorProto()
    descriptor.CopyToProto(proto)
    members: dict[str, list[str]] = {oneof.name: [] for oneof in proto.oneof_decl}
    for field in proto.field:
        if field.HasField("oneof_index") and not field.proto3_optional:
            members[proto.oneof_decl[field.oneof_index].name].append(field.name)
    return {name: tuple(fields) for name, fields in members.items() if fields}
