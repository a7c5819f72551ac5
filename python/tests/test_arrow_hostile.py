"""Arrow's structs that contradict themselves are refused before anything is read that is not there.

How long buffers are no struct says; everything else is looked at.
"""

import ctypes
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
import wirearray as wa

from hostile_arrow import Node, Producer, int32s, int64s

SCHEMA = wa.Schema.from_source(
    """
    syntax = "proto3";
    message Row {
      int32 narrow = 1; int64 wide = 2; bool flag = 3; string text = 4; bytes data = 5;
      repeated int32 numbers = 6; repeated Row rows = 7; Row row = 8; oneof choice { int32 one = 9; string other = 10; }
      optional int32 maybe = 11;
    }
    """
)
ROW = SCHEMA["Row"]


def struct_of(*columns: Node, length: int | None = None, offset: int = 0) -> Node:
    length = columns[0].array.length if length is None else length
    return Node("+s", length, [None], columns, offset=offset)


def rows(given: Any) -> list[dict[str, Any]]:
    return [row.to_dict() for row in ROW.decode_many(ROW.encode_many(given))]


COLUMNS: list[tuple[str, str, list[bytes | None]]] = [
    ("i", "narrow", [None, int32s(5, 6)]),
    ("l", "wide", [None, int64s(5, 6)]),
    ("b", "flag", [None, b"\1"]),
    ("u", "text", [None, int32s(0, 1, 2), b"ab"]),
    ("U", "text", [None, int64s(0, 1, 2), b"ab"]),
    ("vu", "text", [None, bytes(32), b""]),
    ("w:1", "data", [None, b"ab"]),
    ("w:0", "data", [None, b""]),
    ("tdD", "narrow", [None, int32s(5, 6)]),
    ("n", "narrow", []),
    ("n", "numbers", []),
    ("n", "row", []),
    ("n", "one", []),
]


@pytest.mark.parametrize("count", [2**63 - 1, 2**62, 2**61, 2**60, 2**59 - 1, 2**40 + 1])
@pytest.mark.parametrize(("format", "name", "buffers"), COLUMNS)
def test_counts_that_no_memory_holds_are_refused(
    format: str, name: str, buffers: list[bytes | None], count: int
) -> None:
    for node in (
        struct_of(Node(format, count, buffers, name=name)),
        struct_of(Node(format, count, buffers, name=name), length=1, offset=count),
        Node("+s", count, [None]),
        Node("n", count),
        struct_of(Node("+w:0", count, [None], [Node("i", 0, [None, None])], name="numbers")),
    ):
        with pytest.raises(ValueError, match="a length is too large"):
            ROW.encode_many(node)
        assert node.released == 2


@pytest.mark.parametrize("count", [-1, -(2**63)])
@pytest.mark.parametrize(("format", "name", "buffers"), COLUMNS)
def test_counts_below_zero_are_refused(format: str, name: str, buffers: list[bytes | None], count: int) -> None:
    column = Node(format, count, buffers, name=name)
    with pytest.raises(ValueError, match=r"a length is negative|shorter than the column"):
        ROW.encode_many(struct_of(column, length=1))
    if format != "n":
        with pytest.raises(ValueError, match="a length is negative"):
            ROW.encode_many(struct_of(Node(format, 2, buffers, name=name, offset=count)))


@pytest.mark.parametrize(("start", "end"), [(1, -(2**63)), (2**63 - 1, -3), (-1, 1), (2, 1)])
def test_offsets_that_wrap_around_are_refused(start: int, end: int) -> None:
    items = Node("n", 5)
    for column in (
        Node("U", 1, [None, int64s(start, end), b"abc"], name="text"),
        Node("+L", 1, [None, int64s(start, end)], [items], name="rows"),
    ):
        with pytest.raises(ValueError, match="a length is negative"):
            ROW.encode_many(struct_of(column))


def test_lists_that_show_the_same_values_too_often_are_refused() -> None:
    count = 2**40
    views = (int64s(*[0] * 4), int64s(*[count] * 4))
    shown = Node("+vL", 4, [None, *views], [Node("+s", count, [None])], name="rows")
    lists = Node("+L", 1, [None, int64s(0, count)], [Node("n", count)])
    for column in (shown, Node("i", 4, [None, int32s(0, 0, 0, 0)], name="rows", dictionary=lists)):
        with pytest.raises(ValueError, match="a length is too large"):
            ROW.encode_many(struct_of(column))
    with pytest.raises(ValueError, match=r"rows\[0\]: null is no value"):
        ROW.encode_many(struct_of(Node("+L", 1, [None, int64s(0, count)], [Node("n", count)], name="rows")))


def told(node: Node, **parts: Any) -> Node:
    for part, value in parts.items():
        setattr(node.array, part, value)
    return node


def narrow() -> Node:
    return Node("i", 2, [None, int32s(5, 6)], name="narrow")


