"""Arrays that others take lie where NumPy's do, and their memory lives until the last of both lets go."""

import gc
from typing import Any

import nanoarrow
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

from test_arrow import MESSAGES, ROW, exported


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(ROW.encode_many(MESSAGES))


def address(column: pa.ChunkedArray | pa.Array, buffer: int = 1) -> int:
    array = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    return int(array.buffers()[buffer].address)


def test_numbers_strings_and_offsets_are_shared_with_numpy(table: wa.Table) -> None:
    arrow = exported(table)
    for name in ("id", "number", "narrow", "small", "large", "side"):
        assert address(arrow[name]) == table[name].ctypes.data, name
    values = table["values"]
    assert address(arrow["values"]) == values.offsets.ctypes.data
    assert address(arrow["values"].chunk(0).values) == values.values.ctypes.data
    assert address(arrow["name"], 1) == table["name"].offsets.ctypes.data
    assert address(arrow["name"], 2) == table["name"].data.ctypes.data
    assert address(arrow["words"].chunk(0).values, 2) == table["words"].values.data.ctypes.data
    assert address(arrow["at"].chunk(0).field("x")) == table["at.x"].ctypes.data
    assert address(arrow["path"].chunk(0).values.field("x")) == table["path.x"].values.ctypes.data
    assert address(arrow["counts"].chunk(0).items) == table["counts.value"].values.ctypes.data
    assert address(pa.array(table["values"]).values) == values.values.ctypes.data


def test_slices_share_the_same_memory(table: wa.Table) -> None:
    arrow = exported(table[1:3])
    assert address(arrow["id"]) == table["id"].ctypes.data + 8 == table[1:3]["id"].ctypes.data
    assert address(arrow["number"]) == table["number"].ctypes.data + 4
    assert address(arrow["at"].chunk(0).field("x")) == table["at.x"].ctypes.data + 8
    assert address(exported(table[:1])["values"].chunk(0).values) == table["values"].values.ctypes.data


def test_other_libraries_share_it_too(table: wa.Table) -> None:
    start = table["id"].ctypes.data
    assert pl.DataFrame(table)["id"].to_numpy().ctypes.data == start
    assert nanoarrow.c_array(table).child(0).buffers[1] == start


def test_views_of_a_message_are_shared_where_they_are_aligned_and_copied_elsewhere() -> None:
    series = wa.Schema.from_source('syntax = "proto3"; message Series { repeated double values = 1; }')["Series"]
    values = np.arange(4.0)
    buffer = bytearray(64 + 8)
    start = np.frombuffer(buffer, np.uint8).ctypes.data
    payload = series.encode({"values": values})
    for place in range(16):
        view = memoryview(buffer)[place : place + len(payload)]
        view[:] = payload
        table = series.decode_many([view], copy=False)
        array = pa.array(table["values"])
        array.validate(full=True)
        assert array.to_pylist() == [values.tolist()]
        is_aligned = (start + place + 2) % 8 == 0
        assert (address(array.values) == table["values"].values.ctypes.data) == is_aligned
        del table, array, view


def test_columns_that_never_came_share_what_they_show() -> None:
    fields = "".join(
        f"optional int64 f{number} = {number}; repeated int64 r{number} = {number + 1000};" for number in range(1, 301)
    )
    wide = wa.Schema.from_source(f'syntax = "proto3"; message Wide {{ {fields} }}')["Wide"]
    table = wide.decode_many(wide.encode_many({"f1": np.arange(50_000)}))
    before = table._made()
    arrow = exported(table)
    assert arrow["f2"].null_count == 50_000
    assert len({address(arrow[f"f{number}"]) for number in range(2, 301)}) == 1
    assert len({address(arrow[f"r{number}"]) for number in range(1, 301)}) == 1
    assert table._made() == before


def test_memory_lives_until_the_last_consumer_lets_go(table: wa.Table) -> None:
    arrow = exported(table)
    column = arrow["values"].chunk(0).values
    expected = column.to_pylist()
    del table, arrow
    gc.collect()
    np.full(1_000, 7.0)
    assert column.to_pylist() == expected == [1.0, 2.0]


SERIES = wa.Schema.from_source('syntax = "proto3"; message Series { repeated fixed64 values = 1; }')["Series"]


class Held(bytearray):
    """A message that can be resized as long as no one has a view of it."""

    def is_free(self) -> bool:
        gc.collect()
        try:
            self.append(0)
        except BufferError:
            return False
        del self[-1:]
        return True


@pytest.fixture
def held() -> Held:
    return Held(SERIES.encode({"values": np.arange(5, dtype=np.uint64)}, align=True))


@pytest.mark.parametrize(
    "take",
    [
        pa.table,
        pa.array,
        pa.schema,
        pl.DataFrame,
        nanoarrow.c_array,
        pd.DataFrame.from_arrow,
        lambda table: table.__arrow_c_schema__(),
        lambda table: table.__arrow_c_array__(),
        lambda table: table.__arrow_c_array__(pa.schema([]).__arrow_c_schema__()),
        lambda table: table.__arrow_c_stream__(),
        lambda table: nanoarrow.c_array_stream(table).get_schema(),
        lambda table: nanoarrow.c_array_stream(table).get_next(),
    ],
)
def test_what_is_exported_is_released_by_whoever_took_it_or_took_part_of_it(held: Held, take: Any) -> None:
    table = SERIES.decode_many([held], copy=False)
    taken = take(table)
    again = take(table)
    del table, again
    gc.collect()
    del taken
    assert held.is_free()


def test_what_was_taken_keeps_the_memory_of_its_part_alone(held: Held) -> None:
    array = pa.array(SERIES.decode_many([held], copy=False))
    assert not held.is_free()
    child = array.field("values").values
    del array
    assert not held.is_free()
    assert child.to_pylist() == [0, 1, 2, 3, 4]
    del child
    assert held.is_free()


def test_a_capsule_gives_what_it_has_once(held: Held) -> None:
    table = SERIES.decode_many([held], copy=False)
    capsule = table.__arrow_c_stream__()
    reader = pa.RecordBatchReader._import_from_c_capsule(capsule)
    with pytest.raises(pa.ArrowInvalid, match="released"):
        pa.RecordBatchReader._import_from_c_capsule(capsule)
    assert [batch.num_rows for batch in reader] == [1]
    del table, capsule, reader
    assert held.is_free()


def test_thousands_of_rounds_take_no_more_memory(table: wa.Table) -> None:
    def rounds(count: int) -> int:
        for _ in range(count):
            pa.table(table)
            pa.array(table["path"])
            table.__arrow_c_stream__()
            pa.schema(ROW)
        gc.collect()
        return resident()

    rounds(500)
    before = rounds(1)
    assert rounds(3_000) - before < 4 << 20


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
