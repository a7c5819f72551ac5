"""Decoding into arrays that the caller has: which are taken, what they hold then, and what is refused by name."""

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Series {
  repeated double times = 1;
  repeated int64 values = 2;
  repeated bool flags = 3;
  repeated float loose = 4 [packed = false];
}
message Bundle { repeated Series series = 1; Series single = 2; map<int32, double> prices = 3; string name = 4; }
message Tick { double price = 1; uint32 volume = 2; optional int64 note = 3; }
""")
SERIES, BUNDLE, TICK = SCHEMA["Series"], SCHEMA["Bundle"], SCHEMA["Tick"]
FIELDS: dict[str, Any] = {
    "times": np.arange(5.0),
    "values": np.arange(-2, 3),
    "flags": np.array([True, False, True]),
    "loose": np.arange(4, dtype=np.float32),
}
DATA = SERIES.encode(FIELDS)


def room(length: int = 8) -> dict[str, Any]:
    """Arrays that are longer than needed, full of values that none of the fields has."""
    return {
        "times": np.full(length, -1.0),
        "values": np.full(length, 99),
        "flags": np.ones(length, bool),
        "loose": np.full(length, -1.0, np.float32),
    }


def assert_shares_front(result: np.ndarray, array: np.ndarray, expected: np.ndarray) -> None:
    assert result.__array_interface__["data"][0] == array.__array_interface__["data"][0]
    np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(array[: len(expected)], expected)
    assert result.flags.writeable and result.dtype == array.dtype


def test_values_land_in_the_front_of_the_arrays_and_nothing_behind_them_changes() -> None:
    out = room()
    record = SERIES.decode(DATA, out=out)
    for name, expected in FIELDS.items():
        assert_shares_front(record[name], out[name], expected)
        np.testing.assert_array_equal(out[name][len(expected) :], room()[name][len(expected) :])


def test_an_array_of_just_the_right_length_does_and_so_does_a_part_of_all_fields() -> None:
    times = np.zeros(5)
    record = SERIES.decode(DATA, out={"times": times})
    assert_shares_front(record["times"], times, FIELDS["times"])
    np.testing.assert_array_equal(record["values"], FIELDS["values"])


def test_a_file_is_loaded_into_arrays(tmp_path: Path) -> None:
    (tmp_path / "series.pb").write_bytes(DATA)
    out = room()
    record = SERIES.load(tmp_path / "series.pb", out=out)
    assert_shares_front(record["values"], out["values"], FIELDS["values"])


def test_rows_and_nested_messages_are_decoded_into_arrays() -> None:
    ticks = [{"price": 1.5, "volume": 3}, {}, {"price": 2.5, "note": 7}]
    messages = TICK.encode_many(ticks)
    out = {"price": np.full(3, -1.0), "volume": np.full(4, 9, np.uint32), "note": np.full(3, 9)}
    table = TICK.decode_many(messages, out=out)
    assert_shares_front(table["price"], out["price"], np.array([1.5, 0, 2.5]))
    assert_shares_front(table["volume"], out["volume"], np.array([3, 0, 0], np.uint32))
    assert_shares_front(table["note"], out["note"], np.array([0, 0, 7]))
    assert table.present("note").tolist() == [False, False, True]
    data = BUNDLE.encode({"series": [FIELDS, {"values": [5]}], "single": {"times": [9.0]}})
    nested = {"series.values": np.zeros(10, np.int64), "single.times": np.zeros(1)}
    record = BUNDLE.decode(data, out=nested)
    assert_shares_front(record["series.values"].values, nested["series.values"], np.array([-2, -1, 0, 1, 2, 5]))
    assert record["series.values"].offsets.tolist() == [0, 5, 6]
    assert_shares_front(record["single.times"], nested["single.times"], np.array([9.0]))


def test_fields_that_do_not_come_leave_the_arrays_alone() -> None:
    out = room()
    record = SERIES.decode(b"", out=out)
    for name in FIELDS:
        assert len(record[name]) == 0
        np.testing.assert_array_equal(out[name], room()[name])
    assert BUNDLE.decode(b"", out={"single.times": np.zeros(1)})["single"] is None
    table = BUNDLE.decode_many([b"", b""], out={"series.times": np.zeros(1)})
    assert table["series"].offsets.tolist() == [0, 0, 0]


def test_the_arrays_live_as_long_as_the_results() -> None:
    out = room()
    times = SERIES.decode(DATA, out=out)["times"]
    del out
    gc.collect()
    assert times.tolist() == FIELDS["times"].tolist()


@pytest.mark.parametrize("threads", [1, 2, None])
def test_large_fields_are_decoded_into_arrays_by_any_number_of_threads(threads: int | None) -> None:
    values = np.random.default_rng(1).integers(-(2**40), 2**40, 1_500_000)
    fields = {"times": values.astype(float), "values": values, "loose": values.astype(np.float32)}
    data = SERIES.encode(fields)
    out = {name: np.full(len(array) + 3, 7, array.dtype) for name, array in fields.items()}
    record = SERIES.decode(data, out=out, threads=threads)
    for name, array in fields.items():
        assert_shares_front(record[name], out[name], array)
        assert out[name][-3:].tolist() == [7, 7, 7]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("length", [4, 1_400_000])
def test_an_array_that_is_too_short_is_refused_with_the_length_needed(length: int, threads: int) -> None:
    values = np.arange(length + 1)
    fields = {"times": values.astype(float), "values": values, "loose": values.astype(np.float32)}
    data = SERIES.encode(fields)
    for name, array in fields.items():
        message = rf"out: \"{name}\" has {length + 1} values, and the array has room for {length}"
        with pytest.raises(ValueError, match=message):
            SERIES.decode(data, out={name: np.zeros(length, array.dtype)}, threads=threads)


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ([np.zeros(5)], TypeError, "expected a dict of field names to arrays, got list"),
        ({1: np.zeros(5)}, TypeError, "field names are str, not int"),
        ({"times": [0.0] * 5}, TypeError, '"times": expected a NumPy array, got list'),
        ({"time": np.zeros(5)}, KeyError, "no field .*time"),
        ({"times": np.zeros(5, np.float32)}, ValueError, "expected an array of float64, got one of float32"),
        ({"times": np.zeros(5, ">f8")}, ValueError, "expected an array of float64, got one of >f8"),
        ({"times": np.zeros((5, 1))}, ValueError, "flat and contiguous"),
        ({"times": np.zeros(10)[::2]}, ValueError, "flat and contiguous"),
        ({"times": np.array(5.0)}, ValueError, "flat and contiguous"),
        ({"times": np.frombuffer(bytes(40))}, ValueError, "writable and aligned"),
        ({"times": np.zeros(41, np.uint8)[1:].view(float)}, ValueError, "writable and aligned"),
    ],
)
def test_what_cannot_be_decoded_into_is_refused_by_name(out: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match="out: .*" + message if error is not KeyError else message):
        SERIES.decode(DATA, out=out)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("name", "holds no numbers"),
        ("series", "it is a message; name a field of it"),
        ("prices.value", "of equal keys of a map only the last is kept"),
    ],
)
def test_fields_without_an_array_of_numbers_are_refused(path: str, message: str) -> None:
    with pytest.raises(ValueError, match=f'out: field "{path}" cannot be decoded into an array: .*{message}'):
        BUNDLE.decode(b"", out={path: np.zeros(5)})


def test_arrays_that_share_memory_with_each_other_or_the_data_are_refused() -> None:
    shared = np.zeros(8)
    with pytest.raises(ValueError, match='the arrays for "times" and "values" share memory'):
        SERIES.decode(DATA, out={"times": shared, "values": shared[4:].view(np.int64)[::-1][::-1]})
    buffer = np.zeros(16)
    buffer.view(np.uint8)[: len(DATA)] = np.frombuffer(DATA, np.uint8)
    with pytest.raises(ValueError, match='the array for "times" shares memory with the data'):
        SERIES.decode(buffer.view(np.uint8)[: len(DATA)], out={"times": buffer})


def test_views_and_arrays_of_ones_own_exclude_each_other() -> None:
    for copy in (None, False):
        with pytest.raises(ValueError, match="leave copy=True"):
            SERIES.decode(DATA, copy=copy, out=room())


def test_an_error_in_the_data_is_reported_as_ever() -> None:
    with pytest.raises(wa.DecodeError) as error:
        SERIES.decode(DATA + b"\x12\x01\x80", out=room())
    assert (error.value.kind, error.value.offset, error.value.path) == ("truncated", len(DATA) + 2, "values")
