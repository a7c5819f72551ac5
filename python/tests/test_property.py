"""Random schemas and messages: wirearray says what the official package says, value for value and verdict for verdict.

A case is a number: it gives a schema, messages of it, and their bytes in legal and damaged forms, always the same.
`WIREARRAY_PROPERTY_CASES` sets how many cases run, `WIREARRAY_PROPERTY_FIRST` where they begin; a failure names its
case and its bytes, so `WIREARRAY_PROPERTY_CASES=1 WIREARRAY_PROPERTY_FIRST=<case>` runs it alone.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import wirearray as wa
from google.protobuf.message import Message

import official
from compare import assert_same, assert_same_record, assert_same_table
from random_messages import damaged, random_message, shuffled
from random_schema import random_schema
from unknown import assert_same_unknown, unknown_fields
from wire import is_ambiguous

FIRST = int(os.environ.get("WIREARRAY_PROPERTY_FIRST", "0"))
CASES = range(FIRST, FIRST + int(os.environ.get("WIREARRAY_PROPERTY_CASES", "200")))


@dataclass(frozen=True)
class Payload:
    """Bytes, and the official package's message of them, or None where it refuses them."""

    data: bytes
    message: Message | None


@dataclass(frozen=True)
class Case:
    """One random schema with messages: `legal` ones as encoders may write them, `damaged` ones as they should not."""

    number: int
    message_type: Any
    legal: tuple[Payload, ...]
    damaged: tuple[Payload, ...]

    def note(self, data: bytes) -> str:
        return f"case {self.number}, bytes {data.hex() or 'none'}"


def test_every_random_message_decodes_as_the_official_package_parses_it() -> None:
    for case, payload in _payloads("legal"):
        _check(case, payload, case.message_type.decode)


def test_the_reference_decoder_decodes_as_the_official_package_parses() -> None:
    _skip_without_reference_decoder()
    for case, payload in _payloads("legal", "damaged"):
        _check(case, payload, case.message_type._decode_reference)


def test_both_decoders_give_the_same_record() -> None:
    _skip_without_reference_decoder()
    for case, payload in _payloads("legal", "damaged"):
        if payload.message is not None:
            decoders = (case.message_type.decode, case.message_type._decode_reference)
            fast, slow = (decode(payload.data, keep_unknown=True) for decode in decoders)
            _noted(case, payload.data, lambda a=fast, b=slow: assert_same_record(a, b))


def test_random_messages_decode_as_one_table() -> None:
    for case in _cases():
        accepted = [payload for payload in case.legal if payload.message is not None]
        data, messages = [payload.data for payload in accepted], [payload.message for payload in accepted]
        table = case.message_type.decode_many(data)
        _noted(case, b"", lambda table=table, messages=messages: assert_same_table(table, messages))
        offsets = np.cumsum([0, *map(len, data)], dtype=np.int64)
        table = case.message_type.decode_many(b"".join(data), offsets=offsets)
        _noted(case, b"", lambda table=table, messages=messages: assert_same_table(table, messages))


def test_rows_of_a_table_are_the_messages() -> None:
    for case in _cases():
        accepted = [payload for payload in case.legal if payload.message is not None]
        table = case.message_type.decode_many([payload.data for payload in accepted], keep_unknown=True)
        for row, payload in enumerate(accepted):
            record = table[row]
            _noted(case, payload.data, lambda record=record, payload=payload: _assert_all_same(record, payload.message))
        reverse = table[np.arange(len(accepted))[::-1]]
        messages = [payload.message for payload in reversed(accepted)]
        _noted(case, b"", lambda table=reverse, messages=messages: assert_same_table(table, messages))


def test_damaged_messages_get_the_official_verdict_and_values() -> None:
    for case, payload in _payloads("damaged"):
        _check(case, payload, case.message_type.decode)


def test_every_beginning_of_a_message_gets_the_official_verdict() -> None:
    for case in _cases(every=10):
        message_class = type(next(payload.message for payload in case.legal if payload.message is not None))
        longest = max((payload.data for payload in case.legal), key=len)[:400]
        for end in range(len(longest)):
            data = longest[:end]
            if not is_ambiguous(data, message_class.DESCRIPTOR):
                _check(case, Payload(data, official.parse(message_class, data)), case.message_type.decode)


