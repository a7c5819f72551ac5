"""Well-known types in Arrow: times as timestamps and durations, wrappers as what they hold, null where absent."""

import datetime
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

EVENT = wa.Schema.from_source("""
syntax = "proto3";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/wrappers.proto";
message Event {
  google.protobuf.Timestamp at = 1;
  google.protobuf.Duration took = 2;
  repeated google.protobuf.Timestamp marks = 3;
  google.protobuf.DoubleValue score = 4;
  google.protobuf.Int64Value count = 5;
  google.protobuf.BoolValue good = 6;
  google.protobuf.StringValue note = 7;
  google.protobuf.BytesValue raw = 8;
  repeated google.protobuf.UInt32Value sizes = 9;
  map<string, google.protobuf.Duration> laps = 10;
  oneof when { google.protobuf.Timestamp due = 11; google.protobuf.StringValue text = 12; }
  Event cause = 13;
}
""")["Event"]
ROWS: list[dict[str, Any]] = [
    {
        "at": np.datetime64("2024-01-01T00:00:00.123456789"),
        "took": np.timedelta64(-1_500_000_001, "ns"),
        "marks": np.array(["1970-01-01", "2024-06-01T12:00:00.5"], "datetime64[ns]"),
        "score": 1.5,
        "count": 0,
        "good": True,
        "note": "",
        "raw": b"\xff",
        "sizes": [1, 2],
        "laps": {"a": np.timedelta64(5, "s")},
        "due": np.datetime64("1969-12-31T23:59:59", "ns"),
    },
    {},
    {"text": "later", "cause": {"at": np.datetime64("2000-01-01", "ns")}},
]


@pytest.fixture
def table() -> wa.Table:
    return EVENT.decode_many(EVENT.encode_many(ROWS))


def test_their_types_are_those_of_the_values(table: wa.Table) -> None:
    arrow = pa.table(table)
    arrow.validate(full=True)
    expected = {
        "at": "timestamp[ns, tz=UTC]",
        "took": "duration[ns]",
        "marks": "large_list<item: timestamp[ns, tz=UTC] not null>",
        "score": "double",
        "count": "int64",
        "good": "bool",
        "note": "large_string",
        "raw": "large_binary",
        "sizes": "large_list<item: uint32 not null>",
        "laps": "map<large_string, duration[ns]>",
        "due": "timestamp[ns, tz=UTC]",
        "text": "large_string",
    }
    assert {name: str(arrow.schema.field(name).type) for name in expected} == expected
    assert [field.nullable for field in arrow.schema] == [
        name not in ("marks", "sizes", "laps") for name in EVENT.fields
    ]
    assert arrow.schema.field("at").metadata[b"protobuf.message"] == b"google.protobuf.Timestamp"


def test_their_values_are_those_of_the_table_and_null_where_absent(table: wa.Table) -> None:
    arrow = pa.table(table)
    assert arrow["at"].cast(pa.int64()).to_pylist() == [1704067200123456789, None, None]
    assert arrow["took"].cast(pa.int64()).to_pylist() == [-1_500_000_001, None, None]
    assert arrow["marks"].chunk(0).values.cast(pa.int64()).to_pylist() == table["marks"].values.view("int64").tolist()
    assert arrow["count"].to_pylist() == [0, None, None]
    assert arrow["good"].to_pylist() == [True, None, None]
    assert arrow["note"].to_pylist() == ["", None, None]
    assert arrow["raw"].to_pylist() == [b"\xff", None, None]
    assert arrow["sizes"].to_pylist() == [[1, 2], [], []]
    assert arrow["laps"].chunk(0).items.cast(pa.int64()).to_pylist() == [5_000_000_000]
    assert arrow["cause"].chunk(0).field("at").cast(pa.int64()).drop_null().to_pylist() == [946684800000000000]
    assert arrow["text"].to_pylist() == [None, None, "later"]
    union = pa.table(table.to_arrow(oneofs="union"))["when"]
    assert [union.chunk(0).type_codes[row].as_py() for row in range(3)] == [1, 0, 2]


def test_their_memory_is_shared_with_numpy(table: wa.Table) -> None:
    assert pa.table(table)["at"].chunk(0).buffers()[1].address == table["at"].ctypes.data
    assert pa.table(table)["sizes"].chunk(0).values.buffers()[1].address == table["sizes"].values.ctypes.data


def test_other_libraries_see_times(table: wa.Table) -> None:
    frame = pl.DataFrame(table)
    assert frame["at"].dtype == pl.Datetime("ns", "UTC")
    assert frame["took"].dtype == pl.Duration("ns")
    connection = duckdb.connect()
    connection.register("events", table)
    assert connection.sql('select count("at"), sum(score), typeof(min("at")) from events').fetchall() == [
        (1, 1.5, "TIMESTAMPTZ_NS")
    ]


def test_they_come_back_as_they_were(table: wa.Table) -> None:
    expected = EVENT.encode_many(table).to_list()
    assert EVENT.encode_many(pa.table(table)).to_list() == expected
    assert EVENT.encode_many(pl.DataFrame(table).drop("laps")).to_list() == [
        EVENT.encode({name: value for name, value in row.items() if name != "laps"}) for row in ROWS
    ]
    assert EVENT.encode_many(pa.table(table)[1:]).to_list() == expected[1:]


def test_wrappers_take_columns_of_what_they_hold() -> None:
    columns = {
        "count": pa.array([1, None, 3], pa.int16()),
        "note": pa.array(["a", None, ""], pa.string_view()),
        "score": pl.Series([None, 1.5, 2.5]),
        "sizes": pa.array([[1], None, [2, 3]]),
        "good": pa.array([True, False, None]),
        "raw": pa.nulls(3),
    }
    expected = [
        {"count": 1, "note": "a", "sizes": [1], "good": True},
        {"score": 1.5, "good": False},
        {"count": 3, "note": "", "score": 2.5, "sizes": [2, 3]},
    ]
    assert EVENT.encode_many(columns).to_list() == EVENT.encode_many(expected).to_list()
    with pytest.raises(ValueError, match=r"^sizes\[1\]\[0\] = 4294967296 does not fit uint32"):
        EVENT.encode_many({"sizes": pa.array([[1], [2**32]])})


def test_they_stay_messages_where_that_is_asked_for() -> None:
    raw = EVENT.decode_many(EVENT.encode_many(ROWS), well_known_types=False)
    arrow = pa.table(raw)
    assert str(arrow.schema.field("at").type) == "struct<seconds: int64 not null, nanos: int32 not null>"
    assert arrow["at"].to_pylist() == [{"seconds": 1704067200, "nanos": 123456789}, None, None]
    assert EVENT.encode_many(arrow).to_list() == EVENT.encode_many(ROWS).to_list()


def test_columns_that_never_came_have_their_types() -> None:
    arrow = pa.table(EVENT.decode_many([b"", b""]))
    arrow.validate(full=True)
    assert arrow.schema == pa.schema(EVENT)
    assert arrow["at"].to_pylist() == arrow["score"].to_pylist() == arrow["note"].to_pylist() == [None, None]


def test_a_time_out_of_range_is_refused_by_name() -> None:
    far = wa.Table.of(EVENT, at={"seconds": [0, 2**40], "nanos": [0, 0]})
    with pytest.raises(ValueError, match=r"^at: google\.protobuf\.Timestamp in row 1: 1099511627776 seconds"):
        pa.table(far)
    nanoseconds = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    assert pa.table(wa.Table.of(EVENT, at=[nanoseconds]))["at"].to_pylist() == [nanoseconds]
