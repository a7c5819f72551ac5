"""What `encode`, `encode_many` and `Table.of` take as a whole, what they give back, and what they leave alone."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from both import BothSchemas

SOURCE = """
syntax = "proto3";
package test;
enum Side { NONE = 0; BUY = 1; SELL = 2; }
message Point { double x = 1; double y = 2; repeated int32 tags = 3; }
message Tick {
  int64 ts = 1; double price = 2; int32 size = 3; string sym = 4; optional int32 lot = 5; bytes raw = 6;
  Side side = 7; bool last = 8; repeated double book = 9; Point at = 10; repeated Point path = 11;
  map<string, int32> flags = 12; repeated string words = 13; oneof choice { int32 number = 14; string text = 15; }
  repeated sint64 steps = 16; Tick before = 17; float ratio = 18; repeated fixed32 codes = 2000 [packed = false];
}
"""
SCHEMA = BothSchemas(SOURCE)
TICK, POINT = SCHEMA["test.Tick"], SCHEMA["test.Point"]
ENCODE, ENCODE_MANY = TICK.ours.encode, TICK.ours.encode_many

ROWS: list[dict[str, Any]] = [
    {"ts": 5, "price": 1.5, "sym": "A", "lot": 0, "book": [1.0, 2.0], "at": {"x": 1.0}, "number": 0},
    {},
    {"ts": -1, "size": -5, "raw": b"\xff", "side": 2, "last": True, "path": [{"tags": [1, 2]}, {}], "text": ""},
    {"flags": {"a": 1, "b": 2}, "words": ["", "caf\u00e9"], "steps": [-1, 2**63 - 1], "before": {"before": {"ts": 1}}},
    {"price": -0.0, "ratio": 0.5, "codes": [1, 2, 3], "lot": 7},
]
WRITTEN = [TICK.written(**row) for row in ROWS]
# What many messages have all in common, as columns.
ARRAYS = {"ts": np.arange(3), "price": np.array([0.5, 0.0, np.inf]), "size": np.array([1, 2, 3], np.int32)}
NAMES = np.array(["A", "", "CC"])
COLUMNS = [
    TICK.written(ts=ts, price=price, size=size, sym=sym)
    for ts, price, size, sym in zip(*(array.tolist() for array in (*ARRAYS.values(), NAMES)), strict=True)
]


# ---------------------------------------------------------------------------------------------------------------------
# What is given


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_a_message_is_written_as_the_official_package_writes_it(row: dict[str, Any]) -> None:
    expected = TICK.written(**row)
    for given in (row, dict(reversed(row.items())), TICK.ours.decode(expected), type("Mine", (dict,), {})(row)):
        data = ENCODE(given)
        assert type(data) is bytes
        assert data == expected
    nothing = dict.fromkeys(TICK.ours.fields)
    assert ENCODE(nothing | row) == expected, "None is absent"


def test_many_messages_are_written_as_the_official_package_writes_them() -> None:
    table = TICK.ours.decode_many(WRITTEN)
    schema = wa.Schema.from_source(SOURCE)
    forms: list[Any] = [
        *(
            ROWS,
            tuple(ROWS),
            iter(ROWS),
            np.array(ROWS, object),
            table,
            table[:],
            list(table),
            wa.Table.of(TICK.ours, ROWS),
        ),
        *(
            schema["test.Tick"].decode_many(WRITTEN),
            [*ROWS[:2], *list(table)[2:]],
            TICK.ours.decode_many(WRITTEN, copy=None),
        ),
        [*list(schema["test.Tick"].decode_many(WRITTEN))[:2], *ROWS[2:]],
        {name: [row.get(name) for row in ROWS] for name in TICK.ours.fields},
    ]
    for form in forms:
        assert ENCODE_MANY(form).to_list() == WRITTEN
    for rows in (
        slice(1, 4),
        slice(None, None, -1),
        slice(4, 0, -2),
        [2, 2, 0],
        np.array([True, False, True, False, True]),
    ):
        expected = np.array(WRITTEN, object)[rows].tolist()
        assert ENCODE_MANY(table[rows]).to_list() == expected
        assert ENCODE_MANY(table[rows][:1]).to_list() == expected[:1]


class Frame:
    """What data frames of pandas and polars have in common, as far as it matters here."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = columns

    def keys(self) -> list[str]:
        return list(self._columns)

    def __getitem__(self, name: str) -> Any:
        return self._columns[name]

    def __iter__(self) -> Any:
        return iter(self._columns)

    def __len__(self) -> int:
        return 3


