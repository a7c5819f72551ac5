"""Columns and values of numbers in every form that they come in, and what is refused."""

import array
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from number_schema import NUMBER, NUMBERS
from official import DTYPES

ENCODE, ENCODE_MANY = NUMBER.ours.encode, NUMBER.ours.encode_many

each_kind = pytest.mark.parametrize("kind", NUMBERS)


def _unaligned(values: np.ndarray) -> np.ndarray:
    room = np.zeros(values.nbytes + 1, np.uint8)
    view = room[1:].view(values.dtype)
    view[:] = values
    assert values.itemsize == 1 or len(values) == 0 or not view.flags.aligned
    return view


def _every_other(values: np.ndarray) -> np.ndarray:
    room = np.full(2 * len(values), 77).astype(values.dtype)
    room[::2] = values
    return room[::2]


def _column_of_records(values: np.ndarray) -> np.ndarray:
    records = np.zeros(len(values), [("pad", "u1"), ("value", values.dtype)])
    records["value"] = values
    return records["value"]


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


class ArrayLike:
    """What other libraries' arrays have in common."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.values


FORMS: dict[str, Callable[[np.ndarray], Any]] = {
    "as it is": lambda values: values,
    "strided": _every_other,
    "reversed": lambda values: values[::-1].copy()[::-1],
    "unaligned": _unaligned,
    "byte-swapped": lambda values: values.astype(values.dtype.newbyteorder(">")),
    "byte-swapped and strided": lambda values: _every_other(values.astype(values.dtype.newbyteorder(">"))),
    "field of records": _column_of_records,
    "read-only": _read_only,
    "objects": lambda values: values.astype(object),
    "list": lambda values: values.tolist(),
    "tuple": lambda values: tuple(values.tolist()),
    "list of NumPy scalars": list,
    "memoryview": memoryview,
    "array.array": lambda values: array.array(values.dtype.char if values.dtype.kind != "b" else "B", values.tobytes()),
    "another class": ArrayLike,
    "mask that hides nothing": np.ma.masked_array,
}

each_form = pytest.mark.parametrize("form", FORMS)


def _some(kind: str) -> np.ndarray:
    dtype = np.dtype(DTYPES[kind])
    return np.array([1, 0, 0, 1, 1], dtype) if dtype.kind == "b" else np.array([3, 0, 127, 1, 100], dtype)


@each_kind
@each_form
def test_every_form_of_array_is_taken(form: str, kind: str) -> None:
    values = _some(kind)
    for count in (5, 1, 0):
        given = FORMS[form](values[:count]) if count or form != "memoryview" else memoryview(values)[:0]
        for name in (f"packed_{kind}", f"plain_{kind}"):
            assert ENCODE({name: given}) == NUMBER.written(**{name: values[:count].tolist()})
        for name in (f"one_{kind}", f"maybe_{kind}"):
            expected = [NUMBER.written(**{name: value}) for value in values[:count].tolist()]
            assert ENCODE_MANY({name: given}).to_list() == expected


@each_kind
def test_a_single_value_may_be_an_array_without_dimensions(kind: str) -> None:
    value = _some(kind)[0]
    assert ENCODE({f"one_{kind}": np.asarray(value)}) == NUMBER.written(**{f"one_{kind}": value.item()})


class NAType:
    """Named as pandas names the class of its missing value."""


@pytest.mark.parametrize("missing", [None, np.ma.masked, NAType()], ids=["None", "masked", "NA of pandas"])
@each_kind
def test_missing_values_are_absent(missing: Any, kind: str) -> None:
    name, value = f"maybe_{kind}", _some(kind)[0].item()
    expected = [NUMBER.written(**{name: value}), b"", NUMBER.written(**{name: value})]
    assert ENCODE_MANY({name: [value, missing, value]}).to_list() == expected
    assert ENCODE_MANY({name: np.array([value, missing, value], object)}).to_list() == expected
    hidden = np.ma.masked_array(np.array([value] * 3, DTYPES[kind]), [False, True, False])
    assert ENCODE_MANY({name: hidden}).to_list() == expected
    assert ENCODE_MANY([{name: value}, {name: missing}, {name: value}]).to_list() == expected
    assert ENCODE({name: missing}) == b""


def test_a_column_that_is_none_is_absent() -> None:
    assert ENCODE_MANY({"maybe_int32": None, "one_int32": [1]}).to_list() == [NUMBER.written(one_int32=1)]
    assert ENCODE({"packed_int32": None, "one_int32": None}) == b""
    assert ENCODE_MANY({"maybe_int32": [None, None]}).to_list() == [b"", b""]


# ---------------------------------------------------------------------------------------------------------------------
# Repeated fields of many messages

ROWS = [[3, 0, 127], [], [1], [100, 1]]
BOOL_ROWS = [[True, False, True], [], [True], [False, True]]


def _flat(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(rows), np.cumsum([0, *map(len, rows)])


def _ragged(rows: list[np.ndarray], name: str) -> Any:
    return NUMBER.ours.decode_many([ENCODE({name: row}) for row in rows])[name]


def _from_the_middle(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Values before and behind those that the offsets speak of."""
    values, offsets = _flat(rows)
    return np.concatenate([values[:2], values, values[:1]]), offsets + 2


