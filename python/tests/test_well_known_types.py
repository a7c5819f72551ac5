"""Well-known types as what they stand for: times, and the values that wrappers hold."""

import copy
import pickle
from typing import Any

import hypothesis
import numpy as np
import pytest
import wirearray as wa
from google.protobuf import duration_pb2, timestamp_pb2
from hypothesis import strategies

from both import BothSchemas

BOTH = BothSchemas("""
syntax = "proto3";
import "google/protobuf/any.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
message Log {
  google.protobuf.Timestamp at = 1; repeated google.protobuf.Timestamp times = 2;
  google.protobuf.Duration took = 3; repeated google.protobuf.Duration spans = 4;
  map<string, google.protobuf.Timestamp> last = 5;
  oneof when { google.protobuf.Timestamp done = 6; string never = 7; }
  repeated Step steps = 8;
  Log inner = 9;
  int32 id = 10;
}
message Step { repeated google.protobuf.Duration waits = 1; google.protobuf.Timestamp at = 2; }
message Wrapped {
  google.protobuf.DoubleValue double = 1; google.protobuf.FloatValue float = 2;
  google.protobuf.Int64Value int64 = 3; google.protobuf.UInt64Value uint64 = 4;
  google.protobuf.Int32Value int32 = 5; google.protobuf.UInt32Value uint32 = 6;
  google.protobuf.BoolValue bool = 7;
  google.protobuf.StringValue string = 8; google.protobuf.BytesValue bytes = 9;
  repeated google.protobuf.Int64Value ints = 10; repeated google.protobuf.StringValue words = 11;
  map<string, google.protobuf.DoubleValue> prices = 12;
  oneof choice { google.protobuf.BoolValue yes = 13; google.protobuf.StringValue why = 14; }
}
message Others {
  google.protobuf.Struct struct = 1; google.protobuf.Any any = 2; google.protobuf.FieldMask mask = 3;
}
""")
LOG, WRAPPED = BOTH["Log"], BOTH["Wrapped"]
NANOSECONDS = 10**9
LARGEST = 2**63 - 1

MOMENTS = {
    "at": {"seconds": 1, "nanos": 5},
    "times": [{}, {"seconds": -1, "nanos": 999_999_999}],
    "took": {"seconds": -1, "nanos": -5},
    "spans": [{"nanos": 7}],
    "last": {"k": {"seconds": 2}},
    "done": {},
}


def official(kind: Any, nanoseconds: int) -> dict[str, int]:
    """The parts that the official package splits nanoseconds into."""
    made = kind()
    made.FromNanoseconds(nanoseconds)
    return {"seconds": made.seconds, "nanos": made.nanos}


def test_times_in_a_table_are_arrays_and_absent_ones_are_not_a_time() -> None:
    table = LOG.ours.decode_many([LOG.written(**MOMENTS), b""])
    assert table["at"].dtype == table["done"].dtype == "M8[ns]"
    assert table["took"].dtype == "m8[ns]"
    assert table["at"].view(np.int64).tolist() == [NANOSECONDS + 5, np.iinfo(np.int64).min]
    assert np.isnat(table["took"]).tolist() == [False, True]
    assert table["took"][0] == np.timedelta64(-NANOSECONDS - 5, "ns")
    assert np.isnat(table["done"]).tolist() == [False, True]
    assert table.present("at").tolist() == table.present("done").tolist() == [True, False]
    assert table["times"].values.dtype == "M8[ns]"
    assert table["times"].values.view(np.int64).tolist() == [0, -1]
    assert table["times"].offsets.tolist() == [0, 2, 2]
    assert [entry.tolist() for entry in table["spans"].to_list()] == [[7], []]
    assert table["last"].values["value"].tolist() == [2 * NANOSECONDS]
    assert table["last.value"].values.tolist() == [2 * NANOSECONDS]


