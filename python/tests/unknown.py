"""Equality of unknown fields: wirearray against the official package, message by message, byte for byte.

The official package for Python (upb) keeps them as they were written, but for two sorts, which it writes anew: entries
of maps whose value a closed enum does not know, and items of old message sets. Those are compared as it would write
ours.
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from compare import as_list, official_map
from official import fields_of
from wire import LENGTH_DELIMITED, split_fields


def assert_same_unknown(record: Any, message: Message, path: str = "") -> None:
    """A `Record` that kept its unknown fields has those of the official message, and so has each message within it."""
    assert_same_bytes(record.unknown_fields, message, path)
    for name, child, expected in children(record, message):
        assert_same_unknown(child, expected, f"{path}.{name}")


def assert_same_bytes(unknown: bytes, message: Message, path: str = "") -> None:
    """The unknown fields of one message, those of messages within it apart."""
    expected = unknown_fields(message)
    if unknown != expected and _has_rewritten(unknown, message.DESCRIPTOR):
        again = type(message).FromString(unknown)
        assert not again.ListFields(), f"{path}: known fields among {unknown.hex(' ')}"
        unknown = unknown_fields(again)
    assert unknown == expected, f"{path}: unknown {unknown.hex(' ')}, not {expected.hex(' ')}"


def unknown_fields(message: Message) -> bytes:
    """What the official package would write of a message without its known fields."""
    rest = type(message)()
    rest.CopyFrom(message)
    for field, _ in rest.ListFields():
        if field.is_extension:
            rest.ClearExtension(field)
        else:
            rest.ClearField(field.name)
    found = rest.SerializePartialToString()
    # It lists the fields of message sets in a way of its own: items alone.
    assert bool(len(UnknownFieldSet(message))) == bool(found) or _is_message_set(message.DESCRIPTOR)
    return found


def children(record: Any, message: Message) -> Iterator[tuple[str, Any, Message]]:
    """The messages directly within a message, in the view of both sides."""
    for field in fields_of(message.DESCRIPTOR):
        if not field.is_message:
            continue
        ours, theirs = record[field.name], field.value(message)
        if field.map:
            if field.descriptor.message_type.fields_by_name["value"].message_type is not None:
                theirs = official_map(message, field)
                for key, value in zip(as_list(ours["key"]), ours["value"], strict=True):
                    yield f"{field.name}[{key!r}]", value, theirs[key]
        elif field.repeated:
            for index, expected in enumerate(theirs):
                yield f"{field.name}[{index}]", ours[index], expected
        elif field.is_set(message):
            yield field.name, ours, theirs


def _has_rewritten(unknown: bytes, descriptor: Descriptor) -> bool:
    maps = {field.descriptor.number for field in fields_of(descriptor) if field.map}
    fields = split_fields(unknown)
    is_entry = any(field.number in maps and field.wire_type == LENGTH_DELIMITED for field in fields)
    return is_entry or _is_message_set(descriptor)


def _is_message_set(descriptor: Descriptor) -> bool:
    return bool(descriptor.GetOptions().message_set_wire_format)
