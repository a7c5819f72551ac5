"""Random values as a user would pass them: dicts of Python objects and arrays, in the many forms that are taken.

`random_dict` gives the plain values of one message: numbers, strings, lists and dicts, from which the official package
builds it. `disguised` and `as_columns` give the same values in the forms that only wirearray takes.
"""

import random
from typing import Any

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from official import OfficialField, fields_of, oneofs_of
from random_messages import MOST_LEVELS, random_value

Values = dict[str, Any]

# Required messages within required messages need not end; below this level a message stays incomplete.
_LEAST_LEVEL = 10


def random_dict(choose: random.Random, descriptor: Descriptor, level: int = 0) -> Values:
    """Values for about half of the fields, for all required ones, and for one member of each oneof at most."""
    left_out = {name for members in oneofs_of(descriptor).values() for name in set(members) - {choose.choice(members)}}
    fields = [field for field in fields_of(descriptor) if field.name not in left_out]
    choose.shuffle(fields)
    return {
        field.name: _random_field(choose, field, level)
        for field in fields
        if (field.required and level < _LEAST_LEVEL)
        or (choose.random() < 0.5 and not (field.is_message and level >= MOST_LEVELS))
    }


def _random_field(choose: random.Random, field: OfficialField, level: int) -> Any:
    if field.map:
        key, value = (field.descriptor.message_type.fields_by_name[part] for part in ("key", "value"))
        keys = {random_value(choose, key) for _ in range(choose.randint(0, 4))}
        return {key: _random_single(choose, value, level) for key in keys}
    if field.repeated:
        count = choose.randint(0, 100) if level == 0 and not field.is_message and choose.random() < 0.1 else None
        count = choose.randint(0, 4) if count is None else count
        return [_random_single(choose, field.descriptor, level) for _ in range(count)]
    return _random_single(choose, field.descriptor, level)


def _random_single(choose: random.Random, field: FieldDescriptor, level: int) -> Any:
    if field.message_type is not None:
        return random_dict(choose, field.message_type, level + 1)
    return random_value(choose, field)


def build(message: Message, values: Values) -> Message:
    """Set the fields of an official message, one by one."""
    for field in fields_of(message.DESCRIPTOR):
        if field.name in values:
            _set(message, field, values[field.name])
    return message


def _set(message: Message, field: OfficialField, value: Any) -> None:
    if field.map:
        container = field.value(message)
        for key, item in value.items():
            if isinstance(item, dict):
                build(container[key], item)
            else:
                container[key] = item
    elif field.repeated:
        container = field.value(message)
        for item in value:
            if isinstance(item, dict):
                build(container.add(), item)
            else:
                container.append(item)
    elif field.is_message:
        child = field.value(message)
        child.SetInParent()
        build(child, value)
    elif field.descriptor.is_extension:
        message.Extensions[field.descriptor] = value
    else:
        setattr(message, field.descriptor.name, value)


# ---------------------------------------------------------------------------------------------------------------------
# The same values in other forms


def disguised(choose: random.Random, descriptor: Descriptor, values: Values) -> Any:
    """The same message with its values in random forms, and `None` for some that are absent."""
    given = {
        field.name: _disguised_field(choose, field, values[field.name])
        for field in fields_of(descriptor)
        if field.name in values
    }
    for field in fields_of(descriptor):
        if field.name not in values and choose.random() < 0.1:
            given[field.name] = None
    return given


def _disguised_field(choose: random.Random, field: OfficialField, value: Any) -> Any:
    if field.map:
        return _disguised_map(choose, field, value)
    if field.is_message:
        inner = field.descriptor.message_type
        if not field.repeated:
            return disguised(choose, inner, value)
        if choose.random() < 0.5:
            return as_columns(choose, inner, value)
        return [disguised(choose, inner, item) for item in value]
    return _disguised_values(choose, field, value) if field.repeated else _disguised_scalar(choose, field, value)


def _disguised_map(choose: random.Random, field: OfficialField, value: Any) -> Any:
    inner = field.descriptor.message_type.fields_by_name["value"].message_type
    if inner is not None:
        value = {key: disguised(choose, inner, item) for key, item in value.items()}
    return value if choose.random() < 0.7 else [{"key": key, "value": item} for key, item in value.items()]


def _disguised_scalar(choose: random.Random, field: OfficialField, value: Any) -> Any:
    if field.dtype is None:
        return choose.choice((value, bytearray(value))) if isinstance(value, bytes) else value
    if field.kind == "enum" and choose.random() < 0.5:
        return _enum_name(field, value)
    return value if choose.random() < 0.7 else np.array(value, field.dtype)[()]


def _enum_name(field: OfficialField, number: int) -> Any:
    found = field.descriptor.enum_type.values_by_number.get(number)
    return number if found is None else found.name


def _disguised_values(choose: random.Random, field: OfficialField, values: list[Any]) -> Any:
    if field.dtype is None:
        array = np.empty(len(values), object)
        array[:] = values
        return choose.choice((values, array, [*values]))
    if field.kind == "enum" and choose.random() < 0.3:
        return [_enum_name(field, value) for value in values]
    array = np.array(values, field.dtype)
    match choose.randint(0, 6):
        case 0:
            return array.astype(field.dtype.newbyteorder(">"))
        case 1:
            return np.repeat(array, 2)[::2]
        case 2:
            return array[::-1].copy()[::-1]
        case 3 if field.dtype.itemsize < 8:
            return array.astype(f"{'i' if field.dtype.kind in 'iub' else 'f'}8")
        case 4:
            return tuple(values)
        case 5:
            return list(values)
        case _:
            return array


def as_columns(choose: random.Random, descriptor: Descriptor, rows: list[Values]) -> Any:
    """Many messages as a dict of columns; without any value, only a list can say how many messages there are."""
    names = {name for row in rows for name in row}
    columns = {
        field.name: _column(choose, field, [row.get(field.name) for row in rows])
        for field in fields_of(descriptor)
        if field.name in names
    }
    return columns or [disguised(choose, descriptor, row) for row in rows]


def _column(choose: random.Random, field: OfficialField, values: list[Any]) -> Any:
    if field.map:
        return [None if value is None else _disguised_map(choose, field, value) for value in values]
    if field.repeated:
        return _repeated_column(choose, field, values)
    if field.is_message:
        inner = field.descriptor.message_type
        return [None if value is None else disguised(choose, inner, value) for value in values]
    if None in values and field.dtype is not None and choose.random() < 0.5:
        filled = [0 if value is None else value for value in values]
        return np.ma.masked_array(np.array(filled, field.dtype), [value is None for value in values])
    if None in values:
        return [None if value is None else _disguised_scalar(choose, field, value) for value in values]
    return _disguised_values(choose, field, values)


def _repeated_column(choose: random.Random, field: OfficialField, values: list[Any]) -> Any:
    lists = [value or [] for value in values]
    if choose.random() < 0.5:
        return [None if value is None else _disguised_field(choose, field, value) for value in values]
    offsets = np.cumsum([0, *map(len, lists)])
    flat = [item for value in lists for item in value]
    if field.is_message:
        return _disguised_field(choose, field, flat), offsets
    if flat and choose.random() < 0.5:
        # Values before and behind those of the rows.
        flat, offsets = [flat[-1], *flat, flat[0]], offsets + 1
    return _disguised_values(choose, field, flat), offsets.tolist()