def test_times_in_a_record_are_scalars_and_absent_ones_are_none() -> None:
    record = LOG.ours.decode(LOG.written(**MOMENTS))
    assert record["at"] == np.datetime64(NANOSECONDS + 5, "ns")
    assert type(record["at"]) is np.datetime64
    assert type(record["took"]) is np.timedelta64
    assert record["times"].tolist() == [0, -1]
    assert record["last"]["value"].tolist() == [2 * NANOSECONDS]
    assert record["done"] == np.datetime64(0, "ns")
    assert (record.present("at"), record.present("done"), record["inner"]) == (True, True, None)
    absent = LOG.ours.decode(b"")
    assert (absent["at"], absent["took"], absent["done"], absent.present("at")) == (None, None, None, False)
    assert (absent["times"].dtype, len(absent["times"])) == (np.dtype("M8[ns]"), 0)


@hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)
@hypothesis.given(strategies.lists(strategies.integers(-LARGEST, LARGEST), max_size=20))
def test_times_are_those_that_the_official_package_tells(nanoseconds: list[int]) -> None:
    times = [official(timestamp_pb2.Timestamp, each) for each in nanoseconds]
    spans = [official(duration_pb2.Duration, each) for each in nanoseconds]
    data = LOG.written(times=times, spans=spans)
    record = LOG.ours.decode(data)
    expected = LOG.read(data)
    assert record["times"].tolist() == [each.ToNanoseconds() for each in expected.times]
    assert record["spans"].tolist() == [each.ToNanoseconds() for each in expected.spans]
    rows = [LOG.written(at=at, took=took) for at, took in zip(times, spans, strict=True)]
    table = LOG.ours.decode_many(rows)
    assert table["at"].tolist() == table["took"].tolist() == nanoseconds
    assert LOG.ours.encode(record) == LOG.ours.encode(record.to_dict()) == data
    assert LOG.ours.encode_many({"at": table["at"], "took": table["took"]}).to_list() == rows


@hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)
@hypothesis.given(
    strategies.integers(-(2**63), 2**63 - 1) | strategies.integers(-9_223_372_040, 9_223_372_040),
    strategies.integers(-(2**31), 2**31 - 1) | strategies.integers(-1_000_000_001, 1_000_000_001),
)
def test_a_time_is_refused_where_it_is_no_number_of_nanoseconds(seconds: int, nanos: int) -> None:
    total = seconds * NANOSECONDS + nanos
    fits = abs(total) <= LARGEST
    is_span = abs(nanos) < NANOSECONDS and (seconds == 0 or nanos == 0 or (seconds < 0) == (nanos < 0))
    for name, is_legal in [("at", fits and 0 <= nanos < NANOSECONDS), ("took", fits and is_span)]:
        data = LOG.written(**{name: {"seconds": seconds, "nanos": nanos}})
        if is_legal:
            assert LOG.ours.decode(data)[name].astype(np.int64) == total
            continue
        with pytest.raises(wa.DecodeError, match=rf"^byte 0, field {name}: {seconds} seconds and {nanos} nanoseconds"):
            LOG.ours.decode(data)
        raw = LOG.ours.decode(data, well_known_types=False)
        assert (raw[name]["seconds"], raw[name]["nanos"]) == (seconds, nanos)


FAR = {"seconds": 253402300799}
PLACES: dict[str, tuple[dict[str, Any], str]] = {
    "singular": ({"at": FAR}, "at"),
    "in a oneof": ({"done": FAR}, "done"),
    "repeated": ({"times": [{}, {}, FAR]}, "times[2]"),
    "a map's value": ({"last": {"k": FAR}}, "last[0].value"),
    "nested": ({"inner": {"inner": {"took": {"seconds": 1, "nanos": -1}}}}, "inner.inner.took"),
    "within repeated messages": ({"steps": [{}, {"at": FAR}]}, "steps[1].at"),
    "repeated within repeated": (
        {"steps": [{"waits": [{}]}, {"waits": [{}, {"nanos": NANOSECONDS}]}]},
        "steps[1].waits[1]",
    ),
}


@pytest.mark.parametrize("where", PLACES)
def test_a_time_out_of_range_is_found_wherever_it_stands(where: str) -> None:
    fields, path = PLACES[where]
    good, bad = LOG.written(**MOMENTS), LOG.written(**fields)
    with pytest.raises(wa.DecodeError, match="well_known_types=False gives both as they are") as refusal:
        LOG.ours.decode(bad)
    found = refusal.value
    assert (found.kind, found.path, found.row, found.offset) == ("moment out of range", path, None, 0)
    with pytest.raises(wa.DecodeError, match=r"^row 2, byte 0, field ") as refusal:
        LOG.ours.decode_many([good, good, bad, good, bad])
    assert (refusal.value.path, refusal.value.row) == (path, 2)
    raw = LOG.ours.decode_many([good, bad], well_known_types=False)
    assert LOG.ours.encode_many(raw).to_list() == [good, bad]


