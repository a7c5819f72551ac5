"""Messages at more paths than there are tables for are kept as bytes, and are the same columns to who asks for them."""

import contextlib
import pickle
import re
import resource
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import wirearray as wa

from official import message_class, pool_of
from wire import LENGTH_DELIMITED, write_tag, write_varint

SCHEMA = wa.Schema.from_source("""
syntax = "proto3";
message Node {
  Node left = 1; repeated Node right = 2; map<string, Node> named = 3;
  oneof kind { int64 number = 4; string text = 5; Node one = 6; }
  repeated double values = 7; optional int32 flag = 8;
}
""")
NODE = SCHEMA["Node"]
CHAIN = wa.Schema.from_source("""
syntax = "proto3";
message M { M left = 1; M right = 2; M rest = 3; repeated int32 many = 5 [packed = false]; optional string name = 6; }
""")["M"]
OFFICIAL = message_class(pool_of(SCHEMA.to_descriptor_set()), "Node")


def tree(levels: int, rng: np.random.Generator) -> Any:
    """A message with three or so in it, as many levels deep: some ten thousand paths."""
    node = OFFICIAL()
    if levels == 0 or rng.random() < 0.05:
        node.values.extend(rng.random(3))
        return node
    node.left.CopyFrom(tree(levels - 1, rng))
    for _ in range(rng.integers(0, 3)):
        node.right.append(tree(levels - 1, rng))
    if rng.random() < 0.3:
        node.named["k"].CopyFrom(tree(levels - 2 if levels > 1 else 0, rng))
    match rng.integers(0, 4):
        case 0:
            node.number = int(rng.integers(-9, 9))
        case 1:
            node.text = "é" * int(rng.integers(0, 4))
        case 2:
            node.one.CopyFrom(tree(levels - 1, rng))
    if rng.random() < 0.5:
        node.flag = 3
    return node


TREES = [tree(9, np.random.default_rng(seed)).SerializeToString(deterministic=True) for seed in range(12)]


def same(data: bytes, expected: bytes) -> bool:
    return OFFICIAL.FromString(data) == OFFICIAL.FromString(expected)


@pytest.mark.parametrize("threads", [1, 3])
def test_whatever_is_asked_for_is_what_was_written(threads: int) -> None:
    for data in TREES:
        assert same(NODE.encode(NODE.decode(data, threads=threads)), data)
    table = NODE.decode_many(TREES, threads=threads)
    assert all(same(mine, data) for mine, data in zip(NODE.encode_many(table), TREES, strict=True))
    record, official = NODE.decode(TREES[0]), OFFICIAL.FromString(TREES[0])
    while official.HasField("left"):
        record, official = record["left"], official.left
        assert np.array_equal(record["values"], official.values) and len(record["right"]) == len(official.right)
    deep = ".".join(["left"] * 9 + ["values"])
    assert np.array_equal(NODE.decode(TREES[0])[deep], NODE.select(deep).decode(TREES[0])[deep])


def test_rows_of_them_are_those_that_they_would_have_been() -> None:
    table = NODE.decode_many(TREES * 3)
    written = [NODE.encode(NODE.decode(data)) for data in TREES]
    some = table[[5, 1, 30]]
    assert list(NODE.encode_many(some)) == [written[5], written[1], written[6]]
    assert list(NODE.encode_many(table[7:9])) == written[7:9]
    assert NODE.encode(table[29]) == written[5]
    again = pickle.loads(pickle.dumps(some))
    assert list(NODE.encode_many(again)) == list(NODE.encode_many(some))
    assert all(
        same(mine, other)
        for mine, other in zip(
            NODE.encode_many(pa.record_batch(some)), [written[5], written[1], written[6]], strict=True
        )
    )


def test_there_are_more_paths_than_tables() -> None:
    def paths(node: Any, path: str) -> set[str]:
        found = {path}
        for field, value in node.ListFields():
            if field.message_type is not None and field.name != "named":
                for inner in value if field.name == "right" else [value]:
                    found |= paths(inner, f"{path}.{field.name}")
        return found

    found = [paths(OFFICIAL.FromString(data), "") for data in TREES]
    assert len(found[0]) > 1024 and len(set.union(*found)) > 3000


def test_to_show_a_table_nothing_is_read_but_its_own_columns() -> None:
    # Of a million messages nearly all stay unread: as tables they would take some 200 MiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    data = b""
    while len(data) < 1 << 20:
        data = within(1, data) + within(2, data)
    record = NODE.decode(data)
    assert "left" in repr(record) and "right" in dir(record)
    assert len(NODE.decode_many([data, data])) == 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 64 << 10


def within(number: int, payload: bytes) -> bytes:
    return write_tag(number, LENGTH_DELIMITED) + write_varint(len(payload)) + payload


def test_what_is_asked_for_later_takes_its_memory_from_the_same_budget() -> None:
    data = b""
    while len(data) < 1 << 20:
        data = within(1, data) + within(2, data)
    record = NODE.decode(data, max_bytes=48 << 20)
    with pytest.raises(MemoryError, match="asked for would take more memory than max_bytes="):
        NODE.encode(record)
    assert same(NODE.encode(NODE.decode(data)), data)


