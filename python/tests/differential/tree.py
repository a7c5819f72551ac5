"""Messages as trees of fields, so that a change deep within one leaves the lengths around it right.

Trees are never changed: a new one shares what it has in common with the old one, encoded as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor

from official import OfficialField
from wire import END_GROUP, LENGTH_DELIMITED, START_GROUP, write_tag, write_varint

# Of a node that stands for bytes as they are.
NO_WIRE_TYPE = -1


@dataclass(frozen=True, slots=True)
class Node:
    """A field as it is to be written: `value` is what comes behind tag and length, `inner` the fields within it."""

    encoded: bytes
    number: int = 0
    wire_type: int = NO_WIRE_TYPE
    value: bytes = b""
    field: OfficialField | None = None
    inner: tuple["Node", ...] | None = None
    scope: Descriptor | None = None


def leaf(number: int, wire_type: int, value: bytes, field: OfficialField | None = None) -> Node:
    """A field without fields in it."""
    length = write_varint(len(value)) if wire_type == LENGTH_DELIMITED else b""
    return Node(write_tag(number, wire_type) + length + value, number, wire_type, value, field)


def branch(
    number: int, wire_type: int, inner: Iterable[Node], scope: Descriptor | None, field: OfficialField | None = None
) -> Node:
    """A message or a group, of message type `scope`."""
    inner = tuple(inner)
    value = join(inner)
    encoded = enclosed(number, wire_type, value)
    return Node(encoded, number, wire_type, value, field, inner, scope)


def raw(encoded: bytes) -> Node:
    """Bytes that are no field, or none that could be changed with sense."""
    return Node(encoded)


def join(nodes: Iterable[Node]) -> bytes:
    return b"".join([node.encoded for node in nodes])


def enclosed(number: int, wire_type: int, value: bytes) -> bytes:
    """A message's bytes as a field, behind a length or within a group."""
    if wire_type == START_GROUP:
        return write_tag(number, START_GROUP) + value + write_tag(number, END_GROUP)
    return write_tag(number, wire_type) + write_varint(len(value)) + value


def padded(varint: bytes, length: int) -> bytes:
    """The same number in more bytes, as decoders take it up to the length of their liking."""
    missing = length - len(varint)
    if missing <= 0:
        return varint
    return varint[:-1] + bytes([varint[-1] | 0x80]) + b"\x80" * (missing - 1) + b"\x00"
