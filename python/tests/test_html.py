"""What notebooks show: safe whatever the data say, of bounded size, and without making a column."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2

import unframe
from realdata_index import stream_name, streams
from test_columns import MESSAGES, ROW, SCHEMA

HOSTILE = '\u202e\x00\x1b<script>alert("1")</script><img src=x>&amp;'
HOSTILE_SCHEMA = wa.Schema.from_source("""
syntax = "proto2";
message Text {
  optional string text = 1;
  repeated string more = 2;
  map<string, string> by_name = 3;
  optional bytes raw = 4;
}
""")
TICK = wa.Schema.from_source("""
syntax = "proto3";
enum Side { BUY = 0; SELL = 1; }
message Tick { int64 id = 1; double price = 2; Side side = 3; bool fast = 4; optional int32 rank = 5; string note = 6; }
""")["Tick"]

TAGS = {
    *("div", "style", "span", "table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
    *("svg", "title", "rect", "path", "line"),
}
ATTRIBUTES = {
    *("class", "title", "width", "height", "viewbox", "role", "x", "y", "d", "x1", "x2", "y1", "y2"),
}


class Checked(HTMLParser):
    """Reads HTML, and refuses tags that are not closed, or that no view has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.counts: dict[str, int] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        assert {name for name, _ in attributes} <= ATTRIBUTES, attributes
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def shown(value: Any) -> Checked:
    return Checked(value._repr_html_())


@pytest.fixture
def table() -> wa.Table:
    return ROW.decode_many(MESSAGES)


def test_a_table_shows_types_rows_and_charts() -> None:
    sides = np.arange(1000, dtype=np.int32) % 2
    view = shown(wa.Table.of(TICK, id=np.arange(1000), price=np.arange(1000.0) / 8, side=sides))
    for text in (
        "Tick",
        "1,000 rows",
        "6 columns",
        "price",
        "float64",
        "124.875",
        "enum",
        "SELL",
        "995",
        "⋮",
        "0 to 999",
    ):
        assert text in view.text, text
    assert "994" not in view.text
    assert view.counts["svg"] == 3


def test_what_is_absent_is_told_from_what_is_zero(table: wa.Table) -> None:
    ranks = np.ma.masked_array([7, 0, 0], [False, True, False])
    rows = wa.Table.of(TICK, rank=ranks)._repr_html_()
    assert rows.count('<td class="wa-number">0</td>') == 1
    assert rows.count('<td class="wa-number">7</td>') == 1
    assert "absent" in shown(table).text


def test_a_record_shows_values_and_what_is_within_them(table: wa.Table) -> None:
    view = shown(table[2])
    for text in (
        "test.Row",
        "id",
        "int64",
        "words",
        "'u'",
        "counts",
        "1 entry",
        "path",
        "2 messages",
        "without a value",
    ):
        assert text in view.text, text
    series = SCHEMA["test.Point"].decode(SCHEMA["test.Point"].encode({"tags": np.arange(1000)}))
    view = shown(series)
    assert "int32[1,000]" in view.text
    assert view.counts["path"] == 1


def test_repeated_fields_and_strings_show_lengths_and_values(table: wa.Table) -> None:
    assert "4 entries · 2 values · 0 to 2 each" in shown(table["values"]).text
    assert "lists of int32" in shown(table["path.tags"]).text
    assert "2 x Point" in shown(table["path"]).text
    assert "4 strings" in shown(table["name"]).text


def test_schemas_show_fields(table: wa.Table) -> None:
    for text in ("2 message types", "test.Point", "3 fields"):
        assert text in shown(SCHEMA).text
    for text in ("test.Row", "counts", "map", "oneof choice", "repeated, packed", "optional", "int64"):
        assert text in shown(ROW).text
    assert "of which are selected: path.x" in shown(ROW.select("path.x")).text
    assert "BUY = 0, SELL = 1" in shown(TICK.fields["side"]).text


def test_hostile_strings_are_shown_as_they_are() -> None:
    message = {"text": HOSTILE, "more": [HOSTILE, HOSTILE], "by_name": {HOSTILE: HOSTILE}, "raw": HOSTILE.encode()}
    record = HOSTILE_SCHEMA["Text"].decode(HOSTILE_SCHEMA["Text"].encode(message))
    table = HOSTILE_SCHEMA["Text"].decode_many([HOSTILE_SCHEMA["Text"].encode(message)])
    for value in (record, table, table["text"], table["more"], table["by_name"], record["more"], record["by_name"]):
        view = shown(value)
        assert "<script>alert(" in view.text
        assert not set(view.text) & set("\u202e\x00\x1b")
        assert "\\u202e" in value._repr_html_()


