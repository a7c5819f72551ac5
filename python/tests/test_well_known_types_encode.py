"""Values as the wrappers that hold them, and what was decoded as bytes again."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import wirearray as wa

from test_well_known_types import BOTH, LOG, MOMENTS, NANOSECONDS, WRAPPED, WRAPPERS

ENCODE, ENCODE_MANY = WRAPPED.ours.encode, WRAPPED.ours.encode_many
FULL: dict[str, Any] = {name: {"value": value} for name, (value, _) in WRAPPERS.items()}
FULL |= {"ints": [{"value": 5}, {}], "words": [{"value": "a"}, {}], "prices": {"k": {"value": 1.5}}, "yes": {}}


def written(name: str, *values: Any) -> list[bytes]:
    """What the official package writes for values of a wrapper, of which ``None`` is absent."""
    return [WRAPPED.written() if value is None else WRAPPED.written(**{name: {"value": value}}) for value in values]


@pytest.mark.parametrize("name", WRAPPERS)
def test_plain_values_are_taken_for_wrappers_and_none_is_absent(name: str) -> None:
    value, dtype = WRAPPERS[name]
    default = type(value)()
    expected = written(name, value, default, None)
    assert [ENCODE({name: each}) for each in (value, default, None)] == expected
    assert ENCODE_MANY({name: [value, default, None]}).to_list() == expected
    assert ENCODE_MANY([{name: value}, {name: default}, {}]).to_list() == expected
    if dtype is None:
        array = np.array([value, default, None], object)
        assert ENCODE_MANY({name: array}).to_list() == expected
    else:
        scalar = dtype(value)
        assert ENCODE({name: scalar}) == expected[0]
        assert ENCODE_MANY({name: np.array([value, default], dtype)}).to_list() == expected[:2]
        masked = np.ma.masked_array(np.array([value, default, value], dtype), [False, False, True])
        assert ENCODE_MANY({name: masked}).to_list() == expected


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_messages_themselves_are_taken_as_before(name: str) -> None:
    value, _ = WRAPPERS[name]
    expected = written(name, value, value)
    assert ENCODE({name: {"value": value}}) == expected[0]
    assert ENCODE_MANY({name: {"value": [value, value]}}).to_list() == expected
    assert ENCODE_MANY({name: [{"value": value}, {"value": value}]}).to_list() == expected
    raw = WRAPPED.ours.decode_many(expected, well_known_types=False)
    assert ENCODE({name: raw[0][name]}) == expected[0]
    assert ENCODE_MANY({name: raw[name]}).to_list() == expected
    assert ENCODE_MANY({name: [raw[0][name], {"value": value}]}).to_list() == expected
    assert ENCODE_MANY({name: [raw[0][name], value]}).to_list() == expected


def test_wrappers_are_taken_wherever_their_messages_go() -> None:
    expected = WRAPPED.written(
        ints=[{"value": 5}, {}], words=[{"value": "a"}, {}], prices={"k": {"value": 1.5}}, why={"value": "so"}
    )
    plain: dict[str, Any] = {"words": ["a", ""], "prices": {"k": 1.5}, "why": "so"}
    for ints in ([5, 0], np.array([5, 0]), np.array([5, 0], np.uint8), [{"value": 5}, 0], (5, 0)):
        assert ENCODE({"ints": ints, **plain}) == expected
    rows = [WRAPPED.written(ints=[{"value": value} for value in row]) for row in ([5, 6], [], [7])]
    assert ENCODE_MANY({"ints": [[5, 6], [], [7]]}).to_list() == rows
    assert ENCODE_MANY({"ints": (np.array([5, 6, 7]), [0, 2, 2, 3])}).to_list() == rows
    assert ENCODE_MANY({"ints": WRAPPED.ours.decode_many(rows)["ints"]}).to_list() == rows
    words = WRAPPED.ours.decode(WRAPPED.written(words=[{"value": "a"}]))["words"]
    assert ENCODE({"words": words}) == WRAPPED.written(words=[{"value": "a"}])


def test_the_message_itself_may_be_a_wrapper() -> None:
    double = WRAPPED.ours.schema["google.protobuf.DoubleValue"]
    assert double.encode(1.5) == double.encode({"value": 1.5}) == bytes.fromhex("09 000000000000f83f")
    assert double.encode_many(np.array([1.5, 0.0])).to_list() == [double.encode(1.5), b""]


def test_frames_give_their_nulls_as_absent_wrappers() -> None:
    frame = pd.DataFrame({"int64": pd.array([1, None, 0], "Int64"), "string": pd.array(["a", None, ""], "string")})
    expected = [WRAPPED.written(int64={"value": 1}, string={"value": "a"}), b""]
    expected.append(WRAPPED.written(int64={}, string={}))
    assert ENCODE_MANY(frame).to_list() == expected


def test_what_was_decoded_is_written_again_byte_for_byte() -> None:
    for both, fields in [(LOG, MOMENTS), (WRAPPED, FULL), (WRAPPED, {"why": {}}), (LOG, {"inner": MOMENTS})]:
        data = both.written(**fields)
        table = both.ours.decode_many([data, b"", data])
        assert both.ours.encode_many(table).to_list() == [data, b"", data]
        assert both.ours.encode_many(table[1:]).to_list() == [b"", data]
        assert both.ours.encode_many(list(table)).to_list() == [data, b"", data]
        assert both.ours.encode_many([record.to_dict() for record in table]).to_list() == [data, b"", data]
        record = both.ours.decode(data)
        columns = {name: record[name] for name in record if record[name] is not None}
        members = {"never", "yes", "why"}
        columns = {name: value for name, value in columns.items() if name not in members or record.present(name)}
        assert both.ours.encode(columns) == data


def test_columns_of_times_hold_which_of_them_are_absent() -> None:
    rows = [LOG.written(at={"seconds": 5}, times=[{}], inner={}), b"", LOG.written(at={})]
    columns = LOG.ours.select("at", "times", "took", "inner.at").decode_many(rows).to_dict()
    assert LOG.ours.encode_many({name: columns[name] for name in ("at", "times", "took")}).to_list() == [
        LOG.written(at={"seconds": 5}, times=[{}]),
        b"",
        LOG.written(at={}),
    ]


def test_a_table_of_which_one_column_is_another_keeps_the_rest() -> None:
    rows = [WRAPPED.written(double={"value": 1.5}, int64={}), WRAPPED.written(ints=[{}]), b""]
    table = WRAPPED.ours.decode_many(rows)
    changed = wa.Table.of(WRAPPED.ours, table, double=[None, 2.5, 0.0])
    expected = [WRAPPED.written(int64={}), WRAPPED.written(double={"value": 2.5}, ints=[{}]), written("double", 0.0)[0]]
    assert ENCODE_MANY(changed).to_list() == expected
    assert changed.present("double").tolist() == [False, True, True]
    log = LOG.ours.decode_many([LOG.written(**MOMENTS), b""])
    hour = np.timedelta64(1, "h")
    later = wa.Table.of(LOG.ours, log, at=log["at"] + hour, times=log["times"])
    assert later["at"][0] - log["at"][0] == hour
    moved = MOMENTS | {"at": {"seconds": 3601, "nanos": 5}}
    assert LOG.ours.encode_many(later).to_list() == [LOG.written(**moved), b""]


def test_what_a_times_message_has_that_the_schema_does_not_know_is_kept() -> None:
    unknown = bytes.fromhex("12 04 08 01 18 07")
    table = LOG.ours.decode_many([unknown, b""], keep_unknown=True)
    assert table["times"].values.tolist() == [NANOSECONDS]
    assert LOG.ours.encode_many(table).to_list() == [unknown, b""]
    assert LOG.ours.encode_many({"times": table["times"]}).to_list() == [unknown, b""]
    assert LOG.ours.encode_many(wa.Table.of(LOG.ours, table, id=[0, 0])).to_list() == [unknown, b""]


def test_a_far_time_of_ones_own_is_written_and_refused_only_where_it_is_looked_at() -> None:
    table = wa.Table.of(LOG.ours, at=np.array(["2020", "9999"], "M8[s]"), id=[1, 2])
    assert [LOG.read(data).at.ToSeconds() for data in LOG.ours.encode_many(table)] == [1577836800, 253370764800]
    with pytest.raises(
        ValueError, match=r"^google\.protobuf\.Timestamp in row 1: 253370764800 seconds .* seconds and nanos"
    ):
        table["at"]
    assert table["at.seconds"].tolist() == [1577836800, 253370764800]
    assert "Timestamp in row 1" in repr(table)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "text for a number": ({"double": "1.5"}, "double: expected a double"),
    "a number for text": ({"string": 5}, "string: expected str, got int"),
    "text for bytes": ({"bytes": "x"}, "bytes: expected bytes, got str"),
    "a number too large": ({"int32": 2**31}, "int32 = 2147483648 does not fit int32"),
    "a list for one value": ({"double": [1.5, 2.5]}, "double: expected"),
    "a number for a bool": ({"bool": 2}, "bool = 2 does not fit bool"),
    "a value too large in a list": ({"ints": [1, 2**63]}, r"ints\[1\] = 9223372036854775808 does not fit int64"),
    "none in a list": ({"ints": [1, None]}, r"ints\[1\]: None is no value of a repeated field"),
    "a value too large in a map": ({"prices": {"a": 1, "b": "x"}}, r"prices\[1\]\.value: expected a double"),
    "a field that it has not": ({"double": {"values": 1.5}}, 'double: no field "values"'),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_wrapper_holds_is_refused_with_its_place(what: str) -> None:
    given, text = REFUSED[what]
    with pytest.raises((TypeError, ValueError), match=f"^{text}"):
        ENCODE(given)


def test_what_no_column_of_wrappers_holds_is_refused_with_its_row() -> None:
    for given, text in [
        ({"double": [1.5, "x"]}, r"double\[1\]: expected a double, got str"),
        ({"int32": np.array([1, 2**31])}, r"int32\[1\] = 2147483648 does not fit int32"),
        ({"string": "text"}, "string: expected"),
        ({"string": ["a", 5]}, r"string\[1\]: expected str, got int"),
        ({"double": np.zeros((2, 2))}, "double: expected a flat array"),
        ({"double": 1.5}, "double: expected an array or list"),
        ({"double": [1.5], "int32": [1, 2]}, "double has 1 rows and int32 has 2"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"^{text}"):
            ENCODE_MANY(given)


def test_a_struct_is_still_given_as_a_message() -> None:
    struct = {"fields": {"a": {"number_value": 1.5}}}
    assert BOTH["Others"].ours.encode({"struct": struct}) == BOTH["Others"].written(struct={"a": 1.5})


def test_columns_that_speak_arrow_are_taken_for_wrappers() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    expected = written("int64", 5, None, 0)
    assert ENCODE_MANY({"int64": pyarrow.array([5, None, 0], pyarrow.int64())}).to_list() == expected
    assert ENCODE_MANY({"string": pyarrow.array(["a", None, ""])}).to_list() == written("string", "a", None, "")
    lists = pyarrow.array([[5, 0], [], None], pyarrow.list_(pyarrow.int64()))
    assert ENCODE_MANY({"ints": lists}).to_list() == [WRAPPED.written(ints=[{"value": 5}, {}]), b"", b""]
    structs = pyarrow.array([{"value": 5}, None, {"value": 0}], pyarrow.struct({"value": pyarrow.int64()}))
    assert ENCODE_MANY({"int64": structs}).to_list() == expected
