"""What was decoded is encoded to the same again: the official conformance corpus, real files, and official messages."""

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf import descriptor_pb2, duration_pb2, timestamp_pb2

import official
import unframe
from both import BothSchemas
from compare import assert_same_record
from digest import digest
from realdata_index import REALDATA, reference, stream_name, streams
from suite import ConformanceSchema

# ---------------------------------------------------------------------------------------------------------------------
# The conformance corpus

CORPORA = {"corpus.jsonl": 2835, "corpus_perf.jsonl": 62}
each_corpus = pytest.mark.parametrize("file", CORPORA)


@dataclass(frozen=True)
class Case:
    """A record of the corpus; `reference` is what the official package writes where it accepts the payload."""

    name: str
    message_type: str
    payload: bytes
    reference: bytes | None
    is_exact: bool


@each_corpus
def test_every_case_is_written_back_as_its_reference(conformance: Path, file: str) -> None:
    suite = _suite(conformance)

    def fault(case: Case) -> str | None:
        message_type = suite.schema[case.message_type]
        try:
            record = message_type.decode(case.payload, keep_unknown=True)
        except wa.DecodeError as refusal:
            return None if case.reference is None else f"refused ({refusal})"
        if case.reference is None:
            return "accepted"
        return suite.difference(case, message_type.encode(record))

    _report((case, fault(case)) for case in _cases(conformance, file))


