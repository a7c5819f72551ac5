"""Equality of decoded data, field by field: wirearray against the official package, and wirearray against itself.

`assert_same` and `assert_same_table` compare *every* field and extension of the schema, set or not: values and
defaults by bits, presence, oneofs, lengths and order of repeated fields, maps as dictionaries, sub-messages to the
bottom. Nothing is left out silently: the fields that the two sides know must be the same ones.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from official import OfficialField, fields_of, oneofs_of
from wire import Ambiguous, split_fields

# Python's float is a double: reading a float32 NaN through one sets its quiet bit. The bit is set on both sides where
# an expected value went that way; `test_conformance` checks signalling NaNs without the detour.
_FLOAT32_QUIET_BIT = np.uint32(0x0040_0000)


def assert_same(record: Any, message: Message, path: str = "") -> None:
    """A `Record` holds exactly what the official message holds."""
    assert record is not None, f"{path}: absent, but the official package has a {message.DESCRIPTOR.full_name}"
    _assert_same_fields(record.message_type, message, path)
    for field in fields_of(message.DESCRIPTOR):
        where = f"{path}.{field.name}"
        if field.map:
            _assert_same_map(record[field.name], field, official_map(message, field), where)
        elif field.repeated:
            _assert_same_repeated(record[field.name], field, field.value(message), where)
        else:
            _assert_same_singular(record, field, message, where)
    for oneof in oneofs_of(message.DESCRIPTOR):
        expected = _oneof_number(message, oneof)
        assert record.which(oneof) == expected, f"{path}: oneof {oneof} is {record.which(oneof)}, not {expected}"


def assert_same_table(table: Any, messages: Sequence[Message | None], path: str = "") -> None:
    """The columns of a `Table` hold exactly what the official messages hold; None stands for an absent row."""
    assert len(table) == len(messages), f"{path}: {len(table)} rows, not {len(messages)}"
    instances = [message for message in messages if message is not None]
    if not instances:
        return
    descriptor = instances[0].DESCRIPTOR
    _assert_same_fields(table.message_type, instances[0], path)
    for field in fields_of(descriptor):
        where = f"{path}.{field.name}"
        if field.repeated:
            _assert_same_ragged(table[field.name], field, messages, where)
        else:
            _assert_same_singular_column(table, field, messages, where)
    for oneof in oneofs_of(descriptor):
        expected = [0 if message is None else _oneof_number(message, oneof) for message in messages]
        assert table.which(oneof).tolist() == expected, f"{path}: oneof {oneof}"


def assert_same_record(left: Any, right: Any, path: str = "") -> None:
    """Two `Record`s of wirearray, from two decoders, hold the same."""
    if left is None or right is None:
        assert left is right, f"{path}: present on one side only"
        return
    names = list(left.message_type.fields)
    assert names == list(right.message_type.fields), f"{path}: the sides have different fields"
    assert left.unknown_fields == right.unknown_fields, f"{path}: unknown fields"
    for name, field in left.message_type.fields.items():
        where = f"{path}.{name}"
        if field.presence:
            assert left.present(name) == right.present(name), f"{where}: present on one side only"
        _assert_same_value(left[name], right[name], field, where)
    for oneof in left.message_type.oneofs:
        assert left.which(oneof) == right.which(oneof), f"{path}: oneof {oneof}"


def as_bytes(value: str | bytes) -> bytes:
    """The bytes behind a string: the official package gives undecodable ones as bytes, others may escape them."""
    return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else bytes(value)


def as_list(column: Any) -> list[Any]:
    """A column of numbers or strings as hashable values."""
    return column.tolist() if isinstance(column, np.ndarray) else [as_bytes(value) for value in column]


# ---------------------------------------------------------------------------------------------------------------------
# One message


def _assert_same_fields(message_type: Any, message: Message, path: str) -> None:
    ours, theirs = set(message_type.fields), {field.name for field in fields_of(message.DESCRIPTOR)}
    assert ours == theirs, f"{path}: fields known to one side only: {sorted(ours ^ theirs)}"
    ours, theirs = set(message_type.oneofs), set(oneofs_of(message.DESCRIPTOR))
    assert ours == theirs, f"{path}: oneofs known to one side only: {sorted(ours ^ theirs)}"


def _oneof_number(message: Message, oneof: str) -> int:
    member = message.WhichOneof(oneof)
    return 0 if member is None else message.DESCRIPTOR.fields_by_name[member].number


def _assert_same_singular(record: Any, field: OfficialField, message: Message, where: str) -> None:
    if field.presence:
        ours, theirs = record.present(field.name), field.is_set(message)
        assert bool(ours) == theirs, f"{where}: present is {ours}, not {theirs}"
    if not field.is_message:
        _assert_same_scalar(record[field.name], field, field.value(message), where)
    elif field.is_set(message):
        assert_same(record[field.name], field.value(message), where)
    else:
        assert record[field.name] is None, f"{where}: an absent message is {record[field.name]!r}, not None"


def _assert_same_scalar(value: Any, field: OfficialField, expected: Any, where: str) -> None:
    if field.dtype is None:
        assert as_bytes(value) == as_bytes(expected), f"{where}: {value!r}, not {expected!r}"
        assert type(value) in ({"string": (str, bytes), "bytes": (bytes,)}[field.kind]), f"{where}: {type(value)}"
        return
    column = np.asarray(value)
    assert column.dtype == field.dtype, f"{where}: dtype {column.dtype}, not {field.dtype}"
    _assert_same_bits(column.reshape(1), np.asarray([expected], field.dtype), where, through_double=True)


def _assert_same_repeated(value: Any, field: OfficialField, expected: Any, where: str) -> None:
    assert len(value) == len(expected), f"{where}: {len(value)} elements, not {len(expected)}"
    if field.is_message:
        for index, message in enumerate(expected):
            assert_same(value[index], message, f"{where}[{index}]")
    elif field.dtype is None:
        assert as_list(value) == [as_bytes(item) for item in expected], where
    else:
        _assert_same_bits(value, _official_array(expected, field), where)


def _assert_same_map(entries: Any, field: OfficialField, theirs: dict[Any, Any], where: str) -> None:
    keys = as_list(entries["key"])
    assert len(keys) == len(set(keys)), f"{where}: a key stands twice: {keys}"
    assert set(keys) == set(theirs), f"{where}: keys {keys}, not {list(theirs)}"
    value_field = _map_value_field(field)
    values = entries["value"]
    for index, key in enumerate(keys):
        if value_field.is_message:
            assert_same(values[index], theirs[key], f"{where}[{key!r}]")
        else:
            _assert_same_scalar(values[index], value_field, theirs[key], f"{where}[{key!r}]")


def _map_value_field(field: OfficialField) -> OfficialField:
    return next(part for part in fields_of(field.descriptor.message_type) if part.name == "value")


def official_map(message: Message, field: OfficialField) -> dict[Any, Any]:
    """The official map as a dictionary, string keys as bytes: proto2 does not require keys to be text."""
    container = field.value(message)
    if field.descriptor.message_type.fields_by_name["key"].type != field.descriptor.TYPE_STRING:
        return {key: container[key] for key in container}
    if all(isinstance(key, str) for key in container):
        return {key.encode(): container[key] for key in container}
    return _written_map(message, field, len(container))


def _written_map(message: Message, field: OfficialField, count: int) -> dict[bytes, Any]:
    """The official package lists keys that are not text but cannot look them up: write the message, read its entries.

    Entries that it keeps as unknown fields, for their closed enum, are written after all others.
    """
    try:
        fields = list(split_fields(message.SerializePartialToString()))
    except Ambiguous:
        # Unknown fields hold whatever was read; entries are not among them.
        known = type(message)()
        known.CopyFrom(message)
        known.DiscardUnknownFields()
        fields = list(split_fields(known.SerializePartialToString()))
    written = [part for part in fields if part.number == field.descriptor.number]
    entry_class = GetMessageClass(field.descriptor.message_type)
    entries = {}
    for part in written[:count]:
        key = next((part.payload for part in split_fields(part.payload) if part.number == 1), b"")
        entries[key] = entry_class.FromString(part.payload).value
    return entries


def _official_array(container: Any, field: OfficialField) -> np.ndarray[Any, Any]:
    """A repeated number as an array, floats bit for bit: the container's own array interface, not Python floats."""
    return np.asarray(container) if len(container) else np.zeros(0, field.dtype)