def test_a_refused_row_is_named() -> None:
    for case in _cases():
        refused = [payload.data for payload in case.damaged if payload.message is None]
        for data in refused[:2]:
            with pytest.raises(wa.DecodeError) as refusal:
                case.message_type.decode_many([b"", b"", data, b""])
            assert refusal.value.row == 2, case.note(data)
            assert 0 <= refusal.value.offset <= len(data), case.note(data)
            assert refusal.value.kind, case.note(data)


def test_few_messages_are_left_out() -> None:
    """Bytes whose verdict the specification leaves open are no test; most must not be of that sort."""
    legal, kept = (sum(len(getattr(case, kind)) for case in _cases()) for kind in ("legal", "damaged"))
    assert legal > 0.9 * LEGAL_PER_CASE * len(CASES)
    assert kept > 0.9 * DAMAGED_PER_CASE * len(CASES)
    refused = sum(payload.message is None for case in _cases() for payload in case.damaged)
    assert 0.1 * kept < refused < 0.9 * kept, "damage that is always or never noticed tests little"
    messages = [payload.message for case in _cases() for payload in case.legal if payload.message is not None]
    assert sum(bool(unknown_fields(message)) for message in messages) > 0.2 * len(messages)


# ---------------------------------------------------------------------------------------------------------------------

LEGAL_PER_CASE, DAMAGED_PER_CASE = 11, 10


def _check(case: Case, payload: Payload, decode: Any) -> None:
    """One decoder's verdict and values for one payload."""
    try:
        record = decode(payload.data, keep_unknown=True)
    except wa.DecodeError as refusal:
        assert payload.message is None, f"refused ({refusal}): {case.note(payload.data)}"
        return
    assert payload.message is not None, f"accepted: {case.note(payload.data)}"
    _noted(case, payload.data, lambda: _assert_all_same(record, payload.message))


def _assert_all_same(record: Any, message: Message) -> None:
    assert_same(record, message)
    assert_same_unknown(record, message)


def _noted(case: Case, data: bytes, check: Any) -> None:
    try:
        check()
    except Exception as error:
        error.add_note(case.note(data))
        raise


def _skip_without_reference_decoder() -> None:
    if not hasattr(wa.MessageType, "_decode_reference"):
        pytest.skip("this build of wirearray is without the engine's feature `reference`")


def _cases(every: int = 1) -> Iterator[Case]:
    return (_case(number) for number in CASES[::every])


def _payloads(*kinds: str) -> Iterator[tuple[Case, Payload]]:
    for case in _cases():
        for kind in kinds:
            for payload in getattr(case, kind):
                yield case, payload


@lru_cache(maxsize=1000)
def _case(number: int) -> Case:
    choose = random.Random(number)
    schema = random_schema(choose)
    reader = official.message_class(official.pool_of(schema.reader), schema.root)
    writer = official.message_class(official.pool_of(schema.writer), schema.root)
    legal = [data for data in _legal(choose, reader, writer) if not is_ambiguous(data, reader.DESCRIPTOR)]
    message_type = wa.Schema.from_descriptor_set(schema.reader)[schema.root]
    return Case(
        number=number,
        message_type=message_type,
        legal=tuple(Payload(data, official.parse(reader, data)) for data in legal),
        damaged=tuple(Payload(data, official.parse(reader, data)) for data in _damaged(choose, reader, legal)),
    )


def _legal(choose: random.Random, reader: type[Message], writer: type[Message]) -> list[bytes]:
    """What the reader's own encoder writes, what the writer's writes, two of them merged, fields out of order."""
    plain = [random_message(choose, reader).SerializePartialToString() for _ in range(3)]
    free = [random_message(choose, writer).SerializePartialToString() for _ in range(3)]
    merged = [choose.choice(plain + free) + choose.choice(plain + free) for _ in range(2)]
    out_of_order = [shuffled(choose, choose.choice(plain + free + merged)) for _ in range(2)]
    return [b"", *plain, *free, *merged, *out_of_order]


def _damaged(choose: random.Random, reader: type[Message], legal: list[bytes]) -> list[bytes]:
    candidates = (damaged(choose, choose.choice(legal)) for _ in range(DAMAGED_PER_CASE))
    return [data for data in candidates if not is_ambiguous(data, reader.DESCRIPTOR)]
