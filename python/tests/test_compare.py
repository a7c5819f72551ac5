"""The comparison must be able to fail: one changed value anywhere in a message has to be noticed."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import wirearray as wa
from google.protobuf.message import Message

import official
from compare import assert_same, assert_same_record, assert_same_table
from official import OfficialField, fields_of
from random_messages import fill_field, random_message
from random_schema import random_schema


def test_the_comparison_notices_a_changed_message() -> None:
    noticed = 0
    for message_type, message, changed in _pairs():
        data = message.SerializePartialToString()
        record, table = message_type.decode(data), message_type.decode_many([b"", data])
        other = message_type.decode(changed.SerializePartialToString())
        assert_same(record, message)
        assert_same_table(table, [type(message)(), message])
        assert_same_record(record, message_type.decode(data))
        for check in (
            lambda record=record, changed=changed: assert_same(record, changed),
            lambda table=table, changed=changed: assert_same_table(table, [type(changed)(), changed]),
            lambda record=record, other=other: assert_same_record(record, other),
        ):
            with pytest.raises(AssertionError):
                check()
        noticed += 1
    assert noticed > 50


def _pairs() -> Iterator[tuple[Any, Message, Message]]:
    """Random messages, each with a copy in which one field somewhere differs."""
    for number in range(100):
        choose = random.Random(f"compare {number}")
        schema = random_schema(choose)
        reader = official.message_class(official.pool_of(schema.reader), schema.root)
        message = random_message(choose, reader)
        changed = reader()
        changed.CopyFrom(message)
        _change(choose, changed)
        if _text(message) != _text(changed):
            yield wa.Schema.from_descriptor_set(schema.reader)[schema.root], message, changed


def _text(message: Message) -> bytes:
    return message.SerializePartialToString(deterministic=True)


def _change(choose: random.Random, message: Message) -> None:
    """Refills one field, of a sub-message where there is one: the deepest places are the easiest to forget."""
    children = [child for field in fields_of(message.DESCRIPTOR) for child in _children(field, message)]
    if children and choose.random() < 0.8:
        _change(choose, choose.choice(children))
        return
    field = choose.choice(fields_of(message.DESCRIPTOR))
    if field.descriptor.is_extension:
        message.ClearExtension(field.descriptor)
    else:
        message.ClearField(field.descriptor.name)
    if choose.random() < 0.8:
        fill_field(choose, field, message, level=2)


def _children(field: OfficialField, message: Message) -> list[Message]:
    if not field.is_message:
        return []
    if field.map:
        values = field.value(message).values()
        return [value for value in values if isinstance(value, Message)]
    if field.repeated:
        return list(field.value(message))
    return [field.value(message)] if field.is_set(message) else []
