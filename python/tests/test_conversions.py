"""Columns as arrays of two dimensions, structured arrays and Awkward Arrays."""

import re
import sys
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from test_columns import MESSAGES, ROW, SCHEMA

POINT = SCHEMA["test.Point"]
RAGGED = wa.Table.of(POINT, tags=[[1, 2, 3], [], [4]])["tags"]
EVEN = wa.Table.of(POINT, tags=[[1, 2, 3], [4, 5, 6]])["tags"]

FLAT = wa.Schema.from_source("""
syntax = "proto3";
enum Side { BUY = 0; SELL = 1; }
message Flat { int64 id = 1; float price = 2; Side side = 3; bool fast = 4; string name = 5; bytes key = 6; }
message Numbers {
  repeated bool flags = 1; repeated uint32 small = 2; repeated uint64 large = 3; repeated sint32 steps = 4;
  repeated sint64 far = 5; repeated float rough = 6; repeated double fine = 7; bytes data = 8;
}
""")


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(MESSAGES)


def test_entries_are_filled_up_behind_their_values() -> None:
    padded = RAGGED.to_padded()
    assert padded.dtype == np.int32
    assert padded.tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert padded.flags.writeable
    assert RAGGED.to_padded(-1, 4).tolist() == [[1, 2, 3, -1], [-1] * 4, [4, -1, -1, -1]]
    assert RAGGED[1:].to_padded(fill=7).tolist() == [[7], [4]]
    assert RAGGED[1:2].to_padded().shape == (1, 0)
    assert RAGGED[:0].to_padded(width=2).shape == (0, 2)


def test_entries_of_equal_length_are_copied_too() -> None:
    padded = EVEN.to_padded()
    assert padded.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert not np.shares_memory(padded, EVEN.values)


def test_strings_are_filled_up_with_strings(table: wa.Table) -> None:
    words = table["words"].to_padded()
    assert isinstance(words.dtype, np.dtypes.StringDType)
    assert words.tolist() == [["", ""], ["", ""], ["u", "vv"], ["", ""]]
    assert table["words"][2:].to_padded("-", 3).tolist() == [["u", "vv", "-"], ["-", "-", "-"]]
    with pytest.raises(TypeError, match="fill: the values are str, got int"):
        table["words"].to_padded(0)


def test_floats_are_filled_up_with_any_number(table: wa.Table) -> None:
    padded = table["values"].to_padded(np.nan)
    assert padded.shape == (4, 2)
    assert np.isnan(padded).sum() == 6
    assert table["values"].to_padded(1)[1].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("fill", [0.5, np.nan, 2**31, "a", [1], -(2**70)], ids=str)
def test_a_fill_that_does_not_fit_is_refused(fill: Any) -> None:
    with pytest.raises(ValueError, match=r"fill: .* does not fit int32"):
        RAGGED.to_padded(fill)


def test_a_width_that_is_too_small_names_the_entry() -> None:
    with pytest.raises(ValueError, match=re.escape("entry 0 has 3 values, more than 2; pass width=3, or cut them off")):
        RAGGED.to_padded(width=2)
    with pytest.raises(ValueError, match="width: expected 0 or more"):
        RAGGED.to_padded(width=-1)
    with pytest.raises(TypeError, match="width: expected an int, got float"):
        RAGGED.to_padded(width=1.5)  # type: ignore[arg-type]