def released(node: Node, part: str) -> Node:
    getattr(node, part).release = None
    return node


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: struct_of(told(narrow(), n_buffers=2**60)), 'of narrow .* buffers, and its type "i" has 2'),
        (lambda: struct_of(told(narrow(), n_buffers=1)), "it has 1 buffers"),
        (lambda: struct_of(told(narrow(), n_buffers=-1)), "it has -1 buffers"),
        (lambda: struct_of(told(narrow(), n_children=1)), "it has 1 columns within it"),
        (lambda: told(struct_of(narrow()), n_children=2**60), "columns within it, and its type .* has 1"),
        (lambda: told(struct_of(narrow()), n_children=0), "it has 0 columns within it"),
        (lambda: Node("+s", 2, [None], [None, narrow()]), "a column within it is missing"),
        (lambda: struct_of(released(narrow(), "array")), "a column within it is missing"),
        (lambda: struct_of(released(narrow(), "schema")), "a column within it is missing"),
        (lambda: struct_of(told(narrow(), null_count=1)), "has nulls, and does not say which"),
        (lambda: struct_of(told(narrow(), buffers=None)), "a buffer is missing"),
        (lambda: Producer(struct_of(Node("u", name="text")), [struct_of(narrow())]), "it has 2 buffers"),
        (lambda: Producer(struct_of(narrow()), [Node("+s", 2, [None])]), "it has 0 columns within it"),
    ],
)
def test_parts_that_are_not_those_of_the_type_are_refused(make: Callable[[], Any], problem: str) -> None:
    with pytest.raises(ValueError, match=f"the Arrow array.* is not valid: .*{problem}|{problem}"):
        ROW.encode_many(make())


def nested(levels: int) -> Node:
    node = Node("+s", 0, [None], name="row")
    for _ in range(levels):
        node = Node("+s", 0, [None], [node], name="row")
    return node


def test_types_within_types_end() -> None:
    assert ROW.encode_many(nested(80)).to_list() == []
    for levels in (500, 50_000):
        with pytest.raises(ValueError, match="nested deeper than 404 levels"):
            ROW.encode_many(nested(levels))
    # What is taken is released where it was, so it is not the outermost that lies within itself.
    itself = Node("+s", 0, [None], [None], name="row")
    itself.schema.children[0], itself.array.children[0] = ctypes.pointer(itself.schema), ctypes.pointer(itself.array)
    with pytest.raises(ValueError, match="nested deeper"):
        ROW.encode_many(struct_of(itself))
    values = narrow()
    values.schema.dictionary, values.array.dictionary = ctypes.pointer(values.schema), ctypes.pointer(values.array)
    with pytest.raises(ValueError, match="nested deeper"):
        ROW.encode_many(struct_of(values))
    assert ROW.encode_many(Producer(struct_of(itself), [])).to_list() == []


def test_a_stream_that_fails_says_what_its_producer_says_and_is_released_once() -> None:
    arrays = [struct_of(narrow()), struct_of(narrow())]
    producer = Producer(struct_of(narrow()), arrays, fails_at=1)
    with pytest.raises(ValueError, match="the Arrow stream failed: the disk is gone"):
        ROW.encode_many(producer)
    assert (producer.released, arrays[0].released, arrays[1].released) == (1, 1, 0)


def test_what_a_producer_raises_is_not_another_exception() -> None:
    class Failing:
        def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        ROW.encode_many(Failing())


def test_nulls_without_number_ask_for_memory_not_for_the_end() -> None:
    with pytest.raises(MemoryError):
        ROW.decode_many(Node("n", 2**40))
    assert len(ROW.decode_many(Node("n", 3))) == 3


def test_values_that_are_not_aligned_are_read_where_they_lie() -> None:
    memory = ctypes.create_string_buffer(b"\0" + int64s(7, -8) + b"\0")
    node = Node("l", 2, [None, b""], name="wide")
    node.array.buffers[1] = ctypes.addressof(memory) + 1
    assert [row["wide"] for row in rows(struct_of(node))] == [7, -8]


def dictionary(indices: list[int | None], values: pa.Array) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), values)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
@pytest.mark.parametrize("missing", [[], [None], [None, None]])
@pytest.mark.parametrize(
    ("name", "values", "absent"),
    [
        ("text", pa.array(["a", "b"]), ""),
        ("narrow", pa.array([7, 8], pa.int32()), 0),
        ("numbers", pa.array([[1], [2, 3]], pa.list_(pa.int32())), []),
        ("row", pa.array([{"narrow": 1}, {"narrow": 2}], pa.struct({"narrow": pa.int32()})), None),
    ],
)
def test_chunks_whose_dictionary_is_empty_take_nothing_from_others(
    name: str, values: pa.Array, absent: Any, missing: list[None], order: slice
) -> None:
    chunks = [dictionary(missing, values[:0]), dictionary([1, 0], values), dictionary([None, 0], values)][order]
    found = [row[name] for row in rows(pa.table({name: pa.chunked_array(chunks)}))]
    expected = [absent if each is None else each for chunk in chunks for each in chunk.to_pylist()]
    shown = [each["narrow"] if isinstance(each, dict) else list(each) if name == "numbers" else each for each in found]
    meant = [each["narrow"] if isinstance(each, dict) else each for each in expected]
    assert shown == meant


def test_lists_that_are_null_in_a_dictionary_or_a_struct_are_empty() -> None:
    lists = pa.array([[7, 8], [9]], pa.list_(pa.int32()))
    found = rows(pa.table({"numbers": dictionary([1, None, 0], lists)}))
    assert [list(row["numbers"]) for row in found] == [[9], [], [7, 8]]
    hidden = pa.array([[None], [2, 3]], pa.list_(pa.int32()))
    structs = pa.StructArray.from_arrays([hidden], names=["numbers"], mask=pa.array([True, False]))
    first, second = (row["row"] for row in rows(pa.table({"row": structs})))
    assert (first, list(second["numbers"])) == (None, [2, 3])