class Series:
    """A column of one."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Any:
        return iter(self._values)


def _structured() -> np.ndarray:
    array = np.zeros(3, [("ts", ">i4"), ("price", "f2"), ("size", "u1"), ("sym", "U2")])
    for name, column in (ARRAYS | {"sym": NAMES}).items():
        array[name] = column
    return array


COLUMN_FORMS: dict[str, Callable[[], Any]] = {
    "dict of arrays": lambda: ARRAYS | {"sym": NAMES},
    "dict of lists": lambda: {name: column.tolist() for name, column in (ARRAYS | {"sym": NAMES}).items()},
    "dict of slices": lambda: {name: np.repeat(column, 2)[::2] for name, column in (ARRAYS | {"sym": NAMES}).items()},
    "data frame": lambda: Frame({name: Series(column) for name, column in (ARRAYS | {"sym": NAMES}).items()}),
    "data frame of objects": lambda: Frame(
        {name: Series(column.astype(object)) for name, column in (ARRAYS | {"sym": NAMES}).items()}
    ),
    "structured array": _structured,
    "record array": lambda: _structured().view(np.recarray),
    "slice of a structured array": lambda: _structured().repeat(2)[::2],
    "Table": lambda: wa.Table.of(TICK.ours, **ARRAYS, sym=NAMES),
    "columns of a Table": lambda: dict(zip(names := ("ts", "price", "size", "sym"), _table()[names], strict=True)),
}


def _table() -> wa.Table:
    return TICK.ours.decode_many(COLUMNS)


@pytest.mark.parametrize("form", COLUMN_FORMS)
def test_every_form_of_columns_is_taken(form: str) -> None:
    assert ENCODE_MANY(COLUMN_FORMS[form]()).to_list() == COLUMNS
    table = wa.Table.of(TICK.ours, COLUMN_FORMS[form]())
    assert table["size"].tolist() == [1, 2, 3]
    assert ENCODE_MANY(table).to_list() == COLUMNS


def test_masked_records_are_absent_values() -> None:
    array = np.ma.masked_array([(1, 2), (3, 4)], [(False, True), (False, False)], [("ts", "i8"), ("lot", "i8")])
    assert ENCODE_MANY(array).to_list() == [TICK.written(ts=1), TICK.written(ts=3, lot=4)]


def test_nothing_gives_nothing() -> None:
    assert ENCODE({}) == b""
    assert ENCODE_MANY([{}, {}]).to_list() == [b"", b""]
    for nothing in (
        [],
        {},
        (),
        TICK.ours.decode_many([]),
        {"ts": []},
        np.zeros(0, [("ts", "i8")]),
        wa.Table.of(TICK.ours),
    ):
        assert ENCODE_MANY(nothing).to_list() == []
    with pytest.raises(ValueError, match=r"^row 0: there is no message here"):
        ENCODE_MANY([None, {"ts": 1}])
    empty = {"book": [], "path": [], "words": (), "steps": np.zeros(0), "codes": [], "flags": {}}
    assert ENCODE(empty | {"sym": "", "raw": b"", "ts": 0, "price": 0.0, "last": False}) == b""


def test_what_was_changed_in_a_table_is_written() -> None:
    table = _table()
    table["size"][:] = 9
    table["ts"][:] -= 1
    table["at.x"][:] = 5.0
    read = [TICK.read(data) for data in ENCODE_MANY(table)]
    assert [(message.size, message.ts, message.HasField("at")) for message in read] == [
        (9, ts, False) for ts in (-1, 0, 1)
    ]


# ---------------------------------------------------------------------------------------------------------------------
# What comes back


def test_many_messages_come_back_in_one_piece_of_memory() -> None:
    strings = ENCODE_MANY(ROWS)
    assert isinstance(strings, wa.Strings)
    assert len(strings) == len(ROWS)
    assert strings[3] == strings[-2] == WRITTEN[3]
    assert list(strings) == strings.to_list() == WRITTEN
    assert all(type(item) is bytes for item in strings)
    assert strings[1:4].to_list() == WRITTEN[1:4]
    assert strings.lengths.tolist() == [len(data) for data in WRITTEN]
    assert strings.data.tobytes() == b"".join(WRITTEN)
    assert strings.offsets.tolist() == np.cumsum([0, *map(len, WRITTEN)]).tolist()
    for table in (
        TICK.ours.decode_many(strings),
        TICK.ours.decode_many(strings.data, offsets=strings.offsets),
        TICK.ours.decode_many(strings.to_list()),
    ):
        assert ENCODE_MANY(table).to_list() == WRITTEN
    assert TICK.ours.decode_many(strings[2:])["ts"].tolist() == [-1, 0, 0]


def test_the_same_values_give_the_same_bytes_whatever_they_came_in() -> None:
    """Fields stand by number, and each varint is as short as it goes."""
    shuffled = {name: ROWS[2][name] for name in sorted(ROWS[2], reverse=True)}
    assert ENCODE(shuffled) == ENCODE(ROWS[2]) == ENCODE_MANY([ROWS[2]])[0] == ENCODE(wa.Table.of(TICK.ours, ROWS)[2])
    padded = bytes.fromhex("0885 8080 8000")
    assert ENCODE(TICK.ours.decode(padded)) == TICK.written(ts=5)


def test_arrays_of_the_right_dtype_are_shown_and_others_are_copied() -> None:
    table = wa.Table.of(POINT.ours, x=(x := np.arange(3.0)), y=(y := np.arange(3)))
    assert np.shares_memory(table["x"], x)
    assert not np.shares_memory(table["y"], y)
    x[1] = 77
    assert table["x"].tolist() == [0.0, 77.0, 2.0]
    assert POINT.read(POINT.ours.encode_many(table)[1]).x == 77
    x.flags.writeable = False
    assert not wa.Table.of(POINT.ours, x=x)["x"].flags.writeable


def test_a_table_keeps_what_it_shows() -> None:
    table = wa.Table.of(POINT.ours, x=np.full(1000, 7.0), tags=(np.arange(1000, dtype=np.int32), np.arange(1001)))
    assert ENCODE({"path": table[5:7]}) == TICK.written(path=[{"x": 7.0, "tags": [5]}, {"x": 7.0, "tags": [6]}])


# ---------------------------------------------------------------------------------------------------------------------
# What is refused


@pytest.mark.parametrize(
    "given", [5, None, [1], "text", b"bytes", np.zeros(2), ROWS], ids=lambda given: type(given).__name__
)
def test_what_is_no_message_is_refused(given: Any) -> None:
    found = f"{type(given).__name__}( of float64)?"
    with pytest.raises(TypeError, match=f"^expected a message: a dict or a Record, got {found}$"):
        ENCODE(given)


NO_MESSAGES = [5, "text", b"bytes", [1], [{}, 1], np.zeros(2), TICK.ours.decode(b"")]


@pytest.mark.parametrize("given", NO_MESSAGES, ids=repr)
def test_what_is_no_messages_is_refused(given: Any) -> None:
    for encode in (ENCODE_MANY, partial(wa.Table.of, TICK.ours)):
        with pytest.raises(TypeError, match=r"^(row \d: )?expected (a message|messages): "):
            encode(given)
    with pytest.raises(TypeError, match=r"^expected messages: "):
        ENCODE_MANY(None)


def test_messages_of_another_type_are_refused() -> None:
    point = POINT.ours.decode(POINT.written(x=1.0))
    points = POINT.ours.decode_many([POINT.written(x=1.0)])
    for encode in (
        lambda: ENCODE(point),
        lambda: ENCODE({"before": point}),
        lambda: ENCODE({"path": [TICK.ours.decode(b"")]}),
        lambda: ENCODE({"path": TICK.ours.decode_many([b""])}),
        lambda: ENCODE_MANY(points),
        lambda: ENCODE_MANY({"before": points}),
        lambda: ENCODE_MANY([point, {}]),
        lambda: ENCODE({"flags": points}),
    ):
        with pytest.raises((TypeError, ValueError), match=r"Point|Tick"):
            encode()


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^ts has 3 rows and price has 2; every column needs an entry a row$"):
        ENCODE_MANY({"ts": np.arange(3), "price": [1.0, 2.0]})
    with pytest.raises(ValueError, match=r"^path: x has 3 rows and y has 2; every column needs an entry a row$"):
        ENCODE({"path": {"x": np.zeros(3), "y": [1, 2]}})
    with pytest.raises(ValueError, match=r"^at: x has 3 rows and y has 2; every column needs an entry a row$"):
        ENCODE_MANY({"at": {"x": np.zeros(3), "y": [1, 2]}})
    with pytest.raises(ValueError, match=r"^ts has 3 rows and at has 2; every column needs an entry a row$"):
        ENCODE_MANY({"ts": [1, 2, 3], "at": {"x": np.zeros(2)}})
    with pytest.raises(ValueError, match=r"^ts has 3 rows and path has 1; every column needs an entry a row$"):
        ENCODE_MANY({"ts": [1, 2, 3], "path": [[{}]]})


def test_a_column_that_is_no_field_is_refused() -> None:
    for encode in (
        lambda: ENCODE_MANY({"tss": [1]}),
        lambda: ENCODE_MANY([{}, {"tss": 1}]),
        lambda: ENCODE_MANY(np.zeros(2, [("tss", "i8")])),
        lambda: wa.Table.of(TICK.ours, tss=[1]),
        lambda: ENCODE({"tss": None}),
    ):
        with pytest.raises(ValueError, match=r'no field "tss" in test.Tick; it has ts, price, size'):
            encode()


def test_arguments_are_named_where_they_are_wrong() -> None:
    for align in (7, 0, 1, 16, -8, 2**70, "8", 8.0, [8]):
        with pytest.raises((TypeError, ValueError), match=r"^align: expected True, False, 8 or 64, got "):
            ENCODE({}, align=align)
    for call in (
        lambda: ENCODE({}, 8),
        lambda: ENCODE(),
        lambda: ENCODE({}, alig=8),
        lambda: ENCODE_MANY([], align=8),
        lambda: wa.Table.of(TICK.ours, [], ts=[]),
        lambda: wa.Table.of("test.Tick"),
        lambda: wa.Table.of(),
    ):
        with pytest.raises(TypeError):
            call()
