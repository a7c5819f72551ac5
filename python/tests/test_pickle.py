"""Pickles and copies of everything: as exact as the originals, without copies of arrays where the pickler can."""

import copy
import io
import multiprocessing
import operator
import pickle
import random
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from compare import assert_same_record
from random_messages import random_message
from random_schema import random_schema
from test_columns import MESSAGES, ROW, SCHEMA

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(MESSAGES)


def again(value: Any, protocol: int = pickle.HIGHEST_PROTOCOL) -> Any:
    return pickle.loads(pickle.dumps(value, protocol))


def assert_same_rows(table: wa.Table, other: wa.Table) -> None:
    assert len(table) == len(other)
    for left, right in zip(table, other, strict=True):
        assert_same_record(left, right)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_table_is_the_same_after_a_pickle(table: wa.Table, protocol: int) -> None:
    loaded = again(table, protocol)
    assert_same_rows(loaded, table)
    assert ROW.encode_many(loaded).to_list() == ROW.encode_many(table).to_list()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_table_keeps_the_errors_of_the_messages_that_it_lacks(protocol: int) -> None:
    table = ROW.decode_many([*MESSAGES, b"\xff", b"\x08"], on_error="skip")
    for loaded in (again(table, protocol), again(again(table, protocol), protocol), copy.deepcopy(table)):
        assert_same_rows(loaded, table)
        assert [vars(error) for error in loaded.errors] == [vars(error) for error in table.errors]
        assert [error.row for error in loaded.errors] == [len(MESSAGES), len(MESSAGES) + 1]
        assert loaded[:2].errors == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_record_is_the_same_after_a_pickle(table: wa.Table, protocol: int) -> None:
    for record in table:
        assert_same_record(again(record, protocol), record)


def test_repeated_fields_and_strings_are_the_same_after_a_pickle(table: wa.Table) -> None:
    for ragged in (
        table["values"],
        table["words"],
        table["path"],
        table["counts"],
        table["values"][1:],
        table["path.tags"],
    ):
        loaded = again(ragged)
        assert loaded.offsets.tolist() == ragged.offsets.tolist()
        assert repr(loaded.to_list()) == repr(ragged.to_list())
    assert again(table["path"])["x"].values.tolist() == [1.0, 0.0]
    assert again(table["name"]).to_list() == ["a", "", "", ""]
    messages = ROW.encode_many(table)
    assert again(messages).to_list() == messages.to_list()


def test_a_schema_is_pickled_as_its_descriptor_set() -> None:
    loaded = again(SCHEMA)
    assert list(loaded) == list(SCHEMA)
    assert loaded.roots == SCHEMA.roots
    assert loaded.to_descriptor_set() == SCHEMA.to_descriptor_set()


def test_the_official_package_reads_the_descriptor_set() -> None:
    descriptor_pb2 = pytest.importorskip("google.protobuf.descriptor_pb2")
    files = descriptor_pb2.FileDescriptorSet.FromString(SCHEMA.to_descriptor_set()).file
    assert [message.name for message in files[-1].message_type] == ["Point", "Row"]


@pytest.mark.parametrize(
    "paths", [(), ("id",), ("path.x", "choice"), ("counts.value", "inner.inner.at"), ("at", "at.x")], ids=str
)
def test_a_message_type_keeps_its_selection(paths: tuple[str, ...]) -> None:
    selected = ROW.select(*paths) if paths else ROW
    loaded = again(selected)
    assert loaded.name == ROW.name
    assert repr(loaded.decode_many(MESSAGES).to_dict()) == repr(selected.decode_many(MESSAGES).to_dict())
    assert loaded._paths() == selected._paths()


def test_a_selection_by_an_extensions_name_is_kept() -> None:
    schema = wa.Schema.from_source("""
        syntax = "proto2"; package p;
        message M { extensions 100 to max; optional int32 a = 1; }
        extend M { optional M more = 100; }
    """)
    selected = schema["p.M"].select("[p.more].[p.more].a")
    assert again(selected)._paths() == selected._paths() == ["[p.more].[p.more].a"]


