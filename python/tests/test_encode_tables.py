"""Tables as input: nested as deeply as one likes, looked at before, with rows that are absent."""

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source(
    """
    syntax = "proto2";
    message Node { optional int32 x = 1; repeated Node nodes = 2; optional Node node = 3; optional string name = 4; }
    message Strict { required int32 q = 1; }
    message Outer { optional Strict strict = 1; }
    """
)
NODE, STRICT, OUTER = SCHEMA["Node"], SCHEMA["Strict"], SCHEMA["Outer"]


@pytest.mark.parametrize("field", ["node", "nodes"])
def test_tables_are_nested_as_deeply_as_parsers_read_and_no_deeper(field: str) -> None:
    def around(table: wa.Table) -> wa.Table:
        return wa.Table.of(NODE, {field: table if field == "node" else (table, [0, 1, 1]), "x": [1, 2]})

    table = wa.Table.of(NODE, x=[1, 2])
    for _ in range(100):
        table = around(table)
    assert len(NODE.decode_many(NODE.encode_many(table))) == 2
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        around(table)


def test_looking_at_a_field_changes_nothing_that_is_written() -> None:
    record, narrow = NODE.decode(b"\x08\x05"), NODE.select("x")
    assert narrow.encode(record) == b"\x08\x05"
    assert record["name"] == ""
    assert record["nodes"].to_dict()["x"].tolist() == []
    assert narrow.encode(record) == NODE.encode(record) == b"\x08\x05"


def test_what_a_selection_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^name is string, and Node has no such field, or it is not selected$"):
        NODE.select("x").encode(NODE.decode(b"\x22\x01a"))


def test_rows_that_are_absent_are_no_messages() -> None:
    nested = OUTER.decode_many([b"", OUTER.encode({"strict": {"q": 1}})])["strict"]
    for given in (nested, [None, {"q": 1}]):
        with pytest.raises(ValueError, match=r"^row 0: there is no message here, only an absent one; leave it out"):
            STRICT.encode_many(given)
    assert STRICT.encode_many(nested[nested.present("q")]).to_list() == [b"\x08\x01"]


def test_offsets_beyond_the_values_are_refused_even_without_entries() -> None:
    with pytest.raises(ValueError, match=r"^nodes: offsets: entry 0 would be 5 to 5 of 2"):
        NODE.encode_many({"nodes": (wa.Table.of(NODE, x=[1, 2]), [5])})
    with pytest.raises(ValueError, match=r"^offsets: entry 0 would be 5 to 5 of 0"):
        NODE.decode_many(b"", offsets=[5])


def test_what_lies_under_a_mask_is_not_looked_at() -> None:
    schema = wa.Schema.from_source('syntax = "proto3"; enum E { NONE = 0; BUY = 1; } message M { optional E e = 1; }')
    masked = np.ma.array(["BUY", "N/A"], mask=[False, True])
    assert schema["M"].encode_many({"e": masked}).to_list() == [b"\x08\x01", b""]
