"""How much memory a result may take, and how deep messages may be nested."""

import io
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa

from wire import LENGTH_DELIMITED, write_tag, write_varint

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Row { repeated int64 steps = 1; string name = 2; Row inner = 3; }
""")
ROW = SCHEMA["Row"]
MIB = 1 << 20


def delimited(number: int, payload: bytes) -> bytes:
    return write_tag(number, LENGTH_DELIMITED) + write_varint(len(payload)) + payload


STEPS = delimited(1, b"\x01" * MIB)

WAYS: dict[str, Callable[..., Any]] = {
    "decode": ROW.decode,
    "decode_many": lambda data, **limits: ROW.decode_many([b"", data], **limits),
    "read": lambda data, **limits: ROW.read(io.BytesIO(write_varint(len(data)) + data), framing="delimited", **limits),
    "scan": lambda data, **limits: list(
        ROW.scan(io.BytesIO(write_varint(len(data)) + data), framing="delimited", **limits)
    ),
    "single": lambda data, **limits: ROW.read(io.BytesIO(data), framing="single", **limits),
    "gzip": lambda data, **limits: ROW.read(io.BytesIO(zlib.compress(data, wbits=31)), framing="single", **limits),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return WAYS[request.param]


@pytest.mark.parametrize("threads", [1, 3])
def test_what_needs_more_than_its_budget_is_an_error(way: Callable[..., Any], threads: int) -> None:
    for most in (0, 1000, MIB, 7 * MIB):
        with pytest.raises(wa.DecodeError, match=f"max_bytes={most} ") as caught:
            way(STEPS, max_bytes=most, threads=threads)
        assert caught.value.kind == "memory budget"
    way(STEPS, max_bytes=16 * MIB, threads=threads)
    way(STEPS, max_bytes=None, threads=threads)


@pytest.mark.parametrize("threads", [1, 3])
def test_without_a_budget_the_input_says_how_much_may_be_taken(way: Callable[..., Any], threads: int) -> None:
    # The result is 1.1 GiB, more than any input may take.
    decoded = way(delimited(1, b"\x01" * (144 * MIB)), threads=threads)
    tables = decoded if isinstance(decoded, list) else [decoded]
    steps = [each["steps"] if isinstance(each, wa.Record) else each["steps"].values for each in tables]
    assert sum(each.size for each in steps) == 144 * MIB
    assert all((each == 1).all() for each in steps)


def test_without_a_budget_what_is_asked_for_does_not_take_all_memory() -> None:
    # Each of a thousand paths of messages is a table, with a number in as many rows as there are messages.
    tree = wa.Schema.from_source('syntax = "proto3"; message M { M left = 1; M right = 2; int64 n = 3; }')["M"]
    data = b"\x18\x01"
    while len(data) < 150_000:
        data = delimited(1, data) + delimited(2, data) + b"\x18\x01"
    few, many = 10_000 * [b"\x0a\x00"], 300_000 * [b"\x0a\x00"]
    for messages in ([data, *few], [*few, data]):
        assert tree.decode_many(messages)["left.right.n"].sum() == 1
    for messages in ([data, *many], [*many, data]):
        # One row has most of it, and takes memory for that one alone.
        table = tree.decode_many(messages, max_bytes=48 * MIB)
        assert table["left.right.n"].sum() == 1
        table = tree.decode_many(messages)
        assert table["left.right.n"].sum() == 1
        with pytest.raises(MemoryError, match="asked for would take more memory than max_bytes="):
            table.to_dict()


def test_without_a_budget_defaults_of_strings_do_not_take_all_memory() -> None:
    # A row of two bytes has each default that another row's value has in its place.
    fields = " ".join(f'optional string s{number} = {number} [default = "{"x" * 60_000}"];' for number in range(1, 6))
    schema = wa.Schema.from_source(f"""
    syntax = "proto2"; message M {{ repeated Row rows = 1; }} message Row {{ {fields} }}
    """)
    last = b"".join(delimited(number, b"") for number in range(1, 6))
    rows = schema["M"].decode(b"\x0a\x00" * 8000 + delimited(1, last))["rows"]
    assert [len(rows["s1"][row]) for row in (0, 7999, 8000)] == [60_000, 60_000, 0]
    assert rows["s2"].lengths.sum() == 8000 * 60_000
    with pytest.raises(MemoryError, match="max_bytes="):
        rows.to_dict()


def test_the_budget_of_a_scan_is_that_of_each_batch() -> None:
    frame = write_varint(1000) + b"\x0a\xe5\x07" + b"\x01" * 997
    log = io.BytesIO(frame * 5000)
    tables = list(ROW.scan(log, framing="delimited", batch_rows=100, max_bytes=4 * MIB))
    assert sum(len(table["steps"].values) for table in tables) == 5000 * 997
    with pytest.raises(wa.DecodeError, match="max_bytes"):
        ROW.read(io.BytesIO(frame * 5000), framing="delimited", max_bytes=4 * MIB)


def test_a_bad_message_can_be_skipped_and_a_budget_cannot() -> None:
    with pytest.raises(wa.DecodeError) as caught:
        ROW.decode_many([b"\x0a", b"\x08\x01", STEPS], on_error="skip", max_bytes=MIB)
    assert (caught.value.kind, caught.value.row) == ("memory budget", 2)


def nested(levels: int) -> bytes:
    data = b"\x12\x01x"
    for _ in range(levels):
        data = delimited(3, data)
    return data


def test_depth_has_a_limit_that_can_be_set(way: Callable[..., Any]) -> None:
    for levels, most in ((100, 100), (0, 0), (7, 7), (1000, 1000)):
        way(nested(levels), max_depth=most)
        with pytest.raises(wa.DecodeError) as caught:
            way(nested(levels + 1), max_depth=most)
        assert caught.value.kind == "too deep"
    with pytest.raises(wa.DecodeError):
        way(nested(101))


@pytest.mark.parametrize(
    ("limits", "error", "message"),
    [
        ({"max_bytes": -1}, ValueError, "max_bytes: expected at least 0, got -1"),
        ({"max_bytes": 1.5}, TypeError, "max_bytes: expected a number of bytes or None, got 1.5"),
        ({"max_bytes": 1 << 80}, ValueError, "max_bytes: "),
        ({"max_depth": -1}, ValueError, "max_depth: expected 0 to "),
        ({"max_depth": 10_001}, ValueError, "max_depth: expected 0 to "),
        ({"max_depth": None}, ValueError, "max_depth: expected 0 to "),
        ({"max_depth": "deep"}, TypeError, "max_depth: expected a number of levels, got 'deep'"),
    ],
)
def test_limits_that_are_none_are_named(
    way: Callable[..., Any], limits: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        way(b"", **limits)


def test_a_file_may_be_read_in_place_of_mapped(tmp_path: Path) -> None:
    path = tmp_path / "row.pb"
    path.write_bytes(STEPS)
    view = ROW.load(path, mmap=False)["steps"]
    table = ROW.read(path, framing="single", mmap=False)
    with open(path, "r+b") as file:
        file.truncate(0)
    assert np.array_equal(view, np.ones(MIB, np.int64))
    assert np.array_equal(table["steps"].values, view)


# Data of a few bytes, of which each brings a table of a type with many fields.
TREE = """
import resource, sys
import wirearray as wa

fields = " ".join(f"int64 f{number} = {number};" for number in range(100, 3000))
row = wa.Schema.from_source('syntax = "proto3"; message M { M a = 1; M b = 2; ' + fields + " }")["M"]
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

def tree(nodes):
    left, right = nodes // 2, (nodes - 1) // 2
    return (part(10, left) if left else b"") + (part(18, right) if right else b"")

def part(tag, nodes):
    data, number = tree(nodes), bytearray()
    size = len(data)
    while size >= 128:
        number.append(size & 127 | 128)
        size >>= 7
    return bytes([tag]) + number + bytes([size]) + data

data = tree(int(sys.argv[1]))
try:
    row.decode(data, max_bytes=eval(sys.argv[2]))
except (wa.DecodeError, MemoryError) as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux limits address space")
@pytest.mark.parametrize(
    ("nodes", "most", "outcome"),
    [(50_000, "None", ""), (50_000, "1 << 20", "DecodeError"), (2_000_000, "32 << 20", ""), (2_000_000, "None", "")],
)
def test_tables_without_end_take_little_or_end_in_an_error(nodes: int, most: str, outcome: str) -> None:
    done = subprocess.run([sys.executable, "-c", TREE, str(nodes), most], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, outcome), done.stderr