def test_fields_are_the_same_after_a_pickle() -> None:
    for message_type in (ROW, SCHEMA["test.Point"], ROW.decode_many(MESSAGES)["counts"].values.message_type):
        for field in message_type.fields.values():
            assert repr(again(field)) == repr(field)


def test_exceptions_are_the_same_after_a_pickle() -> None:
    with pytest.raises(wa.DecodeError) as refused:
        ROW.decode_many([b"", b"\x22\x05\x09"])
    with pytest.raises(wa.SchemaError) as wrong:
        wa.Schema.from_source("nonsense")
    for error in (refused.value, wrong.value):
        for loaded in (again(error), copy.copy(error), copy.deepcopy(error)):
            assert type(loaded) is type(error)
            assert (str(loaded), vars(loaded)) == (str(error), vars(error))


def test_what_is_absent_stays_absent(table: wa.Table) -> None:
    at = again(table["at"])
    assert [each is None for each in at] == [False, True, True, True]
    assert again(table.point)[0] is None
    assert again(table).present("name").tolist() == table.present("name").tolist()
    made = wa.Table.of(SCHEMA["test.Point"], x=np.ma.masked_array([1.0, 2.0], [False, True]))
    assert again(made)["x"].tolist() == made["x"].tolist()


def test_a_oneof_keeps_the_member_that_is_not_selected() -> None:
    selected = ROW.select("number")
    table = selected.decode_many([b"\x38\x05", b"\x42\x01a", b""])
    assert table.which("choice").tolist() == again(table).which("choice").tolist() == [7, 8, 0]


def test_unknown_fields_stay() -> None:
    unknown = bytes.fromhex("a20601ff")
    nested = b"\x22" + bytes([len(unknown)]) + unknown
    table = ROW.decode_many([unknown, b"", nested], keep_unknown=True)
    loaded = again(table)
    assert loaded.unknown_fields.to_list() == [unknown, b"", b""]
    assert ROW.encode_many(loaded).to_list() == [unknown, b"", nested]


def test_the_bits_of_nan_stay() -> None:
    point = SCHEMA["test.Point"]
    bits = np.array([0x7FF8000000000001, 0xFFF0000000000123, 0x8000000000000000], np.uint64)
    table = wa.Table.of(point, x=bits.view(np.float64))
    assert again(table)["x"].view(np.uint64).tolist() == bits.tolist()


def test_bytes_that_are_not_utf8_stay() -> None:
    schema = wa.Schema.from_source(
        'syntax = "proto2"; message M { optional string text = 1; repeated string more = 2; }'
    )
    data = b"\x0a\x02\xff\x61\x12\x01\xc0"
    assert schema["M"].encode(again(schema["M"].decode(data))) == data


def test_a_slice_pickles_its_rows_alone() -> None:
    table = wa.Table.of(SCHEMA["test.Point"], x=np.zeros(1_000_000), tags=[[1]] * 1_000_000)
    assert len(pickle.dumps(table[10:20])) < 10_000
    assert len(pickle.dumps(table["tags"][10:20])) < 10_000
    assert len(pickle.dumps(table[5])) < 10_000
    assert again(table[10:20])["tags"].offsets.tolist() == list(range(11))


def test_columns_that_were_never_made_stay_so() -> None:
    table = ROW.decode_many([b"\x08\x05"] * 10)
    assert table._made() == again(table)._made() == ["id"]
    assert table._made() == ["id"]
    looked_at = table["inner.inner.at"]
    assert again(table)._made() == ["id"]
    assert again(looked_at)._made() == []


def test_types_within_types_end() -> None:
    table = ROW.decode_many([b""])
    within = table
    for _ in range(100_000):
        within = within["inner"]
    assert len(pickle.dumps(table)) < 10_000
    assert again(within)["id"].tolist() == [0]
    assert copy.deepcopy(within)["id"].tolist() == [0]


