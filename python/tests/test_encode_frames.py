"""Frames, nulls and times of pandas, Polars and Arrow; tables of which some columns are replaced."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

TICK = wa.Schema.from_source(
    """
    syntax = "proto3";
    import "google/protobuf/timestamp.proto";
    message Tick {
        int64 ts = 1;
        optional double bid = 2;
        string sym = 3;
        repeated double book = 4;
        google.protobuf.Timestamp at = 5;
        oneof kind { int32 size = 6; string note = 7; }
        map<string, int32> extra = 8;
        bytes raw = 9;
    }
    """
)["Tick"]


def written(**columns: Any) -> wa.Table:
    return TICK.decode_many(TICK.encode_many(columns))


def test_nulls_of_other_libraries_are_absent() -> None:
    for column in (pl.Series([1.5, None]), pa.array([1.5, None]), pd.array([1.5, None], "Float64")):
        assert written(bid=column).present("bid").tolist() == [True, False]
    for column in (
        pl.Series([2**60 + 1, None]),
        pa.array([2**60 + 1, None]),
        pd.Series([2**60 + 1, None], dtype="Int64"),
    ):
        assert written(ts=column)["ts"].tolist() == [2**60 + 1, 0]
        with pytest.raises(ValueError, match=r"^bid\[0\] = 1152921504606846977 does not fit double"):
            TICK.encode_many({"bid": column})
    assert written(bid=pl.Series([1.5, np.nan])).present("bid").tolist() == [True, True]
    assert written(bid=pd.Series([1.5, np.nan])).present("bid").tolist() == [True, True]


def test_tables_of_arrow_are_columns() -> None:
    columns = {"ts": [1, 2], "sym": ["a", None], "book": [[1.0], [2.0, 3.0]]}
    for table in (pa.table(columns), pa.RecordBatch.from_pydict(columns), pl.DataFrame(columns)):
        read = TICK.decode_many(TICK.encode_many(table))
        assert (read["ts"].tolist(), read["sym"].to_list()) == ([1, 2], ["a", ""])
        assert [values.tolist() for values in read["book"]] == [[1.0], [2.0, 3.0]]


def test_frames_of_pandas_are_columns() -> None:
    times = pd.to_datetime(["2024-01-01 00:00:00.123456789", None], utc=True)
    frame = pd.DataFrame({"ts": [1, 2], "at": times, "book": [[1.0], [2.0, 3.0]], "extra": [{"a": 1}, {}]})
    read = TICK.decode_many(TICK.encode_many(frame))
    assert read.present("at").tolist() == [True, False]
    assert read["at.nanos"].tolist() == [123456789, 0]
    assert read[0]["extra"].to_dict()["key"].to_list() == ["a"]
    assert TICK.decode(TICK.encode({"extra": pd.Series({"a": 1})}))["extra"]["value"].tolist() == [1]


def test_dates_and_plain_buffers_are_taken() -> None:
    day = TICK.decode(TICK.encode({"at": datetime.date(2024, 1, 1)}))
    assert day["at.seconds"] == 1_704_067_200
    assert TICK.decode(TICK.encode({"raw": np.arange(3, dtype=np.uint8)}))["raw"] == b"\0\1\2"


@pytest.mark.parametrize("given", [{"book": {0: 1.0}}, {"book": {1.0, 2.0}}])
def test_what_has_keys_or_no_order_is_no_list(given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^book: expected an array or list of double, got (dict|set)"):
        TICK.encode(given)
    with pytest.raises(TypeError, match=r"^ts: expected an array or list of int64, got dict"):
        TICK.encode_many({"ts": {10: 1}})


def test_one_flat_array_for_many_messages_is_explained() -> None:
    with pytest.raises(ValueError, match=r"^book: of a repeated field .* one flat array of 3\. .*\[\{\.\.\.\}\]$"):
        TICK.encode_many({"book": np.arange(3.0)})


def test_an_official_message_is_referred_to_from_protobuf() -> None:
    from google.protobuf.timestamp_pb2 import Timestamp

    with pytest.raises(TypeError, match="from_protobuf"):
        TICK.encode(Timestamp())


# ---------------------------------------------------------------------------------------------------------------------
# Other columns in a table


def _table() -> wa.Table:
    payloads = [TICK.encode({"ts": 1, "note": "x"}) + b"\xf8\x06\x05", TICK.encode({"ts": 2, "size": 3, "bid": 0.0})]
    return TICK.decode_many(payloads, keep_unknown=True)


def test_columns_of_a_table_are_replaced_and_all_else_stays() -> None:
    table = _table()
    changed = wa.Table.of(TICK, table, ts=[5, 6])
    assert changed["ts"].tolist() == [5, 6]
    assert table["ts"].tolist() == [1, 2]
    assert changed.present("bid").tolist() == [False, True]
    assert changed.which("kind").tolist() == [7, 6]
    assert changed.unknown_fields.to_list() == table.unknown_fields.to_list() == [b"\xf8\x06\x05", b""]
    assert wa.Table.of(TICK, table, bid=None).present("bid").tolist() == [False, False]
    assert wa.Table.of(TICK, table[1:], ts=[9])["size"].tolist() == [3]
    assert TICK.encode_many(wa.Table.of(TICK, table, ts=table["ts"])).to_list() == TICK.encode_many(table).to_list()


def test_a_member_of_a_oneof_takes_the_place_of_all() -> None:
    changed = wa.Table.of(TICK, _table(), size=[None, 8])
    assert changed.which("kind").tolist() == [0, 6]
    assert changed["note"].to_list() == ["", ""]


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a column has 1 entries, and the table 2 rows"):
        wa.Table.of(TICK, _table(), ts=[5])
    with pytest.raises(TypeError, match="not both"):
        wa.Table.of(TICK, {"ts": [1]}, bid=[1.0])