def test_the_offset_of_a_time_out_of_range_is_that_of_its_message() -> None:
    good, bad = LOG.written(**MOMENTS), LOG.written(at=FAR)
    offsets = np.cumsum([0, len(good), len(good), len(bad)])
    with pytest.raises(wa.DecodeError, match=f"^row 2, byte {2 * len(good)}, field at: ") as refusal:
        LOG.ours.decode_many(good + good + bad, offsets=offsets)
    assert refusal.value.offset == 2 * len(good)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_every_number_of_threads_finds_the_first_time_out_of_range(threads: int) -> None:
    good, bad = LOG.written(**MOMENTS), LOG.written(times=[{}, FAR])
    rows = [good] * 30_000
    rows[20_001] = rows[29_999] = bad
    with pytest.raises(wa.DecodeError, match=r"^row 20001, .*times\[1\]") as refusal:
        LOG.ours.decode_many(rows, threads=threads)
    assert refusal.value.row == 20_001
    del rows[20_001], rows[-1]
    table = LOG.ours.decode_many(rows, threads=threads)
    assert np.unique(table["at"].astype(np.int64)).tolist() == [NANOSECONDS + 5]


def test_a_time_that_later_bytes_mend_is_no_fault() -> None:
    bad, mend = LOG.written(at=FAR, last={"k": FAR}), LOG.written(at={"seconds": 5}, last={"k": {"seconds": 6}})
    record = LOG.ours.decode(bad + mend)
    assert record["at"] == np.datetime64(5, "s")
    assert record["last"]["value"].tolist() == [6 * NANOSECONDS]
    other_member = LOG.ours.decode(LOG.written(done=FAR) + LOG.written(never="x"))
    assert (other_member["done"], other_member["never"]) == (None, "x")


def test_raw_times_are_messages_and_so_are_their_types_fields() -> None:
    data = LOG.written(**MOMENTS)
    table = LOG.ours.decode_many([data, b""], well_known_types=False)
    assert isinstance(table["at"], wa.Table)
    assert table["at"]["seconds"].tolist() == table["at.seconds"].tolist() == [1, 0]
    assert table[0]["at"]["nanos"] == 5
    assert table[1]["at"] is None
    assert table["times"]["seconds"].values.tolist() == [0, -1]
    assert isinstance(table[0:1]["took"], wa.Table)
    assert isinstance(table["steps"].values, wa.Table)
    assert table.message_type.fields["at"].dtype is None
    assert table[0].message_type.fields["at"].dtype is None
    assert LOG.ours.decode(data, well_known_types=False).to_dict()["at"] == {"seconds": 1, "nanos": 5}
    assert table.to_dict()["took"]["seconds"].tolist() == [-1, 0]
    assert LOG.ours.encode_many(table).to_list() == [data, b""]


