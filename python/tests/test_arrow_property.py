"""Random schemas and messages through pyarrow and back: nothing is lost that Arrow has a place for.

Cases are numbers, as in `test_property`, and the same environment variables choose them.
"""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import wirearray as wa

import official
from random_messages import random_message
from random_schema import random_schema
from test_property import CASES

# What a table refuses to become: text of proto2 that is none.
NOT_TEXT = "is not UTF-8, as Arrow's strings have to be"


def cases() -> Iterator[tuple[int, wa.MessageType, wa.Table, list[bytes]]]:
    for number in CASES:
        schema = random_schema(random.Random(number))
        message_type = wa.Schema.from_descriptor_set(schema.reader)[schema.root]
        theirs = official.message_class(official.pool_of(schema.reader), schema.root)
        choose = random.Random(f"{number} arrow")
        messages = [random_message(choose, theirs).SerializePartialToString() for _ in range(6)]
        yield number, message_type, message_type.decode_many(messages), messages


def test_tables_go_through_pyarrow_and_back() -> None:
    taken = refused = 0
    for number, message_type, table, _ in cases():
        try:
            arrow = pa.table(table)
        except ValueError as error:
            assert NOT_TEXT in str(error), number
            refused += 1
            continue
        arrow.validate(full=True)
        assert arrow.schema == pa.schema(table), number
        expected = _encoded(message_type, table)
        again = _encoded(message_type, arrow)
        assert again == expected, number
        assert _encoded(message_type, pa.array(table)) == expected, number
        assert _encoded(message_type, pa.concat_tables([arrow[:2], arrow[2:]])) == expected, number
        assert pa.table(table[1:4]).num_rows == 3
        assert _encoded(message_type, pa.table(table[1:4])) == _encoded(message_type, table[1:4]), number
        assert _encoded(message_type, arrow.slice(1, 3)) == _encoded(message_type, table[1:4]), number
        with_options = pa.table(table.to_arrow(enums="names", oneofs="union"))
        with_options.validate(full=True)
        taken += 1
    assert taken > refused


def _encoded(message_type: wa.MessageType, given: Any) -> list[bytes] | str:
    """The messages, or why there are none: what a schema requires can be missing."""
    try:
        return message_type.encode_many(given).to_list()
    except ValueError as error:
        return str(error)


def test_numbers_of_random_tables_are_shared() -> None:
    shared = 0
    for number, _, table, _ in cases():
        try:
            arrow = pa.table(table)
        except ValueError:
            continue
        for name in set(table._made()) & set(arrow.schema.names):
            column = table[name]
            if not isinstance(column, np.ndarray) or column.dtype == bool:
                continue
            field, chunk = table.message_type.fields[name], arrow[name].chunk(0)
            if field.presence and not table.present(name).any():
                continue
            assert chunk.buffers()[1].address == column.ctypes.data, (number, name)
            values = [
                value for value, there in zip(column.tolist(), chunk.is_valid().to_pylist(), strict=True) if there
            ]
            assert repr(chunk.drop_null().to_pylist()) == repr(values), (number, name)
            shared += 1
    assert shared > len(CASES)


def test_random_messages_are_decoded_from_every_array_of_bytes() -> None:
    for number, message_type, table, messages in cases():
        expected = str(table.to_dict())
        kind = random.Random(number).choice([pa.binary(), pa.large_binary(), pa.binary_view()])
        array = pa.array(messages, kind)
        assert str(message_type.decode_many(array).to_dict()) == expected, number
        halves = pa.chunked_array([array[:3], array[3:]])
        assert str(message_type.decode_many(halves).to_dict()) == expected, number


def test_a_schema_is_that_of_its_tables() -> None:
    for number, message_type, _, _ in cases():
        expected = pa.table(message_type.decode_many([])).schema
        assert pa.schema(message_type).equals(expected, check_metadata=True), number


@pytest.mark.parametrize("take", [pa.table, pa.array], ids=["table", "array"])
def test_looking_at_columns_changes_nothing(take: Any) -> None:
    for number, _, table, _ in list(cases())[::5]:
        try:
            before = take(table)
        except ValueError:
            continue
        table.to_dict()
        repr(table)
        for name in table.message_type.fields:
            repr(table[name])
        # As text, in which NaN is NaN.
        assert repr(take(table).to_pylist()) == repr(before.to_pylist()), number
        assert take(table).validate(full=True) is None