def test_hostile_names_are_shown_as_they_are() -> None:
    file = descriptor_pb2.FileDescriptorProto(name='"><script>.proto', syntax="proto3")
    message = file.message_type.add(name="M")
    message.field.add(name="a", number=1, type="TYPE_STRING", label="LABEL_OPTIONAL", json_name='"<script>')
    schema = wa.Schema.from_descriptor_set(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
    assert '"><script>.proto' in shown(schema).text
    message.field[0].name = "<script>"
    file.message_type[0].name = "<b>"
    try:
        schema = wa.Schema.from_descriptor_set(descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
    except wa.SchemaError:
        return
    for value in (schema, schema["<b>"], schema["<b>"].fields["<script>"], schema["<b>"].decode_many([b"\x0a\x01a"])):
        assert "<script>" in shown(value).text


def test_lone_surrogates_can_be_written_as_utf8() -> None:
    record = HOSTILE_SCHEMA["Text"].decode(b"\x0a\x02\xffa")
    assert "\\udcffa" in record._repr_html_()
    record._repr_html_().encode()


@pytest.mark.parametrize("rows", [0, 1, 2, 11, 12, 10_000_000])
def test_a_view_is_small_however_many_rows_there_are(rows: int) -> None:
    table = wa.Table.of(TICK, id=np.zeros(rows, np.int64), price=np.zeros(rows))
    assert len(table._repr_html_()) < 20_000
    shown(table)
    shown(table[:0])


def test_a_view_is_small_however_many_columns_there_are() -> None:
    fields = "".join(f"int32 field_{number} = {number};" for number in range(1, 1001))
    wide = wa.Schema.from_source(f'syntax = "proto3"; message Wide {{ {fields} }}')["Wide"]
    table = wide.decode_many([wide.encode({"field_900": 7, "field_901": 8})] * 100)
    view = shown(table)
    assert "984 more columns" in view.text
    assert "field_900" in view.text
    for value in (table, table[0], wide, wide.schema):
        assert len(value._repr_html_()) < 60_000
        shown(value)


def test_a_view_is_small_however_much_is_nested() -> None:
    message: dict[str, Any] = {"id": 1}
    for _ in range(90):
        message = {"id": 1, "inner": message, "path": [{"x": 1.0, "tags": [1] * 1000}] * 100}
    record = ROW.decode(ROW.encode(message))
    assert len(record._repr_html_()) < 300_000
    shown(record)
    assert len(ROW.decode_many([ROW.encode(message)] * 20)._repr_html_()) < 60_000


def test_no_column_is_made_for_being_shown() -> None:
    table = ROW.decode_many([ROW.encode({"id": 5, "path": [{"x": 1.0}], "inner": {"id": 7}})] * 100)
    made = table._made()
    path, inner = table["path"].values._made(), table["inner"]._made()
    for value in (table, table[5], table["path"], table["path"].values, table["inner"], table["inner"][3]):
        shown(value)
    assert table._made() == made == ["id", "path", "inner"]
    assert table["path"].values._made() == path == ["x"]
    assert table["inner"]._made() == inner == ["id"]


@pytest.mark.parametrize(
    "values",
    [
        [np.nan] * 3,
        [np.inf, -np.inf, 1.0],
        [1.7e308, -1.7e308, 0.0],
        [5e-324, 0.0],
        [1.0],
        [],
        [0.1, np.nan, 0.3] * 2000,
        [1e15, 1e15 + 1],
    ],
    ids=str,
)
def test_numbers_of_every_size_have_a_chart(values: list[float]) -> None:
    schema = wa.Schema.from_source('syntax = "proto3"; message M { repeated double d = 1; double e = 2; }')["M"]
    record = schema.decode(schema.encode({"d": values}))
    table = (
        wa.Table.of(schema, e=values, d=[values] * len(values)) if len(values) < 10 else wa.Table.of(schema, e=values)
    )
    for value in (record, table, table["d"]):
        text = value._repr_html_()
        shown(value)
        assert not re.search(r'"[^"<>]*(nan|inf)[^"<>]*"', re.sub(r"<title>.*?</title>", "", text))


def test_integers_at_the_ends_have_a_chart() -> None:
    schema = wa.Schema.from_source('syntax = "proto3"; message M { repeated uint64 a = 1; repeated sint64 b = 2; }')[
        "M"
    ]
    record = schema.decode(schema.encode({"a": [0, 2**64 - 1], "b": [-(2**63), 2**63 - 1]}))
    assert html.unescape(record._repr_html_()).count("1.845e+19") >= 1
    shown(record)


@pytest.mark.parametrize(("entry", "stream"), streams(), ids=stream_name)
def test_real_files_are_shown(realdata: Path, entry: dict[str, Any], stream: dict[str, Any]) -> None:
    schema = wa.Schema.from_descriptor_set((realdata / entry["descriptor_set"]).read_bytes())
    table = schema[stream["message"]].decode_many(unframe.messages(realdata, entry, stream))
    made = table._made()
    for value in (schema, table.message_type, table, table[0]):
        assert len(value._repr_html_()) < 300_000
        shown(value)
    assert table._made() == made