def test_messages_nested_as_deep_as_they_may_be_are_pickled_and_copied() -> None:
    data = b"\x08\x07"
    for _ in range(100):
        data = ROW.encode({}) + b"\x5a" + _varint(len(data)) + data
    record = ROW.decode(data)
    for loaded in (again(record), copy.deepcopy(record)):
        assert ROW.encode(loaded) == data
    deeper = ROW.decode(b"\x5a" + _varint(len(data)) + data, max_depth=101)
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(ValueError, match="nested deeper than 100 levels"):
            copied(deeper)


def test_one_schema_is_in_a_pickle_once(table: wa.Table) -> None:
    records = list(table) * 10
    schema_len = len(SCHEMA.to_descriptor_set())
    assert len(SCHEMA.to_descriptor_set()) < len(pickle.dumps(table))
    assert pickle.dumps(records).count(SCHEMA.to_descriptor_set()) == 1
    assert pickle.dumps([table, table["path"], ROW, ROW.fields["id"], SCHEMA]).count(SCHEMA.to_descriptor_set()) == 1
    assert SCHEMA.to_descriptor_set() not in pickle.dumps(table["values"])
    assert schema_len > 100
    loaded = again(records)
    assert len({record.message_type._identity() for record in loaded}) == 1


def test_large_arrays_are_not_copied_out_of_band() -> None:
    tags = (np.arange(200_000, dtype=np.int32), np.arange(100_001) * 2)
    table = wa.Table.of(SCHEMA["test.Point"], x=np.arange(100_000.0), tags=tags)
    table = SCHEMA["test.Point"].decode_many(SCHEMA["test.Point"].encode_many(table))
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(table, protocol=5, buffer_callback=buffers.append)
    assert len(data) < 10_000
    loaded = pickle.loads(data, buffers=buffers)
    for name in ("x", "tags"):
        one, other = (each[name] if name == "x" else each[name].values for each in (table, loaded))
        assert one.tolist() == other.tolist()
        assert np.shares_memory(one, other)
        assert other.flags.writeable
        assert other.flags.aligned


def test_buffers_that_cannot_be_written_to_become_arrays_that_cannot() -> None:
    table = ROW.decode_many(MESSAGES)
    buffers: list[pickle.PickleBuffer] = []
    data = pickle.dumps(table, protocol=5, buffer_callback=buffers.append)
    loaded = pickle.loads(data, buffers=[bytes(buffer) for buffer in buffers])
    assert_same_rows(loaded, table)
    assert not loaded["id"].flags.writeable


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_loaded_table_is_changed_as_any_other(table: wa.Table, protocol: int) -> None:
    loaded = again(table, protocol)
    loaded["id"][0] = 77
    assert loaded[0]["id"] == 77
    assert b"\x08\x4d" in ROW.encode_many(loaded)[0]
    assert table[0]["id"] == 1


def test_a_copy_shares_its_arrays_and_a_deep_copy_has_its_own(table: wa.Table) -> None:
    shallow, deep = copy.copy(table), copy.deepcopy(table)
    assert_same_rows(shallow, table)
    assert_same_rows(deep, table)
    assert np.shares_memory(shallow["id"], table["id"])
    assert not np.shares_memory(deep["id"], table["id"])
    assert not np.shares_memory(deep["name"].data, table["name"].data)


def test_what_cannot_change_is_its_own_copy() -> None:
    for value in (SCHEMA, ROW, ROW.fields["id"]):
        assert copy.copy(value) is value
        assert copy.deepcopy(value) is value


def test_other_processes_get_what_they_are_sent(table: wa.Table) -> None:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        part = pool.submit(operator.getitem, table, slice(0, 3)).result()
        assert_same_rows(part, table[:3])
        record = pool.submit(ROW.select("path", "id").decode, MESSAGES[2]).result()
        assert record["path"]["x"].tolist() == [1.0, 0.0]
        with pytest.raises(wa.DecodeError, match="field id"):
            pool.submit(ROW.decode, b"\x08").result()


