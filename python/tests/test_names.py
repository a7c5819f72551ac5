"""Names instead of numbers: of enums' values, and of the members of oneofs."""

from typing import Any

import numpy as np
import pytest
import wirearray as wa

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
import "google/protobuf/timestamp.proto";
enum State { option allow_alias = true; NEW = 0; OPEN = 1; STARTED = 1; CLOSED = -2; }
message Order {
  State state = 1;
  repeated State history = 2;
  optional State before = 3;
  map<string, State> states = 4;
  Order part = 5;
  repeated Order parts = 6;
  oneof payload {
    string text = 7; int64 code = 8; Order order = 9; State became = 10; google.protobuf.Timestamp at = 11;
  }
  oneof other { bool flag = 12; }
  int32 id = 13;
}
""")
ORDER = SCHEMA["Order"]


def orders(*messages: dict[str, Any]) -> Any:
    return ORDER.decode_many([ORDER.encode(message) for message in messages])


def test_numbers_of_an_enum_have_the_names_of_the_schema() -> None:
    table = orders({"state": "CLOSED"}, {}, {"state": 1})
    names = table.enum_names("state")
    assert isinstance(names.dtype, np.dtypes.StringDType)
    assert names.tolist() == ["CLOSED", "NEW", "OPEN"]
    assert table["state"].tolist() == [-2, 0, 1]
    assert table["id"][names == "OPEN"].tolist() == [0]
    assert [record.enum_names("state") for record in table] == ["CLOSED", "NEW", "OPEN"]


def test_a_number_without_a_name_has_its_digits() -> None:
    table = orders({"state": 77}, {"state": -(2**31)}, {"history": [2**31 - 1, 0]})
    assert table.enum_names("state").tolist() == ["77", "-2147483648", "NEW"]
    assert table[2].enum_names("history").to_list() == ["2147483647", "NEW"]


def test_names_of_a_repeated_enum_are_ragged() -> None:
    table = orders({"history": [0, 1, -2]}, {}, {"history": [1]})
    names = table.enum_names("history")
    assert isinstance(names, wa.Ragged)
    assert names.offsets.tolist() == [0, 3, 3, 4]
    assert names.values.to_list() == ["NEW", "OPEN", "CLOSED", "OPEN"]
    assert [entry.to_list() for entry in names] == [["NEW", "OPEN", "CLOSED"], [], ["OPEN"]]


def test_names_follow_paths_through_messages_lists_and_maps() -> None:
    table = orders({"part": {"state": 1}, "parts": [{"state": 1}, {"history": [-2]}], "states": {"a": 1, "b": -2}}, {})
    assert table.enum_names("part.state").tolist() == ["OPEN", "NEW"]
    assert table.enum_names("parts.state").values.to_list() == ["OPEN", "NEW"]
    assert table.enum_names("parts.history").values.values.to_list() == ["CLOSED"]
    assert table.enum_names("states.value").to_list()[0].to_list() == ["OPEN", "CLOSED"]
    assert table["states"].values.enum_names("value").tolist() == ["OPEN", "CLOSED"]
    assert table[0].enum_names("parts.state").to_list() == ["OPEN", "NEW"]
    assert table[0].enum_names("part.state") == "OPEN"


def test_names_are_those_of_the_rows_that_a_table_shows() -> None:
    table = orders(*({"state": number} for number in (0, 1, -2, 9)), {})
    assert table[1:3].enum_names("state").tolist() == ["OPEN", "CLOSED"]
    assert table[[4, 3]].enum_names("state").tolist() == ["NEW", "9"]
    assert table[0:0].enum_names("state").tolist() == []
    assert table[1:3].enum_names("history").offsets.tolist() == [0, 0, 0]


def test_an_absent_value_has_the_defaults_name() -> None:
    table = orders({"before": 1}, {})
    assert table.enum_names("before").tolist() == ["OPEN", "NEW"]
    assert table.present("before").tolist() == [True, False]
    proto2 = wa.Schema.from_source(
        'syntax = "proto2"; enum E { A = 3; B = 5; } message M { optional E e = 1 [default = B]; }'
    )
    assert proto2["M"].decode(b"").enum_names("e") == "B"


def test_names_come_from_arrays_that_were_written_to_and_from_ones_own() -> None:
    table = orders({}, {})
    table["state"][1] = 1
    assert table.enum_names("state").tolist() == ["NEW", "OPEN"]
    unaligned = np.frombuffer(b"\0" + np.array([1, -2], np.int32).tobytes(), np.int32, offset=1)
    assert wa.Table.of(ORDER, state=unaligned).enum_names("state").tolist() == ["OPEN", "CLOSED"]


WRONG: dict[str, tuple[str, type[Exception], str]] = {
    "no such field": ("stat", KeyError, "no field 'stat'|no field \\\\?\"stat"),
    "a number": ("id", ValueError, 'field "id" has no names: its type is no enum'),
    "a message": ("part", ValueError, 'field "part" has no names: it is a message; name a field of it'),
    "a map": ("states", ValueError, 'field "states" has no names: it is a map; name its values, as in "counts.value"'),
    "a key": ("states.key", ValueError, "its type is no enum"),
    "behind an enum": ("state.x", KeyError, "state before it is not a message"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_has_no_names_is_refused_with_a_reason(what: str) -> None:
    path, error, text = WRONG[what]
    table = orders({})
    for shown in (table, table[0]):
        with pytest.raises(error, match=text):
            shown.enum_names(path)


PAYLOADS = ({"text": ""}, {"code": 7}, {}, {"order": {"id": 5}}, {"became": 1}, {"at": np.datetime64(5, "s")})


def test_the_member_that_a_oneof_has_set_comes_with_its_value() -> None:
    text, code, none, order, became, at = (record.chosen("payload") for record in orders(*PAYLOADS))
    assert text == ("text", "")
    assert code == ("code", 7)
    assert none is None
    assert (order[0], order[1]["id"]) == ("order", 5)
    assert became == ("became", 1)
    assert at == ("at", np.datetime64(5, "s"))


def test_a_table_tells_the_name_of_each_rows_member() -> None:
    table = orders(*PAYLOADS)
    chosen = table.chosen("payload")
    assert isinstance(chosen.dtype, np.dtypes.StringDType)
    assert chosen.tolist() == ["text", "code", "", "order", "became", "at"]
    assert table.chosen("other").tolist() == [""] * 6
    assert table["code"][chosen == "code"].tolist() == [7]
    assert table[3:5].chosen("payload").tolist() == ["order", "became"]
    assert table[::-1].chosen("payload").tolist() == chosen[::-1].tolist()
    numbers = {"": 0} | {name: field.number for name, field in ORDER.fields.items()}
    assert [numbers[name] for name in chosen] == table.which("payload").tolist()


def test_a_member_that_is_not_selected_has_its_name_alone() -> None:
    table = ORDER.select("code").decode_many([ORDER.encode(message) for message in PAYLOADS])
    assert table.chosen("payload").tolist() == ["text", "code", "", "order", "became", "at"]
    assert [record.chosen("payload") for record in table][:3] == [("text", None), ("code", 7), None]


def test_a_oneof_that_does_not_exist_is_refused() -> None:
    table = orders({})
    for shown in (table, table[0]):
        with pytest.raises(KeyError, match=r"no oneof .*payloads.* in Order; it has payload, other"):
            shown.chosen("payloads")
