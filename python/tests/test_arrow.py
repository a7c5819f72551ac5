"""Tables and columns as pyarrow, Polars, pandas, DuckDB and nanoarrow take them."""

from typing import Any

import duckdb
import nanoarrow
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
package test;
enum Side { BUY = 0; SELL = 1; ALSO_SELL = 1 [deprecated = true]; OFF = -3; option allow_alias = true; }
message Point { double x = 1; optional double y = 2; repeated int32 tags = 3; bool seen = 4; }
message Empty {}
message Row {
  int64 id = 1;
  optional string name = 2;
  repeated double values = 3;
  Point at = 4;
  repeated Point path = 5;
  map<string, int32> counts = 6;
  oneof choice { int32 number = 7; string text = 8; Point point = 9; }
  repeated string words = 10;
  Row inner = 11;
  bool present = 12;
  Side side = 13;
  repeated Side sides = 14;
  map<int32, Row> rows = 15;
  repeated bool flags = 16;
  bytes raw = 17;
  float narrow = 18;
  uint32 small = 19;
  uint64 large = 20;
  repeated bytes blobs = 21;
  Empty empty = 22;
}
""")
ROW = SCHEMA["test.Row"]
MESSAGES: list[dict[str, Any]] = [
    {
        "id": 1,
        "name": "a",
        "values": [1.0, 2.0],
        "at": {"x": 1.0, "seen": True},
        "path": [{"x": 3.0, "y": 0.0, "tags": [1, 2]}, {"seen": True}],
        "counts": {"a": 1, "b": 2},
        "number": 5,
        "words": ["x", "yy"],
        "side": 1,
        "sides": [1, -3, 7],
        "flags": [True, False],
        "raw": b"\xff",
        "large": 2**64 - 1,
    },
    {},
    {"id": 3, "text": "zz", "inner": {"id": 4, "inner": {"id": 5}}, "rows": {1: {"id": 9}, 2: {"at": {}}}},
    {"point": {}, "name": "", "blobs": [b"", b"\0"], "narrow": 0.5, "small": 7, "present": True, "side": -3},
]


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(ROW.encode_many(MESSAGES))


def exported(arrow: Any) -> pa.Table:
    """The table that pyarrow makes of it, which it finds to be valid."""
    table = pa.table(arrow)
    table.validate(full=True)
    return table


# ---------------------------------------------------------------------------------------------------------------------
# Values


def test_each_sort_of_column_has_its_type(table: wa.Table) -> None:
    schema = exported(table).schema
    point = (
        "struct<x: double not null, y: double, tags: large_list<item: int32 not null> not null, seen: bool not null>"
    )
    expected = {
        "id": "int64",
        "name": "large_string",
        "values": "large_list<item: double not null>",
        "at": point,
        "path": f"large_list<item: {point} not null>",
        "counts": "map<large_string, int32>",
        "number": "int32",
        "words": "large_list<item: large_string not null>",
        "present": "bool",
        "side": "int32",
        "flags": "large_list<item: bool not null>",
        "raw": "large_binary",
        "narrow": "float",
        "small": "uint32",
        "large": "uint64",
        "blobs": "large_list<item: large_binary not null>",
        "empty": "struct<>",
    }
    assert {name: str(schema.field(name).type) for name in expected} == expected
    nullable = {field.name for field in schema if field.nullable}
    assert nullable == {"name", "at", "number", "text", "point", "inner", "empty"}


def test_the_schema_goes_along_as_metadata(table: wa.Table) -> None:
    schema = exported(table).schema
    assert schema.metadata == {b"protobuf.message": b"test.Row"}
    assert schema.field("at").metadata == {b"protobuf.number": b"4", b"protobuf.message": b"test.Point"}
    assert schema.field("sides").metadata == {b"protobuf.number": b"14", b"protobuf.enum": b"test.Side"}


def test_values_are_those_of_the_table(table: wa.Table) -> None:
    rows = exported(table).to_pylist()
    assert [row["id"] for row in rows] == table["id"].tolist()
    assert rows[0]["path"] == [
        {"x": 3.0, "y": 0.0, "tags": [1, 2], "seen": False},
        {"x": 0.0, "y": None, "tags": [], "seen": True},
    ]
    assert rows[0]["counts"] == [("a", 1), ("b", 2)]
    assert rows[0]["sides"] == [1, -3, 7]
    assert rows[0]["flags"] == [True, False]
    assert rows[0]["large"] == 2**64 - 1
    assert [row["raw"] for row in rows] == [b"\xff", b"", b"", b""]
    assert rows[3]["blobs"] == [b"", b"\0"]


def test_absent_is_null_where_the_schema_tells_it_from_default(table: wa.Table) -> None:
    arrow = exported(table)
    assert arrow["name"].to_pylist() == ["a", None, None, ""]
    assert arrow["number"].to_pylist() == [5, None, None, None]
    assert arrow["text"].to_pylist() == [None, None, "zz", None]
    assert arrow["at"].is_null().to_pylist() == [False, True, True, True]
    assert arrow["point"].is_null().to_pylist() == [True, True, True, False]
    assert arrow["id"].null_count == arrow["values"].null_count == arrow["present"].null_count == 0
    all_there = ROW.decode_many(ROW.encode_many({"name": ["a", "b"]}))
    assert exported(all_there)["name"].chunk(0).buffers()[0] is None


def test_a_type_within_itself_goes_as_deep_as_the_data(table: wa.Table) -> None:
    arrow = exported(table)
    inner = arrow.schema.field("inner").type
    assert "inner" in [field.name for field in inner]
    assert "inner" not in [field.name for field in inner.field("inner").type]
    assert arrow["inner"].to_pylist()[2]["inner"]["id"] == 5
    assert [key for key, _ in arrow["rows"].to_pylist()[2]] == [1, 2]
    assert arrow["rows"].to_pylist()[2][0][1]["id"] == 9
    empty = exported(ROW.decode_many([b"", b""])).schema.names
    assert set(ROW.fields) - set(empty) == {"inner", "rows"}
    # Looking further down makes columns, and tells nothing of values.
    table["inner.inner.inner.inner"].keys()
    assert exported(table).schema == arrow.schema


def test_what_was_looked_for_in_vain_goes_nowhere() -> None:
    table = ROW.decode_many([b""])
    column = table
    for _ in range(10_000):
        column = column["inner"]
    assert "inner" not in exported(table).schema.names


def test_a_message_type_has_the_type_of_its_tables() -> None:
    schema = pa.schema(ROW)
    assert schema.equals(exported(ROW.decode_many([b""])).schema, check_metadata=True)
    deeper = ROW.select("inner.inner.id", "id")
    assert str(pa.schema(deeper).field("inner").type) == "struct<inner: struct<id: int64 not null>>"
    assert pa.schema(deeper).equals(exported(deeper.decode_many([])).schema, check_metadata=True)
    assert nanoarrow.c_schema(ROW).n_children == len(schema)


@pytest.mark.parametrize("rows", [slice(1, 3), slice(3, 4), slice(2, 2), slice(None, None, -1)], ids=str)
def test_slices_are_the_rows_that_they_show(table: wa.Table, rows: slice) -> None:
    assert pa.table(table[rows]).num_rows == len(table[rows])
    names = [name for name in exported(table[rows]).schema.names if name not in ("inner", "rows")]
    assert exported(table[rows]).select(names).to_pylist() == exported(table).select(names).to_pylist()[rows]
    assert pa.array(table["path"][rows]).to_pylist() == pa.array(table["path"]).to_pylist()[rows]
    assert pa.array(table["counts"][rows]).to_pylist() == pa.array(table["counts"]).to_pylist()[rows]
    assert pa.array(table["words"][rows]).to_pylist() == pa.array(table["words"]).to_pylist()[rows]
    assert pa.array(table["raw"][rows]).to_pylist() == table["raw"][rows].to_list()


def test_messages_of_a_field_are_structs_and_as_a_table_their_nulls_are_in_the_columns(table: wa.Table) -> None:
    array = pa.array(table["at"])
    array.validate(full=True)
    assert array.is_null().to_pylist() == [False, True, True, True]
    assert exported(table["at"]).to_pylist() == [
        {"x": 1.0, "y": None, "tags": [], "seen": True},
        *[{"x": None, "y": None, "tags": None, "seen": None}] * 3,
    ]
    assert pa.record_batch(table).num_rows == 4


def test_columns_stand_alone(table: wa.Table) -> None:
    for column, kind in [
        (table["values"], "large_list<item: double not null>"),
        (table["words"], "large_list<item: large_string not null>"),
        (table["counts"], "map<large_string, int32>"),
        (table["name"], "large_string"),
        (table["raw"], "large_binary"),
    ]:
        array, chunked = pa.array(column), pa.chunked_array(column)
        array.validate(full=True)
        assert str(array.type) == str(chunked.type) == kind
        assert chunked.to_pylist() == array.to_pylist()
        assert pa.DataType._import_from_c_capsule(column.__arrow_c_schema__()) == array.type


def test_tables_without_rows_or_columns_or_values_are_taken() -> None:
    for count in (0, 1, 5):
        arrow = exported(ROW.decode_many([b""] * count))
        assert (arrow.num_rows, arrow.num_columns) == (count, len(ROW.fields) - 2)
    empty = SCHEMA["test.Empty"].decode_many([b"", b""])
    assert pa.array(empty).to_pylist() == [{}, {}]
    assert exported(empty).num_columns == 0
    assert pa.array(ROW.decode_many([])["path"]).to_pylist() == []


def test_every_default_of_proto2_is_null_and_a_maps_first_enum_value_is_not() -> None:
    schema = wa.Schema.from_source("""
    syntax = "proto2";
    enum Late { FIVE = 5; SIX = 6; }
    message Old {
      optional int32 seven = 1 [default = 7]; optional string text = 2 [default = "t"]; optional Late late = 3;
      map<int32, Late> lates = 4; optional group Pair = 5 { optional int32 a = 6; } required bool there = 7;
    }
    """)
    table = schema["Old"].decode_many([b"", b"\x22\x02\x08\x01", b"\x2b\x30\x01\x2c"])
    arrow = exported(table)
    for name in ("seven", "text", "late", "there"):
        assert arrow[name].to_pylist() == [None] * 3
    assert arrow["lates"].to_pylist() == [[], [(1, 5)], []]
    assert arrow["pair"].to_pylist() == [None, None, {"a": 1}]


# ---------------------------------------------------------------------------------------------------------------------
# What the options choose


def test_enums_become_their_names(table: wa.Table) -> None:
    arrow = exported(table.to_arrow(enums="names"))
    assert str(arrow["side"].type) == "dictionary<values=large_string, indices=int32, ordered=0>"
    assert arrow["side"].to_pylist() == ["SELL", "BUY", "BUY", "OFF"]
    assert arrow["sides"].to_pylist()[0] == ["SELL", "OFF", "7"]
    assert arrow["side"].chunk(0).dictionary.to_pylist() == ["BUY", "SELL", "OFF"]
    assert pl.DataFrame(table.to_arrow(enums="names"))["side"].to_list() == ["SELL", "BUY", "BUY", "OFF"]


def test_oneofs_become_unions(table: wa.Table) -> None:
    arrow = exported(table.to_arrow(oneofs="union"))
    assert "number" not in arrow.schema.names
    assert pa.types.is_union(arrow["choice"].type)
    point = {"x": 0.0, "y": None, "tags": [], "seen": False}
    assert arrow["choice"].to_pylist() == [5, None, "zz", point]
    assert [arrow["choice"].chunk(0).type_codes[row].as_py() for row in range(4)] == [1, 0, 2, 3]
    assert exported(table[1:].to_arrow(oneofs="union"))["choice"].to_pylist() == [None, "zz", point]
    narrow = ROW.select("text", "id").decode_many(ROW.encode_many(MESSAGES))
    assert exported(narrow.to_arrow(oneofs="union"))["choice"].to_pylist() == [None, None, "zz", None]


@pytest.mark.parametrize("options", [{"enums": "name"}, {"oneofs": "struct"}], ids=str)
def test_choices_that_there_are_not_are_refused(table: wa.Table, options: dict[str, Any]) -> None:
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=rf'^{name}: expected ".*" or ".*", got {value!r}'):
        table.to_arrow(**options)
    with pytest.raises(TypeError, match=rf"^{name}: expected .* got None"):
        table.to_arrow(**{name: None})


# ---------------------------------------------------------------------------------------------------------------------
# Other libraries


FLAT = wa.Schema.from_source("""
syntax = "proto3";
message Tick {
  int64 ts = 1; double price = 2; optional string sym = 3; repeated int32 sizes = 4; map<string, int32> extra = 5;
}
""")["Tick"]


@pytest.fixture
def ticks() -> wa.Table:
    columns = {
        "ts": [1, 2, 3],
        "price": [1.0, 2.0, 6.0],
        "sym": ["A", None, "B"],
        "sizes": [[1], [], [2, 3]],
        "extra": [{"a": 1}, {}, {"b": 2}],
    }
    return FLAT.decode_many(FLAT.encode_many(columns))


def test_polars_takes_a_table(ticks: wa.Table) -> None:
    frame = pl.DataFrame(ticks)
    assert frame["price"].to_list() == [1.0, 2.0, 6.0]
    assert frame["sym"].to_list() == ["A", None, "B"]
    assert frame["sizes"].to_list() == [[1], [], [2, 3]]
    assert pl.Series(ticks["sizes"]).to_list() == [[1], [], [2, 3]]
    assert frame.filter(pl.col("price") > 1.5)["ts"].to_list() == [2, 3]


def test_pandas_takes_a_table(ticks: wa.Table) -> None:
    frame = pd.DataFrame.from_arrow(ticks)
    assert frame["price"].tolist() == [1.0, 2.0, 6.0]
    assert frame["sym"].isna().tolist() == [False, True, False]
    assert frame.groupby("sym")["price"].sum().to_dict() == {"A": 1.0, "B": 6.0}


def test_duckdb_asks_a_table(ticks: wa.Table) -> None:
    assert duckdb.sql("select avg(price), count(sym) from ticks").fetchall() == [(3.0, 2)]
    assert duckdb.sql("select ts, extra['b'] from ticks where len(sizes) = 2").fetchall() == [(3, 2)]


def test_nanoarrow_takes_a_table(ticks: wa.Table) -> None:
    assert nanoarrow.Array(ticks["sizes"]).to_pylist() == [[1], [], [2, 3]]
    assert nanoarrow.Array(FLAT.select("ts", "sym").decode_many(FLAT.encode_many(ticks))).to_pylist()[1] == {
        "ts": 2,
        "sym": None,
    }
    assert nanoarrow.c_array_stream(ticks).get_schema().n_children == 5


# ---------------------------------------------------------------------------------------------------------------------
# What Arrow cannot hold


def test_text_that_is_not_utf8_is_refused_by_name() -> None:
    old = wa.Schema.from_source(
        'syntax = "proto2"; message A { repeated B b = 1; } message B { optional string s = 1; }'
    )
    table = old["A"].decode_many([b"\x0a\x03\x0a\x01a", b"\x0a\x03\x0a\x01\xff"])
    with pytest.raises(ValueError, match=r"^b\.s: string 1 is not UTF-8, as Arrow's strings have to be"):
        pa.table(table)
    with pytest.raises(ValueError, match=r"^the column: string 1 is not UTF-8"):
        pa.array(table["b.s"].values)
    assert pa.table(table[:1]).to_pylist() == [{"b": [{"s": "a"}]}]
    assert pa.schema(old["A"]).names == ["b"]


def test_types_that_hold_each_other_in_many_ways_are_refused() -> None:
    levels = "".join(f"message M{n} {{ M{n + 1} a = 1; M{n + 1} b = 2; int32 c = 3; }}" for n in range(60))
    schema = wa.Schema.from_source(f'syntax = "proto3"; {levels} message M60 {{}}')
    with pytest.raises(ValueError, match=r"^M0 has more than 100000 fields with all that is in it; select those"):
        pa.schema(schema["M0"])
    assert pa.schema(schema["M0"].select("a.b.c")).names == ["a"]


def test_a_chain_of_types_ends_where_messages_do() -> None:
    levels = "".join(f"message M{n} {{ M{n + 1} a = 1; int32 c = 3; }}" for n in range(5_000))
    schema = wa.Schema.from_source(f'syntax = "proto3"; {levels} message M5000 {{}}')
    depth, field = 0, nanoarrow.c_schema(schema["M0"])
    while field.n_children == 2:
        depth, field = depth + 1, field.child(0)
    assert depth == 100


def test_a_oneof_of_too_many_members_is_no_union() -> None:
    members = "".join(f"int32 m{number} = {number};" for number in range(1, 130))
    table = wa.Schema.from_source(f'syntax = "proto3"; message M {{ oneof o {{ {members} }} }}')["M"].decode_many([b""])
    assert pa.table(table).num_columns == 129
    with pytest.raises(ValueError, match=r"^the oneof o has more than 126 members"):
        pa.table(table.to_arrow(oneofs="union"))
