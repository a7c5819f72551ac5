"""Columns of other libraries as fields: every layout that Arrow has for what a field can hold, nulls at each level."""

import datetime
import gc
from typing import Any

import duckdb
import nanoarrow
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
enum Side { BUY = 0; SELL = 1; }
message Point { double x = 1; optional int32 y = 2; repeated string tags = 3; }
message Row {
  int64 whole = 1;
  optional double real = 2;
  bool flag = 3;
  string text = 4;
  optional bytes raw = 5;
  Side side = 6;
  Point at = 7;
  repeated int32 numbers = 8;
  repeated string words = 9;
  repeated Point path = 10;
  map<string, int32> counts = 11;
  map<int32, Point> points = 12;
  google.protobuf.Timestamp time = 13;
  google.protobuf.Duration span = 14;
  repeated google.protobuf.Timestamp times = 15;
  repeated bool flags = 16;
  float narrow = 17;
  oneof choice { int32 number = 18; Point point = 19; }
  Row inner = 20;
  repeated Side sides = 21;
}
""")
ROW = SCHEMA["Row"]


def written(given: Any) -> list[bytes]:
    return list(ROW.encode_many(given).to_list())


def same(column: Any, name: str, values: list[Any]) -> None:
    """Checks that a column is written as a list of its values is, alone, in parts, and as a part of a table."""
    expected = written([{name: value} for value in values])
    assert written({name: column}) == expected
    table = pa.table({name: column})
    assert written(table) == expected
    for batch_size in (1, 2, len(values)):
        batches = pa.Table.from_batches(table.to_batches(max_chunksize=batch_size), table.schema)
        assert written(batches) == expected
        assert written({name: batches[name]}) == expected
    assert written(table[1:]) == expected[1:]
    assert written(table[1:2]) == expected[1:2]
    assert written(table.slice(0, 0)) == []
    assert written({name: table[name][1:]}) == expected[1:]
    assert wa.Table.of(ROW, **{name: column}).keys() == list(ROW.fields)


SMALL = [1, 0, 3, 1]
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


@pytest.mark.parametrize("kind", [*INTEGERS, pa.float16(), pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize("name", ["whole", "real", "narrow"])
def test_every_type_of_number_is_taken(kind: pa.DataType, name: str) -> None:
    values = SMALL if pa.types.is_integer(kind) else [float(value) for value in SMALL]
    same(pa.array(np.array(values), kind) if kind != pa.float16() else pa.array(np.float16(values)), name, values)
    nulls = pa.array([*values[:1], None, *values[2:]], kind) if kind != pa.float16() else None
    if nulls is not None:
        same(nulls, name, [values[0], None, *values[2:]])


def test_bools_are_taken() -> None:
    flags = [True, False, True, True, False, True, False, False, True, True]
    same(pa.array(flags), "flag", flags)
    same(pa.array([True, None, False]), "flag", [True, None, False])
    same(pa.array([[True], [], [False, True], None]), "flags", [[True], [], [False, True], []])


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_every_layout_of_text_is_taken(kind: pa.DataType) -> None:
    texts = ["a", "", "a text that does not fit into a view", "é"]
    same(pa.array(texts, kind), "text", texts)
    same(pa.array([None, "b", None, texts[2]], kind), "text", [None, "b", None, texts[2]])
    same(pa.array([["a", texts[2]], [], None, [""]], pa.list_(kind)), "words", [["a", texts[2]], [], [], [""]])


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)], ids=str)
def test_every_layout_of_bytes_is_taken(kind: pa.DataType) -> None:
    same(pa.array([b"\xff\0a", b"abc", b"def"], kind), "raw", [b"\xff\0a", b"abc", b"def"])
    same(pa.array([b"abc", None, b"def"], kind), "raw", [b"abc", None, b"def"])
    same(pa.array([b"abc", b"def"], kind), "text", [b"abc", b"def"])


def test_what_lies_under_a_null_is_nothing() -> None:
    mask = pa.py_buffer(b"\x05")
    texts = pa.Array.from_buffers(pa.string(), 3, [mask, *pa.array(["a", "bb", "c"]).buffers()[1:]])
    same(texts, "text", ["a", None, "c"])
    numbers = pa.Array.from_buffers(pa.int64(), 3, [mask, pa.array([1, 2**40, 3]).buffers()[1]])
    same(numbers, "real", [1, None, 3])
    lists = pa.Array.from_buffers(
        pa.list_(pa.int64()),
        3,
        [mask, pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]],
        children=[pa.array([1, 2**40, 3])],
    )
    same(lists, "numbers", [[1], [], [3]])
    points = pa.StructArray.from_arrays(
        [pa.array([1.0, 2.0, 3.0]), pa.array([1, 2**40, 3])], ["x", "y"], mask=pa.array([False, True, False])
    )
    same(points, "at", [{"x": 1.0, "y": 1}, None, {"x": 3.0, "y": 3}])


@pytest.mark.parametrize("index", INTEGERS, ids=str)
def test_dictionaries_are_their_values(index: pa.DataType) -> None:
    kind = pa.dictionary(index, pa.string())
    same(pa.array(["a", "b", None, "a"], kind), "text", ["a", "b", None, "a"])
    same(pa.array(["SELL", "BUY", None, "SELL"], kind), "side", ["SELL", "BUY", None, "SELL"])
    numbers = pa.DictionaryArray.from_arrays(pa.array([1, 0, None, 1], index), pa.array([5, 7]))
    same(numbers, "whole", [7, 5, None, 7])
    same(pa.array([["a", "b"], None], pa.list_(kind)), "words", [["a", "b"], []])
    same(pa.DictionaryArray.from_arrays(pa.array([None, None], index), pa.array([], pa.string())), "text", [None, None])


def test_enums_are_numbers_or_names() -> None:
    same(pa.array([1, 0, 7], pa.int32()), "side", [1, 0, 7])
    same(pa.array(["SELL", None, "BUY"]), "side", ["SELL", None, "BUY"])
    same(pa.array([["SELL"], ["BUY", "SELL"], []]), "sides", [["SELL"], ["BUY", "SELL"], []])
    same(pl.Series(["SELL", "BUY"], dtype=pl.Categorical), "side", ["SELL", "BUY"])
    same(pl.Series(["SELL", "BUY"], dtype=pl.Enum(["BUY", "SELL"])), "side", ["SELL", "BUY"])
    with pytest.raises(ValueError, match=r"^side\[1\] = 'HOLD' is no name of the enum; it has BUY, SELL"):
        written({"side": pa.array(["BUY", "HOLD"])})


LISTS = [[1, 2], [], [3], [4, 5, 6]]


@pytest.mark.parametrize(
    "kind", [pa.list_, pa.large_list, pa.list_view, pa.large_list_view], ids=lambda kind: kind.__name__
)
@pytest.mark.parametrize("item", [pa.int32(), pa.int64(), pa.uint8()], ids=str)
def test_every_layout_of_lists_is_taken(kind: Any, item: pa.DataType) -> None:
    same(pa.array(LISTS, kind(item)), "numbers", LISTS)
    same(pa.array([*LISTS[:2], None, LISTS[3]], kind(item)), "numbers", [*LISTS[:2], [], LISTS[3]])


def test_lists_of_one_length_and_views_in_any_order_are_taken() -> None:
    same(pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int32(), 2)), "numbers", [[1, 2], [3, 4], [5, 6]])
    same(pa.array([[1, 2], None, [5, 6]], pa.list_(pa.int32(), 2)), "numbers", [[1, 2], [], [5, 6]])
    fixed = pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int32, 2))
    assert written({"numbers": fixed}) == written({"numbers": [[1, 2], [3, 4]]})
    views = pa.ListViewArray.from_arrays(
        pa.array([4, 0, 1], pa.int32()), pa.array([2, 3, 2], pa.int32()), pa.array(range(6))
    )
    same(views, "numbers", [[4, 5], [0, 1, 2], [1, 2]])
    texts = pa.ListViewArray.from_arrays(
        pa.array([1, 0], pa.int32()), pa.array([2, 1], pa.int32()), pa.array(["a", "b", "c"])
    )
    same(texts, "words", [["b", "c"], ["a"]])


POINTS = [{"x": 1.5, "y": 2, "tags": ["a", "b"]}, {"x": 0.0, "y": None, "tags": []}]


def test_structs_are_messages_and_nulls_are_absent() -> None:
    kind = pa.struct({"x": pa.float64(), "y": pa.int64(), "tags": pa.list_(pa.string())})
    same(pa.array([POINTS[0], None, POINTS[1]], kind), "at", [POINTS[0], None, POINTS[1]])
    same(pa.array([POINTS, [], None, POINTS[1:]], pa.list_(kind)), "path", [POINTS, [], [], POINTS[1:]])
    same(pa.array([None, POINTS[0]], kind), "point", [None, POINTS[0]])
    same(pa.array([POINTS[::-1], POINTS], pa.list_view(kind)), "path", [POINTS[::-1], POINTS])
    rows = [
        {"inner": {"inner": {"at": POINTS[0]}, "whole": 1}},
        {"inner": None},
        {"inner": {"inner": None, "whole": 3}},
    ]
    assert written(pa.Table.from_pylist(rows)) == written(rows)
    assert written(pa.array(rows)) == written(rows)


def test_maps_are_maps_whoever_names_their_entries() -> None:
    maps = [[("a", 1), ("b", 2)], [], [("c", 3)]]
    dicts = [dict(entries) for entries in maps]
    same(pa.array(maps, pa.map_(pa.string(), pa.int32())), "counts", dicts)
    same(pa.array([maps[0], None, maps[2]], pa.map_(pa.string(), pa.int64())), "counts", [dicts[0], {}, dicts[2]])
    entries = [[{"key": key, "value": value} for key, value in each] for each in maps]
    same(pa.array(entries), "counts", dicts)
    assert written({"counts": pl.Series(entries)}) == written({"counts": dicts})
    points = [{1: POINTS[0]}, {}, {2: POINTS[1], 3: POINTS[0]}]
    kind = pa.map_(pa.int32(), pa.struct({"x": pa.float64(), "y": pa.int32(), "tags": pa.list_(pa.string())}))
    same(pa.array([list(each.items()) for each in points], kind), "points", points)


MOMENTS = [
    datetime.datetime(2024, 1, 1, 12, 0, 0, 250_000, tzinfo=datetime.UTC),
    None,
    datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=datetime.UTC),
]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Zurich"])
def test_points_in_time_are_timestamps(unit: str, zone: str | None) -> None:
    same(pa.array(MOMENTS, pa.timestamp(unit, zone)), "time", MOMENTS)
    same(pa.array([MOMENTS[::2], None, []], pa.list_(pa.timestamp(unit, zone))), "times", [MOMENTS[::2], [], []])


def test_spans_and_days_are_taken() -> None:
    spans = [datetime.timedelta(seconds=1.5), None, datetime.timedelta(seconds=-1.5)]
    for unit in ("ms", "us", "ns"):
        same(pa.array(spans, pa.duration(unit)), "span", spans)
    days = [datetime.date(2024, 1, 1), None, datetime.date(1900, 3, 1)]
    same(pa.array(days, pa.date32()), "time", days)
    same(pa.array(days, pa.date64()), "time", days)
    same(pl.Series(MOMENTS), "time", MOMENTS)
    same(pl.Series(spans), "span", spans)
    with pytest.raises(TypeError, match=r"^span: expected structs, got an Arrow column of timestamps"):
        written({"span": pa.array(MOMENTS)})


def test_columns_of_nulls_are_absent() -> None:
    for name in ("whole", "real", "text", "raw", "side", "at", "numbers", "words", "path", "counts", "time", "flag"):
        assert written({name: pa.nulls(2)}) == written(pa.table({name: pa.nulls(2)})) == [b"", b""]
    assert written({"whole": pa.nulls(2), "real": [1.0, 2.0]}) == written({"real": [1.0, 2.0]})


def test_a_frame_of_polars_is_columns() -> None:
    rows = [{"whole": 1, "text": "a", "at": POINTS[0], "path": POINTS, "words": ["x"]}, {"whole": 2, "real": 0.5}]
    frame = pl.DataFrame(rows, schema_overrides={"real": pl.Float64})
    assert written(frame) == written(rows)
    assert written(frame.select("whole", "text")) == written([{"whole": 1, "text": "a"}, {"whole": 2}])
    assert written(pl.concat([frame, frame], rechunk=False)) == written(rows + rows)


def test_results_of_duckdb_and_arrays_of_nanoarrow_are_columns() -> None:
    relation = duckdb.sql("select range::bigint as whole, 'n' || range as text, [range::int] as numbers from range(3)")
    assert written(relation) == written([{"whole": n, "text": f"n{n}", "numbers": [n]} for n in range(3)])
    assert written({"whole": nanoarrow.Array([1, 2], nanoarrow.int64())}) == written({"whole": [1, 2]})


def test_one_message_takes_arrays_too() -> None:
    values = {"numbers": pa.array([1, 2]), "words": pa.chunked_array([["a"], ["b"]]), "path": pa.array(POINTS)}
    assert ROW.encode(values) == ROW.encode({"numbers": [1, 2], "words": ["a", "b"], "path": POINTS})
    assert written([{"numbers": pa.array([1])}, {"numbers": pl.Series([2, 3])}]) == written(
        [{"numbers": [1]}, {"numbers": [2, 3]}]
    )
    table = ROW.decode_many(written({"whole": [1, 2]}))
    assert wa.Table.of(ROW, table, real=pa.array([None, 2.0])).present("real").tolist() == [False, True]


def test_arrays_of_the_fields_own_type_are_not_copied() -> None:
    columns = {
        "whole": pa.array(np.arange(10)),
        "real": pa.array(np.arange(10.0)),
        "text": pa.array(["a"] * 10, pa.large_string()),
        "numbers": pa.array([[1, 2]] * 10, pa.list_(pa.int32())),
    }
    table = wa.Table.of(ROW, pa.table(columns))
    assert table["whole"].ctypes.data == columns["whole"].buffers()[1].address
    assert table["real"][3:].ctypes.data == columns["real"][3:].buffers()[1].address + 24
    assert table["text"].data.ctypes.data == columns["text"].buffers()[2].address
    assert table["numbers"].values.ctypes.data == columns["numbers"].values.buffers()[1].address
    sliced = wa.Table.of(ROW, pa.table(columns).slice(4, 3))
    assert sliced["whole"].ctypes.data == columns["whole"].buffers()[1].address + 32
    assert not table["whole"].flags.writeable
    expected = table["whole"].tolist()
    del columns
    assert table["whole"].tolist() == expected


# ---------------------------------------------------------------------------------------------------------------------
# What does not fit


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("real", pa.array([1, 2**60 + 1]), r"real\[1\] = 1152921504606846977 does not fit double"),
        ("narrow", pa.array([0.5, 1e300]), r"narrow\[1\] = 1e\+300 does not fit float"),
        ("whole", pa.array([1, None, 2**63], pa.uint64()), r"whole\[2\] = 9223372036854775808 does not fit int64"),
        ("whole", pa.chunked_array([[1.0, 2.0], [2.5]]), r"whole\[2\] = 2\.5 does not fit int64"),
        ("numbers", pa.array([[1], [2, 2**40]]), r"numbers\[1\]\[1\] = 1099511627776 does not fit int32"),
        ("numbers", pa.array([[1], [2, None]]), r"numbers\[1\]\[1\]: null is no value of a repeated field"),
        ("words", pa.array([["a"], [None]]), r"words\[1\]\[0\]: null is no value of a repeated field"),
        ("path", pa.array([[{"x": 1.0}], [None]]), r"path\[1\]\[0\]: null is no value of a repeated field"),
        (
            "path",
            pa.array([[{"y": 1}], [{"y": 2}, {"y": 2**40}]]),
            r"path\[1\]\[1\]\.y = 1099511627776 does not fit int32",
        ),
        ("at", pa.array([{"y": 1}, {"y": 2**40}]), r"at\.y\[1\] = 1099511627776 does not fit int32"),
        ("at", pa.array([{"z": 1}]), r'at: no field "z" in Point; it has x, y, tags'),
        (
            "counts",
            pa.array([[{"key": "a", "value": None}]]),
            r"counts\[0\]\.value: null is no value of a map",
        ),
        ("text", pa.array([b"a", b"\xff"]), "row 1, text: the string is not valid UTF-8"),
    ],
    ids=str,
)
def test_the_first_value_that_does_not_fit_is_named(name: str, column: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        written({name: column})
    with pytest.raises(ValueError, match=f"^{message}"):
        written(pa.table({name: column}))


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("whole", pa.array(["a"]), "whole: expected int64, got an Arrow column of strings or bytes"),
        ("whole", pa.array([[1]]), "whole: expected int64, got an Arrow column of lists"),
        ("text", pa.array([1]), "text: expected string, got an Arrow column of int64"),
        ("numbers", pa.array(["a"]), "numbers: expected lists, got an Arrow column of strings or bytes"),
        ("at", pa.array([1]), "at: expected structs, got an Arrow column of int64"),
        ("time", pa.array([1]), "time: expected structs, got an Arrow column of int64"),
        ("whole", pa.array(MOMENTS), r"whole: expected numbers for an int64 field, got an array of datetime64\[us\]"),
    ],
    ids=str,
)
def test_columns_of_another_sort_are_refused(name: str, column: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"^{message}"):
        written({name: column})
    with pytest.raises(TypeError, match=f"^{message}"):
        written(pa.table({name: column}))


def test_types_that_no_field_has_are_refused_by_name() -> None:
    decimal = pa.array([1], pa.decimal128(5))
    with pytest.raises(
        TypeError, match=r"^whole: Arrow's type \"d:5,0\" is no type of a field; cast the column to numbers"
    ):
        written({"whole": decimal})
    with pytest.raises(TypeError, match=r"^Arrow's type \"d:5,0\" of whole is no type of a field; cast the column"):
        written(pa.table({"whole": decimal}))


def test_columns_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^there are two columns of that name|^whole: there are two columns"):
        written(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["whole", "whole"]))
    with pytest.raises(ValueError, match=r"^whole has 2 rows and real has 1"):
        written({"whole": pa.array([1, 2]), "real": pa.array([1.0])})
    with pytest.raises(ValueError, match=r"^number and point are both set in row 1"):
        written(pa.table({"number": pa.array([1, 2]), "point": pa.array([None, {"x": 1.0}])}))


def test_offsets_that_lead_nowhere_are_refused() -> None:
    offsets = pa.array([0, 2, 1, 3], pa.int32()).buffers()[1]
    array = pa.Array.from_buffers(pa.string(), 3, [None, offsets, pa.py_buffer(b"abc")])
    with pytest.raises(ValueError, match=r"^text: the Arrow array is not valid: offsets: entry 1 would be 2 to 1 of 3"):
        written({"text": array})
    indices = pa.array([0, 7], pa.int32())
    array = pa.DictionaryArray.from_arrays(indices, pa.array(["a"]), safe=False)
    with pytest.raises(ValueError, match=r"^text: the Arrow array is not valid: a number leads out of its dictionary"):
        written({"text": array})


def test_taking_columns_again_and_again_takes_no_more_memory() -> None:
    given = pa.table({"whole": range(50), "path": [POINTS] * 50, "words": [["a", "b"]] * 50})
    wrong = pa.table({"numbers": [[2**40]]})

    def rounds(count: int) -> int:
        for _ in range(count):
            written(given)
            with pytest.raises(ValueError, match="does not fit"):
                written(wrong)
        gc.collect()
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * 4096

    rounds(300)
    allocated, before = pa.total_allocated_bytes(), rounds(1)
    assert rounds(1_500) - before < 4 << 20
    assert pa.total_allocated_bytes() == allocated