def _assert_same_bits(
    values: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], where: str, *, through_double: bool = False
) -> None:
    assert isinstance(values, np.ndarray), f"{where}: {type(values)}, not an array"
    assert values.dtype == expected.dtype, f"{where}: dtype {values.dtype}, not {expected.dtype}"
    assert values.shape == expected.shape, f"{where}: shape {values.shape}, not {expected.shape}"
    if values.dtype == np.float32 and through_double:
        values, expected = _quiet(values), _quiet(expected)
    if values.tobytes() != expected.tobytes():
        first = next(i for i in range(len(values)) if values[i].tobytes() != expected[i].tobytes())
        raise AssertionError(f"{where}: element {first} is {values[first]!r}, not {expected[first]!r}")


def _quiet(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The bits of float32 values, with every NaN a quiet one."""
    bits = np.ascontiguousarray(values).view(np.uint32).copy()
    bits[np.isnan(values)] |= _FLOAT32_QUIET_BIT
    return bits


# ---------------------------------------------------------------------------------------------------------------------
# Many messages, as columns


def _assert_same_singular_column(
    table: Any, field: OfficialField, messages: Sequence[Message | None], where: str
) -> None:
    if field.presence:
        mask = [message is not None and field.is_set(message) for message in messages]
        assert table.present(field.name).tolist() == mask, f"{where}: present"
    column = table[field.name]
    if field.is_message:
        children = [field.value(message) if there else None for message, there in zip(messages, mask, strict=True)]
        assert_same_table(column, children, where)
        return
    expected = [field.default() if message is None else field.value(message) for message in messages]
    _assert_same_column(column, field, expected, where)


def _assert_same_column(column: Any, field: OfficialField, expected: list[Any], where: str) -> None:
    if field.dtype is None:
        _assert_same_strings(column, [as_bytes(item) for item in expected], where)
    else:
        _assert_same_bits(column, np.array(expected, field.dtype), where, through_double=True)


def _assert_same_strings(column: Any, expected: list[bytes], where: str) -> None:
    assert len(column) == len(expected), f"{where}: {len(column)} strings, not {len(expected)}"
    offsets = column.offsets
    assert offsets.dtype == np.int64, f"{where}: offsets of dtype {offsets.dtype}"
    assert offsets.shape == (len(expected) + 1,), f"{where}: {offsets.shape} offsets"
    assert np.diff(offsets).tolist() == [len(item) for item in expected], f"{where}: lengths"
    assert column.lengths.tolist() == [len(item) for item in expected], f"{where}: lengths"
    data = column.data
    assert data.dtype == np.uint8, f"{where}: data of dtype {data.dtype}"
    assert data[offsets[0] : offsets[-1]].tobytes() == b"".join(expected), f"{where}: data"


def _assert_same_ragged(ragged: Any, field: OfficialField, messages: Sequence[Message | None], where: str) -> None:
    containers = [() if message is None else field.value(message) for message in messages]
    lengths = [len(container) for container in containers]
    assert len(ragged) == len(messages), f"{where}: {len(ragged)} rows, not {len(messages)}"
    assert ragged.offsets.dtype == np.int64, f"{where}: offsets of dtype {ragged.offsets.dtype}"
    assert ragged.offsets.tolist() == np.cumsum([0, *lengths]).tolist(), f"{where}: offsets"
    assert ragged.lengths.tolist() == lengths, f"{where}: lengths"
    if field.map:
        maps = [{} if message is None else official_map(message, field) for message in messages]
        _assert_same_entries(ragged, field, maps, where)
    elif field.is_message:
        assert_same_table(ragged.values, [item for container in containers for item in container], where)
    elif field.dtype is None:
        _assert_same_strings(ragged.values, [as_bytes(item) for part in containers for item in part], where)
    else:
        arrays = [_official_array(container, field) for container in containers]
        _assert_same_bits(ragged.values, np.concatenate([np.zeros(0, field.dtype), *arrays]), where)


def _assert_same_entries(ragged: Any, field: OfficialField, maps: list[dict[Any, Any]], where: str) -> None:
    """The entries of all rows at once: per row the same keys in any order, then the values in the order of our keys."""
    keys = as_list(ragged.values["key"])
    expected = []
    for row, theirs in enumerate(maps):
        ours = keys[ragged.offsets[row] : ragged.offsets[row + 1]]
        assert len(ours) == len(set(ours)), f"{where}: a key stands twice in row {row}: {ours}"
        assert set(ours) == set(theirs), f"{where}: row {row} has keys {ours}, not {list(theirs)}"
        expected += [theirs[key] for key in ours]
    value_field = _map_value_field(field)
    values = ragged.values["value"]
    if value_field.is_message:
        assert_same_table(values, expected, f"{where}.value")
    else:
        _assert_same_column(values, value_field, expected, f"{where}.value")


# ---------------------------------------------------------------------------------------------------------------------
# Two decoders of wirearray


def _assert_same_value(left: Any, right: Any, field: Any, where: str) -> None:
    if field.map:
        _assert_same_map_tables(left, right, where)
    elif field.kind in ("message", "group"):
        if not field.repeated:
            assert_same_record(left, right, where)
            return
        assert len(left) == len(right), f"{where}: {len(left)} elements against {len(right)}"
        for index in range(len(left)):
            assert_same_record(left[index], right[index], f"{where}[{index}]")
    elif field.kind in ("string", "bytes"):
        assert (as_list(left) if field.repeated else as_bytes(left)) == (
            as_list(right) if field.repeated else as_bytes(right)
        ), f"{where}: {left!r} against {right!r}"
    else:
        _assert_same_bits(np.atleast_1d(left), np.atleast_1d(right), where)


def _assert_same_map_tables(left: Any, right: Any, where: str) -> None:
    left_rows = {key: row for row, key in enumerate(as_list(left["key"]))}
    right_rows = {key: row for row, key in enumerate(as_list(right["key"]))}
    assert len(left_rows) == len(left) and len(right_rows) == len(right), f"{where}: a key stands twice"
    assert left_rows.keys() == right_rows.keys(), f"{where}: keys {list(left_rows)} against {list(right_rows)}"
    value_field = left.message_type.fields["value"]
    for key, row in left_rows.items():
        assert left[row].unknown_fields == right[right_rows[key]].unknown_fields, f"{where}[{key!r}]: unknown fields"
        _assert_same_value(left["value"][row], right["value"][right_rows[key]], value_field, f"{where}[{key!r}]")