def test_parts_of_a_time_are_reached_by_path_and_cannot_be_written_to() -> None:
    table = LOG.ours.decode_many([LOG.written(**MOMENTS), b""])
    assert table["at.seconds"].tolist() == [1, 0]
    assert table["times.nanos"].values.tolist() == [0, 999_999_999]
    assert table[0]["took.nanos"] == -5
    for array in (table["at"], table["at.seconds"], table["times"].values, table["last"].values["value.seconds"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[0]
    raw = LOG.ours.decode_many([LOG.written(**MOMENTS), b""], well_known_types=False)
    raw["at.seconds"][0] = 9
    assert LOG.read(LOG.ours.encode_many(raw)[0]).at.seconds == 9


def test_a_selection_of_a_part_of_a_time_leaves_it_a_message() -> None:
    data = LOG.written(**MOMENTS)
    for paths, expected in [(["at.seconds"], {"seconds": 1}), (["at.seconds", "at.nanos"], {"seconds": 1, "nanos": 5})]:
        narrow = LOG.ours.select(*paths)
        assert narrow.fields["at"].dtype is None
        assert narrow.decode(data).to_dict() == {"at": expected}
    assert LOG.ours.select("at").decode(data)["at"] == np.datetime64(NANOSECONDS + 5, "ns")
    assert LOG.ours.select("at.seconds").decode(LOG.written(at=FAR))["at"]["seconds"] == FAR["seconds"]


def test_a_time_out_of_range_that_is_not_selected_is_no_fault() -> None:
    assert LOG.ours.select("id").decode(LOG.written(id=5, at=FAR))["id"] == 5


def test_the_outermost_message_is_what_it_was_asked_for_as() -> None:
    schema = wa.Schema.from_message(timestamp_pb2.Timestamp)["google.protobuf.Timestamp"]
    data = [timestamp_pb2.Timestamp(**FAR).SerializeToString(), timestamp_pb2.Timestamp(nanos=-1).SerializeToString()]
    assert schema.decode(data[0])["seconds"] == FAR["seconds"]
    table = schema.decode_many(data)
    assert table["nanos"].tolist() == [0, -1]
    assert isinstance(table[0:1], wa.Table)
    assert [record["seconds"] for record in table] == [FAR["seconds"], 0]
    assert schema.encode_many(table).to_list() == data


def test_a_message_of_another_shape_is_no_well_known_type_by_its_name_alone() -> None:
    schema = wa.Schema.from_source("""
    syntax = "proto3";
    package google.protobuf;
    message Timestamp { string text = 1; }
    message DoubleValue { repeated double value = 1; }
    message M { Timestamp at = 1; DoubleValue d = 2; }
    """)
    message = schema["google.protobuf.M"]
    record = message.decode(message.encode({"at": {"text": "noon"}, "d": {"value": [1.5]}}))
    assert record["at"]["text"] == "noon"
    assert record["d"]["value"].tolist() == [1.5]


WRAPPERS: dict[str, tuple[Any, Any]] = {
    "double": (1.5, np.float64),
    "float": (0.5, np.float32),
    "int64": (-(2**63), np.int64),
    "uint64": (2**64 - 1, np.uint64),
    "int32": (-5, np.int32),
    "uint32": (2**32 - 1, np.uint32),
    "bool": (True, np.bool_),
    "string": ("é", None),
    "bytes": (b"\xff", None),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_hold_what_they_wrap_and_tell_absent_from_default(name: str) -> None:
    value, dtype = WRAPPERS[name]
    default = type(value)()
    rows = [WRAPPED.written(**{name: {"value": each}}) for each in (value, default)] + [b""]
    table = WRAPPED.ours.decode_many(rows)
    column = table[name]
    listed = column.to_list() if isinstance(column, wa.Strings) else column.tolist()
    assert listed == [value, default, default]
    assert getattr(column, "dtype", None) == dtype
    assert table.present(name).tolist() == [True, True, False]
    assert [record[name] for record in table] == [value, default, None]
    assert [record.to_dict()[name] for record in table] == [value, default, None]
    assert type(table[0].to_dict()[name]) is type(value)
    assert WRAPPED.ours.fields[name].dtype == dtype
    raw = WRAPPED.ours.decode_many(rows, well_known_types=False)
    assert [record[name] is None for record in raw] == [False, False, True]
    assert raw[0][name]["value"] == value


def test_repeated_wrappers_and_those_in_maps_and_oneofs_hold_what_they_wrap() -> None:
    fields = {
        "ints": [{"value": 5}, {}],
        "words": [{"value": "a"}, {}],
        "prices": {"k": {"value": 1.5}, "z": {}},
        "why": {"value": "so"},
    }
    data = WRAPPED.written(**fields)
    table = WRAPPED.ours.decode_many([b"", data])
    assert [entry.tolist() for entry in table["ints"]] == [[], [5, 0]]
    assert table["ints"].values.dtype == np.int64
    assert table["words"].values.to_list() == ["a", ""]
    assert table["prices"].values["value"].tolist() == [1.5, 0.0]
    assert table["why"].to_list() == ["", "so"]
    assert table.present("why").tolist() == [False, True]
    plain = {"ints": [5, 0], "words": ["a", ""], "prices": {"k": 1.5, "z": 0.0}, "why": "so", "yes": None}
    found = WRAPPED.ours.decode(data).to_dict()
    assert {name: list(found[name]) if name == "ints" else found[name] for name in plain} == plain


def test_numbers_that_were_wrapped_can_be_written_to() -> None:
    table = WRAPPED.ours.decode_many([WRAPPED.written(double={"value": 1.5}), b""])
    table["double"][:] = [2.5, 3.5]
    assert table["double"].tolist() == [2.5, 3.5]
    assert WRAPPED.ours.encode_many(table).to_list() == [WRAPPED.written(double={"value": 2.5}), b""]


def test_other_well_known_types_stay_messages() -> None:
    fields: dict[str, Any] = {"struct": {"a": 1.5}, "any": {"type_url": "x", "value": b"y"}, "mask": {"paths": ["a"]}}
    record = BOTH["Others"].ours.decode(BOTH["Others"].written(**fields))
    assert record["any"]["type_url"] == "x"
    assert record["mask"]["paths"].to_list() == ["a"]
    assert record["struct"]["fields"]["value.number_value"].tolist() == [1.5]


def test_everything_that_shows_types_shows_what_they_stand_for() -> None:
    data = LOG.written(**MOMENTS)
    assert "  google.protobuf.Timestamp at = 1  datetime64[ns]" in repr(LOG.ours)
    assert repr(WRAPPED.ours.fields["double"]) == "Field google.protobuf.DoubleValue double = 1  float64"
    table = LOG.ours.decode_many([data, b""])
    assert "at     datetime64[ns][2]  [1970-01-01T00:00:01.000000005, NaT]" in repr(table)
    assert "took   timedelta64[ns][2]  [-1.000000005 s, NaT]" in repr(table)
    assert "times  2 x datetime64[ns][2] (0-2 each)" in repr(table)
    assert "at     datetime64[ns]  1970-01-01T00:00:01.000000005" in repr(LOG.ours.decode(data))


def test_messages_of_the_official_package_are_taken_over_with_their_times() -> None:
    message = LOG.read(LOG.written(at=FAR))
    with pytest.raises(wa.DecodeError, match="field at"):
        LOG.ours.from_protobuf(message)
    record = LOG.ours.from_protobuf(message, well_known_types=False)
    assert record["at"]["seconds"] == FAR["seconds"]
    assert LOG.ours.to_protobuf(record, LOG.theirs) == message


def test_a_file_gives_its_times_both_ways(tmp_path: Any) -> None:
    (tmp_path / "log.bin").write_bytes(LOG.written(**MOMENTS))
    assert LOG.ours.load(tmp_path / "log.bin")["at"] == np.datetime64(NANOSECONDS + 5, "ns")
    assert LOG.ours.load(tmp_path / "log.bin", well_known_types=False)["at"]["seconds"] == 1


def test_parts_of_times_can_be_decoded_into_arrays_of_ones_own() -> None:
    seconds = np.zeros(3, np.int64)
    data = LOG.written(times=[{"seconds": 5}, {"seconds": 6, "nanos": 1}])
    record = LOG.ours.decode(data, out={"times.seconds": seconds})
    assert seconds.tolist() == [5, 6, 0]
    assert record["times"].tolist() == [5 * NANOSECONDS, 6 * NANOSECONDS + 1]


@pytest.mark.parametrize("well_known_types", [True, False])
def test_a_pickle_shows_times_and_wrappers_as_what_was_pickled(well_known_types: bool) -> None:
    log = LOG.ours.decode_many([LOG.written(**MOMENTS), b""], well_known_types=well_known_types)
    rows = [WRAPPED.written(ints=[{"value": 5}], words=[{"value": "a"}]), b""]
    wrapped = WRAPPED.ours.decode_many(rows, well_known_types=well_known_types)
    for shown in (
        log,
        log[0],
        log["times"],
        log["spans"],
        log["last"],
        log["steps"],
        wrapped["ints"],
        wrapped["words"],
    ):
        loaded = pickle.loads(pickle.dumps(shown))
        assert repr(loaded) == repr(shown)
        assert repr(copy.deepcopy(shown)) == repr(shown)
    loaded = pickle.loads(pickle.dumps(log["times"]))
    assert LOG.ours.encode_many({"times": loaded}).to_list() == LOG.ours.encode_many({"times": log["times"]}).to_list()
