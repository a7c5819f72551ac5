"""Messages in Arrow arrays of bytes, as Parquet, Spark and Polars have them: decoded where they lie."""

from typing import Any

import nanoarrow
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import wirearray as wa

TICK = wa.Schema.from_source(
    'syntax = "proto3"; message Tick { int64 ts = 1; string sym = 2; repeated double book = 3; }'
)["Tick"]
ROWS: list[dict[str, Any]] = [
    {"ts": 1, "sym": "A"},
    {"ts": 2, "sym": "a symbol that does not fit into a view", "book": [1.0, 2.0]},
    {},
    {"ts": 4, "sym": "é"},
]
PAYLOADS = [TICK.encode(row) for row in ROWS]


def decoded(data: Any, **options: Any) -> list[Any]:
    table = TICK.decode_many(data, **options)
    return [(record["ts"].item(), record["sym"], record["book"].tolist()) for record in table]


EXPECTED = decoded(PAYLOADS)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_every_array_of_bytes_is_taken(kind: pa.DataType) -> None:
    array = pa.array(PAYLOADS, kind)
    assert decoded(array) == EXPECTED
    assert decoded(array[1:]) == EXPECTED[1:]
    assert decoded(array[1:3]) == EXPECTED[1:3]
    assert decoded(array[:0]) == []
    assert decoded(pa.chunked_array([array[:1], array[1:1], array[1:]])) == EXPECTED
    assert decoded(pa.chunked_array([array[2:], array[:2]])) == EXPECTED[2:] + EXPECTED[:2]
    assert decoded(pa.chunked_array([], kind)) == []


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_a_null_is_a_message_without_a_field(kind: pa.DataType) -> None:
    array = pa.array([None, PAYLOADS[1], None, PAYLOADS[3], None], kind)
    empty = EXPECTED[2]
    assert decoded(array) == [empty, EXPECTED[1], empty, EXPECTED[3], empty]
    assert decoded(array[1:3]) == [EXPECTED[1], empty]
    masked = pa.Array.from_buffers(kind, 4, [pa.py_buffer(b"\x05"), *pa.array(PAYLOADS, kind).buffers()[1:]])
    assert decoded(masked) == [EXPECTED[0], empty, EXPECTED[2], empty]
    assert decoded(pa.nulls(2)) == [empty, empty]


def test_bytes_of_one_length_and_text_and_dictionaries_are_taken() -> None:
    fixed = pa.array([b"\x08\x01", b"\x08\x02", None, b"\x08\x04"], pa.binary(2))
    assert [row[0] for row in decoded(fixed)] == [1, 2, 0, 4]
    assert [row[0] for row in decoded(fixed[1:])] == [2, 0, 4]
    assert [row[0] for row in decoded(pa.array(["\x08\x01", "\x08\x02"]))] == [1, 2]
    assert decoded(pa.array(PAYLOADS + PAYLOADS).dictionary_encode()) == EXPECTED * 2


def test_columns_of_other_libraries_are_taken() -> None:
    assert decoded(pl.Series(PAYLOADS)) == EXPECTED
    assert decoded(pl.Series([*PAYLOADS, None])[1:]) == [*EXPECTED[1:], EXPECTED[2]]
    assert decoded(pl.DataFrame({"value": PAYLOADS})["value"]) == EXPECTED
    assert decoded(nanoarrow.Array(PAYLOADS, nanoarrow.binary())) == EXPECTED
    assert decoded(TICK.encode_many(ROWS)) == EXPECTED
    table = pa.table({"key": [1, 2, 3, 4], "value": PAYLOADS})
    assert decoded(table["value"]) == EXPECTED


def test_payloads_are_not_copied() -> None:
    series = wa.Schema.from_source('syntax = "proto3"; message Series { repeated double values = 1; }')["Series"]
    data = series.encode({"values": np.arange(1000.0)}, align=True)
    for kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        array = pa.array([data], kind)
        values = series.decode_many(array, copy=False)["values"].values
        buffer = array.buffers()[2]
        assert buffer.address < values.ctypes.data < buffer.address + buffer.size
        del array, buffer
        assert values.tolist() == np.arange(1000.0).tolist()


def test_many_messages_are_the_same_on_several_threads() -> None:
    payloads = [TICK.encode({"ts": number, "sym": "s" * (number % 40)}) for number in range(100_000)]
    expected = TICK.decode_many(payloads, threads=1)
    views = pa.array(payloads, pa.binary_view())
    chunked = pa.chunked_array([views[:30_000], views[30_000:]])
    for data in (pa.array(payloads), views, chunked, pl.Series(payloads)):
        table = TICK.decode_many(data, threads=2)
        assert table["ts"].tolist() == expected["ts"].tolist()
        assert table["sym"].to_list() == expected["sym"].to_list()


def test_a_fault_is_reported_with_its_row() -> None:
    for data in (
        pa.array([b"", b"\x08\x01", b"\x0a\x09"], pa.binary_view()),
        pa.chunked_array([[b""], [b"\x08\x01", b"\x0a\x09"]]),
        pa.array([b"", b"\x08\x01", b"\x0a\x09"]),
    ):
        with pytest.raises(wa.DecodeError) as caught:
            TICK.decode_many(data)
        assert (caught.value.row, caught.value.kind) == (2, "length past end")


def test_what_holds_no_messages_is_refused() -> None:
    for data, found in (
        (pa.array([1, 2]), "int64"),
        (pa.array([[b""]]), "lists"),
        (pa.table({"value": PAYLOADS}), "structs"),
        (pl.DataFrame({"value": PAYLOADS}), "structs"),
        (pa.array([True]), "bool"),
    ):
        with pytest.raises(
            TypeError, match=f"^data: expected an Arrow array of bytes, got one of {found}; pass the column"
        ):
            TICK.decode_many(data)
    with pytest.raises(TypeError, match=r"^Arrow's type \"d:.*\" is no type of a field"):
        TICK.decode_many(pa.array([1], pa.decimal128(5)))


def test_what_a_broken_stream_says_is_raised() -> None:
    def batches() -> Any:
        yield pa.record_batch({"value": PAYLOADS})
        raise ValueError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema({"value": pa.binary()}), batches())
    with pytest.raises(ValueError, match=r"^the Arrow stream failed: .*the disk is gone"):
        TICK.decode_many(reader)


class Capsules:
    """Gives what another object gives, and keeps the capsule."""

    def __init__(self, given: Any) -> None:
        self.capsule = given.__arrow_c_stream__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.capsule


def test_a_capsule_is_emptied_once() -> None:
    capsules = Capsules(pa.chunked_array([PAYLOADS]))
    assert decoded(capsules) == EXPECTED
    with pytest.raises(ValueError, match=r"^someone else has already taken what the Arrow capsule held"):
        TICK.decode_many(capsules)
    capsules.capsule = "nothing"
    with pytest.raises(TypeError):
        TICK.decode_many(capsules)


def test_memory_of_arrays_is_released() -> None:
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    for _ in range(200):
        array = pa.array(PAYLOADS * 100)
        table = TICK.decode_many(array, copy=None)
        assert len(table) == 400
        del array, table
    assert pool.bytes_allocated() == before
