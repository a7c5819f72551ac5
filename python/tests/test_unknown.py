"""`keep_unknown`: what is kept, where it is found, and that it is what the official package keeps.

What counts as unknown is said by the files in `testdata/cases/unknown`; random messages are compared in
`test_property`, hostile ones in `test_conformance`.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import wirearray as wa
from google.protobuf.unknown_fields import UnknownFieldSet

import official
from unknown import assert_same_unknown, children
from wire import FIXED32, FIXED64, START_GROUP, WireField, split_fields, write_tag

SCHEMA = wa.Schema.from_source("""
syntax = "proto2";
message Row {
  optional int32 id = 1;
  optional Row inner = 2;
  repeated Row rows = 3;
  repeated double values = 4 [packed = true];
  map<string, Row> named = 5;
  message Unnamed { optional int32 unknown_fields = 1; }
  optional Unnamed unnamed = 6;
}
""")
ROW = SCHEMA["Row"]
MESSAGES = [
    bytes.fromhex("7801 0801 1206 0802 7802 7803 1a00 1a02 7804"),
    b"",
    bytes.fromhex("2a07 0a0161 1202 7805 1a02 7806"),
]


def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    record, table = ROW.decode(MESSAGES[0]), ROW.decode_many(MESSAGES)
    assert record.unknown_fields == record["inner"].unknown_fields == b""
    assert isinstance(table.unknown_fields, wa.Strings)
    assert table.unknown_fields.to_list() == [b"", b"", b""]
    assert table["rows"].values.unknown_fields.to_list() == [b""] * 3
    assert ROW.decode(MESSAGES[0], keep_unknown=False).unknown_fields == b""


def test_each_message_has_its_own() -> None:
    record = ROW.decode(MESSAGES[0], keep_unknown=True)
    assert record.unknown_fields == bytes.fromhex("7801")
    assert record["inner"].unknown_fields == bytes.fromhex("7802 7803")
    assert record["rows"].unknown_fields.to_list() == [b"", bytes.fromhex("7804")]
    assert record["rows"][1].unknown_fields == bytes.fromhex("7804")
    assert record["named"].unknown_fields.to_list() == []


def test_a_table_has_those_of_each_row() -> None:
    table = ROW.decode_many(MESSAGES, keep_unknown=True)
    assert table.unknown_fields.to_list() == [bytes.fromhex("7801"), b"", b""]
    assert table["inner"].unknown_fields.to_list() == [bytes.fromhex("7802 7803"), b"", b""]
    rows = table["rows"].values
    assert rows.unknown_fields.to_list() == [b"", bytes.fromhex("7804"), bytes.fromhex("7806")]
    assert rows.unknown_fields.offsets.tolist() == [0, 0, 2, 4]
    assert table["named"].values["value"].unknown_fields.to_list() == [bytes.fromhex("7805")]


@pytest.mark.parametrize("key", [slice(1, 3), slice(None, None, -1), [2, 0, 0], [False, True, True]], ids=str)
def test_rows_take_theirs_along(key: Any) -> None:
    kept = ROW.decode_many(MESSAGES, keep_unknown=True)
    table, rows = kept[key], kept["rows"][key]
    assert table.unknown_fields.to_list() == [record.unknown_fields for record in table]
    found = [[record.unknown_fields for record in row["rows"]] for row in table]
    assert found == [row.unknown_fields.to_list() for row in rows]


def test_a_slice_of_what_was_not_kept_is_as_long_as_its_rows() -> None:
    assert ROW.decode_many(MESSAGES)[1:].unknown_fields.to_list() == [b"", b""]
    assert ROW.decode_many(MESSAGES)[1:].unknown_fields[1] == b""


def test_one_buffer_and_a_file_keep_them_too(tmp_path: Path) -> None:
    data = b"".join(MESSAGES)
    offsets = [0, len(MESSAGES[0]), len(MESSAGES[0]), len(data)]
    table = ROW.decode_many(data, offsets=offsets, keep_unknown=True)
    assert table.unknown_fields.to_list() == [bytes.fromhex("7801"), b"", b""]
    path = tmp_path / "row.binpb"
    path.write_bytes(MESSAGES[0])
    assert ROW.load(path, keep_unknown=True)["inner"].unknown_fields == bytes.fromhex("7802 7803")
    assert ROW.load(path)["inner"].unknown_fields == b""


def test_views_of_arrays_do_not_keep_them_from_being_kept() -> None:
    data = bytes.fromhex("7801 2208 000000000000f03f 1202 7802")
    for copy in (True, None, False):
        record = ROW.decode(data, copy=copy, keep_unknown=True)
        assert record["values"].tolist() == [1.0]
        assert (record.unknown_fields, record["inner"].unknown_fields) == (b"\x78\x01", b"\x78\x02")


def test_what_is_not_selected_is_not_unknown() -> None:
    data = bytes.fromhex("0801 1204 0802 7802 1a02 7804 7801 1001")
    assert ROW.select("inner.id").decode(data, keep_unknown=True).unknown_fields == bytes.fromhex("7801 1001")
    assert ROW.select("inner.rows").decode(data, keep_unknown=True)["inner"].unknown_fields == bytes.fromhex("7802")
    assert ROW.select("id").decode(data, keep_unknown=True)["id"] == 1


def test_a_field_of_that_name_is_reached_by_subscript() -> None:
    record = ROW.decode(bytes.fromhex("3204 0807 7801"), keep_unknown=True)["unnamed"]
    assert record["unknown_fields"] == 7
    assert record.unknown_fields == bytes.fromhex("7801")


def test_the_entry_of_a_map_decodes_alone() -> None:
    """Its type can be had from a table; there is no map around it then to which an unknown value could take it."""
    schema = wa.Schema.from_source('syntax = "proto2"; enum E { ZERO = 0; } message M { map<int32, E> m = 1; }')
    entry = schema["M"].decode(bytes.fromhex("0a04 0801 1000"))["m"].message_type
    record = entry.decode(bytes.fromhex("0801 1063 7801"), keep_unknown=True)
    assert (record["key"], record["value"], record.unknown_fields) == (1, 0, bytes.fromhex("1063 7801"))


def test_many_unknown_fields_are_kept_in_order() -> None:
    fields = [bytes([0x78, number]) for number in range(128)] * 5_000
    assert ROW.decode(b"".join(fields), keep_unknown=True).unknown_fields == b"".join(fields)
    rows = [b"\x1a\x02" + field for field in fields]
    kept = ROW.decode(b"".join(rows), keep_unknown=True)["rows"].unknown_fields
    assert kept.data.tobytes() == b"".join(fields)
    assert kept.lengths.tolist() == [2] * len(fields)


def test_an_argument_that_is_no_bool_is_refused() -> None:
    with pytest.raises(TypeError, match="keep_unknown"):
        ROW.decode(b"", keep_unknown="yes")


@pytest.mark.parametrize("decoder", ["decode", "_decode_reference"])
def test_the_conformance_corpus_keeps_what_the_official_package_keeps(conformance: Path, decoder: str) -> None:
    descriptor_set = (conformance / "descriptors.binpb").read_bytes()
    pool, schema = official.pool_of(descriptor_set), wa.Schema.from_descriptor_set(descriptor_set)
    if not hasattr(wa.MessageType, decoder):
        pytest.skip("this build of wirearray is without the engine's feature `reference`")
    compared, faults = 0, []
    for line in (conformance / "corpus.jsonl").read_text().splitlines():
        case = json.loads(line)
        if case["expect"] != "ok":
            continue
        data = base64.b64decode(case["payload_b64"])
        message = official.parse(official.message_class(pool, case["message_type"]), data)
        record = getattr(schema[case["message_type"]], decoder)(data, keep_unknown=True)
        try:
            assert_same_unknown(record, message)
            compared += _assert_same_listed(record, message)
        except AssertionError as fault:
            faults.append(f"{case['test_name']}: {fault}")
    assert not faults, f"{len(faults)} cases:\n" + "\n".join(faults)
    assert compared > 10, "the corpus has more unknown fields than that"


def _assert_same_listed(record: Any, message: Any) -> int:
    """The unknown fields as the official package lists them, at every level; how many there are."""
    if message.DESCRIPTOR.GetOptions().message_set_wire_format:
        return 0  # It lists items of a message set as if they were fields.
    theirs = _listed(UnknownFieldSet(message))
    assert [_plain(field) for field in split_fields(record.unknown_fields)] == theirs
    return len(theirs) + sum(_assert_same_listed(ours, child) for _, ours, child in children(record, message))


def _listed(fields: UnknownFieldSet) -> list[Any]:
    return [
        (field.field_number, field.wire_type, _listed(field.data) if field.wire_type == START_GROUP else field.data)
        for field in fields
    ]


def _plain(field: WireField) -> Any:
    """A field of ours as `_listed` gives it."""
    if field.wire_type == START_GROUP:
        # Its fields stand between two tags of one length: the corpus pads none.
        tag_len = len(write_tag(field.number, START_GROUP))
        return field.number, field.wire_type, [_plain(each) for each in split_fields(field.encoded[tag_len:-tag_len])]
    if field.wire_type in (FIXED64, FIXED32):
        width = 8 if field.wire_type == FIXED64 else 4
        return field.number, field.wire_type, int.from_bytes(field.encoded[-width:], "little")
    return field.number, field.wire_type, field.value