def _objects(rows: list[Any]) -> np.ndarray:
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


RAGGED_FORMS: dict[str, Callable[[list[np.ndarray], str], Any]] = {
    "Ragged": _ragged,
    "slice of a Ragged": lambda rows, name: _ragged([rows[0], *rows, rows[0]], name)[1:-1],
    "chosen rows of a Ragged": lambda rows, name: _ragged(rows[::-1], name)[[3, 2, 1, 0]],
    "slice of a table": lambda rows, name: NUMBER.ours.decode_many([ENCODE({name: row}) for row in [rows[2], *rows]])[
        1:
    ][name],
    "values and offsets": lambda rows, name: _flat(rows),
    "values and a list of offsets": lambda rows, name: (_flat(rows)[0], _flat(rows)[1].tolist()),
    "a list of values and offsets of 32 bits": lambda rows, name: (
        _flat(rows)[0].tolist(),
        _flat(rows)[1].astype(np.int32),
    ),
    "offsets without a sign": lambda rows, name: (_flat(rows)[0], _flat(rows)[1].astype(np.uint64)),
    "offsets that do not start at 0": lambda rows, name: _from_the_middle(rows),
    "strided values and offsets": lambda rows, name: (_every_other(_flat(rows)[0]), _every_other(_flat(rows)[1])),
    "list of arrays": lambda rows, name: rows,
    "list of lists": lambda rows, name: [row.tolist() for row in rows],
    "list of tuples": lambda rows, name: [tuple(row.tolist()) for row in rows],
    "tuple of arrays": lambda rows, name: tuple(rows),
    "generator of arrays": lambda rows, name: (row for row in rows),
    "array of arrays": lambda rows, name: _objects(rows),
    "list with None for none": lambda rows, name: [row if len(row) else None for row in rows],
    "list of all sorts": lambda rows, name: [rows[0], None, rows[2].tolist(), _every_other(rows[3])],
}


@each_kind
@pytest.mark.parametrize("form", RAGGED_FORMS)
def test_every_form_of_values_for_each_message_is_taken(form: str, kind: str) -> None:
    rows = [np.array(row, DTYPES[kind]) for row in (BOOL_ROWS if kind == "bool" else ROWS)]
    for name in (f"packed_{kind}", f"plain_{kind}"):
        expected = [NUMBER.written(**{name: row.tolist()}) for row in rows]
        given = RAGGED_FORMS[form](rows, name)
        assert ENCODE_MANY({name: given}).to_list() == expected
        if form != "generator of arrays":
            table = wa.Table.of(NUMBER.ours, {name: given})
            assert [table[name][row].tolist() for row in range(4)] == [row.tolist() for row in rows]
            assert ENCODE_MANY(table[1:3]).to_list() == expected[1:3]


