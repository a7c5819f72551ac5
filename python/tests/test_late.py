"""Columns that few rows have a value for: the same arrays as others, made when someone looks at them."""

import copy
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import wirearray as wa

from official import message_class, pool_of
from wire import LENGTH_DELIMITED, write_tag, write_varint

FIELDS = 40
SCHEMA = wa.Schema.from_source(f"""
syntax = "proto2";
import "google/protobuf/duration.proto";
message Rows {{ repeated Row rows = 1; }}
message Inner {{ optional sint32 a = 1; repeated string b = 2; }}
enum Side {{ BUY = 1; SELL = 2; }}
message Row {{
  {" ".join(f"optional int64 n{number} = {number} [default = {number}];" for number in range(1, FIELDS))}
  optional string text = 101 [default = "none"]; optional bytes data = 102;
  repeated double values = 103 [packed = true]; repeated string texts = 104;
  optional Inner inner = 105; repeated Inner inners = 106; map<string, int32> counts = 107;
  oneof kind {{ bool flag = 108; string name = 109; Inner one = 110; group Both = 111 {{ optional Side side = 1; }} }}
  optional Side side = 112 [default = SELL]; optional google.protobuf.Duration span = 113;
}}
""")
ROW, ROWS = SCHEMA["Row"], SCHEMA["Rows"]
POOL = pool_of(SCHEMA.to_descriptor_set())
OFFICIAL = message_class(POOL, "Row")


def set_one(row: Any, number: int, rng: np.random.Generator) -> None:
    """Sets one of some fifty fields."""
    match number:
        case 0:
            row.text = "text"
        case 1:
            row.data = b"\xff"
        case 2:
            row.values.extend(rng.random(2))
        case 3:
            row.texts.extend(["", "x"])
        case 4:
            row.inner.a = -7
        case 5:
            row.inners.add().b.append("y")
        case 6:
            row.counts["k"] = 3
        case 7:
            row.flag = False
        case 8:
            row.name = ""
        case 9:
            row.both.side = 1
        case 10:
            row.side = 1
        case 11:
            row.span.FromNanoseconds(-1_500_000_000)
        case 12:
            row.one.SetInParent()
        case _:
            setattr(row, f"n{number - 12}", number)


def messages(seed: int, count: int = 3000) -> list[Any]:
    """Rows of which each sets one field or none; a few at the start and at the end set all."""
    rng = np.random.default_rng(seed)
    found = [OFFICIAL() for _ in range(count)]
    for row in found[seed:]:
        if rng.random() < 0.7:
            set_one(row, int(rng.integers(0, 12 + FIELDS)), rng)
    for row in found[:seed] + found[-seed:]:
        for number in rng.permutation(12 + FIELDS):
            set_one(row, int(number), rng)
    return found


EXPECTED = messages(1)
DATA = [row.SerializeToString() for row in EXPECTED]
STREAM = b"".join(write_varint(len(data)) + data for data in DATA)
ALL_ROWS = b"".join(write_tag(1, LENGTH_DELIMITED) + write_varint(len(data)) + data for data in DATA)

