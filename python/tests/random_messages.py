"""Random messages of any type, written by the official package; then legal rearrangements and damage of their bytes."""

import random
import struct
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from official import OfficialField, fields_of
from wire import split_fields

MOST_LEVELS = 4

_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS = (0.0, -0.0, 1.0, -1.5, float("inf"), float("-inf"), float("nan"), 1e-45, 3.4e38)
_DOUBLES = (*_FLOATS, 5e-324, 1.7e308)
_STRINGS = ("", "a", "key", "na\u00efve", "\U0001f600" * 3, "x" * 40, "nul \0 inside", "\uffff", "y" * 130)
_NOT_UTF8 = (b"\xff", b"ab\xc0\x80", b"\xed\xa0\x80", b"x" * 33 + b"\xf5")


def random_message(choose: random.Random, message: type[Message]) -> Message:
    filled = message()
    fill(choose, filled, 0)
    return filled


def fill(choose: random.Random, message: Message, level: int) -> None:
    """Sets each field with even odds; below the last level sub-messages stay out, so that recursion ends."""
    for field in fields_of(message.DESCRIPTOR):
        if choose.random() < 0.5 and not (field.is_message and level >= MOST_LEVELS):
            fill_field(choose, field, message, level)


def fill_field(choose: random.Random, field: OfficialField, message: Message, level: int) -> None:
    if field.map:
        _fill_map(choose, field, field.value(message), level)
    elif field.repeated:
        _fill_repeated(choose, field, field.value(message), level)
    elif field.is_message:
        child = field.value(message)
        child.SetInParent()
        fill(choose, child, level + 1)
    else:
        _set(choose, field, message)


def _set(choose: random.Random, field: OfficialField, message: Message) -> None:
    value = random_value(choose, field.descriptor)
    if field.descriptor.is_extension:
        message.Extensions[field.descriptor] = value
    else:
        setattr(message, field.descriptor.name, value)


def _fill_repeated(choose: random.Random, field: OfficialField, container: Any, level: int) -> None:
    if field.is_message:
        for _ in range(choose.randint(0, 3)):
            fill(choose, container.add(), level + 1)
        return
    # A long run now and then: vector kernels begin at sixteen values or more.
    count = choose.randint(0, 300) if level == 0 and choose.random() < 0.15 else choose.randint(0, 6)
    container.extend(random_value(choose, field.descriptor) for _ in range(count))


def _fill_map(choose: random.Random, field: OfficialField, container: Any, level: int) -> None:
    key_type, value_type = (field.descriptor.message_type.fields_by_name[part] for part in ("key", "value"))
    for _ in range(choose.randint(0, 5)):
        key = random_value(choose, key_type)
        if value_type.message_type is not None:
            fill(choose, container[key], level + 1)
        else:
            container[key] = random_value(choose, value_type)


def random_value(choose: random.Random, field: FieldDescriptor) -> Any:
    """A value of a scalar type: limits and special values often, for that is where decoders go wrong."""
    if field.type == field.TYPE_STRING:
        return choose.choice(_STRINGS)
    if field.type == field.TYPE_BYTES:
        return _random_bytes(choose)
    if field.type == field.TYPE_ENUM:
        return _random_enum(choose, field)
    if field.type == field.TYPE_BOOL:
        return choose.random() < 0.5
    if field.cpp_type == field.CPPTYPE_DOUBLE:
        return choose.choice((*_DOUBLES, struct.unpack("<d", choose.randbytes(8))[0]))
    if field.cpp_type == field.CPPTYPE_FLOAT:
        return choose.choice((*_FLOATS, struct.unpack("<f", choose.randbytes(4))[0]))
    return _random_integer(choose, *_RANGES[field.cpp_type])


def _random_integer(choose: random.Random, low: int, high: int) -> int:
    """Even odds for each varint length, and the ends of the range."""
    if choose.random() < 0.2:
        return choose.choice((0, 1, low, high))
    value = choose.getrandbits(choose.randint(1, 64))
    return max(low, min(high, -value if choose.random() < 0.3 else value))


def _random_enum(choose: random.Random, field: FieldDescriptor) -> int:
    if not field.enum_type.is_closed and choose.random() < 0.3:
        return _random_integer(choose, -(2**31), 2**31 - 1)
    return choose.choice(field.enum_type.values).number


def _random_bytes(choose: random.Random) -> bytes:
    """Mostly text, because a reader may take these bytes for a string."""
    if choose.random() < 0.9:
        return choose.choice(_STRINGS).encode()
    return choose.choice((*_NOT_UTF8, choose.randbytes(choose.randint(1, 20))))


# ---------------------------------------------------------------------------------------------------------------------
# Bytes


def shuffled(choose: random.Random, message: bytes) -> bytes:
    """The same top-level fields in another order: legal, and for repeated fields another message."""
    fields = [field.encoded for field in split_fields(message)]
    choose.shuffle(fields)
    return b"".join(fields)


_TELLING_BYTES = (0x00, 0x01, 0x07, 0x0A, 0x0B, 0x0C, 0x7F, 0x80, 0x81, 0xFF)


def damaged(choose: random.Random, message: bytes) -> bytes:
    """One to three random wounds: flipped bits, telling bytes, cuts, insertions, repetitions."""
    data = bytearray(message)
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        _wound(choose, data)
    return bytes(data)


def _wound(choose: random.Random, data: bytearray) -> None:
    start = choose.randint(0, len(data))
    end = min(len(data), start + choose.randint(1, 12))
    match choose.randint(-4, 5):
        case -4 | -3 | -2 | -1 | 0 if start < len(data):
            data[start] ^= 1 << choose.randint(0, 7)
        case 1 if start < len(data):
            data[start] = choose.choice(_TELLING_BYTES)
        case 2:
            del data[start:]
        case 3:
            del data[start:end]
        case 4:
            data[start:start] = data[start:end]
        case _:
            data[start:start] = choose.randbytes(choose.randint(1, 4))