@pytest.mark.parametrize(
    "form", ["as it is", "strided", "transposed", "byte-swapped", "converted", "empty", "no columns"]
)
def test_rows_of_equal_length_are_an_array_of_two_dimensions(form: str) -> None:
    square = np.arange(12, dtype=np.int32).reshape(4, 3)
    arrays = {
        "as it is": square,
        "strided": square[::-2, ::2],
        "transposed": square.T,
        "byte-swapped": square.astype(">i4"),
        "converted": square.astype(float),
        "empty": square[:0],
        "no columns": square[:, :0],
    }
    expected = [NUMBER.written(packed_int32=row) for row in arrays[form].astype(int).tolist()]
    assert ENCODE_MANY({"packed_int32": arrays[form]}).to_list() == expected


OFFSETS_REFUSED: dict[str, tuple[Any, str]] = {
    "descending": ([0, 2, 1, 3], r"packed_int32: offsets: entry 1 would be 2 to 1 of 3"),
    "past the end": ([0, 2, 4], r"packed_int32: offsets: entry 1 would be 2 to 4 of 3"),
    "before the start": ([-1, 2], r"packed_int32: offsets: entry 0 would be -1 to -1 of 3"),
    "none at all": ([], r"packed_int32: offsets: "),
    "fractions": ([0.0, 3.0], r"packed_int32: offsets: expected a flat array of integers, got list of float64"),
    "two dimensions": ([[0, 3]], r"packed_int32: offsets: expected a flat array of integers, got list of int64"),
    "beyond 64 bits": (np.array([0, 2**64 - 1], np.uint64), r"packed_int32: offsets: "),
    "text": ("03", r"packed_int32: offsets: expected a flat array of integers, got str"),
}


@pytest.mark.parametrize("what", OFFSETS_REFUSED)
def test_offsets_that_are_none_are_refused(what: str) -> None:
    offsets, text = OFFSETS_REFUSED[what]
    with pytest.raises((ValueError, TypeError), match=f"^{text}"):
        ENCODE_MANY({"packed_int32": (np.arange(3, dtype=np.int32), offsets)})


def test_offsets_of_a_column_within_a_column_are_checked_too() -> None:
    """The last offset of the outer ones counts entries of the inner ones."""
    assert ENCODE_MANY({"packed_int32": ([1, 2, 3], [0, 1, 3])}).to_list() == [
        NUMBER.written(packed_int32=[1]),
        NUMBER.written(packed_int32=[2, 3]),
    ]
    with pytest.raises(
        ValueError, match="packed_int32 has 2 rows and one_int32 has 3; every column needs an entry a row"
    ):
        ENCODE_MANY({"packed_int32": ([1, 2, 3], [0, 1, 3]), "one_int32": [1, 2, 3]})


@pytest.mark.parametrize("given", [5, "text", {"a": 1}, [None, [1], 5], [[1], 5], np.zeros((2, 2, 2))], ids=repr)
def test_what_has_no_values_for_each_message_is_refused(given: Any) -> None:
    with pytest.raises((ValueError, TypeError), match=r"^packed_double(\[[012]\])?: expected "):
        ENCODE_MANY({"packed_double": given})


@pytest.mark.parametrize(
    ("field", "given"), [("packed_double", [1.5, 2]), ("packed_int32", [1]), ("packed_int32", ["a", "b"])]
)
def test_a_flat_list_for_many_messages_is_refused_with_what_to_pass(field: str, given: Any) -> None:
    with pytest.raises(
        ValueError, match=rf"^{field}: of a repeated field .* got one flat list of {len(given)}\. .*\[\{{"
    ):
        ENCODE_MANY({field: given})


