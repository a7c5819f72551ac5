"""How tables, records, ragged columns and strings are looked at."""

from typing import Any

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
package test;
message Point { double x = 1; double y = 2; repeated int32 tags = 3; }
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
}
""")
ROW = SCHEMA["test.Row"]
MESSAGES = [
    bytes.fromhex("0801 1201 61 1a10 000000000000f03f 0000000000000040 2209 09000000000000f03f"),
    b"",
    bytes.fromhex("0803 2a09 09000000000000f03f 2a04 1a020506 3205 0a016b 1007 4200 5201 75 5202 7676"),
    bytes.fromhex("0804 3809 5a02 0805 6001"),
]


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(MESSAGES)


def test_columns_are_reached_by_name_by_attribute_and_by_path(table: wa.Table) -> None:
    assert table["id"].tolist() == table.id.tolist() == [1, 0, 3, 4]
    identifiers, names = table["id", "name"]
    assert identifiers.dtype == np.int64
    assert names.to_list() == ["a", "", "", ""]
    assert table["at.x"].tolist() == table.at.x.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert table["path.x"].to_list()[2].tolist() == [1.0, 0.0]
    assert table["path.tags"].values.values.tolist() == [5, 6]
    assert table["inner.id"].tolist() == [0, 0, 0, 5]


def test_a_name_of_the_tables_own_is_reached_by_subscript_alone(table: wa.Table) -> None:
    assert callable(table.present)
    assert table["present"].tolist() == [False, False, False, True]


def test_names_are_listed_and_completed(table: wa.Table) -> None:
    assert table.keys() == list(table[0]) == list(ROW.fields)
    assert {"id", "values", "to_dict"} <= set(dir(table))
    assert {"x", "lengths"} <= set(dir(table.path))
    assert "id" in table
    assert "nothing" not in table
    assert 3 not in table


@pytest.mark.parametrize("key", [slice(1, 3), slice(None, None, -1), slice(3, 0, -2), slice(5, 9)], ids=str)
def test_a_slice_of_rows_is_a_table_of_them(table: wa.Table, key: slice) -> None:
    assert table[key]["id"].tolist() == table["id"][key].tolist()
    assert table[key]["values"].lengths.shape[0] == len(table[key])
    assert [row["id"] for row in table[key]] == table["id"][key].tolist()
    assert table[key].which("choice").tolist() == table.which("choice")[key].tolist()
    assert table[key].present("name").tolist() == table.present("name")[key].tolist()


@pytest.mark.parametrize("key", [[2, 0], [-1], [], [True, False, False, True], np.array([3, 3, 1], np.uint8)], ids=str)
def test_rows_are_chosen_by_mask_and_by_list(table: wa.Table, key: Any) -> None:
    chosen = table[key]
    indices = np.arange(4)[np.asarray(key, dtype=None if len(key) else int)]
    assert chosen["id"].tolist() == table["id"][indices].tolist()
    for row, index in zip(chosen, indices, strict=True):
        assert str(row.to_dict()) == str(table[int(index)].to_dict())


def test_rows_that_do_not_exist_are_refused(table: wa.Table) -> None:
    for key in (4, -5, [4], [True]):
        with pytest.raises(IndexError):
            table[key]
    for key in (1.5, None, [0.5], [[0]]):
        with pytest.raises(TypeError, match="rows are chosen by"):
            table[key]


def test_absent_messages_are_none_and_their_columns_hold_defaults(table: wa.Table) -> None:
    assert table[1]["at"] is None
    assert table["at"][1] is None
    assert [at is None for at in table["at"]] == [False, True, True, True]
    assert table.present("at").tolist() == [True, False, False, False]
    assert table[1]["at.x"] == 0.0


def test_presence_and_oneofs_are_told(table: wa.Table) -> None:
    assert table.present("name").tolist() == [True, False, False, False]
    assert table.which("choice").tolist() == [0, 0, 8, 7]
    assert table[2].which("choice") == 8
    assert table[2].present("text")
    assert not table[2].present("number")
    with pytest.raises(ValueError, match='"id" has no presence'):
        table.present("id")
    with pytest.raises(ValueError, match="has no presence"):
        table.present("values")
    with pytest.raises(KeyError, match="it has choice"):
        table.which("nothing")


def test_a_ragged_slice_counts_from_its_first_entry(table: wa.Table) -> None:
    words = table["words"][2:]
    assert words.values.to_list() == ["u", "vv"]
    assert words.offsets.tolist() == [0, 2, 2]
    assert words.lengths.tolist() == [2, 0]
    assert words.values.offsets.tolist() == [0, 1, 3]
    assert bytes(words.values.data) == b"uvv"
    assert [list(each) for each in words] == [["u", "vv"], []]
    assert table["words"][[2, 0]].values.to_list() == ["u", "vv"]


def test_maps_are_tables_of_entries_and_dicts_when_asked(table: wa.Table) -> None:
    assert table[2]["counts"]["key"].to_list() == ["k"]
    assert table["counts"].value.values.tolist() == [7]
    assert table[2].to_dict()["counts"] == {"k": 7}


def test_strings_become_arrays(table: wa.Table) -> None:
    array = table["name"].to_numpy()
    assert isinstance(array.dtype, np.dtypes.StringDType)
    assert array.tolist() == ["a", "", "", ""]


def test_strings_are_compared_as_arrays_are(table: wa.Table) -> None:
    names = table["name"]
    assert (names == "a").tolist() == [True, False, False, False]
    assert (names != "a").tolist() == [False, True, True, True]
    assert (names[1:] == "").tolist() == [True, True, True]
    assert (names == names).all()
    assert (names == ["a", "b", "", ""]).tolist() == [True, False, True, True]
    assert table[names == "a"]["id"].tolist() == [1]
    raw = ROW.encode_many(table)
    assert (raw == b"").tolist() == [False, True, False, False]


def test_bytes_that_are_no_text_are_compared_as_they_come() -> None:
    text = wa.Schema.from_source('syntax = "proto2"; message Text { optional string text = 1; }')["Text"]
    column = text.decode_many([b"\x0a\x01\xff", b"\x0a\x01a"])["text"]
    assert (column == column[0]).tolist() == [True, False]
    assert (column == "a").tolist() == [False, True]
    assert (column == "\ud800").tolist() == [False, False]


@pytest.mark.parametrize("key", [True, False, np.bool_(True)], ids=repr)
def test_what_is_no_mask_chooses_no_row(table: wa.Table, key: Any) -> None:
    for column in (table, table["name"], table["values"]):
        with pytest.raises(TypeError, match="mask with an entry for each row, not by one bool"):
            column[key]
    # What Python makes of a comparison of things that cannot be compared.
    with pytest.raises(TypeError, match="mask"):
        table[table["name"] == 5]


def test_everything_has_a_text_that_shows_shapes_and_dtypes(table: wa.Table) -> None:
    assert "float64[2]" in repr(table[0])
    assert "int64[4]" in repr(table)
    assert "4 x float64[2]" in repr(table["values"])
    assert "strings[4]" in repr(table["name"])
    assert "repeated double values = 3  float64" in repr(ROW)
    assert "2 message types" in repr(SCHEMA)


def test_columns_that_never_came_are_there_and_stay_the_same() -> None:
    table = ROW.decode_many([b"", b""])
    table["id"][:] = 7
    assert table["id"].tolist() == [7, 7]
    assert table["inner.inner.inner.values"].to_list()[1].tolist() == []
    assert ROW.decode_many([])["path"].offsets.tolist() == [0]


def test_to_dict_goes_all_the_way_down(table: wa.Table) -> None:
    record = table[0].to_dict()
    assert record["values"].tolist() == [1.0, 2.0]
    assert record["at"] == {"x": 1.0, "y": 0.0, "tags": pytest.approx([])}
    assert record["inner"] is None
    assert record["path"] == []
    columns = table.to_dict()
    assert columns["at"]["x"].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert columns["point"] is None


def test_fields_say_what_the_schema_says() -> None:
    fields = ROW.fields
    assert (fields["values"].number, fields["values"].kind, fields["values"].dtype) == (3, "double", np.float64)
    assert fields["values"].repeated
    assert fields["counts"].map
    assert fields["text"].oneof == "choice"
    assert fields["at"].message == "test.Point"
    assert fields["name"].presence
    assert not fields["id"].presence
    assert fields["id"].default == 0
    assert dict(ROW.oneofs) == {"choice": ("number", "text", "point")}


def test_a_selection_decodes_its_paths_alone() -> None:
    narrow = ROW.select("path.x", "choice")
    assert list(narrow.fields) == ["path", "number", "text", "point"]
    table = narrow.decode_many(MESSAGES)
    assert table["path"].values.keys() == ["x"]
    assert table.which("choice").tolist() == [0, 0, 8, 7]
    assert list(narrow.select("path").decode(MESSAGES[2])["path"].message_type.fields) == ["x"]
    for path in ("nothing", "path.nothing", "id.x", "", "path."):
        with pytest.raises(ValueError, match="no field"):
            ROW.select(path)
    with pytest.raises(ValueError, match="no field"):
        narrow.select("id")


def test_looking_at_a_column_changes_no_result() -> None:
    table = ROW.decode_many([b"", b""])
    before = str(table.to_dict())
    assert table["inner.inner"].keys() == table.keys()
    assert str(table.to_dict()) == before
    assert table[:1].to_dict()["inner"] is None


def test_types_within_types_may_be_followed_without_end() -> None:
    table = ROW.decode_many([b""])
    for _ in range(100_000):
        table = table["inner"]
    assert table["id"].tolist() == [0]
    del table


def test_a_path_longer_than_messages_nest_is_refused() -> None:
    path = ".".join(["inner"] * 100_000)
    with pytest.raises(ValueError, match="at most 101 names"):
        ROW.select(path)
    for look in (ROW.decode(b""), ROW.decode_many([b""]), ROW.decode_many([b""])["path"]):
        with pytest.raises(KeyError, match="at most 101 names"):
            look[path]


def test_a_wrong_path_blames_the_name_that_is_wrong(table: wa.Table) -> None:
    with pytest.raises(KeyError, match='no field "q": x before it is not a message'):
        table["at.x.q.r"]
    with pytest.raises(ValueError, match='no field "q": x before it is not a message'):
        ROW.select("at.x.q.r")
    with pytest.raises(KeyError, match='no field "q": id before it is not a message'):
        table.present("id.q")
    with pytest.raises(ValueError, match="what lies before it is repeated"):
        table.present("path.x")


def test_a_row_beyond_all_integers_is_out_of_range(table: wa.Table) -> None:
    with pytest.raises(IndexError, match="out of range"):
        table[10**30]


def test_a_oneof_that_flips_keeps_its_last_member_alone() -> None:
    flips = bytes.fromhex("3801 4a0909000000000000f03f") * 1000
    record = ROW.decode(flips)
    assert record.which("choice") == 9
    assert not record.present("number")
    assert record["point"]["x"] == 1.0
    assert ROW.decode(flips + b"\x38\x02").to_dict()["point"] is None


def test_showing_a_table_makes_no_column() -> None:
    table = ROW.decode_many([b"\x08\x05"] * 1000)
    text = repr(table)
    assert "int64[1000]  [5, 5, 5, ..., 5, 5]" in text
    assert "bool[1000]  [False, False, False, ..., False, False]" in text
    assert "1000 x float64[0]" in text
    assert table._made() == ["id"]


def test_only_so_many_names_are_shown() -> None:
    fields = "".join(f"int32 field_{number} = {number};" for number in range(1, 1001))
    wide = wa.Schema.from_source(f'syntax = "proto3"; message Wide {{ {fields} }}')["Wide"]
    assert repr(wide.decode(b"")).count("\n") == 41
    assert "... and 960 more" in repr(wide)
    with pytest.raises(KeyError, match="field_40 and 960 more"):
        wide.decode(b"")["nothing"]


def test_which_cannot_be_written_to(table: wa.Table) -> None:
    assert not table.which("choice").flags.writeable
