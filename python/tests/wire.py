"""The wire format without a schema: enough to take a message apart, and to know where decoders may rightly differ.

Straight from the specification and slow on purpose; it shares no code with what it tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import Descriptor

from official import OfficialField, fields_of

VARINT, FIXED64, LENGTH_DELIMITED, START_GROUP, END_GROUP, FIXED32 = range(6)

_VARINT_KINDS = {"int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool", "enum"}
_WIRE_TYPES = {
    **dict.fromkeys(_VARINT_KINDS, VARINT),
    **dict.fromkeys(("double", "fixed64", "sfixed64"), FIXED64),
    **dict.fromkeys(("float", "fixed32", "sfixed32"), FIXED32),
    **dict.fromkeys(("string", "bytes", "message"), LENGTH_DELIMITED),
    "group": START_GROUP,
}


class Malformed(ValueError):
    """The bytes are no message: every decoder refuses them."""


class Ambiguous(ValueError):
    """The specification is silent here and established decoders differ: accept and refuse are both right."""


@dataclass(frozen=True)
class WireField:
    """One field as it stands in a message: `encoded` is tag and all, `payload` what a length announces."""

    number: int
    wire_type: int
    encoded: bytes
    payload: bytes
    varint: int

    @property
    def value(self) -> int | bytes:
        return self.varint if self.wire_type == VARINT else self.payload


def write_varint(value: int) -> bytes:
    """The shortest encoding of a number that is not negative."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def write_tag(number: int, wire_type: int) -> bytes:
    return write_varint(number << 3 | wire_type)


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """The number at a position, and the position behind it."""
    value = 0
    for index in range(10):
        if position + index >= len(data):
            raise Malformed("a varint is cut off")
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if index == 9 and byte > 1:
                raise Ambiguous("the tenth byte of a varint has bits beyond the 64th")
            return value, position + index + 1
    raise Malformed("a varint of more than ten bytes")


def split_fields(message: bytes) -> Iterator[WireField]:
    """The top-level fields of a message in wire order; a group is one field."""
    position = 0
    while position < len(message):
        start = position
        number, wire_type, position = _read_tag(message, position)
        varint, payload = 0, b""
        if wire_type == VARINT:
            varint, position = read_varint(message, position)
        elif wire_type == LENGTH_DELIMITED:
            length, position = _read_length(message, position, len(message))
            payload = message[position : position + length]
            position += length
        elif wire_type == START_GROUP:
            position = _scan_fields(message, position, len(message), None, number)
        else:
            position = _skip_fixed(position, len(message), wire_type)
        yield WireField(number, wire_type, message[start:position], payload, varint)


def is_ambiguous(message: bytes, descriptor: Descriptor) -> bool:
    """Whether established decoders differ on these bytes as a message of this type.

    There are four such places: a tenth varint byte above 1, a length of more than five bytes, field number 0 inside
    an unknown group, and a map entry with a field besides its key and value (or one of them with another wire type):
    the official package for Python then keeps the whole entry as an unknown field, its C++, Java, and pure Python
    sisters keep the entry and drop the field. Everything else has one right verdict and value.
    """
    try:
        _scan_fields(message, 0, len(message), descriptor, None)
    except Ambiguous:
        return True
    except Malformed:
        return False
    return False


def _scan_fields(data: bytes, position: int, end: int, descriptor: Descriptor | None, group: int | None) -> int:
    """Walks the fields up to `end`, or up to the end of the group; without a descriptor every field is unknown."""
    fields = {field.descriptor.number: field for field in fields_of(descriptor)} if descriptor else {}
    map_entry = descriptor is not None and descriptor.GetOptions().map_entry
    while position < end:
        number, wire_type, position = _read_tag(data, position, in_unknown_group=descriptor is None)
        if map_entry and (number not in fields or _WIRE_TYPES[fields[number].kind] != wire_type):
            raise Ambiguous("a map entry with an unknown field")
        if wire_type == END_GROUP:
            if number != group:
                raise Malformed("an end of a group that was not open")
            return position
        position = _scan_field(data, position, end, fields.get(number), number, wire_type)
    if group is not None:
        raise Malformed("a group without an end")
    if position > end:
        raise Malformed("a field crosses the end of its message")
    return position


def _scan_field(data: bytes, position: int, end: int, field: OfficialField | None, number: int, wire_type: int) -> int:
    if wire_type == VARINT:
        return read_varint(data[:end], position)[1]
    if wire_type == START_GROUP:
        known = field is not None and field.kind == "group"
        return _scan_fields(data, position, end, field.descriptor.message_type if known else None, number)
    if wire_type != LENGTH_DELIMITED:
        return _skip_fixed(position, end, wire_type)
    length, position = _read_length(data, position, end)
    if field is not None and field.kind == "message":
        _scan_fields(data, position, position + length, field.descriptor.message_type, None)
    elif field is not None and field.repeated and field.kind in _VARINT_KINDS:
        _scan_packed(data[position : position + length])
    return position + length


def _scan_packed(payload: bytes) -> None:
    position = 0
    while position < len(payload):
        _, position = read_varint(payload, position)


def _read_tag(data: bytes, position: int, *, in_unknown_group: bool = False) -> tuple[int, int, int]:
    tag, after = read_varint(data, position)
    if after - position > 5 or tag >= 1 << 32 or tag & 7 > FIXED32:
        raise Malformed("a bad tag")
    if tag >> 3 == 0:
        raise Ambiguous("field number 0 in an unknown group") if in_unknown_group else Malformed("field number 0")
    return tag >> 3, tag & 7, after


def _read_length(data: bytes, position: int, end: int) -> tuple[int, int]:
    length, after = read_varint(data, position)
    if after - position > 5:
        raise Ambiguous("a length of more than five bytes")
    if after + length > end:
        raise Malformed("a length beyond the end")
    return length, after


def _skip_fixed(position: int, end: int, wire_type: int) -> int:
    after = position + (8 if wire_type == FIXED64 else 4)
    if wire_type == END_GROUP or after > end:
        raise Malformed("a fixed-width value beyond the end, or an end of no group")
    return after
