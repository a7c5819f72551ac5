"""Random schemas, messages and columns: what is written here, the official package reads as what was meant.

Cases are numbers, as in `test_property`, and the same environment variables choose them.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
import wirearray as wa
from google.protobuf.message import Message
from hypothesis import strategies

import official
from both import BothSchemas
from compare import assert_same_record
from random_messages import fill_field, random_message, shuffled
from random_schema import random_schema
from random_values import as_columns, build, disguised, random_dict
from test_property import CASES
from wire import is_ambiguous

REQUIRED = "the schema requires a value, and there is none"


@dataclass(frozen=True)
class Case:
    """A random schema in both packages, and a source of chances."""

    number: int
    descriptors: bytes
    ours: wa.MessageType
    theirs: type[Message]
    writer: type[Message]

    def choose(self, what: str) -> random.Random:
        return random.Random(f"{self.number} {what}")

    def messages(self, count: int = 4) -> list[Message]:
        """Random messages; those that lack a required field, though it was tried to complete them, are a few."""
        choose = self.choose("messages")
        messages = [random_message(choose, self.theirs) for _ in range(count)]
        for message in messages:
            _complete(choose, message, 0)
        return messages

    def dicts(self, count: int = 4) -> list[dict[str, Any]]:
        choose = self.choose("dicts")
        return [random_dict(choose, self.theirs.DESCRIPTOR) for _ in range(count)]

    def written(self, data: bytes) -> bytes:
        return self.theirs.FromString(data).SerializePartialToString(deterministic=True)


def test_what_was_decoded_is_encoded_to_the_same_message() -> None:
    for case in _cases():
        for message in case.messages():
            data = message.SerializePartialToString()
            record = case.ours.decode(data)
            if not message.IsInitialized():
                with pytest.raises(ValueError, match=REQUIRED):
                    case.ours.encode(record)
                continue
            with _noted(case, data):
                encoded = case.ours.encode(record)
                assert case.written(encoded) == case.written(data)
                assert len(encoded) == len(data), "the same message in another length"
                assert_same_record(case.ours.decode(encoded), record)
                assert case.ours.encode(case.ours.decode(data, copy=None)) == encoded


def test_messages_of_another_schema_of_the_same_text_are_encoded_alike() -> None:
    for case in _cases():
        other = wa.Schema.from_descriptor_set(case.descriptors)[case.ours.name]
        messages = [message.SerializeToString() for message in case.messages() if message.IsInitialized()]
        table = other.decode_many(messages)
        with _noted(case, b"".join(messages)):
            alone = [case.ours.encode(case.ours.decode(data)) for data in messages]
            assert [case.ours.encode(record) for record in table] == alone
            assert case.ours.encode_many(table[::-1]).to_list() == alone[::-1]
            assert case.ours.encode_many([*table]).to_list() == alone


def test_what_is_unknown_is_encoded_to_the_same_message() -> None:
    """Bytes as another program writes them: fields in other types, numbers that closed enums have not, and no order."""
    unknown = 0
    for case in _cases():
        choose = case.choose("unknown")
        for _ in range(6):
            data = shuffled(choose, random_message(choose, case.writer).SerializePartialToString())
            message = official.parse(case.theirs, data)
            if message is None or not message.IsInitialized() or is_ambiguous(data, case.theirs.DESCRIPTOR):
                continue
            with _noted(case, data):
                record = case.ours.decode(data, keep_unknown=True)
                encoded = case.ours.encode(record)
                assert case.written(encoded) == case.written(data)
                assert case.ours.encode(case.ours.decode(encoded, keep_unknown=True)) == encoded
                other = wa.Schema.from_descriptor_set(case.descriptors)[case.ours.name]
                assert case.ours.encode(other.decode(data, keep_unknown=True)) == encoded
                assert case.ours.encode_many(case.ours.decode_many([data], keep_unknown=True))[0] == encoded
                unknown += encoded != case.ours.encode(case.ours.decode(data))
    assert unknown > len(CASES) // 2, "too few messages have unknown fields"


def test_random_values_in_random_forms_are_encoded_as_the_official_package_builds_them() -> None:
    for case in _cases():
        choose, descriptor = case.choose("forms"), case.theirs.DESCRIPTOR
        for values in case.dicts():
            expected = build(case.theirs(), values)
            with _noted(case, values):
                if expected.IsInitialized():
                    meant = expected.SerializePartialToString(deterministic=True)
                    assert case.written(case.ours.encode(values)) == meant
                    given = disguised(choose, descriptor, values)
                    assert case.written(case.ours.encode(given)) == meant
                else:
                    with pytest.raises(ValueError, match=REQUIRED):
                        case.ours.encode(values)


def test_random_columns_are_encoded_as_the_official_package_builds_the_messages() -> None:
    for case in _cases():
        choose, descriptor = case.choose("columns"), case.theirs.DESCRIPTOR
        rows = [values for values in case.dicts(6) if build(case.theirs(), values).IsInitialized()]
        expected = [build(case.theirs(), values).SerializePartialToString(deterministic=True) for values in rows]
        forms = (
            rows,
            as_columns(choose, descriptor, rows),
            [disguised(choose, descriptor, values) for values in rows],
            [
                case.ours.decode(data) if choose.random() < 0.5 else values
                for data, values in zip(expected, rows, strict=True)
            ],
        )
        for form in forms:
            with _noted(case, form):
                assert [case.written(data) for data in case.ours.encode_many(form)] == expected
                table = wa.Table.of(case.ours, form)
                assert [case.written(case.ours.encode(table[row])) for row in range(len(rows))] == expected


def test_many_messages_are_encoded_as_each_alone() -> None:
    for case in _cases():
        messages = [message for message in case.messages(6) if message.IsInitialized()]
        table = case.ours.decode_many([message.SerializeToString() for message in messages])
        with _noted(case, messages):
            alone = [case.ours.encode(record) for record in table]
            assert case.ours.encode_many(table).to_list() == alone
            assert case.ours.encode_many(table[::-1]).to_list() == alone[::-1]
            assert case.ours.encode_many(table[1:-1]).to_list() == alone[1:-1]
            assert case.ours.encode_many([*table]).to_list() == alone
            again = case.ours.decode_many(case.ours.encode_many(table))
            assert case.ours.encode_many(again).to_list() == alone


def test_a_selection_is_encoded_alone() -> None:
    for case in _cases():
        choose = case.choose("selection")
        names = list(case.ours.fields)
        some = case.ours.select(*choose.sample(names, choose.randint(1, len(names))))
        if any(field.required for name, field in case.ours.fields.items() if name not in some.fields):
            continue
        for message in case.messages():
            if not message.IsInitialized():
                continue
            data = message.SerializeToString()
            for field in official.fields_of(message.DESCRIPTOR):
                if field.name not in some.fields and field.descriptor.is_extension:
                    message.ClearExtension(field.descriptor)
                elif field.name not in some.fields:
                    message.ClearField(field.descriptor.name)
            with _noted(case, data):
                meant = message.SerializePartialToString(deterministic=True)
                assert case.written(some.encode(some.decode(data))) == meant
                assert case.written(case.ours.encode(some.decode(data))) == meant
                assert case.written(case.ours.encode_many(some.decode_many([data]))[0]) == meant


# ---------------------------------------------------------------------------------------------------------------------
# Aligned

ALIGNMENTS = (8, 64)


def test_aligned_messages_are_read_as_the_same_messages() -> None:
    for case, plain, aligned in _aligned_messages():
        with _noted(case, plain):
            assert case.written(aligned) == case.written(plain)
            assert case.ours.encode(case.ours.decode(aligned)) == plain


def test_pure_python_reads_aligned_messages_as_the_same_messages() -> None:
    cases: dict[int, dict[str, Any]] = {}
    for case, plain, aligned in _aligned_messages(every=5):
        found = cases.setdefault(case.number, {"descriptors": case.descriptors.hex(), "pairs": []})
        found["pairs"].append((plain.hex(), aligned.hex()))
    result = subprocess.run(
        [sys.executable, "-c", _PURE_PYTHON],
        input=json.dumps(cases),
        env=os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"differ": [], "read": sum(len(case["pairs"]) for case in cases.values())}


_PURE_PYTHON = """
import json, sys
from google.protobuf import message_factory
from google.protobuf.internal import api_implementation
import official
assert api_implementation.Type() == "python"
differ, read = [], 0
for number, case in json.load(sys.stdin).items():
    pool = official.pool_of(bytes.fromhex(case["descriptors"]))
    message_class = message_factory.GetMessageClassesForFiles(["case.proto"], pool)["case.M0"]
    for pair in case["pairs"]:
        plain, aligned = (message_class.FromString(bytes.fromhex(data)) for data in pair)
        read += 1
        if plain.SerializePartialToString(deterministic=True) != aligned.SerializePartialToString(deterministic=True):
            differ.append((number, *pair))
