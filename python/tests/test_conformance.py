"""The official conformance corpus and hostile inputs: the right verdict and, where accepted, the right values.

One test a file and decoder; a failure names every case that went wrong. The suite only compares what comes out of an
encoder; here every field of every accepted case is compared with the official parser's message.
"""

import base64
import json
import struct
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf.message import Message

import official
from compare import assert_same, assert_same_record, assert_same_table
from suite import ConformanceSchema
from unknown import assert_same_unknown
from wire import END_GROUP, FIXED32, LENGTH_DELIMITED, START_GROUP, write_tag, write_varint

FILES = ("corpus.jsonl", "corpus_perf.jsonl", "adversarial.jsonl")
PROTO2 = "protobuf_test_messages.proto2.TestAllTypesProto2"
PROTO3 = "protobuf_test_messages.proto3.TestAllTypesProto3"

each_file = pytest.mark.parametrize("file", FILES)


@each_file
def test_every_case_gets_its_verdict_and_values(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    _report(
        suite.fault(case, lambda kind, data: kind.decode(data, keep_unknown=True)) for case in _cases(conformance, file)
    )


@each_file
def test_every_case_gets_its_verdict_and_values_as_one_of_many(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    # The refused message stands second, so that its row is known; the empty ones around it are the default message.
    _report(
        suite.fault(case, lambda kind, data: kind.decode_many([b"", data, b""], keep_unknown=True)[1], row=1)
        for case in _cases(conformance, file)
    )


@each_file
def test_every_case_gets_its_verdict_and_values_from_the_reference_decoder(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    if not hasattr(wa.MessageType, "_decode_reference"):
        pytest.skip("this build of wirearray is without the engine's feature `reference`")
    _report(
        suite.fault(case, lambda kind, data: kind._decode_reference(data, keep_unknown=True))
        for case in _cases(conformance, file)
    )


@each_file
def test_the_two_decoders_agree(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    if not hasattr(wa.MessageType, "_decode_reference"):
        pytest.skip("this build of wirearray is without the engine's feature `reference`")
    _report(suite.disagreement(case) for case in _cases(conformance, file))


@each_file
def test_all_accepted_cases_of_a_type_decode_as_one_table(conformance: Path, file: str) -> None:
    suite = _suite(conformance)
    accepted: dict[str, list[Case]] = defaultdict(list)
    for case in _cases(conformance, file):
        if case.expect == "ok":
            accepted[case.message_type].append(case)
    for name, found in accepted.items():
        table = suite.schema[name].decode_many([case.payload for case in found])
        assert_same_table(table, [suite.expected(case) for case in found], name)


@pytest.mark.parametrize("kind", ["optional", "repeated", "packed"])
def test_a_signalling_nan_keeps_its_bits(conformance: Path, kind: str) -> None:
    """Checked against the bytes themselves: the official package gives floats by way of doubles, which quiets them."""
    bits = 0x7FA0_0001
    message_type = _suite(conformance).schema[PROTO2]
    field = message_type.fields[{"optional": "optional_float", "repeated": "repeated_float"}.get(kind, "packed_float")]
    payload = struct.pack("<I", bits)
    if kind == "packed":
        data = write_tag(field.number, LENGTH_DELIMITED) + write_varint(len(payload)) + payload
    else:
        data = write_tag(field.number, FIXED32) + payload
    value = np.atleast_1d(message_type.decode(data)[field.name])
    assert value.view(np.uint32).tolist() == [bits]


def test_a_refusal_says_what_is_wrong_and_where(conformance: Path) -> None:
    message_type = _suite(conformance).schema[PROTO3]
    nested = message_type.fields["optional_nested_message"]
    # A sub-message of two bytes whose field `a` is a varint that does not end.
    data = write_tag(nested.number, LENGTH_DELIMITED) + b"\x02" + write_tag(1, 0) + b"\x80"
    with pytest.raises(wa.DecodeError) as refusal:
        message_type.decode(data)
    assert isinstance(refusal.value, ValueError)
    assert refusal.value.kind
    assert len(data) - 2 <= refusal.value.offset <= len(data)
    assert refusal.value.path.startswith("optional_nested_message")
    assert str(refusal.value.offset) in str(refusal.value)


# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    name: str
    message_type: str
    expect: str
    payload: bytes


Decode = Callable[[Any, bytes], Any]

# The official package for Python (upb) keeps a map entry that has an unknown field as one unknown field, so its map
# lacks the entry. C++, Java, and pure Python keep the entry and drop the field, and so does wirearray: these payloads
# are compared with the message of the entry alone.
SAME_AS = {
    "map_entry_unknown_field": bytes.fromhex("c203 04 0801 1002"),  # map_int32_int32 {1: 2}
    "map_entry_wrong_wire": bytes.fromhex("c203 02 1002"),  # map_int32_int32 {0: 2}
}


class Suite(ConformanceSchema):
    """What is asked of the suite's cases."""

    def fault(self, case: Case, decode: Decode, row: int | None = None) -> str | None:
        """What is wrong with one case, in one line; None where all is right."""
        try:
            record = decode(self.schema[case.message_type], case.payload)
        except wa.DecodeError as refusal:
            if case.expect == "ok":
                return f"{case.name}: refused ({refusal})"
            return None if refusal.row == row else f"{case.name}: refused in row {refusal.row}, not {row}"
        except Exception as error:
            return f"{case.name}: {type(error).__name__} ({error})"
        if case.expect == "parse_error":
            return f"{case.name}: accepted"
        message = self.expected(case)
        if message is None and case.expect == "either":
            return None
        return _difference(case, lambda: _assert_all_same(case, record, message))

    def expected(self, case: Case) -> Message | None:
        """The official package's message, or None where it refuses the payload."""
        payload = SAME_AS.get(case.name, case.payload)
        return official.parse(self.message_class(case.message_type), payload)

    def disagreement(self, case: Case) -> str | None:
        message_type = self.schema[case.message_type]
        decoders = (message_type.decode, message_type._decode_reference)
        fast, slow = (_decoded(partial(decode, keep_unknown=True), case.payload) for decode in decoders)
        if isinstance(fast, str) or isinstance(slow, str):
            return None if fast == slow else f"{case.name}: fast {fast!r}, reference {slow!r}"
        return _difference(case, lambda: assert_same_record(fast, slow))


def _assert_all_same(case: Case, record: Any, message: Message) -> None:
    assert_same(record, message)
    if case.name not in SAME_AS:
        assert_same_unknown(record, message)


REFUSED = "refused"


def _decoded(decode: Callable[[bytes], Any], payload: bytes) -> Any:
    try:
        return decode(payload)
    except wa.DecodeError:
        return REFUSED


def _difference(case: Case, check: Callable[[], None]) -> str | None:
    try:
        check()
    except AssertionError as difference:
        return f"{case.name}: {difference}"
    return None


def _report(faults: Iterator[str | None]) -> None:
    found = [fault for fault in faults if fault is not None]
    assert not found, f"{len(found)} cases:\n" + "\n".join(found)


@lru_cache
def _suite(folder: Path) -> Suite:
    return Suite((folder / "descriptors.binpb").read_bytes())


@lru_cache
def _cases(folder: Path, file: str) -> list[Case]:
    lines = (folder / file).read_text().splitlines()
    cases = [_case(json.loads(line)) for line in lines]
    assert len(cases) > 50, f"{file} holds {len(cases)} cases: is it whole?"
    return cases


def _case(record: dict[str, Any]) -> Case:
    name = record.get("test_name") or record["name"]
    if "payload_b64" in record:
        payload = base64.b64decode(record["payload_b64"])
    elif "payload_zlib_b64" in record:
        payload = zlib.decompress(base64.b64decode(record["payload_zlib_b64"]))
    else:
        payload = GENERATED[name]()
    assert len(payload) == record.get("payload_len", len(payload)), f"{name}: {len(payload)} bytes"
    return Case(name, record["message_type"], record["expect"], payload)


def _groups(depth: int, *, closed: bool) -> bytes:
    """Unknown groups inside each other."""
    number = 1234
    return write_tag(number, START_GROUP) * depth + (write_tag(number, END_GROUP) * depth if closed else b"")


def _maps(depth: int) -> bytes:
    """Maps inside each other: `map_string_nested_message` to `NestedMessage.corecursive` and round again."""
    message = b""
    for _ in range(depth):
        nested = _delimited(2, message)
        message = _delimited(71, _delimited(1, b"") + _delimited(2, nested))
    return message


def _delimited(number: int, payload: bytes) -> bytes:
    return write_tag(number, LENGTH_DELIMITED) + write_varint(len(payload)) + payload


# The adversarial file gives only the length of its three largest payloads.
GENERATED: dict[str, Callable[[], bytes]] = {
    "depth_unknown_group_20000": lambda: _groups(20_000, closed=True),
    "depth_unknown_group_open_100000": lambda: _groups(100_000, closed=False),
    "depth_map_msg_2000": lambda: _maps(2_000),
}
