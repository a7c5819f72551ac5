"""Who owns the values: copies, views, and what keeps them alive."""

import gc
from pathlib import Path

import numpy as np
import pytest
import wirearray as wa

from gil import assert_released_during

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Pack { repeated double values = 1; repeated sint32 steps = 2; string name = 3; Pack inner = 4; }
""")
PACK = SCHEMA["Pack"]
VALUES = np.arange(4.0)


def packed(values: np.ndarray = VALUES) -> bytes:
    return b"\x0a" + bytes([values.nbytes]) + values.tobytes()


def at_offset(message: bytes, offset: int) -> memoryview:
    """The message in a buffer, so that its payload starts at an address with that remainder of 8."""
    room = np.zeros(len(message) + 16, np.uint8)
    start = (offset - 2 - room.ctypes.data) % 8
    room[start : start + len(message)] = np.frombuffer(message, np.uint8)
    return memoryview(room)[start : start + len(message)]


def test_arrays_are_ordinary_by_default() -> None:
    for array in (PACK.decode(packed())["values"], PACK.decode_many([packed()])["values"].values):
        assert array.flags.writeable
        assert array.flags.aligned
        assert array.flags.c_contiguous
        assert array.dtype == np.float64
        array += 1
        assert array.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_arrays_outlive_everything_that_they_came_from() -> None:
    record = PACK.decode(bytearray(packed()))
    array = record["values"]
    del record
    gc.collect()
    assert array.tolist() == VALUES.tolist()


def test_offsets_and_string_data_cannot_be_written_to() -> None:
    table = PACK.decode_many([packed(), b"\x1a\x01a"])
    for array in (table["values"].offsets, table["name"].offsets, table["name"].data):
        assert not array.flags.writeable
        with pytest.raises(ValueError):
            array.flags.writeable = True


def test_an_aligned_run_is_a_view_where_views_are_welcome() -> None:
    data = at_offset(packed(), 0)
    array = PACK.decode(data, copy=None)["values"]
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert array.flags.aligned
    assert not array.flags.writeable


def test_an_unaligned_run_is_copied_where_views_are_welcome() -> None:
    data = at_offset(packed(), 1)
    array = PACK.decode(data, copy=None)["values"]
    assert not np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert array.flags.writeable


def test_an_unaligned_run_is_a_view_where_views_are_demanded() -> None:
    data = at_offset(packed(), 1)
    array = PACK.decode(data, copy=False)["values"]
    assert np.shares_memory(array, np.frombuffer(data, np.uint8))
    assert not array.flags.aligned
    assert not array.flags.writeable
    assert array.tolist() == VALUES.tolist()


def test_a_second_run_makes_it_a_copy_where_views_are_welcome() -> None:
    data = at_offset(packed() + packed(VALUES + 4), 0)
    assert PACK.decode(data, copy=None)["values"].tolist() == np.arange(8.0).tolist()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (packed() + packed(), "values"),
        (b"\x09" + VALUES.tobytes()[:8], "values"),
        (b"\x12\x01\x02", "steps"),
        (b"\x22\x03\x12\x01\x02", r"inner\.steps"),
    ],
    ids=["two runs", "unpacked", "varints", "nested varints"],
)
def test_demanding_an_impossible_view_names_the_field(data: bytes, field: str) -> None:
    with pytest.raises(ValueError, match=rf"copy=False: .*field {field}: no view"):
        PACK.decode(data, copy=False)


def test_scalars_and_strings_of_a_record_need_no_view() -> None:
    assert PACK.decode(b"\x1a\x01a", copy=False)["name"] == "a"
    assert PACK.decode(b"\x22\x03\x1a\x01a", copy=False)["inner.name"] == "a"


def test_a_view_keeps_its_buffer() -> None:
    data = bytearray(packed())
    array = PACK.decode(data, copy=False)["values"]
    with pytest.raises(BufferError):
        data.extend(b"more")
    del array
    data.extend(b"more")


def test_a_view_keeps_its_file_mapped(tmp_path: Path) -> None:
    path = tmp_path / "pack.bin"
    path.write_bytes(packed())
    array = PACK.load(path, copy=False)["values"]
    path.unlink()
    assert array.tolist() == VALUES.tolist()


def test_copy_is_true_false_or_none() -> None:
    with pytest.raises(TypeError, match="copy: expected True, None or False, got 'yes'"):
        PACK.decode(b"", copy="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
def test_any_contiguous_buffer_is_data(wrap: type) -> None:
    assert PACK.decode(wrap(packed()))["values"].tolist() == VALUES.tolist()
    assert PACK.decode_many([wrap(packed())])["values"].values.tolist() == VALUES.tolist()


def test_what_is_no_buffer_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"data: expected bytes.*got str"):
        PACK.decode("text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"data\[1\]: expected bytes.*got int"):
        PACK.decode_many([b"", 3])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="offsets="):
        PACK.decode_many(b"")
    with pytest.raises(ValueError, match="not contiguous"):
        PACK.decode(memoryview(bytes(8))[::2])


def test_an_array_of_objects_is_a_list_of_buffers_and_never_one() -> None:
    objects = np.array([packed(), b""], dtype=object)
    assert PACK.decode_many(objects)["values"].lengths.tolist() == [4, 0]
    with pytest.raises(TypeError, match="data: expected bytes"):
        PACK.decode(objects)


def test_many_messages_in_one_buffer_need_not_be_end_to_end() -> None:
    data = packed() + b"garbage" + packed(VALUES[:1])
    size = len(packed())
    table = PACK.decode_many(data, offsets=[0, size, size])
    assert table["values"].lengths.tolist() == [4, 0]
    for offsets in ([0, size + 8, size], [-1, 3], [0, len(data) + 1], []):
        with pytest.raises(ValueError, match="offsets: "):
            PACK.decode_many(data, offsets=offsets)
    for wrong in ([0.5], 5, [[0, 1]], "text"):
        with pytest.raises(TypeError, match="offsets: expected a flat array of integers"):
            PACK.decode_many(data, offsets=wrong)  # type: ignore[arg-type]


def test_other_threads_run_while_bytes_are_decoded() -> None:
    values = np.zeros(4_000_000)
    records = np.zeros(len(values), dtype=[("tag", "u1"), ("value", "<f8")])
    records["tag"] = 0x09
    data = records.tobytes()
    assert_released_during(lambda: PACK.decode(data))


def test_a_view_that_cannot_be_had_is_no_fault_of_the_message() -> None:
    message = wa.Schema.from_source('syntax = "proto3"; message M { repeated int64 v = 1; }')["M"]
    good = message.encode({"v": [1, 2]})
    for messages in ([good, b"\xff"], [b"\xff", good]):
        with pytest.raises(ValueError, match=r"^copy=False: row ., .* no view of this field"):
            message.decode_many(messages, copy=False, on_error="skip")