print(json.dumps({"differ": differ, "read": read}))
"""


def _aligned_messages(every: int = 1) -> Iterator[tuple[Case, bytes, bytes]]:
    """Random messages without alignment, and with."""
    for case in _cases(every):
        for message in case.messages():
            if message.IsInitialized():
                record = case.ours.decode(message.SerializeToString())
                plain = case.ours.encode(record)
                for align in ALIGNMENTS:
                    yield case, plain, case.ours.encode(record, align=align)


# ---------------------------------------------------------------------------------------------------------------------
# Any arrays at all

ROW = BothSchemas("""
syntax = "proto3";
message Row {
  repeated double doubles = 1; repeated sint64 steps = 2; repeated int32 plain = 3 [packed = false]; uint64 id = 4;
  repeated Row rows = 5; repeated string words = 6; optional float ratio = 7;
}
""")["Row"]
COUNT = strategies.shared(strategies.integers(0, 6), key="count")


def _arrays(dtype: str) -> Any:
    return COUNT.flatmap(
        lambda count: strategies.lists(
            hypothesis.extra.numpy.arrays(dtype, strategies.integers(0, 5)), min_size=count, max_size=count
        )
    )


@hypothesis.settings(max_examples=100, deadline=None, database=None, derandomize=True)
@hypothesis.given(
    doubles=_arrays("f8"),
    steps=_arrays("i8"),
    plain=_arrays("i4"),
    ids=COUNT.flatmap(lambda count: hypothesis.extra.numpy.arrays("u8", count)),
    ratios=COUNT.flatmap(lambda count: hypothesis.extra.numpy.arrays("f4", count)),
    is_joined=strategies.booleans(),
)
def test_any_arrays_are_encoded_as_the_official_package_builds_the_messages(
    doubles: Any, steps: Any, plain: Any, ids: Any, ratios: Any, is_joined: bool
) -> None:
    def column(parts: list[Any], dtype: str) -> Any:
        joined = np.concatenate([np.zeros(0, dtype), *parts])
        return (joined, np.cumsum([0, *map(len, parts)])) if is_joined else parts

    # Of a float32 NaN, the official package keeps what is left of it as a Python float.
    ratios = np.where(np.isnan(ratios), np.float32("nan"), ratios)
    columns = {"doubles": column(doubles, "f8"), "steps": column(steps, "i8"), "plain": column(plain, "i4")}
    rows = [
        {"doubles": a.tolist(), "steps": b.tolist(), "plain": c.tolist(), "id": d.item(), "ratio": e.item()}
        for a, b, c, d, e in zip(doubles, steps, plain, ids, ratios, strict=True)
    ]
    given = columns | {"id": ids, "ratio": ratios}
    assert ROW.ours.encode_many(given).to_list() == [ROW.written(**row) for row in rows]
    assert ROW.ours.encode({"rows": given}) == ROW.written(rows=rows)


# ---------------------------------------------------------------------------------------------------------------------


class _noted:
    """Adds to a failure which case it is of."""

    def __init__(self, case: Case, what: Any) -> None:
        self.case, self.what = case, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None:
            shown = self.what.hex() if isinstance(self.what, bytes) else repr(self.what)
            error.add_note(f"case {self.case.number}: {shown[:3000]}")


def _cases(every: int = 1) -> Iterator[Case]:
    return (_case(number) for number in CASES[::every])


@lru_cache(maxsize=1000)
def _case(number: int) -> Case:
    schema = random_schema(random.Random(number))
    theirs, writer = (
        official.message_class(official.pool_of(pool), schema.root) for pool in (schema.reader, schema.writer)
    )
    return Case(number, schema.reader, wa.Schema.from_descriptor_set(schema.reader)[schema.root], theirs, writer)


def _complete(choose: random.Random, message: Message, level: int) -> None:
    """Sets required fields, down to a level below which a message stays incomplete."""
    for field in official.fields_of(message.DESCRIPTOR):
        if field.required and not field.is_set(message) and level < 8:
            fill_field(choose, field, message, 100)
        if not field.is_message:
            continue
        if field.map:
            values = field.value(message)
            children = [values[key] for key in values] if _holds_messages(field) else []
        elif field.repeated:
            children = list(field.value(message))
        else:
            children = [field.value(message)] if field.is_set(message) else []
        for child in children:
            _complete(choose, child, level + 1)


def _holds_messages(field: official.OfficialField) -> bool:
    return field.descriptor.message_type.fields_by_name["value"].message_type is not None
