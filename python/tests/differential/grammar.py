"""Random fields for a message type, written without an encoder: all forms that the wire format has.

Times are mostly within range, so that a schema with some is not refused all the time.
"""

import random
import struct
from collections.abc import Sequence
from functools import lru_cache

from google.protobuf.descriptor import Descriptor

from differential.tree import Node, branch, leaf
from official import OfficialField, fields_of, oneofs_of
from random_messages import _NOT_UTF8 as NOT_UTF8
from random_messages import _STRINGS as STRINGS
from random_schema import UNKNOWN_NUMBERS
from wire import FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT, write_varint

MOST_LEVELS = 4

_DOUBLES = (0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf"), float("nan"), 5e-324, 1.7e308)
_FLOATS = (0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf"), float("nan"), 1e-45, 3.4e38)
_MANY = (0, 1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 65, 130, 300)
_SECONDS = (0, 1, -1, 5, 1_700_000_000, -62_135_596_800, 9_223_372_036, 9_223_372_037, -9_223_372_037, -9_223_372_036)
_NANOS = (0, 1, -1, 999_999_999, 1_000_000_000, 854_775_807, 854_775_808, 145_224_192, 145_224_193, -854_775_807)

TIMES = ("google.protobuf.Timestamp", "google.protobuf.Duration")


@lru_cache(maxsize=1024)
def grammar_of(descriptor: Descriptor) -> "Grammar":
    return Grammar(descriptor)


class Grammar:
    """What may stand in messages of one type."""

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.fields = fields_of(descriptor)
        self.by_number = {field.descriptor.number: field for field in self.fields}
        self.is_message_set = descriptor.GetOptions().message_set_wire_format
        self.is_map_entry = descriptor.GetOptions().map_entry
        names = {field.name: field for field in self.fields}
        self.oneofs = [[names[name] for name in members] for members in oneofs_of(descriptor).values()]
        self.numbers = (*self.by_number, *UNKNOWN_NUMBERS, 1, 2, 3)

    def nodes(self, choose: random.Random, level: int = 0) -> tuple[Node, ...]:
        """A few fields, now and then many."""
        if self.is_map_entry:
            return tuple(
                node for field in self.fields if choose.random() < 0.9 for node in field_nodes(choose, field, level)
            )
        if not self.fields:
            return ()
        count = choose.randint(0, 8) if level == 0 else choose.randint(0, 4)
        found: list[Node] = []
        for _ in range(count):
            found += self.some(choose, level)
        return tuple(found)

    def some(self, choose: random.Random, level: int) -> Sequence[Node]:
        """One field at random, several times where it is repeated."""
        if not self.fields or choose.random() < 0.06:
            return [unknown_node(choose, choose.choice(self.numbers))]
        field = choose.choice(self.fields)
        return [message_set_item(choose, field, level)] if self.is_message_set else field_nodes(choose, field, level)


def field_nodes(choose: random.Random, field: OfficialField, level: int) -> Sequence[Node]:
    """A field in one of its legal forms."""
    if field.is_message:
        return [_message_node(choose, field, level) for _ in range(choose.randint(1, 3) if field.repeated else 1)]
    if field.repeated and wire_type_of(field) != LENGTH_DELIMITED and choose.random() < 0.5:
        return [packed_node(choose, field, choose.randint(0, 6))]
    return [scalar_node(choose, field) for _ in range(choose.randint(1, 4) if field.repeated else 1)]


def wire_type_of(field: OfficialField) -> int:
    """How single values of a field are written."""
    match field.kind:
        case "double" | "fixed64" | "sfixed64":
            return FIXED64
        case "float" | "fixed32" | "sfixed32":
            return FIXED32
        case "string" | "bytes" | "message":
            return LENGTH_DELIMITED
        case "group":
            return START_GROUP
        case _:
            return VARINT


def scalar_node(choose: random.Random, field: OfficialField) -> Node:
    return leaf(field.descriptor.number, wire_type_of(field), scalar(choose, field), field)


def packed_node(choose: random.Random, field: OfficialField, count: int) -> Node:
    values = b"".join([scalar(choose, field) for _ in range(count)])
    return leaf(field.descriptor.number, LENGTH_DELIMITED, values, field)


def long_run(choose: random.Random, field: OfficialField) -> Sequence[Node]:
    """Long enough for kernels that take many values at a time, of one width or of all."""
    count = choose.choice(_MANY)
    if choose.random() < 0.4:
        return [packed_node(choose, field, count)]
    if choose.random() < 0.5:
        return [scalar_node(choose, field)] * count
    return [scalar_node(choose, field) for _ in range(count)]


def scalar(choose: random.Random, field: OfficialField) -> bytes:
    """The bytes of one value, behind tag and length."""
    match field.kind:
        case "double":
            return struct.pack("<d", choose.choice(_DOUBLES)) if choose.random() < 0.5 else choose.randbytes(8)
        case "float":
            return struct.pack("<f", choose.choice(_FLOATS)) if choose.random() < 0.5 else choose.randbytes(4)
        case "fixed64" | "sfixed64":
            return choose.randbytes(8)
        case "fixed32" | "sfixed32":
            return choose.randbytes(4)
        case "string":
            return choose.choice(STRINGS).encode()
        case "bytes":
            return choose.choice(STRINGS).encode() if choose.random() < 0.7 else choose.choice(NOT_UTF8)
        case "bool":
            return b"\x01" if choose.random() < 0.5 else b"\x00"
        case "enum" if choose.random() < 0.8:
            return write_varint(choose.choice(field.descriptor.enum_type.values).number & _ALL_ONES)
    if field.descriptor.containing_type.full_name in TIMES and choose.random() < 0.98:
        common = choose.random() < 0.9
        numbers = _SECONDS if field.kind == "int64" else _NANOS
        return write_varint((numbers[choose.randint(0, 1)] if common else choose.choice(numbers)) & _ALL_ONES)
    return varint(choose)


_ALL_ONES = (1 << 64) - 1


def varint(choose: random.Random) -> bytes:
    """Every length has even odds."""
    return write_varint(choose.getrandbits(choose.randint(1, 64)))


def unknown_node(choose: random.Random, number: int, wire_type: int | None = None) -> Node:
    """A field that needs no schema: that of another wire type where the number is known."""
    wire_type = (
        choose.choice((VARINT, FIXED64, LENGTH_DELIMITED, START_GROUP, FIXED32)) if wire_type is None else wire_type
    )
    match wire_type:
        case 0:
            return leaf(number, VARINT, varint(choose))
        case 1:
            return leaf(number, FIXED64, choose.randbytes(8))
        case 2:
            return leaf(number, LENGTH_DELIMITED, choose.choice(STRINGS).encode())
        case 3:
            inner = [unknown_node(choose, choose.choice(UNKNOWN_NUMBERS)) for _ in range(choose.choice((0, 0, 1, 2)))]
            return branch(number, START_GROUP, inner, None)
        case _:
            return leaf(number, FIXED32, choose.randbytes(4))


def message_set_item(choose: random.Random, field: OfficialField, level: int) -> Node:
    """An item of an old message set; its parts in either order, one missing or double now and then."""
    extension = choose.random() < 0.8
    number = field.descriptor.number if extension else choose.choice(UNKNOWN_NUMBERS)
    inner = grammar_of(field.descriptor.message_type).nodes(choose, level + 1) if extension else ()
    parts = [leaf(2, VARINT, write_varint(number)), branch(3, LENGTH_DELIMITED, inner, field.descriptor.message_type)]
    if choose.random() < 0.3:
        parts = choose.choices(parts, k=choose.randint(0, 4))
    return branch(1, START_GROUP, parts, None)


def _message_node(choose: random.Random, field: OfficialField, level: int) -> Node:
    scope = field.descriptor.message_type
    inner = grammar_of(scope).nodes(choose, level + 1) if level < MOST_LEVELS else ()
    return branch(field.descriptor.number, wire_type_of(field), inner, scope, field)