def test_what_is_hidden_behind_many_paths_again_and_again_is_copied_a_few_times() -> None:
    tree = b""
    for _ in range(10):
        tree = within(1, tree) + within(2, tree)
    # At each of sixty levels the rest comes behind a thousand paths.
    data = within(7, bytes(16 << 20))
    for _ in range(60):
        data = tree + within(6, data)
    record = NODE.decode(data, max_bytes=640 << 20)
    assert len(record[".".join(["one"] * 60 + ["values"])]) == 1 << 21


def test_errors_in_them_name_their_byte_and_their_fields() -> None:
    for data in TREES[:4]:
        bad = bytearray(data)
        # Within the last double, nine bytes before the end at the latest.
        for cut in range(1, len(data), len(data) // 50):
            with pytest.raises(wa.DecodeError) as caught:
                NODE.decode(bytes(bad[:-cut]))
            few = NODE.select(re.sub(r"\[\d+\]", "", caught.value.path)) if caught.value.path else NODE
            with pytest.raises(wa.DecodeError) as selected:
                few.decode(bytes(bad[:-cut]))
            assert (caught.value.kind, caught.value.offset) == (selected.value.kind, selected.value.offset)
    skipped = NODE.decode_many([TREES[0], TREES[1][:-1], TREES[2]], on_error="skip")
    assert len(skipped) == 2 and skipped.errors[0].row == 1
    assert list(NODE.encode_many(skipped)) == list(NODE.encode_many(NODE.decode_many([TREES[0], TREES[2]])))


def test_many_threads_may_ask_at_once() -> None:
    for _ in range(8):
        table = NODE.decode_many(TREES)
        start = threading.Barrier(4)

        def read(table: wa.Table = table, start: threading.Barrier = start) -> list[bytes]:
            start.wait()
            return [bytes(each) for each in NODE.encode_many(table)]

        with ThreadPoolExecutor(4) as pool:
            results = [task.result() for task in [pool.submit(read) for _ in range(4)]]
        assert all(result == results[0] for result in results)


def test_a_buffer_that_changes_meanwhile_gives_wrong_values_at_worst() -> None:
    data, is_over = bytearray(TREES[0]), threading.Event()

    def disturb() -> None:
        rng = np.random.default_rng(1)
        while not is_over.is_set():
            data[rng.integers(len(data))] = rng.integers(256)

    other = threading.Thread(target=disturb)
    other.start()
    try:
        for _ in range(100):
            data[:] = TREES[0]
            with contextlib.suppress(ValueError):
                NODE.encode(NODE.decode(data))
    finally:
        is_over.set()
        other.join()


def test_memory_that_runs_short_while_times_are_looked_at_is_of_no_message() -> None:
    timed = wa.Schema.from_source("""
    syntax = "proto3"; import "google/protobuf/duration.proto";
    message M { M left = 1; M right = 2; M rest = 3; google.protobuf.Duration span = 4; bytes data = 5; }
    """)["M"]
    tree = b""
    for _ in range(10):
        tree = within(1, tree) + within(2, tree)
    # A span that is set after zero, and then before it: only columns tell what it is.
    data = within(5, bytes(1 << 20)) + within(4, b"\x08\x01\x08" + b"\xff" * 9 + b"\x01")
    for _ in range(40):
        data = tree + within(3, data)
    rows = set()
    for most in (1, 6, 20, 50):
        try:
            timed.decode_many([b"", data, b""], threads=1, max_bytes=most << 20, on_error="skip")
        except wa.DecodeError as error:
            assert error.kind == "memory budget"
            rows.add(error.row)
    assert rows == {1, None}
    assert len(timed.decode_many([b"", data, b""], threads=1, max_bytes=256 << 20)) == 3


@pytest.mark.parametrize(
    "way",
    [
        lambda table, path: table["rest"],
        lambda table, path: table[0].present("rest"),
        lambda table, path: table[0]._repr_html_(),
        lambda table, path: table[0].to_dict(),
        lambda table, path: table.present("rest"),
        lambda table, path: table.__arrow_c_schema__(),
        lambda table, path: pa.record_batch(table),
        lambda table, path: pickle.dumps(table),
        lambda table, path: CHAIN.encode(table[0]),
        lambda table, path: list(CHAIN.encode_many(table)),
        lambda table, path: CHAIN.save(path, table[0]),
        lambda table, path: CHAIN.write(path, table, framing="delimited"),
        lambda table, path: wa.Table.of(CHAIN, table, name=["a"]),
    ],
)
def test_memory_that_runs_short_later_is_an_error(way: Callable[..., Any], tmp_path: Path) -> None:
    tree = b""
    for _ in range(10):
        tree = within(1, tree) + within(2, tree)
    data = tree + within(3, tree + within(3, b"\x28\x01" * 400_000))
    most = next(most for most in range(500_000, 4_000_000, 50_000) if is_enough(data, most))
    table = CHAIN.decode_many([data], max_bytes=most, threads=1)
    with pytest.raises(MemoryError, match="max_bytes="):
        way(table, tmp_path / "chain.pb")
    assert list(tmp_path.iterdir()) == []
    assert len(table) == 1 and isinstance(table["left"]["right"], wa.Table)


def is_enough(data: bytes, most: int) -> bool:
    try:
        return len(CHAIN.decode_many([data], max_bytes=most, threads=1)) == 1
    except wa.DecodeError:
        return False
