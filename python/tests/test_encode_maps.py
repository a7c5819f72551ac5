"""Maps, extensions, message sets and required fields; how deep messages go, and where an error says that it is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from both import BothSchemas

NODE = BothSchemas("""
syntax = "proto3";
message Node {
  int32 n = 1; Node next = 2; repeated Node nodes = 3; map<string, int32> counts = 4; map<int32, Node> named = 5;
  map<bool, bytes> flags = 6; repeated int32 numbers = 7; repeated string words = 8; string word = 9;
}
""")["Node"]
ENCODE, ENCODE_MANY = NODE.ours.encode, NODE.ours.encode_many

# In the order in which the official package writes them, which is not that of all keys.
MAPS: list[dict[str, int]] = [{"a": 0, "b": 1, "c": -2}, {}, {"z": 2**31 - 1}]


def _entries(value: dict[Any, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": item} for key, item in value.items()]


def _decoded(value: dict[str, int]) -> Any:
    return NODE.ours.decode(NODE.written(counts=value))["counts"]


class Mapping:
    """Not a dict, but it has keys."""

    def __init__(self, items: dict[Any, Any]) -> None:
        self.items_ = items

    def keys(self) -> Any:
        return self.items_.keys()

    def __getitem__(self, key: Any) -> Any:
        return self.items_[key]


MAP_FORMS: dict[str, Callable[[dict[str, int]], Any]] = {
    "dict": lambda value: value,
    "mapping": Mapping,
    "list of entries": _entries,
    "Table": _decoded,
    "slice of a Table": lambda value: (
        _decoded({"": 9} | {f"{key}!": item for key, item in value.items()})[:0] if not value else _decoded(value)[:]
    ),
    "built Table": lambda value: wa.Table.of(_decoded(value).message_type, key=list(value), value=list(value.values())),
}


@pytest.mark.parametrize("form", MAP_FORMS)
def test_every_form_of_map_is_taken(form: str) -> None:
    for value in MAPS:
        assert ENCODE({"counts": MAP_FORMS[form](value)}) == NODE.written(counts=value)
    expected = [NODE.written(counts=value) for value in MAPS]
    assert ENCODE_MANY({"counts": [MAP_FORMS[form](value) for value in MAPS]}).to_list() == expected
    assert ENCODE_MANY({"counts": [MAP_FORMS[form](value) if value else None for value in MAPS]}).to_list() == expected


def test_the_maps_of_many_messages_are_taken_in_every_form() -> None:
    expected = [NODE.written(counts=value) for value in MAPS]
    flat = [entry for value in MAPS for entry in _entries(value)]
    ragged = NODE.ours.decode_many(expected)["counts"]
    built = wa.Table.of(ragged.values.message_type, key=np.array([*"abcz"]), value=np.array([0, 1, -2, 2**31 - 1]))
    offsets = [0, 3, 3, 4]
    for given in (ragged, ragged[::-1][::-1], (ragged.values, offsets), (built, offsets), (flat, offsets)):
        assert ENCODE_MANY({"counts": given}).to_list() == expected
    assert ENCODE_MANY([{"counts": value} for value in MAPS]).to_list() == expected


def test_maps_of_messages_and_other_keys_are_written() -> None:
    values: list[dict[str, Any]] = [
        {"named": {5: {"n": 1}}, "flags": {True: b"\xff"}},
        {"named": {-(2**31): {}, 2**31 - 1: {"named": {0: {"n": 3}}}, 0: {"counts": {"a": 1}}}},
        {"flags": {False: b"", True: b"x"}},
    ]
    for value in values:
        assert NODE.read(ENCODE(value)) == NODE.theirs(**value)
        assert ENCODE(NODE.ours.decode(ENCODE(value))) == ENCODE(value)
    record = NODE.ours.decode(ENCODE({"n": 7}))
    assert NODE.read(ENCODE({"named": {1: record, 2: {"next": record}}})) == NODE.theirs(
        named={1: {"n": 7}, 2: {"next": {"n": 7}}}
    )
    rows = ENCODE_MANY({"named": [value.get("named") for value in values]})
    for value, data in zip(values, rows, strict=True):
        assert NODE.read(data) == NODE.theirs(named=value.get("named", {}))


def test_a_key_of_zero_is_written_with_its_value() -> None:
    """Both parts of an entry are written always, as the official package does."""
    assert ENCODE({"counts": {"": 0}}) == bytes.fromhex("2204 0a00 1000") == NODE.written(counts={"": 0})


# ---------------------------------------------------------------------------------------------------------------------
# Extensions, message sets, required fields

OLD = BothSchemas("""
syntax = "proto2";
package old;
message Base {
  optional int32 n = 1; required string name = 2; repeated Base more = 3; optional int32 last = 300;
  extensions 100 to 200;
}
message Item { optional int32 n = 1; repeated double values = 2 [packed = true];
  extend Base { optional Item item = 101; repeated Item items = 102; }
  extend Set { optional Item in_set = 1000; }
}
message Other { optional string text = 1; extend Set { optional Other in_set = 2000000; } }
extend Base { optional string note = 150; repeated sint32 steps = 151 [packed = true]; repeated bytes parts = 152; }
message Set { option message_set_wire_format = true; extensions 4 to max; }
message Box { optional Set set = 1; repeated Set sets = 2; }
""")
BASE, BOX = OLD["old.Base"], OLD["old.Box"]


def test_extensions_are_written_by_their_full_names() -> None:
    given = {
        "name": "a",
        "n": 1,
        "last": 2,
        "[old.note]": "caf\u00e9",
        "[old.steps]": [1, -1],
        "[old.parts]": [b"", b"\xff"],
        "[old.Item.item]": {"n": 1, "values": np.arange(3.0)},
        "[old.Item.items]": {"n": [1, None]},
    }
    expected = BASE.theirs(name="a", n=1, last=2)
    extensions = {extension.full_name: extension for extension in OLD.pool.FindAllExtensions(BASE.theirs.DESCRIPTOR)}
    expected.Extensions[extensions["old.note"]] = "caf\u00e9"
    expected.Extensions[extensions["old.steps"]].extend([1, -1])
    expected.Extensions[extensions["old.parts"]].extend([b"", b"\xff"])
    expected.Extensions[extensions["old.Item.item"]].n = 1
    expected.Extensions[extensions["old.Item.item"]].values.extend([0.0, 1.0, 2.0])
    expected.Extensions[extensions["old.Item.items"]].add(n=1)
    expected.Extensions[extensions["old.Item.items"]].add()
    data = BASE.ours.encode(given)
    assert BASE.read(data) == expected
    assert BASE.ours.encode(BASE.ours.decode(data)) == data
    assert BASE.ours.encode(BASE.ours.decode(expected.SerializeToString())) == data
    assert BASE.ours.encode_many([given, {"name": "b"}]).to_list() == [data, BASE.written(name="b")]


def test_fields_and_extensions_stand_in_the_order_of_their_numbers() -> None:
    data = BASE.ours.encode({"last": 1, "[old.note]": "", "name": "", "[old.steps]": [1], "n": 1})
    assert data == bytes.fromhex("0801 1200 b20900 ba090102 e01201")


def test_the_items_of_a_message_set_are_groups() -> None:
    given = {"set": {"[old.Item.in_set]": {"n": 5}, "[old.Other.in_set]": {"text": "a"}}, "sets": [{}, {}]}
    data = BOX.ours.encode(given)
    read = BOX.read(data)
    extensions = {e.full_name: e for e in OLD.pool.FindAllExtensions(OLD["old.Set"].theirs.DESCRIPTOR)}
    assert read.set.Extensions[extensions["old.Item.in_set"]].n == 5
    assert read.set.Extensions[extensions["old.Other.in_set"]].text == "a"
    assert len(read.sets) == 2
    one = {"sets": [{"[old.Item.in_set]": {"n": 5}}, {}]}
    assert BOX.ours.encode(one) == BOX.read(BOX.ours.encode(one)).SerializeToString()
    assert BOX.ours.encode(BOX.ours.decode(data)) == data


def test_a_required_field_that_is_missing_is_named() -> None:
    text = "name: the schema requires a value, and there is none"
    refused: dict[str, Callable[[], Any]] = {
        text: lambda: BASE.ours.encode({}),
        f"row 1, {text}": lambda: BASE.ours.encode_many({"name": ["a", None]}),
        f"row 0, {text}": lambda: BASE.ours.encode_many({"n": [1, 2]}),
        f"more[1].{text}": lambda: BASE.ours.encode({"name": "", "more": [{"name": "a"}, {"n": 5}]}),
        f"row 1, more[0].{text}": lambda: BASE.ours.encode_many([{"name": "a"}, {"name": "b", "more": [{}]}]),
        f"more[0].more[1].{text}": lambda: BASE.ours.encode(
            {"name": "", "more": [{"name": "", "more": [{"name": ""}, {}]}]}
        ),
    }
    for expected, encode in refused.items():
        with pytest.raises(ValueError) as refusal:
            encode()
        assert str(refusal.value) == expected
    with pytest.raises(ValueError, match=f"^row 1, {text}$"):
        BASE.ours.encode_many(wa.Table.of(BASE.ours, name=["a", "b", None])[1:])
    assert BASE.ours.encode({"name": ""}) == BASE.written(name="")


# ---------------------------------------------------------------------------------------------------------------------
# Depth


def _nested(levels: int, within: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    message: dict[str, Any] = {"n": 1}
    for _ in range(levels):
        message = within(message)
    return message


NESTINGS: dict[str, tuple[Callable[[Any], dict[str, Any]], int]] = {
    "next": (lambda inner: {"next": inner}, 1),
    "nodes": (lambda inner: {"nodes": [inner]}, 1),
    "several nodes": (lambda inner: {"nodes": [{}, inner]}, 1),
    "columns": (lambda inner: {"nodes": {name: [value] for name, value in inner.items()}}, 1),
    # An entry of a map is a message as well.
    "named": (lambda inner: {"named": {1: inner}}, 2),
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_messages_nest_as_deep_as_the_official_parser_reads(nesting: str) -> None:
    within, each = NESTINGS[nesting]
    levels = 100 // each
    data = ENCODE(_nested(levels, within))
    assert NODE.read(data) is not None
    assert ENCODE(NODE.ours.decode(data)) == data
    for deeper in (levels + 1, levels + 2, 5000):
        with pytest.raises(ValueError, match="messages are nested deeper than 100 levels, where protobuf parsers stop"):
            ENCODE(_nested(deeper, within))


def test_records_within_records_are_counted_too() -> None:
    deep = NODE.ours.decode(ENCODE(_nested(60, NESTINGS["next"][0])))
    assert NODE.read(ENCODE(_nested(39, NESTINGS["next"][0]) | {"next": deep})) is not None
    message: Any = deep
    for _ in range(40):
        message = {"next": message}
    assert NODE.read(ENCODE(message)) is not None
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        ENCODE({"next": message})


def test_what_contains_itself_is_refused() -> None:
    cycle: dict[str, Any] = {"n": 1}
    for field, value in (("next", cycle), ("nodes", [cycle]), ("nodes", [{}, cycle]), ("named", {1: cycle})):
        cycle.clear()
        cycle[field] = value
        with pytest.raises(ValueError, match="nested deeper than 100 levels"):
            ENCODE(cycle)
    endless: list[Any] = []
    endless.append(endless)
    for name in ("nodes", "numbers", "words"):
        with pytest.raises((TypeError, ValueError), match=f"^{name}"):
            ENCODE({name: endless})


# ---------------------------------------------------------------------------------------------------------------------
# Where an error is

WIDE = 2**40
PLACES: dict[str, dict[str, Any]] = {
    "n": {"n": WIDE},
    "next.n": {"next": {"n": WIDE}},
    "next.next.numbers[2]": {"next": {"next": {"numbers": [1, 2, WIDE]}}},
    "nodes[0].n": {"nodes": [{"n": WIDE}]},
    "nodes[1].n": {"nodes": [{"n": 1}, {"n": WIDE}]},
    "nodes[1].numbers[1]": {"nodes": [{}, {"numbers": np.array([1, WIDE])}]},
    "nodes[2].next.n": {"nodes": [{}, {}, {"next": {"n": WIDE}}]},
    "nodes[1].nodes[2].n": {"nodes": [{}, {"nodes": [{}, {}, {"n": WIDE}]}]},
    "nodes[0].nodes[0].n": {"nodes": [{"nodes": [{"n": WIDE}]}]},
    "counts[1].value": {"counts": {"a": 1, "b": WIDE}},
    "named[1].value.n": {"named": {1: {}, 2: {"n": WIDE}}},
    "named[1].key": {"named": {1: {}, WIDE: {}}},
    "named[0].value.nodes[1].n": {"named": {1: {"nodes": [{}, {"n": WIDE}]}}},
}


def _without_zeros(text: str) -> str:
    """Where there is one value alone, its number need not be told."""
    return text.replace("[0]", "")


@pytest.mark.parametrize("place", PLACES)
def test_an_error_says_where_the_value_is(place: str) -> None:
    with pytest.raises(ValueError) as refusal:
        ENCODE(PLACES[place])
    assert _without_zeros(str(refusal.value)) == _without_zeros(f"{place} = {WIDE} does not fit int32")


def test_an_error_among_columns_says_where_the_value_is() -> None:
    columns = {"nodes": {"n": [1, 2], "next": {"numbers": [[1], [2, WIDE]]}}}
    with pytest.raises(ValueError, match=rf"^nodes\[1\]\.next\.numbers\[1\] = {WIDE} does not fit int32"):
        ENCODE(columns)
    with pytest.raises(ValueError, match=rf"^nodes(\[1\]\.n|\.n\[1\]) = {WIDE} does not fit int32"):
        ENCODE({"nodes": {"n": np.array([1, WIDE])}})


def test_an_error_among_records_says_where_the_value_is() -> None:
    """The others are records, so each message is taken alone."""
    record = NODE.ours.decode(ENCODE({"n": 1}))
    for given, place in (
        ({"nodes": [record, {"n": WIDE}]}, "nodes[1].n"),
        ({"nodes": [record, {"next": {"n": WIDE}}]}, "nodes[1].next.n"),
        ({"nodes": [record, record, {"numbers": [1, WIDE]}]}, "nodes[2].numbers[1]"),
        ({"nodes": [{}, {"nodes": [record, {"n": WIDE}]}]}, "nodes[1].nodes[1].n"),
    ):
        with pytest.raises(ValueError) as refusal:
            ENCODE(given)
        assert str(refusal.value) == f"{place} = {WIDE} does not fit int32"
    with pytest.raises(ValueError, match=rf"^n\[1\] = {WIDE} does not fit int32"):
        ENCODE_MANY([record, {"n": WIDE}])


def test_an_error_of_one_of_many_messages_names_its_row() -> None:
    """The number of the message, and where in it: without both, the value cannot be found."""
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {
        ("row 1, nodes[2].n", "nodes[1][2].n"): [{"nodes": [{}]}, {"nodes": [{}, {}, {"n": WIDE}]}],
        ("row 2, nodes[0].n", "nodes[2][0].n"): [{}, {}, {"nodes": [{"n": WIDE}]}],
        ("row 1, numbers[1]", "numbers[1][1]"): [{"numbers": [5]}, {"numbers": [0, WIDE]}],
        ("row 1, counts[1].value", "counts[1][1].value"): [{"counts": {"a": 1}}, {"counts": {"a": 1, "b": WIDE}}],
        ("row 1, next.n", "next[1].n", "next.n[1]"): [{"next": {"n": 1}}, {"next": {"n": WIDE}}],
    }
    for places, given in rows.items():
        with pytest.raises(ValueError) as refusal:
            ENCODE_MANY(given)
        assert str(refusal.value) in [f"{place} = {WIDE} does not fit int32" for place in places]


def test_a_key_that_is_no_field_is_named_with_its_place() -> None:
    names = "it has n, next, nodes, counts, named, flags, numbers, words, word"
    refused = {
        'no field "m" in Node': lambda: ENCODE({"m": 1}),
        'next.next: no field "m" in Node': lambda: ENCODE({"next": {"next": {"m": 1}}}),
        'nodes[0]: no field "m" in Node': lambda: ENCODE({"nodes": [{"m": 1}]}),
        'nodes[1]: no field "m" in Node': lambda: ENCODE({"nodes": [{}, {"m": 1}]}),
        'nodes: no field "m" in Node': lambda: ENCODE({"nodes": {"m": [1]}}),
        'named[1].value: no field "m" in Node': lambda: ENCODE({"named": {1: {}, 2: {"m": 1}}}),
    }
    for text, encode in refused.items():
        with pytest.raises(ValueError) as refusal:
            encode()
        assert _without_zeros(str(refusal.value)) == _without_zeros(f"{text}; {names}")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"next": 5}, "next: expected a message: a dict or a Record, got int"),
        ({"next": [{}]}, "next: expected a message: a dict or a Record, got list"),
        ({"next": "text"}, "next: expected a message: a dict or a Record, got str"),
        ({"nodes": 5}, "nodes: expected messages: a Table, a dict of columns, or a list of dicts or Records, got int"),
        (
            {"nodes": "ab"},
            "nodes: expected messages: a Table, a dict of columns, or a list of dicts or Records, got str",
        ),
        ({"nodes": [5]}, "nodes[0]: expected a message: a dict or a Record, got int"),
        ({"nodes": [{}, 5]}, "nodes[1]: expected a message: a dict or a Record, got int"),
        ({"nodes": [{}, None]}, "nodes[1]: None is no value of a repeated field; leave it out"),
        ({5: 1}, "expected names of fields as keys, got int"),
        ({"next": {b"n": 1}}, "next: expected names of fields as keys, got bytes"),
        ({"counts": {None: 1}}, "counts[0].key: None is no key of a map"),
        ({"named": {1: {}, 2: None}}, "named[1].value: None is no value of a map"),
        ({"counts": 5}, "counts: expected messages"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(given: dict[Any, Any], text: str) -> None:
    with pytest.raises((TypeError, ValueError)) as refusal:
        ENCODE(given)
    assert _without_zeros(str(refusal.value)).startswith(_without_zeros(text))


def test_arrays_of_numbers_are_no_messages_however_long_they_are() -> None:
    # An object for each of these would not find room anywhere.
    numbers = np.broadcast_to(np.int64(1), 1 << 40)
    with pytest.raises(TypeError, match=r"^next: expected messages: a Table, .*, got ndarray of int64$"):
        ENCODE_MANY({"next": numbers})
    with pytest.raises(TypeError, match=r"^expected messages: a Table, .*, got ndarray of int64$"):
        ENCODE_MANY(numbers)