def test_random_messages_are_the_same_after_a_pickle() -> None:
    for number in range(60):
        choose = random.Random(number)
        message_type, table = random_table(choose)
        chosen = [name for name in message_type.fields if choose.random() < 0.5]
        narrow = message_type.select(*chosen) if chosen else message_type
        for each in (table, table[1:], table[[2, 0]], narrow.decode_many(message_type.encode_many(table).to_list())):
            loaded = again(each)
            assert_same_rows(loaded, each)
            for oneof in each.message_type.oneofs:
                assert loaded.which(oneof).tolist() == each.which(oneof).tolist()
            assert each.message_type.encode_many(loaded).to_list() == each.message_type.encode_many(each).to_list()


def test_a_damaged_pickle_is_refused_or_harmless() -> None:
    refused = 0
    for number in range(400):
        choose = random.Random(number)
        message_type, table = random_table(random.Random(number // 20))
        root, tables = table._state()
        tables = [list(state) for state in tables]
        for _ in range(choose.randint(1, 3)):
            tables = damaged(choose, tables)
        try:
            loaded = wa._core._of_state(message_type, root, [tuple(state) for state in tables])
        except (ValueError, TypeError):
            refused += 1
            continue
        for use in (repr, wa.Table.to_dict, list, message_type.encode_many, lambda each: each[::-1], again):
            try:
                use(loaded)
            except ValueError:
                continue
    assert 100 < refused < 400


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda state: state.__setitem__(0, 5), "has 4 entries, and there are 5 rows"),
        (lambda state: state.__setitem__(0, 2**62), "more than any memory holds"),
        (lambda state: state[2].__setitem__("id", (True, np.zeros(4))), "has int64 of that name"),
        (lambda state: state[2].__setitem__("id", (True, np.zeros(3, np.int64))), "id has 3 entries"),
        (lambda state: state[2].__setitem__("nothing", (True, np.zeros(4))), 'no field "nothing" in test.Row'),
        (lambda state: state[2].__setitem__("at", (True, 0)), "used twice"),
        (lambda state: state[2].__setitem__("at", (True, 99)), "is missing"),
        (lambda state: state[2].__setitem__("at", (True, -1)), "negative"),
        (lambda state: state[2].__delitem__("at"), "used nowhere"),
        (lambda state: state[2].__setitem__("values", (True, (np.array([0, 9]), np.zeros(2)))), "0 to 9 of 2"),
        (lambda state: state[2].__setitem__("values", (True, (np.arange(5), np.zeros(9)))), "do not go from 0 to 9"),
        (lambda state: state[2].__setitem__("values", (True, np.zeros(4))), "repeated double of that name"),
        (lambda state: state[3].__setitem__("choice", np.array([9, 0, 8, 7], np.int32)), "row 0 .* field 9"),
        (lambda state: state[3].clear(), "choice has 0 entries"),
        (lambda state: state.__setitem__(1, np.array([True])), "presence of the table has 1 entries"),
    ],
)
def test_a_damaged_pickle_says_what_is_wrong(table: wa.Table, change: Any, problem: str) -> None:
    root, tables = table._state()
    states = [list(state) for state in tables]
    change(states[0])
    with pytest.raises(ValueError, match=f"the pickle is damaged: .*{problem}|offsets: .*{problem}"):
        wa._core._of_state(ROW, root, [tuple(state) for state in states])


def test_what_are_no_errors_of_messages_is_refused(table: wa.Table) -> None:
    for errors in (
        5,
        "text",
        range(10**12),
        [5],
        [ValueError("five")],
        [("text", "truncated", -1, "", None, None)],
        [("text",)],
    ):
        with pytest.raises(ValueError, match="the pickle is damaged: the errors of messages are none"):
            wa._core._of_state(ROW, *table._state(), None, errors)


