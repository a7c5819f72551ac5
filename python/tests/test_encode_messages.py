"""Messages within messages, in every form that they come in: singular, repeated, of one message and of many."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from both import BothSchemas

SOURCE = """
syntax = "proto2";
package test;
message Point {
  optional double x = 1; optional int32 n = 2 [default = 7]; repeated sint32 tags = 3 [packed = true];
  optional string name = 4; optional Point next = 5;
}
message Shape {
  optional Point at = 1; repeated Point path = 2; optional int32 after = 20;
  optional group Box = 3 { optional int32 n = 1; optional Point corner = 2; }
  repeated group Part = 4 { optional int32 n = 1; repeated Point path = 2; }
  oneof choice { Point center = 5; int32 number = 6; string text = 7; }
}
"""
SCHEMA = BothSchemas(SOURCE)
SHAPE, POINT = SCHEMA["test.Shape"], SCHEMA["test.Point"]
OTHER = wa.Schema.from_source(SOURCE)
ENCODE, ENCODE_MANY = SHAPE.ours.encode, SHAPE.ours.encode_many

POINTS: list[dict[str, Any]] = [
    {"x": 1.5, "n": 3, "tags": [1, -2], "name": "first"},
    {},
    {"x": -0.0, "tags": [5]},
    {"n": 0, "name": "", "next": {"x": 2.0, "next": {"n": 4}}},
]
# The same for all points, as arrays need it.
FULL: list[dict[str, Any]] = [{"x": 1.5, "n": 3}, {"x": -0.0, "n": 0}, {"x": np.inf, "n": -(2**31)}]


def points(values: list[dict[str, Any]], schema: Any = SCHEMA.schema) -> wa.Table:
    """A table of points, as decoding makes it."""
    return schema["test.Point"].decode_many([POINT.written(**value) for value in values])


class Mapping:
    """Neither a dict nor a data frame, but with what both have."""

    def __init__(self, items: dict[str, Any]) -> None:
        self._items = items

    def keys(self) -> Iterator[str]:
        return iter(self._items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]


def _columns(values: list[dict[str, Any]]) -> dict[str, Any]:
    """The columns of points, with None where one has no such value."""
    names = ("x", "n", "tags", "name", "next")
    return {name: [value.get(name) for value in values] for name in names}


def _records(values: list[dict[str, Any]]) -> np.ndarray:
    return np.array([(value["x"], value["n"]) for value in values], [("x", ">f8"), ("n", "i8")])


FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "list of dicts": lambda values: values,
    "tuple of dicts": tuple,
    "generator of dicts": iter,
    "array of dicts": lambda values: np.array(values, object),
    "list of mappings": lambda values: [Mapping(value) for value in values],
    "dicts with None for what is absent": lambda values: [
        dict.fromkeys(("x", "n", "tags", "name", "next")) | value for value in values
    ],
    "Table": points,
    "slice of a Table": lambda values: points([POINTS[0], *values, POINTS[0]])[1:-1],
    "chosen rows of a Table": lambda values: points(values[::-1])[::-1],
    "Table of another Schema": lambda values: points(values, OTHER),
    "slice of a Table of another Schema": lambda values: points([*POINTS, *values, {}], OTHER)[4:-1],
    "Table that was built": lambda values: wa.Table.of(POINT.ours, values),
    "list of Records": lambda values: list(points(values)),
    "list of Records of another Schema": lambda values: list(points(values, OTHER)),
    "list of dicts and Records": lambda values: [
        *list(points(values[:1])),
        *values[1:2],
        *list(points(values, OTHER))[2:3],
        *map(Mapping, values[3:]),
    ],
    "dict of columns": _columns,
    "mapping of columns": lambda values: Mapping(_columns(values)),
}

# These have a value everywhere, or what is absent is not told.
FULL_FORMS: dict[str, Callable[[list[dict[str, Any]]], Any]] = {
    "dict of arrays": lambda values: {"x": _records(values)["x"], "n": _records(values)["n"]},
    "structured array": _records,
    "strided structured array": lambda values: _records(values).repeat(2)[::2],
    "record array": lambda values: _records(values).view(np.recarray),
    "structured array with a mask": lambda values: np.ma.masked_array(_records(values)),
    "Table of arrays": lambda values: wa.Table.of(POINT.ours, x=_records(values)["x"], n=_records(values)["n"]),
}
ALL_FORMS = [*((form, POINTS) for form in FORMS.values()), *((form, FULL) for form in (FORMS | FULL_FORMS).values())]
IDS = [*(f"{name}, sparse" for name in FORMS), *FORMS, *FULL_FORMS]

each_form = pytest.mark.parametrize(("form", "values"), ALL_FORMS, ids=IDS)


@each_form
def test_every_form_of_messages_is_taken(form: Callable[[Any], Any], values: list[dict[str, Any]]) -> None:
    for count in (len(values), 1, 0):
        assert ENCODE({"path": form(values[:count])}) == SHAPE.written(path=values[:count])


@each_form
def test_every_form_of_messages_is_taken_as_the_outermost(
    form: Callable[[Any], Any], values: list[dict[str, Any]]
) -> None:
    for count in (len(values), 1, 0):
        expected = [POINT.written(**value) for value in values[:count]]
        assert POINT.ours.encode_many(form(values[:count])).to_list() == expected
        if form is not FORMS["generator of dicts"]:
            assert wa.Table.of(POINT.ours, form(values[:count]))["x"].tolist() == [
                value.get("x", 0.0) for value in values[:count]
            ]


@each_form
def test_every_form_of_messages_is_taken_as_a_column(form: Callable[[Any], Any], values: list[dict[str, Any]]) -> None:
    expected = [SHAPE.written(at=value, after=1) for value in values]
    assert ENCODE_MANY({"at": form(values), "after": [1] * len(values)}).to_list() == expected


# ---------------------------------------------------------------------------------------------------------------------
# One message

ONE_FORMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dict": lambda value: value,
    "mapping": Mapping,
    "Record": lambda value: points([value])[0],
    "Record of a long table": lambda value: points([*POINTS, value, *POINTS])[4],
    "Record of a slice": lambda value: points([*POINTS, value, *POINTS])[3:6][1],
    "Record of another Schema": lambda value: points([{}, value], OTHER)[1],
    "Record of a built Table": lambda value: wa.Table.of(POINT.ours, [{}, value])[1],
    "Record that was decoded alone": lambda value: POINT.ours.decode(POINT.written(**value)),
}


@pytest.mark.parametrize("form", ONE_FORMS)
def test_every_form_of_one_message_is_taken(form: str) -> None:
    for value in POINTS:
        given = ONE_FORMS[form](value)
        assert POINT.ours.encode(given) == POINT.written(**value)
        assert ENCODE({"at": given, "after": 1}) == SHAPE.written(at=value, after=1)
        assert ENCODE({"path": [given, given]}) == SHAPE.written(path=[value, value])
        assert ENCODE({"center": given}) == SHAPE.written(center=value)
        assert POINT.ours.encode({"next": {"next": given}}) == POINT.written(next={"next": value})


def test_a_table_within_a_record_is_taken() -> None:
    record = SHAPE.ours.decode(SHAPE.written(path=POINTS, at=POINTS[0]))
    assert ENCODE({"path": record["path"]}) == SHAPE.written(path=POINTS)
    assert ENCODE({"path": record["path"][1:3], "at": record["path"][3]}) == SHAPE.written(
        path=POINTS[1:3], at=POINTS[3]
    )
    assert POINT.ours.encode(record["path"][3]["next"]) == POINT.written(**POINTS[3]["next"])
    assert ENCODE({"at": record["path"][0]["next"], "after": 1}) == SHAPE.written(after=1), "absent, so None"


def test_a_record_of_fewer_fields_is_taken() -> None:
    data = SHAPE.written(at=POINTS[0], path=POINTS, after=5)
    narrow = SHAPE.ours.select("at", "path.x")
    expected = SHAPE.theirs(at=POINTS[0], path=[{"x": p["x"]} if "x" in p else {} for p in POINTS])
    assert SHAPE.read(ENCODE(narrow.decode(data))) == expected
    assert SHAPE.read(narrow.encode(narrow.decode(data))) == expected
    assert SHAPE.read(narrow.encode({"at": POINTS[0]})) == SHAPE.theirs(at=POINTS[0])
    with pytest.raises(ValueError, match='no field "after"'):
        narrow.encode({"after": 5})


# ---------------------------------------------------------------------------------------------------------------------
# Repeated messages of many messages

ROWS: list[list[dict[str, Any]]] = [POINTS[:2], [], [POINTS[2]], [POINTS[3], POINTS[0]]]


def _ragged(rows: list[list[dict[str, Any]]], schema: Any = SCHEMA.schema) -> Any:
    return schema["test.Shape"].decode_many([SHAPE.written(path=row) for row in rows])["path"]


_FLAT = [value for row in ROWS for value in row]
RAGGED_FORMS: dict[str, Callable[[], Any]] = {
    "Ragged": lambda: _ragged(ROWS),
    "slice of a Ragged": lambda: _ragged([ROWS[0], *ROWS, ROWS[0]])[1:-1],
    "chosen rows of a Ragged": lambda: _ragged(ROWS[::-1])[::-1],
    "Ragged of another Schema": lambda: _ragged(ROWS, OTHER),
    "Table and offsets": lambda: (points(_FLAT), [0, 2, 2, 3, 5]),
    "Table of another Schema and offsets": lambda: (points(_FLAT, OTHER), [0, 2, 2, 3, 5]),
    "slice of a Table and offsets that do not start at 0": lambda: (
        points([*POINTS, {}, *_FLAT, {}])[4:],
        np.array([1, 3, 3, 4, 6]),
    ),
    "columns and offsets": lambda: (_columns(_FLAT), [0, 2, 2, 3, 5]),
    "dicts and offsets": lambda: (_FLAT, [0, 2, 2, 3, 5]),
    "list of lists of dicts": lambda: ROWS,
    "list of lists with None": lambda: [row or None for row in ROWS],
    "list of Tables": lambda: [points(row) for row in ROWS],
    "list of columns": lambda: [_columns(row) for row in ROWS],
    "list of all sorts": lambda: [_columns(ROWS[0]), None, points(ROWS[2], OTHER), list(points(ROWS[3]))],
    "generator of Tables": lambda: (points(row) for row in ROWS),
}


@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_every_form_of_messages_for_each_message_is_taken(form: str) -> None:
    expected = [SHAPE.written(path=row) for row in ROWS]
    assert ENCODE_MANY({"path": RAGGED_FORMS[form]()}).to_list() == expected


def test_rows_of_a_structured_array_of_two_dimensions_are_messages_of_their_own() -> None:
    square = _records(FULL * 2).reshape(2, 3)
    assert ENCODE_MANY({"path": square}).to_list() == [SHAPE.written(path=FULL)] * 2
    assert ENCODE_MANY({"path": square[:, ::2]}).to_list() == [SHAPE.written(path=FULL[::2])] * 2


# ---------------------------------------------------------------------------------------------------------------------
# Groups and oneofs


def test_groups_are_messages_between_two_tags() -> None:
    value = {"box": {"n": 1, "corner": POINTS[0]}, "part": [{"n": 2, "path": POINTS}, {}], "after": 9}
    assert ENCODE(value) == SHAPE.written(**value)
    assert ENCODE(SHAPE.ours.decode(SHAPE.written(**value))) == SHAPE.written(**value)
    assert ENCODE({"part": {"n": [2, None], "path": [POINTS, None]}}) == SHAPE.written(part=value["part"])
    rows = [value, {}, {"box": {}}]
    assert ENCODE_MANY(rows).to_list() == [SHAPE.written(**row) for row in rows]


def test_one_member_of_a_oneof_is_written() -> None:
    for value in ({"center": POINTS[0]}, {"center": {}}, {"number": 0}, {"number": 5}, {"text": ""}, {"text": "a"}):
        assert ENCODE(value) == SHAPE.written(**value)
        assert ENCODE({"center": None, "number": None, "text": None} | value) == SHAPE.written(**value)
        decoded = SHAPE.ours.decode(SHAPE.written(**value))
        assert ENCODE(decoded) == SHAPE.written(**value)
        assert wa.Table.of(SHAPE.ours, [value]).which("choice").tolist() == [decoded.which("choice")]


def test_columns_of_a_oneof_leave_each_other_room() -> None:
    expected = [SHAPE.written(number=1), SHAPE.written(text="b"), b"", SHAPE.written(center=POINTS[0])]
    columns = {
        "number": np.ma.masked_array([1, 5, 5, 5], [False, True, True, True]),
        "text": [None, "b", None, None],
        "center": [None, None, None, POINTS[0]],
    }
    assert ENCODE_MANY(columns).to_list() == expected
    assert wa.Table.of(SHAPE.ours, columns).which("choice").tolist() == [6, 7, 0, 5]
    table = SHAPE.ours.decode_many(expected)
    assert ENCODE_MANY(table).to_list() == expected
    assert ENCODE_MANY(table[::-1]).to_list() == expected[::-1]


def test_two_members_of_a_oneof_are_refused() -> None:
    for row, encode in (
        ("", lambda: ENCODE({"number": 0, "text": ""})),
        (" in row 0", lambda: ENCODE_MANY({"number": [1, None], "text": ["a", "b"]})),
        (" in row 1", lambda: ENCODE_MANY({"number": [None, 1], "text": [None, "b"]})),
        (" in row 1", lambda: wa.Table.of(SHAPE.ours, number=[None, 1], text=["a", "a"])),
    ):
        with pytest.raises(ValueError) as refusal:
            encode()
        text = f"number and text are both set{row}, and the oneof choice has one of them at most"
        assert str(refusal.value) == text
    with pytest.raises(ValueError, match="center and number are both set"):
        ENCODE({"number": 0, "center": {}})