@each_corpus
def test_all_cases_of_a_type_are_written_back_together(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    for name, cases in _accepted(conformance, file).items():
        message_type = suite.schema[name]
        table = message_type.decode_many([case.payload for case in cases], keep_unknown=True)
        written = message_type.encode_many(table)
        _report((case, suite.difference(case, data)) for case, data in zip(cases, written, strict=True))
        assert message_type.encode_many(table[::-1]).to_list() == written.to_list()[::-1]
        assert [message_type.encode(record) for record in table] == written.to_list()


@each_corpus
def test_without_unknown_fields_every_known_value_is_written_back(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    for name, cases in _accepted(conformance, file).items():
        message_type = suite.schema[name]
        for case in cases:
            record = message_type.decode(case.payload)
            assert_same_record(message_type.decode(message_type.encode(record)), record, case.name)
            assert message_type.encode(record.to_dict()) == message_type.encode(record), case.name


@each_corpus
def test_aligned_every_case_is_the_same_message(conformance: Path, file: str) -> None:
    suite = _suite(conformance)

    def fault(case: Case, align: int) -> str | None:
        message_type = suite.schema[case.message_type]
        record = message_type.decode(case.payload, keep_unknown=True)
        data = suite.written(case.message_type, message_type.encode(record, align=align))
        plain = suite.written(case.message_type, message_type.encode(record))
        return None if data == plain else f"aligned to {align}: {data.hex()[:200]}, not {plain.hex()[:200]}"

    for cases in _accepted(conformance, file).values():
        _report((case, fault(case, align)) for case in cases for align in (8, 64))


class Suite(ConformanceSchema):
    """What is asked of the suite's cases."""

    def written(self, name: str, data: bytes) -> bytes:
        """What the official package makes of the bytes."""
        return self.message_class(name).FromString(data).SerializeToString(deterministic=True)

    def difference(self, case: Case, data: bytes) -> str | None:
        found = data if case.is_exact else self.written(case.message_type, data)
        if found == case.reference:
            return None
        return f"{found.hex()[:200]}, not {case.reference.hex()[:200]}"


def _report(faults: Iterator[tuple[Case, str | None]]) -> None:
    found = [f"{case.name}: {fault}" for case, fault in faults if fault is not None]
    assert not found, f"{len(found)} cases:\n" + "\n".join(found)


@lru_cache
def _suite(folder: Path) -> Suite:
    return Suite((folder / "descriptors.binpb").read_bytes())


def _accepted(folder: Path, file: str) -> dict[str, list[Case]]:
    accepted: dict[str, list[Case]] = defaultdict(list)
    for case in _cases(folder, file):
        if case.reference is not None:
            accepted[case.message_type].append(case)
    return accepted


@lru_cache
def _cases(folder: Path, file: str) -> list[Case]:
    records = [json.loads(line) for line in (folder / file).read_text().splitlines()]
    assert len(records) == CORPORA[file], "the file is whole"
    return [_case(record) for record in records]


def _case(record: dict[str, Any]) -> Case:
    accepted = record["expect"] == "ok"
    assert accepted or record["expect"] == "parse_error"
    return Case(
        name=record["test_name"],
        message_type=record["message_type"],
        payload=_unpacked(record, "payload"),
        reference=_unpacked(record, "reference") if accepted else None,
        is_exact=record.get("compare") == "exact",
    )


def _unpacked(record: dict[str, Any], name: str) -> bytes:
    if f"{name}_b64" in record:
        return base64.b64decode(record[f"{name}_b64"])
    return zlib.decompress(base64.b64decode(record[f"{name}_zlib_b64"]))


# ---------------------------------------------------------------------------------------------------------------------
# Real files

each_stream = pytest.mark.parametrize(("entry", "stream"), streams(), ids=stream_name)


@each_stream
def test_real_messages_are_written_back_byte_for_byte(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    """All messages of a file, or none: so many are those that the official package writes back as they were."""
    message_type, messages = _read(realdata, entry, stream)
    identical = reference(entry, stream)["byte_identical_roundtrip_messages"]
    assert identical in (0, len(messages))
    if not identical:
        pytest.skip("the program that wrote this file has an order of its own; the next test compares the values")
    table = message_type.decode_many(messages, keep_unknown=True)
    written = message_type.encode_many(table)
    assert written.data.tobytes() == b"".join(messages)
    assert written.lengths.tolist() == [len(message) for message in messages]
    for message in messages[:: max(1, len(messages) // 500)]:
        assert message_type.encode(message_type.decode(message, keep_unknown=True)) == message
        assert message_type.encode(message_type.decode(message, keep_unknown=True, copy=None)) == message


@each_stream
def test_real_messages_are_written_back_with_the_same_values(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    message_type, messages = _read(realdata, entry, stream)
    table = message_type.decode_many(messages)
    written = message_type.encode_many(table)
    assert digest(message_type.decode_many(written)) == digest(table)
    for row in range(0, len(messages), max(1, len(messages) // 500)):
        assert message_type.encode(table[row]) == written[row]
        assert message_type.encode(message_type.decode(messages[row])) == written[row]


@each_stream
def test_the_official_package_reads_what_was_written_back_as_the_same_message(
    realdata: Path, entry: dict[str, Any], stream: dict[str, Any]
) -> None:
    message_type, messages = _read(realdata, entry, stream)
    theirs = official.message_class(_pool(entry["descriptor_set"]), stream["message"])
    some = messages[:: max(1, len(messages) // 500)]
    written = message_type.encode_many(message_type.decode_many(some, keep_unknown=True))
    for message, data in zip(some, written, strict=True):
        if data != message:
            expected, found = theirs.FromString(message), theirs.FromString(data)
            assert found.SerializeToString(deterministic=True) == expected.SerializeToString(deterministic=True)


def _read(folder: Path, entry: dict[str, Any], stream: dict[str, Any]) -> tuple[wa.MessageType, list[bytes]]:
    message_type = _schema(entry["descriptor_set"])[stream["message"]]
    return message_type, [bytes(message) for message in unframe.messages(folder, entry, stream)]


@lru_cache
def _schema(name: str) -> wa.Schema:
    return wa.Schema.from_descriptor_set((REALDATA / name).read_bytes())


@lru_cache
def _pool(name: str) -> Any:
    return official.pool_of((REALDATA / name).read_bytes())


# ---------------------------------------------------------------------------------------------------------------------
# Messages of the official package

SCHEMA = BothSchemas("""
syntax = "proto3";
package test;
message Tick {
  int64 ts = 1; repeated double book = 2; optional string sym = 3; Tick before = 4; map<string, int32> flags = 5;
}
message Other { int64 ts = 1; }
""")
TICK, OTHER = SCHEMA["test.Tick"], SCHEMA["test.Other"]
VALUES = {"ts": 5, "book": [1.5, -0.0], "sym": "", "before": {"ts": -1}, "flags": {"a": 1, "b": 2}}


def test_an_official_message_becomes_a_record() -> None:
    for message_type in (TICK.ours, wa.Schema.from_message(TICK.theirs)["test.Tick"]):
        record = message_type.from_protobuf(TICK.theirs(**VALUES))
        assert isinstance(record, wa.Record)
        assert record["ts"] == 5
        assert record["book"].tolist() == [1.5, -0.0]
        assert record.present("sym")
        assert record["before"]["ts"] == -1
        assert TICK.read(message_type.encode(record)) == TICK.theirs(**VALUES)
    assert len(TICK.ours.select("ts").from_protobuf(TICK.theirs(**VALUES))) == 1


def test_an_official_message_becomes_a_record_with_its_unknown_fields() -> None:
    message = TICK.theirs.FromString(TICK.written(**VALUES) + b"\x98\x06\x07")
    record = TICK.ours.from_protobuf(message)
    assert record.unknown_fields == b"\x98\x06\x07"
    assert TICK.ours.to_protobuf(record, TICK.theirs) == message


def test_a_record_or_dict_becomes_an_official_message() -> None:
    expected = TICK.theirs(**VALUES)
    record = TICK.ours.decode(TICK.written(**VALUES))
    for given in (VALUES, record, VALUES | {"book": np.array([1.5, -0.0], np.float16)}):
        message = TICK.ours.to_protobuf(given, TICK.theirs)
        assert type(message) is TICK.theirs
        assert message == expected
    assert TICK.ours.to_protobuf({}, TICK.theirs) == TICK.theirs()
    with pytest.raises(ValueError, match=r"^ts = 0\.5 does not fit int64"):
        TICK.ours.to_protobuf({"ts": 0.5}, TICK.theirs)


def test_an_incomplete_official_message_becomes_a_record() -> None:
    name_part = descriptor_pb2.UninterpretedOption.NamePart
    message_type = wa.Schema.from_message(name_part)["google.protobuf.UninterpretedOption.NamePart"]
    record = message_type.from_protobuf(name_part(name_part="a"))
    assert not record.present("is_extension")
    with pytest.raises(ValueError, match=r"^is_extension: the schema requires a value"):
        message_type.to_protobuf(record, name_part)


def test_what_is_of_another_class_is_refused() -> None:
    refused: dict[str, Callable[[], Any]] = {
        "message: expected a test.Tick, got a test.Other": lambda: TICK.ours.from_protobuf(OTHER.theirs()),
        "message: expected test.Tick of the official protobuf package, got dict": lambda: TICK.ours.from_protobuf({}),
        "message: expected test.Tick of the official protobuf package, got bytes": lambda: TICK.ours.from_protobuf(b""),
        "message: expected test.Tick of the official protobuf package, got Record": lambda: TICK.ours.from_protobuf(
            TICK.ours.decode(b"")
        ),
        "cls: expected a test.Tick, got a test.Other": lambda: TICK.ours.to_protobuf({}, OTHER.theirs),
        "cls: expected test.Tick of the official protobuf package, got type": lambda: TICK.ours.to_protobuf({}, dict),
        "cls: expected test.Tick of the official protobuf package, got NoneType": lambda: TICK.ours.to_protobuf(
            {}, None
        ),
        "cls: expected test.Tick of the official protobuf package, got MessageType": lambda: TICK.ours.to_protobuf(
            {}, TICK.ours
        ),
    }
    for text, call in refused.items():
        with pytest.raises(TypeError) as refusal:
            call()
        assert str(refusal.value) == text


def test_a_class_is_no_message_and_a_message_is_no_class() -> None:
    with pytest.raises(TypeError, match=r"^message: expected "):
        TICK.ours.from_protobuf(TICK.theirs)
    with pytest.raises(TypeError, match=r"^cls: expected "):
        TICK.ours.to_protobuf({}, TICK.theirs())


def test_well_known_messages_go_both_ways() -> None:
    stamp = timestamp_pb2.Timestamp(seconds=-5, nanos=7)
    message_type = wa.Schema.from_message(timestamp_pb2.Timestamp)["google.protobuf.Timestamp"]
    record = message_type.from_protobuf(stamp)
    assert (record["seconds"], record["nanos"]) == (-5, 7)
    assert message_type.to_protobuf(np.datetime64(7 - 5 * 10**9, "ns"), timestamp_pb2.Timestamp) == stamp
    with pytest.raises(
        TypeError, match=r"^cls: expected a google\.protobuf\.Timestamp, got a google\.protobuf\.Duration"
    ):
        message_type.to_protobuf(record, duration_pb2.Duration)