WAYS: dict[str, Callable[..., Any]] = {
    "decode": lambda **options: ROWS.decode(ALL_ROWS, **options)["rows"],
    "decode_many": lambda **options: ROW.decode_many(DATA, **options),
    "read": lambda **options: ROW.read(io.BytesIO(STREAM), framing="delimited", **options),
    "scan": lambda **options: next(
        iter(ROW.scan(io.BytesIO(STREAM), framing="delimited", batch_rows=len(DATA), **options))
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return WAYS[request.param]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_few_rows_have_is_what_the_official_package_says(way: Callable[..., Any], threads: int) -> None:
    table = way(threads=threads)
    assert len(table) == len(EXPECTED)
    for number in range(1, FIELDS):
        name = f"n{number}"
        assert table[name].tolist() == [getattr(row, name) for row in EXPECTED]
        assert table.present(name).tolist() == [row.HasField(name) for row in EXPECTED]
    for name in ("text", "data", "name", "side", "flag"):
        assert list(table[name]) == [getattr(row, name) for row in EXPECTED]
    for name in ("inner", "one", "both", "span", "side"):
        assert table.present(name).tolist() == [row.HasField(name) for row in EXPECTED]
    assert table["inner.a"].tolist() == [row.inner.a for row in EXPECTED]
    assert table["both.side"].tolist() == [row.both.side for row in EXPECTED]
    assert [each.tolist() for each in table["values"]] == [list(row.values) for row in EXPECTED]
    assert [list(each) for each in table["texts"]] == [list(row.texts) for row in EXPECTED]
    assert [[list(b) for b in each["b"]] for each in table["inners"]] == [
        [list(inner.b) for inner in row.inners] for row in EXPECTED
    ]
    assert table["counts"].lengths.tolist() == [len(row.counts) for row in EXPECTED]
    assert table.chosen("kind").tolist() == [row.WhichOneof("kind") or "" for row in EXPECTED]
    spans = [row.span.ToNanoseconds() if row.HasField("span") else None for row in EXPECTED]
    assert [None if np.isnat(span) else int(span.astype(int)) for span in table["span"]] == spans
    assert [bytes(data) for data in ROW.encode_many(way(threads=threads))] == DATA


def test_rows_are_chosen_joined_pickled_and_exported_before_and_after_anyone_has_looked() -> None:
    looked = ROW.decode_many(DATA)
    looked.to_dict()
    fresh = ROW.decode_many(DATA)
    for change in (
        lambda table: table[1000:1010],
        lambda table: table[[2999, 0, 7]],
        lambda table: pickle.loads(pickle.dumps(table)),
        copy.deepcopy,
        lambda table: wa.Table.of(ROW, table, n1=table["n2"]),
    ):
        assert list(ROW.encode_many(change(fresh))) == list(ROW.encode_many(change(looked)))
        fresh = ROW.decode_many(DATA)
    assert pa.table(fresh).equals(pa.table(looked))
    assert repr(fresh[2998].to_dict()) == repr(looked[2998].to_dict())
    assert repr(fresh) == repr(looked)


def test_many_threads_may_look_at_once() -> None:
    for _ in range(20):
        table, start = ROW.decode_many(DATA), threading.Barrier(4)

        def look(table: wa.Table = table, start: threading.Barrier = start) -> list[int]:
            start.wait()
            return [int(table[f"n{number}"].sum()) for number in range(1, FIELDS)]

        with ThreadPoolExecutor(4) as pool:
            sums = [task.result() for task in [pool.submit(look) for _ in range(4)]]
        assert sums == [sums[0]] * 4


def test_what_is_looked_at_takes_its_memory_from_the_same_budget() -> None:
    # A row of a few bytes for each of forty fields; as arrays, eight bytes for each of them.
    table = ROW.decode_many(DATA * 100, max_bytes=24 << 20, threads=1)
    seen = []
    with pytest.raises(MemoryError, match="asked for would take more memory than max_bytes="):
        seen.extend(table[f"n{number}"] for number in range(1, FIELDS))
    assert 2 < len(seen) < 12
    # What has been looked at stays, and what has not can be asked for again.
    assert seen[0] is not table["n1"] and (seen[0] == table["n1"]).all()
    for ask in (
        lambda: table["n30"],
        lambda: ROW.encode_many(table),
        lambda: pa.table(table),
        lambda: pickle.dumps(table),
    ):
        with pytest.raises(MemoryError):
            ask()
    assert ROW.decode_many(DATA * 100)["n30"].tolist() == [row.n30 for row in EXPECTED] * 100


@pytest.mark.parametrize("threads", [1, 3])
def test_arrays_of_a_caller_are_filled_up_whole(threads: int) -> None:
    # So many that each of several threads decodes some.
    times = 2 + (8 << 20) // len(STREAM)
    for field in ("n3", "n9"):
        out = np.full(len(DATA) * times, -1)
        table = ROW.decode_many(DATA * times, out={field: out}, threads=threads)
        expected = np.tile([getattr(row, field) for row in EXPECTED], times)
        assert (table[field] == expected).all() and (out == expected).all()


def test_unknown_fields_of_few_rows_are_kept() -> None:
    few = SCHEMA["Inner"]
    kept = few.decode_many(DATA, keep_unknown=True)
    assert [bytes(data) for data in few.encode_many(kept)] == [
        bytes(few.encode(few.decode(data, keep_unknown=True))) for data in DATA
    ]
    sparse = few.decode_many([b""] * 500 + [b"\xf8\x07\x01"] + [b""] * 500, keep_unknown=True)
    assert sparse[500].unknown_fields == b"\xf8\x07\x01" and sparse[3].unknown_fields == b""
    assert sparse.unknown_fields.lengths.tolist() == [0] * 500 + [3] + [0] * 500


# Prints what each of some calls raises where the system has no more memory.
WITHOUT_MEMORY = """
import pickle, resource
import numpy as np, wirearray as wa

schema = 'syntax = "proto3"; message M { optional int64 count = 1; repeated int32 steps = 2; string text = 3; }'
message = wa.Schema.from_source(schema)["M"]
data, rows = message.encode({"count": 1, "steps": [1], "text": "x"}), 4_000_000
offsets = np.concatenate([[0], np.full(rows, len(data))])
table = message.decode_many(data, offsets=offsets, threads=1)
few = message.decode_many([b""])
few["count"], few.unknown_fields, few["text"].lengths, pickle.dumps(few)
texts, steps = table["text"], table["steps"]
size = int(next(line for line in open("/proc/self/status") if line.startswith("VmSize")).split()[1]) << 10
resource.setrlimit(resource.RLIMIT_AS, (size + 1_000_000, resource.RLIM_INFINITY))
for ask in (
    lambda: steps.lengths, lambda: texts.lengths, lambda: texts[1:].offsets, lambda: steps[1:].offsets,
    lambda: table["count"],
    lambda: table.present("count"), lambda: table.unknown_fields, lambda: message.decode_many(data, offsets=offsets),
    lambda: pickle.dumps(table),
):
    try:
        ask()
        print("nothing")
    except BaseException as error:
        print(type(error).__name__)
"""


def test_memory_that_runs_short_as_arrow_takes_columns_is_an_error() -> None:
    message = wa.Schema.from_source('syntax = "proto3"; message M { repeated int64 steps = 1; bytes data = 2; }')["M"]
    rows = [b"\x0a\x01\x01\x12\x01x", *[b""] * 2_000_000, b"\x0a\x01\x01\x12\x01x"]
    for field in ("steps", "data"):
        table = message.select(field).decode_many(rows, max_bytes=8 << 20)
        for take in (pa.table, pa.record_batch, lambda table: table.__arrow_c_stream__()):
            with pytest.raises(MemoryError, match="max_bytes="):
                take(table)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
def test_where_the_system_has_no_memory_a_look_raises_memory_errors() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["MemoryError"] * 9, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_waits_for_what_another_thread_is_making() -> None:
    full = ROW.encode({f"n{number}": 7 for number in range(1, FIELDS)})
    for _ in range(4):
        table = ROW.decode_many([full, *[b""] * 300_000, full])
        looking = threading.Thread(target=lambda table=table: [table[f"n{number}"] for number in range(1, FIELDS)])
        looking.start()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(int(not all(table[f"n{number}"][-1] == 7 for number in range(1, FIELDS))))
        assert os.waitpid(child, 0)[1] == 0
        looking.join()


def test_a_table_is_shown_whether_or_not_there_is_memory_for_its_columns() -> None:
    table = ROW.decode_many(DATA * 100, max_bytes=24 << 20, threads=1)
    assert "not enough memory to show it" in repr(table)
    assert "max_bytes=" in table._repr_html_()


def test_spans_among_many_rows_without_any_are_told_from_those_that_are_none() -> None:
    schema = wa.Schema.from_source("""
    syntax = "proto3"; import "google/protobuf/duration.proto";
    message M { google.protobuf.Duration span = 1; google.protobuf.Duration other = 2; }
    """)
    before, part, none = (
        message_class(pool_of(schema.to_descriptor_set()), "M").FromString(data).SerializeToString()
        for data in (
            b"\x0a\x16\x08" + b"\xff" * 9 + b"\x01\x10" + b"\xff" * 9 + b"\x01",
            b"\x12\x0b\x10" + b"\xff" * 9 + b"\x01",
            b"\x12\x0d\x08\x01\x10" + b"\xff" * 9 + b"\x01",
        )
    )
    rng = np.random.default_rng(7)
    places = np.cumsum(rng.integers(20, 200, 6000))
    rows = [b""] * (int(places[-1]) + 500)
    for index, place in enumerate(places):
        # The parts of `other` have not the same gaps, and now and then its parts have two signs.
        rows[place] = before if index % 3 else part
    bad = [int(place) + 1 for place in places[100::997]]
    for place in bad:
        rows[place] = none
    stream = b"".join(write_varint(len(row)) + row for row in rows)
    for threads in (1, 3):
        table = schema["M"].read(io.BytesIO(stream), framing="delimited", on_error="skip", threads=threads)
        assert [error.row for error in table.errors] == bad
        assert len(table) == len(rows) - len(bad)
        spans = table["span"][~np.isnat(table["span"])]
        assert len(spans) == 4000 and (spans == np.timedelta64(-1_000_000_001, "ns")).all()
        assert (~np.isnat(table["other"])).sum() == 2000