def test_a_wrong_value_of_one_of_many_messages_is_found() -> None:
    """Both the row and the number of the value in it are needed to find it."""
    for given in ([[1], [2, 3, 2**40]], [[1], np.array([2, 3, 2**40])]):
        with pytest.raises(ValueError) as refusal:
            ENCODE_MANY({"packed_int32": given})
        assert str(refusal.value) in (
            "row 1, packed_int32[2] = 1099511627776 does not fit int32",
            "packed_int32[1][2] = 1099511627776 does not fit int32",
        )


# ---------------------------------------------------------------------------------------------------------------------
# Refusals

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "text": (
        {"one_int32": "5"},
        "one_int32: expected an int32, got str '5'",
    ),
    "text among numbers": (
        {"packed_int32": [1, "5"]},
        "packed_int32[1]: expected an int32, got str '5'",
    ),
    "an array of text": (
        {"packed_double": np.array(["5"])},
        "packed_double[0]: expected a double, got str '5'",
    ),
    "a fraction": (
        {"packed_double": [Fraction(1, 2)]},
        "packed_double[0]: expected a double, got Fraction Fraction(1, 2)",
    ),
    "a decimal": (
        {"one_uint64": Decimal(1)},
        "one_uint64: expected a uint64, got Decimal Decimal('1')",
    ),
    "a complex number": (
        {"one_double": 1j},
        "one_double: expected a double, got complex 1j",
    ),
    "complex numbers": (
        {"packed_double": np.array([1j])},
        "packed_double: expected numbers for a double field, got an array of complex128",
    ),
    "points in time": (
        {"packed_int64": np.array([1], "M8[ns]")},
        "packed_int64: expected numbers for an int64 field, got an array of datetime64[ns]; "
        "pass array.view('int64') if that is what you mean",
    ),
    "a single value for many": (
        {"packed_double": 5.0},
        "packed_double: expected an array or list of double, got float",
    ),
    "two dimensions": (
        {"packed_double": np.zeros((2, 3))},
        "packed_double: expected a flat array of double, got an array of shape (2, 3)",
    ),
    "a list of lists": (
        {"packed_double": [[1.0]]},
        "packed_double[0]: expected a double, got list [1.0]",
    ),
    "a list for one": (
        {"one_double": [1.0]},
        "one_double: expected a double, got list [1.0]",
    ),
    "an array for one": (
        {"one_double": np.zeros(2)},
        "one_double: expected a double, got ndarray array([0., 0.])",
    ),
    "None among values": (
        {"packed_double": [1.0, None]},
        "packed_double[1]: None is no value of a repeated field; leave it out",
    ),
    "a masked value among values": (
        {"packed_double": np.ma.masked_array([1.0, 2.0], [False, True])},
        "packed_double[1]: None is no value of a repeated field; leave it out",
    ),
    "a value that is too large": (
        {"packed_float": np.array([0, 1e300])},
        "packed_float[1] = 1e+300 does not fit float",
    ),
    "an integer of many digits": (
        {"one_int32": 10**100},
        f"one_int32 = 1{'0' * 56}... does not fit int32",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_number_is_refused_with_its_place(what: str) -> None:
    given, text = REFUSED[what]
    with pytest.raises((ValueError, TypeError)) as refusal:
        ENCODE(given)
    assert str(refusal.value) == text


def test_a_wrong_value_is_refused_before_a_right_one_is_written() -> None:
    """An error within one of many columns leaves nothing behind that a second try could meet."""
    given = {"packed_double": [1.0], "one_int32": 2**31}
    for _ in range(2):
        with pytest.raises(ValueError, match="one_int32 = 2147483648 does not fit int32"):
            ENCODE(given)
    assert ENCODE(given | {"one_int32": 5}) == NUMBER.written(packed_double=[1.0], one_int32=5)


@pytest.mark.parametrize("given", [{"one_int32": "5"}, {"one_double": 1j}, {"packed_int32": [[1]]}, {"one_bool": b"x"}])
def test_a_value_of_a_type_that_no_number_has_is_a_type_error(given: dict[str, Any]) -> None:
    """As the documentation of `encode` says, and as it is for strings."""
    with pytest.raises(TypeError, match=": expected a"):
        ENCODE(given)
