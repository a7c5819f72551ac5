"""Scans as streams of Arrow's: a batch is decoded when it is asked for."""

import io
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

pa = pytest.importorskip("pyarrow")

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Tick { int64 id = 1; string symbol = 2; optional double price = 3; repeated int32 sizes = 4; }
message Tree { int32 value = 1; repeated Tree within = 2; map<string, Tree> by_name = 3; }
""")
TICK, TREE = SCHEMA["Tick"], SCHEMA["Tree"]
ROWS = 1000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    prices = np.ma.masked_array(np.arange(ROWS) / 3, np.arange(ROWS) % 2 == 0)
    columns = {"id": np.arange(ROWS), "symbol": ["A", "B"] * (ROWS // 2), "price": prices}
    TICK.write(tmp_path / "log.pb", columns, framing="delimited")
    return tmp_path / "log.pb"


def scan(source: Any, **options: Any) -> wa.Scan:
    return TICK.scan(source, framing="delimited", batch_rows=300, **options)


def test_a_reader_gets_batches_of_one_type_and_all_rows(log: Path) -> None:
    reader = pa.RecordBatchReader.from_stream(scan(log))
    assert reader.schema == pa.schema(TICK) == pa.schema(scan(log))
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [300, 300, 300, 100]
    assert pa.Table.from_batches(batches) == pa.table(TICK.read(log, framing="delimited")).combine_chunks()


def test_batches_are_decoded_as_they_are_asked_for(log: Path) -> None:
    source = scan(log)
    reader = pa.RecordBatchReader.from_stream(source)
    assert source.offset == 0
    reader.read_next_batch()
    after_one = source.offset
    assert 0 < after_one < log.stat().st_size
    assert len(next(source)) == 300
    assert [batch.num_rows for batch in reader] == [300, 100]
    assert pa.table(source).num_rows == 0


def test_frames_and_queries_take_it(log: Path) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    assert polars.DataFrame(scan(log))["id"].sum() == ROWS * (ROWS - 1) // 2
    with duckdb.connect() as connection:
        connection.register("ticks", scan(log))
        query = "select symbol, count(*) from ticks group by symbol order by symbol"
        found = connection.sql(query).fetchall()
    assert found == [("A", ROWS // 2), ("B", ROWS // 2)]
    assert TICK.encode_many(scan(log)).to_list() == TICK.encode_many(TICK.read(log, framing="delimited")).to_list()


@pytest.mark.parametrize("is_main", [True, False])
def test_a_source_of_python_is_read_while_the_consumer_waits(log: Path, is_main: bool) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(100)

    rows: list[int] = []

    def consume() -> None:
        rows.append(pa.table(scan(Slow(log.read_bytes()))).num_rows)

    if is_main:
        consume()
    else:
        thread = threading.Thread(target=consume)
        thread.start()
        thread.join(60)
    assert rows == [ROWS]


def test_what_is_wrong_is_said_behind_what_came_before(log: Path) -> None:
    log.write_bytes(log.read_bytes()[:-3])
    reader = pa.RecordBatchReader.from_stream(scan(log))
    rows = [reader.read_next_batch().num_rows for _ in range(4)]
    assert rows == [300, 300, 300, 99]
    # pyarrow's exception for a wrong value.
    with pytest.raises(pa.ArrowInvalid, match=r"DecodeError: .*log.pb, row 999, byte \d+: the stream ends inside"):
        reader.read_next_batch()
    with pytest.raises(StopIteration):
        reader.read_next_batch()
    assert pa.table(scan(log, on_error="skip")).num_rows == ROWS - 1


def test_what_a_source_raises_reaches_the_consumer() -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            raise RuntimeError("out of order")

    with pytest.raises(OSError, match="RuntimeError: out of order"):
        pa.table(scan(Broken()))


@pytest.mark.parametrize(
    ("messages", "path"),
    [
        ([{"value": 1}, {"within": [{"value": 2}]}], "within"),
        ([{"by_name": {"a": {"value": 2}}}], "by_name"),
    ],
    ids=["repeated", "map"],
)
def test_messages_within_their_own_type_are_not_dropped_unsaid(messages: Any, path: str) -> None:
    log = io.BytesIO()
    TREE.write(log, messages, framing="delimited")

    def tree(message_type: wa.MessageType) -> Any:
        return pa.table(message_type.scan(io.BytesIO(log.getvalue()), framing="delimited"))

    with pytest.raises(pa.ArrowInvalid, match=rf"{path}: .*say with select\(\) how deep"):
        tree(TREE)
    assert tree(TREE.select("value")).column_names == ["value"]
    assert tree(TREE.select("value", "within.value"))["within"].to_pylist()[-1:] == [
        [{"value": 2}] if path == "within" else []
    ]


def test_a_tree_without_branches_is_a_table(tmp_path: Path) -> None:
    TREE.write(tmp_path / "tree.pb", {"value": [1, 2]}, framing="delimited")
    table = pa.table(TREE.scan(tmp_path / "tree.pb", framing="delimited"))
    assert table.schema == pa.schema(TREE)
    assert table["value"].to_pylist() == [1, 2]


def test_a_scan_that_was_closed_gives_no_batch(log: Path) -> None:
    source = scan(log)
    reader = pa.RecordBatchReader.from_stream(source)
    source.close()
    assert list(reader) == []


def test_a_batch_that_arrow_cannot_hold_is_not_counted_as_delivered() -> None:
    proto2 = wa.Schema.from_source('syntax = "proto2"; message M { optional string s = 1; }')["M"]
    log = io.BytesIO(b"\x03\x0a\x01a" * 2 + b"\x03\x0a\x01\xff" * 2)
    source = proto2.scan(log, framing="delimited", batch_rows=2)
    reader = pa.RecordBatchReader.from_stream(source)
    assert reader.read_next_batch().num_rows == 2
    with pytest.raises(pa.ArrowInvalid, match="UTF-8"):
        reader.read_next_batch()
    assert source.offset == 8