def test_an_error_that_was_raised_does_not_keep_its_table() -> None:
    loaded = again(ROW.decode_many([b"\xff"], on_error="skip"))
    with pytest.raises(wa.DecodeError):
        raise loaded.errors[0]
    assert loaded.errors[0] is not loaded.errors[0]
    loaded.errors[0].add_note("of one look alone")
    assert not hasattr(loaded.errors[0], "__notes__")
    assert loaded.errors[0].__traceback__ is None


def test_unknown_fields_that_are_none_are_refused() -> None:
    table = ROW.decode_many([b"", bytes.fromhex("a20601ff")], keep_unknown=True)
    root, tables = table._state()
    whole = pickle.dumps(tables)
    for broken in (b"\xa2\x06\x02\xff", b"\xa4\x06\xa4\x06", b"\x07\x06\x01\xff", b"\xa3\x06\xa3\x06"):
        damaged_tables = pickle.loads(whole.replace(b"\xa2\x06\x01\xff", broken))
        assert pickle.dumps(damaged_tables) != whole
        with pytest.raises(ValueError, match="does not know of row 1 are no fields"):
            wa._core._of_state(ROW, root, damaged_tables)


def test_a_pickle_without_its_message_type_is_refused(table: wa.Table) -> None:
    with pytest.raises(ValueError, match="no message type"):
        wa._core._of_state(None, *table._state())
    for several in (table, table[:0]):
        with pytest.raises(ValueError, match="a record is one message"):
            wa._core._record_of_state(ROW, *several._state())
    with pytest.raises(ValueError, match="used nowhere"):
        wa._core._of_state(ROW, np.zeros(3), table._state()[1])
    nested: Any = np.zeros(0)
    for _ in range(100_000):
        nested = (np.zeros(1, np.int64), nested)
    with pytest.raises(ValueError, match="deeper than paths go"):
        wa._core._of_state(None, nested, [])
    with pytest.raises(ValueError, match="no flat array"):
        wa._core._of_state(ROW, "text", [])


def random_table(choose: random.Random) -> tuple[wa.MessageType, wa.Table]:
    """Four random messages, written by the official package, of a random schema."""
    official = pytest.importorskip("official")
    schema = random_schema(choose)
    writer = official.message_class(official.pool_of(schema.reader), schema.root)
    message_type = wa.Schema.from_descriptor_set(schema.reader)[schema.root]
    messages = []
    while len(messages) < 4:
        data = random_message(choose, writer).SerializePartialToString()
        try:
            message_type.encode(message_type.decode(data))
        except ValueError:
            continue  # Lacks a required field, or has text that is not UTF-8.
        messages.append(data)
    return message_type, message_type.decode_many(messages, keep_unknown=True)


def damaged(choose: random.Random, value: Any) -> Any:
    """The same state with one part of it replaced, cut or left out."""
    replaced = (
        None,
        True,
        False,
        0,
        1,
        -1,
        2**62,
        "a",
        b"b",
        (),
        np.zeros(4, np.int32),
        np.zeros(3),
        np.array([0, 5, 2]),
    )
    if isinstance(value, np.ndarray) and choose.random() < 0.7:
        return choose.choice((value[:-1], value[::2], value + np.ones(1, value.dtype), np.append(value, value[:1])))
    if isinstance(value, dict) and value:
        name = choose.choice(list(value))
        return {**value, name: damaged(choose, value[name])} if choose.random() < 0.9 else {}
    if isinstance(value, list | tuple) and value:
        place = choose.randrange(len(value))
        return type(value)(damaged(choose, each) if place == index else each for index, each in enumerate(value))
    return choose.choice(replaced)


def _varint(value: int) -> bytes:
    out = io.BytesIO()
    while value > 0x7F:
        out.write(bytes([value & 0x7F | 0x80]))
        value >>= 7
    out.write(bytes([value]))
    return out.getvalue()