def test_messages_are_not_filled_up(table: wa.Table) -> None:
    with pytest.raises(
        TypeError, match=re.escape('messages of the type test.Point: pad a field of them, as in ragged["x"]')
    ):
        table["path"].to_padded()
    assert table["path"]["x"].to_padded().tolist() == [[0.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
    with pytest.raises(TypeError, match="themselves repeated"):
        table["path.tags"].to_padded()


def test_entries_of_equal_length_are_an_array_over_the_same_memory() -> None:
    array = np.asarray(EVEN)
    assert array.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert np.shares_memory(array, EVEN.values)
    assert np.shares_memory(np.asarray(EVEN, copy=False), EVEN.values)
    assert not np.shares_memory(np.array(EVEN), EVEN.values)
    assert np.asarray(EVEN, np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy"):
        np.asarray(EVEN, np.float64, copy=False)


def test_entries_of_other_lengths_are_no_array_and_the_error_says_what_is(table: wa.Table) -> None:
    with pytest.raises(ValueError, match=re.escape("the entries have 0 to 3 values")) as refused:
        np.asarray(RAGGED)
    assert all(name in str(refused.value) for name in ("to_padded()", "to_awkward()", ".offsets"))
    assert np.asarray(RAGGED[:0]).shape == (0, 0)
    assert np.asarray(RAGGED[1:2]).shape == (1, 0)
    assert np.asarray(table["words"][2:3]).tolist() == [["u", "vv"]]


def test_lists_of_lists_of_equal_length_have_three_dimensions() -> None:
    row = ROW.decode_many([ROW.encode({"path": [{"tags": [1, 2]}, {"tags": [3, 4]}]})] * 3)
    assert np.asarray(row["path.tags"]).tolist() == [[[1, 2], [3, 4]]] * 3


def test_strings_are_an_array_of_strings(table: wa.Table) -> None:
    names = table["name"]
    assert np.asarray(names).dtype == np.dtypes.StringDType()
    assert (np.asarray(names) == "a").tolist() == [True, False, False, False]
    assert np.asarray(names, object).tolist() == ["a", "", "", ""]
    assert np.asarray(names, "U3").dtype == "U3"
    with pytest.raises(ValueError, match="copy=False: strings"):
        np.asarray(names, copy=False)


def test_bytes_are_an_array_of_objects(table: wa.Table) -> None:
    messages = ROW.encode_many(table)
    assert np.asarray(messages).dtype == object
    assert np.asarray(messages).tolist() == messages.to_list()


def test_text_that_is_not_utf8_is_an_array_of_objects_alone() -> None:
    schema = wa.Schema.from_source('syntax = "proto2"; message M { repeated string text = 1; }')
    strings = schema["M"].decode(b"\x0a\x01\xff")["text"]
    assert np.asarray(strings, object).tolist() == ["\udcff"]
    with pytest.raises(ValueError, match=re.escape("string 0 is not UTF-8, which StringDType() cannot hold")):
        strings.to_numpy()


def test_a_flat_table_is_a_structured_array() -> None:
    table = wa.Table.of(
        FLAT["Flat"], id=[1, 2], price=[0.5, 1.5], side=["BUY", "SELL"], name=["a", "b"], key=[b"", b"k"]
    )
    rows = table.to_structured()
    assert rows.dtype.names == tuple(table.keys())
    assert rows["id"].dtype == np.int64
    assert rows.tolist() == [(1, 0.5, 0, False, "a", b""), (2, 1.5, 1, False, "b", b"k")]
    again = wa.Table.of(FLAT["Flat"], rows)
    assert FLAT["Flat"].encode_many(again).to_list() == FLAT["Flat"].encode_many(table).to_list()
    assert np.array_equal(np.asarray(table), rows)
    narrow = np.asarray(table, [("id", "i4"), *rows.dtype.descr[1:]])
    assert narrow["id"].dtype == np.int32
    with pytest.raises(ValueError, match="copy=False: the rows of a table"):
        np.asarray(table, copy=False)


def test_the_first_column_that_is_not_flat_is_named(table: wa.Table) -> None:
    with pytest.raises(
        TypeError, match=re.escape('values is repeated: leave it out with select(...), or convert table["values"]')
    ):
        table.to_structured()
    with pytest.raises(TypeError, match=r"at is a message of the type test\.Point"):
        np.asarray(ROW.select("at").decode_many(MESSAGES))
    with pytest.raises(TypeError, match="counts is a map"):
        np.asarray(ROW.select("counts").decode_many(MESSAGES))


def test_lists_are_awkward_arrays_over_the_same_memory(table: wa.Table) -> None:
    awkward = pytest.importorskip("awkward")
    values = table["values"].to_awkward()
    assert values.to_list() == [each.tolist() for each in table["values"]]
    assert np.shares_memory(awkward.to_numpy(awkward.flatten(values, axis=None)), table["values"].values)
    assert table["words"].to_awkward().to_list() == [[], [], ["u", "vv"], []]
    assert table["path.tags"].to_awkward().to_list() == [[], [], [[], [5, 6]], []]
    assert RAGGED[1:].to_awkward().to_list() == [[], [4]]


def test_messages_are_awkward_records(table: wa.Table) -> None:
    pytest.importorskip("awkward")
    path = table["path"].to_awkward()
    assert path.to_list()[2] == [{"x": 1.0, "y": 0.0, "tags": []}, {"x": 0.0, "y": 0.0, "tags": [5, 6]}]
    assert np.shares_memory(np.asarray(path.x.layout.content.data), table["path"]["x"].values)
    rows = table.to_awkward()
    assert rows["name"].to_list() == ["a", None, None, None]
    assert rows["at"].to_list() == [{"x": 1.0, "y": 0.0, "tags": []}, None, None, None]
    assert rows["counts"].to_list()[2] == [{"key": "k", "value": 7}]
    assert rows["inner"].to_list()[3]["id"] == 5
    assert rows["inner"].to_list()[0] is None


def test_bytes_are_awkward_bytestrings() -> None:
    pytest.importorskip("awkward")
    table = wa.Table.of(FLAT["Flat"], key=[b"\xff", b""])
    assert table.to_awkward()["key"].to_list() == [b"\xff", b""]


def test_types_within_types_end_where_the_data_do() -> None:
    pytest.importorskip("awkward")
    table = ROW.decode_many([ROW.encode({"inner": {"inner": {"id": 7}}}), b""])
    within = table["inner.inner"]
    for _ in range(5_000):
        within = within["inner"]
    rows = table.to_awkward()
    assert rows["inner"].to_list()[0]["inner"]["id"] == 7
    assert "inner" not in rows["inner", "inner"].fields
    assert "inner" not in ROW.decode_many([b""]).to_awkward().fields


def test_without_awkward_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "awkward", None)
    with pytest.raises(ImportError, match="pip install awkward"):
        RAGGED.to_awkward()


def test_arrays_are_what_torch_and_others_take_without_a_copy() -> None:
    """`torch.from_numpy` wants arrays that can be written to, in native byte order, of a dtype that it has."""
    columns = {"flags": [True], "small": [1], "large": [2], "steps": [-3], "far": [-4], "rough": [0.5], "fine": [1.5]}
    record = FLAT["Numbers"].decode(FLAT["Numbers"].encode(columns))
    taken = {"bool", "uint32", "uint64", "int32", "int64", "float32", "float64"}
    for name in columns:
        array = record[name]
        assert type(array) is np.ndarray
        assert array.dtype.name in taken
        assert array.dtype.isnative
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert np.shares_memory(np.from_dlpack(array), array)
